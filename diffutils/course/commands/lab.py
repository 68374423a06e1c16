"""Open the lessons for work, or write them out for a class."""

import os
import sys

import click

from diffutils.course.budgets import profile_name
from diffutils.course.commands.group import become
from diffutils.course.commands.options import FOLDER, LESSONS, PROFILE, say
from diffutils.course.runs import headless
from diffutils.course.workbook import progress, workspace

WRITTEN = """
{out}/student     for students: no solutions, no answers, nothing run
{out}/instructor  for you: solutions filled in, run at {profile}
Each folder holds the pictures that its lessons show. Give students the first one alone; and know
that every copy of the repository, and the installed package, holds the answers.
""".strip()


@click.command(context_settings={"ignore_unknown_options": True})
@click.option("--work", type=FOLDER, help="Your folder; by default work/ of the checkout.")
@click.argument("jupyter_arguments", nargs=-1, type=click.UNPROCESSED)
def lab(work, jupyter_arguments):
    """Open your copies of the lessons, in work/, in JupyterLab; further arguments go to it.

    Where there is no checkout, or it cannot be written, work/ is made where you are, or at home.
    """
    work = (work or progress.work_folder()).resolve()
    say(f"Your copies of the lessons: {work}")
    for line in workspace.prepare(headless.select(), work):
        say(line)
    kernels = os.environ | {progress.WORK: str(work)}  # they note there what is solved
    become([sys.executable, "-m", "jupyterlab", str(work), *jupyter_arguments], work, kernels)


@click.command()
@LESSONS
@PROFILE
@click.argument("out", type=FOLDER)
@click.pass_obj
def export(contents, lessons, profile, out):
    """Write a set for students, without solutions, and one for instructors into OUT, a new folder.

    The lessons of the instructor's set are solved and run: minutes, or seconds with --profile
    smoke. What was run before is not run again.
    """
    profile = profile_name(profile)
    workspace.export(headless.select(lessons), out, profile, contents.budget, say)
    say(WRITTEN.format(out=out, profile=profile))
