"""Draw many samples from a model and measure them: the numbers on a model's card."""

import math
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from diffutils import metrics
from diffutils.course.experiments.sampling import asked, generate
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, load
from diffutils.data.images import shuffled
from diffutils.metrics import classifiers
from diffutils.weights import cards, models

FLOOR_SETS = 10  # sets of real images, at most, whose mean distance is the floor


def feature_space(dataset: str, channels: int) -> tuple[torch.nn.Module, str]:
    """The network whose features distances are taken on, and its name in words.

    A classifier trained on the drawn sets serves them; any other set gets a random network.
    """
    name = {"sprites": "sprites-features", "faces": "faces-features"}.get(dataset)
    if name:
        return classifiers.load_classifier(name), f"features of the classifier {name}"
    return classifiers.random_features(channels), "features of a random convolutional network"


def balanced_labels(n: int, classes: int) -> Tensor:
    """0, 1, ..., classes - 1, 0, 1, ...: n labels, every class equally often."""
    return torch.arange(n) % classes


def asked_labels(data: ImageSet, n: int) -> Tensor | None:
    """Labels to ask n samples for: as frequent as in training, and those of no image in particular.

    They are the last ones of the training images, in turn.  Samples with the very labels of the
    images that they are compared with would score better than real images do.
    """
    if not data.classes or data.train_labels is None:
        return None
    return data.train_labels.flip(0)[torch.arange(n) % len(data.train_labels)]


def floor(distance: Callable, train: Tensor, real: Tensor) -> tuple[float, float]:
    """Real against real: mean and standard deviation of distance(some of train, real).

    train, real: features (N, d).  Disjoint sets of len(real) rows of train take part, ten at most:
    one alone may lie a third off their mean.  The deviation of a single set is nan.
    """
    sets = [x for x in train.split(len(real))[:FLOOR_SETS] if len(x) == len(real)]
    values = torch.tensor([distance(x, real) for x in sets], dtype=torch.float64)
    return float(values.mean()), float(values.std()) if len(sets) > 1 else math.nan


def frechet_if_enough(a: Tensor, b: Tensor) -> float:
    """Fréchet distance of features (N, d), or nan where a set has no more images than features."""
    return metrics.frechet(a, b) if min(len(a), len(b)) > a.shape[1] else math.nan


def measure(images: Tensor, data: ImageSet, net, judge=None, labels: Tensor | None = None) -> dict:
    """Distances of images to the held-out images in net's feature space, with their floor.

    Both sides get N = min(images, held-out) images; the `floor` compares sets of N training images
    with the held-out ones.  labels: what was asked for, judged by `judge`.
    A number that N is too small for (Fréchet needs more images than features) is nan.
    """
    n = min(len(images), len(data.heldout), len(data.train))
    fake, real, again = (
        classifiers.features(net, x)
        for x in (images[:n], data.heldout[:n], data.train[: FLOOR_SETS * n])
    )
    subset = max(2, min(1000, n // 2))
    nan = math.nan

    def kernel(x: Tensor, real: Tensor) -> tuple[float, float]:
        return metrics.kernel_distance(x, real, subset_size=subset) if n >= 4 else (nan, nan)

    precision, recall = metrics.precision_recall(real, fake) if n > 3 else (nan, nan)
    floor_mean, floor_std = floor(frechet_if_enough, again, real)
    result = {
        "N": n,
        "frechet": frechet_if_enough(fake, real),
        "frechet_floor": floor_mean,
        "frechet_floor_std": floor_std,
        "floor_sets": len(again) // n,
        "kernel": kernel(fake, real)[0],
        "kernel_std": kernel(fake, real)[1],
        "kernel_floor": floor(lambda x, y: kernel(x, y)[0], again, real)[0],
        "precision": precision,
        "recall": recall,
    }
    if judge is not None and labels is not None:
        result["agreement"] = classifiers.accuracy(judge, images, labels)
    return result


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
) -> dict:
    """Measure a model on fresh samples against its data's held-out images; store it on the card.

    heun: Heun's method, 2 steps - 1 network evaluations, in place of eta's.
    interval: noise levels at which scale guides, see `denoisers.guided`.
    bf16: the network samples in bfloat16, as it may have been trained.  The class agreement is
    counted on the very samples whose distances are given; of a model without classes no class is
    asked.  What cannot be measured is nan here and null on the card.
    Raises: ValueError for an eta or a scale that is not finite, an interval upside down, or a card
    without a model.
    """
    if not (math.isfinite(eta) and math.isfinite(scale)):
        raise ValueError(f"eta is {eta} and scale is {scale}; both must be finite numbers")
    if not 0 <= interval[0] < interval[1]:
        raise ValueError(
            f"the interval of guidance runs from {interval[0]} to {interval[1]}; give two noise "
            "levels from 0 up, the lower one first"
        )
    sampler = asked(steps, eta, heun)
    model = models.load_model(weights)
    model.denoiser.to(best_device())
    card = model.card  # the very images it was trained on, or copies could not be found
    data = load(card["data"], card["size"], card["images"], seed=card["seed"], heldout=n)
    data = shuffled(data, seed)
    n = min(n, len(data.heldout))
    labels = asked_labels(data, n) if card["unet"]["classes"] else None
    with torch.autocast(best_device().type, torch.bfloat16, enabled=bf16):
        images = generate(
            model, n, sampler=sampler, scale=scale, labels=labels, seed=seed, interval=interval
        )
    net, name = feature_space(card["data"], data.shape[0])
    judge = classifiers.load_classifier("sprites-judge") if card["data"] == "sprites" else None
    numbers = measure(images, data, net, judge, labels)
    numbers |= {
        "ratio": numbers["frechet"] / numbers["frechet_floor"],
        **search_copies(images, data, card),
        "features": name,
        "sampling": {
            "steps": steps,
            "eta": eta,
            "scale": scale,
            "interval": interval,
            "seed": seed,
            "bf16": bf16,
        }
        | ({"heun": True} if heun else {}),
    }
    card["metrics"] = numbers
    cards.write_card(weights, card)
    return numbers


def search_copies(images: Tensor, data: ImageSet, card: dict) -> dict:
    """Shares of images (N, C, H, W) that copy a training image, or come closer than unseen ones do.

    Searched are the training set, and the sets of the weights that the training started from.
    """
    found = metrics.memorisation(images, data.train, data.heldout)
    distances, searched, before = found["distances"], [len(data.train)], card.get("started_from")
    while before:
        name = before.get("data", card["data"])
        earlier = load(name, card["size"], before["images"], seed=before["seed"]).train
        distances = torch.minimum(distances, metrics.nearest(images, earlier)[0])
        searched, before = [*searched, len(earlier)], before.get("started_from")
    return {
        "copies": float((distances == 0).float().mean()),
        "close": float((distances <= found["threshold"]).float().mean()),
        "searched": " + ".join(f"{n:,}" for n in searched) + " training images",
    }
