"""One case tried: the student's function is called twice, and what came of it is noted."""

import builtins
import contextlib
import copy
import io
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field

import numpy as np
import torch

from diffutils.course.exercises import belongings
from diffutils.course.exercises.compare import difference, name_of, plain, same
from diffutils.course.exercises.model import Case

PRINTED = 300  # characters of what a student prints that are kept


class Capture(io.TextIOBase):
    """A file for print that keeps the beginning only, however much is printed."""

    text = ""

    def write(self, text: str) -> int:
        self.text += text[: PRINTED - len(self.text)]
        return len(text)


@dataclass
class Outcome:
    """What came of one call.

    result: as `compare.plain` makes it, of a case with a leaf the pair with the gradient.
    error: one sentence; name: of the slip that it shows; unfinished: of a `...` in the code.
    warned: the first of its warnings.  seconds: of the faster one of two calls.
    unsteady: the second call gave another result.  borrowed: it called the course's own answer.
    edited: indices of arguments changed in place.  changed: names of `belongings` that it changed.
    locked: late, and waiting for another thread.
    """

    result: object = None
    error: str | None = None
    name: str | None = None
    unfinished: bool = False
    printed: str = ""
    warned: str = ""
    seconds: float = 0.0
    unsteady: bool = False
    borrowed: bool = False
    edited: Sequence[int] = ()
    changed: Sequence[str] = field(default_factory=list)
    locked: bool = False


def captured(function: Callable, case: Case, answer=None) -> Outcome:
    """One case without a limit of time, where nothing is left to protect."""
    with redirect_stdout(Capture()) as capture, redirect_stderr(capture):
        return work(function, case, answer, capture)


def work(function: Callable, case: Case, answer, capture: Capture) -> Outcome:
    """The calls themselves, in a fork or a thread; what they print goes to capture."""
    # Two copies: what the first call did to its own is nothing to the second.
    outcome, given, again = Outcome(), *(copy.deepcopy(case.arguments) for _ in range(2))
    builtins.input = sys.breakpointhook = no_answer
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        belongings.seed()
        before = belongings.read()
        try:
            began = time.perf_counter()
            outcome.result = answered(function, given, case.leaf)
            outcome.seconds = time.perf_counter() - began
        except BaseException as error:  # SystemExit and Stopped too: nothing leaves
            describe(error, function, outcome)
        pairs = enumerate(zip(given, case.arguments, strict=True))
        outcome.edited = [i for i, (now, was) in pairs if not callable(was) and edited(now, was)]
        outcome.changed = belongings.changed(before)
        outcome.printed = capture.text
        if outcome.error is None:
            belongings.put_back(before)
            call_again(function, again, case, answer, outcome)
        if caught:
            outcome.warned = f"{name_of(caught[0].category)}: {caught[0].message}"[:PRINTED]
    return outcome


def call_again(function: Callable, given: tuple, case: Case, answer, outcome: Outcome) -> None:
    """Note whether a second call gives the same, how fast it is, and whether it is borrowed."""
    began = time.perf_counter()
    with watched(answer) as seen:
        try:
            second = answered(function, given, case.leaf)
        except BaseException:
            outcome.unsteady = True
            return
    outcome.seconds = min(outcome.seconds, time.perf_counter() - began)
    outcome.borrowed = bool(seen)
    if not same(second, outcome.result):
        outcome.unsteady = bool(difference(second, outcome.result, case.tolerance))


def answered(function: Callable, given: tuple, leaf: Callable | None):
    """One call: its result as plain data; where something is trained, also the gradient there.

    Raises: NoGradient for a result that nothing can be trained with.
    """
    result = function(*given)
    if leaf is None or result is None or result is Ellipsis:
        return plain(result)
    if isinstance(result, int | float | np.ndarray | np.generic):
        raise NoGradient
    if not isinstance(result, torch.Tensor) or result.numel() != 1:
        return plain(result), torch.zeros(())
    if not result.requires_grad:
        raise NoGradient
    (gradient,) = torch.autograd.grad(result.sum(), leaf(given), allow_unused=True)
    if gradient is None:
        raise NoGradient
    return plain(result), plain(gradient)


class NoGradient(Exception):
    """The result of a function that something is trained with has lost its gradient."""


@contextlib.contextmanager
def watched(answer: Callable | None) -> Iterator[list]:
    """A list that holds something as soon as the course's own answer was called."""
    seen, code = [], getattr(answer, "__code__", None)

    def look(frame, event, _):
        if event == "call" and frame.f_code is code:
            seen.append(event)

    before = sys.getprofile()
    sys.setprofile(look if code else before)
    try:
        yield seen
    finally:
        sys.setprofile(before)


def edited(now, was) -> bool:
    """Whether an argument is no longer what it was, in values, type or shape."""
    return not same(plain(now), plain(was))


def no_answer(*_, **__):
    """Stands for input() and breakpoint(), which would wait for ever."""
    raise EOFError("nobody can answer here; call your function in a cell of its own")


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
    if isinstance(error, NoGradient):
        outcome.name = "no gradient"
        outcome.error = (
            "a result without a gradient, which trains nothing: .item(), float(), .detach(), "
            ".data, torch.tensor(...) and torch.no_grad() cut it off"
        )
        return
    about_a_type = isinstance(error, TypeError | AttributeError)
    if about_a_type and "ellipsis" in message and "indices must be" not in message:
        outcome.unfinished = True
        outcome.error = f"A `...` is not replaced yet, and something needs its value{where}."
    else:
        said = f": {message[:200]}" if message else ""
        outcome.error = f"{name_of(type(error))}{said}{where}"
