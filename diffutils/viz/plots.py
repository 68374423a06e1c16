"""Curves, losses and bars in the style of the course, and logarithmic axes to read."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffutils.viz.images import array, is_math
from diffutils.viz.paper import COLORS, figure, style

DASHES = ("-", "--", "-.", ":")
BARS = 40  # in one figure
MOST_DECADES = 7  # with numbers without exponents
NAMED = 20  # in one legend, ten a column


@style()
def curves(
    lines: Mapping[str, tuple[Any, Any]],
    x: str = "",
    y: str = "",
    title: str = "",
    log: str = "",
    ax: Any = None,
) -> Any:
    """Figure of named curves, name -> (xs, ys), told apart by colour and by dashes.

    `log` names the logarithmic axes: "", "x", "y" or "xy". With `ax` they are drawn into it.
    Of many curves the legend names the first, and says how many.
    Raises: ValueError for a curve with more xs than ys, or fewer.
    """
    ax = figure(width=5.2, height=3.0)[1] if ax is None else ax
    for i, (name, (xs, ys)) in enumerate(lines.items()):
        ax.plot(*_line(name, xs, ys), label=name, **_look(i))
    if len(lines) > 1:
        _legend(ax, ax)
    return _label(ax, x, y, title, log)


@style()
def loss_curves(
    losses: Mapping[str, tuple[Any, Any]],
    log: str = "y",
    band: tuple[float, float] | None = None,
    smooth: int | None = None,
    title: str = "",
    ax: Any = None,
) -> Any:
    """Figure of losses by training step, name -> (steps, losses): raw values faint, means bold.

    A mean is over `smooth` neighbouring values, by default a twentieth of them; fewer than 40
    values are drawn as they are, with a dot each. `band` (low, high) shades the expected last loss.
    Raises: ValueError as `curves`.
    """
    ax = figure(width=5.2, height=3.0)[1] if ax is None else ax
    for i, (name, (steps, values)) in enumerate(losses.items()):
        (steps, values), look = _line(name, steps, values), _look(i)
        width = smooth or (len(values) // 20 if len(values) >= 40 else 1)
        width = min(width, len(values))
        if width > 1:
            ax.plot(steps, values, color=look["color"], alpha=0.3, linewidth=0.8)
            window = np.ones(width) / width
            steps, values = (np.convolve(v, window, "valid") for v in (steps, values))
        else:
            look |= {"marker": "o", "markersize": 3}
        ax.plot(steps, values, label=name, **look)
    if band is not None:
        ax.axhspan(*band, color=COLORS["sky"], alpha=0.3, linewidth=0, label="expected at the end")
    _legend(ax, ax)
    return _label(ax, "training step", "loss", title, log)


@style()
def bars(
    values: Mapping[str, Any],
    x: str = "",
    title: str = "",
    reference: Mapping[str, float] | None = None,
    ax: Any = None,
) -> Any:
    """Figure of a horizontal bar per label: a number, or (value, low, high) with its interval.

    `reference` draws named vertical lines, such as a published value or the real-vs-real floor.
    Of many bars the first are drawn, and the title says so; one that is not finite is written only.
    Raises: ValueError for a value that is neither one number nor three.
    """
    # Take as many as have room.
    reference, count = reference or {}, len(values)
    if count > BARS:
        values = dict(itertools.islice(values.items(), BARS))
        title = f"{title} ({first(BARS, count)})" if title else first(BARS, count)
    if ax is None:
        named = min(len(reference), NAMED)
        ax = figure(width=5.6, height=0.8 + 0.32 * (len(values) + named))[1]
    # Draw the bars, their intervals and what they are compared with.
    for row, (name, value) in enumerate(values.items()):
        value, low, high = _interval(name, value)
        ax.barh(row, value if math.isfinite(value) else 0, height=0.6, color=COLORS["sky"])
        if low < high:
            ax.errorbar(value, row, xerr=[[value - low], [high - value]], color="black", capsize=4)
        place = {"textcoords": "offset points", "va": "center", "size": 8}
        end = max(value, high) if math.isfinite(value) else 0
        ax.annotate(f"{value:.3g}", (end, row), (6, 0), **place)
    for i, (name, value) in enumerate(reference.items(), start=3):
        ax.axvline(value, label=f"{name}: {value:.3g}", **_look(i))
    # Name everything.
    ax.set_yticks(range(len(values)), list(values))
    for tick in ax.get_yticklabels():
        tick.set_parse_math(is_math(tick.get_text()))
    ax.invert_yaxis()
    ax.grid(axis="y", visible=False)
    ax.margins(x=0.15)
    if reference:
        _legend(ax, ax.figure, loc="outside lower center", ncols=2)
    return _label(ax, x, "", title, "")


def plain_log_axis(
    axis: Any,
    subs: Sequence[float] = (1, 2, 5),
    ticks: Sequence[float] | None = None,
    linear_to: float = 0.0,
) -> None:
    """Makes ax.xaxis or ax.yaxis logarithmic, with numbers without exponents: 0.1, 10, 1,000.

    They stand at `subs` times each power of ten, or only at `ticks`. For values that may be 0 or
    below: the axis is linear up to `linear_to`, and numbers stand where Matplotlib wants them.
    """
    from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullLocator

    set_scale = getattr(axis.axes, f"set_{axis.axis_name}scale")
    if linear_to:
        set_scale("symlog", linthresh=linear_to)
    else:
        set_scale("log")
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_minor_locator(NullLocator())
    if ticks is not None:
        axis.set_major_locator(FixedLocator(sorted(ticks)))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))


def _log(axis: Any) -> None:
    """Makes an axis logarithmic: with plain numbers, as many as its range has room for; of very
    many decades only powers of ten.
    """
    values = np.abs([v for v in axis.get_data_interval() if v])
    decades = float(np.ptp(np.log10(values))) if len(values) else 0.0
    if decades > MOST_DECADES:
        getattr(axis.axes, f"set_{axis.axis_name}scale")("log")
        return
    subs = (1,) if decades > 2.5 else (1, 2, 5) if decades > 0.6 else (1, 1.2, 1.5, *range(2, 10))
    plain_log_axis(axis, subs)


def _line(name: str, xs: Any, ys: Any) -> tuple[np.ndarray, np.ndarray]:
    xs, ys = array(xs), array(ys)
    if xs.shape[:1] != ys.shape[:1] or not xs.shape:
        found = f"the shapes {xs.shape} of its xs and {ys.shape} of its ys differ"
        raise ValueError(f"{name}: {found}; a curve needs a y for each x.")
    return xs, ys


def _interval(name: str, value: Any) -> tuple[float, float, float]:
    """A value and its interval, which is the value alone where none is given."""
    try:
        numbers = array(value).astype(float).reshape(-1).tolist()
    except (ValueError, TypeError, OverflowError):
        numbers = []
    middle, low, high = (numbers * 3)[:3] if len(numbers) in (1, 3) else (0, 1, 0)
    if middle < low or middle > high:
        raise ValueError(f"{name} is {value!r}, expected one number, or a value with low and high")
    return middle, low, high


def first(shown: int, count: int) -> str:
    """What is said where there is no room for all."""
    return f"the first {shown:,} of {count:,}"


def _legend(ax: Any, holder: Any, **settings: Any) -> None:
    """A legend in a figure or its axes of what the axes hold, of the first where they are many."""
    handles, labels = ax.get_legend_handles_labels()
    if len(labels) > NAMED:
        settings["title"] = first(NAMED, len(labels))
    shown = min(len(labels), NAMED)
    settings = {"ncols": 1 + max(0, shown - 1) // 10} | settings
    legend = holder.legend(handles[:NAMED], labels[:NAMED], **settings)
    for text in legend.get_texts():
        text.set_parse_math(is_math(text.get_text()))


def _look(i: int) -> dict[str, Any]:
    return {"color": list(COLORS.values())[i % len(COLORS)], "linestyle": DASHES[i % len(DASHES)]}


def _label(ax: Any, x: str, y: str, title: str, log: str) -> Any:
    ax.set(xlabel=x, ylabel=y, title=title)
    for axis in log:
        _log(getattr(ax, f"{axis}axis"))
    for text in (ax.xaxis.label, ax.yaxis.label, ax.title):
        text.set_parse_math(is_math(text.get_text()))
    return ax.figure
