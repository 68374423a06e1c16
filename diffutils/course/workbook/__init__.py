"""A lesson in a student's hands: copies, guesses, exercise cells that never stop it, progress."""

from diffutils.course.workbook.guess import predict, reconcile

__all__ = ["predict", "reconcile"]
