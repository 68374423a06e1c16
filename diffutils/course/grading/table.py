"""A graded class as rows: for a spreadsheet, as JSON, and in a terminal."""

import csv
import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from diffutils.course.exercises.model import Exercise
from diffutils.course.grading.answers import COURSES, CRASH, OPEN, RIGHT, WRONG, Graded
from diffutils.course.grading.gradebook import Row, points
from diffutils.course.tables import aligned, plain

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # begin what a spreadsheet would compute
MARKS = {RIGHT: "✓", WRONG: "✗", CRASH: "!", COURSES: "©", OPEN: "·"}
NAME = 28  # characters of a name in the terminal


def verdict(graded: Graded) -> str:
    """A verdict in a few words: the named mistake, where it is one."""
    if graded.status == CRASH and graded.mistake:
        return f"{CRASH}: {graded.mistake}"
    return graded.mistake or graded.status


def columns(rows: Sequence[Row], exercises: dict[str, Exercise]) -> list[str]:
    """The ids of the exercises that a table of these rows shows."""
    shown = {id for row in rows for id in row.exercises}
    return [id for id in exercises if id in shown]


def as_csv(rows: Sequence[Row], exercises: dict[str, Exercise]) -> bytes:
    """One line a notebook, for spreadsheets: nothing in it is taken for a formula."""
    ids, text = columns(rows, exercises), io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["name", "file", "lessons", *ids, "points", "max", "remarks"])
    for row in rows:
        cells = [verdict(row.exercises[id]) if id in row.exercises else "" for id in ids]
        remarks = "; ".join([row.problem, *row.remarks] if row.problem else row.remarks)
        start = [row.name, row.file, " ".join(row.lessons)]
        written = [safe(cell) for cell in (*start, *cells)]
        writer.writerow([*written, *points(row, exercises), safe(remarks)])
    return text.getvalue().encode("utf-8-sig", errors="replace")


def safe(cell: str) -> str:
    """A text in one line that no spreadsheet takes for a formula."""
    cell = plain(cell)
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) else cell


def as_json(
    rows: Sequence[Row], exercises: dict[str, Exercise], settings: dict, said: dict[str, list[str]]
) -> dict:
    """Everything, words too.  said: what was ignored, and what did not fit the roster."""
    about = {
        id: {"title": e.title, "difficulty": e.difficulty}
        for id, e in exercises.items()
        if id in columns(rows, exercises)
    }
    held = []
    for row in rows:
        mine, most = points(row, exercises)
        held.append(asdict(row) | {"lessons": row.lessons, "points": mine, "max": most})
    return settings | {"exercises": about, **said, "submissions": held}


def in_terminal(rows: Sequence[Row], exercises: dict[str, Exercise]) -> str:
    """A table of marks, what they mean, and the most frequent mistakes."""
    ids = columns(rows, exercises)
    table = [["name", *ids, "points"]]
    for row in rows:
        name = plain(row.name or row.file)
        name = name if len(name) <= NAME else f"{name[: NAME - 3]}..."
        if row.problem:
            table.append([name, *[""] * len(ids), "not graded"])
            continue
        marks = [MARKS[row.exercises[id].status] if id in row.exercises else "" for id in ids]
        mine, most = points(row, exercises)
        table.append([name, *marks, f"{mine} of {most}"])
    key = ", ".join(f"{mark} {status}" for status, mark in MARKS.items())
    counted = mistakes(rows).most_common(5)
    often = [f"  {count:3d}  {id}  {plain(name)}" for (id, name), count in counted]
    heading = ["", "Most frequent mistakes:", *often] if often else []
    return "\n".join([aligned(table, width=None), "", key, *heading])


def mistakes(rows: Sequence[Row]) -> Counter:
    """How often each named mistake was made, by (exercise, name)."""
    return Counter(
        (id, graded.mistake)
        for row in rows
        for id, graded in row.exercises.items()
        if graded.mistake
    )
