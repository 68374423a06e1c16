"""A new lesson is four files: a notebook, and a room with its budget and exercises."""

import os
import shutil
import subprocess
import sys

import pytest

FILES = {
    "__init__.py": "",
    "budget.py": '''
from dataclasses import dataclass

from diffutils.course.budgets import Budget, field, profiles


@dataclass(frozen=True)
class Lesson08Budget(Budget):
    """Lesson 08, coin flips."""

    flips: int = field(1000, least=1)
    angle: int = field(-90, least=-180, most=180)


BUDGETS = profiles(Lesson08Budget, {"flips": (10, 10_000, 100_000, ...)})
''',
    "exercises.py": """
import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake


def cases(seed):
    numbers = np.random.default_rng(seed).normal(0, 3, 2)
    return [Case((x,), 2 * x, "Twice two is four.") for x in (3.0, *numbers.tolist())]


EXERCISES = [
    Exercise(
        id="8.1",
        title="double",
        difficulty=1,
        minutes=5,
        reference=lambda x: 2 * x,
        cases=cases,
        mistakes=(Mistake("square", lambda x: x**2, "You squared it."),),
    )
]
""",
}
CELLS = (
    'profile = None  # how much\nseed = 0  # randomness\nresume = "auto"  # or never',
    """import diffutils as du

lesson = du.lesson("08", profile, seed=seed, resume=resume)""",
    """def double(x):
    return x + x


double = du.check("8.1", double)""",
    """lesson.headline("double of the angle", double(lesson.budget.angle))
lesson.finish()""",
)
FINDS = """
from pathlib import Path
import diffutils as du
from diffutils import lessons
from diffutils.course.runs import headless, stored
print([path.name for path in headless.select("8")])
print(lessons.numbers(), lessons.budget("08", "smoke", {"angle": "0"}))
print(du.check("8.1", lambda x: x**2)(4))
runs = {profile: Path("runs") / profile for profile in stored.SHOWN}
print(stored.with_lessons(Path("README.md").read_text("utf-8"), headless.select(), runs))
"""


@pytest.fixture
def checkout(root, tmp_path, write_notebook):
    """A copy of the package with the new lesson's four files in it; no other file is touched."""
    left = shutil.ignore_patterns("__pycache__")
    shutil.copytree(root / "diffutils", tmp_path / "diffutils", ignore=left)
    shutil.copytree(root / "data" / "pretrained", tmp_path / "data" / "pretrained")
    shutil.copy(root / "README.md", tmp_path)
    shutil.copytree(root / "notebooks", tmp_path / "notebooks")
    room = tmp_path / "diffutils" / "lessons" / "lesson08"
    room.mkdir()
    for name, text in FILES.items():
        (room / name).write_text(text)
    path = write_notebook(tmp_path / "notebooks" / "08_coin_flips.ipynb", *CELLS)
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    question = nbformat.v4.new_markdown_cell("# Lesson 08 · Is the coin fair?\n\nFlip it.")
    notebook.cells.insert(0, question)
    nbformat.write(notebook, path)
    return tmp_path


def python(checkout, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=checkout,
        env=os.environ | {"PYTHONPATH": str(checkout)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_four_files_make_a_lesson(checkout):
    """It is run, found, checked and listed; only a run is slow, so there is one."""
    ran = python(checkout, "-m", "diffutils", "run", "--lessons", "08", "--profile", "smoke")
    assert "08_coin_flips  ok" in ran and "double of the angle -180" in ran
    executed = (checkout / "runs" / "smoke" / "08_coin_flips.ipynb").read_text(encoding="utf-8")
    assert "✓ Exercise 8.1, double: right." in executed
    said = python(checkout, "-c", FINDS).splitlines()
    assert said[0] == "['08_coin_flips.ipynb']"
    assert said[1].startswith("['01', ") and said[1].endswith("Lesson08Budget(flips=10, angle=0)")
    assert said[2].startswith("✗ Exercise 8.1, double: wrong for x = ")
    assert [line.split(":")[0] for line in said[3:6]] == ["  yours", "  expected", "  try"]
    assert said[5].split(maxsplit=1)[1] == "You squared it."
    assert said[7] == "8"  # the course's function goes on
    row = "| [08_coin_flips](notebooks/08_coin_flips.ipynb) | Is the coin fair? | 0 s | not run | "
    assert any(line.startswith(row) for line in said)
