"""The arms of lesson 04's trial: EDM with one thing at a time replaced by SSIMBaD's."""

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from diffutils import densities, schedules
from diffutils.course.experiments.sampling import Sampler, edm
from diffutils.course.experiments.sweep import sweep
from diffutils.course.experiments.training import EDM, card, fit_settings
from diffutils.course.runs import fingerprint
from diffutils.data import ImageSet
from diffutils.denoisers import edm as preconditioning
from diffutils.metrics.spaces import Space
from diffutils.weights import models

C = 0.3  # of phi* = sigma/(sigma + c), as published


class Arm(NamedTuple):
    """What a training does: density and embedding "EDM" or "phi", weight as in `weights`."""

    density: str
    embedding: str
    weight: str = "lambda"


ARMS = {
    "EDM": Arm("EDM", "EDM"),
    "phi density": Arm("phi", "EDM"),
    "phi embedding": Arm("EDM", "phi"),
    "phi both": Arm("phi", "phi"),
    "phi density lambda'": Arm("phi", "EDM", "lambda'"),
    "EDM without lambda": Arm("EDM", "EDM", "none"),
    "phi both without lambda": Arm("phi", "phi", "none"),  # as SSIMBaD, but our task, rescaled
    "DDPM": Arm("DDPM", "DDPM", "simple"),  # lesson 02's: linear betas, noise predicted
}


DENSITIES = {
    "EDM": EDM["density"],
    "phi": {"name": "log_logistic", "arguments": {"c": C}},
}


EMBEDDINGS = {
    "EDM": EDM["embedding"],
    "phi": {"name": "phi_star", "arguments": {"c": C}},
}


GRIDS = {"EDM": schedules.karras(), "phi": schedules.log_logistic(C)}


def weights(sigma_data: float) -> dict[str, Callable[[Tensor], Tensor] | None]:
    """Factors of `Denoiser.loss`, which without one has EDM's lambda(sigma) = 1/c_out^2 in it.

    none: plain |D - x0|^2, as SSIMBaD trains.  lambda': times p_EDM/p_phi, so that drawing sigma
    from phi*'s density gives the expected loss of drawing it from EDM's.
    """
    return {
        "lambda": None,
        "none": lambda sigma: preconditioning(sigma, sigma_data)[1] ** 2,
        "lambda'": lambda sigma: densities.normal(sigma) / densities.logistic(sigma, C),
    }


def train_arm(name: str, data: ImageSet, budget, seed: int, train: Callable) -> models.Model:
    """Train one of `ARMS` for budget.trial_steps; with its log.

    The log's losses are in the arm's own density and weight: between arms they do not compare.

    train(name, denoiser, images, density, **settings of fit) yields the records: a lesson's
    `train`, which goes on after a kill.  All arms of a seed share weights, batches and noise.
    """
    arm = ARMS[name]
    slots, predict = None, "eps"
    if arm.density != "DDPM":
        predict = "edm"
        slots = {"density": DENSITIES[arm.density], "embedding": EMBEDDINGS[arm.embedding]}
    folder = f"trial/{re.sub('[^A-Za-z0-9]+', '-', name).strip('-')}-seed-{seed}"
    budget = replace(budget, steps=budget.trial_steps)
    about = card(data, budget, seed, folder.rpartition("/")[2], predict, slots)
    torch.manual_seed(seed)
    model = models.build(about)
    weight = None if predict == "eps" else weights(about["sigma_data"])[arm.weight]
    settings = fit_settings(data, budget) | {"seed": seed, "weight": weight, "card": about}
    records = list(train(folder, model.denoiser, data.train, model.density, **settings))
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    return replace(model, denoiser=records[-1].ema.eval().requires_grad_(False), log=log)


def walks(
    grids: dict[str, Callable], nfes: list[int], heuns: tuple[bool, ...] = (False, True)
) -> dict[str, tuple[Callable[[int], Sampler], list[int]]]:
    """Euler and Heun on each grid, for `sweep`: name -> (sampler of so many steps, step counts).

    nfes: network evaluations, odd, so that both solvers can spend exactly so many: Heun takes two
    a step but one for the last.  Raises: ValueError for an even number.
    """
    if even := [nfe for nfe in nfes if nfe % 2 == 0]:
        raise ValueError(f"{even[0]} evaluations: Heun's method spends an odd number; take one")
    return {
        f"{'Heun' if heun else 'Euler'}, {name}": (
            lambda steps, heun=heun, grid=grid: edm(steps, heun, grid),
            [(nfe + 1) // 2 if heun else nfe for nfe in nfes],
        )
        for heun in heuns
        for name, grid in grids.items()
    }


def arm_rows(
    name: str,
    model: models.Model,
    data: ImageSet,
    space: Space,
    budget,
    seed: int,
    folder: Path | None = None,
    **settings,
) -> Iterator[dict]:
    """Rows of `sweep` for one trained arm, each with arm, density, embedding, weight, training.

    EDM arms walk both grids by Euler and Heun with budget.trial_nfe evaluations, the DDPM arm its
    own levels in as many steps (eta 0 and 1); settings are those of `sweep`.  N is
    budget.metric_samples, or what the data have.  row["trial"] says what was trained, by the
    model's card: steps, images, batch, lr, ema, channels, classes, and the fingerprint of the code.
    """
    n = min(budget.metric_samples, len(data.heldout), len(data.train))
    about = {k: model.card["settings"][k] for k in ("steps", "batch", "lr", "ema")} | {
        "images": model.card["images"],
        "channels": list(model.card["unet"]["channels"]),
        "classes": model.card["unet"]["classes"],
        "code": fingerprint.code(),
    }
    nfes = [budget.trial_nfe]
    own = (
        {"steps": nfes, "etas": (0.0, 1.0)}
        if name == "DDPM"
        else {"steps": (), "walks": walks(GRIDS, nfes)}
    )
    found = sweep(model, data, space, n=n, seeds=(seed,), folder=folder, **own, **settings)
    for row in found:
        yield row | {"arm": name, **ARMS[name]._asdict(), "training": seed, "trial": about}
