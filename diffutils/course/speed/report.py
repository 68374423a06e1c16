"""A record of `bench` as tables: every ratio is a median over its rounds."""

from collections.abc import Iterator

from diffutils.course.speed import measured, solvers
from diffutils.course.tables import aligned

OURS = "diffutils"
# What is measured, what it is divided by, and what the ratio is called.
BESIDE = (
    ("fit", "bare loop", "fit / a bare loop that does the same"),
    ("distance", "its network", "Fréchet distance / the features of its images alone"),
    ("fetched", "training step", "fetching a batch from 50,000 images / a training step on it"),
    ("drawn", "training step", "drawing a batch of sprites / a training step on it"),
    ("import diffutils", "import torch", "import diffutils / import torch before it"),
    ("import for training", "import torch", "from diffutils import UNet, fit, sample / the same"),
)
# Twice a time beside ours and a rate: images in training, and network calls of them in sampling.
NETWORKS = ("network", "weights", "MFLOPs", "how", "peak", "train", "images/s", "sample", "calls/s")


def report(record: dict) -> str:
    """A record as tables; every ratio is a median over its rounds."""
    head = (
        f"{record['device']} ({record['processor'] or 'GPU'}), load {record['load']:.1f}, torch "
        f"{record['versions']['torch']}; {record['rounds']} rounds, batch {record['batch']}; "
        "ratios: median (quartiles) over the rounds; images/s: in the quickest round"
    )
    if record["against"]:
        parts = [f"then: {record['against'][:12]}", "\n".join(against_lines(record))]
        return "\n\n".join([head, *parts])
    lines = [
        f"{name} is not installed: pip install {package}"
        for name, package in record["missing"].items()
    ]
    for size, costs in record["costs"].items():
        lines.append(f"Same precision, {size}x{size} (above 1: diffutils is quicker)")
        lines.append(aligned([*network_rows(record, size, costs, "fp32")], None))
        lines.append(f"Best of each, {size}x{size}: in its quickest precision and memory format")
        if f"peak/{size}/bf16" in record["medians"]:
            lines.append(aligned([*network_rows(record, size, costs, "")], None))
        else:
            lines.append("As above: a product of matrices is slower in bfloat16 on this machine.")
        lines.append(f"Same quality, {size}x{size}: calls to an error of the exact answer x time")
        lines.append(aligned([*quality_rows(record, size)], None))
    lines.append("Beside the bare operation (below 1.03 is the goal of fit)")
    lines.append(aligned([("what", "ratio", "least"), *bare_rows(record)], None))
    return "\n\n".join([head, *lines])


def quickest(record: dict, work: str, size: str, name: str, precision: str) -> str:
    """Of a network's precisions and memory formats the key with the least median."""
    prefix = f"{work}/{size}/{name}/{precision}"
    keys = (key for key in record["medians"] if key.startswith(prefix))
    return min(keys, key=record["medians"].__getitem__)


def said(numerator: list[float], denominator: list[float]) -> str:
    """A ratio over rounds, in words."""
    return "{:.2f} ({:.2f}-{:.2f})".format(*measured.ratio(numerator, denominator))


def network_rows(record: dict, size: str, costs: dict, precision: str) -> Iterator[tuple[str, ...]]:
    """A row for each network: what it costs, and how long that takes beside ours."""
    yield NETWORKS
    seconds, batch = record["seconds"], record["batch"]
    for name, cost in costs.items():
        keys, shown = {}, []
        for work in ("train", "sample"):
            keys[work] = quickest(record, work, size, name, precision)
            ours = quickest(record, work, size, OURS, precision)
            shown.append(said(seconds[keys[work]], seconds[ours]))
        how = keys["train"].split("/")[3:]
        product = seconds[f"peak/{size}/{how[0]}"]
        flops = cost["step"] * batch / (2 * record["product"] ** 3)  # in products of matrices
        share, *_ = measured.ratio([flops * s for s in product], seconds[keys["train"]])
        yield (
            name,
            f"{cost['parameters'] / 1e6:.2f} M",
            f"{cost['call'] / 1e6:.0f}",
            " ".join(how),
            f"{share:.0%}",
            shown[0],
            f"{batch / min(seconds[keys['train']]):.0f}",
            shown[1],
            f"{batch * measured.CALLS / min(seconds[keys['sample']]):.0f}",
        )


def quality_rows(record: dict, size: str) -> Iterator[tuple]:
    """For each error and library: calls of its best solver, times the seconds of a call."""
    yield ("error", "library", "solver", "calls", "time beside ours")
    keys = {k: quickest(record, "sample", size, k, "") for k in record["solvers"]}
    for goal in map(str, solvers.GOALS):
        found = {k: goals.get(goal) for k, goals in record["solvers"].items()}
        for name, best in found.items():
            if best is None:
                yield (goal, name, "none of its solvers", f"above {solvers.LADDER[-1]}", "")
                continue
            beside = ""
            if found[OURS] is not None:
                beside = said(*(calls_seconds(record, keys[k], found[k]) for k in (name, OURS)))
            yield (goal, name, best["solver"], str(best["calls"]), beside)


def calls_seconds(record: dict, key: str, solver: dict) -> list[float]:
    """Seconds of a solver's calls, round by round."""
    return [solver["calls"] * s / measured.CALLS for s in record["seconds"][key]]


def bare_rows(record: dict) -> Iterator[tuple[str, str, str]]:
    """What the course's own code adds to the operation inside it, and its least seconds."""
    step = quickest(record, "train", next(iter(record["costs"])), OURS, "")
    seconds = record["seconds"] | {"training step": record["seconds"][step]}
    for name, bare, words in BESIDE:
        middle, low, high = measured.ratio(seconds[name], seconds[bare])
        yield words, f"{middle:.3f} ({low:.3f}-{high:.3f})", f"{min(seconds[name]):.3g} s"


def against_lines(record: dict) -> Iterator[str]:
    """Then beside now, for each of what either did."""
    rows = [("what", "then / now")]
    for name in sorted({key.partition("/")[2] for key in record["seconds"]}):
        seconds = (record["seconds"][f"{when}/{name}"] for when in ("then", "now"))
        rows.append((name, said(*seconds)))
    yield aligned(rows)
