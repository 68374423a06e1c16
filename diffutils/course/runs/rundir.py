"""Where runs go, and that two never write into one directory."""

import errno
import fnmatch
import itertools
import os
import socket
import time
from pathlib import Path

from filelock import FileLock, Timeout

from diffutils.weights import files, records, surroundings
from diffutils.weights.files import CHECKOUT, own_folder
from diffutils.weights.warned import warn

FILES = OWNER, LOCK = ".owner", ".lock"  # of a process that writes here, or was killed
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # what some network file systems answer

# With the lock the identity of its file: the system drops them with this process, killed or not.
_held: dict[Path, tuple[FileLock, tuple[int, int] | None]] = {}


def base() -> Path:
    """The folder of all runs: inside the checkout its runs/, elsewhere runs/ where one works.

    Where that cannot be written: `own_folder`.
    """
    here = Path.cwd()
    inside = CHECKOUT is not None and here.is_relative_to(CHECKOUT)
    return own_folder((CHECKOUT if inside else here) / "runs")


def hold(folder: Path) -> None:
    """Make a directory and reserve it for this process, until `release` or the process ends.

    What killed processes left half written in it is removed; a deleted one is made anew.  Of
    several processes of one launch the first one holds it for all.
    Raises: BlockingIOError, naming the process, when another one writes there; OSError when
    nobody can.
    """
    # Take the lock, or say who holds it.
    folder = Path(folder).resolve()
    if _holds(folder) or not surroundings.is_first():
        return
    release(folder)
    lock = FileLock(folder / LOCK, timeout=0.2, thread_local=False, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise BlockingIOError(
            f"{folder} is in use by {_owner(folder)}; wait until it ends, stop it (a notebook: "
            "shut down its kernel), or choose another directory"
        ) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise OSError(
                f"{folder} cannot be written ({error.strerror}); make room, or choose another "
                "directory for the results (run_dir in a notebook, --out on the command line)"
            ) from None
        warn(f"this file system has no locks ({error}); start no second run")
    # Make room, and say who holds it now.
    _held[folder] = lock, _identity(folder / LOCK)
    try:
        files.sweep(folder, apart=LOCK)
        about = {"process": os.getpid(), "host": socket.gethostname()}
        about["since"] = time.strftime("%Y-%m-%d %H:%M:%S")
        files.write_json(folder / OWNER, about)
    except BaseException:
        release(folder)
        raise


def release(folder: Path) -> None:
    """Give a directory free that this process holds."""
    folder = Path(folder).resolve()
    mine, (lock, _) = _holds(folder), _held.pop(folder, (None, None))
    try:
        for name in FILES if mine else ():  # while it is held: who waits sees that the file is gone
            (folder / name).unlink(missing_ok=True)
    finally:
        if lock is not None:
            lock.release()


def _holds(folder: Path) -> bool:
    """Whether the lock file that this process has locked is the one that is there."""
    return folder in _held and _held[folder][1] == _identity(folder / LOCK)


def _identity(file: Path) -> tuple[int, int] | None:
    """Device and number of a file, None where there is none."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_dev, found.st_ino


def _owner(folder: Path) -> str:
    """Who holds a directory, in words."""
    try:
        about = records.read(folder / OWNER, {"process": int, "host": str, "since": str}, "")
    except (OSError, ValueError):
        return "another process"
    return f"process {about['process']} on {about['host']} since {about['since']}"


def check_free(folder: Path) -> None:
    """Raise BlockingIOError if another process holds the directory; make nothing."""
    folder = Path(folder).resolve()
    if (folder / LOCK).exists() and not _holds(folder):
        hold(folder)
        release(folder)


def is_fresh(folder: Path) -> bool:
    """Whether a directory is missing, or holds at most the traces of a process that was killed."""
    names = {p.name for p in folder.iterdir()} - {*FILES} if folder.exists() else set()
    return all(fnmatch.fnmatch(name, f".*{files.PART}") for name in names)


def set_aside(folder: Path, names: list[str]) -> Path:
    """Move files and folders, in this order, into earlier-1/, earlier-2/, ...; return which.

    After a kill the same call fills the same folder: nothing in it is ever overwritten.
    """
    names = [name for name in names if (folder / name).exists()]
    aside = free(folder, names)
    with files.naming(aside):
        aside.mkdir(exist_ok=True)
        for name in names:
            (folder / name).rename(aside / name)
    return aside


def free(folder: Path, names: list[str]) -> Path:
    """The first of folder/earlier-1, earlier-2, ... that holds none of these names."""
    numbered = (folder / f"earlier-{number}" for number in itertools.count(1))
    return next(p for p in numbered if not any((p / name).exists() for name in names))
