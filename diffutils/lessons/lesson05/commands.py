"""Triples of one's own images, written as files."""

import click

from diffutils.course.commands.options import COUNT, FOLDER, SEED, say
from diffutils.data import load, own_path
from diffutils.lessons.lesson05 import written
from diffutils.lessons.lesson05.triples import KINDS
from diffutils.lessons.lesson05.triples import triples as beside


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


COMMANDS = (triples,)
