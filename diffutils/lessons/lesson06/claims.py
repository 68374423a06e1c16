"""Lesson 06's tables and claims: what was published, what rows of ours say of it."""

from collections.abc import Iterator, Sequence

import numpy as np

from diffutils.course.experiments.claims import mean_words
from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.lessons.lesson06.systems.verdicts import (
    PLAIN,
    best_of,
    differences,
    judged,
    mean_of,
    paired,
    verdict_of,
)
from diffutils.metrics.intervals import mean_interval

RULES = ("held-out pixels", "windowed variance", "best")
SHORT = {"held-out pixels": "held out", "windowed variance": "window", "best": "best"}


# ------------------------------------------------------------------- Deep Image Prior


def gains(rows: Sequence[dict], name: str) -> np.ndarray:
    """dB won over the noisy image in each row: by DIP at a rule's stop, or by a filter."""
    if name in RULES:
        return np.array([row["dB"][row["stops"][name]] - row["noisy"] for row in rows])
    return np.array([row["filters"][name]["dB"] - row["noisy"] for row in rows])


def filters_of(rows: Sequence[dict]) -> list[str]:
    """The filters that all rows have."""
    return [name for name in rows[0]["filters"] if all(name in row["filters"] for row in rows)]


def dip_table(rows: Sequence[dict]) -> str:
    """dB won for each photograph by DIP at its stop and at its best, and by the filters."""
    names = ["held-out pixels", "best", *filters_of(rows)]
    head = ("won, dB", *("DIP, " + SHORT[n] if n in SHORT else n for n in names))
    columns = [gains(rows, name) for name in names]
    lines = [
        (row["photo"], *(f"{column[i]:.1f}" for column in columns)) for i, row in enumerate(rows)
    ]
    lines.append(("median", *(f"{np.median(column):.1f}" for column in columns)))
    seconds = [np.median([row["seconds"] for row in rows])] * 2
    seconds += [np.median([r["filters"][n]["seconds"] for r in rows]) for n in filters_of(rows)]
    lines.append(("seconds an image", *(f"{s:.2g}" for s in seconds)))
    return aligned([head, *lines])


def dip_sentence(rows: Sequence[dict]) -> str:
    """DIP against the filters, in words that follow from the rows."""
    ours, rivals = gains(rows, "held-out pixels"), filters_of(rows)
    lost = gains(rows, "best") - ours
    found = [f"{name} {format(np.median(ours - gains(rows, name)), '+.1f')} dB" for name in rivals]
    took = np.median([row["seconds"] for row in rows])
    nlm = np.median([row["filters"]["NLM"]["seconds"] for row in rows])
    return (
        f"Median over {len(rows)} photographs: DIP wins {np.median(ours):.1f} dB at its stop, "
        f"{np.median(lost):.1f} short of its best iteration.\nDIP, less each filter: "
        f"{', '.join(found)}; it takes {took / nlm:,.0f} times as long as NLM."
    )


def stops_table(rows: Sequence[dict]) -> str:
    """Where each rule stopped on each photograph: iteration, and dB won."""
    known = [rule for rule in RULES if all(rule in row["stops"] for row in rows)]
    head = ("photograph", *(f"{SHORT[rule]}: {x}" for rule in known for x in ("iteration", "dB")))
    lines = []
    for i, row in enumerate(rows):
        cells = []
        for rule in known:
            cells.append(str(row["iteration"][row["stops"][rule]]))
            cells.append(f"{gains(rows, rule)[i]:.1f}")
        lines.append((row["photo"], *cells))
    return aligned([head, *lines], width=None)


# ------------------------------------------------------------------- the claims


def dip_claim(rows: Sequence[dict]) -> dict:
    """The claim that an untrained network denoises, beside filters that need none either."""
    row = {"claim": "DIP denoises without training (stopped by held-out pixels)"}
    row |= {"published": "an untrained network suffices"}
    if not rows:
        return row | {"why": "no rows of it"}
    won = mean_interval(gains(rows, "held-out pixels").tolist())
    against = {
        name: mean_interval((gains(rows, "held-out pixels") - gains(rows, name)).tolist())
        for name in filters_of(rows)
    }
    beaten = [name for name, x in against.items() if x.high < 0]
    held = "holds" if won.low > 0 else "does not hold" if won.high < 0 else "cannot be told"
    return row | {
        "measured": f"mean {won.mean:+.1f} dB ({won.low:+.1f} to {won.high:+.1f})",
        "verdict": f"{held}; behind {', '.join(beaten)}" if beaten else held,
        "N": len(rows),
        "seeds": "1 fit each",
        "protocol": (
            f"photographs of scikit-image, {rows[0]['size']} pixels",
            f"noise of {rows[0]['sigma_y']:.2f} in [-1, 1], {rows[0]['iterations']} iterations",
            *(
                f"less {k}: {x.mean:+.1f} dB ({x.low:+.1f} to {x.high:+.1f})"
                for k, x in against.items()
            ),
        ),
    }


def starts_claim(rows: Sequence[dict]) -> dict:
    """The claim that a chain is better started from DIP, against the best rival."""
    row = {"claim": "a chain that starts from DIP(y) answers y better"}
    row |= {"published": "FID 53.07 instead of 58.2, unconditional"}
    dip = best_of(rows, "DIP(y) + noise") if rows else None
    if dip is None:
        return row | {"why": "no rows of it"}
    others = [r for r in judged(rows) if "DIP" not in r["way"]]
    best = min(others, key=lambda r: r["mse"])
    mean, low, high = paired(dip, best)
    return row | {
        "measured": f"{mean:+.1f} dB ({low:+.1f} to {high:+.1f}) against: {best['way']}",
        "verdict": "does not hold" if high < 0 else "holds" if low > 0 else "cannot be told",
        "N": dip["N"],
        "seeds": "1 of sampling",
        "protocol": (
            f"equal calls, strengths tuned on {dip['trial']['tuned on']} other images",
            f"total seconds an image: {dip['seconds']:.1f}, and {best['seconds']:.1f}",
        ),
    }


def published_claims(rows: Sequence[dict]) -> Iterator[dict]:
    """The two published rows, and the reason that was given: one claim each."""
    # The rows.
    for name, arm, way, numbers in (
        ("DDPM, 1000 steps", "baseline", "DDPM", "FID 58.2, 42.4 s"),
        ("started from DIP, the evaluated weights", "baseline", "DDPM from DIP", "FID 53.07"),
        ("the same in 200 steps", "baseline", "unspaced from DIP", "0.0083 s"),
        ("DIP in the noise of the training, 0.5", "mix 0.5", "DDPM", "no row"),
        ("DIP in the noise of the training, 1.0", "mix 1.0", "DDPM", "no row"),
    ):
        row = {"claim": name, "published": numbers}
        own = [r for r in where(rows, arm=arm, way=way) if "frechet" in r]
        if not own:
            yield row | {"why": "no training of it here"}
            continue
        frechet = mean_words([r["frechet"] for r in own], 0)
        measured, verdict = f"Fréchet {frechet}", "other images: not comparable"
        against = differences(rows, {name: (arm, way)}).get(name)
        if (arm, way) != PLAIN and against is not None:
            ends = f" ({against.low:+.0f} to {against.high:+.0f})" if against.N > 1 else ""
            measured += f"; {against.mean:+.0f}{ends} against DDPM"
            verdict = verdict_of(against, rows)
        yield row | {
            "measured": f"{measured}; {mean_of(own, 'seconds', '.2f')} s",
            "verdict": verdict,
            "N": own[0]["N"],
            "seeds": f"{len(own)} of training",
            "protocol": (f"real to real: {mean_of(own, 'frechet_floor', '.0f')}; total seconds",),
        }
    # The reason.
    row = {"claim": "DIP's output is closer to the images sought than noise is"}
    row |= {"published": "the reason for starting from it"}
    dip, noise = (where(rows, arm="images", way=way) for way in ("DIP", "noise"))
    if not dip or not noise:
        yield row | {"why": "no rows of it"}
        return
    faint = where(rows, arm="images", way="faint noise") or noise
    ours, theirs, fainter = (mean_of(some, "frechet", ".0f") for some in (dip, noise, faint))
    yield row | {
        "measured": f"Fréchet {ours}; noise {theirs}, of DIP's contrast {fainter}",
        "verdict": "closer"
        if float(ours) < min(float(theirs), float(fainter))
        else "does not hold",
        "N": dip[0]["N"],
        "seeds": f"{len(dip)} of training",
        "protocol": ("a chain that starts at the top forgets its start: see the lesson, 1 and 6",),
    }


def rows(dip: Sequence[dict], starts: Sequence[dict], published: Sequence[dict]) -> Iterator[dict]:
    """All claims of the lesson."""
    yield from published_claims(published)
    yield dip_claim(dip)
    yield starts_claim(starts)
