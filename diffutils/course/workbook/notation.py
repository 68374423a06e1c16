"""Words and symbols of the lessons: their table, and the page that shows where each is introduced.

Beside the lessons lies `notation.toml`, an entry a word or symbol.  It quotes some words of the
text that introduces it, so that the place is found again wherever the cell moves to.
"""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from diffutils.weights.files import write_whole

TABLE, PAGE = "notation.toml", "notation.md"
LESSONS = "[0-9][0-9]_*.ipynb"
CODE = re.compile(r"```.*?```", re.DOTALL)
HEADING = re.compile(r"^(#+) +(.+?)(?: \(★.*)?$", re.MULTILINE)  # without difficulty and minutes
COLUMNS = ("meaning", "introduced in", "in the code")
HEAD = f"""\
# Words and symbols

Each has one meaning in all lessons, or says where it has another one. A lesson says it first in the
sentence that introduces it; the third column says where. Made of [{TABLE}]({TABLE}) and the lessons
by `python -m diffutils notation`."""


@dataclass(frozen=True)
class Term:
    """A symbol or word of the lessons.

    written: a word, or TeX between dollars; also: other ways in which lessons write it.
    says: words of the text that introduces it, as they stand in the Markdown of the lesson.
    code: its name in the package, `module.name` or `module.name(argument)`, or in the lesson.
    where: if not everywhere, "03" or "03 words of a title": there alone this meaning holds.
    """

    written: str
    meaning: str
    lesson: str
    says: str
    code: str = ""
    also: tuple[str, ...] = ()
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Passage:
    """A Markdown cell of a lesson: its index, code cells and headings above it, and its text."""

    file: str
    index: int
    code_cells: int
    above: tuple[str, ...]
    text: str

    def titles(self, at: int) -> tuple[str, ...]:
        """The headings over a place in the text, the lesson's first, then section, subsection."""
        path = self.above
        for found in HEADING.finditer(blank(self.text, CODE)):
            if found.start() <= at:
                path = (*path[: len(found[1]) - 1], found[2])
        return path


@dataclass(frozen=True)
class Place:
    """Where a term is introduced: the passage, and the character at which its words begin."""

    passage: Passage
    at: int


def read(folder: Path) -> list[Term]:
    """The table of a folder of lessons.

    Raises: FileNotFoundError without a table; ValueError for one that cannot be read, naming the
    entry.
    """
    path = folder / TABLE
    if not path.is_file():
        raise FileNotFoundError(f"there is no {path}: take a clone of the repository")
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("term", [])
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    terms = []
    for number, entry in enumerate(entries, 1):
        lists = {key: tuple(entry.get(key, ())) for key in ("also", "where")}
        try:
            terms.append(Term(**entry | lists))
        except TypeError as error:  # a field too many, or one too few
            raise ValueError(f"{path}, term {number}: {error}") from None
    return terms


def passages(lesson: Path) -> list[Passage]:
    """The Markdown cells of a lesson, in their order."""
    found, code_cells, above = [], 0, ()
    for index, cell in enumerate(json.loads(lesson.read_text(encoding="utf-8"))["cells"]):
        if cell["cell_type"] == "code":
            code_cells += 1
        else:
            text = "".join(cell["source"])
            if above and above[-1].startswith("Exercise") and "<summary>Hint" not in text[:30]:
                above = above[:-1]  # an exercise ends with its hints
            found.append(Passage(lesson.name, index, code_cells, above, text))
            above = found[-1].titles(len(text))
    return found


def blank(text: str, pattern: re.Pattern) -> str:
    """The text with spaces in place of what a pattern finds, so that places stay."""
    return pattern.sub(lambda found: re.sub(r"\S", " ", found[0]), text)


def lessons(folder: Path) -> dict[str, list[Passage]]:
    """The passages of every lesson of a folder, by its number."""
    return {path.name[:2]: passages(path) for path in sorted(folder.glob(LESSONS))}


def places(term: Term, found: dict[str, list[Passage]]) -> Iterator[Place]:
    """Everywhere that a lesson says what introduces a term; white space does not count."""
    words = re.compile(r"\s+".join(map(re.escape, term.says.split())))
    for passage in found.get(term.lesson, ()):
        for match in words.finditer(passage.text):
            yield Place(passage, match.start())


def introduced(
    terms: list[Term], found: dict[str, list[Passage]]
) -> tuple[dict[Term, Place], list[str]]:
    """Where each term is introduced, and a sentence for each whose place is not found."""
    known, lost = {}, []
    for term in terms:
        there = list(places(term, found))
        if len(there) == 1:
            known[term] = there[0]
        elif there:
            lost.append(
                f"lesson {term.lesson} says {term.says!r} {len(there)} times: which of them "
                f"introduces {term.written}? Quote more of it."
            )
        else:
            lost.append(
                f"lesson {term.lesson} no longer says {term.says!r}: where is {term.written} "
                f"introduced now?"
            )
    return known, lost


def page(folder: Path) -> str:
    """The page of a folder of lessons: symbols in the order of the lessons, words by the alphabet.

    Raises: as `read`; ValueError, a sentence for each term whose introduction is not found.
    """
    known, lost = introduced(read(folder), lessons(folder))
    if lost:
        raise ValueError(f"{folder / TABLE}: " + "\n".join(lost))
    order = sorted(known, key=lambda t: (t.lesson, known[t].passage.index, known[t].at))
    symbols = [term for term in order if term.written.startswith("$")]
    words = sorted((t for t in order if t not in symbols), key=lambda t: t.written.casefold())
    text = [HEAD]
    for name, title, terms in ("symbol", "Symbols", symbols), ("word", "Words", words):
        text += ["", f"## {title}", "", f"| {' | '.join((name, *COLUMNS))} |", "|---|---|---|---|"]
        text += [row(term, known[term]) for term in terms]
    return "\n".join(text) + "\n"


def row(term: Term, place: Place) -> str:
    """The line of a term in the page."""
    passage, titles = place.passage, place.passage.titles(place.at)
    title = titles[-1] if titles[1:] else "at the top"
    cell = f"below cell [{passage.code_cells}]" if passage.code_cells else "above cell [1]"
    only = "; ".join(f"{where[:2]}, {where[3:]}".strip(", ") for where in term.where)
    cells = [
        ", ".join([term.written, *(a for a in term.also if "$" not in term.written)]),
        f"{term.meaning} (only in lesson {only})" if only else term.meaning,
        f"[{term.lesson}]({passage.file}), {title}, {cell}",
        f"`{term.code}`" if term.code else "",
    ]
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def write(folder: Path) -> Path:
    """Write the page beside the lessons, and return its path.

    Raises: as `page`; OSError where it cannot be written.
    """
    write_whole(folder / PAGE, page(folder).encode())
    return folder / PAGE
