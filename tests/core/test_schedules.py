"""Schedules against published tables, diffusers, Bayes' rule and closed forms."""

import math
import warnings

import numpy as np
import pytest
import torch
from scipy import stats
from scipy.integrate import quad

from diffutils import schedules as S

F64 = torch.float64
KARRAS_18 = [80.0, 57.586, 40.7856, 28.3746, 19.3525, 12.9101, 8.4009, 5.3152, 3.2568, 1.9233,
             1.0882, 0.5853, 0.2964, 0.1395, 0.0599, 0.0229, 0.0075, 0.002, 0.0]  # fmt: skip
LOGISTIC_18 = [80.0, 4.5426, 2.1966, 1.3818, 0.968, 0.7176, 0.5498, 0.4295, 0.339, 0.2685,
               0.2121, 0.1658, 0.1272, 0.0945, 0.0664, 0.0421, 0.0208, 0.002, 0.0]  # fmt: skip
CONTINUOUS = [S.karras(), S.log_uniform(), S.log_logistic(), S.log_normal()]
TABLES = [S.linear_betas, S.scaled_linear_betas, S.quadratic_betas, S.cosine_betas, S.sigmoid_betas]


def close(got, want, atol=0.0, rtol=0.0):
    got, want = (torch.as_tensor(t, dtype=F64) for t in (got, want))
    torch.testing.assert_close(got, want, atol=atol, rtol=rtol)


# ------------------------------------------------------------------- beta tables


def test_reference_levels():
    """Linear sigma 0.0100005 .. 157.4073; cosine 0.0064254 .. 20291.17 (seven digits)."""
    close(S.Discrete(S.linear_betas()).sigmas[[0, -1]], [0.0100005, 157.4073], rtol=5e-7)
    close(S.Discrete(S.cosine_betas()).sigmas[[0, -1]], [0.0064254, 20291.17], rtol=5e-6)


@pytest.mark.parametrize("ours, theirs", [
    (S.linear_betas, "linear"),
    (S.quadratic_betas, "scaled_linear"),
    (S.cosine_betas, "squaredcos_cap_v2"),
    (S.sigmoid_betas, "sigmoid"),
])  # fmt: skip
@pytest.mark.parametrize("T", [50, 1000])
def test_tables_equal_diffusers(ours, theirs, T):
    """Its tables are float32: 1e-3 relative in every sigma, 1e-6 in every beta."""
    from diffusers import DDPMScheduler

    other = DDPMScheduler(T, beta_start=1e-4, beta_end=0.02, beta_schedule=theirs)
    close(ours(T), other.betas, atol=1e-6)
    sigma = ((1 - other.alphas_cumprod.double()) / other.alphas_cumprod.double()).sqrt()
    close(S.Discrete(ours(T)).sigmas, sigma, rtol=1e-3)


@pytest.mark.parametrize("T", [10, 300, 1000])
def test_linear_and_quadratic_closed_form(T):
    for t in range(T):
        share = t / (T - 1)
        close(S.linear_betas(T)[t], 1e-4 + share * (0.02 - 1e-4), rtol=1e-13)
        root = math.sqrt(1e-4) + share * (math.sqrt(0.02) - math.sqrt(1e-4))
        close(S.quadratic_betas(T)[t], root**2, rtol=1e-13)


@pytest.mark.parametrize("T", [300, 1000])
def test_cosine_alpha_bar_is_the_formula(T):
    """abar_t = f(t)/f(0), f = cos^2((t/T + s)/(1 + s) pi/2), up to the capped last beta."""
    f = [math.cos((t / T + 0.008) / 1.008 * math.pi / 2) ** 2 for t in range(T + 1)]
    abar = S.alpha_bars(S.cosine_betas(T))
    close(abar[:-1], [f[t] / f[0] for t in range(1, T)], rtol=1e-9)
    assert float(S.cosine_betas(T)[-1]) == 0.999


@pytest.mark.parametrize("T", [300, 2000, 4000])
def test_scaled_linear_is_one_path_for_every_T(T):
    """abar at the same t/T equals the T = 1000 table's within the step size."""
    share = torch.linspace(0.1, 1, 10)
    log_abar = [
        S.alpha_bars(S.scaled_linear_betas(n)).log()[(share * n).round().long() - 1]
        for n in (T, 1000)
    ]
    close(log_abar[0], log_abar[1], rtol=0.03)


def test_sigmoid_is_symmetric_about_the_middle():
    b = S.sigmoid_betas(101)
    close(b + b.flip(0), torch.full((101,), 0.0201, dtype=F64), rtol=1e-12)
    close(b[0], 1e-4 + 0.0199 / (1 + math.e**6), rtol=1e-12)


@pytest.mark.parametrize("table", TABLES)
def test_tables_are_float64_and_noise_grows(table):
    betas = table(1000)
    schedule = S.Discrete(betas)
    assert betas.dtype == schedule.sigmas.dtype == F64 and betas.shape == (1000,)
    assert bool((schedule.sigmas.diff() > 0).all())
    close(S.snr(betas), schedule.sigmas**-2, rtol=1e-9)
    close(S.to_alpha_bar(schedule.sigmas), S.alpha_bars(betas), rtol=1e-12)
    close(S.to_sigma(S.to_alpha_bar(schedule.sigmas)), schedule.sigmas, rtol=1e-7)


def test_alpha_bar_is_the_product_of_all_alphas_so_far():
    betas = torch.tensor([0.1, 0.2, 0.5], dtype=F64)
    close(S.alpha_bars(betas), [0.9, 0.72, 0.36], rtol=1e-15)
    close(S.snr(betas), [9.0, 0.72 / 0.28, 0.36 / 0.64], rtol=1e-14)


@pytest.mark.parametrize("betas", [
    [0.1, 0.0], [0.1, 1.5], [-0.1, 0.1], [], [0.1, math.nan], [0.1, math.inf],
])  # fmt: skip
def test_bad_betas_are_refused(betas):
    betas = torch.tensor(betas, dtype=F64)
    for refuse in (S.check_betas, S.Discrete):
        with pytest.raises(ValueError, match="strictly between 0 and 1"):
            refuse(betas)


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="beta range"):
        S.scaled_linear_betas(10)  # 0.02 * 1000 / 10 = 2
    with pytest.raises(ValueError):
        S.linear_betas(0)
    for make in (S.karras, S.log_uniform, S.log_logistic):
        for low, high in ((0.0, 80.0), (1.0, 1.0), (2.0, 1.0), (-1.0, 1.0), (0.1, math.inf)):
            with pytest.raises(ValueError, match="sigma_min"):
                make(sigma_min=low, sigma_max=high)


# ------------------------------------------------------------------- posterior


def bayes(betas, t, x0, x_t):
    """Mean and variance of x_{t-1} given x0 and x_t: prior times likelihood of two Gaussians."""
    abar_before = math.prod(1 - b for b in betas[:t])
    prior_mean, prior_var = math.sqrt(abar_before) * x0, 1 - abar_before
    a = math.sqrt(1 - betas[t])  # x_t = a x_{t-1} + sqrt(beta) noise
    precision = 1 / prior_var + a * a / betas[t]
    return (prior_mean / prior_var + a * x_t / betas[t]) / precision, 1 / precision


@pytest.mark.parametrize("table", TABLES)
def test_posterior_is_bayes_rule(table):
    betas = table(100)
    listed = betas.tolist()
    x0, x_t = (torch.linspace(-1, 2, 5, dtype=F64), torch.linspace(3, -2, 5, dtype=F64))
    for t in range(1, 100):
        mean, var = bayes(listed, t, x0, x_t)
        close(S.posterior_mean(betas, t, x0, x_t), mean, atol=1e-10)
        close(S.posterior_variance(betas)[t], var, rtol=1e-9)


def test_posterior_of_the_first_step_is_the_image():
    betas, x0 = S.linear_betas(10), torch.tensor([0.3, -2.0], dtype=F64)
    close(S.posterior_mean(betas, 0, x0, 17 + x0), x0, atol=1e-12)
    assert float(S.posterior_variance(betas)[0]) == 0


# ------------------------------------------------------------------- terminal SNR


def test_terminal_snr_warning_names_abar():
    """The published fault: T = 300 with beta_T = 0.02 leaves abar_T = 0.0481."""
    with pytest.warns(UserWarning, match=r"abar_T = 0\.0480\d*: .* 22% "):
        assert S.warn_terminal_snr(S.linear_betas(300)) == pytest.approx(0.04806, abs=5e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for betas in (S.linear_betas(), S.scaled_linear_betas(300), S.cosine_betas(300)):
            S.warn_terminal_snr(betas)


@pytest.mark.parametrize("betas", [S.linear_betas(300), S.linear_betas(), S.quadratic_betas()])
@pytest.mark.parametrize("end", [1e-8, 1e-6])
def test_rescaled_schedule(betas, end):
    """Ends at the asked abar, keeps abar_1, and moves sqrt(abar) affinely (Lin et al., alg. 1)."""
    before, after = S.alpha_bars(betas), S.alpha_bars(S.rescale_terminal_snr(betas, end))
    close(after[-1], end, rtol=1e-9)
    close(after[0], before[0], rtol=1e-12)
    share = (before.sqrt() - before[-1].sqrt()) / (before[0].sqrt() - before[-1].sqrt())
    close(after.sqrt(), share * before[0].sqrt() + (1 - share) * math.sqrt(end), rtol=1e-9)
    assert math.isfinite(S.Discrete(S.rescale_terminal_snr(betas, end)).sigmas[-1])


@pytest.mark.parametrize("end", [0.0, 1e-9, 0.5, math.nan])
def test_rescaling_too_far_is_refused(end):
    with pytest.raises(ValueError, match="must lie between 1e-8"):
        S.rescale_terminal_snr(S.linear_betas(300), end)


@pytest.mark.parametrize("betas", [[0.1, 1.0], [0.999] * 500])
def test_zero_terminal_snr_is_refused_and_the_way_out_named(betas):
    with pytest.raises(ValueError, match="rescale_terminal_snr"):
        S.Discrete(torch.tensor(betas, dtype=F64))


# ------------------------------------------------------------------- sigma(u)


def test_reference_steps():
    """The published tables, to their last digit."""
    close(S.levels(S.karras(), 18), KARRAS_18, atol=5.1e-5)
    close(S.levels(S.log_logistic(0.3), 18), LOGISTIC_18, atol=5.1e-5)


def test_karras_closed_form():
    i = torch.arange(50, dtype=F64)
    want = (80 ** (1 / 7) + i / 49 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    close(S.levels(S.karras(), 50)[:-1], want, rtol=1e-12)


@pytest.mark.parametrize("schedule, phi", [
    (S.karras(0.01, 50.0, 5.0), lambda s: s ** (1 / 5)),
    (S.log_uniform(0.01, 50.0), torch.log),
    (S.log_logistic(0.3, 0.01, 50.0), lambda s: s / (s + 0.3)),
])  # fmt: skip
def test_phi_is_affine_in_u(schedule, phi):
    u = torch.linspace(0, 1, 101, dtype=F64)
    p = phi(schedule(u))
    close(p, p[0] + u * (p[-1] - p[0]), atol=1e-12)
    close(schedule(u)[[0, -1]], [0.01, 50], rtol=1e-12)
    assert bool((schedule(u).diff() > 0).all())


def test_training_densities():
    """log_normal: ln sigma ~ N(-1.2, 1.2^2); log_logistic: ln sigma logistic around ln 0.3."""
    u = (torch.arange(20_000, dtype=F64) + 0.5) / 20_000
    log_sigma = S.log_normal()(u).log().numpy()
    assert stats.kstest(log_sigma, "norm", args=(-1.2, 1.2)).statistic < 1e-4
    log_sigma = S.log_logistic(0.3, 1e-7, 1e7)(u).log().numpy()
    assert stats.kstest(log_sigma, "logistic", args=(math.log(0.3), 1)).statistic < 1e-4


@pytest.mark.parametrize("schedule", [*CONTINUOUS, S.Discrete(S.cosine_betas())])
def test_every_u_gives_a_finite_positive_level(schedule):
    """u = 0 and 1, float32 values that round to 1, and values just outside."""
    u = torch.tensor([0.0, 1.0, 1 - 2**-25, 2**-30, 0.5, -1e-9, 1 + 1e-9])
    for dtype in (torch.float32, F64):
        sigma = schedule(u.to(dtype))
        assert sigma.dtype == F64 and sigma.shape == u.shape
        assert bool((sigma.isfinite() & (sigma > 0)).all())


def test_stratified_float32_draws_do_round_to_one():
    """Why u is clamped: slot 1023 of 1024 with a draw near 1 gives u = 1 in float32."""
    u = (torch.tensor(2**20 - 1, dtype=torch.float32) + (1 - 2**-24)) / 2**20
    assert float(u) == 1.0
    assert all(math.isfinite(float(schedule(u))) for schedule in CONTINUOUS)


# ------------------------------------------------------------------- the discrete schedule


@pytest.mark.parametrize("table, T", [
    *((table, T) for table in TABLES for T in (50, 1000)),
    *((table, T) for table in TABLES if table is not S.scaled_linear_betas for T in (1, 2)),
])  # fmt: skip
def test_t_inverts_sigmas_exactly(table, T):
    schedule = S.Discrete(table(T))
    assert schedule.t(schedule.sigmas).tolist() == list(range(T))
    close(schedule.t(schedule.sigmas.float()), list(range(T)), atol=0.01)


def test_t_is_log_linear_between_and_clamped_outside():
    schedule = S.Discrete(S.linear_betas(100))
    s = schedule.sigmas
    for share in (0.25, 0.5, 0.9):
        mixed = s[:-1] ** (1 - share) * s[1:] ** share
        close(schedule.t(mixed), torch.arange(99, dtype=F64) + share, atol=1e-9)
    assert schedule.t(torch.tensor([1e-9, 0.0, 1e9], dtype=F64)).tolist() == [0, 0, 99]
    assert schedule.t(torch.tensor(1.0)).dtype == torch.float32


def test_every_timestep_is_equally_likely():
    schedule = S.Discrete(S.linear_betas(10))
    u = (torch.arange(1000, dtype=F64) + 0.5) / 1000
    assert schedule.t(schedule(u)).long().bincount().tolist() == [100] * 10


# ------------------------------------------------------------------- how often training visits

LOW, HIGH = math.log(0.002), math.log(80)
LOGISTIC = stats.logistic(math.log(0.3), 1)
SHARE = LOGISTIC.cdf(HIGH) - LOGISTIC.cdf(LOW)  # .9896 of it lies in the range
U = (torch.arange(100_000, dtype=F64) + 0.5) / 100_000


def at(density, log_sigma, **settings):
    return float(density(torch.tensor(math.exp(log_sigma), dtype=F64), **settings))


def test_the_normal_density_is_scipys():
    log_sigma = torch.linspace(-8, 6, 57, dtype=F64)
    for settings in (dict(), dict(P_mean=-0.4, P_std=1.6)):
        want = stats.norm.pdf(log_sigma, settings.get("P_mean", -1.2), settings.get("P_std", 1.2))
        np.testing.assert_allclose(
            S.log_normal_density(log_sigma.exp(), **settings), want, rtol=1e-12
        )


def test_the_logistic_density_is_scipys_cut_off_at_both_ends():
    log_sigma = torch.linspace(LOW + 1e-9, HIGH - 1e-9, 57, dtype=F64)
    want = LOGISTIC.pdf(log_sigma) / SHARE
    np.testing.assert_allclose(S.log_logistic_density(log_sigma.exp()), want, rtol=1e-10)
    outside = torch.tensor([0.0019, 80.1, 1e-9, 1e9], dtype=F64)
    assert S.log_logistic_density(outside).tolist() == [0.0] * 4
    ends = S.log_logistic_density(torch.tensor([0.002, 80.0], dtype=F64))
    assert bool((ends > 0).all())  # both belong to it
    other = S.log_logistic_density(torch.tensor([1.0], dtype=F64), 1.0, 0.5, 2.0)
    assert float(other) == pytest.approx(0.25 / (2 / 3 - 1 / 3))


@pytest.mark.parametrize("density, settings, ends", [
    (S.log_normal_density, {}, (-14, 12)),
    (S.log_normal_density, dict(P_mean=1.0, P_std=0.3), (-3, 5)),
    (S.log_logistic_density, {}, (LOW, HIGH)),
    (S.log_logistic_density, dict(c=2.0, sigma_min=0.1, sigma_max=9.0), np.log((0.1, 9))),
])  # fmt: skip
def test_densities_integrate_to_one_over_ln_sigma(density, settings, ends):
    whole, _ = quad(lambda x: at(density, x, **settings), *ends, epsabs=1e-10, limit=200)
    assert whole == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("density, schedule, least", [
    (S.log_normal_density, S.log_normal(), -14),
    (S.log_logistic_density, S.log_logistic(), LOW),
])  # fmt: skip
def test_densities_are_what_the_schedules_draw_from(density, schedule, least):
    """The integral up to sigma(u) is u."""
    for u in (0.01, 0.1, 0.5, 0.9, 0.99):
        top = float(schedule(torch.tensor(u, dtype=F64)).log())
        share, _ = quad(lambda x: at(density, x), least, top, epsabs=1e-10, limit=200)
        assert share == pytest.approx(u, abs=1e-6)


def test_published_quantiles():
    """1, 50 and 99 %: the medians almost agree, the tails of phi* are far longer."""
    u = torch.tensor([0.01, 0.5, 0.99], dtype=F64)
    assert S.log_logistic(0.3)(u).tolist() == pytest.approx([0.005, 0.302, 21.7], rel=0.02)
    assert S.log_normal()(u).tolist() == pytest.approx([0.0185, 0.301, 4.91], rel=3e-3)


def test_float32_levels_of_a_training():
    """Every level that phi*'s schedule gives, its ends and float32 rounding included, is inside."""
    sigma = S.log_logistic(0.3)(torch.linspace(0, 1, 4097, dtype=F64))
    for levels in (sigma.float(), sigma.clamp(0.002, 80.0)):
        assert bool((S.log_logistic_density(levels) > 0).all())
    exact = S.log_logistic_density(sigma.float().double().clamp(0.002, 80.0))
    np.testing.assert_allclose(S.log_logistic_density(sigma.float()), exact, rtol=1e-4)


# ------------------------------------------------------------------- sampling levels


@pytest.mark.parametrize("spacing", [S.leading, S.linspace, S.trailing])
@pytest.mark.parametrize("T", [100, 300, 1000])
def test_spacing_equals_diffusers(spacing, T):
    """Equal for every n, except that its n = 1 linspace is [0] and its ties round otherwise.

    Trailing: diffusers adds up T/n in floating point, so a timestep that lies exactly between two
    integers can fall on either; it may also return one timestep too many.  Ours rounds T - iT/n.
    """
    from diffusers import DDIMScheduler

    for n in {1, 2, 3, 7, 10, 13, 16, 48, 50, 77, 99, T // 2, T - 1, T}:
        other = DDIMScheduler(T, timestep_spacing=spacing.__name__)
        other.set_timesteps(n)
        ours, theirs = spacing(T, n), other.timesteps
        if spacing is S.linspace and n == 1:
            assert ours.tolist() == [T - 1] and theirs.tolist() == [0]
        elif spacing is S.trailing:
            tie = torch.tensor([(2 * i * T) % n == 0 and (2 * i * T // n) % 2 for i in range(n)])
            assert ours[~tie.bool()].tolist() == theirs[:n][~tie.bool()].tolist(), n
            assert int((ours - theirs[:n]).abs().max()) <= 1, n
        else:
            assert ours.tolist() == theirs.tolist(), n


@pytest.mark.parametrize("T", [10, 37, 100])
def test_spacings_are_valid_for_every_n(T):
    for n in range(1, T + 1):
        for spacing in (S.leading, S.linspace, S.trailing):
            t = spacing(T, n)
            assert len(t) == n and bool((t.diff() < 0).all()) and 0 <= t[-1] and t[0] < T
        assert S.trailing(T, n)[0] == S.linspace(T, n)[0] == T - 1
        assert S.leading(T, n)[-1] == 0


def test_steps_end_at_zero_and_fall():
    schedules = [*CONTINUOUS, S.Discrete(S.linear_betas())]
    for schedule in schedules:
        for n in (1, 2, 18, 200):
            levels = S.levels(schedule, n)
            assert levels.shape == (n + 1,) and levels.dtype == F64 and levels[-1] == 0
            assert bool((levels.diff() < 0).all()) and math.isfinite(levels[0])
    close(S.levels(schedules[-1], 1000)[:-1], schedules[-1].sigmas.flip(0))
    close(S.levels(schedules[-1], 10, S.leading)[0], schedules[-1].sigmas[900])


def test_impossible_numbers_of_steps_are_refused():
    discrete = S.Discrete(S.linear_betas(100))
    for schedule, n in ((discrete, 0), (discrete, 101), (S.karras(), 0), (S.karras(), -3)):
        with pytest.raises(ValueError, match="number of sampling steps"):
            S.levels(schedule, n)


# ------------------------------------------------------------------- from an intermediate level


@pytest.mark.parametrize("schedule", CONTINUOUS)
def test_levels_from_the_middle_are_the_rest_of_the_walk(schedule):
    """From a level of a whole walk with the steps that are left: its tail, 1e-9."""
    whole = S.levels(schedule, 20)
    for k in (1, 7, 18):
        close(S.levels(schedule, 20 - k, from_sigma=float(whole[k])), whole[k:], rtol=1e-9)
    assert float(S.levels(schedule, 1, from_sigma=0.7)[0]) == 0.7


def test_karras_from_the_middle_is_karras_with_another_maximum():
    """EDM's formula with sigma_max = sigma_0, element by element: 1e-9."""
    for sigma_0 in (0.01, 0.5, 3.0, 80.0):
        found = S.levels(S.karras(), 12, from_sigma=sigma_0)
        close(found, S.levels(S.karras(0.002, sigma_0), 12), rtol=1e-9)
        assert float(found[0]) == sigma_0 and bool((found.diff() < 0).all())


@pytest.mark.parametrize("spacing", [S.leading, S.linspace, S.trailing])
def test_levels_of_a_table_from_the_middle(spacing):
    """Of an entry: those of the shorter table; between two: that level, then entries below it."""
    betas = S.linear_betas(100)
    schedule, table = S.Discrete(betas), S.Discrete(betas).sigmas
    for t in (5, 40, 99):
        for n in {1, 3, (t + 1) // 2, t + 1}:
            found = S.levels(schedule, n, spacing, from_sigma=float(table[t]))
            want = S.levels(S.Discrete(betas[: t + 1]), n, spacing)
            want[0] = table[t]  # leading would begin lower
            close(found, want)
    between = float(table[40:42].mean())
    every = S.levels(schedule, 42, spacing, from_sigma=between)
    close(every, [between, *table[:41].flip(0).tolist(), 0.0])


def test_starts_outside_the_schedule_are_refused():
    discrete = S.Discrete(S.linear_betas(100))
    for schedule, sigma in ((S.karras(), 80.1), (S.karras(), 0.002), (S.karras(), 0.0),
                            (S.karras(), math.nan), (discrete, 1e-3), (discrete, 1e9)):  # fmt: skip
        with pytest.raises(ValueError, match="from_sigma must lie above .* the ends of this"):
            S.levels(schedule, 3, from_sigma=sigma)
    with pytest.raises(ValueError, match="sampling steps must be 1 to 6, got 7"):
        S.levels(discrete, 7, from_sigma=float(discrete.sigmas[5]))
    assert len(S.levels(discrete, 6, from_sigma=float(discrete.sigmas[5]))) == 7


def test_place_inverts_a_schedule():
    u = torch.linspace(0.01, 0.99, 9, dtype=F64)
    for schedule in CONTINUOUS:
        found = [S.place(schedule, float(sigma)) for sigma in schedule(u)]
        close(found, u, atol=1e-12)
