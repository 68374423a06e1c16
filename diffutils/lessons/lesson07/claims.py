"""Lesson 07's tables and claims: what was published, what rows of ours say of it."""

from collections.abc import Iterator, Sequence

import numpy as np

from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.lessons.lesson07.systems import scored, turned
from diffutils.metrics.intervals import Interval, mean_interval

SHIFTED = "full: sub-pixel"  # of the equivariances, what the table shows
TURNED = "EQ-R, turns"
RIGHT = "D-ideal"  # the configuration whose filters are what they are called

# ------------------------------------------------------------------- trainings


def arms_of(rows: Sequence[dict]) -> list[str]:
    """The arms, in the order of their rows."""
    return list(dict.fromkeys(row["arm"] for row in rows))


def mean(values: Sequence[float | None], form: str) -> str:
    """The mean of those that could be measured; "-" where none could."""
    known = [value for value in values if value is not None and value == value]
    return format(np.mean(known), form) if known else "-"


def trial_table(rows: Sequence[dict]) -> str:
    """Every arm: EQ-T before and after training, EQ-R, distance and share of right classes."""
    lines = [("arm", "EQ-T before", "after", "EQ-R", "kernel", "right", "trainings")]
    for arm in arms_of(rows):
        own = where(rows, arm=arm)
        columns = (
            [row["before"][SHIFTED] for row in own],
            [row["eq"][SHIFTED] for row in own],
            [row["eq"][TURNED] for row in own],
        )
        cells = [mean(column, ".1f") for column in columns]
        cells.append(mean([row["kernel"] for row in own], ".1f"))
        cells.append(mean([row["agreement"] for row in own], ".0%"))
        lines.append((arm, *cells, str(len(own))))
    floor = mean([row["kernel_floor"] for row in rows], ".1f")
    return (
        f"{aligned(lines)}\nEQ-T: sub-pixel shifts, all frequencies; EQ-R: turns, after; dB, means "
        "over trainings\n"
        f"kernel: distance to real images, which may be below 0; of real ones to others: {floor}\n"
        "right: drawn digits whose class a judge reads as the one asked for\n"
        f"N = {rows[0]['N']}, {rows[0]['trial']['dataset']}, {rows[0]['trial']['steps']:,} steps"
    )


def runs_table(rows: Sequence[dict]) -> str:
    """Every arm: whether whole samplings follow what is done to their noise."""
    names = ("shift", "sub-pixel", "90 degrees", "other noise")
    names = [name for name in names if any(name in row["runs"] for row in rows)]
    lines = [("samples of", *names)]
    for arm in arms_of(rows):
        own = where(rows, arm=arm)
        lines.append(
            (arm, *(mean([row["runs"].get(name) for row in own], ".1f") for name in names))
        )
    return (
        f"{aligned(lines)}\ndB of a peak of 2, means over trainings\n"
        "other noise: unrelated samples, as a sampling that does not follow"
    )


def published_table(rows: Sequence[dict]) -> str:
    """The 13 published configurations: IS / FID / 100 KID of three sets; ours beside, if any."""
    lines = [("published, IS / FID / KID", *scored.SETS, "ours: set, IS / FID / KID, trainings")]
    asked = "python -m diffutils run --lessons 07 --profile published --dataset"
    commands = [f"{asked} {data} --set images={n}" for data, n in scored.SETS.items()]
    for name, of_sets in scored.PUBLISHED.items():
        cells = [" / ".join(f"{x:.2f}" for x in of_sets[data]) for data in scored.SETS]
        # Ours, set by set.
        ours: dict[str, list[dict]] = {}
        for row in where(rows, arm=name):
            if row["scores"]:
                ours.setdefault(row["trial"]["dataset"], []).append(row["scores"])
        found = [
            f"{data} {' / '.join(mean([x[k] for x in every], '.2f') for k in every[0])}"
            f" ({len(every)})"
            for data, every in ours.items()
        ]
        lines.append((name, *cells, ", ".join(found) or "not run"))
    how = "ours, row by row and with as many images:"
    return "\n".join((aligned(lines, width=None), how, *commands))


def steady_table(rows: Sequence[dict]) -> str:
    """How much loss and gradient norm vary in the second half of a training, and over seeds."""
    lines = [("arm", "loss", "its deviation", "deviation of log gradient", "held out, over seeds")]
    for arm in arms_of(rows):
        own = [row["steady"] for row in where(rows, arm=arm)]
        forms = {"loss": ".4f", "loss_std": ".4f", "grad_std": ".3f"}
        means = [mean([x[key] for x in own], form) for key, form in forms.items()]
        heldout = [x["heldout"] for x in own if x["heldout"] is not None]
        over = f"{np.std(heldout, ddof=1):.4f}" if len(heldout) > 1 else "-"
        lines.append((arm, *means, over))
    return aligned(lines, width=None)


def against_a(rows: Sequence[dict], arm: str, number) -> Interval | None:
    """number(row) of an arm less that of A, training by training; None without both."""
    plain = {row["training"]: number(row) for row in where(rows, arm="A")}
    pairs = [(row, plain.get(row["training"])) for row in where(rows, arm=arm)]
    own = [number(row) - other for row, other in pairs if None not in (number(row), other)]
    return mean_interval(own) if own else None


def trial_sentence(rows: Sequence[dict]) -> str:
    """What training leaves of the gain in equivariance, and what it does to the pictures."""
    found = []
    for arm in (RIGHT, "D-kaiser", "D-2N", "B-0", "R"):
        shifts = against_a(rows, arm, lambda row: row["eq"][SHIFTED])
        kernel = against_a(rows, arm, lambda row: row["kernel"])
        if shifts is None:
            continue
        found.append(
            f"{arm}, less A: EQ-T {within(shifts, '.1f')} dB; kernel distance "
            f"{within(kernel, '.1f')}"
        )
    return "\n".join(found)


# ------------------------------------------------------------------- turned digits


def turned_table(rows: Sequence[dict], network: str = "A") -> str:
    """Every way to turn a digit: median angle error, identity kept, distance to turned digits."""
    lines = [("way", "chain", "off, degrees", "kept, %", "frames, dB", "kernel")]
    for way, chain in dict.fromkeys((row["way"], row["chain"]) for row in rows):
        x = turned.summary(rows, network, chain, way)
        kept = "-" if x["identity"] is None else f"{100 * x['identity']:.0f}"
        cells = (f"{x['off']:.1f}", kept, f"{x['frames']:.1f}", f"{x['kernel']:.1f}")
        lines.append((way, chain, *cells))
    n = len(turned.ANGLES)
    return (
        f"{aligned(lines)}\n{network}: median over {n} angles from -90 to 90 degrees and "
        f"{rows[0]['N']} digits;\nkept: still that digit, relative to upright ones\n"
        f"frames: how well the frame {turned.APART:g} degrees before, turned, is this one"
    )


# ------------------------------------------------------------------- the claims


def training_claims(rows: Sequence[dict]) -> Iterator[dict]:
    """The claims on configurations: better pictures, a steadier training, layers that follow."""
    # Better pictures, by the published filters and by right ones.
    for arm in ("D-2N", "B-0", RIGHT):
        fids = {data: {x: s[data].FID for x, s in scored.PUBLISHED.items()} for data in scored.SETS}
        words = ", ".join(
            f"{100 * (fid[arm] / fid['A'] - 1):+.1f} % ({data})"
            for data, fid in fids.items()
            if arm in fid
        )
        row = {"claim": f"filters {arm} draw better than A"}
        row |= {"published": f"FID {words}" if words else "not tried"}
        yield row | compared(rows, arm, lambda row: row["kernel"], "kernel distance", ".1f")
    # A steadier training.
    for arm in ("D-2N", RIGHT):
        row = {"claim": f"filters {arm} make the training steadier"}
        row |= {"published": "more stable" if arm in scored.PUBLISHED else "not tried"}
        words = "deviation of log gradient"
        yield row | compared(rows, arm, lambda row: row["steady"]["grad_std"], words, ".3f")
    # What is left of the equivariance of layers, and what whole samplings have of it.
    for claim, words, number in (
        ("a trained network follows shifts better", "EQ-T, dB", lambda row: row["eq"][SHIFTED]),
        ("its samples do", "dB of a peak", lambda row: row["runs"]["shift"]),
    ):
        row = {"claim": f"{RIGHT}, against A: {claim}", "published": "not measured"}
        yield row | compared(rows, RIGHT, number, words, ".1f", above=True)


def compared(
    rows: Sequence[dict], arm: str, number, words: str, form: str, above: bool = False
) -> dict:
    """Cells of a claim on number(row) of an arm less that of A; above: it should be larger."""
    less = against_a(rows, arm, number) if rows else None
    if less is None:
        return {"why": "no rows of it"}
    trial = rows[0]["trial"]
    return {
        "measured": f"{words} {within(less, form)}",
        "verdict": verdict(less, above),
        "N": rows[0]["N"],
        "seeds": f"{less.N} of training",
        "protocol": (f"{arm} less A, {trial['dataset']}, {trial['steps']:,} steps each",),
    }


def within(less: Interval, form: str) -> str:
    """A difference with its interval, where there is one."""
    ends = f" ({less.low:+{form}} to {less.high:+{form}})" if less.N > 1 else ""
    return f"{less.mean:+{form}}{ends}"


def verdict(less: Interval, above: bool = False) -> str:
    """Of a difference that should be below 0, or above."""
    if above:
        less = Interval(-less.mean, -less.high, -less.low, less.N)
    return "holds" if less.high < 0 else "does not hold" if less.low > 0 else "cannot be told"


def turned_claims(rows: Sequence[dict], network: str = "A") -> Iterator[dict]:
    """The claim that turning the state turns the picture, and the better way beside it."""
    for words, way, chain, published in (
        ("turning the state at every step turns the digit", "published", "DDPM", "figures only"),
        ("turning it late, without blur, does", "late", "DDPM", "not tried"),
    ):
        row = {"claim": words, "published": published}
        own = where(rows, network=network, way=way, chain=chain)
        if not own:
            yield row | {"why": "no rows of it"}
            continue
        x = turned.summary(rows, network, chain, way)
        if x["identity"] is None:
            yield row | {"why": "no classifier ships for these digits"}
            continue
        good = x["off"] <= 5 and x["identity"] >= 0.9
        yield row | {
            "measured": f"{x['off']:.1f} degrees off; {x['identity']:.0%} keep their class",
            "verdict": "holds" if good else "does not hold",
            "N": x["N"],
            "seeds": "1 of sampling",
            "protocol": ("holds: at most 5 degrees off, 90 % keep their class", chain),
        }


def rows(trial: Sequence[dict], turns: Sequence[dict]) -> Iterator[dict]:
    """All claims of the lesson."""
    yield from training_claims(trial)
    yield from turned_claims(turns)
