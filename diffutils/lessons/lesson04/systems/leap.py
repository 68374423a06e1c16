"""Where a walk starts and how it leaps: grids from 80 and from 10, Heun after one Euler step.

From 80 phi*'s second level is near 2 for ten steps: one leap over all that lies between, and there
Heun gives half of the weight to the slope at its end.  So a grid is judged here with that leap and
without it: by Euler, by Heun, by Heun whose first step is Euler's, and from 10.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from torch import Tensor

from diffutils import samplers
from diffutils.course.experiments import claims, sweep
from diffutils.course.experiments.effects import Effect, above_floor, effect, held
from diffutils.course.experiments.rows import TRIAL, read, where
from diffutils.course.experiments.sampling import Sampler, edm
from diffutils.course.tables import aligned
from diffutils.data import ImageSet
from diffutils.lessons.lesson04.systems.arms import FITTED_C, arm
from diffutils.metrics.spaces import Space
from diffutils.schedules import Schedule, karras, levels, log_logistic, log_uniform
from diffutils.weights import cards
from diffutils.weights.models import Model

RHO, PHI, FIRST_EULER = "rho = 7", "phi*", "Heun after one Euler step"
GRIDS = {
    RHO: karras(),
    PHI: log_logistic(),
    "rho = 7 from 10": karras(sigma_max=10.0),
    "phi* from 10": log_logistic(sigma_max=10.0),
    "phi* fitted": log_logistic(FITTED_C),
    "log": log_uniform(),
}
# The lines of the table: what they are called -> the walk with rho = 7, the walk with phi*.
LINES = {
    "Euler": ("Euler, rho = 7", "Euler, phi*"),
    "Heun": ("Heun, rho = 7", "Heun, phi*"),
    "Heun, first step Euler": (f"{FIRST_EULER}, rho = 7", f"{FIRST_EULER}, phi*"),
    "Heun, both from 10": ("Heun, rho = 7 from 10", "Heun, phi* from 10"),
    "Euler, phi* fitted": ("Euler, rho = 7", "Euler, phi* fitted"),
    "Heun, phi* fitted": ("Heun, rho = 7", "Heun, phi* fitted"),
    "Heun, fitted, from 10": ("Heun, rho = 7 from 10", "Heun, phi* fitted"),
}
PLAIN, BARE = ("Euler", "Heun"), ("Heun, first step Euler", "Heun, both from 10")
FITTED, FITTED_FROM_10 = ("Euler, phi* fitted", "Heun, phi* fitted"), "Heun, fitted, from 10"
CHANGE, CALLS = "phi* against rho = 7", (5, 9, 19, 35)
PUBLISHED = "only phi*, at 99 and 999 calls"
CLAIMS = (  # claim, published
    ("phi*'s grid is nearer than rho = 7, both from 80: {} calls", PUBLISHED),
    ("the same without the leap over high noise", PUBLISHED),
    ("on phi*'s grid, Heun is nearer when its first step is Euler's, or from 10", "-"),
    ("phi*'s grid is nearer than rho = 7 at the published 99 calls of Heun", PUBLISHED),
    ("with c fitted to the images' SSIM it is nearer, by solver and network calls", "c = 0.3"),
    ("the same against rho = 7 whose first level was chosen, too: from 10", "-"),
)
PROTOCOL = (
    "one network, start noise shared, estimates clipped to [-1, 1]; sampling seeds say nothing of "
    "other trainings",
    "its authors would object: c = 0.3 was chosen on anime faces, and a sketch fixes the layout: "
    "high noise decides less than here",
)
Sides = Mapping[str, tuple[Mapping, Mapping]]  # words -> entries of rho = 7, entries of phi*


def first_euler(steps: int, grid: Schedule) -> Sampler:
    """Heun's walk whose first step is Euler's: 2 steps - 2 network evaluations, one for one step.

    It differs from `sampling.edm(steps, True, grid)` in nothing else: same levels, same start.
    """

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        sigmas = levels(grid, steps)
        x = samplers.start(sigmas, z, variance_preserving=False)
        x = samplers.sample(denoise, x, sigmas[:2])
        return samplers.sample(denoise, x, sigmas[1:], heun=True) if steps > 1 else x

    return run


SOLVERS = {
    "Euler": lambda steps, grid: edm(steps, False, grid),
    "Heun": lambda steps, grid: edm(steps, True, grid),
    FIRST_EULER: first_euler,
}


def steps_for(walk: str, calls: int) -> int:
    """Steps that spend so many network evaluations, odd; after one Euler step, one call less."""
    return calls if walk.startswith("Euler") else (calls + 1) // 2


def walks(calls: Sequence[int]) -> dict[str, tuple[Callable[[int], Sampler], list[int]]]:
    """Every walk of `LINES`, for `sweep`: name -> (sampler of so many steps, step counts)."""
    found = {}
    for name in dict.fromkeys(name for pair in LINES.values() for name in pair):
        solver, grid = name.split(", ")
        walk = partial(SOLVERS[solver], grid=GRIDS[grid])
        found[name] = (walk, [steps_for(name, n) for n in calls])
    return found


def training_rows(
    model: Model, data: ImageSet, space: Space, training: int, calls: int, **settings
) -> Iterator[dict]:
    """Rows of every walk of `LINES` for one training of EDM; settings: of `sweep.sweep`."""
    every = walks([calls])
    return sweep.trial_rows(arm("EDM"), model, data, space, training, walks=every, **settings)


def lines(calls: int) -> Sides:
    """The sides of every line of the table, at so many network evaluations."""
    return {
        words: tuple({"sampler": name, "steps": steps_for(name, calls)} for name in pair)
        for words, pair in LINES.items()
    }


def recorded() -> list[dict]:
    """The rows that ship, of the shipped EDM network: of one N and one precision."""
    return read(cards.PRETRAINED / "sprites-edm.starts.jsonl", "fetch it again")


def trained() -> list[dict]:
    """The rows that ship of three short trainings of EDM, at 19 calls: of other weights."""
    return read(cards.PRETRAINED / "sprites-edm.leaps.jsonl", "fetch it again", TRIAL)


def compared(rows: Sequence[dict], sides: Sides) -> list[Effect]:
    """What phi* changes against rho = 7, line by line; without runs where rows are missing."""
    return [effect(CHANGE, rows, [phi], [rho], by=words) for words, (rho, phi) in sides.items()]


def table(rows: Sequence[dict], sides: Sides) -> str:
    """The 2 x 2 and its causes: both grids, what phi* changes, and the verdict, line by line.

    rows: of one N; sides: of `lines(calls)`.  Grids: mean Fréchet distance, the floor in it.  The
    change is that of their ratio, with its 95 % interval, and beside it that of the distances above
    their floor; the verdict is after Holm's correction over the table.
    """
    found, bare = compared(rows, sides), compared(above_floor(rows), sides)
    shown = [("walk", RHO, PHI, CHANGE, "above floor", "verdict")]
    for x, above, verdict in zip(found, bare, held(found), strict=True):
        far = [_distance(_of_runs(where(rows, **side), x)) for side in sides[x.by]]
        shown.append((x.by, *far, x.words, above.words.partition(" ")[0], verdict))
    return f"{aligned(shown)}\n{_about(rows, found)}"


def _of_runs(rows: Sequence[dict], x: Effect) -> list[dict]:
    """The rows of an effect's runs; all of them where one side has none."""
    run = "training" if x.unit == "trainings" else "seed"
    return [row for row in rows if not x.runs or row[run] in x.runs]


def _distance(rows: Sequence[dict]) -> str:
    return f"{fmean(row['frechet'] for row in rows):.1f}" if rows else "-"


def _about(rows: Sequence[dict], found: Sequence[Effect]) -> str:
    """One line on how the numbers of a table came about."""
    if not any(x.runs for x in found):
        return "not run: no rows of both grids"
    most = max(found, key=lambda x: len(x.runs))
    up_to = "up to " if len({len(x.runs) for x in found if x.runs}) > 1 else ""
    unit = most.unit.removesuffix("s") if len(most.runs) == 1 else most.unit
    precision = "bfloat16" if rows[0].get("bf16") else "float32"
    return (
        f"Fréchet distance (real to real {rows[0]['frechet_floor']:.1f}); N = {rows[0]['N']}, "
        f"{precision}, {up_to}{len(most.runs)} {unit}"
    )


def grid_claims(
    rows: Sequence[dict],
    starts: Sequence[dict] = (),
    trainings: Sequence[dict] = (),
    calls: int = 19,
) -> list[dict]:
    """The claim on the grid, with the first step's leap and without: rows for `lesson.claim`.

    rows: of a sweep, "Heun, rho = 7" and others; starts: those of `recorded`, trainings: those of
    `trained`, or none, where rows have all walks of `LINES`.  Rows of one are never compared with
    those of another.  What has no rows is "not run".
    """
    found = judged(rows, starts, trainings, calls)
    shared = {"family": [x for _, effects in found for x in effects], "protocol": PROTOCOL}
    return [
        claims.from_effects(text.format(calls), effects, own, published=published, **shared)
        for (text, published), (own, effects) in zip(CLAIMS, found, strict=True)
    ]


def judged(
    rows: Sequence[dict],
    starts: Sequence[dict] = (),
    trainings: Sequence[dict] = (),
    calls: int = 19,
) -> list[tuple[Sequence[dict], list[Effect]]]:
    """For each of `CLAIMS` the rows that it is judged by, and the effects that decide it."""
    starts = starts or rows
    above, without = trainings or rows, trainings or starts
    every = lines(calls)
    heun, plain, bare = every["Heun"][1], *({k: every[k] for k in keys} for keys in (PLAIN, BARE))
    gone = [effect("against Heun from 80", without, [bare[by][1]], [heun], by=by) for by in BARE]
    return [
        (above, compared(above, plain)),
        (without, compared(without, bare)),
        (without, gone),
        (starts, _by_calls(starts, "Heun", (99,))),
        (rows, [x for line in FITTED for x in _by_calls(rows, line, CALLS, line.split(",")[0])]),
        (starts, _by_calls(starts, FITTED_FROM_10, CALLS)),
    ]


def _by_calls(
    rows: Sequence[dict], line: str, calls: Sequence[int], solver: str = ""
) -> list[Effect]:
    """A line's effects at all of these numbers of calls of which there are rows of both grids."""
    found = [(n, *compared(rows, {line: lines(n)[line]})) for n in calls]
    found = [replace(x, by=f"{solver} {n}".strip()) for n, x in found if x.runs]
    return found or compared(rows, {line: lines(calls[0])[line]})
