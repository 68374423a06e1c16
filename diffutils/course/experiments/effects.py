"""What one change does to a distance: PLUS against MINUS by whole runs, and one verdict for all.

A row is a dict: distances, and the setting that they were measured at.  Entries, such as
{"arm": "EDM", "sampler": "Heun, phi"}, pick rows; every lesson's comparisons are a table of those.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, stdev

from diffutils.course.experiments.rows import check, where
from diffutils.metrics.intervals import Interval, mean_interval

MARGIN = math.log(1.1)  # a tenth: 1/1.1 to 1.1 times as far, chosen before any trial was run
FEW = 3  # runs; with fewer nothing is called equivalent
NEARER, FARTHER, SMALL = "nearer", "farther", ", by less than a tenth"
EQUIVALENT, UNTOLD = "equivalent within a tenth", "cannot be told"
SINGLE, NOT_RUN, HINT = "one run: no interval", "not run", "a hint: "


@dataclass(frozen=True, eq=False)  # an effect is itself, also among equal ones
class Effect:
    """A change of a distance by run, below 0 nearer.

    by: its label among effects of one name, such as the solver.  runs: the change of each, over all
    its sampling seeds: a log ratio (exp(x) - 1 is the relative change) or, if not relative, a
    difference.  left_out: runs that do not count, and why.  unit: what a run is, "trainings", or
    "sampling seeds" of one training (which say nothing of other trainings).
    """

    name: str
    by: str
    runs: dict[int, float]
    left_out: dict[int, str]
    unit: str
    relative: bool = True

    def interval(self, level: float = 0.95) -> Interval:
        """Mean over the runs, and Student's interval, nan where there is none."""
        return mean_interval([*self.runs.values()], level)

    @property
    def p(self) -> tuple[float, float]:
        """p-values of "no change" and of "a change of a tenth or more"; 1 where none is judged.

        The first is below 0.05 where the 95 % interval leaves out 0, the second where the 90 % one
        lies inside the margin: two one-sided tests (Schuirmann 1987).
        """
        from scipy import stats

        values, n = [*self.runs.values()], len(self.runs)
        if n < 2:
            return 1.0, 1.0
        mean, error = fmean(values), stdev(values) / math.sqrt(n)

        def tail(distance: float) -> float:
            return float(stats.t.sf(distance / error, n - 1) if error else distance <= 0)

        tenth = max(tail(MARGIN - mean), tail(MARGIN + mean))
        return min(1.0, 2 * tail(abs(mean))), tenth if n >= FEW and self.relative else 1.0

    @property
    def verdict(self) -> str:
        """The one rule of the course: the sign by the 95 % interval, the tenth by the 90 % one."""
        return self.judged(*self.p)

    def judged(self, changed: float, tenth: float) -> str:
        """The verdict by such p-values, in the one vocabulary."""
        if len(self.runs) < 2:
            return SINGLE if self.runs else NOT_RUN
        if changed >= 0.05:
            return EQUIVALENT if tenth < 0.05 else UNTOLD
        return (NEARER if self.interval().mean < 0 else FARTHER) + (SMALL if tenth < 0.05 else "")

    @property
    def words(self) -> str:
        """The mean, and the 95 % interval where there is one: "+5.0% (-1.2% to +12%)"."""
        number = percent if self.relative else "{:+.3g}".format
        mean, low, high = map(number, self.interval()[:3])
        return mean + (f" ({low} to {high})" if len(self.runs) > 1 else "") if self.runs else "-"

    def why(self) -> str:
        """Which runs are left out, and why; "" for none."""
        runs_of = {}
        for run, reason in sorted(self.left_out.items()):
            runs_of.setdefault(reason, []).append(str(run))
        parts = [f"{', '.join(runs)} ({reason})" for reason, runs in runs_of.items()]
        return f"left out of the {self.unit}: {'; '.join(parts)}" if parts else ""


def effect(
    name: str,
    rows: Sequence[dict],
    plus: Sequence[Mapping],
    minus: Sequence[Mapping],
    *,
    by: str = "",
    scale: float = 1.0,
    metric: str = "frechet",
    relative: bool = True,
) -> Effect:
    """How much farther PLUS is than MINUS; each is the mean over its entries, which pick rows.

    A run is a training, or a sampling seed where all rows are of one training; in a run all entries
    have the same seeds.  scale: of the change, 2 for an interaction.  relative: False for a metric
    that may be 0 or below (kernel distance): differences, and nothing is said of a tenth.
    Raises: ValueError for a side without entries, rows that do not compare, or two rows of one
    setting, training and seed.
    """
    if not (plus and minus):
        raise ValueError(f"the change {name!r} needs entries on both sides, of plus and of minus")
    sides = [*plus, *minus]
    weights = [scale / len(plus)] * len(plus) + [-scale / len(minus)] * len(minus)
    picked = [where(rows, **side) for side in sides]
    compared = [row for found in picked for row in found]
    check(compared, "seed", metric)
    several = len({row.get("training", 0) for row in compared}) > 1
    if why := differ(compared):
        raise ValueError(why)

    # Sort distances by run, side and seed.
    runs = {}  # run -> for each side: seed -> distance, as a logarithm if relative
    for i, row in [(i, row) for i, found in enumerate(picked) for row in found]:
        training, seed, value = row.get("training", 0), row["seed"], row[metric]
        of_side = runs.setdefault(training if several else seed, [{} for _ in sides])[i]
        if seed in of_side:
            twice = f"{_named(sides[i])}, training {training}, seed {seed}"
            raise ValueError(f"two rows of {twice}; name more entries, or keep one")
        if not isinstance(value, int | float):
            raise ValueError(f"{metric} of {_named(sides[i])} is {value!r}, expected a number")
        if relative:
            value = math.log(value) if value > 0 else math.nan
        of_side[seed] = value

    # Compare the sides in each run that is whole.
    changes, left_out = {}, {}
    for run, found in sorted(runs.items()):
        lost = [_named(side) for side, seeds in zip(sides, found, strict=True) if not seeds]
        if lost:
            left_out[run] = f"no row of {lost[0]}"
        elif len({frozenset(seeds) for seeds in found}) > 1:
            left_out[run] = "the sides have different sampling seeds"
        elif any(math.isnan(value) for seeds in found for value in seeds.values()):
            left_out[run] = f"a distance is nan{' or not above 0' if relative else ''}"
        else:
            means = [fmean(seeds.values()) for seeds in found]
            change = sum(w * mean for w, mean in zip(weights, means, strict=True))
            changes[run] = round(change, 13)  # equal distances have no change, not 1e-17
    unit = "trainings" if several else "sampling seeds"
    return Effect(name, by, changes, left_out, unit, relative)


def differ(rows: Sequence[dict]) -> str:
    """Why these rows do not compare with one another, in words; "" where they do."""
    shared = ("N", "features", "bf16")
    known = [row.get("trial", {}) | {k: row[k] for k in shared if k in row} for row in rows]
    for key in dict.fromkeys(key for entries in known for key in entries if key != "code"):
        if len(found := {str(entries[key]): None for entries in known if key in entries}) > 1:
            return f"rows of several {key} do not compare: {', '.join(found)}; take rows of one"
    floors = [row["frechet_floor"] for row in rows if "frechet_floor" in row]
    if floors and max(floors) > 1.001 * min(floors):  # two machines agree to more digits
        span = f"{min(floors):.2f} to {max(floors):.2f}"
        return f"rows of several sets of reference images do not compare: floors {span}"
    return ""


def adjusted(p: Sequence[float]) -> list[float]:
    """p-values that hold together, by Holm's step-down: the k-th smallest of m times m - k + 1.

    Source: Holm 1979, "A simple sequentially rejective multiple test procedure".
    """
    found, largest = [1.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=p.__getitem__)):
        largest = max(largest, min(1.0, (len(p) - rank) * p[i]))
        found[i] = largest
    return found


def holm(effects: Sequence[Effect], family: Sequence[Effect] | None = None) -> list[str]:
    """The verdict on each effect, after Holm, when all of the family (None: these) are drawn."""
    judged = [x for x in (effects if family is None else family) if len(x.runs) > 1]
    both = [adjusted(p) for p in zip(*(x.p for x in judged), strict=True)] or ([], [])
    after = dict(zip(judged, zip(*both, strict=True), strict=True))
    return [x.judged(*after.get(x, x.p)) for x in effects]


def held(effects: Sequence[Effect], family: Sequence[Effect] | None = None) -> list[str]:
    """The verdict to print on each effect: what holds after Holm over the family (None: these).

    Where nothing holds of what the effect alone says, that is "a hint": "a hint: nearer".
    """
    both = zip(effects, holm(effects, family), strict=True)
    return [HINT + x.verdict if after == UNTOLD != x.verdict else after for x, after in both]


def above_floor(rows: Sequence[dict]) -> list[dict]:
    """Rows whose frechet is the distance less its floor, real against real; nan unless above it.

    A ratio of such distances does not depend on N through the bias that both have: at N = 700, 29
    is 1.8 times 16, but 5 times as far above a floor of 12.6.
    """
    rows = check(rows, "frechet", "frechet_floor")
    above = [row["frechet"] - row["frechet_floor"] for row in rows]
    pairs = zip(rows, above, strict=True)
    return [row | {"frechet": far if far > 0 else math.nan} for row, far in pairs]


def percent(log_ratio: float) -> str:
    """The relative change exp(log_ratio) - 1: "+5.0%", "-13%", "-99.5%", "+1,546%"."""
    change = math.expm1(log_ratio)
    whole = 0.0995 <= abs(change) and change > -0.9
    return (f"{change:+,.0%}" if whole else f"{change:+.1%}").replace("-0.0%", "+0.0%")


def _named(side: Mapping) -> str:
    return ", ".join(f"{key} = {value}" for key, value in side.items())
