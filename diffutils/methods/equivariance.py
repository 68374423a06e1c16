"""Equivariance in decibels: images moved by any amount, and f(T x) against T f(x).

Moves are Fourier shifts.  A translation is a phase ramp; a rotation is three shears, each of which
shifts every row or column by its own amount (Unser, Thevenaz & Yaroslavsky 1995).  The measures are
those of StyleGAN3 (Karras et al. 2021, arXiv 2106.12423, appendix E): EQ-T for translations, EQ-R
for rotations.

A rotation on a square grid is not exact, so three things belong to every number.  Inputs hold no
frequency that a rotation aliases and fade out before the border, where a rotated image has no
neighbours: band_limited(noise) * disc(side, fade=8).  Only pixels of a disc are compared.  And
`floor_r` (`floor_t`) says what the operator alone reaches on the same inputs.
"""

import math
from collections.abc import Callable, Iterable

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from diffutils.denoisers import Denoise
from diffutils.training import sent

Number = float | int
Degrees = Tensor | float | int
Shift = tuple[Number, Number]
Images = Float[Tensor, "B C H W"]
Mask = Tensor | None  # (H, W), 0 to 1
Move = Callable[[Tensor], Tensor]
Measure = Callable[[Tensor, Tensor, Mask], float]  # snr or psnr2

PLANE = (-2, -1)
NOT_SQUARE = "only square images turn on their grid, got {} x {}; pad or crop them to a square"
BETWEEN = 0.37  # of a pixel, or of 100 degrees: a second move that falls on no pixel

# ------------------------------------------------------------------- moves


def shifted_rows(x: Images, pixels: Float[Tensor, "b H"]) -> Images:
    """Every row shifted circularly to the right by its own number of pixels, by a phase ramp.

    pixels: (B, H), or (1, H) for all images.  A row of even length keeps of its Nyquist frequency
    the part cos(pi pixels), all that a real row can hold of a shifted one.
    """
    frequency = torch.fft.rfftfreq(x.shape[-1], dtype=x.dtype, device=x.device)
    ramp = torch.exp(-2j * math.pi * frequency * pixels.to(x)[:, None, :, None])
    return torch.fft.irfft(torch.fft.rfft(x) * ramp, n=x.shape[-1])


def translated(x: Images, dy: Number, dx: Number) -> Images:
    """Images shifted circularly by dy pixels down and dx to the right, as `torch.roll` counts.

    Whole pixels are rolled exactly; the rest is the trigonometric interpolation of the rows and
    columns.  The dtype stays; half precision is computed in single.

    Raises: ValueError for a shift that is not finite.
    """
    if not (math.isfinite(dy) and math.isfinite(dx)):
        raise ValueError(f"a shift must be a finite number of pixels, got {dy} and {dx}")
    whole = round(dy), round(dx)
    moved = x.roll(whole, PLANE).to(torch.promote_types(x.dtype, torch.float32))
    if dy != whole[0]:
        rest = moved.new_full((1, x.shape[-1]), dy - whole[0])
        moved = shifted_rows(moved.mT, rest).mT
    if dx != whole[1]:
        moved = shifted_rows(moved, moved.new_full((1, x.shape[-2]), dx - whole[1]))
    return moved.to(x.dtype)


def quarter_turned(x: Images, degrees: Degrees) -> tuple[Images, Float[Tensor, "B"]]:
    """Images turned by the nearest quarter turns, exactly, and the degrees left: -45 to 45.

    degrees: one number, or (B,).  What is left is float64 on the CPU.
    Raises: ValueError for images that are not square, and for other shapes or infinite degrees.
    """
    if x.shape[-1] != x.shape[-2]:
        raise ValueError(NOT_SQUARE.format(*x.shape[-2:]))
    degrees = torch.as_tensor(degrees).cpu().double()
    if degrees.shape not in ((), x.shape[:1]) or not bool(degrees.isfinite().all()):
        raise ValueError(
            f"degrees must be one finite number or one for each of the {len(x)} images, got "
            f"{degrees.tolist()}"
        )
    degrees = degrees.expand(len(x))
    quarters = (degrees / 90).round()
    turns = torch.stack([torch.rot90(x, k, PLANE) for k in range(4)])
    index = sent(quarters.long() % 4, x.device)
    return turns[index, torch.arange(len(x), device=x.device)], degrees - 90 * quarters


def rotated(x: Images, degrees: Degrees) -> Images:
    """Images turned about their centre ((H-1)/2, (W-1)/2), counter-clockwise as seen.

    degrees: one number, or (B,), of any size; the sign is that of `torch.rot90` and
    scipy.ndimage.rotate.  Quarter turns are exact; the rest, within 45 degrees, is three shears
    along rows, columns and rows, by tan(a/2), -sin(a) and tan(a/2) pixels a pixel.

    Border pixels are first repeated outwards by a quarter of the side.  No pixel of the result then
    comes around from the opposite border, what turns in at the corners continues the image, and
    there is no jump that would ring.  Frequencies above cos(22.5 degrees) = 0.92 of Nyquist alias.

    Raises: as `quarter_turned`.  Source: Unser et al. 1995; Larkin, Oldfield & Klemm 1997.
    """
    turned, rest = quarter_turned(x, degrees)
    if not bool(rest.any()):
        return turned
    # Continue the images; tan(22.5 degrees)/2 of the side is as far as the shears reach.
    pad = -(-x.shape[-1] // 4)
    wide = turned.to(torch.promote_types(x.dtype, torch.float32))
    wide = F.pad(wide, (pad,) * 4, mode="replicate")
    # Shear along rows, columns and rows.
    angle = rest.deg2rad()[:, None]
    r = centred(wide.shape[-1])
    along, across = (sent(v * r, x.device) for v in ((angle / 2).tan(), -angle.sin()))
    wide = shifted_rows(wide, along)
    wide = shifted_rows(wide.mT, across).mT
    wide = shifted_rows(wide, along)
    # Cut out the images; those that needed no shear stay exact.
    inner = wide[..., pad:-pad, pad:-pad].to(x.dtype)
    return torch.where(sent(rest == 0, x.device)[:, None, None, None], turned, inner)


def centred(side: int) -> Float[Tensor, "side"]:
    """Where the pixels of a line lie, in pixels from its middle (float64)."""
    return torch.arange(side, dtype=torch.float64) - (side - 1) / 2


# ------------------------------------------------------------------- what can be compared


def disc(side: int, margin: Number = 0, fade: Number = 0) -> Float[Tensor, "side side"]:
    """1 at the pixels whose circle about the centre stays inside the image, elsewhere 0.

    margin: by how many pixels the disc is smaller.  fade: over how many pixels it rises from 0 at
    its edge to 1, along a cosine; with it the disc is a window for inputs, without it a mask.

    Raises: ValueError for a negative margin or fade, or where no pixel is left.
    """
    distance = torch.hypot(centred(side)[:, None], centred(side))
    inside = (side - 1) / 2 - margin - distance
    if margin < 0 or fade < 0 or not bool((inside > 0).any()):
        raise ValueError(
            f"a disc in {side} pixels needs a margin from 0 to below half of them and a fade of at "
            f"least 0, got {margin} and {fade}"
        )
    if fade == 0:
        return (inside >= 0).float()
    return (0.5 - 0.5 * torch.cos(math.pi * (inside / fade).clamp(0, 1))).float()


def band_limited(x: Images, radius: Number = 0.75) -> Images:
    """Images with the frequencies |f| < radius times Nyquist only, in every direction alike.

    radius: above 0; 1 is the largest disc in the square of frequencies.  Rotation by shears aliases
    above 0.92; the default leaves room for the frequencies that a window (`disc`) adds.

    Raises: ValueError for a radius that is not above 0.
    """
    if not radius > 0:
        raise ValueError(
            f"the radius of the band must be above 0, in units of Nyquist; got {radius}"
        )
    down, right = (torch.fft.fftfreq(n, dtype=torch.float64) for n in x.shape[-2:])
    kept = sent(torch.hypot(down[:, None], right) < radius / 2, x.device)
    work = x.to(torch.promote_types(x.dtype, torch.float32))
    return torch.fft.ifft2(torch.fft.fft2(work) * kept).real.to(x.dtype)


# ------------------------------------------------------------------- decibels


def means(a: Tensor, b: Tensor, mask: Mask) -> tuple[float, float]:
    """Means over the mask of (a - b)^2 and of b^2: one sum over all samples, in float64."""
    if a.shape != b.shape:
        raise ValueError(
            f"two results must have one shape to be compared, got {tuple(a.shape)} and "
            f"{tuple(b.shape)}"
        )
    weight = (torch.ones(b.shape[-2:]) if mask is None else mask).cpu().double()
    if weight.shape != b.shape[-2:] or not bool((weight >= 0).all() and weight.sum() > 0):
        raise ValueError(
            f"the mask must have the {tuple(b.shape[-2:])} pixels of the results, not below 0 and "
            f"not all 0; got {tuple(weight.shape)} with a sum of {float(weight.sum()):g}"
        )
    a, b, weight = a.cpu().double(), b.cpu().double(), weight.expand_as(b)
    error, power = (float((weight * v.square()).sum() / weight.sum()) for v in (a - b, b))
    return error, power


def decibels(power: float, error: float) -> float:
    """10 log10(power / error); no error at all is infinitely good."""
    if error == 0:
        return math.inf
    return 10 * math.log10(power / error) if power != 0 else -math.inf


def snr(a: Images, b: Tensor, mask: Mask = None) -> float:
    """How well a agrees with b, in dB of b's own power: for layers and networks.

    10 log10(sum m b^2 / sum m (a - b)^2): one ratio for all samples and channels, both sums over
    the mask.  b's mean counts as signal.  Never put it in one column with `psnr2`.

    Raises: ValueError for results of two shapes, or a mask of another shape or without a pixel.
    """
    error, power = means(a, b, mask)
    return decibels(power, error)


def psnr2(a: Images, b: Tensor, mask: Mask = None) -> float:
    """How well a agrees with b, in dB of a peak of 2: for images in [-1, 1], as in StyleGAN3.

    10 log10(2^2 / (sum m (a - b)^2 / sum m)): one mean for all samples and channels.
    Raises: as `snr`.
    """
    error, _ = means(a, b, mask)
    return decibels(4.0, error)


# ------------------------------------------------------------------- equivariance


@torch.no_grad()
def eq_t(
    f: Move, x: Images, shifts: Iterable[Shift], mask: Mask = None, measure: Measure = snr
) -> float:
    """EQ-T in dB: f(T x) against T f(x) for circular shifts T, pooled over all of them.

    f: images (B, C, H, W) to images, e.g. lambda x: D(x, sigma).  Where it changes their size, T
    shifts its results by as much more or less.  shifts: pairs (dy, dx) in pixels of x, whole or
    not.  mask: of f's results, where they may be compared; None: everywhere, as fits a network
    whose borders are circular.  measure: `snr` or `psnr2`.

    Raises: ValueError without a shift, and as `translated` and `snr`.
    """
    y = f(x)
    down, right = y.shape[-2] / x.shape[-2], y.shape[-1] / x.shape[-1]
    pairs = [(f(translated(x, v, h)), translated(y, v * down, h * right)) for v, h in shifts]
    return pooled(pairs, mask, measure)


@torch.no_grad()
def eq_r(
    f: Move, x: Images, degrees: Iterable[Number], mask: Mask = None, measure: Measure = snr
) -> float:
    """EQ-R in dB: f(R x) against R f(x) for rotations R, pooled over all of them.

    f, measure: as in `eq_t`.  degrees: angles; quarter turns are exact.  mask: of f's results;
    None: their `disc`.  StyleGAN3 low-passes what it rotates; here x must hold nothing that
    aliases (`band_limited`), and f's own high frequencies count as errors: to leave them out, give
    lambda x: band_limited(f(x)).

    Raises: ValueError without an angle, and as `rotated` and `snr`.
    """
    y = f(x)
    mask = disc(y.shape[-1]) if mask is None else mask
    return pooled([(f(rotated(x, a)), rotated(y, a)) for a in degrees], mask, measure)


@torch.no_grad()
def floor_t(x: Images, shifts: Iterable[Shift], mask: Mask = None, measure: Measure = snr) -> float:
    """What `eq_t` can tell at most on these inputs: of f = a shift by 0.37 pixels, which commutes.

    f(T x) is two shifts, T f(x) is one by their sum; they differ by errors of the operator alone.
    An EQ-T within a few dB of it says nothing more about a network.
    """
    b = BETWEEN
    pairs = [
        (translated(translated(x, *s), b, b), translated(x, s[0] + b, s[1] + b)) for s in shifts
    ]
    return pooled(pairs, mask, measure)


@torch.no_grad()
def floor_r(
    x: Images, degrees: Iterable[Number], mask: Mask = None, measure: Measure = snr
) -> float:
    """What `eq_r` can tell at most on these inputs: of f = a turn by 37 degrees, which commutes.

    f(R x) is two turns, R f(x) is one by their sum; else as `floor_t`.
    """
    b = 100 * BETWEEN
    mask = disc(x.shape[-1]) if mask is None else mask
    return pooled([(rotated(rotated(x, a), b), rotated(x, a + b)) for a in degrees], mask, measure)


def pooled(pairs: list[tuple[Tensor, Tensor]], mask: Mask, measure: Measure) -> float:
    """The measure over all pairs together: one logarithm, of sums."""
    if not pairs:
        raise ValueError("equivariance needs at least one shift or angle, got none")
    return measure(*(torch.cat(results) for results in zip(*pairs, strict=True)), mask)


# ------------------------------------------------------------------- exact at quarter turns


def c4_averaged(denoise: Denoise) -> Denoise:
    """The average of R^-k D(R^k x) over the four quarter turns: exactly equivariant to them.

    Four calls of the network instead of one.  Whatever else D is given goes along; images among
    it, (B, K, H, W) like `cond`, are turned with x.
    Raises: ValueError, when it is used, for images that are not square.
    Source: Lu, Szabados & Yu 2024 (arXiv 2402.19369), frame averaging.
    """

    def turned(value, k: int):
        image = isinstance(value, Tensor) and value.ndim == 4
        return torch.rot90(value, k, PLANE) if image else value

    def denoise_c4(x: Tensor, sigma: Tensor | float, *args, **kw) -> Tensor:
        if x.shape[-1] != x.shape[-2]:
            raise ValueError(NOT_SQUARE.format(*x.shape[-2:]))
        answers = []
        for k in range(4):
            beside = [turned(v, k) for v in args]
            named = {name: turned(v, k) for name, v in kw.items()}
            answers.append(turned(denoise(turned(x, k), sigma, *beside, **named), -k))
        return torch.stack(answers).mean(0)

    return denoise_c4
