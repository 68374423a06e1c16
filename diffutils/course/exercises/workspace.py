"""Copies of the lessons: the student's, which no course update touches, and sets for a class."""

import itertools
import json
from pathlib import Path

from diffutils.course.exercises import folds
from diffutils.course.runs import fingerprint
from diffutils.weights.files import write_json, write_whole

RECORD = ".versions.json"  # {lesson: {file in work/: fingerprint of the lesson it began as}}


def prepare(lessons: list[Path], figures: Path, work: Path) -> list[str]:
    """Copy every lesson into work/ that is not there; return what was done, a sentence each.

    A file that is there stays as it is.  Where the course's lesson is another than the one that
    was copied, the new one is laid beside it as NAME.new-1.ipynb, NAME.new-2.ipynb, ..., once.
    The pictures that lessons show, the files of `figures`, are kept up to date in work/figures.
    """
    record, said = read_record(work), []
    for lesson in lessons:
        copies, text = record.setdefault(lesson.stem, {}), fresh_copy(lesson)
        mine, now = work / lesson.name, what_it_says(text)
        # Decide what is new.
        if not mine.exists():
            target, words = mine, f"work/{mine.name}: a fresh copy for your answers."
        elif now in copies.values() or now == what_it_says(mine.read_bytes()):
            copies.setdefault(mine.name, now)
            continue
        else:
            names = (work / f"{lesson.stem}.new-{number}.ipynb" for number in itertools.count(1))
            target = next(path for path in names if not path.exists())
            words = (
                f"The course has a new version of {lesson.name}. Your work/{mine.name} is "
                f"untouched; the new version is work/{target.name}."
            )
        write_whole(target, text)
        copies[target.name] = now
        said.append(words)
    # Keep the record and the pictures.
    if record != read_record(work):
        write_json(work / RECORD, record)
    for picture in figures.iterdir():
        mine, now = work / "figures" / picture.name, picture.read_bytes()
        if not mine.is_file() or mine.read_bytes() != now:
            write_whole(mine, now)
    return said


def export(lessons: list[Path], figures: Path, out: Path) -> list[Path]:
    """Write OUT/student and OUT/instructor, with OUT/figures, which the lessons show.

    Raises: FileExistsError, before anything is written, if a file is there already; ValueError for
    a lesson with an exercise that has no folded solution.
    """
    import nbformat

    files = {out / "figures" / path.name: path.read_bytes() for path in figures.glob("*.*")}
    sets = {"student": folds.without_solutions, "instructor": folds.with_solutions}
    for lesson, (name, version) in itertools.product(lessons, sets.items()):
        text = nbformat.writes(version(nbformat.read(lesson, as_version=4)))
        files[out / name / lesson.name] = f"{text}\n".encode()
    for path in files:
        if path.exists():
            raise FileExistsError(
                f"{path} exists, and export overwrites nothing; choose another folder."
            )
    for path, content in files.items():
        write_whole(path, content)
    return sorted(path for path in files if path.suffix == ".ipynb")


def fresh_copy(lesson: Path) -> bytes:
    """A lesson to work in: never run, so that a guess is a guess, with its pictures in work/."""
    import nbformat

    notebook = folds.without_outputs(nbformat.read(lesson, as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # JupyterLab serves nothing above the folder it opened
            cell.source = cell.source.replace("../figures/", "figures/")
    return f"{nbformat.writes(notebook)}\n".encode()


def what_it_says(notebook: bytes) -> str:
    """The fingerprint of a notebook's cells; '' if it cannot be read."""
    try:
        return fingerprint.notebook(notebook)
    except (ValueError, KeyError, TypeError):  # a student's file may be damaged: not our business
        return ""


def read_record(work: Path) -> dict[str, dict[str, str]]:
    """What was copied so far; nothing, if the record is missing or damaged."""
    try:
        record = json.loads((work / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    good = isinstance(record, dict) and all(isinstance(v, dict) for v in record.values())
    return record if good else {}
