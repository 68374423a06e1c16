"""One call in a fork of this process, which is killed with all its children when it is over."""

import contextlib
import multiprocessing
import os
import pickle
import resource
import signal
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import psutil
import torch

from diffutils.course.exercises import belongings
from diffutils.course.exercises.call import Outcome
from diffutils.course.exercises.sandbox import late

MEMORY = 4 << 30  # bytes that a student's function may take beyond what the kernel has
A_THREAD = 1 << 28  # bytes that libraries reserve, and hardly use, for each thread they start
START = 20.0  # seconds in which a fork says that it is ready


def each(works: Sequence[Callable[[], Outcome]], seconds: float) -> Iterator[Outcome]:
    """What each of works returns, one after the other in one process, each within that time.

    It ends with the first that does not return.  Raises: OSError where no process comes up.
    """
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child, args=(works, sender))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # threads do not survive a fork; none is needed here
        process.start()
    sender.close()
    outcomes = received(process, receiver, [START] + [seconds] * len(works))
    if next(outcomes).error:
        raise OSError("the fork did not come up")
    return outcomes


def received(process, receiver, limits: Sequence[float]) -> Iterator[Outcome]:
    """The outcomes as they come; then, whatever happens, the process and its children are gone."""
    try:
        for seconds in limits:
            if not answers(receiver, process.pid, seconds):
                yield Outcome(error=late(seconds), name="endless", locked=locked(process.pid))
                return
            yield pickle.loads(receiver.recv_bytes())
        return
    except (
        EOFError,
        OSError,
        pickle.UnpicklingError,
        psutil.Error,
    ):  # it ended, or sent half of it
        pass
    finally:  # also when the student presses "interrupt"
        kill_all(process)
        receiver.close()
    yield Outcome(error=ended(process.exitcode), name="crash")


def answers(receiver, pid: int, seconds: float) -> bool:
    """Whether a process answers in time; at once not, where it still waits for a thread."""
    until = time.monotonic() + seconds
    while not receiver.poll(max(0.0, min(1.0, until - time.monotonic()))):
        if time.monotonic() >= until or locked(pid):
            return False
    return True


def locked(pid: int) -> bool:
    """Whether a process waits for a thread, perhaps one that the fork has left behind."""
    with contextlib.suppress(OSError):
        where = Path(f"/proc/{pid}/wchan").read_text()
        if where not in ("", "0"):  # it runs, or the system does not say
            return "futex" in where
    return psutil.Process(pid).status() == psutil.STATUS_SLEEPING


def child(works: Sequence[Callable[[], Outcome]], sender) -> None:
    """Work in a process that has nothing to share with its parent; then wait to be killed."""
    # Leave the parent's group, its terminal, its threads and its memory.
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nothing, stream)
    torch.set_num_threads(1)  # those of OpenMP do not survive a fork
    memory = psutil.Process().memory_info().vms + MEMORY + A_THREAD * os.cpu_count()
    for limit, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        old, highest = resource.getrlimit(limit)
        resource.setrlimit(
            limit, (most if old == resource.RLIM_INFINITY else min(old, most), highest)
        )
    # Work, and send what came of it, unless this is a child that the student's function forked.
    before, put_back = belongings.read(), belongings.put_back
    me, own, end, dumps, wait = os.getpid, os.getpid(), os._exit, pickle.dumps, time.sleep
    try:
        sender.send_bytes(dumps(Outcome()))
        for work in works:
            try:
                outcome = work()
                put_back(before)
            except BaseException as error:  # a student's function may break what is needed here
                broken = f"it broke what the check itself needs ({type(error).__name__})"
                outcome = Outcome(error=broken, name="crash")
            if me() != own:
                break
            sender.send_bytes(dumps(outcome))
        else:
            wait(1e6)
    finally:
        end(0)


def kill_all(process) -> None:
    """Kill a process, its group, and its children that have left the group."""
    with contextlib.suppress(psutil.Error):
        for below in psutil.Process(process.pid).children(recursive=True):
            with contextlib.suppress(psutil.Error):
                below.kill()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.join()


def ended(code: int | None) -> str:
    """What is said of a process that ended before it answered; None: nobody knows how."""
    if code == -signal.SIGSEGV:
        return "nothing: it ended Python itself. Does it call itself without an end?"
    how = signal.Signals(-code).name if (code or 0) < 0 else f"exit code {code}"
    words = f"nothing: it ended Python itself, or what the check listens to ({how})."
    if code == -signal.SIGKILL:
        words += " If it does not kill itself, the machine ran out of memory: free some, try again."
    return words
