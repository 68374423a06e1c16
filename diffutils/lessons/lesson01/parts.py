"""Wrong formulas from their parts, and random numbers without symmetry, for the exercises."""

import itertools
from collections.abc import Callable, Mapping

from diffutils.course.exercises.model import Mistake


def skewed(rng, *shape):
    """Random numbers without any symmetry, unsorted, from -0.6 up."""
    return rng.exponential(size=shape) - 0.6


def formulas(
    make: Callable,
    tables: tuple[Mapping, Mapping],
    rare: tuple[Mapping, Mapping],
    named: Mapping,
    words: Callable,
) -> tuple[Mistake, ...]:
    """Mistakes that put wrong parts into a formula of two: all pairs but the right one.

    make: two parts -> a function; tables: for both, words -> part, of which the first is right;
    rare: further parts, each beside a right one only.  named: the words of two parts -> name and
    hint; where they are not in it, words(one, other) says both.
    """
    one, other = ({**table, **more} for table, more in zip(tables, rare, strict=True))
    right = next(iter(one)), next(iter(other))
    pairs = [*itertools.product(*tables), *((part, right[1]) for part in rare[0])]
    pairs += [(right[0], part) for part in rare[1]]
    return tuple(
        Mistake(name, make(one[pair[0]], other[pair[1]]), hint)
        for pair in pairs
        if pair != right
        for name, hint in [named.get(pair) or words(*pair)]
    )
