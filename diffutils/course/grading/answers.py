"""The verdict on one exercise, from what came of its calls; no submission ever runs here."""

from collections.abc import Sequence
from dataclasses import dataclass

from diffutils.course.exercises import verdict
from diffutils.course.exercises.call import Outcome
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
    outcomes: list[Outcome]
    ended: str = ""

    def judged(self, exercise: Exercise, cases: Sequence[Case]) -> Graded:
        """The verdict on it; what cannot be judged is a crash."""
        if self.courses:
            return Graded(COURSES, "The course's own function was handed in, or called.")
        if self.kind == "open":
            return Graded(OPEN)
        if self.kind != "function":
            words = f"A result ({self.kind}) was handed in, not the function itself."
            return Graded(WRONG, words, "not a function")
        outcomes = [*self.outcomes]
        if self.ended:
            name = "endless" if "stopped after" in self.ended else None
            outcomes.append(Outcome(error=f"nothing: {self.ended}", name=name))
        if not outcomes:
            return Graded(CRASH, "Nothing came back.")
        try:
            found = verdict.verdict_on(exercise, cases, iter(outcomes))
        except Exception as error:  # outcomes that no function can have
            return Graded(CRASH, f"What came back makes no sense ({type(error).__name__}).")
        if found.status == RIGHT and len(outcomes) < len(cases):
            return Graded(CRASH, "It ended before all cases were tried.")
        if found.borrowed:
            return Graded(COURSES, found.words)
        failed = any(o.error and not o.unfinished for o in outcomes)
        crash = found.status == WRONG and failed and found.mistake in (None, "endless", "crash")
        return Graded(CRASH if crash else found.status, found.words, found.mistake)
