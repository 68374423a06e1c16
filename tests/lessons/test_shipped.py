"""The networks that ship can be trained once more, each by what its recipe says."""

import shlex

import click
import pytest
from command_line import call

from diffutils.__main__ import cli
from diffutils.course.commands.options import overrides
from diffutils.lessons import budget, shipped
from diffutils.metrics import classifier_training
from diffutils.weights import cards

RECIPES = shipped.recipes()
COMMANDS = [(name, command) for name, recipe in RECIPES.items() for command in recipe["commands"]]


def parsed(command):
    """The options that the command line takes of a command, without calling it."""
    words, group = shlex.split(command), cli
    while isinstance(group, click.Group):
        name, group, words = group.resolve_command(click.Context(group), words)
    return group.make_context(name, words, obj=None).params


def test_every_network_that_ships_has_a_recipe():
    there = {path.stem for path in cards.PRETRAINED.glob("*.safetensors")}
    assert there == {*RECIPES, *classifier_training.PRETRAINED}


@pytest.mark.parametrize("name, command", COMMANDS)
def test_a_recipe_says_what_the_card_says(name, command, tmp_path):
    """Every option is known; the last command of a network has the settings of its card."""
    options = parsed(command.replace("{out}", str(tmp_path)))
    if command != RECIPES[name]["commands"][-1] or command.startswith("run "):
        return
    card = cards.read_card(cards.PRETRAINED / f"{name}.safetensors")
    number = shlex.split(command)[1]
    asked = budget(number, "student", overrides(options["changes"]))
    refined = "refinement" in card
    said = card["refinement"] if refined else card["settings"]
    fields = {"steps": "refine_steps", "lr": "refine_lr"} if refined else {}
    for key in {"steps", "lr", "warmup", "ema", "loss"} & said.keys() & vars(asked).keys():
        assert getattr(asked, fields.get(key, key)) == said[key], key
    assert list(asked.channels) == card["unet"]["channels"] or refined


def test_a_network_is_trained_again_and_keeps_its_name(tmp_path, monkeypatch, capsys):
    few = "train 02 --profile smoke --name model --out {out}/one --set steps=2 --set images=200"
    recipe = {"made": "{out}/one/model.safetensors", "commands": [few]}
    monkeypatch.setattr(shipped, "recipes", lambda: {"sprites": recipe})
    path = shipped.retrain("sprites", tmp_path)
    assert path == tmp_path / "sprites.safetensors"
    assert cards.read_card(path)["name"] == "sprites"
    recipe["commands"] = ["train --dataset nowhere"]
    with pytest.raises(RuntimeError, match="sprites: this command failed"):
        shipped.retrain("sprites", tmp_path)


def test_an_unknown_name_is_refused_with_the_list():
    done = call("weights", "nothing")
    assert done.exit_code == 2 and "choose from sprites, sprites-edm, faces64" in done.output
