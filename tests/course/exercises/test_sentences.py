"""Every sentence of every task: where it demands something, breaking just that is found wrong.

tests/lessons/lessonNN/sentences.py holds, for the lesson's notebook,
SENTENCES: exercise id -> {sentence, verbatim: wrong functions, each of which breaks just that}, and
DEMANDS_NOTHING: the sentences to which no function can be disobedient.
"""

from importlib import util
from pathlib import Path

import pytest
from sentences import sentences, tasks

from diffutils.course.exercises.verdict import WRONG, judge
from diffutils.lessons import exercises

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
EXERCISES = exercises()
SEEDS = (0, 14)


def mutations() -> dict:
    """The module sentences.py of each lesson that has one: "01" -> module."""
    found = {}
    for path in sorted(LESSONS.glob("lesson*/sentences.py")):
        spec = util.spec_from_file_location(f"sentences_{path.parent.name}", path)
        spec.loader.exec_module(module := util.module_from_spec(spec))
        found[path.parent.name.removeprefix("lesson")] = module
    return found


MUTATIONS = mutations()
lessons = pytest.mark.parametrize("lesson", MUTATIONS)
broken = pytest.mark.parametrize(
    ("id", "function"),
    [
        pytest.param(id, function, id=f"{id}-{sentence[:40]}-{place}")
        for module in MUTATIONS.values()
        for id, task in module.SENTENCES.items()
        for sentence, functions in task.items()
        for place, function in enumerate(functions)
    ],
)


def test_every_lesson_with_exercises_has_its_sentences():
    assert set(MUTATIONS) == {f"{int(id.split('.')[0]):02}" for id in EXERCISES}


@lessons
def test_every_sentence_of_every_task_is_there(lesson):
    found = {id: list(task) for id, task in MUTATIONS[lesson].SENTENCES.items()}
    assert found == tasks(lesson)


@lessons
def test_a_sentence_has_wrong_functions_or_demands_nothing(lesson):
    module = MUTATIONS[lesson]
    given = [pair for task in module.SENTENCES.values() for pair in task.items()]
    open_ones = [sentence for sentence, functions in given if not functions]
    assert open_ones == list(module.DEMANDS_NOTHING)


@broken
def test_who_breaks_a_sentence_is_wrong(id, function):
    for seed in SEEDS:
        assert judge(EXERCISES[id], function, seed=seed).status == WRONG


def test_where_a_sentence_ends():
    text = "### Exercise 9.1 · A. B (★)\n\nWrite (2), e.g. at\n0.5. `x` is $n$. $z$! *Why?* Is it?"
    assert sentences(text) == ["Write (2), e.g. at 0.5.", "`x` is $n$.", "$z$!", "*Why?* Is it?"]
