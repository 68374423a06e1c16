"""Plain-text and Markdown tables."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows in columns as wide as their longest entry; the first row is underlined."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(r, widths, strict=True)).rstrip() for r in rows]
    return "\n".join([lines[0], "-" * max(map(len, lines)), *lines[1:]])


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose cells are text: a bar, a tag or a line break in one stays text."""

    def line(cells: Sequence[str]) -> str:
        plain = (" ".join(c.split()).replace("|", "\\|").replace("<", "&lt;") for c in cells)
        return "| " + " | ".join(plain) + " |"

    return "\n".join([line(header), "|" + " --- |" * len(header), *map(line, rows)])
