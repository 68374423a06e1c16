"""DPS, Pi-GDM and DDRM: azula's steps, the marginals that DDRM keeps, and what each gets wrong."""

import math

import pytest
import torch
from azula.denoise import GaussianDenoiser
from azula.guidance import DPSSampler, PGDMSampler
from azula.linalg.covariance import IsotropicCovariance
from azula.noise import Schedule

from diffutils import denoisers, rng, samplers, schedules
from diffutils.methods import consistency, posterior

SEEN = torch.zeros(8, 8, dtype=torch.bool)
SEEN[:, :4] = True
OPERATORS = {"masked": consistency.masked(SEEN), "pooled": consistency.pooled(2)}
MEAN, SPREAD, SIGMA_Y = 0.5, 0.2, 0.1


class Linear(Schedule):
    """alpha = 1 - t: variance preserving without a smallest noise."""

    def __call__(self, t):
        return 1 - t, (1 - (1 - t) ** 2).sqrt()


def both(operator, x, sampler, ours):
    """A step from t = 0.6 to 0.5 of azula's sampler and of ours, in units of x0."""
    t, s = (torch.tensor(v, dtype=torch.float64) for v in (0.6, 0.5))
    (alpha, std), (alpha_s, std_s) = Linear()(t), Linear()(s)
    torch.manual_seed(0)
    theirs = sampler.step(alpha * x, t, s) / alpha_s
    levels = torch.stack([std / alpha, std_s / alpha_s])
    torch.manual_seed(0)
    denoise, after = ours
    eta = 0.0 if isinstance(sampler, PGDMSampler) else 1.0
    return theirs, samplers.sample(denoise, x, levels, eta=eta, after_step=after)


def azula_prior():
    covariance = IsotropicCovariance(torch.tensor(SPREAD**2, dtype=torch.float64))
    return GaussianDenoiser(torch.full((3, 8, 8), MEAN).double(), covariance, Linear())


@pytest.mark.parametrize("name", OPERATORS)
def test_a_step_of_dps_is_azulas(name):
    operator = OPERATORS[name]
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    y = operator.A(torch.randn(2, 3, 8, 8, dtype=torch.float64))
    sampler = DPSSampler(azula_prior(), y, operator.A, zeta=0.7, silent=True)
    denoise = denoisers.gaussian(MEAN, SPREAD)
    ours = posterior.dps(denoise, y, operator, 0.7, per_batch=True)
    torch.testing.assert_close(*both(operator, x, sampler, ours), rtol=1e-9, atol=1e-9)
    # An image alone is asked the same either way.
    one, each = (posterior.dps(denoise, y[:1], operator, 0.7, per_batch=b) for b in (True, False))
    sampler = DPSSampler(azula_prior(), y[:1], operator.A, zeta=0.7, silent=True)
    torch.testing.assert_close(*both(operator, x[:1], sampler, one), rtol=1e-9, atol=1e-9)
    torch.testing.assert_close(*both(operator, x[:1], sampler, each), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", OPERATORS)
def test_a_step_of_pigdm_without_noise_is_azulas(name):
    operator = OPERATORS[name]
    x = torch.randn(2, 3, 8, 8, dtype=torch.float64)
    y = operator.A(torch.randn(2, 3, 8, 8, dtype=torch.float64))

    def pseudo_inverse(v):
        return operator.At(v) / operator.gain

    sampler = PGDMSampler(azula_prior(), y, operator.A, pseudo_inverse, eta=0.0, silent=True)
    ours = posterior.pigdm(denoisers.gaussian(MEAN, SPREAD), y, operator, 0.0)
    torch.testing.assert_close(*both(operator, x, sampler, ours), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("sigma_next", [0.05, 0.3])
@pytest.mark.parametrize("name", OPERATORS)
def test_ddrm_keeps_the_marginals(name, sigma_next):
    """With the true image as D, its states are N(x0, sigma^2) at every level (Kawar et al., 3.2).

    One level lies below the measurement's noise as the image shows it, one above.
    """
    operator, n = OPERATORS[name], 4_000
    x0 = torch.linspace(-1, 1, 64, dtype=torch.float64).view(1, 1, 8, 8)
    index = torch.arange(n)
    draw = [rng.normal(5, k, index, (1, 8, 8)).double() for k in range(3)]
    y = operator.A(x0) + SIGMA_Y * operator.A(draw[0]) / math.sqrt(operator.gain)
    after = posterior.ddrm(y, operator, SIGMA_Y, noise=lambda k, x: draw[2])
    levels = torch.tensor([0.5, sigma_next], dtype=torch.float64)
    x = samplers.sample(denoisers.point(x0[0]), x0 + 0.5 * draw[1], levels, after_step=after)
    z = (x - x0) / sigma_next
    assert float(z.mean()) == pytest.approx(0, abs=0.01)
    assert float(z.std()) == pytest.approx(1, rel=0.02)
    assert float(operator.A(z).std()) == pytest.approx(float(operator.A(draw[2]).std()), rel=0.03)


def drawn(denoise, after, batch=16, steps=200, eta=1.0):
    """Mean and spread of the seen half at the end of a chain of the Gaussian oracle."""
    index = torch.arange(batch)
    levels = schedules.levels(schedules.Discrete(schedules.linear_betas()), steps)
    x = samplers.start(levels, rng.normal(0, 0, index, (1, 8, 8)))
    noise = samplers.seeded_noise(1, index)
    x = samplers.sample(denoise, x, levels, eta=eta, noise=noise, after_step=after)
    return float(x[..., :4].mean()), float(x[..., :4].std())


def test_none_of_them_draws_from_the_posterior():
    """Exact: .700 +- .089.  Each is off with a perfect denoiser."""
    prior, operator = denoisers.gaussian(MEAN, SPREAD), OPERATORS["masked"]
    y = 0.75 * SEEN.float().expand(1, 1, 8, 8)
    exact = consistency.consistent(prior, y, operator, SIGMA_Y, SPREAD)
    mean, spread = drawn(exact, None)
    assert mean == pytest.approx(0.7, abs=0.01) and spread == pytest.approx(0.08, abs=0.01)
    mean, spread = drawn(*posterior.pigdm(prior, y, operator, SIGMA_Y))
    assert mean > 0.73 and spread < 0.06
    after = posterior.ddrm(y, operator, SIGMA_Y, samplers.seeded_noise(1, torch.arange(16)))
    assert drawn(prior, after)[1] < 0.07


def test_a_norm_over_the_batch_makes_an_answer_depend_on_its_neighbours():
    prior, operator = denoisers.gaussian(MEAN, SPREAD), OPERATORS["masked"]
    y = 0.75 * SEEN.float().expand(1, 1, 8, 8)
    alone, among = (drawn(*posterior.dps(prior, y, operator, 1.0, True), batch=n) for n in (1, 64))
    assert alone[0] - among[0] > 0.05
    alone, among = (drawn(*posterior.dps(prior, y, operator, 1.0), batch=n) for n in (1, 64))
    assert abs(alone[0] - among[0]) < 0.03
