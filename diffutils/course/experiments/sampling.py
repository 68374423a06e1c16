"""Images from a model, in batches of any size, by any sampler."""

import math
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from jaxtyping import Int64, Shaped, UInt8
from torch import Tensor, nn

from diffutils import rng, samplers
from diffutils.course import machine
from diffutils.course.runs import pace
from diffutils.data import to_float, to_uint8
from diffutils.denoisers import clipped, guided
from diffutils.methods import textbook
from diffutils.schedules import Schedule, leading, levels, trailing
from diffutils.weights import surroundings
from diffutils.weights.models import Model
from diffutils.weights.warned import warn

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
    """Heun's method, or `respaced` with this eta.

    Raises: ValueError for an eta outside [0, 1], or beside Heun.
    """
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}; it must be a number from 0 (DDIM) to 1 (DDPM)")
    if heun and eta:
        raise ValueError(f"heun goes without fresh noise, got eta = {eta:g}; leave one of them out")
    return edm(steps) if heun else respaced(steps, eta)


def skipped(steps: int, rule: Callable = textbook.ddpm, spacing: Callable = leading) -> Sampler:
    """The published fault: steps are left out, and each goes to t - 1; see `textbook.unspaced`."""

    def run(denoise, schedule, z: Tensor, noise: Callable) -> Tensor:
        plan = textbook.unspaced(schedule.betas, spacing(schedule.T, steps))
        return deque(textbook.walk(denoise, z, plan, rule, noise), maxlen=1).pop()

    return run


@torch.no_grad()
def drawn(
    model: Model,
    index: Int64[Tensor, "N"],
    sampler: Sampler,
    *,
    labels: Int64[Tensor, "N"] | None = None,
    cond: Shaped[Tensor, "N K H W"] | None = None,
    scale: float = 1.0,
    seed: int = 0,
    batch: int | None = None,
    clip: bool = True,
    interval: tuple[float, float] = (0.0, math.inf),
) -> Iterator[UInt8[Tensor, "B C H W"]]:
    """Yield the images of these indices, on the CPU, batch by batch: image i is that of (seed, i).

    cond: what the network sees beside each, uint8 or float in [-1, 1]; scale: guidance towards the
    class, at noise levels in the interval; clip: the estimates of the clean image to [-1, 1];
    batch: images at a time; None: 32 on a CPU, whose caches are small, else 500.
    Raises: ValueError for labels or conditions of another number, or that do not fit the model;
    as `check_guidance`.
    """
    # Say what does not fit.
    n, denoiser = len(index), model.denoiser.eval()
    classes = getattr(denoiser.net, "classes", 0)
    if labels is not None and len(labels) != n:
        raise ValueError(f"{n} images need {n} labels, got {len(labels)}")
    if labels is not None and n and not 0 <= int(labels.min()) <= int(labels.max()) < classes:
        raise ValueError(
            f"labels run from {int(labels.min())} to {int(labels.max())}, but the model knows "
            f"{classes} classes, counted from 0"
        )
    check_cond(cond, n, model)
    check_guidance(scale, interval)
    # Draw, a batch at a time.
    device = next(denoiser.parameters()).device
    if device.type == "cpu":  # measured there: 1.4 times as fast
        denoiser.to(memory_format=torch.channels_last)
    batch = batch or (32 if device.type == "cpu" else 500)

    def some(part: slice) -> UInt8[Tensor, "B C H W"]:
        i = index[part].to(device)
        beside = {} if cond is None else {"cond": to_float(cond[part].to(device))}
        D = partial(denoiser, **beside)
        if labels is not None:
            D = guided(denoiser, labels[part].to(device), scale, classes, interval, **beside)
        z = rng.normal(seed, 0, i, model.shape, rng.START)
        x = sampler(clipped(D) if clip else D, model.schedule, z, samplers.seeded_noise(seed, i))
        return to_uint8(x).cpu()

    first = 0
    while first < n:
        try:
            images = some(slice(first, first + batch))
        except torch.OutOfMemoryError:
            if batch == 1:
                raise
            batch //= 2
            torch.cuda.empty_cache()
            warn(f"the memory does not hold so many images; they are drawn {batch} by {batch}")
            continue
        yield images
        first += batch


def generate(
    model: Model,
    n: int,
    *,
    steps: int = 50,
    eta: float = 0.0,
    sampler: Sampler | None = None,
    shared: bool = False,
    **settings,
) -> Tensor:
    """All n images uint8 (n, C, H, W) that `drawn` yields for 0 .. n - 1.

    sampler: None for `respaced(steps, eta)`.  shared: processes that were launched together draw a
    `share` each, and all get all images; then all must call it.  A notebook is one process.
    settings, errors: of `drawn`.
    """
    sampler = sampler or respaced(steps, eta)
    if not (shared and surroundings.launched()):
        return torch.cat(list(drawn(model, torch.arange(n), sampler, **settings)))
    settings = {k: share(v) if isinstance(v, Tensor) else v for k, v in settings.items()}
    images = [*drawn(model, share(torch.arange(n)), sampler, **settings)]
    # Make the shares equally long, gather them, and take a row of each in turn.
    process = surroundings.accelerator()
    shape = (-(-n // process.num_processes), *model.shape)
    rows = torch.cat([*images, torch.zeros(shape, dtype=torch.uint8)])[: shape[0]]
    every = process.gather(rows.to(process.device)).cpu()
    return every.view(process.num_processes, *shape).transpose(0, 1).flatten(0, 1)[:n]


def share(rows: Tensor) -> Tensor:
    """Every n-th row from this process's own on, where n processes were launched together."""
    first, processes = surroundings.place()
    return rows[first::processes]


def check_memory(model: Model, batch: int, device) -> None:
    """Raise ValueError for more images at a time than the device surely has room for.

    The finest level alone keeps the outputs of its blocks, and works on about four more.
    """
    net, (_, H, W) = model.denoiser.net, model.shape
    needed = 4 * batch * H * W * net.conv_in.out_channels * (len(net.encoder[0]) + 4)
    machine.check_memory(needed, device, f"give a smaller batch than {batch:,}")


def check_guidance(scale: float, interval: tuple[float, float]) -> None:
    """Raise ValueError for a scale that is not finite, or an interval of levels upside down."""
    if not math.isfinite(scale):
        raise ValueError(f"the scale of guidance is {scale}; it must be a finite number")
    if not 0 <= interval[0] < interval[1]:
        raise ValueError(
            f"the interval of guidance runs from {interval[0]} to {interval[1]}; give two noise "
            "levels from 0 up, the lower one first"
        )


def check_cond(cond: Tensor | None, n: int, model: Model) -> None:
    """Raise ValueError unless there are n conditions of the channels and size that model takes."""
    channels = getattr(model.denoiser.net, "cond_channels", 0)
    wanted, got = (n, channels, *model.shape[1:]), None if cond is None else tuple(cond.shape)
    if channels and got != wanted:
        asked_for = f"beside conditions of shape {wanted}"
        raise ValueError(f"this model draws {n} images {asked_for}, got {got}")
    if cond is not None and not channels:
        raise ValueError(f"this model takes no condition beside an image, got {got}")


@contextmanager
def counted(
    net: nn.Module, say: Callable[[str], None] | None, name: str, of: float | None = None
) -> Iterator[None]:
    """Within, say is told every ten seconds how many images the network has been called for.

    of: how many it will be called for, and then also the time left.  say: as in `pace.pacer`.
    """
    tell, done = pace.pacer(name, of, say), 0

    def called(_, given, __):
        nonlocal done
        done += len(given[0])
        tell(done)

    hook = net.register_forward_hook(called)
    try:
        yield
    finally:
        hook.remove()
