"""Measure a trained model."""

import math

import click

from diffutils.course.commands.options import BF16, ETA, HEUN, PATH, SEED, STEPS, clear_errors
from diffutils.course.experiments.measure import measure_card

LEVELS = "Noise levels at which to guide."


@click.command()
@click.argument("weights", type=PATH)
@click.option("-n", default=5000, show_default=True, help="Images on each side.")
@STEPS
@click.option("--eta", default=0.0, show_default=True, help=ETA)
@HEUN
@click.option("--scale", default=1.0, show_default=True, help="Guidance.")
@SEED
@click.option("--interval", nargs=2, default=(0.0, math.inf), show_default=True, help=LEVELS)
@BF16
def measure(weights, **settings):
    """Measure a trained model against held-out images and write the numbers into its card."""
    with clear_errors():
        numbers = measure_card(weights, **settings)
    for key, value in numbers.items():
        click.echo(f"{key:24} {value:.4f}" if isinstance(value, float) else f"{key:24} {value}")
