"""A file is there whole or as it was before; JSON has no nan."""

import json
import os

import pytest

from diffutils.weights import files


@pytest.mark.parametrize("broken", ["fsync", "replace", "chmod"])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, broken):
    """Also when it is the user who interrupts; and no temporary file stays."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    for error in (OSError("disk full"), KeyboardInterrupt()):

        def fail(*_, error=error):
            raise error

        with monkeypatch.context() as m:
            m.setattr(os, broken, fail)
            with pytest.raises(type(error)):
                files.write_whole(path, b"new" * 1000)
        assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]
    files.write_whole(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_complete(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    real = os.replace

    def spy(source, target):
        seen.append((path.read_bytes(), open(source, "rb").read()))
        real(source, target)

    monkeypatch.setattr(os, "replace", spy)
    files.write_whole(path, b"new")
    assert seen == [(b"old", b"new")] and path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644


def test_json_has_no_nan_and_keeps_every_letter(tmp_path):
    value = {"σ": (1, float("nan")), "deep": [{"a": float("-inf")}, "NaN"], "none": None}
    files.write_json(tmp_path / "deep" / "er.json", value)
    text = (tmp_path / "deep" / "er.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"σ": [1, None], "deep": [{"a": None}, "NaN"], "none": None}
    assert "σ" in text and text.endswith("}\n")


def test_what_json_cannot_hold_leaves_the_old_file(tmp_path):
    files.write_json(tmp_path / "a.json", [1])
    with pytest.raises(TypeError):
        files.write_json(tmp_path / "a.json", [object()])
    assert json.loads((tmp_path / "a.json").read_text()) == [1] and len(os.listdir(tmp_path)) == 1


@pytest.mark.fault("folder that cannot be written")
def test_a_folder_that_cannot_be_written_is_taken_elsewhere(tmp_path, monkeypatch, capsys):
    wanted, here, home = (tmp_path / name / "runs" for name in ("shared", "here", "home"))
    here.parent.mkdir()
    monkeypatch.chdir(here.parent)
    monkeypatch.setenv("HOME", str(home.parent))
    assert files.own_folder(wanted) == wanted and not capsys.readouterr().err
    at_home = home.parent / files.NAME / "runs"
    for closed, expected in (({wanted}, here), ({wanted, here}, at_home)):
        monkeypatch.setattr(files, "can_write", lambda folder, closed=closed: folder not in closed)
        assert files.own_folder(wanted) == expected
        said = capsys.readouterr().err
        assert said == f"{wanted} cannot be written; {expected} is used instead\n"


@pytest.mark.fault("folder that cannot be written")
def test_a_folder_below_a_file_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert files.can_write(tmp_path / "new" / "newer")
    assert not files.can_write(tmp_path / "file") and not files.can_write(tmp_path / "file" / "new")
