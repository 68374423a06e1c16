"""Words and symbols: introduced before they are used, one meaning each, and a page of them all."""

import inspect
import itertools
import json
import pkgutil
import re
from pathlib import Path

import nbformat
import pytest
from cells import report
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from wording import Piece, Use, in_fold, pieces, spellings, symbol, uses

from diffutils import lessons as contents
from diffutils.course.workbook import notation

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
LESSONS = sorted(FOLDER.glob(notation.LESSONS))
NAME = re.compile(r"([\w.]+)(?:\((\w+)\))?")  # of a function, and of its argument
every_lesson = pytest.mark.parametrize("lesson", LESSONS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def terms() -> list[notation.Term]:
    return notation.read(FOLDER)


@pytest.fixture(scope="module")
def known(terms) -> dict[notation.Term, notation.Place]:
    """Where the terms are introduced; those whose place is lost have a test of their own."""
    return notation.introduced(terms, notation.lessons(FOLDER))[0]


@pytest.fixture(scope="module")
def used(terms) -> dict[Path, list[Use]]:
    return {path: all_uses(path, terms) for path in LESSONS}


def all_uses(lesson: Path, terms) -> list[Use]:
    return [use for piece in pieces(lesson) for use in uses(piece, terms)]


def early(found: list[Use], known: dict):
    """What a lesson says too early, once for each cell and term: the place, and what to do."""
    for (term, piece), use in {(use.term, use.piece): use for use in found}.items():
        place = known.get(term)
        if place and piece.order < (place.passage.file[:2], place.passage.index):
            where = f"lesson {term.lesson}, {place.passage.titles(place.at)[-1]!r}"
            words = f"{term.written} is used before {where} introduces it"
            yield piece.place, f"{words}: ... {piece.around(use.at)} ..."


def unfolded(found: list[Use], known: dict):
    """What a lesson says outside folds though a fold introduces it, which few readers open."""
    folded = {term for term, place in known.items() if in_fold(place.passage.text, place.at)}
    open_ = [use for use in found if use.term in folded and not use.piece.folded(use.at)]
    for (term, piece), use in {(use.term, use.piece): use for use in open_}.items():
        words = f"{term.written} is used here, but introduced in a fold of lesson {term.lesson}"
        yield piece.place, f"{words}; introduce it outside: ... {piece.around(use.at)} ..."


def undeclared(found: list[Use], known: dict):
    """Greek letters of a lesson's formulas that the table does not hold."""
    for use in (use for use in found if use.term is None):
        words = f"{use.written} is not in {notation.TABLE}; add it"
        yield use.piece.place, f"{words}: ... {use.piece.around(use.at)} ..."


@pytest.mark.parametrize("rule", [early, unfolded, undeclared], ids=lambda rule: rule.__name__)
@every_lesson
def test_words_and_symbols_are_introduced_before_their_use(lesson, rule, used, known):
    report(lesson, rule(used[lesson], known))


def test_every_introduction_is_found(terms):
    _, lost = notation.introduced(terms, notation.lessons(FOLDER))
    assert not lost, "\n".join(lost)


def test_a_term_stands_where_it_is_introduced_and_not_first_in_the_recap(terms, known):
    wrong = []
    for term, place in known.items():
        raw = Piece(place.passage, "", place.passage.text)  # where code counts, too
        if term not in {use.term for use in uses(raw, terms)}:
            wrong.append(f"{term.written}: it does not stand in the cell that says {term.says!r}")
        if any("Recap" in title for title in place.passage.titles(place.at)):
            wrong.append(f"{term.written}: say it before the recap")
    assert not wrong, "\n".join(wrong)


def test_the_page_is_made_of_the_table_and_the_lessons():
    cure = "run `python -m diffutils notation`"
    assert (FOLDER / notation.PAGE).read_text(encoding="utf-8") == notation.page(FOLDER), cure


def test_a_spelling_has_one_meaning_at_every_place(terms):
    """Two entries of one spelling: one of them says where alone it holds, and nowhere both do."""
    for one, other in itertools.combinations(terms, 2):
        shared = {symbol(s) or s for s in spellings(one)} & {
            symbol(s) or s for s in spellings(other)
        }
        if shared:
            assert one.where or other.where, f"two meanings of {one.written}: say `where`"
            both = itertools.product(one.where, other.where)
            twice = [pair for pair in both if pair[0].startswith(pair[1]) or pair[1] in pair[0]]
            assert not twice, f"two meanings of {one.written} in {twice}"


def test_the_sections_that_the_table_names_are_there(terms):
    found = notation.lessons(FOLDER)
    for term in terms:
        for number, title in ((where[:2], where[3:]) for where in term.where):
            titles = [h[2] for p in found[number] for h in notation.HEADING.finditer(p.text)]
            assert any(title in t for t in titles), f"{term.written}: no {title!r} in {number}"


def test_the_names_in_the_code_are_there(terms):
    for term in (term for term in terms if term.code):
        name, argument = NAME.fullmatch(term.code).groups()
        try:
            found = pkgutil.resolve_name(f"diffutils.{name}")
        except (ImportError, AttributeError):
            wanted = rf"def {name}\([^)]*\b{argument}\b" if argument else rf"\b{name}\b"
            assert re.search(wanted, code_of(term.lesson)), f"{term.written}: no {term.code}"
        else:
            known = inspect.signature(found).parameters if argument else ()
            assert argument is None or argument in known, f"{term.written}: no {term.code}"


def code_of(lesson: str) -> str:
    """The code cells of a lesson, one below the other."""
    (path,) = (path for path in LESSONS if path.name.startswith(lesson))
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")


def test_messages_of_exercises_call_the_fresh_noise_of_a_step_by_its_own_letter():
    """ς is the fresh noise of a step, σ the level: `sigma` may only be a student's argument."""
    fresh = re.compile(r"\b(fresh|new) noise\b|ς")
    for exercise in contents.exercises().values():
        said = [mistake.hint for mistake in exercise.mistakes]
        if any(map(fresh.search, said)):
            said += [case.about for case in exercise.cases(0)]
        for words in filter(fresh.search, said):
            rest = words.replace("your argument sigma", "")
            assert not re.search(r"\bsigma\b|σ", rest), f"{exercise.id}: {words}"


# What the rules find, on lessons made for it.

TABLE = r"""
[[term]]
written = "EMA"
meaning = "a mean"
lesson = "01"
says = "the **EMA**"

[[term]]
written = '$\sigma$'
meaning = "a level"
lesson = "02"
says = "Here $\\sigma$ is the level"
also = ["σ"]

[[term]]
written = '$\sigma$'
meaning = "a spread"
lesson = "01"
says = 'a spread $\sigma$'
where = ["01 Apart"]
"""
FIRST = [
    "# One\n\n| **Before** | EMA |\n\n`EMA` $\\sigma_y$",
    "## Apart\n\na spread $\\sigma$",
    "## Then\n\n<details><summary>A</summary>the **EMA**</details>",
]
SECOND = ["# Two\n\nHere $\\sigma$ is the level", "EMA, $\\bar\\theta$", "**References** $\\mu$"]


@pytest.fixture
def made(tmp_path):
    """A folder of two lessons and their table."""
    (tmp_path / notation.TABLE).write_text(TABLE)
    for number, texts in (("01", FIRST), ("02", SECOND)):
        notebook = new_notebook(cells=[new_markdown_cell(text) for text in texts])
        nbformat.write(notebook, tmp_path / f"{number}_made.ipynb")
    return tmp_path


def problems(rule, folder: Path, add=()) -> list[str]:
    """What a rule says of a folder's lessons, with cells that stand first in lesson 01."""
    path = folder / "01_made.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[:0] = add
    nbformat.write(notebook, path)
    terms = notation.read(folder)
    known, lost = notation.introduced(terms, notation.lessons(folder))
    assert not lost
    found = [use for lesson in sorted(folder.glob("*.ipynb")) for use in all_uses(lesson, terms)]
    return [f"{place}: {words}" for place, words in rule(found, known)]


def test_cards_code_references_and_sections_of_their_own_are_no_early_use(made):
    assert problems(early, made) == []


@pytest.mark.parametrize(
    "text", ["The EMA's", "two\nEMAs", "a $\\sigma^2$", "$$\\sigma_{t}$$", "σ"]
)
def test_an_early_use_is_found(made, text):
    (found,) = problems(early, made, [new_markdown_cell(text)])
    assert found.startswith("the text above cell [1]: ")
    assert "is used before lesson 0" in found and found.endswith(" ...")


@pytest.mark.parametrize("text", ["EMANATE", "ema", "$\\hat\\sigma$", "$x_\\sigma$", "`EMA`", "ς"])
def test_what_only_looks_like_a_use_is_none(made, text):
    assert problems(early, made, [new_markdown_cell(text)]) == []


@pytest.mark.parametrize("table", ["a     ema   c\n1     2.0   3", "ema  b\n------\n1    2"])
def test_headers_of_printed_tables_are_read(made, table):
    cell = new_code_cell("table", outputs=[new_output("stream", text=table)])
    (found,) = problems(early, made, [cell])
    assert found.startswith("cell [1], header of a table: EMA is used before")


def test_what_a_fold_introduces_is_not_used_outside(made):
    (found,) = problems(unfolded, made)
    assert found.startswith("the text above cell [1]: EMA is used here, but introduced in a fold")


def test_greek_letters_without_an_entry_are_found(made):
    found = problems(undeclared, made)
    assert [re.search(r"\\\w+", words)[0] for words in found] == ["\\sigma", "\\theta"]
