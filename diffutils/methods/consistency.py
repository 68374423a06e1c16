"""Data consistency: a denoiser that also knows a measurement y = A x0 + sigma_y n.

Given the state x, let the image be N(D, r^2 I) around what the network says.  Bayes' rule moves
that estimate to where the measurement wants it, in one line and without a gradient:

    D_y = D + r^2 A^T (r^2 A A^T + sigma_y^2 I)^-1 (y - A D),    r^2 = sigma^2 s^2/(sigma^2 + s^2)

s is the spread of the images.  For x0 ~ N(m, s^2 I) this is the exact E[x0 | x, y], and what a
sampler draws with it are samples of the posterior.  It is MMPS (Rozet et al. 2024, arXiv
2405.13712, eq. 18) with the network's Jacobian replaced by that of such a Gaussian; with s = 1,
r^2 is that of Pi-GDM (Song et al. 2023, section 3.2).
"""

import math
from collections.abc import Callable
from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional as F

from diffutils.denoisers import Denoise, per_image


class Operator(NamedTuple):
    """A linear measurement A and its transpose, with A A^T = gain on what A sees."""

    A: Callable[[Tensor], Tensor]
    At: Callable[[Tensor], Tensor]
    gain: float


def plain() -> Operator:
    """All of the image: A x = x, denoising."""
    return Operator(lambda x: x, lambda y: y, 1.0)


def masked(seen: Bool[Tensor, "... H W"]) -> Operator:
    """The pixels that are seen, 0 elsewhere: inpainting; seen: as x, or to be spread over it."""
    return Operator(lambda x: x * seen.to(x), lambda y: y * seen.to(y), 1.0)


def pooled(k: int) -> Operator:
    """Means of k x k pixels: super-resolution; A A^T = 1/k^2.

    Raises: ValueError, when it is used, for images whose sides k does not divide.
    """

    def A(x: Tensor) -> Tensor:
        if x.shape[-1] % k or x.shape[-2] % k:
            raise ValueError(f"{k} x {k} pixels do not tile images of {tuple(x.shape[-2:])} pixels")
        return F.avg_pool2d(x, k)

    def At(y: Tensor) -> Tensor:
        return y.repeat_interleave(k, -2).repeat_interleave(k, -1) / k**2

    return Operator(A, At, 1 / k**2)


def moved(
    D: Float[Tensor, "B C H W"],
    r2: Tensor | float,
    y: Tensor,
    operator: Operator,
    sigma_y: float,
) -> Float[Tensor, "B C H W"]:
    """r^2 A^T (r^2 A A^T + sigma_y^2)^-1 (y - A D): how far a measurement moves an estimate."""
    A, At, gain = operator
    seen = A(D)
    if y.shape[1:] != seen.shape[1:] or len(y) not in (1, len(seen)):
        raise ValueError(
            f"the measurement y has shape {tuple(y.shape)}, but A gives {tuple(seen.shape)} for "
            "these images; give A(image), or one y for all"
        )
    return r2 / (gain * r2 + sigma_y**2) * At(y.to(D) - seen)


def consistent(
    denoise: Denoise,
    y: Float[Tensor, "B ..."],
    operator: Operator,
    sigma_y: float,
    spread: float,
) -> Denoise:
    """D_y(x, sigma), the denoiser that knows y: for any sampler, like `guided`.

    y: A(x0) + sigma_y n, of (B, ...) or one for all.  spread: s, the standard deviation of the
    images in [-1, 1], sqrt(E |x0 - mean|^2 / d).

    Raises: ValueError for a sigma_y below 0 or a spread that is not above it; where it is used, for
    a measurement of another shape than A's.
    """
    if not (0 <= sigma_y < math.inf and 0 < spread < math.inf):
        raise ValueError(
            f"sigma_y must be at least 0 and spread above 0, both finite, got {sigma_y} and "
            f"{spread}; spread is the standard deviation of the images, about 0.5"
        )

    def denoise_y(x: Tensor, sigma: Tensor | float) -> Tensor:
        D = denoise(x, sigma)
        sigma = per_image(sigma, x)
        r2 = sigma**2 * spread**2 / (sigma**2 + spread**2)
        return D + moved(D, r2, y, operator, sigma_y)

    return denoise_y
