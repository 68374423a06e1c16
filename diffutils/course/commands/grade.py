"""Grade a class: `python -m diffutils grade FOLDER`."""

from datetime import datetime
from pathlib import Path

import click

from diffutils import __version__
from diffutils.course import machine
from diffutils.course.commands.options import FILE, FOLDER, PATH, SEEDS, Finite, say
from diffutils.course.grading import gradebook, page, roster, submissions, table
from diffutils.data.own.names import some
from diffutils.weights.files import as_json, write_together

GIB = 2**30


@click.command()
@click.argument("folder", type=PATH)
@click.option("--out", type=FOLDER, help="Where results go; by default FOLDER-grades beside it.")
@click.option("--roster", "names", type=FILE, help="A CSV file with the columns file and name.")
@click.option("--seed", type=SEEDS, help="Of the data of the cases; drawn at random by default.")
@click.option(
    "--seconds",
    type=Finite(0.1, 600),
    default=10.0,
    show_default=True,
    help="Limit of one call of a student's function.",
)
@click.option(
    "--memory",
    type=Finite(0.25, 1024),
    default=2.0,
    show_default=True,
    help="GiB that a submission may take beyond what the course itself does.",
)
@click.option(
    "--workers", type=click.IntRange(1, 256), help="Submissions at a time; a core each by default."
)
@click.pass_obj
def grade(contents, folder, out, names, seed, seconds, memory, workers):
    """Grade the notebooks in FOLDER, a folder with sub-folders or a zip archive.

    Each notebook is one submission; its lesson is told by the exercises that it checks, and its
    student by the name of the file, or of its folder where the file has the lesson's name. A roster
    names them instead: a row a notebook, with its path, its file name or a pattern such as
    *lovelace* in the column file.

    Cells with an exercise are executed, of others the imports, definitions and constants. Each
    function is called with data that follow from the seed, so numbers written down in advance fail.
    Results: grades.csv, grades.json and class.html, all of them at the end, and rows/ on the way:
    the same command goes on after a kill, with the same seed, and grades only what is new.

    What students hand in RUNS ON THIS MACHINE WITH YOUR RIGHTS: in processes of its own, limited in
    time and memory, in an empty folder that is its home, and on Linux with Landlock (kernel 5.13,
    6.12 for all of it) without writing, connecting or sending signals anywhere else. It can read
    what you can read, and without Landlock it can change it, too. For strangers' notebooks use a
    container, or an account of its own. Somebody determined can copy the course's answers: the
    repository holds them.
    """
    place = folder.resolve()
    out = (
        out or place.with_name(f"{place.stem if place.is_file() else place.name}-grades")
    ).resolve()
    rows_of_roster = roster.read(names) if names else None
    # Find the notebooks and whose they are.
    found, ignored = submissions.find(place)
    files, unmatched = [submission.file for submission in found], []
    if rows_of_roster is None:
        students = roster.by_files(files)
    else:
        students, unmatched = roster.by_rows(files, rows_of_roster)
    say(f"{len(found)} notebooks in {place}")
    if ignored:
        say(f"ignored: {some(ignored)}")
    for sentence in unmatched:
        say(f"roster: {sentence}")
    # Grade them.
    limits = gradebook.Limits(seconds, int(memory * GIB), workers or machine.threads())
    with gradebook.held(out, seed, place) as chosen:
        rows = gradebook.grade(contents, found, students, out, chosen, limits, say)
        write(out, rows, contents.exercises(), chosen, limits, place, ignored, unmatched)
    say(f"\n{table.in_terminal(rows, contents.exercises())}\n")
    say(f"Results: {out / 'grades.csv'}, grades.json and class.html; seed {chosen}")


def write(
    out: Path, rows, exercises, seed: int, limits: gradebook.Limits, place: Path, ignored, unmatched
) -> None:
    """Write the three results, all or none."""
    settings = {
        "folder": str(place),
        "seed": seed,
        "seconds": limits.seconds,
        "memory_gib": limits.memory / GIB,
        "version": __version__,
        "judged_by": gradebook.judging_code(),
        "graded": datetime.now().astimezone().isoformat(timespec="seconds"),
    }
    said = {"ignored": ignored, "unmatched": unmatched}
    headings = {"Ignored files": ignored, "What does not fit the roster": unmatched}
    write_together(
        {
            out / "grades.csv": table.as_csv(rows, exercises),
            out / "grades.json": as_json(table.as_json(rows, exercises, settings, said)),
            out / "class.html": page.page(rows, exercises, settings, headings),
        }
    )
