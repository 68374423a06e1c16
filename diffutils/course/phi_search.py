"""The search of SSIMBaD (2025): in which coordinate phi(sigma) does SSIM fall most evenly?"""

import math
from collections.abc import Iterable, Sequence

from jaxtyping import Float, UInt8
from scipy import stats
from torch import Tensor

from ..perceptual import Coordinate, candidates, dense_sigmas, phi_star, r_squared, ssim_curve

CS = [10 ** (k / 100) for k in range(-200, 101)]  # 0.01 to 10, in steps of 2.3 %


def search(
    images: UInt8[Tensor, "N C H W"],
    coordinates: Iterable[Coordinate] | None = None,
    seed: int = 0,
    window: str = "uniform",
) -> list[dict]:
    """Measure SSIM against sigma on the images and rank the coordinates; see `ranking`.

    Raises: ValueError as `perceptual.ssim`.
    """
    sigmas = dense_sigmas()
    return ranking(ssim_curve(images, sigmas, seed, window), sigmas, coordinates)


def ranking(
    curves: Float[Tensor, "N S"],
    sigmas: Float[Tensor, "S"],
    coordinates: Iterable[Coordinate] | None = None,
) -> list[dict]:
    """The coordinates (default: `candidates()`) by mean R^2 over the images, best first.

    Returns: for each its name, the mean, low and high (Student's 95 % interval of the mean over
        images; nan for one image; it may reach above 1), and N, the number of images.
    """
    coordinates = candidates().values() if coordinates is None else coordinates
    rows = [{"name": c.name, **mean_interval(r_squared(curves, sigmas, c))} for c in coordinates]
    return sorted(rows, key=lambda row: -row["mean"])


def mean_interval(values: Float[Tensor, "N"], level: float = 0.95) -> dict:
    """Mean, low and high of Student's interval mean -+ t s / sqrt(N), and N."""
    n, mean = len(values), float(values.mean())
    half = math.nan
    if n > 1:
        half = float(stats.t.ppf((1 + level) / 2, n - 1) * values.std()) / math.sqrt(n)
    return {"mean": mean, "low": mean - half, "high": mean + half, "N": n}


def best_c(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], cs: Sequence[float] = CS
) -> tuple[float, float]:
    """The c of phi* = sigma / (sigma + c) with the highest mean R^2 over images, and that R^2."""
    means = [float(r_squared(curves, sigmas, phi_star(c)).mean()) for c in cs]
    best = max(range(len(cs)), key=means.__getitem__)
    return cs[best], means[best]
