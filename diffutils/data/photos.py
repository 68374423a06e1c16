"""Photographs that ship inside the scikit-image wheel, cut into seeded crops: no download."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from diffutils.data import images as px

UNKNOWN = "no known copyright restrictions"
SPLITS = px.PARTS
LEAST_CONTRAST = 8.0  # standard deviation in grey levels; empty sky and black corners have less


class Photograph(NamedTuple):
    """One file of scikit-image's data folder, with what its loader states; its BSD covers code.

    `UNKNOWN` is no licence: nobody is known to claim a right.
    """

    file: str
    what: str
    licence: str
    split: str = "train"


PHOTOGRAPHS = (
    Photograph("astronaut.png", "Eileen Collins, NASA", "public domain"),
    Photograph("brick.png", "a brick wall, grey (CC0Textures)", "CC0"),
    Photograph("camera.png", "a photographer, grey (Lav Varshney)", "CC0"),
    Photograph("chelsea.png", "a cat (Stefan van der Walt)", "CC0"),
    Photograph("clock_motion.png", "a blurred clock, grey (Stefan van der Walt)", "public domain"),
    Photograph("coffee.png", "a cup of coffee (Rachel Michetti)", "CC0", "heldout"),
    Photograph("coins.png", "Greek coins, grey (Brooklyn Museum)", UNKNOWN),
    Photograph("grass.png", "grass, grey (linolafett)", "CC0", "heldout"),
    Photograph("gravel.png", "gravel, grey (CC0Textures)", "CC0"),
    Photograph("hubble_deep_field.jpg", "the eXtreme Deep Field, NASA", "public domain"),
    Photograph("ihc.png", "stained tissue (CMMI)", UNKNOWN),
    Photograph("retina.jpg", "a human retina (Mikael Häggström)", "CC0"),
    Photograph("rocket.jpg", "launch of DSCOVR (SpaceX)", "public domain", "heldout"),
)
LICENCE = ", ".join(sorted({photo.licence for photo in PHOTOGRAPHS}))
SOURCE = f"{len(PHOTOGRAPHS)} photographs of the scikit-image package"


def photograph(file: str, short: int | None = None) -> Tensor:
    """One photograph, uint8 (3, H, W); `short` scales its shorter side to that many pixels.

    Raises: FileNotFoundError (no scikit-image that holds it); ValueError (not in `PHOTOGRAPHS`).
    """
    if file not in (known := [photo.file for photo in PHOTOGRAPHS]):
        raise ValueError(f"{file!r} is not among the photographs: {', '.join(known)}")
    spec = find_spec("skimage")  # the package itself is not imported: that takes seconds
    if spec is None:
        raise FileNotFoundError("the photographs need scikit-image: pip install scikit-image")
    path = Path(spec.origin).parent / "data" / file
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: reinstall scikit-image with pip")
    image = px.decode(Image.open(path, formats=px.FORMATS)).convert("RGB")
    if short is not None:
        scale = short / min(image.size)
        size = tuple(max(short, round(side * scale)) for side in image.size)
        image = image.resize(size, Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1).contiguous()


_kept = cache(photograph)


def crops(n: int, size: int = 64, seed: int = 0, split: str = "train", short: int | None = None):
    """Seeded crops -> uint8 (n, 3, size, size) and the index (n,) of the photograph of each.

    The photographs of a split take turns. Each is first scaled so that its shorter side is `short`
    pixels (default 3 * size), then cut at a random place; crops of almost one grey are redrawn.
    """
    if split not in SPLITS:
        raise ValueError(f"split={split!r}; expected one of {', '.join(SPLITS)}")
    random = np.random.default_rng([seed, SPLITS.index(split)])
    chosen = [i for i, photo in enumerate(PHOTOGRAPHS) if photo.split == split]
    scaled = [_kept(PHOTOGRAPHS[i].file, short or 3 * size).numpy() for i in chosen]
    out = np.empty((n, 3, size, size), np.uint8)
    for k in range(n):
        photo = scaled[k % len(chosen)]
        for _ in range(20):
            top = random.integers(photo.shape[1] - size + 1)
            left = random.integers(photo.shape[2] - size + 1)
            out[k] = photo[:, top : top + size, left : left + size]
            if out[k].std() >= LEAST_CONTRAST:
                break
    return torch.from_numpy(out), torch.tensor(chosen)[torch.arange(n) % len(chosen)]
