"""What one change does to a distance: effects and contrasts of lesson 04's trial, by training."""

import itertools
import math
from collections.abc import Sequence
from functools import cache
from statistics import fmean, stdev
from typing import NamedTuple

from diffutils.course.experiments.charts import one_count
from diffutils.metrics.intervals import student_interval

MARGIN = math.log(1.1)  # log ratios within +/- this are equivalent


SLOTS = ("density", "embedding", "grid")


LEVELS = ("EDM", "phi")


CUBE = {
    ("EDM", "EDM"): "EDM",
    ("phi", "EDM"): "phi density",
    ("EDM", "phi"): "phi embedding",
    ("phi", "phi"): "phi both",
}  # (density, embedding) -> arm


SOLVERS = ("Euler", "Heun")


EQUIVALENT, UNTOLD = "equivalent within a tenth", "cannot be told"


SMALL = ", by less than a tenth"  # after who is better


FEW = 3  # trainings; with fewer nothing is called equivalent


SINGLE, NOT_RUN = "one training: no interval", "not run"


CELL = dict[int, dict[int, float]]  # training -> sampling seed -> log of the distance


class Side(NamedTuple):
    """One side of a contrast; walks are the arm's grids, averaged, or the eta of DDPM's sampler."""

    words: str
    arm: str
    walks: tuple[str, ...] = LEVELS


CONTRASTS = {
    "lambda' / EDM": (Side("phi density lambda'", "phi density lambda'"), Side("EDM", "EDM")),
    "lambda' / phi density": (
        Side("phi density lambda'", "phi density lambda'"),
        Side("phi density", "phi density"),
    ),
    "without lambda / EDM": (Side("no lambda", "EDM without lambda"), Side("lambda", "EDM")),
    "without lambda / phi both": (
        Side("no lambda", "phi both without lambda"),
        Side("lambda", "phi both"),
    ),
    "all of phi* / EDM, own grids": (
        Side("all of phi*", "phi both without lambda", ("phi",)),
        Side("EDM", "EDM", ("EDM",)),
    ),
    "EDM / DDPM eta 0, own grids": (
        Side("EDM", "EDM", ("EDM",)),
        Side("DDPM, eta 0", "DDPM", ("eta 0",)),
    ),
    "EDM / DDPM eta 1, own grids": (
        Side("EDM", "EDM", ("EDM",)),
        Side("DDPM, eta 1", "DDPM", ("eta 1",)),
    ),
}


class Finding(NamedTuple):
    """A change of log(distance), so that exp(x) - 1 is a relative change; below 0 is nearer.

    runs: the change of each training, all its sampling seeds averaged; mean, std over these.
    low to high is Student's 95 % interval, low90 to high90 the 90 % one.  detectable: the true
    change that a two-sided test at 5 % finds with 80 % power, by the noncentral t distribution:
    `_detectable`(k) std / sqrt(k), 5.65 std / sqrt(3) for three trainings.  It takes the std of
    these runs for the true one; of three trainings that is a rough estimate.
    verdict: who is better where the 95 % interval leaves out 0, "..., by less than a tenth" where
    the 90 % interval also lies within 1/1.1 to 1.1 (two one-sided tests at 5 %, Schuirmann 1987);
    "equivalent within a tenth" where it lies there and the 95 % interval holds 0; else "cannot be
    told".  With fewer than three runs nothing is said about the tenth.  The margin, ratios 1/1.1
    to 1.1, was chosen by hand before the trial was run.
    left_out: trainings that do not count, and why.  With fewer than two runs the interval, std and
    detectable are nan, without any mean is too.
    """

    name: str
    solver: str
    runs: dict[int, float]
    left_out: dict[int, str]
    mean: float
    std: float
    low: float
    high: float
    low90: float
    high90: float
    detectable: float
    verdict: str

    def why(self) -> str:
        """Which trainings are left out and why, in words; "" for none."""
        found = sorted(self.left_out.items())
        reasons = {why: [str(k) for k, w in found if w == why] for _, why in found}
        return "; ".join(f"left out training {', '.join(k)}: {w}" for w, k in reasons.items())


def effects(rows: Sequence[dict], metric: str = "frechet") -> list[Finding]:
    """The 2^3 factorial of density, embedding and grid, EDM or phi: a finding for each and solver.

    rows: of `edm_arms.arm_rows`.  A main effect ("density") is the mean of log(distance) over the
    four cells with phi less that over the four with EDM, in each training; an interaction
    ("density x grid") the effect of the one with phi in the other less that with EDM there.
    Raises: ValueError for rows of several N, evaluations, features or kinds of training, or two
    rows of one setting.
    """
    logs = _logs(rows, metric)
    orders = [(slot,) for slot in SLOTS] + list(itertools.combinations(SLOTS, 2))
    return [_effect(slots, solver, logs) for slots in orders for solver in SOLVERS]


def contrasts(rows: Sequence[dict], metric: str = "frechet") -> list[Finding]:
    """Single comparisons of arms, `CONTRASTS`: a finding for each and solver.

    rows, errors: as for `effects`.  Unless a grid is named, both grids are averaged.
    """
    logs, found = _logs(rows, metric), []
    for (name, sides), solver in itertools.product(CONTRASTS.items(), SOLVERS):
        weights = {
            (side.arm, walk if walk.startswith("eta") else f"{solver}, {walk}"): sign
            / len(side.walks)
            for sign, side in zip((1, -1), sides, strict=True)
            for walk in side.walks
        }
        words = (*(f"{side.words} better" for side in sides), EQUIVALENT)
        found.append(_finding(name, solver, weights, logs, words))
    return found


def _effect(slots: tuple[str, ...], solver: str, logs: dict[tuple[str, str], CELL]) -> Finding:
    weights = {}
    for levels in itertools.product(LEVELS, repeat=3):
        level = dict(zip(SLOTS, levels, strict=True))
        sign = math.prod(1 if level[slot] == "phi" else -1 for slot in slots)
        weights[CUBE[levels[:2]], f"{solver}, {level['grid']}"] = sign / 2 ** (3 - len(slots))
    words = ("phi better", "EDM better", EQUIVALENT)
    if len(slots) == 2:
        words = ("better together", "worse together", "independent within a tenth")
    return _finding(" x ".join(slots), solver, weights, logs, words)


def _logs(rows: Sequence[dict], metric: str) -> dict[tuple[str, str], CELL]:
    """log(distance) by arm and walk ("Heun, phi", "eta 0"); nan where it is nan or not above 0."""
    if rows:
        one_count(rows)
    for key, what in (("nfe", "network evaluations for an image"), ("features", "features")):
        if len(found := sorted({row[key] for row in rows})) > 1:
            raise ValueError(
                f"the rows have several {what}, {', '.join(map(str, found))}; take rows of one"
            )
    for key in ("steps", "images", "batch", "lr", "ema", "channels"):
        found = sorted({str(row["trial"][key]) for row in rows if "trial" in row})
        if len(found) > 1:
            raise ValueError(
                f"the rows are of trainings with several {key}, {', '.join(found)}; take one"
            )
    logs: dict[tuple[str, str], CELL] = {}
    for row in rows:
        cell = logs.setdefault((row["arm"], walk_of(row)), {}).setdefault(row["training"], {})
        if row["seed"] in cell:
            raise ValueError(
                f"two rows of arm {row['arm']}, {walk_of(row)}, training {row['training']}, seed "
                f"{row['seed']}; keep one"
            )
        cell[row["seed"]] = math.log(row[metric]) if row[metric] > 0 else math.nan
    return logs


def walk_of(row: dict) -> str:
    """How a row of the trial was drawn: "Heun, phi", or "eta 0" on the DDPM arm's own levels."""
    return f"eta {row['eta']:g}" if row["sampler"] == "respaced" else row["sampler"]


def _finding(name: str, solver: str, weights: dict, logs: dict, words: tuple) -> Finding:
    runs, left_out = {}, {}
    for training in sorted({k for cell in logs.values() for k in cell}):
        cells = {key: logs.get(key, {}).get(training, {}) for key in weights}
        arms = {arm for (arm, _), cell in logs.items() if training in cell}
        if why := _lacking(cells, arms):
            left_out[training] = why
        else:
            runs[training] = sum(w * fmean(cells[key].values()) for key, w in weights.items())
    return Finding(name, solver, runs, left_out, *_statistics(list(runs.values()), words))


def _lacking(cells: dict[tuple[str, str], dict[int, float]], arms: set[str]) -> str:
    """Why the cells of a training do not compare, or ""; arms: those that it has any row of."""
    for (arm, walk), cell in cells.items():
        if arm not in arms:
            return f"no row of {arm}"
        if not cell:
            return f"no row of {arm} by {walk}"
        if any(math.isnan(value) for value in cell.values()):
            return f"the distance of {arm} by {walk} is nan or not above 0"
    if len({frozenset(cell) for cell in cells.values()}) > 1:
        return "the arms have different sampling seeds"
    return ""


def _statistics(values: list[float], words: tuple[str, str, str]) -> tuple:
    if len(values) < 2:
        middle = values[0] if values else math.nan
        return (middle, *[math.nan] * 6, SINGLE if values else NOT_RUN)
    k = len(values)
    middle, low, high = student_interval(values)
    _, low90, high90 = student_interval(values, 0.9)
    detectable = _detectable(k) * stdev(values) / math.sqrt(k)
    small = k >= FEW and -MARGIN < low90 and high90 < MARGIN
    if high < 0 or low > 0:
        verdict = words[0 if high < 0 else 1] + SMALL * small
    else:
        verdict = words[2] if small else UNTOLD
    return middle, stdev(values), low, high, low90, high90, detectable, verdict


@cache
def _detectable(k: int) -> float:
    """The effect, in standard errors, that a two-sided t-test of k runs at 5 % finds with 80 %.

    Exact: |T| > t_.975 for T of the noncentral t distribution, as the mean over the chi-square of
    the estimated variance of what the normal distribution gives (SciPy's nct is nan far out).
    """
    import numpy as np
    from scipy import optimize, special, stats

    x, w = np.polynomial.legendre.leggauss(400)
    critical = stats.t.ppf(0.975, k - 1)
    edges = critical * np.sqrt(stats.chi2.ppf((x + 1) / 2, k - 1) / (k - 1))

    def power(delta: float) -> float:
        return float(w @ (special.ndtr(delta - edges) + special.ndtr(-delta - edges))) / 2

    return optimize.brentq(lambda delta: power(delta) - 0.8, 0, 10 * critical)
