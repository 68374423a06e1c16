"""A training as data: the card that says what it is, the images it names, the settings it means."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from diffutils import loop, schedules
from diffutils.data import ImageSet, any_size, load, to_float
from diffutils.data.downloads import MADE_HERE
from diffutils.data.images import shuffled
from diffutils.denoisers import edm as preconditioning
from diffutils.denoisers import rms
from diffutils.weights import files

# What the settings on a card name.
LOSSES = {"mse": torch.square, "l1": torch.abs}
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
DECAYS = {"cosine": loop.cosine, "constant": loop.constant}
NUMBERS = ("steps", "lr", "warmup", "ema", "bf16", "compile", "log_every")  # as `fit` has them
SETTINGS = (*NUMBERS, "loss", "optimizer", "decay", "class_dropout")

EDM = {  # the three slots that SSIMBaD fills with phi* = sigma/(sigma + c), as EDM has them
    "density": {"name": "log_normal", "arguments": {"P_mean": -1.2, "P_std": 1.2}},
    "embedding": {"name": "log", "arguments": {}},
    "grid": {"name": "karras", "arguments": {"rho": 7.0}},
}


def betas(budget) -> dict:
    """The name of the budget's schedule in `models.BETAS`, and its arguments."""
    fields = ("T",) if budget.schedule == "cosine" else ("T", "beta_min", "beta_max")
    return {"name": budget.schedule, "arguments": {k: getattr(budget, k) for k in fields}}


def sigma_data(images: Tensor) -> float:
    """`rms` of the first 10,000 images, a part at a time: photographs in float32 fill a memory."""
    images = images[:10_000]
    squares = [rms(to_float(part)) ** 2 * len(part) for part in images.split(500)]
    return round(math.sqrt(sum(squares) / len(images)), 4)


def ddpm_levels(data: ImageSet, budget) -> dict:
    """Entries of a card whose noise levels are DDPM's table."""
    return {"betas": betas(budget)}


def edm_levels(data: ImageSet, budget) -> dict:
    """Entries of a card whose noise levels are EDM's."""
    return {"sigma_data": sigma_data(data.train)} | EDM


LEVELS = {"eps": ddpm_levels, "x0": ddpm_levels, "v": ddpm_levels, "edm": edm_levels}


def card(
    data: ImageSet, budget, seed: int, name: str, coefficients: str = "eps", **entries
) -> dict:
    """What a training is: enough to build the network, to find its images, and to train it again.

    coefficients: what the network learns to predict.  entries: take the place of those that follow
    from it and from the budget, and add weight, one of `weights`.
    """
    channels, H, W = data.shape
    unet = {"in_channels": channels, "out_channels": channels}
    unet |= {k: getattr(budget, k) for k in ("channels", "blocks", "attention")}
    about = {
        "name": name,
        "unet": unet | {"classes": len(data.classes)},
        "coefficients": coefficients,
        **LEVELS[coefficients](data, budget),
        "size": H if H == W else [H, W],
        "images": len(data.train),
        "classes": data.classes,
        "data": data.name.removesuffix(MADE_HERE),  # as `load` knows it
        "loaded": data.loaded,
        "source": data.source,
        "licence": data.licence,
        "seed": seed,
        "settings": {k: getattr(budget, k) for k in SETTINGS} | {"batch": batch_for(data, budget)},
    }
    return files.finite(about | entries)  # as JSON gives it back


def batch_for(data: ImageSet, budget) -> int:
    """Images a step: budget.batch, or fewer so that a step has at most budget.pixels pixels."""
    return max(1, min(budget.batch, budget.pixels // (data.shape[1] * data.shape[2])))


def weights(sigma_data: float) -> dict[str, Callable[[Tensor], Tensor] | None]:
    """Factors of `Denoiser.loss`, which without one has EDM's lambda(sigma) = 1/c_out^2 in it.

    none: plain |D - x0|^2, as SSIMBaD trains.  lambda': times p_EDM/p_phi, so that drawing sigma
    from phi*'s density gives the expected loss of drawing it from EDM's.
    """
    normal, logistic = schedules.log_normal_density, schedules.log_logistic_density
    return {
        "lambda": None,
        "none": lambda sigma: preconditioning(sigma, sigma_data)[1] ** 2,
        "lambda'": lambda sigma: normal(sigma) / logistic(sigma),
    }


def fit_settings(about: dict, data: ImageSet) -> dict:
    """The keyword arguments of `training.fit` that a card and its data decide.

    Raises: ValueError for a card that lacks a setting.
    """
    said = about["settings"]
    if lost := [k for k in (*SETTINGS, "batch") if k not in said]:
        raise ValueError(
            f"the card {about['name']!r} does not say its {', '.join(lost)}, so that it cannot be "
            "trained again; take a card that `described.card` made"
        )
    weight = weights(about["sigma_data"])[about["weight"]] if "weight" in about else None
    return {k: said[k] for k in (*NUMBERS, "batch")} | {
        "seed": about["seed"],
        "labels": data.train_labels,
        "heldout": data.heldout,
        "heldout_labels": data.heldout_labels,
        "label_dropout": said["class_dropout"],
        "distance": LOSSES[said["loss"]],
        "optimizer": OPTIMIZERS[said["optimizer"]],
        "decay": DECAYS[said["decay"]],
        "weight": weight,
    }


def load_for(dataset: str, budget, seed: int) -> ImageSet:
    """The data set at its own size, or at budget.max_size where it is larger.

    The side is rounded up to what the budget's U-Net can halve, the order is shuffled.  With
    class_dropout = 1 the labels are left out.
    """
    side, divisor = budget.max_size, 2 ** (len(budget.channels) - 1)
    data = None
    if not any_size(dataset):  # arrays have a size of their own, files are of any size
        data = load(dataset, limit=budget.images, seed=seed)
        side = min(side, *data.shape[1:])
    side = -(-side // divisor) * divisor
    if data is None or data.shape[1:] != (side, side):
        data = load(dataset, size=side, limit=budget.images, seed=seed)
    return shuffled(data.without_labels() if budget.class_dropout == 1 else data, seed)


def images_of(about: dict, **changes) -> ImageSet:
    """The images that a card's model was trained on, and the held-out ones that it never saw.

    changes: of what `data.load` is asked for, or of the order (`data.images.shuffled`).
    """
    asked = {"size": about["size"], "limit": about["images"], "seed": about["seed"]}
    asked |= about.get("loaded", {}) | changes
    order = asked.pop("order", None)
    data = load(about["data"], **asked)
    data = data if about.get("classes") else data.without_labels()
    return data if order is None else shuffled(data, order)
