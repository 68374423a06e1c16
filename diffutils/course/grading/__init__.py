"""Grading: a class's notebooks, each run in a process of its own, judged where none of it ran."""
