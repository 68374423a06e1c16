"""Text and numbers from outside, such as papermill's, as values of a budget's fields."""

import ast
from collections.abc import Sequence
from types import UnionType
from typing import Literal, get_args, get_origin

MAY_BE_ZERO = ("warmup", "trial_steps")  # every other whole number is at least 1
SHARES = {"ema": "below 1", "class_dropout": "1"}  # from 0 up to


def converted(name: str, value, kind):
    """The value of a budget's field `name` in its type `kind`; text is read as papermill gives it.

    Raises: ValueError, naming the field and what it takes, for anything else.
    """
    try:
        result = _convert(value, kind)
        if kind is int and result == 0 and name not in MAY_BE_ZERO:
            raise ValueError
        if name in SHARES and (result > 1 or (result == 1 and SHARES[name] != "1")):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        spelled = f"a number from 0 to {SHARES[name]}" if name in SHARES else _spelled(kind)
        raise ValueError(f"{name} is {value!r}, expected {spelled}.") from None
    return result


def _convert(value, kind):
    """`value` as `kind`, a type that `budgets` uses; numbers are finite and not negative."""
    origin, args = get_origin(kind), get_args(kind)
    text = value.strip() if isinstance(value, str) else None
    if origin is Literal and value in args:
        return value
    if origin is UnionType:
        return None if value is None or text == "None" else _convert(value, args[0])
    if origin is tuple:
        items = _listed(text) if text is not None else value
        values = tuple(_convert(item, args[0]) for item in items if item != "")
        if values:
            return values
    if kind is bool and str(value).strip().lower() in ("true", "false"):
        return str(value).strip().lower() == "true"
    if kind in (int, float) and not isinstance(value, bool):
        number = float(value)
        if 0 <= number < float("inf") and kind(number) == number:
            return kind(number)
    if kind is str and text is not None:
        return value
    raise ValueError


def _listed(text: str) -> Sequence:
    """The items of a list in text: "5,9", "[5, 9]", or quoted, as they must be with a comma."""
    try:
        items = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        items = None
    if isinstance(items, list | tuple):
        return items
    return [item.strip() for item in text.strip("()[]").split(",")]


def _spelled(kind) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return "one of " + ", ".join(map(str, args))
    if origin is UnionType:
        return f"{_spelled(args[0])}, or None"
    if origin is tuple:
        return f"a list, each item {_spelled(args[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]
