"""Small classifiers: feature spaces for distances, and judges of what a picture shows.

A network never does both: a generator could otherwise please one network twice.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from diffutils.data import to_float
from diffutils.weights import cards


class Classifier(nn.Module):
    """Convolutional classifier of images of any size from 16 x 16; d = 4 * width features."""

    def __init__(self, classes: int, in_channels: int = 3, width: int = 32):
        super().__init__()
        stages, channels = [], in_channels
        for out, stride in ((width, 1), (2 * width, 2), (2 * width, 1), (4 * width, 2)):
            # GroupNorm: an image's features do not depend on the other images of its batch.
            convolution = nn.Conv2d(channels, out, 3, stride, padding=1, bias=False)
            stages += [convolution, nn.GroupNorm(8, out), nn.ReLU()]
            channels = out
        self.stages = nn.Sequential(*stages, nn.Conv2d(channels, channels, 3, padding=1), nn.ReLU())
        self.head = nn.Linear(channels, classes)

    def features(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B d"]:
        """Penultimate layer for images in [-1, 1].

        Raises: ValueError for images below 16 x 16 or with another number of channels.
        """
        channels = self.stages[0].in_channels
        if x.shape[1] != channels or min(x.shape[-2:]) < 16:
            raise ValueError(
                f"images of shape {tuple(x.shape[1:])}; this network reads {channels} channels"
                " and at least 16 x 16 pixels: convert or resize them first"
            )
        return self.stages(x).mean((-2, -1))

    def forward(self, x: Float[Tensor, "B C H W"]) -> Float[Tensor, "B classes"]:
        """Logits for images in [-1, 1]."""
        return self.head(self.features(x))


def random_features(in_channels: int = 3, seed: int = 0, width: int = 32) -> Classifier:
    """An untrained network with seeded weights: a feature space for any images.

    Distances on it rank models of one data set; they say little about what a picture shows, and
    they must be reported as "random features". Source: Naeem et al. 2020 (arXiv 2002.09797).
    """
    return seeded(1, in_channels, width, seed).eval().requires_grad_(False)


@torch.no_grad()
def by_batch(net: Classifier, read: Callable, images: Tensor, batch: int = 512) -> Tensor:
    """`read` (the network or its `features`) of uint8 images, on the CPU."""
    device = net.head.weight.device
    return torch.cat([read(to_float(x.to(device))).cpu() for x in images.split(batch)])


def features(
    net: Classifier, images: UInt8[Tensor, "N C H W"], batch: int = 512
) -> Float[Tensor, "N d"]:
    """Feature matrix of the images, float64 on the CPU."""
    return by_batch(net, net.features, images, batch).double()


def accuracy(
    net: Classifier, images: UInt8[Tensor, "N C H W"], labels: Int64[Tensor, "N"], batch: int = 512
) -> float:
    """Share of the images, in [0, 1], that the network puts into the class of the label."""
    right = by_batch(net, net, images, batch).argmax(1) == labels.cpu()
    return right.double().mean().item()


def load_classifier(name: str, folder: Path | None = None) -> Classifier:
    """A shipped classifier, such as "sprites-features" or "sprites-judge"; its card is `.card`.

    Raises: ValueError with the list of names when there is none of that name.
    """
    path = Path(folder or cards.PRETRAINED) / f"{name}.safetensors"
    if not path.is_file():
        names = ", ".join(card["name"] for card in _cards(folder))
        raise ValueError(f"no classifier {name!r}; there are: {names or 'none'}")
    card = cards.read_card(path)
    if not isinstance(card.get("classifier"), dict):
        raise ValueError(f"{name!r} is no classifier: its card has no entry of that name")
    try:
        with torch.device("meta"):  # no memory before the weights fit
            net = Classifier(**card["classifier"])
    except (TypeError, ValueError, RuntimeError, ArithmeticError) as error:
        why = str(error).partition("\n")[0]
        raise ValueError(f"the card of {name!r} describes no classifier ({why})") from None
    net.card = cards.load_weights(path, net)
    return net.eval().requires_grad_(False)


def shipped_for(dataset: str, role: str) -> str | None:
    """Name of the shipped classifier whose card has this data set and role, or None.

    role: "features" (distances are measured on it) or "judge" (it says what a picture shows).
    """
    fitting = (c["name"] for c in _cards() if (c.get("dataset"), c.get("role")) == (dataset, role))
    return next(fitting, None)


def _cards(folder: Path | None = None) -> list[dict]:
    found = map(cards.read_card, sorted(Path(folder or cards.PRETRAINED).glob("*.json")))
    return [card for card in found if {"name", "classifier"} <= card.keys()]


def seeded(classes: int, in_channels: int, width: int, seed: int) -> Classifier:
    """An untrained classifier whose weights depend on the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Classifier(classes, in_channels, width)
