"""Training densities against scipy, the schedules that draw from them, and published quantiles."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad

from diffutils import densities, schedules

F64 = torch.float64
LOW, HIGH = math.log(0.002), math.log(80)
LOGISTIC = stats.logistic(math.log(0.3), 1)
SHARE = LOGISTIC.cdf(HIGH) - LOGISTIC.cdf(LOW)  # .9896 of it lies in the range
U = (torch.arange(100_000, dtype=F64) + 0.5) / 100_000


def at(density, log_sigma, **settings):
    return float(density(torch.tensor(math.exp(log_sigma), dtype=F64), **settings))


def test_normal_is_scipys():
    log_sigma = torch.linspace(-8, 6, 57, dtype=F64)
    for settings in (dict(), dict(P_mean=-0.4, P_std=1.6)):
        want = stats.norm.pdf(log_sigma, settings.get("P_mean", -1.2), settings.get("P_std", 1.2))
        np.testing.assert_allclose(densities.normal(log_sigma.exp(), **settings), want, rtol=1e-12)


def test_logistic_is_scipys_cut_off_at_both_ends():
    log_sigma = torch.linspace(LOW + 1e-9, HIGH - 1e-9, 57, dtype=F64)
    want = LOGISTIC.pdf(log_sigma) / SHARE
    np.testing.assert_allclose(densities.logistic(log_sigma.exp()), want, rtol=1e-10)
    outside = torch.tensor([0.0019, 80.1, 1e-9, 1e9], dtype=F64)
    assert densities.logistic(outside).tolist() == [0.0] * 4
    ends = densities.logistic(torch.tensor([0.002, 80.0], dtype=F64))
    assert bool((ends > 0).all())  # both belong to it
    other = densities.logistic(torch.tensor([1.0], dtype=F64), 1.0, 0.5, 2.0)
    assert float(other) == pytest.approx(0.25 / (2 / 3 - 1 / 3))


@pytest.mark.parametrize("density, settings, ends", [
    (densities.normal, {}, (-14, 12)),
    (densities.normal, dict(P_mean=1.0, P_std=0.3), (-3, 5)),
    (densities.logistic, {}, (LOW, HIGH)),
    (densities.logistic, dict(c=2.0, sigma_min=0.1, sigma_max=9.0), (math.log(0.1), math.log(9))),
])  # fmt: skip
def test_they_integrate_to_one_over_ln_sigma(density, settings, ends):
    whole, _ = quad(lambda x: at(density, x, **settings), *ends, epsabs=1e-10, limit=200)
    assert whole == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("density, schedule, least", [
    (densities.normal, schedules.log_normal(), -14),
    (densities.logistic, schedules.log_logistic(), LOW),
])  # fmt: skip
def test_they_are_what_the_schedules_draw_from(density, schedule, least):
    """The integral up to sigma(u) is u."""
    for u in (0.01, 0.1, 0.5, 0.9, 0.99):
        top = float(schedule(torch.tensor(u, dtype=F64)).log())
        share, _ = quad(lambda x: at(density, x), least, top, epsabs=1e-10, limit=200)
        assert share == pytest.approx(u, abs=1e-6)


def test_published_quantiles():
    """1, 50 and 99 %: the medians almost agree, the tails of phi* are far longer."""
    u = torch.tensor([0.01, 0.5, 0.99], dtype=F64)
    assert schedules.log_logistic(0.3)(u).tolist() == pytest.approx([0.005, 0.302, 21.7], rel=0.02)
    assert schedules.log_normal()(u).tolist() == pytest.approx([0.0185, 0.301, 4.91], rel=3e-3)


def test_float32_levels_of_a_training():
    """Every level that phi*'s schedule gives, its ends and float32 rounding included, is inside."""
    sigma = schedules.log_logistic(0.3)(torch.linspace(0, 1, 4097, dtype=F64))
    for levels in (sigma.float(), sigma.clamp(0.002, 80.0)):
        assert bool((densities.logistic(levels) > 0).all())
    exact = densities.logistic(sigma.float().double().clamp(0.002, 80.0))
    np.testing.assert_allclose(densities.logistic(sigma.float()), exact, rtol=1e-4)


@pytest.mark.parametrize("f", [
    lambda s: s / (1 + s), lambda s: s.log() ** 2, lambda s: (s > 1).double(), torch.sin,
])  # fmt: skip
def test_lambda_prime_turns_one_expectation_into_the_other(f):
    """E of p_EDM/p_phi f over phi*'s own draws is E of f over EDM's in the range: 1e-3."""
    from diffutils.lessons.lesson04 import arms

    ours, edms = schedules.log_logistic(0.3)(U), schedules.log_normal()(U)
    inside = (edms >= 0.002) & (edms <= 80)
    want = float((f(edms) * inside).mean())
    got = float((arms.weights(0.5)["lambda'"](ours) * f(ours)).mean())
    assert got == pytest.approx(want, abs=1e-3)
    assert abs(float(f(ours).mean()) - want) > 0.01  # without the weight it is another
