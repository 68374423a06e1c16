"""What an exercise is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from diffutils.course.exercises.compare import TOLERANCE


@dataclass(frozen=True)
class Case:
    """One call and what it must return.

    about: one sentence that helps a student whose function fails here.
    tolerance: allowed |result - expected| / (1 + |expected|).
    leaf: picks, from the arguments, a tensor that the result is used to train.  Then the gradient
    of the result at it is compared too: `expected` is the pair (result, gradient).
    """

    arguments: tuple
    expected: object
    about: str
    tolerance: float = TOLERANCE
    leaf: Callable | None = None


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
    cases: seed -> cases, of which those with random data depend on the seed.  Called only when
    somebody is judged, so that importing a lesson costs nothing.
    """

    id: str
    title: str
    difficulty: int
    minutes: int
    reference: Callable
    cases: Callable[[int], Sequence[Case]]
    mistakes: tuple[Mistake, ...]
