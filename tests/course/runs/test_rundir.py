"""Run directories: one writer at a time; fingerprints; parameters that are refused."""

import errno
import json
import os
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
