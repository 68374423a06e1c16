"""Results as text between two processes: numbers and arrays, never code or objects."""

import base64
import json
from dataclasses import fields

import numpy as np
import torch

from diffutils.course.exercises.call import Outcome
from diffutils.course.exercises.compare import Foreign

MOST = 10**6  # values of a result; answers have a few hundred
LONGEST = 1000  # characters of a text
NAMES = "float64 float32 float16 bfloat16 complex64 complex128 int64 int32 int16 int8 uint8 bool"
DTYPES = {name: getattr(torch, name) for name in NAMES.split()}


def packed(value):
    """A plain value (of `compare.plain`) as JSON can hold it."""
    if value is Ellipsis:
        return {"is": "..."}
    if isinstance(value, tuple | list):
        return {"is": type(value).__name__, "parts": [packed(part) for part in value[:MOST]]}
    if isinstance(value, torch.Tensor):
        name = str(value.dtype).removeprefix("torch.")
        if name not in DTYPES or value.numel() > MOST:
            return packed(Foreign(f"PyTorch tensor of {value.numel():,} {name} values"))
        held = value.view(torch.int16) if name == "bfloat16" else value
        return {"is": "tensor", "dtype": name, **bytes_of(held.contiguous().numpy())}
    if isinstance(value, np.ndarray | np.generic):
        if value.size > MOST or value.dtype.kind not in "biufc":
            return packed(Foreign(f"NumPy array of {value.size:,} {value.dtype} values"))
        number = isinstance(value, np.generic)
        return {"is": "array", "dtype": value.dtype.str, "number": number, **bytes_of(value)}
    if isinstance(value, complex):
        return {"is": "complex", "parts": [value.real, value.imag]}
    if isinstance(value, int) and value.bit_length() > 1000:
        return packed(Foreign("int of hundreds of digits"))
    if isinstance(value, Foreign):
        return {"is": "foreign", "kind": value.kind[:LONGEST]}
    return value


def bytes_of(array) -> dict:
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"shape": list(array.shape), "data": data}


def unpacked(value):
    """The value that `packed` packed.

    Raises: ValueError, KeyError, TypeError, OverflowError or RecursionError for anything else.
    """
    if value is None or isinstance(value, bool | int | float):
        return value
    kind = value["is"]
    if kind in ("tuple", "list"):
        return {"tuple": tuple, "list": list}[kind](map(unpacked, value["parts"]))
    if kind == "...":
        return Ellipsis
    if kind == "complex":
        real, imaginary = value["parts"]
        return complex(real, imaginary)
    if kind == "foreign":
        return Foreign(text(value["kind"]))
    # Arrays and tensors.
    dtype = value["dtype"]
    if kind == "tensor":
        numbers = torch.empty(0, dtype=DTYPES[dtype])
        stored = torch.int16 if dtype == "bfloat16" else numbers.dtype
        array = array_of(value, torch.empty(0, dtype=stored).numpy().dtype)
        tensor = torch.from_numpy(array)
        return tensor.view(torch.bfloat16) if dtype == "bfloat16" else tensor
    if kind != "array" or np.dtype(dtype).kind not in "biufc":
        raise ValueError("neither a number nor an array")
    array = array_of(value, np.dtype(dtype))
    return array[()] if value["number"] and not array.shape else array


def array_of(value: dict, dtype: np.dtype) -> np.ndarray:
    shape = [int(side) for side in value["shape"]]
    if any(side < 0 for side in shape) or len(shape) > 32:
        raise ValueError("a shape that no array has")
    data = base64.b64decode(value["data"], validate=True)
    return np.frombuffer(data, dtype).reshape(shape).copy()


def text(value) -> str:
    """A text of bounded length.  Raises: TypeError for anything else."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return value[:LONGEST]


def outcome_as_json(outcome: Outcome) -> dict:
    """An outcome as JSON can hold it."""
    held = {f.name: getattr(outcome, f.name) for f in fields(Outcome)}
    return held | {"result": packed(outcome.result)}


def outcome_of(held: dict) -> Outcome:
    """The outcome that came as JSON, each field of the type that it must have.

    Raises: as `unpacked`.
    """
    outcome = Outcome(result=unpacked(held["result"]))
    for field in fields(Outcome):
        if field.name == "result":
            continue
        value, usual = held[field.name], getattr(outcome, field.name)
        if isinstance(usual, bool):
            value = value is True
        elif isinstance(usual, float):
            value = float(value)
        elif isinstance(value, list | tuple):
            value = [text(v) if isinstance(v, str) else int(v) for v in value[:20]]
        elif value is not None:
            value = text(value)
        setattr(outcome, field.name, value)
    return outcome


def line(message: dict) -> bytes:
    """A message in one line."""
    return json.dumps(message).encode() + b"\n"
