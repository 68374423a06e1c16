"""Run a student's function so that nothing it does can harm or stop the lesson.

Where a process can be forked safely (Linux without a GPU), every call runs in a fork of the kernel,
which is killed with all its children when the call is over: endless recursion, closed files, code
that holds the interpreter, edited modules and memory that runs out end there.  The kernel's other
threads are not in the fork, so a call there may wait for ever for one of them (a lock that it held
at that moment, OpenMP with two threads): late and waiting for a thread, it runs again in a thread.

Elsewhere it runs in a thread, without signals: so the time limit works in a kernel on Windows and
macOS too.  What it changed in the process is put back (`belongings`).  A late thread is stopped by
an exception that Python raises between two of its instructions; one call into C (time.sleep) only
when it returns, and the notebook says so and does not wait.  Beyond any thread: what ends the
process, holds the interpreter, closes its files or takes its memory.
"""

import builtins
import contextlib
import copy
import ctypes
import functools
import io
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

import torch

from diffutils.course.exercises import belongings
from diffutils.course.exercises.compare import name_of, plain, same

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
    edited: indices of arguments changed in place.  changed: names of `belongings` that it changed.
    locked: late, and waiting for another thread.
    """

    result: object = None
    error: str | None = None
    unfinished: bool = False
    printed: str = ""
    edited: Sequence[int] = ()
    changed: Sequence[str] = field(default_factory=list)
    locked: bool = False


def calls(
    function: Callable, cases: Sequence[tuple], seconds: float = SECONDS
) -> Iterator[Outcome]:
    """Call function with copies of the arguments of each case, until one call does not return.

    Yields what came of each; whatever happens ends up in the Outcome.
    """
    done = 0
    if sys.platform == "linux" and not torch.cuda.is_available():
        from diffutils.course.exercises import fork

        works = [functools.partial(captured, function, arguments) for arguments in cases]
        with contextlib.suppress(OSError, AssertionError):  # no further process starts here
            with contextlib.closing(fork.each(works, seconds)) as outcomes:
                for outcome in outcomes:
                    if outcome.locked:
                        break
                    yield outcome
                    done += 1
                else:
                    return
    for arguments in cases[done:]:
        yield in_thread(function, arguments, seconds)


def captured(function: Callable, arguments: tuple) -> Outcome:
    """One call without a limit of time, where nothing is left to protect."""
    with redirect_stdout(Capture()) as capture, redirect_stderr(capture):
        return work(function, arguments, capture)


def work(function: Callable, arguments: tuple, capture: Capture) -> Outcome:
    """The call itself, in a fork or a thread; what it prints goes to capture."""
    outcome, given = Outcome(), copy.deepcopy(arguments)
    builtins.input = sys.breakpointhook = no_answer
    belongings.seed()
    before = belongings.read()
    try:
        outcome.result = plain(function(*given))
    except BaseException as error:  # SystemExit and Stopped too: nothing leaves
        describe(error, function, outcome)
    pairs = enumerate(zip(given, arguments, strict=True))
    outcome.edited = [i for i, (now, was) in pairs if not callable(was) and edited(now, was)]
    outcome.changed = belongings.changed(before)
    outcome.printed = capture.text
    return outcome


def edited(now, was) -> bool:
    """Whether an argument is no longer what it was, in values, type or shape."""
    return not same(plain(now), plain(was))


def no_answer(*_, **__):
    """Stands for input() and breakpoint(), which would wait for ever."""
    raise EOFError("nobody can answer here; call your function in a cell of its own")


def late(seconds: float) -> str:
    """What is said of a call that took longer."""
    loop = "a loop that never ends, or one that a single array operation could replace?"
    return f"it was stopped after {seconds:g} seconds. Is there {loop}"


def in_thread(function: Callable, arguments: tuple, seconds: float = SECONDS) -> Outcome:
    """One call in a thread; the process is as before when it has ended."""
    outcomes, before, capture = [], belongings.read(), Capture()
    run = lambda: outcomes.append(work(function, arguments, capture))  # noqa: E731
    thread = threading.Thread(target=run, daemon=True)
    with redirect_stdout(capture), redirect_stderr(capture):  # not in the thread, which may stay
        try:
            thread.start()
            thread.join(seconds)
        except RuntimeError:  # the system starts no further thread
            run()
        finally:  # also when the student presses "interrupt"
            if stopped := thread.is_alive():
                stop(thread)
            belongings.put_back(before)
    if stopped:
        error = late(seconds)
        if thread.is_alive():
            error += " It could not be ended and still runs; restart the kernel."
        return Outcome(error=error)
    return outcomes[0] if outcomes else Outcome(error="it broke what the check itself needs.")


def stop(thread: threading.Thread) -> None:
    """Ask a thread to end, again and again: a bare `except:` in it may swallow some requests."""
    until = time.monotonic() + PATIENCE
    ident = ctypes.c_ulong(thread.ident)
    while thread.is_alive() and time.monotonic() < until:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))
        thread.join(0.02)


def describe(error: BaseException, function: Callable, outcome: Outcome) -> None:
    """Write name, message and place of an exception into the outcome."""
    message = ""
    with contextlib.suppress(BaseException):  # a student's own exception class may fail here too
        message = str(error)
    # Find the last line of the student's own code.
    file, where = None, ""
    with contextlib.suppress(BaseException):  # not every callable has code
        file = function.__code__.co_filename
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
        outcome.error = f"it raised {name_of(type(error))}{said}{where}."
