"""Images that are made up, for tests that load or score them."""

import warnings

import numpy as np
import torch
from PIL import Image

from diffutils.data import load


def pictures(n, side=12, seed=0, channels=3):
    return np.random.default_rng(seed).integers(0, 256, (n, side, side, channels), dtype=np.uint8)


def as_set(images):
    return {bytes(image.permute(1, 2, 0).contiguous().numpy()) for image in images}


def images(n, seed=0, side=16):
    """Smooth coloured noise uint8 (n, 3, side, side)."""
    g = torch.Generator().manual_seed(seed)
    low = torch.rand(n, 3, 4, 4, generator=g)
    return (255 * torch.nn.functional.interpolate(low, size=(side, side), mode="bilinear")).byte()


def write(folder, pictures, names=None, suffix="png"):
    folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(pictures):
        file = folder / f"{names[i] if names else f'{i:04}'}.{suffix}"
        Image.fromarray(picture.permute(1, 2, 0).numpy()).save(file)
    return folder


def tree(root, counts, start=0):
    """Files in folders: {"train/cat": 10} writes train/cat/0.png to 9.png, all images different."""
    for folder, n in counts.items():
        (root / folder).mkdir(parents=True, exist_ok=True)
        for i, pixels in enumerate(pictures(n, 8, start)):
            Image.fromarray(pixels).save(root / folder / f"{i}.png")
        start += 1
    return f"folder:{root}"


def heard(spec, **settings):
    """A set of one's own, what was said of it, and what it warned of."""
    lines = []
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        data = load(spec, say=lines.append, **settings)
    return data, "\n".join(lines), "\n".join(str(w.message) for w in seen)
