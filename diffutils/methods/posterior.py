"""Three published ways to sample the images that fit a measurement: DPS, Pi-GDM and DDRM.

Even with a perfect denoiser none of them draws from the posterior: a lesson that compares with one
of them compares with a biased rival.  All are settings of `samplers.trajectory`, in its units
(x = x0 + sigma n); the papers' x_t is x / sqrt(1 + sigma^2).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffutils.denoisers import Denoise
from diffutils.methods.consistency import Operator, moved
from diffutils.samplers import Step

After = Callable[[Step], Tensor]


def with_slope(denoise: Denoise, error: Callable[[Tensor, Tensor], Tensor]) -> tuple:
    """A denoiser, and a list with the slope along x of the sum of error(D, sigma) at its last call.

    A slope goes back through the network, which costs as much as two more calls of it.
    """
    slopes: list[Tensor] = []

    def watched(x: Tensor, sigma: Tensor | float) -> Tensor:
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            D = denoise(x, sigma)
            slopes[:] = torch.autograd.grad(error(D, sigma).sum(), x)
        return D.detach()

    return watched, slopes


def dps(
    denoise: Denoise, y: Tensor, operator: Operator, zeta: float = 1.0, per_batch: bool = False
) -> tuple[Denoise, After]:
    """Diffusion posterior sampling: after DDPM's step, zeta down the slope of |y - A D|.

    Chung et al. 2022 (arXiv 2209.14687), algorithm 1 with the step size of its section 3.3.
    per_batch: one norm over the whole batch, as one published implementation has it: the answer to
    an image then depends on how many others are asked with it.
    Hand both to the sampler: trajectory(denoise, ..., eta=1, after_step=after).
    """

    def error(D: Tensor, sigma) -> Tensor:
        missing = y.to(D) - operator.A(D)
        return missing.norm() if per_batch else missing.flatten(1).norm(dim=1)

    watched, slopes = with_slope(denoise, error)

    def after(step: Step) -> Tensor:
        # The papers' states are shorter by sqrt(1 + sigma^2), and so slopes along them longer.
        units = math.sqrt((1 + float(step.sigma) ** 2) * (1 + float(step.sigma_next) ** 2))
        return step.x_next - zeta * units * slopes[0]

    return watched, after


def pigdm(denoise: Denoise, y: Tensor, operator: Operator, sigma_y: float) -> tuple[Denoise, After]:
    """Pseudo-inverse guidance: r^2 J^T A^T (r^2 A A^T + sigma_y^2)^-1 (y - A D) after every step.

    J is the network's Jacobian, r^2 = sigma^2/(1 + sigma^2) (Song et al. 2023, algorithm 1, with
    its section 3.3's weight r^2).  The same is added whether a step is short or long.
    """

    def error(D: Tensor, sigma) -> Tensor:
        r2 = float(sigma) ** 2 / (1 + float(sigma) ** 2)
        return D * moved(D.detach(), r2, y, operator, sigma_y)

    watched, slopes = with_slope(denoise, error)
    return watched, lambda step: step.x_next + slopes[0]


def ddrm(
    y: Tensor,
    operator: Operator,
    sigma_y: float,
    noise: Callable[[int, Tensor], Tensor],
    eta: float = 0.85,
    eta_b: float = 1.0,
) -> After:
    """Denoising diffusion restoration: the new state, in A's range from y and elsewhere from D.

    Kawar et al. 2022 (arXiv 2201.11793), eq. 7 and 8; all of A's singular values are sqrt(gain).
    noise(k, x): fresh noise of step k.
    """
    A, At, gain = operator
    level = sigma_y / math.sqrt(gain)  # the measurement's noise, seen in the image

    def after(step: Step) -> Tensor:
        _, x, sigma, D, _, sigma_next = step
        n, low = noise(step.k, x), float(sigma_next)
        kept, fresh = math.sqrt(1 - eta**2) * low, eta * low

        def seen(v: Tensor) -> Tensor:
            return At(A(v)) / gain

        answer = At(y.to(D)) / gain
        # Where A sees nothing: DDIM with eta.
        elsewhere = D + kept * (x - D) / float(sigma) + fresh * n
        # Where it does: the measurement is a state of this level, or one of a lower level.
        if low < level:
            inside = seen(D) + kept * (answer - seen(D)) / level + fresh * seen(n)
        else:
            rest = math.sqrt(low**2 - level**2 * eta_b**2)
            inside = (1 - eta_b) * seen(D) + eta_b * answer + rest * seen(n)
        return inside + elsewhere - seen(elsewhere)

    return after
