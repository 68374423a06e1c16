"""Feature spaces: where distances between sets of images are measured, and judges of classes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from diffutils.metrics import classifiers
from diffutils.metrics.published import AlexNet, Inception, weights


@dataclass(frozen=True)
class Space:
    """A feature space: its name in words, the function images -> features, what to call distances.

    features: uint8 (B, C, H, W) -> float64 (B, d) on the CPU; probabilities: features -> p(y|x),
    where the network has classes that an Inception Score is made of.
    """

    words: str
    features: Callable[[Tensor], Tensor]
    frechet: str = "Fréchet distance"
    kernel: str = "kernel distance"
    probabilities: Callable[[Tensor], Tensor] | None = None


def named(
    name: str, files: Sequence[Path] = (), device: torch.device | str = "cpu", channels: int = 3
) -> Space:
    """The space "inception", "alexnet", "random", or that of a shipped classifier.

    files: weights, also looked for where data sets are; channels: what a random network reads.
    Raises: ValueError for another name or other weights; FileNotFoundError without weights.
    """
    if name == "inception":
        net = Inception(weights(name, files)).to(device)
        words = "Inception features of pytorch-fid"
        return Space(words, lambda x: net(x).cpu().double(), "FID", "KID", net.probabilities)
    if name == "alexnet":
        net = AlexNet(weights(name, files)).to(device)
        words = "AlexNet features, the fifth layer's mean over pixels"
        return Space(words, lambda x: net(x).cpu().double())
    if name == "random":
        net, words = classifiers.random_features(channels), "a random convolutional network"
    else:
        try:
            net, words = classifiers.load_classifier(name), f"the classifier {name}"
        except ValueError as error:
            raise ValueError(f"{error}; other spaces are inception, alexnet, random") from None
    return Space(f"features of {words}", partial(classifiers.features, net.to(device)))


def of(dataset: str, channels: int, device: torch.device | str = "cpu") -> Space:
    """The space for distances on a data set: the shipped classifier's whose card says so.

    Any other set gets features of a random network that reads so many channels.
    """
    name = classifiers.shipped_for(dataset, "features")
    return named(name or "random", device=device, channels=channels)


def judge(
    dataset: str, device: torch.device | str = "cpu"
) -> Callable[[Tensor, Tensor], float] | None:
    """A function of uint8 images and labels: the share, in [0, 1], that shows the label's class.

    It asks the shipped classifier whose card says so; None where no card does.
    """
    name = classifiers.shipped_for(dataset, "judge")
    return name and partial(classifiers.accuracy, classifiers.load_classifier(name).to(device))
