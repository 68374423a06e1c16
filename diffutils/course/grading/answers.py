"""The verdict on one exercise, from what came of its calls; no submission ever runs here."""

import inspect
from collections.abc import Sequence
from dataclasses import dataclass

from diffutils.course.exercises import sandbox, verdict
from diffutils.course.exercises.model import Case, Exercise

RIGHT, WRONG, OPEN = verdict.RIGHT, verdict.WRONG, verdict.OPEN
CRASH, COURSES = "crash", "course's own"
STATUSES = (RIGHT, WRONG, CRASH, COURSES, OPEN)


@dataclass
class Graded:
    """What one exercise of a submission came to.  mistake: the name of a known one, or None."""

    status: str
    words: str = ""
    mistake: str | None = None


def cases_of(exercise: Exercise, seed: int) -> Sequence[Case]:
    """The cases of an exercise, whose random data depend on the seed."""
    return exercise.cases(seed) if inspect.signature(exercise.cases).parameters else exercise.cases()


def last_counts(checks: Sequence["Check"]) -> "Check | None":
    """The check that counts: the last of a function of the student's own, if there is one."""
    own = [check for check in checks if not check.courses and check.kind != "open"]
    courses = [check for check in checks if check.courses]
    return (own or courses or [*checks] or [None])[-1]


@dataclass
class Check:
    """One call of `check` as a submission's process told it.

    kind: "function", "open" for `...`, else the type of what was handed in.  courses: it was the
    course's own function, or called it.  ended: why the process ended before the check did.
    """

    id: str
    kind: str
    courses: bool
    outcomes: list[sandbox.Outcome]
    ended: str = ""

    def judged(self, exercise: Exercise, cases: Sequence[Case]) -> Graded:
        """The verdict on it; what cannot be judged is a crash."""
        if self.courses:
            return Graded(COURSES, "The course's own function was handed in, or called.")
        if self.kind == "open":
            return Graded(OPEN)
        if self.kind != "function":
            return Graded(WRONG, f"A {self.kind} was handed in, not a function.", "no function")
        outcomes = [*self.outcomes]
        if self.ended:
            outcomes.append(sandbox.Outcome(error=f"{self.ended}."))
        if not outcomes:
            return Graded(CRASH, "Nothing came back.")
        try:
            found = verdict.verdict_on(exercise, cases, iter(outcomes))
        except Exception as error:  # outcomes that no function can have
            return Graded(CRASH, f"What came back makes no sense ({type(error).__name__}).")
        if found.status == RIGHT and len(outcomes) < len(cases):
            return Graded(CRASH, "It ended before all cases were tried.")
        failed = any(o.error and not o.unfinished for o in outcomes)
        crash = found.status == WRONG and failed and found.mistake is None
        return Graded(CRASH if crash else found.status, found.words, found.mistake)
