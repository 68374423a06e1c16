"""Exercise 1.3, from best guess to score.

Expected results come by another road than the reference: the noise that the state was made with,
and the score of normal data.
"""

import math
from collections.abc import Callable

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.parts import formulas, skewed


def tweedie(x, clean, abar):
    """The score of x_t from the best guess of the clean pixel (equation 4)."""
    return (math.sqrt(abar) * clean - x) / (1 - abar)


def tweedie_cases(seed) -> list[Case]:
    rng = np.random.default_rng([seed, 13])

    def made(shape, abar):  # the score is minus the noise, over its standard deviation
        clean, noise = skewed(rng, *shape), skewed(rng, *shape)
        x = math.sqrt(abar) * clean + math.sqrt(1 - abar) * noise
        about = "The noise in x is eps = (x - sqrt(abar) clean) / s with s^2 = 1 - abar, and the "
        return Case((x, clean, abar), -noise / math.sqrt(1 - abar), f"{about}score is -eps / s.")

    def normal(n, mean, var, abar):  # the score of a normal density is known
        x, root, total = skewed(rng, n), math.sqrt(abar), abar * var + 1 - abar
        clean = mean + root * var / total * (x - root * mean)
        about = "For normal data the score is -(x - mean) / variance of x_t."
        return Case((x, clean, abar), -(x - root * mean) / total, about)

    return [
        Case((np.array([1.0]), np.array([0.5]), 0.64), np.array([-0.6 / 0.36]),
             "The worked value: (0.8 * 0.5 - 1) / 0.36 = -1.667."),
        normal(7, 0.4, 0.25, rng.uniform(0.1, 0.4)),
        made((5, 3), rng.uniform(0.8, 0.98)),
        made((2, 4), rng.uniform(0.01, 0.1)),
        normal(500, *skewed(rng, 1), 0.3, rng.uniform(0.4, 0.8)),
    ]  # fmt: skip


def arrow(faded: Callable, length: Callable) -> Callable:
    """(4) with another factor of the best guess, and another one of the whole."""
    return lambda x, clean, abar: (faded(abar) * clean - x) * length(abar)


FADED = {
    "sqrt(abar) * clean": math.sqrt,
    "clean": lambda a: 1,
    "abar * clean": lambda a: a,
}
LENGTH = {
    "/ (1 - abar)": lambda a: 1 / (1 - a),
    "/ sqrt(1 - abar)": lambda a: (1 - a) ** -0.5,
    "": lambda a: 1,
    "/ abar": lambda a: 1 / a,
    "* (1 - abar)": lambda a: 1 - a,
}
MINUS_LENGTH = {f"{words}, with a minus": (lambda a, of=of: -of(a)) for words, of in LENGTH.items()}
RARE_FADED = {
    "sqrt(1 - abar) * clean": lambda a: math.sqrt(1 - a),
    "(1 - abar) * clean": lambda a: 1 - a,
    "abar / 2 * clean": lambda a: a / 2,
    "0": lambda a: 0,
    "-sqrt(abar) * clean": lambda a: -math.sqrt(a),
    "clean / sqrt(abar)": lambda a: a**-0.5,
}
RARE_LENGTH = {
    "* sqrt(1 - abar)": lambda a: math.sqrt(1 - a),
    "/ (1 - abar)^2": lambda a: (1 - a) ** -2,
    "/ abar^2": lambda a: a**-2,
    "/ (1 - sqrt(abar))": lambda a: 1 / (1 - math.sqrt(a)),
    "/ (1 - abar^2)": lambda a: 1 / (1 - a * a),
    "/ sqrt(abar)": lambda a: a**-0.5,
    "/ (1 + abar)": lambda a: 1 / (1 + a),
    "/ (1 - abar) * 2": lambda a: 2 / (1 - a),
}
TWEEDIE_NAMED = {
    ("sqrt(abar) * clean", "/ (1 - abar), with a minus"): (
        "sign",
        "The sign is wrong: the score points from x_t towards the faded best guess.",
    ),
    ("sqrt(abar) * clean", "/ sqrt(1 - abar)"): (
        "noise, not score",
        "Divided by the root of 1 - abar this is minus the noise; the score divides by the "
        "variance itself.",
    ),
    ("sqrt(abar) * clean", "/ sqrt(1 - abar), with a minus"): (
        "noise",
        "That is the noise in x; the score is minus the noise over its std: divide by 1 - abar.",
    ),
    ("clean", "/ (1 - abar)"): (
        "not faded",
        "The best guess must be faded by sqrt(abar) before it is compared with x_t.",
    ),
    ("abar * clean", "/ (1 - abar)"): (
        "alpha-bar for its root",
        "The best guess is faded by abar; its factor is the root of abar.",
    ),
    ("sqrt(abar) * clean", ""): (
        "not divided",
        "The arrow has the right direction but the wrong length: divide by 1 - abar.",
    ),
    ("abar / 2 * clean", "/ (1 - abar)"): (
        "half for root",
        "That is a half in place of the root: `abar ** 1/2` is (abar ** 1) / 2. Write "
        "math.sqrt(abar), or abar ** 0.5.",
    ),
    ("0", "/ (1 - abar)"): ("guess forgotten", "The best guess has no part in it: (4) needs it."),
}

TWEEDIE = Exercise(
    "1.3", "from best guess to score", 1, 5, tweedie, tweedie_cases,
    (
        *formulas(arrow, (FADED, {**LENGTH, **MINUS_LENGTH}), (RARE_FADED, RARE_LENGTH),
                  TWEEDIE_NAMED,
                  lambda f, g: (f"({f} - x) {g}", f"It is ({f} - x) {g}. (4) has the best guess "
                                "times sqrt(abar), minus x, and all that over 1 - abar.")),
        Mistake("sigma's units", lambda x, clean, abar: (clean - x) / ((1 - abar) / abar),
                "That is the formula of the other language, (D - x)/sigma^2; here x has faded."),
        Mistake("bracket around x", lambda x, clean, abar: math.sqrt(abar) * clean - x / (1 - abar),
                "Only x is divided: put the difference into brackets."),
        Mistake("bracket forgotten", lambda x, clean, abar:
                math.sqrt(abar) * clean / (1 - abar) - x,
                "Only the guess is divided: put the difference into brackets."),
        Mistake("both brackets forgotten", lambda x, clean, abar: (
                    math.sqrt(abar) * clean - x / 1 - 1 + abar),
                "1 - abar is subtracted, not divided by: put both differences into brackets."),
        Mistake("bracket around 1 - abar", lambda x, clean, abar:
                math.sqrt(abar) * clean - x - abar,
                "`/ 1 - abar` divides by 1, then subtracts abar: write / (1 - abar)."),
        Mistake("bracket after the root", lambda x, clean, abar: math.sqrt(abar) * (clean - x)
                / (1 - abar),
                "sqrt(abar) multiplies the whole difference; it is the factor of the guess alone."),
        Mistake("x faded", lambda x, clean, abar: (clean - math.sqrt(abar) * x) / (1 - abar),
                "x is faded instead of the guess: x_t has faded already, `clean` has not."),
        Mistake("x for clean", lambda x, clean, abar: tweedie(clean, x, abar),
                "`x` and `clean` are swapped: the best guess is faded, and x is subtracted."),
        Mistake("guess alone", lambda x, clean, abar: math.sqrt(abar) * clean / (1 - abar),
                "x has no part in it: the arrow begins at x, so subtract it."),
    ),
)  # fmt: skip


EXERCISES = (TWEEDIE,)
