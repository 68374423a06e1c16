"""The networks that a lesson samples from: shipped ones, or trained as in lesson 02."""

from collections.abc import Callable
from dataclasses import replace

import torch

from diffutils.course.experiments.rows import lines_of
from diffutils.course.experiments.training import card, fit_settings, load_for
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, load
from diffutils.data.images import shuffled
from diffutils.weights import cards
from diffutils.weights import models as models_

SLOTS = {"eps": "betas", "edm": "grid"}  # what the cards of their kind have


def networks(
    dataset: str, budget, seed: int, train: Callable, predict: str = "eps"
) -> tuple[list[models_.Model], ImageSet]:
    """Trained models, one for each training seed, and images; no model knows the held-out ones.

    With budget.pretrained the model that ships for the data set, where one does; else budget.seeds
    trainings.  train: a lesson's `train`, which goes on after a kill.  predict: "eps" for lesson
    02's networks, "edm" for lesson 04's.
    """
    names = models_.shipped(SLOTS[predict], data=dataset)
    if budget.pretrained and names:
        model = models_.pretrained(names[0])
        model.denoiser.to(best_device())
        model = replace(model, log=log_of(names[0]))
        about = model.card  # the same seed draws the same images, so the first of those it knows
        limit = min(budget.images, about["images"])
        data = load(dataset, size=about["size"], limit=limit, seed=about["seed"])
        return [model], shuffled(data, seed)
    data = load_for(dataset, budget, seed)
    models = [
        _trained(f"model-{k}", data, budget, seed + k, train, predict) for k in range(budget.seeds)
    ]
    return models, data


def _trained(
    name: str, data: ImageSet, budget, seed: int, train: Callable, predict: str
) -> models_.Model:
    about = card(data, budget, seed, name, predict)
    torch.manual_seed(seed)
    model = models_.build(about)
    settings = fit_settings(data, budget) | {"seed": seed}
    records = list(train(name, model.denoiser, data.train, model.density, card=about, **settings))
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    return replace(model, denoiser=records[-1].ema.eval().requires_grad_(False), log=log)


def log_of(name: str) -> list[dict]:
    """The training log that ships beside a model: one record a line, or none at all."""
    return lines_of(cards.PRETRAINED / f"{name}.log.jsonl", "fetch it again")
