"""Photographs of the scikit-image wheel: a fixed list, seeded crops, split by photograph."""

from pathlib import Path

import numpy as np
import pytest
import torch

from diffutils.data import catalogue, load
from diffutils.data.photos import (
    LEAST_CONTRAST,
    LICENCE,
    PHOTOGRAPHS,
    SPLITS,
    UNKNOWN,
    crops,
    photograph,
)


def test_every_photograph_is_here_and_has_a_licence():
    assert len(PHOTOGRAPHS) == 13 and len({photo.file for photo in PHOTOGRAPHS}) == 13
    for photo in PHOTOGRAPHS:
        image = photograph(photo.file)
        assert image.dtype == torch.uint8 and image.shape[0] == 3 and min(image.shape[1:]) >= 300
        assert photo.licence and photo.split in SPLITS


def test_licences_are_what_the_documentation_of_scikit_image_states():
    from skimage import data

    loaders = {"clock_motion.png": data.clock, "ihc.png": data.immunohistochemistry}
    for file, _, licence, _ in PHOTOGRAPHS:
        text = (loaders.get(file) or getattr(data, file.split(".")[0])).__doc__
        stated = "CC0" if "CC0" in text else "public domain" if "public domain" in text else UNKNOWN
        assert licence == stated and (stated != UNKNOWN or UNKNOWN in text.lower()), file
    page = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    lines = {line.split("`")[1]: line for line in page.splitlines() if line.startswith("| `")}
    assert all(photo.licence in lines[photo.file] for photo in PHOTOGRAPHS)
    listed = next(row for row in catalogue() if row.name == "photos")
    assert listed.licence == LICENCE == load("photos", limit=1).licence and UNKNOWN in LICENCE


def test_photographs_are_not_shared_between_callers():
    photograph("coffee.png").zero_()
    assert photograph("coffee.png").any()


def test_short_side():
    image = photograph("rocket.jpg", short=128)
    assert min(image.shape[1:]) == 128 and image.shape[2] > image.shape[1]
    with pytest.raises(ValueError, match="not among the photographs"):
        photograph("lena.png")


def test_no_photograph_is_in_both_parts():
    a, b = (crops(200, 16, split=split)[1] for split in SPLITS)
    assert not set(a.tolist()) & set(b.tolist())
    assert len(set(a.tolist())) == 10 and len(set(b.tolist())) == 3
    with pytest.raises(ValueError, match="expected one of train, heldout"):
        crops(3, split="test")


def test_crops_are_seeded_and_show_something():
    images, _ = crops(130, 32, seed=3)
    assert torch.equal(images, crops(130, 32, seed=3)[0])
    assert not torch.equal(images, crops(130, 32, seed=4)[0])
    contrast = images.float().std(dim=(1, 2, 3))
    assert (contrast >= LEAST_CONTRAST).float().mean() > 0.98


def test_a_crop_is_a_piece_of_its_photograph():
    images, which = crops(13, 24, short=100)
    photo = photograph(PHOTOGRAPHS[which[0]].file, short=100).numpy()
    windows = np.lib.stride_tricks.sliding_window_view(photo, (24, 24), axis=(1, 2))
    assert (windows == images[0].numpy()[:, None, None]).all(axis=(0, 3, 4)).any()


@pytest.mark.parametrize("size", [32, 256])
def test_load(size):
    data = load("photos", size=size, limit=20, heldout=6)
    assert data.train.shape == (20, 3, size, size) and data.heldout.shape == (6, 3, size, size)
    assert "CC0" in data.licence
