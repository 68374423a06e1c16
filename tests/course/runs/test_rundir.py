"""Run directories: one writer at a time; fingerprints; parameters that are refused."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import diffutils as du
from diffutils.course.runs import rundir

HOLDER = """
import sys, time
from diffutils.course.runs import rundir
rundir.hold(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other_process(root):
    """Start a process that holds a directory; it is killed with -9 when the test ends."""
    started = []

    def start(folder):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, folder], cwd=root, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_busy_directory_is_refused_and_a_killed_run_does_not_block(tmp_path, other_process):
    """The sentence names the process; a check of it makes and breaks nothing."""
    process = other_process(tmp_path)
    for refused in (rundir.hold, rundir.check_free):
        with pytest.raises(BlockingIOError, match=f"in use by process {process.pid} on .*kernel"):
            refused(tmp_path)
    with pytest.raises(BlockingIOError, match=str(process.pid)):
        du.lesson("01", "smoke", run_dir=str(tmp_path))
    process.kill()
    process.wait()
    assert {p.name for p in tmp_path.iterdir()} == {".lock", ".owner"}  # what it leaves
    rundir.check_free(tmp_path)
    rundir.hold(tmp_path)
    rundir.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_process_may_open_its_directory_twice(tmp_path):
    for _ in range(2):
        rundir.hold(tmp_path / "new")
    rundir.check_free(tmp_path / "new")
    assert json.loads((tmp_path / "new" / ".owner").read_text())["process"] == os.getpid()
    for _ in range(2):
        rundir.release(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    rundir.check_free(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"file/run cannot be written \(.*--out"):
        rundir.hold(tmp_path / "file" / "run")


def test_a_directory_deleted_under_its_process_is_held_anew(tmp_path, other_process):
    """Also where another process was there first, which is then left alone."""
    folder = tmp_path / "run"
    for _ in range(2):
        rundir.hold(folder)
        shutil.rmtree(folder)
    rundir.hold(folder)
    with pytest.raises(AssertionError):  # it is refused, and says nothing
        other_process(folder)
    shutil.rmtree(folder)
    process = other_process(folder)
    with pytest.raises(BlockingIOError, match=str(process.pid)):
        rundir.hold(folder)
    rundir.release(folder)
    assert (folder / ".owner").is_file()


@pytest.mark.fault("disk full")
def test_a_lock_that_cannot_be_written_is_not_held(tmp_path, monkeypatch, other_process):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as m:
        m.setattr(os, "fsync", full)
        with pytest.raises(OSError, match=r"\.owner cannot be written \(No space.*make room"):
            rundir.hold(tmp_path)
    assert list(tmp_path.iterdir()) == []
    other_process(tmp_path)


def test_what_killed_processes_left_is_swept(tmp_path, other_process):
    """But not in a folder inside that another process holds, nor in a link's target."""
    (tmp_path / "aside").mkdir()
    for place in ("run", "run/deep/er", "run/held", "aside"):
        (tmp_path / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / place / ".a.json.x1.diffutils.part").write_text("half")
        (tmp_path / place / "kept.part").write_text("no half")
    (tmp_path / "run" / ".step-00000001.diffutils.part").mkdir()
    (tmp_path / "run" / ".step-00000001.diffutils.part" / "raw.safetensors").write_text("half")
    (tmp_path / "run" / "link").symlink_to(tmp_path / "aside")
    other_process(tmp_path / "run" / "held")
    (tmp_path / "run" / "held" / ".a.json.x1.diffutils.part").write_text(
        "half of the living process"
    )
    rundir.hold(tmp_path / "run")
    rundir.release(tmp_path / "run")
    left = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob(".*.part"))
    assert left == ["aside/.a.json.x1.diffutils.part", "run/held/.a.json.x1.diffutils.part"]
    assert len([*(tmp_path / "run").rglob("kept.part")]) == 3


def test_a_directory_with_traces_of_a_kill_is_fresh(tmp_path):
    assert rundir.is_fresh(tmp_path / "nowhere") and rundir.is_fresh(tmp_path)
    for name in (".lock", ".owner", ".owner.ab12.diffutils.part"):
        (tmp_path / name).touch()
        assert rundir.is_fresh(tmp_path)
    (tmp_path / "a.part").touch()
    assert not rundir.is_fresh(tmp_path)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"process": [1]}', "[" * 100_000, "\x00"])
def test_a_damaged_owner_is_another_process(tmp_path, other_process, content):
    other_process(tmp_path)
    (tmp_path / ".owner").write_text(content)
    with pytest.raises(BlockingIOError, match="in use by another process"):
        rundir.hold(tmp_path)


@pytest.mark.parametrize("done", range(3))
def test_setting_aside_goes_on_after_a_kill(tmp_path, monkeypatch, done):
    names = ["log", "samples", "missing", "checkpoints"]
    for name in ("log", "samples/a", "checkpoints/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    real, left = Path.rename, [True] * done

    def rename(path, target):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(path, target)

    with monkeypatch.context() as m:
        m.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            rundir.set_aside(tmp_path, names)
    assert (tmp_path / "checkpoints" / "b").exists()  # moved last
    assert rundir.set_aside(tmp_path, names) == tmp_path / "earlier-1"
    for name in ("log", "samples/a", "checkpoints/b"):
        assert (tmp_path / "earlier-1" / name).read_text() == name
    assert [p.name for p in tmp_path.iterdir()] == ["earlier-1"]
    (tmp_path / "log").write_text("the next run")
    assert rundir.set_aside(tmp_path, names) == tmp_path / "earlier-2"
    assert (tmp_path / "earlier-1" / "log").read_text() == "log"


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_warns(tmp_path, monkeypatch, number):
    import fcntl

    def flock(*_):
        raise OSError(number, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match="no locks .*start no second run") as said:
        rundir.hold(tmp_path)
        rundir.hold(tmp_path)
    assert len(said) == 1
    rundir.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_runs_lie_in_the_checkout_or_where_one_works(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    assert rundir.base() == tmp_path / "runs"
    monkeypatch.chdir(root / "tests")
    assert rundir.base() == root / "runs"
