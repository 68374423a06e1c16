"""Lesson 06's tables and claims: what was published, what rows of ours say of it."""

from collections.abc import Iterator, Sequence

import numpy as np

from diffutils.course.experiments.claims import mean_words
from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
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
    return aligned([head, *lines])


# ------------------------------------------------------------------- where a chain starts


def judged(rows: Sequence[dict], by: str = "mse") -> list[dict]:
    """The rows of ways on the images that judge, tuned by "mse", or by looks: "tuned_by"."""
    return [row for row in where(rows, part="judged") if row["by"] in ("", by)]


def starts_table(rows: Sequence[dict], every: bool = False) -> str:
    """Tuned ways: their strengths, calls, errors and distances, the least error first.

    every: also those that do not look at y, that raise its level, and that spend more calls.
    """
    # Choose the rows.
    own = sorted(judged(rows), key=lambda row: row["mse"])
    if not every:
        further = ("pure noise", "y, its level raised", "y as a state, DDPM-200")
        own = [row for row in own if not row["way"].startswith(further)]
    # Set them in columns.
    ruler = "lpips" if all("lpips" in row for row in own) else "ssim"
    once = best_of(rows, "D(y) alone")["mse"]
    head = ("way", "level / s", "calls", "dB", "ratio", ruler, "kernel", "seconds")
    lines = [
        (
            row["way"],
            "" if row["strength"] is None else f"{row['strength']:g}",
            str(row["calls"]),
            f"{row['dB']:.1f}",
            f"{row['mse'] / once:.2f}",
            f"{row[ruler]:.3f}",
            f"{row['kernel']:.0f}",
            f"{row['seconds']:.1f}",
        )
        for row in own
    ]
    floor = f"kernel distance of true faces to others: {own[0]['kernel_floor']:.0f}"
    words = (
        "each tuned by its error; ratio: squared error over that of one call, 2 for a perfect\n"
        "sampler, which scatters about the mean as the truth does; kernel below 0: estimation noise"
    )
    words += f"\n{own[0]['trial']['weights']}, N = {own[0]['N']}; {floor}"
    return f"{aligned([head, *lines])}\n{words}"


def strengths_table(rows: Sequence[dict]) -> str:
    """dB of every strength that was tried, on the images set aside."""
    tried = where(rows, part="tuning")
    strengths = sorted({row["strength"] for row in tried})
    ways = dict.fromkeys(row["way"] for row in tried)
    lines = [("dB at level / s =", *(f"{s:g}" for s in strengths))]
    for way in ways:
        found = {row["strength"]: f"{row['dB']:.1f}" for row in where(tried, way=way)}
        lines.append((way, *(found.get(strength, "") for strength in strengths)))
    return aligned(lines)


def best_of(rows: Sequence[dict], words: str) -> dict | None:
    """The judged row of least error among the ways whose name holds these words."""
    own = [row for row in judged(rows) if words in row["way"]]
    return min(own, key=lambda row: row["mse"], default=None)


def against_one_call(rows: Sequence[dict]) -> float:
    """Squared error of the best start (with DIP where there is one) over that of one call."""
    best = best_of(rows, "DIP(y) + noise") or best_of(rows, "+ noise")
    return best["mse"] / best_of(rows, "D(y) alone")["mse"]


def paired(plus: dict, minus: dict) -> tuple[float, float, float]:
    """Difference of two ways' dB, image by image: mean and 95 % interval."""
    each = [np.log10(row["each"]) * -10 for row in (plus, minus)]
    return mean_interval((each[0] - each[1]).tolist())[:3]


def starts_sentence(rows: Sequence[dict]) -> str:
    """The verdict: the best way by error, and what starts with DIP are worth beside it."""
    own = judged(rows)
    looks = judged(rows, "tuned_by")
    ruler = "lpips" if all("lpips" in row for row in looks) else "tuned_by"
    by_error = min(own, key=lambda row: row["mse"])
    by_looks = min(looks, key=lambda row: row[ruler])
    found = [
        f"Least squared error: {by_error['way']} ({by_error['dB']:.1f} dB). Nearest to the eye: "
        f"{by_looks['way']} ({ruler} {by_looks[ruler]:.3f})."
    ]
    if (dip := best_of(rows, "DIP(y) + noise")) is not None:
        mean, low, high = paired(dip, by_error)
        found.append(
            f"The best start with DIP, {dip['way']}: {mean:+.1f} dB ({low:+.1f} to {high:+.1f}) "
            f"against it, in {dip['seconds']:.0f} s an image."
        )
    return "\n".join(found)


# ------------------------------------------------------------------- the published system


def mean_of(rows: Sequence[dict], key: str, form: str) -> str:
    """The mean of a number over trainings; "-" where a row lacks it."""
    values = [float(row[key]) for row in rows if key in row]
    return format(mean_interval(values).mean, form) if len(values) == len(rows) else "-"


def closeness_table(rows: Sequence[dict]) -> str:
    """How far images are from real ones: what the prior makes, noise, the mean, other real ones."""
    own = where(rows, arm="images")
    lines = [("images", "Fréchet", "kernel", "trainings")]
    for way in dict.fromkeys(row["way"] for row in own):
        some = where(own, way=way)
        numbers = (mean_of(some, key, ".0f") for key in ("frechet", "kernel"))
        lines.append((way, *numbers, str(len(some))))
    return f"on {own[0]['features']}, N = {own[0]['N']}\n{aligned(lines)}"


def published_table(rows: Sequence[dict]) -> str:
    """Every arm and chain in the published table's form, with total seconds an image."""
    shown = {"steps": ".0f", "frechet": ".0f", "lpips": ".2f", "psnr": ".1f", "ssim": ".2f"}
    shown |= {"sampling_seconds": ".2f", "seconds": ".2f"}
    heads = {"frechet": "Fréchet", "sampling_seconds": "s, chain", "seconds": "s, all"}
    lines = [("", *(heads.get(key, key) for key in shown))]
    trained = [row for row in rows if row["arm"] != "images" and "frechet" in row]
    for arm, way in dict.fromkeys((row["arm"], row["way"]) for row in trained):
        some = where(trained, arm=arm, way=way)
        lines.append((f"{arm}: {way}", *(mean_of(some, key, form) for key, form in shown.items())))
    floor = mean_of(trained, "frechet_floor", ".0f")
    return f"Fréchet of real images to others: {floor}\n{aligned(lines)}"


def forgets_table(rows: Sequence[dict]) -> str:
    """How far chains end from those that start from noise, with the same fresh noise."""
    own = [row for row in rows if "apart" in row]
    lines = [("chain", "apart from the one from noise", "two unrelated chains")]
    for way in dict.fromkeys(row["way"] for row in own):
        some = where(own, way=way)
        lines.append((way, mean_of(some, "apart", ".3f"), mean_of(some, "others", ".3f")))
    return aligned(lines)


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
        seconds = mean_of(own, "seconds", ".2f")
        yield row | {
            "measured": f"Fréchet {frechet}, {seconds} s",
            "verdict": "other images: not comparable",
            "N": own[0]["N"],
            "seeds": f"{len(own)} training",
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
        "seeds": f"{len(dip)} training",
        "protocol": ("a chain that starts at the top forgets its start: see the lesson, 1 and 6",),
    }


def rows(dip: Sequence[dict], starts: Sequence[dict], published: Sequence[dict]) -> Iterator[dict]:
    """All claims of the lesson."""
    yield from published_claims(published)
    yield dip_claim(dip)
    yield starts_claim(starts)
