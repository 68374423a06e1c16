"""Train one model from a budget, in a run directory of its own."""

import math
import re
from dataclasses import replace
from pathlib import Path

import torch

from diffutils import training
from diffutils.course.experiments import measure
from diffutils.course.runs import rundir
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.data import ImageSet, any_size, load, png, to_float
from diffutils.data.downloads import MADE_HERE
from diffutils.data.images import shuffled
from diffutils.denoisers import rms
from diffutils.weights import cards, models

GRID = 32  # images in a sample of the progress


def betas(budget) -> dict:
    """The name of the budget's schedule in `checkpoints.BETAS`, and its arguments."""
    ranged = (
        {}
        if budget.schedule == "cosine"
        else {"beta_min": budget.beta_min, "beta_max": budget.beta_max}
    )
    return {"name": budget.schedule, "arguments": {"T": budget.T} | ranged}


EDM = {  # the three slots that SSIMBaD fills with phi* = sigma/(sigma + c), as EDM has them
    "density": {"name": "log_normal", "arguments": {"P_mean": -1.2, "P_std": 1.2}},
    "embedding": {"name": "log", "arguments": {}},
    "grid": {"name": "karras", "arguments": {"rho": 7.0}},
}


def sigma_data(images: torch.Tensor) -> float:
    """`rms` of the first 10,000 images, a part at a time: photographs in float32 fill a memory."""
    images = images[:10_000]
    squares = [rms(to_float(part)) ** 2 * len(part) for part in images.split(500)]
    return round(math.sqrt(sum(squares) / len(images)), 4)


def card(
    data: ImageSet, budget, seed: int, name: str, predict: str, edm: dict | None = None
) -> dict:
    """What a model is: enough to rebuild the network, and where its data came from.

    edm: for predict = "edm", entries that replace those of `EDM`.
    """
    path, (H, W) = {"betas": betas(budget)}, data.train.shape[-2:]
    if predict == "edm":
        path = {"sigma_data": sigma_data(data.train)} | EDM | (edm or {})
    return {
        "name": name,
        "unet": {
            "in_channels": data.train.shape[1],
            "out_channels": data.train.shape[1],
            "channels": list(budget.channels),
            "blocks": budget.blocks,
            "attention": list(budget.attention),
            "classes": len(data.classes),
        },
        "coefficients": predict,
        **path,
        "size": H if H == W else [H, W],
        "images": len(data.train),
        "classes": list(data.classes),
        "data": data.name.removesuffix(MADE_HERE),  # as `load` knows it
        "source": data.source,
        "licence": data.licence,
        "seed": seed,
        "settings": {
            k: getattr(budget, k)
            for k in (
                "steps",
                "lr",
                "warmup",
                "decay",
                "optimizer",
                "ema",
                "loss",
                "class_dropout",
                "bf16",
            )
        }
        | {"batch": batch_for(data, budget)},
    }


def load_for(dataset: str, budget, seed: int) -> ImageSet:
    """The data set at its own size, or at budget.max_size where it is larger.

    The side is rounded up to what the budget's U-Net can halve, the order is shuffled.  With
    class_dropout = 1 the labels are left out.
    """
    halvings = len(budget.channels) - 1
    data = None
    if not any_size(dataset):  # arrays have a size of their own, files are of any size
        data = load(dataset, limit=budget.images, seed=seed)
    side = budget.max_size if data is None else min(budget.max_size, *data.shape[1:])
    side = -(-side // 2**halvings) * 2**halvings
    if data is None or data.shape[1:] != (side, side):
        data = load(dataset, size=side, limit=budget.images, seed=seed)
    if budget.class_dropout == 1:
        data = replace(data, train_labels=None, heldout_labels=None, classes=())
    return shuffled(data, seed)


def batch_for(data: ImageSet, budget) -> int:
    """Images a step: budget.batch, or fewer so that a step has at most budget.pixels pixels."""
    return max(1, min(budget.batch, budget.pixels // (data.shape[1] * data.shape[2])))


def fit_settings(data: ImageSet, budget) -> dict:
    """The keyword arguments of `training.fit` that the data and a lesson's budget decide."""
    same = ("steps", "lr", "warmup", "ema", "log_every", "bf16", "compile")
    return {name: getattr(budget, name) for name in same} | {
        "batch": batch_for(data, budget),
        "labels": data.train_labels,
        "heldout": data.heldout,
        "heldout_labels": data.heldout_labels,
        "label_dropout": budget.class_dropout,
        "distance": {"mse": torch.square, "l1": torch.abs}[budget.loss],
        "optimizer": {"adamw": torch.optim.AdamW, "adam": torch.optim.Adam}[budget.optimizer],
        "decay": {"cosine": training.cosine, "constant": training.constant}[budget.decay],
    }


def train(
    dataset: str,
    budget,
    out: Path,
    *,
    seed: int = 0,
    name: str,
    start: Path | None = None,
    predict: str = "eps",
    samples: int = 0,
    trdata: bool = False,
    report=print,
) -> dict:
    """Train on a data set in the run directory `out`, and go on from there after a kill.

    start: weights to begin with, with their card beside them; the network must be the same.
    predict: what the network learns to predict, a name in `checkpoints.COEFFICIENTS`.
    samples: draw so many images into out/images at the end; trdata: keep the first training images.
    Writes out/NAME.safetensors (float16), out/NAME.json (card) and what `recorded_fit` keeps.
    Returns the card.  Raises: BlockingIOError when another process works in out; ValueError for a
    name that is no plain file name, or for weights that do not fit.
    """
    from accelerate import Accelerator

    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,99}", name, re.ASCII):
        raise ValueError(
            f"the name of a model is {name!r}; choose 1 to 100 letters, digits, _, - "
            "and ., the first one a letter, a digit or _"
        )

    first = Accelerator().is_main_process  # of several processes, one writes and reports
    report = report if first else lambda line: None
    weights = out / f"{name}.safetensors"
    if start is not None and Path(start).resolve() == weights.resolve():
        raise ValueError(f"start is {start}, which this run would overwrite; choose another --name")
    if first:
        rundir.hold(out)
    data = load_for(dataset, budget, seed)
    info = card(data, budget, seed, name, predict)
    torch.manual_seed(seed)
    model = models.build(info)
    if start is not None:
        before = cards.load_weights(start, model.denoiser.net)
        info["started_from"] = {
            k: before[k]
            for k in ("name", "coefficients", "data", "images", "seed", "settings", "started_from")
            if k in before
        }
    count = sum(p.numel() for p in model.denoiser.parameters())
    report(
        f"{name}: {len(data.train):,} images {tuple(data.train.shape[1:])}, "
        f"{count:,} parameters, {budget.steps:,} steps of {batch_for(data, budget)}"
    )
    labels = measure.asked_labels(data, GRID)

    def draw(denoiser, n: int = GRID, labels=labels) -> torch.Tensor:
        drawn = replace(model, denoiser=denoiser)
        steps = budget.sample_steps if predict == "edm" else min(budget.sample_steps, budget.T)
        return measure.generate(drawn, n, steps=steps, labels=labels, seed=seed)

    records = recorded_fit(
        out,
        model.denoiser,
        data.train,
        model.density,
        card=info,
        draw=draw,
        draws=20,
        trdata=trdata,
        say=report,
        seed=seed,
        **fit_settings(data, budget),
    )
    for r in records:
        if not r.replayed:
            report(
                f"  step {r.step:6d}  loss {r.loss:.4f}  held-out "
                f"{math.nan if r.heldout is None else r.heldout:.4f}  "
                f"{r.images_per_second:.0f} images/s"
            )
    if first:
        if samples:
            png.write_images(out / "images", draw(r.ema, samples, None))
        rundir.release(out)
    return cards.read_card(weights)
