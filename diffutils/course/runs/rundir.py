"""Where runs go, and that two never write into one directory."""

import json
import os
import socket
import time
import warnings
from pathlib import Path

from diffutils.weights.files import CHECKOUT

_held: dict[Path, int] = {}  # directory -> open file; its lock ends with this process


def base() -> Path:
    """The folder of all runs: inside the checkout its runs/, elsewhere runs/ where one works."""
    here = Path.cwd()
    inside = here.is_relative_to(CHECKOUT) and os.access(CHECKOUT, os.W_OK)
    return (CHECKOUT if inside else here) / "runs"


def hold(folder: Path) -> None:
    """Make a directory and reserve it for this process, until `release` or the process ends.

    The system drops the lock of a process that is killed, so nothing has to be cleaned up.
    Raises: BlockingIOError, naming the process, when another one writes there; OSError when
    nobody can.
    """
    folder = Path(folder).resolve()
    if folder in _held:
        return
    path = folder / ".lock"
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise OSError(
                f"{folder} cannot be written ({error.strerror}); choose another directory for "
                f"the results (run_dir in a notebook, --out on the command line)"
            ) from None
        try:
            _lock(handle)
        except BlockingIOError:
            os.close(handle)
            raise BlockingIOError(
                f"{folder} is in use by {_owner(path)}; wait until it ends, stop it (a notebook: "
                f"shut down its kernel), or choose another directory"
            ) from None
        try:  # the holder before us may have deleted the file between our two calls
            if os.path.samestat(os.fstat(handle), os.stat(path)):
                break
        except FileNotFoundError:
            pass
        os.close(handle)
    os.truncate(handle, 0)
    since = time.strftime("%Y-%m-%d %H:%M:%S")
    about = {"process": os.getpid(), "host": socket.gethostname(), "since": since}
    os.write(handle, json.dumps(about).encode())
    _held[folder] = handle


def release(folder: Path) -> None:
    """Give a directory free that this process holds."""
    handle = _held.pop(Path(folder).resolve(), None)
    if handle is None:
        return
    if os.name == "nt":  # an open file cannot be deleted there
        os.close(handle)
        handle = None
    (Path(folder) / ".lock").unlink(missing_ok=True)
    if handle is not None:
        os.close(handle)


def check_free(folder: Path) -> None:
    """Raise BlockingIOError if another process holds the directory; make nothing."""
    folder = Path(folder).resolve()
    if (folder / ".lock").exists() and folder not in _held:
        hold(folder)
        release(folder)


def set_aside(folder: Path, names: list[str]) -> Path:
    """Move files and folders, in this order, into earlier-1/, earlier-2/, ...; return which.

    After a kill the same call fills the same folder: nothing in it is ever overwritten.
    """
    names = [name for name in names if (folder / name).exists()]
    number = 1
    while any((folder / f"earlier-{number}" / name).exists() for name in names):
        number += 1
    aside = folder / f"earlier-{number}"
    aside.mkdir(exist_ok=True)
    for name in names:
        (folder / name).rename(aside / name)
    return aside


def _lock(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        try:
            os.lseek(handle, 2**30, os.SEEK_SET)  # a byte that nobody reads: locks bar readers
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError:
            raise BlockingIOError from None
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:  # some network file systems
        warnings.warn(f"this file system has no locks ({error}); start no second run", stacklevel=3)


def _owner(path: Path) -> str:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        return f"process {about['process']} on {about['host']} since {about['since']}"
    except (OSError, ValueError, KeyError):
        return "another process"
