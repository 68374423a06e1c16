"""Figures of lesson 06: the ways from a measurement to an answer, as a drawing and as points."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from torch import Tensor

from diffutils.course.experiments.rows import where
from diffutils.viz import COLORS, diagrams, figure, plain_log_axis, style

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
    put, arrow = partial(diagrams.put, ax), partial(diagrams.arrow, ax)
    # The chain, from noise to an image.
    put(pictures["noise"], 2, 20, "$\\sigma_{max}\\,n$")
    put(pictures["true"], 83, 20, "answer, $\\sigma=0$")
    arrow((11.5, 24.5), (82.5, 24.5))
    ax.text(20, 25.2, "forgets where it came from", fontsize=8)
    ax.text(68, 25.2, "keeps what it has", fontsize=8)
    # Where it may start.
    for name, x, words in (
        ("y", 30, "$y=x_0+\\sigma_y n$\nis a state at $\\sigma_y$"),
        ("D(y)", 48, "$D(y)+\\sigma_0 n$\none call, made noisy again"),
        ("DIP(y)", 66, "DIP$(y)+\\sigma_0 n$\nhundreds of steps first"),
    ):
        put(pictures[name], x, 6, words)
        arrow((x + 4.5, 15.3), (x + 4.5, 24), ink=INKS[name])
    return fig


@style()
def tradeoff(rows: Sequence[dict]) -> Any:
    """Figure of perceptual distance against squared error: curves over the level, points beside.

    Without the ways that do not look at y.
    """
    asked = [row for row in rows if not row["way"].startswith("pure noise")]
    ruler = "lpips" if all("lpips" in row for row in asked) else "tuned_by"
    fig, axes = figure(columns=2, width=4.9, height=4.6, sharey=True)
    tried, judged = (where(asked, part=part) for part in ("tuning", "judged"))
    # Every level that was tried, and every way at the level it chose.
    for way in dict.fromkeys(row["way"] for row in tried):
        own = where(tried, way=way)
        axes[0].plot(*_at(own, ruler), ms=3, **_look(way, line=True))
    for way in dict.fromkeys(row["way"] for row in judged):
        own = where(judged, way=way)  # tuned by error, and by looks
        axes[1].plot(*_at(own, ruler), ms=7, lw=0.8, label=way, **_look(way))
    name = "LPIPS" if ruler == "lpips" else "1 - SSIM"
    titles = "all strengths tried, on images set aside", "those chosen, on others"
    for ax, title in zip(axes, titles, strict=True):
        for axis in (ax.xaxis, ax.yaxis):
            plain_log_axis(axis)
        ax.set(xlabel="mean squared error", title=title)
    axes[0].set_ylabel(name)
    fig.legend(loc="outside lower center", ncols=4, fontsize=8)
    return fig


def _at(rows: Sequence[dict], ruler: str) -> tuple[list[float], list[float]]:
    """Errors and perceptual distances of rows, in the order of their levels."""
    return [row["mse"] for row in rows], [row[ruler] for row in rows]


def _look(way: str, line: bool = False) -> dict[str, str]:
    """Ink of a way by what it starts from; marker and dashes by how it goes on."""
    starts = [ink for name, ink in INKS.items() if way.startswith(name)]
    kinds = {"alone": "^", "state": "D", "consistent": "X", "DDIM": "o", "DDPM": "s"}
    marker = next(mark for word, mark in kinds.items() if word in way)
    look = {"color": COLORS[starts[0] if starts else "black"], "marker": marker}
    if "state" in way or "consistent" in way:
        look["fillstyle"] = "none" if "DDPM" in way else "full"
    return look | ({"ls": "--" if "DDPM" in way else "-"} if line else {})
