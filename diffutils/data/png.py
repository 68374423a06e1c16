"""Images of a run as PNG files: samples, training images, generated images."""

import io
import math
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from diffutils.weights import files

COLUMNS = 8


def write_grid(path: Path, images: UInt8[Tensor, "N C H W"]) -> None:
    """Write images side by side, eight to a row; small ones enlarged to about 64 pixels."""
    n, c, h, w = images.shape
    columns = min(n, COLUMNS)
    rows, scale = math.ceil(n / columns), _scale(w)
    tiles = torch.zeros(rows * columns, c, h, w, dtype=torch.uint8)
    tiles[:n] = images.cpu()
    page = tiles.view(rows, columns, c, h, w).permute(0, 3, 1, 4, 2).reshape(rows * h, -1, c)
    _write(path, page.numpy().repeat(scale, 0).repeat(scale, 1))


def read_grid(path: Path, shape: tuple[int, int, int, int]) -> UInt8[Tensor, "N C H W"]:
    """The images that `write_grid` put into a file, bit for bit.

    Raises: FileNotFoundError; ValueError for a file that is damaged, or of another shape.
    """
    from PIL import Image

    n, c, h, w = shape
    columns, scale = min(n, COLUMNS), _scale(w)
    content = io.BytesIO(path.read_bytes())
    try:
        with Image.open(content) as picture:
            page = torch.from_numpy(np.array(picture)[::scale, ::scale])
        tiles = page.reshape(-(-n // columns), h, columns, w, c).permute(0, 2, 4, 1, 3)
    except Exception as error:  # Pillow raises many kinds
        raise ValueError(f"{path} is damaged ({error})") from None
    return tiles.reshape(-1, c, h, w)[:n].contiguous()


def write_images(folder: Path, images: UInt8[Tensor, "N C H W"]) -> None:
    """Write folder/00000.png, 00001.png, ...: one file an image, pixel for pixel."""
    for i, image in enumerate(images.cpu()):
        _write(folder / f"{i:05}.png", image.permute(1, 2, 0).numpy())


def _scale(width: int) -> int:
    return max(1, 64 // width)


def _write(path: Path, page: np.ndarray) -> None:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(page[:, :, 0] if page.shape[2] == 1 else page).save(content, "PNG")
    files.write_whole(path, content.getvalue())
