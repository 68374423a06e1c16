"""A feature space for drawn faces: one small network that reads all their attributes.

`python -m diffutils.data.face_features` trains it, measures it, and writes it with its card to
`data/pretrained`; `features.load_classifier("faces-features")` reads it back.
"""

import json
import time
from pathlib import Path

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor
from torch.nn import functional as F

from diffutils.data import to_float
from diffutils.data.drawn.faces import ATTRIBUTES, faces
from diffutils.metrics import classifiers, distances
from diffutils.weights import cards, provenance

NAME = "faces-features"


SIZES = [len(values) for values in ATTRIBUTES.values()]


def train_attributes(
    images: UInt8[Tensor, "N 3 H W"],
    attributes: dict[str, Int64[Tensor, "N"]],
    steps: int = 1500,
    *,
    batch: int = 64,
    lr: float = 3e-3,
    width: int = 32,
    seed: int = 0,
    noise: float = 0.1,
) -> classifiers.Classifier:
    """A classifier with one block of logits for each attribute, trained on the sum of their losses.

    Every image gets Gaussian noise of a standard deviation up to `noise` (images span [-1, 1]).
    """
    codes = torch.stack([attributes[name] for name in ATTRIBUTES], dim=1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = classifiers.Classifier(sum(SIZES), width=width)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(net.parameters(), lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps)
    for _ in range(steps):
        chosen = torch.randint(len(images), (batch,), generator=generator)
        x = to_float(images[chosen])
        level = noise * torch.rand(batch, 1, 1, 1, generator=generator)
        x = x + level * torch.randn(x.shape, generator=generator)
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(x).float()
        loss = sum(
            F.cross_entropy(block, code)
            for block, code in zip(logits.split(SIZES, 1), codes[chosen].unbind(1), strict=True)
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return net.eval().requires_grad_(False)


@torch.no_grad()
def accuracies(
    net: classifiers.Classifier,
    images: UInt8[Tensor, "N 3 H W"],
    attributes: dict[str, Int64[Tensor, "N"]],
) -> dict[str, float]:
    """Share of images, in [0, 1], whose value of an attribute the network reads right, by name."""
    logits = torch.cat([net(to_float(part)) for part in images.split(512)])
    return {
        name: (block.argmax(1) == attributes[name]).double().mean().item()
        for name, block in zip(ATTRIBUTES, logits.split(SIZES, 1), strict=True)
    }


def gaussian_images(
    images: UInt8[Tensor, "N 3 H W"], n: int, seed: int = 0
) -> UInt8[Tensor, "n 3 H W"]:
    """n samples, rounded to uint8, of the Gaussian with the images' pixel mean and covariance.

    A sample is the mean plus a random combination of the centred images, so the covariance matrix
    is never formed: it would hold 12,288 squared numbers at 64 x 64.
    """
    pixels = images.flatten(1).float()
    mean = pixels.mean(0)
    z = torch.randn(n, len(pixels), generator=torch.Generator().manual_seed(seed))
    z = z - z.mean(1, keepdim=True)  # z (x - mean) = (z - mean of z) x
    fitted = z @ pixels / (len(pixels) - 1) ** 0.5 + mean
    return fitted.round().clamp(0, 255).to(torch.uint8).view(n, *images.shape[1:])


def make_pretrained(folder: Path = cards.PRETRAINED, n: int = 20_000, steps: int = 1500) -> dict:
    """Train the network at 64 x 64, write it, measure what was written on held-out faces: its card.

    The Fréchet distances are those of a Gaussian fitted to the pixels, and the real-vs-real floor.
    """
    images, attributes = faces(n)
    began = time.monotonic()
    net = train_attributes(images, attributes, steps)
    card = {
        "name": NAME,
        "classifier": {"classes": sum(SIZES), "in_channels": 3, "width": 32},
        "attributes": ATTRIBUTES,
        "size": images.shape[-1],
        "data": f"{n} images of faces(seed=0), drawn by diffutils.data.drawn.faces",
        "licence": "CC0",
        "steps": steps,
        "seed": 0,
        "made_by": "python -m diffutils.metrics.face_training",
        "precision": "float16, trained in bfloat16",
    } | provenance.provenance(began)
    path = Path(folder) / f"{NAME}.safetensors"
    cards.save_weights(path, net, card)
    net = classifiers.load_classifier(NAME, folder)
    half = min(2000, n // 5)
    heldout, codes = faces(2 * half, split="heldout")
    one, other = classifiers.features(net, heldout).split(half)
    fitted = classifiers.features(net, gaussian_images(images, half))
    card["metrics"] = {
        "heldout_accuracy": accuracies(net, heldout, codes),
        "frechet_n": half,
        "frechet_floor": distances.frechet(one, other),
        "frechet_gaussian": distances.frechet(fitted, other),
    }
    cards.save_weights(path, net, card)
    return card


if __name__ == "__main__":
    print(json.dumps(make_pretrained(), indent=1))
