"""Run the tests."""

import subprocess
import sys

import click

from diffutils.weights.files import CHECKOUT


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="The slow tests too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(everything, pytest_arguments):
    """Run what CI runs; further arguments go to pytest."""
    marks = ["-m", "slow or not slow"] if everything else []
    command = [sys.executable, "-m", "pytest", *marks, *pytest_arguments]
    sys.exit(subprocess.run(command, cwd=CHECKOUT).returncode)
