"""What several commands share: options, and errors that users cause as one sentence."""

from contextlib import contextmanager
from pathlib import Path

import click

from diffutils.course.budgets import PROFILES

PATH = click.Path(path_type=Path)
LESSONS = click.option("--lessons", help='Which lessons, e.g. "01 02"; all by default.')
PROFILE = click.option(
    "--profile", help=f"{', '.join(PROFILES)}; default $DIFFUTILS_PROFILE or student."
)
SET = click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="A field of the budget."
)
SEED = click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
STEPS = click.option("--steps", default=50, show_default=True, help="Sampling steps.")
HEUN = click.option("--heun", is_flag=True, help="EDM's method: 2 STEPS - 1 network evaluations.")
ETA = "0 is DDIM, 1 is DDPM."
BF16 = click.option("--bf16", is_flag=True, help="Let the network sample in bfloat16.")
JSON = click.option("--json", "out", type=PATH, help="Also write the numbers here.")


def overrides(changes: tuple[str, ...]) -> dict[str, str]:
    """The budget fields that --set KEY=VALUE names."""
    if wrong := [change for change in changes if "=" not in change]:
        raise ValueError(f"--set takes KEY=VALUE, got {wrong[0]!r}")
    return dict(change.split("=", 1) for change in changes)


@contextmanager
def clear_errors():
    """Turn the errors that users cause into one sentence and exit code 2."""
    try:
        yield
    except (ValueError, OSError, FloatingPointError) as error:
        raise click.UsageError(str(error)) from None


def say_aside(line: str) -> None:
    """Print a line where it does not mix with the result."""
    click.echo(line, err=True)
