"""Every exercise has what the course asks of one."""

import pytest

from diffutils.lessons import exercises

EXERCISES = exercises()
every = pytest.mark.parametrize("exercise", EXERCISES.values(), ids=EXERCISES)


@every
def test_an_exercise_is_complete(exercise):
    assert 1 <= exercise.difficulty <= 3
    assert 5 <= exercise.minutes <= 20
    assert len(exercise.mistakes) >= 5
    for part in (m.name for m in exercise.mistakes), (m.hint for m in exercise.mistakes):
        assert len(set(part)) == len(exercise.mistakes)
    for words in (*(m.hint for m in exercise.mistakes), *(c.about for c in exercise.cases(0))):
        assert words[-1] == "." and len(words) <= 200
