"""Noise schedules: a schedule is a function sigma(u), u in (0, 1).

Training draws u uniformly; sampling walks u from 1 to 0.  Sigma is the standard deviation of the
noise in x = x0 + sigma * n.  The textbook's x_t = sqrt(abar) x0 + sqrt(1 - abar) eps is the same
path in other units: x_t = x / sqrt(1 + sigma^2) with abar = 1 / (1 + sigma^2).
Tables are float64 on the CPU, so that comparing noise levels never waits for a GPU.
"""

import math
import warnings
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

Schedule = Callable[[Tensor], Tensor]
Betas = Float[Tensor, "T"]
U_MIN = 2.0**-24  # stratified float32 draws do round to 0 and 1; sigma must stay finite there

# ------------------------------------------------------------------- beta tables, t = 1 .. T


def linear_betas(T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02) -> Betas:
    """beta_t rises linearly (Ho et al. 2020, section 4; made for T = 1000)."""
    return check_betas(torch.linspace(beta_min, beta_max, T, dtype=torch.float64))


def scaled_linear_betas(T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02) -> Betas:
    """Linear betas times 1000 / T: the same path whatever T is (Nichol & Dhariwal 2021, code).

    Raises: ValueError for T <= 1000 beta_max, where the last beta would reach 1.
    """
    if T <= 1000 * beta_max:
        raise ValueError(
            f"T = {T} is too few steps for scaled linear betas, which end at beta_max * 1000 / T; "
            f"with beta_max = {beta_max:g} take T above {1000 * beta_max:g}, or another beta range"
        )
    return linear_betas(T, beta_min * 1000 / T, beta_max * 1000 / T)


def quadratic_betas(T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02) -> Betas:
    """sqrt(beta_t) rises linearly (Song et al. 2021, DDIM; diffusers calls it scaled_linear)."""
    return linear_betas(T, math.sqrt(beta_min), math.sqrt(beta_max)) ** 2


def cosine_betas(T: int = 1000, s: float = 0.008, beta_limit: float = 0.999) -> Betas:
    """abar_t = cos^2((t/T + s)/(1 + s) pi/2), beta <= beta_limit (Nichol & Dhariwal 2021)."""
    t = torch.arange(T + 1, dtype=torch.float64) / T
    abar = torch.cos((t + s) / (1 + s) * math.pi / 2) ** 2
    return check_betas((1 - abar[1:] / abar[:-1]).clamp(max=beta_limit))


def sigmoid_betas(T: int = 1000, beta_min: float = 1e-4, beta_max: float = 0.02) -> Betas:
    """beta_t follows a logistic curve over [-6, 6] (Xu et al. 2022, GeoDiff, code)."""
    rise = torch.sigmoid(torch.linspace(-6, 6, T, dtype=torch.float64))
    return check_betas(beta_min + rise * (beta_max - beta_min))


def check_betas(betas: Betas) -> Betas:
    """Return betas, or raise ValueError unless all lie strictly between 0 and 1."""
    if len(betas) < 1 or not bool(((betas > 0) & (betas < 1)).all()):
        raise ValueError(
            f"every beta must lie strictly between 0 and 1, but they run from "
            f"{min(betas.tolist(), default=math.nan):.4g} to "
            f"{max(betas.tolist(), default=math.nan):.4g}; change T (>= 1) or the beta range"
        )
    return betas


def alpha_bars(betas: Betas) -> Betas:
    """abar_t = prod_{s<=t} (1 - beta_s): the share of the image's variance left at step t."""
    return (1 - betas).cumprod(0)


def snr(betas: Betas) -> Betas:
    """Signal-to-noise ratio abar_t / (1 - abar_t) = 1 / sigma_t^2."""
    return alpha_bars(betas) / (1 - alpha_bars(betas))


def posterior_variance(betas: Betas) -> Betas:
    """beta~_t = (1 - abar_{t-1}) / (1 - abar_t) beta_t, zero at the first step (DDPM, eq. 7)."""
    abar = alpha_bars(betas)
    before = torch.cat([abar.new_ones(1), abar[:-1]])
    return (1 - before) / (1 - abar) * betas


def posterior_mean(
    betas: Betas, t: int, x0: Float[Tensor, "..."], x_t: Float[Tensor, "..."]
) -> Float[Tensor, "..."]:
    """mu~_t(x_t, x0), the mean of q(x_{t-1} | x_t, x0) (DDPM, eq. 7); t counts from 0."""
    abar = alpha_bars(betas)
    before = abar[t - 1] if t > 0 else abar.new_ones(())
    of_x0 = before.sqrt() * betas[t] / (1 - abar[t])
    of_xt = (1 - betas[t]).sqrt() * (1 - before) / (1 - abar[t])
    return of_x0.to(x0) * x0 + of_xt.to(x_t) * x_t


def warn_terminal_snr(betas: Betas, limit: float = 1e-3) -> float:
    """Return abar_T; warn when so much signal is left that sampling must not start from noise.

    The network is trained on x_T = sqrt(abar_T) x0 + ..., but sampling starts at N(0, I).
    """
    abar_T = float(alpha_bars(betas)[-1])
    if abar_T > limit:
        warnings.warn(
            f"abar_T = {abar_T:.4g}: at the last step {math.sqrt(abar_T):.0%} of the image's "
            "amplitude is still there, but sampling starts from pure noise. Use "
            "scaled_linear_betas or cosine_betas, a larger T or beta_max, or "
            "rescale_terminal_snr (with v- or x0-prediction).",
            stacklevel=2,
        )
    return abar_T


def rescale_terminal_snr(betas: Betas, alpha_bar: float = 1e-8) -> Betas:
    """Shift and stretch sqrt(abar_t) so that it ends at sqrt(alpha_bar) (Lin et al. 2024, alg. 1).

    For v- and x0-prediction with trailing spacing.  Lin et al. go to exactly 0, where sigma is
    infinite; we stop at a finite level that no float32 image can tell from it.

    Raises: ValueError if alpha_bar < 1e-8, or if it exceeds what the betas reach anyway.
    """
    root = alpha_bars(betas).sqrt()
    if not 1e-8 <= alpha_bar <= float(root[-1]) ** 2:
        raise ValueError(
            f"alpha_bar = {alpha_bar:.3g} must lie between 1e-8 and the schedule's own "
            f"abar_T = {float(root[-1]) ** 2:.3g}; at exactly 0 sigma would be infinite"
        )
    end = math.sqrt(alpha_bar)
    root = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = root**2
    return check_betas(1 - abar / torch.cat([abar.new_ones(1), abar[:-1]]))


def to_alpha_bar(sigma: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """abar = 1 / (1 + sigma^2)."""
    return 1 / (1 + sigma**2)


def to_sigma(alpha_bar: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
    """sigma = sqrt((1 - abar) / abar)."""
    return ((1 - alpha_bar) / alpha_bar).sqrt()


# ------------------------------------------------------------------- schedules sigma(u)


class Discrete:
    """DDPM's table as a schedule: sigma(u) is the level of timestep floor(u T).

    Attributes: betas, sigmas (both (T,), float64, on the CPU); T.
    Raises: ValueError if a level is infinite (abar_T = 0) or a beta lies outside (0, 1).
    """

    def __init__(self, betas: Betas):
        self.betas = betas.double().cpu()
        self.sigmas = to_sigma(alpha_bars(self.betas))
        self.T = len(betas)
        if self.T and math.isinf(self.sigmas[-1]):
            raise ValueError(
                "abar_T = 0 makes sigma_T infinite, and there an eps-network says nothing about "
                "the image; use rescale_terminal_snr(betas) with v- or x0-prediction"
            )
        check_betas(self.betas)
        self._log_sigmas: dict[torch.device, Tensor] = {}

    def __call__(self, u: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """sigma of timestep floor(u T), for u in (0, 1); float64 on the CPU."""
        return self.sigmas[(u.double().cpu() * self.T).long().clamp(0, self.T - 1)]

    def t(self, sigma: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """The timestep 0 .. T-1 of a level, between table entries linear in log sigma."""
        if sigma.device not in self._log_sigmas:  # copied once, so that no step waits for it
            dtype = torch.float32 if sigma.device.type == "mps" else torch.float64
            self._log_sigmas[sigma.device] = self.sigmas.log().to(sigma.device, dtype)
        table = self._log_sigmas[sigma.device]
        if self.T == 1:
            return torch.zeros_like(sigma)
        log_sigma = sigma.to(table.dtype).log()
        hi = torch.searchsorted(table, log_sigma.contiguous()).clamp(1, self.T - 1)
        share = (log_sigma - table[hi - 1]) / (table[hi] - table[hi - 1])
        return (hi - 1 + share.clamp(0, 1)).to(sigma.dtype)


def spaced(phi: Callable, phi_inverse: Callable, sigma_min: float, sigma_max: float) -> Schedule:
    """sigma(u) uniform in the coordinate phi(sigma), from sigma_min (u=0) to sigma_max (u=1)."""
    if not 0 < sigma_min < sigma_max < math.inf:
        raise ValueError(
            f"need 0 < sigma_min < sigma_max < infinity, got {sigma_min} and {sigma_max}"
        )
    low, high = (phi(torch.tensor(s, dtype=torch.float64)) for s in (sigma_min, sigma_max))
    return lambda u: phi_inverse(low + u.double().cpu().clamp(0, 1) * (high - low))


def karras(sigma_min: float = 0.002, sigma_max: float = 80.0, rho: float = 7.0) -> Schedule:
    """Uniform in sigma^(1/rho) (Karras et al. 2022, eq. 5)."""
    return spaced(lambda s: s ** (1 / rho), lambda p: p**rho, sigma_min, sigma_max)


def log_uniform(sigma_min: float = 0.002, sigma_max: float = 80.0) -> Schedule:
    """Uniform in ln sigma (Song et al. 2021, VE-SDE)."""
    return spaced(torch.log, torch.exp, sigma_min, sigma_max)


def log_logistic(c: float = 0.3, sigma_min: float = 0.002, sigma_max: float = 80.0) -> Schedule:
    """Uniform in phi*(sigma) = sigma / (sigma + c): ln sigma is logistic (SSIMBaD 2025)."""
    return spaced(lambda s: s / (s + c), lambda p: c * p / (1 - p), sigma_min, sigma_max)


def log_normal(P_mean: float = -1.2, P_std: float = 1.2) -> Schedule:
    """ln sigma ~ N(P_mean, P_std^2), EDM's training density (Karras et al. 2022, table 1)."""

    def sigma(u: Tensor) -> Tensor:
        u = u.double().cpu().clamp(U_MIN, 1 - U_MIN)
        return (P_mean + P_std * torch.special.ndtri(u)).exp()

    return sigma


# ------------------------------------------------------------------- how often training visits


def log_normal_density(
    sigma: Float[Tensor, "..."], P_mean: float = -1.2, P_std: float = 1.2
) -> Float[Tensor, "..."]:
    """Per unit of ln sigma, what `log_normal` draws from: N(P_mean, P_std^2)."""
    z = (sigma.log() - P_mean) / P_std
    return torch.exp(-(z**2) / 2) / (P_std * math.sqrt(2 * math.pi))


def log_logistic_density(
    sigma: Float[Tensor, "..."], c: float = 0.3, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Float[Tensor, "..."]:
    """Per unit of ln sigma, what `log_logistic` draws from: phi* uniform, 0 outside the range.

    d phi*/d ln sigma = phi* (1 - phi*) is the logistic density with median c; it is divided by the
    share of it that lies in the range.
    """
    low, high = (s / (s + c) for s in (sigma_min, sigma_max))
    phi = sigma / (sigma + c)
    inside = (sigma_min <= sigma) & (sigma <= sigma_max)
    return torch.where(inside, phi * (1 - phi) / (high - low), 0.0)


# ------------------------------------------------------------------- sampling levels


def leading(T: int, n: int) -> Int[Tensor, "n"]:
    """Timesteps 0, k, 2k, ... with k = T // n, high to low: never reaches T-1 when n < T."""
    return (torch.arange(n) * (T // n)).flip(0)


def linspace(T: int, n: int) -> Int[Tensor, "n"]:
    """n timesteps spread evenly from T-1 to 0, both included."""
    return torch.linspace(T - 1, 0, n, dtype=torch.float64).round().long()


def trailing(T: int, n: int) -> Int[Tensor, "n"]:
    """Timesteps T-1, T-1-T/n, ...: always starts at the noisiest (Lin et al. 2024, table 2)."""
    return (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1


def levels(
    schedule: Schedule, n: int, spacing: Callable = trailing, from_sigma: float | None = None
) -> Float[Tensor, "{n}+1"]:
    """n noise levels from high to low, then 0, for a sampler (float64, on the CPU).

    spacing chooses the timesteps of a Discrete schedule; other schedules walk u from 1 to 0.
    from_sigma: the first level, where the top is not wanted (SDEdit: Meng et al. 2022); the others
    are spaced as the part of the schedule below it.

    Raises: ValueError if n < 1, or n > T for a Discrete schedule, or more than from_sigma and its
    levels below; if from_sigma is not above the lowest level and at most the highest.
    """
    discrete = isinstance(schedule, Discrete)
    # Find where on the schedule the walk begins.
    top = schedule.T if discrete else 1.0
    if from_sigma is not None:
        top = place(schedule, from_sigma)
    # Walk down from there.
    limit = top if discrete else math.inf
    if not 1 <= n <= limit:
        raise ValueError(f"the number of sampling steps must be 1 to {limit}, got {n}")
    if discrete:
        found = schedule.sigmas[spacing(top, n)]
    else:
        found = schedule(torch.linspace(top, 0, n, dtype=torch.float64))
    if from_sigma is not None:
        found[0] = from_sigma
    return torch.cat([found, found.new_zeros(1)])


steps = levels


def place(schedule: Schedule, sigma: float) -> int | float:
    """Where a level lies: its u, by bisection, or how many timesteps a walk from it has.

    Raises: ValueError if sigma is not above the lowest level and at most the highest.
    """
    lowest, highest = schedule(torch.tensor([0.0, 1.0], dtype=torch.float64)).tolist()
    least = sigma * (1 - 1e-9)  # schedule(1) is sigma_max but for its rounding
    if not lowest < least <= highest:
        raise ValueError(
            f"from_sigma must lie above {lowest:.4g} and be at most {highest:.4g}, the ends of "
            f"this schedule, got {sigma:g}"
        )
    if isinstance(schedule, Discrete):
        return 1 + int((schedule.sigmas < least).sum())
    low, high = 0.0, 1.0
    for _ in range(53):
        u = (low + high) / 2
        below = bool(schedule(torch.tensor(u, dtype=torch.float64)) < sigma)
        low, high = (u, high) if below else (low, u)
    return high
