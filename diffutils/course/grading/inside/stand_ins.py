"""What stands in the place of the course's answers while a submission runs.

The answers themselves are out of its reach by any name; what it hands in of the course is noted.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from types import ModuleType

from diffutils.course.exercises import verdict
from diffutils.course.exercises.model import Exercise


class CoursesOwn(Exception):
    """Raised where a submission calls what the course would not give away."""


class Answer:
    """The course's function, which a lesson goes on with; `yours` is what the student handed in.

    uses: a list that gets an entry with each call.
    """

    def __init__(self, id: str, function: Callable, uses: list, yours=None):
        self.id, self.yours, self.__name__ = id, yours, getattr(function, "__name__", id)
        self._call, self._uses = function, uses

    def __call__(self, *arguments, **settings):
        self._uses.append(self.id)
        return self._call(*arguments, **settings)


class Withheld(ModuleType):
    """Stands for a module of exercises: every name in it is one of the course's own."""

    def __init__(self, name: str, uses: list):
        super().__init__(name)
        self.__uses = uses

    def __getattr__(self, name: str):
        if name.startswith("__"):
            raise AttributeError(name)
        return withheld(name, self.__uses)


def withheld(name: str, uses: list) -> Answer:
    """A function that gives nothing away, and notes that it was asked."""

    def refuse(*_, **__):
        raise CoursesOwn(f"{name} is the course's own; write your own")

    return Answer("", refuse, uses)


def install(contents: ModuleType, check: Callable, exercises: dict[str, Exercise], uses: list):
    """Put stand-ins where a notebook would find the answers, and `check` where it finds check.

    contents: the package of lessons.
    """
    hidden = {each.reference.__module__ for each in exercises.values()}
    for name in hidden:
        sys.modules[name] = module = Withheld(name, uses)
        room, _, stem = name.rpartition(".")
        setattr(sys.modules[room], stem, module)
    shown = {
        id: replace(each, reference=withheld(id, uses), cases=lambda *_: [], mistakes=())
        for id, each in exercises.items()
    }
    contents.exercises = lambda: shown
    contents.check = check


def is_courses(function) -> bool:
    """Whether a function is one of the course's, perhaps with arguments bound to it."""
    for _ in range(10):  # a wrapper may wrap itself
        if isinstance(function, Answer):
            return True
        inner = [getattr(function, name, None) for name in ("func", "__wrapped__", "__func__")]
        function = next(filter(None, inner), function)
    return verdict.belongs_to_course(function)
