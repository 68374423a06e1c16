"""Guidance by two conditions, a sketch and a reference, each with a scale of its own.

In training each is dropped at times, so that one network knows D(0,0), D(s,0) and D(s,r).
A dropped condition is 0, mid-grey, which no sketch is: its pixels are -1 or 1.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from diffutils import rng
from diffutils.denoisers import inside, per_image


def condition(
    sketch: Float[Tensor, "B 1 H W"], reference: Float[Tensor, "B 3 H W"]
) -> Float[Tensor, "B 4 H W"]:
    """What the network sees beside x: the sketch's channel, then those of the reference.

    Raises: ValueError unless they are as many images, of one size.
    """
    if sketch.shape[2:] != reference.shape[2:] or len(sketch) != len(reference):
        raise ValueError(
            f"sketch and reference must be as many images of one size, got {tuple(sketch.shape)} "
            f"and {tuple(reference.shape)}; expand the one that stands for all"
        )
    return torch.cat([sketch, reference], dim=1)


def dropped(
    sketch: Float[Tensor, "B 1 H W"],
    reference: Float[Tensor, "B 3 H W"],
    seed: int,
    step: int,
    index: Int[Tensor, "B"],
    p_sketch: float,
    p_reference: float,
    p_both: float = 0.0,
) -> Float[Tensor, "B 4 H W"]:
    """The condition of a training step, its parts replaced by 0 with these probabilities.

    Three independent draws for each (seed, step, index): the sketch is dropped, the reference is,
    both are.  InstructPix2Pix drops one, the other or both, 5 % each (Brooks et al. 2023, 3.2.1).

    Raises: ValueError for a probability outside [0, 1], and as `condition`.
    """
    given = (p_sketch, p_reference, p_both)
    if not all(0 <= p <= 1 for p in given):
        raise ValueError(
            f"p_sketch, p_reference and p_both must be probabilities, 0 to 1, got {given}"
        )
    # Column 0 of this stream drops the labels, in `training.fit`.
    u = rng.uniform(seed, step, index, 4, rng.LABEL)[:, 1:].to(sketch.device)
    drop_sketch, drop_reference, drop_both = (
        (draw < p)[:, None, None, None] for draw, p in zip(u.unbind(1), given, strict=True)
    )
    return condition(
        sketch.masked_fill(drop_sketch | drop_both, 0),
        reference.masked_fill(drop_reference | drop_both, 0),
    )


def parallel_part(
    update: Float[Tensor, "B ..."], direction: Float[Tensor, "B ..."]
) -> Float[Tensor, "B ..."]:
    """Of each image's update, the part along its direction: <u, d> d / |d|^2; 0 where d is 0.

    Source: Sadat et al. 2024 (arXiv 2410.02416), section 4.
    """
    d = F.normalize(direction.flatten(1), dim=1)
    return ((update.flatten(1) * d).sum(1, keepdim=True) * d).view_as(update)


def guided_twice(
    denoiser: Callable[..., Tensor],
    sketch: Float[Tensor, "B 1 H W"],
    reference: Float[Tensor, "B 3 H W"],
    w_s: float,
    w_r: float,
    interval: tuple[float, float] = (0.0, math.inf),
    parallel: float = 1.0,
) -> Callable[[Tensor, Tensor | float], Tensor]:
    """D(0,0) + w_s [D(s,0) - D(0,0)] + w_r [D(s,r) - D(s,0)] (Brooks et al. 2023, eq. 3).

    denoiser(x, sigma, cond=): asked once for all terms that are needed, on a batch of up to 3 B.
    w_s = w_r = 1: plain conditional.  w_r = 0: the reference ignored.  Both 0: all ignored.
    interval: w_r where low < sigma <= high, and 1 elsewhere (Kynkaanniemi et al. 2024).
    parallel: share that is kept of the part along D(s,r) of what w_r > 1 adds to it.  That part
    saturates colours: 0 is adaptive projected guidance without momentum and threshold, 1 is plain
    guidance (Sadat et al. 2024, arXiv 2410.02416).

    Raises: as `condition`.
    """
    s, r = sketch, reference
    conds = (
        condition(torch.zeros_like(s), torch.zeros_like(r)),
        condition(s, torch.zeros_like(r)),
        condition(s, r),
    )

    def denoise(x: Tensor, sigma: Tensor | float) -> Tensor:
        level, here = per_image(sigma, x), inside(interval, sigma, x)
        w = torch.full_like(here, w_r, dtype=x.dtype).masked_fill(~here, 1)
        # How often each of D(0,0), D(s,0) and D(s,r) is in the sum.
        shares = (torch.full_like(w, 1 - w_s), w_s - w, w)
        taken_off = (1 - parallel) * (w - 1).clamp(min=0)
        known = here.device.type == "cpu"  # to look elsewhere would wait for a GPU
        needed = [not known or bool(share.any()) for share in shares]
        if project := parallel != 1 and (not known or bool(taken_off.any())):
            needed[1] = needed[2] = True
        # Ask for those that are, in one call.
        asked = [k for k in range(3) if needed[k]]
        n = len(asked)
        cond = torch.cat([conds[k] for k in asked])
        answers = denoiser(x.repeat(n, 1, 1, 1), level.flatten().repeat(n), cond=cond).chunk(n)
        D = dict(zip(asked, answers, strict=True))
        # Add them up.
        guided = sum(shares[k] * D[k] for k in asked)
        if project:
            guided = guided - taken_off * parallel_part(D[2] - D[1], D[2])
        return guided

    return denoise
