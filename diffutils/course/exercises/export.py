"""Write the lessons for a class: a set without solutions and a set with all of them filled in."""

import shutil
from pathlib import Path

from diffutils.course.exercises.folds import with_solutions, without_solutions


def export(lessons: list[Path], figures: Path, out: Path) -> list[Path]:
    """Write OUT/student and OUT/instructor, with OUT/figures, which the lessons show.

    Raises: FileExistsError, before anything is written, if a file is there already; ValueError for
    a lesson with an exercise that has no folded solution.
    """
    import nbformat

    texts = {}
    for path in lessons:
        notebook = nbformat.read(path, as_version=4)
        texts[out / "student" / path.name] = nbformat.writes(without_solutions(notebook))
        texts[out / "instructor" / path.name] = nbformat.writes(with_solutions(notebook))
    pictures = {out / "figures" / path.name: path for path in sorted(figures.glob("*.*"))}
    there = [path for path in (*texts, *pictures) if path.exists()]
    if there:
        raise FileExistsError(
            f"{there[0]} exists, and export overwrites nothing; choose another folder."
        )
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "x", encoding="utf-8") as file:
            file.write(text + "\n")
    for target, source in pictures.items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    return sorted(texts)
