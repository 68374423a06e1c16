"""Speed of this code on this machine: ratios, from rounds in which all that is compared runs."""

import datetime
import statistics
from importlib import metadata

import click
import psutil
import torch

from diffutils.course.commands.options import FILE, result
from diffutils.course.machine import best_device, device_name
from diffutils.course.speed import against as commits
from diffutils.course.speed import measured, networks, solvers
from diffutils.course.speed.report import report
from diffutils.weights import provenance
from diffutils.weights.files import CHECKOUT

BATCH, IMAGES = 64, 512  # of a step; of a distance


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=7, show_default=True, help="Of all work."
)
@click.option("--save", type=FILE, help="Write every round and the medians here, as JSON.")
@click.option("--against", metavar="COMMIT", help="Today's code beside a commit's, and no more.")
@click.option("--quick", is_flag=True, help="Two small rounds: does it run? They time nothing.")
def bench(rounds, save, against, quick):
    """Measure this code beside other libraries, bare PyTorch, or an older commit of itself."""
    commit = None if against is None else commits.resolved(CHECKOUT, against)
    record = measure(2 if quick else rounds, quick, commit)
    result(save, record, report(record))


def measure(n: int, quick: bool, commit: str | None) -> dict:
    """A record: the machine, what was compared, the seconds of every round, their medians."""
    # Say what is there: the machine, and the other libraries.
    device, batch = best_device(), 4 if quick else BATCH
    sizes = (16,) if quick or device.type == "cpu" else (16, 32)
    there = [name for name, peer in networks.PEERS.items() if networks.installed(peer)]
    missing = {k: peer.package for k, peer in networks.PEERS.items() if k not in there}
    packages = {networks.PEERS[name].package for name in there} - {"diffutils"}
    record = {
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "device": device_name(device),
        "processor": provenance.processor(),
        "threads": torch.get_num_threads(),
        "load": psutil.getloadavg()[0],
        "versions": provenance.versions() | {p: metadata.version(p) for p in sorted(packages)},
        "commit": provenance.git_commit(),
        "against": commit,
        "rounds": n,
        "batch": batch,
    }
    # Let all of it run, round by round.
    if commit is not None:
        seconds = commits.rounds(CHECKOUT, commit, n, batch, sizes[0])
    else:
        ladder = solvers.LADDER[::10] if quick else solvers.LADDER
        makers = {name: networks.PEERS[name].make for name in there}
        record |= {
            "missing": missing,
            "costs": {str(s): {k: networks.cost(m, s) for k, m in makers.items()} for s in sizes},
            "product": measured.product_side(device),
            "solvers": {name: solvers.calls_needed(name, ladder) for name in there},
        }
        warm_up, times = (1, 1) if device.type == "cpu" else (3, 20)
        seconds, precisions = {}, measured.precisions(device)
        for size in sizes:
            tasks = measured.of_networks(there, size, batch, device, precisions)
            seconds |= measured.rounds(tasks, n, device, warm_up, times)
        tasks = measured.of_fit(sizes[0], batch, device, times)
        seconds |= measured.rounds(tasks, n, device)
        tasks = measured.of_the_rest(200 if quick else IMAGES, batch, device)
        seconds |= measured.rounds(tasks, n, device, warm_up, times)
        for name, found in [pair for _ in range(n) for pair in measured.imports().items()]:
            seconds.setdefault(name, []).append(found)
    medians = {name: statistics.median(found) for name, found in seconds.items()}
    return record | {"seconds": seconds, "medians": medians}
