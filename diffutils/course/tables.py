"""Plain-text and Markdown tables."""

import html
import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

CLAIM_COLUMNS = ("claim", "published", "measured", "verdict", "N", "seeds")
READ = 12  # rows of a table that a person reads
PAGE = 79  # characters in a line of output where JupyterLab's window is 800 pixels wide
MARKS = "\\`*_[]~|"  # what Markdown could take for more than text
FORMULA = "<span>$</span>"  # a dollar alone in its tag opens no formula
SCROLLS = "white-space: pre; overflow-x: auto"  # JupyterLab breaks lines otherwise


def plain(text: str) -> str:
    """Text in one line, without characters that move a terminal's cursor or turn the reading."""
    return "".join(c for c in " ".join(str(text).split()) if c.isprintable())


def aligned(rows: Sequence[Sequence[str]], width: int | None = PAGE) -> str:
    """Rows in columns as wide as their longest entry, the first one underlined; "" for none.

    Where they are wider than `width` characters, words go on in a second line of their cell: those
    of the first and of the last column, which hold names and verdicts, then those between.
    """
    rows = [["".join(c if c.isprintable() else " " for c in cell) for cell in r] for r in rows]
    if not rows:
        return ""
    columns = [*zip(*rows, strict=True)]
    room = [max(map(len, column)) for column in columns]
    if width is not None:
        words = [max(len(w) for c in column for w in f"{c} .".split()) for column in columns]
        _narrow(room, words, width)
    cells = [[_wrapped(c, w) for c, w in zip(row, room, strict=True)] for row in rows]
    widths = [max(len(w) for c in column for w in c) for column in zip(*cells, strict=True)]
    blocks = [[*zip_longest(*row, fillvalue="")] for row in cells]
    lines = [["  ".join(map(str.ljust, line, widths)).rstrip() for line in b] for b in blocks]
    rule = "-" * max(len(line) for block in lines for line in block)
    return "\n".join([*lines[0], rule, *(line for block in lines[1:] for line in block)])


def _narrow(widths: list[int], words: Sequence[int], width: int) -> None:
    """Narrow columns, in place, until they fit; words: the longest word of each."""
    ends, between = {0, len(widths) - 1}, range(1, len(widths) - 1)
    for columns in (ends, between):
        while sum(widths) + 2 * (len(widths) - 1) > width:
            wide = [i for i in columns if widths[i] > words[i]]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1


def _wrapped(cell: str, width: int) -> list[str]:
    """A cell's lines, between words; as it stands where it fits, spaces and all."""
    if len(cell) <= width:
        return [cell]
    return textwrap.wrap(cell, width, break_long_words=False, break_on_hyphens=False)


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], marks: str = MARKS) -> str:
    """A Markdown table whose cells are text: links, tags, formulas, line breaks stay text.

    marks: characters that Markdown would take for more than text; "|" for cells with links.
    """

    def line(cells: Sequence[str]) -> str:
        shown = (plain(c).replace("&", "&amp;").replace("<", "&lt;") for c in cells)
        shown = (re.sub(f"[{re.escape(marks)}]", r"\\\g<0>", c) for c in shown)
        return "| " + " | ".join(shown).replace("$", FORMULA) + " |"

    return "\n".join([line(header), "|" + " --- |" * len(header), *map(line, rows)])


def fold(summary: str, text: str) -> str:
    """A plain text, such as a wide table, folded away: HTML without blank lines, for Markdown.

    Lines wider than the page scroll: broken, the columns of a table would be lost.
    """
    lines = "\n".join(html.escape(line, quote=False) for line in text.splitlines() if line.strip())
    box = f'<pre style="{SCROLLS}">{lines}</pre>'
    return f"<details><summary>{_escaped(summary)}</summary>{box}</details>"


def claim_table(claims: Sequence[dict]) -> str:
    """Claims (of `claims.claim`) as a Markdown table, and a fold that says how each was measured.

    A sentence that several protocols share stands once, at the end, and is named by its number.
    A table of more than `READ` claims is folded as a whole.
    """
    rows = [[cell_of(row, key) for key in CLAIM_COLUMNS] for row in claims]
    table, said = markdown(CLAIM_COLUMNS, rows), []
    protocols = [dict.fromkeys(row["protocol"]) for row in claims]
    uses = Counter(sentence for protocol in protocols for sentence in protocol)
    shared = [sentence for sentence in uses if uses[sentence] > 1]
    notes = {sentence: f"[{number}]" for number, sentence in enumerate(shared, 1)}
    for row, protocol in zip(claims, protocols, strict=True):
        if protocol:
            said.append((row["claim"], "; ".join(notes.get(part, part) for part in protocol)))
    said += [(number, sentence) for sentence, number in notes.items()]
    if len(rows) > READ:
        summary = f"<details><summary>{len(rows)} claims, and what was measured of each</summary>"
        table = "\n\n".join([summary, table, "</details>"])
    if not said:
        return table
    text = [f"<li><b>{_escaped(name)}</b> {_escaped(words)}</li>" for name, words in said]
    heading = "<details><summary>How each was measured</summary><ul>"
    return "\n".join([table, "", heading, *text, "</ul></details>"])


def cell_of(claim: dict, key: str) -> str:
    """What a claim shows in a column: the reason stands behind "not run"."""
    reason = f": {claim['why']}" if key == "measured" and claim["why"] else ""
    return claim[key] + reason


def _escaped(text: str) -> str:
    return html.escape(plain(text), quote=False).replace("$", FORMULA)
