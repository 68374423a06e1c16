"""The student's folder work/: copies of the lessons that a course update never touches."""

import json
from pathlib import Path

from diffutils.course.exercises.folds import without_outputs
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
        copies = record.setdefault(lesson.stem, {})
        text = fresh_copy(lesson)
        mine, now = work / lesson.name, what_it_says(text)
        # Decide what is new.
        if not mine.exists():
            target, words = mine, f"work/{mine.name}: a fresh copy for your answers."
        elif now in copies.values() or now == what_it_says(mine.read_bytes()):
            copies.setdefault(mine.name, now)
            continue
        else:
            target = free_name(lesson, work)
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


def fresh_copy(lesson: Path) -> bytes:
    """A lesson to work in: never run, so that a guess is a guess, with its pictures in work/."""
    import nbformat

    notebook = without_outputs(nbformat.read(lesson, as_version=4))
    for cell in notebook.cells:
        if cell.cell_type == "markdown":  # JupyterLab serves nothing above the folder it opened
            cell.source = cell.source.replace("../figures/", "figures/")
    return (nbformat.writes(notebook) + "\n").encode()


def what_it_says(notebook: bytes) -> str:
    """The fingerprint of a notebook's cells; '' if it cannot be read."""
    try:
        return fingerprint.notebook(notebook)
    except (ValueError, KeyError, TypeError):  # a student's file may be damaged: not our business
        return ""


def free_name(lesson: Path, work: Path) -> Path:
    """The first of NAME.new-1.ipynb, NAME.new-2.ipynb, ... that is not taken."""
    number = 1
    while (path := work / f"{lesson.stem}.new-{number}.ipynb").exists():
        number += 1
    return path


def read_record(work: Path) -> dict[str, dict[str, str]]:
    """What was copied so far; nothing, if the record is missing or damaged."""
    try:
        record = json.loads((work / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    good = isinstance(record, dict) and all(isinstance(v, dict) for v in record.values())
    return record if good else {}
