"""Samplers in the textbook's units, right and as published, with their exact mean and std.

A chain is a plan and a rule.  The plan lists pairs (abar, abar_next): from where to where each
step goes.  The rule turns a pair into three numbers, and the step is
x_next = of_x0 x0_hat + of_xt x_t + std z.  `samplers` is the one that lessons sample with, and
equals the right ones; the wrong ones are here to be seen.
"""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor

from diffutils.samplers import torch_noise
from diffutils.schedules import alpha_bars, to_sigma


class Step(NamedTuple):
    """Weights of the estimate x0_hat and of the state x_t, and the std of the fresh noise."""

    of_x0: float
    of_xt: float
    std: float


Rule = Callable[[float, float], Step]


def ddpm(abar: float, abar_next: float) -> Step:
    """The posterior q(x_next | x_t, x0_hat): mu~ and beta~ (Ho et al. 2020, eq. 7)."""
    beta = 1 - abar / abar_next
    of_x0 = math.sqrt(abar_next) * beta / (1 - abar)
    of_xt = math.sqrt(abar / abar_next) * (1 - abar_next) / (1 - abar)
    return Step(of_x0, of_xt, math.sqrt((1 - abar_next) / (1 - abar) * beta))


def ddpm_beta(abar: float, abar_next: float) -> Step:
    """The same mean with variance beta, and no noise at the end (Ho et al. 2020, section 3.2)."""
    std = math.sqrt(1 - abar / abar_next) if abar_next < 1 else 0.0
    return ddpm(abar, abar_next)._replace(std=std)


def ddim(eta: float) -> Rule:
    """sqrt(abar') x0_hat + sqrt(1 - abar' - std^2) eps_hat + std z, std of eta, abar, abar'.

    eta = 0 is DDIM, eta = 1 is `ddpm` (Song et al. 2021, eq. 12 and 16).
    """

    def rule(abar: float, abar_next: float) -> Step:
        variance = eta**2 * (1 - abar_next) / (1 - abar) * (1 - abar / abar_next)
        of_eps = math.sqrt(max(0.0, 1 - abar_next - variance))
        return _from_eps(abar, abar_next, of_eps, math.sqrt(variance))

    return rule


def ddim_published(eta: float) -> Rule:
    """Wrong: the direction keeps sqrt(1 - abar'), so that the noise is added on top of it.

    The step ends with variance 1 - abar' + std^2 instead of 1 - abar'; at eta = 0 they are equal.
    """

    def rule(abar: float, abar_next: float) -> Step:
        std = ddim(eta)(abar, abar_next).std
        return _from_eps(abar, abar_next, math.sqrt(1 - abar_next), std)

    return rule


def unfinished(rule: Rule) -> Rule:
    """Wrong: at the last step the state is returned as it is, with the noise that it still has."""
    return lambda abar, abar_next: rule(abar, abar_next) if abar_next < 1 else Step(0.0, 1.0, 0.0)


def _from_eps(abar: float, abar_next: float, of_eps: float, std: float) -> Step:
    """A step in x0_hat and eps_hat = (x_t - sqrt(abar) x0_hat) / sqrt(1 - abar)."""
    of_xt = of_eps / math.sqrt(1 - abar)
    return Step(math.sqrt(abar_next) - of_xt * math.sqrt(abar), of_xt, std)


def respaced(betas: Float[Tensor, "T"], timesteps: Int[Tensor, "n"]) -> Float[Tensor, "n 2"]:
    """Each step goes to where the next one begins, the last one to the clean image (abar = 1).

    timesteps: falling, 0 .. T-1, from one of the spacings in `schedules`.
    """
    abar = alpha_bars(betas.double())[timesteps]
    return torch.stack([abar, torch.cat([abar[1:], abar.new_ones(1)])], dim=1)


def unspaced(betas: Float[Tensor, "T"], timesteps: Int[Tensor, "n"]) -> Float[Tensor, "n 2"]:
    """Wrong when timesteps are skipped: each step goes from t to t - 1, as if none were.

    The next step begins at a lower t, so the state carries more noise than it is told.
    """
    abar = torch.cat([betas.new_ones(1).double(), alpha_bars(betas.double())])
    return torch.stack([abar[timesteps + 1], abar[timesteps]], dim=1)


def walk(
    denoise: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    plan: Float[Tensor, "n 2"],
    rule: Rule,
    noise: Callable[[int, Tensor], Tensor] = torch_noise,
) -> Iterator[Tensor]:
    """Yield the state x_t after every step, in the textbook's units.

    denoise(x, sigma) -> estimate of x0, as `samplers.trajectory` takes it.  x: x_T = n, pure noise.
    """
    for k, (abar, abar_next) in enumerate(plan):
        step = rule(float(abar), float(abar_next))
        x0_hat = denoise(x / float(abar.sqrt()), to_sigma(abar))
        x = step.of_x0 * x0_hat + step.of_xt * x
        if step.std:
            x = x + step.std * noise(k, x)
        yield x


def moments(
    m: float, s: float, plan: Float[Tensor, "n 2"], rule: Rule
) -> Iterator[tuple[float, float]]:
    """Yield mean and std of x_t after every step, exactly, for data N(m, s^2) from x_T ~ N(0, 1).

    There the best estimate is x0_hat = m + g (x_t - sqrt(abar) m), g = sqrt(abar) s^2 /
    (abar s^2 + 1 - abar), so each step is a straight line plus noise: float64, no sampling.
    """
    mean, variance = 0.0, 1.0
    for abar, abar_next in plan.tolist():
        step = rule(abar, abar_next)
        g = math.sqrt(abar) * s * s / (abar * s * s + 1 - abar)
        mean = step.of_x0 * (m + g * (mean - math.sqrt(abar) * m)) + step.of_xt * mean
        variance = (step.of_x0 * g + step.of_xt) ** 2 * variance + step.std**2
        yield mean, math.sqrt(variance)
