"""A denoiser is a function D(x, sigma) that estimates E[x0 | x0 + sigma n = x].

A network F becomes one through three coefficients: D = c_skip x + c_out F(c_in x; c_noise).
Predicting the noise, the image, the velocity, or EDM's mixture differ only in these.
"""

import math
from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

Denoise = Callable[..., Tensor]

# ------------------------------------------------------------------- c_skip, c_out, c_in


def eps(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """F predicts the noise: D = x - sigma F (Ho et al. 2020, eq. 9 and 15)."""
    return torch.ones_like(sigma), -sigma, 1 / (1 + sigma**2).sqrt()


def x0(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """F predicts the clean image: D = F."""
    return torch.zeros_like(sigma), torch.ones_like(sigma), 1 / (1 + sigma**2).sqrt()


def v(sigma: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """F predicts v = sqrt(abar) eps - sqrt(1 - abar) x0 (Salimans & Ho 2022, eq. 11)."""
    c_in = 1 / (1 + sigma**2).sqrt()
    return c_in**2, -sigma * c_in, c_in


def edm(sigma: Tensor, sigma_data: float = 0.5) -> tuple[Tensor, Tensor, Tensor]:
    """Input and target of F have unit variance at every level (Karras et al. 2022, table 1)."""
    norm = (sigma**2 + sigma_data**2).sqrt()
    return (sigma_data / norm) ** 2, sigma * sigma_data / norm, 1 / norm


def rms(x0: Float[Tensor, "N C H W"]) -> float:
    """sigma_data of images in [-1, 1]: the root of their mean square (not their contrast alone).

    With it c_in x has mean square 1 at every noise level.  EDM took 0.5 for every data set.
    """
    return float(x0.square().mean().sqrt())


def rescaled(
    phi: Callable[[Tensor], Tensor], sigma_min: float = 0.002, sigma_max: float = 80.0
) -> Callable[[Tensor], Tensor]:
    """c_noise = phi(sigma), stretched to run from 0 at sigma_min to 1000 at sigma_max.

    So a sinusoid made for DDPM's 1000 timesteps sees EDM's ln(sigma) and SSIMBaD's
    sigma/(sigma + c) with equal range, and they differ in shape alone.

    Raises: ValueError for a phi that is not finite and does not rise between the two levels.
    """
    low, high = (float(phi(torch.tensor(s, dtype=torch.float64))) for s in (sigma_min, sigma_max))
    if not -math.inf < low < high < math.inf:
        raise ValueError(
            f"phi goes from {low:.4g} at sigma = {sigma_min:g} to {high:.4g} at {sigma_max:g}, "
            "but a coordinate must rise; a falling one turns with a minus sign"
        )
    return lambda sigma: 1000 * (phi(sigma) - low) / (high - low)


def per_image(sigma: Tensor | float, x: Tensor) -> Tensor:
    """Turn a level () or levels (B,) into (B, 1, 1, 1) of x's dtype, on x's device."""
    shape = (-1, *[1] * (x.ndim - 1))
    # A number: no copy that waits for a GPU.
    if not isinstance(sigma, Tensor) or (sigma.ndim == 0 and not sigma.requires_grad):
        return x.new_full((len(x),), float(sigma)).view(shape)
    if sigma.shape not in ((), x.shape[:1]):
        raise ValueError(
            f"sigma must be one level or one per image ({len(x)}), got shape {tuple(sigma.shape)}"
        )
    return sigma.to(x, non_blocking=x.is_cuda).expand(len(x)).view(shape)


class Denoiser(nn.Module):
    """D(x, sigma) = c_skip x + c_out F(c_in x; c_noise) (Karras et al. 2022, eq. 7).

    net: F(x, c_noise, labels, cond).  coefficients: one of the functions above.
    c_noise: what F is told of sigma, e.g. `schedule.t` for DDPM's integer timesteps.
    """

    def __init__(self, net: nn.Module, coefficients: Callable, c_noise: Callable):
        super().__init__()
        self.net, self.coefficients, self.c_noise = net, coefficients, c_noise

    def forward(
        self,
        x: Float[Tensor, "B C H W"],
        sigma: Tensor | float,
        labels: Int[Tensor, "B"] | None = None,
        cond: Float[Tensor, "B K H W"] | None = None,
    ) -> Float[Tensor, "B C H W"]:
        """Estimate x0 from x = x0 + sigma n; sigma: () or (B,); images in [-1, 1].

        cond: what the network sees beside x, in [-1, 1].
        Raises: ValueError for a network whose output has another shape than x.
        """
        sigma = per_image(sigma, x)
        c_skip, c_out, c_in = self.coefficients(sigma)
        F = self.net(c_in * x, self.c_noise(sigma.flatten()), labels, cond)
        if F.shape != x.shape:
            raise ValueError(
                f"the network must answer with the shape of its input, {tuple(x.shape)}, but it "
                f"gave {tuple(F.shape)}; make it with as many output as input channels"
            )
        return c_skip * x + c_out * F

    def loss(
        self,
        x0: Float[Tensor, "B C H W"],
        sigma: Float[Tensor, "B"],
        noise: Float[Tensor, "B C H W"],
        labels: Int[Tensor, "B"] | None = None,
        cond: Float[Tensor, "B K H W"] | None = None,
        distance: Callable = torch.square,
        weight: Callable[[Tensor], Tensor] | None = None,
    ) -> Float[Tensor, "B"]:
        """Mean over pixels of distance(F - its target) for every image, times weight(sigma).

        F's error is (D - x0) / c_out, so torch.square gives |D - x0|^2 / c_out^2: DDPM's L_simple
        for eps (DDPM, eq. 14), EDM's lambda(sigma) weighting for edm (Karras et al. 2022, eq. 8).
        torch.abs gives the L1 loss of the same error.  weight: None for 1; sigma (B,) to (B,).
        Raises: ValueError for a distance or weight of another shape.
        """
        level = per_image(sigma, x0)
        D = self(x0 + level * noise, sigma, labels, cond)
        _, c_out, _ = self.coefficients(level)
        loss = distance((D - x0) / c_out)
        factor = torch.as_tensor(1.0 if weight is None else weight(sigma))
        if loss.shape != x0.shape or factor.shape not in ((), x0.shape[:1]):
            raise ValueError(
                f"distance must keep the shape of the images, {tuple(x0.shape)}, and weight that "
                f"of sigma; they gave {tuple(loss.shape)} and {tuple(factor.shape)}"
            )
        loss = loss.flatten(1).mean(1)
        return loss if weight is None else loss * factor


# ------------------------------------------------------------------- wrappers


def clipped(denoise: Denoise) -> Denoise:
    """Clip the estimate of the clean image to [-1, 1] (not x itself: it must keep its noise)."""
    return lambda x, sigma, *args, **kw: denoise(x, sigma, *args, **kw).clamp(-1, 1)


def inside(interval: tuple[float, float], sigma: Tensor | float, x: Tensor) -> Bool[Tensor, "..."]:
    """Whether low < sigma <= high, in x's dtype; sigma: () or (B,).

    Of one level the answer is () and stays where the level is, on the CPU: whoever asks for it at
    every step of a sampler waits for no GPU.
    """
    (low, high), level = interval, torch.as_tensor(sigma, dtype=x.dtype)
    level = per_image(level, x) if level.ndim else level
    return (low < level) & (level <= high)


def guided(
    denoiser: Denoise,
    labels: Int[Tensor, "B"],
    scale: float,
    null: int,
    interval: tuple[float, float] = (0.0, math.inf),
    cond: Float[Tensor, "B K H W"] | None = None,
) -> Denoise:
    """Classifier-free guidance: D_null + scale (D_label - D_null) (Ho & Salimans 2022, eq. 6).

    scale 0: labels ignored; 1: plain conditional; > 1: pushed away from the unconditional.
    null: index of the class that means "any".  Ho & Salimans' w is scale - 1.
    interval: guide where low < sigma <= high, and be plain conditional elsewhere: at high noise
    guidance narrows what is drawn, at low noise it costs and does nothing (Kynkaanniemi et al.
    2024, arXiv 2404.07724).
    cond: what the network sees beside x, with the label and without it.
    """
    nothing = torch.full_like(labels, null)
    beside = {} if cond is None else {"cond": cond}
    beside_both = {} if cond is None else {"cond": torch.cat([cond, cond])}

    def denoise(x: Tensor, sigma: Tensor | float) -> Tensor:
        level, here = per_image(sigma, x), inside(interval, sigma, x)
        known = here.device.type == "cpu"  # to look elsewhere would wait for a GPU
        if scale == 1 or (known and not here.any()):
            return denoiser(x, sigma, labels, **beside)
        if scale == 0 and known and here.all():
            return denoiser(x, sigma, nothing, **beside)
        twice, levels = torch.cat([x, x]), level.flatten().repeat(2)
        both = denoiser(twice, levels, torch.cat([labels, nothing]), **beside_both)
        with_label, without = both.chunk(2)
        weight = torch.full_like(here, scale, dtype=x.dtype).masked_fill(~here, 1)
        return without + weight * (with_label - without)

    return denoise


# ------------------------------------------------------------------- oracles: exact denoisers


def point(image: Float[Tensor, "*shape"]) -> Denoise:
    """Data that is a single image: the answer is always that image."""
    return lambda x, sigma: image.to(x).expand_as(x)


def gaussian(mean: float | Tensor, std: float | Tensor) -> Denoise:
    """Data N(mean, std^2), independent pixels: mean + std^2/(std^2 + sigma^2) (x - mean)."""

    def denoise(x: Tensor, sigma: Tensor | float) -> Tensor:
        sigma = per_image(sigma, x)
        return mean + std**2 / (std**2 + sigma**2) * (x - mean)

    return denoise


def mixture(
    weights: Float[Tensor, "K"], means: Float[Tensor, "K D"], stds: Float[Tensor, "K"]
) -> Denoise:
    """Data sum_k w_k N(m_k, s_k^2 I) in D dimensions; x: (B, D).

    Each component answers like `gaussian`; their answers are averaged by how likely it is that
    x came from each: softmax_k(log w_k - D/2 log(s_k^2 + sigma^2) - |x - m_k|^2 / 2(...)).
    """

    def denoise(x: Tensor, sigma: Tensor | float) -> Tensor:
        sigma = per_image(sigma, x)
        w, m, s = weights.to(x), means.to(x), stds.to(x)
        var = s**2 + sigma**2  # (B, K)
        away = x[:, None] - m  # (B, K, D)
        log_p = w.log() - x.shape[1] / 2 * var.log() - away.square().sum(-1) / (2 * var)
        answers = m + (s**2 / var)[..., None] * away
        return (log_p.softmax(1)[..., None] * answers).sum(1)

    return denoise


def finite(data: Float[Tensor, "N *shape"]) -> Denoise:
    """Data that is one of N images: their average, weighted by softmax(-|x - x_i|^2/2 sigma^2)."""

    def denoise(x: Tensor, sigma: Tensor | float) -> Tensor:
        level = per_image(sigma, x).view(-1, 1)
        known = data.to(x).flatten(1)
        distance = torch.cdist(x.flatten(1), known, compute_mode="donot_use_mm_for_euclid_dist")
        return ((-(distance**2) / (2 * level**2)).softmax(1) @ known).view_as(x)

    return denoise


def score(denoise: Denoise, x: Tensor, sigma: float) -> Tensor:
    """grad log p(x; sigma) = (D(x, sigma) - x) / sigma^2 (Karras et al. 2022, eq. 3; Tweedie)."""
    if not 0 < sigma < math.inf:
        raise ValueError(f"the score needs a finite noise level above 0, got sigma = {sigma}")
    return (denoise(x, sigma) - x) / sigma**2
