"""Where runs go, and that two never write into one directory."""

import errno
import itertools
import json
import os
import socket
import time
import warnings
from pathlib import Path

from filelock import FileLock, Timeout

from diffutils.weights.files import CHECKOUT, write_json

FILES = OWNER, LOCK = ".owner", ".lock"  # of a process that writes here, or was killed
NO_LOCKS = (errno.ENOSYS, errno.ENOTSUP, errno.ENOLCK)  # what some network file systems answer

_held: dict[Path, FileLock] = {}  # the system drops them with this process, killed or not


def base() -> Path:
    """The folder of all runs: inside the checkout its runs/, elsewhere runs/ where one works."""
    here = Path.cwd()
    inside = here.is_relative_to(CHECKOUT) and os.access(CHECKOUT, os.W_OK)
    return (CHECKOUT if inside else here) / "runs"


def hold(folder: Path) -> None:
    """Make a directory and reserve it for this process, until `release` or the process ends.

    Raises: BlockingIOError, naming the process, when another one writes there; OSError when
    nobody can.
    """
    # Take the lock, or say who holds it.
    folder = Path(folder).resolve()
    if folder in _held:
        return
    lock = FileLock(folder / LOCK, timeout=0.2, thread_local=False, fallback_to_soft=False)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        try:
            about = json.loads((folder / OWNER).read_text(encoding="utf-8"))
            owner = f"process {about['process']} on {about['host']} since {about['since']}"
        except (OSError, ValueError, KeyError):
            owner = "another process"
        raise BlockingIOError(
            f"{folder} is in use by {owner}; wait until it ends, stop it (a notebook: shut down "
            "its kernel), or choose another directory"
        ) from None
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise OSError(
                f"{folder} cannot be written ({error.strerror}); choose another directory for "
                "the results (run_dir in a notebook, --out on the command line)"
            ) from None
        warnings.warn(f"this file system has no locks ({error}); start no second run", stacklevel=2)
    # Say who holds it now.
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    about = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    write_json(folder / OWNER, about)
    _held[folder] = lock


def release(folder: Path) -> None:
    """Give a directory free that this process holds."""
    folder = Path(folder).resolve()
    if lock := _held.pop(folder, None):
        for name in FILES:  # while it is held: who waits sees that the file is gone
            (folder / name).unlink(missing_ok=True)
        lock.release()


def check_free(folder: Path) -> None:
    """Raise BlockingIOError if another process holds the directory; make nothing."""
    folder = Path(folder).resolve()
    if (folder / LOCK).exists() and folder not in _held:
        hold(folder)
        release(folder)


def set_aside(folder: Path, names: list[str]) -> Path:
    """Move files and folders, in this order, into earlier-1/, earlier-2/, ...; return which.

    After a kill the same call fills the same folder: nothing in it is ever overwritten.
    """
    names = [name for name in names if (folder / name).exists()]
    numbered = (folder / f"earlier-{number}" for number in itertools.count(1))
    aside = next(p for p in numbered if not any((p / name).exists() for name in names))
    aside.mkdir(exist_ok=True)
    for name in names:
        (folder / name).rename(aside / name)
    return aside
