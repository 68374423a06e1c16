"""The rows of a sweep as a chart and as a table: quality against network evaluations."""

from collections.abc import Sequence
from statistics import mean, median
from typing import Any

from diffutils.course.tables import aligned
from diffutils.viz.display import COLORS, figure, style

SKIP = "steps skipped, formula kept"


DDIM, DDPM = "DDIM, η = 0", "DDPM, η = 1"


METRICS = {"frechet": "Fréchet distance", "kernel": "kernel distance"}


# colour, dashes, marker; the middle ones are for the etas between 0 and 1, in turn
LOOKS = {DDIM: ("blue", "-", "o"), DDPM: ("orange", "-.", "s"), SKIP: ("vermilion", ":", "X")}


BETWEEN = (
    ("green", (0, (5, 1)), "^"),
    ("purple", (0, (3, 1, 1, 1, 1, 1)), "D"),
    ("sky", (0, (1, 1)), "v"),
)


# of other samplers: those that no line above has taken, in turn
OTHERS = (
    ("blue", "o"),
    ("vermilion", "X"),
    ("green", "^"),
    ("orange", "s"),
    ("purple", "D"),
    ("sky", "v"),
    ("black", "P"),
)


def sampler_words(row: dict) -> str:
    """The sampler of a row of `sweep`, as chart and table call it."""
    if row["sampler"] == "unspaced skip":
        return SKIP
    if row["sampler"] != "respaced":
        return row["sampler"]
    return {0.0: DDIM, 1.0: DDPM}.get(row["eta"], f"η = {row['eta']:g}")


def ratio(row: dict, metric: str = "frechet") -> float:
    """A row's Fréchet distance ("frechet", "frechet_train") over the floor, real against real."""
    return row[metric] / row["frechet_floor"]


def one_count(rows: Sequence[dict]) -> int:
    """The number of images N that all rows of a sweep have.

    Raises: ValueError for no rows, or rows of several N, whose distances do not compare.
    """
    counts = sorted({row["N"] for row in rows})
    if not counts:
        raise ValueError("there are no rows; run a sweep, or read recorded rows, first")
    if len(counts) > 1:
        raise ValueError(
            f"the rows have N = {', '.join(map(str, counts))}, but a distance depends on N; "
            "take rows of one N"
        )
    return counts[0]


def quality_against_calls(rows: Sequence[dict], metric: str = "frechet", ax: Any = None) -> Any:
    """Figure of a distance by network evaluations for an image: a line for each sampler and eta.

    rows: of `sweep`; metric: "frechet" or "kernel".  A line goes through the means over all rows of
    one setting (sampling seeds, trainings), each row is a small dot, and a dashed line is the
    floor, which is 0 for the kernel distance.  Both axes are logarithmic; around 0 y is linear.
    "Euler, G" is dashed, "Heun, G" and other samplers are solid, and a grid G has one colour and
    marker.  With `ax` all is drawn into it.
    Raises: ValueError for no rows, or rows of several N.
    """
    n = one_count(rows)
    lines = _grouped(rows, sampler_words)
    looks = _looks(dict.fromkeys(map(sampler_words, rows)))
    with style():
        height = 3.6 + 0.35 * max(0, len(looks) // 2 - 3)  # a longer legend, more lines
        ax = figure(width=6.0, height=height)[1] if ax is None else ax
        floor, words = 0.0, "0: no difference"  # the kernel distance has no bias
        if metric == "frechet":
            floor = mean(row["frechet_floor"] for row in rows)
            words = f"floor: real against real, N = {n:,}"
        _number_axes(ax, {row["nfe"] for row in rows}, [floor, *(row[metric] for row in rows)])
        for name, look in looks.items():
            _draw_line(ax, name, lines[name], metric, *look)
        ax.axhline(floor, color=COLORS["black"], linestyle=(0, (6, 4)), linewidth=1.0, label=words)
        ax.set(
            xlabel="network evaluations for an image",
            ylabel=f"{METRICS[metric]}\nto held-out images",
        )
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2, handlelength=3.2)
        return ax.figure


def table(rows: Sequence[dict]) -> str:
    """A text table: a line for each sampler, eta and steps, its numbers the means over its rows.

    rows: of `sweep`.  The range of the kernel distance is from the lowest low to the highest high
    of the rows; "/ floor" is the Fréchet distance over that of real against real images.  Of the
    times it is the median: a machine may have been busy.
    Raises: ValueError for no rows, or rows of several N.
    """
    one_count(rows)
    lines = [
        (
            "sampler",
            "steps",
            "NFE",
            "Fréchet",
            "/ floor",
            "kernel (range)",
            "precision",
            "recall",
            "agreement",
            "ms / image",
            "rows",
        )
    ]
    by_sampler = _grouped(rows, sampler_words)
    for name in _looks(dict.fromkeys(map(sampler_words, rows))):
        settings = _grouped(by_sampler[name], lambda row: (row["steps"], row["nfe"]))
        lines += [_line(name, settings[setting]) for setting in settings]
    return aligned(lines)


def _draw_line(ax, name: str, rows: list[dict], metric: str, color: str, dashes, marker: str):
    """A line through the means at each number of calls, and a dot for every row."""
    color = COLORS[color]
    points = _grouped(rows, lambda row: row["nfe"])
    means = [mean(row[metric] for row in points[x]) for x in points]
    ax.plot(
        list(points),
        means,
        label=name,
        color=color,
        linestyle=dashes,
        linewidth=1.6,
        marker=marker,
        markersize=7,
        markerfacecolor="white",
        zorder=3,
    )
    ax.scatter(
        [row["nfe"] for row in rows],
        [row[metric] for row in rows],
        s=6,
        color=color,
        linewidths=0,
        zorder=4,
    )


def _line(name: str, rows: list[dict]) -> tuple[str, ...]:
    agreements = [row["agreement"] for row in rows if row["agreement"] is not None]
    low, high = min(row["kernel_low"] for row in rows), max(row["kernel_high"] for row in rows)
    return (
        name,
        _plain(rows[0]["steps"]),
        _plain(rows[0]["nfe"]),
        _digits(mean(row["frechet"] for row in rows)),
        f"{mean(map(ratio, rows)):.1f}",
        f"{_digits(mean(row['kernel'] for row in rows))} ({_digits(low)} to {_digits(high)})",
        f"{mean(row['precision'] for row in rows):.2f}",
        f"{mean(row['recall'] for row in rows):.2f}",
        f"{mean(agreements):.1%}" if agreements else "-",
        _digits(1000 * median(row["seconds_per_image"] for row in rows)),
        str(len(rows)),
    )


def _grouped(rows: Sequence[dict], key) -> dict[Any, list[dict]]:
    """Rows by their key, the smallest key first."""
    return {k: [row for row in rows if key(row) == k] for k in sorted({key(row) for row in rows})}


def _looks(names) -> dict[str, tuple]:
    """The look of each sampler, from DDIM by rising eta to DDPM, the published skip, the others."""
    between = sorted((name for name in names if name.startswith("η")), key=lambda s: float(s[4:]))
    looks = LOOKS | {name: BETWEEN[i % len(BETWEEN)] for i, name in enumerate(between)}
    looks = {name: looks[name] for name in (DDIM, *between, DDPM, SKIP) if name in names}
    taken = {color for color, _, _ in looks.values()}
    free = [look for look in OTHERS if look[0] not in taken] or OTHERS
    others = [name for name in names if name not in looks]
    grids = {grid: i for i, grid in enumerate(dict.fromkeys(map(_grid, others)))}
    for name in others:
        color, marker = free[grids[_grid(name)] % len(free)]
        looks[name] = color, (0, (4, 2)) if name.startswith("Euler, ") else "-", marker
    return looks


def _grid(name: str) -> str:
    """The grid of "Heun, grid" or "Euler, grid"; of another sampler its name."""
    return name.removeprefix("Heun, ").removeprefix("Euler, ")


def _number_axes(ax: Any, calls: set[float], values: list[float]) -> None:
    """Logarithmic axes with plain numbers, x with a tick at each number of calls."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    ax.set_xscale("log")
    ax.set_xticks(sorted(calls), [_plain(x) for x in sorted(calls)])
    ax.xaxis.set_minor_locator(NullLocator())
    if min(values) > 0:
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        ax.yaxis.set_minor_locator(NullLocator())
    elif max(values) > 0:
        # linear up to a hundredth of the largest: what lies around 0 is noise, not decades
        ax.set_yscale("symlog", linthresh=max(values) / 100)
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: _plain(value)))


def _digits(value: float) -> str:
    """Three significant digits, but all digits before the point: 0.0123, 11.0, 1,234."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"


def _plain(value: float) -> str:
    """A number as it is, without an exponent: 0.1, 10, 1,000."""
    return f"{value:,.10g}"
