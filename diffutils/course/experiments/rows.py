"""Rows of an experiment: one JSON object a line, on disk, and the questions asked of them."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import NoneType

from diffutils.weights import files, records, surroundings
from diffutils.weights.warned import warn

# What a row of a sweep, of a trial and of a training's log must have; null is a distance that
# could not be measured, nan in memory.
NUMBER, DISTANCE = (int, float), (int, float, NoneType)
EVERY = "frechet frechet_train frechet_floor kernel kernel_low kernel_high kernel_floor"
EVERY = (*EVERY.split(), "precision", "recall")
DISTANCES = (*EVERY, "frechet_floor_std")  # which older rows lack
SWEEP = {"sampler": str, "steps": int, "seed": int, "N": int, "features": str, "hardware": str}
SWEEP |= dict.fromkeys(("eta", "nfe", "seconds_per_image"), NUMBER)
SWEEP |= dict.fromkeys((*EVERY, "agreement"), DISTANCE)
TRIAL = SWEEP | {"arm": str, "training": int, "trial": dict}
# What stands for the fingerprint of weights or code in a recorded row where nobody noted it then.
UNKNOWN = "made before rows had fingerprints"
LOG = {"step": int, "loss": DISTANCE, "heldout": DISTANCE}


def read(path: Path, cure: str, fields: Mapping = SWEEP) -> list[dict]:
    """Rows of a file that has one JSON object a line; none where there is no such file.

    fields: what each row must have, `SWEEP`, `TRIAL` or `LOG`.
    Raises: ValueError for a damaged line, with its number and the cure.
    """
    found, damaged = _read(path, fields)
    if damaged:
        raise ValueError(f"{path} is damaged in {damaged[0]}; {cure}")
    return found


def write(path: Path, rows: Iterable[dict]) -> None:
    """All rows as a file that `read` reads, whole or not at all; null is what is not finite."""
    lines = (json.dumps(files.finite(row), ensure_ascii=False) for row in rows)
    files.write_whole(Path(path), "".join(f"{line}\n" for line in lines).encode())


def _read(path: Path, fields: Mapping) -> tuple[list[dict], list[str]]:
    """The rows of a file, and what is wrong with its other lines."""
    found, damaged = [], []
    lines = Path(path).read_bytes().splitlines() if Path(path).exists() else []
    for i, line in enumerate(lines, 1):
        try:
            row = records.parse(line, fields)
        except ValueError as error:
            damaged.append(f"line {i} ({error})")
        else:
            lost = {k: math.nan for k in DISTANCES if k in row and row[k] is None}
            found.append(row | lost)
    return found, damaged


def check(rows: Iterable[dict], *keys: str) -> list[dict]:
    """The rows; ValueError, naming the first one, unless all are dicts that have these entries."""
    rows = [*rows]
    for i, row in enumerate(rows, 1):
        if not isinstance(row, Mapping) or (lost := [key for key in keys if key not in row]):
            what = f"has no {', '.join(lost)}" if isinstance(row, Mapping) else f"is {row!r}"
            raise ValueError(f"row {i} {what}; take rows of a sweep, or read them with rows.read")
    return rows


def where(rows: Iterable[dict], **entries) -> list[dict]:
    """The rows that have all of these entries."""
    return [row for row in check(rows) if all(k in row and row[k] == v for k, v in entries.items())]


def group(rows: Iterable[dict], *keys: str) -> dict[tuple, list[dict]]:
    """Rows by their values of keys (None where a row lacks one), in the order they came in."""
    groups = {}
    for row in check(rows):
        groups.setdefault(tuple(row.get(key) for key in keys), []).append(row)
    return groups


class Rows:
    """Rows that are there from before, in a file that is always whole; without a folder, none.

    A damaged line is left out with a warning, and its row is made again.
    """

    def __init__(self, folder: Path | None):
        self.path = folder and Path(folder) / "sweep.jsonl"
        self.rows, damaged = _read(self.path, SWEEP) if self.path else ([], [])
        for line in damaged:
            warn(f"{self.path}, {line}, is left out and made again")

    def find(self, **entries) -> dict | None:
        """The first row with these entries."""
        return next(iter(where(self.rows, **entries)), None)

    def add(self, row: dict) -> None:
        """Take in a row, and write the file anew; of several processes the first one does."""
        self.rows.append(row)
        if self.path and surroundings.is_first():
            write(self.path, self.rows)
