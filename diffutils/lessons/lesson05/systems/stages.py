"""The stages of lesson 05's trainings, each to be entered alone: pretraining, then refinement."""

from collections.abc import Callable
from dataclasses import replace

from torch import Tensor

from diffutils.course.experiments.described import EDM, card, one_of
from diffutils.course.experiments.training import train_card
from diffutils.course.machine import best_device
from diffutils.data import ImageSet
from diffutils.lessons.lesson05.inputs.triples import Part, recipe, stored
from diffutils.lessons.lesson05.systems.colouring import coloured
from diffutils.lessons.lesson05.systems.configs import CONFIGS, WALKS
from diffutils.methods import refine
from diffutils.metrics import classifiers, published
from diffutils.weights import models
from diffutils.weights.models import Model

CHANNELS = 4  # of the condition: a sketch, and a reference in colours
RECIPE = (
    "kinds",
    "strength",
    "dropout",
    "turned",
    "own_ink",
)  # fields that say what the network is shown


def pretrain(
    config: str,
    data: ImageSet,
    parts: dict[str, Part],
    budget,
    seed: int,
    train: Callable,
    name: str | None = None,
    watched: Tensor | None = None,
    **changes,
) -> Model:
    """Train one of `CONFIGS` to denoise images beside their sketches and references.

    parts: `triples` of the data with budget.kinds, whose last one stands beside the held-out
    images.  train: as in `experiments.training.train_card`.  watched: conditions whose colourings
    are kept on the way.  changes: of what `fit` is handed, such as an augment of one's own.
    Raises: ValueError for another config.
    """
    arm = one_of(CONFIGS, config, "config")
    about = card(data, budget, seed, name or f"{config}-seed-{seed}", **arm.card)
    about["unet"]["cond_channels"] = CHANNELS
    about["triples"] = {k: getattr(budget, k) for k in RECIPE}
    given = shown(parts, budget, seed, budget.dropout) | changes
    if watched is not None:
        frame, walk = models.build(about, blank=True), WALKS[config]
        sigmas = walk.levels(frame, budget.levels)
        given["draw"] = lambda now: coloured(replace(frame, denoiser=now), watched, sigmas, walk)
    return train_card(about, data, train, f"pretrain/{about['name']}", **given)


def check_fits(model: Model, config: str, budget) -> None:
    """Raise ValueError unless a model is of this config, and saw what the budget would show it."""
    wanted, card = one_of(CONFIGS, config, "config").card, model.card
    channels = getattr(model.denoiser.net, "cond_channels", 0)
    grid = wanted.get("grid", EDM["grid"])
    if (
        card["coefficients"] != wanted["coefficients"]
        or channels != CHANNELS
        or card.get("grid", grid) != grid
    ):
        raise ValueError(
            f"{card['name']!r} learned {card['coefficients']} beside {channels} channels, but "
            f"{config} is {wanted['coefficients']} beside {CHANNELS}, each on its own levels; "
            "choose its own --config"
        )
    for key, saw in card.get("triples", {}).items():
        now = getattr(budget, key)
        if (tuple(saw) if isinstance(saw, list) else saw) != now:
            shown = ",".join(saw) if isinstance(saw, list) else str(saw).lower()
            raise ValueError(
                f"{card['name']!r} was trained with {key} = {saw}, the refinement would have "
                f"{now}; add --set {key}={shown}, or choose other weights"
            )


def shown(parts: dict[str, Part], budget, seed: int, dropout: float) -> dict:
    """What a training sees beside its images, as settings of `fit` and of `refine`."""
    return {
        "cond": parts["train"].cond(*stored(budget.kinds)),
        "heldout_cond": parts["heldout"].cond(budget.kinds[-1]),
        "augment": recipe(budget.kinds, seed, budget.strength, dropout, budget.turned),
    }


def refined(
    model: Model,
    config: str,
    data: ImageSet,
    parts: dict[str, Part],
    budget,
    seed: int,
    train: Callable,
    **changes,
) -> Model:
    """Train a pretrained network on, by the loss at the end of its walk; the refined model.

    The walk is the config's, in budget.levels steps, through the last budget.last of which the
    gradient goes; nothing is hidden from the network.  train(folder, denoiser, images, cond,
    sigmas, **settings of `recorded_refine`) yields the records.  changes: of these settings;
    sigmas: other levels than the config's.
    Raises: ValueError for another config, or for an end loss that these images do not have.
    """
    # Say what is trained, and how.
    walk = one_of(WALKS, config, "config")
    sigmas = changes.pop("sigmas", None)
    sigmas = walk.levels(model, budget.levels) if sigmas is None else sigmas
    name = changes.pop("name", f"{model.card['name']}-refined")
    given = shown(parts, budget, seed, dropout=0.0)
    settings = (
        {
            "steps": budget.refine_steps,
            "batch": budget.refine_batch,
            "lr": budget.refine_lr,
            "warmup": max(1, budget.refine_steps // 20),
            "ema": 0.0,  # as published: the last weights
            "last": budget.last or None,
            "checkpoint": budget.checkpoint,
            "distance": end_loss(budget.end_loss, data, budget.clamp),
            "start": walk.tuned_from,
            "bounded": walk.bounded,
            "walk": {"eta": walk.eta},
            "augment": given["augment"],
            "heldout": data.heldout[: budget.metric_samples],
            "heldout_cond": given["heldout_cond"][: budget.metric_samples],
            "log_every": max(1, budget.refine_steps // 20),
            "seed": seed,
        }
        | changes
    )
    # Write its card.
    about = model.card | {"name": name, "started_from": model.card["name"]}
    about["refinement"] = {"levels": len(sigmas) - 1, "last": settings["last"]}
    about["refinement"] |= {"end_loss": budget.end_loss, "clamp": budget.clamp}
    about["refinement"] |= {k: settings[k] for k in ("steps", "batch", "lr", "seed")}
    for stale in ("trained", "metrics", "sha256", "card_sha256"):
        about.pop(stale, None)
    # Train.
    model.denoiser.requires_grad_(True)
    task = (f"refine/{name}", model.denoiser, data.train, given["cond"], sigmas)
    records = list(train(*task, card=about, **settings))
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    denoiser = records[-1].ema.eval().requires_grad_(False)
    return replace(model, denoiser=denoiser, card=about, log=log)


def end_loss(name: str, data: ImageSet, clamp: bool = False) -> Callable[[Tensor, Tensor], Tensor]:
    """The loss at the end of a walk by its name in the budget.

    lpips: of AlexNet, whose weights must be at hand.  features: of the classifier that ships for
    these images, else of fixed random features.
    Raises: ValueError for another name; FileNotFoundError for weights that are not here.
    """
    makers = {
        "mse": lambda: refine.mse,
        "ssim": lambda: refine.ssim_loss,
        "lpips": lambda: published.AlexNet(published.weights("alexnet")).to(best_device()).distance,
        "features": lambda: refine.feature_loss(features_for(data)),
    }
    distance = one_of(makers, name, "end_loss")()
    return refine.clamped(distance) if clamp else distance


def features_for(data: ImageSet) -> Callable[[Tensor], Tensor]:
    """A network's view of images in [-1, 1], through which gradients flow."""
    name = classifiers.shipped_for(data.name, "features")
    if name is None:
        return classifiers.random_features(data.shape[0]).to(best_device()).features
    return classifiers.load_classifier(name).to(best_device()).features
