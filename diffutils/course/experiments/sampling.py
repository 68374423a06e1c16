"""Images from a model, in batches of any size, by any sampler."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from diffutils import rng, samplers
from diffutils.data import to_uint8
from diffutils.denoisers import clipped, guided
from diffutils.methods import textbook
from diffutils.schedules import Schedule, leading, trailing
from diffutils.schedules import steps as levels

# (denoise, schedule, pure noise, noise of each step) -> images in [-1, 1]
Sampler = Callable[[Callable, Callable, Tensor, Callable], Tensor]


def respaced(steps: int, eta: float = 0.0, spacing: Callable = trailing) -> Sampler:
    """DDIM (eta = 0) to DDPM (eta = 1) in so many steps, each to where the next one begins."""

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        sigmas = levels(schedule, steps, spacing)
        return samplers.sample(denoise, samplers.start(sigmas, z), sigmas, eta=eta, noise=noise)

    return run


def edm(steps: int, heun: bool = True, grid: Schedule | None = None, **churn) -> Sampler:
    """EDM's walk, Euler or Heun, on the levels of grid (None: the model's own schedule).

    Heun spends 2 steps - 1 network evaluations.  churn: S_churn, S_min, S_max, S_noise.
    """

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        sigmas = levels(schedule if grid is None else grid, steps)
        x = samplers.start(sigmas, z, variance_preserving=False)
        return samplers.sample(denoise, x, sigmas, heun=heun, noise=noise, **churn)

    return run


def asked(steps: int, eta: float = 0.0, heun: bool = False) -> Sampler:
    """Heun's method, or `respaced` with this eta.  Raises: ValueError for Heun with an eta."""
    if heun and eta:
        raise ValueError(
            f"heun goes without fresh noise, got eta = {eta:g}; leave one of the two out"
        )
    return edm(steps) if heun else respaced(steps, eta)


def skipped(steps: int, rule: Callable = textbook.ddpm, spacing: Callable = leading) -> Sampler:
    """The published fault: steps are left out, and each goes to t - 1; see `textbook.unspaced`."""

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        plan = textbook.unspaced(schedule.betas, spacing(schedule.T, steps))
        return deque(textbook.walk(denoise, z, plan, rule, noise), maxlen=1).pop()

    return run


@torch.no_grad()
def drawn(
    model: SimpleNamespace,
    index: Int64[Tensor, "N"],
    sampler: Sampler,
    *,
    labels: Int64[Tensor, "N"] | None = None,
    scale: float = 1.0,
    seed: int = 0,
    batch: int | None = None,
    clip: bool = True,
    interval: tuple[float, float] = (0.0, math.inf),
) -> Iterator[UInt8[Tensor, "B C H W"]]:
    """Yield the images of these indices, on the CPU, batch by batch: image i is that of (seed, i).

    model: .denoiser, .schedule and .card, which has the size; labels: the class asked for each;
    scale: guidance towards it, at noise levels in the interval; clip: the estimates of the clean
    image to [-1, 1].
    batch: images at a time; None: 32 on a CPU, whose caches are small, else 500.
    Raises: ValueError for labels of another number, or unknown ones.
    """
    denoiser = model.denoiser.eval()
    check_labels(labels, len(index), getattr(denoiser.net, "classes", 0))
    device = next(denoiser.parameters()).device
    if device.type == "cpu":  # measured there: 1.4 times as fast
        denoiser.to(memory_format=torch.channels_last)
    size, channels = model.card["size"], denoiser.net.in_channels
    batch = batch or (32 if device.type == "cpu" else 500)
    for first in range(0, len(index), batch):
        part = slice(first, first + batch)
        i = index[part].to(device)
        z = rng.normal(seed, 0, i, (channels, size, size), rng.START)
        D = denoiser
        if labels is not None:
            D = guided(D, labels[part].to(device), scale, denoiser.net.classes, interval)
        x = sampler(clipped(D) if clip else D, model.schedule, z, samplers.seeded_noise(seed, i))
        yield to_uint8(x).cpu()


def check_labels(labels: Tensor | None, n: int, classes: int) -> None:
    """Raise ValueError unless there are n labels, each of a class that the model knows."""
    if labels is not None and len(labels) != n:
        raise ValueError(f"{n} images need {n} labels, got {len(labels)}")
    if labels is not None and n and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, but the model knows "
            f"{classes} classes, counted from 0"
        )
