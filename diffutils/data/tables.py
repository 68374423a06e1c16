"""An instructor's own images as rows of a table: `csv:PATH`."""

import csv
import gzip
import zlib
from math import isqrt
from pathlib import Path

import numpy as np

from diffutils.data import archives
from diffutils.data.arrays import from_arrays
from diffutils.data.images import MIN_SIDE, ImageSet

LABELS = ("label", "labels", "class", "target", "y")  # columns of labels, in lower case
CSV = dict(comments=None, delimiter=",", quotechar='"', ndmin=2, encoding="utf-8-sig")


def csv_rows(path: Path, label: str | None = None) -> ImageSet:
    """One image a row: side * side or 3 * side * side pixels, and a label first or last, if any.

    `label`: "first", "last", "none" or a name in the header; by default it is found out. A first
    row of numbers is an image, not a header, unless it counts 0, 1, 2, ...
    Raises: FileNotFoundError; ValueError (unequal rows, no numbers, no square image).
    """
    # Look at the first two rows.
    name = f"csv:{path}"
    archives.existing(name, path, "a .csv file")
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            first, second = next(rows, []), next(rows, [])
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name} is not CSV text in UTF-8 ({error}); save it as that") from None
    header, row = (first, second) if _is_header(first) else ([], first)
    if not row:
        raise ValueError(f"{name} holds no rows of pixels; expected one image a row")
    width = len(row)
    words = [i for i in sorted({0, width - 1}) if not _is_number(row[i])]
    if not words and width < MIN_SIDE**2 or len(words) == width:
        raise ValueError(
            f"{name} holds rows such as {','.join(row)[:40]!r}; expected one image a row: "
            "numbers from 0 to 255, separated by commas"
        )
    # Read all rows, and set the label apart.
    pixels = [i for i in range(width) if i not in words]
    try:
        how = CSV | dict(skiprows=1 if header else 0)
        numbers = np.loadtxt(path, np.float32, usecols=pixels, **how)
        labels = np.loadtxt(path, str, usecols=words[:1], **how)[:, 0] if words else None
    except (ValueError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} cannot be read as rows of numbers: {error}; every row needs one number a "
            "pixel, and a label first or last or none"
        ) from None
    column = None if words else _label_column(name, numbers, header, label)
    if column is not None:
        labels, numbers = numbers[:, column], np.delete(numbers, column, axis=1)
    # Put the pixels in place: colours lie pixel by pixel or plane by plane.
    width = numbers.shape[1]
    if _layout(width) is None:
        raise ValueError(f"{name}: {width} pixels a row are no square image of 1 or 3 channels")
    side, channels = _layout(width)
    layouts = (
        numbers.reshape(-1, side, side, channels),
        numbers.reshape(-1, channels, side, side).transpose(0, 2, 3, 1),
    )
    # In the right layout neighbours differ least.
    images = min(layouts, key=lambda x: np.abs(np.diff(x[:200], axis=2)).mean())
    return from_arrays(name, images, labels)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_header(row: list[str]) -> bool:
    """Whether most cells are words, or the cells count up from 0 or 1 (as column numbers do)."""
    if sum(not _is_number(cell) for cell in row) > len(row) / 2:
        return True
    counting = [str(i) for i in range(len(row) + 1)]
    return len(row) > 4 and row[1:] in (counting[:-2], counting[1:-1], counting[2:])


def _layout(width: int) -> tuple[int, int] | None:
    """(side, channels) of a square image of `width` numbers, or None."""
    for channels in (1, 3):
        side = isqrt(width // channels)
        if side and side * side * channels == width:
            return side, channels
    return None


def _label_column(name, table, header, label) -> int | None:
    """Index of the label column, or None where every column is a pixel."""
    last = table.shape[1] - 1
    # As it is asked for.
    if label is not None:
        known = {"none": None, "first": 0, "last": last}
        if label not in known and label not in header:
            raise ValueError(f"{name}: label={label!r} is neither first, last, none nor a column")
        return known[label] if label in known else header.index(label)
    # As the header says.
    named = [i for i, cell in enumerate(header) if cell.strip().lower() in LABELS]
    if named:
        return named[0]
    if _layout(table.shape[1]) or not _layout(last):
        return None
    # Labels count up from 0 or 1 without a gap; a corner pixel is constant or takes many values.
    ends = {column: np.unique(table[:, column]) for column in (0, last)}
    likely = [
        column
        for column, values in ends.items()
        if 1 < len(values) < 1000 and values[0] in (0, 1) and np.all(np.diff(values) == 1)
    ]
    if len(likely) != 1:
        raise ValueError(
            f"{name}: the label may be the first or the last of {last + 1} columns; "
            "give label='first' or label='last'"
        )
    return likely[0]
