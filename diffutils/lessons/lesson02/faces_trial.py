"""Claims about training, put on trial: several arms, several training seeds, one protocol."""

import math
from collections.abc import Callable
from dataclasses import replace

import torch

from diffutils import denoisers, rng, samplers, schedules
from diffutils.course.experiments import measure
from diffutils.course.experiments.training import batch_for, fit_settings
from diffutils.data import ImageSet, load, to_uint8
from diffutils.denoisers import Denoiser
from diffutils.unet import UNet
from diffutils.weights.models import Model

CLAIM = "64x64 faces: {} (distance to held-out / floor)"


ARMS = {
    "as published": "linear beta to 0.02, T=300, L1, Adam 1e-3 constant, no EMA, x_t clamped",
    "corrected": "linear beta x 1000/T, T=300, MSE, AdamW, warm-up and cosine rate, EMA, "
    "x0 estimate clipped",
}


def clamp_state(step: samplers.Step) -> torch.Tensor:
    """The published fault: clamp the noisy state itself (textbook units) to [-1, 1]."""
    scale = (1 + float(step.sigma_next) ** 2) ** 0.5
    return (step.x_next / scale).clamp(-1, 1) * scale


def train_arm(arm: str, data: ImageSet, budget, seed: int, train: Callable) -> Model:
    """Train one arm of the faces trial.

    train(name, denoiser, images, schedule, **settings of fit) yields the records: a lesson's
    `train`, which goes on after a kill.
    """
    corrected = arm == "corrected"
    table = schedules.scaled_linear_betas if corrected else schedules.linear_betas
    schedule = schedules.Discrete(table(300))
    torch.manual_seed(seed)
    net = UNet(3, 3, budget.channels, budget.blocks, budget.attention)
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    arm_budget = replace(
        budget,
        steps=budget.trial_steps,
        **(
            dict(
                loss="mse",
                optimizer="adamw",
                decay="cosine",
                ema=0.9995,
                lr=4e-4,
                warmup=budget.trial_steps // 20,
            )
            if corrected
            else dict(loss="l1", optimizer="adam", decay="constant", ema=0.0, warmup=0, lr=1e-3)
        ),
    )
    folder = f"trial/{arm.replace(' ', '-')}-seed-{seed}"
    settings = fit_settings(data, arm_budget) | {"seed": seed}
    for record in train(folder, denoiser, data.train, schedule, **settings):
        last = record
    return Model(last.ema, schedule, schedule, {"size": data.shape[1]})


@torch.no_grad()
def draw_arm(arm: str, model: Model, n: int, seed: int, batch: int = 250):
    """n images uint8 by the arm's own 300-step ancestral sampler."""
    if arm == "corrected":
        return measure.generate(model, n, steps=300, eta=1.0, seed=seed, batch=batch)
    sigmas, images = schedules.steps(model.schedule, 300), []
    device, size = next(model.denoiser.parameters()).device, model.card["size"]
    for first in range(0, n, batch):
        index = torch.arange(first, min(first + batch, n), device=device)
        x = samplers.start(sigmas, rng.normal(seed, 0, index, (3, size, size), rng.START))
        noise = samplers.seeded_noise(seed, index)
        x = samplers.ddpm(model.denoiser, x, sigmas, noise=noise, after_step=clamp_state)
        images.append(to_uint8(x).cpu())
    return torch.cat(images)


def faces_trial(budget, seed: int, train: Callable) -> list[dict]:
    """Both arms at every training seed: rows for the claim table.

    train: as in `train_arm`.
    budget.trial_steps = 0: nothing runs and the rows say "not run".
    """
    if not budget.trial_steps:
        return [dict(claim=CLAIM.format(arm), protocol=how) for arm, how in ARMS.items()]
    data = load("faces", size=64, limit=budget.images, seed=0)
    data = replace(data, train_labels=None, heldout_labels=None, classes=())
    space, name = measure.feature_space("faces", 3)
    rows = []
    for arm, how in ARMS.items():
        ratios = []
        for k in range(budget.seeds):
            model = train_arm(arm, data, budget, seed + k, train)
            images = draw_arm(arm, model, budget.metric_samples, seed + k)
            m = measure.measure(images, data, space)
            ratios.append(m["frechet"] / m["frechet_floor"])
        ratios = torch.tensor(ratios)
        spread = float(ratios.std()) if len(ratios) > 1 else math.nan
        rows.append(
            dict(
                claim=CLAIM.format(arm),
                measured=f"{ratios.mean():.1f}, std {spread:.1f}",
                protocol=f"{how}; our U-Net, {budget.trial_steps} steps of "
                f"{batch_for(data, budget)}; {name}",
                N=m["N"],
                seeds=f"{budget.seeds} training",
            )
        )
    return rows
