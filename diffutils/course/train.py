"""Train one model from a budget and keep what came of it: weights, card, log."""

import json
import math
import os
import time
from dataclasses import replace
from pathlib import Path

import torch

from diffutils import checkpoints, training
from diffutils.data import ImageSet, load
from diffutils.data.images import shuffled

SAVE_EVERY = 300  # seconds between saves of the averaged weights


def card(data: ImageSet, budget, seed: int, name: str) -> dict:
    """What a model is: enough to rebuild the network, and where its data came from."""
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
        "coefficients": "eps",
        "betas": {"name": budget.schedule, "arguments": {"T": budget.T}},
        "size": data.train.shape[-1],
        "images": len(data.train),
        "classes": list(data.classes),
        "data": data.name,
        "source": data.source,
        "licence": data.licence,
        "seed": seed,
        "settings": {
            k: getattr(budget, k)
            for k in ("steps", "lr", "warmup", "decay", "optimizer", "ema", "loss", "class_dropout",
                      "bf16")
        }
        | {"batch": batch_for(data, budget)},
    }


def load_for(dataset: str, budget, seed: int) -> ImageSet:
    """The data set at its own size, or at budget.max_size where it is larger.

    The side is rounded up to what the budget's U-Net can halve, the order is shuffled.  With
    class_dropout = 1 the labels are left out.
    """
    halvings = len(budget.channels) - 1
    made_to_size = dataset in ("faces", "photos") or dataset.startswith(("folder:", "zip:"))
    data = None
    if not made_to_size:  # arrays have a size of their own, files are of any size
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


def train(dataset: str, budget, out: Path, *, seed: int = 0, name: str,
          start: Path | None = None, report=print) -> dict:
    """Train on a data set, saving averaged weights every five minutes and at the end.

    start: weights to go on from, with their card beside them; the network must be the same.
    Writes out/NAME.safetensors (float16), out/NAME.json (card) and out/NAME.log.jsonl.
    Returns the card.
    """
    from accelerate import PartialState

    out.mkdir(parents=True, exist_ok=True)
    first = PartialState().is_main_process  # of several processes, one writes and reports
    report = report if first else lambda line: None
    data = load_for(dataset, budget, seed)
    info = card(data, budget, seed, name)
    torch.manual_seed(seed)
    model = checkpoints.build(info)
    if start is not None:
        before = checkpoints.load_weights(start, model.denoiser.net)
        info["started_from"] = {k: before[k] for k in ("name", "images", "seed", "settings")}
    count = sum(p.numel() for p in model.denoiser.parameters())
    report(f"{name}: {len(data.train):,} images {tuple(data.train.shape[1:])}, "
           f"{count:,} parameters, {budget.steps:,} steps of {batch_for(data, budget)}")
    began = saved = time.monotonic()
    with open(out / f"{name}.log.jsonl" if first else os.devnull, "w") as log:
        records = training.fit(
            model.denoiser, data.train, model.schedule, seed=seed, **fit_settings(data, budget)
        )
        for r in records:
            line = {k: v for k, v in vars(r).items() if isinstance(v, int | float)}
            log.write(json.dumps(line) + "\n")
            log.flush()
            report(f"  step {r.step:6d}  loss {r.loss:.4f}  held-out "
                   f"{math.nan if r.heldout is None else r.heldout:.4f}  "
                   f"{r.images_per_second:.0f} images/s")
            if first and (time.monotonic() - saved > SAVE_EVERY or r.step == budget.steps):
                info["trained"] = {
                    "steps": r.step, **checkpoints.provenance(began),
                    "loss": round(r.loss, 5), "heldout_loss": r.heldout and round(r.heldout, 5),
                }
                checkpoints.save_weights(out / f"{name}.safetensors", r.ema.net, info)
                saved = time.monotonic()
    return info
