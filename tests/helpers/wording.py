"""What a reader meets in a lesson, piece by piece, and the words and symbols of the table in it."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import nbformat
from cells import placed

from diffutils.course.workbook.notation import CODE, Passage, Term, blank, passages

CARD = re.compile(r"^\| \*\*(?:You will be able to|Before)\*\* \|.*$", re.MULTILINE)
NAMES = re.compile(r"`[^`\n]*`|(?<=\]\()[^)\s]*|https?://\S+")  # code, and where links lead to
CITED = re.compile(r"(?:\*\*References|### References|<summary>References).*", re.DOTALL)
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
MATH = re.compile(r"\$\$.+?\$\$|\$[^$]+\$", re.DOTALL)
TOKEN = re.compile(r"\\(?:text|mathrm|operatorname)\s*\{([^{}]*)\}|\\[a-zA-Z]+|\\.|[^\s{}$]")
LAYOUT = {f"\\{name}" for name in ", ; ! quad qquad left right big Big overline".split()}
ACCENTS = {"\\bar", "\\hat", "\\tilde", "\\mathcal", "\\mathsf", "_", "^"}
RUNNING = {"t", "s", "T", *"0123456789"}  # indices that make no other symbol
GREEK = "alpha beta gamma delta epsilon varepsilon zeta eta theta kappa lambda mu nu xi rho sigma "
GREEK += "varsigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Sigma Phi Psi Omega"
GREEK = {f"\\{name}" for name in GREEK.split()}
RULE = re.compile(r"\s*-{5,}\s*|\|( ?-+ ?\|)+")  # below the header of a table
CROP = 60  # characters on each side of what is quoted


@dataclass(frozen=True)
class Piece:
    """A text as a reader meets it: a Markdown cell, or the header of a printed table.

    text: without code, links, card and references, in whose place are spaces.
    """

    passage: Passage
    place: str
    text: str
    header: bool = False

    @property
    def lesson(self) -> str:
        return self.passage.file[:2]

    @property
    def order(self) -> tuple[str, int]:
        return self.lesson, self.passage.index

    def folded(self, at: int) -> bool:
        return in_fold(self.text, at)

    def around(self, at: int) -> str:
        """Some words around a place, to find it by."""
        cut = self.text[max(0, at - CROP) : at + CROP]
        return " ".join(cut.split())


@dataclass(frozen=True)
class Use:
    """A term, or a Greek letter that is none (term: None), in a piece."""

    term: Term | None
    written: str
    piece: Piece
    at: int


def in_fold(text: str, at: int) -> bool:
    return any(fold.start() <= at < fold.end() for fold in FOLD.finditer(text))


def pieces(lesson: Path) -> Iterator[Piece]:
    """Everything that a lesson says in Markdown and in the headers of printed tables, in order."""
    texts, last = {passage.index: passage for passage in passages(lesson)}, ()
    for index, (place, cell) in enumerate(placed(nbformat.read(lesson, as_version=4))):
        if passage := texts.get(index):
            last = passage.titles(len(passage.text))
            text = passage.text
            for pattern in (CODE, CARD, NAMES, CITED):
                text = blank(text, pattern)
            yield Piece(passage, place, text)
        else:
            for header in headers(cell):
                passage = Passage(lesson.name, index, 0, last, header)
                yield Piece(passage, f"{place}, header of a table", header, header=True)


def headers(cell) -> Iterator[str]:
    """Lines above a rule, and lines of words in columns above a row of numbers."""
    for output in cell.outputs:
        text = output.get("text") or output.get("data", {}).get("text/markdown", "")
        lines = text.splitlines()
        for line, below in zip(lines, lines[1:], strict=False):
            columns = len(re.findall(r"\S {2,}\S", line)) >= 2
            numbers = len(re.findall(r"\d", below)) >= 2 and not re.search(r"\d{2}", line)
            if "<" not in line and (RULE.fullmatch(below) or columns and numbers):
                yield line


def tokens(math: str) -> list[tuple[str, int]]:
    """The tokens of TeX with their places; braces, spaces and layout are none, a word is one."""
    found = ((m[1].strip() if m[1] else m[0], m.start()) for m in TOKEN.finditer(math))
    return [(token, at) for token, at in found if token not in LAYOUT]


def spellings(term: Term) -> list[str]:
    return [term.written, *term.also]


def symbol(text: str) -> tuple[str, ...] | None:
    """A spelling of a symbol as tokens; None for a word."""
    return tuple(t for t, _ in tokens(text)) if text.startswith("$") else None


@lru_cache(None)
def word(text: str, header: bool) -> re.Pattern:
    """Finds a word, its plural and its possessive; a name only as it is written, but in headers."""
    spaced = r"\s+".join(map(re.escape, text.split()))
    any_case = text.isascii() and (header or text == text.lower())  # else ς would be found as σ
    return re.compile(rf"(?<!\w){spaced}(?:e?s|['’]s)?(?!\w)", re.IGNORECASE if any_case else 0)


def covers(term: Term, piece: Piece, at: int) -> bool:
    """Whether a place lies where a term with `where` holds."""
    titles = " / ".join(piece.passage.titles(at))
    return any(w[:2] == piece.lesson and w[3:] in titles for w in term.where)


def meant(terms: list[Term], piece: Piece, at: int) -> Term | None:
    """Which of the terms of one spelling is meant at a place: one that holds there alone first."""
    here = [t for t in terms if t.where and covers(t, piece, at)]
    return next(iter(here or [t for t in terms if not t.where]), None)


def uses(piece: Piece, terms: Iterable[Term]) -> Iterator[Use]:
    """Every use of a term in a piece, and every Greek letter of its formulas that is no term's."""
    known = {}  # spelling -> the terms that are written so
    for term in terms:
        for text in spellings(term):
            known.setdefault(symbol(text) or text, []).append(term)
    words = blank(piece.text, MATH)
    for text in (text for text in known if isinstance(text, str)):
        for found in word(text, piece.header).finditer(words):
            if term := meant(known[text], piece, found.start()):
                yield Use(term, text, piece, found.start())
    for math in MATH.finditer(piece.text):
        yield from in_formula(math, known, piece)


def in_formula(math: re.Match, known: dict, piece: Piece) -> Iterator[Use]:
    """The uses in one formula: at each place the longest symbol that stands there."""
    found, i = tokens(math[0]), 0
    names = [token for token, _ in found]
    while i < len(names):
        at, before = math.start() + found[i][1], names[i - 1] if i else ""
        fits = [
            text
            for text in known
            if isinstance(text, tuple) and names[i : i + len(text)] == [*text]
            if before not in ACCENTS and ends(names, i + len(text))
        ]
        longest = max(fits, key=len, default=())
        if longest and (term := meant(known[longest], piece, at)):
            yield Use(term, "".join(longest), piece, at)
        elif names[i] in GREEK and before not in ("_", "^"):
            yield Use(None, names[i], piece, at)
        i += len(longest) or 1


def ends(names: list[str], i: int) -> bool:
    """Whether a symbol can end before token i: an index that follows makes it another one."""
    return names[i : i + 1] != ["_"] or names[i + 1 : i + 2] == [] or names[i + 1] in RUNNING
