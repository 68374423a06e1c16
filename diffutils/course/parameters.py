"""What a lesson's parameters may be, beside the budget; every refusal says what was expected."""

import ast
import os
from os import PathLike, fspath
from pathlib import Path

from IPython import get_ipython

from diffutils import data

NAMES = ("profile", "dataset", "seed", "run_dir", "overrides", "resume")
RESUME = ("auto", "never")


def check_injected() -> None:
    """Raise ValueError, with the list, for an unknown name that papermill's -p set in this kernel.

    papermill puts them into a cell of its own.
    """
    shell = get_ipython()
    cells = [] if shell is None else shell.user_ns.get("In", [])
    lines = [line for c in cells if c.startswith("# Parameters\n") for line in ast.parse(c).body]
    for name in (line.targets[0].id for line in lines if isinstance(line, ast.Assign)):
        if name not in NAMES:
            raise ValueError(f"There is no parameter {name!r}; choose from {', '.join(NAMES)}.")


def dataset(name) -> str:
    """The name of a data set that is here, its path in full: it holds in any working directory.

    Raises: ValueError, with the list, for another name than those of `diffutils.data.NAMES`, and
    for a path where nothing is.
    """
    kind, _, path = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not (name in data.NAMES and not path or path and f"{kind}:PATH" in data.NAMES):
        raise ValueError(f"dataset is {name!r}; choose one of {', '.join(data.NAMES)}.")
    if not path:
        return name
    if not data.own_path(path).exists():
        raise ValueError(f"dataset is {name!r}, but there is no {Path(path).absolute()}.")
    return in_full(name)


def in_full(name: str) -> str:
    """The name of a data set, with the path of one's own files in full; links stay links."""
    kind, colon, path = name.partition(":")
    return kind + colon + (os.path.abspath(data.own_path(path)) if path else "")


def seed(value) -> int:
    """A whole number from 0 up to `diffutils.data.MAX_SEED`, also as text, else ValueError."""
    try:
        number = int(value)
        whole = isinstance(value, str) or number == value  # not as floats, which round
        if isinstance(value, bool) or not whole or not 0 <= number <= data.MAX_SEED:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"seed is {value!r}, expected a whole number from 0 up to 2**63 - 1."
        ) from None
    return number


def run_dir(value) -> Path | None:
    """The directory as an absolute path, with ~ expanded; None for None; else ValueError."""
    if value is None:
        return None
    if not isinstance(value, str | PathLike) or not fspath(value):
        raise ValueError(f"run_dir is {value!r}, expected the path of a directory, or None.")
    return data.own_path(fspath(value)).resolve()


def resume(value) -> str:
    """One of RESUME, else ValueError with the list."""
    if value not in RESUME:
        raise ValueError(f"resume is {value!r}; choose one of {', '.join(RESUME)}.")
    return value
