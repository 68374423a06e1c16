"""Right answers to the exercises of lesson 02, written in other ways than the course's."""

import numpy as np
import torch


def posterior_by_precision(betas, t, x0, x_t):
    if t == 0:
        return x0, 0.0
    before = torch.prod(1 - betas[:t])
    variance = 1 / ((1 - betas[t]) / betas[t] + 1 / (1 - before))
    mean = (1 - betas[t]).sqrt() / betas[t] * x_t + before.sqrt() / (1 - before) * x0
    return mean * variance, variance


def posterior_by_lists(betas, t, x0, x_t):
    abar = [1.0]
    for beta in betas.tolist():
        abar.append(abar[-1] * (1 - beta))
    b, before, after = float(betas[t]), abar[t], abar[t + 1]
    mean = (before**0.5 * b * x0 + (1 - b) ** 0.5 * (1 - before) * x_t) / (1 - after)
    return mean, torch.tensor((1 - before) * b / (1 - after), dtype=torch.float64)


def loss_by_mse(net, x0, t, noise, betas):
    abar = torch.exp(torch.log1p(-betas).cumsum(0))[t][:, None, None, None]
    return torch.nn.functional.mse_loss(net(abar**0.5 * x0 + (1 - abar) ** 0.5 * noise, t), noise)


def loss_one_by_one(net, x0, t, noise, betas):
    total = 0.0
    for i in range(len(x0)):
        abar = torch.prod(1 - betas[: t[i] + 1])
        x_t = abar.sqrt() * x0[i : i + 1] + (1 - abar).sqrt() * noise[i : i + 1]
        total = total + ((net(x_t, t[i : i + 1]) - noise[i : i + 1]) ** 2).mean()
    return total / len(x0)


def clipped_by_mean_shift(x, t, eps, betas, z):
    abar = torch.prod(1 - betas[: t + 1])
    before = torch.prod(1 - betas[:t])
    x0 = torch.clip(x / abar**0.5 - (1 / abar - 1) ** 0.5 * eps, -1, 1)
    noise = (x - abar.sqrt() * x0) / (1 - abar).sqrt()  # what the clipped estimate implies
    mean = (x - betas[t] / (1 - abar).sqrt() * noise) / (1 - betas[t]).sqrt()
    return mean + ((1 - before) / (1 - abar) * betas[t]).sqrt() * z


def clipped_with_if(x, t, eps, betas, z):
    abar = torch.cumprod(1 - betas, 0)
    x0 = (x - torch.sqrt(1 - abar[t]) * eps) / torch.sqrt(abar[t])
    x0 = torch.minimum(torch.maximum(x0, -torch.ones_like(x0)), torch.ones_like(x0))
    if t == 0:
        return x0
    mean, variance = posterior_by_precision(betas, t, x0, x)
    return torch.normal(mean * 0, 0.0) + mean + z * variance.sqrt()


def linear_by_cov(x, sigmas):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    return (eigenvalues / (eigenvalues + sigmas[:, None] ** 2)).mean(1)


def linear_by_trace(x, sigmas):
    cov = np.cov(x.numpy(), rowvar=False)
    eye = np.eye(len(cov))
    found = [np.trace(cov @ np.linalg.inv(cov + float(s) ** 2 * eye)) / len(cov) for s in sigmas]
    return torch.tensor(found, dtype=torch.float64)


def average_by_lerp(averaged, weights, k, decay):
    return averaged.lerp(weights, 1 - min(decay, (k + 1) / (k + 10)))


def average_with_if(averaged, weights, k, decay):
    d = (1 + k) / (10 + k)
    if d > decay:
        d = decay
    new = averaged.clone()
    new += (1 - d) * (weights - averaged)
    return new


def average_by_memory(averaged, weights, k, decay):
    memory = min((10 + k) / 9, 1 / (1 - decay))
    return averaged + (weights - averaged) / memory


def guide_in_one_batch(D, x, sigma, labels, w, null):
    labels = torch.cat([labels, torch.full_like(labels, null)])
    c, u = D(torch.cat([x, x]), sigma, labels).chunk(2)
    return w * c + (1 - w) * u


def guide_from_conditional(D, x, sigma, labels, w, null):
    c, u = D(x, sigma, labels), D(x, sigma, labels.clone().fill_(null))
    return c + (w - 1) * (c - u)


ANSWERS = {
    "2.1": (posterior_by_precision, posterior_by_lists),
    "2.2": (loss_by_mse, loss_one_by_one),
    "2.3": (clipped_by_mean_shift, clipped_with_if),
    "2.4": (linear_by_cov, linear_by_trace),
    "2.5": (average_by_lerp, average_with_if, average_by_memory),
    "2.6": (guide_in_one_batch, guide_from_conditional),
}
