"""Figures of lesson 06: the ways from a measurement to an answer, as a drawing and as points."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from diffutils.course.experiments.rows import where
from diffutils.viz import COLORS, figure, pixels, style

INKS = {"DIP(y)": "vermilion", "D(y)": "green", "y": "blue"}  # of what a chain starts from


@style()
def method(pictures: dict[str, Tensor]) -> Any:
    """Drawing of where a chain may start; uint8 images (C, H, W).

    pictures: "noise", "y", "DIP(y)", "D(y)", "true".
    From left to right levels fall from pure noise to 0; each start enters at its own level.
    """
    fig, ax = figure(width=9.4, height=3.0)
    ax.set(xlim=(0, 94), ylim=(1, 31))
    ax.axis("off")

    def put(name: str, x: float, y: float, words: str) -> None:
        """A picture of 9 x 9 with its words below."""
        shown = pixels(pictures[name][None].expand(-1, 3, -1, -1))[0]
        ax.imshow(shown, extent=(x, x + 9, y, y + 9), interpolation="nearest", zorder=2)
        ax.text(x + 4.5, y - 0.7, words, ha="center", va="top", fontsize=8)

    def arrow(start: tuple, end: tuple, words: str = "", ink: str = "black", **more) -> None:
        line = {"arrowstyle": "-|>", "color": COLORS[ink], "lw": 1.3} | more
        ax.annotate("", end, start, arrowprops=line, zorder=1)
        middle = [(a + b) / 2 for a, b in zip(start, end, strict=True)]
        paper = {"fc": "white", "ec": "none", "pad": 1}
        ax.text(*middle, words, ha="center", va="center", fontsize=8, bbox=paper if words else None)

    # The chain, from noise to an image.
    put("noise", 2, 20, "$\\sigma_{max}\\,n$")
    put("true", 83, 20, "answer, $\\sigma=0$")
    arrow((11.5, 24.5), (82.5, 24.5))
    ax.text(20, 25.2, "forgets where it came from", fontsize=8)
    ax.text(68, 25.2, "keeps what it has", fontsize=8)
    # Where it may start.
    for name, x, words in (
        ("y", 30, "$y=x_0+\\sigma_y n$\nis a state at $\\sigma_y$"),
        ("D(y)", 48, "$D(y)+\\sigma_0 n$\none call, made noisy again"),
        ("DIP(y)", 66, "DIP$(y)+\\sigma_0 n$\nhundreds of steps first"),
    ):
        put(name, x, 6, words)
        arrow((x + 4.5, 15.3), (x + 4.5, 24), ink=INKS[name])
    return fig


@style()
def tradeoff(rows: Sequence[dict]) -> Any:
    """Figure of perceptual distance against squared error: curves over the level, points beside."""
    tried, judged = where(rows, part="tuning"), where(rows, part="judged")
    ruler = "lpips" if all("lpips" in row for row in rows) else "tuned_by"
    fig, (left, right) = figure(columns=2, width=4.7, height=3.6)
    # Every level that was tried.
    for way in dict.fromkeys(row["way"] for row in tried):
        own = where(tried, way=way)
        ink, dashes = _look(way)
        left.plot(*_at(own, ruler), dashes, marker="o", ms=3, color=ink, label=way)
    # Every way at the level it chose.
    for row in judged:
        ink, dashes = _look(row["way"])
        marker = "o" if dashes == "-" else "s"
        right.scatter(*_at([row], ruler), marker=marker, s=40, color=ink)
        where_to = {"xytext": (4, 3), "textcoords": "offset points", "fontsize": 7}
        right.annotate(row["way"], (row["mse"], row[ruler]), **where_to)
    name = "LPIPS" if ruler == "lpips" else "1 - SSIM"
    for ax, title in ((left, "levels tried, images set aside"), (right, "levels chosen, others")):
        ax.set(xlabel="mean squared error", ylabel=name, title=title, xscale="log", yscale="log")
    left.legend(fontsize=7)
    return fig


def _at(rows: Sequence[dict], ruler: str) -> tuple[list[float], list[float]]:
    """Errors and perceptual distances of rows, in the order of their levels."""
    return [row["mse"] for row in rows], [row[ruler] for row in rows]


def _look(way: str) -> tuple[str, str]:
    """Ink and dashes of a way: by what it starts from, DDPM dashed."""
    starts = [ink for name, ink in INKS.items() if way.startswith(name)]
    return COLORS[starts[0] if starts else "black"], "--" if "DDPM" in way else "-"
