"""Every exercise: the course's answer and others pass, every mistake is named."""

import functools
from dataclasses import replace
from importlib import util
from pathlib import Path

import pytest
import torch

from diffutils.course.exercises.call import captured
from diffutils.course.exercises.compare import plain, same
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge, verdict_on
from diffutils.lessons import exercises

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
EXERCISES = exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
mistakes = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [pytest.param(e, m, id=f"{e.id}-{m.name}") for e in EXERCISES.values() for m in e.mistakes],
)


@functools.cache
def cases_of(exercise):
    return exercise.cases(0)


def other_answers() -> dict[str, tuple]:
    """Right answers written in other ways, by exercise: ANSWERS in tests/lessons/lessonNN/."""
    found = {}
    for path in sorted(LESSONS.glob("lesson*/answers.py")):
        spec = util.spec_from_file_location(f"answers_{path.parent.name}", path)
        spec.loader.exec_module(module := util.module_from_spec(spec))
        found |= module.ANSWERS
    return found


ANSWERS = other_answers()


def test_every_lesson_has_at_least_five():
    assert set(ANSWERS) == set(EXERCISES)
    for lesson in {id.split(".")[0] for id in EXERCISES}:
        numbers = [int(id.split(".")[1]) for id in EXERCISES if id.startswith(f"{lesson}.")]
        assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 5


@every
def test_the_reference_passes(exercise):
    verdict = judge(exercise, exercise.reference)
    assert verdict.status == RIGHT, verdict


@every
def test_other_right_answers_pass(exercise):
    for answer in ANSWERS[exercise.id]:
        verdict = judge(exercise, answer)
        assert verdict.status == RIGHT, (answer, verdict)


@mistakes
def test_a_mistake_gets_its_own_hint(exercise, mistake):
    cases = cases_of(exercise)
    verdict = verdict_on(exercise, cases, (captured(mistake.function, case) for case in cases))
    assert (verdict.status, verdict.mistake) == (WRONG, mistake.name)
    assert verdict.words.splitlines()[2] == f"try:      {mistake.hint}"


@every
def test_the_seed_decides_cases_that_no_table_of_results_can_hold(exercise):
    one, again, other = (exercise.cases(seed) for seed in (0, 0, 11))
    assert len(one) == len(other)
    assert all(same(plain(a.expected), plain(b.expected)) for a, b in zip(one, again, strict=True))
    new = [case for case, old in zip(other, one, strict=True) if arguments(case) != arguments(old)]
    assert len(new) >= 2


def arguments(case) -> str:
    """All numbers of a call, as text."""
    return repr([a if callable(a) else torch.as_tensor(a).tolist() for a in flat(case.arguments)])


def flat(values):
    """The parts of nested tuples."""
    for value in values:
        yield from flat(value) if isinstance(value, tuple) else [value]


@every
def test_no_two_mistakes_return_the_same(exercise):
    """None is told one that stands after it; the test above has those before."""
    turned, cases = replace(exercise, mistakes=exercise.mistakes[::-1]), cases_of(exercise)
    for one in exercise.mistakes:
        verdict = verdict_on(turned, cases, (captured(one.function, case) for case in cases))
        assert verdict.mistake == one.name, f"{exercise.id}: {verdict.mistake!r} for {one.name!r}"


@pytest.mark.parametrize("hidden", [None, 5], ids=["None", "a number"])
def test_guidance_says_how_a_label_is_hidden(hidden):
    def guide(D, x, sigma, labels, w, null):
        without = D(x, sigma, hidden)
        return without + w * (D(x, sigma, labels) - without)

    verdict = judge(EXERCISES["2.6"], guide)
    assert verdict.status == WRONG and "holds `null` everywhere" in verdict.words


def test_heun_says_why_the_last_step_has_no_second_slope():
    def heun(x, sigma, sigma_next, D):
        d = (x - D(x, sigma)) / sigma
        euler = x + (sigma_next - sigma) * d
        d_next = (euler - D(euler, sigma_next)) / sigma_next
        return x + (sigma_next - sigma) * (d + d_next) / 2

    verdict = judge(EXERCISES["4.1"], heun)
    assert verdict.status == WRONG and "NaN" in verdict.words
    assert "last step is Euler's alone" in verdict.words
