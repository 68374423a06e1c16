"""What stands in the place of the course's answers while a submission runs.

The answers themselves are out of its reach by any name; what it hands in of the course is noted.
"""

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from diffutils.course.exercises.model import Exercise

PACKAGE = str(Path(__file__).resolve().parents[2])


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
    for _ in range(10):
        if isinstance(function, Answer):
            return True
        inner = getattr(function, "func", None) or getattr(function, "__wrapped__", None)
        inner = inner or getattr(function, "__func__", None)
        if inner is None:
            break
        function = inner
    code = getattr(function, "__code__", None)
    home = getattr(code, "co_filename", "") if code else module_file(function)
    return isinstance(home, str) and home.startswith(PACKAGE)


def module_file(function) -> str:
    """The file of the module that a callable without code says it comes from."""
    kind = function if isinstance(function, type) else type(function)
    return getattr(sys.modules.get(kind.__module__), "__file__", None) or ""
