"""Which lessons a name finds, and which run again after a change of the code: those it reaches."""

import json
import shutil

import pytest

from diffutils.course.runs import fingerprint, headless
from diffutils.lessons import budget


def test_lessons_are_found_by_number_or_name(lessons):
    for names in (None, "01", "1", "01_good", "01, 1"):
        assert [p.stem for p in headless.select(names)] == ["01_good"]


@pytest.mark.parametrize(
    "file, again",
    [
        ("lessons/lesson01/exercises.py", set()),
        ("lessons/lesson01/figures.py", set()),
        ("lessons/lesson04/arms.py", {"04_b"}),
        ("samplers.py", {"01_a", "04_b"}),
    ],
)
def test_a_change_runs_only_the_lessons_it_reaches(
    tmp_path, monkeypatch, root, write_notebook, file, again
):
    """A comment in lesson 01's exercises runs neither lesson again."""
    package, ran = tmp_path / "diffutils", set()
    shutil.copytree(root / "diffutils", package, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    monkeypatch.setattr(fingerprint, "code", fingerprint.code.__wrapped__)

    def execute(path, target, parameters, say):
        record = {"peak_memory_mb": 1, "headline": None, "metrics": {}, "seconds": 1.0}
        folder = target.parent / path.stem[:2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "run.json").write_text(json.dumps(record))
        target.write_text("{}")
        ran.add(path.stem)
        return headless.Outcome(path.stem, target, 1.0)

    monkeypatch.setattr(headless, "execute", execute)
    names = ("01_a", "04_b")
    paths = [write_notebook(tmp_path / f"{n}.ipynb", "profile = 'smoke'  # p") for n in names]

    def run():
        ran.clear()
        headless.run(paths, "smoke", tmp_path / "out", budget, say=lambda line: None)
        return set(ran)

    assert [run(), run()] == [set(names), set()]
    with open(package / file, "a") as f:
        f.write("# a word\n")
    assert [run(), run()] == [again, set()]
