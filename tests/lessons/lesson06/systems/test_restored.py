"""Photographs restored: what is observed, the curves and stops of DIP, filters, and their rows."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.restoration import denoise_tv_chambolle

from diffutils import lessons
from diffutils.data import to_float
from diffutils.lessons.lesson06 import claims
from diffutils.lessons.lesson06.systems import filters, restored
from diffutils.metrics.similarity import psnr

BUDGET = replace(lessons.budget("06", "smoke"), dip_images=2, dip_iterations=20)


@pytest.fixture(scope="module")
def photograph():
    names, crops = restored.named_crops(13, 32)
    assert len(set(names)) == 13 and names[0] == "astronaut" and names[-1] == "rocket"
    assert [len(crop) for crop in crops].count(1) == 6  # grey ones
    return to_float(crops[0][None])


def test_what_is_observed(photograph):
    y, A, seen = restored.observed(photograph, "denoise", 0.2, 0)
    assert float((y - photograph).std()) == pytest.approx(0.2, rel=0.05) and bool(seen.all())
    y, A, seen = restored.observed(photograph, "inpaint", 0.0, 0)
    assert float(seen.double().mean()) == pytest.approx(0.5, abs=0.05)
    assert torch.equal(y, torch.where(seen, photograph, 0)) and torch.equal(A(photograph), y)
    y, A, seen = restored.observed(photograph, "x4", 0.0, 0)
    blocks = photograph.view(1, 3, 8, 4, 8, 4).mean((3, 5))
    assert torch.allclose(y, blocks, atol=1e-6) and seen.shape == (1, 1, 8, 8)


@pytest.mark.parametrize("name", ["TV", "wavelet", "NLM"])
@pytest.mark.parametrize("channels", [3, 1])
def test_filters_denoise_colour_and_grey(name, channels, photograph):
    x0 = photograph[:, :channels]
    y, _, _ = restored.observed(x0, "denoise", 50 / 255, 0)
    clean = filters.filtered(name, y, 50 / 255)
    assert clean.shape == x0.shape and float(psnr(clean, x0)) > float(psnr(y, x0)) + 1


def test_a_filter_is_scikit_images(photograph):
    y, _, _ = restored.observed(photograph, "denoise", 0.2, 0)
    image = (y[0].permute(1, 2, 0).double().numpy() + 1) / 2
    known = denoise_tv_chambolle(image, weight=0.8 * 0.1, channel_axis=-1).clip(0, 1)
    ours = (filters.filtered("TV", y, 0.2)[0].permute(1, 2, 0).numpy() + 1) / 2
    np.testing.assert_allclose(ours, known, atol=1e-6)


def test_the_network_has_as_many_levels_as_fit():
    for size, levels in (((64, 64), 4), ((16, 16), 3), ((24, 48), 3), ((6, 8), 1)):
        assert len(restored.prior_for((3, *size), 0).net.levels) == levels
    with pytest.raises(ValueError, match="even sides"):
        restored.prior_for((3, 15, 16), 0)


def point(heldout, variance, dB):
    return {"heldout": heldout, "variance": variance, "dB": dB}


def test_stops():
    values = [(3.0, None, 20), (1.0, 5.0, 22), (2.0, 4.0, 25), (2.0, 6.0, 24), (0.0, 1.0, 21)]
    points = [point(*v) for v in values]
    every = restored.EVERY
    assert restored.stops(points, 2 * every) == {
        "held-out pixels": 1,
        "windowed variance": 4,
        "best": 2,
    }
    assert "windowed variance" not in restored.stops([point(1.0, None, 20)])


def test_rows_are_made_once_and_read(tmp_path, monkeypatch):
    said = []
    rows = list(restored.rows(BUDGET, tmp_path, say=said.append))
    assert [row["photo"] for row in rows] == ["astronaut", "brick"] and len(said) == 2
    assert all(len(row["dB"]) == 2 and row["size"] == 32 for row in rows)
    monkeypatch.setattr(restored, "curves", None)
    assert list(restored.rows(BUDGET, tmp_path, say=said.append)) == rows and len(said) == 2
    (tmp_path / "dip.jsonl").write_text("{\n")
    with pytest.raises(ValueError, match="delete it"):
        next(restored.rows(BUDGET, tmp_path))


def test_claims_follow_from_the_rows():
    """DIP wins 5 dB, TV 4, NLM 6 and BM3D 9, give or take a little."""
    rows = [
        {
            "photo": f"p{k}",
            "size": 64,
            "sigma_y": 0.2,
            "iterations": 30,
            "seconds": 40.0,
            "noisy": 20.0,
            "iteration": [10, 20, 30],
            "dB": [22.0, 25.0 + k / 10, 25.5],
            "stops": {"held-out pixels": 1, "windowed variance": 0, "best": 2},
            "filters": {
                name: {"dB": 20.0 + won + k / 20, "seconds": 0.02}
                for name, won in (("TV", 4), ("NLM", 6), ("BM3D", 9))
            },
        }
        for k in range(4)
    ]
    table = claims.dip_table(rows).splitlines()
    assert table[2].split() == ["p0", "5.0", "5.5", "4.0", "6.0", "9.0"]
    assert table[6].split()[0] == "median" and len(table) == 8
    said = claims.dip_sentence(rows)
    assert "takes 2,000 times as long as NLM" in said and "NLM -0.9 dB" in said
    assert claims.stops_table(rows).splitlines()[2].split() == [
        "p0",
        *"20 5.0 10 2.0 30 5.5".split(),
    ]
    claim = claims.dip_claim(rows)
    assert claim["verdict"] == "holds; behind NLM, BM3D" and claim["N"] == 4
    assert claims.dip_claim([])["why"] == "no rows of it"
    worse = [row | {"noisy": 30.0} for row in rows]
    assert claims.dip_claim(worse)["verdict"].startswith("does not hold")
