"""The search for phi* on images of one's own."""

import click

from diffutils.course.commands.options import JSON, SEED, clear_errors, say_aside
from diffutils.lessons.lesson04 import search
from diffutils.weights.files import write_json


@click.command()
@click.argument("dataset")
@click.option(
    "--size",
    type=click.IntRange(4, 1024),
    help="Side in pixels; default 128, but arrays such as sprites keep their own.",
)
@click.option(
    "-n",
    type=click.IntRange(2, 1000),
    default=20,
    show_default=True,
    help="Training images, and as many held-out ones.",
)
@SEED
@click.option(
    "--window",
    type=click.Choice(["uniform", "gaussian"]),
    default="uniform",
    show_default=True,
    help="SSIM's window: 7 x 7 as published, or 11 x 11.",
)
@JSON
def phi(out, **settings):
    """Search the noise coordinate in which the SSIM of DATASET falls most evenly.

    DATASET is photos, faces, folder:PATH or any other name of the data command.
    """
    with clear_errors():
        result = search.report(**settings, say=say_aside)
        if out:
            write_json(out, result)
    click.echo(search.text(result))


COMMANDS = (phi,)
