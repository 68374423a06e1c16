"""List the data sets, and fetch one."""

import click

from diffutils.course.commands.options import say
from diffutils.course.tables import aligned
from diffutils.data import catalogue, download


@click.group(invoke_without_command=True)
@click.pass_context
def data(context):
    """List the data sets: size, licence, and whether they are here."""
    if context.invoked_subcommand:
        return
    rows = [("name", "what", "pixels", "images", "licence", "where")]
    rows += [(r.name, r.what, r.size, r.count, r.licence, r.where) for r in catalogue()]
    say(aligned(rows, width=None))


@data.command()
@click.argument("name")
def get(name):
    """Download the published set NAME, or the weights `inception` or `alexnet`, once."""
    say(f"{name} is in {download(name, report=say)}")
