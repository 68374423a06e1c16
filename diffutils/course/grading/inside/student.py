"""Inside the process of one submission: its cells are executed, its answers called, told as text.

Nothing that is judged is known here: no expected result, no mistake.
"""

import contextlib
import io
import os
import sys
import time
import types
from collections.abc import Callable
from dataclasses import dataclass

from diffutils.course.exercises import belongings, call
from diffutils.course.exercises.compare import name_of
from diffutils.course.exercises.model import Exercise
from diffutils.course.grading import wire
from diffutils.course.grading.inside import cells, stand_ins

HEARD = 0.005  # seconds in which the keeper passes on which check begins, should both end in it
CHECKS = 5  # how often one exercise is judged; a loop of checks is not


@dataclass
class Job:
    """What a submission's process is asked to do.

    cells: sources of code cells.  skip: steps (cell, number) that ended an earlier attempt.
    judged: what is judged already, as `Notebook.check` names it.  memory: bytes.
    """

    cells: list[str]
    skip: list[tuple[int, int]]
    judged: list[list[int]]
    folder: str
    memory: int


class Notebook:
    """A submission that runs.  say: takes messages for who judges."""

    def __init__(self, job: Job, contents, cases: dict[str, list], say: Callable[[dict], None]):
        self.job, self.cases, self.say = job, cases, say
        self.exercises: dict[str, Exercise] = contents.exercises()
        self.own, self.uses, self.reached, self.count = os.getpid(), [], set(), {}
        self.at = (0, 0)
        self.answers = {id: each.reference for id, each in self.exercises.items()}
        stand_ins.install(contents, self.check, self.exercises, self.uses)
        self.names = namespace()

    def run(self) -> None:
        """Execute the cells, in order; what fails is passed over, as a student would."""
        skip = {tuple(step) for step in self.job.skip}
        for step in cells.steps(self.job.cells):
            if isinstance(step, cells.Broken):
                self.say({"broken": step.cell, "words": step.words})
                continue
            self.at = (step.cell, step.number)
            if self.at in skip:
                self.go_on(step.ids)
                continue
            self.lend(step.ids)
            self.say({"at": self.at})
            error = executed(step.code, self.names)
            if os.getpid() != self.own:  # a child that the submission forked
                os._exit(0)
            if missed := [id for id in step.ids if id not in self.reached]:
                said = f"{type(error).__name__}: {error}"[: wire.LONGEST] if error else ""
                for id in missed:
                    self.say(
                        {"missed": id, "words": said and f"{said} (code cell {step.cell + 1})"}
                    )
            self.go_on(step.ids)
        self.say({"end": True})

    def lend(self, ids: list[str]) -> None:
        """Give the names of earlier exercises a right function where the notebook has none."""
        known = list(self.exercises)
        for id in filter(self.exercises.__contains__, ids):
            lesson = id.split(".")[0]
            self.go_on([e for e in known[: known.index(id)] if e.split(".")[0] == lesson])

    def go_on(self, ids: list[str]) -> None:
        """Bind the names of exercises that are not there to the course's functions."""
        for id in filter(self.exercises.__contains__, ids):
            self.names.setdefault(self.answers[id].__name__, self.answer(id))

    def answer(self, id: str, yours=None) -> stand_ins.Answer:
        return stand_ins.Answer(id, self.answers[id], self.uses, yours)

    def check(self, id: str, function, seconds=None):
        """Stands for `du.check`: the function is called here, and judged elsewhere."""
        if not isinstance(id, str) or id not in self.exercises or os.getpid() != self.own:
            return function
        self.reached.add(id)
        number = self.count[id] = self.count.get(id, 0) + 1
        key = [*self.at, number]
        if key in self.job.judged or number > CHECKS:
            return self.answer(id, function)
        told = {"check": id, "key": key, "courses": stand_ins.is_courses(function)}
        if function is None or function is Ellipsis:
            self.say(told | {"kind": "open"})
        elif not callable(function):
            self.say(told | {"kind": name_of(type(function))})
        else:
            self.say(told | {"kind": "function"})
            time.sleep(HEARD)
            for case in [] if told["courses"] else self.cases[id]:
                self.uses.clear()
                outcome = call.captured(function, case)
                if os.getpid() != self.own:
                    os._exit(0)
                borrowed = any(use in ("", id) for use in self.uses)
                self.say({"outcome": wire.outcome_as_json(outcome), "borrowed": borrowed})
        self.say({"done": id})
        return self.answer(id, function)


def namespace() -> dict:
    """The names of a notebook, with what lessons import: a student may have lost that cell."""
    import functools
    import math

    import numpy
    import torch

    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    module.__dict__.update(math=math, functools=functools, np=numpy, numpy=numpy, torch=torch)
    module.__dict__.update(F=torch.nn.functional, nn=torch.nn)
    module.__dict__.update(du=sys.modules[__name__.partition(".")[0]])
    return module.__dict__


def executed(code, names: dict) -> BaseException | None:
    """Execute a statement; return the exception that ended it, if any."""
    import builtins

    builtins.input = sys.breakpointhook = call.no_answer
    before = belongings.read()
    try:
        with contextlib.redirect_stdout(call.Capture()) as kept:
            with contextlib.redirect_stderr(kept):
                exec(code, names)
    except BaseException as error:  # SystemExit and KeyboardInterrupt too
        return error
    finally:
        belongings.put_back(before)
    return None


def main(job: Job, contents, cases: dict[str, list], pipe: int) -> None:
    """Run a submission and write what came of it to a pipe, a line a message.  Never returns."""
    dumps, write, end, own = wire.line, os.write, os._exit, os.getpid()

    def say(message: dict) -> None:
        data = dumps(message)
        while data:
            data = data[write(pipe, data) :]

    try:
        say({"ready": own})
        sys.stdin = io.StringIO()
        Notebook(job, contents, cases, say).run()
    finally:
        end(0)
