"""Right answers to the exercises of lesson 01, written in other ways than the course's."""

import itertools
import math

import numpy as np
import torch
from scipy import special, stats


def forward_by_angle(x0, abar, noise):
    angle = math.acos(math.sqrt(abar))
    return x0 * math.cos(angle) + noise * math.sin(angle)


def forward_by_numpy(x0, abar, noise):
    factor = np.sqrt(abar)
    x_t = factor * x0
    return x_t + np.sqrt(1 - factor**2) * noise


def forward_by_sigma(x0, abar, noise):
    sigma = math.sqrt(1 / abar - 1)
    return (x0 + sigma * noise) / math.sqrt(1 + sigma**2)


def forward_by_power(x0, abar, noise):
    return x0 * abar**0.5 + noise * (1 - abar) ** 0.5 if abar < 1 else 1 * x0


def forward_by_tensor(x0, abar, noise):
    level = torch.tensor(abar, dtype=torch.float64)
    return level.sqrt().item() * x0 + (1 - level).sqrt().item() * noise


def forward_by_pixel(x0, abar, noise):
    result = x0.clone() if isinstance(x0, torch.Tensor) else x0.copy()
    for place in itertools.product(*map(range, x0.shape)):
        result[place] = math.sqrt(abar) * x0[place] + math.sqrt(1 - abar) * noise[place]
    return result


def forward_by_copy(x0, abar, noise):
    x_t = x0 * 1
    x_t *= abar**0.5
    x_t += noise * math.sqrt(1 - abar)
    return x_t


def forward_by_library(x0, abar, noise):
    if isinstance(x0, np.ndarray):
        return np.sum([math.sqrt(abar) * x0, math.sqrt(1 - abar) * noise], 0)
    return torch.add(x0 * torch.tensor(abar).sqrt(), noise, alpha=math.sqrt(1 - abar))


def guess_pixel_by_pixel(x, abar, world):
    result = []
    for pixel in x:
        logs, answers = [], []
        for w, m, s in zip(*world, strict=True):
            v = abar * s**2 + 1 - abar
            d = pixel - math.sqrt(abar) * m
            logs.append(math.log(w) - math.log(v) / 2 - d * d / (2 * v))
            answers.append(m + math.sqrt(abar) * s**2 / v * d)
        top = max(logs)
        r = [math.exp(log - top) for log in logs]
        result.append(sum(a * b for a, b in zip(r, answers, strict=True)) / sum(r))
    return np.array(result)


def guess_row_by_row(x, abar, world):
    w, m, s = world
    v = abar * s**2 + 1 - abar

    def one(pixel):
        log_r = np.log(w / np.sqrt(2 * np.pi * v)) - (pixel - abar**0.5 * m) ** 2 / (2 * v)
        r = np.exp(log_r - log_r.max())
        return r / r.sum() @ (m + abar**0.5 * s**2 / v * (pixel - abar**0.5 * m))

    return np.array([one(pixel) for pixel in x])


def guess_by_scipy(x, abar, world):
    w, m, s = world
    std = np.sqrt(abar * s**2 + (1 - abar))
    log_r = np.log(w) + stats.norm.logpdf(x[:, None], np.sqrt(abar) * m, std)
    r = np.exp(log_r - special.logsumexp(log_r, axis=1, keepdims=True))
    answers = m + (np.sqrt(abar) * s**2 / std**2) * (x[:, None] - abar**0.5 * m)
    return np.einsum("nk,nk->n", r, answers)


def guess_by_softmax(x, abar, world):
    w, m, s = (part[None, :] for part in world)
    v = abar * s**2 + 1 - abar
    d = x[:, np.newaxis] - np.sqrt(abar) * m
    r = special.softmax(np.log(w) - np.log(np.sqrt(v)) - d**2 / 2 / v, axis=1)
    return np.sum(r * (m + d * np.sqrt(abar) * s**2 / v), axis=1)


def guess_by_precisions(x, abar, world):
    w, m, s = world
    p, q = 1 / s**2, abar / (1 - abar)
    seen, v = x[:, None] / abar**0.5, 1 / p + 1 / q
    log_r = np.log(w) - 0.5 * np.log(v) - (seen - m) ** 2 / 2 / v
    r = np.exp(log_r.T - log_r.max(1)).T
    return (r * (m * p + seen * q) / (p + q)).sum(1) / r.sum(1)


def guess_bands_first(x, abar, world):
    w, m, s = (part[:, None] for part in world)
    v = abar * s**2 + 1 - abar
    d = x - np.sqrt(abar) * m
    log_r = np.log(w) - 0.5 * np.log(2 * np.pi * v) - d**2 / (2 * v)
    log_r -= log_r.max(axis=0)
    r = np.exp(log_r)
    r /= r.sum(axis=0)
    return (r * (m + np.sqrt(abar) * s**2 * d / v)).sum(axis=0)


def guess_by_score(x, abar, world):
    """The other way round: Tweedie's formula, solved for the best guess."""
    w, m, s = (torch.tensor(part) for part in world)
    seen = torch.tensor(x, requires_grad=True)
    bumps = torch.distributions.Normal(abar**0.5 * m, (abar * s**2 + 1 - abar).sqrt())
    torch.logsumexp(w.log() + bumps.log_prob(seen[:, None]), 1).sum().backward()
    return (x + (1 - abar) * seen.grad.numpy()) / abar**0.5


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


def tweedie_by_power(x, clean, abar):
    return (abar**0.5 * clean - x) / (1.0 - abar)


def tweedie_in_two(x, clean, abar):
    variance = 1 - abar
    return np.sqrt(abar) * clean / variance - x / variance


def tweedie_by_numpy(x, clean, abar):
    return np.divide(np.subtract(np.multiply(np.sqrt(abar), clean), x), 1 - abar)


def tweedie_by_loop(x, clean, abar):
    pairs = zip(x.ravel(), clean.ravel(), strict=True)
    return np.array([(math.sqrt(abar) * c - a) / (1 - abar) for a, c in pairs]).reshape(x.shape)


def tweedie_by_helper(x, clean, abar):
    def noise():
        return (x - np.sqrt(abar) * clean) / np.sqrt(1 - abar)

    return -1 / np.sqrt(1 - abar) * noise()


def tweedie_through_torch(x, clean, abar):
    a, b = torch.tensor(x), torch.tensor(clean)
    return ((math.sqrt(abar) * b - a) / (1 - abar)).numpy()


def step_by_solution(x, clean, now, then, eta, z):
    eps = (x - np.sqrt(now) * clean) / np.sqrt(1 - now)
    fresh = eta * np.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = np.sqrt(max(1 - then - fresh**2, 0))
    return np.sqrt(then) * clean + old * eps + fresh * z


def step_by_cases(x, clean, now, then, eta, z):
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    if eta == 0:
        return math.sqrt(then) * clean + math.sqrt(1 - then) * eps
    var = eta**2 * (1 - then) / (1 - now) * (1 - now / then)
    return math.sqrt(then) * clean + math.sqrt(1 - then - var) * eps + math.sqrt(var) * z


def step_by_clip(x, clean, now, then, eta, z):
    eps = (x - now**0.5 * clean) / (1 - now) ** 0.5
    fresh = eta * ((1 - then) / (1 - now)) ** 0.5 * np.maximum(0, 1 - now / then) ** 0.5
    return then**0.5 * clean + np.clip(1 - then - fresh**2, 0, None) ** 0.5 * eps + fresh * z


def step_by_absolute(x, clean, now, then, eta, z):
    """Where eta is 0, what is under the root does not matter, as long as it is a number."""
    fresh = eta * np.sqrt(abs((1 - then) / (1 - now) * (1 - now / then)))
    old = np.sqrt(1 - then - fresh**2)
    return np.sqrt(then) * clean + old * (x - np.sqrt(now) * clean) / np.sqrt(1 - now) + fresh * z


def step_through_torch(x, clean, now, then, eta, z):
    x, clean, z, now, then = map(torch.as_tensor, (x, clean, z, now, then))
    var = ((1 - then) / (1 - now) * (1 - now / then)).clamp(min=0) * eta**2
    eps = (x - now.sqrt() * clean) / (1 - now).sqrt()
    old = (1 - then - var).clamp(min=0).sqrt()
    return (then.sqrt() * clean + old * eps + var.sqrt() * z).numpy()


def step_by_pixel(x, clean, now, then, eta, z):
    fresh = eta * math.sqrt(max((1 - then) * (then - now) / ((1 - now) * then), 0))
    old = math.sqrt(1 - then - fresh * fresh)
    result = np.empty_like(x)
    for place, pixel in np.ndenumerate(x):
        eps = (pixel - math.sqrt(now) * clean[place]) / math.sqrt(1 - now)
        result[place] = math.sqrt(then) * clean[place] + old * eps + fresh * z[place]
    return result


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


def units_by_solution(x_t, abar):
    x = x_t / math.sqrt(abar)
    sigma = math.sqrt((1 - abar) / abar)
    return x, sigma


def units_by_numpy(x_t, abar):
    return x_t / np.sqrt(abar), np.sqrt((1 - abar) / abar)


def units_as_arrays(x_t, abar):
    return x_t * (1 / abar) ** 0.5, np.array(math.sqrt(1 - abar) / math.sqrt(abar))


def units_by_single_tensor(x_t, abar):
    level = torch.tensor(abar, dtype=torch.float32)
    return x_t / abar**0.5, ((1 - level) / level).sqrt()


def units_by_noise(x_t, abar):
    factor = abar**-0.5
    return x_t * factor, (1 - abar) ** 0.5 * factor


def units_by_angle(x_t, abar):
    sigma = math.tan(math.acos(math.sqrt(abar)))
    return x_t * math.hypot(1, sigma), sigma


def bend_by_solution(betas, last):
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    bent = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    abar = bent**2
    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])


def bend_as_published(betas, last):
    """As Lin et al. write it: shift, scale, and here shift back."""
    roots = torch.cumprod(1.0 - betas, dim=0).sqrt()
    first, end = roots[0].clone(), torch.tensor(last, dtype=betas.dtype).sqrt()
    roots = roots - roots[-1]
    roots *= (first - end) / roots[0]
    abar = (roots + end) ** 2
    return 1 - torch.cat([abar[0:1], abar[1:] / abar[:-1]])


def bend_by_pad(betas, last):
    root = torch.exp(0.5 * torch.log1p(-betas).cumsum(0))
    share = (root - root[-1]) / (root[0] - root[-1])
    bent = torch.lerp(root.new_tensor(last**0.5), root[0], share)
    return 1 - (bent / torch.nn.functional.pad(bent, (1, 0), value=1.0)[:-1]).square()


def bend_through_numpy(betas, last):
    root = np.sqrt(np.cumprod(1 - betas.numpy().astype(np.float64)))
    bent = np.interp(root, [root[-1], root[0]], [np.sqrt(last), root[0]])
    return torch.from_numpy(1 - (bent / np.append(1, bent[:-1])) ** 2).to(betas.dtype)


def bend_by_roll(betas, last):
    root = (1 - betas).cumprod(0) ** 0.5
    scale = (root[0] - last**0.5) / (root[0] - root[-1])
    abar = (last**0.5 + scale * (root - root[-1])) ** 2
    before = abar.roll(1)
    before[0] = 1
    return (before - abar) / before


def bend_in_a_copy(betas, last):
    new = betas.clone()
    root = (1 - betas).cumprod(0).sqrt()
    bent = (root - root[-1]) / (root[0] - root[-1]) * (root[0] - last**0.5) + last**0.5
    new[1:] = 1 - bent[1:] ** 2 / bent[:-1] ** 2
    return new


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
    "1.1": (
        forward_by_angle,
        forward_by_numpy,
        forward_by_sigma,
        forward_by_power,
        forward_by_tensor,
        forward_by_pixel,
        forward_by_copy,
        forward_by_library,
    ),
    "1.2": (
        guess_pixel_by_pixel,
        guess_row_by_row,
        guess_by_scipy,
        guess_by_softmax,
        guess_by_precisions,
        guess_bands_first,
        guess_by_score,
        guess_band_by_band,
        guess_by_torch,
    ),
    "1.3": (
        tweedie_by_noise,
        tweedie_in_sigma,
        tweedie_by_power,
        tweedie_in_two,
        tweedie_by_numpy,
        tweedie_by_loop,
        tweedie_by_helper,
        tweedie_through_torch,
    ),
    "1.4": (
        step_by_solution,
        step_by_cases,
        step_by_clip,
        step_by_absolute,
        step_through_torch,
        step_by_pixel,
        step_in_sigma,
        step_by_weights,
    ),
    "1.5": (
        units_by_snr,
        units_by_tensor,
        units_by_solution,
        units_by_numpy,
        units_as_arrays,
        units_by_single_tensor,
        units_by_noise,
        units_by_angle,
    ),
    "1.6": (
        bend_by_solution,
        bend_as_published,
        bend_by_pad,
        bend_through_numpy,
        bend_by_roll,
        bend_in_a_copy,
        bend_by_share,
        bend_by_loop,
    ),
}
