"""Copies of the lessons: the student's, which no course update touches, and sets for a class."""

import itertools
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from diffutils.course.runs import fingerprint, headless, rundir, stored
from diffutils.course.workbook import folds
from diffutils.weights import records
from diffutils.weights.files import PART, naming, write_json, write_whole

RECORD = ".versions.json"  # {lesson: {file in work/: fingerprint of the lesson it began as}}
PICTURE = re.compile(r"\.\./(figures/[\w.-]+)")  # as the text of a lesson links to one


def copied(lesson: Path, version: Callable) -> dict[str, bytes]:
    """The files of a copy, by name in its folder: the lesson, and the pictures that it shows.

    version: notebook -> notebook, of `folds`.  JupyterLab serves nothing above the folder that it
    opened, so the copy finds its pictures in figures/ beside it.
    Raises: FileNotFoundError for a picture that is not there.
    """
    import nbformat

    notebook, files = version(nbformat.read(lesson, as_version=4)), {}
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            for name in PICTURE.findall(cell.source):
                files[name] = (lesson.parents[1] / name).read_bytes()
            cell.source = PICTURE.sub(r"\1", cell.source)
    return {lesson.name: f"{nbformat.writes(notebook)}\n".encode()} | files


def prepare(lessons: list[Path], work: Path) -> list[str]:
    """Copy every lesson into work/ that is not there; return what was done, a sentence each.

    A copy was never run, so that a guess is a guess.  A file that is there stays as it is.  Where
    the course's lesson is another than the one that was copied, the new one is laid beside it as
    NAME.new-1.ipynb, NAME.new-2.ipynb, ..., once.  Pictures are kept up to date in work/figures.
    """
    record, said = read_record(work), []
    for lesson in lessons:
        copies, files = record.setdefault(lesson.stem, {}), copied(lesson, folds.without_outputs)
        text = files.pop(lesson.name)
        mine, now = work / lesson.name, fingerprint.notebook(text)
        # Keep the pictures.
        for name, picture in files.items():
            if not (work / name).is_file() or (work / name).read_bytes() != picture:
                write_whole(work / name, picture)
        # Decide what is new.
        if not mine.exists():
            target, words = mine, f"{work.name}/{mine.name}: a fresh copy for your answers."
        elif now in copies.values() or now == what_it_says(mine):
            copies.setdefault(mine.name, now)
            continue
        else:
            names = (work / f"{lesson.stem}.new-{number}.ipynb" for number in itertools.count(1))
            target = next(path for path in names if not path.exists())
            words = (
                f"The course has a new version of {lesson.name}. Your {work.name}/{mine.name} is "
                f"untouched; the new version is {work.name}/{target.name}."
            )
        write_whole(target, text)
        copies[target.name] = now
        said.append(words)
    if record != read_record(work):
        write_json(work / RECORD, record)
    return said


def export(lessons: list[Path], out: Path, profile: str, budget: Callable, say=print) -> None:
    """Write OUT/student, without solutions and answers, and OUT/instructor, solved and executed.

    OUT appears when it is whole.  A lesson that was solved and executed before at this profile
    with the same code is taken from runs/, so a second call takes seconds.
    Raises: FileExistsError if OUT holds anything; ValueError for a lesson with an exercise that
    has no folded solution, or whose solutions do not run; OSError, naming OUT, on a full disk.
    """
    out = out.resolve()
    if out.exists() and (not out.is_dir() or any(out.iterdir()) or out == Path.cwd()):
        raise FileExistsError(
            f"{out} exists, and export overwrites nothing; choose a folder that is new"
        )
    half, runs = out.with_name(f".{out.name}{PART}"), rundir.base() / "instructor"
    rundir.hold(runs)
    try:
        # Write what needs no run first: it shows whether there is room.
        shutil.rmtree(half, ignore_errors=True)  # of an export that was killed
        for lesson in lessons:
            put(half / "student", copied(lesson, folds.without_solutions), out)
        for lesson, version in executed(lessons, runs / profile, profile, budget, say).items():
            put(half / "instructor", copied(lesson, version), out)
        # Let it appear.
        with naming(out):
            if out.exists():
                out.rmdir()  # empty; Windows renames nothing to a folder that is there
            half.rename(out)
    finally:
        shutil.rmtree(half, ignore_errors=True)
        rundir.release(runs)


def put(folder: Path, files: dict[str, bytes], out: Path) -> None:
    """Write files of a folder that is not yet whole, and will be part of `out`.

    Raises: OSError, naming `out`.
    """
    with naming(out):
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with open(folder / name, "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())


def executed(
    lessons: list[Path], runs: Path, profile: str, budget: Callable, say: Callable
) -> dict[Path, Callable]:
    """Run each lesson with its solutions filled in: a version for `copied` of each, with outputs.

    Raises: ValueError for lessons that fail.
    """
    import nbformat

    solved = [runs / "solved" / lesson.name for lesson in lessons]
    for lesson, path in zip(lessons, solved, strict=True):
        version = folds.with_solutions(nbformat.read(lesson, as_version=4))
        write_whole(path, nbformat.writes(version).encode())
    outcomes = headless.run(solved, profile, runs, budget, say=say)
    if failed := headless.failures(outcomes):
        raise ValueError(f"the instructor's set was not written: {failed}")
    texts = [stored.cleaned(outcome.notebook) for outcome in outcomes]
    return {
        lesson: lambda _, text=text: nbformat.reads(text, as_version=4)
        for lesson, text in zip(lessons, texts, strict=True)
    }


def what_it_says(notebook: Path) -> str:
    """The fingerprint of a notebook's cells; '' if it cannot be read."""
    try:
        return fingerprint.notebook(notebook.read_bytes())
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""  # a student's file may be damaged: not our business


def read_record(work: Path) -> dict[str, dict[str, str]]:
    """What was copied so far; nothing, if the record is missing or damaged."""
    try:
        record = records.read(work / RECORD, {}, "it is made anew")
        records.check(record, dict.fromkeys(record, dict))
    except (OSError, ValueError):
        return {}
    return record
