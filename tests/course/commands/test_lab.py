"""`lab` opens a student's copies, and `export` writes the sets for a class."""

import os

import pytest
from click.testing import CliRunner

from diffutils.__main__ import cli
from diffutils.course.commands import lab as commands
from diffutils.course.runs import headless
from diffutils.course.workbook import progress, workspace


def test_lab_opens_the_copies(lesson, tmp_path, monkeypatch):
    started = []
    monkeypatch.setattr(headless, "NOTEBOOKS", lesson.parent)
    monkeypatch.setattr("diffutils.weights.files.CHECKOUT", tmp_path)
    monkeypatch.setattr(commands, "become", lambda command, *_: started.append(command))
    done = CliRunner().invoke(cli, ["lab", "--no-browser"])
    assert done.exit_code == 0, done.output
    assert "a fresh copy for your answers" in done.output
    assert started[0][1:] == ["-m", "jupyterlab", str(tmp_path / "work"), "--no-browser"]


def test_lab_takes_a_work_folder_and_says_which(lesson, tmp_path, monkeypatch):
    monkeypatch.setattr(headless, "NOTEBOOKS", lesson.parent)
    told = []
    monkeypatch.setattr(commands, "become", lambda *arguments: told.extend(arguments))
    done = CliRunner().invoke(cli, ["lab", "--work", str(tmp_path / "mine")])
    assert done.exit_code == 0, done.output
    assert f"Your copies of the lessons: {tmp_path / 'mine'}\n" in done.output
    assert (tmp_path / "mine" / lesson.name).is_file()
    assert told[2][progress.WORK] == str(tmp_path / "mine") and progress.WORK not in os.environ


@pytest.mark.parametrize("taken", ["student/01_first.ipynb", "notes.txt"])
def test_export_overwrites_nothing(lesson, tmp_path, monkeypatch, taken):
    monkeypatch.setattr(headless, "NOTEBOOKS", lesson.parent)
    out = tmp_path / "class"
    (out / taken).parent.mkdir(parents=True)
    (out / taken).write_text("marked by hand")
    done = CliRunner().invoke(cli, ["export", str(out)])
    assert done.exit_code == 2
    assert "overwrites nothing" in " ".join(done.output.split())
    assert (out / taken).read_text() == "marked by hand"
    assert sum(path.is_file() for path in out.rglob("*")) == 1


def test_export_says_what_is_in_it_and_who_else_has_the_answers(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(workspace, "export", lambda *a: asked.append(a))
    done = CliRunner().invoke(cli, ["export", "--profile", "smoke", str(tmp_path / "class")])
    assert done.exit_code == 0 and asked[0][2] == "smoke"
    said = " ".join(done.output.split())
    assert "no solutions, no answers" in said and "run at smoke" in said
    assert "every copy of the repository, and the installed package, holds the answers" in said
