"""Lesson 02's claim on trial (notebook, 9): a published face generator against a corrected one."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import torch

from diffutils import samplers, schedules
from diffutils.course.experiments import claims
from diffutils.course.experiments.effects import effect
from diffutils.course.experiments.rows import TRIAL, read, where
from diffutils.course.experiments.sampling import Sampler, respaced
from diffutils.course.experiments.sweep import trial_rows
from diffutils.course.experiments.training import Arm, train_arm
from diffutils.course.machine import best_device
from diffutils.data import load
from diffutils.metrics import spaces
from diffutils.weights import cards


def clamp_state(step: samplers.Step) -> torch.Tensor:
    """The published fault: clamp the noisy state itself (textbook units) to [-1, 1]."""
    scale = (1 + float(step.sigma_next) ** 2) ** 0.5
    return (step.x_next / scale).clamp(-1, 1) * scale


def clamped(steps: int) -> Sampler:
    """The published sampler: DDPM with the state clamped after every step."""

    def run(denoise, schedule, z: torch.Tensor, noise: Callable) -> torch.Tensor:
        sigmas = schedules.levels(schedule, steps)
        x = samplers.start(sigmas, z)
        return samplers.ddpm(denoise, x, sigmas, noise=noise, after_step=clamp_state)

    return run


T = 300
SHIPPED = cards.PRETRAINED / "faces32.trial.jsonl"  # of a shorter training at 32 x 32
ARMS = {  # fields of the budget
    "as published": {"schedule": "linear",        "loss": "l1",  "optimizer": "adam",
                     "decay": "constant",         "lr": 1e-3,    "ema": 0.0},
    "corrected":    {"schedule": "scaled_linear", "loss": "mse", "optimizer": "adamw",
                     "decay": "cosine",           "lr": 4e-4,    "ema": 0.9995},
}  # fmt: skip
WARM = {"as published": 0.0, "corrected": 0.05}  # share of the steps in which the rate rises
WALKS = {"as published": clamped, "corrected": partial(respaced, eta=1.0)}
CLIP = {"as published": False, "corrected": True}  # the estimates of the clean image
WORDS = {
    "as published": "linear beta to 0.02, L1, Adam 1e-3 constant, no EMA, x_t clamped",
    "corrected": "beta x 1000/T, MSE, AdamW, warm-up and cosine, EMA, x0 estimate clipped",
}
CLAIM = "{0}x{0} faces, {1}: distance to held-out / floor"
CHANGE = "{0}x{0} faces, corrected against as published: change of the distance"


def faces_trial(budget, seed: int, train: Callable, folder: Path | None = None) -> list[dict]:
    """The claims on both arms at every training seed: rows for the claim table.

    train: as in `train_arm`.  folder: rows of the measurements are kept there.
    budget.trial_steps = 0: nothing is trained, and the claims are on the rows that ship.
    """
    if budget.trial_steps:
        return judged(list(trained_rows(budget, seed, train, folder)))
    return judged(read(SHIPPED, "fetch it again", TRIAL), recorded=True)


def trained_rows(budget, seed: int, train: Callable, folder: Path | None = None) -> Iterator[dict]:
    """Train both arms at every seed, draw from each and measure: a row for each training."""
    size = budget.trial_size
    data = load("faces", size=size, limit=budget.images, seed=0).without_labels()
    space = spaces.of("faces", 3, best_device())
    n = min(budget.metric_samples, len(data.heldout), len(data.train))
    for name, fields in ARMS.items():
        warmup = int(WARM[name] * budget.trial_steps)
        arm = Arm(name, {"T": T, "beta_min": 1e-4, "beta_max": 0.02, "warmup": warmup} | fields)
        how = {"walks": {"DDPM": (WALKS[name], [T])}, "etas": (), "clip": CLIP[name]}
        for k in range(seed, seed + budget.seeds):
            model = train_arm(arm, data, budget, k, train)
            kept = folder and folder / f"trial-rows-{name}-{k}".replace(" ", "-")
            for row in trial_rows(arm, model, data, space, k, n=n, folder=kept, **how):
                yield row | {"size": size}


def judged(rows: Sequence[dict], recorded: bool = False) -> list[dict]:
    """The claims of `trained_rows`; recorded: they ship, nobody trained them here."""
    if not rows:
        why = f"{SHIPPED.name} is not there; profiles overnight, full and published train both"
        return [claims.claim("faces, as published against corrected", why=why)]
    about, size = rows[0]["trial"], rows[0]["size"]
    how = f"T = {rows[0]['steps']}, {about['steps']:,} steps of {about['batch']}"
    how = [f"{how}, recorded" if recorded else how]
    sides = {name: where(rows, arm=name) for name in ARMS}
    name = CHANGE.format(size)
    change = effect(name, rows, [{"arm": "corrected"}], [{"arm": "as published"}])
    return [
        *(
            claims.ratio_claim(CLAIM.format(size, arm), own, [WORDS[arm], *how])
            for arm, own in sides.items()
        ),
        claims.from_effects(name, [change], rows, protocol=how),
    ]
