"""Training a denoiser: the loss of one denoising step, handed to the one loop.

Every random number of step k comes from (seed, k, global sample index): a resumed run and a run
on several processes see the same batches, noise levels and noise.
"""

import math
import warnings
from collections.abc import Callable, Iterator
from numbers import Integral
from types import SimpleNamespace

import numpy as np
import torch
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from diffutils import rng
from diffutils.data import to_float
from diffutils.denoisers import Denoiser
from diffutils.loop import check_callable, check_flag, check_real, check_whole, optimise
from diffutils.unet import UNet
from diffutils.weights import surroundings


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


def fit(
    denoiser: Denoiser,
    images: Tensor,
    schedule: Callable[[Tensor], Tensor],
    *,
    batch: int = 128,
    labels=None,
    label_dropout: float = 0.1,
    cond: Tensor | None = None,
    heldout: Tensor | None = None,
    heldout_labels=None,
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

    images: training images, uint8 (N, C, H, W); labels: N class numbers, a tensor, an array or a
    list; schedule: sigma(u), the training density; distance: torch.square or torch.abs;
    weight(sigma): factor of each image's loss, None for 1; label_dropout: share of labels replaced
    by the null class (classifier-free guidance).
    cond: what the network sees beside each image, (N, K, H, W), uint8 or float in [-1, 1].
    flip: mirror half of the images, with their conditions.  augment(x0, cond, k, slots): x0 and
    cond of step k as they shall be, on the device; draw by rng.AUGMENT.  Held-out ones stay.
    loop: the settings of `optimise`: steps, lr, warmup, ...  A record's ema is a Denoiser.

    Raises: as `optimise`; ValueError for images, labels, conditions or a schedule that do not fit,
    and for bf16 on a device that has none.
    """
    # Say what is wrong before anything starts.
    device = surroundings.accelerator().device
    labels, heldout_labels = as_labels(labels), as_labels(heldout_labels)
    check_settings(schedule, label_dropout, seed, bf16, device)
    check_flag(flip=flip, bf16=bf16)
    check_callable("weight", "augment", distance=distance, weight=weight, augment=augment)
    pairs = ((labels, heldout_labels), (cond, heldout_cond))
    if heldout is not None and any(a is not None and b is None for a, b in pairs):
        raise ValueError(
            "the held-out images lack labels or conditions that the training images have; hand "
            "over heldout_labels= or heldout_cond=, or no heldout="
        )
    check_data(denoiser, images, labels, batch, cond, augmented=augment is not None)
    if heldout is not None:
        check_data(denoiser, heldout, heldout_labels, batch, heldout_cond)
    # Keep the data near the device; beyond 8 GB they stay in RAM.
    null = getattr(denoiser.net, "classes", 0)
    images, labels, cond = (
        data if data is None or data.nbytes > 2**33 else data.to(device)
        for data in (images, labels, cond)
    )
    kind = dict(distance=distance, weight=weight)

    def around(net):
        net = Bfloat16(net) if bf16 else net
        return Denoiser(net, denoiser.coefficients, denoiser.c_noise)

    def loss(net, k, slots):
        # Fetch the images, and what goes with them.
        where, chosen = sent(slots, device), batch_order(seed, k, batch, len(images))[slots]
        x0, y, c = (taken(data, chosen, device) for data in (images, labels, cond))
        x0, c = to_float(x0), None if c is None else to_float(c)
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
        sigma = sent(training_levels(schedule, seed, k, slots, batch), device)
        noise = rng.normal(seed, k, where, x0.shape[1:])
        return around(net).loss(x0, sigma, noise, y, c, **kind)

    def held(net):
        data = (heldout, schedule, heldout_labels, heldout_cond)
        return heldout_loss(around(net), *data, **kind)

    denoiser.to(device).train()
    held = None if heldout is None else held
    for record in optimise(denoiser.net, loss, heldout=held, batch=batch, **loop):
        record.ema = Denoiser(record.ema, denoiser.coefficients, denoiser.c_noise).eval()
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
    sums = []
    for slots in torch.arange(n).split(batch):
        x0, y, c = (taken(data, slots, device) for data in (images, labels, cond))
        x0, c = to_float(x0), None if c is None else to_float(c)
        # Add noise, and ask what was there.
        u = (slots + rng.uniform(seed, 0, slots, 1, rng.EVALUATION)[:, 0].double()) / n
        noise = rng.normal(seed, 1, sent(slots, device), images.shape[1:], rng.EVALUATION)
        sigma = sent(schedule(u).float(), device)
        loss = denoiser.loss(x0, sigma, noise, y, c, distance=distance, weight=weight)
        sums.append(loss.sum())
    denoiser.train(was_training)
    return sum(torch.stack(sums).tolist()) / n  # waits for the device once, here


def sent(data: Tensor, device: torch.device) -> Tensor:
    """An ordinary copy to a CUDA device waits until all queued work is done; this one does not."""
    return data.to(device, non_blocking=device.type == "cuda")


def taken(data: Tensor | None, index: Tensor, device: torch.device) -> Tensor | None:
    """The rows of these indices, on the device, wherever the data lie; None of None."""
    return None if data is None else sent(data[sent(index, data.device)], device)


def as_labels(labels) -> Int[Tensor, "N"] | None:
    """Class numbers from a tensor, an array or a list, as int64 (N,); None of None.

    Raises: ValueError for what is no list of whole numbers.
    """
    if labels is None:
        return None
    try:
        found = torch.as_tensor(labels.copy() if isinstance(labels, np.ndarray) else labels)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"labels must be numbers of classes ({error}); number the names") from None
    whole = not (found.is_floating_point() or found.is_complex() or found.dtype == torch.bool)
    if not whole or found.ndim != 1 or found.is_sparse:
        cure = "argmax(1)" if found.ndim == 2 and found.shape[1] > 1 else "long().flatten()"
        raise ValueError(
            f"labels must be whole numbers of shape (N,), one for each image, got {found.dtype} "
            f"{tuple(found.shape)}; labels.{cure} may be what you mean"
        )
    return found.long()


def check_settings(schedule, label_dropout=0, seed=0, bf16=False, device=None) -> None:
    """Say in one sentence what is wrong with the settings, before a run starts."""
    check_real(label_dropout=(label_dropout, 0, 1))
    if not isinstance(seed, Integral) or not -(2**63) <= seed < 2**64:
        raise ValueError(f"seed is {seed}, expected a whole number of at most 64 bits")
    levels = schedule(torch.tensor([0.5], dtype=torch.float64)) if callable(schedule) else None
    if not (isinstance(levels, Tensor) and levels.shape == (1,) and 0 <= levels < math.inf):
        found = f"gives {levels} for u = 0.5" if callable(schedule) else f"is {str(schedule)[:40]}"
        raise ValueError(
            f"schedule {found}, expected a function sigma(u) of noise levels, such as "
            "schedules.log_normal() or schedules.Discrete(betas)"
        )
    if bf16:
        try:
            with warnings.catch_warnings(), torch.autocast(device.type, torch.bfloat16):
                warnings.simplefilter("error")
                ones = torch.ones(2, 2, device=device)
                ones @ ones
        except (RuntimeError, TypeError, UserWarning) as error:
            why = f"{device.type} cannot compute in it ({str(error).splitlines()[0]})"
            raise ValueError(f"bf16 is on, but {why}; switch bf16 off") from None


def check_data(denoiser, images, labels, batch: int, cond=None, augmented=False) -> None:
    """Say in one sentence what is wrong with the data, before a run starts.

    augmented: what the network sees has other sizes and conditions, which it judges itself.
    """
    # Of network and images.
    check_whole(batch=batch)
    if not isinstance(denoiser, Denoiser):
        raise ValueError(
            f"denoiser is a {type(denoiser).__name__}, expected a Denoiser around a network: "
            "Denoiser(net, denoisers.eps, schedule.t)"
        )
    kind, shape = getattr(images, "dtype", type(images).__name__), getattr(images, "shape", ())
    if not isinstance(images, Tensor) or kind != torch.uint8 or len(shape) != 4 or 0 in shape:
        raise ValueError(
            f"images must be uint8 of shape (N, C, H, W) with N >= 1, no side 0, a tensor, got "
            f"{type(images).__name__}, {kind}, {tuple(shape)}; data.load() returns them so"
        )
    # Of conditions and labels.
    N, _, H, W = images.shape
    if cond is not None:
        shape = tuple(getattr(cond, "shape", ()))
        if not isinstance(cond, Tensor) or len(shape) != 4 or (N, H, W) != (shape[0], *shape[2:]):
            raise ValueError(
                f"cond must have shape ({N}, K, {H}, {W}), a tensor with one image beside each of "
                f"the others, got {type(cond).__name__} {shape}"
            )
        low, high = float(cond.min()), float(cond.max())
        least, most = (-1, 1) if cond.is_floating_point() else (0, 255)
        if not least <= low <= high <= most:
            raise ValueError(
                f"cond is {cond.dtype} from {low:g} to {high:g}, expected floats in [-1, 1] or "
                "uint8; to_float(images) makes the ones of the others"
            )
    if labels is not None:
        classes = getattr(denoiser.net, "classes", 0)
        if len(labels) != N:
            raise ValueError(f"{N} images but {len(labels)} labels")
        low, high = int(labels.min()), int(labels.max())
        if low < 0 or high >= classes:
            raise ValueError(
                f"labels run from {low} to {high}, but the network knows {classes} classes "
                f"(0 to {classes - 1}); make it with more classes="
            )
    if isinstance(denoiser.net, UNet) and not augmented:
        first = [None if data is None else data[:1] for data in (labels, cond)]
        denoiser.net.check(to_float(images[:1]), *first)
