"""Where a chain starts, on trial: ways to answer y = x0 + sigma_y n with one trained denoiser.

A start is a guess of the image and a noise level sigma0: the chain begins at guess + sigma0 n and
walks down from there (SDEdit: Meng et al. 2022; CCDF: Chung et al. 2022; with D(y) as the guess
PMRF's start: Ohayon et al. 2025).  Beside it stands what knows y by other means.  Every way spends
the same number of calls of the network, and each that has a strength has it tuned by as many tries
on images that are set aside.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import torch as safetensors
from torch import Tensor

from diffutils import rng, samplers, schedules
from diffutils.course.experiments import rows as recorded
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.denoisers import clipped
from diffutils.lessons.lesson06.systems import restored, scores
from diffutils.methods import consistency, dip
from diffutils.weights import cards, files
from diffutils.weights.models import Model

BATCH = 16
FIELDS = {"way": str, "N": int, "calls": int, "strength": recorded.DISTANCE, "seconds": float}
SHIPPED = cards.PRETRAINED / "faces64.starts.jsonl"


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


class Way(NamedTuple):
    """A way to answer: from a task, a strength, calls and a seed to images in [-1, 1].

    strengths: whether it has one to tune, in units of the images' spread.  extra: calls before
    the chain.  paid: name of the guess whose making costs time too.  calls: its own number of
    calls, 0 for that of all.
    """

    draw: Callable[[Model, Task, float, int, int], Tensor]
    strengths: bool = False
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


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


# ------------------------------------------------------------------- ways to answer


def chain(denoise, model: Model, x: Tensor, task: Task, sigma0, calls: int, eta: float, seed: int):
    """Walk from x at level sigma0 (None: the top of the schedule) in so many calls."""
    levels = schedules.levels(model.schedule, calls, from_sigma=sigma0)
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


def posterior(eta: float):
    """y is a state of the chain at level sigma_y already: walk down from it."""

    def draw(model, task, strength, calls, seed):
        return chain(plain(model), model, task.y, task, task.sigma_y, calls, eta, seed)

    return draw


def knowing(eta: float):
    """From pure noise with a denoiser that knows y; the strength is what it takes for s."""

    def draw(model, task, strength, calls, seed):
        levels = schedules.levels(model.schedule, calls)
        s = strength * task.spread
        parts = (task.y, consistency.plain(), task.sigma_y, s)
        denoise = consistency.consistent(plain(model), *parts)
        x = pure(model, task, seed, levels)
        return chain(denoise, model, x, task, None, calls, eta, seed)

    return draw


def unconditional(eta: float):
    """From pure noise, y not looked at."""

    def draw(model, task, strength, calls, seed):
        x = pure(model, task, seed, schedules.levels(model.schedule, calls))
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
            found[f"{start} + noise, {name}"] = Way(started(known, eta), True, extra, paid)
        found[f"y as a state, {name}"] = Way(posterior(eta))
        found[f"consistent, {name}"] = Way(knowing(eta), True)
        found[f"pure noise, {name}"] = Way(unconditional(eta))
    # What the seconds of a DIP buy instead, and the chains of the published table.
    found["y as a state, DDPM-200"] = Way(posterior(1.0), calls=200)
    found["pure noise, DDIM-200"] = Way(unconditional(0.0), calls=200)
    found["pure noise, DDPM-1000"] = Way(unconditional(1.0), calls=1000)
    return found


@torch.no_grad()
def answers(way: Way, model: Model, task: Task, strength: float, calls: int, seed: int) -> Tensor:
    """A way's images (N, C, H, W) in [-1, 1], batch by batch."""
    chosen = torch.arange(len(task.y)).split(BATCH)
    spent = calls - way.extra
    drawn = (way.draw(model, task.part(i), strength, spent, seed) for i in chosen)
    return torch.cat([x.clamp(-1, 1) for x in drawn])


# ------------------------------------------------------------------- the trial


def parts(
    data: ImageSet, budget, seed: int, folder: Path, say: Callable = print
) -> tuple[tuple[Tensor, Task], tuple[Tensor, Task], Tensor, dict[str, float]]:
    """What `trial` takes: images set aside, images that judge, each with a task; others; seconds.

    The DIP of each image is kept in folder/dip, one file each, and not made again.
    """
    n = budget.tuning_images
    m = min(budget.trial_images, (len(data.heldout) - n) // 2)
    index = torch.arange(n + m)
    x0 = data.heldout[: n + m]
    y = measured(to_float(x0), budget.start_noise, index, seed)
    guesses, seconds = {"y": y}, {}
    if "DIP(y)" in budget.starts:
        fitted = [dip_of(y[i : i + 1], budget, i, folder / "dip", say) for i in index.tolist()]
        guesses["DIP(y)"] = torch.cat([found["image"] for found in fitted])
        seconds["DIP(y)"] = float(sum(found["seconds"] for found in fitted)) / len(index)
    task = Task(y, budget.start_noise, guesses, index, spread(data.train))
    tuning, judged = (task.part(index[:n]), task.part(index[n:]))
    return (x0[:n], tuning), (x0[n:], judged), data.heldout[n + m : n + 2 * m], seconds


def dip_of(y: Tensor, budget, i: int, folder: Path, say: Callable) -> dict[str, Tensor]:
    """Image and seconds of the DIP of one measurement (1, C, H, W), stopped by held-out pixels."""
    path = folder / f"{i}.safetensors"
    if path.exists():
        return safetensors.load_file(path)
    began, best = time.perf_counter(), None
    prior = restored.prior_for(tuple(y.shape[1:]), i)
    for record in dip.fit(prior, y, steps=budget.dip_iterations, log_every=restored.EVERY):
        if best is None or record.heldout < best.heldout:
            best = record
    took = time.perf_counter() - began
    say(f"starts: DIP of image {i + 1} stops at {best.step} of {record.step}, {took:.0f} s")
    found = {"image": best.average.contiguous(), "seconds": torch.tensor(took)}
    folder.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, safetensors.save(found))
    return found


def trial(
    model: Model,
    tuning: tuple[Tensor, Task],
    judged: tuple[Tensor, Task],
    others: Tensor,
    seconds: Mapping[str, float],
    budget,
    folder: Path,
    say: Callable = print,
) -> Iterator[dict]:
    """A row for every way and strength on the images set aside, then for each tuned way.

    tuning, judged: true images, uint8, and their task.  others: as many other true images, for
    distances.  seconds: of each guess, an image.  Rows are kept in folder/starts.jsonl, and not
    made again.
    """
    path = folder / "starts.jsonl"
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    same = {
        "weights": model.card["name"],
        "sigma_y": judged[1].sigma_y,
        "N": len(judged[0]),
        "tuned on": len(tuning[0]),
        "strengths": budget.start_levels,
        "calls": budget.calls,
    }
    same = files.finite(same)

    def kept(row: dict) -> dict:
        known.append(files.finite(row | {"trial": same}))
        lines = (json.dumps(row, ensure_ascii=False) for row in known)
        files.write_whole(path, "".join(f"{line}\n" for line in lines).encode())
        return known[-1]

    def row(name, way, given, strength, calls, part, seed=0):
        asked = {"way": name, "strength": strength, "calls": calls, "part": part, "seed": seed}
        asked |= {"trial": same}
        if found := recorded.where(known, **asked):
            return found[0]
        x0, task = given
        began = time.perf_counter()
        images = answers(way, model, task, strength or 0.0, calls, seed)
        took = (time.perf_counter() - began) / len(x0)
        about = {"N": len(x0), "seconds": took + seconds.get(way.paid, 0.0)}
        near = others if part == "judged" else None
        return kept(
            asked | about | scores.of_images(to_uint8(images), x0, model.card["data"], near)
        )

    # Tune on images that are set aside, then judge.
    for name, way in ways(budget.starts).items():
        best, calls = None, way.calls or budget.calls
        if way.strengths:
            tried = []
            for strength in budget.start_levels:
                say(f"starts: {name}, strength {strength:g}, {len(tuning[0])} images set aside")
                tried.append(row(name, way, tuning, strength, calls, "tuning"))
                yield tried[-1]
            best = min(tried, key=lambda r: r["tuned_by"])["strength"]
        say(f"starts: {name}, {len(judged[0])} images")
        yield row(name, way, judged, best, calls, "judged")


def coverage(
    way: Way, model: Model, x0: Tensor, task: Task, strength: float, calls: int, samples: int
) -> dict[str, float]:
    """Of several samples: share of numbers inside the 90 % set, and errors of one and the mean.

    x0: true images, uint8.  The 90 % set reaches from the 5 % to the 95 % quantile.
    """
    drawn = torch.stack([answers(way, model, task, strength, calls, k) for k in range(samples)])
    true = to_float(x0)
    low, high = torch.quantile(drawn, torch.tensor([0.05, 0.95]), dim=0)
    return {
        "covered": float(((low <= true) & (true <= high)).double().mean()),
        "mse": float((drawn - true).square().mean()),
        "mse of the mean": float((drawn.mean(0) - true).square().mean()),
        "spread": float(drawn.std(0).square().mean().sqrt()),
    }
