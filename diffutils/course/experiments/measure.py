"""Measure n images: distances to held-out and training images in a `Space`, and their floor.

One row of the same entries wherever images are measured: on a model's card, in a sweep, in a
lesson's trial, and of a folder (`commands.score`).
"""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

import torch
from torch import Tensor

from diffutils import metrics
from diffutils.course.experiments.described import images_of
from diffutils.course.experiments.sampling import asked, check_guidance, generate
from diffutils.course.machine import best_device
from diffutils.data import ImageSet
from diffutils.metrics import published, spaces, streaming
from diffutils.metrics.spaces import Space
from diffutils.weights import cards, models, surroundings

FLOOR_SETS = 10  # sets of real images, at most, whose mean distance is the floor


class Measured(TypedDict):
    """What `measure` says of images; a number that they are too few for is nan, and null on disk.

    Cards add ratio, copies, close, searched and sampling; sweeps what `sweep.sweep` lists.  Older
    cards have kernel_std, over random halves of both sides, in place of the kernel's interval.
    """

    features: str  # the space, in words
    N: int  # images on each side
    frechet: float  # Fréchet distance to held-out images
    frechet_train: float  # to the first N training images, as many a paper measures
    frechet_floor: float  # to held-out images, of sets of N training images: their mean
    frechet_floor_std: float  # and deviation; nan for one set
    floor_sets: int  # how many sets there are, FLOOR_SETS at most
    kernel: float  # kernel distance to held-out images
    kernel_low: float  # its 95 % interval, from here
    kernel_high: float  # to here
    kernel_floor: float  # as frechet_floor
    precision: float
    recall: float
    agreement: float | None  # share of images in the class asked for; None without classes or judge


class Reference(NamedTuple):
    """Features of the real images that N generated ones are measured against, and their floor."""

    space: Space
    heldout: Tensor  # (N, d)
    train: Tensor  # (N, d)
    floor: dict


@cache
def lpips() -> Callable[[Tensor, Tensor], Tensor] | None:
    """LPIPS of pairs (`published.AlexNet.distance`), or None where its weights are not at hand."""
    try:
        return published.AlexNet(published.weights("alexnet")).to(best_device()).distance
    except FileNotFoundError:
        return None


def reference(data: ImageSet, space: Space, n: int) -> Reference:
    """What n images, or as many as there are held-out and training ones, are measured against."""
    n = min(n, len(data.heldout), len(data.train))
    real = (data.heldout[:n], data.train[: FLOOR_SETS * n])
    heldout, known = (features_of(space, images) for images in real)
    mean, std = floor(frechet_if_enough, known, heldout)
    floors = {"frechet_floor": mean, "frechet_floor_std": std, "floor_sets": len(known) // n}
    floors |= {"kernel_floor": floor(metrics.mmd, known, heldout)[0]}
    return Reference(space, heldout, known[:n], floors)


def measure(
    images: Tensor,
    against: Reference,
    judge: Callable[[Tensor, Tensor], float] | None = None,
    labels: Tensor | None = None,
) -> Measured:
    """Distances of the first N images, uint8 (n, C, H, W), to the real ones of a `reference`.

    judge(images, labels): the share of all n images that shows the class asked for.
    Raises: ValueError for fewer images than real ones.
    """
    n = len(against.heldout)
    if len(images) < n:
        cure = "a distance needs as many on each side; draw more, or make the reference of fewer"
        raise ValueError(f"{len(images)} images cannot be measured against {n}: {cure}")
    fake, judged = features_of(against.space, images[:n]), judge is not None and labels is not None
    return {
        "features": against.space.words,
        "N": n,
        "frechet": frechet_if_enough(fake, against.heldout),
        "frechet_train": frechet_if_enough(fake, against.train),
        **against.floor,
        **kernel_and_cover(fake, against.heldout, notes=[]),
        "agreement": judge(images, labels) if judged else None,
    }


def kernel_and_cover(fake: Tensor, real: Tensor, notes: list[str], seed: int = 0) -> dict:
    """Kernel distance of features (n, d) with its interval, precision and recall; see `tried`."""
    kernel, low, high = tried(notes, 3, streaming.kernel_interval, fake, real, 0.95, 200, seed)
    precision, recall = tried(notes, 2, metrics.precision_recall, real, fake)
    interval = {"kernel": kernel, "kernel_low": low, "kernel_high": high}
    return interval | {"precision": precision, "recall": recall}


def tried(notes: list[str], outputs: int, function: Callable, *arguments):
    """function(*arguments); so many nan where the images are too few for it, and why in notes."""
    try:
        return function(*arguments)
    except ValueError as error:
        notes.append(str(error))
        return math.nan if outputs == 1 else (math.nan,) * outputs


def features_of(space: Space, images: Tensor, batch: int = 512) -> Tensor:
    """Images uint8 (N, C, H, W) -> features (N, d), a batch at a time."""
    return torch.cat([space.features(x) for x in images.split(batch)])


def frechet_if_enough(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of features (N, d), or nan where a set has no more images than features."""
    return metrics.frechet(a, b) if min(len(a), len(b)) > a.shape[1] else math.nan


def floor(distance: Callable, train: Tensor, real: Tensor) -> tuple[float, float]:
    """Real against real: mean and standard deviation of distance(some of train, real), features.

    Disjoint sets of len(real) rows of train take part, ten at most: one alone may lie a third off
    their mean.  The deviation of a single set is nan.
    """
    sets = [x for x in train.split(len(real))[:FLOOR_SETS] if len(x) == len(real)]
    values = torch.tensor([distance(x, real) for x in sets], dtype=torch.float64)
    return float(values.mean()), float(values.std()) if len(sets) > 1 else math.nan


def asked_labels(data: ImageSet, n: int) -> Tensor | None:
    """Labels to ask n samples for, as frequent as in training: the last ones there, in turn.

    Samples with the very labels of the images that they are compared with would score better than
    real images do.
    """
    if not data.classes or data.train_labels is None:
        return None
    return data.train_labels.flip(0)[torch.arange(n) % len(data.train_labels)]


def measure_card(
    weights: Path,
    *,
    n: int,
    steps: int,
    eta: float,
    scale: float,
    seed: int,
    bf16: bool = False,
    interval: tuple[float, float] = (0.0, math.inf),
    heun: bool = False,
    report: Callable[[dict], None] = lambda numbers: None,
) -> dict:
    """Measure a model on fresh samples against its data's held-out images; store it on the card.

    heun: Heun's method, 2 steps - 1 network evaluations, in place of eta's; interval: noise levels
    at which scale guides; bf16: the network samples in bfloat16.  The class agreement is counted on
    the samples whose distances are given.  What cannot be measured is nan here, null on the card.
    report: takes the numbers, also where the card cannot be written.  Processes that were launched
    together draw a share each; the first one writes the card.
    Raises: ValueError as `asked` and `check_guidance`, or for a card without a model; OSError.
    """
    # Refuse what cannot be drawn.
    sampler = asked(steps, eta, heun)
    check_guidance(scale, interval)
    if Path(weights).suffix != ".safetensors":
        raise ValueError(f"{weights} is no .safetensors file; give the weights of a model")
    # Load the model and the very images that it was trained on, or copies could not be found.
    model, device = models.load_model(weights), best_device()
    model.denoiser.to(device)
    card = model.card
    if lost := [key for key in ("data", "size", "images", "seed") if key not in card]:
        raise ValueError(
            f"the card of {weights} does not say its {', '.join(lost)}, by which its images are "
            "found; measure a model that `train` or a lesson made"
        )
    data = images_of(card, heldout=n, order=seed)
    # Draw.
    n = min(n, len(data.heldout))
    labels, guide = asked_labels(data, n), dict(scale=scale, seed=seed, interval=interval)
    with torch.autocast(device.type, torch.bfloat16, enabled=bf16):
        images = generate(model, n, sampler=sampler, labels=labels, shared=True, **guide)
    # Measure, and write it down.
    space = spaces.of(card["data"], data.shape[0], device)
    judge = spaces.judge(card["data"], device)
    numbers = measure(images, reference(data, space, n), judge, labels)
    numbers |= {"ratio": numbers["frechet"] / numbers["frechet_floor"]}
    numbers |= search_copies(images, data, card)
    method = {"heun": True} if heun else {}
    numbers["sampling"] = {"steps": steps, "eta": eta, **guide, "bf16": bf16} | method
    card["metrics"] = numbers
    try:
        if surroundings.is_first():
            cards.write_card(weights, card)
    finally:
        report(numbers)
    return numbers


def search_copies(images: Tensor, data: ImageSet, card: dict) -> dict:
    """Shares of images (N, C, H, W) that copy a training image, or come closer than unseen ones do.

    Searched are the training set, and the sets of the weights that the training started from.
    """
    found = metrics.memorisation(images, data.train, data.heldout)
    nearest, searched, before = found["distances"], [len(data.train)], card.get("started_from")
    while before:
        earlier = images_of(card | {"loaded": {}, "contents": None, "place": None} | before).train
        nearest = torch.minimum(nearest, metrics.nearest(images, earlier)[0])
        searched, before = [*searched, len(earlier)], before.get("started_from")
    return {
        "copies": float((nearest == 0).float().mean()),
        "close": float((nearest <= found["threshold"]).float().mean()),
        "searched": " + ".join(f"{n:,}" for n in searched) + " training images",
    }
