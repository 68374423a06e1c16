"""A training of twelve steps on random images, recorded, for the tests of what it leaves behind."""

import json

import torch

from diffutils import denoisers, schedules
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet
from diffutils.weights import state as saves

SCHEDULE = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
SETTINGS = dict(steps=12, batch=8, lr=1e-2, warmup=2, log_every=2, flip=True, save_every=0.0)
IMAGES = torch.randint(
    0, 256, (40, 3, 8, 8), generator=torch.Generator().manual_seed(0), dtype=torch.uint8
)


def tiny(seed=0):
    torch.manual_seed(seed)
    net = UNet(channels=(8, 16), blocks=1, attention=(False, True))
    return Denoiser(net, denoisers.eps, SCHEDULE.t)


def draw(denoiser):
    """Twelve images that depend on the averaged weights."""
    shift = int(1e6 * float(next(denoiser.parameters()).detach().double().sum())) % 256
    return (IMAGES[:12].int() + shift).remainder(256).byte()


def train(folder, denoiser=None, images=IMAGES, **changes):
    settings = dict(heldout=IMAGES[:9], draw=draw, draws=3, say=SAID.append) | SETTINGS | changes
    return recorded_fit(folder, denoiser or tiny(), images, SCHEDULE, **settings)


SAID: list[str] = []


def stop_after(folder, records, **changes):
    """As a killed process would leave the folder; `records` records were written."""
    running = train(folder, **changes)
    for _ in range(records):
        next(running)
    running.close()


def numbers(record):
    return [record.step, record.loss, record.heldout, record.lr, record.grad_norm]


def log(folder):
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def result(folder):
    """Everything that must come out the same: checksums of all weights and moments, the log."""
    timings = ("seconds", "images_per_second")
    lines = [{k: v for k, v in line.items() if k not in timings} for line in log(folder)]
    pictured = {p.name: p.read_bytes() for p in (folder / "samples").iterdir()}
    return saves.read(saves.newest(folder / "checkpoints"))[1]["files"], lines, pictured


def files(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())
