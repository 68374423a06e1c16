"""Which columns of a table of pixels are the label and the number of the row."""

import re
from collections import Counter
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

from diffutils.data.images import MIN_SIDE

LABELS = ("label", "labels", "class", "target", "y")  # columns of labels, in lower case
INDEX = ("", "index", "id", "unnamed: 0")  # columns that number the rows
MISSING = ("", "nan", "na")  # cells without a label, in lower case


class Table(NamedTuple):
    """How a file is written: what lies between its cells, its header if any, cells in a row."""

    separator: str
    header: list[str]
    width: int


class Reading(NamedTuple):
    """Which column is the label, and which a number of the row, None for none of them."""

    label: int | None
    index: int | None


def reading_of(name: str, table: Table, ends: dict[int, list[str]], label) -> Reading:
    """The one way to read the columns; ValueError where there is none, or where there are two."""
    header, last = table.header, table.width - 1
    if label not in (None, "none", "first", "last", *header):
        raise ValueError(f"{name}: label={label!r} is neither first, last, none nor a column")
    # See what each column at an end may be.
    named = {c for c in ends if header and header[c].lower() in LABELS}
    pixels = {c for c, cells in ends.items() if c not in named and all(map(is_number, cells))}
    indices = {c for c in (0, last) if c not in named and _is_index(header, c, ends[c])}
    if label is not None:  # what else is no number is not asked for
        indices |= {0, last} - pixels
    if header:
        pixels -= {c for c in indices if header[c].lower() in INDEX}
    labels = named or {c for c in (0, 1, last) if _is_label(ends[c])}
    # Try every choice of a label and an index; what remains must be a square of numbers.
    fitting = []
    for index in (None, *sorted(indices)):
        if label is None:
            second = {1} if index != 0 else set()  # a label there follows a number of the row
            chosen = named or {None, *labels - second}
        elif label in header:
            chosen = {header.index(label)}
        else:
            chosen = {{"none": None, "first": 1 if index == 0 else 0, "last": last}[label]}
        for column in chosen:
            used = {column, index} - {None}
            others = {*ends} - used
            if column != index or column is None:
                if others <= pixels and layout(table.width - len(used)):
                    fitting.append(Reading(column, index))
    if len(fitting) == 1:
        return fitting[0]
    if not fitting:
        words = [called(table, c) for c in ends if c not in pixels]
        found = f" ({' and '.join(words)} cannot be pixels)" if words else ""
        raise ValueError(
            f"{name}: which of its {table.width} columns are pixels cannot be told{found}: beside "
            "a square of 1 or 3 channels there may be one label (words, or classes counted from 0 "
            "or 1, each repeated) and one column that counts the rows; give label='first', "
            "label='last' or the name of a column, or remove what is neither"
        )
    ways = [
        f"{'no label' if way.label is None else 'label in ' + called(table, way.label)}"
        f"{'' if way.index is None else ', row numbers in ' + called(table, way.index)}"
        for way in fitting
    ]
    raise ValueError(
        f"{name}: the label may be the first or the last of {table.width} columns, or none of them "
        f"({'; '.join(ways)}); give label='first', label='last' or label='none'"
    )


def _is_index(header: list[str], column: int, cells: list[str]) -> bool:
    """Whether a column numbers or names the rows, by its name or by what it holds."""
    if header and header[column].lower() in INDEX or not any(cells):
        return True
    different = len(set(cells)) == len(cells)
    if not all(map(is_number, cells)):
        return different
    return different and (len(cells) > 256 or counts(cells))


def _is_label(cells: list[str]) -> bool:
    """Whether a column holds words, or counts classes from 0 or 1 without a gap, each repeated."""
    different = set(cells)
    if different == {""}:
        return False
    if not all(map(is_number, different)):
        return len(different) < len(cells)
    values = sorted(map(float, different))
    steps = all(b - a == 1 for a, b in pairwise(values))
    return values[0] in (0, 1) and steps and 1 < len(values) <= len(cells) / 2


def called(table: Table, column: int) -> str:
    """A column in words."""
    place = {0: "the first column", table.width - 1: "the last column"}
    named = f" {table.header[column]!r}" if table.header and table.header[column] else ""
    return place.get(column, f"column {column + 1}") + named


def is_number(cell: str) -> bool:
    """Whether a cell holds a number."""
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell  # Python reads 1_0 as 10


def counts(cells: list[str]) -> bool:
    """Whether the numbers among the cells, four or more, count up by one, as column numbers do."""
    numbers = [float(cell) for cell in cells if is_number(cell)]
    return len(numbers) >= 4 and all(b - a == 1 for a, b in pairwise(numbers))


def repeats(cells: list[str]) -> bool:
    """Whether the k-th repetition of a cell ends with .k: so pandas tells equal names apart."""
    seen, repeated = Counter(), False
    for cell in cells:
        stem, _, count = cell.partition(".")
        if not re.fullmatch(r"\d+", stem) or count != (str(seen[stem]) if seen[stem] else ""):
            return False
        seen[stem] += 1
        repeated |= bool(count)
    return repeated


def layout(width: int) -> tuple[int, int] | None:
    """(side, channels) of a square image of `width` numbers, or None."""
    for channels in (1, 3):
        side = isqrt(width // channels)
        if side >= MIN_SIDE and side * side * channels == width:
            return side, channels
    return None
