"""Guidance by sketch and reference: against posterior means known in closed form, and by hand."""

import inspect
import itertools
import math

import pytest
import torch

from diffutils import denoisers, rng
from diffutils.denoisers import Denoiser
from diffutils.methods.guidance import condition, dropped, guided_twice, parallel_part
from diffutils.unet import UNet

F64 = torch.float64
VAR_S, VAR_R = 0.5, 0.2  # of what the oracle's sketch and reference say of a pixel
SCALES = list(itertools.product((0.0, 0.5, 1.0, 3.0), repeat=2))
scales = pytest.mark.parametrize("w_s, w_r", SCALES)


def close(got, want, atol=1e-12):
    torch.testing.assert_close(got, want, atol=atol, rtol=0.0)


def drawn(B=3, size=4, seed=0):
    """x, a sketch of -1 and 1, and a reference."""
    g = torch.Generator().manual_seed(seed)
    x, r = torch.randn(2, B, 3, size, size, generator=g, dtype=F64)
    return x, torch.randn(B, 1, size, size, generator=g, dtype=F64).sign(), r.clamp(-1, 1)


class Oracle:
    """x0 ~ N(0, 1); the sketch is x0 + sqrt(VAR_S) n, the reference x0 + sqrt(VAR_R) n.

    What is 0 in a whole image was dropped, and says nothing.  Remembers how many images it saw.
    """

    def __init__(self):
        self.calls = []

    def __call__(self, x, sigma, labels=None, cond=None):
        self.calls.append(len(x))
        level = denoisers.per_image(sigma, x)
        total, precision = x / level**2, 1 + level**-2
        for part, variance in ((cond[:, :1], VAR_S), (cond[:, 1:], VAR_R)):
            said = part.flatten(1).any(1).view(-1, 1, 1, 1) / variance
            total, precision = total + said * part, precision + said
        return total / precision


def posterior(x, sigma, s=None, r=None):
    """E[x0 | x, s, r], written out for what is known."""
    total, precision = x / sigma**2, 1 + 1 / sigma**2
    if s is not None:
        total, precision = total + s / VAR_S, precision + 1 / VAR_S
    if r is not None:
        total, precision = total + r / VAR_R, precision + 1 / VAR_R
    return total / precision


def network(seed=0):
    torch.manual_seed(seed)
    net = UNet(3, 3, (8,), 1, (False,), cond_channels=4).double().eval()
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.2)
    return Denoiser(net, denoisers.edm, lambda sigma: sigma.log() / 4).requires_grad_(False)


# ------------------------------------------------------------------- the three terms


@scales
@pytest.mark.parametrize("sigma", [0.1, 2.0])
def test_on_gaussians_it_is_the_sum_of_three_posterior_means(w_s, w_r, sigma):
    x, s, r = drawn()
    none, sketch = posterior(x, sigma), posterior(x, sigma, s)
    want = none + w_s * (sketch - none) + w_r * (posterior(x, sigma, s, r) - sketch)
    close(guided_twice(Oracle(), s, r, w_s, w_r)(x, sigma), want)


@scales
def test_a_batch_of_three_is_three_calls(w_s, w_r):
    """On a network; one level for all, or one for each image."""
    x, s, r = drawn()
    D, no = network(), torch.zeros_like
    for sigma in (0.7, torch.tensor([0.1, 0.7, 5.0], dtype=F64)):
        none, sketch, both = (
            D(x, sigma, cond=torch.cat(c, 1)) for c in ((no(s), no(r)), (s, no(r)), (s, r))
        )
        assert float((both - sketch).abs().max()) > 1e-3 < float((sketch - none).abs().max())
        want = none + w_s * (sketch - none) + w_r * (both - sketch)
        close(guided_twice(D, s, r, w_s, w_r)(x, sigma), want)


@pytest.mark.parametrize("w_s, w_r, s_is, r_is", [(1, 1, 1, 1), (1, 0, 1, 0), (0, 0, 0, 0)])
def test_special_cases_are_the_plain_call(w_s, w_r, s_is, r_is):
    x, s, r = drawn()
    oracle = Oracle()
    want = oracle(x, 0.7, cond=condition(s_is * s, r_is * r))
    got = guided_twice(oracle, s, r, float(w_s), float(w_r))(x, 0.7)
    assert torch.equal(got, want) and oracle.calls == [3, 3]


@pytest.mark.parametrize("w_s, w_r, images", [(1, 1, 3), (1, 2, 6), (2, 2, 6), (0, 2, 9), (2, 1, 9),
                                              (2, 0, 6), (0, 0, 3), (3, 2, 9)])  # fmt: skip
def test_one_call_on_no_more_than_is_needed(w_s, w_r, images):
    x, s, r = drawn()
    oracle = Oracle()
    guided_twice(oracle, s, r, float(w_s), float(w_r))(x, 1.0)
    assert oracle.calls == [images]


def test_the_interval_is_of_the_reference():
    """Outside w_r is 1, also image by image; the ends are low < sigma <= high."""
    x, s, r = drawn(7)
    for w_s, w_r in SCALES:
        everywhere = guided_twice(Oracle(), s, r, w_s, w_r)
        outside = guided_twice(Oracle(), s, r, w_s, 1.0)
        inside = guided_twice(Oracle(), s, r, w_s, w_r, (0.5, 2.0))
        for sigma, guides in ((0.5, False), (0.51, True), (2.0, True), (2.01, False)):
            close(inside(x, sigma), (everywhere if guides else outside)(x, sigma))
        mixed = torch.tensor([0.5, 1, 2, 3, 0.1, 1.5, 9], dtype=F64)
        where = ((mixed > 0.5) & (mixed <= 2)).view(-1, 1, 1, 1)
        close(inside(x, mixed), torch.where(where, everywhere(x, mixed), outside(x, mixed)))


def test_outside_the_interval_nothing_more_is_asked():
    x, s, r = drawn()
    oracle = Oracle()
    guided_twice(oracle, s, r, 1.0, 3.0, (0.5, 2.0), parallel=0.0)(x, 0.1)
    assert oracle.calls == [3]


# ------------------------------------------------------------------- projection


def test_the_parallel_part_and_the_rest_are_orthogonal():
    """Against NumPy's projection matrix d d'/d'd, image by image; a direction of 0 has none."""
    u, _, d = drawn()
    d[2] = 0
    part = parallel_part(u, d)
    for got, update, direction in zip(part, u, d, strict=True):
        v = direction.flatten().numpy()
        matrix = v[:, None] * v / max(v @ v, 1e-300)
        close(got.flatten(), torch.from_numpy(matrix @ update.flatten().numpy()))
    close(((u - part) * d).flatten(1).sum(1), torch.zeros(3, dtype=F64), 1e-13)


@pytest.mark.parametrize("w_s", [0.0, 1.0, 2.0])
@pytest.mark.parametrize("parallel", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("w_r", [2.0, 4.0])
def test_projected_guidance_is_written_out(w_s, parallel, w_r):
    """Sadat et al.: D_c + (w - 1)(orthogonal + parallel part), beside the sketch's own term."""
    x, s, r = drawn()
    none, sketch, both = posterior(x, 1.0), posterior(x, 1.0, s), posterior(x, 1.0, s, r)
    update = both - sketch
    along = (update * both).sum((1, 2, 3)) / both.square().sum((1, 2, 3))
    along = along.view(-1, 1, 1, 1) * both
    want = both + (w_s - 1) * (sketch - none) + (w_r - 1) * (update - along + parallel * along)
    close(guided_twice(Oracle(), s, r, w_s, w_r, parallel=parallel)(x, 1.0), want)


def test_without_the_parallel_part_the_component_along_the_answer_stays():
    x, s, r = drawn()
    both = posterior(x, 1.0, s, r)
    inner = lambda D: (D * both).sum((1, 2, 3))  # noqa: E731
    for w_r in (2.0, 7.0):
        close(inner(guided_twice(Oracle(), s, r, 1.0, w_r, parallel=0.0)(x, 1.0)), inner(both))
        plain = guided_twice(Oracle(), s, r, 1.0, w_r)(x, 1.0)
        assert bool((inner(plain) > inner(both) + 0.1).all())


@scales
def test_the_whole_parallel_part_is_plain_guidance(w_s, w_r):
    """And for w_r <= 1 every share is: nothing is added that could saturate."""
    x, s, r = drawn()
    plain = guided_twice(Oracle(), s, r, w_s, w_r)(x, 1.0)
    assert torch.equal(guided_twice(Oracle(), s, r, w_s, w_r, parallel=1.0)(x, 1.0), plain)
    projected = guided_twice(Oracle(), s, r, w_s, w_r, parallel=0.0)(x, 1.0)
    assert torch.equal(projected, plain) == (w_r <= 1)


# ------------------------------------------------------------------- dropout


def which(cond):
    """Whether each image's sketch, and its reference, was dropped."""
    return ~cond[:, :1].flatten(1).any(1), ~cond[:, 1:].flatten(1).any(1)


@pytest.mark.parametrize("rates", [(0.2, 0.3, 0.0), (0.1, 0.1, 0.1), (0.0, 0.5, 0.0)])
def test_rates_and_independence(rates):
    """Over 20,000 indices, all four outcomes within 4.5 standard errors of their products."""
    n, (p_s, p_r, p_b) = 20_000, rates
    s, r = torch.ones(n, 1, 1, 1), torch.ones(n, 3, 1, 1)
    no_s, no_r = which(dropped(s, r, 0, 5, torch.arange(n), *rates))
    for out, found in {
        (1, 1): no_s & no_r, (1, 0): no_s & ~no_r, (0, 1): ~no_s & no_r, (0, 0): ~no_s & ~no_r
    }.items():  # fmt: skip
        p = (p_s if out[0] else 1 - p_s) * (p_r if out[1] else 1 - p_r) * (1 - p_b)
        p += p_b if out == (1, 1) else 0
        assert abs(float(found.double().mean()) - p) <= 4.5 * math.sqrt(p * (1 - p) / n)


def test_what_is_kept_is_kept_whole_and_what_is_dropped_is_grey():
    _, s, r = drawn(200)
    cond = dropped(s, r, 0, 0, torch.arange(200), 0.5, 0.5)
    no_s, no_r = which(cond)
    assert torch.equal(cond[:, :1], s * ~no_s.view(-1, 1, 1, 1))
    assert torch.equal(cond[:, 1:], r * ~no_r.view(-1, 1, 1, 1))
    assert len({(bool(a), bool(b)) for a, b in zip(no_s, no_r, strict=True)}) == 4
    assert torch.equal(dropped(s, r, 0, 0, torch.arange(200), 0.0, 0.0), torch.cat([s, r], 1))
    for all_of in ((1.0, 1.0, 0.0), (0.0, 0.0, 1.0)):
        assert not dropped(s, r, 0, 0, torch.arange(200), *all_of).any()


def test_it_depends_on_seed_step_and_index_alone():
    _, s, r = drawn(64)
    index = torch.arange(64)
    whole = dropped(s, r, 3, 7, index, 0.5, 0.5)
    parts = [dropped(s[i], r[i], 3, 7, i, 0.5, 0.5) for i in index.flip(0).split(5)]
    assert torch.equal(whole, torch.cat(parts).flip(0))
    assert not torch.equal(whole, dropped(s, r, 4, 7, index, 0.5, 0.5))
    assert not torch.equal(whole, dropped(s, r, 3, 8, index, 0.5, 0.5))


def test_labels_are_dropped_by_another_draw():
    """`training.fit` drops labels by column 0 of the same stream: correlations below 0.03."""
    n = 20_000
    s, r, index = torch.ones(n, 1, 1, 1), torch.ones(n, 3, 1, 1), torch.arange(n)
    labels = rng.uniform(0, 0, index, 1, rng.LABEL)[:, 0] < 0.3
    rows = torch.stack([labels, *which(dropped(s, r, 0, 0, index, 0.3, 0.3))]).double()
    correlation = torch.corrcoef(rows)
    assert float((correlation - torch.eye(3)).abs().max()) < 0.03


@pytest.mark.parametrize("rates", [(-0.1, 0.5), (0.5, 1.1), (0.5, 0.5, math.nan)])
def test_rates_that_are_none(rates):
    _, s, r = drawn()
    with pytest.raises(ValueError, match="must be probabilities, 0 to 1"):
        dropped(s, r, 0, 0, torch.arange(3), *rates)


def test_a_sketch_of_another_size_is_one_sentence():
    _, s, r = drawn()
    for other in (s[:1], s[..., :2, :2]):
        with pytest.raises(ValueError, match="as many images of one size"):
            inspect.unwrap(condition)(other, r)  # without the tests' own check of shapes
