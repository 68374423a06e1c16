"""Rows of an experiment: one JSON object a line, on disk, and the questions asked of them."""

import json
from collections.abc import Iterable
from pathlib import Path

from diffutils.weights import files


def read(path: Path, cure: str) -> list[dict]:
    """Rows of a file that has one JSON object a line; none where there is no such file.

    Raises: ValueError for a damaged line, with its number and the cure.
    """
    found = []
    lines = path.read_bytes().splitlines() if path.exists() else []
    for i, line in enumerate(lines, 1):
        try:
            found.append(json.loads(line))
            if not isinstance(found[-1], dict):
                raise ValueError("no record")
        except ValueError as error:
            raise ValueError(f"{path} is damaged in line {i} ({error}); {cure}") from None
    return found


def where(rows: Iterable[dict], **entries) -> list[dict]:
    """The rows that have all of these entries."""
    return [row for row in rows if all(k in row and row[k] == v for k, v in entries.items())]


def group(rows: Iterable[dict], *keys: str) -> dict[tuple, list[dict]]:
    """Rows by their values of keys (None where a row lacks one), in the order they came in."""
    groups = {}
    for row in rows:
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return groups


class Rows:
    """Rows that are there from before, in a file that is always whole; without a folder, none."""

    def __init__(self, folder: Path | None):
        self.path = folder and Path(folder) / "sweep.jsonl"
        cure = "delete it, and its rows are made again"
        self.rows = read(self.path, cure) if self.path else []

    def find(self, **entries) -> dict | None:
        """The first row with these entries."""
        return next(iter(where(self.rows, **entries)), None)

    def add(self, row: dict) -> None:
        """Take in a row, and write the file anew."""
        self.rows.append(row)
        if self.path:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
            files.write_whole(self.path, text.encode())
