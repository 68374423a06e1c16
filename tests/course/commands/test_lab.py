"""`lab` opens a student's copies, and `export` writes the sets for a class."""

import nbformat
import pytest
from click.testing import CliRunner
from doubling import STUB
from small_exercise import names

from diffutils.__main__ import cli
from diffutils.course.commands import lab as commands
from diffutils.course.runs import headless


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
