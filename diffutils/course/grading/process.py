"""Runs submissions, one after the other, in processes that a keeper watches; judges what they say.

A submission that ends its process costs the exercise at which it did: the rest runs anew.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from types import ModuleType

import psutil

from diffutils.course.grading import wire
from diffutils.course.grading.answers import Check
from diffutils.course.grading.inside import guard, keeper
from diffutils.course.grading.submissions import CHECKED, Submission

ATTEMPTS = 12  # how often a submission whose process ends is started again
NOTEBOOK = 20  # a whole notebook may take this many times the limit of one call, an attempt
PREFIX = "diffutils-grade-"  # of the folder that is a submission's home
CASES = 100  # of one exercise
REMARKS = 10  # of one submission that are kept
COMMAND = (sys.executable, "-m", keeper.NAME)
WRONG_WORDS = (
    ValueError,
    KeyError,
    TypeError,
    OverflowError,
    RecursionError,
    AttributeError,
    IndexError,
)


@dataclass
class Told:
    """All that a submission's processes have said.

    checks: each once, by its key.  open_check: the key of the one that runs.  at: the step that
    runs.  missed: why the check of an exercise was never reached.
    """

    checks: dict[tuple, Check] = field(default_factory=dict)
    open_check: tuple | None = None
    at: tuple | None = None
    missed: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    finished: bool = False
    given_up: str = ""
    pid: int = 0

    def remark(self, words: str) -> None:
        if words not in self.remarks and len(self.remarks) < REMARKS:
            self.remarks.append(words[: wire.LONGEST])


class Slot:
    """One keeper, started when it is needed, and the submissions that it runs one by one."""

    def __init__(
        self, contents: ModuleType, seed: int, ids: list[str], seconds: float, memory: int
    ):
        self.contents, self.seed, self.ids = contents, seed, ids
        self.seconds, self.memory = seconds, memory
        self.mark, self.process = os.urandom(8).hex(), None
        self.closed = False

    def run(self, submission: Submission) -> Told:
        """What the notebook's exercises return.  Raises: OSError where no process can start."""
        told, skip, words = Told(), [], ""
        for _ in range(ATTEMPTS):
            with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
                words = self.attempt(submission, folder, skip, told)
            if told.finished:
                break
            if told.open_check:
                told.checks[told.open_check].ended = words
            elif told.at and told.at not in skip:
                skip.append(told.at)
                told.remark(f"code cell {told.at[0] + 1}: {words}")
            else:
                break
        if not told.finished:
            told.given_up = words
            told.remark(f"it was given up: {words}")
        return told

    def attempt(self, submission: Submission, folder: str, skip: list, told: Told) -> str:
        """Run the notebook once, from its first cell; why it ended, where it did not finish."""
        told.open_check = told.at = None
        job = {
            "cells": submission.cells,
            "skip": skip,
            "judged": [*told.checks],
            "folder": folder,
            "memory": self.memory,
            "seconds": self.seconds,
            "patience": NOTEBOOK * self.seconds,
        }
        self.start()
        deaf = threading.Timer((NOTEBOOK + 2) * self.seconds + 2 * keeper.START, self.kill)
        deaf.start()
        try:
            self.process.stdin.write(json.dumps(job).encode() + b"\n")
            self.process.stdin.flush()
            for line in iter(self.process.stdout.readline, b""):
                mark, text = line[:1], line[1:]
                if mark == b"<":
                    heard(told, text, submission, self.ids)
                elif "ended" in (words := json.loads(text)):
                    return words["ended"] or how(words["code"])
        except OSError:
            pass
        finally:
            deaf.cancel()
        # The keeper itself is gone.
        self.kill()
        sweep(self.mark, told.pid)
        return "it ended the process that watches it"

    def start(self) -> None:
        """Start the keeper, unless it is there.  Raises: OSError where it does not come up."""
        if self.closed:
            raise OSError("the grading was stopped")
        if self.process and self.process.poll() is None:
            return
        if self.process:  # it has left because something would not die
            sweep(self.mark, 0)
        threads = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1")
        self.process = subprocess.Popen(
            [*COMMAND, self.contents.__name__, "keep", *self.ids],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | threads | {guard.MARK: self.mark, "MPLBACKEND": "Agg"},
            start_new_session=True,
        )
        if self.closed:  # meanwhile
            self.kill()
        with contextlib.suppress(OSError):
            self.process.stdin.write(f"{self.seed}\n".encode())
            self.process.stdin.flush()
        if not self.process.stdout.readline():
            raise OSError("no process for submissions comes up; --debug says more")

    def kill(self) -> None:
        """End the keeper."""
        if self.process:
            self.process.kill()

    def close(self) -> None:
        """End the keeper and all that it started."""
        self.closed = True
        if self.process:
            self.process.kill()
            self.process.wait()
            sweep(self.mark, 0)
            for pipe in (self.process.stdin, self.process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()


def how(code: int | None) -> str:
    """What is said of a process that ended by itself before its notebook did."""
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        if name == "SIGSEGV":
            return "it crashed Python: does it call itself without an end?"
        return f"its process was ended by {name}"
    return "it ended its own process"


def heard(told: Told, text: bytes, submission: Submission, ids: list[str]) -> None:
    """Take in a line that a submission's process said; one that makes no sense is a remark."""
    try:
        message = json.loads(text)
        take(told, message, submission, ids)
    except WRONG_WORDS:
        told.remark("it disturbed what its process says")


def take(told: Told, message: dict, submission: Submission, ids: list[str]) -> None:
    """Take in one message.  Raises: WRONG_WORDS for one that no notebook sends."""
    # What begins and ends, then what is said of it.
    if "at" in message:
        told.at = tuple(map(int, message["at"]))
    elif "check" in message:
        key, id = tuple(map(int, message["key"])), wire.text(message["check"])
        if id in ids and key not in told.checks:
            courses = message["courses"] is True
            told.checks[key] = Check(id, wire.text(message["kind"]), courses, [])
            told.open_check = key
    elif "outcome" in message:
        check = told.checks[told.open_check]
        check.courses |= message["borrowed"] is True
        if len(check.outcomes) < CASES:
            check.outcomes.append(wire.outcome_of(message["outcome"]))
    elif "done" in message:
        told.open_check = None
    elif "missed" in message:
        told.missed[wire.text(message["missed"])] = wire.text(message["words"])
    elif "broken" in message:
        words, source = wire.text(message["words"]), submission.cells[int(message["broken"])]
        told.remark(words)
        for id in CHECKED.findall(source):
            told.missed.setdefault(id, words)
    elif "ready" in message:
        told.pid = int(message["ready"])
    elif "end" in message:
        told.finished = True


def sweep(mark: str, pid: int) -> None:
    """Kill what a lost keeper has left behind: a group of processes, and all with its mark."""
    if pid > 1 and hasattr(os, "killpg"):
        with contextlib.suppress(psutil.Error, OSError):
            if psutil.Process(pid).environ().get(guard.MARK) == mark:
                os.killpg(pid, signal.SIGKILL)
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(guard.MARK) == mark:
                process.kill()
