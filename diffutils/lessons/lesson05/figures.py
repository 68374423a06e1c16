"""Figures of lesson 05: the method as a drawing, and every sketch like every reference."""

from functools import partial
from typing import Any

import torch
from torch import Tensor

from diffutils.course.experiments.rows import where
from diffutils.viz import COLORS, diagrams, figure, style


@style()
def method(image: Tensor, sketch: Tensor, reference: Tensor, noisy: Tensor) -> Any:
    """Drawing of what stands beside what; uint8 images (C, H, W) of one triple, the image noised.

    The parts of the picture from left to right: how a triple is made; what the network sees; what
    it answers; where the gradient of refinement comes from.
    """
    from matplotlib.patches import FancyBboxPatch

    fig, ax = figure(width=9.4, height=3.7)
    ax.set(xlim=(0, 94), ylim=(0, 37))
    ax.axis("off")
    put, arrow = partial(diagrams.put, ax), partial(diagrams.arrow, ax)
    # How a triple is made.
    put(image, 1, 15, "image $x_0$")
    put(sketch, 25, 26, "sketch, 1 channel")
    put(reference, 25, 13.5, "reference, 3 channels")
    put(noisy, 25, 1.5, "")
    ax.text(34.6, 2.2, "$x_0+\\sigma n$, 3 channels", fontsize=8, va="bottom")
    arrow((10.5, 21), (24.5, 31), "XDoG")
    arrow((10.5, 19.5), (24.5, 18), "bend, or draw anew")
    arrow((10.5, 17), (24.5, 7), "noise")
    # What the network sees, and what it answers.
    for y in (30.5, 18, 7):
        arrow((34.5, y), (45.5, 18 + (y - 18) / 4))
    ax.add_patch(FancyBboxPatch((46, 11.5), 14, 13, "round,pad=0.4", fc="white", ec="black"))
    words = "U-Net\n7 channels in, 3 out\nlevel $\\sigma$ beside"
    ax.text(53, 18, words, ha="center", va="center", fontsize=9)
    arrow((60.8, 18), (67.5, 18))
    put(image, 68, 13.5, "what $D$ should answer")
    # The two losses.
    arrow((77.5, 18), (84.5, 18))
    loss = "pretraining:\none noisy image,\n$\\|D-x_0\\|^2$"
    ax.text(85, 18, loss, va="center", fontsize=9)
    curve = {"connectionstyle": "arc3,rad=0.4", "ls": "--"}
    arrow((72, 25), (54, 25.6), "", "vermilion", **curve)
    more = (
        "refinement: walk down in several calls, and\n"
        "send the last image's gradient back through them"
    )
    ax.text(63, 32.5, more, ha="center", fontsize=9, color=COLORS["vermilion"])
    return fig


def matrix(sketches: Tensor, references: Tensor, coloured: Tensor) -> Tensor:
    """Every sketch in the colours of every reference, with both at the edges, uint8 images.

    sketches: (S, 1, H, W); references: (R, 3, H, W); coloured: (S R, 3, H, W), sketch by sketch.
    Returns ((S + 1)(R + 1), 3, H, W), for `viz.grid` with R + 1 columns: the first row is blank
    and the references, each further row a sketch and its colourings.
    """
    rows = coloured.unflatten(0, (len(sketches), len(references)))
    top = torch.cat([torch.full_like(references[:1], 255), references])[None]
    below = torch.cat([sketches.expand(-1, 3, -1, -1)[:, None], rows], 1)
    return torch.cat([top, below]).flatten(0, 1)


@style()
def tradeoff(rows: list[dict]) -> Any:
    """Figure of kernel distance against error for arms and ways of the trial: means are large."""
    places = {
        "not refined, Euler": ("base", "Euler", "o", "blue"),
        "not refined, mean of 4": ("base", "mean of 4", "s", "blue"),
        "not refined, one call": ("base", "one call", "^", "blue"),
        "not refined, fresh noise": ("base", "fresh noise", "v", "blue"),
        "more denoising, Euler": ("more denoising", "Euler", "o", "black"),
        "refined K=3, Euler": ("refined K=3", "Euler", "o", "vermilion"),
        "refined, all steps, Euler": ("refined all steps", "Euler", "D", "vermilion"),
        "refined by SSIM, Euler": ("refined by SSIM", "Euler", "P", "vermilion"),
        "refined by LPIPS, Euler": ("refined by LPIPS", "Euler", "X", "vermilion"),
        "one step tuned, one call": ("one step tuned", "one call", "^", "green"),
    }
    fig, ax = figure(width=7.2, height=3.8)
    for name, (arm, way, marker, ink) in places.items():
        own = where(rows, arm=arm, way=way, reference="cross")
        if own:
            at = [[row[key] for row in own] for key in ("mse", "kernel")]
            ax.scatter(*at, marker=marker, s=14, alpha=0.35, color=COLORS[ink])
            ax.scatter(
                *(sum(v) / len(v) for v in at), marker=marker, s=60, color=COLORS[ink], label=name
            )
    ax.axhline(0, color="0.6", lw=0.8)
    ax.set(xlabel="mean squared error", ylabel="kernel distance to true pictures")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), fontsize=8)
    return fig
