"""Judge a student's function, and say in one or two sentences what is wrong."""

import inspect
import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass

import numpy as np

from diffutils.course.exercises import sandbox
from diffutils.course.exercises.belongings import RANDOMNESS
from diffutils.course.exercises.compare import (
    as_array,
    difference,
    name_of,
    plain,
    printable,
    shape_of,
)
from diffutils.course.exercises.model import Case, Exercise, Mistake

RIGHT, WRONG, OPEN = "right", "wrong", "not attempted"
FEW = 6  # values of an array that are shown one by one
LINES = 5  # of what the student's function printed, shown under the verdict


@dataclass
class Verdict:
    """status: RIGHT, WRONG or OPEN; words: what helps; mistake: the name of a known mistake."""

    status: str
    words: str = ""
    mistake: str | None = None
    printed: str = ""


def check(known: dict[str, Exercise], id: str, function: Callable, seconds: float) -> Callable:
    """Print a verdict on the answer to exercise `id`; return a function to go on with.

    That is the student's own where it is right, else the course's: a lesson never stops here.
    seconds: the time limit of one call.  Raises nothing, whatever the function does.
    """
    if type(id) is not str or id not in known:
        print(f"There is no exercise {plain_text(id)}; there are {', '.join(known)}.")
        return function
    exercise = known[id]
    verdict = judge(exercise, function, limit(seconds))
    mark = {RIGHT: "✓", WRONG: "✗", OPEN: "○"}[verdict.status]
    said = f"{mark} Exercise {id}, {exercise.title}: {verdict.status}. {verdict.words}"
    print(printable(said).rstrip())
    if verdict.printed:
        lines = printable(verdict.printed).splitlines()
        print("Your function printed:", *lines[:LINES], sep="\n  ")
    if verdict.status == RIGHT:
        return function
    print("The lesson goes on with the course's function; try again whenever you like.")
    return exercise.reference


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


def judge(exercise: Exercise, function, seconds: float = sandbox.SECONDS) -> Verdict:
    """Try the function on every case of the exercise."""
    if function is None or function is Ellipsis:
        return Verdict(OPEN)
    if not callable(function):
        asked = f"check needs the function itself, not a result ({name_of(type(function))})"
        return Verdict(WRONG, f'{asked}: write check("{exercise.id}", name) without calling it.')
    # Try the cases, and note the first that fails.
    cases = exercise.cases()
    with closing(sandbox.calls(function, [case.arguments for case in cases], seconds)) as outcomes:
        return verdict_on(exercise, cases, outcomes)


def verdict_on(exercise: Exercise, cases: Sequence[Case], outcomes) -> Verdict:
    """What the outcomes of the cases, as they come, say of a function."""
    failed, results, printed = None, [], ""
    for case, outcome in zip(cases, outcomes, strict=False):
        printed = printed or outcome.printed
        # A later case may find a gap in an answer.
        if not results and (words := left_open(outcome)) is not None:
            return Verdict(OPEN, words, printed=printed)
        if outcome.error:
            if failed:
                break  # what went wrong first is said first
            words = explained(outcome.error, exercise, case)
            return Verdict(WRONG, words, printed=printed)
        results.append(outcome.result)
        words = difference(outcome.result, plain(case.expected), case.tolerance)
        if not failed and (words or outcome.edited):
            failed = words, case, outcome
    if failed is None:
        return Verdict(RIGHT, besides(outcome), printed=printed)
    # Name the mistake, or say what is off.
    if mistake := diagnose(exercise, list(zip(cases, results, strict=False))):
        return Verdict(WRONG, mistake.hint, mistake.name, printed)
    words, case, outcome = failed
    if outcome.edited:
        names = list(inspect.signature(exercise.reference).parameters)
        changed = " and ".join(f"`{names[i]}`" for i in outcome.edited)
        needs = "and the caller still needs that; write `x = x * a` rather than `x *= a`"
        edited = f"it changes its input {changed} in place, {needs}."
        words = f"{words} Also, {edited}" if words else edited
    words = " ".join(filter(None, [words, besides(outcome)]))
    return Verdict(WRONG, explained(words, exercise, case), printed=printed)


def besides(outcome: sandbox.Outcome) -> str:
    """What to say of all that a function changed in the process."""
    words, others = [], [name for name in outcome.changed if name != RANDOMNESS]
    if RANDOMNESS in outcome.changed:
        words.append("It also draws random numbers of its own; use only what it is handed.")
    if others:
        words.append(f"It also changes {' and '.join(others)}; the check put that back.")
    return " ".join(words)


def left_open(outcome: sandbox.Outcome) -> str | None:
    """What to say, perhaps "", of a function that does nothing or holds a `...`; else None."""
    result = outcome.result
    if outcome.error:
        return outcome.error if outcome.unfinished else None
    if isinstance(result, tuple) and any(part is Ellipsis for part in result):
        return "One of the returned values is still `...`."
    if result is None and not outcome.edited:
        return "It returns None; if you did write an answer, `return` is missing."
    return "" if result is Ellipsis else None


def explained(words: str, exercise: Exercise, case: Case) -> str:
    """What is wrong, the call that a student can repeat, and what helps there."""
    names = inspect.signature(exercise.reference).parameters
    call = [f"{name} = {brief(a)}" for name, a in zip(names, case.arguments, strict=False)]
    return f"{words[0].upper()}{words[1:]} Called with {', '.join(call)}. {case.about}"


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


def diagnose(exercise: Exercise, pairs: list[tuple[Case, object]]) -> Mistake | None:
    """The known mistake that returns the same as the student in every case, or None.

    Results that are not finite are left out: one slip may hide behind an overflow of another.
    """
    pairs = [(case, mine) for case, mine in pairs if finite(mine)]
    if not any(difference(mine, plain(case.expected), case.tolerance) for case, mine in pairs):
        return None
    for mistake in exercise.mistakes:
        theirs = (sandbox.in_thread(mistake.function, c.arguments).result for c, _ in pairs)
        both = zip(pairs, theirs, strict=True)
        if not any(difference(mine, other, case.tolerance) for (case, mine), other in both):
            return mistake
    return None


def finite(result) -> bool:
    """Whether a result is free of NaN and infinity, as far as it holds numbers."""
    if isinstance(result, tuple):
        return all(map(finite, result))
    return "NaN" not in (words := difference(result, result) or "") and "infinity" not in words
