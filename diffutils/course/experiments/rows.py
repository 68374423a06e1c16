"""Rows of an experiment on disk."""

import json
from pathlib import Path

from diffutils.weights import files


def lines_of(path: Path, cure: str) -> list[dict]:
    """Records of a file that has one JSON object a line; none where there is no such file.

    Raises: ValueError for a damaged line, with its number and the cure.
    """
    records = []
    lines = path.read_bytes().splitlines() if path.exists() else []
    for i, line in enumerate(lines, 1):
        try:
            records.append(json.loads(line))
            if not isinstance(records[-1], dict):
                raise ValueError("no record")
        except ValueError as error:
            raise ValueError(f"{path} is damaged in line {i} ({error}); {cure}") from None
    return records


class _Rows:
    """Rows that are there from before, in a file that is always whole; without a folder, none."""

    def __init__(self, folder: Path | None):
        self.path = folder and Path(folder) / "sweep.jsonl"
        cure = "delete it, and its rows are made again"
        self.rows = lines_of(self.path, cure) if self.path else []

    def find(self, wanted: dict) -> dict | None:
        """The row with these entries."""
        return next((row for row in self.rows if _fits(row, wanted)), None)

    def add(self, row: dict) -> None:
        self.rows.append(row)
        if self.path:
            text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in self.rows)
            files.write_whole(self.path, text.encode())


def _fits(row: dict, wanted: dict) -> bool:
    return all(k in row and row[k] == v for k, v in wanted.items())
