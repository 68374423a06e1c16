"""Find the name of what is wrong with an answer, and the sentence that helps."""

import inspect
import warnings
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np

from diffutils.course.exercises.belongings import RANDOMNESS
from diffutils.course.exercises.call import Outcome, answered
from diffutils.course.exercises.compare import Difference, as_array, difference, plain
from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.course.exercises.relations import relation


@dataclass
class Failure:
    """A case in which a function is wrong, and how."""

    case: Case
    outcome: Outcome
    off: Difference | None


def diagnose(
    exercise: Exercise, done: list, failures: Sequence[Failure], worst: Failure
) -> tuple[str | None, str]:
    """The name of what is wrong, None if it is unknown, and the sentence that helps."""
    names = list(inspect.signature(exercise.reference).parameters)
    edited = sorted({i for failure in failures for i in failure.outcome.edited})
    if edited:
        changed = " and ".join(f"`{names[i]}`" for i in edited)
        return "edited in place", (
            f"it changes its input {changed} in place, and the caller still needs that; write "
            "`x = x * a` rather than `x *= a`."
        )
    loose = [failure.outcome for failure in failures if failure.outcome.unsteady]
    if loose or any(RANDOMNESS in failure.outcome.changed for failure in failures):
        return "random", (
            "called twice with the same arguments it answers differently; it draws random numbers "
            "of its own, or keeps something between calls. Use only what it is handed."
        )
    if mistake := known_mistake(exercise, done):
        return mistake.name, mistake.hint
    finite = [(case, mine) for case, mine in done if is_finite(mine)]
    wrong = any(difference(mine, plain(case.expected), case.tolerance) for case, mine in finite)
    if wrong and (found := relation(finite, names)):
        return found[0], f"{found[1]} {worst.case.about}"
    advice = " ".join(filter(None, [besides(worst.outcome), worst.case.about]))
    name = worst.off.name if worst.off else None
    return name, advice


def besides(outcome: Outcome) -> str:
    """What to say of all that a function changed in the process."""
    words, others = [], [name for name in outcome.changed if name != RANDOMNESS]
    if RANDOMNESS in outcome.changed:
        words.append("It also draws random numbers of its own; use only what it is handed.")
    if others:
        words.append(f"It also changes {' and '.join(others)}; the check put that back.")
    return " ".join(words)


def known_mistake(exercise: Exercise, done: Sequence[tuple[Case, object]]) -> Mistake | None:
    """The known mistake that returns the same as the student in every case, or None.

    Results that are not finite are left out: one slip may hide behind an overflow of another.
    Where all others are right, the mistake too must be not finite in just these cases.
    """
    pairs = [(case, mine) for case, mine in done if is_finite(mine)]
    if not any(difference(mine, plain(case.expected), case.tolerance) for case, mine in pairs):
        if len(pairs) in (0, len(done)):
            return None
        pairs = done
    for mistake in exercise.mistakes:
        if all(agrees(mistake.function, case, mine) for case, mine in pairs):
            return mistake
    return None


def agrees(function: Callable, case: Case, mine) -> bool:
    """Whether a known mistake returns in a case what the student's function returned.

    All results that are not finite count as one.
    """
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            theirs = answered(function, deepcopy(case.arguments), case.leaf)
        except Exception:
            return False
    if not is_finite(mine):
        return not is_finite(theirs)
    return not difference(mine, theirs, case.tolerance)


def is_finite(result) -> bool:
    """Whether a result is free of NaN and infinity, as far as it holds numbers."""
    if isinstance(result, tuple | list):
        return all(map(is_finite, result))
    array = as_array(result)
    return array.dtype.kind not in "fc" or bool(np.isfinite(array).all())
