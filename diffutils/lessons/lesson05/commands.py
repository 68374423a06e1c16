"""Triples of one's own images, written as files; lesson 05's networks, trained stage by stage."""

from dataclasses import replace
from pathlib import Path

import click

from diffutils.course.commands.options import (
    COUNT,
    FOLDER,
    PATH,
    PROFILE,
    SEED,
    SET,
    overrides,
    say,
)
from diffutils.course.experiments.described import load_for
from diffutils.course.runs import rundir
from diffutils.course.runs.recorded_fit import training_in
from diffutils.data import load, own_path
from diffutils.lessons.lesson05.inputs import written
from diffutils.lessons.lesson05.inputs.triples import KINDS, kinds_for
from diffutils.lessons.lesson05.inputs.triples import triples as beside
from diffutils.lessons.lesson05.systems import stages
from diffutils.lessons.lesson05.systems.configs import CONFIGS
from diffutils.weights import models


@click.command()
@click.argument("images")
@click.argument("out", type=FOLDER)
@click.option(
    "--size", type=click.IntRange(16, 1024), default=64, show_default=True, help="Side in pixels."
)
@click.option("--limit", type=COUNT, help="At most so many training images; by default all.")
@click.option(
    "--reference",
    type=click.Choice(KINDS),
    default=KINDS[0],
    show_default=True,
    help="The image itself, bent; of faces also the same head turned, or another head.",
)
@SEED
def triples(images, out, size, limit, reference, seed):
    """Write image, sketch and reference of IMAGES into OUT/train and OUT/val, a new folder.

    IMAGES is a folder, or any name of the data command, such as zip:FILE or faces.
    """
    written.check_new(out)  # before the long work
    name = f"folder:{images}" if ":" not in images and own_path(images).is_dir() else images
    data = load(name, size=size, limit=limit, seed=seed, say=say)
    n = len(data.train) + len(data.heldout)
    say(f"Sketching {n:,} images, and making their references ...")
    written.write(out, beside(data, [reference], seed), reference, say)


@click.command()
@click.option("--config", type=click.Choice([*CONFIGS]), default="ssimbad", show_default=True)
@click.option(
    "--stage", type=click.Choice(["pretrain", "refine"]), default="pretrain", show_default=True
)
@click.option(
    "--from",
    "weights",
    type=PATH,
    help="What to refine, a .safetensors file; by default what --out was pretrained to.",
)
@click.option("--dataset", default="faces", show_default=True, help="See the data command.")
@PROFILE
@SET
@SEED
@click.option("--out", type=FOLDER, default=Path("runs/train-05"), show_default=True)
@click.pass_obj
def train(contents, config, stage, weights, dataset, profile, changes, seed, out):
    """Train lesson 05's networks; --out is the run directory, from which a killed run goes on."""
    # Find what to begin with before the long work.
    budget = contents.budget("05", profile, overrides(changes))
    model = None
    if stage == "refine":
        name = f"{config}-seed-{seed}"
        model = models.load_model(weights or out / "pretrain" / name / f"{name}.safetensors")
    elif weights is not None:
        raise ValueError("--from belongs to --stage refine; a pretraining begins from nothing")
    rundir.check_free(out)
    data = load_for(dataset, budget, seed)
    budget = replace(budget, kinds=kinds_for(data, budget.kinds, say))
    if model is not None:
        stages.check_fits(model, config, budget)
    say(f"Sketching {len(data.train) + len(data.heldout):,} images ...")
    parts = beside(data, budget.kinds, seed, budget.turned, budget.own_ink)

    # Train, alone in the run directory.
    rundir.hold(out)
    kept = training_in(out, say)
    try:
        if model is None:
            done = stages.pretrain(config, data, parts, budget, seed, kept)
        else:
            given = (model, config, data, parts, budget, seed)
            done = stages.refined(*given, kept)
    finally:
        rundir.release(out)
    folder = out / ("refine" if model else "pretrain") / done.card["name"]
    say(f"Weights and card: {folder / done.card['name']}.safetensors, .json")


COMMANDS = (triples,)
TRAINING = train
