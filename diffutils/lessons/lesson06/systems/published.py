"""The published "DIP-guided DDPM", rebuilt with its faults, and measured for what it is.

Four trainings, called as the published scripts are: `prior.pretrain_dip`, `pretrain_baseline_ddpm`,
`pretrain_integrated_ddpm05` and `pretrain_integrated_ddpm10`.  The faults stand at their functions.
Not rebuilt: what only handicapped the baseline (its learning rate warmed up by epochs that were
meant for steps), a second forward pass that each loss threw away, dropout, and jittered colours.

Source: the published README, main.py, models/{ddpm,integration}.py, experiments/train.py.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor, nn

from diffutils import rng, samplers, schedules
from diffutils.course.experiments.described import card, one_of
from diffutils.course.experiments.sampling import Sampler, respaced, skipped
from diffutils.course.experiments.training import prepared
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.denoisers import clipped, per_image
from diffutils.lessons.lesson06.systems import prior
from diffutils.training import Bfloat16, batch_order, training_levels
from diffutils.weights.models import Model

ARMS = {"baseline": 0.0, "mix 0.5": 0.5, "mix 1.0": 1.0}  # w, the share of DIP in the noise
# Settings of `optimise` on a card.
LOOP = ("steps", "batch", "lr", "warmup", "ema", "compile", "log_every", "optimizer", "decay")

# ------------------------------------------------------------------- the trainings


def noise_loss(
    eps: Float[Tensor, "b C H W"], noise: Float[Tensor, "b C H W"]
) -> Float[Tensor, "b"]:
    """|eps - n|^2, plus a tenth of the squared errors of the std and of the mean of each image."""
    said, true = eps.flatten(1), noise.flatten(1)
    statistics = (said.std(1) - true.std(1)).square() + (said.mean(1) - true.mean(1)).square()
    return (said - true).square().mean(1) + 0.1 * statistics


def mixed(
    dip: nn.Module | None,
    w: float,
    x0: Float[Tensor, "b C H W"],
    noise: Float[Tensor, "b C H W"],
    index: Int[Tensor, "b"],
    **fit,
) -> Float[Tensor, "b C H W"]:
    """w DIP(x0) + (1 - w) n, which the published training calls the noise.  fit: of `prior.fitted`.

    Wrong: its variance is not 1 but about (1 - w)^2 + w^2 var DIP, it is not independent of x0, and
    at w = 1 nothing in it is drawn at random but the input of a fixed network.
    """
    return w * prior.fitted(dip, x0, index, **fit).output + (1 - w) * noise if w else noise


def step_loss(
    net: nn.Module,
    k: int,
    slots: Int[Tensor, "b"],
    *,
    images: UInt8[Tensor, "N C H W"],
    schedule: schedules.Discrete,
    batch: int,
    seed: int,
    bf16: bool,
    dip: nn.Module | None,
    w: float,
    prior_steps: int,
) -> Float[Tensor, "b"]:
    """Losses of step k: x_t = sqrt(abar) x0 + sqrt(1 - abar) mix, and the network says the mix."""
    index = slots.to(images.device)
    x0 = to_float(images[batch_order(seed, k, batch, len(images))[slots].to(images.device)])
    noise = rng.normal(seed, k, index, x0.shape[1:])
    fit = {"seed": seed, "steps": prior_steps, "draw": k, "stream": rng.AUGMENT}
    mix = mixed(dip, w, x0, noise, index, **fit)
    sigma = training_levels(schedule, seed, k, slots, batch).to(x0)
    level = per_image(sigma, x0)
    x_t = (x0 + level * mix) / (1 + level**2).sqrt()  # in our units: x0 + sigma mix
    return noise_loss((Bfloat16(net) if bf16 else net)(x_t, schedule.t(sigma)), mix)


def pretrain(
    arm: str, data: ImageSet, budget, seed: int, train: Callable, dip: nn.Module | None = None
) -> Model:
    """Train one of `ARMS` on the one loop, in pretrain/NAME-seed-SEED; the averaged network.

    dip: of `prior.pretrain_dip`, for an arm that mixes it in.  train(folder, net, loss, **settings
    of `recorded_optimise`) yields the records, as a lesson's `train`.
    Raises: ValueError for another arm, or a mix without a prior.
    """
    w = one_of(ARMS, arm, "arm")
    if w and dip is None:
        raise ValueError(f"{arm} mixes a prior into its noise; hand over dip=, of pretrain_dip")
    name = f"{arm.replace(' ', '-').replace('.', '')}-seed-{seed}"  # fit for a file
    about = card(data.without_labels(), budget, seed, name, w=w, prior_steps=budget.prior_steps)
    model, settings = prepared(about, data)
    loss = partial(
        step_loss,
        images=data.train.to(best_device()),
        schedule=model.schedule,
        batch=settings["batch"],
        seed=seed,
        bf16=settings["bf16"],
        dip=dip if w else None,
        w=w,
        prior_steps=budget.prior_steps if w else 0,
    )
    given = {key: settings[key] for key in LOOP}
    records = list(train(f"pretrain/{name}", model.denoiser.net, loss, card=about, **given))
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    model.denoiser.net = records[-1].ema
    return replace(model, denoiser=model.denoiser.eval().requires_grad_(False), log=log)


pretrain_baseline_ddpm = partial(pretrain, "baseline")
pretrain_integrated_ddpm05 = partial(pretrain, "mix 0.5")
pretrain_integrated_ddpm10 = partial(pretrain, "mix 1.0")


# ------------------------------------------------------------------- the chains


class Way(NamedTuple):
    """How an arm draws.  w: share of the prior in the start; target: what that was fitted to."""

    name: str
    steps: int  # of the chain, each one call of the network
    sampler: Sampler
    w: float = 0.0
    target: str = ""  # "test image", the leak; "noise", the fall-back


def ways(arm: str, T: int) -> list[Way]:
    """The chains that are measured of an arm whose table has T levels: all of them, or a fifth.

    Wrong: "unspaced" leaves levels out and goes from t to t - 1 all the same, at 201 values of
    linspace(999, 0); and a chain that starts from a prior starts at the top, where it forgets it.
    "from DIP" is what main.py measures as DIP-guided: the weights are those of the baseline.
    """
    w, few = one_of(ARMS, arm, "arm"), max(1, T // 5)
    every, unspaced = respaced(T, 1.0), published_skip(few)
    if arm == "baseline":
        return [
            Way("DDPM", T, every),
            Way("respaced", few, respaced(few, 1.0)),
            Way("DDIM", few, respaced(few)),
            Way("unspaced", few + 1, unspaced),
            Way("DDPM from DIP", T, every, 1.0, "test image"),
            Way("unspaced from DIP", few + 1, unspaced, 1.0, "test image"),
        ]
    return [
        Way("DDPM", T, every, w, "test image"),
        Way("unspaced", few + 1, unspaced, w, "test image"),
        Way("unspaced, no image", few + 1, unspaced, w, "noise"),
    ]


def published_skip(steps: int) -> Sampler:
    """The published way through a part of the levels: steps + 1 of them, each left by t - 1.

    Wrong: see `textbook.unspaced`.
    """
    return skipped(steps + 1, spacing=schedules.linspace)


def start(
    dip: nn.Module | None,
    noise: Float[Tensor, "N C H W"],
    w: float,
    seed: int,
    *,
    target: Float[Tensor, "N C H W"] | None,
    **fit,
) -> Float[Tensor, "N C H W"]:
    """x_T = w DIP(target) + (1 - w) n, in the textbook's units.  fit: settings of `prior.fitted`.

    Wrong: the published target is the real test image that the sample is then compared with, which
    no generator has.  None: the published fall-back, see `prior.fallback`.
    """
    if not w:
        return noise
    if target is None:
        made = prior.fallback(dip, noise, seed, **fit)
    else:
        made = prior.priors(dip, target, seed, **fit)
    return w * made + (1 - w) * noise


@torch.no_grad()
def chains(
    model: Model, x_T: Float[Tensor, "N C H W"], sampler: Sampler, seed: int
) -> UInt8[Tensor, "N C H W"]:
    """Images from these starts, the estimates of x0 clamped; their fresh noise is by (seed, i)."""
    D, found = clipped(model.denoiser.eval()), []
    for i in torch.arange(len(x_T), device=x_T.device).split(prior.TOGETHER):
        x = sampler(D, model.schedule, x_T[i], samplers.seeded_noise(seed, i))
        found.append(to_uint8(x).cpu())
    return torch.cat(found)


def pure_noise(model: Model, n: int, seed: int) -> Float[Tensor, "n C H W"]:
    """The noise that `experiments.sampling.drawn` starts from, on the model's device."""
    device = next(model.denoiser.parameters()).device
    return rng.normal(seed, 0, torch.arange(n, device=device), model.shape, rng.START)


def forgets(
    model: Model, dip: nn.Module, images: UInt8[Tensor, "n C H W"], seed: int, **fit
) -> Iterator[dict]:
    """Rows: how far images are from those of the same chains with another start, same fresh noise.

    apart: root mean square, in [-1, 1], from the chains that start from noise; others: of two
    chains that have neither in common.  fit: settings of `prior.fitted`.
    """
    noise, target = pure_noise(model, len(images), seed), to_float(images).to(best_device())
    starts = {
        "DIP": start(dip, noise, 1.0, seed, target=target, **fit),
        "0": torch.zeros_like(noise),
        "1": torch.ones_like(noise),
    }

    def rms(a: Tensor, b: Tensor) -> float:
        return float((to_float(a) - to_float(b)).square().mean().sqrt())

    for way in ways("baseline", model.schedule.T)[:4]:
        plain = chains(model, noise, way.sampler, seed)
        for name, x_T in starts.items():
            other = chains(model, x_T, way.sampler, seed)
            apart = {"apart": rms(other, plain), "others": rms(plain, plain.roll(1, 0))}
            yield {"way": f"{way.name} from {name}", "steps": way.steps, "N": len(noise)} | apart
