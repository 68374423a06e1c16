"""What ends in the fork: endless recursion, closed files, children, memory, edited modules."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
import torch
from doubling import TASK, double

from diffutils.course.exercises import fork, verdict
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or torch.cuda.is_available(), reason="here answers run in a thread"
)


def fork_fails():
    raise BlockingIOError("Resource temporarily unavailable")


def endless_recursion(x):
    sys.setrecursionlimit(10**6)
    return sorted([1, 2], key=lambda _: endless_recursion(x))


def looping_child(x):
    if os.fork() == 0:
        while True:
            pass
    return x


def own_session(x):
    subprocess.Popen(["sleep", "600"], start_new_session=True)
    return x


def closes(x):
    os.closerange(1, 1000)
    return 2 * x


def holds_the_interpreter(x):
    return sum(range(10**12))


def takes_all_memory(x):
    held = []
    while True:
        held.append(bytes(2**28))


def forgets_modules(x):
    for name in ("numpy", "torch", "diffutils.course.exercises.compare"):
        del sys.modules[name]
    return x


def breaks_torch(x):
    torch.Tensor.clone = torch.Tensor.__eq__ = torch.set_rng_state = None
    return x


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (endless_recursion, "ended Python itself. Does it call itself without an end?"),
        (lambda x: os._exit(5), "ended Python itself, or what the check listens to (exit code 5)"),
        (lambda x: os.kill(os.getpid(), 9), "(SIGKILL)"),
        (closes, "what the check listens to"),
        (holds_the_interpreter, "stopped after 1 seconds"),
        (lambda x: time.sleep(1000), "stopped after 1 seconds"),
        (takes_all_memory, "MemoryError"),
        (looping_child, "yours:    -3 at index (0,)"),
        (own_session, "yours:    -3 at index (0,)"),
        (forgets_modules, "The sign stays"),
        (breaks_torch, "broke what the check itself needs (TypeError)"),
    ],
)
def test_a_verdict_in_words_and_nothing_left(function, said):
    files = os.listdir("/proc/self/fd")
    verdict = judge(TASK, function, seconds=1)
    assert verdict.status == WRONG and said.lower() in verdict.words.lower(), verdict
    assert "still runs" not in verdict.words
    assert psutil.Process().children(recursive=True) == []
    assert len(os.listdir("/proc/self/fd")) == len(files)
    assert judge(TASK, double).status == RIGHT


def test_a_child_that_returns_too_is_not_heard():
    def two(x):
        os.fork()
        return 2 * x

    assert judge(TASK, two).status == RIGHT


def threads_of_openmp(x):
    torch.set_num_threads(2)
    a = torch.ones(700, 700)
    return 2 * x * float((a @ a)[0, 0] / 700)


def gradients(x):
    x = torch.tensor(x, requires_grad=True)
    (x**2).sum().backward()
    return x.grad.numpy()


def classes_and_generators(x):
    class Doubled:
        def __init__(self, value):
            self.value = 2 * value

    return np.array([doubled.value for doubled in (Doubled(value) for value in x)])


def a_figure(x):
    from diffutils.viz import curves

    curves({"a": (x, x)}).canvas.draw()
    return 2 * x


LARGE = torch.ones(30_000_000)


@pytest.mark.parametrize(
    "function",
    [
        threads_of_openmp,
        gradients,
        classes_and_generators,
        a_figure,
        lambda x: 2 * x * float(LARGE[5]),
        lambda x: 2 * x * float(torch.nn.Conv2d(1, 1, 1)(torch.ones(1, 1, 64, 64)).shape[0]),
    ],
)
def test_a_right_answer_is_right_after_threads_in_the_kernel(function, monkeypatch):
    threads = torch.get_num_threads()
    monkeypatch.setattr(verdict.sandbox, "PATIENCE", 0.1)
    torch.set_num_threads(2)
    try:
        net = torch.nn.Conv2d(3, 16, 3)
        net(torch.randn(8, 3, 64, 64)).square().mean().backward()
        assert judge(TASK, function, seconds=4).status == RIGHT
    finally:
        torch.set_num_threads(threads)


def test_a_lock_that_the_fork_froze_is_no_late_answer():
    """As of a thread of the kernel that held a lock at the moment of the fork."""
    lock, ready = threading.Lock(), threading.Event()

    def hold():
        with lock:
            ready.set()
            time.sleep(1.5)

    def patient(x):
        with lock:
            return 2 * x

    holder = threading.Thread(target=hold)
    holder.start()
    ready.wait()
    assert judge(TASK, patient, seconds=2).status == RIGHT
    holder.join()


def test_a_fork_that_does_not_come_up_is_none(monkeypatch):
    monkeypatch.setattr(fork.os, "setsid", None)  # an error, as any other in its first lines
    assert judge(TASK, double).status == RIGHT
    assert psutil.Process().children() == []


def test_without_room_for_threads_it_runs_where_it_is(monkeypatch):
    def none_left(*_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(os, "fork", fork_fails)
    monkeypatch.setattr(threading.Thread, "start", none_left)
    assert judge(TASK, double).status == RIGHT


def test_nobody_is_blamed_for_a_full_memory():
    """The system's last resort looks like this from outside."""
    words = judge(TASK, lambda x: os.kill(os.getpid(), 9)).words
    assert "the machine ran out of memory: free some" in words


def test_a_child_that_somebody_else_waited_for(monkeypatch):
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert judge(TASK, double).status == RIGHT
        assert judge(TASK, lambda x: os._exit(5)).status == WRONG
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_what_is_interrupted_leaves_no_process(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(fork.pickle, "loads", interrupt)
    with pytest.raises(KeyboardInterrupt):
        judge(TASK, double)
    assert psutil.Process().children() == []


def test_without_room_for_a_process_it_runs_in_a_thread(monkeypatch):
    monkeypatch.setattr(os, "fork", fork_fails)
    assert judge(TASK, double).status == RIGHT
