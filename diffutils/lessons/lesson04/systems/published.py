"""SSIMBaD's three figures of SSIM against a noise coordinate: as read off, and on other images.

Each figure shows one image at 25 levels, and prints an R^2.  An audit digitised all 25 points of
each (28 November 2026); the figure files and the points are not here, so what it read is quoted in
`READ`, and what the figures draw is computed anew, on images that are here.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from diffutils import schedules
from diffutils.course.tables import aligned
from diffutils.methods import perceptual

Levels = Float[Tensor, "n"]


class Figure(NamedTuple):
    """Levels sigma, rising, and where each stands on the axis; R^2 as printed, and as read off.

    read: of what the figure was found to draw, through its own points; None where nothing was.
    """

    levels: Levels
    axis: Levels
    printed: float | None
    read: float | None


READ = (
    "DDPM's figure ends at SSIM 0.007: a cosine chain of 50 steps fits it (rms 0.011, R² 0.871), "
    "one of 50 linear betas does not (rms 0.220, it ends at 0.21)",
    "the 25 levels of EDM's figure are every second one of EDM's 50 (within 0.5 %), over ln sigma",
)


def figures() -> dict[str, Figure]:
    """What the published figures draw, by name, and two that they were taken for.

    DDPM's chains of 50 steps stand over t; the last two entries are EDM's own levels over EDM's own
    coordinate, and the chain of 50 linear betas, which ends at sigma = 0.81 with the picture there.
    """
    # Every second one of 50, with the noisiest.
    t = torch.arange(1, 50, 2)
    cosine, linear = (
        schedules.Discrete(betas(50)).sigmas[t]
        for betas in (schedules.cosine_betas, schedules.linear_betas)
    )
    edm = schedules.levels(schedules.karras(), 50)[:-1][::2].flip(0)
    phi, levels = perceptual.equal_steps(perceptual.phi_star(), 25)
    return {
        "DDPM, cosine": Figure(cosine, t.double(), 0.878, 0.871),
        "EDM, log": Figure(edm, edm.log(), 0.895, 0.8949),
        "phi*, c=0.3": Figure(levels, phi, 0.9965, 0.9965),
        "EDM, rho = 7": Figure(edm, edm ** (1 / 7), None, 0.786),
        "DDPM, linear": Figure(linear, t.double(), None, None),
    }


def straightness(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], figure: Figure
) -> Float[Tensor, "N"]:
    """R^2 of the line through SSIM at the figure's levels, image by image."""
    return perceptual.straightness(figure.axis, at_levels(curves, sigmas, figure))


def at_levels(
    curves: Float[Tensor, "N S"], sigmas: Float[Tensor, "S"], figure: Figure
) -> Float[Tensor, "N n"]:
    """SSIM at the figure's levels, read off dense curves (`perceptual.ssim_curve`).

    Levels beyond the ends of sigmas count as those: at 80 nothing of the picture is left.
    """
    levels = figure.levels.clamp(float(sigmas[0]), float(sigmas[-1]))
    return perceptual.interpolate(levels.log(), sigmas.double().log(), curves.double())


def rows(curves: Mapping[str, Tensor], sigmas: Float[Tensor, "S"]) -> list[dict]:
    """For each figure the R^2 printed and read, and by set of images the mean, least and most.

    curves: SSIM (N, S) of each set of images, by name.  ends: mean SSIM of the first set at the
    figure's noisiest level, which tells chains apart that R^2 does not.
    """
    first = next(iter(curves.values()))
    found = []
    for name, figure in figures().items():
        row = {"name": name, "printed": figure.printed, "read": figure.read}
        row["ends"] = float(at_levels(first, sigmas, figure).mean(0)[-1])
        for images, own in curves.items():
            r2 = straightness(own, sigmas, figure)
            row[images] = tuple(map(float, (r2.mean(), r2.min(), r2.max())))
        found.append(row)
    return found


def table(found: Sequence[dict]) -> str:
    """The rows of `rows` as text: published, as read, and each of ours with its range."""
    images = [key for key in found[0] if key not in ("name", "printed", "read", "ends")]
    head = ("R²", "paper", "read", *(f"{key} (range)" for key in images))
    lines = [(*head, "ends")]
    for row in found:
        said = (f"{row[key]:.4f}" if row[key] else "-" for key in ("printed", "read"))
        ours = (f"{mean:.3f} ({low:.2f} to {high:.2f})" for mean, low, high in map(row.get, images))
        lines.append((row["name"], *said, *ours, f"{row['ends']:.3f}"))
    return aligned(lines)
