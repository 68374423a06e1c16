"""Rows of the published system, in its own table's form: what each of its trainings is worth.

Beside the published numbers stands what they left out: seconds with the fit of the prior in them,
floors of real against real, chains of as many steps that are respaced, and what a start is worth.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from jaxtyping import UInt8
from torch import Tensor, nn

from diffutils import rng
from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.described import load_for
from diffutils.course.experiments.measure import Reference, lpips, measure, reference
from diffutils.course.experiments.sampling import counted
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.lessons.lesson06.systems import prior
from diffutils.lessons.lesson06.systems.published import (
    chains,
    forgets,
    pretrain,
    pure_noise,
    start,
    ways,
)
from diffutils.metrics import similarity, spaces
from diffutils.metrics.timer import Seconds, synchronise
from diffutils.weights import cards, files
from diffutils.weights.models import Model

DATA = "images"  # no training: what the prior's outputs, noise and other images are like
# Fields of the budget that rows which compare have alike.
SAME = ("published_size", "images", "channels", "blocks", "attention", "schedule", "T", "steps")
SAME += ("batch", "pixels", "lr", "warmup", "ema", "prior_steps", "metric_samples")
FIELDS = {"arm": str, "way": str, "training": int, "trial": dict}
SHIPPED = cards.PRETRAINED / "faces.published.jsonl"
FEW = 8  # chains by which it is seen what a start is worth

# Of the published README.  Wrong: the second row's quality was measured with 1000 steps, its time
# with 200; both are of one training, and the time of one sample.
TABLE = (
    {
        "method": "DDPM",
        "N": 1024,
        "steps": 1000,
        "FID": 58.2,
        "LPIPS": 0.47,
        "PSNR": 9.6,
        "SSIM": 0.17,
        "time": Seconds(42.4),
    },
    {
        "method": "DIP-Guided DDPM",
        "N": 1024,
        "steps": 200,
        "FID": 53.07,
        "LPIPS": 0.49,
        "PSNR": 9.15,
        "SSIM": 0.20,
        "time": Seconds(0.0083),
    },
)


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def rederived() -> dict[str, Seconds]:
    """The published seconds an image: of a step, of 200 by that, and what was printed for them.

    Wrong: seconds were taken for milliseconds and divided by 1000 once more.  Without it the ratio
    to the baseline is that of the steps; the fit of the prior is in neither.
    """
    every, few = TABLE
    step = every["time"].per(every["steps"])
    return {
        "a step": step,
        "200 steps": step.times(few["steps"]),
        "printed": few["time"],
        "printed, without the second division": few["time"].times(1000),
    }


@torch.no_grad()
def scores(images: UInt8[Tensor, "N C H W"], data: ImageSet, against: Reference) -> dict:
    """All that is measured of images: `measure`, and means over pairs with the test images.

    PSNR, SSIM and LPIPS of a sample and a test image that it has nothing to do with say nothing of
    either; they are here because the published table has them.
    """
    real = data.heldout[: len(images)]
    found = measure(images, against) | {"psnr": float(similarity.psnr(images, real).mean())}
    if min(real.shape[2:]) >= similarity.WINDOW:
        found["ssim"] = float(similarity.ssim(images, real).mean())
    if distance := lpips():
        pairs = zip(images.split(prior.TOGETHER), real.split(prior.TOGETHER), strict=True)
        found["lpips"] = float(torch.cat([distance(*pair) for pair in pairs]).mean())
    return found


def timed(make: Callable[[], Tensor]) -> tuple[Tensor, Seconds]:
    """What make() gives, and how long each of its images took."""
    synchronise(best_device())
    began = time.perf_counter()
    made = make()
    synchronise(best_device())
    return made, Seconds(time.perf_counter() - began).per(len(made))


def of_images(
    dip: nn.Module, data: ImageSet, budget, seed: int, say: Callable = print
) -> Iterator[dict]:
    """Rows without a training: is DIP's output "closer in distribution to the desired output"?

    The published reason for starting from it.  Beside it noise, noise of no more contrast than DIP
    has, the one mean image of the training set, and other real images.
    """
    against, n = judged_by(data, budget)
    target = to_float(data.heldout[:n]).to(best_device())
    noise = rng.normal(seed, 0, torch.arange(n), data.shape, rng.START)
    with counted(dip, say, "published: the prior's fits", n * budget.prior_steps):
        made, spent = timed(lambda: prior.priors(dip, target, seed, steps=budget.prior_steps))
    moves = prior.moved(dip, target[: prior.TOGETHER], seed, steps=budget.prior_steps)
    mean = to_uint8(to_float(data.train[:n]).mean(0, keepdim=True))
    sets = {
        "DIP": (to_uint8(made).cpu(), moves | {"prior_seconds": spent.s, "seconds": spent.s}),
        "noise": (to_uint8(noise), {}),
        "faint noise": (to_uint8(noise * made.std().cpu()), {}),
        "mean image": (mean.expand(n, -1, -1, -1), {}),
        "other images": (data.train[-n:], {}),
    }
    for name, (images, more) in sets.items():
        yield {"way": name, **scores(images, data, against), **more}


def judged_by(data: ImageSet, budget) -> tuple[Reference, int]:
    """What samples are measured against, and how many of them."""
    n = min(budget.metric_samples, len(data.heldout), len(data.train))
    return reference(data, spaces.of(data.name, data.shape[0], best_device()), n), n


def of_arm(
    arm: str, model: Model, dip: nn.Module, data: ImageSet, budget, say: Callable = print
) -> Iterator[dict]:
    """Rows of a trained arm in the published table's form, with all seconds an image.

    sampling_seconds, prior_seconds and their sum, seconds; the published 0.0083 leaves the second
    out.  target: what the prior was fitted to, with the leak "test image".
    """
    against, n = judged_by(data, budget)
    fit, seed = {"steps": budget.prior_steps}, 0  # of sampling
    noise = pure_noise(model, n, seed)
    image = to_float(data.heldout[:n]).to(noise.device)
    # Draw in every way, and measure.
    for way in ways(arm, model.schedule.T):
        target = image if way.target == "test image" else None
        make = partial(start, dip, noise, way.w, seed, target=target, **fit)
        name = f"published: {arm}, {way.name}"
        with counted(dip, say, f"{name}, the prior's fits", n * budget.prior_steps):
            x_T, prior_spent = timed(make) if way.w else (noise, Seconds(0))
        with counted(model.denoiser, say, name, n * way.steps):
            images, spent = timed(partial(chains, model, x_T, way.sampler, seed))
        yield {
            "way": way.name,
            "steps": way.steps,
            "target": way.target,
            "w": way.w,
            **scores(images, data, against),
            "spread": float(to_float(images).std(0).mean()),
            "sampling_seconds": spent.s,
            "prior_seconds": prior_spent.s,
            "seconds": (spent + prior_spent).s,
        }
    if arm == "baseline":
        with counted(model.denoiser, say, "published: other starts"):
            yield from forgets(model, dip, data.heldout[: min(n, FEW)], seed, **fit)


def rows(
    dataset: str,
    budget,
    seeds: Sequence[int],
    train: Callable,
    folder: Path,
    say: Callable = print,
) -> Iterator[dict]:
    """Rows of `DATA` and of budget.published_arms for every training seed, kept in published.jsonl.

    Of images budget.published_size pixels a side.  train: as `Lesson.train`; say: told of each arm
    that is measured.  What is there in the folder is not made again; rows of another budget or
    dataset stay there, and are not given.
    Raises: ValueError for a damaged file; as `described.load_for`.
    """
    # Find what there is.
    budget = replace(budget, max_size=budget.published_size)
    path, same = Path(folder) / "published.jsonl", {name: getattr(budget, name) for name in SAME}
    same = files.finite({"dataset": dataset} | same)  # as JSON gives it back
    every = recorded.read(path, "delete it, and it is made again", FIELDS)
    known = [row for row in every if row["trial"] == same]
    yield from known
    for seed in seeds:
        done = {row["arm"] for row in known if row["training"] == seed}
        asked = [arm for arm in (DATA, *budget.published_arms) if arm not in done]
        if not asked:
            continue
        # Train and measure arm by arm; all have the prior of their seed.
        data = load_for(dataset, budget, seed)
        dip = prior.pretrain_dip(data, budget, seed, train)
        for arm in asked:
            if arm == DATA:
                found = of_images(dip, data, budget, seed, say)
            else:
                model = pretrain(arm, data, budget, seed, train, dip)
                found = of_arm(arm, model, dip, data, budget, say)
            say(f"published: measures {arm}, training {seed}")
            new = [{"arm": arm, "training": seed, "trial": same} | row for row in found]
            # Keep what there is.
            every += new
            recorded.write(path, every)
            yield from new
