"""Distances of sets too large to hold: statistics that grow batch by batch, in float64.

A Fréchet distance keeps one mean and one covariance, an Inception Score a mean for each of its
parts, a kernel distance a random subset. None of them depends on the size of the batches.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from diffutils import rng
from diffutils.metrics import distances
from diffutils.weights.warned import warn

ENOUGH = 2048  # samples; Inception's 2,048 features have no full covariance below
KEPT = 10_000  # features that a kernel distance is measured on


@dataclass(eq=False)
class Moments:
    r"""Mean (d,) and covariance (d, d) of features that come in batches.

    .. math:: S_{AB} = S_A + S_B + \frac{n_A n_B}{n_A + n_B}\,\delta\delta^T,\quad
              \delta = \mu_B - \mu_A

    Each batch is squared about its own mean, so nothing is lost where features lie far from 0.
    Source: Chan, Golub and LeVeque 1979, "Updating formulae and a pairwise algorithm", eq. 2.1.
    """

    n: int = 0
    mean: Tensor = torch.zeros(0)
    scatter: Tensor = torch.zeros(0, 0)

    def add(self, features: Float[Tensor, "B d"]) -> None:
        """Take in a batch. Raises: ValueError for NaN or infinity, and as `merge`."""
        if len(features):
            x = _checked(features)
            mean = x.mean(0)
            x = x - mean
            self.merge(Moments(len(x), mean, x.T @ x))

    def merge(self, other: "Moments") -> None:
        """Take in all that another one has seen. Raises: ValueError for other features."""
        if not other.n:
            return
        if not self.n:
            self.n, self.mean, self.scatter = other.n, other.mean, other.scatter
            return
        if self.mean.shape != other.mean.shape:
            raise ValueError(
                f"{len(other.mean)} features after {len(self.mean)}: take all from one network"
            )
        n, delta = self.n + other.n, other.mean - self.mean
        between = torch.outer(delta, delta).mul_(self.n * other.n / n)
        self.scatter = between.add_(self.scatter).add_(other.scatter)
        self.mean = self.mean + delta * (other.n / n)
        self.n = n

    @property
    def covariance(self) -> Float[Tensor, "d d"]:
        """The unbiased covariance. Raises: ValueError for not more samples than features."""
        if self.n <= (d := len(self.mean)):
            raise ValueError(
                f"a covariance of {d} features needs more samples than features, but there are"
                f" {self.n}: give at least {d + 1} (ten times as many is better), use smaller"
                " features, or the kernel distance"
            )
        return self.scatter / (self.n - 1)


def frechet(a: Moments, b: Moments) -> float:
    """`metrics.frechet` of two sets from their moments; warns below 2,048 samples.

    Raises: ValueError if a set has no more samples than features.
    """
    gaussians = []
    for x in (a, b):
        values, vectors = torch.linalg.eigh(x.covariance)
        gaussians += [x.mean, values.clamp(min=0).sqrt()[:, None] * vectors.T]
    if (n := min(a.n, b.n)) < ENOUGH:
        warn(
            f"a Fréchet distance of {n} samples is too large, by about 1/N: it fits"
            f" {len(a.mean)} x {len(a.mean)} covariances to them; give {ENOUGH:,} or more, compare"
            " with the floor at the same N, or use the kernel distance, which has no such bias"
        )
    return distances.frechet_gaussians(*gaussians)


class InceptionScore:
    r"""Inception Score of class probabilities that come in batches.

    .. math:: \exp\Big(\tfrac1N\sum_i \sum_y p(y|x_i)\log p(y|x_i) - \sum_y p(y)\log p(y)\Big)

    Mean and standard deviation over `splits` parts, each with its own p(y). Of the next `splits`
    samples each part gets one, at random: parts of consecutive samples, as in the original code,
    would see few classes each where these come in an order.
    Source: Salimans et al. 2016 (arXiv 1606.03498), section 4.
    """

    def __init__(self, splits: int = 10):
        self.n, self.splits = 0, splits
        self.counts, self.negentropy = torch.zeros(2, splits, dtype=torch.float64)
        self.total: Tensor | float = 0.0

    def add(self, probabilities: Float[Tensor, "B classes"]) -> None:
        """Take in a batch of rows p(y|x). Raises: ValueError if a row is no distribution."""
        p = _checked(probabilities)
        if (p < 0).any() or ((p.sum(1) - 1).abs() > 1e-3).any():
            raise ValueError(
                "class probabilities are rows from 0 up that sum to 1: take the softmax of logits"
            )
        index = torch.arange(self.n, self.n + len(p))
        turn = rng.words(0, 0, index // self.splits, 1, rng.EVALUATION)[:, 0]
        member = F.one_hot((index + turn) % self.splits, self.splits).T.double()
        self.counts += member.sum(1)
        self.total = self.total + member @ p
        self.negentropy += member @ torch.xlogy(p, p).sum(1)
        self.n += len(p)

    def score(self) -> tuple[float, float]:
        """Mean, in [1, classes], and standard deviation over the parts.

        Raises: ValueError with fewer samples than parts.
        """
        if self.n < self.splits:
            raise ValueError(
                f"an Inception Score in {self.splits} parts needs as many samples, got {self.n}:"
                " give more, or fewer splits"
            )
        marginal = self.total / self.counts[:, None]
        each = (self.negentropy / self.counts - torch.xlogy(marginal, marginal).sum(1)).exp()
        return each.mean().item(), each.std(correction=0).item()


class Reservoir:
    """A random subset of at most `size` of the features that came, each equally likely.

    Feature i replaces a kept one with probability size / (i + 1); the draw is a function of
    (seed, i). Source: Vitter 1985, "Random sampling with a reservoir", algorithm R.
    """

    def __init__(self, size: int = KEPT, seed: int = 0):
        self.n, self.size, self.seed, self.rows = 0, size, seed, torch.zeros(0, 0)

    def add(self, features: Float[Tensor, "B d"]) -> None:
        """Take in a batch. Raises: ValueError for NaN or infinity."""
        x = _checked(features)
        if not self.n:
            self.rows = x.new_empty(self.size, x.shape[1])
        index = torch.arange(self.n, self.n + len(x))
        word = rng.words(self.seed, 0, index, 1, rng.EVALUATION)[:, 0]
        slot = torch.where(index < self.size, index, (word * (index + 1)) >> 32)
        # Of several features for one slot the last one stays, as if they had come one by one.
        last = {s: i for i, s in enumerate(slot.tolist()) if s < self.size}
        self.rows[list(last)] = x[list(last.values())]
        self.n += len(x)

    @property
    def features(self) -> Float[Tensor, "n d"]:
        """What is kept, float64."""
        return self.rows[: self.n]


def kernel_interval(
    a: Float[Tensor, "n d"],
    b: Float[Tensor, "m d"],
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
    chunk: int = 500,
) -> tuple[float, float, float]:
    r"""Kernel distance `metrics.mmd` of all features, and its bootstrap interval (low, high).

    A resample is the number of copies w of each feature:

    .. math:: \frac{\sum_{i\ne j} w_i w_j k(a_i,a_j)}{\sum_{i\ne j} w_i w_j} + \ldots
              - \frac{2}{nm}\sum_{i,j} w_i v_j k(a_i,b_j)

    Copies of one feature are never paired: each would look like a perfect match. Where both sets
    are of one distribution the interval is wider than it need be. No kernel matrix is held whole.

    Raises: ValueError for fewer than 2 features, or features that do not match.
    Source: Binkowski et al. 2018 (arXiv 1801.01401), section 4; Efron 1979.
    """
    a, b = (x.cpu() for x in distances.checked(a, b))
    if min(len(a), len(b)) < 2:
        raise ValueError(
            f"a kernel distance compares pairs within a set, but the sets have {len(a)} and"
            f" {len(b)} samples: give 2 or more"
        )
    generator = torch.Generator().manual_seed(seed)

    def copies(n: int) -> Tensor:
        drawn = torch.randint(n, (resamples, n), generator=generator)
        counts = torch.stack([row.bincount(minlength=n) for row in drawn])
        return torch.cat([torch.ones(1, n), counts]).double()

    def across(x: Tensor, y: Tensor, w: Tensor, v: Tensor) -> Tensor:
        rows = zip(x.split(chunk), w.split(chunk, 1), strict=True)
        return sum((w * (v @ distances.polynomial_kernel(y, x))).sum(1) for x, w in rows)

    def within(x: Tensor, w: Tensor) -> Tensor:
        own = (x.square().sum(1) / x.shape[1] + 1) ** 3
        pairs = w.sum(1) ** 2 - w.square().sum(1)
        return (across(x, x, w, w) - w.square() @ own) / pairs

    w, v = copies(len(a)), copies(len(b))
    values = within(a, w) + within(b, v) - 2 * across(a, b, w, v) / (len(a) * len(b))
    low, high = values[1:].quantile(torch.tensor([1 - level, 1 + level]).double() / 2).tolist()
    return values[0].item(), low, high


def _checked(x: Tensor) -> Tensor:
    """Finite float64 on the CPU."""
    distances.check_finite(x)
    return x.detach().cpu().double()
