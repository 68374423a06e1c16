"""Measure a trained model."""

import click

from diffutils.course.commands.options import COUNT, INTERVAL, PATH, drawing, say
from diffutils.course.experiments.measure import measure_card


@click.command()
@click.argument("weights", type=PATH)
@click.option("-n", type=COUNT, default=5000, show_default=True, help="Images on each side.")
@drawing
@INTERVAL
def measure(weights, **settings):
    """Measure a trained model against held-out images and write the numbers into its card."""
    measure_card(weights, **settings, report=show)


def show(numbers: dict) -> None:
    """Print one number a line."""
    for key, value in numbers.items():
        say(f"{key:24} {value:.4f}" if isinstance(value, float) else f"{key:24} {value}")
