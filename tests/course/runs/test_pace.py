"""Progress: what share is done, the time left, where it is shown, and how seldom."""

import subprocess
import sys

import pytest

from diffutils.course.runs import pace


@pytest.fixture
def clock(monkeypatch):
    """Seconds, as the list's only item, that the test moves on."""
    now = [0.0]
    monkeypatch.setattr(pace.time, "monotonic", lambda: now[0])
    return now


def test_what_is_left_follows_from_the_work_that_is_done(clock):
    said = []
    for size in pace.watched([30, 10, 40, 20], "rows", [30, 10, 40, 20], said.append):
        clock[0] += 6.0 * size  # a minute for ten
    assert said == ["rows: 30%, 7 min left", "rows: 40%, 6 min left", "rows: 80%, 2 min left",
                    "rows: 100%, 0 s left"]  # fmt: skip


def test_a_line_at_most_every_ten_seconds_and_none_for_what_is_quick(clock):
    said = []
    for _ in pace.watched(range(100), "rows", say=said.append):
        clock[0] += 0.09
    assert said == []
    for _ in pace.watched(range(100), "rows", say=said.append):
        clock[0] += 1.5
    assert len(said) == 14 and said[0] == "rows: 7%, 2 min left"


def test_things_come_as_they_are_and_as_they_are_made():
    made = []
    watched = pace.watched((made.append(i) or i for i in range(3)), "x", [1, 1, 1])
    assert next(watched) == 0 and made == [0]
    assert [*watched] == [1, 2]
    with pytest.raises(ValueError):
        list(pace.watched([1, 2], "x", [1]))


@pytest.mark.parametrize("seconds, words", [
    (0.4, "0 s"), (99.4, "99 s"), (100, "2 min"), (5960, "99 min"), (5980, "1 h 40 min"),
    (36_000, "10 h 0 min"),
])  # fmt: skip
def test_seconds_in_words(seconds, words):
    assert pace.duration(seconds) == words


def test_nothing_done_says_so():
    assert pace.left(5.0, 0.0) == "time left not known yet"


def test_a_headless_run_shows_it_in_the_terminal_alone(clock, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUTILS_PROGRESS", str(tmp_path / "lines"))
    tell = pace.pacer("walk", 4)
    clock[0] = 20.0
    tell(1)
    assert (tmp_path / "lines").read_text() == "walk: 25%, 60 s left\n"
    assert capsys.readouterr() == ("", "")


def test_a_notebook_shows_it_in_one_place(clock, monkeypatch):
    shown = []

    class Handle:
        def update(self, data, raw):
            shown.append(("again", data["text/plain"]))

    def display(data, raw, display_id):
        assert raw and display_id
        shown.append(("first", data["text/plain"]))
        return Handle()

    monkeypatch.delenv("DIFFUTILS_PROGRESS", raising=False)
    monkeypatch.setattr(pace, "get_ipython", object)
    monkeypatch.setattr(pace, "display", display)
    tell = pace.pacer("walk", 4)
    for done in (1, 2):
        clock[0] += 20.0
        tell(done)
    assert shown == [("first", "walk: 25%, 60 s left"), ("again", "walk: 50%, 40 s left")]


def test_elsewhere_it_goes_to_stderr():
    program = """
from diffutils.course.runs import pace
pace.EVERY = 0.0
list(pace.watched("ab", "letters"))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "" and done.stderr.splitlines()[0].startswith("letters: 50%, ")
