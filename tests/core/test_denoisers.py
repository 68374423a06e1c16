"""Coefficients and losses as identities; the oracles against integrals and densities."""

import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import nn

from diffutils import denoisers as D

F64 = torch.float64
ALL = [D.eps, D.x0, D.v, D.edm]
LEVELS = torch.tensor([0.002, 0.01, 0.3, 1.0, 7.0, 80.0, 157.4], dtype=F64)


class Odd(nn.Module):
    """A made-up network: nonlinear in x, and different at every level and label."""

    def forward(self, x, c_noise, labels=None, cond=None):
        shift = c_noise.view(-1, 1, 1, 1)
        if labels is not None:
            shift = shift + labels.view(-1, 1, 1, 1)
        out = torch.sin(3 * x + shift) + 0.3 * x.flip(-1)
        return out if cond is None else out + cond


def close(got, want, atol=0.0, rtol=0.0):
    torch.testing.assert_close(got, torch.as_tensor(want, dtype=got.dtype), atol=atol, rtol=rtol)


def images(n=7, seed=0):
    g = torch.Generator().manual_seed(seed)
    x0 = torch.rand(n, 3, 4, 4, generator=g, dtype=F64) * 2 - 1
    return x0, torch.randn(n, 3, 4, 4, generator=g, dtype=F64)


# ------------------------------------------------------------------- coefficients


def test_edm_at_one():
    close(torch.stack(D.edm(torch.tensor(1.0, dtype=F64))), [0.2, 5**-0.5, 2 * 5**-0.5], atol=1e-15)


def test_coefficient_identities():
    """Input variance 1; v is EDM at sigma_data = 1 with F reversed; eps and x0 by definition."""
    s = LEVELS
    for sd in (0.5, 1.0):
        c_skip, c_out, c_in = D.edm(s, sd)
        close(c_in**2 * (s**2 + sd**2), torch.ones_like(s), rtol=1e-14)
        close(c_skip * s**2, (1 - c_skip) * sd**2, rtol=1e-9)
        close(c_out**-2, (s**2 + sd**2) / (s * sd) ** 2, rtol=1e-13)
        # x0 + sigma n = x: the part of x0 that c_skip x leaves has variance c_out^2
        close((1 - c_skip) ** 2 * sd**2 + c_skip**2 * s**2, c_out**2, rtol=1e-9)
    for ours, edm, sign in zip(D.v(s), D.edm(s, 1.0), (1, -1, 1), strict=True):
        close(ours, sign * edm, rtol=1e-14)
    abar = 1 / (1 + s**2)
    for f in (D.eps, D.x0, D.v):
        close(f(s)[2], abar.sqrt(), rtol=1e-14)  # the network sees the textbook's x_t
    close(torch.stack(D.eps(s)[:2]), torch.stack([s**0, -s]))
    close(torch.stack(D.x0(s)[:2]), torch.stack([0 * s, s**0]))


@pytest.mark.parametrize("coefficients", ALL)
def test_a_perfect_network_gives_the_image(coefficients):
    """With F at its target, D is x0 at every level: 1e-9 absolute."""
    x0, n = images()
    level = LEVELS.view(-1, 1, 1, 1)
    abar = 1 / (1 + level**2)
    target = {
        D.eps: n,
        D.x0: x0,
        D.v: abar.sqrt() * n - (1 - abar).sqrt() * x0,
        D.edm: (level**2 * x0 - 0.25 * level * n) / (level * 0.5 * (level**2 + 0.25).sqrt()),
    }[coefficients]

    class Perfect(nn.Module):
        def forward(self, x, *_):
            return target

    out = D.Denoiser(Perfect(), coefficients, torch.log)(x0 + level * n, LEVELS)
    close(out, x0, atol=1e-9)


def test_edm_target_and_input_have_unit_variance():
    """On data of std sigma_data, within 4 standard errors of 1."""
    g = torch.Generator().manual_seed(0)
    x0, n = (torch.randn(100_000, generator=g, dtype=F64) for _ in range(2))
    for sigma in (0.01, 0.5, 10.0):
        c_skip, c_out, c_in = D.edm(torch.tensor(sigma, dtype=F64))
        x = 0.5 * x0 + sigma * n
        for z in (c_in * x, (0.5 * x0 - c_skip * x) / c_out):
            assert abs(float(z.var()) - 1) < 4 * (2 / 100_000) ** 0.5


# ------------------------------------------------------------------- the loss


def loss_terms(coefficients):
    x0, n = images()
    denoiser = D.Denoiser(Odd(), coefficients, torch.log)
    level = LEVELS.view(-1, 1, 1, 1)
    x = x0 + level * n
    F = Odd()(coefficients(level)[2] * x, LEVELS.log())
    return denoiser, x0, n, level, x, F


def test_loss_of_eps_is_the_error_of_the_noise():
    denoiser, x0, n, _, _, F = loss_terms(D.eps)
    close(denoiser.loss(x0, LEVELS, n), (F - n).square().mean((1, 2, 3)), atol=1e-12, rtol=1e-12)


def test_loss_of_v_is_the_error_of_the_velocity():
    denoiser, x0, n, level, _, F = loss_terms(D.v)
    abar = 1 / (1 + level**2)
    v = abar.sqrt() * n - (1 - abar).sqrt() * x0
    close(denoiser.loss(x0, LEVELS, n), (F - v).square().mean((1, 2, 3)), atol=1e-12, rtol=1e-12)


def test_loss_of_x0_is_the_error_of_the_image():
    denoiser, x0, n, _, _, F = loss_terms(D.x0)
    close(denoiser.loss(x0, LEVELS, n), (F - x0).square().mean((1, 2, 3)), atol=1e-12)


def test_loss_of_edm_is_its_weighted_error():
    denoiser, x0, n, level, x, _ = loss_terms(D.edm)
    weight = (level**2 + 0.25) / (level * 0.5) ** 2
    want = (weight * (denoiser(x, LEVELS) - x0) ** 2).mean((1, 2, 3))
    close(denoiser.loss(x0, LEVELS, n), want, atol=1e-12, rtol=1e-12)


def test_l1_loss_is_the_absolute_error_of_the_noise():
    denoiser, x0, n, _, _, F = loss_terms(D.eps)
    got = denoiser.loss(x0, LEVELS, n, distance=torch.abs)
    close(got, (F - n).abs().mean((1, 2, 3)), atol=1e-12, rtol=1e-12)


def test_float32_loss_is_accurate_at_every_level():
    """1e-3 relative against float64, down to sigma = 0.002."""
    for coefficients in ALL:
        denoiser, x0, n, *_ = loss_terms(coefficients)
        exact = denoiser.loss(x0, LEVELS, n)
        rounded = denoiser.loss(x0.float(), LEVELS.float(), n.float())
        close(rounded.double(), exact, rtol=1e-3)


def test_a_weight_multiplies_the_loss_of_each_image():
    """|D - x0|^2 weight / c_out^2 image by image; c_out^2 leaves the plain error."""
    for coefficients in ALL:
        denoiser, x0, n, level, x, _ = loss_terms(coefficients)
        error = (denoiser(x, LEVELS) - x0).square()
        c_out = coefficients(level)[1]
        weight = lambda s: 1 + s.sqrt()  # noqa: E731
        want = (error * (1 + level.sqrt()) / c_out**2).mean((1, 2, 3))
        close(denoiser.loss(x0, LEVELS, n, weight=weight), want, rtol=1e-12)
        plain = denoiser.loss(x0, LEVELS, n, weight=lambda s, f=coefficients: f(s)[1] ** 2)
        close(plain, error.mean((1, 2, 3)), rtol=1e-12)
        ones = denoiser.loss(x0, LEVELS, n, weight=torch.ones_like)
        assert torch.equal(ones, denoiser.loss(x0, LEVELS, n))


def test_a_weight_sees_the_levels_and_goes_with_l1():
    denoiser, x0, n, _, _, F = loss_terms(D.eps)
    seen = []
    weight = lambda s: seen.append(s) or s  # noqa: E731
    got = denoiser.loss(x0, LEVELS, n, distance=torch.abs, weight=weight)
    close(got, LEVELS * (F - n).abs().mean((1, 2, 3)), rtol=1e-12)
    assert len(seen) == 1 and torch.equal(seen[0], LEVELS)


@pytest.mark.parametrize("sigma_data", [0.25, 0.5, 0.66, 1.0])
def test_edms_lambda_is_one_over_c_out_squared(sigma_data):
    """(sigma^2 + sigma_data^2)/(sigma sigma_data)^2, Karras et al. 2022, table 1."""
    lam = (LEVELS**2 + sigma_data**2) / (LEVELS * sigma_data) ** 2
    close(1 / D.edm(LEVELS, sigma_data)[1] ** 2, lam, rtol=1e-14)


# ------------------------------------------------------------------- levels, labels, conditions


def test_one_level_or_one_per_image():
    x0, n = images()
    denoiser = D.Denoiser(Odd(), D.edm, lambda s: s.log() / 4)
    each = denoiser(x0 + n, LEVELS)
    for i, sigma in enumerate(LEVELS):
        for one in (float(sigma), sigma):
            assert torch.equal(denoiser(x0 + n, one)[i], each[i])


def test_labels_and_condition_reach_the_network():
    x0, n = images()
    labels, cond = torch.arange(7), n.flip(0)
    denoiser = D.Denoiser(Odd(), D.x0, torch.log)
    abar = 1 / (1 + LEVELS.view(-1, 1, 1, 1) ** 2)
    want = Odd()(abar.sqrt() * x0, LEVELS.log(), labels, cond)
    close(denoiser(x0, LEVELS, labels, cond), want, atol=1e-14)
    x = x0 - LEVELS.view(-1, 1, 1, 1) * n  # so that loss sees exactly x0
    want = (want - x).square().mean((1, 2, 3))
    close(denoiser.loss(x, LEVELS, n, labels, cond), want, rtol=1e-9)


@pytest.mark.parametrize("shape", [(3,), (8,), (7, 1), (1,)])
def test_wrong_number_of_levels(shape):
    with pytest.raises(ValueError, match=r"one level or one per image \(7\)"):
        D.Denoiser(Odd(), D.eps, torch.log)(images()[0], torch.ones(shape))


@pytest.mark.parametrize("out", [1, 2, 4])
def test_a_network_of_another_shape_is_refused(out):
    """One output channel for three would be spread over all of them."""
    from diffutils.unet import UNet

    denoiser = D.Denoiser(UNet(3, out, (8,), 1, (False,)), D.eps, torch.log)
    x = torch.randn(2, 3, 4, 4)
    message = rf"shape of its input, \(2, 3, 4, 4\), but it gave \(2, {out}, 4, 4\)"
    with pytest.raises(ValueError, match=message):
        denoiser(x, 1.0)
    with pytest.raises(ValueError, match=message):
        denoiser.loss(x, torch.ones(2), x)


# ------------------------------------------------------------------- clipping and guidance


def test_clipped_clips_the_estimate_and_nothing_else():
    x0, n = images()
    x = x0 + 5 * n
    raw = D.Denoiser(Odd(), D.eps, torch.log)
    seen = []
    watched = D.clipped(lambda x, sigma, *rest, **named: seen.append(x) or raw(x, sigma))
    assert torch.equal(watched(x, 5.0), raw(x, 5.0).clamp(-1, 1))
    assert torch.equal(seen[0], x) and float(raw(x, 5.0).abs().max()) > 1


@pytest.mark.parametrize("scale", [0, 0.0, 1, 1.0, 0.5, 3.0, -1.0])
def test_guidance(scale):
    x0, n = images()
    labels, null = torch.tensor([0, 1, 2, 0, 1, 2, 0]), 3
    raw = D.Denoiser(Odd(), D.edm, torch.log)
    wanted, nothing = raw(x0 + n, 1.0, labels), raw(x0 + n, 1.0, torch.full_like(labels, null))
    for sigma in (1.0, torch.tensor(1.0, dtype=F64), torch.ones(7, dtype=F64)):
        got = D.guided(raw, labels, float(scale), null)(x0 + n, sigma)
        close(got, nothing + scale * (wanted - nothing), atol=1e-12)
        if scale in (0, 1):
            assert torch.equal(got, wanted if scale else nothing)


def test_guidance_in_an_interval_of_noise_levels():
    x0, n = images()
    labels = torch.tensor([0, 1, 2, 0, 1, 2, 0])
    raw = D.Denoiser(Odd(), D.edm, torch.log)
    for scale in (0.0, 1.0, 3.0):
        everywhere = D.guided(raw, labels, scale, 3)
        inside = D.guided(raw, labels, scale, 3, (0.5, 2.0))
        for sigma, guides in ((0.5, False), (0.51, True), (2.0, True), (2.01, False)):
            wanted = everywhere(x0 + n, sigma) if guides else raw(x0 + n, sigma, labels)
            close(inside(x0 + n, sigma), wanted, atol=1e-12)
        mixed = torch.tensor([0.5, 1, 2, 3, 0.1, 1.5, 9], dtype=F64)  # a level for each image
        got = inside(x0 + n, mixed)
        wanted = torch.where(((mixed > 0.5) & (mixed <= 2)).view(-1, *[1] * (x0.ndim - 1)),
                             everywhere(x0 + n, mixed), raw(x0 + n, mixed, labels))  # fmt: skip
        close(got, wanted, atol=1e-12)


def test_guidance_keeps_the_condition_beside_its_image():
    """Against both calls by hand, each image with its own condition, wherever it guides."""
    x0, n = images()
    labels, cond = torch.tensor([0, 1, 2, 0, 1, 2, 0]), n.flip(0)
    raw = D.Denoiser(Odd(), D.edm, torch.log)
    for sigma in (torch.full((7,), 1.0, dtype=F64), LEVELS):
        wanted = raw(x0 + n, sigma, labels, cond)
        nothing = raw(x0 + n, sigma, torch.full_like(labels, 3), cond)
        for scale in (0.0, 1.0, 3.0):
            got = D.guided(raw, labels, scale, 3, cond=cond)(x0 + n, sigma)
            close(got, nothing + scale * (wanted - nothing), atol=1e-11)
            clipped = D.clipped(D.guided(raw, labels, scale, 3, cond=cond))(x0 + n, sigma)
            assert torch.equal(clipped, got.clamp(-1, 1))
        outside = D.guided(raw, labels, 3.0, 3, (200.0, 300.0), cond)(x0 + n, sigma)
        assert torch.equal(outside, wanted)


def test_a_clipped_denoiser_takes_labels_and_condition():
    x0, n = images()
    labels, cond = torch.arange(7), n.flip(0)
    raw = D.Denoiser(Odd(), D.x0, torch.log)
    want = raw(x0 + n, LEVELS, labels, cond).clamp(-1, 1)
    assert torch.equal(D.clipped(raw)(x0 + n, LEVELS, labels, cond), want)
    assert torch.equal(D.clipped(raw)(x0 + n, LEVELS, labels=labels, cond=cond), want)
    assert not torch.equal(want, raw(x0 + n, LEVELS, labels).clamp(-1, 1))


@pytest.mark.parametrize("sample", ["guided", "plain"])
def test_sampling_without_the_condition_is_one_sentence(sample):
    from diffutils.unet import UNet

    net = UNet(3, 3, (8,), 1, (False,), classes=2, cond_channels=4)
    D_ = D.Denoiser(net, D.eps, torch.log)
    ask = D.guided(D_, torch.tensor([0, 1]), 2.0, 2) if sample == "guided" else D_
    with pytest.raises(ValueError, match="takes 4 condition channels, got 0; hand over cond="):
        ask(torch.zeros(2, 3, 4, 4), 1.0)


def test_guidance_and_clipping_in_either_order():
    x0, n = images()
    labels = torch.zeros(7, dtype=torch.long)
    raw = D.Denoiser(Odd(), D.eps, torch.log)
    for scale in (0.0, 1.0, 3.0):
        outside = D.clipped(D.guided(raw, labels, scale, 3))(x0 + n, 2.0)
        assert torch.equal(outside, D.guided(raw, labels, scale, 3)(x0 + n, 2.0).clamp(-1, 1))
        assert D.guided(D.clipped(raw), labels, scale, 3)(x0 + n, 2.0).isfinite().all()


def test_guidance_of_gaussian_classes_moves_the_mean():
    """Classes N(+-1, 1), any = N(0, 2): D is known for each, so guided D is known too."""

    def oracle(x, sigma, labels):
        mean = torch.tensor([-1.0, 1.0, 0.0], dtype=F64)[labels]
        var = torch.tensor([1.0, 1.0, 2.0], dtype=F64)[labels]
        return mean + var / (var + sigma**2) * (x - mean)

    x, labels = torch.linspace(-3, 3, 6, dtype=F64), torch.tensor([0, 1] * 3)
    sign = labels * 2.0 - 1
    conditional, free = sign + (x - sign) / 2, 2 * x / 3
    close(D.guided(oracle, labels, 3.0, 2)(x, 1.0), 3 * conditional - 2 * free, atol=1e-13)


# ------------------------------------------------------------------- oracles

W, M, S = [0.2, 0.5, 0.3], [-1.0, 0.1, 0.8], [0.3, 0.05, 0.6]


def mixture(weights=W, means=M, stds=S, dtype=F64):
    means = torch.tensor(means, dtype=dtype)
    return D.mixture(
        torch.tensor(weights, dtype=dtype),
        means if means.ndim == 2 else means[:, None],
        torch.tensor(stds, dtype=dtype),
    )


def normal(x, m, s):
    return math.exp(-((x - m) ** 2) / (2 * s * s)) / (s * math.sqrt(2 * math.pi))


@pytest.mark.parametrize("sigma", [0.05, 0.4, 3.0])
def test_mixture_is_the_posterior_mean_by_integration(sigma):
    """E[x0 | x] by quadrature of prior times likelihood: 1e-8."""

    def integrand(x0, x, power):
        prior = sum(w * normal(x0, m, s) for w, m, s in zip(W, M, S, strict=True))
        return x0**power * prior * normal(x, x0, sigma)

    for x in (-2.5, -0.4, 0.1, 0.7, 2.0):
        moments = [
            quad(integrand, -5, 5, (x, p), points=[*M, x, 0.5 * (x + 0.1)], epsabs=1e-14, limit=400)
            for p in (1, 0)
        ]
        got = mixture()(torch.tensor([[x]], dtype=F64), sigma)
        close(got, [[moments[0][0] / moments[1][0]]], atol=1e-8)


def test_mixture_of_equals_is_one_gaussian():
    x = torch.linspace(-3, 3, 20, dtype=F64).view(10, 2)
    same = mixture([0.3, 0.7], [[0.5, -0.2]] * 2, [0.4, 0.4])
    for sigma in (0.01, 1.0, 50.0):
        one = D.gaussian(torch.tensor([0.5, -0.2], dtype=F64), 0.4)
        close(same(x, sigma), one(x, sigma), atol=1e-12)


def test_gaussian_closed_form_and_limits():
    x = torch.linspace(-3, 3, 12, dtype=F64).view(3, 4)
    for mean, std in ((0.3, 0.25), (torch.linspace(-1, 1, 4, dtype=F64), 2.0)):
        sigma = torch.tensor([0.1, 1.0, 9.0], dtype=F64)
        want = (mean * sigma[:, None] ** 2 + x * std**2) / (std**2 + sigma[:, None] ** 2)
        close(D.gaussian(mean, std)(x, sigma), want, atol=1e-14)
        close(D.gaussian(mean, std)(x, 1e-9), x, atol=1e-12)
        close(D.gaussian(mean, std)(x, 1e9), mean + 0 * x, atol=1e-12)
    point = D.gaussian(0.3, 0.0)(x, 1.0)
    close(point, torch.full_like(x, 0.3), atol=1e-15)


@pytest.mark.parametrize("dtype", [torch.float32, F64])
def test_finite_is_a_mixture_of_spikes(dtype):
    """Against std = 1e-7 mixture and against the plain sum of exponentials."""
    g = torch.Generator().manual_seed(1)
    data, x = (torch.randn(n, 3, generator=g, dtype=dtype) for n in (9, 6))
    atol = 1e-12 if dtype is F64 else 1e-5
    spikes = D.mixture(torch.full((9,), 1 / 9, dtype=dtype), data, torch.full((9,), 1e-7).to(dtype))
    for sigma in (0.3, 1.0, 30.0):
        got = D.finite(data)(x, sigma)
        close(got, spikes(x, sigma), atol=max(atol, 1e-11))
        for i in range(6):
            p = [math.exp(-float((x[i] - d).square().sum()) / (2 * sigma**2)) for d in data]
            close(got[i], sum(a * d for a, d in zip(p, data, strict=True)) / sum(p), atol=atol)


def test_finite_far_from_all_data_and_at_tiny_levels_is_the_nearest_point():
    data = torch.tensor([[0.0, 0.0], [1.0, 1.0], [1.0, 0.9]])
    x = torch.tensor([[100.0, -100.0], [0.9, 1.2], [1.0, 0.9], [-5.0, 3.0]])
    near = data[torch.cdist(x, data).argmin(1)]
    for sigma in (1e-3, 1e-6):
        assert torch.equal(D.finite(data)(x, sigma)[1:], near[1:])
        assert bool(D.finite(data)(x, sigma).isfinite().all())


def test_finite_keeps_the_shape_of_images_and_levels_per_image():
    data = torch.randn(5, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    sigma = torch.tensor([0.1, 1.0, 10.0])
    out = D.finite(data)(data[:3] + 0.01, sigma)
    assert out.shape == (3, 3, 4, 4)
    for i in range(3):
        alone = D.finite(data)(data[i : i + 1] + 0.01, float(sigma[i]))
        close(out[i], alone[0], atol=1e-6)


def test_point_is_the_point():
    image = torch.randn(3, 4, 4)
    out = D.point(image)(torch.randn(5, 3, 4, 4, dtype=F64), 3.0)
    assert out.shape == (5, 3, 4, 4) and out.dtype == F64
    assert all(torch.equal(o, image.double()) for o in out)


@pytest.mark.parametrize("dim", [1, 3])
@pytest.mark.parametrize("sigma", [0.05, 1.0, 20.0])
def test_score_is_the_gradient_of_the_log_density(dim, sigma):
    """torch.distributions' diffused mixture, differentiated: 1e-9 relative to the score's size."""
    from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

    g = torch.Generator().manual_seed(2)
    means = torch.randn(3, dim, generator=g, dtype=F64)
    stds, weights = torch.tensor(S, dtype=F64), torch.tensor(W, dtype=F64)
    spread = (stds**2 + sigma**2).sqrt()[:, None].expand(3, dim)
    density = MixtureSameFamily(Categorical(weights), Independent(Normal(means, spread), 1))
    x = 2 * torch.randn(8, dim, generator=g, dtype=F64)
    x.requires_grad_()
    (want,) = torch.autograd.grad(density.log_prob(x).sum(), x)
    got = D.score(D.mixture(weights, means, stds), x, sigma)
    close(got.detach(), want, atol=1e-9 / sigma**2)


@pytest.mark.parametrize("sigma", [0.0, -1.0, math.inf, math.nan])
def test_score_needs_a_finite_level(sigma):
    with pytest.raises(ValueError, match="finite noise level above 0"):
        D.score(D.gaussian(0.0, 1.0), torch.ones(2, 1), sigma)


# ------------------------------------------------------------------- sigma_data and c_noise


def test_rms_is_the_root_of_the_mean_square():
    """numpy's, also of images with a mean far from 0, where a standard deviation is another."""
    for shift in (0.0, 0.7):
        x0 = images()[0] + shift
        assert D.rms(x0) == pytest.approx(float(np.sqrt(np.mean(x0.numpy() ** 2))), rel=1e-12)
    assert D.rms(x0) > 1.1 * float(x0.std())


def test_with_rms_the_input_has_mean_square_one():
    """E over the noise, exactly: c_in^2 (mean x0^2 + sigma^2) = 1; 20,000 draws: within 5 %."""
    x0, _ = images()
    x0 = x0 + 0.7
    noise = torch.randn(20_000, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
    for sigma in LEVELS:
        _, _, c_in = D.edm(sigma, D.rms(x0))
        close(c_in**2 * (x0.square().mean() + sigma**2), 1.0, rtol=1e-12)
        x = c_in * (x0.flatten()[torch.arange(20_000) % x0.numel()] + sigma * noise[:, 0])
        assert float(x.square().mean()) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("phi", [torch.log, lambda s: s / (s + 0.3), lambda s: s ** (1 / 7)])
@pytest.mark.parametrize("ends", [(0.002, 80.0), (0.1, 5.0)])
def test_rescaled_is_phi_from_0_to_1000(phi, ends):
    """0 and 1000 at the ends, affine in phi between them and beyond."""
    told = D.rescaled(phi, *ends)
    close(told(torch.tensor(ends, dtype=F64)), [0.0, 1000.0], atol=1e-9)
    ratio = told(LEVELS).diff() / phi(LEVELS).diff()
    close(ratio, ratio[0].expand(6), rtol=1e-9)
    assert float(ratio[0]) > 0


def test_rescaled_takes_float32_levels_of_a_batch():
    """(B,) float32 in, (B,) float32 out, within 1e-3 of 1000; the default ends are EDM's."""
    for phi in (torch.log, lambda s: s / (s + 0.3)):
        told = D.rescaled(phi)(LEVELS.float())
        assert told.dtype == torch.float32 and told.shape == LEVELS.shape
        close(told.double(), D.rescaled(phi)(LEVELS), atol=1e-3, rtol=1e-5)
        assert float(told[0]) == pytest.approx(0, abs=1e-3)
        assert float(told[5]) == pytest.approx(1000, abs=1e-3)


@pytest.mark.parametrize("phi", [
    lambda s: 0 * s, lambda s: -s, lambda s: s * math.nan, lambda s: 1 / (80 - s),
])  # fmt: skip
def test_rescaled_refuses_what_does_not_rise(phi):
    with pytest.raises(ValueError, match="a coordinate must rise"):
        D.rescaled(phi)
