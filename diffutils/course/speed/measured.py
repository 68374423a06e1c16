"""What `bench` times, all of it in turn, round by round: seconds to be compared in pairs."""

import itertools
import statistics
import subprocess
import sys
from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from diffutils import denoisers, schedules
from diffutils.course.runs.pace import watched
from diffutils.course.speed.networks import PEERS, T, our_unet
from diffutils.data import to_float
from diffutils.data.drawn.sprites import sprites
from diffutils.denoisers import Denoiser
from diffutils.loop import ema_update
from diffutils.metrics.classifiers import features, load_classifier
from diffutils.metrics.distances import frechet
from diffutils.metrics.timer import median_time
from diffutils.training import Bfloat16, batch_order, fit

CALLS = 3  # network calls of a timed chain
NEVER = 2**31  # steps of a training that the rounds leave unfinished
IMPORTS = """
import time; at = [time.perf_counter()]
import torch; at.append(time.perf_counter())
import diffutils; at.append(time.perf_counter())
from diffutils import UNet, fit, sample; at.append(time.perf_counter())
print(*(b - a for a, b in zip(at, at[1:])))
"""
Tasks = dict[str, Callable[[], object]]


def rounds(
    tasks: Tasks, n: int, device: torch.device, warm_up: int = 1, times: int = 1
) -> dict[str, list[float]]:
    """Seconds of every task in each of n rounds; every other round goes backwards.

    What slows the machine for a while slows all that is compared.  times: of a task under one
    clock, since one step is too short for it on a GPU.
    """

    def several(task: Callable[[], object]) -> None:
        for _ in range(times):
            task()

    for task in tasks.values():
        for _ in range(warm_up):
            task()
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for k in watched(range(n), f"{len(tasks)} tasks, rounds"):
        for name in [*tasks][:: -1 if k % 2 else 1]:
            timed = partial(several, tasks[name])
            seconds[name].append(median_time(timed, 1, 0, device).per(times).s)
    return seconds


def ratio(a: list[float], b: list[float]) -> tuple[float, float, float]:
    """a/b round by round: the median, and the lower and upper quartile over the rounds."""
    found = sorted(x / y for x, y in zip(a, b, strict=True))
    if len(found) < 2:
        return found[0], found[0], found[0]
    low, middle, high = statistics.quantiles(found, n=4, method="inclusive")
    return middle, low, high


def precisions(device: torch.device) -> dict[str, torch.dtype]:
    """float32, and bfloat16 where a product of matrices is quicker in it: else no network is."""
    found = {"fp32": torch.float32, "bf16": torch.bfloat16}
    side, seconds = (256 if device.type == "cpu" else 4096), {}
    for name, dtype in found.items():
        a = torch.randn(side, side, device=device, dtype=dtype)
        seconds[name] = median_time(lambda a=a: a @ a, 5, device=device)
    return found if seconds["bf16"] < seconds["fp32"] else {"fp32": torch.float32}


def product_side(device: torch.device) -> int:
    """Rows of the square matrices whose product shows what this machine can do at most."""
    return 1024 if device.type == "cpu" else 8192


def optimiser(net: nn.Module, device: torch.device) -> torch.optim.Optimizer:
    """The optimiser of every training here, `optimise`'s own."""
    return torch.optim.AdamW(net.parameters(), lr=1e-4, fused=device.type in ("cpu", "cuda"))


def training_step(net: nn.Module, batch: int, size: int, device: torch.device) -> Callable:
    """A step that is the same for every library's network: noise, error, gradient, AdamW."""
    x0, opt = torch.randn(batch, 3, size, size, device=device), optimiser(net, device)
    abar = schedules.alpha_bars(schedules.linear_betas(T)).float().to(device)[:, None, None, None]

    def step():
        t = torch.randint(0, T, (batch,), device=device)
        noise = torch.randn_like(x0)
        x = abar[t].sqrt() * x0 + (1 - abar[t]).sqrt() * noise
        (net(x, t.float()) - noise).square().mean().backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        opt.step()
        opt.zero_grad(set_to_none=True)

    return step


def of_networks(
    names: list[str],
    size: int,
    batch: int,
    device: torch.device,
    precisions: dict[str, torch.dtype],
) -> Tasks:
    """Training and sampling with every network, in every memory format and precision.

    Beside them a large product of matrices, in every precision.
    """
    tasks: Tasks = {}
    for precision, dtype in precisions.items():
        a = torch.randn(2 * [product_side(device)], device=device, dtype=dtype)
        tasks[f"peak/{size}/{precision}"] = lambda a=a: a @ a
    formats = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}
    works = ("train", "sample")
    for work, precision, layout, name in itertools.product(works, precisions, formats, names):
        net = PEERS[name].make().to(device, memory_format=formats[layout])
        net = Bfloat16(net) if precision == "bf16" else net
        if work == "train":
            task = training_step(net.train(), batch, size, device)
        else:
            noise = torch.randn(batch, 3, size, size, device=device)
            task = PEERS[name].ddim(net.eval(), noise, CALLS)
        tasks[f"{work}/{size}/{name}/{precision}/{layout}"] = task
    return tasks


def of_fit(size: int, batch: int, device: torch.device, times: int) -> Tasks:
    """`fit` beside ten lines that do the same with torch's own random numbers: `times` steps."""
    schedule = schedules.Discrete(schedules.linear_betas(T))
    images = torch.randint(0, 256, (1000, 3, size, size), dtype=torch.uint8).to(device)

    def made():
        return Denoiser(our_unet().to(device), denoisers.eps, schedule.t).train()

    whole = fit(made(), images, schedule, steps=NEVER, batch=batch, log_every=times)
    denoiser, average = made(), made().requires_grad_(False)
    if device.type == "cpu":  # as `optimise`
        for each in (denoiser, average):
            each.to(memory_format=torch.channels_last)
    opt = optimiser(denoiser, device)

    def bare():
        for _ in range(times):
            x0 = to_float(images[torch.randint(0, len(images), (batch,), device=device)])
            sigma = schedule(torch.rand(batch)).float().to(device)
            denoiser.loss(x0, sigma, torch.randn_like(x0)).mean().backward()
            nn.utils.clip_grad_norm_(denoiser.parameters(), 1.0)
            opt.step()
            opt.zero_grad(set_to_none=True)
            ema_update(average, denoiser, 0.999)

    return {"fit": lambda: next(whole), "bare loop": bare}


def of_the_rest(n: int, batch: int, device: torch.device) -> Tasks:
    """A distance of n images beside its network alone; and batches, drawn anew and from memory."""
    net = load_classifier("sprites-features").to(device)
    known, count = features(net, torch.from_numpy(sprites(n, seed=1)[0])), itertools.count()
    images = torch.from_numpy(sprites(n)[0])
    near = torch.randint(0, 256, (50_000, 3, 16, 16), dtype=torch.uint8).to(device)

    def drawn():
        return to_float(torch.from_numpy(sprites(batch, seed=next(count))[0]).to(device))

    def fetched():
        return to_float(near[batch_order(0, next(count), batch, len(near)).to(device)])

    return {
        "distance": lambda: frechet(features(net, images), known),
        "its network": torch.no_grad()(lambda: net.features(to_float(images.to(device)))),
        "drawn": drawn,
        "fetched": fetched,
    }


def imports() -> dict[str, float]:
    """Seconds of `import torch`, of `import diffutils` after it, of a training's names after it."""
    out = subprocess.check_output([sys.executable, "-c", IMPORTS], text=True)
    names = ("import torch", "import diffutils", "import for training")
    return dict(zip(names, map(float, out.split()), strict=True))
