"""The published table: 13 configurations on three sets, and its three numbers of images of ours."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from torch import Tensor

from diffutils.course.experiments.measure import tried
from diffutils.course.machine import best_device
from diffutils.course.runs.pace import seldom
from diffutils.metrics import distances, spaces, streaming
from diffutils.metrics.spaces import Space


class Scores(NamedTuple):
    """Inception Score (higher is better), FID and 100 x KID (lower is better)."""

    IS: float
    FID: float
    KID: float


# The names here of the published sets, and how many images of each were trained on.
SETS = MappingProxyType({"cifar10": 10_000, "mnist-m": 6_000, "mnist": 19_999})
# One run each, 2,000 images against all that were trained on.  Source: the project's README.
PUBLISHED: Mapping[str, Mapping[str, Scores]] = MappingProxyType(
    {
        name: dict(zip(SETS, map(Scores._make, scores), strict=True))
        for name, scores in {
            "A": ((4.54, 98.77, 5.97), (3.76, 85.00, 6.23), (1.98, 9.61, 0.47)),
            "B-0": ((4.71, 94.23, 5.44), (3.39, 93.81, 7.37), (1.99, 10.23, 0.58)),
            "C-0": ((3.75, 129.42, 7.92), (3.11, 124.10, 9.43), (1.94, 14.07, 0.96)),
            "D-0": ((4.33, 97.44, 6.67), (3.33, 98.16, 7.56), (1.94, 14.37, 1.01)),
            "B-1": ((4.63, 121.45, 6.90), (3.40, 94.11, 7.40), (1.97, 11.00, 0.64)),
            "C-1": ((3.56, 138.88, 10.47), (3.48, 124.78, 7.86), (1.97, 14.76, 1.05)),
            "D-1": ((4.32, 108.06, 7.42), (3.44, 114.27, 8.35), (1.98, 16.08, 1.12)),
            "B-1N": ((4.63, 125.71, 6.64), (3.71, 100.91, 7.53), (1.97, 11.62, 0.72)),
            "C-1N": ((3.99, 107.37, 6.96), (3.69, 144.41, 9.69), (1.96, 15.95, 1.23)),
            "D-1N": ((4.51, 90.21, 5.54), (3.68, 108.14, 7.65), (1.96, 14.25, 0.97)),
            "B-2N": ((4.34, 109.96, 7.65), (4.14, 88.05, 5.47), (2.00, 12.78, 0.87)),
            "C-2N": ((4.34, 95.11, 6.70), (4.01, 101.59, 6.78), (1.97, 16.73, 1.29)),
            "D-2N": ((4.50, 102.28, 6.81), (3.99, 82.46, 5.35), (1.99, 11.19, 0.71)),
        }.items()
    }
)


def inception() -> Space | None:
    """The features that the published numbers are made of; None without their weights."""
    try:
        return spaces.named("inception", device=best_device())
    except FileNotFoundError:
        return None


class Side(NamedTuple):
    """What is kept of a set of images: the moments of its features, and some of these (n, d)."""

    moments: streaming.Moments
    features: Tensor


def side(images: Tensor, space: Space, say: Callable[[str], None], batch: int = 256) -> Side:
    """A `Side` of uint8 images (N, C, H, W); say is told every ten seconds how far it is."""
    moments, kept, tell = streaming.Moments(), streaming.Reservoir(), seldom(say)
    for part in images.split(batch):
        features = space.features(part)
        moments.add(features)
        kept.add(features)
        tell(f"features of {moments.n:,} of {len(images):,} images")
    return Side(moments, kept.features)


def scores(images: Tensor, real: Side, space: Space, say: Callable, batch: int = 256) -> dict:
    """`Scores` of uint8 images (N, C, H, W) against the `side` of all training images.

    space: Inception's.  A number that the images are too few for is nan.
    """
    fake, score, notes = side(images, space, say, batch), streaming.InceptionScore(), []
    score.add(space.probabilities(fake.features))
    IS, _ = tried(notes, 2, score.score)
    FID = tried(notes, 1, streaming.frechet, fake.moments, real.moments)
    return Scores(IS, FID, 100 * distances.mmd(fake.features, real.features))._asdict()
