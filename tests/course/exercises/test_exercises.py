"""Every exercise: the course's answer and others pass, every mistake is named, folds are right."""

import math
from importlib import util
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from diffutils.course.exercises import folds
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge
from diffutils.lessons import exercises

LESSONS = Path(__file__).resolve().parents[2] / "lessons"
NOTEBOOKS = LESSONS.parents[1] / "notebooks"
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

# ------------------------------------------------------- the tests


@every
def test_an_exercise_is_complete(exercise):
    assert 1 <= exercise.difficulty <= 3
    assert 5 <= exercise.minutes <= 20
    assert len(exercise.mistakes) >= 5
    for part in (m.name for m in exercise.mistakes), (m.hint for m in exercise.mistakes):
        assert len(set(part)) == len(exercise.mistakes)
    for words in (*(m.hint for m in exercise.mistakes), *(c.about for c in exercise.cases())):
        assert words[-1] == "." and len(words) <= 200


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
    assert (verdict.status, verdict.mistake, verdict.words) == (WRONG, mistake.name, mistake.hint)


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


# ------------------------------------------------------- the notebooks


def lesson_notebook(number: str):
    (path,) = NOTEBOOKS.glob(f"{int(number):02}_*.ipynb")
    return nbformat.read(path, as_version=4)


NAMES = {"math": math, "np": np, "torch": torch}  # what a stub may use of the import cell
every_number = pytest.mark.parametrize("number", sorted({id.split(".")[0] for id in EXERCISES}))


@every_number
def test_folded_solutions_pass_and_stubs_are_open(number):
    notebook = lesson_notebook(number)
    found, names = folds.solutions(notebook), dict(NAMES)
    assert list(found) == [id for id in EXERCISES if id.startswith(f"{number}.")]
    for cell in notebook.cells:
        if not (id := folds.exercise_id(cell)):
            continue
        stub = cell.source[: folds.CHECK.search(cell.source).start()]
        name = folds.CHECK.search(cell.source)[0].split()[0]
        open_names = dict(names)
        exec(stub, open_names)
        assert judge(EXERCISES[id], open_names[name]).status == "not attempted"
        exec(found[id], names)
        assert judge(EXERCISES[id], names[name]).status == RIGHT, id


@every_number
def test_the_text_of_an_exercise_agrees_with_its_registration(number):
    cells = lesson_notebook(number).cells
    for before, cell, after in zip(cells, cells[1:], cells[2:], strict=False):
        if not (id := folds.exercise_id(cell)):
            continue
        exercise = EXERCISES[id]
        title = f"Exercise {id} · {exercise.title[0].upper()}{exercise.title[1:]}"
        assert f"### {title} ({'★' * exercise.difficulty}, {exercise.minutes} min)" in before.source
        assert "Worked value" in before.source
        for fold in ("Hint 1", "Hint 2", "Solution"):
            assert after.source.count(f"<details><summary>{fold}</summary>") == 1
