"""Exercises: a student's function is run, judged, and its mistake named.

    f = check("2.3", f)          # right: the student's function; else: the course's own

`model` says what an exercise is, `sandbox` runs student code, `compare` compares results,
`verdict` puts the three together, `guess` keeps predictions, `folds` reads and writes notebooks,
and `lesson01`, `lesson02`, ... hold the exercises themselves.
"""

from diffutils.course.exercises.guess import predict, reconcile
from diffutils.course.exercises.verdict import check

__all__ = ["check", "predict", "reconcile"]
