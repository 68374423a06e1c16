"""Compare what a function returned with what it should have returned, in words."""

import numbers
from dataclasses import dataclass

import numpy as np
import torch

TOLERANCE = 1e-6
ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that no exercise asks for, such as a generator or a string."""

    kind: str


def plain(value):
    """A copy made of tensors, arrays, numbers, tuples, None, `...` and Foreign, and no more."""
    if isinstance(value, torch.Tensor):
        value = value.detach().as_subclass(torch.Tensor).cpu()
        return value.clone() if value.layout == torch.strided else value.to_dense()
    if isinstance(value, np.ndarray):
        return np.array(value)
    if value is None or value is Ellipsis or isinstance(value, np.generic | numbers.Number):
        return value
    if isinstance(value, tuple | list):
        return tuple(plain(part) for part in value)
    return Foreign(type(value).__name__)


def same(one, other) -> bool:
    """Whether two values, tensors and arrays included, are equal in every element."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor | np.ndarray):
        return one.shape == other.shape and bool(((one == other) | (one != one)).all())
    if isinstance(one, tuple | list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def difference(got, expected, tolerance: float = TOLERANCE) -> str | None:
    """None where `got` is `expected` to the tolerance, else one sentence that says what is off.

    Both are plain data.  A number may come as a Python number, or an array or tensor without axes.
    """
    # Compare each of several values.
    if isinstance(expected, tuple):
        if not isinstance(got, tuple) or len(got) != len(expected):
            count = f"{len(got)} values" if isinstance(got, tuple) else f"a {kind(got)}"
            return f"it returns {count}, where {len(expected)} values are expected."
        for name, mine, right in zip(ORDINALS, got, expected, strict=False):
            if words := difference(mine, right, tolerance):
                return f"in the {name} of the returned values: {words}"
        return None
    # Compare the kind.
    if got is None:
        return "it returns None; is `return` missing?"
    if got is Ellipsis:
        return "it still returns `...`."
    shape, wanted = shape_of(got), shape_of(expected)
    asked = f"shape {wanted}" if wanted else "one number"
    if isinstance(got, Foreign | tuple) or wanted and type(got) is not type(expected):
        article = f"a {kind(expected)} of " if wanted else ""
        return f"it returns a {kind(got)}, where {article}{asked} is expected."
    # Compare the shape and the type of the values, then the values.
    if shape != wanted:
        return f"the result has shape {shape}; {asked} is expected."
    if wanted and got.dtype != expected.dtype:
        held = f"the result holds {got.dtype} values"
        return f"{held}; {expected.dtype} is expected, as in the input."
    return difference_of_values(as_array(got), as_array(expected), tolerance)


def difference_of_values(mine: np.ndarray, right: np.ndarray, tolerance: float) -> str | None:
    """The same for two numbers or two arrays of one shape: NaN, Inf and the largest error."""
    if mine.dtype.kind not in "biuf":
        return f"the result holds {mine.dtype} values, where real numbers are expected."
    mine, right = mine.astype(float), right.astype(float)
    if broken := int((~np.isfinite(mine)).sum()):
        kinds = "NaN" if np.isnan(mine).any() else "infinity"
        look = "look for a division by zero, the root of a negative number, or an overflow."
        return f"{broken} of {mine.size} values are {kinds}: {look}"
    error = np.abs(mine - right) / (1 + np.abs(right))
    if error.size == 0 or error.max() <= tolerance:
        return None
    worst = np.unravel_index(error.argmax(), error.shape)
    place = f" at index {tuple(int(i) for i in worst)}" if worst else ""
    return f"it returns {mine[worst]:.6g}{place}, where {right[worst]:.6g} is expected."


def as_array(value) -> np.ndarray:
    """Numbers, tensors and arrays as a NumPy array."""
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        value = value.double()  # NumPy does not know bfloat16
    return np.asarray(value)


def shape_of(value) -> tuple[int, ...]:
    """The shape as a tuple; () for a number."""
    return tuple(getattr(value, "shape", ()))


def kind(value) -> str:
    """The type of a result in a student's words."""
    name = value.kind if isinstance(value, Foreign) else type(value).__name__
    names = {"ndarray": "NumPy array", "Tensor": "PyTorch tensor", "NoneType": "None"}
    return names.get(name, name)
