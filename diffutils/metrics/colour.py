"""How far colours are from those asked for: by region, as distributions, and a rival's colours.

Images and colours are uint8, or floats in [-1, 1] (values outside are clipped, as when shown); they
are taken as sRGB under daylight (D65). Colour is measured by scikit-image on the CPU, in float64.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped, UInt8
from torch import Tensor

from diffutils.metrics.distances import to_double

MINIMUM = 4  # pixels: a region with fewer is absent
DIRECTIONS = 64  # of the sliced distance


def delta_e(a: Shaped[Tensor, "*A C"], b: Shaped[Tensor, "*B C"]) -> Float[Tensor, "..."]:
    """CIEDE2000 colour difference of each pair of colours (..., 3): (...).

    About 1 is just noticeable side by side, above 10 is another colour, black to white is 100.
    a and b broadcast; NaN where either is.

    Raises: TypeError for other types; ValueError unless colours have three channels and broadcast.
    Source: Sharma, Wu & Dalal 2005, "The CIEDE2000 color-difference formula", eqs. 2-22.
    """
    from skimage.color import deltaE_ciede2000

    a, b = _lab(a), _lab(b)
    try:
        a, b = torch.broadcast_tensors(a, b)
    except RuntimeError:
        raise ValueError(
            f"colours of shapes {tuple(a.shape)} and {tuple(b.shape)} do not pair up: give two of"
            " one shape, or axes of length 1"
        ) from None
    return torch.as_tensor(deltaE_ciede2000(a.numpy(), b.numpy()))


def region_colours(
    images: Shaped[Tensor, "N C H W"], masks: Bool[Tensor, "N R H W"], minimum: int = MINIMUM
) -> Float[Tensor, "N R C"]:
    """Median colour of every region, channel by channel: float64 in [-1, 1], on images' device.

    NaN where a region has fewer than `minimum` pixels.
    Raises: TypeError for other types; ValueError for images without three channels or with NaN,
    for masks of another size, and for a minimum below 1.
    """
    # Refuse what would end in a wrong number.
    if images.ndim != 4 or images.shape[1] != 3:
        raise ValueError(f"images must be RGB, (N, 3, H, W), but got {tuple(images.shape)}")
    if masks.dtype != torch.bool:
        raise TypeError(f"masks must be bool, got {masks.dtype}: compare coverage with a threshold")
    if masks.ndim != 4 or masks.shape[::2] + masks.shape[3:] != (len(images), *images.shape[2:]):
        raise ValueError(
            f"masks {tuple(masks.shape)} do not fit images {tuple(images.shape)}: give (N, R, H, W)"
        )
    if minimum < 1:
        raise ValueError(f"minimum is {minimum}, but a median needs at least 1 pixel")
    pixels = _unit(images).flatten(2) * 2 - 1
    if pixels.isnan().any():
        raise ValueError("images hold NaN: the network that drew them has diverged")
    # Take the median of each region.
    colours = []
    for mask in masks.to(pixels.device).flatten(2).unbind(1):
        count = mask.sum(1)
        # Pixels outside the region sort behind all others; an even count has two in the middle.
        ordered = pixels.masked_fill(~mask[:, None], math.inf).sort(dim=2).values
        middle = torch.stack([(count - 1).clamp(min=0) // 2, count // 2], dim=1)
        median = ordered.gather(2, middle[:, None].expand(-1, 3, 2)).mean(2)
        colours.append(median.masked_fill((count < minimum)[:, None], math.nan))
    return torch.stack(colours, dim=1)


def region_delta_e(
    images: Shaped[Tensor, "N C H W"],
    masks: Bool[Tensor, "N R H W"],
    colours: Shaped[Tensor, "N R C"],
    minimum: int = MINIMUM,
) -> Float[Tensor, "N R"]:
    """CIEDE2000 between the median colour of every region and the colour asked for (N, R, 3).

    NaN where a region is absent: average with `torch.nanmean`.  Raises: as `region_colours`.
    """
    return delta_e(region_colours(images, masks, minimum), colours)


def palette_distance(
    a: Shaped[Tensor, "N C H W"], b: Shaped[Tensor, "N C H W"]
) -> Float[Tensor, "N"]:
    r"""Sliced Wasserstein distance between the colours of a and b in CIELAB, wherever they stand.

    .. math:: 2\,\frac1K\sum_{k=1}^{K} W_1(\theta_k^T x,\ \theta_k^T y)

    over K fixed directions, spread evenly over the half sphere. On a line the optimal transport
    joins sorted values, so each :math:`W_1` is exact. A shift of all colours by v moves a slice by
    :math:`|\theta^T v|`, half the length of v on average: hence the 2, with which the distance of a
    pure shift is its length (within 2 %), in units of Delta E of 1976. Never more than twice the
    earth mover's distance.

    Raises: TypeError for other types; ValueError unless both have one shape and three channels.
    Source: Bonneel et al. 2015, "Sliced and Radon Wasserstein barycenters of measures", section 3.
    """
    if a.shape != b.shape or a.shape[1] != 3:
        raise ValueError(
            f"palette_distance compares RGB images of one size, but got {tuple(a.shape)} and"
            f" {tuple(b.shape)}: give two tensors (N, 3, H, W)"
        )
    a, b = (_lab(x.movedim(1, -1)).flatten(1, 2) for x in (a, b))
    total = torch.zeros(len(a), dtype=torch.float64)
    for direction in directions(DIRECTIONS):
        # NumPy sorts ten times faster than torch here.
        x, y = (np.sort((lab @ direction).numpy(), axis=1) for lab in (a, b))
        total += torch.from_numpy(x - y).abs().mean(1)
    return 2 * total / DIRECTIONS


def directions(n: int) -> Float[Tensor, "{n} 3"]:
    """n unit vectors spread evenly over the upper half sphere: a Fibonacci spiral (float64)."""
    k = torch.arange(n, dtype=torch.float64)
    height, angle = (k + 0.5) / n, k * math.pi * (3 - math.sqrt(5))
    radius = (1 - height**2).sqrt()
    return torch.stack([radius * angle.cos(), radius * angle.sin(), height], dim=1)


def matched(
    images: UInt8[Tensor, "N C H W"], references: UInt8[Tensor, "N C h w"]
) -> UInt8[Tensor, "N C H W"]:
    """Images with the histograms of their references, channel by channel: colouring by rank.

    Rounded to the nearest, where scikit-image's own way with uint8 rounds down.
    Raises: TypeError for other types; ValueError for other numbers of images or channels.
    """
    from skimage.exposure import match_histograms

    if images.dtype != torch.uint8 or references.dtype != torch.uint8:
        raise TypeError(
            f"matched reads uint8 images, got {images.dtype} and {references.dtype}: use to_uint8"
        )
    if images.shape[:2] != references.shape[:2]:
        raise ValueError(
            f"matched needs one reference for each image, with as many channels, but got"
            f" {tuple(images.shape)} and {tuple(references.shape)}"
        )
    channels = zip(
        images.cpu().flatten(0, 1).numpy(), references.cpu().flatten(0, 1).numpy(), strict=True
    )
    result = torch.empty_like(images, device="cpu").flatten(0, 1)
    for target, (channel, reference) in zip(result, channels, strict=True):
        target.copy_(torch.from_numpy(match_histograms(channel, reference)).round())
    return result.view(images.shape).to(images.device)


def _lab(colours: Tensor) -> Tensor:
    """sRGB (..., 3) -> CIELAB (..., 3), float64 on the CPU."""
    from skimage.color import rgb2lab

    if colours.ndim == 0 or colours.shape[-1] != 3:
        raise ValueError(f"colours must have 3 channels, (..., 3), but got {tuple(colours.shape)}")
    return torch.from_numpy(rgb2lab(_unit(colours).cpu().numpy()))


def _unit(x: Tensor) -> Tensor:
    """Images or colours as float64 in [0, 1]."""
    if x.dtype != torch.uint8 and not x.is_floating_point():
        raise TypeError(f"colours must be uint8, or floats in [-1, 1], got {x.dtype}: use to_float")
    x, byte = to_double(x), x.dtype == torch.uint8
    return x / 255 if byte else ((x + 1) / 2).clamp(0, 1)
