"""The figure of a trial: what each change does to a distance, with both intervals."""

import math
from collections.abc import Sequence
from statistics import fmean
from typing import Any

from diffutils.course.experiments.effects import MARGIN, Effect, held, percent
from diffutils.viz.paper import COLORS, figure, style

BAND = "#E8E8E8"
BARS = ((0.95, 1.2, "leaves out 0?"), (0.9, 4.0, "in the band?"))  # level, width, what it asks
MEAN = {"markersize": 8, "markerfacecolor": "white", "markeredgewidth": 1.6, "zorder": 3}
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
                runs, look = [*x.runs.values()], dict(color=COLORS[color], linestyle="none")
                ax.plot(fmean(runs), y, marker, label=f"{x.by}: mean", **look, **MEAN)
                ax.plot(runs, [y + 0.3] * len(runs), ".", markersize=5, zorder=4, **look)
                ends += runs

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


def _legend(fig, ax) -> None:
    """One legend below the axes, each label once."""
    unique = {}
    for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
        unique.setdefault(label, handle)
    fig.legend(unique.values(), unique.keys(), loc="outside lower center", ncols=4)
