"""What the repository stores of a lesson: clean notebooks, and README's table."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from diffutils.course.runs import headless, stored


def stream(text, name="stdout"):
    return new_output("stream", name=name, text=text)


def test_what_papermill_and_widgets_leave_is_taken_out(tmp_path):
    left = {"papermill": {"duration": 1.0}, "tags": [], "execution": {}}
    result = new_output("execute_result", {"text/plain": "2"}, execution_count=9)
    figure = new_output(
        "display_data", {"text/plain": "Figure"}, metadata={"image/png": {"alt": "a"}}
    )
    pieces = [stream("a\n"), stream("b\n"), figure, stream("c\n"), stream("d", "stderr"), result]
    cells = [
        new_markdown_cell("# Lesson 01", metadata=left),
        new_code_cell("seed = 0", metadata=left | {"tags": ["parameters"]}, execution_count=3),
        new_code_cell("seed = 1", metadata={"tags": ["injected-parameters"]}, execution_count=4),
        new_code_cell("print('a')", metadata=left, outputs=pieces, execution_count=9),
    ]
    kept = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    nb = new_notebook(cells=cells, metadata=kept | {"papermill": {}, "widgets": {"state": {}}})
    nbformat.write(nb, tmp_path / "run.ipynb")
    found = nbformat.reads(stored.cleaned(tmp_path / "run.ipynb"), as_version=4)
    assert found.metadata == kept | {"stored": stored.stamp(found, "ru")}
    assert [cell.source for cell in found.cells] == ["# Lesson 01", "seed = 0", "print('a')"]
    ignored = [{"tags": ["parameters", stored.IGNORED]}, {"tags": [stored.IGNORED]}]
    assert [cell.metadata for cell in found.cells] == [{}, *ignored]
    assert [cell.execution_count for cell in found.cells[1:]] == [1, 2]
    outputs = found.cells[2].outputs
    assert [o.get("text") for o in outputs] == ["a\nb\n", None, "c\n", "d", None]
    assert outputs[1].metadata == {"image/png": {"alt": "a"}}
    assert outputs[-1].execution_count == 2


def test_nbval_ignores_what_it_is_not_told_to_compare():
    tags = [[], ["parameters"], [stored.COMPARED], [stored.IGNORED, stored.COMPARED]]
    cells = [new_code_cell("1", metadata={"tags": each} if each else {}) for each in tags]
    nb = stored.marked(stored.marked(new_notebook(cells=[*cells, new_markdown_cell("text")])))
    assert [cell.metadata.get("tags") for cell in nb.cells] == [
        [stored.IGNORED],
        ["parameters", stored.IGNORED],
        [stored.COMPARED],
        [stored.COMPARED],
        None,
    ]


def test_outputs_are_tied_to_code_and_package(tmp_path, monkeypatch):
    path = tmp_path / "04_x.ipynb"
    cells = [new_markdown_cell("text"), new_code_cell("print(1)")]
    nbformat.write(new_notebook(cells=cells), path)
    assert "are of other code cells; run `make notebooks LESSONS=04`." in stored.stale(path)
    path.write_text(stored.cleaned(path), encoding="utf-8")
    assert stored.stale(path) is stored.stale(path, package=True) is None
    # Another text changes no output, another cell and another package do.
    for cell, words in ((0, None), (1, "other code cells")):
        nb = nbformat.read(path, as_version=4)
        nb.cells[cell].source += " # more"
        nbformat.write(nb, tmp_path / "04_changed.ipynb")
        said = stored.stale(tmp_path / "04_changed.ipynb")
        assert said is None if words is None else words in said
    monkeypatch.setattr(stored.fingerprint, "code", lambda number: "another")
    assert stored.stale(path) is None
    assert "04_x.ipynb: its outputs are of another package" in stored.stale(path, package=True)


HEAD = "<!-- lessons: made by `make notebooks` -->\n"
OLD = f"""before
{HEAD}| lesson | its question | smoke | student | overnight (2 cores) | full (1 GPU) |
| --- | --- | --- | --- | --- | --- |
| [01_a](notebooks/01_a.ipynb) | An old question? | 3 s | 20 s | not run | 9 min |
<!-- end -->
after
"""


@pytest.fixture
def lessons(tmp_path, write_notebook):
    paths = [tmp_path / "notebooks" / name for name in ("01_a.ipynb", "08_b.ipynb")]
    for path in paths:
        cells = [new_markdown_cell(f"# Lesson {path.stem[:2]} · Why | how?\n\nA picture.")]
        path.parent.mkdir(exist_ok=True)
        nbformat.write(new_notebook(cells=cells), path)
    return paths


def test_readme_gets_a_row_for_each_lesson(lessons, tmp_path):
    """Titles from the first cells, times from finished runs; the rest keep their old ones."""
    for folder, record in (
        ("student/01", {"seconds": 21.4, "finished": {}}),
        ("overnight/01", {"seconds": 7_700.0, "finished": {}}),
        ("smoke/08", {"seconds": 5.0, "finished": {}}),
        ("full/08", {"seconds": 77.0}),  # not executed whole: its time says nothing
        ("full/01", {"seconds": "77", "finished": {}}),  # damaged
    ):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "run.json").write_text(json.dumps(record))
    runs = {name: tmp_path / name for name in stored.SHOWN}
    new = stored.with_lessons(OLD, lessons, runs)
    assert new.splitlines()[1:-2] == [
        HEAD.strip(),
        "| lesson | its question | smoke | student | overnight (2 cores) | full (1 GPU) |",
        "| --- | --- | --- | --- | --- | --- |",
        "| [01_a](notebooks/01_a.ipynb) | Why \\| how? | 3 s | 21 s | 2 h 8 min | 9 min |",
        "| [08_b](notebooks/08_b.ipynb) | Why \\| how? | 5 s | not run | not run | not run |",
    ]
    assert new.startswith("before\n") and new.endswith("<!-- end -->\nafter\n")
    assert stored.with_lessons(new, lessons, runs) == new
    with pytest.raises(ValueError, match="README.md has no lines"):
        stored.with_lessons("no table", lessons, runs)


def test_readme_is_in_step_with_the_lessons(root, tmp_path):
    """Made anew without any run, so with the times that stand there, it is what is stored."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    nowhere = {name: tmp_path for name in stored.SHOWN}
    assert stored.with_lessons(readme, headless.select(), nowhere) == readme


def test_what_was_edited_while_it_ran_is_not_overwritten(tmp_path, write_notebook, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notebooks").mkdir()
    one, other = (
        write_notebook(tmp_path / "notebooks" / f"0{n}_lesson.ipynb", "print(1)") for n in (1, 2)
    )

    def run(notebooks, profile, out, budget, say):
        out.mkdir(parents=True)
        for path in notebooks:
            (out / path.name).write_bytes(path.read_bytes())
        write_notebook(other, "print(2)")
        return [headless.Outcome(path.stem, out / path.name) for path in notebooks]

    monkeypatch.setattr(headless, "run", run)
    monkeypatch.setattr(headless, "NOTEBOOKS", tmp_path / "notebooks")
    ends = headless.store([one, other], budget=None)
    assert [end.status for end in ends] == ["ok", "not stored"]
    assert "02_lesson not stored since it was edited while it ran" in headless.failures(ends)
    assert "print(2)" in other.read_text() and '"stored"' not in other.read_text()
    assert '"stored"' in one.read_text()
