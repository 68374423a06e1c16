"""Figures of lesson 04's trial: what each place of phi* changes, and how near each arm comes."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from diffutils.course.experiments.charts import one_count, ratio
from diffutils.course.experiments.effects import MARGIN, SOLVERS, Finding, walk_of
from diffutils.lessons.lesson04.arms import ARMS
from diffutils.lessons.lesson04.claims import percent
from diffutils.viz.display import COLORS, figure, style

BAND = "#E8E8E8"


SOLVER_LOOKS = {"Euler": ("orange", "s"), "Heun": ("blue", "o")}


WALKS = {  # colour and marker of each walk, and its words
    "EDM": ("blue", "o", "EDM's grid"),
    "phi": ("vermilion", "D", "phi*'s grid"),
    "eta 0": ("green", "^", "DDPM's levels, η = 0"),
    "eta 1": ("purple", "v", "DDPM's levels, η = 1"),
}


# relative changes that may be marked, by how near they are to 0
CHANGES = (
    0,
    0.1,
    -0.1,
    -0.2,
    0.2,
    0.3,
    -0.3,
    0.5,
    -0.5,
    1,
    -0.7,
    2,
    -0.8,
    4,
    -0.9,
    9,
    -0.95,
    19,
    -0.98,
    49,
    -0.99,
    99,
    -0.999,
    999,
    -0.9999,
    9999,
)


def forest(findings: Sequence[Finding]) -> Any:
    """Figure of relative changes of the distance: a row for each finding, nearer to the left.

    findings: of `effects` or `contrasts`.  The large marker is the mean over trainings, the bar
    its 95 % interval, a small dot each training; the grey band is where two are equivalent within
    a tenth; the verdict stands at the right.  The axis is logarithmic, so that half and twice as
    far stand equally far from 0.
    Raises: ValueError for no findings.
    """
    if not findings:
        raise ValueError("there are no findings; take those of effects(rows) or contrasts(rows)")
    with style():
        fig, ax = figure(width=8.6, height=1.3 + 0.3 * len(findings))
        ax.axvspan(
            -MARGIN, MARGIN, color=BAND, linewidth=0, zorder=0, label="equivalent within a tenth"
        )
        ax.axvline(0, color=COLORS["black"], linewidth=1.0, zorder=1)
        for y, x in enumerate(findings):
            _finding(ax, y, x)
        ends = [v for x in findings for v in (x.low, x.high, *x.runs.values()) if v == v]
        low, high = min([*ends, -1.5 * MARGIN]), max([*ends, 1.5 * MARGIN])
        air = 0.04 * (high - low)
        ax.set(xlim=(low - air, high + air), ylim=(len(findings) - 0.4, -0.6))
        ax.set_yticks(range(len(findings)), [f"{x.name} ({x.solver})" for x in findings])
        ax.set_xlabel("change of the Fréchet distance\n← nearer to held-out images      farther →")
        ax.grid(axis="y", visible=False)
        _legend(fig, ax, 3)
        _ticks(fig, ax, low, high)
    return fig


def arms(rows: Sequence[dict]) -> Any:
    """Figure of the Fréchet distance over the floor by arm: a panel for Euler and one for Heun.

    rows: of `edm_arms.arm_rows`.  The large marker is the mean over trainings, a small dot each
    row; the DDPM arm, drawn on its own levels, is the same in both panels.  The axis is
    logarithmic.
    Raises: ValueError for no rows, or rows of several N.
    """
    n = one_count(rows)
    names = [name for name in ARMS if any(row["arm"] == name for row in rows)]
    with style():
        fig, axes = figure(1, 2, 4.3, 1.5 + 0.34 * len(names), sharey=True, sharex=True)
        for ax, solver in zip(axes, SOLVERS, strict=True):
            for y, name in enumerate(names):
                own = [row for row in rows if row["arm"] == name]
                for walk in WALKS:
                    values = [ratio(r) for r in own if walk_of(r) in (walk, f"{solver}, {walk}")]
                    _dots(ax, y, values, walk)
            ax.set(xscale="log", title=solver, ylim=(len(names) - 0.4, -0.6))
            ax.set_xlabel(f"Fréchet distance / floor, N = {n:,}")
            if "DDPM" in names:
                ax.axhline(len(names) - 1.5, color=BAND, linewidth=1.5, zorder=0)
        _ratio_axis(axes[0])
        axes[0].set_yticks(range(len(names)), names)
        _legend(fig, axes[0], 4)
    return fig


def _finding(ax: Any, y: int, x: Finding) -> None:
    color, marker = SOLVER_LOOKS[x.solver]
    color = COLORS[color]
    ax.text(1.01, y, x.verdict, transform=ax.get_yaxis_transform(), va="center")
    if not x.runs:
        return
    if len(x.runs) > 1:
        ax.hlines(y, x.low, x.high, color=color, linewidth=2.2, zorder=2)
    ax.plot(
        x.mean,
        y,
        marker,
        color=color,
        markersize=9,
        markerfacecolor="white",
        markeredgewidth=1.8,
        zorder=3,
        label=f"{x.solver}: mean and 95 % interval",
        linestyle="none",
    )
    ax.plot([*x.runs.values()], [y + 0.28] * len(x.runs), ".", color=color, markersize=5, zorder=4)


def _dots(ax: Any, y: int, values: list[float], walk: str) -> None:
    """The mean of the values, and each of them, a little above or below the line of the arm."""
    if not values:
        return
    color, marker, words = WALKS[walk]
    height = y + {"EDM": -0.14, "eta 0": -0.14}.get(walk, 0.14)
    ax.plot(
        fmean(values),
        height,
        marker,
        color=COLORS[color],
        markersize=8,
        label=words,
        markerfacecolor="white",
        markeredgewidth=1.6,
        linestyle="none",
        zorder=3,
    )
    ax.plot(values, [height] * len(values), ".", color=COLORS[color], markersize=5, zorder=4)


def _ticks(fig: Any, ax: Any, low: float, high: float) -> None:
    """Marks at round changes from low to high, those near 0 first, as many as have room."""
    places = [v for v in map(math.log1p, CHANGES) if low <= v <= high]
    _mark(ax, places)
    fig.draw_without_rendering()  # the widths of the labels, and of the panel between its texts
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    air = boxes[0].height  # about as wide as two digits
    kept: list[int] = []
    for i, box in enumerate(boxes):
        if all(box.x0 > boxes[j].x1 + air or box.x1 + air < boxes[j].x0 for j in kept):
            kept.append(i)
    _mark(ax, sorted(places[i] for i in kept))


def _mark(ax: Any, places: Sequence[float]) -> None:
    ax.set_xticks(places, [percent(v).replace(".0%", "%") if v else "0" for v in places])


def _ratio_axis(ax: Any) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _legend(fig: Any, ax: Any, columns: int) -> None:
    handles, labels = ax.get_legend_handles_labels()
    unique = dict(zip(labels, handles, strict=True))
    fig.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=columns)
