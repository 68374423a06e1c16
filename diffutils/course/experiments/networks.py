"""The networks that a lesson samples from: shipped ones, or trained as in lesson 02."""

from collections.abc import Callable
from types import SimpleNamespace

import torch

from diffutils.course.experiments.rows import read
from diffutils.course.experiments.training import card, fit_settings, load_for
from diffutils.course.machine import best_device
from diffutils.data import ImageSet, load
from diffutils.data.images import shuffled
from diffutils.weights import cards
from diffutils.weights import models as models_

SHIPPED = {"eps": {"sprites": "sprites", "faces": "faces64"}, "edm": {"sprites": "sprites-edm"}}


def networks(
    dataset: str, budget, seed: int, train: Callable, predict: str = "eps"
) -> tuple[list[SimpleNamespace], ImageSet]:
    """Trained models, one for each training seed, and images; no model knows the held-out ones.

    With budget.pretrained the model that ships for the data set, where one does; else budget.seeds
    trainings.  train: a lesson's `train`, which goes on after a kill.  predict: "eps" for lesson
    02's networks, "edm" for lesson 04's.
    A model is what `checkpoints.build` returns, and .log: step, loss and heldout of each record.
    """
    name = SHIPPED[predict].get(dataset)
    if budget.pretrained and name in models_.shipped():
        model = models_.pretrained(name)
        model.denoiser.to(best_device())
        model.log = log_of(name)
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
) -> SimpleNamespace:
    about = card(data, budget, seed, name, predict)
    torch.manual_seed(seed)
    model = models_.build(about)
    settings = fit_settings(data, budget) | {"seed": seed}
    records = list(train(name, model.denoiser, data.train, model.density, card=about, **settings))
    model.denoiser = records[-1].ema.eval().requires_grad_(False)
    model.log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    return model


def log_of(name: str) -> list[dict]:
    """The training log that ships beside a model: one record a line, or none at all."""
    return read(cards.PRETRAINED / f"{name}.log.jsonl", "fetch it again")
