"""Colouring sketches like references with a trained network."""

from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor

from diffutils import rng, samplers
from diffutils.data import to_float, to_uint8
from diffutils.denoisers import clipped
from diffutils.lessons.lesson05.systems.configs import Walk
from diffutils.methods.guidance import guided_twice
from diffutils.weights.models import Model

BATCH = 64  # images coloured at a time
PLAIN = Walk()


@torch.no_grad()
def coloured(
    model: Model,
    cond: Tensor,
    sigmas: Tensor,
    walk: Walk = PLAIN,
    *,
    seed: int = 0,
    scales: tuple[float, float] = (1.0, 1.0),
    guide: Callable | None = None,
    **settings,
) -> Tensor:
    """Sketches coloured like references, uint8 (N, 3, H, W): image i is that of (seed, i).

    cond: `Part.cond` of one kind.  sigmas: levels of the chain; [sigma_max, 0] is one call.
    scales: of sketch and reference; (1, 1) asks the network once a level.  guide: one's own in
    place of `guided_twice`, at any scales.  settings: interval and parallel of `guide`; those of
    `trajectory`, such as heun, eta.
    """
    denoiser = model.denoiser.eval()
    device = next(denoiser.parameters()).device
    of_guide = {k: settings.pop(k) for k in ("interval", "parallel") if k in settings}
    settings = {"eta": walk.eta} | settings
    found = []
    for index in torch.arange(len(cond)).split(BATCH):
        beside, i = to_float(cond[index].to(device)), index.to(device)
        denoise = partial(denoiser, cond=beside)
        if guide or tuple(scales) != (1, 1):
            parts = (denoiser, beside[:, :1], beside[:, 1:])
            denoise = (guide or guided_twice)(*parts, *scales, **of_guide)
        denoise = clipped(denoise) if walk.bounded else denoise
        z = rng.normal(seed, 0, i, model.shape, rng.START)
        begin = samplers.start(sigmas, z, variance_preserving="betas" in model.card)
        settings["noise"] = samplers.seeded_noise(seed, i)
        found.append(to_uint8(samplers.sample(denoise, begin, sigmas, **settings)).cpu())
    return torch.cat(found)


def one_call(model: Model, walk: Walk = PLAIN) -> Tensor:
    """The levels of a walk of one step, from the top of a model's schedule to 0."""
    return walk.levels(model, 1)
