"""Images against their counterparts: means over images, their intervals, and limits."""

from pathlib import Path

import pytest
from image_folders import couples
from made_images import write

from diffutils.course.experiments import score_pairs
from diffutils.data import folders
from diffutils.metrics import similarity


def test_paired_metrics_are_means_over_images_with_students_interval(tmp_path, monkeypatch):
    from scipy import stats

    monkeypatch.setattr(score_pairs, "BATCH", 5)
    a, b, pred, gt = couples(tmp_path)
    files = folders.listed(pred), folders.listed(gt)
    found = score_pairs.pairs(
        *files, folders.Reader(), lambda x, y: (x.double() - y).mean((1, 2, 3))
    )
    expected = {
        "psnr": similarity.psnr(a, b),
        "ssim": similarity.ssim(a, b),
        "ms_ssim": similarity.ms_ssim(a, b),
        "lpips": (a.double() - b).mean((1, 2, 3)),
    }
    assert (found["N"], found["identical"]) == (12, 0)
    for key, values in expected.items():
        interval = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
        assert found[key]["mean"] == pytest.approx(values.mean().item(), rel=1e-12), key
        assert found[key]["interval"] == pytest.approx(interval, rel=1e-9), key
        assert found[key]["N"] == 12


def test_identical_pairs_are_counted_and_left_out_of_psnr(tmp_path):
    a, b, pred, gt = couples(tmp_path)
    write(gt, a[:2], suffix="bmp")
    found = score_pairs.pairs(folders.listed(pred), folders.listed(gt), folders.Reader())
    assert (found["N"], found["identical"], found["psnr"]["N"]) == (12, 2, 10)
    assert found["psnr"]["mean"] == pytest.approx(similarity.psnr(a[2:], b[2:]).mean().item())
    assert found["ssim"]["N"] == 12


def test_limits_of_small_images_are_said():
    assert score_pairs.limits(10, False) == [
        "SSIM was not run: its window has 11 pixels, the images 10"
    ]
    few, enlarged = score_pairs.limits(32, True)
    assert "2 of its 5 scales" in few and "at 32" in few and "64" in enlarged
    assert score_pairs.limits(161, True) == []


def test_two_files_of_one_stem_are_told_apart_by_their_suffix():
    """In both sets, whichever has them; other files pair with any suffix."""
    pred = {"a.png": Path("p/a.png"), "a.jpg": Path("p/a.jpg"), "b": Path("p/b.png")}
    gt = {"a": Path("g/a.png"), "b": Path("g/b.bmp"), "c.png": Path("g/c.png.jpg")}
    one, other = score_pairs.by_one_name(pred, gt)
    assert one == {"a.png": Path("p/a.png"), "a.jpg": Path("p/a.jpg"), "b": Path("p/b.png")}
    assert other == {"a.png": Path("g/a.png"), "b": Path("g/b.bmp"), "c.png": Path("g/c.png.jpg")}
