"""What a lesson shows fits the page: in JupyterLab, as students read it, at 800 and 1280 pixels.

JupyterLab brings its own MathJax, so formulas are typeset without a network.  Its columns are
narrower than those of a page that nbconvert writes: at 800 pixels a line of output has room for 79
characters, and breaks where it is longer.  Sentences may break, rows of a table may not; code may
scroll in its box, and so may what is folded away.
"""

import re
import shutil
from pathlib import Path

import nbformat
import pytest
from cells import placed, report
from jupyterlab import TOKEN, browser, chromium, served
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from diffutils.course.tables import aligned, fold

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WIDTHS = (800, 1280)  # pixels of the window
FITS = (ROOT / "tests" / "helpers" / "fits.js").read_text(encoding="utf-8")
KINDS = {  # tag -> what it is, and what to do about it
    "table": ("a table", "give it fewer columns, or shorter words: names in code do not break"),
    "mjx-container": ("a formula", "break it into two lines, or leave something to the text"),
    "img": ("a picture", "show it by `du.show`, or with max-width: 100%"),
    "pre": ("text", "print shorter lines"),
    "row": ("a row of a table in text", "print 79 characters at most, or fold it: `tables.fold`"),
}
# The page is laid out: asked twice, half a second apart, as many formulas are typeset.
READY = """([cells, formulas, width]) => {
    const book = document.querySelector(".jp-Notebook");
    const [before, now] = [window.typeset, document.querySelectorAll("mjx-container").length];
    window.typeset = now;
    return book && now === before
        && document.querySelectorAll(".jp-Notebook .jp-Cell").length === cells
        && document.querySelectorAll("mjx-container[display=true]").length >= formulas
        && [...document.images].every((image) => image.complete)
        && Math.abs(width - book.getBoundingClientRect().right) < 80;
}"""


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A folder with all lessons, their pictures, and a notebook whose outputs do not fit."""
    folder = tmp_path_factory.mktemp("pages")
    for name in ("notebooks", "figures"):
        shutil.copytree(ROOT / name, folder / name)
    nbformat.write(too_wide(), folder / "notebooks" / "08_wide.ipynb")
    return folder


@pytest.fixture(scope="module")
def lab(made, tmp_path_factory):
    chromium()  # skips before anything is started
    with served(["jupyter", "lab"], made, tmp_path_factory.mktemp("lab"), {}) as address:
        yield address


@pytest.fixture(scope="module")
def page(lab):
    with browser() as started:
        page = started.new_page()
        page.set_default_timeout(120_000)
        yield page


def problems(page, lab: str, path: Path) -> list[tuple[str, str]]:
    """Open a notebook at both widths: places, and what does not fit there."""
    nb = nbformat.read(path, as_version=4)
    places = [place for place, _ in placed(nb)]
    texts = [cell.source for cell in nb.cells if cell.cell_type == "markdown"]
    formulas = sum(len(re.findall(r"\$\$", text)) // 2 for text in texts)
    page.goto(f"{lab}/doc/tree/notebooks/{path.name}?token={TOKEN}")
    found = []
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_function(READY, arg=[len(places), formulas, width], polling=500)
        for each in page.evaluate(FITS):
            if each["kind"] == "formula":
                words = f"{each['said']!r} is no formula that MathJax can read; mend it"
            else:
                what, cure = KINDS[each["kind"]]
                words = f"at {width} px, {what} is {each['width']} px wide, its column "
                words += f"{each['column']}: {each['said']!r}; {cure}"
            found.append((places[each["cell"]], words))
    return [*dict.fromkeys(found)]


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_everything_fits_its_column(path, page, lab):
    report(path, problems(page, lab, path))


def too_wide():
    """One of each thing that does not fit, and beside it one that does."""
    words, name = "a word " * 30, "a_name_that_does_not_break_" * 5
    wide, table = aligned([["column"] * 12, ["1"] * 12]), "| a | b |\n| --- | --- |\n| {} | {} |"
    image = '<img src="data:image/gif;base64,R0lGODdhAQABAIAAAAAAAAAAACwAAAAAAQABAAACAkQBADs="'

    def code(*outputs: tuple[str, str]):
        return new_code_cell(outputs=[new_output("display_data", {k: v}) for k, v in outputs])

    cells = [
        new_markdown_cell(f"{table.format(words, words)}\n\n{table.format(f'`{name}`', 1)}"),
        new_code_cell(outputs=[new_output("stream", text=f"short  row\n{words}\n{wide}\n")]),
        new_code_cell(outputs=[new_output("stream", text=f"x = 1  # {words}\n")]),
        new_markdown_cell(f"$$a = {'+'.join(['x_{long}'] * 30)}$$ $$a = \\sum_i x_i \\tag{{2}}$$"),
        new_markdown_cell(r"$\alpha{$"),
        new_markdown_cell(r"$a_b_c$, $\nosuch$, $\alpha$, `\alpha`"),
        code(
            ("text/html", f'{image} alt="wide" style="max-width: none; width: 900px">'),
            ("text/html", f'{image} alt="fits" style="max-width: 100%; width: 900px">'),
        ),
        code(
            ("text/html", f'<pre style="white-space: pre">{wide}</pre>'),
            ("text/markdown", fold("wide", wide)),
        ),
        code(("text/markdown", f"<details><summary>broken</summary><pre>{wide}</pre></details>")),
        new_markdown_cell(f"```python\nx = 1  {name}\n```"),
    ]
    return new_notebook(cells=cells)


def test_what_does_not_fit_is_found(page, lab, made):
    found = problems(page, lab, made / "notebooks" / "08_wide.ipynb")
    said = re.compile(r"at (\d+) px, (.+?) is .+ its column \d+: '(.{4})|'(.+)' is no formula")
    short = [(place, *filter(None, said.match(words).groups())) for place, words in found]
    text = "a row of a table in text"
    assert short == [
        ("the text above cell [1]", "800", "a table", "a b "),
        ("cell [1]", "800", text, "colu"),
        ("the text below cell [2]", "800", "a formula", "a=xl"),
        ("the text below cell [2]", "$\\\\alpha{$"),
        ("the text below cell [2]", "a_b_c"),
        ("the text below cell [2]", "\\\\nosuch"),
        ("cell [3]", "800", "a picture", "wide"),
        ("cell [4]", "800", "text", "colu"),
        ("cell [5]", "800", text, "colu"),
        ("the text above cell [1]", "1280", "a table", "a b "),
        ("the text below cell [2]", "1280", "a formula", "a=xl"),
    ]
