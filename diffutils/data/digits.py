"""scikit-learn's handwritten digits, resampled without aliasing to 32 x 32: no download."""

from dataclasses import replace

import numpy as np
import torch

from diffutils.data import arrays, photos
from diffutils.data import images as px
from diffutils.data.images import ImageSet

SIDE, SCALE = 32, 3.0  # the 8 x 8 digit covers 24 pixels and leaves a margin of 4, as in MNIST
LICENCE = "CC BY 4.0 (E. Alpaydin, C. Kaynak, UCI Machine Learning Repository)"


def interpolation(samples: int, side: int, scale: float, lobes: int = 3) -> np.ndarray:
    """Matrix (side, samples) that enlarges a line of samples `scale` times, centred.

    Its rows are Lanczos-windowed sincs (C. E. Duchon, 1979): the spectrum of the samples is kept,
    its copies above half of `1 / scale` cycles a pixel are removed.
    """
    place = (np.arange(side) - (side - 1) / 2) / scale + (samples - 1) / 2
    distance = place[:, None] - np.arange(samples)
    return np.sinc(distance) * np.sinc(distance / lobes) * (np.abs(distance) < lobes)


def digits() -> tuple[np.ndarray, np.ndarray]:
    """All 1,797 digits -> uint8 (N, 32, 32, 1), white on black, and int64 (N,) labels 0 to 9."""
    from sklearn.datasets import load_digits

    data = load_digits()
    matrix = interpolation(8, SIDE, SCALE)
    large = matrix @ (data.images / 16.0) @ matrix.T
    return px.to_bytes(large.clip(0, 1))[..., None], data.target.astype(np.int64)


def load() -> ImageSet:
    """The digits, one in ten held out."""
    source = "sklearn.datasets.load_digits"
    return arrays.from_arrays("digits", *digits(), licence=LICENCE, source=source)


def on_photos(data: ImageSet, name: str, seed: int = 0) -> ImageSet:
    """Grey digits (N, 1, S, S) -> colour: |photo patch - digit|, the recipe of MNIST-M.

    Training digits lie on training photographs, held-out digits on held-out photographs.
    Source: Ganin et al., Domain-Adversarial Training of Neural Networks, 2016, section 5.2.
    """
    size = data.shape[-1]
    licence = f"{data.licence}; photos: {photos.LICENCE}"
    changes = dict(name=name, source=f"{data.source}; photos of scikit-image", licence=licence)
    for split in photos.SPLITS:
        digit = getattr(data, split).to(torch.int16)
        patches, _ = photos.crops(len(digit), size, seed, split, short=10 * size)
        changes[split] = (patches.to(torch.int16) - digit).abs().to(torch.uint8)
    return replace(data, **changes)
