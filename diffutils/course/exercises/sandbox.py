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

import contextlib
import ctypes
import functools
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout

import torch

from diffutils.course.exercises import belongings
from diffutils.course.exercises.call import Capture, Outcome, captured, work
from diffutils.course.exercises.model import Case

SECONDS = 10.0  # for one call; answers take milliseconds
PATIENCE = 1.0  # how long a late thread is asked to stop, in seconds


class Stopped(BaseException):
    """Raised inside a student's function that is late; no `except Exception` catches it."""


def calls(
    function: Callable, cases: Sequence[Case], seconds: float = SECONDS, answer=None
) -> Iterator[Outcome]:
    """Call function with copies of the arguments of each case, until one call does not return.

    answer: the course's own, to see whether function calls it.
    Yields what came of each; whatever happens ends up in the Outcome.
    """
    done = 0
    if sys.platform == "linux" and not torch.cuda.is_available():
        from diffutils.course.exercises import fork

        works = [functools.partial(captured, function, case, answer) for case in cases]
        with contextlib.suppress(OSError, AssertionError):  # no further process starts here
            with contextlib.closing(fork.each(works, seconds)) as outcomes:
                for outcome in outcomes:
                    if outcome.locked:
                        break
                    yield outcome
                    done += 1
                else:
                    return
    for case in cases[done:]:
        yield in_thread(function, case, seconds, answer)


def late(seconds: float) -> str:
    """What is said of a call that took longer."""
    loop = "a loop that never ends, or one that a single array operation could replace"
    return f"nothing: it was stopped after {seconds:g} seconds. Look for {loop}"


def in_thread(function: Callable, case: Case, seconds: float = SECONDS, answer=None) -> Outcome:
    """One case in a thread; the process is as before when it has ended."""
    outcomes, before, capture = [], belongings.read(), Capture()
    run = lambda: outcomes.append(work(function, case, answer, capture))  # noqa: E731
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
            error += ". It could not be ended and still runs; restart the kernel"
        return Outcome(error=error, name="endless")
    return outcomes[0] if outcomes else Outcome(error="it broke what the check itself needs")


def stop(thread: threading.Thread) -> None:
    """Ask a thread to end, again and again: a bare `except:` in it may swallow some requests."""
    until = time.monotonic() + PATIENCE
    ident = ctypes.c_ulong(thread.ident)
    while thread.is_alive() and time.monotonic() < until:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(Stopped))
        thread.join(0.02)
