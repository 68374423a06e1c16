"""Run the lessons headlessly, or run and store them."""

import sys

import click

from diffutils.course.budgets import profile_name
from diffutils.course.commands.options import LESSONS, PATH, PROFILE, SET, clear_errors, overrides
from diffutils.course.runs import headless, rundir


@click.command()
@PROFILE
@LESSONS
@click.option("--out", type=PATH, help="Where the executed notebooks go.")
@click.option("--dataset", help="Data set for every lesson that takes one; see the data command.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed for every lesson.")
@SET
@click.option("--again", is_flag=True, help="Also what is finished; nothing is resumed.")
@click.pass_obj
def run(contents, profile, lessons, out, dataset, seed, changes, again):
    """Execute lessons headlessly and print a table of their results.

    What --out (default: runs/PROFILE) holds finished, with the same parameters, data and code,
    is skipped, and what was killed there goes on.
    """
    with clear_errors():
        profile = profile_name(profile)
        chosen = headless.select(lessons)
        out = out.resolve() if out else rundir.base() / profile
        given = {"dataset": dataset, "seed": seed, "overrides": overrides(changes) or None}
        given = {k: v for k, v in given.items() if v is not None}
        outcomes = headless.run(chosen, profile, out, contents.budget, given, again, click.echo)
    report(outcomes, f"Executed notebooks and run directories: {out}")


@click.command()
@LESSONS
@click.pass_obj
def notebooks(contents, lessons):
    """Execute lessons at the student profile and store the outputs in notebooks/."""
    with clear_errors():
        outcomes = headless.store(headless.select(lessons), contents.budget, click.echo)
    report(outcomes, f"Stored: {headless.NOTEBOOKS}")


def report(outcomes: list[headless.Outcome], where: str) -> None:
    """Print the table and every failure; exit with 1 if a lesson failed."""
    click.echo(f"\n{headless.table(outcomes)}\n\n{where}")
    if problems := headless.failures(outcomes):
        click.echo(f"\n{problems}", err=True)
        sys.exit(1)
