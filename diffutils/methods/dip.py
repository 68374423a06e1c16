"""Deep Image Prior: an image restored by fitting an untrained network to it, and stopping early.

The network f is given fixed noise z and one observation y = A(x) + noise; only its weights are
optimised, until f(z) looks like x and not yet like the noise (Ulyanov, Vedaldi & Lempitsky 2018).
A is the identity for denoising, a mask for inpainting, mean pooling for super-resolution.

Two curves say without the clean image when to stop: the error at pixels that were held out, and the
variance of the last outputs (ES-WMV, Wang et al. 2021).  `early_stop` finds the least of either.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from diffutils import rng
from diffutils.loop import check_callable, check_real, check_whole, constant, optimise
from diffutils.weights import surroundings

# Settings of `loop.optimise`: the authors' Adam, undisturbed; outputs are averaged, weights not.
LOOP = dict(optimizer=torch.optim.Adam, lr=0.01, warmup=0, decay=constant, clip=math.inf, ema=0.0)


def noise_input(channels: int, size: tuple[int, int], seed: int) -> Float[Tensor, "1 C H W"]:
    """The fixed input z, uniform in [0, 0.1), by seed (Ulyanov et al. 2018, supplementary)."""
    u = rng.uniform(seed, 0, torch.arange(1), channels * math.prod(size), rng.START)
    return 0.1 * u.view(1, channels, *size)


class Prior(nn.Module):
    """A network, its fixed input z, and what is remembered of its outputs; all in one state.

    net: takes z (1, C, H, W), gives an image (1, D, H, W) in [-1, 1], e.g. a `SkipNet`.
    jitter: standard deviation of the noise added to z at each step, drawn by (seed, step).
    every: None, or after how many steps the last output becomes the input (aSeqDIP, Alkhouri et
    al. 2024, take 2); z then has the channels of the image.

    Buffers: z; average (1, D, H, W), the outputs averaged with `decay`, without bias to the first;
    outputs (window, D H W), the last ones, raw; steps, how many went into these two.

    Raises: ValueError for numbers out of range or an image that cannot be the input; as net of z.
    """

    def __init__(
        self,
        net: nn.Module,
        z: Float[Tensor, "1 C H W"],
        *,
        seed: int = 0,
        jitter: float = 1 / 30,
        decay: float = 0.99,
        window: int = 100,
        every: int | None = None,
    ):
        super().__init__()
        check_whole(window=window, every=1 if every is None else every)
        check_real(jitter=(jitter, 0, math.inf), decay=(decay, 0, 1 - 1e-6))
        with torch.no_grad():
            shape = net(z).shape
        if every is not None and shape != z.shape:
            what = f"the output {tuple(shape)} cannot become the input {tuple(z.shape)}"
            raise ValueError(f"{what}; give z the channels of the image, or leave every= out")
        self.net, self.seed, self.jitter, self.decay, self.every = net, seed, jitter, decay, every
        self.register_buffer("z", z.clone())
        self.register_buffer("average", z.new_zeros(shape))
        self.register_buffer("outputs", z.new_zeros(window, shape.numel()))
        self.register_buffer("steps", torch.zeros((), dtype=torch.long))

    def forward(self, step: int) -> Float[Tensor, "1 D H W"]:
        """The output of this step; in training it is jittered, and noted in the buffers."""
        if not self.training:
            return self.net(self.z)
        # Make the last output the input (aSeqDIP).
        if self.every is not None and step and step % self.every == 0:
            self.z.copy_(self.outputs[(step - 1) % len(self.outputs)].view_as(self.z))
        # Draw the jitter of this step, from a stream of which no observation has its noise.
        z = self.z
        if self.jitter:
            index = torch.arange(1, device=z.device)
            z = z + self.jitter * rng.normal(self.seed, step, index, z.shape[1:], rng.AUGMENT)
        output = self.net(z)
        # Note the output; dividing by 1 - decay^(step + 1) takes the bias away, as Adam does.
        with torch.no_grad():
            self.outputs[step % len(self.outputs)] = output.flatten()
            self.average.lerp_(output, (1 - self.decay) / (1 - self.decay ** (step + 1)))
            self.steps.fill_(step + 1)
        return output

    def output(self) -> Float[Tensor, "1 D H W"]:
        """The last raw output.  Zeros before the first step."""
        return self.outputs[(int(self.steps) - 1) % len(self.outputs)].view_as(self.average).clone()

    def variance(self) -> float | None:
        r"""Variance of the last `window` raw outputs; None while there are fewer.

        .. math:: \frac1W \sum_w \frac1n \lVert x_w - \bar x\rVert^2

        over the n numbers of an image (the authors leave out n, which moves no minimum).
        Source: Wang et al. 2021, arXiv 2112.06074, "ES-WMV"; their window is 100.
        """
        if int(self.steps) < len(self.outputs):
            return None
        return float(self.outputs.var(0, correction=0).mean())


# ------------------------------------------------------------------- pixels that are fitted


def hold_out(
    seen: Bool[Tensor, "1 1 h w"], fraction: float = 0.05, seed: int = 0
) -> Bool[Tensor, "1 1 h w"]:
    """A random fraction of the pixels seen, all their channels together, by seed.

    Raises: ValueError for a fraction that leaves no pixel on one of the two sides.
    """
    check_real(fraction=(fraction, 0, 1))
    places = seen.flatten().nonzero()[:, 0]
    count = round(fraction * len(places))
    if not 0 < count < len(places):
        what = f"a fraction of {fraction} holds out {count} of {len(places)} observed pixels"
        raise ValueError(f"{what}; at least one must be held out and one be left")
    chosen = rng.permutation(seed, 0, len(places))[:count].to(seen.device)
    held = torch.zeros_like(seen.flatten())
    held[places[chosen]] = True
    return held.view(seen.shape)


def masked_mse(
    a: Float[Tensor, "1 C h w"], b: Float[Tensor, "1 C h w"], mask: Bool[Tensor, "1 1 h w"]
) -> Float[Tensor, "1"]:
    """Mean square error over the pixels of the mask; what b holds elsewhere has no effect."""
    return torch.where(mask, (a - b).square().mean(1, True), 0).sum((1, 2, 3)) / mask.sum()


def data_loss(
    y: Float[Tensor, "1 C h w"], A: Callable, fitted: Bool[Tensor, "1 1 h w"], pull: float = 0.0
) -> Callable:
    """The loss for `loop.optimise` of a `Prior`: mean square error of A(f(z)) at the fitted pixels.

    pull: lambda of aSeqDIP, which adds lambda mean (f(z) - z)^2 (Alkhouri et al. 2024, take 1).
    """

    def loss(prior: Prior, k: int, slots: Tensor) -> Float[Tensor, "1"]:
        output = prior(k)
        error = masked_mse(A(output), y, fitted)
        return error + pull * (output - prior.z).square().mean() if pull else error

    return loss


def heldout_loss(y: Float[Tensor, "1 C h w"], A: Callable, held: Bool[Tensor, "1 1 h w"]):
    """The `heldout` for `loop.optimise`: mean square error of A(average) at the held-out pixels.

    On average the error at the clean pixels, plus the variance of the noise.
    """

    @torch.no_grad()
    def heldout(prior: Prior) -> float:
        return float(masked_mse(A(prior.average), y, held))

    return heldout


# ------------------------------------------------------------------- the run, and where it stops


def fit(
    prior: Prior,
    y: Float[Tensor, "1 C h w"],
    A: Callable[[Tensor], Tensor] = lambda x: x,
    *,
    seen: Bool[Tensor, "1 1 ..."] | None = None,
    fraction: float = 0.05,
    pull: float = 0.0,
    **loop,
) -> Iterator[SimpleNamespace]:
    """Fit the prior to one observation in place: `optimise`, and yield its records with three more.

    y: in [-1, 1] up to its noise.  A: takes an image (1, D, H, W) to the size of y.  seen: which
    pixels of y were observed, None for all; `fraction` of them is held out, by the prior's seed,
    and never enters the loss.  pull: as in `data_loss`.  loop: settings of `optimise`, steps among
    them, where they differ from `LOOP`.

    Record: heldout, the error of the averaged output at held-out pixels; average and output, images
    (1, D, H, W); variance, see `Prior.variance`.  Whoever reads them stops: by `stops` on the way,
    or by `early_stop` after it.

    Raises: as `optimise` and `hold_out`; ValueError for y, A, seen or pull that do not fit.
    """
    # Say what is wrong before anything starts.
    device = surroundings.accelerator().device
    prior, y = prior.to(device), y.to(device)
    seen = torch.ones_like(y[:, :1], dtype=torch.bool) if seen is None else seen.to(device)
    _check(prior, y, A, seen, pull)
    # Fit.
    held = hold_out(seen, fraction, prior.seed)
    loss, heldout = data_loss(y, A, seen & ~held, pull), heldout_loss(y, A, held)
    for record in optimise(prior, loss, batch=1, heldout=heldout, **LOOP | loop):
        record.average, record.output = prior.average.clone(), prior.output()
        record.variance = prior.variance()
        yield record


def _check(prior: Prior, y: Tensor, A: Callable, seen: Tensor, pull: float) -> None:
    """Say in one sentence what does not fit."""
    check_callable(A=A)
    check_real(pull=(pull, 0, math.inf))
    if not bool(y.isfinite().all()):
        raise ValueError("y holds numbers that are not finite; put 0 where nothing was observed")
    with torch.no_grad():
        found, image, want = A(prior.average).shape, prior.average.shape, (1, 1, *y.shape[2:])
    if found != y.shape:
        raise ValueError(
            f"A makes {tuple(found)} of the output {tuple(image)}, but y is {tuple(y.shape)}; "
            "give the network the size and channels of the image sought"
        )
    if seen.dtype != torch.bool or seen.shape != want:
        given = f"{seen.dtype} {tuple(seen.shape)}"
        raise ValueError(f"seen says which pixels of y were observed: bool {want}, got {given}")
    if pull and prior.z.shape != image:
        differ = f"z is {tuple(prior.z.shape)} and the image {tuple(image)}"
        raise ValueError(f"{differ}; to pull one to the other give z the image's channels")


def early_stop(curve: Sequence[float | None], patience: int) -> int:
    """Index of the first value that none of the next `patience` ones is below, or of the least.

    curve: one value a record, None where there is none yet; patience: in records.
    Raises: ValueError for a patience below 1, or a curve without any value.
    """
    check_whole(patience=patience)
    best = None
    for i, value in enumerate(curve):
        if value is not None and (best is None or value < curve[best]):
            best = i
        elif best is not None and i - best >= patience:
            break
    if best is None:
        raise ValueError(f"none of the {len(curve)} records has a value; run for longer")
    return best


def stops(curve: Sequence[float | None], patience: int) -> bool:
    """Whether a run with this curve so far is over: `early_stop` will not change its mind."""
    known = any(value is not None for value in curve)
    return known and len(curve) > early_stop(curve, patience) + patience
