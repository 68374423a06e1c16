"""How evenly a sampling grid gives the picture back: the SSIM gained in each of its steps."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from diffutils.course.tables import aligned
from diffutils.methods.perceptual import dense_sigmas, interpolate, ssim_curve
from diffutils.metrics.intervals import mean_interval
from diffutils.schedules import levels


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
    """Coefficient of variation of the gain over the steps: 0 = every step gains as much.

    Where one of n steps gains everything it is sqrt(n - 1).
    """
    return gain.std(1, correction=0) / gain.mean(1)


def stability(
    images: UInt8[Tensor, "N C H W"],
    grids: Mapping[str, Callable],
    n: int = 50,
    seeds: Sequence[int] = (0, 1, 2),
    window: str = "uniform",
) -> list[dict]:
    """For each grid (a schedule sigma(u)) of n levels, how unequal its n steps are.

    The last step goes from the lowest level to the clean image, where SSIM is 1; levels above
    sigma = 80 count as 80.  So every grid covers the same way, from 80, or its own top.

    Rows: name, N (images), seeds (how many); mean: SSIM gained in a step; uneven: the mean of
    `unevenness` over images x seeds of the noise; uneven_low, uneven_high: Student's 95 % interval
    of it over images, their seeds averaged (nan for one image); spread, low, high: standard
    deviation, smallest and largest of the same numbers; largest: the largest share of all gain
    that one step has, mean over images and seeds.

    Raises: ValueError as `ssim_curve` and `schedules.levels`.
    """
    sigmas = dense_sigmas()
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
    lines = [("grid", "SSIM a step", "uneven (95 % interval)", "spread", "from - to",
              "largest step", "images x seeds")]  # fmt: skip
    for r in rows:
        uneven = f"{r['uneven']:.2f} ({r['uneven_low']:.2f} to {r['uneven_high']:.2f})"
        spread = f"{r['spread']:.2f}", f"{r['low']:.2f} - {r['high']:.2f}"
        most, counts = f"{r['largest']:.0%}", f"{r['N']} x {r['seeds']}"
        lines.append((r["name"], f"{r['mean']:.4f}", uneven, *spread, most, counts))
    return aligned(lines)
