"""Colours compared as people see them: CIEDE2000 by region, and distances between palettes.

Colours and images are uint8, or floats in [-1, 1], sRGB.
"""

import math

import numpy as np
import torch
from jaxtyping import Bool, Float, Shaped, UInt8
from torch import Tensor

from diffutils.data import to_float

FEWEST = 4  # pixels of a region that has a colour of its own
DIRECTIONS = 64  # of the sliced distance


def lab(colours: Shaped[Tensor, "*n 3"]) -> Float[Tensor, "*n 3"]:
    """CIELAB under D65, as scikit-image computes it: L from 0 to 100; float64.

    Raises: ValueError for colours outside [-1, 1].
    """
    from skimage.color import rgb2lab

    floats = to_float(colours).double()
    low, high = floats.min(), floats.max()
    if not -1 - 1e-4 <= low <= high <= 1 + 1e-4:
        raise ValueError(
            f"colours lie in [{low:g}, {high:g}], expected uint8 or [-1, 1]; clip them"
        )
    return torch.from_numpy(rgb2lab(((floats + 1) / 2).clamp(0, 1).cpu().numpy()))


def delta_e(a: Shaped[Tensor, "*n 3"], b: Shaped[Tensor, "*n 3"]) -> Float[Tensor, "*n"]:
    """CIEDE2000 of each pair of colours: 1 is just seen side by side, 10 is another colour.

    NaN where a colour is NaN.  Source: Sharma, Wu & Dalal 2005, through scikit-image.
    """
    from skimage.color import deltaE_ciede2000

    known = (to_float(a) + to_float(b)).isfinite().all(-1)
    one, two = (lab(torch.where(known[..., None], to_float(x), 0.0)).numpy() for x in (a, b))
    found = torch.from_numpy(np.asarray(deltaE_ciede2000(one, two)))
    return torch.where(known.cpu(), found, math.nan)


def region_colours(
    images: Shaped[Tensor, "N 3 H W"], masks: Bool[Tensor, "N R H W"]
) -> Float[Tensor, "N R 3"]:
    """The median colour of each region in [-1, 1], NaN for one of fewer than `FEWEST` pixels."""
    pixels = to_float(images)[:, None].masked_fill(~masks[:, :, None], math.nan).flatten(3)
    found = pixels.nanmedian(3).values
    few = masks.flatten(2).sum(2) < FEWEST
    return found.masked_fill(few[..., None], math.nan)


def region_delta_e(
    images: Shaped[Tensor, "N 3 H W"],
    masks: Bool[Tensor, "N R H W"],
    colours: Shaped[Tensor, "N R 3"],
) -> Float[Tensor, "N R"]:
    """CIEDE2000 between the median colour of each region and the colour that it was to have."""
    return delta_e(region_colours(images, masks), to_float(colours))


def palette_distance(
    a: Shaped[Tensor, "N 3 H W"], b: Shaped[Tensor, "N 3 h w"]
) -> Float[Tensor, "N"]:
    r"""How far the colours of one image must move to become those of another, wherever they stand.

    The sliced Wasserstein distance of their pixels in CIELAB, in units of Delta E (1976):

    .. math:: 2\,\operatorname{mean}_\theta W_1(\theta \cdot a, \theta \cdot b)

    over fixed directions theta; the factor makes it the length of the shift for two images that
    differ by a shift of all colours.  Quantiles are taken where the sizes differ.
    Source: Rabin et al. 2011, "Wasserstein barycenter and its application to texture mixing".
    """
    one, two = (lab(x.flatten(2).transpose(1, 2)) for x in (a, b))
    n = min(one.shape[1], two.shape[1])
    places = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    projected = [(x @ directions().T).transpose(1, 2).sort(-1).values for x in (one, two)]
    # The quantile of rank q is the pixel floor(q m) of m sorted ones.
    ranked = [x[..., (places * x.shape[-1]).long()] for x in projected]
    return 2 * (ranked[0] - ranked[1]).abs().mean((1, 2))


def matched(
    images: UInt8[Tensor, "N 3 H W"], references: UInt8[Tensor, "N 3 h w"]
) -> UInt8[Tensor, "N 3 H W"]:
    """Each image with its histograms, channel by channel, made those of its reference."""
    from skimage.exposure import match_histograms

    pairs = zip(images.cpu().numpy(), references.cpu().numpy(), strict=True)
    found = [match_histograms(image, reference, channel_axis=0) for image, reference in pairs]
    return torch.from_numpy(np.stack(found).astype(np.uint8))


def directions() -> Float[Tensor, "D 3"]:
    """Unit vectors spread evenly over the half sphere, along Fibonacci's spiral."""
    i = torch.arange(DIRECTIONS, dtype=torch.float64)
    z, angle = (i + 0.5) / DIRECTIONS, i * math.pi * (3 - math.sqrt(5))
    ring = (1 - z**2).sqrt()
    return torch.stack([ring * angle.cos(), ring * angle.sin(), z], 1)
