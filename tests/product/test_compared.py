"""Which outputs nbval compares: those that are tagged, in plain `pytest --nbval notebooks/` too.

That they do not depend on how a lesson starts, its runs in test_notebooks.py show: stored at
student, run at smoke, in another folder and by another program.
"""

import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from cells import placed, report
from nbformat.v4 import new_code_cell, new_notebook, new_output
from offline_run import offline_environment

from diffutils.course.runs.stored import COMPARED, IGNORED, cleaned

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_every_cell_says_whether_it_is_compared(path):
    """Plain nbval would compare the others: times, losses, where the run went."""
    problems = []
    for place, cell in placed(nbformat.read(path, as_version=4)):
        said = {COMPARED, IGNORED} & {*cell.metadata.get("tags", [])}
        if cell.cell_type == "code" and len(said) != 1:
            problems.append((place, f"tag it {COMPARED} or {IGNORED}: `make notebooks` does"))
    report(path, problems)


def plain(notebook: Path) -> list[str]:
    """What plain `pytest --nbval` says of each code cell: "PASSED" or "FAILED"."""
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-v"]
    done = subprocess.run(
        [*command, "-p", "no:cacheprovider", notebook.name],
        cwd=notebook.parent,
        env=offline_environment(notebook.parent),
        capture_output=True,
        text=True,
    )
    return re.findall(r"::Cell \d+ (PASSED|FAILED)", done.stdout)


def test_plain_nbval_compares_what_is_tagged_and_nothing_else(tmp_path):
    def printed(code: str, was: str, *tags: str):
        outputs, about = [new_output("stream", text=was)], {"tags": [*tags]}
        return new_code_cell(code, outputs=outputs, metadata=about, execution_count=1)

    cells = [
        new_code_cell("seed = 0", metadata={"tags": ["parameters"]}),
        printed("print(1)", "1\n", COMPARED),
        printed("print(1)", "2\n", COMPARED),
        printed("import time; print(time.time())", "12.5\n"),
    ]
    path = tmp_path / "08_made.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    assert plain(path) == ["PASSED", "PASSED", "FAILED", "FAILED"]
    path.write_text(cleaned(path), encoding="utf-8")
    assert plain(path) == ["PASSED", "PASSED", "FAILED", "PASSED"]
