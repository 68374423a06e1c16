"""Every exercise: the course's answer and others pass, every mistake is named."""

import warnings
from dataclasses import replace
from importlib import util
from pathlib import Path

import pytest

from diffutils.course.exercises.call import captured
from diffutils.course.exercises.diagnosis import known_mistake
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge
from diffutils.lessons import exercises

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
EXERCISES = exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)
mistakes = pytest.mark.parametrize(
    ("exercise", "mistake"),
    [pytest.param(e, m, id=f"{e.id}-{m.name}") for e in EXERCISES.values() for m in e.mistakes],
)


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
    verdict = judge(exercise, mistake.function)
    assert (verdict.status, verdict.mistake) == (WRONG, mistake.name)
    assert verdict.words.splitlines()[2] == f"try:      {mistake.hint}"


@every
def test_no_two_mistakes_return_the_same(exercise):
    cases = exercise.cases(0)
    for one in exercise.mistakes:
        results = [(case, tried(one.function, case)) for case in cases]
        for other in exercise.mistakes:
            told = known_mistake(replace(exercise, mistakes=(other,)), results)
            assert told is None or other is one, (
                f"{exercise.id}: a student's {one.name!r} may be told {other.name!r}"
            )


def tried(function, case):
    """What a known mistake returns in a case; None where it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return captured(function, case).result


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
