"""What the trial's rows say: comparisons with their verdicts, and tables."""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType

from diffutils.course.experiments.claims import mean_words
from diffutils.course.experiments.effects import Effect, effect, holm
from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.lessons.lesson05.inputs.triples import MIXED
from diffutils.metrics.intervals import mean_interval

SHOWN = {  # trainings that differ in their references
    "base": "mixed",
    "bent": "bent (never folded)",
    "published recipe": "as published",  # bent, no change of colours, nothing hidden
    "unbent": "the image itself",
}
WALKED = {"way": "Euler", "reference": "cross"}
REFINED = WALKED | {"arm": "refined K=3"}
BASE, PUBLISHED_DDPM = WALKED | {"arm": "base"}, WALKED | {"arm": "animediffusion"}
ONE = WALKED | {"arm": "one step tuned", "way": "one call"}
IN_PARTS = {  # whose error is told in two parts, by way
    "Euler": ("base", "more denoising", "refined K=1", "refined K=3", "refined all steps"),
    "one call": ("base", "one step tuned"),
}
Sides = dict[str, tuple[dict, dict]]  # what against what, by the entries of rows
COMPARED: Sides = {
    "refined / not refined": (REFINED, BASE),
    "refined / more denoising": (REFINED, WALKED | {"arm": "more denoising"}),
    "refined / mean of 4, not refined": (REFINED, BASE | {"way": "mean of 4"}),
    "refined / one call, not refined": (REFINED, BASE | {"way": "one call"}),
    "refined / one step tuned, one call": (REFINED, ONE),
    "one step tuned, one call / one call, not tuned": (ONE, BASE | {"way": "one call"}),
    "3 last steps / all steps": (REFINED, WALKED | {"arm": "refined all steps"}),
    "1 last step / 3 last steps": (WALKED | {"arm": "refined K=1"}, REFINED),
    "phi* grid / rho = 7 grid, each its own": (
        REFINED,
        WALKED | {"arm": "refined on rho=7", "way": "Euler, rho=7"},
    ),
    "refined, by Heun / not refined, by Heun": (REFINED | {"way": "Heun"}, BASE | {"way": "Heun"}),
}
ON_OTHERS: Sides = {  # the two that decide, on the references that training shows
    f"{kind}: {name}": tuple(side | {"reference": kind} for side in COMPARED[name])
    for kind in MIXED
    for name in ("refined / not refined", "refined / one step tuned, one call")
}
LAST_LEVEL: Sides = {  # of AnimeDiffusion, whose last level is not noise
    "begins at the last level / at 901": (
        PUBLISHED_DDPM | {"way": "trailing"},
        PUBLISHED_DDPM,
    ),
    "rescaled, v / not, eps": (WALKED | {"arm": "animediffusion-v"}, PUBLISHED_DDPM),
    "refined from the inverted truth / not": (
        WALKED | {"arm": "animediffusion refined"},
        PUBLISHED_DDPM,
    ),
    "SSIMBaD / EDM, rho = 7": (BASE, WALKED | {"arm": "edm"}),
}


def by_size(rows: Sequence[dict]) -> dict[int, list[dict]]:
    """Rows by the side of their images, the largest first."""
    sizes = {row["trial"]["max_size"] for row in rows}
    found = {n: [r for r in rows if r["trial"]["max_size"] == n] for n in sizes}
    return dict(sorted(found.items(), reverse=True))


def compared(rows: Sequence[dict], metric: str, table: Sides = COMPARED) -> dict[str, Effect]:
    """The effect of each of a table on a metric: relative, or a difference of kernel distances.

    Only comparisons of which both sides were run.
    """
    found = {}
    for name, (plus, minus) in table.items():
        if where(rows, **plus) and where(rows, **minus):
            sides = ([plus], [minus])
            found[name] = effect(name, rows, *sides, metric=metric, relative=metric != "kernel")
    return found


def verdicts(rows: Sequence[dict], metric: str, table: Sides = COMPARED) -> str:
    """The comparisons as a table: change of a metric, with its interval and its verdict.

    A star: the verdict does not survive Holm's correction over the table, on "mse" and "kernel".
    """
    lines = [(name, x.words, words) for name, (x, words) in judged(rows, metric, table).items()]
    return aligned([("", "change (95 % interval)", "verdict"), *lines]) if lines else "not run"


def judged(
    rows: Sequence[dict], metric: str, table: Sides = COMPARED
) -> dict[str, tuple[Effect, str]]:
    """The effects of a table on a metric, each with its verdict, starred as in `verdicts`."""
    both = {name: compared(rows, name, table) for name in ("mse", "kernel")}
    family = [x for found in both.values() for x in found.values()]
    after = dict(zip(family, holm(family), strict=True))
    return {
        name: (x, x.verdict + "*" * (after[x] != x.verdict)) for name, x in both[metric].items()
    }


def spread_and_rest(rows: Sequence[dict]) -> str:
    """A table of the squared error in two parts: the samples' own variance, and what is left.

    Of one sample the error is b + v, of the mean of four b + v/4, so v = 4/3 of the difference, in
    each training by itself.
    """
    head = ("", "squared error", "own variance", "rest (95 % interval)")
    lines, asked = [], {"reference": "cross"}
    for way, mean in (("Euler", "mean of 4"), ("one call", "mean of 4, one call")):
        arms = dict.fromkeys(row["arm"] for row in where(rows, way=mean, **asked))
        for arm in arms:
            if arm not in IN_PARTS[way]:
                continue
            one, four = (
                {r["training"]: r["mse"] for r in where(rows, arm=arm, way=w, **asked)}
                for w in (way, mean)
            )
            variance = {k: 4 / 3 * (one[k] - four[k]) for k in one}
            rest = [one[k] - variance[k] for k in one]
            cells = (f"{mean_interval([*x.values()]).mean:.4f}" for x in (one, variance))
            walked = "one call" if way == "one call" else "walked"
            lines.append((f"{arm}, {walked}", *cells, mean_words(rest, 4)))
    return aligned([head, *lines]) if lines else "not run"


def depths(costs: Sequence[dict], rows: Sequence[dict]) -> str:
    """A table of what K last steps cost, of `memory.costs`, and what they brought, of rows."""
    head = ("last steps", "MiB", "with checkpoints", "time", "with checkpoints", "MSE", "spread")
    lines = []
    for plain, kept in zip(costs[::2], costs[1::2], strict=True):
        times = (f"{row['seconds'] / costs[0]['seconds']:.1f}" for row in (plain, kept))
        is_all = plain["K"] == costs[-1]["K"]
        arm = "refined all steps" if is_all else f"refined K={plain['K']}"
        own = where(rows, **WALKED | {"arm": arm})
        brought = (
            format(mean_interval([row[key] for row in own]).mean, f".{digits}f") if own else "-"
            for key, digits in (("mse", 4), ("spread", 3))
        )
        cells = (f"{plain['MiB']:.0f}", f"{kept['MiB']:.0f}", *times, *brought)
        lines.append((str(plain["K"]), *cells))
    return aligned([head, *lines])


def means(
    rows: Sequence[dict],
    arms: Iterable[str],
    shown: dict[str, str],
    words: Mapping[str, str] = MappingProxyType({}),
    **entries,
) -> str:
    """A table of means over trainings: arms below one another, numbers (key -> format) beside.

    words: what an arm is called; entries pick rows.  A number that an arm's rows do not have is
    "-".  "" where no arm has any rows.
    """
    lines = []
    for arm in arms:
        if own := where(rows, arm=arm, **entries):
            cells = [
                format(mean_interval([row[key] for row in own]).mean, form)
                if all(key in row for row in own)
                else "-"
                for key, form in shown.items()
            ]
            cells.append(str(len(own)))
            lines.append((words.get(arm, arm), *cells))
    return aligned([("", *shown, "trainings"), *lines]) if lines else ""


def floors(rows: Sequence[dict]) -> str:
    """The distances of true answers for other faces, on cross, in words."""
    keys = {"kernel": "kernel_floor", "Fréchet": "frechet_real"}
    found = {
        name: [r[k] for r in where(rows, reference="cross") if k in r] for name, k in keys.items()
    }
    means = (f"{name} {mean_interval(values).mean:.1f}" for name, values in found.items() if values)
    return f"true answers for other faces: {', '.join(means)}"


def by_reference(rows: Sequence[dict], metric: str = "delta_e") -> str:
    """A table of colour errors by kind of reference: a mixed training, then those on one kind.

    With intervals on "cross", the kind that decides.
    """
    arms = [arm for arm in SHOWN if where(rows, arm=arm)]
    lines = [("trained on", *MIXED, "cross")]
    for arm in arms:
        cells = []
        for kind in (*MIXED, "cross"):
            own = where(rows, arm=arm, way="Euler", reference=kind)
            known = [row[metric] for row in own if metric in row]
            if not known:
                cells.append("not run")
            elif kind == "cross":
                cells.append(mean_words(known))
            else:
                cells.append(f"{mean_interval(known).mean:.1f}")
        lines.append((SHOWN[arm], *cells))
    return aligned(lines) if arms else "not run"


def unbent(rows: Sequence[dict]) -> float | None:
    """Colour error on cross: a network that saw the image itself as reference, over a mixed one."""
    sides = [where(rows, arm=arm, **WALKED) for arm in ("unbent", "base")]
    if not all(side and "delta_e" in side[0] for side in sides):
        return None
    over, under = (mean_interval([row["delta_e"] for row in side]).mean for side in sides)
    return over / under
