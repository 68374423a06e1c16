"""Noise coordinates phi(sigma), and how straight the similarity to the clean image falls in each.

SSIMBaD (2025) adds noise in equal steps of phi*(sigma) = sigma / (sigma + 0.3), which it chose
among 22 candidates: SSIM against phi should be nearest to a straight line (highest R^2).
SSIM depends on sigma alone, so one dense curve per image serves every candidate.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float
from scipy.optimize import isotonic_regression
from torch import Tensor

from diffutils import rng, schedules
from diffutils.data import to_float
from diffutils.metrics.similarity import ssim

SIGMA_MIN, SIGMA_MAX = 0.002, 80.0  # as published; EDM's range
CHUNK = 8  # noise levels measured at once: what fits in a processor's cache at 128 px


class Coordinate(NamedTuple):
    """A strictly monotone phi(sigma) on float tensors of any shape, and its inverse."""

    name: str
    phi: Callable[[Tensor], Tensor]
    inverse: Callable[[Tensor], Tensor]


def phi_star(c: float = 0.3) -> Coordinate:
    """phi*(sigma) = sigma / (sigma + c), in (0, 1); c > 0 is the sigma of phi* = 1/2."""
    if not 0 < c < math.inf:
        raise ValueError(f"c must be a positive noise level, got {c}")
    return Coordinate(f"sigma/(sigma+{c:.3g})", lambda s: s / (s + c), lambda p: c * p / (1 - p))


def candidates() -> dict[str, Coordinate]:
    """The 22 published candidates by name, then EDM's and DDPM's own coordinate.

    In float64 tanh(sigma) rounds to 1 from 19.1 on and sigmoid(sigma) from 36.8 on: the inverse of
    that 1 is infinite.  DDPM's t is constant below its first level, sigma = 0.01.
    Source: SSIMBaD's optimal_phi.py, one of two equal entries left out.
    """
    found = [
        Coordinate("sigma", lambda s: s, lambda p: p),
        Coordinate("log(sigma)", torch.log, torch.exp),
        Coordinate("log(1+sigma)", torch.log1p, torch.expm1),
        Coordinate("sigma^2", torch.square, torch.sqrt),
        Coordinate("1/sigma", torch.reciprocal, torch.reciprocal),
        Coordinate("1/sigma^2", lambda s: s**-2, lambda p: p**-0.5),
        Coordinate("arcsinh(sigma)", torch.asinh, torch.sinh),
        Coordinate("tanh(sigma)", torch.tanh, torch.atanh),
        Coordinate("sigmoid(sigma)", torch.sigmoid, torch.logit),
        *(phi_star(tenths / 10) for tenths in range(1, 11)),
        Coordinate(
            "sigma^1.5/(sigma^1.5+1)",
            lambda s: s**1.5 / (s**1.5 + 1),
            lambda p: (p / (1 - p)) ** (1 / 1.5),
        ),
        Coordinate("log(1+sigma^2)", lambda s: (s**2).log1p(), lambda p: p.expm1().sqrt()),
        Coordinate("arctan(sigma)", torch.atan, torch.tan),
        Coordinate("sigma^(1/7), EDM", lambda s: s ** (1 / 7), lambda p: p**7),
        ddpm_timestep(),
    ]
    return {coordinate.name: coordinate for coordinate in found}


def ddpm_timestep(T: int = 1000) -> Coordinate:
    """The timestep 0 .. T - 1 of DDPM's linear betas, between its levels linear in log sigma.

    The betas run from 1e-4 to 0.02 whatever T is: the levels end at sigma = 157 for T = 1000, but
    at 0.81 for T = 50.
    """
    table = schedules.Discrete(schedules.linear_betas(T))
    t, log_sigmas = torch.arange(table.T, dtype=torch.float64), table.sigmas.log()
    return Coordinate("t, DDPM", table.t, lambda p: interpolate(p, t, log_sigmas).exp())


def tabulated(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], slope: float = 0.01
) -> Coordinate:
    """phi(sigma) = 1 - mean SSIM(sigma): on these images SSIM is straight in it by construction.

    The table is the least-squares fit that rises by at least `slope` per unit of log sigma, since
    SSIM hardly changes above sigma = 10 and phi would have no inverse there; so the ends of phi may
    lie a little outside [0, 1].  Between the table's levels phi is linear in log sigma; outside, it
    goes on like its ends.

    Raises: ValueError unless sigmas increase and slope > 0.
    """
    _check_levels(sigmas)
    if not slope > 0:
        raise ValueError(f"slope must be above 0, or phi has no inverse; got {slope}")
    log_sigmas = sigmas.double().cpu().log()
    lost = 1 - curves.double().cpu().mean(0)
    # what is left after taking the least slope out must not fall: isotonic regression
    rest = isotonic_regression((lost - slope * log_sigmas).numpy()).x
    table = torch.from_numpy(rest) + slope * log_sigmas
    return Coordinate(
        "1 - mean SSIM, tabulated",
        lambda s: interpolate(s.log(), log_sigmas, table),
        lambda p: interpolate(p, table, log_sigmas).exp(),
    )


def interpolate(
    x: Float[Tensor, "*B"], xs: Float[Tensor, "S"], ys: Float[Tensor, "*N S"]
) -> Float[Tensor, "..."]:
    """Straight lines through the points (xs, ys) at x: (*N, *B); xs increasing."""
    xs, ys = xs.to(x), ys.to(x)
    hi = torch.searchsorted(xs, x.contiguous()).clamp(1, len(xs) - 1)
    share = (x - xs[hi - 1]) / (xs[hi] - xs[hi - 1])
    return ys[..., hi - 1] + share * (ys[..., hi] - ys[..., hi - 1])


def dense_sigmas(n: int = 200) -> Float[Tensor, "{n}"]:
    """n levels from 0.002 to 80, evenly spaced in log sigma (float64)."""
    return schedules.log_uniform(SIGMA_MIN, SIGMA_MAX)(torch.linspace(0, 1, n, dtype=torch.float64))


def ssim_curve(
    images: Tensor, sigmas: Float[Tensor, "S"], seed: int = 0, window: str = "uniform"
) -> Float[Tensor, "N S"]:
    """SSIM of every image and clamp(x0 + sigma n, -1, 1), one noise n per image for all sigmas.

    seed picks the noise; window as in `similarity.ssim`; the result is float64 on the CPU.
    Raises: ValueError for images that are not uint8 (N, C, H, W), and as `similarity.ssim`.
    """
    if images.dtype != torch.uint8 or images.ndim != 4:
        raise ValueError(
            f"images must be uint8 (N, C, H, W), got {images.dtype} {tuple(images.shape)}"
        )
    images, sigmas = images.cpu(), sigmas.double().cpu()
    noise = rng.normal(seed, 0, torch.arange(len(images)), images.shape[1:], rng.EVALUATION)
    curves = torch.empty(len(images), len(sigmas), dtype=torch.float64)
    clean = to_float(images).double().unsqueeze(1)
    for curve, x0, n in zip(curves, clean, noise.double(), strict=True):
        for start in range(0, len(sigmas), CHUNK):
            sigma = sigmas[start : start + CHUNK].view(-1, 1, 1, 1)
            noisy = (x0 + sigma * n).clamp(-1, 1)
            curve[start : start + CHUNK] = ssim(x0, noisy, window)
    return curves


def r_squared(
    curves: Float[Tensor, "N S"],
    sigmas: Float[Tensor, "S"],
    coordinate: Coordinate,
    points: int = 50,
    sigma_min: float = SIGMA_MIN,
    sigma_max: float = SIGMA_MAX,
) -> Float[Tensor, "N"]:
    """R^2 of the straight line through SSIM at `points` levels equally spaced in phi, per image.

    SSIM at those levels is read off its dense curve, linear in log sigma.
    Raises: ValueError if sigmas do not increase, or do not reach from sigma_min to sigma_max.
    """
    _check_levels(sigmas)
    if sigmas[0] > sigma_min * (1 + 1e-9) or sigmas[-1] < sigma_max * (1 - 1e-9):
        raise ValueError(
            f"the curves were measured from sigma = {sigmas[0]:.4g} to {sigmas[-1]:.4g}; they "
            f"must cover {sigma_min:g} to {sigma_max:g}"
        )
    phi, levels = equal_steps(coordinate, points, sigma_min, sigma_max)
    return straightness(phi, interpolate(levels.log(), sigmas.double().log(), curves.double()))


def straightness(x: Float[Tensor, "n"], y: Float[Tensor, "N n"]) -> Float[Tensor, "N"]:
    """R^2 of the least-squares straight line through the points x, y, for each row of y."""
    x, y = x - x.mean(), y - y.mean(1, keepdim=True)
    slope = (y @ x) / (x @ x)
    residual = y - slope[:, None] * x
    return 1 - (residual**2).sum(1) / (y**2).sum(1)


def equal_steps(
    coordinate: Coordinate,
    points: int = 50,
    sigma_min: float = SIGMA_MIN,
    sigma_max: float = SIGMA_MAX,
) -> tuple[Float[Tensor, "{points}"], Float[Tensor, "{points}"]]:
    """Equally spaced phi from phi(sigma_min) to phi(sigma_max), and their sigma (float64).

    Where phi is flat in float64 and its inverse leaves the range (tanh at 80 gives infinity), the
    nearest end of the range is taken.
    """
    ends = coordinate.phi(torch.tensor([sigma_min, sigma_max], dtype=torch.float64))
    phi = ends[0] + torch.linspace(0, 1, points, dtype=torch.float64) * (ends[1] - ends[0])
    return phi, coordinate.inverse(phi).clamp(sigma_min, sigma_max)


def _check_levels(sigmas: Float[Tensor, "S"]) -> None:
    if len(sigmas) < 2 or not (sigmas[0] > 0 and bool((sigmas.diff() > 0).all())):
        raise ValueError(f"sigmas must be two or more levels that increase from above 0: {sigmas}")
