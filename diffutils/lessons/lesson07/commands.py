"""Any training opened and looked at; lesson 07's configurations, trained one by one."""

import html
import json
from collections.abc import Iterator
from pathlib import Path

import click
import torch

from diffutils import rng, samplers, schedules
from diffutils.course.commands.options import FOLDER, PATH, PROFILE, SEED, SET, overrides, say
from diffutils.course.experiments import rows
from diffutils.course.experiments.described import load_for
from diffutils.course.experiments.sampling import counted
from diffutils.course.runs import rundir
from diffutils.course.runs.recorded_fit import training_in
from diffutils.denoisers import clipped
from diffutils.lessons.lesson07.systems import trained
from diffutils.viz import loss_curves, strip
from diffutils.weights import files, models

LOG, LAYERS = "log.jsonl", "model.txt"  # of a training's folder
SHOWN, STEPS = 8, 50  # states of the denoising shown, and steps of its chain
PAGE = """<!doctype html><meta charset="utf-8"><title>{name}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}
img{{max-width:100%}}pre{{overflow-x:auto;font-size:13px}}</style>
<h1>{name}</h1>{body}"""


@click.command()
@click.argument("run", type=PATH)
@click.option("--out", type=FOLDER, help="Where the pages go; default RUN/inspect.")
def inspect(run, out):
    """Look at the trainings in a run directory: layers, losses, samples, denoising steps.

    RUN: the folder of one training, or one that holds some.  Each gets a page with its pictures.
    """
    folders = sorted({path.parent for path in run.rglob(LOG) if (path.parent / LAYERS).exists()})
    if not folders:
        raise ValueError(
            f"{run} holds no training ({LOG} and {LAYERS} in one folder); give a run directory, "
            "such as runs/student/02, or the folder of a training in it"
        )
    out = out or run / "inspect"
    for folder in folders:
        name = "-".join(folder.relative_to(run).parts) or folder.resolve().name
        page = out / f"{name}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        body = "".join(f"<h2>{title}</h2>{what}" for title, what in parts(folder, out, name))
        files.write_whole(page, PAGE.format(name=html.escape(name), body=body).encode())
        say(f"{name}: {page}")


def parts(folder: Path, out: Path, name: str) -> Iterator[tuple[str, str]]:
    """The parts of a page, each a title and HTML; pictures are written beside it."""
    # What is there of every training.
    log = rows.read(folder / LOG, "it was cut while it was written; train on", rows.LOG)
    layers = (folder / LAYERS).read_text(encoding="utf-8")
    yield "Layers and settings", f"<pre>{html.escape(layers)}</pre>"
    if log:
        lines = {"training": ([r["step"] for r in log], [r["loss"] for r in log])}
        if all(r["heldout"] is not None and r["heldout"] == r["heldout"] for r in log):
            lines["held out"] = (lines["training"][0], [r["heldout"] for r in log])
        yield "Losses", image(loss_curves(lines), out, f"{name}-losses.png", "losses by step")
    if samples := sorted((folder / "samples").glob("*.png")):
        target = out / f"{name}-samples.png"
        files.write_whole(target, samples[-1].read_bytes())
        yield f"Samples, {samples[-1].stem}", f'<img src="{target.name}" alt="samples">'
    # What a trained network does with noise.
    weights = [path for path in folder.glob("*.safetensors") if path.with_suffix(".json").exists()]
    if not weights:
        yield "Denoising", "<p>There are no weights with a card yet: the training goes on.</p>"
        return
    try:
        model = models.load_model(weights[0])
    except ValueError as error:
        yield "Denoising", f"<p>{html.escape(str(error))}</p>"
        return
    if model.denoiser.net.cond_channels:
        yield (
            "Denoising",
            "<p>This network answers beside a condition, and draws nothing alone.</p>",
        )
        return
    steps = min(STEPS, getattr(model.schedule, "T", STEPS))
    with counted(model.denoiser, say, f"{name}: denoising", steps):
        figure = denoising(model)
    yield "Denoising", image(figure, out, f"{name}-denoising.png", "states and estimates")
    yield "Card", f"<pre>{html.escape(json.dumps(model.card, indent=1, ensure_ascii=False))}</pre>"


def image(figure, out: Path, name: str, words: str) -> str:
    """Write a figure beside its page; the HTML that shows it."""
    import io

    data = io.BytesIO()
    figure.savefig(data, format="png", dpi=110)
    files.write_whole(out / name, data.getvalue())
    return f'<img src="{name}" alt="{html.escape(words)}">'


@torch.no_grad()
def denoising(model: models.Model):
    """Figure of one chain: its states, and what the network says of each."""
    n = min(STEPS, getattr(model.schedule, "T", STEPS))
    levels = schedules.levels(model.schedule, n)
    vp = isinstance(model.schedule, schedules.Discrete)
    z = rng.normal(0, 0, torch.arange(1), model.shape, rng.START)
    seen = []
    noted = [*torch.linspace(0, n - 1, min(SHOWN, n)).round().long().tolist()]
    D = clipped(model.denoiser.eval())

    def note(step: samplers.Step):
        if step.k in noted:
            seen.append((step.x / (1 + step.sigma**2).sqrt(), step.D, float(step.sigma)))
        return step.x_next

    samplers.sample(D, samplers.start(levels, z, vp), levels, after_step=note)
    states, estimates, sigmas = zip(*seen, strict=True)
    shown = {"state": torch.cat(states), "estimate": torch.cat(estimates)}
    return strip(shown, [f"{sigma:.2g}" for sigma in sigmas])


@click.command()
@click.option(
    "--config", default="D-ideal", show_default=True, help="A, B-0, D-2N, D-kaiser, R ..."
)
@click.option("--dataset", default="digits", show_default=True, help="See the data command.")
@PROFILE
@SET
@SEED
@click.option("--out", type=FOLDER, default=Path("runs/train-07"), show_default=True)
@click.pass_obj
def train(contents, config, dataset, profile, changes, seed, out):
    """Train one configuration of lesson 07; --out is the run directory of all of them.

    A killed run goes on from there.
    """
    budget = contents.budget("07", profile, overrides(changes))
    rundir.check_free(out)
    data = load_for(dataset, budget, seed)

    rundir.hold(out)
    try:
        model, _ = trained.trained(config, data, budget, seed, training_in(out, say))
    finally:
        rundir.release(out)
    say(f"Kept in {out / 'trial' / model.card['name']}")


COMMANDS = (inspect,)
TRAINING = train
