"""Trajectory refinement: fine-tuning a denoiser by a loss at the end of the sampler.

The gradient goes through the steps of the sampler: all of them (SSIMBaD 2025, AnimeDiffusion) or
the last K (Clark et al. 2023, DRaFT-K).  With the levels [sigma_max, 0] the sampler is one call,
and this is end-to-end fine-tuning (Garcia et al. 2024).

For x|c ~ N(mu, s^2) and a sampler that answers m + g z, the end loss is (m - mu)^2 + s^2 + g^2:
the least has g = 0.  Refinement by MSE trades the spread of the samples for 3.01 dB.
"""

from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from types import SimpleNamespace

import torch
from jaxtyping import Float, Int
from torch import Tensor

from diffutils import rng, samplers
from diffutils.data import to_float
from diffutils.denoisers import Denoiser, clipped
from diffutils.loop import check_callable, check_flag, optimise
from diffutils.metrics.similarity import ssim
from diffutils.training import batch_order, check_data, sent, taken
from diffutils.weights import surroundings

Distance = Callable[[Tensor, Tensor], Tensor]

# ------------------------------------------------------------------- losses at the end


def mse(a: Float[Tensor, "B ..."], b: Float[Tensor, "B ..."]) -> Float[Tensor, "B"]:
    """Mean square error of each pair of images."""
    return (a - b).square().flatten(1).mean(1)


def ssim_loss(a: Float[Tensor, "B C H W"], b: Float[Tensor, "B C H W"]) -> Float[Tensor, "B"]:
    """1 - SSIM of each pair, images in [-1, 1] with sides of at least 11 (see `similarity.ssim`).

    Raises: as `similarity.ssim`.
    """
    return (1 - ssim(a, b)).to(a)


def feature_loss(features: Callable[[Tensor], Tensor]) -> Distance:
    """Mean square difference of what a network sees in each pair, features(images) -> (B, d).

    A stand-in for LPIPS where its weights are not at hand; LPIPS itself is
    `metrics.published.AlexNet.distance`.
    """
    return lambda a, b: mse(features(a), features(b))


def clamped(distance: Distance) -> Distance:
    """The published loss: both images are clamped to [-1, 1] first.

    A pixel that is outside then has no gradient: nothing brings it back.
    Source: SSIMBaD's finetune.py, in [0, 1], so that its MSE is a quarter of ours.
    """
    return lambda a, b: distance(a.clamp(-1, 1), b.clamp(-1, 1))


# ------------------------------------------------------------------- where a chain begins


def from_noise(denoise: Callable, x0: Tensor, noise: Tensor, sigmas: Tensor) -> Tensor:
    """sigma_max n, EDM's start, which knows nothing of the image."""
    return samplers.start(sigmas, noise, variance_preserving=False)


def from_inversion(denoise: Callable, x0: Tensor, noise: Tensor, sigmas: Tensor) -> Tensor:
    """The state from which DDIM leads back to the true image x0, without gradients.

    AnimeDiffusion's fine-tuning starts there (and samples from noise: that start knows no image).
    """
    return samplers.invert(denoise, x0, sigmas.flip(0))


# ------------------------------------------------------------------- the walk, and its training


def refined(
    denoise: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    sigmas: Float[Tensor, "levels"],
    last: int | None = None,
    checkpoint: bool = False,
    **walk,
) -> Float[Tensor, "B ..."]:
    """The last state of `samplers.trajectory`, with gradients through the last `last` steps only.

    last: None for all steps (DRaFT), K for DRaFT-K (Clark et al. 2023, arXiv 2309.17400).
    checkpoint: memory grows by one state a step instead of the network's activations.
    walk: eta, heun, noise, ... of `trajectory`.  The state is the same whatever `last` is.

    Raises: ValueError for `last` outside 1 .. steps, and as `trajectory`.
    """
    samplers.check_levels(sigmas)
    n = len(sigmas) - 1
    if last is not None and not 1 <= last <= n:
        raise ValueError(f"last must be 1 to {n}, the steps of this walk, or None, got {last}")
    first = 0 if last is None else n - last
    if first:
        with torch.no_grad():
            steps = islice(samplers.trajectory(denoise, x, sigmas, **walk), first)
            x = deque(steps, maxlen=1).pop()
    walk |= dict(first=first, checkpoint=checkpoint)
    return deque(samplers.trajectory(denoise, x, sigmas, **walk), maxlen=1).pop()


def end_of_walk(
    denoiser: Callable[..., Tensor],
    x0: Float[Tensor, "B ..."],
    cond: Float[Tensor, "B ..."] | None,
    sigmas: Float[Tensor, "levels"],
    noise: Callable[[int, Tensor], Tensor],
    *,
    start: Callable = from_noise,
    distance: Distance = mse,
    bounded: bool = False,
    **walk,
) -> Float[Tensor, "B"]:
    """distance(end of the walk, x0) of every image.

    noise(k, x): as in `trajectory`, for n steps k = 0 .. 2n-1; k = 2n is the start's.
    start, distance, bounded: as in `refine`; walk: last, checkpoint, and the settings of
    `trajectory`.

    Raises: ValueError for a distance without a gradient where the walk has one.
    """
    denoise = partial(denoiser, cond=cond)
    denoise = clipped(denoise) if bounded else denoise
    x = start(denoise, x0, noise(2 * len(sigmas) - 2, x0), sigmas)
    end = refined(denoise, x, sigmas, noise=noise, **walk)
    loss = distance(end, x0)
    if end.requires_grad and not loss.requires_grad:
        raise ValueError(
            "this distance has no gradient (it may be measured under no_grad, or on uint8), so it "
            "cannot be refined by; give one of torch's operations, such as refine.mse"
        )
    return loss


def seeded_round(
    seed: int, k: int, index: Int[Tensor, "B"], n: int, stream: int
) -> Callable[[int, Tensor], Tensor]:
    """The noise of the k-th walk of n steps: 2n + 1 draws for every index, see `end_of_walk`."""

    def noise(step: int, x: Tensor) -> Tensor:
        return rng.normal(seed, (2 * n + 1) * k + step, index, x.shape[1:], stream).to(x.dtype)

    return noise


def refine(
    denoiser: Denoiser,
    images: Tensor,
    cond: Tensor | None,
    sigmas: Float[Tensor, "levels"],
    *,
    batch: int = 8,
    last: int | None = None,
    distance: Distance = mse,
    start: Callable = from_noise,
    bounded: bool = False,
    walk: dict | None = None,
    checkpoint: bool = False,
    augment: Callable | None = None,
    heldout: Tensor | None = None,
    heldout_cond: Tensor | None = None,
    seed: int = 0,
    **loop,
) -> Iterator[SimpleNamespace]:
    """Train the denoiser in place: `optimise` the loss at the end of the walk; yield its records.

    images: uint8 (N, C, H, W); cond: what the network sees beside each, (N, K, H, W), uint8 or
    float in [-1, 1], or None; sigmas: the levels of the walk; last, checkpoint: as in `refined`.
    distance(end, x0): a loss for every image, (B,), both in [-1, 1].
    start(denoise, x0, noise, sigmas): the first state.  bounded: the network's estimates to
    [-1, 1], which have no gradient outside.  walk: eta, heun, ... of `trajectory`.
    augment(x0, cond, k, slots): as in `training.fit`.
    A record's heldout is the mean of the end loss over the held-out images, always with the same
    noise; its ema is a Denoiser.  loop: the settings of `optimise`: steps, lr, warmup, ...

    Raises: as `optimise`, `end_of_walk` and `refined`; ValueError for images or conditions that do
    not fit.
    """
    # Say what is wrong before anything starts.
    check_flag(checkpoint=checkpoint, bounded=bounded)
    check_callable("augment", distance=distance, start=start, augment=augment)
    check_data(denoiser, images, None, batch, cond, augmented=augment is not None)
    if heldout is not None:
        check_data(denoiser, heldout, None, batch, heldout_cond)
    device, n = surroundings.accelerator().device, len(sigmas) - 1
    kind = dict(start=start, distance=distance, last=last, checkpoint=checkpoint, bounded=bounded)
    kind |= walk or {}

    def around(net):
        return Denoiser(net, denoiser.coefficients, denoiser.c_noise)

    def fetched(images, cond, chosen):
        x0, c = (taken(data, chosen, device) for data in (images, cond))
        return to_float(x0), None if c is None else to_float(c)

    def loss(net, k, slots):
        where = sent(slots, device)
        x0, c = fetched(images, cond, batch_order(seed, k, batch, len(images))[slots])
        if augment is not None:
            x0, c = augment(x0, c, k, where)
        noise = seeded_round(seed, k, where, n, rng.NOISE)
        return end_of_walk(around(net), x0, c, sigmas, noise, **kind)

    @torch.no_grad()
    def held(net):
        net.eval()  # `optimise` goes back to training
        sums = []
        for index in torch.arange(len(heldout)).split(batch):
            noise = seeded_round(seed, 0, sent(index, device), n, rng.EVALUATION)
            x0, c = fetched(heldout, heldout_cond, index)
            sums.append(end_of_walk(around(net), x0, c, sigmas, noise, **kind).sum())
        return sum(torch.stack(sums).tolist()) / len(heldout)  # waits for the device once, here

    # Train.
    denoiser.to(device).train()
    held = None if heldout is None else held
    for record in optimise(denoiser.net, loss, heldout=held, batch=batch, **loop):
        record.ema = around(record.ema).eval()
        yield record
    denoiser.eval()
