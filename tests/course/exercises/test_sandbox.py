"""No student code harms or stops the lesson: endless loops, floods of print, randomness.

In a fork and in a thread; what only a fork withstands is in test_fork.py.
"""

import builtins
import random
import sys
import threading
import time

import numpy as np
import pytest
import torch
from doubling import TASK, use

import diffutils as du
from diffutils.course.exercises import call, sandbox
from diffutils.course.exercises.verdict import WRONG, judge


@pytest.fixture(params=["as on this machine", "in a thread"], autouse=True)
def route(request, monkeypatch):
    """Both ways to run an answer; with a GPU all run in a thread."""
    before = threading.enumerate()
    if request.param == "in a thread":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    yield request.param
    # A late thread puts back the output of its own test: let it end before the next one.
    for thread in threading.enumerate():
        if thread not in before:
            thread.join(10)


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


def test_what_cannot_be_stopped_does_not_stop_the_lesson(monkeypatch, route):
    monkeypatch.setattr(sandbox, "PATIENCE", 0.1)
    began = time.monotonic()
    verdict = judge(TASK, lambda x: time.sleep(3), seconds=0.2)
    assert time.monotonic() - began < 2.5
    if route == "in a thread":
        assert "still runs; restart the kernel" in verdict.words


def test_the_limit_holds_in_a_second_thread_too():
    verdicts = []
    thread = threading.Thread(target=lambda: verdicts.append(judge(TASK, endless, seconds=0.2)))
    thread.start()
    thread.join(10)
    assert verdicts and verdicts[0].status == WRONG


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

    assert judge(TASK, long_line).printed == "ab" * (call.PRINTED // 2)


@pytest.mark.parametrize("ask", [input, breakpoint])
def test_nobody_is_asked(ask):
    before = sys.stdin, builtins.input, sys.breakpointhook
    words = judge(TASK, lambda x: eval(ask.__name__)()).words
    assert "eoferror: nobody can answer here" in words.lower()
    assert before == (sys.stdin, builtins.input, sys.breakpointhook)


def replaces(x):
    sys.stdout = sys.stderr = None
    return 2 * x


def closes(x):
    sys.stdout.close()
    return 2 * x


@pytest.mark.parametrize("function", [replaces, closes])
def test_the_streams_are_there_afterwards(function, capsys, monkeypatch):
    use(monkeypatch)
    du.check("9.9", function)
    assert "right" in capsys.readouterr().out


@pytest.mark.parametrize("seconds", ["1", None, float("nan"), -1, 0, float("inf"), 1e9])
def test_a_time_limit_that_is_none_is_named(seconds, capsys, monkeypatch):
    use(monkeypatch)
    du.check("9.9", lambda x: 2 * x, seconds=seconds)
    said = capsys.readouterr().out
    assert f"seconds is {seconds!r}, expected 0.01 to 3600; 10 were used." in said
    assert "right" in said


def test_words_are_made_printable(capsys, monkeypatch):
    def rude(x):
        print("\x1b[2J\udcff")
        raise ValueError("a\x1b[2J\udcffb")

    use(monkeypatch)
    du.check("9.9", rude)
    said = capsys.readouterr().out
    assert "ValueError: a?[2J?b" in said and "\n  ?[2J?\n" in said


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
