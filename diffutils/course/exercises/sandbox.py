"""Run a student's function so that nothing it does can harm or stop the lesson.

The function runs in a thread of its own, and the notebook waits for it with a time limit.  So the
limit works in the main thread of a kernel, on Linux, macOS and Windows, without signals.  A thread
that is late is stopped by an exception that Python raises between two of its instructions.

Limits: one call into C (time.sleep, a huge matrix product) can only be stopped when it returns.
The notebook does not wait for that; it says that something still runs.  Code that holds the
interpreter itself (a hanging C extension) or ends the process (os._exit) is beyond any thread.
Whatever else belongs to the process stays as the function leaves it: settings of libraries
(torch.set_default_dtype), the working directory (os.chdir), os.environ, and memory that it fills.
"""

import copy
import ctypes
import io
import linecache
import random
import threading
import time
import traceback
from collections.abc import Callable
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

    def __init__(self):
        super().__init__()
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


@dataclass
class Outcome:
    """What came of one call.

    result: plain data, see `compare.plain`; None where there is an error.
    error: one sentence, or None.  unfinished: the error is about a `...` still in the code.
    printed: the beginning of what was printed.  edited: indices of arguments changed in place.
    drew: global random numbers were used.
    """

    result: object = None
    error: str | None = None
    unfinished: bool = False
    printed: str = ""
    edited: tuple[int, ...] = ()
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
    with quiet_randomness() as states, redirect_stdout(capture), redirect_stderr(capture):
        before = states()
        thread.start()
        try:
            thread.join(seconds)
        finally:  # also when the student presses "interrupt"
            if late := thread.is_alive():
                stop(thread)
        outcome.drew = not same(states(), before)
    # Say what it did besides.
    if late:
        error = (
            f"it was stopped after {seconds:g} seconds. Is there a loop that "
            "never ends, or one that a single array operation could replace?"
        )
        if thread.is_alive():
            error += " It could not be ended and still runs; restart the kernel."
        return Outcome(error=error)
    outcome.printed = capture.text
    pairs = enumerate(zip(given, arguments, strict=True))
    changed = (i for i, (now, was) in pairs if not callable(was) and not same(now, was))
    outcome.edited = tuple(changed)
    return outcome


def stop(thread: threading.Thread) -> None:
    """Ask a thread to end, again and again: a bare `except:` in it may swallow some requests."""
    until = time.monotonic() + PATIENCE
    ident = ctypes.c_ulong(thread.ident)
    while thread.is_alive() and time.monotonic() < until:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))
        thread.join(0.02)


@contextmanager
def quiet_randomness():
    """Seed Python, NumPy and PyTorch, and put all three back as they were; yields their states."""

    def states() -> tuple:
        return random.getstate(), np.random.get_state(), torch.get_rng_state()

    python, numpy, pytorch = states()
    try:
        random.seed(0)
        np.random.seed(0)
        torch.random.default_generator.manual_seed(0)
        yield states
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
    where, name = line_of(error, function), type(error).__name__
    # A value that is `...`, not an index such as x[..., ..., 0].
    about_a_type = isinstance(error, TypeError | AttributeError)
    if about_a_type and "ellipsis" in message and "indices must be" not in message:
        outcome.unfinished = True
        outcome.error = f"a `...` is not replaced yet, and something needs its value{where}."
    else:
        said = f"{name}: {message[:200]}" if message else name
        outcome.error = f"it raised {said}{where}."


def line_of(error: BaseException, function: Callable) -> str:
    """' (line 3: `x / y`)' for the last line of the student's own code; '' where unknown."""
    code = getattr(function, "__code__", None)
    trace = traceback.extract_tb(error.__traceback__, limit=-200)
    frames = [f for f in trace if code is not None and f.filename == code.co_filename]
    if not frames:
        return ""
    text = linecache.getline(frames[-1].filename, frames[-1].lineno).strip()
    return f" (line {frames[-1].lineno}: `{text}`)" if text else f" (line {frames[-1].lineno})"
