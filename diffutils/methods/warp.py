"""Thin-plate splines: a smooth bend of an image through given points, and when it folds."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from diffutils import rng
from diffutils.training import sent

CORNERS = ((-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0))
GRID = 17  # points a side at which a bend is kept from folding
LEAST = 0.1  # of an area stays there


def kernel(a: Float[Tensor, "B N 2"], b: Float[Tensor, "B K 2"]) -> Float[Tensor, "B N K"]:
    r"""The bending of a thin plate, :math:`U(r) = r^2 \log r`, between two sets of points."""
    (ax, ay), (bx, by) = (points.unbind(-1) for points in (a[:, :, None], b[:, None]))
    square = (ax - bx) ** 2 + (ay - by) ** 2
    return 0.5 * torch.xlogy(square, square)


def coefficients(
    points: Float[Tensor, "B K 2"], targets: Float[Tensor, "B K 2"]
) -> tuple[Float[Tensor, "B K 2"], Float[Tensor, "B 3 2"]]:
    r"""w_k, and a above A, of the thin-plate spline that takes points to targets.

    .. math:: f(x) = a + A x + \sum_k w_k\,U(|x - x_k|),\quad \sum_k w_k = 0,\ \sum_k w_k x_k^T = 0

    Raises: ValueError for points of which two coincide, or all lie on one line; on a GPU, which
    would have to be waited for, such a spline is not finite instead.
    Source: Bookstein 1989, "Principal warps", eq. 3 to 6.
    """
    P = torch.cat([torch.ones_like(points[..., :1]), points], 2)
    above = torch.cat([kernel(points, points), P], 2)
    below = F.pad(P.transpose(1, 2), (0, 3))
    try:
        both, values = torch.cat([above, below], 1), F.pad(targets, (0, 0, 0, 3))
        solved = torch.linalg.solve_ex(both, values, check_errors=not points.is_cuda).result
    except RuntimeError:
        raise ValueError(
            "two of the points coincide, or all lie on one line, so that no thin-plate spline is "
            "determined; move one of them"
        ) from None
    return solved[:, :-3], solved[:, -3:]


def spline(
    points: Float[Tensor, "B K 2"], targets: Float[Tensor, "B K 2"], at: Float[Tensor, "B N 2"]
) -> Float[Tensor, "B N 2"]:
    """Where the map through all points that bends least takes the points `at`; see above.

    The spline is determined in the precision of its points, and followed in that of `at`.
    """
    weights, affine = (x.to(at) for x in coefficients(points, targets))
    return affine[:, :1] + at @ affine[:, 1:] + kernel(at, points.to(at)) @ weights


def mesh(H: int, W: int) -> Float[Tensor, "H W 2"]:
    """x and y of all pixel centres; the image reaches from -1 to 1."""
    y, x = ((2 * torch.arange(n, dtype=torch.float64) + 1) / n - 1 for n in (H, W))
    return torch.stack(torch.meshgrid(x, y, indexing="xy"), -1)


def warp(
    images: Float[Tensor, "B C H W"],
    points: Float[Tensor, "B K 2"],
    targets: Float[Tensor, "B K 2"],
    angle: Float[Tensor, "B"] | None = None,
    fill: float = -1.0,
) -> Float[Tensor, "B C H W"]:
    """Images bent so that what was at the targets is at the points; bicubic, clipped to [-1, 1].

    points, targets: (x, y), the image from -1 to 1.  angle: also turned around its centre by so
    many radians, counter-clockwise as seen.  fill: the colour that comes in from outside; -1,
    black, as published.
    Raises: as `spline`.
    """
    B, _, H, W = images.shape
    at = sent(mesh(H, W), images.device).view(1, -1, 2).expand(B, -1, -1)
    if angle is not None:
        c, s = angle.double().cos(), angle.double().sin()
        turn = torch.stack([torch.stack([c, -s], -1), torch.stack([s, c], -1)], -2)
        at = at @ turn.to(at).transpose(1, 2)
    # To a ten-thousandth of a pixel single precision is enough, and twice as fast.
    at = spline(points.double(), targets.double(), at.to(images.dtype)).view(B, H, W, 2)
    moved = F.grid_sample(images - fill, at, mode="bicubic", align_corners=False)
    return (moved + fill).clamp(-1, 1)


def with_corners(inner: Float[Tensor, "B K 2"]) -> Float[Tensor, "B K4 2"]:
    """Points inside, and the four corners."""
    corners = sent(inner.new_tensor(CORNERS, device="cpu"), inner.device)
    return torch.cat([corners.expand(len(inner), -1, -1), inner], 1)


def published_controls(
    seed: int, step: int, index: Int[Tensor, "B"]
) -> tuple[Float[Tensor, "B 6 2"], Float[Tensor, "B 6 2"]]:
    """Points and targets as SSIMBaD draws them: corners stay, two points slide along the diagonal.

    What was at (p, p), p from 0.3 to 0.7 of the side in hundredths, comes to (p + r, p + r), r from
    -0.25 to 0.25.  Draws whose points coincide, moved or not, are replaced by the next draw.
    """
    u = rng.uniform(seed, step, index, 64, rng.AUGMENT)[:, 8:].double().view(len(index), -1, 4)
    p = ((0.3 + 0.4 * u[..., :2]) * 100).round() / 100
    r = 0.5 * u[..., 2:] - 0.25
    apart = ((p[..., 0] - p[..., 1]).abs() > 1e-6) & (
        ((p + r)[..., 0] - (p + r)[..., 1]).abs() > 1e-6
    )
    first = apart.double().argmax(1)[:, None, None].expand(-1, 1, 2)
    p, r = p.gather(1, first)[:, 0], r.gather(1, first)[:, 0]
    points, targets = ((2 * x - 1)[..., None].expand(-1, -1, 2) for x in (p + r, p))
    return with_corners(points), with_corners(targets)


def safe_controls(
    seed: int, step: int, index: Int[Tensor, "B"], most: float = 0.35
) -> tuple[Float[Tensor, "B 7 2"], Float[Tensor, "B 7 2"]]:
    r"""Points and targets of a bend that never folds: corners stay, three points move anywhere.

    most: by how much at most, half a side being 1.  A spline is linear in its targets, so a bend
    made s times as strong has the Jacobian I + s G, and :math:`1 + s\,\mathrm{tr}\,G + s^2 \det G`
    says how areas grow.  Each bend is weakened to the s that leaves every area `LEAST` of itself.
    """
    u = rng.uniform(seed, step, index, 24, rng.AUGMENT)[:, 8:20].double()
    home = u.new_tensor([[-0.4, -0.3], [0.4, -0.3], [0.0, 0.45]], device="cpu")
    home = sent(home, u.device)
    points = with_corners(home + 0.3 * (2 * u[:, :6].view(-1, 3, 2) - 1))
    move = F.pad(most * (2 * u[:, 6:].view(-1, 3, 2) - 1), (0, 0, len(CORNERS), 0))
    G = slopes(points, points + move, GRID) - torch.eye(2, dtype=move.dtype, device=move.device)
    trace, det = G.diagonal(dim1=-2, dim2=-1).sum(-1), torch.linalg.det(G)
    # The smallest s > 0 at which an area is LEAST, where there is one.
    root = (trace**2 - 4 * det * (1 - LEAST)).clamp(min=0).sqrt() - trace
    s = torch.where(root > 0, 2 * (1 - LEAST) / root, torch.inf)
    s = s.masked_fill(trace**2 < 4 * det * (1 - LEAST), torch.inf)
    return points, points + s.amin(1).clamp(max=1)[:, None, None] * move


def folds(points: Float[Tensor, "B K 2"], targets: Float[Tensor, "B K 2"]) -> Bool[Tensor, "B"]:
    """Whether the bend turns a part of the image over: its Jacobian's determinant is not positive.

    Looked for at 33 x 33 points, by the spline's own derivative.
    """
    return (torch.linalg.det(slopes(points, targets, 33)) <= 0).any(1)


def slopes(
    points: Float[Tensor, "B K 2"], targets: Float[Tensor, "B K 2"], side: int
) -> Float[Tensor, "B N 2 2"]:
    r"""The spline's Jacobian at side x side points of the image.

    The gradient of U is :math:`(\log r^2 + 1)(x - x_k)`, and 0 at the point itself.
    """
    weights, affine = coefficients(points, targets)
    line = torch.linspace(-1, 1, side, dtype=points.dtype, device=points.device)
    at = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).view(1, -1, 1, 2)
    away = at - points[:, None]
    square = away.square().sum(-1, keepdim=True)
    slope = torch.where(square > 0, (square.clamp(min=1e-300).log() + 1) * away, 0.0)
    return affine[:, None, 1:] + slope.transpose(-1, -2) @ weights[:, None]
