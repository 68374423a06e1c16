"""Folders of images, read in batches: by name, in one size, what is broken reported."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffutils import rng
from diffutils.data import images as px
from diffutils.data.files import SUFFIXES

BATCH = 100  # images in memory at a time


def listed(folder: Path) -> dict[str, Path]:
    """The image files of a folder and its sub-folders by name: the path in it without suffix.

    Raises: FileNotFoundError; ValueError without an image, or for two files of one name.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; give one with images")
    files = {}
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        if file.suffix.lower() not in SUFFIXES or file.name.startswith("."):
            continue
        name = file.relative_to(folder).with_suffix("").as_posix()
        if name in files:
            raise ValueError(f"{file} and {files[name]} have one name; remove one of them")
        files[name] = file
    if not files:
        raise ValueError(f"{folder} holds no image file; put some in, such as *.png or *.jpg")
    return files


def shuffled(files: dict[str, Path], seed: int, side: int) -> list[Path]:
    """The files in an order drawn from (seed, side): the first ones are a fair sample."""
    every = list(files.values())
    return [every[i] for i in rng.permutation(seed, side, len(every)).tolist()]


class Reader:
    """Image files -> uint8 (3, H, W) of one size; .broken says which could not be read, and why.

    size: the central squares are resized to it; without it all images must be of one size.
    """

    def __init__(self, size: int | None = None):
        self.size = size
        self.first: tuple[Path, tuple[int, ...]] | None = None
        self.broken: dict[str, str] = {}
        self.pool = ThreadPoolExecutor(min(8, os.cpu_count() or 1))

    def read(self, files: Sequence[Path]) -> list[Tensor | None]:
        """The images, None where a file is broken. Raises: ValueError for images of two sizes."""
        images = list(self.pool.map(self._one, files))
        for file, image in zip(files, images, strict=True):
            if image is None:
                continue
            known, (_, H, W) = self.first = self.first or (file, image.shape)
            _, h, w = image.shape
            if (h, w) != (H, W):
                raise ValueError(
                    f"{known} has {W} x {H} pixels, but {file} has {w} x {h}: images must be of one"
                    " size; give one with --size, to which the central squares are resized"
                )
        return images

    def batches(
        self, files: Sequence[Path], report: Callable[[str], None] = lambda line: None
    ) -> Iterator[Tensor]:
        """All that can be read, uint8 (B, 3, H, W); report: takes a line for every tenth.

        Raises: ValueError if nothing can be read.
        """
        n, found = len(files), False
        for i in range(0, n, BATCH):
            if images := [x for x in self.read(files[i : i + BATCH]) if x is not None]:
                found = True
                yield torch.stack(images)
            done = min(i + BATCH, n)
            if 10 * i // n < 10 * done // n:
                report(f"{files[0].parent}: {done:,} of {n:,} images")
        if not found:
            first = f"{files[0]} ({self.broken[str(files[0])]})"
            raise ValueError(f"none of {n} images can be read; first: {first}")

    def _one(self, file: Path) -> Tensor | None:
        try:
            image = px.read_image(file.read_bytes())
        except Exception as error:  # Pillow and zlib raise many types for broken files
            self.broken[str(file)] = str(error) or type(error).__name__
            return None
        image = px.square(image, self.size) if self.size else image
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
