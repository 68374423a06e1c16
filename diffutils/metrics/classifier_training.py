"""How the shipped classifiers were made."""

import time
from pathlib import Path

import torch
from jaxtyping import Int64
from torch import Tensor

from diffutils.data import ImageSet, load, to_float, to_uint8
from diffutils.data.drawn import sprites
from diffutils.metrics import distances
from diffutils.metrics.classifiers import (
    Classifier,
    accuracy,
    features,
    load_classifier,
    train_classifier,
)
from diffutils.weights import cards, provenance

# name: width, training steps, seed of weights, batches and images, and whether it learns colours.
# Classes alone make poor features: the eight clusters then outweigh everything within a class, a
# generator that draws few colours goes unseen, and the floor moves with the class counts.
PRETRAINED = {"sprites-features": (32, 1200, 0, True), "sprites-judge": (24, 2000, 1, False)}


def make_pretrained(name: str, folder: Path = cards.PRETRAINED, n: int = 50_000) -> dict:
    """Train the classifier `name` of `PRETRAINED`, write it, measure what was written: its card."""
    width, steps, seed, colours = PRETRAINED[name]
    data = load("sprites", limit=n, heldout=max(n // 5, 400), seed=seed)
    labels, heldout_labels, classes = data.train_labels, data.heldout_labels, data.classes
    if colours:
        first = torch.from_numpy(sprites.palettes(n, seed)[:, 0])
        heldout_first = torch.from_numpy(sprites.palettes(len(data.heldout), seed, "heldout")[:, 0])
        ramps = len(sprites.RAMPS)
        labels, heldout_labels = labels * ramps + first, heldout_labels * ramps + heldout_first
        classes = [f"{c}, first colour {i}" for c in classes for i in range(ramps)]
    began = time.monotonic()
    net = train_classifier(data.train, labels, steps, width=width, seed=seed)
    card = {
        "name": name,
        "classifier": {"classes": net.head.out_features, "in_channels": 3, "width": width},
        "targets": "class and ramp of the first material" if colours else "class",
        "classes": classes,
        "size": data.shape[-1],
        "data": f"{n} images of load({data.name!r}, seed={seed}), {data.source}",
        "licence": data.licence,
        "steps": steps,
        "seed": seed,
        "made_by": "python -m diffutils.metrics.classifiers",
        "precision": "float16",
    } | provenance.provenance(began)
    path = Path(folder) / f"{name}.safetensors"
    cards.save_weights(path, net, card)
    card["metrics"] = _measured(load_classifier(name, folder), data, heldout_labels)
    cards.save_weights(path, net, card)
    return card


def _measured(net: Classifier, data: ImageSet, labels: Int64[Tensor, "N"]) -> dict:
    """Held-out accuracy, clean and noisy; Fréchet distances of a fitted Gaussian and of a floor."""
    n = len(data.heldout) // 2
    pixels = data.train.flatten(1).double()
    values, vectors = torch.linalg.eigh(torch.cov(pixels.T))
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(n, len(values), generator=generator, dtype=torch.float64)
    fitted = (z * values.clamp(min=0).sqrt()) @ vectors.T + pixels.mean(0)
    fitted = fitted.round().clamp(0, 255).to(torch.uint8).view(n, *data.shape)
    noise = torch.randn(data.heldout.shape, generator=generator)
    noisy = to_uint8(to_float(data.heldout) + 0.1 * noise)
    one, other = features(net, data.heldout).split([n, len(data.heldout) - n])
    return {
        "heldout_accuracy": accuracy(net, data.heldout, labels),
        "heldout_accuracy_noise_0.1": accuracy(net, noisy, labels),
        "frechet_n": n,
        "frechet_floor": distances.frechet(one, other),
        "frechet_gaussian": distances.frechet(features(net, fitted), other),
    }


if __name__ == "__main__":
    for name in PRETRAINED:
        print(json.dumps(make_pretrained(name), indent=1))
