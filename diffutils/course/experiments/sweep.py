"""Samplers compared: a row of numbers for every count of steps, eta and sampling seed."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from diffutils.course.experiments.measure import FLOOR_SETS, asked_labels, measure, reference
from diffutils.course.experiments.rows import Rows, read, where
from diffutils.course.experiments.sampling import Sampler, generate, respaced, share, skipped
from diffutils.course.experiments.training import Arm
from diffutils.course.runs import fingerprint, pace
from diffutils.data import ImageSet
from diffutils.metrics.spaces import Space
from diffutils.metrics.timer import Seconds, median_time
from diffutils.weights import cards, provenance
from diffutils.weights.models import Model

Walks = dict[str, tuple[Callable[[int], Sampler], Sequence[int]]]


def sweep(
    model: Model,
    data: ImageSet,
    space: Space,
    *,
    n: int,
    steps: Sequence[int] = (),
    etas: Sequence[float] = (0.0, 1.0),
    skips: Sequence[int] = (),
    walks: Walks | None = None,
    seeds: Sequence[int] = (0,),
    judge: Callable[[Tensor, Tensor], float] | None = None,
    scale: float = 1.0,
    bf16: bool = False,
    batch: int | None = None,
    folder: Path | None = None,
    **drawing,
) -> Iterator[dict]:
    """Draw n images with every setting, compare them with n held-out ones, yield row by row.

    steps x etas: respaced samplers; skips: steps of the published sampler that only skips; walks:
    other samplers by name, and their steps; seeds: of the noise, all settings with the first one,
    then with the next.  judge: of `measure`; labels: of `asked_labels`; drawing: cond, clip,
    interval of `sampling.drawn`.  folder: rows are kept in folder/sweep.jsonl; those that would
    come out the same are read there.

    A row is what `measure` says, and sampler, steps, eta, seed, scale, bf16, nfe (network
    evaluations for an image, counted), seconds_per_image, hardware; weights, code, run (all that
    decides it): fingerprints.  What n is too small for is nan.
    Raises: ValueError for more images than the data has, or less than 4.
    """
    if not 4 <= n <= min(len(data.heldout), len(data.train)):
        raise ValueError(
            f"n is {n}, but the data have {len(data.heldout)} held-out and {len(data.train)} "
            "training images; a distance needs n of both, at least 4: load more, or take another n"
        )
    # Say what all rows share, and what decides their numbers.
    against, labels = reference(data, space, n), asked_labels(data, n)
    about = {"scale": scale, "bf16": bf16, "weights": weights_of(model), "code": fingerprint.code()}
    decides = {
        "levels": model.schedule(torch.linspace(0, 1, 257)),
        "heldout": data.heldout[:n],
        "train": data.train[: FLOOR_SETS * n],
        "labels": labels,
        "judged": judge is not None,
        "features": space.words,
    }
    shared = fingerprint.tensors(decides | about | drawing)
    given = dict(labels=labels, scale=scale, bf16=bf16, batch=batch, **drawing)
    rows, warm, every = Rows(folder), False, [*settings(steps, etas, skips, seeds, walks)]
    runs = [fingerprint.tensors({"shared": shared, "walk": walk}) for _, walk in every]
    # Of the rows that are not there yet, the time is the steps'.
    made = [rows.find(run=run, **setting) for run, (setting, _) in zip(runs, every, strict=True)]
    sizes = [0 if row else one["steps"] for row, (one, _) in zip(made, every, strict=True)]
    tell, done = pace.pacer(f"{n} images by each walk", sum(sizes)), 0
    for run, row, size, (setting, walk) in zip(runs, made, sizes, every, strict=True):
        if row is None:
            # Draw.
            if not warm:  # the first call of a network on a GPU chooses its kernels
                drawn(model, walk(1), min(n, 64), **given)
                warm = True
            sampler = walk(setting["steps"])
            given |= {"told": lambda calls: tell(done + min(calls / n, size))}  # noqa: B023
            images, nfe, took = drawn(model, sampler, n, seed=setting["seed"], **given)
            # Measure, and keep.
            row = {"run": run, **setting, **about, "nfe": nfe, "seconds_per_image": took.per(n).s}
            row |= measure(images, against, judge, labels) | {"hardware": provenance.hardware()}
            rows.add(row)
        done += size
        yield row


def settings(
    steps, etas, skips=(), seeds=(0,), walks=None
) -> Iterator[tuple[dict, Callable[[int], Sampler]]]:
    """The settings of a sweep, in its order: entries of a row, and its sampler of so many steps."""
    for seed in seeds:
        every = [("respaced", steps, float(eta), partial(respaced, eta=float(eta))) for eta in etas]
        every += [(name, counts, 0.0, walk) for name, (walk, counts) in (walks or {}).items()]
        every += [("unspaced skip", skips, 1.0, skipped)]
        for name, counts, eta, walk in every:
            for n in counts:
                yield {"sampler": name, "steps": n, "eta": eta, "seed": seed}, walk


def drawn(
    model: Model,
    sampler: Sampler,
    n: int,
    *,
    bf16: bool = False,
    told: Callable[[int], None] = lambda calls: None,
    **drawing,
) -> tuple[Tensor, float, Seconds]:
    """n images, network evaluations for an image, and the time that all of them took.

    told: is told on the way how many evaluations there were.  Processes that were launched together
    draw a share each, and must all call it.
    drawing: of `sampling.drawn`; of labels and conditions the first n count.
    """
    device, images, calls = next(model.denoiser.parameters()).device, [], 0
    drawing = {k: v[:n] if isinstance(v, Tensor) else v for k, v in drawing.items()}

    def draw():
        images.append(generate(model, n, sampler=sampler, shared=True, **drawing))

    def called(_, given):
        nonlocal calls
        calls += len(given[0])
        told(calls)

    hook = model.denoiser.net.register_forward_pre_hook(called)
    try:
        with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            took = median_time(draw, repeats=1, warm_up=0, device=device)
    finally:
        hook.remove()
    return images[0], calls / max(1, len(share(torch.arange(n)))), took


def trial_rows(
    arm: Arm, model: Model, data: ImageSet, space: Space, training: int, **settings
) -> Iterator[dict]:
    """Rows of `sweep` (its settings) for one trained arm, each with arm, training and trial.

    trial is what the arms share, by the model's card: steps, batch, lr and ema, but for what the
    arm changes; images, channels, classes.
    """
    said, card = model.card["settings"], model.card
    trial = {k: said[k] for k in ("steps", "batch", "lr", "ema") if k not in arm.budget}
    trial |= {"images": card["images"]} | {k: card["unet"][k] for k in ("channels", "classes")}
    for row in sweep(model, data, space, seeds=(training,), **settings):
        yield row | {"arm": arm.name, "training": training, "trial": trial}


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
    return where(read(path, "fetch it again"), weights=weights_of(model))
