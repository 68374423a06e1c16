"""What a run will take, before it starts: time, memory, disk, by a few steps of each network."""

import json
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from diffutils.course.budgets import Work
from diffutils.course.machine import best_device, check_disk, peak_memory_mb
from diffutils.course.runs.pace import duration
from diffutils.course.tables import aligned
from diffutils.unet import UNet

COPIES = 16  # of a training's weights: four in each of three checkpoints, and results
TRIES, MOST = 3, 10.0  # times that a step is measured, and seconds, at most
LEAST = 0.5  # seconds of a step that is long enough to be measured, though it is no whole batch
BACK = 2  # a step there and back costs three times the way there


class Speed(NamedTuple):
    """Of one network on this machine."""

    trained: float  # images a second, there and back
    called: float  # images a second, there
    weights: int  # bytes


def seconds(work: Sequence[Work]) -> float:
    """How long all of this takes on this machine."""
    return sum(w.trained / speed(w).trained + w.called / speed(w).called for w in work if _any(w))


def disk(work: Sequence[Work]) -> int:
    """Bytes that its trainings write, at most at one time."""
    return sum(COPIES * w.trainings * speed(w).weights for w in work if w.trainings)


def flops(work: Sequence[Work]) -> float:
    """Floating-point operations of all of this, by PyTorch's counter."""
    once = (((1 + BACK) * w.trained + w.called, w) for w in work if _any(w))
    return sum(images * _flops(_key(w), w.size) for images, w in once)


def speed(work: Work) -> Speed:
    """Measured on this machine, once for each network, size and batch."""
    return _speed(_key(work), work.size, work.batch)


def table(lessons: Sequence[tuple[str, Sequence[Work], Sequence[Work]]]) -> str:
    """Of each lesson (name, its work, that of profile published): time, disk, and the factor."""
    rows, total = [("lesson", "at least", "disk", "published is")], 0.0
    for name, work, published in lessons:
        if not any(map(_any, work)):
            rows.append((name, "seconds", "-", "-"))
            continue
        total += (took := seconds(work))
        factor = f"{flops(published) / flops(work):,.3g} times as much"
        rows.append((name, duration(took), f"{disk(work) / 1e9:.1f} GB", factor))
    return f"{aligned(rows, None)}\ntogether at least {duration(total)}; {_memory()}"


def check(lessons: Sequence[tuple[str, Sequence[Work], Sequence[Work]]], out: Path) -> None:
    """Raise OSError where the disk of `out` has no room for what these lessons will write."""
    place = next(p for p in (out, *out.resolve().parents) if p.exists())
    check_disk(sum(disk(work) for _, work, _ in lessons), place)


def _any(work: Work) -> bool:
    return work.trained + work.called > 0


def _key(work: Work) -> str:
    return json.dumps(work.net, sort_keys=True)


def _memory() -> str:
    """The most memory that the measured steps took."""
    if best_device().type == "cuda":
        return f"memory of the GPU {torch.cuda.max_memory_allocated() / 1e9:.1f} GB"
    peak = peak_memory_mb()
    return "memory not known" if peak is None else f"memory {peak / 1000:.1f} GB"


@cache
def _speed(net: str, size: int, batch: int) -> Speed:
    device = best_device()
    unet = UNet(**json.loads(net)).to(device)
    unet.to(memory_format=torch.channels_last)
    weights = sum(p.numel() * p.element_size() for p in unet.parameters())

    def there(n: int) -> torch.Tensor:
        x = torch.randn(n, 3, size, size, device=device)
        c = unet.cond_channels
        cond = torch.randn(n, c, size, size, device=device) if c else None
        return unet(x, torch.zeros(n, device=device), None, cond)

    def back(n: int) -> None:
        there(n).square().mean().backward()

    @torch.no_grad()
    def alone(n: int) -> None:
        there(n)

    return Speed(_rate(back, batch, device), _rate(alone, batch, device), weights)


def _rate(step: Callable[[int], None], batch: int, device: torch.device) -> float:
    """Images a second of a step: of the whole batch, or of as many as take `LEAST` seconds."""
    n = 1
    while True:
        tries: list[float] = []  # the quickest counts: the first warms up, others may be held up
        while len(tries) < TRIES and sum(tries) < MOST:
            began = time.perf_counter()
            step(n)
            if device.type == "cuda":
                torch.cuda.synchronize()
            tries.append(time.perf_counter() - began)
        if n == batch or min(tries) > LEAST:
            return n / min(tries)
        n = min(2 * n, batch)


@cache
def _flops(net: str, size: int) -> int:
    """Of one image, there."""
    with torch.device("meta"):
        unet = UNet(**json.loads(net)).to("meta")  # its table of frequencies, too
        x, c = torch.empty(1, 3, size, size), unet.cond_channels
        cond = torch.empty(1, c, size, size) if c else None
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            unet(x, torch.zeros(1), None, cond)
    return counter.get_total_flops()
