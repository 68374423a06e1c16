"""The search for phi* on images of one's own."""

import click

from diffutils.course.commands.options import JSON, SEED, result, say_aside
from diffutils.lessons.lesson04 import search


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
    found = search.report(**settings, say=say_aside)
    result(out, found, search.text(found))


COMMANDS = (phi,)
