"""Exercises in the notebooks: which cells are stubs, and what stands folded below them."""

import math
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch
from doubling import STUB
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from skimage import color

from diffutils.course.exercises.verdict import RIGHT, judge
from diffutils.course.workbook import folds
from diffutils.lessons import exercises

NOTEBOOKS = Path(__file__).resolve().parents[3] / "notebooks"
EXERCISES = exercises()
NAMES = {
    "math": math,
    "np": np,
    "torch": torch,
    "color": color,
}  # what a stub may use of the import cell
every_number = pytest.mark.parametrize("number", sorted({id.split(".")[0] for id in EXERCISES}))


def lesson_notebook(number: str):
    (path,) = NOTEBOOKS.glob(f"{int(number):02}_*.ipynb")
    return nbformat.read(path, as_version=4)


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


def test_only_stubs_are_exercises():
    assert folds.exercise_id(new_code_cell(STUB)) == "1.1"
    assert folds.exercise_id(new_markdown_cell(STUB)) is None
    assert folds.exercise_id(new_code_cell("double = 1")) is None


@pytest.mark.parametrize(
    "fold",
    [
        "<details><summary>Answer</summary>SECRET</details>",
        "   <details><summary>answer</summary>\n\nSECRET\n\n   </details>",
        "<details open>\n<summary> Answer to 2.1 </summary>SECRET</details>",
        "<details><summary>Solution, in words</summary>SECRET</details>",
    ],
)
def test_answers_leave_the_students_copy_in_every_form(fold):
    notebook = new_notebook(cells=[new_markdown_cell(f"Why?\n{fold}\n\nAnd then?")])
    (cell,) = folds.without_solutions(notebook).cells
    assert "SECRET" not in cell.source and "Ask your instructor" in cell.source
    assert cell.source.startswith("Why?") and cell.source.endswith("</details>\n\nAnd then?")


@every_number
def test_no_answer_of_a_lesson_is_left_for_students(number):
    notebook = lesson_notebook(number)
    answers = sum(len(folds.ANSWER.findall(c.source)) for c in notebook.cells)
    text = "\n".join(c.source for c in folds.without_solutions(notebook).cells)
    assert text.count("Ask your instructor.") == answers >= 5 + len(folds.solutions(notebook))
    assert text.count("<details") == text.count("</details>")
