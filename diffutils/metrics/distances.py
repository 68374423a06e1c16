"""Distances between sets of samples, on a feature matrix (N, d) that the caller names.

Report the floor beside every distance: two sets of real images are not at distance zero either.
"""

from collections.abc import Iterator
from typing import Any

import torch
from jaxtyping import Float, Int64, Shaped
from torch import Tensor


def frechet(a: Float[Tensor, "N d"], b: Float[Tensor, "M d"]) -> float:
    r"""Fréchet distance (squared) between Gaussians fitted to two sets of features.

    .. math:: \|\mu_a-\mu_b\|^2 + \mathrm{Tr}\,(S_a + S_b - 2\,(S_a S_b)^{1/2})

    With centred features :math:`A = QR` the covariance is :math:`R^T R`, and the eigenvalues of
    :math:`S_a S_b` are the squared singular values of :math:`R_a R_b^T`. Their sum is the trace
    of the root, without a matrix root and without squaring rounding errors.

    Raises: ValueError if a set has no more samples than features, or the features do not match.
    Source: Dowson and Landau 1982, eq. 4; Heusel et al. 2017 (arXiv 1706.08500), eq. 6.
    """
    a, b = checked(a, b)
    if (n := min(len(a), len(b))) <= (d := a.shape[1]):
        raise ValueError(
            f"frechet got {n} samples of {d} features, but a covariance needs more samples than"
            f" features: give at least {d + 1} (ten times as many is better), use smaller features,"
            " or use kernel_distance."
        )
    gaussians = []
    for x in (a, b):
        mean = x.mean(0)
        gaussians += [mean, torch.linalg.qr(x - mean, mode="r").R / (len(x) - 1) ** 0.5]
    return frechet_gaussians(*gaussians)


def frechet_gaussians(mean_a: Tensor, root_a: Tensor, mean_b: Tensor, root_b: Tensor) -> float:
    """The same distance between Gaussians of means (d,) and covariances root.T @ root (d, d)."""
    shift = (mean_a - mean_b).square().sum()
    overlap = torch.linalg.svdvals(root_a @ root_b.T).sum()
    distance = shift + root_a.square().sum() + root_b.square().sum() - 2 * overlap
    return max(distance.item(), 0.0)


def mmd(a: Float[Tensor, "n d"], b: Float[Tensor, "m d"]) -> float:
    r"""Unbiased squared maximum mean discrepancy with the kernel :math:`k(x,y)=(x·y/d+1)^3`.

    .. math:: \frac{1}{n(n-1)}\sum_{i\ne j}k(a_i,a_j)+\frac{1}{m(m-1)}\sum_{i\ne j}k(b_i,b_j)
              -\frac{2}{nm}\sum_{i,j}k(a_i,b_j)

    May be slightly negative, since it is unbiased.
    Source: Gretton et al. 2012, eq. 3; Binkowski et al. 2018 (arXiv 1801.01401), section 4.
    """
    a, b = to_double(a), to_double(b)

    def within(x: Tensor) -> Tensor:
        k = polynomial_kernel(x, x)
        return (k.sum() - k.diagonal().sum()) / (len(x) * (len(x) - 1))

    return (within(a) + within(b) - 2 * polynomial_kernel(a, b).mean()).item()


def polynomial_kernel(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, "n m"]:
    """k(x, y) = (x·y/d + 1)^3 of every pair. Source: Binkowski et al. 2018, section 4."""
    return (x @ y.T / x.shape[1] + 1) ** 3


def kernel_distance(
    a: Float[Tensor, "N d"],
    b: Float[Tensor, "M d"],
    subsets: int = 100,
    subset_size: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Kernel distance: mean and standard deviation of `mmd` over random subsets of both sets.

    On Inception features this is the KID. Unlike the Fréchet distance its mean does not depend
    on the number of samples, so small sets may be compared.

    Raises: ValueError if a set is smaller than a subset, or the features do not match.
    Source: Binkowski et al. 2018 (arXiv 1801.01401), section 4.
    """
    a, b = checked(a, b)
    if not 2 <= subset_size <= min(len(a), len(b)):
        raise ValueError(
            f"kernel_distance cannot draw subsets of {subset_size} from {len(a)} and {len(b)}"
            f" samples: pass subset_size between 2 and {min(len(a), len(b))}."
        )
    generator = torch.Generator().manual_seed(seed)

    def subset(x: Tensor) -> Tensor:
        return x[torch.randperm(len(x), generator=generator)[:subset_size].to(x.device)]

    values = torch.tensor([mmd(subset(a), subset(b)) for _ in range(subsets)]).double()
    return values.mean().item(), values.std(correction=0).item()


def precision_recall(
    real: Float[Tensor, "N d"], fake: Float[Tensor, "M d"], k: int = 3, chunk: int = 500
) -> tuple[float, float]:
    """Improved precision (fakes that look real) and recall (reals that can be drawn), in [0, 1].

    A sample counts when it lies inside a ball around any sample of the other set; the ball's
    radius is the distance from its centre to the k-th nearest neighbour in the centre's own set.

    Raises: ValueError if a set has no more than k samples, or the features do not match.
    Source: Kynkäänniemi et al. 2019 (arXiv 1904.06991), eqs. 1-3.
    """
    real, fake = checked(real, fake)
    if not 1 <= k < min(len(real), len(fake)):
        raise ValueError(
            f"precision_recall needs more than k={k} samples on both sides, got {len(real)} and"
            f" {len(fake)}: give more samples or pass k from 1 to {min(len(real), len(fake)) - 1}."
        )
    centre = real.mean(0)
    real, fake = real - centre, fake - centre
    # The rounding error of fast products: with it a copy of a sample lies in a ball of radius 0.
    slack = 1e-13 * real.square().sum(1).max()

    def squares(x: Tensor, y: Tensor) -> Iterator[Tensor]:
        for rows in x.split(chunk):
            yield rows.square().sum(1, keepdim=True) + y.square().sum(1) - 2 * rows @ y.T

    def covered(x: Tensor, centres: Tensor) -> float:
        radii = [d.kthvalue(k + 1, dim=1).values for d in squares(centres, centres)]
        reach = torch.cat(radii) + slack
        inside = torch.cat([(d <= reach).any(dim=1) for d in squares(x, centres)])
        return inside.double().mean().item()

    return covered(fake, real), covered(real, fake)


def nearest(
    a: Shaped[Tensor, "N ..."], b: Shaped[Tensor, "M ..."], batch: int = 500
) -> tuple[Float[Tensor, " N"], Int64[Tensor, " N"]]:
    """Euclidean distance from each item of `a` to its nearest item of `b`, and that item's index.

    Four candidates are found by fast float32 products and compared again in float64, so that the
    distance to an exact copy is exactly 0.

    Raises: ValueError if a set is empty or the shapes do not match.
    """
    if not (len(a) and len(b)) or a.shape[1:] != b.shape[1:]:
        raise ValueError(
            f"nearest compares items of one shape, but got {tuple(a.shape)} and {tuple(b.shape)}:"
            " give two sets, not empty, with the same shape after the first axis."
        )
    a, b = a.flatten(1), b.flatten(1)
    centre = b.float().mean(0)  # less of each product is lost to rounding
    table = b.float() - centre
    distances, indices = [], []
    for rows in a.split(batch):
        rough = torch.cdist(rows.float() - centre, table)
        near = rough.topk(min(4, len(b)), dim=1, largest=False).indices
        exact = (to_double(b[near]) - to_double(rows[:, None])).norm(dim=2)
        distance, best = exact.min(dim=1, keepdim=True)
        distances.append(distance[:, 0])
        indices.append(near.gather(1, best.to(near.device))[:, 0])
    return torch.cat(distances), torch.cat(indices)


def memorisation(
    samples: Shaped[Tensor, "N ..."],
    train: Shaped[Tensor, "M ..."],
    heldout: Shaped[Tensor, "K ..."],
    quantile: float = 0.01,
    mirror: bool = False,
) -> dict[str, Any]:
    """Are samples nearer to the training set than unseen images of the same kind are?

    Returns `close`, the fraction of samples whose nearest training item is no farther than
    `threshold`, the `quantile` of that distance for held-out items (a model that does not copy
    scores about `quantile`); `copies`, the fraction at distance 0; and `distances` (N,), `indices`
    (N,) of the nearest training items. With `mirror`, images flipped left to right count as
    training images too. In pixels, blurred or plain samples come near to everything: look at the
    nearest pairs before calling them copies.

    Raises: ValueError if the shapes do not match, or `mirror` is asked for other than images.
    """
    if mirror and train.ndim != 4:
        raise ValueError(
            f"mirror flips images (N, C, H, W), but the training items are {tuple(train.shape)}:"
            " give images, or leave mirror=False."
        )

    def to_train(items: Tensor) -> tuple[Tensor, Tensor]:
        distance, index = nearest(items, train)
        if not mirror:
            return distance, index
        flipped, flipped_index = nearest(items.flip(-1), train)
        index = torch.where((flipped < distance).to(index.device), flipped_index, index)
        return torch.minimum(distance, flipped), index

    threshold = to_train(heldout)[0].quantile(quantile).item()
    distances, indices = to_train(samples)
    return {
        "close": (distances <= threshold).float().mean().item(),
        "copies": (distances == 0).float().mean().item(),
        "threshold": threshold,
        "distances": distances,
        "indices": indices,
    }


def to_double(x: Tensor) -> Tensor:
    """float64 on x's device, or on the CPU where that has none, as Apple's GPUs."""
    return (x.cpu() if x.device.type == "mps" else x).double()


def checked(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Both as float64. Raises: ValueError unless they are finite (N, d) with the same d."""
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(
            f"features must be two matrices (N, d) with the same d, but got {tuple(a.shape)} and"
            f" {tuple(b.shape)}: flatten them, and take both from the same feature network."
        )
    check_finite(a)
    check_finite(b)
    return to_double(a), to_double(b)


def check_finite(x: Tensor) -> None:
    """Raises: ValueError if features, or probabilities made of them, hold NaN or infinity."""
    if not torch.isfinite(x).all():
        raise ValueError(
            "features hold NaN or infinity: look at the samples, since the network that drew them"
            " or the one that measures them has diverged."
        )
