"""Right answers to the exercises of lesson 03, written in other ways than the course's."""

import math

import numpy as np
import torch
from scipy import stats

from diffutils import samplers


def respaced_by_loop(T, n):
    found = []
    for i in range(n):
        found.append(round(T - i * T / n) - 1)
    return torch.tensor(found)


def respaced_from_the_low_end(T, n):
    return (torch.linspace(0, T, n + 1, dtype=torch.float64)[1:].round().flip(0) - 1).long()


def fresh_noise_by_sigma(abar_t, abar_s, eta):
    now, then = math.sqrt(1 / abar_t - 1), math.sqrt(1 / abar_s - 1)
    return eta * math.sqrt(abar_s) * then * math.sqrt(1 - then**2 / now**2)


def fresh_noise_by_variance(abar_t, abar_s, eta):
    variance = (1 - abar_s) / (1 - abar_t) * (abar_s - abar_t) / abar_s
    return np.sqrt(eta**2 * variance)


def jump_by_image(x_t, eps, abar_t, abar_s, sigma, z):
    x0 = x_t * abar_t**-0.5 - (1 / abar_t - 1) ** 0.5 * eps
    return math.sqrt(abar_s) * x0 + math.sqrt(max(0, 1 - abar_s - sigma**2)) * eps + sigma * z


def jump_in_sigma(x_t, eps, abar_t, abar_s, sigma, z):
    keep = (abar_s / abar_t) ** 0.5
    along = math.sqrt(1 - abar_s - sigma**2) - keep * math.sqrt(1 - abar_t)
    return keep * x_t + along * eps + sigma * z


def slerp_one_by_one(a, b, t):
    rows = []
    for x, y in zip(a, b, strict=True):
        cosine = float((x * y).sum() / (x.norm() * y.norm()))
        w = math.acos(min(1.0, max(-1.0, cosine)))
        if w < 1e-6:
            rows.append(x + t * (y - x))
        else:
            rows.append((math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w))
    return torch.stack(rows)


def slerp_of_the_library(a, b, t):
    return samplers.slerp(a, b, t)


def frechet_written_out(x, y):
    spread = x.var(0) + y.var(0) - 2 * (x.var(0) * y.var(0)).sqrt()
    return ((x.mean(0) - y.mean(0)) ** 2 + spread).sum()


def frechet_by_numpy(x, y):
    x, y = x.numpy(), y.numpy()
    means, stds = x.mean(0) - y.mean(0), x.std(0, ddof=1) - y.std(0, ddof=1)
    return float(means @ means + stds @ stds)


def interval_by_scipy(values, share=0.95):
    return stats.t.interval(share, len(values) - 1, np.mean(values), stats.sem(values))


def interval_by_table(values, share=0.95):
    n = len(values)
    mean = sum(values) / n
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    k = stats.t(n - 1).isf((1 - share) / 2)
    return mean - k * error, mean + k * error


ANSWERS = {
    "3.1": (respaced_by_loop, respaced_from_the_low_end),
    "3.2": (fresh_noise_by_sigma, fresh_noise_by_variance),
    "3.3": (jump_by_image, jump_in_sigma),
    "3.4": (slerp_one_by_one, slerp_of_the_library),
    "3.5": (frechet_written_out, frechet_by_numpy),
    "3.6": (interval_by_scipy, interval_by_table),
}
