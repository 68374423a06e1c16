"""No student code harms or stops the lesson: endless loops, floods of print, randomness."""

import random
import sys
import threading
import time

import numpy as np
import pytest
import torch
from doubling import TASK, use

import diffutils as du
from diffutils.course.exercises import sandbox
from diffutils.course.exercises.verdict import WRONG, judge


def endless(x):
    while True:
        pass


def endless_and_greedy(x):
    while True:
        try:
            x = x + 1
        except Exception:
            pass


def swallows_a_few(x):
    for _ in range(3):
        try:
            while True:
                pass
        except BaseException:
            pass
    return x


@pytest.mark.parametrize("function", [endless, endless_and_greedy, swallows_a_few])
def test_an_endless_loop_is_stopped(function):
    threads = threading.active_count()
    began = time.monotonic()
    verdict = judge(TASK, function, seconds=0.2)
    assert time.monotonic() - began < 5
    assert verdict.status == WRONG
    assert "stopped after 0.2 seconds" in verdict.words
    assert "still runs" not in verdict.words
    assert threading.active_count() == threads


def test_what_cannot_be_stopped_does_not_stop_the_lesson(monkeypatch):
    monkeypatch.setattr(sandbox, "PATIENCE", 0.1)
    began = time.monotonic()
    verdict = judge(TASK, lambda x: time.sleep(3), seconds=0.2)
    assert time.monotonic() - began < 2.5
    assert "still runs; restart the kernel" in verdict.words


def test_the_limit_holds_in_a_second_thread_too():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(judge(TASK, endless, seconds=0.2)))
    thread.start()
    thread.join(10)
    assert verdicts and verdicts[0].status == WRONG


def test_the_limit_holds_in_the_kernel_of_a_notebook(tmp_path, write_notebook):
    import nbformat
    from nbclient import NotebookClient

    stub = "import diffutils as du\n\ndef forward(x0, abar, noise):\n    while True:\n        pass"
    call = 'forward = du.check("1.1", forward, seconds=0.5)'
    crash = 'def forward(x0, abar, noise):\n    return x0 / abar["t"]\n\n' + call
    path = write_notebook(tmp_path / "loop.ipynb", stub, call, "forward(0.8, 0.64, 0.5)", crash)
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=120).execute()
    assert "stopped after 0.5 seconds" in notebook.cells[1].outputs[0].text
    assert notebook.cells[2].outputs[0].data["text/plain"].startswith("0.94")
    assert '(line 2: `return x0 / abar["t"]`)' in notebook.cells[3].outputs[0].text


def chatty(x):
    for i in range(10_000):
        print("line", i)
    print("to stderr", file=sys.stderr)
    return 2 * x


def test_prints_are_captured_and_cut(capsys, monkeypatch):
    use(monkeypatch)
    assert du.check("9.9", chatty) is chatty
    out, err = capsys.readouterr()
    assert "line 0" in out and "line 5" not in out and not err
    assert len(out) < 300


def test_one_endless_line_is_cut_too():
    def long_line(x):
        print("ab" * 10**6)
        return 2 * x

    assert judge(TASK, long_line).printed == "ab" * (sandbox.PRINTED // 2)


def test_randomness_is_neither_read_nor_leaked():
    def noisy(x):
        random.random(), np.random.rand(), torch.rand(1)
        np.random.seed(1)
        torch.manual_seed(1)
        random.seed(1)
        return x + random.random()

    def draws():
        return random.random(), np.random.rand(), float(torch.rand(1))

    for seed in (7, 8):
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        expected = draws()
        random.seed(seed), np.random.seed(seed), torch.manual_seed(seed)
        words = judge(TASK, noisy).words
        assert draws() == expected
        assert words == judge(TASK, noisy).words
