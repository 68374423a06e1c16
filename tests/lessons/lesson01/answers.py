"""Right answers to the exercises of lesson 01, written in other ways than the course's."""

import math

import numpy as np
import torch


def forward_by_angle(x0, abar, noise):
    angle = math.acos(math.sqrt(abar))
    return x0 * math.cos(angle) + noise * math.sin(angle)


def forward_by_numpy(x0, abar, noise):
    factor = np.sqrt(abar)
    x_t = factor * x0
    return x_t + np.sqrt(1 - factor**2) * noise


def guess_band_by_band(x, abar, world):
    logs, answers = [], []
    for w, m, s in zip(*world, strict=True):
        v = abar * s * s + (1 - abar)
        logs.append(math.log(w / math.sqrt(v)) - (x - math.sqrt(abar) * m) ** 2 / v / 2)
        answers.append(m + math.sqrt(abar) * s * s / v * (x - math.sqrt(abar) * m))
    total = np.logaddexp.reduce(logs)
    return sum(np.exp(log - total) * answer for log, answer in zip(logs, answers, strict=True))


def guess_by_torch(x, abar, world):
    w, m, s = (torch.tensor(part) for part in world)
    seen = torch.distributions.Normal(abar**0.5 * m, (abar * s**2 + 1 - abar).sqrt())
    shares = (w.log() + seen.log_prob(torch.tensor(x)[:, None])).softmax(1)
    away = torch.tensor(x)[:, None] / abar**0.5 - m
    return (shares * (m + s**2 / (s**2 + (1 - abar) / abar) * away)).sum(1).numpy()


def tweedie_by_noise(x, clean, abar):
    eps = (x - abar**0.5 * clean) / (1 - abar) ** 0.5
    return -eps / (1 - abar) ** 0.5


def tweedie_in_sigma(x, clean, abar):
    sigma2 = (1 - abar) / abar
    return (clean - x / np.sqrt(abar)) / sigma2 / np.sqrt(abar)


def step_in_sigma(x, clean, now, then, eta, z):
    s, t = np.sqrt(1 / now - 1), np.sqrt(1 / then - 1)
    up = eta * t * np.sqrt(np.clip(1 - t**2 / s**2, 0, None))
    d = (x / np.sqrt(now) - clean) / s
    return np.sqrt(then) * (clean + np.sqrt(t**2 - up**2) * d + up * z)


def step_by_weights(x, clean, now, then, eta, z):
    var = eta**2 * max(0.0, (1 - then) * (then - now) / (1 - now) / then)
    of_x = math.sqrt((1 - then - var) / (1 - now))
    return of_x * x + (math.sqrt(then) - of_x * math.sqrt(now)) * clean + math.sqrt(var) * z


def units_by_snr(x_t, abar):
    return x_t * abar**-0.5, (1 / abar - 1) ** 0.5


def units_by_tensor(x_t, abar):
    sigma = torch.tensor(1 / abar - 1, dtype=torch.float64).sqrt()
    return [x_t * math.sqrt(1 + float(sigma) ** 2), sigma]


def bend_by_share(betas, last):
    root = torch.cumprod(torch.sqrt(1 - betas), 0)
    share = (root - root[-1]) / (root[0] - root[-1])
    new = share * root[0] + (1 - share) * last**0.5
    return 1 - torch.cat([new[:1], new[1:] / new[:-1]]) ** 2


def bend_by_loop(betas, last):
    roots = (1 - betas).cumprod(0).sqrt().tolist()
    high, low, before, result = roots[0], roots[-1], 1.0, []
    for root in roots:
        new = math.sqrt(last) + (root - low) / (high - low) * (high - math.sqrt(last))
        result.append(1 - (new / before) ** 2)
        before = new
    return torch.tensor(result, dtype=betas.dtype)


ANSWERS = {
    "1.1": (forward_by_angle, forward_by_numpy),
    "1.2": (guess_band_by_band, guess_by_torch),
    "1.3": (tweedie_by_noise, tweedie_in_sigma),
    "1.4": (step_in_sigma, step_by_weights),
    "1.5": (units_by_snr, units_by_tensor),
    "1.6": (bend_by_share, bend_by_loop),
}
