"""Folders of images, read in batches: by name, in one size, what is broken reported."""

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffutils import rng
from diffutils.data import images as px
from diffutils.data.own import names
from diffutils.data.own.formats import may_be_wide
from diffutils.weights.warned import warn

BATCH = 100  # images in memory at a time


def listed(folder: Path) -> dict[str, Path]:
    """The image files that `load` finds in a folder, by name: the path in it.

    Names are without suffix, but where two files would have one name: a.png beside a.jpg.
    Raises: FileNotFoundError; ValueError without an image.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is no folder; give one with images")
    found = names.with_images(str(folder), names.in_folder(folder))
    for sentence in found.left_out:
        warn(f"{folder}: {sentence}")
    stems = {name: name.rpartition(".")[0] for name in found.images}
    alike = Counter(stems.values())
    return {n if alike[stem] > 1 else stem: found.files[n] for n, stem in stems.items()}


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
        self.scales: dict[Path, tuple[float, float] | None] = {}  # of 32-bit files
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

        Raises: ValueError if nothing can be read, or for 32-bit files in no known range.
        """
        n, found, wide = len(files), False, may_be_wide(files)
        scale = px.common_scale(str(files[0].parent), names.content, wide)
        self.scales |= dict.fromkeys(wide, scale)
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
            image = px.read_image(names.content(file), self.scales.get(file))
        except Exception as error:  # Pillow and zlib raise many types for broken files
            self.broken[str(file)] = str(error) or type(error).__name__
            return None
        image = px.square(image, self.size) if self.size else image
        return torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
