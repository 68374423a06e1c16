"""Arms of the trial that go on from a pretrained network, for equally many calls of it.

A call without gradient counts a third.  Every arm may choose among the same learning rates, by the
loss at the end of its own walk (more denoising: squared error), on images that are neither trained
on nor measured; the choice is not counted.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from diffutils import schedules
from diffutils.course.experiments.training import prepared
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, to_float
from diffutils.lessons.lesson05.inputs.triples import Part
from diffutils.lessons.lesson05.systems import stages
from diffutils.lessons.lesson05.systems.colouring import coloured, one_call
from diffutils.lessons.lesson05.systems.configs import WALKS
from diffutils.methods import refine
from diffutils.weights.models import Model

ONE, DENOISED = "one step tuned", "more denoising"


@dataclass(frozen=True)
class Tuning:
    """What an arm lowers: a loss at the end of a walk.

    last: steps that the gradient goes through; 0: all.  levels: those of the walk: of its config,
    of "one call", or of "rho=7".  end_loss: as in the budget.
    """

    last: int
    levels: str = "config"
    end_loss: str = "mse"
    config: str = "ssimbad"


TUNED = {
    DENOISED: None,  # the loss of pretraining
    ONE: Tuning(1, "one call"),
    "refined K=1": Tuning(1),
    "refined K=3": Tuning(3),
    "refined all steps": Tuning(0),
    "refined on rho=7": Tuning(3, "rho=7"),
    "refined by SSIM": Tuning(3, end_loss="ssim"),
    "refined by LPIPS": Tuning(3, end_loss="lpips"),
    "animediffusion refined": Tuning(0, config="animediffusion"),
}


def fitted(
    arm: str,
    base: Model,
    data: ImageSet,
    parts: dict[str, Part],
    budget,
    seed: int,
    train: Callable,
    lr: float | None = None,
) -> tuple[Model, dict]:
    """The base tuned as one of `TUNED` says, and what is to be noted: its lr, and its steps.

    lr: None for the best of budget.refine_lrs on the images that `validation` picks.
    """
    models = {}
    for candidate in budget.refine_lrs if lr is None else (lr,):
        own = replace(budget, refine_lr=candidate)
        models[candidate] = tuned(arm, base, data, parts, own, seed, train)
    if len(models) > 1:
        part, kind = validation(parts, budget), budget.kinds[-1]
        errors = {k: end_error(arm, model, data, part, kind, budget) for k, model in models.items()}
        lr = min(errors, key=errors.get)
    else:
        (lr,) = models
    return models[lr], {"lr": lr, "tuning_steps": steps_of(arm, budget)}


def validation(parts: dict[str, Part], budget) -> Part:
    """Held-out images behind those that the trial measures."""
    n = min(budget.metric_samples, len(parts["heldout"].images) // 2)
    return parts["heldout"].cut(n, 2 * n)


def end_error(arm: str, model: Model, data: ImageSet, part: Part, kind: str, budget) -> float:
    """Mean end loss of a network on images that it draws as in use: from noise, on its own walk."""
    tuning = TUNED[arm] or Tuning(0)
    images = coloured(
        model, part.cond(kind), levels_of(model, tuning, budget), WALKS[tuning.config]
    )
    loss = stages.end_loss(tuning.end_loss, data)
    with torch.no_grad():
        found = [
            loss(*(to_float(x.to(best_device())) for x in pair))
            for pair in zip(images.split(64), part.images.split(64), strict=True)
        ]
    return float(torch.cat(found).mean())


def levels_of(model: Model, tuning: Tuning, budget) -> Tensor:
    """The levels of an arm's walk."""
    walk = WALKS[tuning.config]
    return {
        "config": lambda: walk.levels(model, budget.levels),
        "one call": lambda: one_call(model, walk),
        "rho=7": lambda: schedules.levels(schedules.karras(), budget.levels),
    }[tuning.levels]()


def steps_of(arm: str, budget) -> int:
    """Optimizer steps for which budget.passes suffice."""
    tuning, calls = TUNED[arm], 1.0
    if tuning:
        walk = WALKS[tuning.config]
        n = 1 if tuning.levels == "one call" else min(budget.levels, walk.most)
        last = min(tuning.last or n, n)
        inverted = n * (walk.tuned_from is refine.from_inversion)
        calls = last + (n - last + inverted) / 3
    return max(1, round(budget.passes / budget.refine_batch / calls))


def tuned(
    arm: str,
    base: Model,
    data: ImageSet,
    parts: dict[str, Part],
    budget,
    seed: int,
    train: Callable,
) -> Model:
    """The base, trained on as the arm says with budget.refine_lr, for budget.passes calls."""
    model = replace(base, denoiser=copy.deepcopy(base.denoiser).requires_grad_(True))
    name = "".join(c if c.isalnum() else "-" for c in f"{arm} lr {budget.refine_lr:g}")
    name = f"{base.card['name']}-{name}"
    steps, tuning = steps_of(arm, budget), TUNED[arm]
    # The same loss as before, of one noisy image.
    if tuning is None:
        changed = {"steps": steps, "lr": budget.refine_lr, "warmup": max(1, steps // 20)}
        changed |= {"batch": budget.refine_batch, "ema": 0.0, "log_every": max(1, steps // 5)}
        about = model.card | {"name": name, "settings": model.card["settings"] | changed}
        _, settings = prepared(about, data, **stages.shown(parts, budget, seed, dropout=0.0))
        run = (f"trial/{name}", model.denoiser, data.train, model.density)
        *_, last = train(*run, **settings)
        return replace(model, denoiser=last.ema.eval().requires_grad_(False), card=about)
    # A loss at the end of a walk.
    n = 1 if tuning.levels == "one call" else budget.levels
    own = replace(budget, refine_steps=steps, last=min(tuning.last, n), end_loss=tuning.end_loss)
    given = (model, tuning.config, data, parts, own, seed, train)
    walk = {"sigmas": levels_of(model, tuning, budget), "name": name}
    # Looking at the held-out images costs as many calls as many steps.
    return stages.refined(*given, **walk, log_every=max(1, steps // 3))
