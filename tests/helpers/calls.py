"""How a lesson calls the functions that its students write: types, dtypes, axes."""

import functools
import json
from pathlib import Path

import numpy as np
import torch


def kind(value) -> object:
    """What an answer can tell of an argument before it looks at its numbers."""
    if isinstance(value, torch.Tensor):
        return ["tensor", str(value.dtype), value.ndim, str(value.device)]
    if isinstance(value, np.ndarray):
        return ["array", str(value.dtype), value.ndim]
    if isinstance(value, tuple | list):
        return [type(value).__name__, *map(kind, value)]
    return "a function" if callable(value) else type(value).__name__


def recorded(check, path: Path):
    """`du.check` that also writes, for each exercise, every kind of call that a lesson makes."""
    calls = {}

    def checked(id, function, *rest, **named):
        kept = check(id, function, *rest, **named)

        @functools.wraps(kept)
        def called(*arguments):
            kinds = list(map(kind, arguments))
            if kinds not in calls.setdefault(id, []):
                calls[id].append(kinds)
                path.write_text(json.dumps(calls))
            return kept(*arguments)

        return called

    return checked


def missing(path: Path, exercises: dict) -> list[str]:
    """A line for each kind of call that a lesson makes and no case of the exercise does."""
    lines = []
    for id, calls in json.loads(path.read_text()).items():
        tried = [list(map(kind, case.arguments)) for case in exercises[id].cases(0)]
        lines += [f"{id}: no case is called with {call}" for call in calls if call not in tried]
    return lines
