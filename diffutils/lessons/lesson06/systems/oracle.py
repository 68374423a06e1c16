"""Every way to answer a measurement, tried where the right answer is known: on a Gaussian.

Pixels are N(mean, spread^2), half of them are seen as y with noise sigma_y, and the denoiser is
exact, so what is off at the end is the method's own.  By Bayes' rule a seen pixel is
N(m_y, s_y^2) with 1/s_y^2 = 1/spread^2 + 1/sigma_y^2 and m_y = s_y^2 (mean/spread^2 + y/sigma_y^2).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from diffutils import denoisers, rng, samplers, schedules
from diffutils.methods import consistency, posterior

MEAN, SPREAD, SIGMA_Y, SEEN = 0.5, 0.2, 0.1, 0.75
SIDE = 32


def problem() -> tuple[Tensor, consistency.Operator]:
    """The measurement y (1, 1, side, side), and the mask that shows it: the left half."""
    left = torch.arange(SIDE) < SIDE // 2
    operator = consistency.masked(left.expand(SIDE, SIDE))
    return operator.A(torch.full((1, 1, SIDE, SIDE), SEEN)), operator


def exact() -> tuple[float, float]:
    """Mean and standard deviation of a seen pixel, given y."""
    precision = 1 / SPREAD**2 + 1 / SIGMA_Y**2
    return (MEAN / SPREAD**2 + SEEN / SIGMA_Y**2) / precision, precision**-0.5


def rows(steps: int, images: int, seed: int = 0) -> Iterator[dict]:
    """What each method's samples look like after so many steps: a row each.

    Row: method; calls an image, where one backward pass counts as two; mean and std of the pixels
    that are seen, and of the others.
    """
    y, operator = problem()
    prior = denoisers.gaussian(MEAN, SPREAD)
    index = torch.arange(images)
    fresh = samplers.seeded_noise(seed, index)
    edm = schedules.levels(schedules.karras(), steps)
    table = schedules.Discrete(schedules.linear_betas())
    ddpm = schedules.levels(table, min(steps, table.T))
    knows = consistency.consistent(prior, y, operator, SIGMA_Y, SPREAD)
    unit = consistency.consistent(prior, y, operator, SIGMA_Y, 1.0)
    by_dps, by_pigdm = (
        posterior.dps(prior, y, operator),
        posterior.pigdm(prior, y, operator, SIGMA_Y),
    )
    restored = posterior.ddrm(y, operator, SIGMA_Y, fresh)
    # Name, denoiser, levels, calls a step, settings of the walk.
    ways = (
        ("consistent", knows, edm, 1, {"eta": 1.0}),
        ("consistent, DDIM", knows, edm, 1, {}),
        ("consistent, Heun", knows, edm, 2, {"heun": True}),
        ("consistent, s = 1", unit, edm, 1, {"eta": 1.0}),
        ("DPS", by_dps[0], ddpm, 3, {"eta": 1.0, "after_step": by_dps[1]}),
        ("Pi-GDM", by_pigdm[0], ddpm, 3, {"after_step": by_pigdm[1]}),
        ("DDRM", prior, ddpm, 1, {"after_step": restored}),
    )
    for name, denoise, levels, calls, settings in ways:
        z = rng.normal(seed, 0, index, (1, SIDE, SIDE), rng.START)
        x = samplers.start(levels, z, variance_preserving=levels is ddpm)
        end = samplers.sample(denoise, x, levels, noise=fresh, **settings)
        yield {"method": name, "calls": calls * (len(levels) - 1) - (calls == 2)} | halves(end)


def halves(x: Tensor) -> dict[str, float]:
    """Mean and std of the seen half of images, and of the other one."""
    seen, unseen = x[..., : SIDE // 2], x[..., SIDE // 2 :]
    parts = {"seen mean": seen.mean(), "seen std": seen.std()}
    parts |= {"unseen mean": unseen.mean(), "unseen std": unseen.std()}
    return {name: float(value) for name, value in parts.items()}


def by_batch(steps: int, batches: tuple[int, ...], seed: int = 0) -> dict[int, float]:
    """The seen mean of DPS whose norm goes over the whole batch, by the batch that is asked."""
    y, operator = problem()
    levels = schedules.levels(schedules.Discrete(schedules.linear_betas()), steps)
    found = {}
    for n in batches:
        index = torch.arange(n)
        x = samplers.start(levels, rng.normal(seed, 0, index, (1, SIDE, SIDE), rng.START))
        denoise, after = posterior.dps(
            denoisers.gaussian(MEAN, SPREAD), y, operator, per_batch=True
        )
        fresh = samplers.seeded_noise(seed, index)
        end = samplers.sample(denoise, x, levels, eta=1.0, noise=fresh, after_step=after)
        found[n] = halves(end)["seen mean"]
    return found
