"""A student's answers survive a course update, and a lost record costs none."""

import json

import nbformat
import pytest
from small_exercise import names, write

from diffutils.course.exercises.workspace import RECORD, prepare


def copy_lessons(lesson, work) -> list[str]:
    return prepare([lesson], lesson.parents[1] / "figures", work)


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


def test_git_ignores_work(root):
    assert "/work/" in (root / ".gitignore").read_text().splitlines()
