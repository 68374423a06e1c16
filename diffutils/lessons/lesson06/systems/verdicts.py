"""What rows of starts and of the published system say: tables, and comparisons with intervals."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from diffutils.course.experiments.effects import EQUIVALENT, UNTOLD
from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.metrics.intervals import Interval, mean_interval

PLAIN = ("baseline", "DDPM")  # arm and way of rows of the published system
CHANGES = MappingProxyType(
    {
        "started from the prior": ("baseline", "DDPM from DIP"),
        "a fifth of the steps, respaced": ("baseline", "respaced"),
        "a fifth of the steps, unspaced": ("baseline", "unspaced"),
        "the prior is half of the noise": ("mix 0.5", "DDPM"),
        "the prior is all of the noise": ("mix 1.0", "DDPM"),
    }
)

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


def answers_table(rows: Sequence[dict], names: Sequence[str] = ()) -> str:
    """Many answers to one measurement: how often the truth is in their 90 % set, and their errors.

    names: of the ways that are shown, in that order; none: all.  Intervals are over images.
    """
    own = {row["way"]: row for row in where(rows, part="answers")}
    lines = [("way", "inside, %", "", "one / mean", "scatter")]
    for row in own.values() if not names else (own[name] for name in names if name in own):
        inside = mean_interval([100 * share for share in row["covered"]])
        ratio = np.mean(row["each"]) / np.mean(row["each_of_mean"])
        numbers = (f"{inside.mean:.0f}", f"({inside.low:.0f} to {inside.high:.0f})")
        lines.append((row["way"], *numbers, f"{ratio:.2f}", f"{np.mean(row['std']):.3f}"))
    first = next(iter(own.values()))
    K, N = first["K"], first["N"]
    return (
        f"{aligned(lines)}\n{K} answers to each of {N} images; one / mean: squared error of one\n"
        f"over that of the mean of {K}, {2 / (1 + 1 / K):.2f} for a perfect sampler"
    )


# ------------------------------------------------------------------- the published system


def mean_of(rows: Sequence[dict], key: str, form: str) -> str:
    """The mean of a number over trainings; "-" where a row lacks it."""
    values = [float(row[key]) for row in rows if key in row]
    return format(mean_interval(values).mean, form) if len(values) == len(rows) else "-"


def closeness_table(rows: Sequence[dict]) -> str:
    """How far images are from real ones: what the prior makes, noise, the mean, other real ones."""
    own = where(rows, arm="images")
    lines = [("images", "Fréchet", "kernel")]
    for way in dict.fromkeys(row["way"] for row in own):
        some = where(own, way=way)
        numbers = (mean_of(some, key, ".0f") for key in ("frechet", "kernel"))
        lines.append((way, *numbers))
    trainings = len({row["training"] for row in own})
    about = f"on {own[0]['features']}, N = {own[0]['N']}, means over {trainings} trainings"
    return f"{about}\n{aligned(lines)}"


def published_table(rows: Sequence[dict], every: bool = False) -> str:
    """Every arm and chain in the published table's form, with total seconds an image.

    every: also those whose prior was fitted to noise.
    """
    shown = {"steps": ".0f", "frechet": ".0f", "lpips": ".2f", "psnr": ".1f", "ssim": ".2f"}
    shown |= {"sampling_seconds": ".2f", "seconds": ".2f"}
    heads = {"frechet": "Fréchet", "sampling_seconds": "chain", "seconds": "in all"}
    lines = [("", *(heads.get(key, key) for key in shown))]
    trained = [row for row in rows if row["arm"] != "images" and "frechet" in row]
    trained = [row for row in trained if every or "no image" not in row["way"]]
    for arm, way in dict.fromkeys((row["arm"], row["way"]) for row in trained):
        some = where(trained, arm=arm, way=way)
        lines.append((f"{arm}: {way}", *(mean_of(some, key, form) for key, form in shown.items())))
    floor = mean_of(trained, "frechet_floor", ".0f")
    about = f"Fréchet of real images to others: {floor}; seconds of the chain, and in all"
    return f"{about}\n{aligned(lines)}"


def differences(
    rows: Sequence[dict], changes: Mapping[str, tuple[str, str]] = CHANGES
) -> dict[str, Interval]:
    """Fréchet distances of changes, by arm and way, less the plain DDPM's, training by training."""
    per = {}
    for row in rows:
        if row["arm"] != "images" and "frechet" in row:
            per.setdefault((row["arm"], row["way"]), {})[row["training"]] = row["frechet"]
    plain = per.get(PLAIN, {})
    found = {name: per.get(arm, {}) for name, arm in changes.items()}
    return {
        name: mean_interval([own[k] - plain[k] for k in own if k in plain])
        for name, own in found.items()
        if own.keys() & plain.keys()
    }


def verdict_of(less: Interval, rows: Sequence[dict]) -> str:
    """What a difference to the plain DDPM's distance says; within a tenth of it counts as none."""
    plain = [row["frechet"] for row in rows if (row["arm"], row["way"]) == PLAIN]
    if max(-less.low, less.high) < 0.1 * np.mean(plain):
        return EQUIVALENT
    return "better" if less.high < 0 else "worse" if less.low > 0 else UNTOLD


def published_sentence(rows: Sequence[dict]) -> str:
    """What each published change does to the Fréchet distance of the DDPM in 1000 steps."""
    lines = [
        f"{name}: {x.mean:+,.0f}"
        + (f" ({x.low:+,.0f} to {x.high:+,.0f})" if x.N > 1 else "")
        + f", {verdict_of(x, rows)}"
        for name, x in differences(rows).items()
    ]
    trainings = len({row["training"] for row in rows if (row["arm"], row["way"]) == PLAIN})
    head = f"Fréchet, less the DDPM's in all steps, over {trainings} trainings, 95 % interval:"
    return "\n  ".join([head, *lines])


def forgets_table(rows: Sequence[dict]) -> str:
    """How far chains end from those that start from noise, with the same fresh noise."""
    own = [row for row in rows if "apart" in row]
    lines = [("chain", "apart from the one from noise", "two unrelated chains")]
    for way in dict.fromkeys(row["way"] for row in own):
        some = where(own, way=way)
        lines.append((way, mean_of(some, "apart", ".3f"), mean_of(some, "others", ".3f")))
    return aligned(lines)
