"""A training as data: the card that says what it is, the images it names, the settings it means."""

import hashlib
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from diffutils import loop, schedules
from diffutils.course import machine, parameters
from diffutils.course.runs import fingerprint
from diffutils.data import DRAWN, ImageSet, any_size, load, to_float
from diffutils.data.downloads import MADE_HERE
from diffutils.data.images import PARTS, limited, resized, shuffled
from diffutils.denoisers import edm as preconditioning
from diffutils.denoisers import rms
from diffutils.weights import files
from diffutils.weights.warned import warn

# What the settings on a card name.
LOSSES = {"mse": torch.square, "l1": torch.abs}
OPTIMIZERS = {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}
DECAYS = {"cosine": loop.cosine, "constant": loop.constant}
NUMBERS = ("steps", "lr", "warmup", "ema", "bf16", "compile", "log_every")  # as `fit` has them
SETTINGS = (*NUMBERS, "loss", "optimizer", "decay", "class_dropout")

SMALLEST = 16  # pixels a side that the networks read on which distances are measured
LESS = "choose fewer images, smaller ones (max_size), a smaller batch or fewer channels"
_ready: dict[tuple, ImageSet] = {}  # of `make_ready`: one set, taken once

EDM = {  # the three slots that SSIMBaD fills with phi* = sigma/(sigma + c), as EDM has them
    "density": {"name": "log_normal", "arguments": {"P_mean": -1.2, "P_std": 1.2}},
    "embedding": {"name": "log", "arguments": {}},
    "grid": {"name": "karras", "arguments": {"rho": 7.0}},
}


def betas(budget) -> dict:
    """The name of the budget's schedule in `models.BETAS`, and its arguments."""
    fields = ("T",) if budget.schedule == "cosine" else ("T", "beta_min", "beta_max")
    return {"name": budget.schedule, "arguments": {k: getattr(budget, k) for k in fields}}


def ddpm_levels(data: ImageSet, budget) -> dict:
    """Entries of a card whose noise levels are DDPM's table."""
    return {"betas": betas(budget)}


def sigma_data(images: Tensor) -> float:
    """`rms` of the first 10,000 images, a part at a time: photographs in float32 fill a memory."""
    images = images[:10_000]
    squares = [rms(to_float(part)) ** 2 * len(part) for part in images.split(500)]
    return round(math.sqrt(sum(squares) / len(images)), 4)


def edm_levels(data: ImageSet, budget) -> dict:
    """Entries of a card whose noise levels are EDM's."""
    return {"sigma_data": sigma_data(data.train)} | EDM


LEVELS = {"eps": ddpm_levels, "x0": ddpm_levels, "v": ddpm_levels, "edm": edm_levels}


def card(
    data: ImageSet, budget, seed: int, name: str, coefficients: str = "eps", **entries
) -> dict:
    """What a training is: enough to build the network, to find its images, and to train it again.

    coefficients: what the network learns to predict.  entries: take the place of those that follow
    from it and from the budget, those of unet one by one, and add weight, one of `weights`, or
    parts.  Of one's own files it keeps the path in full, its place in the checkout, and what was
    loaded (`contents`).
    Raises: ValueError for a training that this machine has not the memory for.
    """
    machine.check_memory(memory(data, budget), machine.best_device(), LESS)
    channels, H, W = data.shape
    unet = {"in_channels": channels, "out_channels": channels}
    unet |= {k: getattr(budget, k) for k in ("channels", "blocks", "attention")}
    about = {
        "name": name,
        "unet": unet | {"classes": len(data.classes)},
        "coefficients": coefficients,
        **one_of(LEVELS, coefficients, "coefficients")(data, budget),
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
    # Say what lies in one's own files, and where.
    if ":" in about["data"]:
        about["data"] = parameters.in_full(about["data"])
        path = Path(about["data"].partition(":")[2])
        if files.CHECKOUT and path.is_relative_to(files.CHECKOUT):
            about["place"] = path.relative_to(files.CHECKOUT).as_posix()
        about["contents"] = contents(data)
    entries["unet"] = about["unet"] | entries.get("unet", {})
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
    said = about.get("settings", {})
    _said(about, "name", "seed", "sigma_data" if "weight" in about else "name")
    _said(said, *SETTINGS, "batch")
    weight = None
    if "weight" in about:
        weight = one_of(weights(about["sigma_data"]), about["weight"], "weight")
    return {k: said[k] for k in (*NUMBERS, "batch")} | {
        "seed": about["seed"],
        "labels": data.train_labels,
        "heldout": data.heldout,
        "heldout_labels": data.heldout_labels,
        "label_dropout": said["class_dropout"],
        "distance": one_of(LOSSES, said["loss"], "loss"),
        "optimizer": one_of(OPTIMIZERS, said["optimizer"], "optimizer"),
        "decay": one_of(DECAYS, said["decay"], "decay"),
        "weight": weight,
    }


def _said(about: dict, *names: str) -> None:
    """ValueError for a card that lacks one of these entries."""
    if lost := [name for name in dict.fromkeys(names) if name not in about]:
        raise ValueError(
            f"the card does not say its {', '.join(lost)}, so that it cannot be trained or "
            "measured again; take a card that `described.card` made"
        )


def one_of(table: dict, name, what: str):
    """An entry of a table by its name.  Raises: ValueError, with the names, for another."""
    if not isinstance(name, str) or name not in table:
        raise ValueError(f"{what} is {name!r}; choose from {', '.join(table)}")
    return table[name]


def load_for(dataset: str, budget, seed: int) -> ImageSet:
    """The data set at its own size, or at budget.max_size where it is larger, in a random order.

    The side is rounded up to what the budget's U-Net can halve, and to `SMALLEST`.  With
    class_dropout = 1 the labels are left out.
    Raises: as `load`; ValueError for fewer images than budget.NEEDS, or more than the memory holds.
    """
    if (ready := _ready.pop(_asked(dataset, budget, seed), None)) is not None:
        return ready

    # Load at the size of the set, or, where that is any, at the budget's.
    def rounded(side: int) -> int:
        divisor = 2 ** (len(budget.channels) - 1)
        return -(-max(SMALLEST, side) // divisor) * divisor

    size = rounded(budget.max_size) if any_size(dataset) else None
    if dataset in DRAWN:  # as many as asked for, which may be more than fit
        bytes_each = 3 * rounded(budget.max_size) ** 2
        machine.check_memory(1.1 * bytes_each * budget.images, torch.device("cpu"), LESS)
    data = load(dataset, size=size, limit=budget.images, seed=seed)
    side = size or rounded(min(budget.max_size, *data.shape[1:]))
    if data.shape[1:] != (side, side):
        data = replace(resized(data, side), loaded=data.loaded | {"size": side})
    # Refuse what cannot be trained, or not judged, before anything is.
    needs = budget.NEEDS
    if len(data.train) < needs.train or len(data.heldout) < needs.heldout:
        raise ValueError(
            f"{dataset} has {len(data.train)} training and {len(data.heldout)} held-out images, "
            f"but {needs.train} and {needs.heldout} are needed: {needs.why}; add images, or choose "
            "another data set"
        )
    machine.check_memory(memory(data, budget), machine.best_device(), LESS)
    # Ask for classes only where the held-out images have them, too.
    if budget.class_dropout == 1 or data.heldout_labels is None:
        if data.classes and budget.class_dropout < 1:
            warn(f"{dataset}: the held-out images have no labels, so that no labels are used")
        data = data.without_labels()
    return shuffled(data, seed)


def make_ready(dataset: str, budget, seed: int) -> None:
    """Load now what the next `load_for` gives, so that what it refuses is refused now."""
    _ready.clear()
    data = load_for(dataset, budget, seed)
    _ready[_asked(dataset, budget, seed)] = data


def _asked(dataset: str, budget, seed: int) -> tuple:
    """What decides the answer of `load_for`, the files as they are now among it."""
    return parameters.in_full(dataset), fingerprint.files(dataset), budget, seed


def memory(data: ImageSet, budget) -> float:
    """Bytes that a training and its measurements take at most, within a factor of two.

    Per image a residual block keeps about 16 numbers a pixel and channel, attention two matrices
    of pixels by pixels a head; a weight stands in memory six times (measured on a CPU).
    """
    C, H, W = data.shape
    kept = weights = 0
    last = len(budget.channels) - 1
    for i, (width, attends) in enumerate(zip(budget.channels, budget.attention, strict=True)):
        blocks, pixels = 2 * budget.blocks + 2 * (i == last), H * W / 4**i
        kept += blocks * pixels * (16 * width + 2 * attends * max(1, width // 32) * pixels)
        weights += blocks * width * (26 * width + 8 * budget.channels[0])
    images = C * H * W * (len(data.train) + len(data.heldout))
    n = min(getattr(budget, "metric_samples", 0), len(data.train), len(data.heldout))
    return 4 * (batch_for(data, budget) * kept + 6 * weights) + images + 24 * n**2


def contents(data: ImageSet) -> dict[str, str]:
    """What a set holds, by part: how many images, and a digest of pixels and classes in any order.

    Of the images as they were loaded: names, dates and places of the files do not count.
    """
    found = {}
    for part in PARTS:
        images, labels = getattr(data, part), getattr(data, f"{part}_labels")
        names = [""] * len(images)
        if data.classes and labels is not None:
            names = [data.classes[i] for i in labels]
        both = zip(images.contiguous(), names, strict=True)
        keys = [hashlib.sha256(x.numpy().tobytes() + name.encode()).digest() for x, name in both]
        found[part] = f"{len(keys):,} images {fingerprint.digest(b''.join(sorted(keys)))}"
    return found


def images_of(about: dict, **changes) -> ImageSet:
    """The images that a card's model was trained on, and the held-out ones that it never saw.

    changes: of what `data.load` is asked for, or of the order (`data.images.shuffled`).
    Raises: as `load`; ValueError for files of one's own that are not what they were then.
    """
    _said(about, "size", "images", "seed", "data")
    asked = {"size": about["size"], "limit": about["images"], "seed": about["seed"]}
    asked |= about.get("loaded", {})
    order = (asked | changes).get("order")
    asked, changes = ({k: v for k, v in x.items() if k != "order"} for x in (asked, changes))
    name, then = _where(about), about.get("contents")
    data = load(name, **asked | ({} if then else changes))
    data = data if about.get("classes") else data.without_labels()
    # Of one's own files compare all that was loaded then, and give what is asked for now.
    if then:
        if changed := fingerprint.differences(then, contents(data)):
            raise ValueError(
                f"{name} is not what {about.get('name', 'it')} was trained on ({changed}): put the "
                "files back, or train again on what is there now"
            )
        data = limited(data, changes.get("limit"), changes.get("heldout"), asked["seed"])
        data = replace(data, loaded=data.loaded | changes)
    return data if order is None else shuffled(data, order)


def _where(about: dict) -> str:
    """The data set of a card; where a checkout was moved with the files in it, they move along."""
    kind, colon, path = about["data"].partition(":")
    place = about.get("place")
    if colon and place and files.CHECKOUT and not Path(path).exists():
        if (moved := files.CHECKOUT / place).exists():
            return f"{kind}:{moved}"
    return about["data"]
