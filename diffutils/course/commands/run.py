"""Run the lessons headlessly, or run and store them."""

import sys

import click

from diffutils.course.budgets import profile_name
from diffutils.course.commands.options import FOLDER, LESSONS, PROFILE, SEEDS, SET, overrides, say
from diffutils.course.runs import estimate, headless, rundir
from diffutils.course.workbook import notation as words
from diffutils.weights.files import CHECKOUT

LONG = ("overnight", "full", "published")  # profiles whose time is estimated first


@click.command()
@PROFILE
@LESSONS
@click.option("--out", type=FOLDER, help="Where the executed notebooks go.")
@click.option("--dataset", help="Data set for every lesson that takes one; see the data command.")
@click.option("--seed", type=SEEDS, help="Seed for every lesson.")
@SET
@click.option("--again", is_flag=True, help="Also what is finished; nothing is resumed.")
@click.pass_obj
def run(contents, profile, lessons, out, dataset, seed, changes, again):
    """Execute lessons headlessly and print a table of their results.

    What --out (default: runs/PROFILE) holds finished, with the same parameters, data and code,
    is skipped, and what was killed there goes on.  What takes hours is estimated first.
    """
    profile = profile_name(profile)
    chosen = headless.select(lessons)
    out = out.resolve() if out else rundir.base() / profile
    given = {"dataset": dataset, "seed": seed, "overrides": overrides(changes) or None}
    given = {k: v for k, v in given.items() if v is not None}
    if profile in LONG:
        numbers = [path.stem[:2] for path in chosen]
        asked = [contents.budget(n, profile, given.get("overrides")).work() for n in numbers]
        published = [contents.budget(n, "published").work() for n in numbers]
        lessons = [*zip((path.stem for path in chosen), asked, published, strict=True)]
        say("A few steps of each network, to see what this will take ...")
        say(f"{estimate.table(lessons)}\n")
        estimate.check(lessons, out)
    outcomes = headless.run(chosen, profile, out, contents.budget, given, again, say)
    where = f"Report: {out / 'report.html'}\nExecuted notebooks and run directories: {out}"
    report(outcomes, where)


@click.command()
@LESSONS
@click.option("--work", type=FOLDER, help="Store in notebooks/ and figures/ of it instead.")
@click.pass_obj
def notebooks(contents, lessons, work):
    """Execute lessons at the student profile and store the outputs in notebooks/."""
    outcomes = headless.store(headless.select(lessons), contents.budget, say, work)
    report(outcomes, f"Stored: {work / 'notebooks' if work else headless.NOTEBOOKS}")
    if not work and (headless.NOTEBOOKS / words.TABLE).is_file():
        words.write(headless.NOTEBOOKS)  # the cells may have moved


@click.command()
def notation():
    """Write notebooks/notation.md: each word and symbol, and where a lesson introduces it."""
    if CHECKOUT is None:
        raise click.UsageError("what is installed stays as it is; call this in a clone")
    say(f"Written: {words.write(headless.NOTEBOOKS)}")


def report(outcomes: list[headless.Outcome], where: str) -> None:
    """Print the table and every failure; exit with 1 if a lesson failed, 130 after Ctrl-C."""
    say(f"\n{headless.table(outcomes)}\n\n{where}")
    if problems := headless.failures(outcomes):
        say(f"\n{problems}", err=True)
        sys.exit(130 if any(o.status == "stopped" for o in outcomes) else 1)
