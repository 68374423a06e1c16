"""Samplers compared: a row of numbers for every count of steps, eta and sampling seed."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from diffutils.course.experiments.measure import (
    FLOOR_SETS,
    asked_labels,
    floor,
    frechet_if_enough,
    generate,
)
from diffutils.course.experiments.rows import _fits, _Rows, lines_of
from diffutils.course.experiments.sampling import Sampler, respaced, skipped
from diffutils.course.runs import fingerprint
from diffutils.data import ImageSet
from diffutils.metrics import distances, streaming
from diffutils.metrics.intervals import student_interval
from diffutils.metrics.spaces import Space
from diffutils.metrics.timer import Seconds, median_time
from diffutils.weights import cards, provenance
from diffutils.weights.models import Model

SAMPLERS = {"respaced": respaced, "unspaced skip": lambda steps, eta: skipped(steps)}


Walks = dict[str, tuple[Callable[[int], Sampler], Sequence[int]]]


def sweep(
    model: Model,
    data: ImageSet,
    space: Space,
    *,
    n: int,
    steps: Sequence[int],
    etas: Sequence[float] = (0.0, 1.0),
    skips: Sequence[int] = (),
    walks: Walks | None = None,
    seeds: Sequence[int] = (0,),
    judge: Callable[[Tensor, Tensor], float] | None = None,
    scale: float = 1.0,
    bf16: bool = False,
    batch: int | None = None,
    folder: Path | None = None,
) -> Iterator[dict]:
    """Draw n images with every setting, compare them with n held-out ones, yield row by row.

    steps x etas: respaced samplers; skips: steps of the published sampler that only skips; walks:
    other samplers by name, and their steps; seeds: of the noise, all settings with the first one,
    then with the next.  judge(images, labels) -> share in the asked class.  Labels are those of
    `evaluate.asked_labels`.
    folder: rows are kept in folder/sweep.jsonl; those that would come out the same are read there.

    A row holds sampler, steps, eta, seed, N, nfe (network evaluations for an image, counted),
    seconds_per_image, frechet, kernel with its 95 % interval kernel_low to kernel_high, agreement
    (None without a judge), precision, recall, frechet_floor and kernel_floor: see `evaluate.floor`;
    frechet_train: the distance to the first n training images, as many a paper measures; weights:
    a fingerprint of the network's.  What n is too small for is nan.
    Raises: ValueError for more images than the data has, or less than 4.
    """
    if not 4 <= n <= min(len(data.heldout), len(data.train)):
        raise ValueError(
            f"n is {n}, but the data have {len(data.heldout)} held-out and {len(data.train)} "
            "training images; a distance needs n of both, at least 4: load more, or take another n"
        )
    real = features_of(space, data.heldout[:n])
    known = features_of(space, data.train[: FLOOR_SETS * n])
    floors = {
        "frechet_floor": floor(frechet_if_enough, known, real)[0],
        "kernel_floor": floor(distances.mmd, known, real)[0],
    }
    labels = asked_labels(data, n)
    judged = judge is not None and labels is not None
    about = {
        "N": n,
        "scale": scale,
        "bf16": bf16,
        "features": space.words,
        "weights": weights_of(model),
    }
    shared = fingerprint.tensors(
        dict(
            levels=model.schedule(torch.linspace(0, 1, 257)),
            heldout=data.heldout[:n],
            train=data.train[: FLOOR_SETS * n],
            labels=labels,
            judged=judged,
            about=str(about),
            code=fingerprint.code(),
        )
    )
    rows, warm = _Rows(folder), False
    samplers, runs = dict(SAMPLERS), dict.fromkeys(SAMPLERS, shared)
    for name, (walk, _) in (walks or {}).items():
        samplers[name] = lambda steps, eta, walk=walk: walk(steps)
        runs[name] = fingerprint.tensors({"shared": shared, "walk": walk})
    for setting in settings(steps, etas, skips, seeds, walks):
        run = runs[setting["sampler"]]
        row = rows.find({"run": run} | setting)
        if row is None:
            if not warm:  # the first call of a network on a GPU chooses its kernels
                _drawn(model, min(n, 64), samplers, setting | {"steps": 1}, about, labels, batch)
                warm = True
            images, nfe, took = _drawn(model, n, samplers, setting, about, labels, batch)
            row = (
                {"run": run}
                | setting
                | about
                | {
                    "nfe": nfe,
                    "seconds_per_image": took.per(n).s,
                    **_distances(fake := features_of(space, images), real),
                    "precision": (covered := distances.precision_recall(real, fake))[0],
                    "recall": covered[1],
                    "frechet_train": frechet_if_enough(fake, known[:n]),
                    "agreement": judge(images, labels) if judged else None,
                    **floors,
                    "hardware": provenance.hardware(),
                }
            )
            rows.add(row)
        yield row


def settings(steps, etas, skips=(), seeds=(0,), walks=None) -> Iterator[dict]:
    """The settings of a sweep, in its order."""
    for seed in seeds:
        for eta in etas:
            yield from (_setting("respaced", n, float(eta), seed) for n in steps)
        for name, (_, counts) in (walks or {}).items():
            yield from (_setting(name, n, 0.0, seed) for n in counts)
        yield from (_setting("unspaced skip", n, 1.0, seed) for n in skips)


def _setting(sampler: str, steps: int, eta: float, seed: int) -> dict:
    return {"sampler": sampler, "steps": steps, "eta": eta, "seed": seed}


def _drawn(
    model,
    n: int,
    samplers: dict,
    setting: dict,
    about: dict,
    labels: Tensor | None,
    batch: int | None,
) -> tuple[Tensor, float, Seconds]:
    """Images, network evaluations for an image, and the time that all of them took."""
    device, images, calls = next(model.denoiser.parameters()).device, [], []
    sampler = samplers[setting["sampler"]](setting["steps"], setting["eta"])

    def draw():
        images.append(
            generate(
                model,
                n,
                sampler=sampler,
                labels=None if labels is None else labels[:n],
                scale=about["scale"],
                seed=setting["seed"],
                batch=batch,
            )
        )

    hook = model.denoiser.net.register_forward_pre_hook(lambda net, x: calls.append(len(x[0])))
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=about["bf16"]):
            took = median_time(draw, repeats=1, warm_up=0, device=device)
    finally:
        hook.remove()
    return images[0], sum(calls) / n, took


def features_of(space: Space, images: Tensor, batch: int = 512) -> Tensor:
    """Images uint8 (N, C, H, W) -> features (N, d), a batch at a time."""
    return torch.cat([space.features(x) for x in images.split(batch)])


def _distances(fake: Tensor, real: Tensor) -> dict[str, float]:
    kernel, low, high = streaming.kernel_interval(fake, real)
    return {
        "frechet": frechet_if_enough(fake, real),
        "kernel": kernel,
        "kernel_low": low,
        "kernel_high": high,
    }


def weights_of(model: Model) -> str:
    """A fingerprint of a network's weights and of what it predicts."""
    about = {"coefficients": model.card.get("coefficients")}
    about |= {k: model.card[k] for k in ("sigma_data", "embedding") if k in model.card}
    return fingerprint.tensors(model.denoiser.state_dict() | about)


def recorded(model: Model, beside: str | None = None) -> list[dict]:
    """The rows of a sweep of this very network that ship, or none at all.

    beside: the name of the shipped model whose file has them, None for its own.
    """
    path = cards.PRETRAINED / f"{beside or model.card['name']}.sweep.jsonl"
    weights = weights_of(model)
    return [row for row in lines_of(path, "fetch it again") if row.get("weights") == weights]


def paired_change(
    rows: Sequence[dict], of: dict, to: dict, metric: str = "frechet", level: float = 0.95
) -> SimpleNamespace:
    """How much farther one setting is than another, and Student's interval of that.

    of, to: entries of rows, e.g. dict(steps=50, eta=0.0) and dict(steps=1000, eta=1.0).  For a
    Fréchet distance it is (of - to) / to; for the kernel distance, which may be 0, it is of - to.
    Both settings are compared at each sampling seed, where they share start and reference images;
    the interval is about other sampling seeds, of this one network and these reference images.
    Where rows name several trainings ("training"), it is about other trainings instead: of each
    one the mean over its seeds counts.

    Returns .mean, .low, .high, .runs (how many), .what ("sampling seeds", "trainings").
    Raises: ValueError unless each setting has exactly one row for each of the same seeds, and there
    are two runs or more.
    """
    both = [[row for row in rows if _fits(row, setting)] for setting in (of, to)]
    by_run = [{(r.get("training", 0), r["seed"]): r[metric] for r in found} for found in both]
    twice = [*map(len, both)] != [*map(len, by_run)]
    if by_run[0].keys() != by_run[1].keys() or twice or not both[0]:
        seeds = [sorted({row["seed"] for row in found}) for found in both]
        raise ValueError(
            f"a comparison needs one row of {of} and one of {to} for every seed, got "
            f"{len(both[0])} rows of seeds {seeds[0]} and {len(both[1])} of seeds {seeds[1]}; name "
            "more entries, or run the missing seeds"
        )
    relative = metric != "kernel"
    changes = {
        run: (value - by_run[1][run]) / (by_run[1][run] if relative else 1)
        for run, value in sorted(by_run[0].items())
    }
    trainings = sorted({training for training, _ in changes})
    values, what = list(changes.values()), "sampling seeds"
    if len(trainings) > 1:
        of_each = [[change for (k, _), change in changes.items() if k == t] for t in trainings]
        values, what = [sum(c) / len(c) for c in of_each], "trainings"
    mean, low, high = student_interval(values, level)
    return SimpleNamespace(mean=mean, low=low, high=high, runs=len(values), what=what)
