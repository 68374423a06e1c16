"""What a lesson's parameters may be, beside the budget; every refusal says what was expected."""

import ast
import sys
from collections.abc import Iterable
from os import PathLike, fspath
from pathlib import Path

NAMES = ("profile", "dataset", "seed", "run_dir", "overrides", "resume")
RESUME = ("auto", "never")


def check_names(names: Iterable[str], known: Iterable[str]) -> None:
    """Raise ValueError, with the list, for a name that is not known."""
    if wrong := [name for name in names if name not in known]:
        raise ValueError(f"There is no parameter {wrong[0]!r}; choose from {', '.join(known)}.")


def injected() -> list[str]:
    """The names that papermill's -p set in this kernel: it puts them into a cell of its own."""
    if "IPython" not in sys.modules or (shell := sys.modules["IPython"].get_ipython()) is None:
        return []
    cells = [cell for cell in shell.user_ns.get("In", []) if cell.startswith("# Parameters\n")]
    lines = [line for cell in cells for line in ast.parse(cell).body]
    return [line.targets[0].id for line in lines if isinstance(line, ast.Assign)]


def dataset(name) -> str:
    """The name of a data set, one of `diffutils.data.NAMES`, else ValueError with the list."""
    from diffutils.data import NAMES, own_path

    kind, _, path = name.partition(":") if isinstance(name, str) else ("", "", "")
    if not ((kind in NAMES and kind == name) or (path and f"{kind}:PATH" in NAMES)):
        raise ValueError(f"dataset is {name!r}; choose one of {', '.join(NAMES)}.")
    if path and not own_path(path).exists():
        raise ValueError(f"dataset is {name!r}, but there is no {Path(path).absolute()}.")
    return name


def seed(value) -> int:
    """A whole number from 0 up to `diffutils.data.MAX_SEED`, also as text, else ValueError."""
    from diffutils.data import MAX_SEED

    try:
        number = int(value)
        whole = isinstance(value, str) or number == value  # not as floats, which round
        if isinstance(value, bool) or not whole or not 0 <= number <= MAX_SEED:
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        raise ValueError(
            f"seed is {value!r}, expected a whole number from 0 up to 2**63 - 1."
        ) from None
    return number


def run_dir(value) -> Path | None:
    """The directory as an absolute path, with ~ expanded; None for None; else ValueError."""
    from diffutils.data import own_path

    if value is None:
        return None
    if not isinstance(value, str | PathLike) or not fspath(value):
        raise ValueError(f"run_dir is {value!r}, expected the path of a directory, or None.")
    return own_path(fspath(value)).resolve()


def resume(value) -> str:
    """One of RESUME, else ValueError with the list."""
    if value not in RESUME:
        raise ValueError(f"resume is {value!r}; choose one of {', '.join(RESUME)}.")
    return value
