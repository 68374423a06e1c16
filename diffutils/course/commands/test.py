"""Run the tests."""

import os
import sys

import click

from diffutils.course.commands.group import become
from diffutils.course.machine import threads
from diffutils.weights.files import CHECKOUT


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="The slow tests too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(everything, pytest_arguments):
    """Run what CI runs, a process for each core; further arguments go to pytest."""
    if CHECKOUT is None:
        raise click.UsageError("the tests are not installed; run them in a clone")
    marks = ["-m", "slow or not slow"] if everything else []
    # One thread each: several that wait for each other's cores by spinning are far slower.
    shared = ["-n", str(threads()), "--dist", "worksteal"]
    environment = {"OMP_NUM_THREADS": "1"} | os.environ
    command = [sys.executable, "-m", "pytest", *shared, *marks, *pytest_arguments]
    become(command, CHECKOUT, environment)
