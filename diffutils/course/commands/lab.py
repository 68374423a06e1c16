"""Open the lessons for work, or write them out for a class."""

import subprocess
import sys

import click

from diffutils.course.commands.options import LESSONS, PATH, clear_errors
from diffutils.course.exercises import workspace
from diffutils.course.runs import headless
from diffutils.weights.files import CHECKOUT


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("jupyter_arguments", nargs=-1, type=click.UNPROCESSED)
def lab(jupyter_arguments):
    """Open your copies of the lessons, in work/, in JupyterLab; further arguments go to it."""
    work = CHECKOUT / "work"
    with clear_errors():
        for line in workspace.prepare(headless.select(), CHECKOUT / "figures", work):
            click.echo(line)
    command = [sys.executable, "-m", "jupyterlab", str(work), *jupyter_arguments]
    sys.exit(subprocess.run(command, cwd=CHECKOUT).returncode)


@click.command()
@LESSONS
@click.argument("out", type=PATH)
def export(lessons, out):
    """Write a set for students, without solutions, and one for instructors into OUT."""
    with clear_errors():
        for path in workspace.export(headless.select(lessons), CHECKOUT / "figures", out):
            click.echo(path)
