"""Similarity of each image to its counterpart, on [0, 1] whatever the type: PSNR, SSIM, MS-SSIM.

Images are uint8, or floats in [-1, 1]; one image `a` may stand for as many as there are `b`.
"""

import math

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

from diffutils.metrics.distances import to_double

WINDOW = 11  # pixels: the side of the Gaussian window, standard deviation 1.5
GAUSSIAN = [math.exp(-(k**2) / (2 * 1.5**2)) for k in range(-(WINDOW // 2), WINDOW // 2 + 1)]
WINDOWS = {"gaussian": [weight / sum(GAUSSIAN) for weight in GAUSSIAN], "uniform": [1 / 7] * 7}
SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents, fine to coarse; Wang 2003, table 1


def psnr(a: Shaped[Tensor, "#B ..."], b: Shaped[Tensor, "B ..."]) -> Float[Tensor, " B"]:
    r"""Peak signal-to-noise ratio of each pair in dB, :math:`-10\log_{10}MSE`; infinite for equals.

    Raises: ValueError if the shapes or the types differ.
    """
    a, b = _on_unit_range("PSNR", a, b)
    return -10 * torch.log10((a - b).square().flatten(1).mean(1))


def ssim(
    a: Shaped[Tensor, "#B C H W"], b: Shaped[Tensor, "B C H W"], window: str = "gaussian"
) -> Float[Tensor, " B"]:
    r"""Structural similarity of each pair, at most 1.

    .. math:: \frac{(2\mu_a\mu_b + C_1)(2\sigma_{ab} + C_2)}
                   {(\mu_a^2 + \mu_b^2 + C_1)(\sigma_a^2 + \sigma_b^2 + C_2)}

    The mean over channels and all places of the window inside the image.  window: "gaussian" is the
    paper's, 11 x 11 pixels; "uniform" is scikit-image's default, 7 x 7 and variances divided by
    n - 1, which SSIMBaD used.

    Raises: ValueError if shapes or types differ, a side is smaller than the window, or there is no
    such window.  Source: Wang et al. 2004, "Image quality assessment", eq. 13.
    """
    luminance, structure = _terms(*_on_unit_range("SSIM", a, b), window)
    return luminance.mul_(structure).mean((1, 2, 3))


def ms_ssim(a: Shaped[Tensor, "#B C H W"], b: Shaped[Tensor, "B C H W"]) -> Float[Tensor, " B"]:
    r"""Multi-scale structural similarity of each pair, in [0, 1], mean over channels.

    .. math:: l_M c_M^{w_M} \prod_{j<M} c_j^{w_j},\quad\text{written } s_M^{w_M}\prod_{j<M}c_j^{w_j}

    over the M scales that `scales` allows: five from 161 pixels. With fewer, the exponents of
    those that are left are divided by their sum; that compares with no published number.

    Raises: as `ssim`.  Source: Wang et al. 2003, "Multi-scale structural similarity", eq. 7.
    """
    a, b = _on_unit_range("SSIM", a, b)
    exponents = torch.tensor(SCALES[: scales(min(a.shape[-2:]))], dtype=torch.float64)
    if len(exponents) < len(SCALES):  # all five are left as published: they sum to 1.0001
        exponents /= exponents.sum()
    result = b.new_ones(b.shape[:2])
    for j, exponent in enumerate(exponents.tolist()):
        luminance, term = _terms(a, b)
        if j == len(exponents) - 1:
            term = luminance * term
        result *= term.mean((2, 3)).clamp(min=0) ** exponent  # a negative one has no such power
        a, b = (F.avg_pool2d(x, 2, ceil_mode=True) for x in (a, b))
    return result.mean(1)


def scales(side: int) -> int:
    """How many scales MS-SSIM has for images whose shorter side is so long: 1 to 5.

    At the coarsest, after halving, one window must fit: 11, 21, 41, 81, 161 pixels.
    """
    return 1 + sum(side > (WINDOW - 1) * 2**j for j in range(1, len(SCALES)))


def _terms(a: Tensor, b: Tensor, window: str = "gaussian") -> tuple[Tensor, Tensor]:
    """SSIM's two factors at every place of the window: luminance, and contrast with structure."""
    if window not in WINDOWS:
        raise ValueError(f"window must be 'uniform' or 'gaussian', got {window!r}")
    weights = WINDOWS[window]
    side, n = len(weights), len(weights) ** 2
    if min(a.shape[-2:]) < side:
        raise ValueError(
            f"SSIM looks through a window of {side} x {side} pixels, but the images have"
            f" {a.shape[-2]} x {a.shape[-1]}: give larger ones, or use PSNR"
        )
    unbiased = n / (n - 1) if window == "uniform" else 1.0

    def local_mean(image: Tensor) -> Tensor:
        for dim in (-1, -2):
            places = image.shape[dim] - side + 1
            total = torch.zeros_like(image.narrow(dim, 0, places))
            for i, weight in enumerate(weights):
                total.add_(image.narrow(dim, i, places), alpha=weight)
            image = total
        return image

    mean_a, mean_b = local_mean(a), local_mean(b)
    squares, product = mean_a**2 + mean_b**2, mean_a * mean_b
    variances = local_mean(a * a) + local_mean(b * b) - squares
    covariance = local_mean(a * b) - product
    C1, C2 = 0.01**2, 0.03**2
    luminance = (2 * product + C1) / (squares + C1)
    return luminance, (2 * unbiased * covariance + C2) / (unbiased * variances + C2)


def _on_unit_range(metric: str, a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float64 in [0, 1]: SSIM's luminance is a ratio, and has another value elsewhere."""
    if a.shape[1:] != b.shape[1:] or len(a) not in (1, len(b)) or a.dtype != b.dtype:
        raise ValueError(
            f"{metric} compares like with like, but got {tuple(a.shape)} {a.dtype} and"
            f" {tuple(b.shape)} {b.dtype}: give two tensors of one shape and type"
        )
    a, b, byte = to_double(a), to_double(b), a.dtype == torch.uint8
    return (a / 255, b / 255) if byte else ((a + 1) / 2, (b + 1) / 2)
