"""Figures of lesson 07: a square of two ways, networks drawn from themselves, angles reached."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from torch import Tensor, nn

from diffutils import resample
from diffutils.course.experiments.rows import where
from diffutils.unet import UNet
from diffutils.viz import COLORS, diagrams, figure, style

BOX, GAP = 15, 9  # width and distance of the boxes of a network, in units of the axes


@style()
def square(pictures: Mapping[str, Tensor]) -> Any:
    """Drawing of move-then-denoise beside denoise-then-move; uint8 images (C, H, W).

    pictures: "x", "T x", "f(x)", "f(T x)", "T f(x)", "apart", the last the difference of the two.
    """
    fig, ax = figure(width=9.0, height=3.3)
    ax.set(xlim=(0, 90), ylim=(0, 33))
    ax.axis("off")
    put, arrow = partial(diagrams.put, ax), partial(diagrams.arrow, ax)
    # The upper way moves first, the lower way moves last.
    put(pictures["x"], 2, 12, "$x$")
    put(pictures["T x"], 24, 22, "$T\\,x$")
    put(pictures["f(x)"], 24, 3, "$f(x)$")
    put(pictures["f(T x)"], 48, 22, "$f(T\\,x)$")
    put(pictures["T f(x)"], 48, 3, "$T f(x)$")
    put(pictures["apart"], 78, 12, "their difference")
    arrow((11.5, 17.5), (23.5, 26), "move", ink="blue")
    arrow((11.5, 15.5), (23.5, 8), "network", ink="vermilion")
    arrow((33.5, 26.5), (47.5, 26.5), "network", ink="vermilion")
    arrow((33.5, 7.5), (47.5, 7.5), "move", ink="blue")
    arrow((57.5, 26), (77.5, 18))
    arrow((57.5, 8), (77.5, 15.5))
    return fig


def words(layer: nn.Module) -> str:
    """What a layer of resampling, or an activation, is called in a drawing."""
    if isinstance(layer, resample.Filtered):
        return f"{type(layer.activation).__name__} at twice the size, {layer.filter.shape}"
    if isinstance(layer, resample.Up):
        return f"{layer.filter.shape} filter"
    known = {resample.MaxDown: "largest of 4", resample.Bilinear: "bilinear"}
    return known.get(type(layer), type(layer).__name__)


@style()
def networks(nets: Mapping[str, UNet], side: int) -> Any:
    """Block diagrams of U-Nets, one a column, made of their modules; side: of an image."""
    fig, axes = figure(columns=len(nets), width=5.4, height=2.7)
    for ax, (title, net) in zip(np.atleast_1d(axes), nets.items(), strict=True):
        levels = len(net.encoder)
        ax.set(xlim=(-2, 2 * BOX + 2 * GAP + 10 * levels), ylim=(-10 * levels - 1, 5), title=title)
        ax.axis("off")
        arrow = partial(diagrams.arrow, ax)
        act = words(net.encoder[0][0][0].act1)
        right = ax.get_xlim()[1] - 4 - BOX
        for i, (down, up) in enumerate(zip(net.encoder, reversed(net.decoder), strict=True)):
            # One level: its blocks on the way down and on the way up, and what joins them.
            y, n = -10 * i, side // 2**i
            for x, level in ((5 * i, down), (right - 5 * i, up)):
                width = level[0][0].conv2.out_channels
                box = {"boxstyle": "round,pad=0.4", "fc": "white", "ec": COLORS["blue"]}
                text = f"{n} x {n}, {width}"
                ax.text(x + BOX / 2, y, text, ha="center", va="center", fontsize=8, bbox=box)
            arrow((5 * i + BOX + 1, y), (right - 5 * i - 1, y), ls="--", lw=0.8)
            if i + 1 < levels:
                a, b = net.downs[i], net.ups[len(net.ups) - 1 - i]
                start, end = 5 * i + BOX / 2, 5 * i + 5 + BOX / 2
                arrow((start, y - 2.5), (end, y - 7.5), words(a), ink="vermilion")
                start, end = right - 5 * i - 5 + BOX / 2, right - 5 * i + BOX / 2
                arrow((start, y - 7.5), (end, y - 2.5), words(b), ink="vermilion")
        middle = sum(ax.get_xlim()) / 2
        ax.text(middle, 4 - 10 * levels, f"in every block: {act}", ha="center", fontsize=9)
    return fig


@style()
def angles(rows: Sequence[dict], ways: Sequence[str]) -> Any:
    """Figure of the angle that was reached against the one asked for, a point for each digit."""
    fig, axes = figure(columns=len(ways), width=2.6, height=2.8, sharey=True)
    for ax, way in zip(np.atleast_1d(axes), ways, strict=True):
        for row in where(rows, way=way):
            x = np.full(len(row["angles"]), row["degrees"])
            ax.plot(x, row["angles"], ".", ms=4, alpha=0.5, color=COLORS["blue"])
        ax.plot([-90, 90], [-90, 90], lw=0.8, color="0.5")
        ax.set(xticks=(-90, 0, 90), yticks=(-180, -90, 0, 90, 180), xlabel="asked", title=way)
    np.atleast_1d(axes)[0].set_ylabel("reached, degrees")
    return fig
