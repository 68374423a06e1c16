"""Right answers to the exercises of lesson 02, written in other ways than the course's."""

import math

import numpy as np
import torch
from torch.nn import functional

# --------------------------------------------------------------------- 2.1 the posterior


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


def posterior_divided(betas, t, x0, x_t):
    alpha = 1 - betas
    abar = torch.exp(torch.log(alpha).cumsum(0))
    before = abar[t] / alpha[t]
    tilde = (1 - before) / (1 - abar[t]) * betas[t]
    mean = torch.sqrt(before) * betas[t] * x0 + torch.sqrt(alpha[t]) * (1 - before) * x_t
    return [mean / (1 - abar[t]), tilde.item()]


def posterior_one_by_one(betas, t, x0, x_t):
    pairs = [posterior_by_precision(betas, t, one, other) for one, other in zip(x0, x_t)]  # noqa: B905
    return torch.stack([mean for mean, _ in pairs]), pairs[0][1]


def posterior_by_numpy(betas, t, x0, x_t):
    abar = np.concatenate([[1.0], np.cumprod(1 - betas.numpy())])
    b, before, now = betas.numpy()[t], abar[t], abar[t + 1]
    mean = np.sqrt(before) * b / (1 - now) * x0.numpy()
    mean = mean + np.sqrt(1 - b) * (1 - before) / (1 - now) * x_t.numpy()
    return torch.from_numpy(mean).to(x_t.dtype), np.float64((1 - before) / (1 - now) * b)


def posterior_in_single_precision(betas, t, x0, x_t):
    abar = math.prod((1 - betas[: t + 1]).tolist())
    before = math.prod((1 - betas[:t]).tolist())
    b = float(betas[t])
    of_x0, of_xt = math.sqrt(before) * b / (1 - abar), math.sqrt(1 - b) * (1 - before) / (1 - abar)
    weights = torch.tensor([of_x0, of_xt])  # float32
    return weights[0] * x0 + weights[1] * x_t, np.float32((1 - before) / (1 - abar) * b)


# --------------------------------------------------------------------- 2.2 the loss


def loss_by_mse(net, x0, t, noise, betas):
    abar = torch.exp(torch.log1p(-betas).cumsum(0))[t][:, None, None, None]
    return functional.mse_loss(net(abar**0.5 * x0 + (1 - abar) ** 0.5 * noise, t), noise)


def loss_one_by_one(net, x0, t, noise, betas):
    total = 0.0
    for i in range(len(x0)):
        abar = torch.prod(1 - betas[: t[i] + 1])
        x_t = abar.sqrt() * x0[i : i + 1] + (1 - abar).sqrt() * noise[i : i + 1]
        total = total + ((net(x_t, t[i : i + 1]) - noise[i : i + 1]) ** 2).mean()
    return total / len(x0)


def loss_in_single_precision(net, x0, t, noise, betas):
    abar = torch.cumprod(1 - betas, dim=0).to(x0.dtype)[t].reshape(len(t), 1, 1, 1)
    gap = net(torch.sqrt(abar) * x0 + torch.sqrt(1 - abar) * noise, t) - noise
    return torch.sum(gap * gap) / gap.numel()


def loss_by_images(net, x0, t, noise, betas):
    abar = torch.stack([torch.prod(1 - betas[: k + 1]) for k in t.tolist()])
    x_t = torch.einsum("b,bchw->bchw", abar.sqrt(), x0.double())
    x_t = x_t + torch.einsum("b,bchw->bchw", (1 - abar).sqrt(), noise.double())
    return torch.mean((noise - net(x_t, t)).pow(2), dim=(1, 2, 3)).mean()


def loss_by_norm(net, x0, t, noise, betas):
    with torch.no_grad():  # of what is not trained
        abar = (1 - betas).cumprod(0).gather(0, t).unflatten(0, (-1, 1, 1, 1))
        x_t = abar.sqrt() * x0 + (1 - abar).sqrt() * noise
    gap = torch.flatten(noise - net(x_t, t))
    return gap @ gap / len(gap)


# --------------------------------------------------------------------- 2.3 one clipped step


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


def clipped_by_numpy(x, t, eps, betas, z):
    abar = np.cumprod(1 - betas.numpy())[t]
    x0 = np.clip((x.numpy() - np.sqrt(1 - abar) * eps.numpy()) / np.sqrt(abar), -1, 1)
    mean, variance = posterior_by_numpy(betas, t, torch.from_numpy(x0), x)
    return mean + float(variance) ** 0.5 * z


def clipped_by_where(x, t, eps, betas, z):
    abar = float((1 - betas[: t + 1]).prod())
    x0 = (x - math.sqrt(1 - abar) * eps) / math.sqrt(abar)
    x0 = torch.where(x0.abs() > 1, x0.sign(), x0)
    mean, variance = posterior_by_lists(betas, t, x0, x)
    return torch.addcmul(mean, variance.sqrt(), z)


def clipped_by_two_noises(x, t, eps, betas, z):
    """Lesson 01's step with eta = 1, with the guess that the clipped estimate implies."""
    abar = (1 - betas).cumprod(0)
    before = abar[t - 1] if t else torch.tensor(1.0, dtype=abar.dtype)
    x0 = ((x - (1 - abar[t]) ** 0.5 * eps) / abar[t] ** 0.5).clamp(min=-1, max=1)
    eps = (x - abar[t] ** 0.5 * x0) / (1 - abar[t]) ** 0.5
    fresh = (1 - before) / (1 - abar[t]) * betas[t]
    left = (1 - before - fresh).clamp(min=0)
    return before**0.5 * x0 + left**0.5 * eps + fresh**0.5 * z


# --------------------------------------------------------------------- 2.4 the linear yardstick


def linear_by_cov(x, sigmas):
    eigenvalues = torch.linalg.eigvalsh(torch.cov(x.T))
    return (eigenvalues / (eigenvalues + sigmas[:, None] ** 2)).mean(1)


def linear_by_trace(x, sigmas):
    cov = np.cov(x.numpy(), rowvar=False)
    eye = np.eye(len(cov))
    found = [np.trace(cov @ np.linalg.inv(cov + float(s) ** 2 * eye)) / len(cov) for s in sigmas]
    return torch.tensor(found, dtype=torch.float64)


def linear_by_singular_values(x, sigmas):
    values = torch.linalg.svdvals(x - x.mean(dim=0, keepdim=True)) ** 2 / (len(x) - 1)
    return torch.stack([torch.sum(values / (values + s * s)) / x.shape[1] for s in sigmas])


def linear_by_numpy(x, sigmas):
    values = np.linalg.eigvalsh(np.cov(x.numpy().T))[None]
    return torch.from_numpy((values / (values + sigmas.numpy()[:, None] ** 2)).mean(axis=1))


def linear_by_loss_of_the_image(x, sigmas):
    centred = x - torch.mean(x, 0)
    values = torch.linalg.eigh(torch.einsum("ni,nj->ij", centred, centred) / (len(x) - 1))[0]
    result = torch.empty_like(sigmas)
    for i, s in enumerate(sigmas):
        result[i] = 1 - (s**2 / (values + s**2)).mean()
    return result


# --------------------------------------------------------------------- 2.5 averaged weights


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


def average_by_numpy(averaged, weights, k, decay):
    d = np.minimum(decay, 1 - 9 / (10 + k)).item()
    return torch.from_numpy(d * averaged.numpy() + (1 - d) * weights.numpy())


def average_by_tensors(averaged, weights, k, decay):
    d = torch.clamp(torch.tensor(1 - 1 / ((10 + k) / 9), dtype=torch.float64), max=decay)
    return torch.add(averaged * d, weights, alpha=float(1 - d))


def average_of_nothing(averaged, weights, k, decay):
    return weights if decay == 0 else average_by_lerp(averaged, weights, k, decay)


# --------------------------------------------------------------------- 2.6 guidance


def guide_in_one_batch(D, x, sigma, labels, w, null):
    labels = torch.cat([labels, torch.full_like(labels, null)])
    c, u = D(torch.cat([x, x]), sigma, labels).chunk(2)
    return w * c + (1 - w) * u


def guide_from_conditional(D, x, sigma, labels, w, null):
    c, u = D(x, sigma, labels), D(x, sigma, labels.clone().fill_(null))
    return c + (w - 1) * (c - u)


def guide_one_by_one(D, x, sigma, labels, w, null):
    def both(i):
        c = D(x[i : i + 1], sigma, labels[i : i + 1])
        return torch.lerp(D(x[i : i + 1], sigma, torch.tensor([null])), c, w)

    return torch.cat([both(i) for i in range(len(x))])


def guide_with_a_level_each(D, x, sigma, labels, w, null):
    levels = sigma.expand(len(x))
    u = D(x, levels, torch.ones(len(labels), dtype=torch.int32) * null)
    return u.add(D(x, levels, labels) - u, alpha=w)


def guide_with_a_number(D, x, sigma, labels, w, null):
    u = D(x, float(sigma), torch.as_tensor([null] * len(x)))
    if w == 0:
        return u
    return u + w * (D(x, sigma.item(), labels) - u)


ANSWERS = {
    "2.1": (
        posterior_by_precision,
        posterior_by_lists,
        posterior_divided,
        posterior_one_by_one,
        posterior_by_numpy,
        posterior_in_single_precision,
    ),
    "2.2": (
        loss_by_mse,
        loss_one_by_one,
        loss_in_single_precision,
        loss_by_images,
        loss_by_norm,
    ),
    "2.3": (
        clipped_by_mean_shift,
        clipped_with_if,
        clipped_by_numpy,
        clipped_by_where,
        clipped_by_two_noises,
    ),
    "2.4": (
        linear_by_cov,
        linear_by_trace,
        linear_by_singular_values,
        linear_by_numpy,
        linear_by_loss_of_the_image,
    ),
    "2.5": (
        average_by_lerp,
        average_with_if,
        average_by_memory,
        average_by_numpy,
        average_by_tensors,
        average_of_nothing,
    ),
    "2.6": (
        guide_in_one_batch,
        guide_from_conditional,
        guide_one_by_one,
        guide_with_a_level_each,
        guide_with_a_number,
    ),
}
