"""What an exercise is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diffutils.course.exercises.compare import TOLERANCE


@dataclass(frozen=True)
class Case:
    """One call and what it must return.

    about: one sentence that helps a student whose function fails here.
    tolerance: allowed |result - expected| / (1 + |expected|).
    """

    arguments: tuple
    expected: object
    about: str
    tolerance: float = TOLERANCE


@dataclass(frozen=True)
class Mistake:
    """A wrong implementation that students write, and the sentence that sets them right."""

    name: str
    function: Callable
    hint: str


@dataclass(frozen=True)
class Exercise:
    """A task with its answer, its judge and its known mistakes.

    difficulty: 1 (warm-up) to 3 (hard); minutes: for a student who has read the section.
    cases: called only when somebody is judged, so that importing a lesson costs nothing.
    """

    id: str
    title: str
    difficulty: int
    minutes: int
    reference: Callable
    cases: Callable[[], Sequence[Case]]
    mistakes: tuple[Mistake, ...]
