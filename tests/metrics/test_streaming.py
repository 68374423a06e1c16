"""Batchwise statistics against the whole set, SciPy, pytorch-fid, torchmetrics; their memory."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch

from diffutils import rng
from diffutils.metrics import distances, streaming
from diffutils.metrics.streaming import InceptionScore, Moments, Reservoir


def features(n: int, d: int, seed: int, shift: float = 0.0) -> torch.Tensor:
    """Correlated, non-zero-mean features."""
    g = torch.Generator().manual_seed(seed)
    mix = torch.randn(d, d, generator=torch.Generator().manual_seed(99), dtype=torch.float64)
    return torch.randn(n, d, generator=g, dtype=torch.float64) @ mix + shift


A, B = features(2500, 12, 0), features(2100, 12, 1, shift=0.7)


def fed(kind, x, batch=100):
    for rows in x.split(batch):
        kind.add(rows)
    return kind


def moments(x, batch=100):
    return fed(Moments(), x, batch)


@pytest.mark.parametrize("batch", [1, 7, 100, 2500])
@pytest.mark.parametrize("far", [0.0, 1e6])
def test_moments_equal_those_of_the_whole_set_element_by_element(batch, far):
    m = moments(A + far, batch)
    assert m.n == len(A) and m.mean.dtype == m.covariance.dtype == torch.float64
    expected = np.cov(A.numpy(), rowvar=False)  # a shift does not change it
    np.testing.assert_allclose(m.mean - far, A.mean(0), rtol=0, atol=1e-12 + 1e-14 * far)
    # 2,500 updates of numbers near 1e6, each rounded by up to 1e-10
    np.testing.assert_allclose(m.covariance, expected, rtol=1e-12, atol=1e-12 + 1e-14 * far)


def test_summed_squares_would_not_do():
    x = A + 1e6
    naive = (x.T @ x - len(x) * torch.outer(x.mean(0), x.mean(0))) / (len(x) - 1)
    assert (naive - torch.cov(A.T)).abs().max() > 1e-4


def test_merged_moments_are_those_of_both():
    whole, left, right, empty = moments(A), moments(A[:800], 33), moments(A[800:]), Moments()
    right_before = right.mean.clone(), right.scatter.clone()
    empty.merge(left)
    empty.merge(right)
    empty.merge(Moments())
    torch.testing.assert_close(empty.mean, whole.mean, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(empty.covariance, whole.covariance, rtol=1e-12, atol=1e-12)
    assert left.n == 800 and empty.n == 2500  # those that were merged are left as they were
    assert torch.equal(right.mean, right_before[0]) and torch.equal(right.scatter, right_before[1])
    torch.testing.assert_close(left.covariance, torch.cov(A[:800].T), rtol=1e-12, atol=1e-12)


def test_frechet_equals_the_one_of_whole_sets():
    expected = distances.frechet(A, B)
    for batch in (3, 100, 2500):
        got = streaming.frechet(moments(A, batch), moments(B, batch))
        assert got == pytest.approx(expected, rel=1e-10)


def test_frechet_equals_scipys_matrix_root():
    linalg = pytest.importorskip("scipy.linalg")
    a, b = moments(A), moments(B)
    cov_a, cov_b = a.covariance.numpy(), b.covariance.numpy()
    root = linalg.sqrtm(cov_a @ cov_b).real
    shift = ((a.mean - b.mean) ** 2).sum().item()
    expected = shift + np.trace(cov_a) + np.trace(cov_b) - 2 * np.trace(root)
    assert streaming.frechet(a, b) == pytest.approx(expected, rel=1e-10)


@pytest.mark.filterwarnings("ignore:The `disp` argument:DeprecationWarning")
def test_frechet_equals_pytorch_fid():
    fid = pytest.importorskip("pytorch_fid.fid_score")
    a, b = moments(A), moments(B)
    expected = fid.calculate_frechet_distance(
        a.mean.numpy(), a.covariance.numpy(), b.mean.numpy(), b.covariance.numpy()
    )
    assert streaming.frechet(a, b) == pytest.approx(expected, rel=1e-9)


def test_frechet_equals_torchmetrics():
    image = pytest.importorskip("torchmetrics.image.fid")

    class Flat(torch.nn.Module):
        num_features = 12

        def forward(self, x):
            return x.flatten(1)

    metric = image.FrechetInceptionDistance(Flat(), input_img_size=(3, 2, 2))
    metric.set_dtype(torch.float64)
    metric.update(A.view(-1, 3, 2, 2), real=True)
    metric.update(B.view(-1, 3, 2, 2), real=False)
    got = streaming.frechet(moments(A), moments(B))
    assert got == pytest.approx(metric.compute().item(), rel=1e-6)


def test_frechet_of_a_set_with_itself_and_with_a_constant_feature():
    a = A.clone()
    a[:, 3] = 1.0
    assert streaming.frechet(moments(a), moments(a, 17)) == pytest.approx(0, abs=1e-9)
    b = B.clone()
    b[:, 3] = 3.0
    expected = distances.frechet(a, b)
    assert streaming.frechet(moments(a), moments(b)) == pytest.approx(expected, rel=1e-8)


def test_a_warning_below_2048_samples_says_why():
    enough, few = moments(A[:2048]), moments(A[:2047])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        streaming.frechet(enough, moments(B))
    for pair in ((few, enough), (enough, few)):
        with pytest.warns(UserWarning, match="of 2047 samples is too large, by about 1/N"):
            streaming.frechet(*pair)


def test_a_small_sample_does_measure_too_large():
    def mean_distance(n):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return np.mean(
                [
                    streaming.frechet(
                        moments(features(n, 12, 10 + 2 * s)), moments(features(n, 12, 11 + 2 * s))
                    )
                    for s in range(10)
                ]
            )

    assert mean_distance(100) / mean_distance(400) == pytest.approx(4, rel=0.35)


@pytest.mark.parametrize("n", [5, 12])
def test_a_covariance_without_full_rank_is_refused(n):
    for pair in ((moments(A[:n]), moments(B)), (moments(B), moments(A[:n]))):
        with pytest.raises(ValueError, match=f"there are {n}: give at least 13"):
            streaming.frechet(*pair)


@pytest.mark.parametrize("kind", [Moments, Reservoir])
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_features_that_are_not_finite_are_refused(kind, bad):
    x = A[:20].clone()
    x[7, 3] = bad
    with pytest.raises(ValueError, match="features hold NaN or infinity"):
        kind().add(x)


def test_another_number_of_features_is_refused():
    m = moments(A)
    with pytest.raises(ValueError, match="11 features after 12"):
        m.add(A[:5, :11])


def probabilities(n, classes=7, seed=0):
    g = torch.Generator().manual_seed(seed)
    return (3 * torch.randn(n, classes, generator=g, dtype=torch.float64)).softmax(1)


def parts(n, splits):
    """The indices of each part: of every `splits` samples in a row it has one, turned at random."""
    turns = rng.words(0, 0, torch.arange(n), 1, rng.EVALUATION)[:, 0].tolist()
    found = [[] for _ in range(splits)]
    for i in range(n):
        found[(i + turns[i // splits]) % splits].append(i)
    return found


def literal_score(p, splits):
    """The published formula on each part."""
    scores = []
    for rows in parts(len(p), splits):
        part = p[rows].numpy()
        kl = part * (np.log(part) - np.log(part.mean(0, keepdims=True)))
        scores.append(np.exp(kl.sum(1).mean()))
    return np.mean(scores), np.std(scores)


@pytest.mark.parametrize("n, splits", [(1000, 10), (997, 10), (50, 1)])
@pytest.mark.parametrize("batch", [1, 64, 1000])
def test_inception_score_equals_the_formula(n, splits, batch):
    p = probabilities(n)
    got = fed(InceptionScore(splits), p, batch).score()
    assert got == pytest.approx(literal_score(p, splits), rel=1e-12, abs=1e-14)


@pytest.mark.filterwarnings("ignore:Metric `InceptionScore` will save:UserWarning")
def test_inception_score_equals_torchmetrics(monkeypatch):
    inception = pytest.importorskip("torchmetrics.image.inception")
    logits = 3 * torch.randn(600, 7, dtype=torch.float64)
    metric = inception.InceptionScore(torch.nn.Identity(), splits=10)
    metric.update(logits)
    # Its parts are runs of a random order.
    order = torch.tensor(parts(600, 10)).flatten()
    monkeypatch.setattr(torch, "randperm", lambda n: order)
    mean, std = (x.item() for x in metric.compute())
    got = fed(InceptionScore(), logits.softmax(1)).score()
    assert got == pytest.approx((mean, std * (9 / 10) ** 0.5), rel=1e-12)  # ours divides by 10


def test_inception_score_limits():
    assert fed(InceptionScore(1), torch.eye(5).repeat(20, 1)).score() == pytest.approx((5, 0))
    assert fed(InceptionScore(), torch.full((50, 5), 0.2)).score() == pytest.approx((1, 0))


@pytest.mark.parametrize("p", [torch.eye(5).repeat_interleave(400, 0), torch.eye(5).repeat(400, 1)])
def test_classes_in_an_order_do_not_lower_the_inception_score(p):
    """Sorted by class, or in turn: ten parts of every tenth sample would see one class each."""
    assert fed(InceptionScore(), p).score()[0] == pytest.approx(5, rel=0.02)


@pytest.mark.parametrize("bad", [torch.ones(4, 3), torch.tensor([[1.5, -0.5]])])
def test_logits_are_no_probabilities(bad):
    with pytest.raises(ValueError, match="sum to 1: take the softmax"):
        InceptionScore().add(bad)


def test_inception_score_needs_a_sample_for_each_part():
    with pytest.raises(ValueError, match="in 10 parts needs as many samples, got 9"):
        fed(InceptionScore(), probabilities(9)).score()


def numbered(n):
    return torch.arange(n, dtype=torch.float64)[:, None]


@pytest.mark.parametrize("n", [30, 50, 51, 400])
def test_a_reservoir_does_not_depend_on_the_batch(n):
    whole = fed(Reservoir(50, seed=3), numbered(n), n).features
    for batch in (1, 7, 60):
        assert torch.equal(fed(Reservoir(50, seed=3), numbered(n), batch).features, whole)
    assert len(whole) == min(n, 50) and len(set(whole[:, 0].tolist())) == len(whole)
    if n <= 50:
        assert torch.equal(whole, numbered(n))
    else:
        other = fed(Reservoir(50, seed=4), numbered(n)).features
        assert not torch.equal(other, whole)


def test_a_reservoir_is_algorithm_r_one_feature_at_a_time():
    kept = []
    for i in range(300):
        word = rng.words(5, 0, torch.tensor([i]), 1, rng.EVALUATION).item()
        j = i if i < 20 else word * (i + 1) // 2**32
        if j < len(kept):
            kept[j] = i
        elif j < 20:
            kept.append(i)
    assert fed(Reservoir(20, seed=5), numbered(300), 37).features[:, 0].tolist() == kept


def test_every_feature_is_kept_equally_often():
    counts = torch.zeros(200)
    for seed in range(1000):
        counts[fed(Reservoir(20, seed), numbered(200), 200).features[:, 0].long()] += 1
    share = counts.view(10, 20).mean(1) / 1000  # of the first twenty, the next, ...
    assert (share - 0.1).abs().max() < 5 * (0.1 * 0.9 / 1000 / 20) ** 0.5


def test_the_kernel_distance_of_a_reservoir_equals_torchmetrics():
    kid = pytest.importorskip("torchmetrics.image.kid")
    a, b = (fed(Reservoir(500, seed), x.abs() / 4) for seed, x in ((0, A), (1, B)))
    assert a.n == 2500 and len(a.features) == len(b.features) == 500
    expected = kid.poly_mmd(a.features, b.features).item()
    assert streaming.kernel_interval(a.features, b.features, resamples=2)[0] == pytest.approx(
        expected, abs=1e-6
    )
    assert abs(expected) > 1e-3


def test_the_kernel_distance_of_ten_thousand_features_at_most():
    assert Reservoir().size == streaming.KEPT == 10_000


def test_kernel_interval_equals_metrics_mmd_whatever_the_chunk():
    whole = streaming.kernel_interval(A[:300], B[:200], resamples=20)
    assert whole[0] == pytest.approx(distances.mmd(A[:300], B[:200]), rel=1e-12)
    assert streaming.kernel_interval(A[:300], B[:200], resamples=20, chunk=7) == pytest.approx(
        whole, rel=1e-10
    )


def test_resamples_are_weighted_sums_over_pairs_of_different_features(monkeypatch):
    a, b = A[:5] / 4, B[:4] / 4
    drawn = [torch.tensor([[0, 0, 1, 2, 2]]), torch.tensor([[3, 3, 3, 0]])]
    monkeypatch.setattr(torch, "randint", lambda *args, **kwargs: drawn.pop(0))
    _, low, high = streaming.kernel_interval(a, b, resamples=1)
    rows, columns = [0, 0, 1, 2, 2], [3, 3, 3, 0]

    def k(x, y):
        return ((x @ y).item() / 12 + 1) ** 3

    def within(x, picks):
        pairs = [k(x[i], x[j]) for i in picks for j in picks if i != j]
        return sum(pairs) / len(pairs)

    # Where i = j a feature would meet its own copy; pairs of different ones count as often as
    # they were drawn.
    across = np.mean([k(a[i], b[j]) for i in rows for j in columns])
    expected = within(a, rows) + within(b, columns) - 2 * across
    assert low == high == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shift, least", [(0.0, 0.93), (0.5, 0.9)])
def test_the_interval_holds_the_distance_as_often_as_it_says(shift, least):
    """Of 200 intervals; the true distance is a mean over many samples."""

    def draw(seed, n=120):
        g = torch.Generator().manual_seed(seed)
        x = torch.randn(2, n, 4, generator=g, dtype=torch.float64)
        return x[0], x[1] + shift

    truth = np.mean([distances.mmd(*draw(10_000 + s, 1000)) for s in range(40)])
    hits = 0
    for seed in range(200):
        _, low, high = streaming.kernel_interval(*draw(seed), resamples=200, seed=seed)
        hits += low <= truth <= high
    assert least <= hits / 200
    assert shift == 0 or hits / 200 <= 0.99  # not by being far too wide


def test_the_interval_depends_on_the_seed_and_the_level():
    a, b = A[:100], B[:100]
    one = streaming.kernel_interval(a, b, seed=1)
    torch.manual_seed(0)
    assert one == streaming.kernel_interval(a, b, seed=1)
    other, narrow = streaming.kernel_interval(a, b, seed=2), streaming.kernel_interval(a, b, 0.5)
    assert other[0] == one[0] and other[1:] != one[1:]
    assert narrow[2] - narrow[1] < one[2] - one[1]


def test_one_feature_has_no_pairs():
    with pytest.raises(ValueError, match="have 1 and 100 samples: give 2 or more"):
        streaming.kernel_interval(A[:1], B[:100])


MEMORY = """
import torch
from diffutils.metrics.streaming import InceptionScore, Moments, Reservoir, frechet, kernel_interval

def batches(n):
    for i in range(0, n, 500):
        g = torch.Generator().manual_seed(i)
        yield torch.randn(500, 64, generator=g, dtype=torch.float64)

def stream(n):
    moments, sample, score = Moments(), Reservoir(2000), InceptionScore()
    for x in batches(n):
        moments.add(x)
        sample.add(x)
        score.add(x.softmax(1))
    frechet(moments, moments), score.score()
    kernel_interval(sample.features, sample.features, resamples=10)

def peak():
    # MB of the highest resident memory since the last call
    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    open("/proc/self/clear_refs", "w").write("5")
    return int(status["VmHWM"].split()[0]) * 1024 / 1e6

stream(5000)  # once to have everything imported
peak()
stream(5000)
few = peak()
stream(50_000)
many = peak()
held = list(batches(50_000))
stream(50_000)
print(many - few, peak() - many)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory from /proc")
def test_50000_features_need_no_more_memory_than_5000():
    """Of three processes the least growth counts: the system's own paging only adds to it."""
    command = [sys.executable, "-c", MEMORY]
    grown, held = [], []
    for _ in range(3):
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        for values, value in zip((grown, held), done.stdout.split(), strict=True):
            values.append(float(value))
    assert min(grown) < 5, f"{grown} MB more"  # one matrix of them has 25.6 MB
    assert max(held) > 20, f"only {held} MB for all of them: this test would see nothing"
