"""What several commands share: the values that options take, and results that are not lost."""

import math
import threading
from collections.abc import Callable
from functools import reduce
from pathlib import Path

import click

from diffutils.course.budgets import PROFILES
from diffutils.data import MAX_SEED, own_path
from diffutils.weights.files import write_json

MOST = 100_000  # images, or steps, of one command


class Finite(click.FloatRange):
    """A number in a range, and neither nan nor infinite."""

    def convert(self, value, param, context):
        """The number, or a refusal."""
        number = super().convert(value, param, context)
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number", param, context)
        return number


class Place(click.Path):
    """A path that a file can have, with ~ expanded."""

    def __init__(self, **settings):
        super().__init__(path_type=Path, **settings)

    def convert(self, value, param, context):
        """The path, or a refusal."""
        try:
            path = own_path(str(value))
        except ValueError as error:
            self.fail(str(error), param, context)
        if not str(value):
            self.fail("the path is empty", param, context)
        if not self.dir_okay and (path.is_symlink() or path.exists() and not path.is_file()):
            self.fail(f"{path} is no plain file; give another name", param, context)
        if not self.file_okay and not path.resolve().name:
            self.fail(f"{path} is no place for results; give a folder below", param, context)
        return super().convert(path, param, context)


def upright(context, option, ends: tuple[float, float]) -> tuple[float, float]:
    """The two ends of an interval, the lower one first; else click.BadParameter."""
    if not ends[0] < ends[1]:
        raise click.BadParameter(
            f"it runs from {ends[0]:g} to {ends[1]:g}; give the lower noise level first"
        )
    return ends


PATH = Place()
FOLDER = Place(file_okay=False, writable=True)
FILE = Place(dir_okay=False)
SEEDS = click.IntRange(0, MAX_SEED)
COUNT = click.IntRange(1, MOST)
LESSONS = click.option("--lessons", help='Which lessons, e.g. "01 02"; all by default.')
PROFILE = click.option(
    "--profile", help=f"{', '.join(PROFILES)}; default $DIFFUTILS_PROFILE or student."
)
SET = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="A field of the budget."
)
SEED = click.option("--seed", type=SEEDS, default=0, show_default=True)
DRAWING = (
    click.option("--bf16", is_flag=True, help="Let the network sample in bfloat16."),
    SEED,
    click.option("--scale", type=Finite(0), default=1.0, show_default=True, help="Guidance."),
    click.option("--heun", is_flag=True, help="EDM's method: 2 STEPS - 1 network evaluations."),
    click.option(
        "--eta", type=Finite(0, 1), default=0.0, show_default=True, help="0 DDIM, 1 DDPM."
    ),
    click.option("--steps", type=COUNT, default=50, show_default=True, help="Sampling steps."),
)
INTERVAL = click.option(
    "--interval", nargs=2, type=click.FloatRange(0), default=(0.0, math.inf), show_default=True,
    callback=upright, help="Noise levels at which to guide.",
)  # fmt: skip
JSON = click.option("--json", "out", type=FILE, help="Also write the numbers here.")


def drawing(command: Callable) -> Callable:
    """Give a command the options by which images are drawn."""
    return reduce(lambda made, option: option(made), DRAWING, command)


def overrides(changes: tuple[str, ...]) -> dict[str, str]:
    """The budget fields that --set KEY=VALUE names."""
    if wrong := [change for change in changes if "=" not in change]:
        raise ValueError(f"--set takes KEY=VALUE, got {wrong[0]!r}")
    return dict(change.split("=", 1) for change in changes)


def say(line: str, err: bool = False) -> None:
    """Print a line.

    Raises, but not in threads, where nobody would catch it: BrokenPipeError when nobody reads;
    OSError, e.g. for a full disk.
    """
    try:
        click.echo(line, err=err)
    except OSError as error:
        if threading.current_thread() is not threading.main_thread():
            return
        if isinstance(error, BrokenPipeError):
            raise
        raise OSError(f"the output cannot be written ({error.strerror})") from None


def say_aside(line: str) -> None:
    """Print a line where it does not mix with the result."""
    say(line, err=True)


def result(out: Path | None, numbers: dict, text: str) -> None:
    """Write numbers to a file, if one was asked for, then print the text: also where that fails."""
    try:
        if out:
            write_json(out, numbers)
    finally:
        say(text)
