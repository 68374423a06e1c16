"""Images as PNG files: every pixel kept, whole or not at all."""

import os

import pytest
import torch

from diffutils.data import png

IMAGES = torch.randint(
    0, 256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
)


@pytest.mark.parametrize("shape", [(12, 3, 8, 8), (3, 1, 28, 28), (9, 3, 64, 64), (1, 1, 70, 70)])
def test_grids_keep_every_pixel(tmp_path, shape):
    images = torch.randint(0, 256, shape, dtype=torch.uint8)
    png.write_grid(tmp_path / "a" / "grid.png", images)
    assert torch.equal(png.read_grid(tmp_path / "a" / "grid.png", shape), images)
    png.write_images(tmp_path / "b", images)
    assert len(list((tmp_path / "b").iterdir())) == len(images)


@pytest.mark.parametrize(
    "write", [png.write_grid, lambda path, images: png.write_images(path.parent, images)]
)
def test_pictures_are_written_whole_or_not_at_all(tmp_path, monkeypatch, write):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match=r"\.png cannot be written \(disk full\)"):
        write(tmp_path / "page.png", IMAGES[:2])
    assert list(tmp_path.iterdir()) == []
