"""Feature spaces: where distances between sets of images are measured."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from diffutils.metrics import classifiers
from diffutils.metrics.published import AlexNet, Inception, weights


@dataclass(frozen=True)
class Space:
    """A feature space: its name in words, the function images -> features, what to call distances.

    features: uint8 (B, 3, H, W) -> float64 (B, d) on the CPU; probabilities: features -> p(y|x),
    where the network has classes that an Inception Score is made of.
    """

    words: str
    features: Callable[[Tensor], Tensor]
    frechet: str = "Fréchet distance"
    kernel: str = "kernel distance"
    probabilities: Callable[[Tensor], Tensor] | None = None


def named(name: str, files: Sequence[Path] = (), device: torch.device | str = "cpu") -> Space:
    """The space "inception", "alexnet", "random", or that of a shipped classifier.

    files: weights; those that `name` needs are also looked for where data sets are.
    Raises: ValueError for another name or other weights; FileNotFoundError without weights.
    """
    if name == "inception":
        net = Inception(weights(name, files)).to(device)
        return Space(
            "Inception features of pytorch-fid",
            lambda x: net(x).cpu().double(),
            "FID",
            "KID",
            net.probabilities,
        )
    if name == "alexnet":
        net = AlexNet(weights(name, files)).to(device)
        return Space(
            "AlexNet features, the fifth layer's mean over pixels", lambda x: net(x).cpu().double()
        )
    if name == "random":
        net, words = classifiers.random_features(), "features of a random convolutional network"
    else:
        try:
            net, words = classifiers.load_classifier(name), f"features of the classifier {name}"
        except ValueError as error:
            raise ValueError(f"{error}; other spaces are inception, alexnet, random") from None
    net = net.to(device)
    return Space(words, lambda images: classifiers.features(net, images))
