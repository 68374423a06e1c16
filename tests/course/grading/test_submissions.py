"""Notebooks of a class are found and read within bounds; whatever is wrong stays one row."""

import json
import os
import zipfile
import zlib

import pytest

from diffutils.course.grading import submissions
from diffutils.course.grading.submissions import find, read


def notebook(*sources: str) -> bytes:
    cells = [{"cell_type": "code", "source": [source]} for source in sources]
    return json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}).encode()


GOOD = notebook("x = 1", 'f = du.check("1.1", f)')


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "class"
    for name in ("Ada/a.ipynb", "Bob/deep/er/b.IPYNB", ".ipynb_checkpoints/c.ipynb", "d.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(GOOD)
    for name in ("__MACOSX/e.ipynb", "Ada/._a.ipynb", "Ada/more.zip", ".DS_Store"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_bytes(b"litter")
    return root


def test_a_folder_is_read_with_its_sub_folders_and_litter_is_named(folder):
    found, ignored = find(folder)
    assert [s.file for s in found] == ["Ada/a.ipynb", "Bob/deep/er/b.IPYNB"]
    assert all(s.ids == ["1.1"] and s.cells[0] == "x = 1" and not s.problem for s in found)
    assert found[0].key == found[1].key
    assert sorted(ignored) == [
        ".DS_Store (hidden)",
        ".ipynb_checkpoints/ (hidden)",
        "Ada/._a.ipynb (hidden)",
        "Ada/more.zip (an archive in it; unpack it there)",
        "__MACOSX/ (hidden)",
        "d.py (no notebook)",
    ]


def test_links_and_pipes_are_not_followed(folder, tmp_path):
    (tmp_path / "secret.ipynb").write_bytes(GOOD)
    (tmp_path / "elsewhere").mkdir()
    (folder / "out.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (folder / "away").symlink_to(tmp_path / "elsewhere")
    os.mkfifo(folder / "pipe.ipynb")
    found, ignored = find(folder)
    assert len(found) == 2
    assert {"out.ipynb (a link, or no plain file)", "away/ (hidden)"} & {*ignored}
    assert "pipe.ipynb (a link, or no plain file)" in ignored


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"  \n", "empty"),
        (b"{", "no JSON"),
        (b"\xff\xfe\x00", "no JSON"),
        (b"[1, 2]", "no notebook"),
        (b'{"cells": []}', "no cells"),
        (b'{"cells": 3}', "no cells"),
        (b"[" * 100_000, "nested too deeply"),
        (notebook("x" * (submissions.CODE + 1)), "characters of code"),
        (notebook(*["x"] * (submissions.CELLS + 1)), "code cells"),
    ],
)
def test_a_damaged_notebook_is_a_row_with_a_problem(content, said):
    submission = read("x.ipynb", lambda: content)
    assert said in submission.problem and not submission.ids


def test_old_notebooks_and_lines_in_lists_are_read():
    cell = {"cell_type": "code", "input": ["a\n", 'check("2.1", f)', 7]}
    old = json.dumps({"nbformat": 3, "worksheets": [{"cells": [cell, {"cell_type": "markdown"}]}]})
    submission = read("old.ipynb", old.encode)
    assert submission.cells == ['a\ncheck("2.1", f)'] and submission.ids == ["2.1"]


def test_a_file_that_is_too_large_is_not_read(folder, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", len(GOOD) - 1)
    found, _ = find(folder)
    assert all("clear its outputs" in s.problem for s in found) and len(found) == 2


def packed(path, entries):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries:
            archive.writestr(name, content)
    return path


def test_an_archive_is_read_and_what_leads_out_is_ignored(tmp_path):
    link = zipfile.ZipInfo("link.ipynb")
    link.external_attr = 0o120777 << 16
    entries = [("Ada/a.ipynb", GOOD), ("../../b.ipynb", GOOD), ("/c.ipynb", GOOD), (link, "/etc")]
    entries += [("C:\\d.ipynb", GOOD), ("__MACOSX/Ada/._a.ipynb", b""), ("Bob\\b.ipynb", GOOD)]
    found, ignored = find(packed(tmp_path / "class.zip", entries))
    assert [s.file for s in found] == ["Ada/a.ipynb", "Bob/b.ipynb"]
    assert len(ignored) == 5 and sum("leads out" in words for words in ignored) == 3


def test_a_name_that_stands_twice_is_two_rows(tmp_path):
    with pytest.warns(UserWarning, match="Duplicate"):
        path = packed(tmp_path / "class.zip", [("a.ipynb", GOOD), ("a.ipynb", b"{")])
    found, _ = find(path)
    assert [s.file for s in found] == ["a.ipynb", "a.ipynb #2"]
    assert not found[0].problem and found[1].problem


def test_a_bomb_costs_only_its_own_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(submissions, "LARGEST", 2**20)
    bomb = ("bomb.ipynb", b" " * 2**24)
    path = packed(tmp_path / "class.zip", [("a.ipynb", GOOD), bomb])
    found, _ = find(path)
    assert not found[0].problem and "clear its outputs" in found[1].problem
    monkeypatch.setattr(submissions, "TOTAL", 2 * len(GOOD))
    found, _ = find(packed(tmp_path / "two.zip", [(f"{n}.ipynb", GOOD) for n in "abc"]))
    assert [bool(s.problem) for s in found] == [False, False, True]


def test_a_damaged_entry_costs_only_its_own_row(tmp_path):
    path = packed(tmp_path / "class.zip", [("a.ipynb", GOOD), ("b.ipynb", GOOD * 50)])
    data = bytearray(path.read_bytes())
    place = data.index(b"b.ipynb") + 30
    data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    found, _ = find(path)
    assert not found[0].problem and found[1].problem


def test_what_is_no_class_is_refused(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("no archive")
    with pytest.raises(ValueError, match="neither a folder nor a readable zip"):
        find(tmp_path / "a.txt")
    with pytest.raises(ValueError, match="holds no notebook"):
        find(tmp_path)
    with pytest.raises(FileNotFoundError, match="does not exist"):
        find(tmp_path / "nowhere")
    monkeypatch.setattr(submissions, "FILES", 1)
    (tmp_path / "b.txt").write_text("one more")
    with pytest.raises(ValueError, match="more than 1 files"):
        find(tmp_path)


def test_every_error_of_an_archive_is_known():
    assert zlib.error in submissions.UNREADABLE
