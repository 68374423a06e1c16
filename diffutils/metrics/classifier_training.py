"""How the shipped classifiers were made, but that of faces: in bfloat16, with other random numbers.

`python -m diffutils.metrics.classifier_training` trains each of `PRETRAINED`, measures it, and
writes it with its card to `data/pretrained`, where `classifiers.load_classifier` finds it.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor
from torch.nn import functional as F

from diffutils import rng
from diffutils.data import digits, load, to_float, to_uint8
from diffutils.data.drawn import sprites
from diffutils.data.drawn.faces import ATTRIBUTES, faces
from diffutils.metrics import distances
from diffutils.metrics.classifiers import Classifier, by_batch, features, load_classifier, seeded
from diffutils.weights import cards, provenance

# Classes alone make poor features: eight clusters then outweigh everything within a class, and a
# generator that draws few colours goes unseen. So the features learn the first colour, too.
COLOURED = [f"{c}, first colour {i}" for c in sprites.CLASSES for i in range(len(sprites.RAMPS))]
DIGITS = {"class": tuple(map(str, range(10)))}
# data set-role: what is read off an image and its values, images, settings of `train_classifier`
PRETRAINED = {
    "sprites-features": (
        {"class": COLOURED},
        50_000,
        dict(steps=1200, batch=128, shift=1, width=32, seed=0),
    ),
    "sprites-judge": (
        {"class": sprites.CLASSES},
        50_000,
        dict(steps=2000, batch=128, shift=1, width=24, seed=1),
    ),
    "faces-features": (ATTRIBUTES, 20_000, dict(steps=1500, batch=64, shift=0, width=32, seed=0)),
    "digits-features": (DIGITS, 1_645, dict(steps=1200, batch=64, shift=2, width=24, seed=0)),
    "digits-judge": (DIGITS, 1_645, dict(steps=1200, batch=64, shift=2, width=24, seed=1)),
}


def train_classifier(
    images: UInt8[Tensor, "N C H W"],
    labels: Int64[Tensor, "labels ..."],
    steps: int = 1000,
    *,
    sizes: Sequence[int] | None = None,
    batch: int = 128,
    width: int = 32,
    seed: int = 0,
    shift: int = 1,
) -> Classifier:
    """A classifier trained on the images' device with AdamW and a one-cycle learning rate.

    Every image is moved by up to `shift` pixels and gets Gaussian noise of a standard deviation
    up to 0.1 (images span [-1, 1]), so that features survive what a generator leaves. labels: (N,),
    or (N, K) for K attributes, each with a block of logits and a loss; sizes: how many values each
    has, by default as many as there are.

    Raises: ValueError if the labels are not as many as the images.
    """
    if len(labels) != len(images):
        raise ValueError(f"{len(images)} images need {len(images)} labels, got {len(labels)}")
    codes = labels.view(len(labels), -1)
    sizes = list(sizes or codes.amax(0) + 1)
    net = seeded(int(sum(sizes)), images.shape[1], width, seed).to(images.device)
    optimizer = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, steps)
    for step in range(steps):
        # Draw a batch.
        sample = torch.arange(step * batch, (step + 1) * batch, device=images.device)
        u = rng.uniform(seed, 0, sample, 4)
        chosen = (u[:, 0].double() * len(images)).long()
        x = _moved(to_float(images[chosen]), ((2 * shift + 1) * u[:, 1:3]).long() - shift)
        x = x + 0.1 * u[:, 3].view(-1, 1, 1, 1) * rng.normal(seed, 0, sample, tuple(x.shape[1:]))
        # Learn from it.
        loss = sum(map(F.cross_entropy, net(x).split(sizes, 1), codes[chosen].unbind(1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return net.eval().requires_grad_(False)


def _moved(x: Float[Tensor, "B C H W"], by: Int64[Tensor, "B 2"]) -> Float[Tensor, "B C H W"]:
    """Each image moved by whole pixels (dy, dx); the edge is repeated."""
    height, width = x.shape[-2:]
    rows = (torch.arange(height, device=x.device) - by[:, :1]).clamp(0, height - 1)
    columns = (torch.arange(width, device=x.device) - by[:, 1:]).clamp(0, width - 1)
    image = torch.arange(len(x), device=x.device)[:, None, None]
    return x[image, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)


def accuracies(
    net: Classifier,
    images: UInt8[Tensor, "N C H W"],
    codes: Int64[Tensor, "N K"],
    targets: dict[str, Sequence[str]],
) -> dict[str, float]:
    """Share of images, in [0, 1], that the network reads right, for each of K targets."""
    blocks = by_batch(net, net, images).split([*map(len, targets.values())], 1)
    read = torch.stack([block.argmax(1) for block in blocks], 1)
    return dict(zip(targets, (read == codes.cpu()).double().mean(0).tolist(), strict=True))


def gaussian_images(
    images: UInt8[Tensor, "N C H W"], n: int, seed: int = 0
) -> UInt8[Tensor, "n C H W"]:
    """n samples, rounded to uint8, of the Gaussian with the images' pixel mean and covariance.

    A sample is the mean plus a random combination of the centred images: no covariance is formed.
    """
    pixels = images.flatten(1).float()
    z = torch.randn(n, len(pixels), generator=torch.Generator().manual_seed(seed))
    z = z - z.mean(1, keepdim=True)  # z (x - mean) = (z - mean of z) x
    fitted = z @ pixels / (len(pixels) - 1) ** 0.5 + pixels.mean(0)
    return fitted.round().clamp(0, 255).to(torch.uint8).view(n, *images.shape[1:])


def drawn(name: str, n: int, seed: int, split: str = "train") -> tuple[Tensor, Tensor]:
    """n images (n, C, H, W) for a classifier, and the numbers of their K values (n, K).

    Of digits, which are not drawn, as many as there are.
    """
    if name.startswith("digits"):
        data = load("digits", seed=seed)
        labels = data.train_labels if split == "train" else data.heldout_labels
        return getattr(data, split)[:n], labels[:n, None]
    if name == "faces-features":
        images, attributes = faces(n, seed=seed, split=split)
        return images, torch.stack([attributes[key] for key in ATTRIBUTES], 1)
    images, labels = map(torch.as_tensor, sprites.sprites(n, seed, split))
    if name == "sprites-features":
        colours = torch.as_tensor(sprites.palettes(n, seed, split)[:, 0])
        labels = labels * len(sprites.RAMPS) + colours
    return images, labels[:, None]


def make_pretrained(
    name: str, folder: Path = cards.PRETRAINED, n: int | None = None, **changes: int
) -> dict:
    """Train the classifier `name` of `PRETRAINED`, write it, measure what was written: its card.

    n images and changes of the settings: other than in the table.  Its Fréchet distances (kernel
    distances where images are few) are those of a Gaussian fitted to the pixels, and of held-out
    images from each other: the floor.
    """
    dataset, role = name.split("-")
    targets, count, settings = PRETRAINED[name]
    n, settings = n or count, settings | changes
    sizes, seed = [*map(len, targets.values())], settings["seed"]
    # Draw.
    images, codes = drawn(name, n, seed)
    heldout, heldout_codes = drawn(name, 2 * max(n // 10, 200), seed, "heldout")
    half = len(heldout) // 2
    # Train and write.
    began = time.monotonic()
    net = train_classifier(images, codes, sizes=sizes, **settings)
    classes = {"classes": sum(sizes), "in_channels": images.shape[1], "width": settings["width"]}
    data = f"{len(images)} images of load({dataset!r}, seed={seed})"
    if dataset != "digits":
        data += f", drawn by diffutils.data.drawn.{dataset}"
    made = {"made_by": "python -m diffutils.metrics.classifier_training", "precision": "float16"}
    card = {"name": name, "dataset": dataset, "role": role, "classifier": classes}
    card |= {"targets": targets, "size": images.shape[-1], "data": data}
    card["licence"] = digits.LICENCE if dataset == "digits" else "CC0"
    card |= settings | made | provenance.provenance(began)
    path = Path(folder) / f"{name}.safetensors"
    cards.save_weights(path, net, card)
    # Measure what was written.
    net = load_classifier(name, folder)
    noise = torch.randn(heldout.shape, generator=torch.Generator().manual_seed(0))
    noisy = to_uint8(to_float(heldout) + 0.1 * noise)
    one, other = features(net, heldout[: 2 * half]).split(half)
    fitted = features(net, gaussian_images(images[:20_000], half))
    enough = half > one.shape[1]  # for a covariance
    kind, distance = ("frechet", distances.frechet) if enough else ("kernel", distances.mmd)
    card = net.card  # with the checksum of its weights
    card["metrics"] = {
        "heldout_accuracy": accuracies(net, heldout, heldout_codes, targets),
        "heldout_accuracy_noise_0.1": accuracies(net, noisy, heldout_codes, targets),
        f"{kind}_n": half,
        f"{kind}_floor": distance(one, other),
        f"{kind}_gaussian": distance(fitted, other),
    }
    cards.write_card(path, card)
    return cards.read_card(path)


if __name__ == "__main__":
    for name in PRETRAINED:
        print(json.dumps(make_pretrained(name), indent=1))
