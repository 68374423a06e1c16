"""Ways to answer y = x0 + sigma_y n with one trained denoiser: where a chain may start.

A start is a guess of the image and a noise level sigma0: the chain begins at guess + sigma0 n and
walks down from there (SDEdit: Meng et al. 2022; CCDF: Chung et al. 2022).  Beside it stands what
knows y by other means.
"""

import math
from collections.abc import Callable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor

from diffutils import rng, samplers, schedules
from diffutils.data import to_float
from diffutils.denoisers import clipped
from diffutils.methods import consistency
from diffutils.weights.models import Model

BATCH = 16
HIGH = 4.0  # a level at which pictures have drowned


class Task(NamedTuple):
    """Measurements to be answered: y (N, C, H, W), their noise, and guesses at hand by name.

    index: of each image, by which its noise is drawn.
    """

    y: Tensor
    sigma_y: float
    guesses: Mapping[str, Tensor]
    index: Tensor
    spread: float

    def part(self, i: Tensor) -> "Task":
        """Some of them."""
        guesses = {name: x[i] for name, x in self.guesses.items()}
        return self._replace(y=self.y[i], guesses=guesses, index=self.index[i])

    def on(self, device: torch.device) -> "Task":
        """The same on a device."""
        guesses = {name: x.to(device) for name, x in self.guesses.items()}
        return self._replace(y=self.y.to(device), guesses=guesses, index=self.index.to(device))


class Way(NamedTuple):
    """A way to answer: from a task, a strength, calls and a seed to images in [-1, 1].

    strengths: the field of the budget that lists those to tune by, "" for none; in units of the
    images' spread.  extra: calls before the chain.  paid: name of the guess whose making costs
    time too.  calls: its own number of calls, 0 for that of all.
    """

    draw: Callable[[Model, Task, float, int, int], Tensor]
    strengths: str = ""
    extra: int = 0
    paid: str = ""
    calls: int = 0


def measured(x0: Tensor, sigma_y: float, index: Tensor, seed: int = 0) -> Tensor:
    """y = x0 + sigma_y n, whose noise belongs to each image's index."""
    return x0 + sigma_y * rng.normal(seed, 0, index, x0.shape[1:], rng.EVALUATION)


def spread(images: Tensor) -> float:
    """s, the standard deviation of images about their mean picture, uint8 (N, C, H, W)."""
    x = to_float(images[:2_000])
    return float((x - x.mean(0)).square().mean().sqrt())


# ------------------------------------------------------------------- the ways


def chain(denoise, model: Model, x: Tensor, task: Task, sigma0, calls: int, eta: float, seed: int):
    """Walk from x at level sigma0 (None: the top) in so many calls, or as many as levels remain."""
    most = model.schedule.T if sigma0 is None else schedules.place(model.schedule, sigma0)
    levels = schedules.levels(model.schedule, min(calls, most), from_sigma=sigma0)
    noise = samplers.seeded_noise(seed, task.index)
    return samplers.sample(denoise, x, levels, eta=eta, noise=noise)


def plain(model: Model) -> Callable:
    """The network's estimate of x0, clipped to the range of images."""
    return clipped(model.denoiser.eval())


def pure(model: Model, task: Task, seed: int, levels: Tensor) -> Tensor:
    """Noise at the top of a variance-preserving schedule."""
    return samplers.start(levels, rng.normal(seed, 0, task.index, model.shape, rng.START))


def one_call(model, task, strength, calls, seed):
    """D(y, sigma_y), the least squared error that there is for a perfect D."""
    return plain(model)(task.y, torch.tensor(task.sigma_y))


def guess(name: str):
    """The guess as it is."""
    return lambda model, task, strength, calls, seed: task.guesses[name]


def started(name: str, eta: float):
    """guess + sigma0 n, and down from there."""

    def draw(model, task, strength, calls, seed):
        x = task.guesses[name] if name else one_call(model, task, strength, calls, seed)
        sigma0 = strength * task.spread
        x = x + sigma0 * rng.normal(seed, 0, task.index, model.shape, rng.START)
        return chain(plain(model), model, x, task, sigma0, calls, eta, seed)

    return draw


def raised(eta: float):
    """y made noisier by a strength, at the level that its noise then has, and down from there."""

    def draw(model, task, strength, calls, seed):
        more = strength * task.spread
        x = task.y + more * rng.normal(seed, 0, task.index, model.shape, rng.START)
        level = math.hypot(task.sigma_y, more)
        return chain(plain(model), model, x, task, level, calls, eta, seed)

    return draw


def posterior(eta: float):
    """y is a state of the chain at level sigma_y already: walk down from it."""

    def draw(model, task, strength, calls, seed):
        return chain(plain(model), model, task.y, task, task.sigma_y, calls, eta, seed)

    return draw


def knowing(eta: float):
    """From noise with a denoiser that knows y; the strength is what it takes for s.

    It starts at `HIGH`, far above the images' spread: at the top of a table most steps are spent
    where nothing is decided yet.
    """

    def draw(model, task, strength, calls, seed):
        parts = (task.y, consistency.plain(), task.sigma_y, strength * task.spread)
        denoise = consistency.consistent(plain(model), *parts)
        x = math.sqrt(1 + HIGH**2) * rng.normal(seed, 0, task.index, model.shape, rng.START)
        return chain(denoise, model, x, task, HIGH, calls, eta, seed)

    return draw


def unconditional(eta: float):
    """From pure noise, y not looked at."""

    def draw(model, task, strength, calls, seed):
        x = pure(model, task, seed, schedules.levels(model.schedule, 1))
        return chain(plain(model), model, x, task, None, calls, eta, seed)

    return draw


def ways(starts: tuple[str, ...]) -> dict[str, Way]:
    """The ways to answer by name; starts: the guesses, as in the budget."""
    found = {"D(y) alone": Way(one_call, calls=1)}
    if "DIP(y)" in starts:
        found["DIP(y) alone"] = Way(guess("DIP(y)"), paid="DIP(y)", calls=1)
    for eta, name in ((0.0, "DDIM"), (1.0, "DDPM")):
        for start in starts:
            known = "" if start == "D(y)" else start
            extra, paid = (1, "") if start == "D(y)" else (0, start if start != "y" else "")
            way = Way(started(known, eta), "start_levels", extra, paid)
            found[f"{start} + noise, {name}"] = way
        found[f"y as a state, {name}"] = Way(posterior(eta))
        found[f"y, its level raised, {name}"] = Way(raised(eta), "start_levels")
        found[f"consistent, {name}"] = Way(knowing(eta), "spreads")
        found[f"pure noise, {name}"] = Way(unconditional(eta))
    # What the seconds of a DIP buy instead, and the chains of the published table.
    found["y as a state, DDPM-200"] = Way(posterior(1.0), calls=200)
    found["pure noise, DDIM-200"] = Way(unconditional(0.0), calls=200)
    found["pure noise, DDPM-1000"] = Way(unconditional(1.0), calls=1000)
    return found


@torch.no_grad()
def answers(way: Way, model: Model, task: Task, strength: float, calls: int, seed: int) -> Tensor:
    """A way's images (N, C, H, W) in [-1, 1], batch by batch, on the CPU."""
    device, spent = next(model.denoiser.parameters()).device, calls - way.extra
    found = []
    for i in torch.arange(len(task.y)).split(BATCH):
        x = way.draw(model, task.part(i).on(device), strength, spent, seed)
        found.append(x.clamp(-1, 1).cpu())
    return torch.cat(found)
