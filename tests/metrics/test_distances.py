"""Distances against torchmetrics, pytorch-fid, SciPy and brute force, and their invariances."""

import math

import numpy as np
import pytest
import torch

from diffutils import metrics


def features(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated, non-zero-mean features."""
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    return torch.randn(n, d, generator=g, dtype=torch.float64) @ mix + shift


A, B = features(400, 12, 0), features(300, 12, 1, shift=0.7)


def moments(x: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    return x.mean(0).numpy(), np.cov(x.numpy(), rowvar=False)


def test_frechet_equals_the_formula_with_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    (mean_a, cov_a), (mean_b, cov_b) = moments(A), moments(B)
    root = linalg.sqrtm(cov_a @ cov_b).real
    expected = ((mean_a - mean_b) ** 2).sum() + np.trace(cov_a + cov_b - 2 * root)
    assert metrics.frechet(A, B) == pytest.approx(expected, rel=1e-10)


@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")
def test_frechet_equals_pytorch_fid():
    fid = pytest.importorskip("pytorch_fid.fid_score")
    expected = fid.calculate_frechet_distance(*moments(A), *moments(B))
    assert metrics.frechet(A, B) == pytest.approx(expected, rel=1e-9)


def test_frechet_equals_torchmetrics():
    image = pytest.importorskip("torchmetrics.image.fid")

    class Flat(torch.nn.Module):
        num_features = 12

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.flatten(1)

    metric = image.FrechetInceptionDistance(Flat(), input_img_size=(3, 2, 2))
    metric.set_dtype(torch.float64)
    metric.update(A.view(-1, 3, 2, 2), real=True)
    metric.update(B.view(-1, 3, 2, 2), real=False)
    assert metrics.frechet(A, B) == pytest.approx(metric.compute().item(), rel=1e-6)


def test_frechet_of_equal_covariances_is_the_squared_shift():
    shift = torch.arange(12.0, dtype=torch.float64)
    assert metrics.frechet(A, A + shift) == pytest.approx(shift.square().sum().item(), rel=1e-10)


def test_frechet_of_a_scaled_set_is_known():
    # Equal eigenvectors: the roots of the covariances differ by the factor c.
    centred = A - A.mean(0)
    trace = np.trace(np.cov(centred.numpy(), rowvar=False))
    assert metrics.frechet(centred, 3 * centred) == pytest.approx(4 * trace, rel=1e-10)


def test_frechet_invariances():
    assert metrics.frechet(A, A) == pytest.approx(0, abs=1e-9)
    assert metrics.frechet(A, B) == pytest.approx(metrics.frechet(B, A), rel=1e-10)
    rotation = torch.linalg.qr(features(12, 12, 5)).Q
    assert metrics.frechet(A @ rotation, B @ rotation) == pytest.approx(metrics.frechet(A, B))
    assert metrics.frechet(A, B.flip(0)) == pytest.approx(metrics.frechet(A, B), rel=1e-10)


def test_frechet_bears_a_constant_feature():
    a, b = A.clone(), B.clone()
    a[:, 3] = b[:, 3] = 1.0
    assert math.isfinite(metrics.frechet(a, b))
    assert metrics.frechet(a, a) == pytest.approx(0, abs=1e-9)


def test_frechet_takes_float32():
    assert metrics.frechet(A.float(), B.float()) == pytest.approx(metrics.frechet(A, B), rel=1e-5)


@pytest.mark.parametrize("n", [5, 12])
def test_frechet_refuses_too_few_samples(n):
    with pytest.raises(ValueError, match="more samples than features: give at least 13"):
        metrics.frechet(A[:n], B)


def test_features_are_checked():
    # jaxtyping, where it is switched on, is first to say that the widths differ
    with pytest.raises((ValueError, TypeError)):
        metrics.frechet(A[:, :11], B)


def test_mmd_equals_torchmetrics():
    kid = pytest.importorskip("torchmetrics.image.kid")
    assert metrics.mmd(A[:300], B) == pytest.approx(kid.poly_mmd(A[:300], B).item(), rel=1e-6)


def test_mmd_equals_the_double_sum():
    a, b = A[:6].numpy(), B[:6].numpy()

    def k(x, y):
        return (np.dot(x, y) / 12 + 1) ** 3

    within = sum(k(s[i], s[j]) for s in (a, b) for i in range(6) for j in range(6) if i != j)
    across = sum(k(x, y) for x in a for y in b)
    assert metrics.mmd(A[:6], B[:6]) == pytest.approx(within / 30 - 2 * across / 36, rel=1e-10)


def test_kernel_distance_is_unbiased_at_zero_and_sees_a_shift():
    a, b = torch.randn(600, 8), torch.randn(600, 8)
    mean, std = metrics.kernel_distance(a, b, subsets=50, subset_size=100)
    assert abs(mean) < 2 * std
    shifted, spread = metrics.kernel_distance(a, b + 1, subsets=50, subset_size=100)
    assert shifted > 5 * spread


def test_kernel_distance_depends_on_the_seed_alone():
    first = metrics.kernel_distance(A, B, subsets=5, subset_size=50, seed=3)
    torch.manual_seed(1)
    assert first == metrics.kernel_distance(A, B, subsets=5, subset_size=50, seed=3)
    assert first != metrics.kernel_distance(A, B, subsets=5, subset_size=50, seed=4)


def test_kernel_distance_refuses_subsets_larger_than_the_sets():
    with pytest.raises(ValueError, match="between 2 and 300"):
        metrics.kernel_distance(A, B)


def test_precision_recall_equals_brute_force():
    def covered(x, centres, k):
        hits = 0
        for p in x:
            hits += any(
                np.linalg.norm(p - c) <= np.sort(np.linalg.norm(centres - c, axis=1))[k]
                for c in centres
            )
        return hits / len(x)

    a, b = A[:60].numpy(), (B[:50] * 0.8).numpy()
    precision, recall = metrics.precision_recall(
        torch.from_numpy(a), torch.from_numpy(b), k=3, chunk=7
    )
    assert precision == pytest.approx(covered(b, a, 3))
    assert recall == pytest.approx(covered(a, b, 3))


def test_precision_recall_limits():
    assert metrics.precision_recall(A, A) == (1.0, 1.0)
    assert metrics.precision_recall(A, A + 1e4) == (0.0, 0.0)
    # A generator that repeats a few real samples is precise and forgets the rest.
    precision, recall = metrics.precision_recall(A, A[:5].repeat(80, 1))
    assert precision == 1.0 and recall < 0.1


def test_precision_recall_counts_copies_where_the_balls_are_points():
    real = torch.randn(10, 6, dtype=torch.float64).repeat_interleave(8, 0) + 100
    assert metrics.precision_recall(real, real[::2].clone()) == (1.0, 1.0)
    assert metrics.precision_recall(real, real + 0.01)[0] == 0.0


def test_precision_recall_swaps_with_its_arguments():
    assert metrics.precision_recall(A, B) == metrics.precision_recall(B, A)[::-1]


def test_precision_recall_refuses_tiny_sets():
    with pytest.raises(ValueError, match="more than k=3"):
        metrics.precision_recall(A[:3], B)


@pytest.mark.parametrize("kind", ["images", "features"])
def test_nearest_equals_brute_force(kind):
    if kind == "images":
        a = torch.randint(0, 256, (40, 3, 8, 8), dtype=torch.uint8)
        b = torch.randint(0, 256, (90, 3, 8, 8), dtype=torch.uint8)
    else:
        a, b = A[:40], B[:90]
    distances, indices = metrics.nearest(a, b, batch=7)
    table = (a.flatten(1).double()[:, None] - b.flatten(1).double()[None]).norm(dim=2)
    assert torch.equal(indices, table.argmin(1))
    torch.testing.assert_close(distances, table.min(1).values)


def test_nearest_finds_exact_copies_at_zero_far_from_the_origin():
    b = torch.randn(500, 20) + 1000
    distances, indices = metrics.nearest(b[100:150], b)
    assert (distances == 0).all() and torch.equal(indices, torch.arange(100, 150))


def test_nearest_refuses_other_shapes():
    with pytest.raises(ValueError, match="items of one shape"):
        metrics.nearest(torch.zeros(2, 3, 4, 4), torch.zeros(2, 3, 5, 5))


def pictures(n: int, seed: int) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (n, 3, 6, 6), generator=g, dtype=torch.uint8)


def test_memorisation_tells_copies_from_new_samples():
    train, heldout, new = pictures(500, 0), pictures(500, 1), pictures(500, 2)
    honest = metrics.memorisation(new, train, heldout)
    assert honest["copies"] == 0 and honest["close"] < 0.03
    copier = metrics.memorisation(torch.cat([train[:100], new[:100]]), train, heldout)
    assert copier["copies"] == 0.5 and 0.5 <= copier["close"] < 0.53
    assert torch.equal(copier["indices"][:100], torch.arange(100))


def test_memorisation_counts_exact_copies_even_where_heldout_images_are_copies():
    train = pictures(50, 0)
    result = metrics.memorisation(train[:10], train, train[:20])
    assert result["threshold"] == 0 and result["close"] == 1.0


def test_memorisation_sees_mirrored_copies_when_asked():
    train, heldout = pictures(200, 0), pictures(200, 1)
    mirrored = train[:20].flip(-1)
    assert metrics.memorisation(mirrored, train, heldout)["copies"] == 0
    result = metrics.memorisation(mirrored, train, heldout, mirror=True)
    assert result["copies"] == 1 and torch.equal(result["indices"], torch.arange(20))
    with pytest.raises(ValueError, match="mirror flips images"):
        metrics.memorisation(A, A, B, mirror=True)
