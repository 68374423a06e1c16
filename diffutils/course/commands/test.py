"""Run the tests."""

import sys

import click

from diffutils.course.commands.group import become
from diffutils.weights.files import CHECKOUT


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="The slow tests too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(everything, pytest_arguments):
    """Run what CI runs; further arguments go to pytest."""
    if CHECKOUT is None:
        raise click.UsageError("the tests are not installed; run them in a clone")
    marks = ["-m", "slow or not slow"] if everything else []
    become([sys.executable, "-m", "pytest", *marks, *pytest_arguments], CHECKOUT)
