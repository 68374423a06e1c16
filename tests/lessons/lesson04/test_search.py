"""The search for phi, against numpy, scikit-learn and numbers set by hand."""

import math

import numpy as np
import pytest
import torch
from phi_curves import LOGS, SIGMAS, TABLE, r2, r2_phi_star, straight_in
from PIL import Image
from sklearn.isotonic import IsotonicRegression

from diffutils.data import load
from diffutils.lessons.lesson04 import search as S
from diffutils.methods import perceptual as P

OWN = "1 - SSIM of each image, tabulated"


def r2_tabulated(curves, of):
    """By scikit-learn's isotonic regression, with the least slope 0.01 of the package."""
    rest = 1 - of.numpy().mean(0) - 0.01 * LOGS
    table = IsotonicRegression().fit_transform(LOGS, rest) + 0.01 * LOGS
    phi = np.linspace(table[0], table[-1], 50)
    return r2(curves, phi, np.interp(phi, table, LOGS))


# ------------------------------------------------------------------- from curves


def test_study_against_numpy():
    """Two pools of different c, so that each fit is judged on images it does not suit too."""
    pool, others = straight_in(0.1, 0.2, 0.9), straight_in(0.5, 2.0)
    result = S.study(pool, others, SIGMAS)
    assert result["ranking"] == S.ranking(pool, SIGMAS) and len(result["ranking"]) == 24
    c = result["best_c"]["c"]
    assert r2_phi_star(pool, c) >= max(r2_phi_star(pool, c * 1.03), r2_phi_star(pool, c / 1.03))
    named = f"sigma/(sigma+c), c = {c:.3g}"
    fitted, other = "the images it was fitted to", "other images"
    difference = r2_tabulated(others, pool) - r2_phi_star(others, c)
    want = {
        (named, fitted): (r2_phi_star(pool, c), 3),
        (named, other): (r2_phi_star(others, c), 2),
        ("sigma/(sigma+c), c = 0.3", other): (r2_phi_star(others, 0.3), 2),
        (TABLE, fitted): (r2_tabulated(pool, pool), 3),
        (TABLE, other): (r2_tabulated(others, pool), 2),
        (f"difference: tabulated - c = {c:.3g}", other): (difference, 2),
        (OWN, "that image alone"): (np.mean([r2_tabulated(p, p) for p in pool.split(1)]), 3),
    }
    got = {(r["name"], r["judged_on"]): (r["mean"], r["N"]) for r in result["fitted"]}
    assert list(got) == list(want)
    for key, (mean, n) in want.items():
        assert got[key] == (pytest.approx(mean, abs=1e-9), n)
    assert got[OWN, "that image alone"][0] > 0.9995  # 1 but for the least slope
    assert got[TABLE, other][0] < got[TABLE, fitted][0] < 0.999


def test_the_difference_is_paired_by_image():
    """Its interval is that of the differences, not of two independent means."""
    pool, others = straight_in(0.1, 0.2, 0.9), straight_in(0.05, 0.5, 2.0, 4.0)
    result = S.study(pool, others, SIGMAS)
    (row,) = [r for r in result["fitted"] if r["name"].startswith("difference")]
    c = result["best_c"]["c"]
    each = [r2_tabulated(one, pool) - r2_phi_star(one, c) for one in others.split(1)]
    half = 3.182446 * np.std(each, ddof=1) / 2  # t of 3 degrees of freedom, 97.5 %
    assert (row["low"], row["high"]) == pytest.approx(
        (np.mean(each) - half, np.mean(each) + half), abs=1e-8
    )


@pytest.mark.parametrize("c, is_an_end", [(0.001, True), (0.3, False), (100.0, True)])
def test_a_best_c_at_the_end_of_the_search_is_called_so(c, is_an_end):
    result = S.study(straight_in(c), straight_in(c), SIGMAS)
    assert result["best_c"]["is_an_end"] is is_an_end
    assert ("an end of the range" in S.table(result)) is is_an_end


def test_table_shows_every_number():
    result = {
        "ranking": [
            {"name": "log(sigma)", "mean": 0.87654, "low": 0.8, "high": 1.01, "N": 3},
            {"name": "sigma", "mean": 0.05, "low": math.nan, "high": math.nan, "N": 1},
        ],
        "best_c": {"c": 0.12345, "is_an_end": False},
        "fitted": [{"name": "a", "judged_on": "b", "mean": 0.99999, "low": 0, "high": 1, "N": 3}],
    }
    lines = [" ".join(line.split()) for line in S.table(result).splitlines()]
    assert [line for line in lines if line.strip("-")] == [
        "coordinate R² 95 % interval images",
        "1 log(sigma) 0.8765 0.8000 to 1.0100 3",
        "2 sigma 0.0500 - 1",
        "The best c of phi* = sigma / (sigma + c) is 0.123, R² 1.0000.",
        "fitted coordinate judged on R² 95 % interval images",
        "a b 1.0000 0.0000 to 1.0000 3",
    ]


# ------------------------------------------------------------------- from images


def test_report_measures_training_and_heldout_images(photos):
    result, said = photos
    data = load("photos", 32, 3, seed=4, heldout=3)
    pools = [P.ssim_curve(i, SIGMAS, 4, "gaussian") for i in (data.train, data.heldout)]
    for key, value in S.study(*pools, SIGMAS).items():
        assert result[key] == value
    settings = {
        "dataset": "photos",
        "shape": [3, 32, 32],
        "N": 3,
        "N_other": 3,
        "seed": 4,
        "window": "gaussian",
    }
    assert settings.items() <= result.items()
    assert said == [
        "Measuring SSIM at 200 noise levels on 3 images and 3 others of 32 x 32 pixels."
    ]


def test_the_check_is_the_largest_difference(photos):
    images = load("photos", 32, 3, seed=4, heldout=3).train
    phi = np.linspace(0.002 / 0.302, 80 / 80.3, 50)
    levels = 0.3 * phi / (1 - phi)
    direct = P.ssim_curve(images, torch.from_numpy(levels), 4, "gaussian").numpy()
    dense = P.ssim_curve(images, SIGMAS, 4, "gaussian").numpy()
    read_off = np.stack([np.interp(np.log(levels), LOGS, curve) for curve in dense])
    check = photos[0]["check"]
    assert check["N"] == 3 and check["name"] == "sigma/(sigma+0.3)"
    assert check["largest"] == pytest.approx(np.abs(read_off - direct).max(), rel=1e-6)
    assert 0 < check["largest"] < 2e-3


def test_the_check_sees_curves_of_other_noise():
    images = load("photos", 32, 2, heldout=1).train
    curves = P.ssim_curve(images, SIGMAS, 0)
    same, other = (S.spot_check(images, curves, SIGMAS, P.phi_star(), s) for s in (0, 1))
    assert other["largest"] > 5 * same["largest"]


def test_arrays_keep_their_size_and_files_come_at_128(tmp_path):
    random = np.random.default_rng(0)
    pixels = random.integers(0, 256, (12, 24, 18), np.uint8)
    np.savez(tmp_path / "own.npz", images=pixels)
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(tmp_path / f"{i}.png")
    for name, size, shape in (
        ("sprites", None, [3, 16, 16]),
        (f"npz:{tmp_path / 'own.npz'}", None, [1, 24, 18]),
        (f"npz:{tmp_path / 'own.npz'}", 32, [1, 32, 32]),
        (f"folder:{tmp_path}", None, [1, 128, 128]),
    ):
        assert S.report(name, size, 2, say=lambda line: None)["shape"] == shape


@pytest.mark.parametrize("curves", [torch.zeros(0, 50), torch.full((2, 50), math.nan)])
def test_no_curves_have_no_best_c(curves):
    with pytest.raises(ValueError, match="c is fitted to SSIM curves, got"):
        S.best_c(curves.double(), P.dense_sigmas(50))
