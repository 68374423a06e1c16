"""The lessons: each runs alone, offline, at smoke; what is stored keeps the rules of a lesson."""

import ast
import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from diffutils.course.exercises.folds import with_solutions

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED_PARAMETERS = {"profile", "dataset", "seed", "run_dir", "resume", "overrides"}
# In random order: no lesson may lean on what another one left.
RUNS = [(path, solved) for path in LESSONS for solved in ("unsolved", "solved")]
random.shuffle(RUNS)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def offline_environment(folder: Path) -> dict[str, str]:
    """The variables of a kernel that knows nothing of this machine and reaches nothing beyond."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("DIFFUTILS_")}
    kept.pop("MPLBACKEND", None)  # the kernel's own shows figures in the notebook
    paths = [str(ROOT / "tests" / "helpers" / "offline"), str(ROOT)]
    return kept | {
        "DIFFUTILS_PROFILE": "smoke",
        "DIFFUTILS_HEADLESS": "1",
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "TORCH_HOME": str(folder / "torch"),
    }


def nbval(notebook: Path, folder: Path, check: bool = True) -> subprocess.CompletedProcess:
    """Run pytest with nbval on a copy of the notebook that lies alone in `folder`."""
    shutil.copy(notebook, folder)
    command = [
        *(sys.executable, "-m", "pytest", "--nbval-lax", "--nbval-current-env"),
        *("--nbval-cell-timeout=300", "-p", "no:cacheprovider", "-q", notebook.name),
    ]
    done = subprocess.run(
        command, cwd=folder, env=offline_environment(folder), capture_output=True, text=True
    )
    if check and done.returncode:
        pytest.fail(f"{notebook.name}:\n{done.stdout[-6000:]}\n{done.stderr[-2000:]}")
    return done


@pytest.mark.parametrize(("path", "solved"), RUNS, ids=[f"{p.stem}-{s}" for p, s in RUNS])
def test_lesson_runs_alone_and_offline(path, solved, tmp_path):
    (tmp_path / "run").mkdir()
    if solved == "solved":
        answered = with_solutions(nbformat.read(path, as_version=4))
        path = tmp_path / path.name
        nbformat.write(answered, path)
    nbval(path, tmp_path / "run")


def test_the_network_is_really_blocked(tmp_path, write_notebook):
    reach = 'import socket\nsocket.create_connection(("192.0.2.1", 80), timeout=5)'
    names = 'import urllib.request\nurllib.request.urlopen("https://example.org", timeout=5)'
    near = 'with socket.create_server(("127.0.0.1", 0)) as server:\n'
    near += "    socket.create_connection(server.getsockname()).close()"
    (tmp_path / "run").mkdir()
    notebook = write_notebook(tmp_path / "probe.ipynb", reach, names, near)
    done = nbval(notebook, tmp_path / "run", check=False)
    assert "2 failed, 1 passed" in done.stdout
    assert done.stdout.count("the network is blocked in this test") >= 2


def test_there_are_lessons():
    assert LESSONS
    assert [path.stem[:2] for path in LESSONS] == [f"{i:02}" for i in range(1, len(LESSONS) + 1)]


@pytest.fixture
def nb(path):
    return nbformat.read(path, as_version=4)


def code_cells(nb) -> list:
    return [cell for cell in nb.cells if cell.cell_type == "code"]


@every_lesson
def test_notebook_is_valid_and_small(path, nb):
    nbformat.validate(nb)
    assert path.stat().st_size <= 2e6
    assert "widgets" not in nb.metadata
    assert "papermill" not in nb.metadata


@every_lesson
def test_stored_run_is_whole(nb):
    """Executed top to bottom in one go, without an error, and of no particular machine."""
    counts = [cell.execution_count for cell in code_cells(nb)]
    assert counts == list(range(1, len(counts) + 1))
    for output in (output for cell in code_cells(nb) for output in cell.outputs):
        assert output.output_type != "error"
        assert output.get("name") != "stderr", output.text
        assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
        texts = [output.get("text", ""), output.get("data", {}).get("text/plain", "")]
        assert not re.search(r"/(root|home|Users|tmp)/", "".join(texts))


@every_lesson
def test_parameters_are_few_plain_and_explained(nb):
    tagged = [c for c in code_cells(nb) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert not any("injected-parameters" in c.metadata.get("tags", []) for c in nb.cells)
    for line in filter(str.strip, tagged[0].source.splitlines()):
        if line.startswith("#"):
            continue
        assert line.count("=") == 1 and "#" in line, line
        assert line.split("=")[0].strip() in ALLOWED_PARAMETERS


@every_lesson
def test_code_is_short_and_plain_python(nb):
    assert len(code_cells(nb)) <= 40
    for cell in code_cells(nb):
        lines = cell.source.splitlines()
        assert len(lines) <= 20, cell.source
        assert max(map(len, lines)) <= 100, cell.source
        ast.parse(cell.source)  # so there is no %magic and no !command


@every_lesson
def test_text_is_not_too_long(nb):
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    unfolded = re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL)
    assert len(unfolded.split()) <= 3500


@every_lesson
def test_every_picture_has_a_description(nb):
    for output in (output for cell in code_cells(nb) for output in cell.outputs):
        for kind in output.get("data", {}):
            if kind.startswith("image/"):
                assert output.metadata.get(kind, {}).get("alt", "").strip()
        described(output.get("data", {}).get("text/html", ""))
    for cell in nb.cells:
        if cell.cell_type == "markdown":
            described(cell.source)
            assert not re.search(r"!\[\s*\]", cell.source)


def described(html: str) -> None:
    for image in re.findall(r"<img\b[^>]*>", html):
        assert re.search(r'\balt="[^"]*\S[^"]*"', image), image[:80]


def budget_words(cells: list[str]) -> list[str]:
    """What a compared output may not hold; the names that cells give to the budget are among it."""
    named = re.findall(r"^(\w+) = lesson\.budget$", "\n".join(cells), re.MULTILINE)
    return [r"budget", r"profile", r"seconds", r"time\.", *(rf"\b{name}\b" for name in named)]


def test_a_budget_is_found_under_its_short_name():
    words = budget_words(["lesson = du.lesson('02')\nb = lesson.budget", "print(b.steps)"])
    found = lambda text: any(re.search(word, text) for word in words)  # noqa: E731
    assert found("print(b.steps)") and found("f(lesson.budget)") and not found("print(a.b_min)")


@every_lesson
def test_outputs_that_are_compared_depend_on_no_budget(nb):
    words = budget_words([cell.source for cell in code_cells(nb)])
    for cell in code_cells(nb):
        assert "NBVAL_CHECK_OUTPUT" not in cell.source  # a tag: the student sees no word
        if "nbval-check-output" in cell.metadata.get("tags", []):
            for word in words:
                assert not re.search(word, cell.source), cell.source
