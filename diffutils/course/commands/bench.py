"""Speed of this machine: training images a second, and seconds for a grid of samples."""

import time

import click
import torch

from diffutils import Denoiser, Discrete, UNet, denoisers, fit, sample, schedules, start
from diffutils.course.commands.options import say
from diffutils.course.machine import best_device, device_name

STEPS = 10  # of a measurement
SIZES = {  # name -> pixels, U-Net, batch on a CPU, batch on a GPU
    "sprites 16x16": (16, {"channels": (32, 64), "attention": (False, True)}, 64, 512),
    "faces 64x64": (64, {"channels": (32, 64, 128), "attention": (False,) * 3}, 8, 256),
}


@click.command()
def bench():
    """Measure training and sampling speed on this machine."""
    device = best_device()
    say(f"{device_name(device)}, torch {torch.__version__}")
    schedule = Discrete(schedules.cosine_betas())
    precisions = (False, True) if device.type == "cuda" else (False,)
    for name, (size, unet, cpu_batch, gpu_batch) in SIZES.items():
        # Train on random images, since only time counts.
        batch = cpu_batch if device.type == "cpu" else gpu_batch
        images = torch.randint(0, 256, (2 * batch, 3, size, size), dtype=torch.uint8)
        for bf16 in precisions:
            denoiser = Denoiser(UNet(**unet), denoisers.v, schedule.t)
            parameters = sum(p.numel() for p in denoiser.parameters())
            how = dict(steps=2 * STEPS, batch=batch, log_every=STEPS, bf16=bf16)
            *_, last = fit(denoiser, images, schedule, **how)  # the first half warms up
            say(
                f"{name}, {parameters / 1e6:.1f} M parameters, {'bf16' if bf16 else 'fp32'}, "
                f"batch {batch}: {last.images_per_second:.0f} images/s in training"
            )
        # Sample: once to warm up, once with the clock.
        noise = torch.randn(16, 3, size, size, device=device)
        sigmas = schedules.levels(schedule, STEPS)
        with torch.no_grad():
            sample(denoiser, start(sigmas, noise), sigmas)
            began = time.perf_counter()
            sample(denoiser, start(sigmas, noise), sigmas).cpu()
        took = time.perf_counter() - began
        say(f"{name}: {took:.2f} s for 16 samples in {STEPS} steps")
