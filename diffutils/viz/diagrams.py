"""Drawings of a method: pictures with words below, and arrows between them."""

from typing import Any

from torch import Tensor

from diffutils.viz.images import pixels
from diffutils.viz.paper import COLORS

SIDE = 9  # of a picture, in units of the axes


def put(ax: Any, picture: Tensor, x: float, y: float, words: str) -> None:
    """Draw a picture, uint8 (C, H, W), with its lower left corner at (x, y) and its words below."""
    shown = pixels(picture[None].expand(-1, 3, -1, -1))[0]
    ax.imshow(shown, extent=(x, x + SIDE, y, y + SIDE), interpolation="nearest", zorder=2)
    ax.text(x + SIDE / 2, y - 0.7, words, ha="center", va="top", fontsize=8)


def arrow(
    ax: Any, start: tuple, end: tuple, words: str = "", ink: str = "black", **more: Any
) -> None:
    """Draw an arrow with words at its middle; ink: a name in COLORS; more: of the arrow's look."""
    line = {"arrowstyle": "-|>", "color": COLORS[ink], "lw": 1.3} | more
    ax.annotate("", end, start, arrowprops=line, zorder=1)
    middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
    paper = {"fc": "white", "ec": "none", "pad": 1} if words else None
    ax.text(*middle, words, ha="center", va="center", fontsize=8, bbox=paper)
