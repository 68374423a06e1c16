"""A module run by several processes: its lines, its errors, and that none outlives the caller."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from diffutils.course.runs.launch import launch

MODULE = """
import os, signal, sys, time
from pathlib import Path
from diffutils.course.runs.launch import work

def job(about):
    rank = int(os.environ["RANK"])
    Path(about["folder"], f"pid-{rank}").write_text(str(os.getpid()))
    while not Path(about["folder"], "pid-0").exists():
        time.sleep(0.05)
    print(f"process {rank} of {os.environ['WORLD_SIZE']}", flush=True)
    print("a warning", file=sys.stderr, flush=True)
    if rank == 1 and about["ends"] == "error":
        raise FloatingPointError("the loss is not finite\\nsince step 3")
    if rank == 1 and about["ends"] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(0 if about["ends"] == "well" else 600)

work(job)
"""
CALLER = """
import sys
from diffutils.course.runs.launch import launch
launch("the_module", {"folder": sys.argv[1], "ends": "never"}, 2, print)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch, root):
    (tmp_path / "the_module.py").write_text(MODULE)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{root}")
    return tmp_path


def started(folder, processes=2):
    """The numbers of the processes, once all are there."""
    files = [folder / f"pid-{rank}" for rank in range(processes)]
    until(lambda: all(file.exists() and file.read_text() for file in files))
    return [int(file.read_text()) for file in files]


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def gone(pids):
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.mark.slow
def test_the_first_one_speaks(folder):
    said = []
    launch("the_module", {"folder": str(folder), "ends": "well"}, 2, said.append)
    assert said == ["process 0 of 2", "a warning"] and gone(started(folder))


@pytest.mark.parametrize(
    "ends, words",
    [
        ("error", "stopped: FloatingPointError: the loss is not finite since step 3"),
        pytest.param("kill", "was killed, or could not begin", marks=pytest.mark.slow),
    ],
)
@pytest.mark.fault("worker process that fails or is killed")
def test_a_failure_is_one_sentence(folder, ends, words):
    with pytest.raises(ChildProcessError) as error:
        launch("the_module", {"folder": str(folder), "ends": ends}, 2, lambda line: None)
    assert str(error.value) == f"of the 2 processes that trained, one {words}"
    until(lambda: gone(started(folder)))


@pytest.mark.parametrize("end", ["SIGINT", pytest.param("SIGKILL", marks=pytest.mark.slow)])
@pytest.mark.fault("worker process that fails or is killed")
def test_nothing_outlives_the_caller(folder, end):
    """Ctrl-C, and what leaves no time to tidy up."""
    caller = subprocess.Popen([sys.executable, "-c", CALLER, folder], stderr=subprocess.PIPE)
    below = started(folder)
    children = [child.pid for child in psutil.Process(caller.pid).children(recursive=True)]
    assert set(below) <= set(children)
    caller.send_signal(getattr(signal, end))
    _, told = caller.communicate(timeout=60)
    until(lambda: gone(children))
    words = b"KeyboardInterrupt: the 2 processes are ended; their newest checkpoint is kept"
    assert caller.returncode != 0 and (words in told) == (end == "SIGINT")


@pytest.mark.slow
@pytest.mark.fault("worker process that fails or is killed")
def test_nothing_outlives_accelerate(folder):
    """Its own process is killed, and the others do not train on unseen."""
    caller = subprocess.Popen([sys.executable, "-c", CALLER, folder], stderr=subprocess.PIPE)
    below = started(folder)
    (accelerate,) = psutil.Process(caller.pid).children()
    accelerate.kill()
    _, told = caller.communicate(timeout=60)
    assert (
        b"ChildProcessError: of the 2 processes that trained, one was killed, or could not begin"
        in told
    )
    until(lambda: gone(below))
