"""Data consistency: the operators, the exact posterior of a Gaussian, azula's MMPS and TMPD."""

import math

import pytest
import torch
from azula.denoise import GaussianDenoiser
from azula.guidance import MMPSDenoiser, TMPDenoiser
from azula.linalg.covariance import IsotropicCovariance
from azula.noise import VESchedule

from diffutils import denoisers, rng, samplers, schedules
from diffutils.methods import consistency

LEFT = torch.zeros(32, 32, dtype=torch.bool)
LEFT[:, :16] = True
OPERATORS = {
    "plain": consistency.plain(),
    "masked": consistency.masked(LEFT),
    "pooled": consistency.pooled(4),
}
MEAN, SPREAD, SIGMA_Y = 0.5, 0.2, 0.1


def images(n: int = 2, seed: int = 0) -> torch.Tensor:
    return torch.randn(n, 3, 32, 32, generator=torch.Generator().manual_seed(seed)).double()


@pytest.mark.parametrize("name", OPERATORS)
def test_transpose_and_gain(name):
    """<A x, z> = <x, A^T z>, and A A^T z = gain z on what A sees."""
    A, At, gain = OPERATORS[name]
    x, z = images(), A(images(seed=1))
    assert torch.allclose((A(x) * z).sum(), (x * At(z)).sum())
    torch.testing.assert_close(A(At(z)), gain * z)


@pytest.mark.parametrize("name", OPERATORS)
def test_one_call_is_azulas_mmps(name):
    """On a Gaussian the network's Jacobian is r^2/sigma^2: with and without it are the same."""
    operator, x, t = OPERATORS[name], images(), torch.tensor(0.4, dtype=torch.float64)
    y = operator.A(images(1, seed=2))
    schedule = VESchedule(1e-3, 1e2)
    sigma = schedule(t)[1]
    covariance = IsotropicCovariance(torch.tensor(SPREAD**2, dtype=torch.float64))
    prior = GaussianDenoiser(torch.full((3, 32, 32), MEAN).double(), covariance, schedule)
    noise = IsotropicCovariance(torch.tensor(SIGMA_Y**2, dtype=torch.float64))
    theirs = MMPSDenoiser(prior, y, operator.A, noise)(x, t).mean
    denoise = denoisers.gaussian(MEAN, SPREAD)
    ours = consistency.consistent(denoise, y, operator, SIGMA_Y, SPREAD)(x, sigma)
    torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-9)
    if name != "pooled":  # TMPD's diagonal takes A A^T for 1
        tmpd = TMPDenoiser(prior, y, operator.A, SIGMA_Y**2)(x, t).mean
        torch.testing.assert_close(ours, tmpd, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", OPERATORS)
@pytest.mark.parametrize("settings", [{"eta": 1.0}, {"eta": 0.0}, {"heun": True}], ids=str)
def test_samples_are_of_the_posterior(name, settings):
    """Mean and spread of the chain's end to 2 %, in what A sees and in what it does not."""
    A, At, gain = operator = OPERATORS[name]
    y = torch.full_like(A(torch.zeros(1, 1, 32, 32)), 0.75)
    y = A(At(y)) / gain  # nothing where A sees nothing
    denoise = consistency.consistent(denoisers.gaussian(MEAN, SPREAD), y, operator, SIGMA_Y, SPREAD)
    index, levels = torch.arange(64), schedules.levels(schedules.karras(), 1000)
    x = samplers.start(levels, rng.normal(0, 0, index, (1, 32, 32)), variance_preserving=False)
    noise = samplers.seeded_noise(1, index)
    x = samplers.sample(denoise, x, levels, noise=noise, **settings)
    # Of a pixel, or a mean of pixels, that is measured: precision and mean by Bayes' rule.
    precision = 1 / (gain * SPREAD**2) + 1 / SIGMA_Y**2
    mean = (MEAN / (gain * SPREAD**2) + 0.75 / SIGMA_Y**2) / precision
    seen = A(x)[..., :16]
    assert float(seen.mean()) == pytest.approx(mean, rel=0.02)
    assert float(seen.std()) == pytest.approx(precision**-0.5, rel=0.02)
    # Of what is not measured the prior is left.
    rest = x - At(A(x)) / gain
    dims = {"plain": 0, "masked": 16 * 32, "pooled": 32 * 32 - 8 * 8}[name]
    found = math.sqrt(float((rest - rest.mean((0, 1))).square().sum()) / 64 / max(dims, 1))
    assert found == pytest.approx(SPREAD if dims else 0, rel=0.02)


def test_one_measurement_for_all_and_one_each():
    operator = consistency.masked(LEFT)
    y = operator.A(images(2, seed=3))
    denoise = denoisers.gaussian(MEAN, SPREAD)
    each = consistency.consistent(denoise, y, operator, SIGMA_Y, SPREAD)(images(), 0.3)
    first = consistency.consistent(denoise, y[:1], operator, SIGMA_Y, SPREAD)(images(), 0.3)
    assert torch.equal(each[0], first[0]) and not torch.equal(each[1], first[1])


def test_a_measurement_without_noise_is_met_exactly():
    operator = consistency.pooled(4)
    y = operator.A(images(seed=3))
    denoise = consistency.consistent(denoisers.gaussian(MEAN, SPREAD), y, operator, 0.0, SPREAD)
    torch.testing.assert_close(operator.A(denoise(images(), 0.3)), y)


def test_bad_input_is_named():
    denoise, operator = denoisers.gaussian(MEAN, SPREAD), consistency.pooled(4)
    with pytest.raises(ValueError, match=r"shape \(2, 3, 32, 32\), but A gives \(2, 3, 8, 8\)"):
        consistency.consistent(denoise, images(), operator, SIGMA_Y, SPREAD)(images(), 0.3)
    with pytest.raises(ValueError, match="5 x 5 pixels do not tile"):
        consistency.pooled(5).A(images())
    for sigma_y, spread in ((-0.1, 0.5), (0.1, 0.0), (math.inf, 0.5)):
        with pytest.raises(ValueError, match="standard deviation of the images"):
            consistency.consistent(denoise, images(), operator, sigma_y, spread)
