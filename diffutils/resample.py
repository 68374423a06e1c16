"""Resampling by 2 along an axis is a matrix: up x -> U x U^T, down x -> D x D^T, D = U^T/2.

Alignment: both grids have the same borders, so that fine pixel m lies at (m - 1/2)/2 of the coarse
pixels 0, 1, 2...  With the ideal filter, and any even number of taps, nothing shifts, and flips and
quarter turns of an image commute with up and down.  An odd kernel, as published, is centred on fine
pixel 2j, half a fine pixel off.  One way and back never shifts, in either order.

padding: "circular" takes the image as periodic, "zeros" not.  There a filter of finitely many taps
sees zeros outside, so that borders darken; the ideal filter, which never ends, sees the image
mirrored, so that constants stay, and no border reaches the opposite one.

Sources: StyleGAN3 (Karras et al. 2021, arXiv 2106.12423); with ideal filters, Michaeli et al. 2023
(arXiv 2303.08085) and AF-LDM (Zhou et al. 2025, arXiv 2503.09419); "published": arXiv 2411.09174.
"""

import math
import operator
from collections.abc import Callable
from types import SimpleNamespace
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

# In cycles per coarse pixel, of which a grid holds up to 1/2, its Nyquist frequency.
WIDTH = math.sqrt(2) - 1  # StyleGAN3's transition band, 2 f_h, where sampling is not critical
CUTOFF = (1 - WIDTH) / 2  # f_c = 1/2 - f_h: the transition ends at Nyquist.  Critical is f_c = 1/2
PADDINGS, SHAPES = ("circular", "zeros"), ("ideal", "kaiser", "jinc")
Images = Float[Tensor, "B C _ _"]  # of any sides
KEPT = (
    SimpleNamespace()
)  # what was made once, as attributes, which torch.compile takes like weights


class Filter(NamedTuple):
    """A low-pass, and the gain of its up-sampling; `_replace` makes variants.

    shape: "ideal", which has no taps, "kaiser" (separable) or "jinc" (radial); taps to normalised:
    as `windowed_sinc` and `jinc` take them.  gain: three of four pixels are zeros before the
    filter, so 4 is right for images, and 1 divides them by 4.
    """

    shape: str
    taps: int = 12
    cutoff: float = CUTOFF
    beta: float | None = None
    normalised: bool = True
    gain: float = 4.0


FILTERS = {shape: Filter(shape) for shape in SHAPES}
FILTERS["published"] = Filter("jinc", taps=3, cutoff=0.5, beta=0.0, gain=1.0)


def named(filter: Filter | str) -> Filter:
    """A filter by its name, or as it is; ValueError where neither can be."""
    found = FILTERS.get(filter) if isinstance(filter, str) else filter
    if not isinstance(found, Filter) or found.shape not in SHAPES or not 0 < found.gain < math.inf:
        names = f"{', '.join(FILTERS)}, or a Filter of shape {', '.join(SHAPES)} and a gain above 0"
        raise ValueError(f"there is no filter {filter!r}; use one of {names}")
    return found


def check(n: int, padding: str) -> None:
    """Say in one sentence what is wrong with a side or with the padding."""
    if n < 1:
        raise ValueError(f"a side of {n} pixels cannot be resampled; it takes at least 1")
    if padding not in PADDINGS:
        raise ValueError(f"padding is {padding!r}, expected one of {', '.join(PADDINGS)}")


def ideal(n: int, padding: str = "circular", nyquist: float = 0.5) -> Float[Tensor, "m n"]:
    """U (2n, n) of the ideal low-pass, float64: every wave that the coarse grid holds, drawn finer.

    "circular": Fourier interpolation.  "zeros": that of the image and its mirror image beside it.
    nyquist: the weight of each of the frequencies 1/2 and -1/2, one wave on a circular grid of even
    n.  1/2 interpolates; `down` has 0, as that wave lost its phase and cannot follow small shifts.
    Raises: ValueError for n below 1, and another padding.
    """
    check(n, padding)
    if padding == "zeros":
        U = ideal(2 * n)[: 2 * n]
        return U[:, :n] + U[:, n:].flip(1)
    count = torch.arange(2 * n, dtype=torch.float64, device="cpu")
    k, coarse, fine = count[: n // 2 + 1], count[:n], (count - 0.5) / 2
    # Each wave but the constant counts twice.  Angles are reduced to one turn while they are exact.
    worth = torch.full_like(k, 2 / n)
    worth[2 * k == n] = 2 * nyquist / n
    worth[0] = 1 / n
    a, b = (torch.remainder(x[:, None] * k, n) * 2 * math.pi / n for x in (fine, coarse))
    return (a.cos() * worth) @ b.cos().T + (a.sin() * worth) @ b.sin().T


def kaiser_beta(taps: int, width: float = WIDTH) -> float:
    """beta of the Kaiser window for a transition band of this width, in cycles per coarse pixel.

    The wider the band, the more is attenuated beyond it: A = 2.285 (taps - 1) pi width + 7.95 dB.
    Source: Kaiser 1974; Oppenheim & Schafer, Discrete-Time Signal Processing, section 7.5.3.
    """
    A = 2.285 * (taps - 1) * math.pi * width + 7.95
    above = max(0.0, A - 21)
    return 0.1102 * (A - 8.7) if A > 50 else 0.5842 * above**0.4 + 0.07886 * above


def window(taps: int, cutoff: float, beta: float | None) -> tuple[Tensor, Tensor]:
    """Where taps lie, in fine pixels off the centre; there, I0(beta sqrt(1 - x^2)) / I0(beta)."""
    beta = kaiser_beta(taps) if beta is None else beta
    if taps < 2 or not 0 < cutoff <= 1 or not 0 <= beta < 700:
        right = "at least 2 taps, a cutoff above 0 and up to 1, and a beta from 0 to 700"
        raise ValueError(f"{taps=}, {cutoff=}, {beta=} make no low-pass; use {right}")
    at = torch.arange(taps, dtype=torch.float64, device="cpu") - (taps - 1) / 2
    inside = beta * (1 - (2 * at / (taps - 1)) ** 2).clamp(min=0).sqrt()
    return at, torch.special.i0(inside) / torch.special.i0(torch.full_like(at, beta))


def windowed_sinc(
    taps: int = 12, cutoff: float = CUTOFF, beta: float | None = None, normalised: bool = True
) -> Float[Tensor, "taps"]:
    """A low-pass for the fine grid, float64: f_c sinc(f_c d) times a Kaiser window.

    beta: None for StyleGAN3's, `kaiser_beta(taps)`.  normalised: the taps have the sum 1.
    Raises: ValueError for fewer than 2 taps, a cutoff outside (0, 1], and a beta below 0.
    """
    at, weight = window(taps, cutoff, beta)
    h = cutoff * torch.sinc(cutoff * at) * weight
    return h / h.sum() if normalised else h


def matrix(h: Float[Tensor, "taps"], n: int, padding: str = "circular") -> Float[Tensor, "m n"]:
    """U (2n, n) of a symmetric low-pass h of even length: U[m, j] = 2 h[m - 2j + taps/2 - 1].

    Both kinds of fine pixels get half of the sum of h, which is 1: constants stay constants.
    Raises: ValueError for n below 1, another padding, and an odd number of taps.
    """
    check(n, padding)
    taps = len(h)
    if taps % 2:
        raise ValueError(f"{taps} taps lie half a pixel off the coarse grid; use an even number")
    # Far out come zeros; a periodic grid meets itself there, more than once where it is short.
    period = 2 * n if padding == "circular" else 2 * n + taps
    around = h.new_zeros(period).index_add_(0, torch.arange(taps, device=h.device) % period, h)
    m, j = torch.arange(2 * n, device=h.device), torch.arange(n, device=h.device)
    return 2 * around[(m[:, None] - 2 * j + taps // 2 - 1) % period]


def kaiser(n: int, padding: str = "circular", *design, **more) -> Float[Tensor, "m n"]:
    """`matrix` of a windowed sinc, of which design says how; as it is, down after up blurs."""
    return matrix(windowed_sinc(*design, **more), n, padding)


def jinc(
    taps: int = 12, cutoff: float = CUTOFF, beta: float | None = None, normalised: bool = True
) -> Float[Tensor, "taps taps"]:
    r"""A low-pass that treats all directions alike, float64; not separable.

    .. math:: K(r) = \frac{w_c J_1(w_c r)}{2 \pi r},\quad K(0) = \frac{w_c^2}{4 \pi}

    r in fine pixels, w_c = pi cutoff, times a Kaiser window along each axis; otherwise as
    `windowed_sinc`.  Source: StyleGAN3 and arXiv 2411.09174, which both filter so for rotations.
    """
    from scipy.special import j1  # torch's is exact to 5e-7 only, in float64 too

    at, weight = window(taps, cutoff, beta)
    r, w = torch.hypot(at[:, None], at), math.pi * cutoff
    K = w * torch.from_numpy(j1(w * r.numpy())) / (2 * math.pi * r)
    K = torch.where(r == 0, w**2 / (4 * math.pi), K) * torch.outer(weight, weight)
    return K / K.sum() if normalised else K


def published(beta: float = 0.0, normalised: bool = True) -> Float[Tensor, "3 3"]:
    """The kernel of arXiv 2411.09174, beta 0, 1 or 2.  It makes a checkerboard of a constant."""
    return jinc(3, 0.5, beta, normalised)


def response(h: Tensor, frequencies: Float[Tensor, "K"]) -> Tensor:
    """The response (K,) of a low-pass about its centre: complex, and real where h is symmetric.

    h: taps (t,), or a kernel (t, t), for waves along its rows.
    frequencies: in radians per fine pixel, up to pi; Nyquist of the coarse grid is pi/2.
    """
    h = h.double().sum(0) if h.ndim == 2 else h.double()
    at = torch.arange(len(h), dtype=torch.float64, device=h.device) - (len(h) - 1) / 2
    return torch.exp(-1j * frequencies.to(at)[:, None] * at) @ h.to(torch.complex128)


def along_axes(x: Images, rows: Float[Tensor, "M H"], columns: Float[Tensor, "N W"]) -> Images:
    """rows x columns^T, for every channel, in the memory format of x."""
    if x.is_contiguous() or not x.is_contiguous(memory_format=torch.channels_last):
        return F.linear(rows @ x, columns)
    # Channels last, as networks are trained on a CPU: up to three times as fast as above.
    B, C, H, W = x.shape
    y = (rows @ x.permute(0, 2, 3, 1).reshape(B, H, W * C)).reshape(B * len(rows), W, C)
    return (columns @ y).reshape(B, len(rows), len(columns), C).permute(0, 3, 1, 2)


def wrapped(x: Images, pad: int) -> Images:
    """The periodic images continued by so many pixels, also several times around."""
    if pad <= min(x.shape[-2:]):
        return F.pad(x, (pad,) * 4, mode="circular")
    rows, columns = (torch.arange(-pad, n + pad, device=x.device) % n for n in x.shape[-2:])
    return x[..., rows[:, None], columns]


def conv_down(x: Images, kernel: Float[Tensor, "t t"], padding: str) -> Images:
    """Filter every channel, padded to keep the size, and keep every second pixel."""
    pad, C = (len(kernel) - 1) // 2, x.shape[1]
    if padding == "circular":
        x, pad = wrapped(x, pad), 0
    return F.conv2d(x, kernel.expand(C, 1, -1, -1), stride=2, padding=pad, groups=C)


def conv_up(x: Images, kernel: Float[Tensor, "t t"], padding: str, gain: float = 4.0) -> Images:
    """Insert zeros, filter every channel, padded to keep the size: gain times `conv_down`^T."""
    pad, C, H, W = (len(kernel) - 1) // 2, *x.shape[1:]
    more = (pad + 1) // 2 if padding == "circular" else 0
    x = wrapped(x, more) if more else x
    # A transposed convolution inserts the zeros without computing with them.
    y = F.conv_transpose2d(x, (gain * kernel).expand(C, 1, -1, -1), stride=2, groups=C)
    first = pad + 2 * more
    return y[..., first : first + 2 * H, first : first + 2 * W]


def made(filter: Filter, way: str, n: int, padding: str) -> Tensor:
    """What a filter multiplies sides of n pixels with, on the way "up" or "down", float64."""
    shape, *design, gain = filter
    half, nyquist = (n, 0.5) if way == "up" else (n // 2, 0.0)
    check(half, padding)
    if shape == "jinc":
        return jinc(*design)
    U = ideal(half, padding, nyquist) if shape == "ideal" else kaiser(half, padding, *design)
    return math.sqrt(gain) / 2 * U if way == "up" else U.T.contiguous() / 2


@torch.compiler.assume_constant_result
def kept(filter: Filter, way: str, n: int, padding: str, *place) -> str:
    """The name in `KEPT` of what `made` gave once.  A compiled network does not even ask."""
    name = repr((filter, way, n, padding, place)).replace(".", "_")
    if not hasattr(KEPT, name):
        with torch.inference_mode(False):  # else no training could use what sampling made
            setattr(KEPT, name, made(filter, way, n, padding).to(*place))
    return name


def resampled(way: str, x: Tensor, filter: Filter | str, padding: str) -> Images:
    """`up` or `down`; ValueError for no images, an unknown filter or padding, odd sides down."""
    filter = named(filter)
    if x.ndim != 4 or not x.is_floating_point():
        got = f"{x.dtype} {tuple(x.shape)}"
        raise ValueError(f"expected floats (B, C, H, W), got {got}; to_float(images) makes them")
    sides = [operator.index(n) for n in x.shape[2:]]  # plain numbers under torch.compile, too
    if way == "down" and any(n % 2 for n in sides):
        raise ValueError(f"sides of {tuple(sides)} pixels cannot be halved; use even ones")
    place = x.device, x.dtype
    rows, columns = (getattr(KEPT, kept(filter, way, n, padding, *place)) for n in sides)
    if filter.shape != "jinc":
        return along_axes(x, rows, columns)
    return conv_up(x, rows, padding, filter.gain) if way == "up" else conv_down(x, rows, padding)


def up(x: Images, filter: Filter | str = "ideal", padding: str = "circular") -> Images:
    """Images (B, C, 2H, 2W) of images (B, C, H, W); filter: a name in `FILTERS`, or one."""
    return resampled("up", x, filter, padding)


def down(x: Images, filter: Filter | str = "ideal", padding: str = "circular") -> Images:
    """Images (B, C, H/2, W/2) of images (B, C, H, W); filter: a name in `FILTERS`, or one."""
    return resampled("down", x, filter, padding)


class Up(nn.Module):
    """`up` as a layer without parameters: UNet(up=partial(Up, "ideal")).  It fits any width."""

    def __init__(self, filter: Filter | str, width: int = 0, padding: str = "circular"):
        super().__init__()
        made(named(filter), "up", 1, padding)  # to say at once what is wrong
        self.filter, self.padding = named(filter), padding

    def forward(self, x: Images) -> Images:
        return up(x, self.filter, self.padding)


class Down(Up):
    """`down` as a layer, otherwise as `Up`: UNet(down=partial(Down, "ideal"))."""

    def forward(self, x: Images) -> Images:
        return down(x, self.filter, self.padding)


class Filtered(Up):
    """An activation at twice the size, then down: UNet(act=partial(Filtered, F.gelu, "ideal")).

    It makes waves that the grid cannot hold; the finer grid can, and they are taken away.  A square
    doubles the band and no more: with the ideal filter it commutes with shifts (Michaeli et al.
    2023).  Source: StyleGAN3.
    """

    def __init__(self, activation: Callable[[Tensor], Tensor], filter: Filter | str, **place):
        super().__init__(filter, **place)
        self.activation = activation

    def forward(self, x: Images) -> Images:
        return down(self.activation(up(x, self.filter, self.padding)), self.filter, self.padding)


class MaxDown(nn.MaxPool2d):
    """Half the size by the largest of 2x2 pixels, as the baseline A of arXiv 2411.09174."""

    def __init__(self, width: int = 0, padding: str = "zeros"):
        super().__init__(2)


class Bilinear(nn.Upsample):
    """Twice the size, as the baseline A of arXiv 2411.09174: corners stay, all else moves."""

    def __init__(self, width: int = 0, padding: str = "zeros"):
        super().__init__(scale_factor=2, mode="bilinear", align_corners=True)
