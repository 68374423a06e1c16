"""Two folders of pairs that differ by noise, for the tests of scores."""

import torch
from made_images import images, write


def couples(tmp_path, n=12, side=24, noise=20.0):
    a = images(n, side=side)
    g = torch.Generator().manual_seed(5)
    b = (a + noise * torch.randn(a.shape, generator=g)).round().clamp(0, 255).byte()
    return a, b, write(tmp_path / "pred", a), write(tmp_path / "gt", b, suffix="bmp")
