"""The trainings that lesson 05 compares, as what a card says otherwise than `described.card`."""

from diffutils.course.experiments.training import Arm

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
    # What SSIMBaD's README calls its baseline, and its code does not hold.
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
