"""Warnings that name the user's line: a cell of his notebook, not a line of the package."""

import re
import sys
import warnings

# Whose frames are never the user's: the package, and what wraps its functions.
INSIDE = ("diffutils", "contextlib", "functools", "torch", "jaxtyping", "beartype")
ADDRESS = re.compile(r" (object )?at 0x[0-9a-fA-F]+")


def warn(message: str) -> None:
    """Warn, without addresses of the memory, at the line from which the package was called."""
    level, frame = 2, sys._getframe(1)
    while frame.f_back and frame.f_globals.get("__name__", "").partition(".")[0] in INSIDE:
        level, frame = level + 1, frame.f_back
    warnings.warn(ADDRESS.sub("", message), stacklevel=level)
