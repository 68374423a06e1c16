"""The sentences of the exercises' tasks, as the notebooks state them."""

import re
from pathlib import Path

import nbformat

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
HEADING = re.compile(r"^### Exercise (\d+\.\d+) ", re.MULTILINE)
END = re.compile(r"(?<=[.?!]) (?=[A-Z`$*])")


def sentences(markdown: str) -> list[str]:
    """The sentences of a task without its heading line, white space collapsed.

    One ends at a full stop, question or exclamation mark that is followed by a space and a capital
    letter, a backtick, a dollar or a star.
    """
    task = markdown.split("\n", 1)[1]
    return END.split(" ".join(task.split()))


def tasks(lesson: str) -> dict[str, list[str]]:
    """Exercise id -> the sentences of its task, of a lesson's notebook ("01", "02", ...)."""
    (path,) = NOTEBOOKS.glob(f"{lesson}_*.ipynb")
    texts = [cell.source for cell in nbformat.read(path, as_version=4).cells]
    found = [(text, heading) for text in texts if (heading := HEADING.search(text))]
    return {heading[1]: sentences(text[heading.start() :]) for text, heading in found}
