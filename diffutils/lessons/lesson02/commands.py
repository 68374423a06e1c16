"""Train lesson 02's model on any data set."""

from pathlib import Path

import click

from diffutils.course.commands.options import (
    FOLDER,
    MOST,
    PATH,
    PROFILE,
    SEED,
    SET,
    overrides,
    say,
)
from diffutils.course.experiments.described import LEVELS, ddpm_levels
from diffutils.course.experiments.training import train as train_model
from diffutils.weights.models import COEFFICIENTS

TABLE = ("schedule", "T", "beta_min", "beta_max")  # fields that only DDPM's betas have a use for


@click.command()
@click.option("--dataset", default="sprites", show_default=True, help="See the data command.")
@PROFILE
@SET
@SEED
@click.option("--name", default="model", show_default=True, help="Name of the files.")
@click.option("--out", type=FOLDER, default=Path("runs/train"), show_default=True)
@click.option("--start", type=PATH, help="Weights to go on from.")
@click.option(
    "--predict",
    type=click.Choice([*COEFFICIENTS]),
    default="eps",
    show_default=True,
    help="What the network learns to predict.",
)
@click.option(
    "--samples",
    type=click.IntRange(0, MOST),
    default=0,
    show_default=True,
    help="Draw so many images into --out/images at the end.",
)
@click.option("--trdata", is_flag=True, help="Keep the first training images, as seen.")
@click.pass_obj
def train(contents, dataset, profile, changes, out, name, predict, **settings):
    """Train lesson 02's model; --out is its run directory, from which a killed run goes on."""
    given = overrides(changes)
    wrong = [field for field in TABLE if field in given]
    if wrong and LEVELS[predict] is not ddpm_levels:
        raise ValueError(
            f"--set {wrong[0]} belongs to DDPM's table of betas, which --predict {predict} "
            "does not have; leave one of the two out"
        )
    budget = contents.budget("02", profile, given)
    settings |= {"name": name, "predict": predict, "report": say}
    train_model(dataset, budget, out, **settings)
    say(f"Weights and card: {out / name}.safetensors, .json")


TRAINING = train
