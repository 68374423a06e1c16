"""A file whole or not at all, and JSON without nan."""

import math
import os
import tempfile
from pathlib import Path


def write_whole(path: Path, content: bytes) -> None:
    """Write a file completely or not at all: temporary file, fsync, rename.

    Raises: OSError, naming the file, e.g. for a full disk.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        _write_whole(path, content)
    except OSError as error:
        raise OSError(
            f"{path} cannot be written ({error.strerror or error}); make room, or choose another "
            "directory"
        ) from None


def _write_whole(path: Path, content: bytes) -> None:
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as f:
            f.write(content)
            f.flush()
            os.fsync(f.fileno())
        os.chmod(name, 0o644)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def finite(value):
    """A copy of what JSON can hold: None in place of numbers that are not finite."""
    if isinstance(value, dict):
        return {k: finite(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [*map(finite, value)]
    return None if isinstance(value, float) and not math.isfinite(value) else value


CHECKOUT = Path(__file__).resolve().parents[2]
