"""Lesson 05's verdicts: what was published, and what the trial's rows say of it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from diffutils.course.experiments.claims import mean_words
from diffutils.course.experiments.effects import Effect, effect, holm
from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.lessons.lesson05.inputs.triples import MIXED
from diffutils.metrics.intervals import mean_interval

# Method -> PSNR, MS-SSIM and FID with the same reference, then with another one (SSIMBaD's README;
# 579 images of 256 pixels), and what of the trial stands beside it: arm and way.
PUBLISHED = {
    "SCFT": ((17.17, 0.7833, 43.98), (15.47, 0.7627, 45.18), None),
    "AnimeDiffusion": ((11.39, 0.6748, 46.96), (11.39, 0.6721, 46.72), "animediffusion"),
    "AnimeDiffusion, refined": (
        (13.32, 0.7001, 135.12),
        (12.52, 0.5683, 139.13),
        "animediffusion refined",
    ),
    "SSIMBaD, not refined": ((15.15, 0.7115, 53.33), (13.04, 0.6736, 55.18), "base"),
    "SSIMBaD, refined": ((18.92, 0.8512, 34.98), (15.84, 0.8207, 37.10), "refined all steps"),
}
PROTOCOL = (
    "published: 579 anime faces of 256 pixels, against the sketch's colours, MS-SSIM of 5 scales",
    "ours: drawn faces, by Euler in the budget's levels, trained on mixed references",
    "ours, another reference: `cross`, against the true rendering; MS-SSIM of the scales that fit",
    "Fréchet: on features of the faces' own classifier, to true answers for other faces: no FID",
    "of two different image sets only signs and orders may be compared, not numbers",
)
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

    Of one sample the error is b + v, of the mean of four b + v/4, so v = 4/3 of the difference.
    """
    lines, asked = [], {"reference": "cross"}
    for way, mean in (("Euler", "mean of 4"), ("one call", "mean of 4, one call")):
        arms = [row["arm"] for row in where(rows, way=mean, **asked)]
        if way == "one call":
            arms = [arm for arm in arms if arm in ("base", "one step tuned")]
        for arm in [arm for arm in dict.fromkeys(arms) if not arm.startswith("anime")]:
            one, four = (
                mean_interval([r["mse"] for r in where(rows, arm=arm, way=w, **asked)]).mean
                for w in (way, mean)
            )
            variance = 4 / 3 * (one - four)
            cells = (f"{x:.4f}" for x in (one, variance, one - variance))
            lines.append((f"{arm}, {'one call' if way == 'one call' else 'walked'}", *cells))
    return aligned([("", "squared error", "own variance", "rest"), *lines]) if lines else "not run"


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
    """A table of colour errors by kind of reference: a mixed training beside those on one kind."""
    arms = [arm for arm in SHOWN if where(rows, arm=arm)]
    lines = [("reference", *(SHOWN[arm] for arm in arms))]
    for kind in (*MIXED, "cross"):
        cells = []
        for arm in arms:
            own = where(rows, arm=arm, way="Euler", reference=kind)
            known = own and metric in own[0]
            cells.append(mean_words([row[metric] for row in own]) if known else "not run")
        lines.append((kind, *cells))
    return aligned(lines) if arms else "not run"


def unbent(rows: Sequence[dict]) -> float | None:
    """Colour error on cross: a network that saw the image itself as reference, over a mixed one."""
    sides = [where(rows, arm=arm, **WALKED) for arm in ("unbent", "base")]
    if not all(side and "delta_e" in side[0] for side in sides):
        return None
    over, under = (mean_interval([row["delta_e"] for row in side]).mean for side in sides)
    return over / under


def published(rows: Sequence[dict]) -> Iterator[dict]:
    """The ten published rows as claims, each with ours beside it where it was run."""
    for method, (same, cross, arm) in PUBLISHED.items():
        for kind, numbers, reference in (("same", same, "warp"), ("another", cross, "cross")):
            psnr, ms_ssim, fid = numbers
            row = {
                "claim": f"{method}, {kind} reference",
                "published": f"PSNR {psnr:.2f}, MS-SSIM {ms_ssim:.4f}, FID {fid:.2f}",
                "protocol": PROTOCOL,
            }
            own = where(rows, arm=arm, way="Euler", reference=reference) if arm else []
            if own:
                row |= ours(own)
            else:
                row["why"] = "no training of it here"
            yield row


def ours(rows: Sequence[dict]) -> dict:
    """Fields of a claim on rows of one arm: means with intervals over trainings."""
    dB, similar = ([row[key] for row in rows] for key in ("dB", "ms_ssim"))
    measured = f"PSNR {mean_words(dB)}, MS-SSIM {mean_words(similar, 3)}"
    if all("frechet" in row for row in rows):
        measured += f", Fréchet {mean_words([row['frechet'] for row in rows], 0)}"
    return {
        "measured": measured,
        "verdict": "other images: not comparable",
        "N": rows[0]["N"],
        "seeds": f"{len(rows)} training",
    }


def refinement(rows: Sequence[dict]) -> dict:
    """The claim that refinement is what makes the picture better, against what needs none."""
    error, kernel = judged(rows, "mse"), judged(rows, "kernel")
    rival = "refined / one step tuned, one call"
    row = {"claim": "refinement along the trajectory is what lowers the error"}
    row |= {"published": "PSNR +2.80 with another reference"}
    if rival not in error:
        return row | {"why": "no rows of both sides"}
    (base, nearer), (other, than_one) = error["refined / not refined"], error[rival]
    return row | {
        "measured": f"K = 3: MSE {base.words}; against one call tuned {other.words}",
        "verdict": f"{nearer} than before; than one call: {than_one}",
        "N": rows[0]["N"],
        "seeds": f"{len(base.runs)} training",
        "protocol": (
            "equal calls in training; relative change of the mean squared error, cross-reference",
            "*: not after Holm's correction",
            *(
                f"kernel distance, {name}: {x.words}, {words}"
                for name, (x, words) in kernel.items()
            ),
        ),
    }


def references(rows: Sequence[dict]) -> Iterator[dict]:
    """The claims that the image itself, or bent, is reference enough: one row each."""
    for arm in ("unbent", "bent", "published recipe"):
        row = {"claim": f"training references: {SHOWN[arm]}; in use a stranger (cross)"}
        row |= {"published": "cross-reference rows"}
        sides = [where(rows, arm=name, **WALKED) for name in (arm, "base")]
        if not all(side and "delta_e" in side[0] for side in sides):
            yield row | {"why": "no rows of both sides"}
            continue
        plus, minus = ([WALKED | {"arm": name}] for name in (arm, "base"))
        found = effect(f"{arm} / mixed", rows, plus, minus, metric="delta_e")
        yield row | {
            "measured": f"colour error {found.words} against a network that saw three kinds",
            "verdict": found.verdict,
            "N": rows[0]["N"],
            "seeds": f"{len(found.runs)} training",
        }


def rivals(errors: Mapping[str, np.ndarray], n: int) -> dict:
    """The claim that another face's colours are followed, against every rival, image by image.

    errors: of each way to answer the colour error of each image; "coloured" is the network's.
    """
    ours = errors["coloured"]
    against = {k: v for k, v in errors.items() if k not in ("coloured", "true answer")}
    best = min(against, key=lambda name: np.nanmean(against[name]))
    found = {
        name: mean_interval((ours - x)[~np.isnan(ours - x)].tolist()) for name, x in against.items()
    }
    nearer = all(x.high < 0 for x in found.values())
    return {
        "claim": "cross: nearer to the colours asked for than each of four simple answers",
        "published": "not measured",
        "measured": f"ΔE {np.nanmean(ours):.1f}; {best} {np.nanmean(against[best]):.1f}, best",
        "verdict": "nearer than each" if nearer else "cannot be told from each",
        "N": n,
        "seeds": "1 training",
        "protocol": [
            "pixels where the reference shows another region; 95 % intervals over images, paired",
            *(f"less {k}: {x.mean:+.1f} ({x.low:+.1f} to {x.high:+.1f})" for k, x in found.items()),
        ],
    }
