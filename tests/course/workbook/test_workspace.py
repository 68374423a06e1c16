"""A student's answers survive a course update, and a lost record costs none."""

import errno
import json
import re
from pathlib import Path

import nbformat
import pytest
from doubling import STUB
from small_exercise import FOLDS, names, write

from diffutils import lessons
from diffutils.course.runs import rundir
from diffutils.course.workbook import folds, workspace
from diffutils.course.workbook.workspace import RECORD, prepare


def copy_lessons(lesson, work) -> list[str]:
    return prepare([lesson], work)


def test_the_first_time_every_lesson_is_copied(lesson, tmp_path):
    said = copy_lessons(lesson, tmp_path / "work")
    assert said == ["work/01_first.ipynb: a fresh copy for your answers."]
    assert names(tmp_path / "work") == [RECORD, lesson.name]
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


@pytest.mark.parametrize("mine", ["[" * 100_000, '{"cells": [null]}', "null", None])
def test_whatever_a_student_left_under_the_name_stays(lesson, tmp_path, mine):
    """The new version is laid beside it; None: a folder."""
    path = tmp_path / "work" / lesson.name
    path.parent.mkdir()
    path.mkdir() if mine is None else path.write_text(mine)
    (said,) = copy_lessons(lesson, path.parent)
    assert "is untouched" in said and (path.parent / "01_first.new-1.ipynb").is_file()
    assert path.is_dir() if mine is None else path.read_text() == mine


@pytest.mark.parametrize("record", ["", "{", "[1]", "[" * 100_000, '{"01_first": 3}', None])
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


SHORT = STUB.removesuffix("\nfour = double(2)")
OPEN = """
import diffutils as du
lesson = du.lesson("01", profile, seed=seed, overrides={"images": 1})
"""
QUESTION = "1. Why?\n   <details><summary>Answer</summary>Because it is so.</details>"


@pytest.fixture
def runnable(tmp_path, monkeypatch, write_notebook) -> Path:
    """A lesson that runs, with an exercise, a question and a picture; runs go to tmp_path."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "notebooks" / "01_first.ipynb"
    cells = "profile = None  # how much\nseed = 0  # chance", OPEN, SHORT, "lesson.finish()"
    write_notebook(path, *cells)
    notebook = nbformat.read(path, as_version=4)
    texts = {0: "![A picture](../figures/01.png)", 4: FOLDS, 5: QUESTION}
    for place, text in texts.items():
        notebook.cells.insert(place, nbformat.v4.new_markdown_cell(text))
    nbformat.write(notebook, path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "01.png").write_bytes(b"a picture")
    return path


def export(lesson: Path, out: Path) -> list[str]:
    said = []
    workspace.export([lesson], out, "smoke", lessons.budget, said.append)
    return said


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_export_writes_a_set_for_students_and_one_for_instructors(runnable, tmp_path):
    before, out = runnable.read_bytes(), tmp_path / "class"
    export(runnable, out)
    files = ["01_first.ipynb", "figures"]
    assert {name: names(out / name) for name in names(out)} == {
        "instructor": files,
        "student": files,
    }
    # The student's holds no answer, and was not run.
    text = (out / "student" / runnable.name).read_text()
    assert "2 * x" not in text and "Because" not in text
    assert text.count("Ask your instructor") == 2 and "Hint 1" in text
    student = nbformat.reads(text, as_version=4).cells
    assert student[3].source == SHORT
    assert all(c.outputs == [] and c.execution_count is None for c in student if "outputs" in c)
    # The instructor's is solved and was run.
    teacher = nbformat.read(out / "instructor" / runnable.name, as_version=4)
    nbformat.validate(teacher)
    assert teacher.cells[3].source == (
        'def double(x):\n    return 2 * x\n\ndouble = du.check("1.1", double)'
    )
    assert "Exercise 1.1" in str(teacher.cells[3].outputs)
    assert [c.execution_count for c in teacher.cells if "outputs" in c] == [1, 2, 3, 4]
    # Pictures are where the text looks for them, and the source is as it was.
    for name in names(out):
        first = nbformat.read(out / name / runnable.name, as_version=4).cells[0].source
        (link,) = re.findall(r"\]\((.+?)\)", first)
        assert (out / name / link).read_bytes() == b"a picture"
    assert runnable.read_bytes() == before
    # What was run is not run again, and comes out the same.
    said = export(runnable, tmp_path / "again")
    assert any("was finished before" in line for line in said)
    assert contents(tmp_path / "again") == contents(out)


@pytest.mark.parametrize("full", ["student", "instructor", "rename"])
def test_an_export_that_fails_leaves_nothing_and_can_be_repeated(
    runnable, tmp_path, monkeypatch, full
):
    out, sync, rename = tmp_path / "class", workspace.os.fsync, Path.rename
    out.mkdir()  # an empty folder may be there

    def no_room(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def put(folder, *rest):
        if folder.name == full:
            monkeypatch.setattr(workspace.os, "fsync", no_room)
        write_files(folder, *rest)

    monkeypatch.setattr(workspace, "executed", lambda *_: {runnable: folds.with_solutions})
    write_files = workspace.put
    if full == "rename":
        monkeypatch.setattr(Path, "rename", no_room)
    monkeypatch.setattr(workspace, "put", put)
    with pytest.raises(OSError, match=rf"^{out} cannot be written \(No space left on device\)"):
        export(runnable, out)
    assert not out.exists() or names(out) == []
    assert [name for name in names(tmp_path) if name.endswith(".part")] == []

    monkeypatch.setattr(workspace.os, "fsync", sync)
    monkeypatch.setattr(Path, "rename", rename)
    monkeypatch.setattr(workspace, "put", write_files)
    (tmp_path / ".class.diffutils.part" / "student").mkdir(parents=True)  # of a killed one
    (tmp_path / ".class.diffutils.part" / "student" / "half.ipynb").write_text("{")
    export(runnable, out)
    assert names(out) == ["instructor", "student"] and ".class.diffutils.part" not in names(
        tmp_path
    )
    assert "half.ipynb" not in names(out / "student")


def test_two_exports_at_once_do_not_mix(runnable, tmp_path, monkeypatch):
    def busy(folder):
        raise BlockingIOError("in use")

    monkeypatch.setattr(rundir, "hold", busy)
    (tmp_path / ".class.diffutils.part").mkdir()
    with pytest.raises(BlockingIOError):
        export(runnable, tmp_path / "class")
    assert ".class.diffutils.part" in names(tmp_path)  # of the other one


def test_a_solution_that_does_not_run_is_named(runnable, tmp_path):
    notebook = nbformat.read(runnable, as_version=4)
    notebook.cells[-1].source = "1 / 0"
    nbformat.write(notebook, runnable)
    with pytest.raises(ValueError, match="instructor's set was not written: 01_first.*division"):
        export(runnable, tmp_path / "class")
    assert not (tmp_path / "class").exists()


def test_an_exercise_without_a_solution_is_refused(runnable, tmp_path):
    text = runnable.read_text().replace("<summary>Solution", "<summary>Result")
    runnable.write_text(text)
    with pytest.raises(ValueError, match=r"exercise 1\.1"):
        export(runnable, tmp_path / "class")
    assert not (tmp_path / "class").exists()


def test_the_folder_where_one_works_is_not_replaced(runnable, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(FileExistsError, match="choose a folder that is new"):
        export(runnable, Path("."))


def test_a_picture_that_is_missing_is_named(lesson, tmp_path):
    write(lesson, "![A picture](../figures/02.png)")
    with pytest.raises(FileNotFoundError, match=r"02\.png"):
        copy_lessons(lesson, tmp_path / "work")
