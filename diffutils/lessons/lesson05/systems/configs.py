"""The systems that lesson 05 compares: what their cards say otherwise, and how they walk."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor

from diffutils import schedules
from diffutils.course.experiments.training import Arm
from diffutils.methods import refine
from diffutils.weights.models import Model

C = 0.3  # of phi* = sigma/(sigma + c), as published
PHI = {"name": "log_logistic", "arguments": {"c": C}}
BETAS = {"T": 1000, "beta_min": 1e-6, "beta_max": 1e-2}  # AnimeDiffusion's, which end at abar .0066

CONFIGS = {
    "ssimbad": Arm(
        "ssimbad",
        card={
            "coefficients": "edm",
            "density": PHI,
            "embedding": {"name": "phi_star", "arguments": {"c": C}},
            "grid": PHI,
            "weight": "none",
        },
    ),
    # What SSIMBaD's README calls its baseline, and its code does not hold; with EDM's lambda.
    "edm": Arm("edm", card={"coefficients": "edm"}),
    "animediffusion": Arm(
        "animediffusion",
        card={"coefficients": "eps", "betas": {"name": "linear", "arguments": BETAS}},
    ),
    # The same, but it ends in pure noise, where guessing the noise would say nothing of the image.
    "animediffusion-v": Arm(
        "animediffusion-v",
        card={"coefficients": "v", "betas": {"name": "rescaled_linear", "arguments": BETAS}},
    ),
}


def published_steps(T: int, n: int) -> Tensor:
    """AnimeDiffusion's timesteps, of ten: 901, 801, ..., 1.  Pure noise is handed to the first.

    Of a single one: 901, where its walks begin.
    """
    return schedules.leading(T, max(n, 10))[:n] + 1


@dataclass(frozen=True)
class Walk:
    """How a system walks from noise to an image, in training and in use.

    eta: as in `samplers.trajectory`; bounded: estimates to [-1, 1], after which the noise is made
    anew from them (AnimeDiffusion's code keeps the noise that the network said); tuned_from: where
    a chain begins whose end is refined, see `methods.refine`; most: steps of it, whatever is asked.
    """

    eta: float = 0.0
    bounded: bool = False
    spacing: Callable = schedules.trailing
    tuned_from: Callable = refine.from_noise
    most: int = 1000

    def levels(self, model: Model, n: int) -> Tensor:
        """The n levels that a model's chain visits, or the most that it has, and 0."""
        return schedules.levels(model.schedule, min(n, self.most), self.spacing)


WALKS = {
    "ssimbad": Walk(),
    "edm": Walk(),
    "animediffusion": Walk(1.0, True, published_steps, refine.from_inversion, most=10),
    "animediffusion-v": Walk(1.0, True, most=10),
}
