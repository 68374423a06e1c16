"""Slips that show in the result of any exercise, whatever it asks for.

A relation holds between every wrong result and what was expected there, in all cases: minus it, its
square, the same multiple of it, one of the arguments as it came, the same number every time.
"""

from collections.abc import Callable, Sequence

import numpy as np

from diffutils.course.exercises.compare import as_array, difference, plain
from diffutils.course.exercises.model import Case

ENOUGH = 3  # different expected values without which a relation may be chance


def relation(pairs: Sequence[tuple[Case, object]], names: Sequence[str]) -> tuple[str, str] | None:
    """A name and a sentence for how results differ from what was expected; None without a pattern.

    pairs: cases with their results, plain and finite.  names: of the arguments.
    """
    if reversed_order(pairs):
        return "order", "The values are right, but they come in another order than asked for."
    flat = [values(mine, case) for case, mine in pairs]
    if not flat or not all(flat):
        return None
    mine, right = (np.concatenate(part) for part in zip(*flat, strict=True))
    if agree(mine, right):  # of the wrong type alone
        return None
    # Compare with the arguments, and with a result that never changes.
    for place, name in enumerate(names):
        if all(unchanged(result, case, place) for case, result in pairs):
            return "argument returned", f"The result is `{name}`, just as it came."
    if len(np.unique(mine.round(9))) == 1 and len(np.unique(right.round(9))) >= ENOUGH:
        return "constant", f"It is {mine[0]:.4g} in every case: the arguments make no difference."
    # Compare with what was expected.
    moving = len(np.unique(np.abs(right).round(6))) >= ENOUGH
    for name, of, words in ALIKE if moving else ():
        with np.errstate(all="ignore"):
            if agree(mine, of(right)) and not agree(of(right), right):
                return name, words
    sure = np.abs(right) > 1e-6
    if moving and sure.any():
        ratio = np.median(mine[sure] / right[sure])
        if agree(mine, ratio * right) and abs(ratio) > 1e-9:
            return "factor", f"It is {ratio:.4g} times the right result in every case."
        if agree(mine, right + (shift := np.median(mine - right))):
            return "offset", f"It is the right result {shift:+.4g} in every case."
    return None


ALIKE: tuple[tuple[str, Callable, str], ...] = (
    ("sign", np.negative, "The sign is wrong: it is minus the right result in every case."),
    ("squared", np.square, "It is the square of the right result in every case: take the root."),
    ("rooted", np.sqrt, "It is the root of the right result in every case."),
    ("upside down", np.reciprocal, "It is 1 over the right result: a fraction is upside down."),
    ("logarithm", np.log, "It is the logarithm of the right result in every case."),
    ("exponential", np.exp, "It is exp of the right result in every case."),
)


def agree(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether two arrays are equal to 1e-5, with nothing infinite."""
    return bool(np.isfinite(other).all()) and np.allclose(one, other, rtol=1e-5, atol=1e-7)


def values(mine, case: Case) -> tuple[np.ndarray, np.ndarray] | None:
    """Result and expected result as flat arrays; None where they are not numbers of one shape."""
    both = as_array(mine), as_array(plain(case.expected))
    if both[0].shape != both[1].shape or any(part.dtype.kind not in "biuf" for part in both):
        return None
    return tuple(part.astype(float).ravel() for part in both)


def unchanged(mine, case: Case, place: int) -> bool:
    """Whether a result is the argument at this place, and that is not what was expected."""
    given = case.arguments[place]
    return not callable(given) and difference(mine, plain(given), case.tolerance) is None


def reversed_order(pairs: Sequence[tuple[Case, object]]) -> bool:
    """Whether several values are right in every case, only in the opposite order."""
    return all(
        isinstance(mine, tuple | list)
        and isinstance(case.expected, tuple)
        and difference(tuple(mine)[::-1], plain(case.expected), case.tolerance) is None
        for case, mine in pairs
    )
