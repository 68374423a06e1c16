"""What a noise level leaves of a picture, and how evenly the levels of a grid give it back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from diffutils.course.tables import aligned
from diffutils.data import to_float
from diffutils.methods import perceptual
from diffutils.methods.perceptual import SIGMA_MAX, SIGMA_MIN, Coordinate, interpolate, ssim_curve
from diffutils.metrics.intervals import mean_interval
from diffutils.schedules import levels


def readings(
    image: UInt8[Tensor, "C H W"], sigma: float, coordinates: Sequence[Coordinate], seed: int = 0
) -> dict[str, Any]:
    """What a noise level means for an image.

    Returns: "ssim" of the noisy image, clamped; "snr", mean(x0^2) / sigma^2 with x0 in [-1, 1];
        "phi", for each coordinate its value, 0 at sigma = 0.002 and 1 at sigma = 80.
    Raises: ValueError if sigma lies outside that range, and as `similarity.ssim`.
    """
    if not SIGMA_MIN <= sigma <= SIGMA_MAX:
        raise ValueError(f"sigma must lie between {SIGMA_MIN} and {SIGMA_MAX:g}, got {sigma}")
    levels = torch.tensor([SIGMA_MIN, sigma, SIGMA_MAX], dtype=torch.float64)
    phis = {coordinate.name: coordinate.phi(levels).tolist() for coordinate in coordinates}
    ssim = float(ssim_curve(image[None], levels[1:2], seed))
    snr = float(to_float(image).double().square().mean()) / sigma**2
    places = {name: (here - low) / (high - low) for name, (low, here, high) in phis.items()}
    return {"ssim": ssim, "snr": snr, "phi": places}


def gained(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], grid: Float[Tensor, "n"]
) -> Float[Tensor, "N n"]:
    """SSIM gained in each step down a falling grid and from its lowest level to the clean image.

    curves: of `ssim_curve`, between whose levels SSIM is linear in log sigma.  Levels above the
    last of `sigmas` count as that one.
    """
    grid = grid.double().clamp(max=float(sigmas[-1]))
    seen = interpolate(grid.log(), sigmas.double().log(), curves.double())
    clean = torch.ones_like(seen[:, :1])
    return torch.cat([seen, clean], dim=1).diff(dim=1)


def unevenness(gain: Float[Tensor, "N n"]) -> Float[Tensor, "N"]:
    """std / mean of the gain over n steps: 0 if all gain as much, sqrt(n - 1) if one gains all."""
    return gain.std(1, correction=0) / gain.mean(1)


def stability(
    images: UInt8[Tensor, "N C H W"],
    grids: Mapping[str, Callable],
    n: int = 50,
    seeds: Sequence[int] = (0, 1, 2),
    window: str = "uniform",
) -> list[dict]:
    """For each grid (a schedule sigma(u)) of n levels, how unequal its n steps are.

    As in `gained` every grid covers the same way, from 80, or its own top, to the clean image.

    Rows: name, N (images), seeds (how many); mean: SSIM gained in a step; uneven: the mean of
    `unevenness` over images x seeds of the noise; uneven_low, uneven_high: Student's 95 % interval
    of it over images, their seeds averaged (nan for one image); spread, low, high: standard
    deviation, smallest and largest of the same numbers; largest: the largest share of all gain
    that one step has, mean over images and seeds.  Crops of one photograph count as several images:
    with photos the true intervals are wider.
    Raises: ValueError as `ssim_curve` and `schedules.levels`.
    """
    if not (len(images) and seeds):
        raise ValueError(f"got {len(images)} images and {len(seeds)} seeds, expected some of both")
    sigmas = perceptual.dense_sigmas()
    curves = torch.cat([ssim_curve(images, sigmas, seed, window) for seed in seeds])
    rows = []
    for name, grid in grids.items():
        gain = gained(curves, sigmas, levels(grid, n)[:-1])
        uneven = unevenness(gain)
        mean, low, high, _ = mean_interval(uneven.view(len(seeds), len(images)).mean(0))
        row = {"name": name, "N": len(images), "seeds": len(seeds), "mean": float(gain.mean())}
        row |= {"uneven": mean, "uneven_low": low, "uneven_high": high}
        row |= {"spread": float(uneven.std()), "low": float(uneven.min())}
        row |= {"high": float(uneven.max()), "largest": float((gain.amax(1) / gain.sum(1)).mean())}
        rows.append(row)
    return rows


def table(rows: Sequence[dict]) -> str:
    """The rows of `stability` as text."""
    head = ("grid", "SSIM a step", "uneven (95 % interval)", "spread", "from - to")
    lines = [(*head, "largest step", "images x seeds")]
    for r in rows:
        uneven = f"{r['uneven']:.2f} ({r['uneven_low']:.2f} to {r['uneven_high']:.2f})"
        spread = f"{r['spread']:.2f}", f"{r['low']:.2f} - {r['high']:.2f}"
        most, counts = f"{r['largest']:.0%}", f"{r['N']} x {r['seeds']}"
        lines.append((r["name"], f"{r['mean']:.4f}", uneven, *spread, most, counts))
    return aligned(lines, width=None)
