"""How far something long is, and when it will be done: a line every ten seconds for who waits."""

import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import partial

from IPython import get_ipython
from IPython.display import display

EVERY = 10.0  # seconds between two lines; what is done before that says nothing

Say = Callable[[str], None]


def told(line: str) -> None:
    """Say a line in the terminal that started a headless run; elsewhere nothing happens."""
    if target := os.environ.get("DIFFUTILS_PROGRESS"):
        # The work goes on: a full temporary folder is no reason to stop.
        with suppress(OSError), open(target, "a", encoding="utf-8") as f:
            f.write(line + "\n")


def place() -> Say:
    """Where progress is shown: in a headless run in the terminal that started it, in a notebook
    below the cell, each line in the place of the one before, elsewhere on stderr.
    """
    if os.environ.get("DIFFUTILS_PROGRESS"):
        return told
    if get_ipython() is None:
        return partial(print, file=sys.stderr, flush=True)
    handles = []

    def show(line: str) -> None:
        data = {"text/plain": line}
        if handles:
            handles[0].update(data, raw=True)
        else:
            handles.append(display(data, raw=True, display_id=True))

    return show


def seldom(say: Say) -> Say:
    """The same, but at most every ten seconds, and not in the first ten."""
    before = time.monotonic()

    def tell(line: str) -> None:
        nonlocal before
        if time.monotonic() - before >= EVERY:
            before = time.monotonic()
            say(line)

    return tell


def pacer(name: str, total: float | None, say: Say | None = None) -> Callable[[float], None]:
    """A function tell(done), for work that goes on: what share of it is done, and the time left.

    total: the work in any unit, in which tell is told how much of it is done since now; None where
    nobody knows.  say: None for the `place` of progress.
    """
    began, tell = time.monotonic(), seldom(say or place())

    def at(done: float) -> None:
        share = min(done / total, 1.0) if total else 0.0
        how_far = f"{share:.0%}, {left(time.monotonic() - began, share)}"
        tell(f"{name}: {how_far if total else f'{done:,.0f} so far'}")

    return at


def watched(
    things: Sequence | Iterable,
    name: str,
    sizes: Sequence[float] | None = None,
    say: Say | None = None,
) -> Iterator:
    """The things, one by one; of what takes long it is said how much is done, and the time left.

    sizes: how much work each is (None: all as much; then things have a length).
    """
    sizes = [1.0] * len(things) if sizes is None else sizes
    tell, done = pacer(name, sum(sizes), say), 0.0
    for thing, size in zip(things, sizes, strict=True):
        yield thing
        done += size
        tell(done)


def left(seconds: float, share: float) -> str:
    """The time left in words, when a share of the work took so many seconds."""
    if share <= 0 or not math.isfinite(seconds):
        return "time left not known yet"
    return f"{duration(seconds * (1 - share) / share)} left"


def duration(seconds: float) -> str:
    """Seconds in words, rounded as one reads them: "40 s", "12 min", "3 h 20 min"."""
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"
