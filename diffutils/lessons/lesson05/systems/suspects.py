"""Five ways to colour, of which some look at the answer: for exercise 5.6.

Each is method(sketch, reference, truth, seed) -> images, all float in [-1, 1].
"""

from collections.abc import Callable

import torch
from torch import Tensor

from diffutils.data import to_float
from diffutils.lessons.lesson05.systems.colouring import coloured
from diffutils.methods.sketch import luma
from diffutils.metrics.similarity import ssim
from diffutils.samplers import Step, invert, sample
from diffutils.weights.models import Model

STRENGTH, SIDE = 500.0, 256  # of SSIMBaD's do_guiding, and the side of its images


def suspects(model: Model, sigmas: Tensor) -> dict[str, tuple[str, Callable]]:
    """The five by letter: what each does, and the method itself, around one network."""

    # Honest, or not: read on.
    def plain(sketch, reference, truth, seed, **settings):
        cond = torch.cat([sketch, reference], 1)
        return to_float(coloured(model, cond, sigmas, seed=seed, **settings))

    def towards_the_truth(sketch, reference, truth, seed):
        """SSIMBaD's finetune.py, do_guiding=True: each step goes up the slope of SSIM to x0."""

        def after_step(step: Step) -> Tensor:
            with torch.enable_grad():
                x = step.x_next.detach().requires_grad_(True)
                below = (1 - ssim(luma(x.clamp(-1, 1)), luma(truth.to(x)))).sum()
                (slope,) = torch.autograd.grad(below, x)
            # The slope of a mean over pixels is the smaller, the more there are.
            strength = STRENGTH * x[0, 0].numel() / SIDE**2
            return step.x_next - strength * slope.to(x)

        return plain(sketch, reference, truth, seed, after_step=after_step)

    def from_the_truth(sketch, reference, truth, seed):
        """The start that AnimeDiffusion refines from: noise that leads back to x0."""
        device = next(model.denoiser.parameters()).device
        cond, truth = torch.cat([sketch, reference], 1).to(device), truth.to(device)

        def denoise(x, sigma):
            with torch.no_grad():
                return model.denoiser(x, sigma, cond=cond)

        return sample(denoise, invert(denoise, truth, sigmas.flip(0)), sigmas).cpu()

    def best_of_four(sketch, reference, truth, seed):
        several = torch.stack([plain(sketch, reference, truth, seed + k) for k in range(4)])
        error = (several - truth).square().flatten(2).mean(2)
        return several[error.argmin(0), torch.arange(len(truth))]

    def mean_of_four(sketch, reference, truth, seed):
        return torch.stack([plain(sketch, reference, truth, seed + k) for k in range(4)]).mean(0)

    return {
        "A": ("one chain", plain),
        "B": ("steps towards SSIM", towards_the_truth),
        "C": ("mean of four chains", mean_of_four),
        "D": ("best of four chains", best_of_four),
        "E": ("a chain from inverted noise", from_the_truth),
    }
