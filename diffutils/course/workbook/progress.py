"""What a student has solved: the verdicts of `check`, kept as progress.json in the work folder.

A headless run keeps them to itself: they go into its run.json alone.
"""

import functools
import itertools
import os
import time
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

from diffutils.course.exercises.model import Exercise
from diffutils.course.exercises.verdict import OPEN, RIGHT
from diffutils.course.tables import aligned, plain
from diffutils.weights import files, records

FILE, LOCK = "progress.json", ".progress.lock"
WORK = "DIFFUTILS_WORK"  # names the work folder; `lab` sets it for the kernels that it starts
HEADLESS = ("DIFFUTILS_HEADLESS", "DIFFUTILS_PROGRESS")  # set where no student is at work
SOLVED, TRIED = "solved", "tried"
ENTRY = {"status": str, "tries": int, "mistake": (str, type(None)), "date": str}
PATIENCE = 3  # seconds to wait for another kernel, which writes for milliseconds
LONGEST = 40  # characters of a mistake's name in the table

noted: dict[str, dict] = {}  # id -> status, mistake and tries: the last verdicts of this process
_own_folder = functools.cache(files.own_folder)  # which says, once, where it had to go


def work_folder() -> Path:
    """The student's folder: the one that `lab` opened, else the one that it would open."""
    return Path(os.environ.get(WORK) or _own_folder((files.CHECKOUT or Path.cwd()) / "work"))


def headless() -> bool:
    """Whether this is a run without a student, whose verdicts are nobody's progress."""
    return any(os.environ.get(name) for name in HEADLESS)


def note(id: str, status: str, mistake: str | None = None) -> None:
    """Keep a verdict on exercise `id`; a stub that nobody touched leaves no trace in the folder.

    mistake: the name of what went wrong.  Raises nothing: what cannot be kept is said, once.
    """
    if status == OPEN:
        noted.setdefault(id, {"status": status, "mistake": None, "tries": 0})
        return
    tries = noted.get(id, {"tries": 0})["tries"] + 1
    noted[id] = {"status": status, "mistake": mistake, "tries": tries}
    if headless():
        return
    try:
        keep(work_folder(), id, status, mistake)
    except OSError as error:
        _say_once(f"Your progress is not kept: {error}")


def keep(folder: Path, id: str, status: str, mistake: str | None) -> None:
    """Add a verdict to the file in a folder; what other kernels put there meanwhile stays.

    Raises: OSError, for a folder that cannot be written, and where others hold it too long.
    """
    file = folder / FILE
    with files.naming(file):
        folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(folder / LOCK, timeout=PATIENCE, thread_local=False)
        with lock:
            try:
                entries = read(file)
            except FileNotFoundError:
                entries = {}
            except ValueError as error:
                names = (folder / f"progress.damaged-{n}.json" for n in itertools.count(1))
                aside = next(path for path in names if not path.exists())
                file.rename(aside)
                print(f"{error}; it is now {aside.name}, and a new one begins.")
                entries = {}
            if (old := entries.get(id)) and old["status"] == SOLVED:
                return
            entries[id] = entry(status, mistake, 1 + (old["tries"] if old else 0))
            files.write_json(file, {"exercises": entries})


def entry(status: str, mistake: str | None, tries: int) -> dict:
    """What the file says of an exercise."""
    word = SOLVED if status == RIGHT else TRIED
    return {"status": word, "tries": tries, "mistake": mistake, "date": time.strftime("%Y-%m-%d")}


def read(file: Path) -> dict[str, dict]:
    """The entries of a progress.json, by exercise.

    Raises: FileNotFoundError; OSError; ValueError, naming the file, for a damaged one.
    """
    entries = records.read(file, {"exercises": dict}, "no answer is lost")["exercises"]
    try:
        records.check(entries, dict.fromkeys(entries, dict))
        for each in entries.values():
            records.need(each, ENTRY)
    except ValueError as error:
        raise ValueError(f"{file} is damaged ({error}); no answer is lost") from None
    return entries


def seen() -> dict[str, dict]:
    """The entries to show, by exercise: of the work folder and, not kept there, of this process.

    In a headless run of this process alone.
    """
    own = {id: entry(**verdict) for id, verdict in noted.items() if verdict["tries"]}
    if headless():
        return own
    kept = {}
    try:
        kept = read(work_folder() / FILE)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        _say_once(str(error))
    newer = {id for id in own if own[id]["status"] == SOLVED or id not in kept}
    return kept | {id: own[id] for id in newer if kept.get(id, {}).get("status") != SOLVED}


def summary(exercises: Sequence[Exercise]) -> str:
    """How many of a lesson's exercises are solved, and which are open, in one line."""
    left = _unsolved(exercises, seen())
    text = f"exercises: {len(exercises) - len(left)} of {len(exercises)} solved"
    if headless():
        text += " here"
    elif 0 < len(left) < len(exercises):
        text += f", open: {', '.join(exercise.id for exercise in left)}"
    return f"{text}; du.progress() shows all lessons"


def table(exercises: Sequence[Exercise]) -> str:
    """Every exercise with what became of it, a line each, below a line for its lesson."""
    entries = seen()
    rows = [("", "exercise", "status", "last mistake")]
    for number, group in itertools.groupby(exercises, lambda exercise: exercise.id.split(".")[0]):
        group = list(group)
        solved = len(group) - len(_unsolved(group, entries))
        rows.append((f"lesson {number:0>2}", "", f"{solved} of {len(group)} solved", ""))
        rows += [_row(exercise, entries.get(exercise.id)) for exercise in group]
    solved = len(exercises) - len(_unsolved(exercises, entries))
    where = "in this run" if headless() else f"kept in {work_folder() / FILE}"
    return f"{aligned(rows, width=None)}\n\n{solved} of {len(exercises)} solved, {where}"


def _row(exercise: Exercise, found: dict | None) -> tuple[str, str, str, str]:
    if not found:
        return f"  {exercise.id}", exercise.title, "not yet", ""
    tries = f"{found['tries']} {'try' if found['tries'] == 1 else 'tries'}"
    if found["status"] == SOLVED:
        return f"  {exercise.id}", exercise.title, f"solved {found['date']}, {tries}", ""
    mistake = plain(found["mistake"] or "")[:LONGEST]
    return f"  {exercise.id}", exercise.title, f"tried, {tries}", mistake


def _unsolved(exercises: Sequence[Exercise], entries: dict) -> list[Exercise]:
    return [e for e in exercises if entries.get(e.id, {}).get("status") != SOLVED]


@functools.cache
def _say_once(sentence: str) -> None:
    print(sentence)
