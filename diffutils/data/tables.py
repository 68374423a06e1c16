"""An instructor's own images as rows of a table: `csv:PATH`."""

import csv
import gzip
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np

from diffutils.data import images as px
from diffutils.data.arrays import from_arrays, within_bounds
from diffutils.data.images import MIN_SIDE, ImageSet
from diffutils.data.own import archives, columns
from diffutils.data.own.columns import LABELS, MISSING, Table, called, is_number, layout

SEPARATORS = (",", ";", "\t")
LONGEST = 2**24  # characters of a row
WIDEST = 32  # characters of a number and its separator
BLOCK = 4096  # rows that are read at a time
ALIKE = 0.9  # ratio of the roughness of two layouts that are not told apart


def csv_rows(path: Path, label: str | None = None) -> ImageSet:
    """One image a row: side * side or 3 * side * side pixels, and a label first or last, if any.

    label: "first", "last", "none" or a name in the header; by default it is found out.
    Raises: FileNotFoundError; ValueError (unequal rows, no numbers, no square image, two ways to
        read it, more numbers than `arrays.MOST` allows).
    """
    name = f"csv:{path}"
    archives.existing(name, path, "a .csv file")
    try:
        table, remarks = _look(name, path)
        ends, inner = _cells(name, path, table, label)
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name} is not CSV text in UTF-8 ({error}); save it as that") from None
    # Set the label apart, and put what are pixels at the ends beside those between.
    reading = columns.reading_of(name, table, ends, label)
    numbers = {c: cells for c, cells in ends.items() if c not in reading}
    before = [_compact(cells)[:, None] for c, cells in numbers.items() if c < 2]
    after = [_compact(cells)[:, None] for c, cells in numbers.items() if c >= 2]
    pixels = np.concatenate([*before, inner, *after], axis=1)
    labels = None if reading.label is None else _labels(name, ends[reading.label])
    side, channels = layout(pixels.shape[1])
    images, order = (pixels.reshape(-1, side, side, 1), "grey")
    if channels == 3:
        images, order, doubts = _colours(pixels, side)
        remarks += doubts
    try:
        px.scale_of(px.extremes(pixels).astype(np.float32))  # the text does not say: bytes
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    # Say what was understood.
    what = ["no header" if not table.header else f"header {','.join(table.header)[:20]}..."]
    if reading.label is not None:
        what.append(f"label: {called(table, reading.label)}")
    if reading.index is not None:
        column = called(table, reading.index)
        remarks.append(f"{column} is neither pixel nor label, and left out")
    notes = f"{len(pixels):,} rows of {side} x {side} pixels, {order}", *what
    return from_arrays(name, images, labels, notes=notes, remarks=remarks)


def _lines(name: str, path: Path, longest: int = LONGEST) -> Iterator[str]:
    """The lines of a file that are not empty. Raises: ValueError for one above `longest`."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8-sig") as file:
        while line := file.readline(longest):
            if len(line) == longest:
                cure = "expected one image a row, each on a line of its own"
                raise ValueError(f"{name} has a row of more than {longest:,} characters; {cure}")
            if line := line.strip("\r\n"):
                yield line


def _split(line: str, separator: str) -> list[str]:
    if '"' not in line:
        return line.split(separator)
    return next(csv.reader([line], delimiter=separator))


def _look(name: str, path: Path) -> tuple[Table, list[str]]:
    """What the first two rows tell of a table, and sentences on what is odd."""
    head = list(islice(_lines(name, path), 2))
    if not head:
        raise ValueError(f"{name} holds no rows of pixels; expected one image a row")
    separator = max(SEPARATORS, key=lambda s: len(_split(head[-1], s)))
    first, row = _split(head[0], separator), _split(head[-1], separator)
    # Tell a header from an image.
    bare = [cell.removeprefix("X") for cell in first]  # R puts an X before numbers
    repeated = columns.repeats(bare) and not columns.repeats(row)
    words = sum(not is_number(cell) for cell in first)
    if not (repeated or words > len(first) / 2 or columns.counts(first)):
        first, row = [], first
    elif len(head) == 1:
        raise ValueError(f"{name} holds a header, but no rows of pixels; expected one image a row")
    if len(first) == len(row) - 1:  # R gives the column of row names no name
        first = ["", *first]
    if first and len(first) != len(row):
        sizes = f"its first row has {len(first)} cells, but the next {len(row)}"
        raise ValueError(f"{name}: {sizes}; delete what is above the header or the images")
    remarks = [
        f"the first row ({', '.join(first[:4])}, ...) was an image, of which the program that "
        "wrote the file has made a header; it is left out (with pandas, read the original with "
        "header=None)"
    ] * repeated
    first = [cell.strip() for cell in first]
    # Refuse what cannot be images before the rest is read.
    width = len(row)
    numbers = sum(map(is_number, row))
    if width < MIN_SIDE**2 or numbers < width / 2:
        raise ValueError(
            f"{name} holds rows such as {separator.join(row)[:40]!r}; expected one image a row: "
            "numbers from 0 to 255, written with a point, separated by commas (or ; or tabs)"
        )
    if not any(layout(width - others) for others in (0, 1, 2)):
        raise ValueError(f"{name}: {width} pixels a row are no square image of 1 or 3 channels")
    return Table(separator, first, width), remarks


def _cells(name: str, path: Path, table: Table, label) -> tuple[dict[int, list[str]], np.ndarray]:
    """The columns that may be labels, as text, and the rows of pixels between, uint8 or float32."""
    separator, header, width = table
    longest = WIDEST * (width + WIDEST)
    rows = sum(1 for _ in _lines(name, path, longest)) - bool(header)
    within_bounds(name, rows * width)
    ends = {column: [] for column in (0, 1, width - 1)}
    ends |= {i: [] for i, cell in enumerate(header) if cell == label or cell.lower() in LABELS}
    between = [i for i in range(width) if i not in ends]
    blocks, lines = [], islice(_lines(name, path, longest), bool(header), None)
    while block := list(islice(lines, BLOCK)):
        for line in block:
            cells = _split(line, separator)
            if len(cells) != width:
                raise _no_rows(name, f"row {len(ends[0]) + 1} has {len(cells)} cells, not {width}")
            for column, found in ends.items():
                found.append(cells[column].strip())
        how = dict(comments=None, delimiter=separator, quotechar='"', ndmin=2)
        try:
            numbers = np.loadtxt(block, np.float32, usecols=between, **how)
        except ValueError:
            above = len(ends[0]) - len(block)
            raise _no_rows(name, _first_word(block, separator, between, above)) from None
        blocks.append(_compact(numbers))
        within_bounds(name, rows * width * blocks[-1].itemsize)
    return ends, np.concatenate(blocks)


def _first_word(lines: list[str], separator: str, where: list[int], above: int) -> str:
    """A sentence on the first cell that is no number."""
    for row, line in enumerate(lines, above + 1):
        cells = _split(line, separator)
        if column := next((c for c in where if not is_number(cells[c])), None):
            return f"row {row} holds {cells[column][:20]!r} in column {column + 1}"
    return "some cell is no number"


def _no_rows(name: str, why) -> ValueError:
    cure = "every row needs one number a pixel, and a label first or last or none"
    return ValueError(f"{name} cannot be read as rows of numbers: {why}; {cure}")


def _compact(cells) -> np.ndarray:
    """Numbers, or the text of some -> uint8 where they are whole and fit, else float32."""
    with np.errstate(invalid="ignore", over="ignore"):  # nan becomes some number, and so differs
        numbers = np.asarray(cells, np.float32)
        whole = numbers.astype(np.uint8)
    return whole if np.array_equal(whole, numbers) else numbers


def _labels(name: str, cells: list[str]) -> np.ndarray:
    """One label for each row: numbers if all are, else words."""
    if missing := [row for row, cell in enumerate(cells, 1) if cell.lower() in MISSING]:
        first = f"the first is row {missing[0]}"
        raise ValueError(f"{name}: {len(missing)} rows have no label, {first}; fill or delete them")
    return np.array(cells, np.float64 if all(map(is_number, cells)) else None)


def _colours(pixels: np.ndarray, side: int) -> tuple[np.ndarray, str, list[str]]:
    """Rows of colours -> (N, side, side, 3), so that neighbours differ least, how, and doubts."""
    layouts = {
        "colours pixel by pixel": pixels.reshape(-1, side, side, 3),
        "colours plane by plane": pixels.reshape(-1, 3, side, side).transpose(0, 2, 3, 1),
    }
    rough = {
        order: np.abs(np.diff(images[:200].astype(np.float32), axis=2)).mean()
        for order, images in layouts.items()
    }
    order = min(rough, key=rough.get)
    alike = min(rough.values()) >= ALIKE * max(rough.values())
    doubts = [f"the colours may lie pixel by pixel or plane by plane; taken: {order}"]
    return layouts[order], order, doubts if alike else []
