"""Rows of an experiment: read, filtered, grouped, kept whole."""

import json
import math

import pytest

from diffutils.course.experiments import rows

ROW = dict.fromkeys(rows.SWEEP, 1) | dict.fromkeys(("sampler", "features", "hardware"), "a")
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
    kept, whole = rows.Rows(tmp_path), [ROW | row for row in ROWS]
    for row in whole:
        kept.add(row)
    assert rows.Rows(tmp_path).find(arm="b", training=0) == whole[2]
    assert kept.find(arm="c") is None
    assert rows.read(tmp_path / "sweep.jsonl", "") == whole
    nowhere = rows.Rows(None)
    nowhere.add(ROWS[0])
    assert nowhere.find(arm="a") == ROWS[0]


def test_a_file_that_is_not_there_has_no_rows(tmp_path):
    assert rows.read(tmp_path / "no.jsonl", "") == []


DAMAGED = {
    "{torn": "Expecting property name",
    "[1]": "a JSON object is expected",
    json.dumps(ROW | {"frechet": "1.0"}): "its field 'frechet' is '1.0'",
    json.dumps({k: v for k, v in ROW.items() if k != "N"}): "its field 'N' is missing",
    json.dumps(ROW | {"seed": True}): "its field 'seed' is True",
    "[" * 100_000: "nested too deep",
}


@pytest.mark.parametrize(("line", "said"), DAMAGED.items())
def test_a_damaged_line_is_named_with_its_cure(tmp_path, line, said):
    path = tmp_path / "sweep.jsonl"
    path.write_text(json.dumps(ROW) + "\n" + line + "\n")
    with pytest.raises(
        ValueError, match=rf"sweep.jsonl is damaged in line 2 \(.*{said}.*; fetch it"
    ):
        rows.read(path, "fetch it again")


@pytest.mark.parametrize("line", DAMAGED)
def test_a_damaged_row_of_a_run_is_made_again(tmp_path, line):
    path = tmp_path / "sweep.jsonl"
    path.write_text(json.dumps(ROW | {"steps": 7}) + "\n" + line + "\n")
    with pytest.warns(
        UserWarning, match="sweep.jsonl, line 2 .* is left out and made again"
    ) as seen:
        kept = rows.Rows(tmp_path)
    assert len(seen) == 1 and seen[0].filename == __file__
    assert kept.find(steps=7) and len(kept.rows) == 1
    kept.add(ROW)
    assert len(rows.read(path, "")) == 2


def test_a_distance_that_was_not_measured_is_null_on_disk_and_nan_here(tmp_path):
    rows.Rows(tmp_path).add(ROW | {"frechet": math.nan, "agreement": None})
    assert json.loads((tmp_path / "sweep.jsonl").read_text())["frechet"] is None
    (found,) = rows.read(tmp_path / "sweep.jsonl", "")
    assert math.isnan(found["frechet"]) and found["agreement"] is None


def test_what_is_no_row_is_refused():
    for wrong, said in (([3], "row 1 is 3"), ([ROW, {"a": 1}], "row 2 has no N")):
        with pytest.raises(ValueError, match=said):
            rows.check(wrong, "N")
    with pytest.raises(ValueError, match="row 1 is 3"):
        rows.where([3], a=1)
