"""Plain-text and Markdown tables."""

import html
import re
from collections import Counter
from collections.abc import Sequence

CLAIM_COLUMNS = ("claim", "published", "measured", "verdict", "N", "seeds")
READ = 12  # rows of a table that a person reads
MARKS = "\\`*_[]~|"  # what Markdown could take for more than text
FORMULA = "<span>$</span>"  # a dollar alone in its tag opens no formula
SCROLLS = "white-space: pre; overflow-x: auto"  # JupyterLab breaks lines otherwise


def plain(text: str) -> str:
    """Text in one line, without characters that move a terminal's cursor or turn the reading."""
    return "".join(c for c in " ".join(str(text).split()) if c.isprintable())


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as their longest entry, the first one underlined; "" for none."""
    rows = [["".join(c if c.isprintable() else " " for c in cell) for cell in r] for r in rows]
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


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
