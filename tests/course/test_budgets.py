"""Budgets: fields with limits, values from outside, profiles."""

import math
import re
from dataclasses import FrozenInstanceError, dataclass, fields
from pathlib import Path

import pytest

from diffutils import lessons
from diffutils.course.budgets import (
    PROFILES,
    Budget,
    changed,
    field,
    profile_name,
    profiles,
)
from diffutils.lessons import budget

every_lesson = pytest.mark.parametrize("number", lessons.numbers())


@every_lesson
def test_every_lesson_has_every_profile(number):
    (room,) = lessons.modules(number, "budget")
    assert tuple(room.BUDGETS) == PROFILES
    assert len({type(b) for b in room.BUDGETS.values()}) == 1


@every_lesson
@pytest.mark.parametrize("profile", PROFILES)
def test_every_field_survives_its_own_value_and_its_text(number, profile):
    base = budget(number, profile)
    values = {f.name: getattr(base, f.name) for f in fields(base)}
    assert budget(number, profile, values) == base
    assert budget(number, profile, {k: str(v) for k, v in values.items()}) == base


@dataclass(frozen=True)
class Rotation(Budget):
    """A budget with what no lesson had before: numbers below zero, and zero."""

    angle: int = 90
    P_mean: float = field(-1.2)
    refine_steps: int = field(4, least=0)
    share: float = field(0.5, least=0, below=1)
    half: float = field(0.5, least=-1, most=1)
    sizes: tuple[int, ...] = field((16,), least=8)
    order: str = field("forth", choices=("forth", "back"))
    orders: tuple[str, ...] = field(("forth",), choices=("forth", "back"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("angle", "-90", -90),
        ("P_mean", "-1.2", -1.2),
        ("P_mean", 0, 0.0),
        ("refine_steps", "0", 0),
        ("share", 0, 0.0),
        ("half", -1, -1.0),
        ("sizes", "8,16", (8, 16)),
        ("orders", "back, forth", ("back", "forth")),
    ],
)
def test_a_field_says_itself_what_it_takes(name, value, expected):
    found = getattr(changed(Rotation(), {name: value}, "a lesson"), name)
    assert found == expected and type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("angle", "-90.5", "angle is '-90.5', expected a whole number."),
        ("P_mean", "-inf", "P_mean is '-inf', expected a number."),
        ("refine_steps", "-1", "refine_steps is -1, expected at least 0."),
        ("share", 1, "share is 1.0, expected a number from 0 to below 1."),
        ("half", "-1.5", "half is -1.5, expected a number from -1 to 1."),
        ("sizes", [8, 7], "sizes has 7, expected at least 8."),
        ("order", "up", "order is 'up', choose from forth; back."),
        ("orders", ["back", "up"], "orders has 'up', choose from forth; back."),
        ("angel", 3, "overrides has 'angel', which lesson 77 does not know; choose from angle, "),
    ],
)
def test_what_a_field_does_not_take_is_refused(name, value, said):
    with pytest.raises(ValueError) as caught:
        changed(Rotation(), {name: value}, "lesson 77")
    assert str(caught.value).startswith(said)


def test_a_table_of_profiles_holds_what_differs_from_the_student_s():
    table = profiles(Rotation, {"angle": (1, 5, 2, ...), "sizes": (..., ..., ..., (64, 128))})
    assert table == {
        "smoke": Rotation(angle=1),
        "student": Rotation(),
        "overnight": Rotation(angle=5),
        "full": Rotation(angle=2),
        "published": Rotation(sizes=(64, 128)),
    }
    with pytest.raises(ValueError, match="sizes has 4, expected at least 8"):
        profiles(Rotation, {"sizes": ((4,), ..., ..., ...)})


@every_lesson
def test_every_number_of_a_lesson_has_both_limits(number):
    """Without them --set steps=-5 would reach the training, and blocks=1e8 fill the memory."""
    loose = []
    for f in fields(budget(number)):
        of = f.default if isinstance(f.default, tuple) else (f.default,)
        if any(isinstance(item, int | float) and not isinstance(item, bool) for item in of):
            ends = (f.metadata.get("least"), min(f.metadata["most"], f.metadata["below"]))
            loose += [f.name] if math.inf in map(abs, ends) else []
    assert not loose


@every_lesson
def test_no_number_of_a_lesson_can_be_without_bounds(number):
    """The refusal names the bound; of a count, which only time or memory limits, also its place."""
    for f in fields(budget(number)):
        if f.metadata and not f.metadata["choices"]:
            with pytest.raises(ValueError, match=f"^{f.name} (is|has) .*expected") as caught:
                budget(number, "smoke", {f.name: "1e21"})
            assert len(str(caught.value)) < 250
            if 1000 < f.metadata["most"] < math.inf:
                assert f"{f.metadata['most']:,}" in str(caught.value)


def test_the_refusal_of_a_count_says_how_to_go_further():
    with pytest.raises(ValueError) as caught:
        budget("02", "smoke", {"blocks": 1e8})
    assert str(caught.value) == (
        "blocks is 100,000,000, expected a number from 1 to 32 (to go further, give blocks a "
        "larger `most` in diffutils.lessons.lesson02.budget)."
    )


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"channels": "8,8"}, "attention has 3 flags, but channels has 2 levels.*=false,false"),
        ({"channels": "8," * 6, "attention": "false," * 6}, "6 levels.*max_size is 16.*=32"),
        ({"channels": "8," * 101}, "channels has 101 items, expected at most 100"),
        ({"channels": range(10**12)}, "channels has 101 items, expected at most 100"),
        ({"max_size": 8}, "max_size is 8, expected at least 16"),
        ({"metric_samples": 3}, "metric_samples is 3, expected at least 4"),
        ({"steps": "9" * 400}, r"steps is '9{76}\.\.\., expected a whole number"),
    ],
)
def test_what_cannot_be_trained_or_measured_is_refused(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("03", "smoke", overrides)


def test_a_budget_made_by_hand_is_checked_as_overrides_are():
    assert Rotation(angle="90", half=1) == Rotation(half=1.0)
    with pytest.raises(ValueError, match="angle is None, expected a whole number"):
        Rotation(angle=None)


def test_what_readme_measured_keeps_what_contributing_promises():
    root = Path(__file__).parents[2]
    promise = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    smoke, student = re.search(
        r"`smoke` under (\d+) s, `student` under (\d+) min", promise
    ).groups()
    table = (root / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[\d\d_.*\| (\d+) s \| (\d+) s \|", table, re.M)
    notebooks = sorted((root / "notebooks").glob("[0-9]*.ipynb"))  # a room may come before its own
    assert len(rows) == len(notebooks)
    assert all(int(a) < int(smoke) and int(b) < 60 * int(student) for a, b in rows)


def test_budgets_are_frozen():
    with pytest.raises(FrozenInstanceError):
        budget("02", "smoke").steps = 1


def test_overrides_arrive_with_the_right_type():
    given = {"steps": "1e2", "lr": "1e-4", "channels": "8, 16", "attention": ["true", False]}
    changed = budget("02", "smoke", given)
    assert (changed.steps, changed.lr) == (100, 1e-4)
    assert (changed.channels, changed.attention) == ((8, 16), (True, False))
    assert isinstance(changed.steps, int)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"steps": "many"}, "steps is 'many', expected a whole number"),
        ({"steps": 0}, "steps is 0"),
        ({"steps": 1.5}, "steps is 1.5"),
        ({"steps": True}, "steps is True"),
        ({"steps": None}, "steps is None"),
        ({"lr": "nan"}, "lr is 'nan', expected a number"),
        ({"ema": 1}, "from 0 to below 1"),
        ({"schedule": "cos"}, "one of linear, .*cosine"),
        ({"channels": []}, "channels is .*a list"),
        ({"attention": [1]}, "true or false"),
    ],
)
def test_wrong_overrides_are_refused_with_what_was_expected(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("02", "smoke", overrides)


def test_profile_comes_from_argument_environment_or_default(monkeypatch):
    assert profile_name() == "student"
    monkeypatch.setenv("DIFFUTILS_PROFILE", "smoke")
    assert (profile_name(), profile_name("full")) == ("smoke", "full")
    monkeypatch.setenv("DIFFUTILS_PROFILE", "fast")
    with pytest.raises(ValueError, match="DIFFUTILS_PROFILE is 'fast'; choose one of smoke"):
        profile_name()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"beta_max": "1.5"}, "beta_max is 1.5, expected a number from 0 to 1"),
        ({"beta_max": 1}, "beta_max is 1.0, expected 0 < beta_min <= beta_max < 1"),
        ({"beta_min": 0.03}, "beta_min is 0.03 and beta_max is 0.02"),
        ({"schedule": "cosine", "beta_max": 0.01}, "say nothing to the cosine schedule"),
    ],
)
def test_a_wrong_range_of_beta_is_refused(changes, said):
    with pytest.raises(ValueError, match=said):
        budget("02", "smoke", changes)


def test_the_range_of_beta_reaches_the_schedule():
    from diffutils.course.experiments.described import betas
    from diffutils.weights import models

    chosen = betas(budget("02", "smoke", {"T": 50, "beta_min": 0.01, "beta_max": "0.3"}))
    table = models.BETAS[chosen["name"]](**chosen["arguments"])
    assert (len(table), float(table[0]), float(table[-1])) == (50, 0.01, 0.3)
    assert betas(budget("02", "smoke", {"schedule": "cosine"}))["arguments"] == {"T": 1000}
