"""Judge a student's function, and say in three short lines what is wrong."""

import functools
import inspect
import math
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from diffutils.course.exercises import sandbox
from diffutils.course.exercises.call import Outcome, answered
from diffutils.course.exercises.compare import (
    Difference,
    as_array,
    described,
    difference,
    name_of,
    plain,
    printable,
    shape_of,
)
from diffutils.course.exercises.diagnosis import Failure, besides, diagnose
from diffutils.course.exercises.model import Case, Exercise

RIGHT, WRONG, OPEN = "right", "wrong", "not attempted"
MARKS = {RIGHT: "✓", WRONG: "✗", OPEN: "○"}
FEW = 6  # values of an array that are shown one by one
LONGEST = 240  # characters of the call, of "yours" and of "expected"
LINES = 5  # of what the student's function printed, shown under the verdict
SLOW, NOTICED = 20, 0.02  # times slower than the course's, and seconds, from which it is said
PACKAGE = str(Path(__file__).resolve().parents[2])


@dataclass
class Verdict:
    """status: RIGHT, WRONG or OPEN; words: what helps; mistake: the name of a known mistake.

    borrowed: the course's own answer did the work.
    """

    status: str
    words: str = ""
    mistake: str | None = None
    printed: str = ""
    warned: str = ""
    call: str = ""
    borrowed: bool = False


class Fallback:
    """The course's function, with which a lesson goes on; `yours` is the answer it stands for."""

    def __init__(self, exercise: Exercise, yours=None):
        self.exercise, self.yours = exercise, yours
        self.__name__, self.__doc__ = exercise.reference.__name__, exercise.reference.__doc__

    def __call__(self, *arguments, **named):
        return self.exercise.reference(*arguments, **named)

    def __repr__(self) -> str:
        return f"<the course's function for exercise {self.exercise.id}; .yours is yours>"


def check(
    known: dict[str, Exercise], id: str, function: Callable, seconds: float, note=None
) -> Callable:
    """Print a verdict on the answer to exercise `id`; return a function to go on with.

    That is the student's own where it is right, else the course's, marked as such: a lesson never
    stops here.  seconds: the time limit of a case.  note: is told id, status and mistake.
    Raises nothing, whatever the function does.
    """
    if type(id) is not str or id not in known:
        print(f"There is no exercise {plain_text(id)}; there are {', '.join(known)}.")
        return function
    exercise = known[id]
    if belongs_to_course(function):
        print(f"○ Exercise {id}, {exercise.title}: this is the course's function, no answer.")
        if isinstance(function, Fallback) and callable(function.yours):
            print("  Your last answer is kept as .yours; change it, and run its cell again.")
        return function if isinstance(function, Fallback) else Fallback(exercise)
    verdict = judge(exercise, function, limit(seconds))
    show(exercise, verdict)
    if note:
        note(id, OPEN if verdict.borrowed else verdict.status, verdict.mistake)
    if verdict.status == RIGHT and not verdict.borrowed:
        return function
    name = printable(str(getattr(function, "__name__", "f")))[:40]
    kept = f" Yours is kept as {name}.yours." if verdict.status == WRONG else ""
    print(f"The lesson goes on with the course's function.{kept} Try again whenever you like.")
    return Fallback(exercise, function)


def show(exercise: Exercise, verdict: Verdict) -> None:
    """Print a verdict: its line, its reasons, and what the function printed and warned of."""
    mark = MARKS[verdict.status]
    for_what = f" for {verdict.call}" if verdict.call else ""
    said = f"{mark} Exercise {exercise.id}, {exercise.title}: {verdict.status}{for_what}."
    lines = [said, *(f"  {line}" for line in verdict.words.splitlines())]
    if verdict.warned:
        lines.append(f"Your function warned: {verdict.warned.splitlines()[0]}")
    if verdict.printed:
        lines += ["Your function printed:"]
        lines += [f"  {line}" for line in verdict.printed.splitlines()[:LINES]]
    print(printable("\n".join(lines)))


def belongs_to_course(function) -> bool:
    """Whether a function is the course's own: a fallback, or one of this package."""
    while isinstance(function, functools.partial):
        function = function.func
    if isinstance(function, Fallback):
        return True
    try:
        return function.__code__.co_filename.startswith(PACKAGE)
    except Exception:  # not every callable has code, and some raise whatever they are asked
        return False


def limit(seconds) -> float:
    """The time limit of a call: from a hundredth of a second to an hour."""
    number = plain(seconds)
    if isinstance(number, int | float) and 0.01 <= number <= 3600:
        return number
    used = f"expected 0.01 to 3600; {sandbox.SECONDS:g} were used"
    print(f"seconds is {plain_text(seconds)}, {used}.")
    return sandbox.SECONDS


def plain_text(thing) -> str:
    """At most 60 characters that say what something is, whatever it thinks of itself."""
    try:
        return printable(repr(thing)[:60])
    except Exception:
        return f"of type {name_of(type(thing))}"


def judge(exercise: Exercise, function, seconds: float = sandbox.SECONDS, seed: int = 0) -> Verdict:
    """Try the function on every case of the exercise; seed: of the cases with random data."""
    if function is None or function is Ellipsis:
        return Verdict(OPEN)
    if not callable(function):
        yours = f"a result ({name_of(type(function))}), not the function itself"
        ask = f'write check("{exercise.id}", name) without calling it'
        return Verdict(WRONG, three(yours, "a function", ask), "not a function")
    cases = exercise.cases(seed)
    tries = sandbox.calls(function, cases, seconds, exercise.reference)
    with closing(tries) as outcomes:
        return verdict_on(exercise, cases, outcomes)


def verdict_on(exercise: Exercise, cases: Sequence[Case], outcomes) -> Verdict:
    """What the outcomes of the cases, as they come, say of a function."""
    done, failures, printed, warned, borrowed = [], [], "", "", False
    for case, outcome in zip(cases, outcomes, strict=False):
        printed, warned = printed or outcome.printed, warned or outcome.warned
        borrowed = borrowed or outcome.borrowed
        # A later case may find a gap in an answer.
        if not done and (words := left_open(outcome)) is not None:
            return Verdict(OPEN, words, printed=printed)
        if outcome.error:
            off = Difference(outcome.error, described_by_case(case), name=outcome.name)
            failures.append(Failure(case, outcome, off))
            break
        done.append((case, outcome.result))
        off = difference(outcome.result, plain(case.expected), case.tolerance)
        if off or outcome.edited or outcome.unsteady:
            failures.append(Failure(case, outcome, off))
    extra = {"printed": printed, "warned": warned, "borrowed": borrowed}
    if not failures:
        words = " ".join(filter(None, [besides(outcome), slow(exercise, case, outcome)]))
        if borrowed:
            words = "It calls the course's own answer, so this counts as none of yours."
        return Verdict(RIGHT, words, **extra)
    worst = max(failures, key=rank)
    name, advice = diagnose(exercise, done, failures, worst)
    off = worst.off or Difference("an argument that is no longer what it was", "the same")
    words = three(off.yours, off.expected, advice)
    return Verdict(WRONG, words, name, call=call(exercise, worst.case), **extra)


def rank(failure: Failure) -> tuple:
    """What is said first: a wrong kind or shape, then the largest error, then NaN, then crashes."""
    off = failure.off
    if off is None:
        return (0,)
    if failure.outcome.error:
        return (1,)
    if off.name:
        return (4,)
    return (3, off.size) if math.isfinite(off.size) else (2,)


def three(yours: str, expected: str, advice: str) -> str:
    """The three lines of a verdict."""
    cut = [text if len(text) <= LONGEST else f"{text[:LONGEST]}..." for text in (yours, expected)]
    return f"yours:    {cut[0]}\nexpected: {cut[1]}\ntry:      {advice}"


def slow(exercise: Exercise, case: Case, outcome: Outcome) -> str:
    """What to say of a right answer that takes far longer than the course's on the last case."""
    if outcome.seconds < NOTICED:
        return ""
    took = []
    for _ in range(3):
        given = deepcopy(case.arguments)
        began = time.perf_counter()
        answered(exercise.reference, given, case.leaf)
        took.append(time.perf_counter() - began)
    times = outcome.seconds / min(took)
    if times < SLOW:
        return ""
    return (
        f"Right, but slow: {times:.0f} times slower than with array operations on the whole of it, "
        "as in the solution. The lesson will wait for it."
    )


def left_open(outcome: Outcome) -> str | None:
    """What to say, perhaps "", of a function that does nothing or holds a `...`; else None."""
    result = outcome.result
    if outcome.error:
        return outcome.error if outcome.unfinished else None
    if isinstance(result, tuple | list) and any(part is Ellipsis for part in result):
        return "One of the returned values is still `...`."
    if result is None and not outcome.edited:
        return "It returns None; if you did write an answer, `return` is missing."
    return "" if result is Ellipsis else None


def described_by_case(case: Case) -> str:
    """What a case expects, in a student's words."""
    expected = case.expected[0] if case.leaf else case.expected
    value = plain(expected)
    if not isinstance(value, tuple) and math.prod(shape_of(value)) <= FEW:
        return brief(value)
    return described(value)


def call(exercise: Exercise, case: Case) -> str:
    """The call that a student can repeat."""
    names = inspect.signature(exercise.reference).parameters
    given = [f"{name} = {brief(a)}" for name, a in zip(names, case.arguments, strict=False)]
    text = ", ".join(given)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def brief(argument) -> str:
    """An argument in a few characters: small arrays in full, others by their shape."""
    if callable(argument):
        return "a function"
    if isinstance(argument, tuple | list):
        return f"({', '.join(map(brief, argument))})"
    if not shape_of(argument):
        return f"{float(argument):g}"
    if math.prod(shape_of(argument)) > FEW:
        return f"values of shape {shape_of(argument)}"
    return " ".join(np.array2string(as_array(argument), precision=4, separator=", ").split())
