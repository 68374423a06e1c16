"""Lesson 07's tables and claims: what was published, what rows of ours say of it."""

from collections.abc import Iterator, Sequence
from types import MappingProxyType

import numpy as np

from diffutils.course.experiments.rows import where
from diffutils.course.tables import aligned
from diffutils.lessons.lesson07.systems import turned
from diffutils.metrics.intervals import Interval, mean_interval

# Of the published README: FID of a single run, 2,000 images; A, and three of twelve variants.
PUBLISHED = MappingProxyType(
    {
        "CIFAR-10": {"A": 98.77, "B-0": 94.23, "D-1N": 90.21, "D-2N": 102.28},
        "MNIST-M": {"A": 85.00, "B-0": 93.81, "D-1N": 108.14, "D-2N": 82.46},
        "MNIST": {"A": 9.61, "B-0": 10.23, "D-1N": 14.25, "D-2N": 11.19},
    }
)
SHIFTED = "full: sub-pixel"  # of the equivariances, what the table shows
TURNED = "EQ-R, turns"

# ------------------------------------------------------------------- trainings


def arms_of(rows: Sequence[dict]) -> list[str]:
    """The arms, in the order of their rows."""
    return list(dict.fromkeys(row["arm"] for row in rows))


def mean(values: Sequence[float | None], form: str) -> str:
    """The mean of those that could be measured; "-" where none could."""
    known = [value for value in values if value is not None and value == value]
    return format(np.mean(known), form) if known else "-"


def trial_table(rows: Sequence[dict]) -> str:
    """Every arm: EQ-T before and after training, EQ-R, distance and share of right digits."""
    lines = [("arm", "EQ-T before", "after", "EQ-R after", "kernel", "right", "trainings")]
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
        f"{aligned(lines)}\nEQ-T: sub-pixel shifts, all frequencies; dB, means over trainings\n"
        f"kernel distance of real images to others: {floor}; N = {rows[0]['N']}"
    )


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
    return aligned(lines)


def against_a(rows: Sequence[dict], arm: str, number) -> Interval | None:
    """number(row) of an arm less that of A, training by training; None without both."""
    plain = {row["training"]: number(row) for row in where(rows, arm="A")}
    pairs = [(row, plain.get(row["training"])) for row in where(rows, arm=arm)]
    own = [number(row) - other for row, other in pairs if None not in (number(row), other)]
    return mean_interval(own) if own else None


def trial_sentence(rows: Sequence[dict]) -> str:
    """What training leaves of the gain in equivariance, and what it does to the pictures."""
    found = []
    for arm in ("D-ideal", "D-kaiser", "D-2N", "R"):
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
    lines = [("way", "chain", "off, degrees", "still that digit, %", "kernel")]
    for way, chain in dict.fromkeys((row["way"], row["chain"]) for row in rows):
        x = turned.summary(rows, network, chain, way)
        kept = "-" if x["identity"] is None else f"{100 * x['identity']:.0f}"
        cells = (f"{x['off']:.1f}", kept, f"{x['kernel']:.1f}")
        lines.append((way, chain, *cells))
    n = len(turned.ANGLES)
    return (
        f"{aligned(lines)}\n{network}: median over {n} angles from -90 to 90 degrees and "
        f"{rows[0]['N']} digits;\nstill that digit: relative to upright ones"
    )


# ------------------------------------------------------------------- the claims


def training_claims(rows: Sequence[dict]) -> Iterator[dict]:
    """The claims on configurations: better pictures, and a steadier training."""
    # Better pictures.
    for arm in ("D-2N", "B-0"):
        ratios = {name: fid[arm] / fid["A"] for name, fid in PUBLISHED.items()}
        words = ", ".join(f"{100 * (x - 1):+.1f} % ({name})" for name, x in ratios.items())
        row = {"claim": f"filters {arm} draw better than A", "published": f"FID {words}"}
        kernel = against_a(rows, arm, lambda row: row["kernel"]) if rows else None
        if kernel is None:
            yield row | {"why": "no rows of it"}
            continue
        yield row | {
            "measured": f"kernel distance {within(kernel, '.1f')}",
            "verdict": verdict(kernel),
            "N": rows[0]["N"],
            "seeds": f"{kernel.N} of training",
            "protocol": (f"less A's, {rows[0]['trial']['steps']} steps each", rows[0]["features"]),
        }
    # A steadier training.
    row = {"claim": "filters make the training steadier", "published": "more stable"}
    steady = against_a(rows, "D-2N", lambda row: row["steady"]["grad_std"]) if rows else None
    if steady is None:
        yield row | {"why": "no rows of it"}
        return
    yield row | {
        "measured": f"deviation of log gradient {within(steady, '.3f')}",
        "verdict": verdict(steady),
        "N": rows[0]["N"],
        "seeds": f"{steady.N} of training",
        "protocol": ("D-2N less A, second half of the training",),
    }


def within(less: Interval, form: str) -> str:
    """A difference with its interval, where there is one."""
    ends = f" ({less.low:+{form}} to {less.high:+{form}})" if less.N > 1 else ""
    return f"{less.mean:+{form}}{ends}"


def verdict(less: Interval) -> str:
    """Of a difference that should be below 0."""
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
