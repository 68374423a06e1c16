"""What a submission's process may do: limits of memory, and no writing outside its own folder.

All of it exists on Linux; elsewhere only the folder and the time are bounded.
"""

import contextlib
import ctypes
import os
import sys
import tempfile
from pathlib import Path

import psutil

MARK = "DIFFUTILS_GRADING"  # in the environment of all processes that a keeper starts
OF_A_PERSON = ("DIFFUTILS_", "JUPYTER", "IPYTHON")  # begin settings that a submission is not given
A_THREAD = 1 << 28  # bytes that libraries reserve, and hardly use, for each thread they start
FILE = 1 << 28  # bytes of a file that it writes
PROCESSES = 64  # that it may start, itself and its threads included
RULESET, RULE, RESTRICT = 444, 445, 446  # Landlock's calls, by number on every architecture
WRITES, CUTS, TALKS, SIGNALS = 0x1FF2, 1 << 14, 3, 2  # rights of Landlock: files, network, signals
SUBREAPER, NO_NEW_PRIVILEGES = 36, 38  # of prctl


def enter(folder: Path, memory: int) -> None:
    """Make a folder this process's home and working directory, and limit what it may do."""
    os.chdir(folder)
    for name in [name for name in os.environ if name.startswith(OF_A_PERSON) and name != MARK]:
        del os.environ[name]
    places = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "XDG_CACHE_HOME", "MPLCONFIGDIR")
    os.environ.update(dict.fromkeys(places, str(folder)))
    tempfile.tempdir = str(folder)
    if sys.platform == "linux":
        limit(memory)
        with contextlib.suppress(OSError):  # an older kernel
            confine(folder)


def limit(memory: int) -> None:
    """Bound the memory that this process takes from now on, its files and its children."""
    import resource

    most = psutil.Process().memory_info().vms + memory + A_THREAD * (os.cpu_count() or 1)
    limits = {
        resource.RLIMIT_AS: most,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: FILE,
        resource.RLIMIT_NPROC: tasks_of_mine() + PROCESSES,
    }
    for kind, wanted in limits.items():
        _, highest = resource.getrlimit(kind)
        wanted = wanted if highest == resource.RLIM_INFINITY else min(wanted, highest)
        resource.setrlimit(kind, (wanted, wanted))


def tasks_of_mine() -> int:
    """Threads that this user runs now: what the limit on processes counts."""
    mine = 0
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.uids().real == os.getuid():
                mine += process.num_threads()
    return mine


def confine(folder: Path) -> None:
    """Let this process write, and connect, nowhere but below a folder, and signal only its own.

    By Landlock, which needs no rights; each newer kernel knows more of it.
    Raises: OSError where the kernel does not know it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    version = called(libc, RULESET, None, 0, 1)
    rights = WRITES | (1 << 13 if version >= 2 else 0) | (CUTS if version >= 3 else 0)
    attributes = (ctypes.c_uint64 * 3)(
        rights, TALKS if version >= 4 else 0, SIGNALS if version >= 6 else 0
    )
    size = 8 if version < 4 else 16 if version < 6 else 24
    ruleset = called(libc, RULESET, ctypes.byref(attributes), size, 0)
    for place, allowed in ((folder, rights), (os.devnull, rights & (2 | CUTS))):
        handle = os.open(place, os.O_PATH)
        rule = (ctypes.c_uint32 * 3)(allowed & 0xFFFFFFFF, allowed >> 32, handle)
        called(libc, RULE, ruleset, 1, ctypes.byref(rule), 0)
        os.close(handle)
    prctl(NO_NEW_PRIVILEGES)
    called(libc, RESTRICT, ruleset, 0)
    os.close(ruleset)


def called(libc, number: int, *arguments) -> int:
    """What a system call returns.  Raises: OSError."""
    result = libc.syscall(number, *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), "Landlock is not there")
    return result


def prctl(option: int) -> None:
    """Switch an option of this process on, Linux only."""
    ctypes.CDLL(None).prctl(option, 1, 0, 0, 0)
