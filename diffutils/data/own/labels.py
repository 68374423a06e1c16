"""labels.csv: which column names the images, which row belongs to which, and what does not fit."""

import csv
import io
import os
import re
import zlib
from collections import defaultdict
from collections.abc import Callable
from pathlib import PurePosixPath
from zipfile import BadZipFile

from diffutils.data.own.columns import MISSING
from diffutils.data.own.formats import SUFFIXES
from diffutils.data.own.names import Names, is_table, printable, some, spelled

FILE = ("file", "filename", "file_name", "filepath", "image", "image_name", "image_path", "path")
LABEL = ("label", "labels", "class", "target")
INDEX = re.compile(r"|index|idx|unnamed: \d+")  # as pandas writes an index
SPLIT = ("split", "subset", "set", "part", "partition", "fold")
SAMPLE = 1000  # rows that decide which column names the images
ROWS, MOST = 2**19, 2**25  # lines and bytes of one table
AWAY = re.compile(r"[/\\]|\.\.[/\\]|[A-Za-z]:[/\\]|\w+://")  # how a path elsewhere begins


def read(
    name: str, names: Names, images: list[str], content: Callable, column: str | None
) -> tuple[dict[str, str], str, list[str]]:
    """Label of every image that has one, how they were found, and what did not fit.

    Every labels.csv counts for the images in its folder and below, or for all if none is there.
    Raises: ValueError (no CSV text, no image is named or labelled, or one twice, no such column).
    """
    labels, rows, notes, hows = {}, {}, [], []
    for table in sorted(filter(is_table, names.files), key=len):
        base = table.rpartition("/")[0]
        below = [f for f in images if f.startswith(f"{base}/" if base else "")] or images
        try:
            text = content(table)
        except (OSError, ValueError, BadZipFile, zlib.error, NotImplementedError) as error:
            raise ValueError(f"{name}/{table} cannot be read ({error}); write it again") from None
        if len(text) > MOST or text.count(b"\n") > ROWS:
            size, cure = f"{ROWS:,} rows or {MOST / 1e6:,.0f} MB", "give each folder one of its own"
            raise ValueError(f"{name}/{table} has more than {size}; {cure}")
        given, how = _table(f"{name}/{table}", table, below, text, column, notes)
        hows.append(f"labels by {table}, {how}")
        # Refuse what disagrees.
        for line, file, label in given:
            row = f"line {line} of {table}"
            rows.setdefault(file, row)
            if labels.setdefault(file, label) != label:
                one, other = f"{labels[file]!r} by {rows[file]}", f"{label!r} by {row}"
                raise ValueError(f"{name}: {file} is {one}, but {other}; keep one of them")
    return labels, "; ".join(hows), notes


def _table(name, table, images, content, column, notes) -> tuple[list[tuple[int, str, str]], str]:
    """(line, image, label) of each row that has all, and which column was read."""
    # Read rows, with the delimiter by which a column names images.
    try:
        text = content.decode("utf-8-sig")
        tables = [_rows(text, delimiter) for delimiter in ",;\t|"]
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{name} is not CSV text in UTF-8; save it so") from None
    find = Finder(table.rpartition("/")[0], images)
    rows = max(tables, key=lambda rows: sum(any(map(find, row)) for _, row in _sample(rows)))
    where = _file_column(name, rows, find)
    if where is None:
        wanted = f"its first column must be file names, such as {images[0]}, each of one image"
        raise ValueError(f"{name} names none of the images; {wanted}{find.twice()}")
    # Choose the column with the labels.
    head = rows[0][1]
    header = [] if find(*head[where : where + 1]) else head
    if column is not None and column not in header:
        raise ValueError(f"{name} has no column {column!r}; it has {header or 'no header'}")
    width = max(len(cells) for _, cells in rows)
    others = [i for i in range(width) if i != where and not (header and _is_index(header, i))]
    usual = [i for i in others if header[i : i + 1] and header[i].lower() in LABEL]
    if not others:
        raise ValueError(f"{name} has no column with labels; add one, named label")
    index = header.index(column) if column is not None else (usual or others)[0]
    read = f"column {header[index]!r}" if index < len(header) else f"column {index + 1}"
    unread = [header[i] for i in others if i != index and i < len(header)]
    if column is None and (len(others) > 1 and not usual or {*map(str.lower, unread)} & {*SPLIT}):
        left = some(unread) or f"{len(others) - 1} more"
        notes.append(f"{table}: labels are its {read}; not read: {left} (label=COLUMN chooses)")
    # Match rows and images.
    given, strangers, empty = [], [], 0
    for line, cells in rows[1:] if header else rows:
        cell, label = (cells[i] if i < len(cells) else "" for i in (where, index))
        file = find(cell)
        if not file:
            strangers.append(cell)
        elif label.lower() in MISSING:
            empty += 1
        else:
            given.append((line, file, label))
    if not given:
        cure = "fill it, or choose label=COLUMN"
        raise ValueError(f"{name} gives no image a label in {read}; {cure}")
    if strangers:
        which = some(strangers) + find.twice()
        notes.append(f"{table}: {len(strangers)} rows name no image: {which}")
    if empty:
        notes.append(f"{table}: {empty} rows have no label, and are left out")
    return given, read


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """(line number, stripped cells) of each row that is not empty."""
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, skipinitialspace=True)
    return [(reader.line_num, [printable(c.strip()) for c in row]) for row in reader if any(row)]


def _sample(rows: list) -> list:
    return rows[:: len(rows) // SAMPLE + 1]


def _is_index(header: list[str], i: int) -> bool:
    return i < len(header) and INDEX.fullmatch(header[i].lower()) is not None


def _file_column(name: str, rows: list, find: Callable) -> int | None:
    """Which column names the images, or None; ValueError for two that name different ones."""
    # Rank the columns: by header, by whole file names, by what an index would not do.
    header = rows[0][1] if rows else []
    sample = [row for _, row in _sample(rows)]
    if not any(find(cell) for row in sample for cell in row):
        sample = [row for _, row in rows]  # few of the images may be here
    ranks, named = defaultdict(list), {}
    for i in range(max(map(len, sample), default=0)):
        cells = [row[i] for row in sample if i < len(row)]
        files = [find(cell) for cell in cells]
        hits = [f for f in files if f]
        if not hits:
            continue
        word = i < len(header) and header[i].lower() in FILE
        whole = any(PurePosixPath(cell).suffix.lower() in SUFFIXES for cell in cells)
        unique = len({*hits}) == len(hits)
        rank = (word, whole, not _is_index(header, i), unique, 2 * len(hits) > len(files))
        ranks[rank].append(i)
        named[i] = files
    # Take the best.
    if not ranks:
        return None
    first, *rest = ranks[max(ranks)]
    other = next((i for i in rest if named[i] != named[first]), None)
    if other is not None and len(header) > 2:
        both = f"its columns {first + 1} and {other + 1} both name images"
        raise ValueError(
            f"{name}: {both}, and can be read as the file, or as an index or label; write file "
            "names with their suffix, or name the columns file and label in the first row"
        )
    return first


class Finder:
    """Which image a cell names: by its path, the tail of its path, or either without suffix.

    Case counts only where it must. A path elsewhere on a disk must end with the whole name.
    """

    def __init__(self, base: str, images: list[str]):
        self.several: set[str] = set()
        common = os.path.commonpath([os.path.dirname(f) for f in images]) if images else ""
        self.known, self.whole = defaultdict(set), defaultdict(set)
        for image in images:
            parts = PurePosixPath(image).parts
            for tail in ("/".join(parts[i:]) for i in range(len(parts))):
                self.known[tail].add(image)
                self.known[tail.rpartition(".")[0]].add(image)
            for start in (common, base):  # a whole name is meant before any tail
                inside = image[len(start) + 1 :] if start else image
                self.whole[inside].add(image)
                self.whole[inside.rpartition(".")[0]].add(image)
        self.folded = defaultdict(set)
        for key, found in self.known.items():
            self.folded[key.casefold()] |= found

    def __call__(self, cell: str = "") -> str | None:
        """The image, None where there is none or where there are several."""
        # Look for the whole name, also at the end of a path elsewhere.
        key = spelled(cell)
        if key not in self.known:  # a name may hold "\\", but mostly it stands for "/"
            key = spelled(cell.replace("\\", "/"))
        parts = key.split("/")
        tails = ("/".join(parts[i:]) for i in range(len(parts) if AWAY.match(cell) else 1))
        found = next((self.whole[tail] for tail in tails if tail in self.whole), ())
        # Look for its tail.
        if not found and not AWAY.match(cell):
            found = self.known.get(key) or self.folded.get(key.casefold(), ())
        if len(found) > 1:
            self.several.add(f"{cell} is the name of {some(sorted(found))}")
        return next(iter(found)) if len(found) == 1 else None

    def twice(self) -> str:
        """What names several images, as the end of a sentence."""
        return f" ({min(self.several)}; write their folders, too)" if self.several else ""
