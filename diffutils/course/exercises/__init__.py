"""Exercises: a student's function is run, judged, and its mistake named.

    f = du.check("2.3", f)       # right: the student's function; else: the course's own

The exercises themselves lie in the lessons' rooms, which `diffutils.lessons` finds.
"""
