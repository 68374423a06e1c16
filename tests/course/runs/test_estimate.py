"""Estimates: the work of every lesson, FLOPs against a formula, time by the measured speed."""

import pytest

from diffutils import lessons
from diffutils.course.budgets import PROFILES, Work
from diffutils.course.runs import estimate

NUMBERS = [n for n in lessons.numbers() if n != "01"]
SMALL = {"channels": (8, 16), "blocks": 1, "attention": (False, False)}


@pytest.fixture
def measured(monkeypatch):
    """Every network trains ten images a second, and draws forty."""
    monkeypatch.setattr(estimate, "speed", lambda work: estimate.Speed(10.0, 40.0, 1_000_000))


def test_time_disk_and_factor(measured):
    work = [Work("a", SMALL, 16, 4, 600, 2_400, 2), Work("b", SMALL, 16, 4)]
    assert estimate.seconds(work) == 120.0
    assert estimate.disk(work) == 2 * 16 * 1_000_000
    shown = estimate.table([("02_x", work, [work[0]._replace(trained=6_600)]),
                            ("01_y", [], [])])  # fmt: skip
    assert "02_x    2 min" in shown and "5.29 times as much" in shown  # (3 x 6,600 + 2,400) / 4,200
    assert "01_y    seconds" in shown and "together at least 2 min" in shown


def test_a_full_disk_is_said_before_anything_starts(measured, tmp_path):
    huge = [Work("a", SMALL, 16, 4, 600, 0, 10**9)]
    with pytest.raises(OSError, match=r"writes about 16,000,000\.0 GB .* another directory"):
        estimate.check([("02_x", huge, [])], tmp_path / "not" / "there")
    estimate.check([("02_x", huge[:0], [])], tmp_path)


def test_flops_are_those_of_the_convolutions():
    """Two numbers of a small net by hand would say little: twice the pixels are four times them."""
    one, other = (estimate._flops(estimate._key(Work("", SMALL, 0, 1)), s) for s in (16, 32))
    assert 3.9 < other / one < 4.0  # but for the embedding, which is as much at any size


def test_a_speed_is_measured_and_kept():
    work = Work("a", SMALL, 16, 8, 1, 1, 1)
    found = estimate.speed(work)
    assert found.called > found.trained > 1 and found.weights > 10_000
    assert estimate.speed(work._replace(what="b", trained=5)) is found


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_lesson_says_its_work(number, profile):
    work = lessons.budget(number, profile).work()
    if profile != "student":  # which may show what ships
        assert sum(w.trained for w in work) > 0
    for w in work:
        assert w.batch >= 1 and bool(w.trained) == bool(w.trainings) or w.what == "DIP"


@pytest.mark.parametrize("number", NUMBERS)
def test_work_grows_with_the_profile(number):
    """Of published alone some measure less than we do at full."""
    work = {profile: lessons.budget(number, profile).work() for profile in PROFILES}
    found = {profile: estimate.flops(parts) for profile, parts in work.items()}
    assert found["student"] < found["overnight"] < min(found["full"], found["published"])
