"""Compare what a function returned with what it should have returned, in words."""

import math
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
    """A copy made of tensors, arrays, numbers, tuples, lists, None, `...` and Foreign, no more.

    Of no subclass: nothing that a student's class does happens later.
    """
    if value is None or value is Ellipsis or isinstance(value, bool):
        return value
    for number in (int, float, complex):
        if isinstance(value, number):
            return number.__pos__(value)
    if isinstance(value, tuple | list):
        return (list if isinstance(value, list) else tuple)(plain(part) for part in value)
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
    return bool(one == other) or bool(one != one and other != other)


@dataclass(frozen=True)
class Difference:
    """What a function returned and what it should have, in words.

    size: the largest |result - expected| / (1 + |expected|); infinite for NaN, a wrong shape or a
    wrong kind of result.  name: of a slip that shows in any exercise, such as a missing return.
    """

    yours: str
    expected: str
    size: float = math.inf
    name: str | None = None


def difference(got, expected, tolerance: float = TOLERANCE) -> Difference | None:
    """None where `got` is `expected` to the tolerance, else what is off.

    Both are plain data.  A number may come as a Python number, or an array or tensor without axes;
    several values as a tuple, a list or, where they have one shape, an array or a tensor of them.
    """
    if got is None:
        return Difference("None; is `return` missing?", described(expected), name="no return")
    if got is Ellipsis:
        return Difference("still `...`", described(expected))
    if isinstance(expected, tuple):
        return difference_of_several(got, expected, tolerance)
    # Compare the kind, the shape and the type of the values, then the values.
    shape, wanted = shape_of(got), shape_of(expected)
    if isinstance(got, Foreign | tuple | list) or wanted and type(got) is not type(expected):
        return Difference(f"a {described(got)}", described(expected), name="another type")
    if shape != wanted:
        return Difference(f"shape {shape}", described(expected), name="another shape")
    if wanted and got.dtype != expected.dtype:
        asked = f"{expected.dtype}, as in the input"
        return Difference(f"{got.dtype} values", asked, name="another dtype")
    return difference_of_values(as_array(got), as_array(expected), tolerance)


def difference_of_several(got, expected: tuple, tolerance: float) -> Difference | None:
    """The same where several values are expected: the first that is off."""
    if not isinstance(got, tuple | list):
        stacked = {(len(expected), *shape_of(part)) for part in expected}
        if stacked != {shape_of(got)}:
            return Difference(f"a {described(got)}", described(expected), name="another type")
        got = tuple(got)
    if len(got) != len(expected):
        return Difference(f"a {described(got)}", described(expected), name="another type")
    for place, mine, right in zip(ORDINALS, got, expected, strict=False):
        if found := difference(mine, right, tolerance):
            yours, wanted = f"{place} value: {found.yours}", f"{place} value: {found.expected}"
            return Difference(yours, wanted, found.size, found.name)
    return None


def difference_of_values(
    mine: np.ndarray, right: np.ndarray, tolerance: float
) -> Difference | None:
    """The same for two numbers or two arrays of one shape: NaN, Inf and the largest error.

    NaN is right where NaN is expected, and only there.
    """
    if mine.dtype.kind not in "biuf":
        return Difference(f"{mine.dtype} values", "real numbers", name="another dtype")
    mine, right = mine.astype(float), right.astype(float)
    nothing = np.isnan(right)
    if (missed := nothing & ~np.isnan(mine)).any():
        where = np.unravel_index(missed.argmax(), missed.shape)
        place = f" at index {tuple(int(i) for i in where)}" if where else ""
        return Difference(f"{mine[where]:.4g}{place}", "nan")
    mine, right = np.where(nothing, 0.0, mine), np.where(nothing, 0.0, right)
    with np.errstate(all="ignore"):  # infinity minus infinity: said below, not warned of
        error = np.abs(mine - right) / (1 + np.abs(right))
    if broken := int((~np.isfinite(mine)).sum()):
        kinds = "NaN" if np.isnan(mine).any() else "infinity"
        cause = "a division by zero, the root of a negative number, or an overflow"
        wanted = f"numbers, such as {right.flat[np.argmin(np.isfinite(mine))]:.4g}"
        return Difference(f"{kinds} in {broken} of {mine.size} values: {cause}", wanted)
    if error.size == 0 or error.max() <= tolerance:
        return None
    worst = np.unravel_index(error.argmax(), error.shape)
    place = f" at index {tuple(int(i) for i in worst)}" if worst else ""
    yours, wanted = apart(float(mine[worst]), float(right[worst]))
    return Difference(f"{yours}{place}", wanted, float(error.max()))


def apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with four digits, or as many more as show that they differ."""
    for digits in range(4, 17):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def described(value) -> str:
    """A result in a student's words, by its kind and shape."""
    if isinstance(value, tuple | list):
        return f"{kind(value)} of {len(value)} values"
    if isinstance(value, Foreign):
        return value.kind
    if shape := shape_of(value):
        return f"{kind(value)} of shape {shape}"
    number = hasattr(value, "shape") or isinstance(value, int | float)
    return "single number" if number else kind(value)


def as_array(value) -> np.ndarray:
    """Numbers, tensors and arrays as a NumPy array; of anything else one of objects."""
    if isinstance(value, tuple | list | Foreign):
        return np.array(None)
    if isinstance(value, torch.Tensor) and value.is_floating_point():
        value = value.double()  # NumPy does not know bfloat16
    return np.asarray(value)


def shape_of(value) -> tuple[int, ...]:
    """The shape as a tuple; () for a number."""
    return tuple(getattr(value, "shape", ()))


def kind(value) -> str:
    """The type of a result in a student's words."""
    name = name_of(type(value))
    names = {"ndarray": "NumPy array", "Tensor": "PyTorch tensor"}
    return names.get(name, name)
