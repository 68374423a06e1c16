"""How long something takes, as a number that knows its unit.

A published table once gave 0.0083 s for 8.3 s: seconds, taken for milliseconds, over 1000.
"""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Integral, Real
from typing import no_type_check

import torch


@no_type_check  # it checks what it is given itself, and says in one line what to write
@dataclass(frozen=True, order=True)
class Seconds:
    """A duration.  `.s` and `.ms` are plain numbers, whose name says the unit.

    Durations compare, divide to a plain ratio (a speed-up) and add up: sum(times, Seconds(0)).
    What mixes them with a plain number, which has no unit, raises TypeError: write per(n) for the
    share of each of n equal parts, times(n) for n of them, and from_ms(x) for milliseconds.
    """

    s: float

    def __post_init__(self):
        if isinstance(self.s, Seconds):
            raise TypeError(f"{self.s!r} is in seconds already; use it as it is")
        if isinstance(self.s, bool) or not isinstance(self.s, Real) or math.isnan(self.s):
            raise TypeError(f"Seconds takes a number of seconds, got {self.s!r}")
        object.__setattr__(self, "s", float(self.s))

    @classmethod
    def from_ms(cls, ms: float) -> "Seconds":
        """Milliseconds, as torch.cuda.Event.elapsed_time gives them."""
        number = cls(ms).s  # refuses what is no plain number
        return cls(number / 1000)

    @property
    def ms(self) -> float:
        """The number of milliseconds, to print."""
        return self.s * 1000

    def per(self, n: int) -> "Seconds":
        """The share of each of n equal parts: images, steps."""
        return Seconds(self.s / self._count("per", n))

    def times(self, n: int) -> "Seconds":
        """So long n times over."""
        return Seconds(self.s * self._count("times", n))

    def __add__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.s + self._seconds(other, "added to"))

    def __sub__(self, other: "Seconds") -> "Seconds":
        return Seconds(self.s - self._seconds(other, "subtracted from"))

    def __truediv__(self, other: "Seconds") -> float:
        return self.s / self._seconds(other, "a divisor of")

    def _refuse(self, other):
        self._seconds(other, "combined with")
        raise TypeError(f"{self!r} times {other!r} is no duration; divide them for their ratio")

    __radd__ = __rsub__ = __mul__ = __rmul__ = __rtruediv__ = _refuse

    def __float__(self) -> float:
        raise TypeError(f"{self!r} has a unit, which float() would drop; write .s or .ms")

    def __format__(self, spec: str) -> str:
        return f"{format(self.s, spec)} s" if spec else str(self)

    def __str__(self) -> str:
        if abs(self.s) < 1:
            return f"{self.ms:.3g} ms"
        return f"{self.s:.3g} s" if abs(self.s) < 1000 else f"{self.s:.0f} s"

    def _count(self, name: str, n: int) -> int:
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise TypeError(f"{name}(n) takes a count, a whole number of at least 1, got {n!r}")
        return int(n)

    def _seconds(self, other, how: str) -> float:
        if not isinstance(other, Seconds):
            raise TypeError(
                f"{other!r} has no unit and cannot be {how} {self!r}; write Seconds(...) or "
                "Seconds.from_ms(...) for a duration, .per(n) or .times(n) for a count, and .ms "
                "to see milliseconds"
            )
        return other.s


def median_time(
    f: Callable[[], object],
    repeats: int = 5,
    warm_up: int = 1,
    device: torch.device | str | None = None,
) -> Seconds:
    """Median duration of f() over `repeats` calls, after `warm_up` calls that do not count.

    A GPU works on after a call returns, so the clock is read only when it has finished; device:
    the one that f computes on, None for the one that torch would choose.
    Raises: ValueError for less than one repeat or a negative warm-up.
    """
    if repeats < 1 or warm_up < 0:
        raise ValueError(
            f"median_time needs at least 1 repeat and 0 warm-ups, got {repeats} and {warm_up}"
        )
    for _ in range(warm_up):
        f()
    seconds = []
    for _ in range(repeats):
        synchronise(device)
        began = time.perf_counter()
        f()
        synchronise(device)
        seconds.append(time.perf_counter() - began)
    return Seconds(statistics.median(seconds))


def synchronise(device: torch.device | str | None = None) -> None:
    """Wait until a device has done all that it was told; a CPU always has."""
    chosen = device or torch.accelerator.current_accelerator(check_available=True)
    device = torch.device(chosen or "cpu")
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
