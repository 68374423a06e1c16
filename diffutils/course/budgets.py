"""How much a lesson computes: fields with limits, a table of profiles, values from outside.

A lesson's own numbers stand in its room, `lessons/lessonNN/budget.py`.
"""

import ast
import dataclasses
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal, get_args, get_origin, get_type_hints

PROFILES = ("smoke", "student", "full", "published")
Betas = Literal["linear", "scaled_linear", "quadratic", "cosine", "sigmoid"]


def field(default, least=-math.inf, most=math.inf, below=math.inf, choices=()):
    """A field of a budget: least <= value <= most and value < below, or one of the choices.

    For a tuple the limits are those of every item.  Without limits any finite number will do.
    """
    limits = {"least": least, "most": most, "below": below, "choices": choices}
    return dataclasses.field(default=default, metadata=limits)


@dataclass(frozen=True)
class Budget:
    """The numbers of one profile; made with a value outside its field's limits: ValueError."""

    def __post_init__(self):
        for f in fields(self):
            if f.metadata:
                _check_limits(f.name, getattr(self, f.name), **f.metadata)


@dataclass(frozen=True)
class TrainingBudget(Budget):
    """What a training costs; `experiments.training` reads these fields."""

    max_size: int = field(16, least=1)  # pixels a side; larger images are made this small
    images: int = field(20_000, least=10)  # training images, at most
    channels: tuple[int, ...] = field((32, 64, 64), least=1)
    blocks: int = field(1, least=1)  # residual blocks a level
    attention: tuple[bool, ...] = (False, False, True)  # self-attention, by level
    T: int = field(1000, least=1)
    schedule: Betas = "linear"
    beta_min: float = field(1e-4, least=0)  # the range of beta, in every schedule but cosine
    beta_max: float = field(0.02, least=0)
    loss: Literal["mse", "l1"] = "mse"
    optimizer: Literal["adamw", "adam"] = "adamw"
    decay: Literal["cosine", "constant"] = "cosine"  # learning rate after the warm-up
    bf16: bool = False  # the network in bfloat16
    compile: bool = False  # the network compiled: worth it on a GPU
    steps: int = field(400, least=1)
    batch: int = field(64, least=1)  # images a step, at most
    pixels: int = field(64 * 16 * 16, least=1)  # pixels a step, at most: limits the batch
    lr: float = field(2e-3, least=0)
    warmup: int = field(40, least=0)  # steps of linear learning-rate warm-up
    ema: float = field(0.99, least=0, below=1)
    class_dropout: float = field(0.1, least=0, most=1)  # share of labels hidden; 1: no labels
    log_every: int = field(40, least=1)  # steps between progress lines

    def __post_init__(self):
        super().__post_init__()
        low, high = self.beta_min, self.beta_max
        if not 0 < low <= high < 1:
            raise ValueError(
                f"beta_min is {low} and beta_max is {high}, expected 0 < beta_min <= beta_max < 1."
            )
        if self.schedule == "cosine" and (low, high) != (1e-4, 0.02):
            raise ValueError(
                "beta_min and beta_max say nothing to the cosine schedule, which has no range; "
                "leave them out or choose another schedule."
            )


def profiles(kind: type[Budget], table: dict[str, tuple]) -> dict[str, Budget]:
    """The budgets of a lesson by profile.

    table: field -> its values at smoke, full and published, `...` where it is as in student,
    which is `kind` as it stands.
    """
    columns = [{name: row[i] for name, row in table.items() if row[i] is not ...} for i in range(3)]
    smoke, full, published = (kind(**column) for column in columns)
    return {"smoke": smoke, "student": kind(), "full": full, "published": published}


def profile_name(profile: str | None = None) -> str:
    """The profile in force: the argument, else $DIFFUTILS_PROFILE, else "student".

    Raises: ValueError with the list of profiles.
    """
    name = profile if profile is not None else os.environ.get("DIFFUTILS_PROFILE") or "student"
    if name not in PROFILES:
        origin = "profile" if profile is not None else "$DIFFUTILS_PROFILE"
        raise ValueError(f"{origin} is {name!r}; choose one of {', '.join(PROFILES)}.")
    return name


def changed(base: Budget, overrides: dict | None, owner: str) -> Budget:
    """A budget with fields replaced by name; owner: whose it is, for the message.

    Values may be text as papermill hands it over ("true", "1e-4", "64,128").
    Raises: ValueError for an unknown field, or a value of the wrong type or outside its limits.
    """
    if not isinstance(overrides or {}, dict):
        raise ValueError(
            f"overrides is {overrides!r}, expected a dictionary such as {{'steps': 100}}; "
            'on the command line write papermill -y "overrides: {steps: 100}".'
        )
    kinds, changes = get_type_hints(type(base)), {}
    for name, value in (overrides or {}).items():
        if name not in kinds:
            known = ", ".join(f.name for f in fields(base))
            raise ValueError(
                f"overrides has {name!r}, which {owner} does not know; choose from {known}."
            )
        try:
            changes[name] = _converted(value, kinds[name])
        except (TypeError, ValueError, OverflowError):
            raise ValueError(f"{name} is {value!r}, expected {_spelled(kinds[name])}.") from None
    return replace(base, **changes)


def items(value) -> tuple:
    """The items of a tuple; any other value as the only one."""
    return value if isinstance(value, tuple) else (value,)


def _check_limits(name: str, value, least, most, below, choices) -> None:
    said = f"{name} has" if isinstance(value, tuple) else f"{name} is"
    for item in items(value):
        if choices and item not in choices:
            raise ValueError(f"{said} {item!r}, choose from {'; '.join(map(str, choices))}.")
        if choices or (least <= item <= most and item < below):
            continue
        expected = f"at least {least}"
        if min(most, below) < math.inf:
            expected = f"a number from {least} to " + (
                f"{most}" if most < below else f"below {below}"
            )
        raise ValueError(f"{said} {item}, expected {expected}.")


def _converted(value, kind):
    """`value`, which may be text, in the type of a field; ValueError or TypeError if it is none."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal and value in args or kind is str and isinstance(value, str):
        return value
    if origin is tuple:
        given = _listed(value.strip()) if isinstance(value, str) else value
        if values := tuple(_converted(item, args[0]) for item in given if item != ""):
            return values
    if kind is bool and (word := str(value).strip().lower()) in ("true", "false"):
        return word == "true"
    if kind in (int, float) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and kind(number) == number:
            return kind(number)
    raise ValueError


def _listed(text: str) -> Sequence:
    """The items of a list in text: "5,9", "[5, 9]", or quoted, as they must be with a comma."""
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError):
        found = None
    if isinstance(found, list | tuple):
        return found
    return [item.strip() for item in text.strip("()[]").split(",")]


def _spelled(kind) -> str:
    """What a field of this type takes, in words."""
    args = get_args(kind)
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(map(str, args))
    if get_origin(kind) is tuple:
        return f"a list, each item {_spelled(args[0])}"
    return {int: "a whole number", float: "a number", bool: "true or false", str: "text"}[kind]
