"""A model that was just trained is measured, and its card holds the numbers."""

import json

from command_line import call


def test_train_and_measure(tmp_path):
    small = ("--set", "steps=2", "--set", "images=150", "--set", "log_every=2")
    done = call("train", "--profile", "smoke", *small, "--name", "tiny", "--out", str(tmp_path))
    assert done.exit_code == 0, done.output
    assert "step      2  loss" in done.output
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
