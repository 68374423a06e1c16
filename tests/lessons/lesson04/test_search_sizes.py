"""The best c at several sizes and its intervals, against numpy and numbers set by hand."""

import math

import numpy as np
import pytest
from phi_curves import SIGMAS, r2, r2_phi_star, straight_in

from diffutils.data import load
from diffutils.lessons.lesson04 import search as S
from diffutils.methods import perceptual as P


def test_the_interval_of_c_is_the_bootstraps():
    """Against 4000 resamples drawn with numpy: the ends agree to 15 %."""
    curves = straight_in(*np.geomspace(0.05, 1, 12))
    low, high = S.c_interval(curves, SIGMAS)
    random, each = np.random.default_rng(0), []
    r2_each = np.array([P.r_squared(curves, SIGMAS, P.phi_star(c)).tolist() for c in S.CS])
    for _ in range(4000):
        each.append(S.CS[r2_each[:, random.integers(12, size=12)].mean(1).argmax()])
    assert np.log([low, high]) == pytest.approx(np.log(np.quantile(each, [0.025, 0.975])), abs=0.15)
    assert low < S.best_c(curves, SIGMAS)[0] < high and {low, high} <= {*S.CS}
    assert (low, high) == S.c_interval(curves, SIGMAS) != S.c_interval(curves, SIGMAS, 1)


def test_the_interval_of_c_has_no_width_where_images_agree():
    low, high = S.c_interval(straight_in(0.3).repeat(5, 1), SIGMAS)
    assert low == high == S.best_c(straight_in(0.3), SIGMAS)[0]
    assert all(map(math.isnan, S.c_interval(straight_in(0.3), SIGMAS)))


def test_sizes_against_numpy():
    rows = S.sizes(("faces", "photos"), (16, 24), n=2, seed=1)
    assert [(r["dataset"], r["size"], r["N"]) for r in rows] == [
        ("faces", 16, 2),
        ("faces", 24, 2),
        ("photos", 16, 2),
        ("photos", 24, 2),
    ]
    curves = P.ssim_curve(load("faces", 24, 2, seed=1, heldout=1).train, SIGMAS, 1)
    row = rows[1]
    assert (row["best_c"], row["best_r2"]) == pytest.approx(S.best_c(curves, SIGMAS))
    seventh = np.linspace(0.002 ** (1 / 7), 80 ** (1 / 7), 50)
    logs = np.linspace(math.log(0.002), math.log(80), 50)
    betas = np.linspace(1e-4, 0.02, 1000)
    steps = 0.5 * np.log(1 / np.cumprod(1 - betas) - 1)
    t = np.linspace(0, np.interp(math.log(80), steps, np.arange(1000)), 50)
    assert row["phi_star"] == pytest.approx(r2_phi_star(curves, 0.3), abs=1e-9)
    assert row["log"] == pytest.approx(r2(curves, logs, logs), abs=1e-9)
    assert row["edm"] == pytest.approx(r2(curves, seventh, 7 * np.log(seventh)), abs=1e-9)
    assert row["ddpm"] == pytest.approx(
        r2(curves, t, np.interp(t, np.arange(1000), steps)), abs=1e-9
    )
    for key, c in ("best_r2", row["best_c"]), ("phi_star", 0.3):
        each = [r2_phi_star(curve, c) for curve in curves.split(1)]
        half = 12.706205 * np.std(each, ddof=1) / math.sqrt(2)  # t of 1 degree of freedom, 97.5 %
        ends = np.mean(each) - half, np.mean(each) + half
        assert (row[f"{key}_low"], row[f"{key}_high"]) == pytest.approx(ends, abs=1e-6)
    assert (row["c_low"], row["c_high"]) == S.c_interval(curves, SIGMAS, 1)


def test_sizes_table_shows_every_number():
    row = {
        "dataset": "faces",
        "size": 24,
        "N": 2,
        "best_c": 0.12882,
        "c_low": 0.1096,
        "c_high": 0.1585,
        "best_r2": 0.98765,
        "best_r2_low": 0.9,
        "best_r2_high": 1.0123,
        "phi_star": 0.8,
        "phi_star_low": 0.7,
        "phi_star_high": 0.9,
        "log": 0.5,
        "edm": 0.25,
        "ddpm": 0.125,
    }
    alone = {key: math.nan for key in row if key.endswith(("_low", "_high"))}
    lines = S.sizes_table([row, row | alone | {"N": 1}]).splitlines()
    assert [" ".join(line.split()) for line in lines[2:]] == [
        "faces 24 2 0.129 (0.11 to 0.16) 0.9877 (0.900 to 1.012) 0.8000 (0.700 to 0.900) 0.5000 "
        "0.2500 0.1250",
        "faces 24 1 0.129 0.9877 0.8000 0.5000 0.2500 0.1250",
    ]


def test_sizes_of_arrays_at_their_own_side():
    (row,) = S.sizes(("sprites",), (16,), n=3)
    curves = P.ssim_curve(load("sprites", limit=3, heldout=1).train, SIGMAS)
    assert (row["best_c"], row["best_r2"]) == pytest.approx(S.best_c(curves, SIGMAS))


def test_sizes_below_the_window_are_refused():
    with pytest.raises(ValueError, match="a window of 7 x 7 pixels, but the images have 6 x 6"):
        S.sizes(("photos",), (6,), n=2)


def test_c_beside_sigma_data():
    """sigma_data is the root mean square of the very images, and the table is small."""
    rows = S.sizes(("faces",), (16, 24), n=2, seed=1)
    images = load("faces", 24, 2, seed=1, heldout=1).train.double() / 127.5 - 1
    assert rows[1]["sigma_data"] == pytest.approx(float(images.square().mean().sqrt()), rel=1e-6)
    lines = S.c_table(rows).splitlines()
    assert len(lines) == 4 and max(map(len, lines)) <= 100
    cells = lines[3].split()
    assert cells[:3] == ["faces", "24", "2"] and cells[3] == f"{rows[1]['best_c']:.3g}"
    ratio = rows[1]["best_c"] / rows[1]["sigma_data"]
    assert cells[-2:] == [f"{rows[1]['sigma_data']:.2f}", f"{ratio:.2f}"]
    one = S.sizes(("faces",), (16,), n=1)
    assert "(" not in S.c_table(one).splitlines()[2] and "nan" not in S.c_table(one)
