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
    """average <- decay average + (1 - decay) model; buffers (BatchNorm's, counters) are copied."""
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    for mine, theirs in zip(average.buffers(), model.buffers(), strict=True):
        mine.copy_(theirs)


def training_levels(
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


def optimise(
    net: torch.nn.Module,
    loss: Callable[[torch.nn.Module, int, Int[Tensor, "b"]], Float[Tensor, "b"]],
    *,
    steps: int,
    batch: int,
    heldout: Callable[[torch.nn.Module], float] | None = None,
    optimizer: Callable = torch.optim.AdamW,
    lr: float = 2e-4,
    warmup: int = 100,
    decay: Callable[[int, int], float] = cosine,
    clip: float = 1.0,
    ema: float = 0.999,
    compile: bool = False,
    log_every: int = 50,
    state: dict | None = None,
) -> Iterator[SimpleNamespace]:
    """Minimise a mean of losses in place; yield a record every `log_every` steps and at the last.

    loss(net, k, slots): losses (b,) of these samples (0 .. batch-1, on the CPU) of step k.  What it
    draws must follow from k and the slot alone, by `rng`: then a resumed run is the same run.
    heldout(net): a number for the record; decay(step, steps): learning-rate factor after the
    warm-up; clip: gradient norm; state: what a record's state() gave: go on from there as if the
    run had never stopped.

    Record: step, loss (mean since the last record), heldout (of the raw weights, not of ema; or
    None), lr, grad_norm, seconds, images_per_second, ema (the net with averaged weights), and
    state(), a copy of all that a resumed run needs, to be taken before the next record.

    Raises: ValueError for a batch that does not divide among the processes, frozen weights, or
    losses of another shape; FloatingPointError, naming the step, when the loss is not finite.
    """
    from accelerate import Accelerator

    # Say what is wrong before anything starts.
    if min(steps, batch, log_every) < 1:
        raise ValueError(
            f"steps, batch and log_every must be at least 1, got {steps}, {batch} and {log_every}"
        )
    if not any(p.requires_grad for p in net.parameters()):
        raise ValueError(
            "every weight of this network is frozen, as those of loaded models are; call "
            "denoiser.requires_grad_(True) first"
        )
    # Take this process's share of the batch.
    accelerator = Accelerator()
    device, share = accelerator.device, accelerator.num_processes
    if batch % share:
        raise ValueError(f"batch = {batch} must be divisible by the {share} processes")
    mine = slice(accelerator.process_index * batch // share, None)
    slots = torch.arange(batch)[mine][: batch // share]
    # Make the average and the optimiser.
    net.to(device).train()
    if device.type == "cpu":  # measured: GroupNorm undoes channels_last in eager CUDA
        net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval().requires_grad_(False)
    if compile:
        net.compile()
    opt = optimizer(net.parameters(), lr=lr, fused=device.type in ("cpu", "cuda"))
    shared, opt = accelerator.prepare(net, opt)
    # Go on where a run stopped.
    done, began = 0, time.perf_counter()
    if state is not None:
        saves.restore(state, net, average, opt)
        done, began = state["step"], began - state["seconds"]

    total = torch.zeros((), device=device)
    first_bad = torch.full((), steps, device=device)
    since, last = 0, time.perf_counter()
    for k in range(steps)[done:]:
        # Set the learning rate.
        factor = min(1.0, (k + 1) / max(1, warmup)) * decay(k, steps)
        for group in opt.param_groups:
            group["lr"] = lr * factor
        # Step down the gradient, and average.
        losses = loss(shared, k, slots)
        if losses.shape != slots.shape:
            raise ValueError(
                f"loss must return one number for each of the {len(slots)} samples, got shape "
                f"{tuple(losses.shape)}; take the mean over the pixels of each"
            )
        mean = losses.mean()
        accelerator.backward(mean)
        grad_norm = accelerator.clip_grad_norm_(shared.parameters(), clip)
        opt.step()
        opt.zero_grad(set_to_none=True)
        ema_update(average, net, ema_decay(k, ema))
        # Note the loss, and the first step where it is not finite.
        total += mean.detach()
        finite = mean.detach().isfinite() & grad_norm.isfinite()
        first_bad = torch.where(finite, first_bad, first_bad.clamp(max=k))
        since += 1
        if (k + 1) % log_every and k + 1 < steps:
            continue  # nothing above waits for the device
        # Report.
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
            heldout=None if heldout is None else heldout(shared),
            lr=lr * factor,
            grad_norm=float(grad_norm),
            seconds=seconds,
            images_per_second=since * batch / (now - last),
            ema=average,
            state=partial(saves.snapshot, k + 1, seconds, net, average, opt),
        )
        net.train()  # whatever the held-out loss or the reader did
        total.zero_()
        since, last = 0, time.perf_counter()
    net.eval()


def fit(
    denoiser: Denoiser,
    images: UInt8[Tensor, "N C H W"],
    schedule: Callable[[Tensor], Tensor],
    *,
    batch: int = 128,
    labels: Int[Tensor, "N"] | None = None,
    label_dropout: float = 0.1,
    cond: Tensor | None = None,
    heldout: UInt8[Tensor, "M C H W"] | None = None,
    heldout_labels: Int[Tensor, "M"] | None = None,
    heldout_cond: Tensor | None = None,
    distance: Callable = torch.square,
    weight: Callable[[Tensor], Tensor] | None = None,
    flip: bool = False,
    augment: Callable | None = None,
    bf16: bool = False,
    seed: int = 0,
    **loop,
) -> Iterator[SimpleNamespace]:
    """Train the denoiser in place: `optimise` the loss of one denoising step; yield its records.

    images: training images; schedule: sigma(u), the training density; distance: torch.square or
    torch.abs; weight(sigma): factor of each image's loss, None for 1; label_dropout: share of
    labels replaced by the null class (classifier-free guidance).
    cond: what the network sees beside each image, (N, K, H, W), uint8 or float in [-1, 1].
    flip: mirror half of the images, with their conditions.  augment(x0, cond, k, slots): x0 and
    cond of step k as they shall be, on the device; draw by rng.AUGMENT.  Held-out ones stay.
    loop: the settings of `optimise`: steps, lr, warmup, ...  A record's ema is a Denoiser.

    Raises: as `optimise`; ValueError for labels or conditions that do not fit.
    """
    from accelerate import Accelerator

    # Say what is wrong before anything starts.
    check_data(denoiser, images, labels, batch, cond)
    if heldout is not None:
        check_data(denoiser, heldout, heldout_labels, batch, heldout_cond)
        pairs = ((labels, heldout_labels), (cond, heldout_cond))
        if any(mine is not None and theirs is None for mine, theirs in pairs):
            raise ValueError(
                "the held-out images lack labels or conditions that the training images have; hand "
                "over heldout_labels= or heldout_cond=, or no heldout="
            )
    # Keep the data near the device; beyond 8 GB they stay in RAM.
    device = Accelerator().device
    images, cond = (
        data if data is None or data.nbytes > 2**33 else data.to(device) for data in (images, cond)
    )
    labels = None if labels is None else labels.to(device)
    null = getattr(denoiser.net, "classes", 0)
    # An ordinary copy to a CUDA device waits until all queued work is done; this one does not.
    send = partial(Tensor.to, non_blocking=device.type == "cuda")
    around = partial(Denoiser, coefficients=denoiser.coefficients, c_noise=denoiser.c_noise)
    kind = dict(distance=distance, weight=weight)

    def loss(net, k, slots):
        # Fetch the images, and what goes with them.
        where, chosen = send(slots, device), batch_order(seed, k, batch, len(images))[slots]
        x0 = to_float(send(images[send(chosen, images.device)], device))
        c = None if cond is None else as_float(send(cond[send(chosen, cond.device)], device))
        y = None if labels is None else labels[send(chosen, device)]
        # Mirror, augment, drop labels.
        if flip:
            mirrored = rng.uniform(seed, k, where, 1, rng.FLIP)[:, :, None, None] < 0.5
            x0 = torch.where(mirrored, x0.flip(-1), x0)
            c = None if c is None else torch.where(mirrored, c.flip(-1), c)
        if augment is not None:
            x0, c = augment(x0, c, k, where)
        if y is not None:
            dropped = rng.uniform(seed, k, where, 1, rng.LABEL)[:, 0] < label_dropout
            y = y.masked_fill(dropped, null)
        # Add noise, and ask what was there.
        sigma = send(training_levels(schedule, seed, k, slots, batch), device)
        noise = rng.normal(seed, k, where, x0.shape[1:])
        model = around(Bfloat16(net) if bf16 else net)
        return model.loss(x0, sigma, noise, y, c, **kind)

    def held(net):
        model = around(Bfloat16(net) if bf16 else net)
        return heldout_loss(model, heldout, schedule, heldout_labels, heldout_cond, **kind)

    denoiser.to(device).train()
    held = None if heldout is None else held
    for record in optimise(denoiser.net, loss, heldout=held, batch=batch, **loop):
        record.ema = around(record.ema).eval()
        yield record
    denoiser.eval()


@torch.no_grad()
def heldout_loss(
    denoiser: Denoiser,
    images: UInt8[Tensor, "N C H W"],
    schedule: Callable[[Tensor], Tensor],
    labels: Int[Tensor, "N"] | None = None,
    cond: Tensor | None = None,
    *,
    n: int = 512,
    batch: int = 256,
    distance: Callable = torch.square,
    weight: Callable[[Tensor], Tensor] | None = None,
    seed: int = 0,
) -> float:
    """Loss over the first n images (cond as in `fit`), the same noise and levels on every call."""
    device = next(denoiser.parameters()).device
    n, was_training = min(n, len(images)), denoiser.training
    denoiser.eval()
    total = 0.0
    for first in range(0, n, batch):
        # Fetch the images, and what goes with them.
        slots = torch.arange(first, min(first + batch, n))
        x0 = to_float(images[slots].to(device))
        y = None if labels is None else labels[slots].to(device)
        c = None if cond is None else as_float(cond[slots].to(device))
        # Add noise, and ask what was there.
        u = (slots + rng.uniform(seed, 0, slots, 1, rng.EVALUATION)[:, 0].double()) / n
        noise = rng.normal(seed, 1, slots.to(device), images.shape[1:], rng.EVALUATION)
        sigma = schedule(u).float().to(device)
        loss = denoiser.loss(x0, sigma, noise, y, c, distance=distance, weight=weight)
        total += float(loss.sum())
    denoiser.train(was_training)
    return total / n


def as_float(images: Tensor) -> Tensor:
    """Whole numbers [0, 255] -> float32 [-1, 1]; floats as they are, in float32."""
    return images.float() if images.is_floating_point() else to_float(images)


def check_data(
    denoiser: Denoiser,
    images: Tensor,
    labels: Tensor | None,
    batch: int,
    cond: Tensor | None = None,
) -> None:
    """Say in one sentence what is wrong with the data, before a run starts."""
    if images.dtype != torch.uint8 or images.ndim != 4 or not len(images):
        raise ValueError(
            f"images must be uint8 of shape (N, C, H, W) with N >= 1, got {images.dtype} "
            f"{tuple(images.shape)}; data.load() returns them so"
        )
    if cond is not None:
        N, _, H, W = images.shape
        if cond.ndim != 4 or (len(cond), *cond.shape[2:]) != (N, H, W):
            raise ValueError(
                f"cond must have shape ({N}, K, {H}, {W}), one image beside each of the others, "
                f"got {tuple(cond.shape)}"
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
