"""A small exercise, to double a number, and the stub of a notebook that asks for it."""

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake

STUB = 'def double(x):\n    return ...\n\n\ndouble = du.check("1.1", double)\nfour = double(2)'
BROKEN = np.array([1.0, 2.0])


def double(x):
    return 2 * x


TASK = Exercise(
    "9.9",
    "double",
    1,
    5,
    double,
    lambda seed: [
        Case((BROKEN.copy(),), 2 * BROKEN, "Twice one is two."),
        Case((np.array([-3.0]),), np.array([-6.0]), "The sign stays."),
    ],
    (
        Mistake("square", lambda x: x**2, "You squared it."),
        Mistake("positive", lambda x: abs(2 * x), "You lost the sign."),
    ),
)


def use(monkeypatch):
    """Let du.check know the small exercise of these tests."""
    monkeypatch.setattr("diffutils.lessons.exercises", lambda: {"9.9": TASK})
