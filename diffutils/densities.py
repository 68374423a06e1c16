"""How often training visits each noise level: densities per unit of ln sigma.

They are what `schedules.log_normal` and `schedules.log_logistic` draw from.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def normal(
    sigma: Float[Tensor, "..."], P_mean: float = -1.2, P_std: float = 1.2
) -> Float[Tensor, "..."]:
    """ln sigma ~ N(P_mean, P_std^2): EDM (Karras et al. 2022, table 1)."""
    z = (sigma.log() - P_mean) / P_std
    return torch.exp(-(z**2) / 2) / (P_std * math.sqrt(2 * math.pi))


def logistic(
    sigma: Float[Tensor, "..."], c: float = 0.3, sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Float[Tensor, "..."]:
    """Uniform phi* = sigma/(sigma + c) from sigma_min to sigma_max, 0 outside: SSIMBaD (2025).

    d phi*/d ln sigma = phi* (1 - phi*) is the logistic density with median c; it is divided by the
    share of it that lies in the range.
    """
    low, high = (s / (s + c) for s in (sigma_min, sigma_max))
    phi = sigma / (sigma + c)
    inside = (sigma_min <= sigma) & (sigma <= sigma_max)
    return torch.where(inside, phi * (1 - phi) / (high - low), 0.0)
