"""Right answers to the exercises of lesson 04, written in other ways than the course's."""

import math

import numpy as np
import torch


def heun_by_average_of_ends(x, sigma, sigma_next, D):
    step = torch.as_tensor(sigma_next - sigma, dtype=x.dtype)
    first = x + step * (x - D(x, sigma)) / sigma
    if not sigma_next:
        return first
    second = x + step * (first - D(first, sigma_next)) / sigma_next
    return (first + second) / 2


def heun_by_correction(x, sigma, sigma_next, D):
    image, ratio = D(x, sigma), sigma_next / sigma
    x_next = ratio * x + (1 - ratio) * image
    if sigma_next > 0:
        d_next = x_next / sigma_next - D(x_next, sigma_next) / sigma_next
        x_next = x_next + 0.5 * (sigma_next - sigma) * (d_next - (x - image) / sigma)
    return x_next


def precondition_by_precision(sigma, sigma_data):
    c_skip = 1 / (1 + (sigma / sigma_data) ** 2)
    c_out = (1 / sigma**2 + 1 / sigma_data**2) ** -0.5
    return c_skip, c_out, torch.rsqrt(sigma.square() + sigma_data**2)


def precondition_step_by_step(sigma, sigma_data):
    c_skip = 1 - sigma**2 / (sigma_data**2 + sigma**2)
    left = (1 - c_skip) ** 2 * sigma_data**2 + c_skip**2 * sigma**2
    return [c_skip, left.sqrt(), 1 / torch.hypot(sigma, torch.full_like(sigma, sigma_data))]


def sigma_of_by_odds(p, c):
    return c / (1 / p - 1)


def sigma_of_by_logit(p, c):
    return torch.exp(math.log(c) + torch.logit(torch.as_tensor(p, dtype=torch.float64)))


def weight_by_distributions(sigma, c, P_mean, P_std):
    drawn = torch.distributions.Normal(P_mean, P_std).log_prob(sigma.log())
    u = sigma.log() - math.log(c)
    return (drawn + u + 2 * torch.nn.functional.softplus(-u)).exp()


def weight_per_sigma(sigma, c, P_mean, P_std):
    z = (np.log(sigma.numpy()) - P_mean) / P_std
    normal = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi * P_std**2) / sigma.numpy()
    return torch.from_numpy(normal) * (sigma + c) ** 2 / c


def straightness_by_polyfit(x, y):
    slope, intercept = np.polyfit(x, y, 1)
    residual = y.numpy() - (intercept + slope * x.numpy())
    return 1 - residual.var() / y.numpy().var()


def straightness_by_correlation(x, y):
    return torch.corrcoef(torch.stack([x, y]))[0, 1] ** 2


def straightness_of_the_line(x, y):
    a = torch.stack([x, torch.ones_like(x)], 1)
    line = a @ torch.linalg.lstsq(a, y[:, None]).solution
    return float(line.var() / y.var())


ANSWERS = {
    "4.1": (heun_by_average_of_ends, heun_by_correction),
    "4.2": (precondition_by_precision, precondition_step_by_step),
    "4.3": (sigma_of_by_odds, sigma_of_by_logit),
    "4.4": (weight_by_distributions, weight_per_sigma),
    "4.5": (straightness_by_polyfit, straightness_by_correlation, straightness_of_the_line),
}
