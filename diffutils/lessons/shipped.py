"""Train the networks that ship once more, by the commands that made them."""

import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click

from diffutils.course.commands.options import FOLDER, say
from diffutils.course.tables import aligned
from diffutils.metrics import classifier_training
from diffutils.weights import cards, files

RECIPES = cards.PRETRAINED / "recipes.toml"


def recipes() -> dict[str, dict]:
    """How each network was trained: name -> its commands, and the file that they leave."""
    return tomllib.loads(RECIPES.read_text(encoding="utf-8"))


def retrain(name: str, out: Path) -> Path:
    """Call the commands that made a network, which go on from what is there; out/NAME.safetensors.

    Raises: RuntimeError when one of them fails; it has said why.
    """
    target = out / f"{name}.safetensors"
    if name in classifier_training.PRETRAINED:
        if not target.exists():
            classifier_training.make_pretrained(name, out)
        return target
    recipe = recipes()[name]
    for command in recipe["commands"]:
        words = shlex.split(command.replace("{out}", shlex.quote(str(out))))
        say(f"{name}: {shlex.join(words)}")
        if subprocess.run([sys.executable, "-m", "diffutils", *words]).returncode:
            raise RuntimeError(f"{name}: this command failed; call it alone to see more")
    made = Path(recipe["made"].replace("{out}", str(out)))
    files.write_whole(target, made.read_bytes())
    cards.write_card(target, cards.read_card(made) | {"name": name})
    return target


@click.command()
@click.argument("names", nargs=-1)
@click.option("--out", type=FOLDER, default=Path("runs/weights"), show_default=True)
def weights(names, out):
    """Train the networks in data/pretrained once more, or those of these NAMES; hours.

    What ships is not touched.  A killed call goes on.  At the end: the held-out loss of each beside
    the shipped one's.
    """
    every = [*recipes(), *classifier_training.PRETRAINED]
    if unknown := [name for name in names if name not in every]:
        raise ValueError(f"no network {unknown[0]!r} ships; choose from {', '.join(every)}")
    out, rows = out.resolve(), [("network", "held-out loss", "as shipped")]
    for name in names or every:
        there = cards.PRETRAINED / f"{name}.safetensors"
        rows.append((name, *map(_judged, (retrain(name, out), there))))
    say(f"\n{aligned(rows, None)}\n\nWeights and cards: {out}")


def _judged(weights: Path) -> str:
    """The held-out loss of a network's card; of a classifier how often it reads right."""
    card = cards.read_card(weights)
    if "trained" in card:
        return f"{card['trained']['heldout_loss']}"
    return ", ".join(f"{k} {v:.3g}" for k, v in card["metrics"].items() if isinstance(v, float))
