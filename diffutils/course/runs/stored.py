"""Lessons as the repository stores them: clean outputs, and a row each in README's table."""

import json
import re
from contextlib import suppress
from pathlib import Path

from diffutils.course.runs import fingerprint
from diffutils.course.runs.pace import duration
from diffutils.course.tables import markdown
from diffutils.weights import records

TABLE = re.compile(r"(?<=<!-- lessons: made by `make notebooks` -->\n).*?(?=<!-- end -->)", re.S)
KEPT = ("kernelspec", "language_info", "tags")  # of the metadata
FINISHED = {"seconds": (int, float), "finished": dict}  # of run.json
SHOWN = {  # the profiles whose times README shows -> the head of their column
    "smoke": "smoke",
    "student": "student",
    "overnight": "overnight (2 cores)",
    "full": "full (1 GPU)",
}
COMPARED, IGNORED = "nbval-check-output", "nbval-ignore-output"  # tags, as nbval reads them


def cleaned(path: Path) -> str:
    """An executed notebook without what papermill and the widgets leave behind."""
    import nbformat
    from nbconvert import preprocessors

    nb = nbformat.read(path, as_version=4)
    injected = preprocessors.TagRemovePreprocessor(remove_cell_tags={"injected-parameters"})
    nb, _ = injected.preprocess(nb, {})
    nb, _ = preprocessors.CoalesceStreamsPreprocessor().preprocess(nb, {})
    for holder in (nb, *nb.cells):
        holder.metadata = {k: v for k, v in holder.metadata.items() if v and k in KEPT}
    nb.metadata["stored"] = stamp(nb, path.stem[:2])
    marked(nb)
    # Number the cells as if they had run in one go.
    for count, cell in enumerate((c for c in nb.cells if c.cell_type == "code" and c.source), 1):
        cell.execution_count = count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = count
    return nbformat.writes(nb) + "\n"


def marked(nb):
    """The notebook, in place, its code cells tagged: nbval ignores what it is not told to compare.

    Untagged, plain `pytest --nbval` would compare times, losses, and where the run went.
    """
    for cell in nb.cells:
        if cell.cell_type == "code":
            tags = [tag for tag in cell.metadata.get("tags", []) if tag != IGNORED]
            cell.metadata["tags"] = tags if COMPARED in tags else [*tags, IGNORED]
    return nb


def stamp(nb, number: str) -> dict[str, str]:
    """What the outputs of a lesson were made of: its code cells, and the package that ran them."""
    cells = [cell.source for cell in nb.cells if cell.cell_type == "code"]
    cells = fingerprint.digest(json.dumps(cells).encode())
    return {"cells": cells, "package": fingerprint.code(number)}


def stale(path: Path, package: bool = False) -> str | None:
    """A sentence where a stored notebook's outputs belong to other cells (or another package)."""
    import nbformat

    nb, number = nbformat.read(path, as_version=4), path.stem[:2]
    was, now = nb.metadata.get("stored", {}), stamp(nb, number)
    of = {"cells": "other code cells"} | ({"package": "another package"} if package else {})
    if other := [words for key, words in of.items() if was.get(key) != now[key]]:
        cure = f"run `make notebooks LESSONS={number}`"
        return f"{path.name}: its outputs are of {' and '.join(other)}; {cure}."
    return None


def with_lessons(readme: str, notebooks: list[Path], runs: dict[str, Path]) -> str:
    """README with its table of lessons made anew: the question of each, and its measured times.

    runs: profile -> the folder that may hold NN/run.json of a finished run; where there is none
    the time in the old table stays.  Raises: ValueError when README has no place for the table.
    """
    found = TABLE.search(readme)
    if found is None:
        raise ValueError("README.md has no lines <!-- lessons: ... --> and <!-- end -->")
    rows = []
    for path in notebooks:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        title = "".join(cells[0]["source"]).splitlines()[0]
        times, old = ["not run"] * len(SHOWN), rf"\(notebooks/{re.escape(path.name)}\) .*\|\n"
        if row := re.search(old, found[0]):
            times = [cell.strip() for cell in row[0].split("|")[-len(SHOWN) - 1 : -1]]
        for i, profile in enumerate(SHOWN):
            with suppress(OSError, ValueError):
                run = records.read(runs[profile] / path.stem[:2] / "run.json", FINISHED, "")
                times[i] = (
                    duration(run["seconds"]) if run["seconds"] > 600 else f"{run['seconds']:.0f} s"
                )
        question = title.partition(" · ")[2]
        rows.append([f"[{path.stem}](notebooks/{path.name})", question, *times])
    header = ["lesson", "its question", *SHOWN.values()]
    table = markdown(header, rows, marks="|")
    return f"{readme[: found.start()]}{table}\n{readme[found.end() :]}"
