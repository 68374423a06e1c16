"""Compare what a function returned with what it should have returned, in words."""

from dataclasses import dataclass

import numpy as np
import torch

TOLERANCE = 1e-6
MOST = 10**7  # values of a result: answers have a few hundred
ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True)
class Foreign:
    """Stands for a result that no exercise asks for, such as a generator or a string."""

    kind: str


def plain(value):
    """A copy made of tensors, arrays, numbers, tuples, None, `...` and Foreign, and no more.

    Of no subclass: nothing that a student's class does happens later.
    """
    if value is None or value is Ellipsis or isinstance(value, bool):
        return value
    for number in (int, float, complex):
        if isinstance(value, number):
            return number.__pos__(value)
    if isinstance(value, tuple | list):
        return tuple(plain(part) for part in value)
    if isinstance(value, torch.Tensor):
        return plain_tensor(value.detach())
    if isinstance(value, np.ndarray | np.generic):
        array = np.ndarray.view(np.asarray(value), np.ndarray)
        if array.size > MOST:
            return Foreign(f"NumPy array of {array.size:,} values")
        if array.dtype.kind not in "biufc":
            return Foreign(f"NumPy array of {array.dtype} values")
        return array[()] if isinstance(value, np.generic) else array.copy()
    return Foreign(name_of(type(value)))


def plain_tensor(value: torch.Tensor):
    """A tensor of numbers in memory as a copy of its own; of another kind as Foreign."""
    for kind in ("nested", "quantized", "meta"):
        if getattr(value, f"is_{kind}"):
            return Foreign(f"{kind} tensor")
    if value.numel() > MOST:
        return Foreign(f"PyTorch tensor of {value.numel():,} values")
    if value.is_floating_point() and value.dtype.itemsize == 1:
        return Foreign(f"PyTorch tensor of {value.dtype} values")
    value = value.cpu() if value.layout == torch.strided else value.cpu().to_dense()
    return value.as_subclass(torch.Tensor).resolve_conj().resolve_neg().clone()


def name_of(kind: type) -> str:
    """The name of a type, whatever its metaclass says of it."""
    return type.__dict__["__name__"].__get__(kind)


def printable(text: str) -> str:
    """Text for every screen: control characters and halves of characters replaced by "?"."""
    return "".join(c if c.isprintable() or c in "\n\t" else "?" for c in text)


def same(one, other) -> bool:
    """Whether two plain values are equal in type, shape and every element; NaN is NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, torch.Tensor | np.ndarray):
        alike = one.shape == other.shape and one.dtype == other.dtype
        return alike and bool(((one == other) | ((one != one) & (other != other))).all())
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
    name = value.kind if isinstance(value, Foreign) else name_of(type(value))
    names = {"ndarray": "NumPy array", "Tensor": "PyTorch tensor", "NoneType": "None"}
    return names.get(name, name)
