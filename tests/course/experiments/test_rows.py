"""Rows of an experiment: read, filtered, grouped, kept whole."""

import json

import pytest

from diffutils.course.experiments import rows

ROWS = [
    {"arm": "a", "training": 0, "frechet": 1.0},
    {"arm": "a", "training": 1, "frechet": 2.0},
    {"arm": "b", "training": 0, "frechet": 3.0},
    {"arm": "b", "frechet": 4.0},
]


def test_where_keeps_the_rows_that_have_every_entry():
    assert rows.where(ROWS, arm="b", training=0) == [ROWS[2]]
    assert rows.where(iter(ROWS), arm="a") == ROWS[:2] and rows.where(ROWS) == ROWS
    assert rows.where(ROWS, missing=None) == []  # a row without the entry does not have it


def test_groups_come_in_order_and_lose_no_row():
    assert rows.group(ROWS, "arm") == {("a",): ROWS[:2], ("b",): ROWS[2:]}
    assert list(rows.group(ROWS, "training", "arm")) == [(0, "a"), (1, "a"), (0, "b"), (None, "b")]
    assert rows.group(ROWS) == {(): ROWS}


def test_rows_are_kept_and_found_again(tmp_path):
    kept = rows.Rows(tmp_path)
    for row in ROWS:
        kept.add(row)
    assert rows.Rows(tmp_path).find(arm="b", training=0) == ROWS[2]
    assert kept.find(arm="c") is None
    assert rows.read(tmp_path / "sweep.jsonl", "") == ROWS
    nowhere = rows.Rows(None)
    nowhere.add(ROWS[0])
    assert nowhere.find(arm="a") == ROWS[0]


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    assert rows.read(tmp_path / "no.jsonl", "") == []


@pytest.mark.parametrize("line", ["{torn", "[1]", "3"])
def test_a_damaged_line_is_named_with_its_cure(tmp_path, line):
    path = tmp_path / "sweep.jsonl"
    path.write_text(json.dumps(ROWS[0]) + "\n" + line + "\n")
    with pytest.raises(ValueError, match=r"sweep.jsonl is damaged in line 2 \(.*\); delete it"):
        rows.Rows(tmp_path)
