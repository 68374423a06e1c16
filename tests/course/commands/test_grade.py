"""A class is graded by one command: every row is there, whatever was handed in."""

import csv
import json
import sys
import zipfile

import pytest
from class_of_students import COURSES, FORGED, IDS, drawn, filled, lesson, one, write
from command_line import call

from diffutils.course.grading import gradebook
from diffutils.course.workbook import folds

linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere only time is limited")


def rows_of(out) -> dict[str, dict]:
    held = json.loads((out / "grades.json").read_text())
    return {row["file"]: row for row in held["submissions"]}


def statuses(row: dict) -> dict[str, str]:
    return {id: graded["status"] for id, graded in row["exercises"].items()}


@linux
def test_a_class_of_twelve_is_graded(tmp_path):
    import random

    import nbformat

    nb, draw, folder = lesson(), random.Random(4), tmp_path / "class"
    made = {
        "Ada/01_forward_diffusion.ipynb": filled(nb, folds.solutions(nb)),
        "Bob/01_forward_diffusion.ipynb": nb,
        "<Cy> & =Co/01_forward_diffusion.ipynb": drawn(nb, "wrong", draw)[0],
        "half.ipynb": drawn(nb, "half", draw)[0],
        "own.ipynb": one(nb, "courses", [*COURSES][0]),
        "forged.ipynb": one(nb, "forged", [*FORGED][1]),
        "loop.ipynb": one(nb, "hostile", "loop"),
        "bomb.ipynb": one(nb, "hostile", "fork bomb"),
        "exit.ipynb": one(nb, "hostile", "exit"),
        "memory.ipynb": one(nb, "hostile", "memory"),
    }
    for name, notebook in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, folder / name)
    (folder / "damaged.ipynb").write_text("{")
    (folder / "empty.ipynb").write_text("")
    (folder / "notes.txt").write_text("hello")
    limits = ("--seconds", "1", "--memory", "0.5", "--workers", "2")
    done = call("grade", str(folder), *limits)
    assert done.exit_code == 0, done.output
    # Every notebook has a row, and each hostile one lost nothing but its own exercise.
    out = tmp_path / "class-grades"
    rows = rows_of(out)
    assert len(rows) == 12 and "ignored: notes.txt (no notebook)" in done.output
    assert statuses(rows["Ada/01_forward_diffusion.ipynb"]) == dict.fromkeys(IDS, "right")
    assert statuses(rows["Bob/01_forward_diffusion.ipynb"]) == dict.fromkeys(IDS, "not attempted")
    assert rows["own.ipynb"]["exercises"]["1.3"]["status"] == "course's own"
    for name in ("loop", "bomb", "exit", "memory"):
        found = statuses(rows[f"{name}.ipynb"])
        assert found == dict.fromkeys(IDS, "right") | {"1.3": "crash"}, name
    assert rows["damaged.ipynb"]["problem"] and rows["empty.ipynb"]["problem"]
    with open(out / "grades.csv", encoding="utf-8-sig", newline="") as file:
        table = {line["file"]: line for line in csv.DictReader(file)}
    ada = table["Ada/01_forward_diffusion.ipynb"]
    assert (ada["name"], ada["points"], ada["max"]) == ("Ada", "11", "11")
    assert "&lt;Cy&gt; &amp; =Co" in (out / "class.html").read_text(encoding="utf-8")
    # The same command runs nothing again, and keeps the seed.
    seed = json.loads((out / "grades.json").read_text())["seed"]
    again = call("grade", str(folder), *limits)
    assert again.exit_code == 0 and "12 of 12 need no process" in again.output
    assert f"seed {seed}" in again.output and rows_of(out) == rows


@pytest.mark.slow
@pytest.mark.timeout(1500)
@linux
def test_a_class_of_120_is_graded_within_ten_minutes(tmp_path):
    import time

    expected = write(tmp_path / "class", 120, seed=1)
    begun = time.monotonic()
    done = call("grade", str(tmp_path / "class"), "--workers", "2")
    assert done.exit_code == 0, done.output
    assert time.monotonic() - begun < 600
    for file, row in rows_of(tmp_path / "class-grades").items():
        for id, status in statuses(row).items():
            wanted = expected[file][id]
            assert wanted is None or status == wanted or wanted == "" and status != "right", file


@pytest.fixture
def quick(monkeypatch):
    """Nothing is run: every notebook says nothing."""
    from diffutils.course.grading.process import Told

    def finished(contents, left, ids, seed, limits):
        yield from ((submission, Told(finished=True), 0.0) for submission in left)

    monkeypatch.setattr(gradebook, "finished", finished)


def notebook(path, id: str = "1.1") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cell = {"cell_type": "code", "source": f'f = du.check("{id}", ...)'}
    path.write_text(json.dumps({"cells": [cell], "nbformat": 4, "metadata": {}}))


def test_a_zip_with_several_lessons_and_a_roster(tmp_path, quick):
    notebook(tmp_path / "a.ipynb")
    notebook(tmp_path / "b.ipynb", "4.2")
    with zipfile.ZipFile(tmp_path / "class.zip", "w") as archive:
        for name in ("a.ipynb", "b.ipynb"):
            archive.write(tmp_path / name, name)
    roster = tmp_path / "roster.csv"
    roster.write_text("file,name\na.ipynb,Ada Lovelace\nc.ipynb,Cy\n")
    out = tmp_path / "out"
    done = call(
        "grade",
        str(tmp_path / "class.zip"),
        "--roster",
        str(roster),
        "--out",
        str(out),
        "--seed",
        "5",
    )
    assert done.exit_code == 0, done.output
    rows = rows_of(out)
    assert [row["name"] for row in rows.values()] == ["Ada Lovelace", ""]
    assert [row["lessons"] for row in rows.values()] == [["01"], ["04"]]
    assert "roster: b.ipynb: no row of the roster names it" in done.output
    assert "roster: roster, Cy: no notebook is called c.ipynb" in done.output
    assert json.loads((out / "grades.json").read_text())["seed"] == 5


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere"], "does not exist; give a folder"),
        (["empty"], "holds no notebook"),
        (["class", "--roster", "none.csv"], "none.csv"),
        (["class", "--roster", "class/a.ipynb"], "a roster is a CSV file"),
        (["class", "--seconds", "0"], "--seconds"),
        (["class", "--memory", "nan"], "nan is not a finite number"),
        (["class", "--workers", "0"], "--workers"),
        (["class", "--out", "full"], "holds other files"),
    ],
)
def test_wrong_arguments_are_refused(tmp_path, monkeypatch, quick, arguments, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    notebook(tmp_path / "class" / "a.ipynb")
    done = call("grade", *arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    assert not (tmp_path / "class-grades").exists()


def test_results_are_whole_or_not_there(tmp_path, monkeypatch, quick):
    from diffutils.course.grading import page

    notebook(tmp_path / "class" / "a.ipynb")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(page, "page", full)
    done = call("grade", str(tmp_path / "class"))
    out = tmp_path / "class-grades"
    assert done.exit_code == 1 and "No space left" in done.output
    assert {path.name for path in out.iterdir()} == {gradebook.SETTINGS, gradebook.ROWS}


def test_the_help_says_what_is_not_protected():
    said = " ".join(call("grade", "--help").output.split())
    for words in ("WITH YOUR RIGHTS", "container", "columns file and name", "--seed", "Landlock"):
        assert words in said
