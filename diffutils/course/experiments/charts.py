"""Rows of experiments as a chart, quality against network evaluations, and as tables."""

from collections.abc import Mapping, Sequence
from statistics import mean, median
from typing import Any

from diffutils.course.experiments.claims import over_trainings
from diffutils.course.experiments.effects import Effect, held
from diffutils.course.experiments.rows import check, group, where
from diffutils.course.tables import aligned
from diffutils.viz.paper import COLORS, figure, style
from diffutils.viz.plots import plain_log_axis

DDIM, DDPM, SKIP = "DDIM, η = 0", "DDPM, η = 1", "steps skipped, formula kept"
SHOWN = "steps kernel kernel_low kernel_high precision recall agreement seconds_per_image".split()
METRICS = {"frechet": "Fréchet distance", "kernel": "kernel distance"}
# Colour, dashes, marker: of samplers with a name, of etas between 0 and 1, and of any others.
LOOKS = {DDIM: ("blue", "-", "o"), DDPM: ("orange", "-.", "s"), SKIP: ("vermilion", ":", "X")}
BETWEEN = (
    ("green", (0, (5, 1)), "^"),
    ("purple", (0, (3, 1, 1, 1, 1, 1)), "D"),
    ("sky", (0, (1, 1)), "v"),
)
OTHERS = (*LOOKS.values(), *BETWEEN, ("black", "-", "P"))


def one_count(rows: Sequence[dict]) -> int:
    """The number of images N that all rows have.

    Raises: ValueError for no rows, or rows of several N, whose distances do not compare.
    """
    check(rows, "N", "sampler", "eta", "nfe", "frechet", "frechet_floor")
    counts = sorted({row["N"] for row in rows})
    if not counts:
        raise ValueError("there are no rows; run a sweep, or read recorded rows, first")
    if len(counts) > 1:
        found = ", ".join(map(str, counts))
        raise ValueError(f"the rows have N = {found}, but a distance depends on N; take one N")
    return counts[0]


def quality_against_calls(rows: Sequence[dict], metric: str = "frechet", ax: Any = None) -> Any:
    """Figure of a distance by network evaluations for an image: a line for each sampler and eta.

    rows: of `sweep`; metric: "frechet" or "kernel"; ax: to draw into.  A line goes through the
    means over all rows of one setting, each row is a small dot; dashed is the floor, 0 for the
    kernel distance.  Both axes are logarithmic; around 0 y is linear.  "Euler, G" is dashed,
    "Heun, G" solid, and a grid G has one colour and marker.
    Raises: ValueError for no rows, or rows of several N.
    """
    n = one_count(rows)
    if metric not in METRICS:
        raise ValueError(f"there is no metric {metric!r}; choose from {', '.join(METRICS)}")
    lines = _by_sampler(rows)
    floor, words = 0.0, "0: no difference"  # the kernel distance has no bias
    if metric == "frechet":
        floor = mean(row["frechet_floor"] for row in rows)
        words = f"floor: real against real, N = {n:,}"
    with style():
        height = 3.6 + 0.35 * max(0, len(lines) // 2 - 3)  # a longer legend, more lines
        ax = figure(width=6.0, height=height)[1] if ax is None else ax

        # Scale the axes.
        values = [floor, *(row[metric] for row in rows)]
        plain_log_axis(ax.xaxis, ticks={row["nfe"] for row in rows})
        if max(values) > 0:  # linear up to a hundredth of the largest: what lies around 0 is noise
            linear_to = 0.0 if min(values) > 0 else max(values) / 100
            plain_log_axis(ax.yaxis, linear_to=linear_to)

        # Draw a line through the means of each sampler, and a dot for every row.
        for name, (color, dashes, marker) in _looks(lines).items():
            points = sorted(group(lines[name], "nfe").items())
            means = [mean(row[metric] for row in own) for _, own in points]
            look = dict(color=COLORS[color], linestyle=dashes, linewidth=1.6, zorder=3)
            look |= dict(marker=marker, markersize=7, markerfacecolor="white")
            ax.plot([nfe for (nfe,), _ in points], means, label=name, **look)
            dots = [(row["nfe"], row[metric]) for row in lines[name]]
            ax.scatter(*zip(*dots, strict=True), s=6, color=COLORS[color], linewidths=0, zorder=4)

        # Name everything.
        ax.axhline(floor, color=COLORS["black"], linestyle=(0, (6, 4)), linewidth=1.0, label=words)
        ax.set_xlabel("network evaluations for an image")
        ax.set_ylabel(f"{METRICS[metric]}\nto held-out images")
        ax.legend(loc="upper center", bbox_to_anchor=(0.45, -0.17), ncols=2, handlelength=3.2)
        return ax.figure


def _by_sampler(rows: Sequence[dict]) -> dict[str, list[dict]]:
    """Rows by sampler: from DDIM by rising eta to DDPM, the published skip, others as they come."""
    lines = {}
    for (name, eta), own in group(rows, "sampler", "eta").items():
        respaced = {0.0: DDIM, 1.0: DDPM}.get(eta, f"η = {eta:g}")
        name = {"respaced": respaced, "unspaced skip": SKIP}.get(name, name)
        lines[name] = lines.get(name, []) + own
    named = [DDIM, *sorted(name for name in lines if name.startswith("η")), DDPM, SKIP, *lines]
    return {name: lines[name] for name in dict.fromkeys(named) if name in lines}


def _looks(names: Sequence[str]) -> dict[str, tuple]:
    """Colour, dashes and marker of each sampler; the two solvers on one grid share two of them."""
    between = [name for name in names if name.startswith("η")]
    looks = LOOKS | {name: BETWEEN[i % len(BETWEEN)] for i, name in enumerate(between)}
    looks = {name: looks[name] for name in names if name in looks}
    taken = {color for color, _, _ in looks.values()}
    free = [look for look in OTHERS if look[0] not in taken] or OTHERS
    grids = {}
    for name in names:
        if name not in looks:
            grid = name.removeprefix("Heun, ").removeprefix("Euler, ")
            color, _, marker = free[grids.setdefault(grid, len(grids)) % len(free)]
            looks[name] = color, (0, (4, 2)) if name.startswith("Euler, ") else "-", marker
    return looks


def table(rows: Sequence[dict], metric: str = "frechet") -> str:
    """A text table of a distance by sampler (lines) and network evaluations (columns).

    rows: of `sweep`.  metric: "frechet", over the floor, a cell as in `crossed`; "kernel", the mean
    kernel distance, whose size does not depend on N.  All other numbers: `full_table`.
    Raises: ValueError for no rows, or rows of several N, or another metric.
    """
    one_count(rows)
    if metric not in METRICS:
        raise ValueError(f"there is no metric {metric!r}; choose from {', '.join(METRICS)}")
    walks = {f"{nfe:,.10g}": {"nfe": nfe} for nfe in sorted({row["nfe"] for row in rows})}
    cells = _ratios if metric == "frechet" else _kernels
    lines = [(name, *cells(own, walks)) for name, own in _by_sampler(rows).items()]
    head = "Fréchet / floor" if metric == "frechet" else "kernel distance"
    return aligned([(f"{head}, by NFE", *walks), *lines])


def full_table(rows: Sequence[dict]) -> str:
    """A wide text table, for a fold: a line for each sampler and steps, the means over its rows.

    rows: of `sweep`.  The range of the kernel distance is from the lowest low to the highest high
    of the rows; of the times it is the median: a machine may have been busy.
    Raises: ValueError for no rows, or rows of several N.
    """
    one_count(rows)
    check(rows, *SHOWN)
    header = "precision", "recall", "agreement", "ms / image", "rows"
    lines = [("sampler", "steps", "NFE", "Fréchet", "/ floor", "kernel (range)", *header)]
    for name, of_sampler in _by_sampler(rows).items():
        for (steps, nfe), own in sorted(group(of_sampler, "steps", "nfe").items()):
            shown = ("frechet", "kernel", "precision", "recall")
            frechet, kernel, precision, recall = (mean(row[key] for row in own) for key in shown)
            ratio = mean(row["frechet"] / row["frechet_floor"] for row in own)
            low = min(row["kernel_low"] for row in own)
            high = max(row["kernel_high"] for row in own)
            agreed = [row["agreement"] for row in own if row["agreement"] is not None]
            agreement = f"{mean(agreed):.1%}" if agreed else "-"
            took = 1000 * median(row["seconds_per_image"] for row in own)
            cells = [name, f"{steps:,}", f"{nfe:,.10g}", _digits(frechet), f"{ratio:.1f}"]
            cells += [f"{_digits(kernel)} ({_digits(low)} to {_digits(high)})", f"{precision:.2f}"]
            lines.append([*cells, f"{recall:.2f}", agreement, _digits(took), str(len(own))])
    return aligned(lines, width=None)


def crossed(rows: Sequence[dict], arms: Sequence[str], walks: Mapping[str, Mapping]) -> str:
    """A text table: Fréchet distance over the floor by arm (lines) and walk (columns).

    walks: the entries of a walk's rows, by its name.  A cell is the mean over trainings, of each
    its mean over sampling seeds; "-" is not run, nan too few images for a distance.
    """
    lines = [("arm", *walks, "trainings")]
    for arm in arms:
        if own := where(rows, arm=arm):
            lines.append((arm, *_ratios(own, walks), str(len(group(own, "training")))))
    return aligned(lines)


def effects_table(effects: Sequence[Effect], family: Sequence[Effect] | None = None) -> str:
    """A text table: what each effect changes, and the verdict that holds after Holm's correction.

    The changes are relative, below 0 nearer, with 95 % intervals.  family: all that are drawn
    together (None: these), for the correction; verdicts as in `effects.held`.
    """
    lines = [("change of", "by", "change (95 % interval)", "verdict")]
    for x, verdict in zip(effects, held(effects, family), strict=True):
        lines.append((x.name, x.by, x.words, verdict))
    return "\n".join([aligned(lines), *dict.fromkeys(x.why() for x in effects if x.left_out)])


def beside_table(above: Sequence[Effect], kernel: Sequence[Effect]) -> str:
    """A text table of the same effects on distances whose size does not depend on N.

    above: on rows of `effects.above_floor`; kernel: differences of the kernel distance, 0 for equal
    sets.  Each with its 95 % interval.
    """
    lines = [("change of", "by", "above the floor", "kernel distance, difference")]
    pairs = zip(above, kernel, strict=True)
    return aligned([*lines, *((x.name, x.by, x.words, other.words) for x, other in pairs)])


def _ratios(rows: Sequence[dict], walks: Mapping[str, Mapping]) -> list[str]:
    ratios = [over_trainings(where(rows, **entries)) for entries in walks.values()]
    return [f"{mean(x):.1f}" if x else "-" for x in ratios]


def _kernels(rows: Sequence[dict], walks: Mapping[str, Mapping]) -> list[str]:
    found = [[row["kernel"] for row in where(rows, **entries)] for entries in walks.values()]
    return [_digits(mean(x)) if x else "-" for x in found]


def _digits(value: float) -> str:
    """Three significant digits, but all digits before the point: 0.0123, 11.0, 1,234."""
    return f"{value:#.3g}".rstrip(".") if abs(value) < 999.5 else f"{value:,.0f}"
