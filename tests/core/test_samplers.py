"""The sampler against closed forms in the textbook's units, its order, diffusers and Algorithm 2.

For Gaussian data every sampler is an affine map of its start and its noise.  `affine` reads that
map off, exactly, and the tests compare its mean and variance with recursions written from the
papers in abar, not in sigma.
"""

import itertools
import math
import warnings

import numpy as np
import pytest
import torch
from printed import named

from diffutils import denoisers, rng, samplers, schedules
from diffutils.methods import textbook
from diffutils.samplers import beta, beta_tilde, sample, start, trajectory

F64 = torch.float64
LINEAR, COSINE = schedules.linear_betas(), schedules.cosine_betas()
SPACINGS = [schedules.leading, schedules.linspace, schedules.trailing]


def close(got, want, atol=0.0, rtol=0.0):
    got, want = (torch.as_tensor(t, dtype=F64) for t in (got, want))
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


def silent(step, x):
    raise AssertionError(f"the sampler asked for noise at step {step}")


def affine(denoise, sigmas, **settings):
    """Offset, gain of the start and gains of every noise draw, after every step.

    Row 0 starts at 0 without noise; row 1 starts at 1; row 2 + k gets noise 1 in draw k alone.
    """
    n = len(sigmas) - 1
    x = torch.zeros(2 + 2 * n, 1, dtype=F64)
    x[1] = 1.0

    def unit(k, x):
        z = torch.zeros_like(x)
        z[2 + k] = 1.0
        return z

    for state in trajectory(denoise, x, sigmas, noise=unit, **settings):
        rows = state[:, 0]
        yield float(rows[0]), float(rows[1] - rows[0]), rows[2:] - rows[0]


def moments(denoise, sigmas, mean, var, **settings):
    """Mean and variance of the state after every step, from those of the start."""
    for offset, gain, noise in affine(denoise, sigmas, **settings):
        yield offset + gain * mean, gain**2 * var + float(noise.square().sum())


# ------------------------------------------------------------------- closed-form recursions


def half_beta(ab, ab_next):
    """DDIM's eta = 0.5 with the published variance in its noise."""
    std = math.sqrt(0.25 * (1 - ab / ab_next)) if ab_next < 1 else 0.0
    return textbook.ddim(0.5)(ab, ab_next)._replace(std=std)


CHAINS = {
    "ddim": (dict(eta=0.0), textbook.ddim(0.0)),
    "half": (dict(eta=0.5), textbook.ddim(0.5)),
    "ddpm as ddim": (dict(eta=1.0), textbook.ddim(1.0)),
    "ddpm, beta~": (dict(eta=1.0), textbook.ddpm),
    "ddpm, beta": (dict(eta=1.0, variance=beta), textbook.ddpm_beta),
    "half, beta": (dict(eta=0.5, variance=beta), half_beta),
}


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("betas", [LINEAR, COSINE], ids=["linear", "cosine"])
@pytest.mark.parametrize("m, s", [(0.3, 0.25), (-1.0, 2.0)])
@pytest.mark.parametrize("n, spacing", [(10, SPACINGS[0]), (7, SPACINGS[1]), (100, SPACINGS[2])])
def test_chain_equals_its_closed_form(chain, betas, m, s, n, spacing):
    """Mean and std after every step: 1e-10."""
    settings, rule = CHAINS[chain]
    sigmas = schedules.levels(schedules.Discrete(betas), n, spacing)
    var0 = 1 + float(sigmas[0]) ** 2  # x_T ~ N(0, 1) in sigma's units
    ours = moments(denoisers.gaussian(m, s), sigmas, 0.0, var0, **settings)
    want = textbook.moments(m, s, textbook.respaced(betas, spacing(1000, n)), rule)
    for k, ((mean, var), (mean_want, std_want)) in enumerate(zip(ours, want, strict=True)):
        shrink = 1 / (1 + float(sigmas[k + 1]) ** 2)
        close(mean * math.sqrt(shrink), mean_want, atol=1e-10)
        close(math.sqrt(var * shrink), std_want, atol=1e-10)


def test_eta_1_on_all_levels_is_the_ddpm_posterior():
    """T = 200: each step against mu~ and beta~ from the beta table, the same noise: 1e-9."""
    betas = schedules.scaled_linear_betas(200)
    schedule, z = schedules.Discrete(betas), noises(201)
    sigmas = schedules.levels(schedule, 200)
    denoise, x_t, variance = as_denoiser(schedule), z[-1], schedules.posterior_variance(betas)
    states = trajectory(denoise, start(sigmas, x_t), sigmas, eta=1.0, noise=lambda k, x: z[k])
    for k, (t, state) in enumerate(zip(range(199, -1, -1), states, strict=True)):
        x0 = denoise(x_t * math.sqrt(1 + sigmas[k] ** 2), sigmas[k])
        x_t = schedules.posterior_mean(betas, t, x0, x_t) + variance[t].sqrt() * z[k]
        close(state / math.sqrt(1 + sigmas[k + 1] ** 2), x_t, atol=1e-9)


@pytest.mark.parametrize("n, want", [(1000, 0.246), (200, 0.235), (50, 0.206)])
def test_published_bias_of_ddpm(n, want):
    """Linear betas, data std 0.25, eta = 1: what remains of 0.25 after n steps."""
    sigmas = schedules.levels(schedules.Discrete(LINEAR), n, schedules.leading)
    *_, (mean, var) = moments(
        denoisers.gaussian(0.0, 0.25), sigmas, 0.0, 1 + float(sigmas[0]) ** 2, eta=1.0
    )
    assert mean == 0 and math.sqrt(var) == pytest.approx(want, abs=5e-4)


def edm_recursion(sigmas, m, s, mean, var, heun, churn, s_min, s_max, s_noise):
    """Karras et al. 2022, algorithm 2, on D(x) = m + s^2/(s^2 + sigma^2)(x - m)."""
    slope = lambda t: t / (s * s + t * t)  # noqa: E731  (x - D)/sigma = slope (x - m)
    n = len(sigmas) - 1
    for t, t_next in zip(sigmas[:-1], sigmas[1:], strict=True):
        gamma = min(churn / n, math.sqrt(2) - 1) if s_min <= t <= s_max else 0.0
        t_hat = t + gamma * t
        var = var + (t_hat**2 - t**2) * s_noise**2
        gain = 1 + (t_next - t_hat) * slope(t_hat)
        if heun and t_next > 0:
            gain = 1 + (t_next - t_hat) * (slope(t_hat) + slope(t_next) * gain) / 2
        mean, var = m + gain * (mean - m), gain**2 * var
        yield mean, var


@pytest.mark.parametrize("heun", [False, True])
@pytest.mark.parametrize("churn, s_min, s_max, s_noise", [
    (0.0, 0.0, math.inf, 1.0), (40.0, 0.05, 50.0, 1.003), (5.0, 0.0, math.inf, 1.0),
])  # fmt: skip
def test_edm_equals_its_closed_form(heun, churn, s_min, s_max, s_noise):
    """Mean and standard deviation after every step, with and without churn: 1e-10."""
    sigmas = schedules.levels(schedules.karras(), 18)
    settings = dict(heun=heun, S_churn=churn, S_min=s_min, S_max=s_max, S_noise=s_noise)
    for m, s in ((0.3, 0.25), (-1.0, 2.0)):
        ours = moments(denoisers.gaussian(m, s), sigmas, 0.2, 80.0**2, **settings)
        want = edm_recursion(
            sigmas.tolist(), m, s, 0.2, 80.0**2, heun, churn, s_min, s_max, s_noise
        )
        for (mean, var), (mean_want, var_want) in zip(ours, want, strict=True):
            close(mean, mean_want, atol=1e-10)
            close(math.sqrt(var), math.sqrt(var_want), atol=1e-10)


def test_noise_levels_are_the_published_variances():
    """In abar: beta~ = (1-ab')/(1-ab) b and b = 1 - ab/ab', each divided by ab'."""
    sigmas = schedules.Discrete(LINEAR).sigmas
    ab = schedules.alpha_bars(LINEAR)
    b = 1 - ab[1:] / ab[:-1]
    tilde = (1 - ab[:-1]) / (1 - ab[1:]) * b
    close(beta(sigmas[1:], sigmas[:-1]) ** 2 * ab[:-1], b, atol=1e-12)
    close(beta_tilde(sigmas[1:], sigmas[:-1]) ** 2 * ab[:-1], tilde, atol=1e-12)
    close(b, LINEAR[1:], atol=1e-12)
    close(tilde, schedules.posterior_variance(LINEAR)[1:], atol=1e-12)


@pytest.mark.parametrize("t, t_next, want", [
    (420, 400, 0.14771), (980, 960, 0.32460), (487, 486, 0.00979), (999, 998, 0.02),
])  # fmt: skip
def test_published_variances(t, t_next, want):
    """Values in diffusers' own tests of its schedulers: 1e-5."""
    sigma, sigma_next = schedules.Discrete(LINEAR).sigmas[[t, t_next]]
    got = float(beta_tilde(sigma, sigma_next)) ** 2 / (1 + float(sigma_next) ** 2)
    assert got == pytest.approx(want, abs=1e-5 + 5e-6)


# ------------------------------------------------------------------- convergence


@pytest.mark.parametrize("settings, order", [
    (dict(), 1), (dict(eta=0.5), 1), (dict(eta=1.0), 1), (dict(eta=1.0, variance=beta), 1),
    (dict(heun=True), 2),
], ids=named)  # fmt: skip
def test_converges_to_the_data_with_its_order(settings, order):
    """Std error at sigma_min = 0.02 for N = 32 to 512: order within 0.15, and tiny at the end."""
    m, s = 0.3, 0.5
    errors = []
    for n in (32, 64, 128, 256, 512):
        sigmas = schedules.levels(schedules.karras(0.02, 20.0), n)[:-1]
        *_, (mean, var) = moments(
            denoisers.gaussian(m, s), sigmas, m, s * s + float(sigmas[0]) ** 2, **settings
        )
        close(mean, m, atol=1e-10)
        errors.append(abs(math.sqrt(var) - math.sqrt(s * s + 0.02**2)))
    rates = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert rates[-1] == pytest.approx(order, abs=0.05), rates
    assert errors[-1] < (5e-3 if order == 1 else 1e-4)


def test_deterministic_samplers_follow_the_exact_flow():
    """x(sigma) = m + (x - m) sqrt((s^2 + sigma^2)/(s^2 + sigma_0^2)), every state, 1e-3."""
    m, s = 0.3, 0.5
    sigmas = schedules.levels(schedules.karras(0.02, 20.0), 256)[:-1]
    x = torch.tensor([[25.0], [-13.0]], dtype=F64)
    states = trajectory(denoisers.gaussian(m, s), x, sigmas, heun=True)
    for sigma, state in zip(sigmas[1:], states, strict=True):
        flow = ((s * s + sigma**2) / (s * s + sigmas[0] ** 2)).sqrt()
        close(state, m + (x - m) * flow, atol=1e-3)


ONE_RANGE = {
    "karras": schedules.karras(0.02, 20.0),
    "phi*": schedules.log_logistic(0.3, 0.02, 20.0),
    "log": schedules.log_uniform(0.02, 20.0),
}


@pytest.mark.parametrize("grid", ONE_RANGE)
@pytest.mark.parametrize("heun, order", [(False, 1), (True, 2)])
def test_order_of_convergence_on_every_grid(grid, heun, order):
    """Gaussian data, each of four paths against the exact flow, N = 64, 128, 256: order 5 %."""
    m, s, x = 0.3, 0.5, torch.tensor([[25.0], [-13.0], [3.0], [-0.5]], dtype=F64)
    errors, flow = [], (s * s + 0.02**2) ** 0.5 / (s * s + 20.0**2) ** 0.5
    for n in (64, 128, 256):
        sigmas = schedules.levels(ONE_RANGE[grid], n)[:-1]
        found = sample(denoisers.gaussian(m, s), x, sigmas, heun=heun)
        errors.append((found - m - flow * (x - m)).abs())
    close((errors[1] / errors[2]).log2(), torch.full((4, 1), float(order)), atol=0.03 * order)
    assert float((errors[2] / (x - m).abs()).max()) < (1e-3 if order == 1 else 1e-5)


@pytest.mark.parametrize("grid", ONE_RANGE)
@pytest.mark.parametrize("heun, order", [(False, 1), (True, 2)])
def test_order_of_convergence_on_a_mixture(grid, heun, order):
    """Two peaks, the flow by scipy's DOP853 at 1e-11, between the peaks too: order within 0.2."""
    from scipy.integrate import solve_ivp

    weights, means, stds = ([0.3, 0.7], [[-0.8], [0.5]], [0.3, 0.4])
    denoise = denoisers.mixture(*(torch.tensor(a, dtype=F64) for a in (weights, means, stds)))
    x = torch.tensor([[-21.0], [4.0], [16.0]], dtype=F64)
    slope = lambda t, y: (y - denoise(torch.as_tensor(y)[:, None], t)[:, 0].numpy()) / t  # noqa: E731
    exact = solve_ivp(slope, (20.0, 0.02), x[:, 0].numpy(), "DOP853", rtol=1e-11, atol=1e-12)
    errors, end = [], torch.from_numpy(exact.y[:, -1].copy())
    for n in (100, 200):
        sigmas = schedules.levels(ONE_RANGE[grid], n)[:-1]
        errors.append((sample(denoise, x, sigmas, heun=heun)[:, 0] - end).abs())
    close((errors[0] / errors[1]).log2(), torch.full((3,), float(order)), atol=0.2)


@pytest.mark.parametrize("schedule", [
    schedules.karras(), schedules.log_logistic(0.3), schedules.log_uniform(),
], ids=["karras", "phi*", "log"])  # fmt: skip
def test_heun_ends_where_the_flow_does(schedule):
    """x(0) = m + s/sqrt(s^2 + 80^2) (x - m) on EDM's own range; Euler's last step costs 2 %."""
    m, s, x = 0.3, 0.25, torch.linspace(-200, 200, 6, dtype=F64)[:, None]
    found = samplers.heun(denoisers.gaussian(m, s), x, schedules.levels(schedule, 300))
    exact = m + s / math.sqrt(s * s + 80**2) * (x - m)
    close(found, exact, atol=5e-4)
    assert float((exact - m).abs().max()) > 0.5


@pytest.mark.parametrize("order", [2, 3, 4])
def test_adams_bashforth_is_the_textbook_recursion(order):
    """Equal steps, every state against x + h sum w_i d_i with scipy's integrals of Lagrange's
    polynomials as weights, 1e-12; Euler's in the last step, to 0.
    """
    from scipy.interpolate import lagrange

    x = torch.linspace(-3, 3, 6, dtype=F64)[:, None]
    sigmas = torch.linspace(2, 0, 11, dtype=F64)
    denoise = denoisers.mixture(
        *(torch.tensor(a, dtype=F64) for a in ([0.3, 0.7], [[-0.8], [0.5]], [0.3, 0.4]))
    )
    want, slopes = x, []
    states = trajectory(denoise, x, sigmas, order=order)
    for k, found in enumerate(states):
        slopes.append((want - denoise(want, sigmas[k])) / sigmas[k])
        last = slopes[-order:] if sigmas[k + 1] > 0 else slopes[-1:]
        nodes = [*range(1 - len(last), 1)]  # in steps; the new one is at 1
        weights = [lagrange(nodes, row).integ() for row in np.eye(len(last))]
        step = sum((w(1.0) - w(0.0)) * d for w, d in zip(weights, last, strict=True))
        want = want + (sigmas[k + 1] - sigmas[k]) * step
        close(found, want, atol=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
def test_order_of_adams_bashforth(order):
    """Gaussian data, against the exact flow, in equal steps, within 0.2; the row of slopes begins
    at sigma = 200, where the path is straight, since its first steps are of lower order.
    """
    m, s, x = 0.3, 3.0, torch.tensor([[40.0], [-20.0], [1.0]], dtype=F64)
    errors = []
    for n in (1600, 3200):
        sigmas = torch.linspace(200.0, 2.0, n + 1, dtype=F64)
        flow = ((s * s + sigmas[-1] ** 2) / (s * s + sigmas[0] ** 2)).sqrt()
        found = sample(denoisers.gaussian(m, s), x, sigmas, order=order)
        errors.append((found - m - flow * (x - m)).abs())
    close((errors[0] / errors[1]).log2(), torch.full((3, 1), float(order)), atol=0.2)


def test_adams_bashforth_beats_heun_at_equal_calls():
    """A mixture on Karras's grid, 19 calls each, the flow by scipy: orders 2 to 4 are nearer."""
    from scipy.integrate import solve_ivp

    weights, means, stds = ([0.3, 0.7], [[-0.8], [0.5]], [0.1, 0.2])
    denoise = denoisers.mixture(*(torch.tensor(a, dtype=F64) for a in (weights, means, stds)))
    x = 80 * torch.linspace(-2, 2, 21, dtype=F64)[:, None]
    slope = lambda t, y: (y - denoise(torch.as_tensor(y)[:, None], t)[:, 0].numpy()) / t  # noqa: E731
    exact = solve_ivp(slope, (80.0, 0.002), x[:, 0].numpy(), "DOP853", rtol=1e-10, atol=1e-11)
    end = torch.from_numpy(exact.y[:, -1].copy())

    def error(n, **settings):
        found = sample(denoise, x, schedules.levels(schedules.karras(), n), **settings)
        return float((found[:, 0] - end).square().mean().sqrt())

    of_heun = error(10, heun=True)
    assert all(error(19, order=order) < of_heun < error(19) for order in (2, 3, 4))


@pytest.mark.parametrize("settings, message", [
    (dict(order=5), "1 .Euler. to 4"), (dict(order=0), "1 .Euler. to 4"),
    (dict(order=2, eta=0.5), "fresh noise"), (dict(order=2, heun=True), "another solver"),
    (dict(order=3, S_churn=1.0), "fresh noise"), (dict(order=4, first=2), "start in the middle"),
], ids=named)  # fmt: skip
def test_orders_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        sample(smooth, torch.ones(1, 1), schedules.levels(schedules.karras(), 9), **settings)


def test_mixture_is_sampled_with_its_weights():
    """A skewed mixture, 20,000 samples: weights, means, stds within 4 standard errors + 1 %."""
    weights, means, stds = ([0.3, 0.7], [[-0.8], [0.5]], [0.1, 0.2])
    denoise = denoisers.mixture(*(torch.tensor(a, dtype=F64) for a in (weights, means, stds)))
    g = torch.Generator().manual_seed(0)
    noise = lambda k, x: torch.randn(x.shape, generator=g, dtype=F64)  # noqa: E731
    sigmas = schedules.levels(schedules.karras(0.005, 40.0), 100)
    for settings in (dict(eta=1.0), dict(heun=True)):
        x = 40 * noise(0, torch.empty(20_000, 1))
        x = sample(denoise, x, sigmas, noise=noise, **settings)[:, 0]
        low = x < -0.3
        assert float(low.double().mean()) == pytest.approx(0.3, abs=0.013 + 0.01)
        for part, m, s in ((x[low], -0.8, 0.1), (x[~low], 0.5, 0.2)):
            assert float(part.mean()) == pytest.approx(m, abs=0.01)
            assert float(part.std()) == pytest.approx(s, rel=0.05)


# ------------------------------------------------------------------- diffusers


def odd_network(x, t):
    """A made-up eps-network, nonlinear in x_t and different at every timestep."""
    return torch.tanh(1.3 * x + 0.002 * t) + 0.2 * x.flip(-1)


def as_denoiser(schedule):
    def denoise(x, sigma):
        t = float(schedule.t(torch.as_tensor(sigma, dtype=F64)))
        return x - sigma * odd_network(x / math.sqrt(1 + sigma**2), t)

    return denoise


def noises(n):
    return torch.randn(n, 4, 3, generator=torch.Generator().manual_seed(5), dtype=F64)


def diffusers_chain(monkeypatch, kind, n, patched, **settings):
    """Timestep, previous timestep, state before and state after every step."""
    import diffusers
    from diffusers.schedulers import scheduling_ddpm

    eta = settings.pop("eta", 0.0)
    other = getattr(diffusers, kind)(1000, 1e-4, 0.02, clip_sample=False, **settings)
    if patched:
        other.alphas_cumprod = schedules.alpha_bars(LINEAR)
    other.set_timesteps(n)
    z, k = noises(n), 0
    monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *a, **kw: z[k])
    # diffusers adds noise to the last state whenever its timestep is not 0 (trailing); we do not
    z[-1] = 0.0
    x = noises(n + 1)[-1]
    for k, t in enumerate(other.timesteps):  # noqa: B007  (k is read by the patched function)
        before = x
        extra = {} if kind == "DDPMScheduler" else dict(eta=eta, variance_noise=z[k])
        x = other.step(odd_network(x, float(t)), t, x, **extra).prev_sample
        previous = other.previous_timestep(t) if kind == "DDPMScheduler" else t - 1000 // n
        yield int(t), max(int(previous), -1), before, x


KINDS = [
    ("DDIMScheduler", dict(eta=0.0), dict(eta=0.0)),
    ("DDIMScheduler", dict(eta=0.5), dict(eta=0.5)),
    ("DDIMScheduler", dict(eta=1.0), dict(eta=1.0)),
    ("DDPMScheduler", dict(variance_type="fixed_small"), dict(eta=1.0)),
    ("DDPMScheduler", dict(variance_type="fixed_large"), dict(eta=1.0, variance=beta)),
]


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("n", [10, 50, 1000])
@pytest.mark.parametrize("kind, theirs, ours", KINDS)
def test_every_step_equals_diffusers(monkeypatch, kind, theirs, ours, n, spacing):
    """Tables in float64, same network, same noise: 1e-9 after every step, as one chain.

    DDIMScheduler goes to t - T // n even where linspace's next timestep is another; there each
    of its steps is compared alone.
    """
    schedule = schedules.Discrete(LINEAR)
    sigmas = schedules.levels(schedule, n, spacing)
    denoise, z = as_denoiser(schedule), noises(n)
    settings = dict(noise=lambda k, x: z[k], **ours)
    theirs = dict(theirs, timestep_spacing=spacing.__name__)
    chain = list(diffusers_chain(monkeypatch, kind, n, True, **theirs))
    stray = kind == "DDIMScheduler" and spacing is schedules.linspace and n < 1000
    assert [t for t, *_ in chain] == spacing(1000, n).tolist()
    if not stray:
        assert [t for t, *_ in chain[1:]] + [-1] == [previous for _, previous, *_ in chain]
        states = trajectory(denoise, start(sigmas, chain[0][2]), sigmas, **settings)
        for sigma, state, (*_, after) in zip(sigmas[1:], states, chain, strict=True):
            close(state / math.sqrt(1 + sigma**2), after, atol=1e-9)
        return
    levels = torch.cat([schedule.sigmas, torch.zeros(1, dtype=F64)])  # [-1] is the clean image
    for k, (t, previous, before, after) in enumerate(chain):
        one = torch.stack([levels[t], levels[previous]])
        settings["noise"] = lambda _, x, k=k: z[k]
        state = sample(denoise, before * math.sqrt(1 + one[0] ** 2), one, **settings)
        close(state / math.sqrt(1 + one[1] ** 2), after, atol=1e-9)


@pytest.mark.parametrize("kind, theirs, ours", KINDS)
def test_chain_equals_unpatched_diffusers(monkeypatch, kind, theirs, ours):
    """Its float32 tables are 1e-3 relative in sigma; 50 states: 1e-3, and 1e-5 of their size."""
    schedule = schedules.Discrete(LINEAR)
    sigmas, z = schedules.levels(schedule, 50), noises(50)
    theirs = dict(theirs, timestep_spacing="trailing")
    chain = list(diffusers_chain(monkeypatch, kind, 50, False, **theirs))
    states = trajectory(
        as_denoiser(schedule), start(sigmas, chain[0][2]), sigmas, noise=lambda k, x: z[k], **ours
    )
    for sigma, state, (*_, after) in zip(sigmas[1:], states, chain, strict=True):
        close(state / math.sqrt(1 + sigma**2), after, atol=1e-3, rtol=1e-5)


def test_clipping_the_estimate_equals_diffusers(monkeypatch):
    """clip_sample=True clips x0_hat, as `clipped` does: 1e-9."""
    import diffusers
    from diffusers.schedulers import scheduling_ddpm

    schedule, z = schedules.Discrete(LINEAR), noises(50)
    sigmas = schedules.levels(schedule, 50)
    z[-1] = 0.0
    for kind, extra, eta in (
        ("DDPMScheduler", {}, 1.0),
        ("DDIMScheduler", dict(use_clipped_model_output=True), 0.0),
    ):
        other = getattr(diffusers, kind)(1000, 1e-4, 0.02, timestep_spacing="trailing")
        other.alphas_cumprod = schedules.alpha_bars(LINEAR)
        other.set_timesteps(50)
        x = x_T = noises(51)[-1]
        for k, t in enumerate(other.timesteps):
            monkeypatch.setattr(scheduling_ddpm, "randn_tensor", lambda *a, k=k, **kw: z[k])
            x = other.step(odd_network(x, float(t)), t, x, **extra).prev_sample
        denoise = denoisers.clipped(as_denoiser(schedule))
        got = sample(denoise, start(sigmas, x_T), sigmas, eta=eta, noise=lambda k, x: z[k])
        close(got, x, atol=1e-9)


def test_heun_equals_diffusers():
    """HeunDiscreteScheduler with our levels in float64: 1e-9 after every full step."""
    from diffusers import HeunDiscreteScheduler

    sigmas = schedules.levels(schedules.karras(), 18)
    denoise = denoisers.mixture(torch.tensor([0.5, 0.5]), torch.eye(3)[:2], torch.full((2,), 0.2))
    other = HeunDiscreteScheduler(prediction_type="sample")
    other.set_timesteps(18)
    other.sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
    x = 80 * noises(1)[0]
    states = list(trajectory(denoise, x, sigmas, heun=True))
    for i, t in enumerate(other.timesteps):
        level = sigmas[(i + 1) // 2]
        x = other.step(denoise(x, level), t, x).prev_sample
        if i % 2 or i == len(other.timesteps) - 1:
            close(x, states[i // 2], atol=1e-9)


def test_adams_bashforth_equals_diffusers():
    """IPNDMScheduler with its own levels in float64, but the first, which is infinite: 1e-9.

    Up to the last step, which is Euler's here.  It keeps variances and is told v.
    """
    from diffusers import IPNDMScheduler

    other = IPNDMScheduler()
    other.set_timesteps(12)
    other.betas = (torch.linspace(1, 0, 13, dtype=F64) * math.pi / 2).sin() ** 2
    other.alphas = (1 - other.betas**2).sqrt()
    other.set_begin_index(1)
    sigmas = (other.betas / other.alphas)[1:]
    denoise = denoisers.mixture(torch.tensor([0.5, 0.5]), torch.eye(3)[:2], torch.full((2,), 0.2))
    x = sigmas[0] * noises(1)[0]
    states = list(trajectory(denoise, x, sigmas, order=4))
    for k in range(len(sigmas) - 2):
        alpha, D = other.alphas[k + 1], denoise(x, sigmas[k])
        v = alpha * ((x - D) / sigmas[k] - sigmas[k] * D)
        x = other.step(v, other.timesteps[k + 1], alpha * x).prev_sample / other.alphas[k + 2]
        close(x, states[k], atol=1e-9)


def test_karras_levels_equal_diffusers():
    """EDMEulerScheduler's levels are float32: 1e-5 relative."""
    from diffusers import EDMEulerScheduler

    other = EDMEulerScheduler()
    other.set_timesteps(18)
    close(schedules.levels(schedules.karras(), 18), other.sigmas, rtol=1e-5)


@pytest.mark.parametrize("kind", ["EDMEulerScheduler", "EDMDPMSolverMultistepScheduler"])
@pytest.mark.parametrize("sigma_data", [0.25, 0.5, 1.0])
def test_preconditioning_equals_diffusers(kind, sigma_data):
    """What the network sees and what comes of its answer, float64, element by element: 1e-13.

    Its c_noise is ln(sigma)/4; ours is that, stretched to 0 .. 1000 over EDM's range.
    """
    import diffusers

    from diffutils.denoisers import Denoiser, edm, rescaled

    other = getattr(diffusers, kind)(sigma_data=sigma_data)
    x, seen = noises(5)[:, None], []

    class Odd(torch.nn.Module):
        def forward(self, x, c_noise, labels=None, cond=None):
            seen.append((x, c_noise))
            return odd_network(x, c_noise.view(-1, 1, 1, 1))

    ours = Denoiser(Odd(), lambda s: edm(s, sigma_data), rescaled(torch.log))
    levels = torch.tensor([0.002, 0.05, 0.5, 3.0, 80.0], dtype=F64)
    got = ours(x, levels)
    inputs, told = seen[0]
    low, high = other.precondition_noise(levels)[[0, -1]]
    for i, sigma in enumerate(levels):
        close(inputs[i], other.precondition_inputs(x[i], sigma), rtol=1e-13)
        close(told[i], 1000 * (other.precondition_noise(sigma) - low) / (high - low), atol=1e-9)
        F = odd_network(inputs[i], told[i])
        close(got[i], other.precondition_outputs(x[i], F, sigma), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("churn", [0.0, 4.0, 1000.0])
def test_euler_with_churn_equals_diffusers(monkeypatch, churn):
    """EDMEulerScheduler, same noise and estimates, each step from our state: 3e-7 of its size.

    It keeps states in float32.  It would ask the network before the churn, so it is told D.
    """
    from diffusers import EDMEulerScheduler
    from diffusers.schedulers import scheduling_edm_euler as theirs

    other, draws = EDMEulerScheduler(), noises(18)
    other.set_timesteps(18)
    sigmas = schedules.levels(schedules.karras(), 18)
    other.sigmas = sigmas
    other.is_scale_input_called = True
    data = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=F64)
    denoise, asked, drawn = denoisers.finite(data), [], []

    def spy(x, sigma):
        asked.append(denoise(x, sigma))
        return asked[-1]

    x = (80 * draws[-1]).float().double()
    states = trajectory(spy, x, sigmas, noise=lambda k, x: drawn.append(k) or draws[k - 18],
                        S_churn=churn, S_min=0.05, S_max=50.0, S_noise=1.003)  # fmt: skip
    for k, (t, state) in enumerate(zip(other.timesteps, states, strict=True)):
        monkeypatch.setattr(theirs, "randn_tensor", lambda *a, k=k, **kw: draws[k])
        want = other.step(asked[k], t, x, s_churn=churn, s_tmin=0.05, s_tmax=50.0, s_noise=1.003,
                          pred_original_sample=asked[k]).prev_sample  # fmt: skip
        close(state, want, atol=3e-7 * float(x.abs().max() + 80 * (churn > 0) * sigmas[k] / 80))
        x = state
    inside = [18 + k for k in range(18) if 0.05 <= sigmas[k] <= 50]
    assert drawn == (inside if churn else [])


# ------------------------------------------------------------------- EDM's Algorithm 2


def algorithm_2(D, x, t, S_churn, S_tmin, S_tmax, S_noise, draws):
    """Karras et al. 2022, algorithm 2, line by line."""
    N = len(t) - 1
    for i in range(N):
        gamma = min(S_churn / N, math.sqrt(2) - 1) if S_tmin <= t[i] <= S_tmax else 0.0
        epsilon = S_noise * draws[i]
        t_hat = t[i] + gamma * t[i]
        x_hat = x + math.sqrt(t_hat**2 - t[i] ** 2) * epsilon
        d = (x_hat - D(x_hat, t_hat)) / t_hat
        x = x_hat + (t[i + 1] - t_hat) * d
        if t[i + 1] != 0:
            d_prime = (x - D(x, t[i + 1])) / t[i + 1]
            x = x_hat + (t[i + 1] - t_hat) * (d / 2 + d_prime / 2)
        yield x


@pytest.mark.parametrize("churn", [0.0, 4.0, 40.0, 1000.0])
def test_heun_is_algorithm_2(churn):
    """Finite data, 1e-10 after every step."""
    data = torch.randn(5, 3, generator=torch.Generator().manual_seed(1), dtype=F64)
    denoise, draws = denoisers.finite(data), noises(18)
    sigmas = schedules.levels(schedules.karras(), 18)
    x = 80 * draws[-1]
    want = algorithm_2(denoise, x, sigmas.tolist(), churn, 0.05, 50.0, 1.003, draws)
    knobs = dict(S_churn=churn, S_min=0.05, S_max=50.0, S_noise=1.003)
    got = trajectory(denoise, x, sigmas, heun=True, noise=lambda k, x: draws[k - 18], **knobs)
    for a, b in zip(got, want, strict=True):
        close(a, b, atol=1e-10)


# ------------------------------------------------------------------- inversion


GRIDS = {
    "linear, trailing": schedules.levels(schedules.Discrete(LINEAR), 40),
    "cosine, leading": schedules.levels(schedules.Discrete(COSINE), 25, schedules.leading),
    "karras": schedules.levels(schedules.karras(), 18),
}


@pytest.mark.parametrize("grid", GRIDS)
@pytest.mark.parametrize("m, s", [(0.3, 0.25), (-1.0, 2.0)])
def test_inversion_equals_its_closed_form(grid, m, s):
    """Gaussian data, every state: x - m grows by 1 + (sigma' - sigma) level/(s^2 + level^2)."""
    levels = GRIDS[grid].flip(0)
    x = torch.tensor([[0.1], [-3.0], [m]], dtype=F64)
    away, told = x - m, [levels[1], *levels[1:-1]]  # 0 has no direction: the next level's
    states = samplers.inversion(denoisers.gaussian(m, s), x, levels)
    rows = zip(levels[:-1], levels[1:], told, states, strict=True)
    for sigma, sigma_next, level, state in rows:
        away = away * (1 + (sigma_next - sigma) * level / (s * s + level**2))
        shrink = 1 / math.sqrt(1 + sigma_next**2)
        close(state * shrink, (m + away) * shrink, atol=1e-10)
    close(samplers.invert(denoisers.gaussian(m, s), x, levels), state)


def test_inversion_reaches_the_noise_of_the_flow():
    """x(sigma) = m + (x - m) sqrt((s^2 + sigma^2)/s^2): error of first order in the steps."""
    m, s, x = 0.3, 0.5, torch.tensor([[1.1]], dtype=F64)
    flow = m + (x - m) * math.sqrt((s * s + 400) / (s * s))
    errors = []
    for n in (64, 128, 256, 512):
        levels = schedules.levels(schedules.karras(0.002, 20.0), n).flip(0)
        found = samplers.invert(denoisers.gaussian(m, s), x, levels)
        errors.append(float((found / flow - 1).abs()))
    rates = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert rates[-1] == pytest.approx(1, abs=0.05) and errors[-1] < 0.02, (rates, errors)


@pytest.mark.parametrize("grid", ["karras", "linear"])
def test_sampling_back_reconstructs(grid):
    """Two peaks, image -> noise -> image: the error halves as the steps double."""
    denoise = denoisers.mixture(
        torch.tensor([0.4, 0.6]), torch.tensor([[-0.8], [0.5]]), torch.tensor([0.2, 0.3])
    )
    schedule = schedules.karras(0.002, 20.0) if grid == "karras" else schedules.Discrete(LINEAR)
    x = torch.linspace(-1.2, 1.2, 25, dtype=F64)[:, None]
    errors = []
    for n in (50, 100, 200, 400):
        sigmas = schedules.levels(schedule, n)
        noise = samplers.invert(denoise, x, sigmas.flip(0))
        errors.append(float((samplers.ddim(denoise, noise, sigmas) - x).square().mean().sqrt()))
    rates = [math.log2(a / b) for a, b in zip(errors, errors[1:], strict=False)]
    assert min(rates) > 0.6 and rates[-1] == pytest.approx(1, abs=0.25), (rates, errors)
    assert errors[-1] < 0.03


@pytest.mark.parametrize("spacing", ["leading", "trailing"])
@pytest.mark.parametrize("n", [10, 50, 1000])
def test_every_step_up_equals_diffusers(n, spacing):
    """DDIMInverseScheduler, table in float64, the same eps at every step: 1e-9 after each.

    Its pipelines ask the network at the timestep that the step goes to, with a state that is less
    noisy; we ask at the one it begins at, as Song et al. do.  The scheduler takes either.
    """
    from diffusers import DDIMInverseScheduler

    schedule = schedules.Discrete(LINEAR)
    levels = schedules.levels(schedule, n, getattr(schedules, spacing)).flip(0)
    other = DDIMInverseScheduler(1000, 1e-4, 0.02, clip_sample=False, timestep_spacing=spacing)
    other.alphas_cumprod = schedules.alpha_bars(LINEAR)
    other.set_timesteps(n)
    denoise, asked = as_denoiser(schedule), []

    def spy(x, sigma):
        asked.append((x, sigma))
        return denoise(x, sigma)

    theirs = x = 0.3 * noises(1)[0]
    states = samplers.inversion(spy, x, levels)
    for t, sigma, state in zip(other.timesteps, levels[1:], states, strict=True):
        seen, level = asked[-1]
        eps = (seen - denoise(seen, level)) / level
        theirs = other.step(eps, int(t), theirs).prev_sample
        close(state / math.sqrt(1 + sigma**2), theirs, atol=1e-9)
    assert len(asked) == n and min(float(level) for _, level in asked) == float(levels[1])


def test_inversion_uses_no_gradient_unless_walked():
    gain = torch.tensor(0.7, requires_grad=True)
    levels = schedules.levels(schedules.karras(), 4).flip(0)
    denoise = lambda x, s: gain * x / (1 + s)  # noqa: E731
    assert not samplers.invert(denoise, torch.ones(1, 1), levels).requires_grad
    *_, last = samplers.inversion(denoise, torch.ones(1, 1), levels)
    assert last.requires_grad


@pytest.mark.parametrize("levels, message", [
    ([2.0, 1.0, 0.0], "inversion must rise strictly.*flip"),
    ([0.0, 1.0, 1.0], "must rise strictly"),
    ([-0.1, 1.0], "must rise strictly"),
    ([0.0], "must rise strictly"),
    ([0.0, 1.0, math.inf], "highest noise level is infinite"),
])  # fmt: skip
def test_bad_levels_of_an_inversion(levels, message):
    with pytest.raises(ValueError, match=message):
        samplers.invert(smooth, torch.ones(1, 1), torch.tensor(levels, dtype=F64))


# ------------------------------------------------------------------- between two noises


def test_slerp_is_the_rotation_in_the_plane_of_both():
    """cos(t theta) e1 + sin(t theta) e2, e2 from Gram-Schmidt, a t for each sample: 1e-12."""
    z = noises(4)
    a, b = (z / z.flatten(1).norm(dim=1)[:, None, None]).split(2)
    t = torch.tensor([0.3, 0.85], dtype=F64)
    for one, other, share, got in zip(a, b, t, samplers.slerp(a, b, t), strict=True):
        cosine = float((one * other).sum())
        across = other - cosine * one
        angle = float(share) * math.acos(cosine)
        close(got, math.cos(angle) * one + math.sin(angle) * across / across.norm(), atol=1e-12)


def test_slerp_begins_at_a_ends_at_b_and_keeps_the_norm():
    z = noises(6)
    a, b = z[:3], z[3:] / z[3:].flatten(1).norm(dim=1)[:, None, None]
    b = b * a.flatten(1).norm(dim=1)[:, None, None]
    close(samplers.slerp(a, b, 0.0), a, atol=1e-14)
    close(samplers.slerp(a, b, 1.0), b, atol=1e-14)
    for t in (0.1, 0.5, 0.9):
        norm = samplers.slerp(a, b, t).flatten(1).norm(dim=1)
        close(norm, a.flatten(1).norm(dim=1), rtol=1e-12)
        close(samplers.slerp(a, b, t), samplers.slerp(b, a, 1 - t), atol=1e-12)
    line = ((a + b) / 2).flatten(1).norm(dim=1)
    assert float((line / a.flatten(1).norm(dim=1)).max()) < 0.95  # what the arc avoids


def test_slerp_of_right_angles_and_unequal_norms():
    """sin and cos for a right angle, and the weights do not depend on the lengths."""
    a, b = torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 6.0]])
    close(samplers.slerp(a, b, 1 / 3), [[2 * math.cos(math.pi / 6), 6 * 0.5]], atol=1e-6)


def test_slerp_of_parallel_noises_is_the_straight_line():
    """Equal, of other length, nearly parallel: the line to 3e-6 in float32."""
    a = torch.randn(3, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    b = torch.stack([a[0], 3 * a[1], a[2] + 1e-6])
    for t in (0.0, 0.25, 1.0):
        close(samplers.slerp(a, b, t), (1 - t) * a + t * b, atol=3e-6)


def test_slerp_refuses_what_has_no_answer():
    a = torch.randn(2, 3)
    with pytest.raises(ValueError, match="two opposite noises.*draw one of them again"):
        samplers.slerp(a, torch.stack([a[0], -2 * a[1]]), 0.5)
    with pytest.raises(ValueError, match="one number or one for each of the 2 samples, got 3"):
        samplers.slerp(a, a, torch.linspace(0, 1, 3))
    with pytest.raises(ValueError, match=r"one shape, got \(2, 3\) and \(2, 4\)"):
        samplers.slerp(a, torch.zeros(2, 4), 0.5)


# ------------------------------------------------------------------- simple data


@pytest.mark.parametrize("settings", [
    dict(), dict(eta=1.0), dict(eta=1.0, variance=beta), dict(heun=True), dict(S_churn=10.0),
], ids=named)  # fmt: skip
def test_single_point_data(settings):
    """Every sampler ends exactly on the only image, in float32, from any start."""
    image = torch.rand(3, 4, 4, generator=torch.Generator().manual_seed(0))
    for schedule in (schedules.Discrete(COSINE), schedules.karras()):
        for n in (1, 2, 20):
            sigmas = schedules.levels(schedule, n)
            x = start(sigmas, torch.randn(5, 3, 4, 4))
            out = sample(denoisers.point(image), x, sigmas, **settings)
            assert torch.equal(out, image.expand(5, 3, 4, 4))


@pytest.mark.parametrize("settings", [dict(heun=True), dict(), dict(eta=1.0)], ids=str)
def test_finite_data_ends_on_a_data_point(settings):
    data = torch.randn(6, 2, generator=torch.Generator().manual_seed(3))
    sigmas = schedules.levels(schedules.karras(), 60)
    x = 80 * torch.randn(200, 2, generator=torch.Generator().manual_seed(4))
    out = sample(denoisers.finite(data), x, sigmas, **settings)
    distance, which = torch.cdist(out, data).min(1)
    assert float(distance.max()) < 1e-5
    assert len(which.unique()) == 6  # and all of them are found


def test_float32_is_close_to_float64():
    """1e-5 on two narrow peaks for DDIM, also from sigma = 20,000; 1e-4 for Heun on [0.002, 80]."""
    denoise = denoisers.mixture(
        torch.tensor([0.5, 0.5]), torch.tensor([[-0.7], [0.7]]), torch.tensor([0.1, 0.1])
    )
    z = torch.randn(500, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
    for schedule, heun, atol in (
        (schedules.Discrete(LINEAR), False, 1e-5),
        (schedules.Discrete(COSINE), False, 1e-5),
        (schedules.karras(), True, 1e-4),
    ):
        for n in (1, 4, 40):
            sigmas = schedules.levels(schedule, n)
            exact = sample(denoise, start(sigmas, z), sigmas, heun=heun)
            close(sample(denoise, start(sigmas, z.float()), sigmas, heun=heun), exact, atol=atol)


def test_a_start_halfway_is_the_tail_of_the_levels():
    """From x0 + sigma_0 n, sigmas below sigma_0: the spread is that of the posterior flow."""
    m, s = 0.0, 0.5
    sigmas = schedules.levels(schedules.karras(), 200)
    tail = sigmas[sigmas <= 1.0]
    *_, (mean, var) = moments(
        denoisers.gaussian(m, s), tail, 0.0, s * s + float(tail[0]) ** 2, heun=True
    )
    assert math.sqrt(var) == pytest.approx(s, abs=1e-3)


# ------------------------------------------------------------------- randomness


def smooth(x, sigma):
    return torch.tanh(x / (1 + sigma))


@pytest.mark.parametrize("settings", [
    dict(eta=1.0), dict(eta=0.5, variance=beta), dict(heun=True, S_churn=20.0),
], ids=named)  # fmt: skip
def test_a_sample_does_not_depend_on_its_batch(settings):
    """Bit for bit with seeded_noise: alone, in the batch, in another order."""
    sigmas = schedules.levels(schedules.karras(), 12)
    z = 80 * torch.randn(9, 3, 4, 4, generator=torch.Generator().manual_seed(0))

    def run(index):
        noise = samplers.seeded_noise(3, index)
        return sample(smooth, z[index], sigmas, noise=noise, **settings)

    whole = run(torch.arange(9))
    assert all(torch.equal(run(torch.tensor([i]))[0], whole[i]) for i in range(9))
    order = torch.tensor([5, 0, 8])
    assert torch.equal(run(order), whole[order])
    other = sample(smooth, z, sigmas, noise=samplers.seeded_noise(4, torch.arange(9)), **settings)
    assert not torch.equal(other, whole)


def test_each_draw_is_used_once():
    """eta draws at every step but the last, churn where S_min <= sigma <= S_max, none twice."""
    sigmas = schedules.levels(schedules.karras(), 10)
    seen = []
    noise = lambda k, x: seen.append(k) or torch.zeros_like(x)  # noqa: E731
    sample(smooth, torch.ones(1, 1), sigmas, eta=1.0, noise=noise)
    assert seen == list(range(9))
    seen.clear()
    sample(smooth, torch.ones(1, 1), sigmas, eta=1.0, S_churn=5.0, S_min=0.1, S_max=50.0,
           noise=noise)  # fmt: skip
    inside = [10 + k for k in range(10) if 0.1 <= sigmas[k] <= 50]
    assert sorted(seen) == sorted([*range(9), *inside]) and len(set(seen)) == len(seen)


@pytest.mark.parametrize("heun", [False, True])
def test_deterministic_samplers_use_no_randomness(heun):
    state = torch.get_rng_state()
    sample(smooth, torch.ones(2, 3), schedules.levels(schedules.karras(), 9), heun=heun,
           noise=silent)  # fmt: skip
    assert torch.equal(torch.get_rng_state(), state)


def test_number_of_network_calls():
    """Euler and Adams-Bashforth N, Heun 2N - 1, and never at sigma = 0."""
    for settings, want in (({}, 18), ({"order": 4}, 18), ({"heun": True}, 35)):
        levels = []

        def spy(x, sigma, levels=levels):
            levels.append(float(sigma))
            return 0 * x

        sample(spy, torch.ones(1, 1), schedules.levels(schedules.karras(), 18), **settings)
        assert len(levels) == want and min(levels) > 0


def test_named_samplers_are_settings():
    sigmas = schedules.levels(schedules.karras(), 8)
    x = torch.linspace(-80, 80, 5)[:, None]
    noise = samplers.seeded_noise(0, torch.arange(5))
    for sampler, settings in (
        (samplers.ddim, dict()), (samplers.ddpm, dict(eta=1.0)), (samplers.heun, dict(heun=True)),
    ):  # fmt: skip
        want = sample(smooth, x, sigmas, noise=noise, **settings)
        assert torch.equal(sampler(smooth, x, sigmas, noise=noise), want)


# ------------------------------------------------------------------- starts, hooks, gradients


def test_a_chain_starts_at_pure_noise():
    """VP: x_T = n exactly, so x = sqrt(1 + sigma^2) n; EDM: sigma n."""
    z = noises(1)[0]
    for schedule in (schedules.Discrete(LINEAR), schedules.Discrete(COSINE)):
        sigmas = schedules.levels(schedule, 10)
        close(start(sigmas, z) / math.sqrt(1 + sigmas[0] ** 2), z, atol=1e-14)
        close(start(sigmas, z, variance_preserving=False), sigmas[0] * z, rtol=1e-15)
    low = torch.tensor([0.5, 0.0], dtype=F64)
    close(start(low, z), math.sqrt(1.25) * z, atol=1e-15)


@pytest.mark.parametrize("settings", [dict(eta=1.0), dict(heun=True, S_churn=9.0)], ids=str)
def test_after_step_sees_the_step_and_replaces_its_state(settings):
    """k, x hat, its level, D there, the new state before the hook, its level; then the hook's."""
    sigmas, seen = schedules.levels(schedules.karras(), 6), []
    noise = samplers.seeded_noise(0, torch.arange(2))
    asked = []

    def spy(x, sigma):
        asked.append((x, sigma, smooth(x, sigma)))
        return asked[-1][2]

    def hook(step):
        seen.append(step)
        return torch.full_like(step.x, step.k + 1.0)

    x = torch.ones(2, 1)
    states = list(trajectory(spy, x, sigmas, noise=noise, after_step=hook, **settings))
    assert [float(s[0]) for s in states] == [1, 2, 3, 4, 5, 6]
    calls = 2 if "heun" in settings else 1
    for k, step in enumerate(seen):
        asked_x, asked_sigma, D = asked[calls * k]
        assert step.k == k and step.x is asked_x and step.sigma is asked_sigma and step.D is D
        assert step.sigma_next == sigmas[k + 1] and step.sigma >= sigmas[k]
        before = x if k == 0 else states[k - 1]
        plain = trajectory(smooth, before, sigmas, noise=noise, first=k, **settings)
        assert torch.equal(step.x_next, next(plain))


def test_a_quarter_turn_while_sampling():
    """Turning the state after step k is drawing on with turned data, and turning the end: 1e-10."""
    g = torch.Generator().manual_seed(0)
    data = torch.randn(5, 1, 4, 4, generator=g, dtype=F64)
    z = torch.randn(3, 1, 4, 4, generator=g, dtype=F64)
    sigmas = schedules.levels(schedules.karras(), 12)
    turn = lambda x: x.rot90(1, (2, 3))  # noqa: E731
    straight = lambda x, s: denoisers.finite(data)(x, s)  # noqa: E731
    back = lambda x, s: denoisers.finite(data.rot90(-1, (2, 3)))(x, s)  # noqa: E731
    for settings in (dict(), dict(heun=True)):
        for at in (0, 8, 11):
            hook = lambda step, at=at: turn(step.x_next) if step.k == at else step.x_next  # noqa: E731
            got = sample(straight, 80 * z, sigmas, after_step=hook, **settings)
            *_, half = [*itertools.islice(trajectory(straight, 80 * z, sigmas, **settings), at + 1)]
            want = sample(back, half, sigmas, first=at + 1, **settings) if at < 11 else half
            close(got, turn(want), atol=1e-10)
    assert float((got - sample(straight, 80 * z, sigmas, heun=True)).abs().max()) > 0.1


@pytest.mark.parametrize("wanted", ["graph of the walk", "asked again"])
def test_gradient_guidance_is_the_posterior_of_a_gaussian(wanted):
    """sigma^2 grad log p(y | x_sigma) added to D: every state is that of the posterior's D, 1e-10.

    x0 ~ N(m, s^2), y = x0 + sigma_y n; p(y | x) = N(D, r^2 + sigma_y^2) with
    r^2 = sigma^2 s^2/(sigma^2 + s^2).  The posterior of x0 is a Gaussian, so its D is known.
    """
    m, s, sigma_y = 0.5, 0.2, 0.1
    oracle = denoisers.gaussian(m, s)
    y = torch.tensor([[0.75], [0.2], [0.5]], dtype=F64)
    spread = (1 / s**2 + 1 / sigma_y**2) ** -0.5
    posterior = denoisers.gaussian(spread**2 * (m / s**2 + y / sigma_y**2), spread)

    def towards_y(step):
        r2 = step.sigma**2 * s**2 / (step.sigma**2 + s**2)
        with torch.enable_grad():
            x, D = step.x, step.D
            if wanted == "asked again":
                x = x.detach().requires_grad_()
                D = oracle(x, step.sigma)
            log_p = -(D - y).square().sum() / (2 * (r2 + sigma_y**2))
            (slope,) = torch.autograd.grad(log_p, x)
        # A step moves D by the share 1 - sigma_next/sigma into the new state.
        moved = (1 - step.sigma_next / step.sigma) * step.sigma**2 * slope
        return (step.x_next + moved).detach().requires_grad_()

    sigmas = schedules.levels(schedules.karras(), 40)
    x = (80 * noises(1)[0, :3, :1]).requires_grad_()
    got = trajectory(oracle, x, sigmas, after_step=towards_y)
    want = trajectory(posterior, x.detach(), sigmas)
    for k, (a, b) in enumerate(zip(got, want, strict=True)):
        close(a.detach(), b, atol=1e-10 * max(1.0, float(sigmas[k])))
    assert float((a - denoisers.gaussian(m, s)(x, 80.0)).detach().abs().max()) > 0.05


def test_a_start_from_an_image():
    """x0 + sigma n in both kinds of chain; from the middle of the levels, too."""
    sigmas = schedules.levels(schedules.karras(), 10, from_sigma=0.7)
    x0, z = noises(2)
    for kind in (True, False):
        close(start(sigmas, z, kind, x0), x0 + 0.7 * z, rtol=1e-15)
        close(start(sigmas[4:], z, kind, x0=x0), x0 + sigmas[4] * z, rtol=1e-15)


def test_denoising_from_a_middle_level_keeps_the_data():
    """x0 ~ N(m, s^2), x0 + sigma_0 n, 100 steps down: mean m, std s to 3 %, by Heun 0.5 %."""
    m, s = 0.3, 0.5
    tables = schedules.Discrete(LINEAR), schedules.karras(), schedules.log_logistic(0.3)
    for schedule in tables:
        for settings in (dict(eta=0.0), dict(eta=1.0), dict(heun=True)):
            sigmas = schedules.levels(schedule, 100, from_sigma=1.5)
            assert float(sigmas[0]) == 1.5
            *_, (mean, var) = moments(denoisers.gaussian(m, s), sigmas, m, s * s + 2.25, **settings)
            assert mean == pytest.approx(m, abs=1e-10)
            assert math.sqrt(var) == pytest.approx(s, rel=0.005 if "heun" in settings else 0.03)


# ------------------------------------------------------------------- chains in pieces


@pytest.mark.parametrize("settings", [
    dict(), dict(eta=1.0), dict(eta=0.5, variance=beta), dict(heun=True, S_churn=20.0),
    dict(S_churn=7.0, S_min=0.05, S_max=50.0, eta=0.3),
], ids=named)  # fmt: skip
def test_a_chain_cut_anywhere_is_the_whole_chain(settings):
    """Bit for bit, float32 and float64, the same draws in the same order, and the same churn."""
    sigmas, n = schedules.levels(schedules.karras(), 9), 9
    for dtype in (torch.float32, F64):
        z = 80 * torch.randn(4, 2, generator=torch.Generator().manual_seed(0), dtype=dtype)
        seeded, asked = samplers.seeded_noise(3, torch.arange(4)), []
        noise = lambda k, x: asked.append(k) or seeded(k, x)  # noqa: E731, B023
        whole = list(trajectory(smooth, z, sigmas, noise=noise, **settings))
        draws = asked.copy()
        for cut in range(1, n):
            asked.clear()
            first = [*itertools.islice(trajectory(smooth, z, sigmas, noise=noise, **settings), cut)]
            rest = trajectory(smooth, first[-1], sigmas, noise=noise, first=cut, **settings)
            pieces = [*first, *rest]
            assert all(torch.equal(a, b) for a, b in zip(pieces, whole, strict=True))
            assert asked == draws


def test_a_chain_in_two_pieces_keeps_its_spread():
    """DDPM on N(0, 1), exactly by `moments`' draws: the tail alone adds the same noise twice."""
    sigmas = schedules.levels(schedules.karras(0.02, 20.0), 40)
    z = torch.randn(40_000, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
    noise, D = samplers.seeded_noise(1, torch.arange(40_000)), denoisers.gaussian(0.0, 1.0)
    settings = dict(eta=1.0, noise=noise)
    x = math.sqrt(401) * z
    *_, half = itertools.islice(trajectory(D, x, sigmas, **settings), 20)
    *_, (_, var) = moments(D, sigmas, 0.0, 401.0, eta=1.0)
    whole = float(sample(D, half, sigmas, first=20, **settings).std())
    assert whole == pytest.approx(math.sqrt(var), rel=0.015)  # 4 standard errors
    naive = float(sample(D, half, sigmas[20:], **settings).std())
    assert naive > 1.05 * math.sqrt(var)


def test_noise_and_denoise_ten_times_keeps_the_spread():
    """Up to sigma = 1 and down again, DDPM on N(0, 1): each round by draws of its own."""
    sigmas = schedules.levels(schedules.karras(0.02, 20.0), 10, from_sigma=1.0)
    index, n = torch.arange(40_000), 10
    source, D = samplers.seeded_noise(1, index), denoisers.gaussian(0.0, 1.0)
    *_, (_, var) = moments(D, sigmas, 0.0, 2.0, eta=1.0)
    ends = {}
    for name, every in (("own", 2 * n), ("shared", 0)):
        x = torch.randn(40_000, 1, generator=torch.Generator().manual_seed(0), dtype=F64)
        for k in range(10):
            fresh = rng.normal(1, k if every else 0, index, (1,), rng.START).double()
            noise = lambda step, x, k=k: source(every * k + step, x)  # noqa: E731, B023
            x = sample(D, start(sigmas, fresh, x0=x), sigmas, eta=1.0, noise=noise)
        ends[name] = float(x.std())
    # Each round keeps a share a of x: var' = a^2 var + rest, and var = var' from the first on.
    a, offset = float(affine_gain(D, sigmas)), var
    offset -= a * a * 2.0
    want = 1.0
    for _ in range(10):
        want = a * a * (want + 1) + offset
    assert ends["own"] == pytest.approx(math.sqrt(want), rel=0.015)
    assert abs(ends["shared"] / math.sqrt(want) - 1) > 0.05


def affine_gain(denoise, sigmas):
    """What a chain with eta = 1 keeps of its start."""
    *_, (_, gain, _) = affine(denoise, sigmas, eta=1.0)
    return gain


@pytest.mark.parametrize("first", [-1, 6, 7])
def test_a_piece_needs_a_step(first):
    sigmas = schedules.levels(schedules.karras(), 6)
    with pytest.raises(ValueError, match="first must be one of the 6 steps, 0 to 5"):
        sample(smooth, torch.ones(1, 1), sigmas, first=first)


@pytest.mark.parametrize("eta", [-0.1, 1.001, 2.0, math.nan])
@pytest.mark.parametrize("settings", [dict(), dict(heun=True), dict(S_churn=5.0)], ids=str)
def test_an_eta_outside_its_range_is_refused(eta, settings):
    """At eta = 2 more noise comes in than the level has: N(0, .5^2) ended at .40."""
    sigmas = schedules.levels(schedules.karras(), 6)
    with pytest.raises(ValueError, match="eta must lie between 0 .* and 1"):
        sample(smooth, torch.ones(1, 1), sigmas, eta=eta, **settings)


def test_the_start_is_not_changed_and_states_are_kept():
    sigmas = schedules.levels(schedules.karras(), 6)
    x = torch.ones(2, 3)
    states = list(trajectory(smooth, x, sigmas, heun=True))
    assert torch.equal(x, torch.ones(2, 3)) and len(states) == 6
    assert len({s.data_ptr() for s in states}) == 6


def test_sample_builds_no_graph():
    gain = torch.tensor(0.7, requires_grad=True)
    sigmas = schedules.levels(schedules.karras(), 4)
    assert not sample(lambda x, s: gain * x / (1 + s), torch.ones(1, 1), sigmas).requires_grad


# ------------------------------------------------------------------- clipping


def test_clip_the_estimate_not_the_state():
    """T = 300, beta_T = 0.02, data N(0, 0.25^2), eta = 1: std .244, but .231 if x_t is clipped.

    50,000 samples: standard error 0.0008, tolerance 0.003.  Clipping x0_hat changes nothing here.
    """
    sigmas = schedules.levels(schedules.Discrete(schedules.linear_betas(300)), 300)
    oracle = denoisers.gaussian(0.0, 0.25)
    size = lambda step: math.sqrt(1 + step.sigma_next**2)  # noqa: E731
    clip_state = lambda step: step.x_next.clamp(-size(step), size(step))  # noqa: E731
    x_T = torch.randn(50_000, 1, generator=torch.Generator().manual_seed(0))

    def std(denoise, **settings):
        g = torch.Generator().manual_seed(1)
        noise = lambda k, x: torch.randn(x.shape, generator=g)  # noqa: E731
        x = start(sigmas, x_T)
        return float(sample(denoise, x, sigmas, eta=1.0, noise=noise, **settings).std())

    plain, estimate, state = (
        std(oracle), std(denoisers.clipped(oracle)), std(oracle, after_step=clip_state),
    )  # fmt: skip
    assert plain == pytest.approx(0.244, abs=0.003)
    assert estimate == pytest.approx(plain, abs=0.0005)
    assert state == pytest.approx(0.231, abs=0.003)
    assert abs(state - 0.25) > 2 * abs(estimate - 0.25)


# ------------------------------------------------------------------- errors


@pytest.mark.parametrize("sigmas, message", [
    ([math.inf, 1.0, 0.0], "highest noise level is infinite.*rescale_terminal_snr"),
    ([1.0, 2.0, 0.0], "must fall strictly"),
    ([1.0, 1.0, 0.0], "must fall strictly"),
    ([1.0, 0.5, -0.1], "must fall strictly"),
    ([1.0, math.nan, 0.0], "must fall strictly"),
    ([math.nan, 1.0, 0.0], "must fall strictly"),
    ([1.0], "must fall strictly"),
    ([], "must fall strictly"),
])  # fmt: skip
def test_bad_levels(sigmas, message):
    with pytest.raises(ValueError, match=message):
        sample(smooth, torch.ones(1, 1), torch.tensor(sigmas, dtype=F64))


def test_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sample(
            smooth, torch.ones(1, 1), schedules.levels(schedules.karras(), 5), eta=1.0, heun=True
        )
