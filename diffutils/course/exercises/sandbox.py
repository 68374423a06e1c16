"""Run a student's function so that nothing it does can harm or stop the lesson.

It runs in a thread of its own, which the notebook waits for: so the time limit works in a kernel,
on Linux, macOS and Windows, without signals.  A late thread is stopped by an exception that Python
raises between two of its instructions; one call into C (time.sleep) only when it returns, and the
notebook says so and does not wait.  Beyond any thread: code that holds the interpreter itself or
ends the process (os._exit), and what belongs to the process (torch.set_default_dtype, os.chdir,
os.environ, memory).
"""

import copy
import ctypes
import io
import random
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass

import numpy as np
import torch

from diffutils.course.exercises.compare import plain, same

SECONDS = 10.0  # for one call; answers take milliseconds
PATIENCE = 1.0  # how long a late thread is asked to stop, in seconds
PRINTED = 300  # characters of what a student prints that are kept


class Stopped(BaseException):
    """Raised inside a student's function that is late; no `except Exception` catches it."""


class Capture(io.TextIOBase):
    """A file for print that keeps the beginning only, however much is printed."""

    text = ""

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


@dataclass
class Outcome:
    """What came of one call.

    result: as `compare.plain` makes it.  error: one sentence; unfinished: of a `...` in the code.
    edited: indices of arguments changed in place.  drew: global random numbers were used.
    """

    result: object = None
    error: str | None = None
    unfinished: bool = False
    printed: str = ""
    edited: Sequence[int] = ()
    drew: bool = False


def call(function: Callable, arguments: tuple, seconds: float = SECONDS) -> Outcome:
    """Call function with copies of the arguments; whatever happens ends up in the Outcome."""
    # Run it, and wait.
    outcome, capture = Outcome(), Capture()
    given = copy.deepcopy(arguments)

    def work() -> None:
        try:
            outcome.result = plain(function(*given))
        except BaseException as error:  # SystemExit and Stopped too: nothing leaves this thread
            describe(error, function, outcome)

    thread = threading.Thread(target=work, daemon=True)
    with quiet_randomness() as before, redirect_stdout(capture), redirect_stderr(capture):
        thread.start()
        try:
            thread.join(seconds)
        finally:  # also when the student presses "interrupt"
            if late := thread.is_alive():
                stop(thread)
        outcome.drew = not same(states(), before)
    # Say what it did besides.
    if late:
        loop = "a loop that never ends, or one that a single array operation could replace?"
        error = f"it was stopped after {seconds:g} seconds. Is there {loop}"
        if thread.is_alive():
            error += " It could not be ended and still runs; restart the kernel."
        return Outcome(error=error)
    outcome.printed = capture.text
    pairs = enumerate(zip(given, arguments, strict=True))
    outcome.edited = [i for i, (now, was) in pairs if not callable(was) and not same(now, was)]
    return outcome


def stop(thread: threading.Thread) -> None:
    """Ask a thread to end, again and again: a bare `except:` in it may swallow some requests."""
    until = time.monotonic() + PATIENCE
    ident = ctypes.c_ulong(thread.ident)
    while thread.is_alive() and time.monotonic() < until:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))
        thread.join(0.02)


def states() -> tuple:
    """The states of Python's, NumPy's and PyTorch's global random numbers."""
    return random.getstate(), np.random.get_state(), torch.get_rng_state()


@contextmanager
def quiet_randomness():
    """Seed all three, yield their states, and put them back as they were."""
    python, numpy, pytorch = states()
    try:
        random.seed(0)
        np.random.seed(0)
        torch.random.default_generator.manual_seed(0)
        yield states()
    finally:
        random.setstate(python)
        np.random.set_state(numpy)
        torch.set_rng_state(pytorch)


def describe(error: BaseException, function: Callable, outcome: Outcome) -> None:
    """Write name, message and place of an exception into the outcome."""
    try:
        message = str(error)
    except BaseException:  # a student's own exception class may fail here too
        message = ""
    # Find the last line of the student's own code.
    file, where = getattr(getattr(function, "__code__", None), "co_filename", None), ""
    for frame in traceback.extract_tb(error.__traceback__, limit=-200):
        if frame.filename == file:
            text = f": `{frame.line}`" if frame.line else ""
            where = f" (line {frame.lineno}{text})"
    # A value that is `...`, not an index such as x[..., ..., 0].
    about_a_type = isinstance(error, TypeError | AttributeError)
    if about_a_type and "ellipsis" in message and "indices must be" not in message:
        outcome.unfinished = True
        outcome.error = f"A `...` is not replaced yet, and something needs its value{where}."
    else:
        said = f": {message[:200]}" if message else ""
        outcome.error = f"it raised {type(error).__name__}{said}{where}."
