"""The process that keeps one submission at a time: starts it, passes on what it says, ends it.

Called as `python -m diffutils.course.grading.inside.keeper CONTENTS keep IDS`.  It reads the seed,
then jobs, one a line, and writes lines: "<" before what a submission said, ">" before what came of
it.  Nothing of a submission runs here.  On Linux each is a fork of it, elsewhere a new Python.
"""

import contextlib
import functools
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from importlib import import_module

import psutil

from diffutils.course.grading.inside import guard
from diffutils.course.grading.inside.student import Job, main

SLACK = 1.0  # seconds beside the limit of a call, for what surrounds it
START = 60.0  # seconds in which a process comes up
PATIENCE = 3.0  # seconds in which everything that it started must die
LOOK = 0.2  # seconds between two looks at memory and children
LONGEST = 2**25  # bytes of one message
MOST = 2**27  # bytes of all messages of a submission
NAME = "diffutils.course.grading.inside.keeper"
FORKS = sys.platform == "linux"


class Ended(Exception):
    """A submission was stopped; the words say why."""


def serve(contents_name: str, ids: list[str]) -> None:
    """Take jobs from stdin until it closes."""
    said, contents, seed = claim(1), import_module(contents_name), int(sys.stdin.buffer.readline())
    cases = calls(contents, seed, ids) if FORKS else {}
    preload(contents, ids)
    begin = functools.partial(forked, contents, cases, said)
    if not FORKS:
        begin = functools.partial(anew, contents_name, seed, ids)
    del seed
    tell(said, ">", {"up": True})
    for order in sys.stdin.buffer:
        held = json.loads(order)
        limits = held.pop("seconds"), held.pop("patience")
        keep(Job(**held), begin, limits, said)


def calls(contents, seed: int, ids: list[str]) -> dict[str, list]:
    """The cases of exercises, without what they must return."""
    exercises = contents.exercises()
    return {
        id: [replace(case, expected=None, about="") for case in exercises[id].cases(seed)]
        for id in ids
    }


def preload(contents, ids: list[str]) -> None:
    """Import once what every submission imports."""
    for name in ("IPython.core.inputtransformer2", "matplotlib.pyplot", "scipy.stats"):
        import_module(name)
    for number in sorted({f"{int(id.split('.')[0]):02}" for id in ids}):
        contents.modules(number, "*")


def claim(stream: int) -> int:
    """A standard stream for this process alone; whatever is printed goes to stderr."""
    mine = os.dup(stream)
    os.dup2(2, stream)
    return mine


def tell(said: int, mark: str, message) -> None:
    """Write a line for the grading process."""
    data = message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n"
    data = mark.encode() + data
    while data:
        data = data[os.write(said, data) :]


def keep(job: Job, begin: Callable, limits: tuple[float, float], said: int) -> None:
    """Run one job to its end, whatever it does, and say what ended it."""
    reader, pid, process = begin(job)
    lines: queue.Queue = queue.Queue(maxsize=1000)
    thread = threading.Thread(target=pump, args=(reader, lines), daemon=True)
    thread.start()
    words = ""
    try:
        relay(lines, limits, job.memory, said, pid)
    except Ended as why:
        words = str(why)
    except OSError:  # nobody is left to listen
        end(pid, process)
        shutil.rmtree(job.folder, ignore_errors=True)
        os._exit(1)
    code = end(pid, process)
    # Its pipe closes with the last of its processes.
    until = time.monotonic() + PATIENCE
    while thread.is_alive() and time.monotonic() < until:
        with contextlib.suppress(queue.Empty):
            lines.get(timeout=LOOK / 4)  # a full queue would hold the thread
        kill_below()
    tell(said, ">", {"ended": words, "code": code})
    if thread.is_alive():  # one has escaped: a new keeper takes over
        os._exit(0)
    os.close(reader)


def forked(contents, cases: dict[str, list], said: int, job: Job) -> tuple[int, int, None]:
    """Start a submission as a fork: the end of its pipe that is read, and its number."""
    guard.prctl(guard.SUBREAPER)  # its orphans come here
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setsid()
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in (0, 1, 2):
                os.dup2(nothing, stream)
            for mine in (reader, said):
                os.close(mine)
            guard.enter(job.folder, job.memory)
            main(job, contents, cases, writer)
        finally:
            os._exit(1)
    os.close(writer)
    return reader, pid, None


def anew(contents_name: str, seed: int, ids: list[str], job: Job):
    """Start a submission in a Python of its own; as `forked`, and the process."""
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", NAME, contents_name, "run", *ids],
        stdin=subprocess.PIPE,
        stdout=writer,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    os.close(writer)
    with contextlib.suppress(OSError):
        process.stdin.write(json.dumps([seed, asdict(job)]).encode() + b"\n")
        process.stdin.close()
    return reader, process.pid, process


def pump(reader: int, lines: queue.Queue) -> None:
    """Put what comes from a pipe into a queue, line by line, then None."""
    held, total = b"", 0
    while data := os.read(reader, 2**16):
        total += len(data)
        held += data
        if len(held) > LONGEST or total > MOST:
            lines.put(Ended("it says more than anybody could read"))
            held = b""
            break
        *whole, held = held.split(b"\n")
        for line in whole:
            lines.put(line + b"\n")
    lines.put(None)
    while os.read(reader, 2**16):
        pass


def relay(lines: queue.Queue, limits, memory: int, said: int, pid: int) -> None:
    """Pass lines on until the submission ends.  Raises: Ended where it must be stopped."""
    seconds, patience = limits
    # Every message starts the clock of the next call.
    begun = time.monotonic()
    until, parent = begun + START, os.getppid()
    while True:
        now = time.monotonic()
        if now > until:
            raise Ended(f"it was stopped after {seconds:g} seconds")
        if now > begun + patience:
            raise Ended(f"the whole notebook was stopped after {patience:g} seconds")
        if os.getppid() != parent:
            raise BrokenPipeError("who grades has gone")
        try:
            line = lines.get(timeout=LOOK)
        except queue.Empty:
            look(memory)
            if has_ended(pid):
                return
            continue
        if line is None:
            return
        if isinstance(line, Ended):
            raise line
        until = time.monotonic() + seconds + SLACK
        tell(said, "<", line)
        if line.startswith(b'{"end"'):  # children of it may live on
            return


def look(memory: int) -> None:
    """Raise Ended for a submission whose processes are too many, or too large."""
    below, held = psutil.Process().children(recursive=True), 0
    for process in below:
        with contextlib.suppress(psutil.Error):
            held += process.memory_info().rss
    if len(below) > guard.PROCESSES or held > memory + 2**30:  # the first one is the course's own
        raise Ended(f"it was stopped with {len(below)} processes of {held / 2**30:.1f} GiB")


def has_ended(pid: int) -> bool:
    """Whether a fork is over, though a child of it may hold its pipe open."""
    if not FORKS:
        return False
    with contextlib.suppress(OSError):
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    return True


def end(pid: int, process) -> int | None:
    """End a submission with all that it has started; its exit code, as far as it is known."""
    if process is not None:
        kill_below()
        return process.wait()
    code = None
    with contextlib.suppress(OSError):
        done, status = os.waitpid(pid, os.WNOHANG)
        code = os.waitstatus_to_exitcode(status) if done else None
    with contextlib.suppress(OSError):
        os.killpg(pid, signal.SIGKILL)
    kill_below()
    return code


def kill_below() -> None:
    """Kill and bury everything that descends from this process."""
    for _ in range(1000):
        below = psutil.Process().children(recursive=True)
        for process in below:
            with contextlib.suppress(psutil.Error):
                process.kill()
        if FORKS:
            with contextlib.suppress(OSError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
        if not below:
            return
        time.sleep(0.005)


def alone(contents_name: str, ids: list[str]) -> None:
    """Be a submission's process, where none can be forked: take one job, and end with it."""
    seed, held = json.loads(sys.stdin.buffer.readline())
    job, pipe, contents = Job(**held), claim(1), import_module(contents_name)
    cases = calls(contents, seed, ids)
    del seed, held
    guard.enter(job.folder, job.memory)
    main(job, contents, cases, pipe)


if __name__ == "__main__":
    name, task, *wanted = sys.argv[1:]
    {"keep": serve, "run": alone}[task](name, wanted)
