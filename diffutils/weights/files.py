"""Where the package's files lie, a file whole or not at all, and JSON without nan."""

import fnmatch
import json
import math
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = "diffusion-by-experiment"  # of the distribution, and of the folder at home
PART = ".diffutils.part"  # ends the hidden name of what is not yet whole


def shipped(package: Path) -> Path:
    """Holds notebooks, figures and data/pretrained: beside the package, or in it once installed."""
    inside = package / "shipped"  # setup.py copies them there for a wheel
    return inside if inside.is_dir() else package.parent


SHIPPED = shipped(PACKAGE)
CHECKOUT = SHIPPED if SHIPPED == PACKAGE.parent else None


def own_folder(wanted: Path) -> Path:
    """`wanted`; where it cannot be written, the folder of its name where one works, or at home.

    Says so, e.g. for a checkout that belongs to somebody else.
    """
    folders = (wanted, Path.cwd() / wanted.name, at_home(wanted.name))
    found = next(filter(can_write, folders), wanted)
    if found != wanted:
        print(f"{wanted} cannot be written; {found} is used instead", file=sys.stderr)
    return found


def at_home(name: str) -> Path:
    """The folder NAME among what the course keeps in the user's home."""
    return Path(os.path.expanduser("~"), NAME, name)


def can_write(folder: Path) -> bool:
    """Whether a folder can be written, or made where its nearest parent stands."""
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.exists(place))
    return there.is_dir() and os.access(there, os.W_OK | os.X_OK)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file completely or not at all.  Raises: OSError, naming it, e.g. for a full disk."""
    write_together({path: content})


def write_together(contents: dict[Path, bytes]) -> None:
    """Write files that belong together: each takes its name when all of them are on the disk.

    Raises: OSError, naming the file; those that were there before are then as they were.
    """
    ready = {}
    try:
        for path, content in contents.items():
            with naming(path):
                place = Path(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                name = {"prefix": f".{place.name}.", "suffix": PART}
                handle, ready[path] = tempfile.mkstemp(dir=place.parent, **name)
                with os.fdopen(handle, "wb") as f:
                    f.write(content)
                    f.flush()
                    os.fsync(f.fileno())
                os.chmod(ready[path], 0o644)
        for path, temporary in ready.items():
            with naming(path):
                os.replace(temporary, path)
    finally:  # after a rename there is none
        for temporary in ready.values():
            Path(temporary).unlink(missing_ok=True)


class NotWritten(OSError):
    """A file could not be written; the message names it and says what to do."""


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Turn what the system says of a write into a sentence that names the file, as an OSError."""
    try:
        yield
    except NotWritten:
        raise  # a part of it, named already
    except OSError as error:
        why = error.strerror or error
        raise NotWritten(
            f"{path} cannot be written ({why}); make room, or choose another directory"
        ) from None


def sweep(folder: Path, apart: str = "") -> None:
    """Remove what killed processes left half written in a folder that this process holds.

    apart: subfolders with a file of this name belong to another process and stay as they are.
    """
    for root, folders, names in os.walk(folder):
        for name in fnmatch.filter([*folders, *names], f".*{PART}"):
            half = Path(root, name)
            shutil.rmtree(half) if name in folders else half.unlink(missing_ok=True)
        # Hidden folders are not ours, and may be large: somebody's home may be where results go.
        folders[:] = [name for name in folders if not name.startswith(".")]
        if apart:
            folders[:] = [name for name in folders if not Path(root, name, apart).exists()]


def write_json(path: Path, value) -> None:
    """Write what JSON can hold, completely or not at all; numbers that are not finite are null."""
    write_whole(path, as_json(value))


def as_json(value) -> bytes:
    """What JSON can hold, as the text of a file; numbers that are not finite become null."""
    text = json.dumps(finite(value), indent=1, ensure_ascii=False, allow_nan=False)
    # Names of files may hold what is no Unicode; as \udc80 JSON can hold it, too.
    return f"{text}\n".encode(errors="backslashreplace")


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
