"""Sketches by difference of Gaussians (XDoG), and a change of colours that stops copying."""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from diffutils import rng

LUMA = (0.299, 0.587, 0.114)  # grey of red, green and blue (ITU-R BT.601), as Pillow's mode L
WIDTHS = (0.3, 0.4, 0.5)  # pixels: SSIMBaD draws the sigma of each sketch from these
TRUNCATE = 4.0  # standard deviations at which the Gaussian ends, as SciPy's


def luma(images: Float[Tensor, "B C H W"]) -> Float[Tensor, "B 1 H W"]:
    """The grey of RGB images; grey ones as they are.  Raises: ValueError for other channels."""
    if images.shape[1] not in (1, 3):
        raise ValueError(f"a sketch is made of grey or RGB images, got {images.shape[1]} channels")
    weights = images.new_tensor(LUMA if images.shape[1] == 3 else (1.0,))
    return (images * weights.view(1, -1, 1, 1)).sum(1, keepdim=True)


def blurred(
    grey: Float[Tensor, "B 1 H W"], sigma: Float[Tensor, "B"], radius: int
) -> Float[Tensor, "B 1 H W"]:
    """Each image under a Gaussian of its own sigma (pixels), mirrored at the border."""
    x = torch.arange(-radius, radius + 1, dtype=grey.dtype, device=grey.device)
    width = sigma.to(grey)[:, None]
    weights = (-(x**2) / (2 * width**2)).exp()
    # Every image ends its Gaussian where SciPy would.
    weights = weights * (x.abs() <= (TRUNCATE * width + 0.5).floor())
    weights = weights / weights.sum(1, keepdim=True)
    B = len(grey)
    image = grey.transpose(0, 1)  # one image, B channels: a kernel of its own for each
    for kernel, sides in ((weights.view(B, 1, 1, -1), (1, 0)), (weights.view(B, 1, -1, 1), (0, 1))):
        image = mirrored(image, radius * sides[0], radius * sides[1])
        image = F.conv2d(image, kernel, groups=B)
    return image.transpose(0, 1)


def mirrored(image: Tensor, x: int, y: int) -> Tensor:
    """Pad by so many pixels left and right, above and below; the edge pixels are repeated, too."""
    H, W = image.shape[-2:]
    columns, rows = (period(n, more, image.device) for n, more in ((W, x), (H, y)))
    return image[..., rows, :][..., columns]


def period(n: int, more: int, device) -> Int[Tensor, "m"]:
    """Indices -more .. n - 1 + more of the sequence 0 1 .. n-1 n-1 .. 1 0 0 1 .."""
    i = torch.arange(-more, n + more, device=device) % (2 * n)
    return torch.minimum(i, 2 * n - 1 - i)


def difference_of_gaussians(
    grey: Float[Tensor, "B 1 H W"], sigma: Float[Tensor, "B"], k: float = 3.5, p: float = 10.0
) -> Float[Tensor, "B 1 H W"]:
    r"""Sharpened images, :math:`S = (1 + p)\,G_\sigma * I - p\,G_{k\sigma} * I`.

    grey: I in [0, 1]; sigma: of each image, in pixels; k: how much wider the second Gaussian is; p:
    how strongly it sharpens.
    Raises: ValueError for a sigma that is not above 0, or k that is not above 1.
    Source: Winnemoeller, Kyprianidis & Olsen 2012, "XDoG", eq. 7.
    """
    if not (bool((sigma > 0).all()) and sigma.isfinite().all()):
        raise ValueError(f"sigma must be above 0, got {float(sigma.min()):g}")
    if not 1 < k < math.inf:
        raise ValueError(f"k must be above 1, got {k:g}: the second Gaussian is the wider one")
    radius = int(TRUNCATE * float(sigma.max()) * k + 0.5)
    return (1 + p) * blurred(grey, sigma, radius) - p * blurred(grey, k * sigma, radius)


def xdog(
    images: Float[Tensor, "B C H W"],
    sigma: Float[Tensor, "B"],
    k: float = 3.5,
    p: float = 10.0,
    eps: float = 0.01,
    phi: float = 1e9,
    multiply: bool = True,
) -> Float[Tensor, "B 1 H W"]:
    r"""Sketches of images in [-1, 1]: 1 is paper, -1 a line.

    .. math:: T(u) = 1 \text{ if } u \ge \epsilon, \text{ else } 1 + \tanh(\varphi (u - \epsilon))

    of u = S (see `difference_of_gaussians`), XDoG's own threshold.  multiply: of u = I S, as
    SSIMBaD and AnimeDiffusion compute it: what is black in the image then is black in the sketch,
    whatever S says, so dark hair fills with ink.  phi: steepness; 1e9 leaves black and white.

    Raises: ValueError, as `difference_of_gaussians` and `luma`.
    Source: Winnemoeller et al. 2012, eq. 5; parameters of SSIMBaD's and AnimeDiffusion's code.
    """
    grey = (luma(images) + 1) / 2
    u = difference_of_gaussians(grey, sigma, k, p)
    u = grey * u if multiply else u
    ink = torch.where(u >= eps, 1.0, 1 + (phi * (u - eps)).tanh())
    return 2 * ink - 1


def published_sigma(seed: int, step: int, index: Int[Tensor, "B"]) -> Float[Tensor, "B"]:
    """The width of each sketch's lines, one of `WIDTHS`, by (seed, step, index)."""
    u = rng.uniform(seed, step, index, 1, rng.AUGMENT)[:, 0]
    return torch.tensor(WIDTHS, device=index.device)[(u * len(WIDTHS)).long()]


def appearance(
    seed: int, step: int, index: Int[Tensor, "B"], strength: float = 1.0
) -> tuple[Float[Tensor, "B 3 3"], Float[Tensor, "B 3 1"]]:
    """A change of colours for each image, c -> A c + b with colours c in [-1, 1].

    A turns the colours around the grey axis by any angle times strength (0: not at all) and
    stretches them; grey stays grey.  Ground truth and reference take the *same* change, and the
    sketch is made before it: then the sketch's shades no longer tell the colours, and to take them
    from the reference is the only way.  (SCFT, Lee et al. 2020, changes colours for this reason.)
    """
    u = rng.uniform(seed, step, index, 4, rng.AUGMENT)[:, 1:]
    angle = 2 * math.pi * strength * (u[:, 0] - 0.5)
    # Rodrigues' rotation around (1, 1, 1)/sqrt(3).
    axis, eye = torch.full((3, 3), 1 / 3, device=index.device), torch.eye(3, device=index.device)
    cross = (eye.roll(1, 0) - eye.roll(-1, 0)) / math.sqrt(3)
    c, s = angle.cos()[:, None, None], angle.sin()[:, None, None]
    turn = c * eye + s * cross + (1 - c) * axis
    # Chroma is stretched by 0.6 to 1.1, and all moves towards white or black by up to a tenth.
    chroma = 1 + strength * (0.5 * u[:, 1] - 0.4)
    chroma = chroma[:, None, None]
    offset = strength * 0.1 * (2 * u[:, 2] - 1)
    return chroma * turn + (1 - chroma) * axis, offset[:, None, None].expand(-1, 3, 1)


def recoloured(
    images: Float[Tensor, "B 3 H W"], matrix: Float[Tensor, "B 3 3"], offset: Float[Tensor, "B 3 1"]
) -> Float[Tensor, "B 3 H W"]:
    """The images under a change of `appearance`, clipped to [-1, 1]."""
    changed = matrix.to(images) @ images.flatten(2) + offset.to(images)
    return changed.view_as(images).clamp(-1, 1)
