"""A file whole or not at all, and JSON without nan."""

import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
PART = ".part"  # ends the hidden name of what is not yet whole


def write_whole(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: temporary file, fsync, rename.

    Raises: OSError, naming the file, e.g. for a full disk.
    """
    path, temporary = Path(path), None
    try:
        with naming(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            name = {"prefix": f".{path.name}.", "suffix": PART}
            handle, temporary = tempfile.mkstemp(dir=path.parent, **name)
            with os.fdopen(handle, "wb") as f:
                f.write(content)
                f.flush()
                os.fsync(f.fileno())
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
    finally:  # after the rename there is none
        if temporary is not None:
            Path(temporary).unlink(missing_ok=True)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what the system says of a write into a sentence that names the file, as an OSError."""
    try:
        yield
    except OSError as error:
        why = error.strerror or error
        raise OSError(
            f"{path} cannot be written ({why}); make room, or choose another directory"
        ) from None


def sweep(folder: Path) -> None:
    """Remove what killed processes left half written in a folder that this process holds."""
    for half in list(folder.rglob(f".*{PART}")):
        shutil.rmtree(half) if half.is_dir() else half.unlink(missing_ok=True)


def write_json(path: Path, value) -> None:
    """Write what JSON can hold, completely or not at all; numbers that are not finite are null."""
    text = json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False)
    write_whole(path, f"{text}\n".encode())


def finite(value):
    """A copy of what JSON can hold: None in place of numbers that are not finite."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [*map(finite, value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def sync(folder: Path) -> None:
    """Make the names in a folder last; Windows has no such call and needs none."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
