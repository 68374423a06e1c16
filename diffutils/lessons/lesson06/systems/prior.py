"""The published "Deep Image Prior": a frozen network whose input is nudged towards an image.

Wrong: a Deep Image Prior holds its input still and fits the WEIGHTS, see `methods.dip`.  Here the
weights are frozen, and 100 steps of Adam at lr 1e-5 move each pixel of the input by 1e-3, where the
input has std 1.  What comes out is what the network makes of random numbers, whatever it was to be
fitted to: `moved` measures it.

Source: the published code's models/dip.py and experiments/pretrain_dip.py ("DIP-guided DDPM").
"""

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from diffutils import rng
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, to_float
from diffutils.loop import check_real, check_whole, cosine
from diffutils.training import batch_order
from diffutils.unet import UNet

STEPS, LR, JITTER, BATCH = 100, 1e-5, 0.05, 8  # as published, of both trainings
TOGETHER = 32  # images that are fitted at a time

# ------------------------------------------------------------------- the network


def answer(net: nn.Module, z: Float[Tensor, "B C H W"]) -> Float[Tensor, "B C H W"]:
    """What the network makes of its input, told the time 0."""
    return net(z, z.new_zeros(len(z)))


def untrained(data: ImageSet, budget, seed: int) -> UNet:
    """A U-Net of the budget's size with torch's own random weights, by seed.

    The package's starts with zeros in its last layer, so that it would answer grey; diffusers', the
    published one, does not.
    """
    channels = data.shape[0]
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = UNet(channels, channels, budget.channels, budget.blocks, budget.attention)
        for layer in net.modules():
            if hasattr(layer, "reset_parameters"):
                layer.reset_parameters()
    return net


def batch_loss(
    net: nn.Module,
    k: int,
    slots: Int[Tensor, "b"],
    targets: Float[Tensor, "B C H W"],
    seed: int,
    jitter: float,
) -> Float[Tensor, "b"]:
    """Mean square error of net(z + jitter n) to the targets, each from the fixed z of its slot."""
    slots = slots.to(targets.device)
    z = rng.normal(seed, 0, slots, targets.shape[1:], rng.START)
    z = z + jitter * rng.normal(seed, k, slots, targets.shape[1:])
    return (answer(net, z) - targets[slots]).square().flatten(1).mean(1)


def pretrain_dip(
    data: ImageSet,
    budget,
    seed: int,
    train: Callable,
    *,
    steps: int = STEPS,
    lr: float = LR,
    jitter: float = JITTER,
    batch: int = BATCH,
) -> UNet:
    """Fit a U-Net at time 0 to ONE batch of training images, and freeze it: stage 1 of 4.

    train(folder, net, loss, **settings of `optimise`) yields the records: a lesson's `train`, which
    keeps them in pretrain/dip-seed-SEED.
    Wrong: a hundred steps of 1e-5 leave a random network a random network, and one batch is none of
    the images that it is asked about later.

    Raises: ValueError for numbers that make no training.
    """
    check_real(jitter=(jitter, 0, math.inf))
    check_whole(batch=batch)
    chosen = batch_order(seed, 0, min(batch, len(data.train)), len(data.train))
    targets = to_float(data.train[chosen]).to(best_device())
    records = train(
        f"pretrain/dip-seed-{seed}",
        untrained(data, budget, seed),
        partial(batch_loss, targets=targets, seed=seed, jitter=jitter),
        steps=steps,
        batch=len(targets),
        lr=lr,
        optimizer=torch.optim.Adam,
        warmup=0,
        decay=cosine,
        clip=math.inf,
        ema=0.0,
        log_every=max(1, steps // 4),
    )
    *_, last = records
    return last.ema.eval().requires_grad_(False)


# ------------------------------------------------------------------- the input that is fitted


class Fit(NamedTuple):
    """What the fit of an input ended with; all (B, C, H, W) but error."""

    output: Tensor  # the best one, clamped to [-1, 1]: the published prior
    begun: Tensor  # the input it began with
    ended: Tensor  # and ended with
    error: Tensor  # (B,), mean square error of the best output before it was clamped


def fitted(
    net: nn.Module,
    target: Float[Tensor, "B C H W"],
    index: Int[Tensor, "B"],
    seed: int,
    *,
    steps: int = STEPS,
    lr: float = LR,
    jitter: float = JITTER,
    draw: int = 0,
    stream: int = rng.EVALUATION,
) -> Fit:
    """Move random inputs z by Adam until net(z + jitter n) is like the targets: DIP(target).

    Wrong: z moves by about lr a step, see `moved`.  Each image has its own z and jitter, by (seed,
    draw, index), and a fit of its own: what stands beside it in the batch is the same to it.

    Raises: ValueError for numbers that make no fit, targets that are no float images, or a network
    that is not frozen.
    """
    # Say what is wrong before anything starts.
    check_whole(steps=steps)
    check_real(lr=(lr, 0, math.inf), jitter=(jitter, 0, math.inf))
    if target.ndim != 4 or not target.is_floating_point() or len(index) != len(target):
        raise ValueError(
            f"{len(index)} priors need as many targets, floats of shape (B, C, H, W), got "
            f"{target.dtype} {tuple(target.shape)}; to_float(images) makes them of uint8"
        )
    if not isinstance(net, nn.Module) or any(p.requires_grad for p in net.parameters()):
        raise ValueError("the prior asks a network that is frozen; take that of pretrain_dip")
    # Descend on the input alone.
    index, first = index.to(target.device), draw * (steps + 1)
    begun = rng.normal(seed, first, index, target.shape[1:], stream)
    z = begun.clone().requires_grad_(True)
    adam = torch.optim.Adam([z], lr=lr)
    best, output = target.new_full((len(target),), math.inf), torch.zeros_like(target)
    for k in range(steps):
        noise = rng.normal(seed, first + 1 + k, index, target.shape[1:], stream)
        with torch.enable_grad():
            out = answer(net, z + jitter * noise)
            error = (out - target).square().flatten(1).mean(1)
            (z.grad,) = torch.autograd.grad(error.sum(), z)
        adam.step()
        # Keep the best output of each.
        better = error.detach() < best
        best = torch.where(better, error.detach(), best)
        output = torch.where(better[:, None, None, None], out.detach(), output)
    return Fit(output.clamp(-1, 1), begun, z.detach(), best)


def priors(
    net: nn.Module, target: Float[Tensor, "N C H W"], seed: int, **settings
) -> Float[Tensor, "N C H W"]:
    """The published priors of any number of targets, `TOGETHER` at a time.

    settings, errors: of `fitted`.
    """
    parts = torch.arange(len(target)).split(TOGETHER)
    return torch.cat([fitted(net, target[i], i, seed, **settings).output for i in parts])


def fallback(
    net: nn.Module, like: Float[Tensor, "N C H W"], seed: int, **settings
) -> Float[Tensor, "N C H W"]:
    """What the published sampler starts from where no image is at hand: one prior for all.

    Wrong: it is fitted to random noise, then stretched to [-1, 1] by its least and its largest
    pixel, and handed to every chain of the batch.  settings, errors: of `fitted`.
    """
    index = torch.arange(1, device=like.device)
    target = rng.normal(seed, 1, index, like.shape[1:], rng.START)
    prior = fitted(net, target, index, seed, **settings).output
    low, high = prior.aminmax()
    return (2 * (prior - low) / (high - low + 1e-8) - 1).expand_as(like)


@torch.no_grad()
def moved(
    net: nn.Module,
    target: Float[Tensor, "B C H W"],
    seed: int,
    *,
    steps: int = STEPS,
    lr: float = LR,
    jitter: float = JITTER,
) -> dict[str, float]:
    """How far a fit comes, as numbers by name.

    moved: of the pixels of the input the largest way.  bound: lr steps, which Adam keeps where the
    size of the slope is steady, and passes by a few percent where it grows.  output: root mean
    square of net(z).  changed: of what the fit changed in it; changed_by_jitter: of what
    the jitter changes.  own, other: mean square error of net(z) to its target, and to the target of
    another image, which tells them apart only if the prior knows which image it was fitted to.

    Raises: ValueError for fewer than two targets, and as `fitted`.
    """
    if len(target) < 2:
        raise ValueError(f"a prior is compared with other targets: give 2 or more, {len(target)=}")
    index = torch.arange(len(target), device=target.device)
    fit = fitted(net, target, index, seed, steps=steps, lr=lr, jitter=jitter)
    before, after = answer(net, fit.begun), answer(net, fit.ended)
    noise = rng.normal(seed, 0, index, target.shape[1:], rng.NOISE)

    def rms(x: Tensor) -> float:
        return float(x.square().mean().sqrt())

    return {
        "moved": float((fit.ended - fit.begun).abs().max()),
        "bound": lr * steps,
        "output": rms(after),
        "changed": rms(after - before),
        "changed_by_jitter": rms(answer(net, fit.begun + jitter * noise) - before),
        "own": rms(after - target) ** 2,
        "other": rms(after - target.roll(1, 0)) ** 2,
    }
