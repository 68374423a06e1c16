"""Samples that turn while they form: rotations of a chain's state, of its estimate, of its noise.

The published sampler turns the state a little after every step (arXiv 2411.09174, "Config E").  Its
rotation is a cubic spline, which blurs: many of them take away the noise that the network expects.
Noise is turned without blur by moving it (`rotated_noise`): once, before the chain begins.
Angles are in degrees, counter-clockwise as seen, as in `equivariance`.
"""

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from diffutils.methods.equivariance import Degrees, Images, centred, disc, quarter_turned, rotated
from diffutils.samplers import Step
from diffutils.training import sent

PATCH = 5  # pixels a side, of which `whiteness` takes the covariance
COARSE, FINE = 5.0, 1.0  # degrees between the candidates of `registered_angle`


def spline_rotated(x: Images, degrees: Degrees) -> Images:
    """Images turned as in the published sampler: cubic splines on a torus, on the CPU.

    scipy.ndimage.rotate(order=3, reshape=False, mode="grid-wrap") of every image; degrees: one
    number, or (B,).  dtype and device stay, gradients do not.

    Raises: ValueError for degrees of another shape, or infinite ones.
    """
    from scipy.ndimage import rotate

    degrees = torch.as_tensor(degrees).cpu()
    if degrees.shape not in ((), x.shape[:1]) or not bool(degrees.isfinite().all()):
        raise ValueError(
            f"degrees must be one finite number or one for each of the {len(x)} images, got "
            f"{degrees.tolist()}"
        )
    images = x.detach().cpu().to(torch.promote_types(x.dtype, torch.float32)).numpy()
    turned = [
        torch.from_numpy(rotate(image, a, (1, 2), reshape=False, order=3, mode="grid-wrap"))
        for image, a in zip(images, degrees.expand(len(x)).tolist(), strict=True)
    ]
    return torch.stack(turned).to(x)


# ------------------------------------------------------------------- noise, turned by moving it


def summed(cells: Images, k: int) -> Float[Tensor, "B C h w"]:
    """Sums of k x k cells, divided by k: of white noise white noise again, on the coarser grid."""
    return k * F.avg_pool2d(cells, k)


def subcells(z: Images, fresh: Tensor, k: int = 2) -> Float[Tensor, "B C kH kW"]:
    """White noise on a grid k times as fine, (B, C, kH, kW), of which z holds the sums.

    fresh: w ~ N(0, 1) of the cells.  A cell is z/k + (w - the mean of w in its pixel): its variance
    is 1/k^2 + (1 - 1/k^2) = 1, and its covariance with another of its pixel 1/k^2 - 1/k^2 = 0.
    `summed` gives z back.

    Raises: ValueError for fresh noise of another shape.
    Source: Chang et al. 2024 (arXiv 2504.03072), integral noise.
    """
    finer = (*z.shape[:2], k * z.shape[2], k * z.shape[3])
    if k < 1 or fresh.shape != finer:
        raise ValueError(
            f"{k} x {k} cells a pixel need fresh noise of shape {finer}, got {tuple(fresh.shape)}"
        )
    shared = z / k - summed(fresh, k) / k
    return shared.repeat_interleave(k, -2).repeat_interleave(k, -1) + fresh


def rolled_rows(x: Images, pixels: Int[Tensor, "B H"]) -> Images:
    """Every row shifted circularly to the right by its own whole number of pixels."""
    side = x.shape[-1]
    source = (torch.arange(side, device=x.device) - sent(pixels, x.device)[..., None]) % side
    return x.gather(-1, source[:, None].expand(x.shape))


def integer_sheared(cells: Images, degrees: Degrees) -> Images:
    """Cells turned by about so many degrees, each moved whole: a permutation, so no law changes.

    Quarter turns, then the three shears of `equivariance.rotated` rounded to whole cells.  They are
    circular: at the corners comes in what left elsewhere.
    Raises: ValueError as `equivariance.quarter_turned`.
    """
    cells, rest = quarter_turned(cells, degrees)
    angle, r = rest.deg2rad()[:, None], centred(cells.shape[-1])
    along = ((angle / 2).tan() * r).round().long()
    across = (-angle.sin() * r).round().long()
    cells = rolled_rows(cells, along)
    cells = rolled_rows(cells.mT, across).mT
    return rolled_rows(cells, along)


def rotated_noise(z: Images, degrees: Degrees, fresh: Tensor, k: int = 2) -> Images:
    """White noise turned by any angle: it stays exactly white, and turns what a chain makes of it.

    z (B, C, H, W) is split into `subcells`, these are turned by `integer_sheared`, and summed.
    degrees: one number, or (B,), in all; quarter turns are exact.  fresh: (B, C, kH, kW), e.g.
    rng.normal(seed, step, index, (C, kH, kW)).  Turn the noise that was drawn, once: fresh noise
    comes in each time, and a turn of a turn has less of z.

    Raises: ValueError as `subcells` and `equivariance.quarter_turned`.
    """
    turned = summed(integer_sheared(subcells(z, fresh, k), degrees), k)
    quarter, rest = quarter_turned(z, degrees)
    return torch.where(sent(rest == 0, z.device)[:, None, None, None], quarter, turned)


class Whiteness(NamedTuple):
    """How white noise is: three numbers that are 1 for white noise of variance 1."""

    std: float
    least: float  # eigenvalue of the covariance of PATCH x PATCH pixels
    most: float


def whiteness(z: Images) -> Whiteness:
    """std of noise, and the range of eigenvalues of the covariance of its 5 x 5 patches.

    The covariance is a mean over all patches, channels and images.  N(0, 1) needs some 400 images
    of 32 x 32 pixels for eigenvalues within 3 % of 1.

    Raises: ValueError for images below 5 pixels a side.
    """
    if min(z.shape[-2:]) < PATCH:
        raise ValueError(
            f"whiteness looks at {PATCH} x {PATCH} pixels, more than the {tuple(z.shape[-2:])} here"
        )
    total, count = torch.zeros(PATCH**2, PATCH**2, dtype=torch.float64), 0
    z = z.cpu().double()
    z = z - z.mean()
    for images in z.split(64):  # patches are 25 times as large as their images
        patches = images.unfold(2, PATCH, 1).unfold(3, PATCH, 1).reshape(-1, PATCH**2)
        total, count = total + patches.T @ patches, count + len(patches)
    eigenvalues = torch.linalg.eigvalsh(total / count)
    return Whiteness(float(z.std()), float(eigenvalues[0]), float(eigenvalues[-1]))


# ------------------------------------------------------------------- chains that turn


def turning(
    total_degrees: Degrees,
    sigmas: Float[Tensor, "levels"],
    rotate: Callable[[Tensor, Degrees], Tensor] = spline_rotated,
    below: float | int = math.inf,
    estimate: bool = False,
) -> Callable[[Step], Tensor]:
    r"""An `after_step` for `samplers.trajectory` that turns samples while they form.

    total_degrees: of the whole chain, one number or (B,); the steps that turn share it equally.
    sigmas: the levels of the chain, as `trajectory` gets them.  rotate(x, degrees): as published
    `spline_rotated`, or `equivariance.rotated`.  below: only steps that begin at this level or a
    lower one turn; infinite: all of them, as published.  At level 1 abar = 0.5.

    estimate=False turns the state, noise and all, as published.  There the state is
    x_t = x / sqrt(1 + sigma^2); a rotation is linear, so turning one turns the other.
    estimate=True turns the estimate alone.  A step is x_next = D + e, where e is all the noise that
    is left, old and fresh; it becomes

    .. math:: R D + e = x_{next} + R D - D

    Raises: ValueError where no step begins at `below` or lower.
    Source: arXiv 2411.09174, Config E: below infinite, the state, by splines.
    """
    late = (sigmas[:-1] <= below).tolist()
    if not any(late):
        raise ValueError(
            f"no step begins at a level of {below} or lower, the last one begins at "
            f"{float(sigmas[-2]):.4g}; raise below, or take more steps"
        )
    each = total_degrees / sum(late)

    def after_step(step: Step) -> Tensor:
        if not late[step.k]:
            return step.x_next
        if estimate:
            return step.x_next + rotate(step.D, each) - step.D
        return rotate(step.x_next, each)

    return after_step


# ------------------------------------------------------------------- the angle that was reached


def correlation(a: Images, b: Images, mask: Float[Tensor, "H W"]) -> Float[Tensor, "B"]:
    """Correlation of each image with its counterpart, weighted by the mask, between -1 and 1.

    nan where an image is flat inside the mask, up to rounding.
    """
    weight = mask.to(a).expand_as(a) / (mask.sum() * a.shape[1])

    def mean(v: Tensor) -> Tensor:
        return (weight * v).sum((1, 2, 3), True)

    (a, of_a), (b, of_b) = ((v - mean(v), mean(v * v)) for v in (a, b))
    aa, bb = mean(a * a), mean(b * b)
    flat = (aa <= 1e-12 * of_a) | (bb <= 1e-12 * of_b)
    return (mean(a * b) / (aa * bb).sqrt()).masked_fill(flat, math.nan).flatten()


def registered_angle(
    a: Images,
    b: Tensor,
    mask: Float[Tensor, "H W"] | None = None,
    candidates: Float[Tensor, "K"] | None = None,
) -> Float[Tensor, "B"]:
    """The degrees by which each image of a must be turned to match b best: (B,), in (-180, 180].

    Best is the highest correlation inside the mask, of a `equivariance.rotated`: first of all
    candidates, then of whole degrees around the best of them, then at the peak of the parabola
    through the best degree and its neighbours.  mask: None for the `disc`.  candidates: None for
    every 5 degrees of the circle; others at most 5 apart, for a part of it, where an image such as
    an 8 looks the same upside down.  The result is float64 on the CPU, and nan for images that are
    flat inside the mask.

    Raises: ValueError for images of different shapes.
    """
    if a.shape != b.shape:
        raise ValueError(
            f"images can be registered with images of their own shape only, got {tuple(a.shape)} "
            f"and {tuple(b.shape)}"
        )
    mask = disc(a.shape[-1]) if mask is None else mask
    a, b = a.cpu().double(), b.cpu().double()

    def matches(degrees: Tensor) -> Tensor:
        return torch.stack([correlation(rotated(a, d), b, mask) for d in degrees])

    # The best of the candidates, then whole degrees around it.
    coarse = torch.arange(-180 + COARSE, 180 + COARSE, COARSE) if candidates is None else candidates
    coarse = coarse.cpu().double()
    best = coarse[matches(coarse).nan_to_num(-1).argmax(0)]
    near = torch.arange(-COARSE, COARSE + FINE, FINE, dtype=torch.float64)
    found = matches(best + near[:, None])
    # The peak of the parabola through the best degree and its neighbours.
    i = found.nan_to_num(-1).argmax(0).clamp(1, len(near) - 2)
    low, top, high = (found.gather(0, (i + step)[None])[0] for step in (-1, 0, 1))
    bend = low - 2 * top + high
    peak = torch.where(bend < 0, (low - high) / (2 * bend).clamp(max=-1e-300), 0 * bend)
    angle = best + near[i] + FINE * peak.clamp(-1, 1)
    return 180 - (180 - angle) % 360
