"""A model that was just trained is measured, and its card holds the numbers."""

import json

import pytest
from command_line import call

from diffutils.weights import cards


def test_train_and_measure(tmp_path):
    small = ("--set", "steps=2", "--set", "images=150", "--set", "log_every=2")
    done = call("train", "--profile", "smoke", *small, "--name", "tiny", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "step 2/2 · loss" in done.output
    weights = tmp_path / "tiny.safetensors"
    at_which = ("--scale", "2", "--interval", "0.3", "5")
    done = call("measure", str(weights), "-n", "140", "--steps", "2", *at_which)
    assert done.exit_code == 0, done.output
    card = json.loads(weights.with_suffix(".json").read_text())
    assert card["metrics"]["N"] == 140
    assert card["metrics"]["ratio"] > 4  # two steps do not make a model
    sampling = {
        "steps": 2,
        "eta": 0.0,
        "scale": 2.0,
        "interval": [0.3, 5.0],
        "seed": 0,
        "bf16": False,
    }
    assert card["metrics"]["sampling"] == sampling


def test_numbers_are_shown_where_the_card_cannot_be_written(tmp_path, monkeypatch):
    small = ("--set", "steps=1", "--set", "images=150")
    assert call("train", "--profile", "smoke", *small, "--out", str(tmp_path)).exit_code == 0

    def full(weights, card):
        raise OSError(f"{weights.with_suffix('.json')} cannot be written (Read-only file system)")

    monkeypatch.setattr(cards, "write_card", full)
    done = call("measure", str(tmp_path / "model.safetensors"), "-n", "10", "--steps", "1")
    assert done.exit_code == 1 and "frechet_floor" in done.output, done.output
    assert f"Error: {tmp_path / 'model.json'} cannot be written" in done.output


@pytest.mark.parametrize("lost", ["seed", "data"])
def test_a_card_without_its_images_is_refused(tmp_path, lost):
    small = ("--set", "steps=1", "--set", "images=150")
    assert call("train", "--profile", "smoke", *small, "--out", str(tmp_path)).exit_code == 0
    card = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(
        json.dumps({k: card[k] for k in card if k not in (lost, "card_sha256")})
    )
    done = call("measure", str(tmp_path / "model.safetensors"), "-n", "10", "--steps", "1")
    assert done.exit_code == 2 and f"does not say its {lost}, by which" in done.output, done.output


@pytest.mark.parametrize("path", [".", "..", "model.json", "sprites"])
def test_what_is_no_weights_file_is_refused(path):
    done = call("measure", path)
    assert done.exit_code == 2 and f"{path} is no .safetensors file" in done.output, done.output
