"""What a function changes in the process is named, and put back."""

import os
import random
import signal
import sys
import warnings

import matplotlib
import numpy as np
import pytest
import torch
from doubling import TASK

from diffutils.course.exercises import belongings
from diffutils.course.exercises.verdict import RIGHT, judge

CHANGES = {
    "PyTorch's default dtype": lambda: torch.set_default_dtype(torch.float64),
    "PyTorch's number of threads": lambda: torch.set_num_threads(3),
    "whether PyTorch records gradients": lambda: torch.set_grad_enabled(False),
    "NumPy's handling of errors": lambda: np.seterr(all="raise"),
    "the working directory": lambda: os.chdir("/"),
    "the environment variables": lambda: os.environ.update(ADDED="1"),
    "the filters of warnings": lambda: warnings.simplefilter("error"),
    "the recursion limit": lambda: sys.setrecursionlimit(5000),
    "the standard streams": lambda: setattr(sys, "stdin", None),
    "Matplotlib's settings": lambda: matplotlib.rcParams.update({"font.size": 40}),
    "the loaded modules": lambda: sys.modules.pop("this_is_there"),
}


@pytest.fixture(params=["as on this machine", "in a thread"])
def route(request, monkeypatch):
    monkeypatch.setitem(sys.modules, "this_is_there", random)
    if request.param == "in a thread":
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_is_named_and_put_back(name, route):
    def right_but(x):
        CHANGES[name]()
        return 2 * x

    before = belongings.read()
    verdict = judge(TASK, right_but)
    assert verdict.status == RIGHT
    assert verdict.words == f"It also changes {name}; the check put that back."
    assert belongings.changed(before) == []


def test_a_handler_of_signals_is_put_back():
    before = belongings.read()
    signal.signal(signal.SIGINT, lambda *_: None)
    assert belongings.changed(before) == ["the handler of Ctrl-C"]
    belongings.put_back(before)
    assert belongings.changed(before) == []


def test_a_new_module_is_no_change(monkeypatch):
    before = belongings.read()
    monkeypatch.setitem(sys.modules, "a_new_module", random)
    assert belongings.changed(before) == []
