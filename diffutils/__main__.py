"""The commands: `python -m diffutils run | test | lab | export | notebooks | data | ...`."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import click

from diffutils.course.budgets import PROFILES, profile_name
from diffutils.weights.files import CHECKOUT, write_json

LESSONS = click.option("--lessons", help='Which lessons, e.g. "01 02"; all by default.')
HEUN = click.option("--heun", is_flag=True, help="EDM's method: 2 STEPS - 1 network evaluations.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def cli():
    """Diffusion by Experiment: run, test and read the lessons."""


@cli.command()
@click.option("--profile", help=f"{', '.join(PROFILES)}; default $DIFFUTILS_PROFILE or student.")
@LESSONS
@click.option("--out", type=click.Path(path_type=Path), help="Where the executed notebooks go.")
@click.option("--dataset", help="Data set for every lesson that takes one; see the data command.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed for every lesson.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A field of the budget.")
@click.option("--again", is_flag=True, help="Also what is finished; nothing is resumed.")
def run(profile, lessons, out, dataset, seed, changes, again):
    """Execute lessons headlessly and print a table of their results.

    What --out (default: runs/PROFILE) holds finished, with the same parameters, data and code,
    is skipped, and what was killed there goes on.
    """
    from diffutils.course.runs import headless, rundir

    with clear_errors():
        profile = profile_name(profile)
        chosen = headless.select(lessons)
        out = Path(out).resolve() if out else rundir.base() / profile
        given = {"dataset": dataset, "seed": seed, "overrides": overrides(changes) or None}
        parameters = {k: v for k, v in given.items() if v is not None}
        outcomes = headless.run(chosen, profile, out, parameters, again, say=click.echo)
    report(outcomes, f"Executed notebooks and run directories: {out}")


@cli.command()
@LESSONS
def notebooks(lessons):
    """Execute lessons at the student profile and store the outputs in notebooks/."""
    from diffutils.course.runs import headless

    with clear_errors():
        outcomes = headless.store(headless.select(lessons), say=click.echo)
    report(outcomes, f"Stored: {headless.NOTEBOOKS}")


@cli.command(context_settings={"ignore_unknown_options": True})
@click.option("--all", "everything", is_flag=True, help="The slow tests too.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED)
def test(everything, pytest_arguments):
    """Run what CI runs; further arguments go to pytest."""
    marks = ["-m", "slow or not slow"] if everything else []
    command = [sys.executable, "-m", "pytest", *marks, *pytest_arguments]
    sys.exit(subprocess.run(command, cwd=CHECKOUT).returncode)


@cli.command(context_settings={"ignore_unknown_options": True})
@click.argument("jupyter_arguments", nargs=-1, type=click.UNPROCESSED)
def lab(jupyter_arguments):
    """Open your copies of the lessons, in work/, in JupyterLab; further arguments go to it."""
    from diffutils.course.exercises import workspace
    from diffutils.course.runs import headless

    work = CHECKOUT / "work"
    with clear_errors():
        for line in workspace.prepare(headless.select(), CHECKOUT / "figures", work):
            click.echo(line)
    command = [sys.executable, "-m", "jupyterlab", str(work), *jupyter_arguments]
    sys.exit(subprocess.run(command, cwd=CHECKOUT).returncode)


@cli.command()
@LESSONS
@click.argument("out", type=click.Path(path_type=Path))
def export(lessons, out):
    """Write a set for students, without solutions, and one for instructors into OUT."""
    from diffutils.course.exercises.export import export as write_sets
    from diffutils.course.runs import headless

    with clear_errors():
        for path in write_sets(headless.select(lessons), CHECKOUT / "figures", out):
            click.echo(path)


@cli.group(invoke_without_command=True)
@click.pass_context
def data(context):
    """List the data sets: size, licence, and whether they are here."""
    if context.invoked_subcommand:
        return
    from diffutils.course.tables import aligned
    from diffutils.data import catalogue

    rows = [("name", "what", "pixels", "images", "licence", "where")]
    rows += [(r.name, r.what, r.size, r.count, r.licence, r.where) for r in catalogue()]
    click.echo(aligned(rows))


@data.command()
@click.argument("name")
def get(name):
    """Download the published set NAME, or the weights `inception` or `alexnet`, once."""
    from diffutils.data import download

    with clear_errors():
        click.echo(f"{name} is in {download(name, report=click.echo)}")


@cli.command()
@click.option("--dataset", default="sprites", show_default=True, help="See the data command.")
@click.option("--profile", help=f"{', '.join(PROFILES)}; default $DIFFUTILS_PROFILE or student.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="A field of the budget.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--name", default="model", show_default=True, help="Name of the files.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/train"))
@click.option("--start", type=click.Path(path_type=Path), help="Weights to go on from.")
@click.option(
    "--predict",
    type=click.Choice(["eps", "x0", "v", "edm"]),
    default="eps",
    show_default=True,
    help="What the network learns to predict.",
)
@click.option(
    "--samples",
    type=click.IntRange(min=0),
    default=0,
    show_default=True,
    help="Draw so many images into --out/images at the end.",
)
@click.option("--trdata", is_flag=True, help="Keep the first training images, as seen.")
def train(dataset, profile, changes, seed, name, out, start, predict, samples, trdata):
    """Train lesson 02's model; --out is its run directory, from which a killed run goes on."""
    from diffutils.course.budgets import budget
    from diffutils.course.experiments.training import train as train_model

    with clear_errors():
        given = overrides(changes)
        if predict == "edm" and (betas := given.keys() & {"schedule", "T", "beta_min", "beta_max"}):
            raise ValueError(
                f"--set {sorted(betas)[0]} belongs to DDPM's table of betas, which --predict edm "
                "does not have; leave one of the two out"
            )
        chosen = budget("02", profile, given)
        train_model(
            dataset,
            chosen,
            out,
            seed=seed,
            name=name,
            start=start,
            predict=predict,
            samples=samples,
            trdata=trdata,
            report=click.echo,
        )
    click.echo(f"Weights and card: {out / name}.safetensors, .json")


@cli.command()
@click.argument("weights", type=click.Path(path_type=Path))
@click.option("-n", default=5000, show_default=True, help="Images on each side.")
@click.option("--steps", default=50, show_default=True, help="Sampling steps.")
@click.option("--eta", default=0.0, show_default=True, help="0 is DDIM, 1 is DDPM.")
@HEUN
@click.option("--scale", default=1.0, show_default=True, help="Guidance.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--interval",
    nargs=2,
    type=float,
    default=(0.0, float("inf")),
    show_default=True,
    help="Noise levels at which to guide.",
)
@click.option("--bf16", is_flag=True, help="Let the network sample in bfloat16.")
def measure(weights, n, steps, eta, heun, scale, seed, interval, bf16):
    """Measure a trained model against held-out images and write the numbers into its card."""
    from diffutils.course.experiments.measure import measure_card

    with clear_errors():
        numbers = measure_card(
            weights,
            n=n,
            steps=steps,
            eta=eta,
            scale=scale,
            seed=seed,
            bf16=bf16,
            interval=interval,
            heun=heun,
        )
    for key, value in numbers.items():
        click.echo(f"{key:24} {value:.4f}" if isinstance(value, float) else f"{key:24} {value}")


@cli.command()
@click.argument("source", metavar="WEIGHTS|RUN|NAME")
@click.argument("out", type=click.Path(path_type=Path))
@click.option("-n", type=click.IntRange(1, 100_000), required=True, help="Images.")
@click.option("--steps", default=50, show_default=True, help="Sampling steps.")
@click.option(
    "--eta",
    type=click.FloatRange(0, 1),
    default=0.0,
    show_default=True,
    help="0 is DDIM, 1 is DDPM.",
)
@HEUN
@click.option("--scale", type=click.FloatRange(0), default=1.0, show_default=True, help="Guidance.")
@click.option("--label", help='Class by name or number, or "none"; default: every class in turn.')
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--bf16", is_flag=True, help="Let the network sample in bfloat16.")
@click.option("--batch", type=click.IntRange(min=1), help="Images at a time.")
def sample(source, out, n, **settings):
    """Draw N images as PNG files into OUT, with their settings in OUT.json.

    From a .safetensors file, a run directory or a shipped model. What is there from the same
    settings is kept: a killed run goes on, a larger N adds images.
    """
    from diffutils.course.commands.sample import sample_folder

    with clear_errors():
        record = sample_folder(source, out, n, report=click.echo, **settings)
    click.echo(f"Images: {out}; settings: {record}")


@cli.command()
@click.argument("pred", type=click.Path(path_type=Path))
@click.argument("gt", type=click.Path(path_type=Path))
@click.option("--paired", is_flag=True, help="Also PSNR, SSIM, MS-SSIM, LPIPS by file name.")
@click.option(
    "--features",
    default="inception",
    show_default=True,
    help="inception, alexnet, random, or a classifier such as sprites-features.",
)
@click.option(
    "--weights",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="A file with the weights of inception or alexnet; may be repeated.",
)
@click.option("--size", type=click.IntRange(4, 8192), help="Side to bring all images to.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Also write the numbers here.")
def evaluate(pred, gt, paired, features, weights, size, seed, out):
    """Score the images of folder PRED against those of folder GT."""
    from diffutils.course.commands import score

    with clear_errors():
        result = score.evaluate(
            pred,
            gt,
            features=features,
            with_pairs=paired,
            weights=weights,
            size=size,
            seed=seed,
            report=lambda line: click.echo(line, err=True),
        )
        if out:
            write_json(out, result)
    click.echo(score.table(result))


@cli.command()
@click.argument("dataset")
@click.option(
    "--size",
    type=click.IntRange(4, 1024),
    help="Side in pixels; default 128, but arrays such as sprites keep their own.",
)
@click.option(
    "-n",
    type=click.IntRange(2, 1000),
    default=20,
    show_default=True,
    help="Training images, and as many held-out ones.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--window",
    type=click.Choice(["uniform", "gaussian"]),
    default="uniform",
    show_default=True,
    help="SSIM's window: 7 x 7 as published, or 11 x 11.",
)
@click.option("--json", "out", type=click.Path(path_type=Path), help="Also write the numbers here.")
def phi(dataset, size, n, seed, window, out):
    """Search the noise coordinate in which the SSIM of DATASET falls most evenly.

    DATASET is photos, faces, folder:PATH or any other name of the data command.
    """
    from diffutils.course.commands import score
    from diffutils.lessons.lesson04 import search

    with clear_errors():
        result = search.report(
            dataset, size, n, seed, window, say=lambda line: click.echo(line, err=True)
        )
        if out:
            write_json(out, result)
    click.echo(search.text(result))


@cli.command()
def bench():
    """Measure training and sampling speed on this machine."""
    from diffutils.course.commands.bench import bench as measure

    for line in measure():
        click.echo(line)


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


def report(outcomes, where: str) -> None:
    """Print the table and every failure; exit with 1 if a lesson failed."""
    from diffutils.course.runs import headless

    click.echo(f"\n{headless.table(outcomes)}\n\n{where}")
    if problems := headless.failures(outcomes):
        click.echo(f"\n{problems}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    cli(prog_name="python -m diffutils")
