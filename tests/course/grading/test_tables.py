"""The graded class as a spreadsheet, as JSON, in a terminal and as a page."""

import csv
import io
import json
import re

import pytest

from diffutils import lessons
from diffutils.course.grading import page, table
from diffutils.course.grading.answers import Graded
from diffutils.course.grading.gradebook import Row, points

EXERCISES = lessons.exercises()
SETTINGS = {"seed": 7, "seconds": 1.0}
EVIL = '=cmd|"/c calc"!A1'
TAG = "<script>alert(1)</script>\u202e\x1b[31m"


@pytest.fixture
def rows():
    right, wrong = Graded("right"), Graded("wrong", 'yours: "1"\nexpected: 2', "roots forgotten")
    ada = {"1.1": right, "1.2": wrong, "1.3": Graded("crash", "no", "endless")}
    bob = {"1.1": wrong, "1.2": Graded("not attempted"), "1.3": Graded("course's own")}
    return [
        Row("ada.ipynb", "Ada", "k1", exercises=ada),
        Row("=1+1.ipynb", EVIL, "k2", exercises=bob, remarks=["@SUM(A1)"]),
        Row("x.ipynb", TAG, "k3", problem="the file is empty"),
        Row("b.ipynb", "-2+3", "k4", exercises={"2.1": Graded("wrong")}),
    ]


def test_points_are_the_difficulties_of_what_is_right(rows):
    most = sum(EXERCISES[id].difficulty for id in ("1.1", "1.2", "1.3"))
    assert points(rows[0], EXERCISES) == (EXERCISES["1.1"].difficulty, most)
    assert points(rows[2], EXERCISES) == (0, 0)


def test_the_spreadsheet_holds_every_verdict_and_no_formula(rows):
    text = table.as_csv(rows, EXERCISES).decode("utf-8-sig")
    held = [*csv.reader(io.StringIO(text))]
    assert held[0] == ["name", "file", "lessons", "1.1", "1.2", "1.3", "2.1"] + [
        "points", "max", "remarks",
    ]  # fmt: skip
    assert held[1][:7] == [
        "Ada",
        "ada.ipynb",
        "01",
        "right",
        "roots forgotten",
        "crash: endless",
    ] + [""]
    assert held[2][5] == "course's own" and held[3][-1] == "the file is empty"
    for cell in (cell for line in held for cell in line):
        assert not cell.startswith(table.FORMULA) and "\x1b" not in cell
    assert held[2][0] == f"'{EVIL}" and held[2][-1] == "'@SUM(A1)"


def test_json_holds_the_words_too(rows):
    held = table.as_json(rows, EXERCISES, SETTINGS, {"ignored": ["a"]})
    held = json.loads(json.dumps(held))
    assert held["seed"] == 7 and held["ignored"] == ["a"]
    assert held["exercises"]["1.2"] == {
        "title": EXERCISES["1.2"].title,
        "difficulty": EXERCISES["1.2"].difficulty,
    }
    ada = held["submissions"][0]
    assert ada["points"] == EXERCISES["1.1"].difficulty and ada["lessons"] == ["01"]
    assert ada["exercises"]["1.2"]["words"].startswith("yours:")


def test_the_terminal_shows_marks_and_the_most_frequent_mistakes(rows):
    text = table.in_terminal(rows, EXERCISES)
    assert re.search(r"Ada +✓ +✗ +! +1 of \d", text)
    assert "not graded" in text and "\x1b" not in text and "\u202e" not in text
    assert "1  1.2  roots forgotten" in text


def test_the_page_is_whole_and_escapes_what_others_wrote(rows):
    said = {"Ignored files": ["<b>x.py</b> (no notebook)"], "What does not fit the roster": []}
    text = page.page(rows, EXERCISES, SETTINGS, said).decode()
    assert "<script" not in text and "&lt;script&gt;" in text and "\u202e" not in text
    assert "&lt;b&gt;x.py" in text and "fit the roster" not in text
    assert not re.search(r"(?:src|href)=|url\(|@import", text)
    assert "4 notebooks, 1 of them not graded, of 2 lessons (01, 02)" in text
    assert "1 × roots forgotten" in text and "1 right, 1 wrong" in text
    for tag in ("div", "table", "tr", "td", "ul", "li", "span", "p"):
        assert len(re.findall(rf"<{tag}[ >]", text)) == text.count(f"</{tag}>"), tag


def test_the_page_says_where_people_stopped(rows):
    text = page.stopped("01", rows[:2], ["1.1", "1.2", "1.3"], EXERCISES)
    assert [int(n) for n in re.findall(r">(\d+)</span>", text)] == [0, 0, 0, 2]
    rows[0].exercises["1.3"] = Graded("not attempted")
    text = page.stopped("01", rows[:2], ["1.1", "1.2", "1.3"], EXERCISES)
    assert [int(n) for n in re.findall(r">(\d+)</span>", text)] == [0, 0, 1, 1]


def test_an_empty_class_has_a_page_too():
    rows = [Row("x.ipynb", "x", "", problem="the file is empty")]
    assert b"1 notebook, 1 of them not graded" in page.page(rows, EXERCISES, SETTINGS, {})
    assert table.as_csv(rows, EXERCISES).count(b"\n") == 2
