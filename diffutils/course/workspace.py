"""The student's folder work/: copies of the lessons that a course update never touches."""

import hashlib
import json
from pathlib import Path

RECORD = ".versions.json"  # {lesson: {file in work/: fingerprint of the lesson it began as}}


def prepare(lessons: list[Path], work: Path) -> list[str]:
    """Copy every lesson into work/ that is not there; return what was done, a sentence each.

    A file that is there stays as it is.  Where the course's lesson is another than the one that
    was copied, the new one is laid beside it as NAME.new-1.ipynb, NAME.new-2.ipynb, ..., once.
    """
    from diffutils.checkpoints import write_whole

    record, said = read_record(work), []
    for lesson in lessons:
        copies = record.setdefault(lesson.stem, {})
        mine, now = work / lesson.name, fingerprint(lesson)
        if not mine.exists():
            target, words = mine, f"work/{mine.name}: a fresh copy for your answers."
        elif now in copies.values() or now == fingerprint(mine):
            copies.setdefault(mine.name, now)
            continue
        else:
            target = free_name(lesson, work)
            words = (f"The course has a new version of {lesson.name}. Your work/{mine.name} is "
                     f"untouched; the new version is work/{target.name}.")
        write_whole(target, lesson.read_bytes())
        copies[target.name] = now
        said.append(words)
    if record != read_record(work):
        write_whole(work / RECORD, (json.dumps(record, indent=1) + "\n").encode())
    return said


def fingerprint(notebook: Path) -> str:
    """A hash of what a notebook says: its cells, not their outputs; '' if it cannot be read."""
    try:
        cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
        said = [[cell["cell_type"], "".join(cell["source"])] for cell in cells]
    except (ValueError, KeyError, TypeError):  # a student's file may be damaged: not our business
        return ""
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


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
