"""Answers of people who had not read the checks: none is misjudged, and lessons run with them."""

from collections import Counter
from pathlib import Path

import nbformat
import pytest
import scipy.stats  # noqa: F401  the processes of answers inherit it, which saves each a second
from offline_run import nbval

from diffutils.course.workbook import trial
from diffutils.course.workbook.folds import CHECK, exercise_id
from diffutils.lessons import exercises

HERE = Path(__file__).resolve().parent
NOTEBOOKS = HERE.parents[1] / "notebooks"
FILES = sorted(HERE.glob("lesson*/trial.py"))
EXERCISES = exercises()
every_lesson = pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
NAMED = 0.7  # of the wrong answers, at least


def test_there_are_many_for_every_exercise():
    counts = Counter((a.id, a.right) for path in FILES for a in trial.read(path))
    assert sum(counts.values()) >= 400
    for id in EXERCISES:
        assert counts[id, True] >= 8 and counts[id, False] >= 15, id


@every_lesson
def test_no_answer_is_misjudged(path):
    said = []
    rows = trial.run(trial.read(path), EXERCISES, 3.0, said.append)
    assert not said, "\n".join(said)
    wrong = [row for row in rows if not row["right"]]
    assert sum(row["name"] is not None for row in wrong) >= NAMED * len(wrong), trial.table(rows)


def with_answers(notebook, answers: list[trial.Answer], turn: int):
    """The notebook with the `turn`-th right answer, or the last, to each exercise."""
    for cell in notebook.cells:
        if id := exercise_id(cell):
            right = [answer.source for answer in answers if answer.id == id and answer.right]
            rest = cell.source[CHECK.search(cell.source).start() :]
            cell.source = f"{right[min(turn, len(right) - 1)]}\n\n{rest}"
    return notebook


@pytest.mark.slow
@pytest.mark.parametrize("turn", range(0, 14, 3))
@every_lesson
def test_a_lesson_goes_on_with_any_right_answer(path, turn, tmp_path):
    (lesson,) = NOTEBOOKS.glob(f"{path.parent.name.removeprefix('lesson')}_*.ipynb")
    notebook = nbformat.read(lesson, as_version=4)
    nbformat.write(with_answers(notebook, trial.read(path), turn), tmp_path / lesson.name)
    (tmp_path / "run").mkdir()
    nbval(tmp_path / lesson.name, tmp_path / "run")
