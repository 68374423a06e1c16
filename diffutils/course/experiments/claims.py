"""Rows of the claim table: fields that are joined only to be shown, made of effects and of rows."""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from diffutils.course.experiments.effects import HINT, Effect, differ, held
from diffutils.course.experiments.rows import check, group
from diffutils.course.tables import CLAIM_COLUMNS, cell_of, plain
from diffutils.metrics.intervals import mean_interval

LONGEST = 160  # characters of a cell; the protocol, in a fold, has room for more
RULE = (
    "nearer or farther: the 95 % interval leaves out 0; equivalent within a tenth: the 90 % "
    "interval lies within 1/1.1 to 1.1, of three runs or more"
)
TOGETHER = f"verdicts after Holm's correction over {{}} comparisons; {HINT}what holds only alone"


def claim(
    claim: str,
    published="-",
    measured="not run",
    protocol: str | Sequence[str] = (),
    N="-",
    seeds="-",
    verdict="-",
    why: str = "",
) -> dict:
    """The fields of a claim, as text; protocol, for the fold, is a list of short sentences.

    why: the reason for "not run", which is shown behind it.
    Raises: ValueError for a cell of more than 160 characters.
    """
    if isinstance(measured, float | np.floating) or getattr(measured, "shape", None) == ():
        measured = f"{float(measured):.3g}"
    cells = (claim, published, measured, verdict, N, seeds)
    fields = dict(zip(CLAIM_COLUMNS, map(plain, cells), strict=True)) | {"why": plain(why)}
    for key in CLAIM_COLUMNS:
        if (length := len(cell_of(fields, key))) > LONGEST:
            raise ValueError(
                f"{key} of the claim {fields['claim'][:40]!r} has {length} characters, but nobody "
                f"reads a cell of more than {LONGEST}; say the rest as sentences of protocol"
            )
    sentences = [protocol] if isinstance(protocol, str) else protocol
    if not isinstance(sentences, Sequence):
        raise ValueError(f"protocol is {protocol!r}, expected a sentence or a list of them")
    return fields | {"protocol": [plain(sentence) for sentence in sentences if sentence]}


def from_effects(
    text: str,
    effects: Sequence[Effect],
    rows: Sequence[dict],
    *,
    published: str = "-",
    beside: Sequence[Effect] = (),
    family: Sequence[Effect] = (),
    protocol: Sequence[str] = (),
) -> dict:
    """The claim that these effects decide, each under its label `by`; beside: more, for the fold.

    rows: those compared.  family: all effects that are drawn together, for Holm's correction (none:
    those of this claim).  Without any run it is "not run", and says why.
    """
    left_out = dict.fromkeys(x.why() for x in (*effects, *beside))
    run = [x for x in effects if x.runs]
    if not run:
        why = next((why for x in effects for why in x.left_out.values()), "no rows of both sides")
        return claim(text, published, protocol=[*left_out, *protocol], why=why)
    # Say how they are compared, and show the rows that count.
    family = family or (*effects, *beside)
    own, many = run[0], sum(len(x.runs) > 1 for x in family)
    how = "relative change, by mean log ratio," if own.relative else "difference"
    by = "training" if own.unit == "trainings" else "seed"
    rows = [row for row in rows if any(row.get(by, 0) in x.runs for x in run)]
    return claim(
        text,
        published,
        fitting([f"{x.by}: {x.words}" if x.by else x.words for x in run]),
        protocol=[
            f"{own.name}: {how} of the distance to held-out images, below 0 nearer",
            f"95 % intervals over {max(len(x.runs) for x in run)} {own.unit}",
            RULE,
            TOGETHER.format(many) if many > 1 else "",
            *(f"{x.name}, {x.by}: {x.words}, {verdicts([x], family)}" for x in beside if x.runs),
            *left_out,
            rows[0]["features"],
            *protocol,
        ],
        verdict=verdicts(run, family),
        **counts(rows),
    )


def verdicts(effects: Sequence[Effect], family: Sequence[Effect] = ()) -> str:
    """Effects by verdict: "nearer (5, 9); cannot be told (19)"; of a single one its verdict alone.

    family: effects that are drawn together (none: these); what does not survive Holm's correction
    over them is "a hint: nearer".
    """
    said = [*zip(held(effects, family or effects), (x.by for x in effects), strict=True)]
    labels = {verdict: [by for other, by in said if other == verdict] for verdict, _ in said}
    if len(effects) == 1:
        return ", ".join(labels)
    return fitting([f"{verdict} ({', '.join(of)})" for verdict, of in labels.items()], "; ")


def mean_words(values: Iterable[float], digits: int = 1) -> str:
    """The mean of independent runs, and its 95 % interval where several: "2.3 (1.9 to 2.7)"."""
    mean, low, high, k = mean_interval([*values])
    interval = f" ({low:.{digits}f} to {high:.{digits}f})" if k > 1 else ""
    return f"{mean:.{digits}f}{interval}"


def over_trainings(rows: Sequence[dict], metric: str = "frechet") -> list[float]:
    """A distance over the floor, real against real, by training: each one's mean over its rows."""
    check(rows, metric, "frechet_floor")
    return [
        sum(row[metric] / row["frechet_floor"] for row in own) / len(own)
        for own in group(rows, "training").values()
    ]


def ratio_claim(text: str, rows: Sequence[dict], protocol: Sequence[str] = (), **fields) -> dict:
    """A claim on one setting: its distance to held-out images over the floor, over trainings."""
    if why := missing(rows, "row of it"):
        return claim(text, protocol=protocol, why=why, **fields)
    ratios = over_trainings(rows)
    how = f"mean and 95 % interval over {len(ratios)} trainings" if len(ratios) > 1 else "one run"
    protocol = [f"distance to held-out images / floor, {how}", *protocol, rows[0]["features"]]
    measured = f"{mean_words(ratios)} times the floor"
    return claim(text, measured=measured, protocol=protocol, **counts(rows), **fields)


def missing(rows: Sequence[dict], what: str) -> str:
    """Why these rows say nothing, in words; "" where they do.  what: "row of Heun"."""
    if not rows:
        return f"no {what}"
    distances = ("frechet", "frechet_train", "frechet_floor")
    if any(math.isnan(row.get(key, 0.0)) for row in rows for key in distances):
        return f"{rows[0]['N']:,} images are too few for distances on {rows[0]['features']}"
    return differ(rows)


def counts(rows: Sequence[dict]) -> dict:
    """N, and how many trainings and sampling seeds: "3 training, 1 sampling each"."""
    by_training = group(rows, "training").values()
    seeds = max(len({row["seed"] for row in own}) for own in by_training)
    each = " each" if len(by_training) > 1 else ""
    return {"N": rows[0]["N"], "seeds": f"{len(by_training)} training, {seeds} sampling{each}"}


def fitting(parts: Sequence[str], joint: str = ", ") -> str:
    """The parts in one cell, or as many of them as have room there."""
    for k in range(len(parts), 0, -1):
        more = f"{joint}and {len(parts) - k} more" if k < len(parts) else ""
        if len(text := joint.join(parts[:k]) + more) <= LONGEST:
            return text
    return f"{len(parts)} parts, see the protocol" if parts else ""
