"""SSIMBaD's noise coordinate phi* on trial: tables, a verdict, and rows for the claim table."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from diffutils.course.experiments.charts import ratio
from diffutils.course.experiments.effects import (
    EQUIVALENT,
    FEW,
    NOT_RUN,
    SINGLE,
    SLOTS,
    SMALL,
    SOLVERS,
    UNTOLD,
    Finding,
    contrasts,
    effects,
    walk_of,
)
from diffutils.course.tables import aligned
from diffutils.lessons.lesson04.arms import ARMS
from diffutils.lessons.lesson04.grids import grids_row, networks_row

PLACES = {"density": "training density", "embedding": "embedding", "grid": "sampling grid"}


ENDS = {
    "phi better": "phi* is better in",
    f"phi better{SMALL}": "phi* is better, by less than a tenth, in",
    "EDM better": "EDM's coordinate is better in",
    f"EDM better{SMALL}": "EDM's coordinate is better, by less than a tenth, in",
    EQUIVALENT: "the two are equivalent within a tenth in",
    UNTOLD: "it cannot be told for",
    SINGLE: "one training has no interval and decides nothing for",
    NOT_RUN: "not run:",
}


ASSERTED = "no ablation in code and README"


CLAIMS = (  # claim, published, the finding that is measured, those that the protocol adds
    ("phi*'s training density improves samples", ASSERTED, "density", ("density x embedding",)),
    ("phi* as embedding improves samples", ASSERTED, "embedding", ("embedding x grid",)),
    ("phi*'s sampling grid improves samples", ASSERTED, "grid", ("density x grid",)),
    (
        "phi* in all places, without lambda (SSIMBaD's settings, on our task), is better than EDM",
        "no EDM in code and README",
        "all of phi* / EDM, own grids",
        (),
    ),
    (
        "phi*'s density with EDM's expected loss (weight lambda') differs from EDM",
        "-",
        "lambda' / EDM",
        ("lambda' / phi density",),
    ),
    (
        "EDM's loss does without lambda(sigma)",
        "left out of the code",
        "without lambda / EDM",
        ("without lambda / phi both",),
    ),
    (
        "EDM is better than DDPM at equal network evaluations",
        "-",
        "EDM / DDPM eta 0, own grids",
        ("EDM / DDPM eta 1, own grids",),
    ),
)


def table(rows: Sequence[dict]) -> str:
    """A text table: Fréchet distance over the floor by arm and walk, mean (std) over trainings.

    rows: of `edm_arms.arm_rows`; a training's sampling seeds are averaged.  "-": not run; nan: too
    few images for a distance.
    """
    walks = [f"{solver}, {grid}" for solver in SOLVERS for grid in ("EDM", "phi")]
    walks += sorted({walk_of(row) for row in rows} - set(walks))
    lines = [("arm, mean (std) over trainings", *walks, "trainings")]
    for arm in ARMS:
        if own := [row for row in rows if row["arm"] == arm]:
            cells = [_cell([row for row in own if walk_of(row) == walk]) for walk in walks]
            lines.append((arm, *cells, str(len({row["training"] for row in own}))))
    return aligned(lines)


def effects_table(findings: Sequence[Finding]) -> str:
    """A text table of `effects` or `contrasts`: changes of the distance in %, below 0 nearer.

    The 90 % interval is that of equivalence; "detectable" is the smallest difference that is found
    with 80 % power, see `Finding`; k counts the trainings.
    """
    lines = [
        ("change of", "solver", "k", "%", "95 % interval", "90 % interval", "detectable", "verdict")
    ]
    for x in findings:
        mean, low, high, low90, high90, detectable = (
            percent(v)[:-1] for v in (x.mean, x.low, x.high, x.low90, x.high90, x.detectable)
        )
        whole = len(x.runs) > 1
        lines.append(
            (
                x.name,
                x.solver,
                str(len(x.runs)),
                mean if x.runs else "-",
                f"{low} to {high}" if whole else "-",
                f"{low90} to {high90}" if whole else "-",
                detectable[1:] if whole else "-",
                x.verdict,
            )
        )
    left = dict.fromkeys(x.why() for x in findings if x.left_out)
    return "\n".join([aligned(lines), *left])


def verdict(findings: Sequence[Finding]) -> str:
    """One sentence on `effects`: what each of the three places did, and who is better where."""
    k = max((len(x.runs) for x in findings if x.name in SLOTS), default=0)
    if not k:
        return (
            "What phi* does in each of its three places was not run: no training has all four arms "
            "on both grids."
        )
    said, groups = [], {}
    for slot, place in PLACES.items():
        own = [x for x in findings if x.name == slot]
        changes = " and ".join(f"{_change(x)} with {x.solver}" for x in own if x.runs)
        said.append(f"the {place} {'by' if said else 'changed the distance by'} {changes}")
        for x in own:
            alike = all(y.verdict == x.verdict for y in own)
            where = f"the {place}" if alike else f"the {place} with {x.solver}"
            groups.setdefault(x.verdict, {})[where] = None
    ends = [f"{words} {_listed([*groups[key]])}" for key, words in ENDS.items() if key in groups]
    interval = f", 95 % intervals over {k} trainings" if k > 1 else ""
    return (
        f"Of the three places where phi* stands in for EDM's coordinate, {_listed(said)} (below 0 "
        f"is nearer to held-out images{interval}): {'; '.join(ends)}."
    )


def phi_trial(
    dataset: str,
    rows: Sequence[dict],
    sweep_rows: Sequence[dict],
    ddpm_rows: Sequence[dict],
    *,
    recorded: bool = False,
) -> list[dict]:
    """SSIMBaD's claims: rows for `lesson.claim(**row)`.

    rows: of `edm_arms.arm_rows`; recorded: they ship, nobody made them here.
    sweep_rows: of `sweep` for an EDM network, samplers "Heun, rho = 7", "Euler, phi*", ...;
    ddpm_rows: of `sweep` for lesson 02's network on the same held-out images, samplers "respaced"
    and `edm_grids.WALKED`.
    What cannot be measured has no entry "measured", and its protocol says why.
    Raises: ValueError as `effects`.
    """
    words = f"data set {dataset}"
    found = [*effects(rows), *contrasts(rows)]
    return [
        *(_training_row(words, rows, found, recorded, *claim) for claim in CLAIMS),
        *(grids_row(words, sweep_rows, solver) for solver in reversed(SOLVERS)),
        networks_row(words, sweep_rows, ddpm_rows),
    ]


# ------------------------------------------------------------------- trainings


def _training_row(
    words: str,
    rows,
    found: list[Finding],
    recorded: bool,
    claim: str,
    published: str,
    name: str,
    also: tuple[str, ...],
) -> dict:
    row = {"claim": claim, "published": published}
    own = [x for x in found if x.name == name]
    left = "; ".join(dict.fromkeys(x.why() for x in own if x.left_out))
    run = [x for x in own if x.runs]
    if not run:
        return row | {"protocol": f"{left or 'no rows of a trial: no arm was trained'}; {words}"}
    detectable = [f"{x.solver} {percent(x.detectable)[1:]}" for x in run if len(x.runs) > 1]
    others = [x for x in found if x.name in also and x.runs]
    k = max(len(x.runs) for x in run)
    seeds = len({(row["training"], row["seed"]) for row in rows})
    parts = [
        f"{name}: change of the Fréchet distance to held-out images, below 0 nearer, by mean log "
        "ratio",
        "averaged over the other two places, with lambda" * (name in SLOTS),
        f"95 % interval over {k} trainings, not corrected for many comparisons" * (k > 1),
        "fewer than three trainings: a hint only" if k < FEW else "",
        "smallest difference that is found with 80 % power (noncentral t, at the std of these "
        f"trainings): {', '.join(detectable)}" * (k > 1),
        *(f"{x.name} by {x.solver} {_change(x)}: {x.verdict}" for x in others),
        left,
        f"{rows[0]['nfe']:g} network evaluations; estimates clipped to [-1, 1] in all arms; arms "
        "share the weights' start, batches and noise of each training, and the start noise of "
        "sampling",
        *_confounds(rows),
        f"{rows[0]['trial']['steps']:,} training steps{', recorded' * recorded}, sampled on "
        + ", ".join(sorted({row["hardware"] for row in rows})),
        f"{rows[0]['features']}; {words}",
    ]
    return row | {
        "measured": "; ".join(f"{x.solver} {_change(x)}: {x.verdict}" for x in run),
        "protocol": "; ".join(filter(None, parts)),
        "N": rows[0]["N"],
        "seeds": f"{k} training, {seeds // len({row['training'] for row in rows})} sampling each",
    }


def _confounds(rows: Sequence[dict]) -> tuple[str, ...]:
    """What all arms share, so that the trial says nothing about other choices of it."""
    about, scale = rows[0]["trial"], rows[0].get("scale", 1.0)
    labels = "labels asked for" if about.get("classes", 1) else "no labels"
    guidance = "no guidance" if scale == 1 else "guidance"
    return (
        "c = 0.3 and P_mean = -1.2 as published, neither fitted to these images; learning rate and "
        f"gradient clipping shared by all arms; {labels}, {guidance} (scale {scale:g})",
        f"networks of {'-'.join(map(str, about['channels']))} channels, {about['images']:,} "
        f"training images, batch {about['batch']}, learning rate {about['lr']:g}, EMA "
        f"{about['ema']:g}",
    )


def _change(x: Finding) -> str:
    """A finding's mean, and its interval where there is one."""
    interval = f" ({percent(x.low)} to {percent(x.high)})" if len(x.runs) > 1 else ""
    return f"{percent(x.mean)}{interval}"


def percent(log_ratio: float) -> str:
    """The relative change exp(log_ratio) - 1: "+5.0%"."""
    return f"{math.expm1(log_ratio):+.1%}"


def _listed(parts: Sequence[str]) -> str:
    """Parts as in a sentence: "a", "a and b", "a, b, and c"."""
    *others, last = parts
    return f"{', '.join(others)}{',' * (len(others) > 1)} and {last}" if others else last


def _cell(rows: list[dict]) -> str:
    """The mean of the ratios to the floor over trainings, and std where several."""
    trainings = sorted({row["training"] for row in rows})
    values = [fmean(ratio(row) for row in rows if row["training"] == k) for k in trainings]
    if not values:
        return "-"
    return f"{fmean(values):.1f}" + (f" ({stdev(values):.1f})" if len(values) > 1 else "")
