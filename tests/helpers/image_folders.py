"""Folders of smooth coloured noise, and of pairs that differ by noise, for the tests of scores."""

import torch
from PIL import Image


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


def couples(tmp_path, n=12, side=24, noise=20.0):
    a = images(n, side=side)
    g = torch.Generator().manual_seed(5)
    b = (a + noise * torch.randn(a.shape, generator=g)).round().clamp(0, 255).byte()
    return a, b, write(tmp_path / "pred", a), write(tmp_path / "gt", b, suffix="bmp")
