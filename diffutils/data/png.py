"""Images of a run as PNG files: samples, training images, generated images."""

import io
import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from PIL import Image
from torch import Tensor

from diffutils.weights import files

COLUMNS = 8


def write_grid(path: Path, images: UInt8[Tensor, "N C H W"]) -> None:
    """Write images side by side, eight to a row; small ones enlarged to about 64 pixels."""
    n, c, h, w = images.shape
    columns = min(n, COLUMNS)
    rows, scale = math.ceil(n / columns), max(1, 64 // w)
    tiles = torch.zeros(rows * columns, c, h, w, dtype=torch.uint8)
    tiles[:n] = images.cpu()
    page = tiles.view(rows, columns, c, h, w).permute(2, 0, 3, 1, 4).reshape(c, rows * h, -1)
    write(path, page.repeat_interleave(scale, 1).repeat_interleave(scale, 2))


def read_grid(path: Path, shape: tuple[int, int, int, int]) -> UInt8[Tensor, "N C H W"]:
    """The images that `write_grid` put into a file, bit for bit.

    Raises: FileNotFoundError; ValueError for a file that is damaged, or of another shape.
    """
    n, c, h, w = shape
    columns, scale = min(n, COLUMNS), max(1, 64 // w)
    content = io.BytesIO(path.read_bytes())
    try:
        page = torch.from_numpy(np.array(Image.open(content, formats=["PNG"]))[::scale, ::scale])
        tiles = page.reshape(-(-n // columns), h, columns, w, c).permute(0, 2, 4, 1, 3)
    except Exception as error:  # Pillow raises many kinds
        raise ValueError(f"{path} is damaged ({error})") from None
    return tiles.reshape(-1, c, h, w)[:n].contiguous()


def write_images(
    folder: Path, images: UInt8[Tensor, "N C H W"], numbers: Iterable[int] | None = None
) -> None:
    """Write folder/00000.png, 00001.png, ... (or these numbers): one file an image."""
    numbers = range(len(images)) if numbers is None else numbers
    for i, image in zip(numbers, images.cpu(), strict=True):
        write(folder / f"{i:05}.png", image)


def write(path: Path, image: UInt8[Tensor, "C H W"]) -> None:
    """Write a grey or colour image whole or not at all, pixel for pixel."""
    content, pixels = io.BytesIO(), image.permute(1, 2, 0).numpy()
    Image.fromarray(pixels[:, :, 0] if len(image) == 1 else pixels).save(content, "PNG")
    files.write_whole(path, content.getvalue())
