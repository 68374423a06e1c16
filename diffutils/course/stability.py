"""How evenly a sampling grid gives the picture back: the SSIM gained in each of its steps."""

from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from diffutils.course.tables import aligned
from diffutils.perceptual import dense_sigmas, interpolate, ssim_curve
from diffutils.schedules import steps as levels


def gained(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], grid: Float[Tensor, "n"]
) -> Float[Tensor, "N n-1"]:
    """SSIM gained from each level of a falling grid to the next, per image (N, n - 1).

    curves: of `ssim_curve`, between whose levels SSIM is linear in log sigma.
    """
    return interpolate(grid.double().log(), sigmas.double().log(), curves.double()).diff(dim=1)


def stability(
    images: UInt8[Tensor, "N C H W"],
    grids: Mapping[str, Callable],
    n: int = 50,
    seeds: Sequence[int] = (0, 1, 2),
    window: str = "uniform",
) -> list[dict]:
    """For each grid (a schedule sigma(u)) of n levels, how unequal its n - 1 steps are.

    Rows: name; mean: SSIM gained in a step, over steps, images and seeds of the noise; uneven:
    standard deviation over the steps of their mean gain, over `mean` (0: every step gains as
    much); spread: standard deviation of a step's gain over images and seeds, mean over the steps,
    over `mean`; largest: the largest share of all gain that one step has.

    Raises: ValueError as `ssim_curve`.
    """
    sigmas = dense_sigmas()
    curves = torch.cat([ssim_curve(images, sigmas, seed, window) for seed in seeds])
    rows = []
    for name, grid in grids.items():
        gain = gained(curves, sigmas, levels(grid, n)[:-1])
        step, mean = gain.mean(0), float(gain.mean())
        rows.append({
            "name": name, "mean": mean, "uneven": float(step.std()) / mean,
            "spread": float(gain.std(0).mean()) / mean, "largest": float(step.max() / step.sum()),
        })  # fmt: skip
    return rows


def table(rows: Sequence[dict]) -> str:
    """The rows of `stability` as text."""
    lines = [("grid", "SSIM a step", "uneven", "spread over images", "largest step")]
    lines += [
        (r["name"], f"{r['mean']:.4f}", f"{r['uneven']:.2f}", f"{r['spread']:.2f}",
         f"{r['largest']:.0%}") for r in rows
    ]  # fmt: skip
    return aligned(lines)
