"""Chains in the textbook's units: equal to the sampler where right, and wrong as published.

The table of exact means and stds is the one of the lesson: data N(0.3, 0.25^2).
"""

import math

import pytest
import torch
from printed import named

from diffutils import denoisers, samplers, schedules
from diffutils.methods import textbook
from diffutils.methods.textbook import moments, respaced, unspaced, walk

F64 = torch.float64
BETAS = {"linear": schedules.linear_betas(), "cosine": schedules.cosine_betas()}
M, S = 0.3, 0.25


def last(states):
    *_, end = states
    return end


def close(got, want, atol):
    got, want = (torch.as_tensor(t, dtype=F64) for t in (got, want))
    torch.testing.assert_close(got, want, atol=atol, rtol=0.0)


def ending(name, n, plan, rule, spacing=schedules.leading):
    return last(moments(M, S, plan(BETAS[name], spacing(1000, n)), rule))


# ------------------------------------------------------------------- plans and rules


def test_plans_go_from_where_to_where():
    """T = 4, timesteps 2, 0: respaced 2 -> 0 -> clean; unspaced 2 -> 1, then 0 -> clean."""
    betas = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=F64)
    ab = [0.9, 0.9 * 0.8, 0.9 * 0.8 * 0.7]
    timesteps = torch.tensor([2, 0])
    close(respaced(betas, timesteps), [[ab[2], ab[0]], [ab[0], 1]], 1e-15)
    close(unspaced(betas, timesteps), [[ab[2], ab[1]], [ab[0], 1]], 1e-15)


def test_without_skipping_both_plans_are_the_same():
    every = schedules.leading(1000, 1000)
    for betas in BETAS.values():
        assert torch.equal(respaced(betas, every), unspaced(betas, every))


def test_the_ddpm_rule_is_the_posterior_of_the_table():
    """of_x0, of_xt and std against schedules' mu~ and beta~: 1e-12."""
    one, zero = torch.ones((), dtype=F64), torch.zeros((), dtype=F64)
    for betas in BETAS.values():
        variance = schedules.posterior_variance(betas)
        plan = respaced(betas, schedules.leading(1000, 1000))
        for t in (999, 998, 700, 420, 30, 2, 1, 0):
            pair = plan[999 - t]
            step = textbook.ddpm(*pair.tolist())
            close(step.of_x0, schedules.posterior_mean(betas, t, one, zero), 1e-12)
            close(step.of_xt, schedules.posterior_mean(betas, t, zero, one), 1e-12)
            close(step.std, variance[t].sqrt(), 1e-12)
            beta = textbook.ddpm_beta(*pair.tolist())
            assert (beta.of_x0, beta.of_xt) == (step.of_x0, step.of_xt)
            close(beta.std, betas[t].sqrt() if t else 0.0, 1e-12)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
def test_ddim_ends_with_the_variance_of_its_level_and_the_published_one_with_more(eta):
    """x_t = sqrt(ab) x0 + sqrt(1 - ab) eps -> 1 - ab'; published: 1 - ab' + std^2."""
    for ab, ab_next in ((0.3, 0.5), (0.01, 0.9), (0.9, 1.0)):
        for rule, extra in ((textbook.ddim(eta), 0), (textbook.ddim_published(eta), 1)):
            step = rule(ab, ab_next)
            close(step.of_x0 + step.of_xt * math.sqrt(ab), math.sqrt(ab_next), 1e-12)
            left = step.of_xt**2 * (1 - ab) + step.std**2
            close(left, 1 - ab_next + extra * step.std**2, 1e-12)
            std = eta * math.sqrt((1 - ab_next) / (1 - ab)) * math.sqrt(1 - ab / ab_next)
            close(step.std, std, 1e-12)


def test_the_published_direction_is_harmless_at_eta_0():
    assert textbook.ddim(0.0)(0.3, 0.5) == textbook.ddim_published(0.0)(0.3, 0.5)


def test_an_unfinished_chain_returns_the_last_state_as_it_is():
    rule = textbook.unfinished(textbook.ddim(0.0))
    assert rule(0.3, 0.5) == textbook.ddim(0.0)(0.3, 0.5)
    assert rule(0.9, 1.0) == (0.0, 1.0, 0.0)
    assert textbook.ddim(0.0)(0.9, 1.0) == (1.0, 0.0, 0.0)


# ------------------------------------------------------------------- the chains


def odd(x, sigma):
    return torch.tanh(x / (1 + sigma) + 0.1 * float(sigma) ** 0.5)


@pytest.mark.parametrize("rule, settings", [
    (textbook.ddpm, dict(eta=1.0)), (textbook.ddim(0.0), {}), (textbook.ddim(0.5), dict(eta=0.5)),
    (textbook.ddpm_beta, dict(eta=1.0, variance=samplers.beta)),
], ids=named)  # fmt: skip
@pytest.mark.parametrize("name", BETAS)
def test_right_chains_equal_the_sampler(name, rule, settings):
    """Every state, a nonlinear denoiser, the same noise: 1e-10."""
    z = torch.randn(26, 3, 2, generator=torch.Generator().manual_seed(0), dtype=F64)
    schedule = schedules.Discrete(BETAS[name])
    sigmas = schedules.levels(schedule, 25, schedules.leading)
    noise = lambda k, x: z[k]  # noqa: E731
    ours = samplers.trajectory(odd, samplers.start(sigmas, z[-1]), sigmas, noise=noise, **settings)
    plan = respaced(BETAS[name], schedules.leading(1000, 25))
    states = walk(odd, z[-1], plan, rule, noise)
    for sigma, a, b in zip(sigmas[1:], ours, states, strict=True):
        close(a / math.sqrt(1 + sigma**2), b, 1e-10)


PLANS = {"respaced": respaced, "unspaced": unspaced}
RULES = {
    "ddpm": textbook.ddpm, "ddim": textbook.ddim(0.0), "published": textbook.ddim_published(1.0),
    "unfinished": textbook.unfinished(textbook.ddpm_beta),
}  # fmt: skip


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("plan", PLANS)
def test_moments_are_those_of_the_chain(plan, rule):
    """`walk` on the analytic denoiser is affine; its offset and gains give mean and std: 1e-12."""
    pairs = PLANS[plan](BETAS["linear"], schedules.leading(1000, 20))
    x = torch.zeros(22, 1, dtype=F64)
    x[1] = 1.0  # the gain of the start; row 2 + k: the gain of the noise of step k

    def unit(k, x):
        return torch.zeros_like(x).index_fill(0, torch.tensor(2 + k), 1.0)

    states = walk(denoisers.gaussian(M, S), x, pairs, RULES[rule], unit)
    want = moments(M, S, pairs, RULES[rule])
    for state, (mean, std) in zip(states, want, strict=True):
        gains = (state - state[0])[1:]
        close(state[0, 0], mean, 1e-12)
        close(gains.square().sum().sqrt(), std, 1e-12)


# ------------------------------------------------------------------- the table of the lesson


ROWS = [  # betas, steps, std of DDPM, DDIM and the skip, mean of the skip
    ("cosine", 200, 0.242, 0.247, 0.608, 0.170), ("cosine", 50, 0.223, 0.237, 0.873, 0.057),
    ("linear", 200, 0.235, 0.244, 0.608, 0.170), ("linear", 50, 0.206, 0.226, 0.873, 0.057),
]  # fmt: skip


@pytest.mark.parametrize("name, n, of_ddpm, of_ddim, of_skip, mean_of_skip", ROWS)
def test_the_oracle_table(name, n, of_ddpm, of_ddim, of_skip, mean_of_skip):
    """Leading spacing, tolerance 0.001; the right ones keep the mean to 0.0025."""
    ddpm, ddim, skip = (
        ending(name, n, respaced, textbook.ddpm), ending(name, n, respaced, textbook.ddim(0.0)),
        ending(name, n, unspaced, textbook.ddpm),
    )  # fmt: skip
    stds = [ddpm[1], ddim[1], skip[1]]
    assert stds == pytest.approx([of_ddpm, of_ddim, of_skip], abs=1e-3)
    assert skip[0] == pytest.approx(mean_of_skip, abs=1e-3)
    assert [ddpm[0], ddim[0]] == pytest.approx([M, M], abs=2.5e-3)


@pytest.mark.parametrize("spacing", [schedules.trailing, schedules.linspace])
def test_other_spacings_differ_by_up_to_004(spacing):
    apart = [
        abs(ending(name, n, respaced, rule, spacing)[1] - std)
        for name, n, of_ddpm, of_ddim, *_ in ROWS
        for rule, std in ((textbook.ddpm, of_ddpm), (textbook.ddim(0.0), of_ddim))
    ]
    assert 8e-4 < max(apart) <= 4.5e-3  # 5e-4 would be rounding


def test_nothing_skipped_nothing_wrong():
    every = ending("cosine", 1000, unspaced, textbook.ddpm)
    assert every == ending("cosine", 1000, respaced, textbook.ddpm)
    assert every == pytest.approx((0.300, 0.248), abs=1e-3)


@pytest.mark.parametrize("plan, rule", [
    (respaced, textbook.ddpm), (respaced, textbook.ddim(0.0)), (unspaced, textbook.ddpm),
    (respaced, textbook.ddim_published(1.0)),
], ids=["ddpm", "ddim", "skip", "published"])  # fmt: skip
def test_drawn_samples_have_the_exact_moments(plan, rule):
    """100,000 draws, float32: mean and std within 4 standard errors."""
    betas = BETAS["linear"]
    n, pairs = 100_000, plan(betas, schedules.leading(1000, 50))
    g = torch.Generator().manual_seed(0)
    noise = lambda k, x: torch.randn(x.shape, generator=g)  # noqa: E731
    x = last(walk(denoisers.gaussian(M, S), torch.randn(n, 1, generator=g), pairs, rule, noise))
    mean, std = last(moments(M, S, pairs, rule))
    assert float(x.mean()) == pytest.approx(mean, abs=4 * std / n**0.5)
    assert float(x.std()) == pytest.approx(std, abs=4 * std / (2 * n) ** 0.5)


# ------------------------------------------------------------------- published faults


def test_the_published_direction_adds_variance():
    """Exact std of data with 0.25, at eta = 0, 0.5 and 1, in 200 and in 50 steps."""
    got = [
        ending("linear", n, respaced, textbook.ddim_published(eta))[1]
        for n in (200, 50) for eta in (0.0, 0.5, 1.0)
    ]  # fmt: skip
    want = [0.244, 0.491, 0.886, 0.226, 0.430, 0.767]
    assert got == pytest.approx(want, abs=1e-3)


def test_an_unfinished_chain_keeps_noise():
    """Trailing, 10 steps: the last state still has the noise of t = 99, and less of the mean."""
    plan, rule = respaced, textbook.ddim(0.0)
    right = ending("linear", 10, plan, rule, schedules.trailing)
    left = ending("linear", 10, plan, textbook.unfinished(rule), schedules.trailing)
    abar = float(schedules.alpha_bars(BETAS["linear"])[99])
    g = abar**0.5 * S**2 / (abar * S**2 + 1 - abar)
    close(right[0], M + g * (left[0] - abar**0.5 * M), 1e-12)  # the step that it leaves out
    close(right[1], g * left[1], 1e-12)
    assert left[1] > 1.5 * right[1]
