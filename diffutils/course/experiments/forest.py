"""Figures of a trial: what each change does to a distance, and how near each arm comes."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from diffutils.course.experiments.charts import one_count
from diffutils.course.experiments.effects import MARGIN, Effect, held, percent
from diffutils.course.experiments.rows import where
from diffutils.viz.paper import COLORS, figure, style
from diffutils.viz.plots import plain_log_axis

BAND = "#E8E8E8"
AMID = {"ha": "center", "va": "center"}
BARS = ((0.95, 1.2, "leaves out 0?"), (0.9, 4.0, "in the band?"))  # level, width, what it asks
LOOKS = (("orange", "s"), ("blue", "o"), ("vermilion", "D"), ("green", "^"), ("purple", "v"))
# Relative changes that may be marked, those that matter most first; the axis keeps what has room.
CHANGES = (0, 0.1, -0.1, -0.2, 0.2, 0.5, -0.5, 1, -0.8, 4, -0.9, 9, -0.99, 99, -0.999, 999, 9999)


def forest(effects: Sequence[Effect], family: Sequence[Effect] | None = None) -> Any:
    """Figure of relative changes of the distance: a row for each effect, nearer to the left.

    Large markers are means over runs, small dots the runs.  Thin bars are the 95 % intervals: those
    that leave out 0 are nearer or farther.  Thick bars are the 90 % intervals: those in the grey
    band are equivalent within a tenth.  Colours tell `by` apart; the axis is logarithmic.
    family: all that are asked together (None: these); verdicts as in `effects.held`.
    Raises: ValueError for no effects, or differences that are not relative.
    """
    if not effects or not all(x.relative for x in effects):
        raise ValueError("there are no relative effects to draw; make some with effects.effect")
    looks = dict(zip(dict.fromkeys(x.by for x in effects), LOOKS * len(effects), strict=False))
    with style():
        fig, ax = figure(width=8.6, height=1.5 + 0.3 * len(effects))
        ax.axvspan(-MARGIN, MARGIN, color=BAND, linewidth=0, zorder=0, label="within a tenth")
        ax.axvline(0, color=COLORS["black"], linewidth=1.0, zorder=1)

        # Draw the row of each effect.
        ends = [-1.5 * MARGIN, 1.5 * MARGIN]
        for y, (x, verdict) in enumerate(zip(effects, held(effects, family), strict=True)):
            ax.text(1.01, y, verdict, transform=ax.get_yaxis_transform(), va="center")
            color, marker = looks[x.by]
            for level, width, asks in BARS if len(x.runs) > 1 else ():
                _, low, high, _ = x.interval(level)
                ax.hlines(y, low, high, color=COLORS[color], linewidth=width, zorder=2)
                label = f"{level:.0%} interval: {asks}"
                ax.plot([], [], color=COLORS["black"], linewidth=width, label=label)
                ends += [low, high]
            if x.runs:
                _dots(ax, y, [*x.runs.values()], color, marker, f"{x.by}: mean", below=0.3)
                ends += x.runs.values()

        # Name everything.
        low, high = min(ends), max(ends)
        air = 0.04 * (high - low)
        ax.set(xlim=(low - air, high + air), ylim=(len(effects) - 0.4, -0.6))
        ax.set_yticks(range(len(effects)), [f"{x.name} ({x.by})" for x in effects])
        ax.set_xlabel("change of the Fréchet distance\n← nearer to held-out images      farther →")
        ax.grid(axis="y", visible=False)
        _legend(fig, ax)
        _mark_changes(fig, ax)
    return fig


def arms(
    rows: Sequence[dict], names: Sequence[str], panels: Mapping[str, Mapping[str, Mapping]]
) -> Any:
    """Figure of the Fréchet distance over the floor by arm, in one panel for each solver.

    names: of arms, from above; those without rows are left out.  panels: solver -> walk in words ->
    entries of its rows.  Large markers are means, small dots the rows.
    Raises: ValueError for no rows, or rows of several N.
    """
    # Say what cannot be drawn.
    n = one_count(rows)
    if not panels:
        raise ValueError("there are no panels to draw; give one for each solver")
    names = [name for name in names if where(rows, arm=name)]
    walks = [*dict.fromkeys(walk for panel in panels.values() for walk in panel)]
    # Draw a panel for each solver.
    with style():
        fig, axes = figure(
            1, len(panels), 8.6 / len(panels), 1.5 + 0.34 * len(names),
            squeeze=False, sharey=True, sharex=True,
        )  # fmt: skip
        drawn = []
        for ax, (solver, panel) in zip(axes.flat, panels.items(), strict=True):
            for y, name in enumerate(names):
                for walk, entries in panel.items():
                    own, i = where(rows, arm=name, **entries), walks.index(walk)
                    ratios = [row["frechet"] / row["frechet_floor"] for row in own]
                    if ratios := [ratio for ratio in ratios if ratio > 0]:  # nan is none
                        drawn += ratios
                        color, marker = LOOKS[i % len(LOOKS)]
                        _dots(ax, y + (0.14 if i % 2 else -0.14), ratios, color, marker, walk)
            ax.set(title=solver, ylim=(len(names) - 0.4, -0.6))
            ax.set_xlabel(f"Fréchet distance / floor, N = {n:,}")
        for ax in axes.flat:
            if drawn:
                plain_log_axis(ax.xaxis, subs=(1, 1.5, 2, 3, 5, 7))
            else:
                ax.text(0.5, 0.5, f"not run: N = {n} is too few", **AMID, transform=ax.transAxes)
        axes[0, 0].set_yticks(range(len(names)), names)
        _legend(fig, *axes.flat)
    return fig


def _dots(ax, y: float, values: list[float], color: str, marker: str, label: str, below=0.0):
    """The mean of the values at height y, and each of them there or a little below."""
    look = dict(color=COLORS[color], linestyle="none")
    mean = dict(markersize=8, markerfacecolor="white", markeredgewidth=1.6, zorder=3)
    ax.plot(fmean(values), y, marker, label=label, **look, **mean)
    ax.plot(values, [y + below] * len(values), ".", markersize=5, zorder=4, **look)


def _mark_changes(fig, ax) -> None:
    """Marks at round changes, those near 0 first, as many as have room side by side."""
    low, high = ax.get_xlim()
    marks = {math.log1p(x): percent(math.log1p(x)).replace(".0%", "%") for x in CHANGES}
    marks = {x: words if x else "0" for x, words in marks.items() if low <= x <= high}
    ax.set_xticks([*marks], [*marks.values()])
    fig.draw_without_rendering()  # measures the labels
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    kept = {}
    for place, box in zip(marks, boxes, strict=True):
        air = box.height  # about as wide as two digits
        if all(box.x0 > other.x1 + air or box.x1 + air < other.x0 for other in kept.values()):
            kept[place] = box
    ax.set_xticks(sorted(kept), [marks[place] for place in sorted(kept)])


def _legend(fig, *axes) -> None:
    """One legend below all axes, each label once."""
    unique = {}
    for ax in axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            unique.setdefault(label, handle)
    fig.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=4)
