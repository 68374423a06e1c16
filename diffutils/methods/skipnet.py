"""The hourglass with thin skip connections of Deep Image Prior, a network for one image."""

from collections.abc import Sequence
from numbers import Integral

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

MOST_LEVELS, MOST_WIDTH = 8, 4096  # more is a slip


def norm(width: int) -> nn.Module:
    """BatchNorm by the statistics of the image at hand, in training and in evaluation alike.

    Of a single image they are those of its pixels; the paper's code never switches to others.
    """
    return nn.BatchNorm2d(width, track_running_stats=False)


def layer(c_in: int, c_out: int, kernel: int, stride: int = 1) -> list[nn.Module]:
    """Convolution with reflection padding, BatchNorm, LeakyReLU."""
    padding = dict(padding=kernel // 2, padding_mode="reflect") if kernel > 1 else {}
    conv = nn.Conv2d(c_in, c_out, kernel, stride, **padding)
    return [conv, norm(c_out), nn.LeakyReLU(0.2)]


class Level(nn.Module):
    """One scale of the hourglass: a way down to half the size, a thin skip, a way up.

    c_in: channels that come from above; width: those handed down and up; c_below: those that come
    back from below; skip: those of the skip connection.
    """

    def __init__(self, c_in: int, width: int, c_below: int, skip: int):
        super().__init__()
        self.skip = nn.Sequential(*layer(c_in, skip, 1))
        self.down = nn.Sequential(*layer(c_in, width, 3, 2), *layer(width, width, 3))
        both = skip + c_below
        self.up = nn.Sequential(norm(both), *layer(both, width, 3), *layer(width, width, 1))


class SkipNet(nn.Module):
    """Hourglass with skip connections, z (B, in_channels, H, W) -> images in [-1, 1].

    channels: width of every level, finest first; each level halves the size once, and its output
    comes up again by bilinear interpolation.  skip: channels of each skip connection.  The default
    has 0.4 million weights and takes sides of 32 and more.  The paper's, for photographs of some
    500 pixels, has channels = (128,) * 5 and 2.2 million; one width at all levels was measured to
    be slower and worse on crops of 64 pixels.  Ends in tanh: the paper's sigmoid, for [-1, 1].

    Raises: ValueError for numbers of channels that make no network, and for an input that does not
    fit.  Source: Ulyanov, Vedaldi & Lempitsky 2018, "Deep Image Prior", supplementary material.
    """

    def __init__(
        self,
        in_channels: int = 32,
        out_channels: int = 3,
        channels: Sequence[int] = (16, 32, 64, 96),
        skip: int = 4,
    ):
        super().__init__()
        # Say what does not fit.
        numbers = {"in_channels": in_channels, "out_channels": out_channels, "skip": skip}
        for name, number in numbers.items():
            if not _is_width(number):
                wanted = f"a whole number from 1 to {MOST_WIDTH:,}"
                raise ValueError(f"{name} is {number}, expected {wanted}")
        if not 1 <= len(channels) <= MOST_LEVELS or not all(map(_is_width, channels)):
            raise ValueError(
                f"channels is {str(tuple(channels))[:60]}, expected one width a level, 1 to "
                f"{MOST_LEVELS} levels, each a whole number from 1 to {MOST_WIDTH:,}"
            )
        # Make the levels, finest first.
        self.in_channels, self.out_channels = in_channels, out_channels
        above, below = [in_channels, *channels[:-1]], [*channels[1:], channels[-1]]
        widths = zip(above, channels, below, strict=True)
        self.levels = nn.ModuleList(Level(*three, skip) for three in widths)
        self.out = nn.Conv2d(channels[0], out_channels, 1)

    def forward(self, z: Float[Tensor, "B C H W"]) -> Float[Tensor, "B D H W"]:
        """Images in (-1, 1) of the size of z.

        Raises: ValueError for channels or sides that do not fit: sides are divisible by
        2**levels, and at least twice as long.
        """
        self.check(z)
        skips = []
        for level in self.levels:
            skips.append(level.skip(z))
            z = level.down(z)
        for level, skip in zip(reversed(self.levels), reversed(skips), strict=True):
            z = F.interpolate(z, scale_factor=2, mode="bilinear", align_corners=False)
            z = level.up(torch.cat([skip, z], dim=1))
        return self.out(z).tanh()

    def check(self, z: Tensor) -> None:
        """Say in one sentence what does not fit."""
        if z.ndim != 4 or z.shape[1] != self.in_channels or not z.is_floating_point():
            raise ValueError(
                f"this SkipNet takes floats of shape (B, {self.in_channels}, H, W), got {z.dtype} "
                f"{tuple(z.shape)}; make z with as many channels, or the network with in_channels="
            )
        # Reflection needs two pixels, and so do statistics, on the coarsest level.
        k = 2 ** len(self.levels)
        if any(side % k or side < 2 * k for side in z.shape[2:]):
            raise ValueError(
                f"sides of {z.shape[2]}x{z.shape[3]} do not fit {len(self.levels)} levels; use "
                f"multiples of {k} from {2 * k} on, or fewer levels in channels="
            )


def _is_width(number) -> bool:
    whole = isinstance(number, Integral) and not isinstance(number, bool)
    return whole and 1 <= number <= MOST_WIDTH
