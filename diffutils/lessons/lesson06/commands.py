"""One's own images restored by Deep Image Prior; lesson 06's published trainings, one by one."""

import time
from dataclasses import replace
from pathlib import Path

import click
from torch import Tensor

from diffutils.course.commands.options import (
    COUNT,
    FOLDER,
    PATH,
    PROFILE,
    SEED,
    SET,
    overrides,
    say,
)
from diffutils.course.experiments.described import load_for
from diffutils.course.runs import rundir
from diffutils.course.runs.recorded_fit import training_in
from diffutils.data import to_float, to_uint8
from diffutils.data.folders import Reader, listed
from diffutils.lessons.lesson06.systems import prior, published, restored
from diffutils.methods import dip as method
from diffutils.viz import pixels
from diffutils.weights import files

# The published scripts, and what of them is trained after the prior.
STAGES = {
    "pretrain_dip": None,
    "pretrain_baseline_ddpm": "baseline",
    "pretrain_integrated_ddpm05": "mix 0.5",
    "pretrain_integrated_ddpm10": "mix 1.0",
}


@click.command()
@click.argument("images", type=PATH)
@click.argument("out", type=FOLDER)
@click.option(
    "--size", type=click.IntRange(32, 256), default=64, show_default=True, help="Side in pixels."
)
@click.option("--limit", type=COUNT, help="At most so many images; by default all.")
@click.option(
    "--iterations",
    type=click.IntRange(10, 100_000),
    default=1_600,
    show_default=True,
    help="At most so many; it stops when held-out pixels have been no better for 200.",
)
@SEED
def dip(images, out, size, limit, iterations, seed):
    """Denoise the images of the folder IMAGES by Deep Image Prior into OUT, one PNG each.

    Each is fitted by itself.  What is in OUT already is not made again.
    """
    wanted = dict([*listed(images).items()][:limit])
    reader, began, made = Reader(size), time.perf_counter(), 0
    out.mkdir(parents=True, exist_ok=True)
    for i, (name, file) in enumerate(wanted.items(), 1):
        path = out / f"{name}.png"
        if path.exists():
            continue
        (image,) = reader.read([file])
        if image is None:
            say(f"{file} cannot be read ({reader.broken[str(file)]}), and is left out")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        files.write_whole(path, _png(_restored(to_float(image[None]), iterations, seed, name)))
        made += 1
        rate = 60 * made / (time.perf_counter() - began)
        say(f"{name}, {i} of {len(wanted)}: {rate:.1f} images a minute")
    say(f"{made} images restored into {out}")


def _restored(y: Tensor, iterations: int, seed: int, name: str) -> Tensor:
    """The averaged output where held-out pixels were best, uint8 (1, C, H, W)."""
    errors, best = [], None
    fit = restored.prior_for(tuple(y.shape[1:]), seed)
    records = method.fit(fit, y, steps=iterations, log_every=restored.EVERY)
    for record in restored.told(records, say, name, iterations):
        if not errors or record.heldout < min(errors):
            best = record.average
        errors.append(record.heldout)
        if method.stops(errors, 200 // restored.EVERY):
            break
    return to_uint8(best)


def _png(image: Tensor) -> bytes:
    """An image (1, C, H, W) as the content of a PNG file."""
    import imageio.v3 as imageio

    return imageio.imwrite("<bytes>", pixels(image)[0], extension=".png")


@click.command()
@click.option(
    "--stage", type=click.Choice([*STAGES]), default="pretrain_baseline_ddpm", show_default=True
)
@click.option("--dataset", default="faces", show_default=True, help="See the data command.")
@PROFILE
@SET
@SEED
@click.option("--out", type=FOLDER, default=Path("runs/train-06"), show_default=True)
@click.pass_obj
def train(contents, stage, dataset, profile, changes, seed, out):
    """Train the published system of lesson 06; --out is the run directory of all its stages.

    A killed run goes on from there.  The integrated stages need the prior, which they train first
    where it is not there.
    """
    # Find what to train before the long work.
    budget = contents.budget("06", profile, overrides(changes))
    budget, arm = replace(budget, max_size=budget.published_size), STAGES[stage]
    rundir.check_free(out)
    data = load_for(dataset, budget, seed)

    # Train, alone in the run directory.
    rundir.hold(out)
    kept = training_in(out, say)
    try:
        mixes = arm is None or published.ARMS[arm]
        net = prior.pretrain_dip(data, budget, seed, kept) if mixes else None
        done = published.pretrain(arm, data, budget, seed, kept, net) if arm else None
    finally:
        rundir.release(out)
    name = done.card["name"] if done else f"dip-seed-{seed}"
    say(f"Kept in {out / 'pretrain' / name}")


COMMANDS = (dip,)
TRAINING = train
