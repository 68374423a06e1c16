"""Durations with a unit, and a stopwatch whose clock the tests turn by hand."""

import pytest
import torch

from diffutils.metrics import timer
from diffutils.metrics.timer import Seconds, median_time


class Clock:
    """A clock that stands still while nobody works; all that happens is kept in `seen`."""

    def __init__(self, monkeypatch, *durations):
        self.now, self.durations, self.seen = 100.0, list(durations), []
        monkeypatch.setattr(timer.time, "perf_counter", self.read)
        for kind in ("cuda", "mps"):
            monkeypatch.setattr(getattr(torch, kind), "synchronize", self.wait)

    def read(self):
        self.seen.append("clock")
        return self.now

    def work(self):
        self.seen.append("work")
        self.now += self.durations.pop(0)

    def wait(self, *device):
        self.seen.append("wait")
        self.now += 0.5  # what the GPU still had to do


def test_the_median_without_the_warm_up(monkeypatch):
    clock = Clock(monkeypatch, 50, 7, 1, 3)
    assert median_time(clock.work, 3, device="cpu") == Seconds(3)
    assert clock.seen == ["work", *["clock", "work", "clock"] * 3]


def test_an_even_number_of_repeats_and_no_warm_up(monkeypatch):
    clock = Clock(monkeypatch, 1, 2, 4, 50)
    assert median_time(clock.work, 4, 0, "cpu") == Seconds(3)
    assert not clock.durations


@pytest.mark.parametrize("device", ["cuda", "mps", torch.device("cuda", 0)])
def test_the_clock_waits_for_the_device(monkeypatch, device):
    """Before it starts, for what was queued before; and before it stops, for what f queued."""
    clock = Clock(monkeypatch, 9, 1)
    assert median_time(clock.work, 1, 1, device) == Seconds(1.5)
    assert clock.seen == ["work", "wait", "clock", "work", "wait", "clock"]


def test_by_default_the_device_is_the_one_torch_would_choose(monkeypatch):
    for found, waits in ((None, 0), (torch.device("cuda"), 2), (torch.device("mps"), 2)):
        clock = Clock(monkeypatch, 1)
        monkeypatch.setattr(
            torch.accelerator, "current_accelerator", lambda check_available, found=found: found
        )
        median_time(clock.work, 1, 0)
        assert clock.seen.count("wait") == waits


def test_a_real_clock():
    x = torch.ones(10)
    assert Seconds(0) < median_time(lambda: x + 1, repeats=3) < Seconds(1)


@pytest.mark.parametrize("repeats, warm_up", [(0, 1), (-1, 0), (1, -1)])
def test_impossible_repeats(repeats, warm_up):
    with pytest.raises(ValueError, match="at least 1 repeat and 0 warm-ups"):
        median_time(lambda: None, repeats, warm_up)


# ------------------------------------------------------------------- the unit


def test_the_published_fault_cannot_be_written():
    """Seconds taken for milliseconds: divided by 1000, converted again, or read as a number."""
    elapsed = Seconds.from_ms(8300)
    assert elapsed == Seconds(8.3)
    for wrong in (lambda: elapsed / 1000, lambda: elapsed * 1e-3, lambda: 1e-3 * elapsed):
        with pytest.raises(TypeError, match=r"no unit.*\.ms to see milliseconds"):
            wrong()
    with pytest.raises(TypeError, match="in seconds already; use it as it is"):
        Seconds.from_ms(elapsed)
    with pytest.raises(TypeError, match="in seconds already; use it as it is"):
        Seconds(elapsed)
    with pytest.raises(TypeError, match=r"would drop; write \.s or \.ms"):
        float(elapsed)


def test_what_durations_can_do():
    a, b = Seconds(42.4), Seconds(8.4)
    assert (a + b).s == pytest.approx(50.8) and (a - b).s == pytest.approx(34)
    assert a / b == pytest.approx(42.4 / 8.4) and isinstance(a / b, float)
    assert a.per(1000).ms == pytest.approx(42.4) and a.per(1000).times(200).s == pytest.approx(8.48)
    assert b < a and max(a, b) == a and sum([a, b], Seconds(0)) == a + b
    assert len({a, Seconds(42.4)}) == 1


@pytest.mark.parametrize(
    "wrong",
    [
        lambda a: a + 1,
        lambda a: 1 + a,
        lambda a: a - 1,
        lambda a: 1 - a,
        lambda a: 1 / a,
        lambda a: a * a,
        lambda a: sum([a]),
        lambda a: a < 5,
        lambda a: a // 2,
        lambda a: round(a),
        lambda a: a.per(0),
        lambda a: a.per(2.5),
        lambda a: a.per(True),
        lambda a: a.times(-1),
        lambda a: a.per(a),
        lambda a: Seconds("8"),
        lambda a: Seconds(True),
        lambda a: Seconds(None),
        lambda a: Seconds(float("nan")),
        lambda a: Seconds.from_ms("8"),
    ],
)
def test_a_plain_number_does_not_mix_with_a_duration(wrong):
    with pytest.raises(TypeError) as caught:
        wrong(Seconds(2))
    assert "\n" not in str(caught.value)


def test_a_count_says_what_it_takes():
    with pytest.raises(TypeError, match=r"per\(n\) takes a count, a whole number of at least 1"):
        Seconds(1).per(1.5)


def test_it_prints_with_its_unit():
    assert [str(Seconds(s)) for s in (8.3, 0.0083, 120, 12345)] == [
        "8.3 s",
        "8.3 ms",
        "120 s",
        "12345 s",
    ]
    assert f"{Seconds(8.3):.2f}" == "8.30 s" and f"{Seconds(0.25)}" == "250 ms"
    assert f"{Seconds(0.25).ms:.0f} ms" == "250 ms"


def test_it_does_not_change():
    with pytest.raises(AttributeError):
        Seconds(1).s = 2
