"""What belongs to the whole process and a student's function may change: noticed, and put back."""

import builtins
import os
import random
import signal
import sys
import warnings
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch

from diffutils.course.exercises.compare import same

RANDOMNESS, THREADS = "global random numbers", "PyTorch's number of threads"


class Belonging(NamedTuple):
    """How to read one, and how to put back what was read."""

    read: Callable
    put: Callable


def folder() -> str | None:
    """The working directory; None where it was deleted."""
    try:
        return os.getcwd()
    except OSError:
        return None


def doors() -> tuple:
    """What reads and writes; a redirected stdout or stderr is put back by who redirects."""
    files = sys.stdin, sys.__stdin__, sys.__stdout__, sys.__stderr__
    return *files, sys.breakpointhook, builtins.input


def put_doors(old: tuple) -> None:
    sys.stdin, sys.__stdin__, sys.__stdout__, sys.__stderr__, sys.breakpointhook = old[:-1]
    builtins.input = old[-1]


def put_environment(old: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(old)


def put_filters(old: list) -> None:
    warnings.resetwarnings()  # tells Python that its registries of warnings are out of date
    warnings.filters.extend(old)


def generators() -> tuple:
    """The states of Python's, NumPy's and PyTorch's global random numbers."""
    return PYTHON.read(), NUMPY.read(), torch.get_rng_state()


def put_generators(old: tuple) -> None:
    python, numpy, pytorch = old
    PYTHON.put(python)
    NUMPY.put(numpy)
    torch.set_rng_state(pytorch)


def drawing() -> dict | None:
    """Matplotlib's settings, if it is loaded."""
    loaded = sys.modules.get("matplotlib")
    return dict(loaded.rcParams) if loaded else None


def put_drawing(old: dict | None) -> None:
    if old is not None:
        dict.update(sys.modules["matplotlib"].rcParams, old)


# Taken when the course is loaded: a student may have replaced random.getstate since.
PYTHON = Belonging(random.getstate, random.setstate)
NUMPY = Belonging(np.random.get_state, np.random.set_state)
BELONGINGS = {
    RANDOMNESS: Belonging(generators, put_generators),
    "PyTorch's default dtype": Belonging(torch.get_default_dtype, torch.set_default_dtype),
    THREADS: Belonging(torch.get_num_threads, torch.set_num_threads),
    "whether PyTorch records gradients": Belonging(torch.is_grad_enabled, torch.set_grad_enabled),
    "NumPy's handling of errors": Belonging(np.geterr, lambda old: np.seterr(**old)),
    "the working directory": Belonging(folder, os.chdir),
    "the environment variables": Belonging(lambda: dict(os.environ), put_environment),
    "the filters of warnings": Belonging(lambda: list(warnings.filters), put_filters),
    "the recursion limit": Belonging(sys.getrecursionlimit, sys.setrecursionlimit),
    "the standard streams": Belonging(doors, put_doors),
    "the handler of Ctrl-C": Belonging(
        lambda: signal.getsignal(signal.SIGINT), lambda old: signal.signal(signal.SIGINT, old)
    ),
    "Matplotlib's settings": Belonging(drawing, put_drawing),
}


def read() -> dict[str, object]:
    """All of them, by name, and the modules that are loaded."""
    return {name: one.read() for name, one in BELONGINGS.items()} | {"modules": dict(sys.modules)}


def changed(before: dict[str, object]) -> list[str]:
    """The names of those that are not as they were.  New modules are no change, lost ones are."""
    names = [name for name, one in BELONGINGS.items() if not same(one.read(), before[name])]
    lost = any(sys.modules.get(name) is not old for name, old in before["modules"].items())
    return [*names, "the loaded modules"] if lost else names


def put_back(before: dict[str, object]) -> None:
    """Make all of them what they were."""
    sys.modules.update(before["modules"])
    # The number that a thread sets is not seen here, but by all threads that start later.
    for name in {*changed(before), THREADS}:
        BELONGINGS[name].put(before[name])


def seed() -> None:
    """Give the three global generators a state of their own, the same for every call."""
    random.seed(0)
    np.random.seed(0)
    torch.random.default_generator.manual_seed(0)
