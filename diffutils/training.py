"""The training loop.  It reads top to bottom and yields its progress.

Every random number of step k comes from (seed, k, global sample index): a resumed run and a run
on several processes see the same batches, noise levels and noise.
"""

import copy
import math
import time
from collections.abc import Callable, Iterator
from functools import partial
from types import SimpleNamespace

import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from diffutils import rng
from diffutils.weights import state as saves

from .data import to_float
from .denoisers import Denoiser


def constant(step: int, steps: int) -> float:
    """Learning-rate factor 1 throughout."""
    return 1.0


def cosine(step: int, steps: int) -> float:
    """Learning-rate factor falling from 1 to 0 along half a cosine (Loshchilov & Hutter 2017)."""
    return 0.5 * (1 + math.cos(math.pi * step / steps))


def ema_decay(step: int, decay: float) -> float:
    """Decay after `step` updates: min(decay, (1 + step)/(10 + step)), short memory at first."""
    return min(decay, (1 + step) / (10 + step))


@torch.no_grad()
def ema_update(average: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """average <- decay average + (1 - decay) model, parameters only (buffers are not averaged)."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)


def levels(
    schedule: Callable, seed: int, step: int, slots: Int[Tensor, "b"], batch: int
) -> Float[Tensor, "b"]:
    """Stratified noise levels: slot j of the global batch draws u from [j/B, (j+1)/B)."""
    u = (slots + rng.uniform(seed, step, slots, 1)[:, 0].double()) / batch
    return schedule(u).float()


def batch_order(seed: int, step: int, batch: int, n: int) -> Int[Tensor, "batch"]:
    """Which images step `step` uses: epochs of a fresh random order each, laid end to end."""
    first = step * batch
    epochs = range(first // n, (first + batch - 1) // n + 1)
    order = torch.cat([rng.permutation(seed, e, n) for e in epochs])
    offset = first - epochs[0] * n
    return order[offset : offset + batch]


class Bfloat16(torch.nn.Module):
    """Run a network in bfloat16; what stands around it stays in float32."""

    def __init__(self, net: torch.nn.Module):
        super().__init__()
        self.net = net

    def forward(self, x: Tensor, *args) -> Tensor:
        with torch.autocast(x.device.type, torch.bfloat16):
            return self.net(x, *args).to(x.dtype)


def fit(
    denoiser: Denoiser,
    images: UInt8[Tensor, "N C H W"],
    schedule: Callable[[Tensor], Tensor],
    *,
    steps: int,
    batch: int = 128,
    labels: Int[Tensor, "N"] | None = None,
    label_dropout: float = 0.1,
    heldout: UInt8[Tensor, "M C H W"] | None = None,
    heldout_labels: Int[Tensor, "M"] | None = None,
    distance: Callable = torch.square,
    weight: Callable[[Tensor], Tensor] | None = None,
    optimizer: Callable = torch.optim.AdamW,
    lr: float = 2e-4,
    warmup: int = 100,
    decay: Callable[[int, int], float] = cosine,
    clip: float = 1.0,
    ema: float = 0.999,
    flip: bool = False,
    bf16: bool = False,
    compile: bool = False,
    seed: int = 0,
    log_every: int = 50,
    state: dict | None = None,
) -> Iterator[SimpleNamespace]:
    """Train the denoiser in place; yield a record every `log_every` steps and at the last.

    images: training images; schedule: sigma(u), the training density; distance: torch.square or
    torch.abs; weight(sigma): factor of each image's loss, None for 1; label_dropout: share of
    labels replaced by the null class (classifier-free guidance); decay(step, steps): learning-rate
    factor after the warm-up; clip: gradient norm; state: what a record's state() gave: go on from
    there as if the run had never stopped.

    Record: step, loss (mean since the last record), heldout (loss on held-out images of the raw
    weights, not of ema; or None), lr, grad_norm, seconds, images_per_second, ema (Denoiser with
    averaged weights), and state(), a copy of all that a resumed run needs, to be taken before the
    next record.

    Raises: ValueError for a batch that does not divide among the processes or labels that do not
    fit; FloatingPointError, naming the step, when the loss is no longer finite.
    """
    from accelerate import Accelerator

    if steps < 1 or log_every < 1:
        raise ValueError(f"steps and log_every must be at least 1, got {steps} and {log_every}")
    check_data(denoiser, images, labels, batch)
    if heldout is not None:
        check_data(denoiser, heldout, heldout_labels, batch)
    accelerator = Accelerator()
    device, share = accelerator.device, accelerator.num_processes
    if batch % share:
        raise ValueError(f"batch = {batch} must be divisible by the {share} processes")
    mine = slice(accelerator.process_index * batch // share, None)
    slots = torch.arange(batch)[mine][: batch // share]
    # An ordinary copy to a CUDA device waits until all queued work is done; this one does not.
    send = partial(Tensor.to, non_blocking=device.type == "cuda")

    images = images if images.numel() > 2**33 else images.to(device)  # beyond 8 GB: stay in RAM
    labels = None if labels is None else labels.to(device)
    null = getattr(denoiser.net, "classes", 0)
    denoiser.to(device).train()
    if device.type == "cpu":  # measured: GroupNorm undoes channels_last in eager CUDA
        denoiser.to(memory_format=torch.channels_last)
    average = copy.deepcopy(denoiser).eval().requires_grad_(False)
    if compile:
        denoiser.net.compile()
    opt = optimizer(denoiser.net.parameters(), lr=lr, fused=device.type in ("cpu", "cuda"))
    net, opt = accelerator.prepare(denoiser.net, opt)
    model = Denoiser(Bfloat16(net) if bf16 else net, denoiser.coefficients, denoiser.c_noise)
    done, began = 0, time.perf_counter()
    if state is not None:
        saves.restore(state, denoiser.net, average.net, opt)
        done, began = state["step"], began - state["seconds"]

    total = torch.zeros((), device=device)
    first_bad = torch.full((), steps, device=device)
    where = slots.to(device)
    since, last = 0, time.perf_counter()
    for k in range(steps)[done:]:
        chosen = batch_order(seed, k, batch, len(images))[slots]
        x0 = to_float(send(images[send(chosen, images.device)], device))
        if flip:
            mirrored = rng.uniform(seed, k, where, 1, rng.FLIP)[:, :, None, None] < 0.5
            x0 = torch.where(mirrored, x0.flip(-1), x0)
        y = None
        if labels is not None:
            dropped = rng.uniform(seed, k, where, 1, rng.LABEL)[:, 0] < label_dropout
            y = labels[send(chosen, device)].masked_fill(dropped, null)
        sigma = send(levels(schedule, seed, k, slots, batch), device)
        noise = rng.normal(seed, k, where, x0.shape[1:])

        factor = min(1.0, (k + 1) / max(1, warmup)) * decay(k, steps)
        for group in opt.param_groups:
            group["lr"] = lr * factor
        loss = model.loss(x0, sigma, noise, y, distance=distance, weight=weight).mean()
        accelerator.backward(loss)
        grad_norm = accelerator.clip_grad_norm_(net.parameters(), clip)
        opt.step()
        opt.zero_grad(set_to_none=True)
        ema_update(average.net, denoiser.net, ema_decay(k, ema))

        total += loss.detach()
        finite = loss.detach().isfinite() & grad_norm.isfinite()
        first_bad = torch.where(finite, first_bad, first_bad.clamp(max=k))
        since += 1
        if (k + 1) % log_every and k + 1 < steps:
            continue  # nothing above waits for the device
        bad = int(accelerator.gather(first_bad[None]).min())
        if bad < steps:
            raise FloatingPointError(
                f"the loss or its gradient is not finite since step {bad}; lower lr (now {lr:g}), "
                f"raise warmup (now {warmup}) or switch bf16 off"
            )
        now = time.perf_counter()
        seconds = now - began
        yield SimpleNamespace(
            step=k + 1,
            loss=float(accelerator.reduce(total, "mean")) / since,
            heldout=None
            if heldout is None
            else evaluate(
                model, heldout, schedule, heldout_labels, distance=distance, weight=weight
            ),
            lr=lr * factor,
            grad_norm=float(grad_norm),
            seconds=seconds,
            images_per_second=since * batch / (now - last),
            ema=average,
            state=partial(saves.snapshot, k + 1, seconds, denoiser.net, average.net, opt),
        )
        total.zero_()
        since, last = 0, time.perf_counter()
    denoiser.eval()


@torch.no_grad()
def evaluate(
    denoiser: Denoiser,
    images: UInt8[Tensor, "N C H W"],
    schedule: Callable[[Tensor], Tensor],
    labels: Int[Tensor, "N"] | None = None,
    *,
    n: int = 512,
    batch: int = 256,
    distance: Callable = torch.square,
    weight: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
) -> float:
    """Loss over the first n images, with the same noise and levels on every call."""
    device = next(denoiser.parameters()).device
    n, was_training = min(n, len(images)), denoiser.training
    denoiser.eval()
    total = 0.0
    for first in range(0, n, batch):
        slots = torch.arange(first, min(first + batch, n))
        u = (slots + rng.uniform(seed, 0, slots, 1, rng.EVALUATION)[:, 0].double()) / n
        noise = rng.normal(seed, 1, slots.to(device), images.shape[1:], rng.EVALUATION)
        y = None if labels is None else labels[slots].to(device)
        x0 = to_float(images[slots].to(device))
        sigma = schedule(u).float().to(device)
        loss = denoiser.loss(x0, sigma, noise, y, distance=distance, weight=weight)
        total += float(loss.sum())
    denoiser.train(was_training)
    return total / n


def check_data(denoiser: Denoiser, images: Tensor, labels: Tensor | None, batch: int) -> None:
    """Say in one sentence what is wrong with the data, before a run starts."""
    if images.dtype != torch.uint8 or images.ndim != 4 or not len(images):
        raise ValueError(
            f"images must be uint8 of shape (N, C, H, W) with N >= 1, got {images.dtype} "
            f"{tuple(images.shape)}; data.load() returns them so"
        )
    if labels is not None:
        classes = getattr(denoiser.net, "classes", 0)
        if len(labels) != len(images):
            raise ValueError(f"{len(images)} images but {len(labels)} labels")
        if int(labels.max()) >= classes or int(labels.min()) < 0:
            raise ValueError(
                f"labels run from {int(labels.min())} to {int(labels.max())}, but the network "
                f"knows {classes} classes (0 to {classes - 1}); make it with more classes="
            )
    if batch < 1:
        raise ValueError(f"batch must be at least 1, got {batch}")
