"""Similarity of each image to its counterpart: SSIM and MS-SSIM; see `metrics.psnr` for PSNR."""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional as F

from diffutils.metrics.distances import _double


def psnr(
    a: Shaped[Tensor, "B ..."], b: Shaped[Tensor, "B ..."], peak: float | None = None
) -> Float[Tensor, " B"]:
    r"""Peak signal-to-noise ratio of each pair in dB: :math:`10\log_{10}(peak^2/MSE)`.

    `peak` is the width of the value range: by default 255 for uint8 and 2 for floats in [-1, 1].
    Equal images score infinity.

    Raises: ValueError if the shapes or the types differ.
    """
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(
            f"psnr compares like with like, but got {tuple(a.shape)} {a.dtype} and"
            f" {tuple(b.shape)} {b.dtype}: give two tensors of one shape and type."
        )
    peak = peak or (255.0 if a.dtype == torch.uint8 else 2.0)
    error = (_double(a) - _double(b)).square().flatten(1).mean(1)
    return 10 * torch.log10(peak**2 / error)


WINDOW = 11  # pixels: the Gaussian window of SSIM, standard deviation 1.5


SCALES = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # exponents, fine to coarse; Wang 2003, table 1


def ssim(
    a: Shaped[Tensor, "B C H W"], b: Shaped[Tensor, "B C H W"], peak: float | None = None
) -> Float[Tensor, " B"]:
    """Structural similarity of each pair, at most 1, mean over channels and full windows.

    `peak` is the width of the value range: by default 255 for uint8 and 2 for floats in [-1, 1].

    Raises: ValueError if the shapes or types differ, or a side has less than 11 pixels.
    Source: Wang et al. 2004, "Image quality assessment", eq. 13.
    """
    a, b, peak = _prepared(a, b, peak)
    return _terms(a, b, peak)[0]


def ms_ssim(
    a: Shaped[Tensor, "B C H W"], b: Shaped[Tensor, "B C H W"], peak: float | None = None
) -> Float[Tensor, " B"]:
    r"""Multi-scale structural similarity of each pair, in [0, 1].

    .. math:: l_M c_M^{w_M} \prod_{j<M} c_j^{w_j},\quad\text{written } s_M^{w_M}\prod_{j<M}c_j^{w_j}

    over the M scales that `scales` allows: five from 161 pixels. With fewer, the exponents of
    those that are left are divided by their sum; that compares with no published number.

    Raises: as `ssim`.
    Source: Wang, Simoncelli and Bovik 2003, "Multi-scale structural similarity", eq. 7.
    """
    a, b, peak = _prepared(a, b, peak)
    exponents = torch.tensor(SCALES[: scales(min(a.shape[-2:]))]).double()
    if len(exponents) < len(SCALES):  # all five are left as published: they sum to 1.0001
        exponents /= exponents.sum()
    result = torch.ones(len(a), dtype=torch.float64)
    for j, exponent in enumerate(exponents):
        similarity, contrast = _terms(a, b, peak)
        term = similarity if j == len(exponents) - 1 else contrast
        result *= term.clamp(min=0) ** exponent  # a negative one has no such power
        a, b = (F.avg_pool2d(x, 2, ceil_mode=True) for x in (a, b))
    return result


def scales(side: int) -> int:
    """How many scales MS-SSIM has for images whose shorter side is so long: 1 to 5.

    At the coarsest, after halving, one window must fit: 11, 21, 41, 81, 161 pixels.
    """
    return 1 + sum(side > (WINDOW - 1) * 2**j for j in range(1, len(SCALES)))


def _terms(a: Tensor, b: Tensor, peak: float) -> tuple[Tensor, Tensor]:
    """SSIM and its contrast-structure term, mean over what a full window sees: (B,) each."""
    from torchmetrics.functional.image import structural_similarity_index_measure as similarity

    kwargs = {"data_range": peak, "reduction": "none"}
    full = similarity(a, b, return_full_image=True, **kwargs)[1]
    edge = WINDOW // 2  # torchmetrics pads by reflection and counts what only the padding made
    contrast = similarity(a, b, return_contrast_sensitivity=True, **kwargs)[1]
    return full[..., edge:-edge, edge:-edge].flatten(1).mean(1), contrast


def _prepared(a: Tensor, b: Tensor, peak: float | None) -> tuple[Tensor, Tensor, float]:
    if a.shape != b.shape or a.dtype != b.dtype:
        raise ValueError(
            f"SSIM compares like with like, but got {tuple(a.shape)} {a.dtype} and"
            f" {tuple(b.shape)} {b.dtype}: give two tensors of one shape and type"
        )
    if min(a.shape[-2:]) < WINDOW:
        raise ValueError(
            f"SSIM looks through a window of {WINDOW} x {WINDOW} pixels, but the images have"
            f" {a.shape[-2]} x {a.shape[-1]}: give larger ones, or use PSNR"
        )
    peak = peak or (255.0 if a.dtype == torch.uint8 else 2.0)
    return a.cpu().double(), b.cpu().double(), peak
