"""Which lessons a name finds, and which run again after a change of the code: those it reaches."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from command_line import GOOD, PARAMETERS

from diffutils.course.runs import fingerprint, headless
from diffutils.lessons import budget

RECORD = {"peak_memory_mb": 1, "headline": "a", "metrics": {"a": 0.5}, "seconds": 1.0}


def test_lessons_are_found_by_number_or_name(lessons):
    for names in (None, "01", "1", "01_good", "01, 1"):
        assert [p.stem for p in headless.select(names)] == ["01_good"]


@pytest.mark.parametrize(
    "file, again",
    [
        ("lessons/lesson01/exercises.py", set()),
        ("lessons/lesson01/figures.py", set()),
        ("lessons/lesson04/systems/arms.py", {"04_b"}),
        ("samplers.py", {"01_a", "04_b"}),
    ],
)
def test_a_change_runs_only_the_lessons_it_reaches(
    tmp_path, monkeypatch, root, write_notebook, file, again
):
    """A comment in lesson 01's exercises runs neither lesson again."""
    package, ran = tmp_path / "diffutils", set()
    shutil.copytree(root / "diffutils", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    monkeypatch.setattr(fingerprint, "code", fingerprint.code.__wrapped__)

    def execute(path, target, parameters, say):
        record = RECORD | {"metrics": {}}
        folder = target.parent / path.stem[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(json.dumps(record))
        target.write_text("{}")
        ran.add(path.stem)
        return headless.Outcome(path.stem, target, 1.0)

    monkeypatch.setattr(headless, "execute", execute)
    names = ("01_a", "04_b")
    paths = [write_notebook(tmp_path / f"{n}.ipynb", "profile = 'smoke'  # p") for n in names]

    def run():
        ran.clear()
        headless.run(paths, "smoke", tmp_path / "out", budget, say=lambda line: None)
        return set(ran)

    assert [run(), run()] == [set(names), set()]
    with open(package / file, "a") as f:
        f.write("# a word\n")
    assert [run(), run()] == [again, set()]


@pytest.fixture
def two(lessons, monkeypatch, write_notebook):
    """A function (execute): run lessons 01 and 02 with it; all outcomes, and what was said."""
    write_notebook(lessons / "02_next.ipynb", PARAMETERS, GOOD)
    said = []

    def run(execute=finish, **more):
        monkeypatch.setattr(headless, "execute", execute)
        said.clear()
        out = lessons.parent / "out"
        return headless.run(headless.select(), "smoke", out, budget, say=said.append, **more), said

    return run


def finish(path, target, parameters, say):
    """Leave what a lesson leaves that ran through."""
    (target.parent / path.stem[:2]).mkdir(exist_ok=True)
    (target.parent / path.stem[:2] / "run.json").write_text(json.dumps(RECORD))
    target.write_text("{}")
    return headless.Outcome(path.stem, target, 1.0)


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("Kernel died before replying to kernel_info"),
        TimeoutError("Kernel didn't respond in 180 seconds"),
        OSError(28, "No space left on device"),
        KeyError("content"),
        AttributeError("'NoneType' object has no attribute 'poll'"),
        RecursionError("maximum recursion depth exceeded"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_whatever_stops_a_kernel_stops_no_other_lesson(two, error):
    def execute(path, *rest):
        if path.stem == "01_good":
            raise error
        return finish(path, *rest)

    outcomes, said = two(execute)
    assert [o.status for o in outcomes] == ["failed", "ok"]
    assert f"01_good failed since {type(error).__name__}: {error}" in headless.failures(outcomes)
    assert said[1].startswith("[1/2] 01_good failed after")


def test_ctrl_c_ends_with_the_table_so_far(two):
    def execute(path, *rest):
        raise KeyboardInterrupt

    outcomes, _ = two(execute)
    assert [o.status for o in outcomes] == ["stopped", "not run"]
    assert "01_good stopped by Ctrl-C; the same command goes on" in headless.failures(outcomes)
    assert [o.status for o in two()[0]] == ["ok", "ok"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 5}', "[" * 100_000, "null"])
def test_a_damaged_notebook_is_a_row_of_the_table(two, lessons, content):
    (lessons / "01_good.ipynb").write_text(content)
    outcomes, _ = two()
    assert [o.status for o in outcomes] == ["failed", "ok"]
    assert f"{lessons / '01_good.ipynb'} is no whole notebook" in outcomes[0].error


def test_no_damage_to_a_record_stops_a_run(two, lessons):
    """Whatever is in run.json, or in the executed notebook: the lesson runs again, and says why."""
    out = lessons.parent / "out"
    two()
    assert [o.status for o in two()[0]] == ["ok, before"] * 2
    record, notebook = out / "01" / "run.json", out / "01_good.ipynb"
    whole = record.read_text()
    damaged = [whole.replace(a, b) for a, b in (
        ('"headline"', '"headlinf"'), ('"a": 0.5', '"a": 0.7'), ('"a": 0.5', '"b": 0.5'),
        ('"peak_memory_mb": 1', '"peak_memory_mb": "1"'), ('1.0', 'NaN'),
        ('"metrics": {', '"metrics": 5, "x": {'),
    )]  # fmt: skip
    for text in [*damaged, "", "[]", "null", '{"finished": 1}', "[" * 100_000, "\0" * len(whole)]:
        assert text != whole
        record.write_text(text)
        outcomes, said = two()
        assert [o.status for o in outcomes] == ["ok", "ok, before"], text[:200]
        assert str(record) in said[0] and "runs again" in said[0]
    for content in (b"", b"{", b"{} "):
        notebook.write_bytes(content)
        outcomes, said = two()
        assert [o.status for o in outcomes] == ["ok", "ok, before"]
        assert "01_good.ipynb is not as its run left it" in said[0]
    record.unlink()
    record.mkdir()
    assert two()[0][1].status == "ok, before"


def test_every_flipped_bit_of_a_record_is_noticed(two, lessons):
    two()
    record = lessons.parent / "out" / "01" / "run.json"
    whole = record.read_bytes()
    for place in range(0, len(whole), 7):
        bits = bytearray(whole)
        bits[place] ^= 1 << place % 7
        record.write_bytes(bits)
        outcomes, _ = two()
        same = json.loads(whole) == loaded(bits)  # a blank that became another blank
        assert [o.status for o in outcomes] == ["ok, before" if same else "ok", "ok, before"]
        record.write_bytes(whole)


@pytest.mark.parametrize("metadata", [{}, {"kernelspec": {"name": "ir", "language": "R"}}])
def test_a_notebook_needs_no_kernel_of_its_own(tmp_path, write_notebook, metadata):
    """It runs in this interpreter, whatever it says; a long error stays short in the table."""
    path = write_notebook(tmp_path / "01_a.ipynb", PARAMETERS, 'raise ValueError("y" * 10**5)')
    content = json.loads(path.read_text(encoding="utf-8")) | {"metadata": metadata}
    path.write_text(json.dumps(content), encoding="utf-8")
    (end,) = headless.run([path], "smoke", tmp_path / "out", budget, say=lambda line: None)
    assert "ValueError: yyy" in end.error and len(end.error) < 700


def loaded(content):
    try:
        return json.loads(content)
    except ValueError:
        return None


# ------------------------------------------------------------------- kernels

LONG = """
import os, time
open(r"{}", "w").write(str(os.getpid()))
time.sleep(600)
"""
COMMAND = """
import sys
from pathlib import Path
from diffutils.course.runs import headless
headless.NOTEBOOKS = Path(sys.argv.pop(1))
from diffutils.__main__ import cli
cli(prog_name="diffutils")
"""


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX signals")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_signal_leaves_a_kernel_behind(root, lessons, tmp_path, write_notebook, how):
    """SIGINT ends with the table, without a traceback."""
    sign = tmp_path / "kernel.txt"
    write_notebook(lessons / "01_good.ipynb", PARAMETERS, LONG.format(sign))
    arguments = [lessons, "run", "--profile", "smoke", "--out", tmp_path / "out"]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        env=os.environ | {"PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    wait_until(lambda: sign.is_file() and sign.read_text())
    kernel = psutil.Process(int(sign.read_text()))
    process.send_signal(how)
    said = process.communicate(timeout=100)[0]
    wait_until(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE)
    if how == signal.SIGINT:
        assert process.returncode == 130
        assert "01_good  stopped" in said and "Traceback" not in said and "Error" not in said


def wait_until(true):
    end = time.monotonic() + 100
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)
