"""How much a lesson computes: fields with limits, a table of profiles, values from outside.

A lesson's own numbers stand in its room, `lessons/lessonNN/budget.py`.
"""

import ast
import dataclasses
import itertools
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar, Literal, NamedTuple, get_args, get_origin, get_type_hints

PROFILES = ("smoke", "student", "overnight", "full", "published")
Betas = Literal["linear", "scaled_linear", "quadratic", "cosine", "sigmoid"]
MANY = 100_000_000  # of a count that only time limits, such as steps
LONGEST = 100  # items of a tuple


def field(default, least=-math.inf, most=math.inf, below=math.inf, choices=()):
    """A field of a budget: least <= value <= most and value < below, or one of the choices.

    For a tuple the limits are those of every item.  Without limits any finite number will do.
    """
    limits = {"least": least, "most": most, "below": below, "choices": choices}
    return dataclasses.field(default=default, metadata=limits)


class Work(NamedTuple):
    """Images that pass through one network of a lesson: what an estimate of its time is made of."""

    what: str
    net: dict  # of `UNet`
    size: int  # pixels a side
    batch: int  # images a step
    trained: float = 0  # images there and back, of all steps
    called: float = 0  # images there alone
    trainings: int = 0  # how many keep checkpoints


class Needs(NamedTuple):
    """How many images a lesson cannot do without, and what for."""

    train: int
    heldout: int
    why: str


@dataclass(frozen=True)
class Budget:
    """The numbers of one profile, or text that says them; ValueError for what a field refuses."""

    def work(self) -> list[Work]:
        """What takes long of a lesson; of seconds nothing is said."""
        return []

    def __post_init__(self):
        kinds = get_type_hints(type(self))
        for f in fields(self):
            given, kind = getattr(self, f.name), kinds[f.name]
            try:
                value = _converted(given, kind)
            except (TypeError, ValueError, OverflowError):
                shown = repr(given) if len(repr(given)) <= 80 else f"{repr(given)[:77]}..."
                raise ValueError(f"{f.name} is {shown}, expected {_spelled(kind)}.") from None
            object.__setattr__(self, f.name, value)  # the class is frozen
            if f.metadata:
                _check_limits(f.name, value, type(self).__module__, **f.metadata)


@dataclass(frozen=True)
class TrainingBudget(Budget):
    """What a training costs; `experiments.training` reads these fields."""

    NEEDS: ClassVar[Needs] = Needs(3, 1, "a training is judged on images that it never saw")

    max_size: int = field(16, least=16, most=1024)  # pixels a side, at most
    images: int = field(20_000, least=10, most=MANY)  # training images, at most
    channels: tuple[int, ...] = field((32, 64, 64), least=1, most=4096)
    blocks: int = field(1, least=1, most=32)  # residual blocks a level
    attention: tuple[bool, ...] = (False, False, True)  # self-attention, by level
    T: int = field(1000, least=1, most=100_000)
    schedule: Betas = "linear"
    beta_min: float = field(1e-4, least=0, most=1)  # the range of beta, but for cosine
    beta_max: float = field(0.02, least=0, most=1)
    loss: Literal["mse", "l1"] = "mse"
    optimizer: Literal["adamw", "adam"] = "adamw"
    decay: Literal["cosine", "constant"] = "cosine"  # learning rate after the warm-up
    bf16: bool = False  # the network in bfloat16
    compile: bool = False  # the network compiled: worth it on a GPU
    steps: int = field(400, least=1, most=MANY)
    batch: int = field(64, least=1, most=1_000_000)  # images a step, at most
    pixels: int = field(64 * 16 * 16, least=1, most=2**32)  # a step, at most: limits the batch
    lr: float = field(2e-3, least=0, most=100)
    warmup: int = field(40, least=0, most=MANY)  # steps of linear learning-rate warm-up
    ema: float = field(0.99, least=0, below=1)
    class_dropout: float = field(0.1, least=0, most=1)  # share of labels hidden; 1: no labels
    log_every: int = field(40, least=1, most=MANY)  # steps between progress lines

    def part(self, what: str, steps: float, called: float = 0, runs: int = 1, **other) -> Work:
        """Work of the lesson's network: runs trainings of so many steps, and so many calls.

        other: size, its pixels a side; what is otherwise than in the budget of the network.
        """
        size = other.pop("size", self.max_size)
        batch = max(1, min(self.batch, self.pixels // size**2))
        net = {k: getattr(self, k) for k in ("channels", "blocks", "attention")} | other
        runs = runs if steps else 0
        return Work(what, net, size, batch, runs * steps * batch, called, runs)

    def __post_init__(self):
        super().__post_init__()
        levels, flags = len(self.channels), len(self.attention)
        if flags != levels:
            raise ValueError(
                f"attention has {flags} flags, but channels has {levels} levels; give one flag a "
                f"level, such as attention={','.join(['false'] * levels)}"
            )
        if 2 ** (levels - 1) > self.max_size:
            raise ValueError(
                f"channels has {levels} levels, each half as large as the one before, but max_size "
                f"is {self.max_size} pixels; give fewer levels, or max_size={2 ** (levels - 1)}"
            )
        low, high = self.beta_min, self.beta_max
        if not 0 < low <= high < 1:
            expected = "expected 0 < beta_min <= beta_max < 1"
            raise ValueError(f"beta_min is {low} and beta_max is {high}, {expected}.")
        if self.schedule == "cosine" and (low, high) != (1e-4, 0.02):
            cure = "which has no range; leave them out or choose another schedule."
            raise ValueError(f"beta_min and beta_max say nothing to the cosine schedule, {cure}")


def profiles(kind: type[Budget], table: dict[str, tuple]) -> dict[str, Budget]:
    """The budgets of a lesson by profile.

    table: field -> its values at smoke, overnight, full and published, `...` where it is as in
    student, which is `kind` as it stands.
    """
    others = [name for name in PROFILES if name != "student"]
    columns = {
        profile: {name: row[i] for name, row in table.items() if row[i] is not ...}
        for i, profile in enumerate(others)
    }
    return {profile: kind(**columns.get(profile, {})) for profile in PROFILES}


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
    known = [f.name for f in fields(base)]
    for name in overrides or {}:
        if name not in known:
            others = f"{owner} does not know; choose from {', '.join(known)}."
            raise ValueError(f"overrides has {name!r}, which {others}")
    return replace(base, **overrides or {})


def items(value) -> tuple:
    """The items of a tuple; any other value as the only one."""
    return value if isinstance(value, tuple) else (value,)


def _check_limits(name: str, value, module: str, least, most, below, choices) -> None:
    """ValueError for a value outside the limits of its field; module: where they can be raised."""
    said = f"{name} has" if isinstance(value, tuple) else f"{name} is"
    if len(items(value)) > LONGEST:
        raise ValueError(f"{said} {len(value)} items, expected at most {LONGEST}.")
    for item in items(value):
        if choices and item not in choices:
            raise ValueError(f"{said} {item!r}, choose from {'; '.join(map(str, choices))}.")
        if choices or (least <= item <= most and item < below):
            continue
        expected = f"at least {least}"
        if (end := min(most, below)) < math.inf and not (isinstance(item, int) and item < least):
            expected = f"a number from {least} to {'' if most < below else 'below '}{end:,}"
        if isinstance(item, int) and item > most:  # a share has nothing beyond its limit
            expected += f" (to go further, give {name} a larger `most` in {module})"
        raise ValueError(f"{said} {item:,}, expected {expected}.")


def _converted(value, kind):
    """`value`, which may be text, in the type of a field; ValueError or TypeError if it is none."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal and value in args or kind is str and isinstance(value, str):
        return value
    if origin is tuple:
        given = _listed(value.strip()) if isinstance(value, str) else value
        some = itertools.islice(given, LONGEST + 1)  # one too many is enough to refuse them
        if values := tuple(_converted(item, args[0]) for item in some if item != ""):
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
