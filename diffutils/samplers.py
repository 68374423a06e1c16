"""One sampler.  DDPM, DDIM and EDM are settings of it.

The state is x = x0 + sigma n, in the units of `schedules`.  A step goes from sigma to sigma_next:
a deterministic move along d = (x - D)/sigma to a level a little lower, then fresh noise.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.utils.checkpoint import checkpoint as recomputed

from . import rng

# Weights of the last slopes, newest first, of orders 1 to 4: fixed, though the steps are not equal.
ADAMS_BASHFORTH = (
    (1.0,),
    (3 / 2, -1 / 2),
    (23 / 12, -16 / 12, 5 / 12),
    (55 / 24, -59 / 24, 37 / 24, -9 / 24),
)


class Step(NamedTuple):
    """A step of the sampler, as `after_step` sees it."""

    k: int  # it goes from sigmas[k] to sigmas[k + 1]
    x: Tensor  # the state that the network saw: after churn, EDM's x hat
    sigma: Tensor  # its level
    D: Tensor  # the network's estimate of x0 there
    x_next: Tensor  # the new state
    sigma_next: Tensor  # its level


def beta_tilde(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Std of the fresh noise that keeps the posterior q(x_{t-1}|x_t,x0): beta~_t (DDPM, eq. 7)."""
    return sigma_next * (1 - sigma_next**2 / sigma**2).clamp(min=0).sqrt()


def beta(sigma: Tensor, sigma_next: Tensor) -> Tensor:
    """Std for the variance beta_t that many published samplers use (DDPM, section 3.2)."""
    return ((1 + sigma_next**2) * (sigma**2 - sigma_next**2) / (1 + sigma**2)).sqrt()


def torch_noise(step: int, x: Tensor) -> Tensor:
    """Noise from torch's own generator."""
    return torch.randn_like(x)


def seeded_noise(seed: int, index: Int[Tensor, "B"]) -> Callable[[int, Tensor], Tensor]:
    """Noise that depends on (seed, step, sample index) alone, so not on the batch."""

    def noise(step: int, x: Tensor) -> Tensor:
        return rng.normal(seed, step, index.to(x.device), x.shape[1:], rng.SAMPLING).to(x.dtype)

    return noise


def number(level: Tensor | float) -> Tensor | float:
    """A level () as a number, for which no GPU waits; one that is learned stays in its graph."""
    return level if isinstance(level, Tensor) and level.requires_grad else float(level)


def start(
    sigmas: Float[Tensor, "levels"],
    noise: Tensor,
    variance_preserving: bool = True,
    x0: Tensor | None = None,
) -> Tensor:
    """Where a chain begins: sqrt(1 + sigma^2) n for a VP chain (x_T = n), sigma n for EDM.

    x0: an image to start from instead, at any level and for either chain: x0 + sigma n.
    """
    sigma = number(sigmas[0])
    if x0 is not None:
        return x0 + sigma * noise
    sqrt = torch.sqrt if isinstance(sigma, Tensor) else math.sqrt
    return noise * (sqrt(1 + sigma**2) if variance_preserving else sigma)


def trajectory(
    denoise: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    sigmas: Float[Tensor, "levels"],
    *,
    eta: float = 0.0,
    variance: Callable = beta_tilde,
    heun: bool = False,
    order: int = 1,
    S_churn: float = 0.0,
    S_min: float = 0.0,
    S_max: float = math.inf,
    S_noise: float = 1.0,
    noise: Callable[[int, Tensor], Tensor] = torch_noise,
    after_step: Callable[[Step], Tensor] | None = None,
    first: int = 0,
    checkpoint: bool = False,
) -> Iterator[Tensor]:
    """Yield the state after every step from sigmas[first] down to sigmas[-1].

    denoise(x, sigma) -> estimate of x0.  x: state at sigmas[first], see `start`.
    eta: 0 = DDIM, 1 = DDPM (Song et al. 2021, eq. 12 and 16); variance: of eta's fresh noise.
    heun, S_*: EDM's second-order correction and churn (Karras et al. 2022, algorithm 2).
    order: of Adams and Bashforth, 2 to 4: the slopes of the steps before are used again, so that
    a step costs one call (iPNDM: Zhang & Chen 2023, arXiv 2204.13902); the step to 0 is Euler's.
    noise(k, x): noise of step k and, by k = n .. 2n-1, of churn.  after_step(Step): the new state.
    first: steps already taken.  A chain cut in two takes all sigmas in both pieces: sigmas[first:]
    would draw the same noise again.  A chain walked again needs other k: noise(2n * round + k, x).
    Gradients flow, to the levels too; wrap in torch.no_grad() (or use `sample`) unless you want
    them.  checkpoint: keep only states, and ask the network again for gradients (Chen et al. 2016).

    Raises: ValueError if the levels do not fall, or the first is infinite; for eta outside [0, 1];
    for an order other than 1 to 4, or above 1 beside what breaks the row of slopes.
    """
    check_levels(sigmas)
    n = len(sigmas) - 1
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie between 0 (DDIM) and 1 (DDPM), got {eta:g}")
    if not 0 <= first < n:
        raise ValueError(f"first must be one of the {n} steps, 0 to {n - 1}, got {first}")
    check_order(order, alone=not (eta or heun or S_churn or first))
    slopes: deque[Tensor] = deque(maxlen=order)
    if checkpoint:
        denoise = partial(recomputed, denoise, use_reentrant=False)
    for k in range(first, n):
        sigma, sigma_next = sigmas[k], sigmas[k + 1]
        # Churn: first raise the noise level a little.
        if S_churn and S_min <= sigma <= S_max:
            sigma_hat = sigma * (1 + min(S_churn / n, math.sqrt(2) - 1))
            # Steps n .. 2n-1 of the noise source: churn and eta never share a draw.
            x = x + number((sigma_hat**2 - sigma**2).sqrt()) * S_noise * noise(n + k, x)
            sigma = sigma_hat
        # Share the next level between what is kept of the old noise and fresh noise.
        sigma_down = sigma_next
        if sigma_next > 0:  # at 0 the root has no slope
            sigma_up = eta * beta_tilde(sigma, sigma_next)
            sigma_down = (sigma_next**2 - sigma_up**2).clamp(min=0).sqrt()
        # Euler's step, x + (sigma_down - sigma) d without its rounding error at a large sigma.
        D = denoise(x, sigma)
        d = (x - D) / number(sigma)
        x_next = D + number(sigma_down) * d
        # Adams and Bashforth's, along a mixture of this slope and those before it.
        slopes.appendleft(d)
        if order > 1 and sigma_next > 0:
            weights = ADAMS_BASHFORTH[len(slopes) - 1]
            mixed = sum(w * slope for w, slope in zip(weights, slopes, strict=True))
            x_next = x_next + number(sigma_down - sigma) * (mixed - d)
        # Heun's correction.
        if heun and sigma_down > 0:
            d_next = (x_next - denoise(x_next, sigma_down)) / number(sigma_down)
            x_next = x_next + number(sigma_down - sigma) * (d_next - d) / 2
        # Fresh noise.
        if eta and sigma_next > 0:
            x_next = x_next + eta * number(variance(sigma, sigma_next)) * noise(k, x)
        if after_step is not None:
            x_next = after_step(Step(k, x, sigma, D, x_next, sigma_next))
        x = x_next
        yield x


@torch.no_grad()
def sample(denoise: Callable, x: Tensor, sigmas: Tensor, **settings) -> Tensor:
    """The last state of `trajectory`, without gradients."""
    return deque(trajectory(denoise, x, sigmas, **settings), maxlen=1).pop()


def inversion(
    denoise: Callable[[Tensor, Tensor], Tensor],
    x: Float[Tensor, "B ..."],
    sigmas: Float[Tensor, "levels"],
) -> Iterator[Tensor]:
    """Yield the state after every step up, from the image x at sigmas[0] to noise at sigmas[-1].

    DDIM's step backwards: x + (sigma_next - sigma) d, with d = (x - D)/sigma where the step begins
    (Song et al. 2021, eq. 14, and section 4.3).  Sampling down with eta = 0 takes d where this
    step ends, so it leads back to the image up to an error that halves as the steps double.
    sigmas: rising, levels(schedule, n).flip(0); at 0, where d is 0/0, D is asked at sigmas[1].

    Raises: ValueError if the levels do not rise, or the last is infinite.
    """
    check_levels(sigmas, rising=True)
    lowest = sigmas[sigmas > 0][0]
    for sigma, sigma_next in zip(sigmas[:-1], sigmas[1:], strict=True):
        level = torch.maximum(sigma, lowest)
        d = (x - denoise(x, level)) / number(level)
        x = x + number(sigma_next - sigma) * d
        yield x


@torch.no_grad()
def invert(denoise: Callable, x: Tensor, sigmas: Tensor) -> Tensor:
    """The last state of `inversion`, without gradients: where `ddim` starts to arrive at x.

    Its noise, for `slerp` and `start`, is this state / sqrt(1 + sigmas[-1]^2) for a VP chain.
    """
    return deque(inversion(denoise, x, sigmas), maxlen=1).pop()


def slerp(
    a: Float[Tensor, "B ..."], b: Float[Tensor, "B ..."], t: float | Float[Tensor, "ts"]
) -> Float[Tensor, "B ..."]:
    """From a (t = 0) to b (t = 1), sample by sample, along the arc of a circle; t: () or (B,).

    sin((1 - t) theta)/sin(theta) a + sin(t theta)/sin(theta) b, theta the angle between a and b
    (Shoemake 1985; Song et al. 2021, D.5).  Noises of equal norm keep it; a straight line would
    pass through shorter ones, which no network has seen.  Parallel noises: the straight line.

    Raises: ValueError for different shapes, or where a and b are opposite: no arc is the shortest.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"slerp goes between noises of one shape, got {tuple(a.shape)} and {tuple(b.shape)}"
        )
    t = torch.as_tensor(t, dtype=a.dtype, device=a.device)
    if t.ndim and len(t) != len(a):
        raise ValueError(
            f"t must be one number or one for each of the {len(a)} samples, got {len(t)}; for an "
            "arc of n images between two noises give a.expand(n, ...), b.expand(n, ...) and n t's"
        )
    t = t.expand(len(a)).view(-1, *[1] * (a.ndim - 1))
    u, v = (torch.nn.functional.normalize(x.flatten(1), dim=1) for x in (a, b))
    # Kahan's formula: an arc cosine loses half of the digits where u and v are nearly parallel.
    theta = (2 * torch.atan2((u - v).norm(dim=1), (u + v).norm(dim=1))).view_as(t)
    if bool((theta > math.pi - 1e-3).any()):
        raise ValueError(
            "slerp got two opposite noises, and no arc between them is shorter than the others; "
            "draw one of them again"
        )
    turn = theta / math.pi  # torch.sinc(x) = sin(pi x)/(pi x), and 1 at 0
    of_a = (1 - t) * torch.sinc((1 - t) * turn) / torch.sinc(turn)
    return of_a * a + t * torch.sinc(t * turn) / torch.sinc(turn) * b


ddim = partial(sample, eta=0.0)
ddpm = partial(sample, eta=1.0)
heun = partial(sample, heun=True)


def check_order(order: int, alone: bool) -> None:
    """Raise ValueError unless trajectory can walk with so many slopes."""
    if order not in (1, 2, 3, 4):
        raise ValueError(f"order must be 1 (Euler) to 4 (Adams and Bashforth), got {order!r}")
    if order > 1 and not alone:
        raise ValueError(
            f"order = {order} uses the slopes of the steps before, which fresh noise (eta, "
            "S_churn), another solver (heun) or a start in the middle (first) do not leave; take "
            "order = 1 with these"
        )


def check_levels(sigmas: Tensor, rising: bool = False) -> None:
    """Raise ValueError unless the levels are finite and fall strictly to 0 or above (or rise)."""
    sigmas = sigmas.detach()
    falling = sigmas.flip(0) if rising else sigmas
    if len(sigmas) < 2 or not bool((falling[:-1] > falling[1:]).all()) or falling[-1] < 0:
        rule, flip = "a sampler must fall strictly from sigma_max to 0", ""
        if rising:
            rule, flip = "an inversion must rise strictly from 0 to sigma_max", ".flip(0)"
        raise ValueError(
            f"the noise levels of {rule}, got {[round(s, 4) for s in sigmas.tolist()[:6]]} ...; "
            f"make them with schedules.levels(){flip}"
        )
    if not math.isfinite(falling[0]):
        raise ValueError(
            "the highest noise level is infinite (terminal SNR 0), where an eps-network says "
            "nothing about the image; use schedules.rescale_terminal_snr and v- or x0-prediction"
        )
