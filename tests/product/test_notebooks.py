"""The lessons: each runs alone, offline, at smoke; what is stored keeps the rules of a lesson."""

import ast
import html
import os
import random
import re
from pathlib import Path

import calls
import nbformat
import pytest
from cells import code_cells, doubtful, placed, report
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from offline_run import nbval, sentences

from diffutils.course.runs import stored
from diffutils.course.workbook.folds import exercise_id, with_solutions
from diffutils.lessons import exercises

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
ALLOWED_PARAMETERS = {"profile", "dataset", "seed", "run_dir", "resume", "overrides"}
RECORDER = """import pathlib, calls
du.check = calls.recorded(du.check, pathlib.Path({path!r}))"""
# In random order, the same in all processes: no lesson may lean on what another one left.
RUNS = [(path, solved) for path in LESSONS for solved in ("unsolved", "solved")]
random.Random(os.environ.get("PYTEST_XDIST_TESTRUNUID")).shuffle(RUNS)
every_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


@pytest.mark.parametrize(("path", "solved"), RUNS, ids=[f"{p.stem}-{s}" for p, s in RUNS])
def test_lesson_runs_alone_and_offline(path, solved, tmp_path):
    (tmp_path / "run").mkdir()
    if solved == "unsolved":
        nbval(path, tmp_path / "run")
        return
    # Solved, its functions are called, and each call is one that the checks try too.
    answered = with_solutions(nbformat.read(path, as_version=4))
    first = next(i for i, cell in enumerate(answered.cells) if exercise_id(cell))
    kept = tmp_path / "calls.json"
    answered.cells.insert(first, new_code_cell(RECORDER.format(path=str(kept))))
    nbformat.write(answered, tmp_path / path.name)
    nbval(tmp_path / path.name, tmp_path / "run")
    assert not (lines := calls.missing(kept, exercises())), "\n".join(lines)


def test_the_network_is_really_blocked(tmp_path, write_notebook):
    reach = 'import socket\nsocket.create_connection(("192.0.2.1", 80), timeout=5)'
    names = 'import urllib.request\nurllib.request.urlopen("https://example.org", timeout=5)'
    near = 'with socket.create_server(("127.0.0.1", 0)) as server:\n'
    near += "    socket.create_connection(server.getsockname()).close()"
    (tmp_path / "run").mkdir()
    notebook = write_notebook(tmp_path / "probe.ipynb", reach, names, near)
    done = nbval(notebook, tmp_path / "run", check=False)
    assert "2 failed, 1 passed" in done.stdout
    said = sentences(notebook.name, done.stdout)
    assert [line[: line.index(" fails")] for line in said] == [
        "probe.ipynb, cell [1]", "probe.ipynb, cell [2]",
    ]  # fmt: skip
    assert done.stdout.count("the network is blocked in this test") >= 2


def test_there_are_lessons():
    assert LESSONS
    assert [path.stem[:2] for path in LESSONS] == [f"{i:02}" for i in range(1, len(LESSONS) + 1)]


@pytest.fixture
def nb(path):
    return nbformat.read(path, as_version=4)


@every_lesson
def test_notebook_is_valid_and_small(path, nb):
    nbformat.validate(nb)
    kept = sorted(set(nb.metadata) - {"kernelspec", "language_info", "stored"})
    size = path.stat().st_size / 1e6
    again = "store it anew with `make notebooks`"
    report(path, [("metadata", f"{', '.join(kept)} do not belong there; {again}")] if kept else [])
    large = "show smaller or fewer pictures, and store it anew with `make notebooks`"
    report(path, [("the file", f"{size:.1f} MB, 2 are allowed; {large}")] if size > 2 else [])


def of_this_machine(output) -> str | None:
    """What an output holds that another run would not, or should not, show; or None."""
    data = output.get("data", {})
    text = output.get("text", "") + data.get("text/plain", "")
    text += re.sub(r"<img\b[^>]*>", "", data.get("text/html", "")) + data.get("text/markdown", "")
    if output.output_type == "error":
        return f"it ended with {output.ename}"
    if output.get("name") == "stderr":
        return f"a warning or another message: {text.strip().splitlines()[0][:80]}"
    if "application/vnd.jupyter.widget-view+json" in data:
        return "the state of a widget"
    if found := re.search(r"/(root|home|Users|tmp)/\S*", text):
        return f"a path of one machine, {found[0][:60]}"
    if found := re.search(r"<[^<>]* at 0x[0-9a-f]{6,}>|0x[0-9a-f]{8,}", text):
        return f"an address of the memory, {found[0][:60]}"
    return None


@every_lesson
def test_stored_run_is_whole(path, nb):
    """Executed top to bottom in one go, without an error, and of no particular machine."""
    problems = []
    for i, (place, cell) in enumerate(((p, c) for p, c in placed(nb) if "outputs" in c), 1):
        if cell.execution_count != i:
            words = f"was run as [{cell.execution_count}], not in one go"
            problems.append((place, f"{words}; store the lesson anew with `make notebooks`"))
        for words in filter(None, map(of_this_machine, cell.outputs)):
            cure = "change the cell so that it does not print that, then `make notebooks`"
            problems.append((place, f"its output holds {words}; {cure}"))
    report(path, problems)


@pytest.mark.parametrize(
    ("output", "said"),
    [
        (new_output("stream", text="<function f at 0x7f12345678ab>"), "an address of the memory"),
        (new_output("stream", text="see /home/somebody/x"), "a path of one machine, /home"),
        (new_output("stream", name="stderr", text="W: slow\n"), "or another message: W: slow"),
        (new_output("error", ename="ValueError"), "it ended with ValueError"),
        (new_output("stream", text="0x1f, 3.4"), None),
    ],
)
def test_what_an_output_may_not_hold_is_found(output, said):
    found = of_this_machine(output)
    assert found is None if said is None else said in found


@every_lesson
def test_outputs_belong_to_their_cells(path):
    """What is shown was printed by the cells that stand above it."""
    if words := stored.stale(path):
        pytest.fail(words, pytrace=False)


@pytest.mark.slow
@every_lesson
def test_outputs_belong_to_the_package(path):
    """Before a release, they were made by what is released."""
    if words := stored.stale(path, package=True):
        pytest.fail(words, pytrace=False)


@every_lesson
def test_parameters_are_few_plain_and_explained(nb):
    tagged = [c for c in code_cells(nb) if "parameters" in c.metadata.get("tags", [])]
    assert len(tagged) == 1
    assert not any("injected-parameters" in c.metadata.get("tags", []) for c in nb.cells)
    guard, _, lines = tagged[0].source.partition("\n\n")
    assert guard.startswith("try:\n    import diffutils.lessons")  # see test_installed.py
    for line in filter(str.strip, lines.splitlines()):
        if line.startswith("#"):
            continue
        assert line.count("=") == 1 and "#" in line, line
        assert line.split("=")[0].strip() in ALLOWED_PARAMETERS


@every_lesson
def test_code_is_short_and_plain_python(path, nb):
    problems, count = [], len(code_cells(nb))
    if count > 40:
        problems.append(("all cells", f"{count} hold code, 40 may; join some, or fold them away"))
    for place, cell in ((p, c) for p, c in placed(nb) if c.cell_type == "code"):
        lines = cell.source.splitlines()
        if len(lines) > 20:
            problems.append((place, f"{len(lines)} lines, 20 are allowed; split it"))
        for line in (line for line in lines if len(line) > 100):
            problems.append(
                (place, f"{len(line)} characters, 100 are allowed; break {line[:40]!r}")
            )
        try:
            ast.parse(cell.source)  # so there is no %magic and no !command
        except SyntaxError as error:
            problems.append((place, f"line {error.lineno} is no plain Python; write it as such"))
    report(path, problems)


@every_lesson
def test_text_is_not_too_long(path, nb):
    text = "\n".join(cell.source for cell in nb.cells if cell.cell_type == "markdown")
    words = len(re.sub(r"<details>.*?</details>", "", text, flags=re.DOTALL).split())
    cure = "shorten it, or fold some away"
    report(path, [("text", f"{words} words, 3,500 are allowed; {cure}")] if words > 3500 else [])


def descriptions(cell):
    """The alt texts of a cell's pictures: of its text, or generated; "" where one is missing."""
    texts = [cell.source] if cell.cell_type == "markdown" else []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts.append(data.get("text/html", ""))
        if "<img" not in texts[-1]:
            kinds = [kind for kind in data if kind.startswith("image/")]
            yield from (output.metadata.get(kind, {}).get("alt", "") for kind in kinds)
    for text in texts:
        yield from re.findall(r"!\[(.*?)\]\(", text)
        for image in re.findall(r"<img\b[^>]*>", text):
            found = re.search(r"\balt=(\"([^\"]*)\"|'([^']*)')", image)
            yield html.unescape(found[2] or found[3] or "") if found else ""


def alt_problems(nb) -> list[tuple[str, str]]:
    """Pictures without a description of their own."""
    problems, seen = [], {}
    for place, cell in placed(nb):
        for alt in descriptions(cell):
            if words := doubtful(alt):
                problems.append((place, f"the alt text {alt!r} {words}"))
            if alt in seen:
                cure = "say what is different in this picture"
                problems.append((place, f"the alt text {alt!r} is that of {seen[alt]}; {cure}"))
            seen.setdefault(alt, place)
    return problems


@every_lesson
def test_every_picture_has_a_description_of_its_own(path, nb):
    report(path, alt_problems(nb))


def test_a_description_that_is_none_is_found():
    shown = '<img src="x" alt="Loss against the steps of the training">'
    picture = new_output("display_data", {"image/png": "", "text/plain": ""})
    cells = [
        new_markdown_cell("![](a.png) ![figures/a.png](b.png) ![picture](c.png)"),
        new_code_cell("f()", outputs=[new_output("display_data", {"text/html": shown})]),
        new_code_cell("f()", outputs=[new_output("display_data", {"text/html": shown}), picture]),
        new_markdown_cell("<img src='a.png'> ![image image image image](d.png)"),
    ]
    found = alt_problems(new_notebook(cells=cells))
    assert {(place, words.split("; ")[-1]) for place, words in found} == {
        ("the text above cell [1]", "say in a sentence what the picture shows"),
        ("the text above cell [1]", "say what the picture shows"),
        ("cell [2]", "say what is different in this picture"),
        ("cell [2]", "say in a sentence what the picture shows"),
        ("the text below cell [2]", "say in a sentence what the picture shows"),
        ("the text below cell [2]", "say what is different in this picture"),
    }


def test_the_pictures_of_readme_have_a_description_of_their_own():
    for name in ("README.md", "data/README.md"):
        cell = new_markdown_cell((ROOT / name).read_text(encoding="utf-8"))
        report(ROOT / name, alt_problems(new_notebook(cells=[cell])))


def budget_words(cells: list[str]) -> list[str]:
    """What a compared output may not hold; the names that cells give to the budget are among it."""
    named = re.findall(r"^(\w+) = lesson\.budget$", "\n".join(cells), re.MULTILINE)
    return [r"budget", r"profile", r"seconds", r"time\.", *(rf"\b{name}\b" for name in named)]


def test_a_budget_is_found_under_its_short_name():
    words = budget_words(["lesson = du.lesson('02')\nb = lesson.budget", "print(b.steps)"])
    found = lambda text: any(re.search(word, text) for word in words)  # noqa: E731
    assert found("print(b.steps)") and found("f(lesson.budget)") and not found("print(a.b_min)")


@every_lesson
def test_outputs_that_are_compared_depend_on_no_budget(path, nb):
    words, problems = budget_words([cell.source for cell in code_cells(nb)]), []
    for place, cell in placed(nb):
        if "NBVAL_CHECK_OUTPUT" in cell.source:  # a tag: the student sees no word
            problems.append((place, "tag it nbval-check-output instead of writing the word in it"))
        if "nbval-check-output" in cell.metadata.get("tags", []):
            for found in filter(None, (re.search(word, cell.source) for word in words)):
                cure = "take that out, or the tag nbval-check-output"
                problems.append((place, f"what is compared depends on {found[0]!r}; {cure}"))
    report(path, problems)
