"""A student's answers survive a course update; the exported sets hold what they should."""

import json

import nbformat
import pytest
from click.testing import CliRunner
from doubling import STUB
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from diffutils.__main__ import cli
from diffutils.course.commands import lab as commands
from diffutils.course.exercises.workspace import RECORD, prepare
from diffutils.course.runs import headless

FOLDS = (
    "<details><summary>Hint 1</summary>\n\nTwo.\n\n</details>\n\n<details>"
    "<summary>Solution</summary>\n\n```python\ndef double(x):\n    return 2 * x\n```\n\n"
    "</details>"
)


@pytest.fixture
def lesson(tmp_path):
    """notebooks/01_first.ipynb with one exercise, executed."""
    path = tmp_path / "notebooks" / "01_first.ipynb"
    path.parent.mkdir()
    write(path, "Version one")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "01.png").write_bytes(b"a picture")
    return path


def write(path, text: str) -> None:
    printed = [new_output("stream", name="stdout", text="a verdict\n")]
    cells = [
        new_markdown_cell(text),
        new_code_cell("1 + 1", execution_count=1, outputs=printed),
        new_code_cell(STUB, execution_count=2, outputs=printed),
        new_markdown_cell(FOLDS),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells), path)


def copy_lessons(lesson, work) -> list[str]:
    return prepare([lesson], lesson.parents[1] / "figures", work)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# ------------------------------------------------------- work/


def test_the_first_time_every_lesson_is_copied(lesson, tmp_path):
    said = copy_lessons(lesson, tmp_path / "work")
    assert said == ["work/01_first.ipynb: a fresh copy for your answers."]
    assert names(tmp_path / "work") == [RECORD, lesson.name, "figures"]
    assert copy_lessons(lesson, tmp_path / "work") == []


def test_a_copy_was_never_run_and_finds_its_pictures(lesson, tmp_path):
    write(lesson, "![A picture](../figures/01.png)")
    before, work = lesson.read_bytes(), tmp_path / "work"
    copy_lessons(lesson, work)
    original, copy = (nbformat.read(p, as_version=4).cells for p in (lesson, work / lesson.name))
    assert [c.source for c in copy[1:]] == [c.source for c in original[1:]]
    assert all(c.outputs == [] and c.execution_count is None for c in copy if "outputs" in c)
    link = copy[0].source.partition("](")[2].rstrip(")")
    assert (work / link).read_bytes() == b"a picture"  # below the folder that JupyterLab opens
    assert lesson.read_bytes() == before

    (tmp_path / "figures" / "01.png").write_bytes(b"a better picture")
    copy_lessons(lesson, work)
    assert (work / link).read_bytes() == b"a better picture"


def test_an_answered_lesson_is_never_touched(lesson, tmp_path):
    work = tmp_path / "work"
    copy_lessons(lesson, work)
    mine = work / lesson.name
    mine.write_text("my answers, perhaps damaged")
    assert copy_lessons(lesson, work) == []

    write(lesson, "Version two")
    (said,) = copy_lessons(lesson, work)
    assert "new version of 01_first.ipynb" in said and "01_first.new-1.ipynb" in said
    assert mine.read_text() == "my answers, perhaps damaged"
    assert "Version two" in (work / "01_first.new-1.ipynb").read_text()
    assert copy_lessons(lesson, work) == []

    (work / "01_first.new-1.ipynb").write_text("answers here too")
    write(lesson, "Version three")
    copy_lessons(lesson, work)
    assert (work / "01_first.new-1.ipynb").read_text() == "answers here too"
    assert "Version three" in (work / "01_first.new-2.ipynb").read_text()

    (work / "01_first.new-2.ipynb").unlink()  # declined: it does not come back
    assert copy_lessons(lesson, work) == []


def test_new_outputs_are_no_new_version(lesson, tmp_path):
    copy_lessons(lesson, tmp_path / "work")
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[1].outputs, notebook.cells[1].execution_count = [], 7
    nbformat.write(notebook, lesson)
    assert copy_lessons(lesson, tmp_path / "work") == []


def test_a_deleted_copy_comes_back_as_the_new_version(lesson, tmp_path):
    work = tmp_path / "work"
    copy_lessons(lesson, work)
    (work / lesson.name).unlink()
    write(lesson, "Version two")
    assert "a fresh copy" in copy_lessons(lesson, work)[0]
    assert "Version two" in (work / lesson.name).read_text()
    assert copy_lessons(lesson, work) == []


@pytest.mark.parametrize("record", ["", "{", "[1]", '{"01_first": 3}', None])
def test_a_lost_record_costs_no_answers(lesson, tmp_path, record):
    work = tmp_path / "work"
    copy_lessons(lesson, work)
    (work / RECORD).unlink() if record is None else (work / RECORD).write_text(record)
    assert copy_lessons(lesson, work) == []  # the copy says the same as the lesson: nothing is new
    (work / lesson.name).write_text("my answers")
    write(lesson, "Version two")
    copy_lessons(lesson, work)
    assert (work / lesson.name).read_text() == "my answers"
    assert json.loads((work / RECORD).read_text())["01_first"].keys() == {
        "01_first.ipynb",
        "01_first.new-1.ipynb",
    }


def test_lab_opens_the_copies(lesson, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(headless, "NOTEBOOKS", lesson.parent)
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path)

    class Done:
        returncode = 0

    monkeypatch.setattr(commands.subprocess, "run", lambda c, **kw: started.append(c) or Done)
    done = CliRunner().invoke(cli, ["lab", "--no-browser"])
    assert done.exit_code == 0, done.output
    assert "a fresh copy for your answers" in done.output
    assert started[0][1:] == ["-m", "jupyterlab", str(tmp_path / "work"), "--no-browser"]


def test_git_ignores_work(root):
    assert "/work/" in (root / ".gitignore").read_text().splitlines()


# ------------------------------------------------------- export


@pytest.fixture
def export(lesson, tmp_path, monkeypatch):
    monkeypatch.setattr(headless, "NOTEBOOKS", lesson.parent)
    monkeypatch.setattr(commands, "CHECKOUT", tmp_path)
    return lambda out: CliRunner().invoke(cli, ["export", str(out)])


def test_export_writes_a_set_for_students_and_one_for_instructors(export, lesson, tmp_path):
    before, out = lesson.read_bytes(), tmp_path / "class"
    done = export(out)
    assert done.exit_code == 0, done.output
    assert names(out) == ["figures", "instructor", "student"]
    assert (out / "figures" / "01.png").read_bytes() == b"a picture"

    text = (out / "student" / lesson.name).read_text()
    assert "2 * x" not in text and "Ask your instructor" in text and "Hint 1" in text
    student = nbformat.reads(text, as_version=4).cells
    assert student[2].source == STUB
    for cell in student[1:3]:  # nor does a stored result give a guess away
        assert cell.outputs == [] and cell.execution_count is None

    teacher = nbformat.read(out / "instructor" / lesson.name, as_version=4)
    nbformat.validate(teacher)
    assert teacher.cells[2].source == (
        'def double(x):\n    return 2 * x\n\ndouble = du.check("1.1", double)\nfour = double(2)'
    )
    assert teacher.cells[2].outputs == []
    assert lesson.read_bytes() == before


@pytest.mark.parametrize("taken", ["student/01_first.ipynb", "figures/01.png"])
def test_export_overwrites_nothing(export, tmp_path, taken):
    out = tmp_path / "class"
    (out / taken).parent.mkdir(parents=True)
    (out / taken).write_text("marked by hand")
    done = export(out)
    assert done.exit_code == 2
    assert "overwrites nothing" in " ".join(done.output.split())
    assert (out / taken).read_text() == "marked by hand"
    assert sum(path.is_file() for path in out.rglob("*")) == 1


def test_an_exercise_without_a_solution_is_refused(export, lesson, tmp_path):
    notebook = nbformat.read(lesson, as_version=4)
    notebook.cells[3].source = notebook.cells[3].source.replace("Solution", "Answer")
    nbformat.write(notebook, lesson)
    done = export(tmp_path / "class")
    assert done.exit_code == 2 and "exercise 1.1" in done.output
    assert not (tmp_path / "class").exists()
