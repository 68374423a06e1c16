"""The table of words and symbols, and the page that is made of it and the lessons."""

import nbformat
import pytest
from click.testing import CliRunner
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from diffutils.__main__ import cli
from diffutils.course.commands import run
from diffutils.course.runs import headless
from diffutils.course.workbook import notation

ENTRY = """
[[term]]
written = "EMA"
meaning = "a mean | of weights"
lesson = "01"
says = "The weights jitter; the **EMA** does not"
"""
SYMBOL = r"""
[[term]]
written = '$\sigma$'
meaning = "a level"
lesson = "01"
says = '$\sigma$ is a level'
code = "schedules.to_sigma"
also = ["σ"]
where = ["01", "02 At home"]
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """One lesson, and a table of two terms."""
    cells = [
        new_markdown_cell("# One\n\n```python\n# no heading\n```\n\n$\\sigma$ is a level"),
        new_code_cell("1"),
        new_markdown_cell("## 1 · First\n\n### Inner"),
        new_code_cell("2"),
        new_markdown_cell("## 2 · Second\n\nThe weights\njitter; the **EMA** does not."),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_one.ipynb")
    (tmp_path / notation.TABLE).write_text(SYMBOL + ENTRY)
    monkeypatch.setattr(headless, "NOTEBOOKS", tmp_path)
    return tmp_path


def test_the_page_says_where_each_is_introduced(folder):
    page = notation.page(folder)
    assert page == notation.page(folder) and page.endswith(" |\n")
    symbol, word = (line for line in page.splitlines() if "01_one.ipynb" in line)
    place = "[01](01_one.ipynb), at the top, above cell [1]"
    only = "(only in lesson 01; 02, At home)"
    assert symbol == f"| $\\sigma$ | a level {only} | {place} | `schedules.to_sigma` |"
    place = "[01](01_one.ipynb), 2 · Second, below cell [2]"
    assert word == f"| EMA | a mean \\| of weights | {place} |  |"
    assert page.index("## Symbols") < page.index(symbol) < page.index("## Words")


def test_a_place_that_moved_is_found_and_one_that_is_gone_is_named(folder):
    path = folder / "01_one.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.reverse()
    nbformat.write(notebook, path)
    assert "above cell [1]" in notation.page(folder)
    notebook.cells.pop(0)
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match="lesson 01 no longer says .*: where is EMA introduced"):
        notation.page(folder)
    notebook.cells.append(new_markdown_cell(notebook.cells[-1].source))
    nbformat.write(notebook, path)
    with pytest.raises(ValueError, match=r"is a level' 2 times: which of them introduces \$"):
        notation.page(folder)


def test_titles_are_those_above_a_place(tmp_path):
    texts = ["# One\n\ntext\n\n## A\n\n### B\n\ntext", "more", "## C"]
    texts += ["### Exercise 1.1 · D (★, 5 min)", "<details><summary>Hint 1</summary>", "after"]
    cells = [cell for text in texts for cell in (new_markdown_cell(text), new_code_cell(""))]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_one.ipynb")
    first, *rest = notation.passages(tmp_path / "01_one.ipynb")
    assert first.titles(first.text.index("text")) == ("One",)
    assert first.titles(first.text.rindex("text")) == ("One", "A", "B")
    ends = [passage.titles(len(passage.text)) for passage in rest]
    exercise = ("One", "C", "Exercise 1.1 · D")
    assert ends == [("One", "A", "B"), ("One", "C"), exercise, exercise, ("One", "C")]
    assert [passage.code_cells for passage in rest] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("[[term]", "notation.toml: Expected"),
        (ENTRY + "colour = 1", "term 1: .*unexpected .* 'colour'"),
        (ENTRY + SYMBOL.replace("meaning =", "#"), "term 2: .*missing .* 'meaning'"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(folder, table, said):
    (folder / notation.TABLE).write_text(table)
    with pytest.raises(ValueError, match=said):
        notation.read(folder)


def test_the_command_writes_the_page_and_refuses_where_it_cannot(folder, monkeypatch):
    done = CliRunner().invoke(cli, ["notation"])
    assert (done.exit_code, done.output) == (0, f"Written: {folder / notation.PAGE}\n")
    assert (folder / notation.PAGE).read_text(encoding="utf-8") == notation.page(folder)
    (folder / notation.TABLE).unlink()
    done = CliRunner().invoke(cli, ["notation"])
    assert done.exit_code == 2 and "take a clone" in done.output
    monkeypatch.setattr(run, "CHECKOUT", None)
    done = CliRunner().invoke(cli, ["notation"])
    assert done.exit_code == 2 and "call this in a clone" in done.output


@pytest.mark.parametrize("work", [[], ["--work", "elsewhere"]], ids=["here", "elsewhere"])
def test_storing_lessons_writes_the_page_beside_them(folder, monkeypatch, work):
    monkeypatch.setattr(headless, "store", lambda *_: [])
    done = CliRunner().invoke(cli, ["notebooks", *work])
    assert done.exit_code == 0, done.output
    assert (folder / notation.PAGE).is_file() == (not work)
