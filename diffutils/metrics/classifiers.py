"""Small classifiers: feature spaces for distances, and judges of what a picture shows.

The network that measures distances never judges classes: a generator
could otherwise please one network twice.
"""

from pathlib import Path

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.nn import functional as F

from diffutils import rng
from diffutils.data import to_float
from diffutils.weights import cards


class Classifier(nn.Module):
    """Convolutional classifier of images of any size from 16 x 16; d = 4 * width features."""

    def __init__(self, classes: int, in_channels: int = 3, width: int = 32):
        super().__init__()
        stages, channels = [], in_channels
        for out, stride in ((width, 1), (2 * width, 2), (2 * width, 1), (4 * width, 2)):
            # GroupNorm: an image's features do not depend on the other images of its batch.
            stages += [
                nn.Conv2d(channels, out, 3, stride, padding=1, bias=False),
                nn.GroupNorm(8, out),
                nn.ReLU(),
            ]
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


def train_classifier(
    images: UInt8[Tensor, "N C H W"],
    labels: Int64[Tensor, "labels"],
    steps: int = 1000,
    *,
    batch: int = 128,
    lr: float = 3e-3,
    width: int = 32,
    seed: int = 0,
    noise: float = 0.1,
    shift: int = 1,
) -> Classifier:
    """A classifier trained on the images' device with AdamW and a one-cycle learning rate.

    Every image is moved by up to `shift` pixels and gets Gaussian noise of a standard deviation
    up to `noise` (images span [-1, 1]), so that features survive what a generator leaves.

    Raises: ValueError if the labels are not as many as the images.
    """
    if len(labels) != len(images):
        raise ValueError(f"{len(images)} images need {len(images)} labels, got {len(labels)}")
    device = images.device
    net = _seeded(int(labels.max()) + 1, images.shape[1], width, seed).to(device)
    optimizer = torch.optim.AdamW(net.parameters(), lr, weight_decay=0.01)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, steps)
    for step in range(steps):
        sample = torch.arange(step * batch, (step + 1) * batch, device=device)
        u = rng.uniform(seed, 0, sample, 4)
        chosen = (u[:, 0].double() * len(images)).long()
        x = _moved(to_float(images[chosen]), ((2 * shift + 1) * u[:, 1:3]).long() - shift)
        level = noise * u[:, 3].view(-1, 1, 1, 1)
        x = x + level * rng.normal(seed, 0, sample, tuple(x.shape[1:]))
        loss = F.cross_entropy(net(x), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
    return net.eval().requires_grad_(False)


def random_features(in_channels: int = 3, seed: int = 0, width: int = 32) -> Classifier:
    """An untrained network with seeded weights: a feature space for any images.

    Distances on it rank models of one data set; they say little about what a picture shows, and
    they must be reported as "random features". Source: Naeem et al. 2020 (arXiv 2002.09797).
    """
    return _seeded(1, in_channels, width, seed).eval().requires_grad_(False)


@torch.no_grad()
def features(
    net: Classifier, images: UInt8[Tensor, "N C H W"], batch: int = 512
) -> Float[Tensor, "N d"]:
    """Feature matrix float64 (N, d) of uint8 images, computed on the network's device."""
    device = next(net.parameters()).device
    parts = [net.features(to_float(x.to(device))).cpu().double() for x in images.split(batch)]
    return torch.cat(parts)


@torch.no_grad()
def accuracy(
    net: Classifier,
    images: UInt8[Tensor, "N C H W"],
    labels: Int64[Tensor, "N"],
    batch: int = 512,
) -> float:
    """Share of the uint8 images, in [0, 1], that the network puts into the class of the label."""
    device = next(net.parameters()).device
    right = [
        (net(to_float(x.to(device))).argmax(1).cpu() == y.cpu()).sum()
        for x, y in zip(images.split(batch), labels.split(batch), strict=True)
    ]
    return sum(right).item() / len(images)


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
    net = Classifier(**card["classifier"])
    net.card = cards.load_weights(path, net)
    return net.eval().requires_grad_(False)


def shipped_for(dataset: str, role: str) -> str | None:
    """Name of the shipped classifier whose card has this data set and role, or None.

    role: "features" (distances are measured on it) or "judge" (it says what a picture shows).
    """
    fitting = (c["name"] for c in _cards() if (c.get("dataset"), c.get("role")) == (dataset, role))
    return next(fitting, None)


def _cards(folder: Path | None = None) -> list[dict]:
    paths = sorted(Path(folder or cards.PRETRAINED).glob("*.json"))
    found = (cards.read_card(path) for path in paths)
    return [card for card in found if "classifier" in card]


def _seeded(classes: int, in_channels: int, width: int, seed: int) -> Classifier:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Classifier(classes, in_channels, width)


def _moved(x: Float[Tensor, "B C H W"], by: Int64[Tensor, "B 2"]) -> Float[Tensor, "B C H W"]:
    """Each image moved by whole pixels (dy, dx); the edge is repeated."""
    height, width = x.shape[-2:]
    rows = (torch.arange(height, device=x.device) - by[:, :1]).clamp(0, height - 1)
    columns = (torch.arange(width, device=x.device) - by[:, 1:]).clamp(0, width - 1)
    image = torch.arange(len(x), device=x.device)[:, None, None]
    return x[image, :, rows[:, :, None], columns[:, None]].permute(0, 3, 1, 2)
