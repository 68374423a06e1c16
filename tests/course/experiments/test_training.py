"""Trainings that leave a card: a lesson's networks, arms, descriptions, the train command."""

import json
import math
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from diffutils import denoisers
from diffutils.course.commands.sample import find_weights, sample_folder
from diffutils.course.experiments import described, measure, training
from diffutils.course.experiments.training import Arm, networks, train
from diffutils.course.runs.recorded_fit import recorded_fit, training_in
from diffutils.data import load
from diffutils.lessons import budget
from diffutils.weights import cards, surroundings
from diffutils.weights import models as models_

# ------------------------------------------------------------------- a lesson's networks


def content(images):
    return [image.numpy().tobytes() for image in images]


@pytest.fixture(scope="module")
def shipped():
    """The shipped sprites at a small budget; `train` is None, since nothing may train."""
    (model,), data = networks("sprites", budget("03", "smoke", {"pretrained": True}), 3, None)
    return model, data


@pytest.mark.parametrize("drawn", [2_000, pytest.param(None, marks=pytest.mark.slow)])
def test_the_shipped_network_knows_its_images_and_none_of_the_held_out(shipped, drawn):
    """Against its training set drawn anew as the card says: a part of it, or (slow) all."""
    model, data = shipped
    card = model.card
    known = content(load("sprites", card["size"], drawn or card["images"], card["seed"]).train)
    assert len(data.train) == len(data.heldout) == 400
    assert sorted(content(data.train)) == sorted(known[:400])
    assert content(data.train) != known[:400]  # in the order of the lesson's seed
    assert not set(content(data.heldout)) & set(known)


def test_the_shipped_network_is_ready_to_sample(shipped):
    denoiser = shipped[0].denoiser
    assert not any(module.training for module in denoiser.modules())
    assert not any(p.requires_grad for p in denoiser.parameters())
    stored = models_.pretrained("sprites").denoiser.net.state_dict()
    assert all(torch.equal(v.cpu(), stored[k]) for k, v in denoiser.net.state_dict().items())


def test_the_shipped_log_is_that_of_the_card(shipped):
    model, _ = shipped
    steps, trained = [record["step"] for record in model.log], model.card["trained"]
    assert steps == sorted(set(steps)) and steps[-1] == trained["steps"]
    assert round(model.log[-1]["loss"], 5) == trained["loss"]
    assert round(model.log[-1]["heldout"], 5) == trained["heldout_loss"]


def test_a_damaged_log_beside_a_model_is_named(tmp_path, monkeypatch):
    for name in ("sprites.json", "sprites.safetensors"):
        (tmp_path / name).symlink_to(cards.PRETRAINED / name)
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    asked = budget("03", "smoke", {"pretrained": True, "images": 20})
    (model,), _ = networks("sprites", asked, 0, None)
    assert model.log == []
    path = tmp_path / "sprites.log.jsonl"
    lines = [{"step": 1, "loss": 0.5, "heldout": 0.6}, {"step": 2, "loss": None, "heldout": None}]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    (model,), _ = networks("sprites", asked, 0, None)
    assert model.log == lines
    path.write_text(json.dumps(lines[0]) + '\n{"step": 2, "lo')
    with pytest.raises(ValueError, match=r"sprites\.log\.jsonl is damaged in line 2 .* fetch it"):
        networks("sprites", asked, 0, None)


def test_the_shipped_model_is_found_by_its_card():
    """By data set and kind of noise levels; not one that needs a condition."""
    found = training.shipped_for
    assert [found("sprites"), found("sprites", "edm"), found("faces")] == [
        "sprites",
        "sprites-edm",
        "faces64",  # v-prediction on DDPM's table
    ]
    assert found("digits") == "digits-a"
    assert found("faces", "edm") is None and found("photos") is None


def test_a_model_that_needs_a_condition_is_no_shipped_one(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    about = {"name": "a", "unet": {}, "coefficients": "x0", "data": "faces"}
    for name, unet in (("a", {"cond_channels": 4}), ("b", {})):
        cards.write_card(tmp_path / name, about | {"name": name, "unet": unet})
    assert training.shipped_for("faces") == "b"


FEW = {"images": 40, "steps": 4, "log_every": 2, "batch": 8, "seeds": 2}


def trained(folder, dataset="sprites", **changes):
    """Models, data, and the (name, seed) of each training, kept in a folder."""
    asked = []

    def train(name, *arguments, seed, **settings):
        asked.append((name, seed))
        yield from recorded_fit(folder / name, *arguments, seed=seed, **settings)

    chosen = budget("03", "smoke", FEW | {"pretrained": False} | changes)
    models, data = networks(dataset, chosen, 5, train)
    return models, data, asked


def weights(model):
    return torch.cat([p.flatten().cpu() for p in model.denoiser.parameters()])


def test_trained_networks(tmp_path):
    models, data, asked = trained(tmp_path / "one")
    assert asked == [("model-0", 5), ("model-1", 6)]
    assert len(data.train) == 40 and models[0].card["images"] == 40
    for (name, _), model in zip(asked, models, strict=True):
        assert not any(module.training for module in model.denoiser.modules())
        assert not any(p.requires_grad for p in model.denoiser.parameters())
        assert [record["step"] for record in model.log] == [2, 4]
        assert all(math.isfinite(r["loss"]) and math.isfinite(r["heldout"]) for r in model.log)
        lines = (tmp_path / "one" / name / "log.jsonl").read_text().splitlines()
        kept = [{k: json.loads(line)[k] for k in ("step", "loss", "heldout")} for line in lines]
        assert kept == model.log
        stored = models_.load_model(tmp_path / "one" / name / f"{name}.safetensors")
        assert stored.card["seed"] == model.card["seed"]
        torch.testing.assert_close(weights(stored), weights(model), atol=1e-3, rtol=1e-3)
    one, two = map(weights, models)
    assert float((one - two).abs().mean()) > 0.01

    again, same, _ = trained(tmp_path / "two")
    assert torch.equal(same.train, data.train)
    assert [torch.equal(weights(a), weights(b)) for a, b in zip(again, models, strict=True)] == [
        True,
        True,
    ]


def test_a_set_without_shipped_weights_is_trained_on(tmp_path):
    models, data, asked = trained(tmp_path, "digits-m", pretrained=True, seeds=1)
    assert asked == [("model-0", 5)] and models[0].card["data"] == "digits-m" == data.name


# ------------------------------------------------------------------- arms and descriptions


TINY = {"channels": (16, 16), "attention": (False, False), "trial_steps": 2, "images": 32}
TINY |= {"batch": 4, "log_every": 2}


def kept(folder):
    """A lesson's `train`, which keeps all in a folder."""
    return lambda name, *arguments, **settings: recorded_fit(
        folder / name, *arguments, say=lambda line: None, **settings
    )


def same_weights(a, b):
    pairs = zip(a.denoiser.parameters(), b.denoiser.parameters(), strict=True)
    return all(torch.equal(x, y) for x, y in pairs)


ARMS = {
    "02": Arm("own's arm", {"loss": "l1", "ema": 0.0, "schedule": "cosine"}),
    "04": Arm("EDM", card={"coefficients": "edm", "weight": "lambda'"}),
}


@pytest.mark.parametrize("lesson, arm", ARMS.items(), ids=ARMS)
def test_an_arm_leaves_weights_that_every_command_takes(tmp_path, lesson, arm):
    """What `sample`, `measure` and `load_model` say of a run directory with one arm."""
    small = budget(lesson, "smoke", TINY)
    data = described.load_for("sprites", small, 0)
    model = training.train_arm(arm, data, small, 3, kept(tmp_path))
    folder = tmp_path / "trial" / model.card["name"]
    weights = find_weights(str(tmp_path))
    assert weights == folder / f"{model.card['name']}.safetensors"
    stored = models_.load_model(weights)
    said = stored.card["settings"]
    assert said == model.card["settings"] and said["steps"] == 2 and said["batch"] == 4
    assert all(said.get(k, v) == v for k, v in arm.budget.items())
    assert {k: stored.card[k] for k in arm.card} == arm.card and stored.card["seed"] == 3
    for a, b in zip(stored.denoiser.parameters(), model.denoiser.parameters(), strict=True):
        torch.testing.assert_close(a, b, atol=1e-3, rtol=1e-3)
    out = tmp_path / "images"
    sample_folder(str(folder), out, 2, steps=2, report=lambda line: None)
    assert len(list(out.glob("*.png"))) == 2
    numbers = measure.measure_card(weights, n=4, steps=2, eta=0.0, scale=1.0, seed=0)
    assert numbers["N"] == 4 and math.isfinite(numbers["kernel"])


OTHER_PROCESS = """
import json, sys
from pathlib import Path
from diffutils.course.experiments.training import train_described

card = json.loads(Path(sys.argv[1]).read_text())
train_described(card, Path(sys.argv[2]), say=lambda line: None)
"""


@pytest.mark.parametrize("lesson, arm", ARMS.items(), ids=ARMS)
def test_another_process_trains_the_same_weights_from_the_card(tmp_path, root, lesson, arm):
    """Bit for bit, from JSON alone: data, order, network, weight of the loss."""
    small = budget(lesson, "smoke", TINY)
    data = described.load_for("sprites", small, 7)  # of another seed than the training's
    here = training.train_arm(arm, data, small, 3, kept(tmp_path))
    path = tmp_path / "card.json"
    path.write_text(json.dumps(here.card, allow_nan=False))
    subprocess.run(
        [sys.executable, "-c", OTHER_PROCESS, path, tmp_path / "there"],
        check=True,
        cwd=root,
        env=os.environ | {"PYTHONPATH": str(root)},
    )
    files = [tmp_path / "trial" / here.card["name"], tmp_path / "there"]
    one, other = (f / f"{here.card['name']}.safetensors" for f in files)
    assert one.read_bytes() == other.read_bytes()
    lines = [json.loads((f / "log.jsonl").read_text().splitlines()[-1]) for f in files]
    assert lines[0]["loss"] == lines[1]["loss"] and lines[0]["heldout"] == lines[1]["heldout"]


def test_on_several_gpus_a_child_trains_what_a_card_says_wholly(tmp_path, monkeypatch):
    """Here on two CPU processes: within 1e-5 of one; a finished training starts no child."""
    small, arm = budget("04", "smoke", TINY | {"batch": 5}), ARMS["04"]
    data = described.load_for("sprites", small, 7)
    said, models, logs = [], [], []
    for processes in (1, 2):
        monkeypatch.setattr(surroundings, "processes", lambda n=processes: n)
        folder = tmp_path / f"{processes}"
        models.append(training.train_arm(arm, data, small, 3, training_in(folder, said.append)))
        logs.append((folder / "trial" / "EDM-seed-3" / "log.jsonl").read_text().splitlines())
    for a, b in zip(*(model.denoiser.parameters() for model in models), strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)
    one, two = ([[json.loads(line)[k] for k in ("loss", "heldout")] for line in x] for x in logs)
    assert two == [pytest.approx(line, rel=1e-5) for line in one]
    assert [line.split(" · ")[0] for line in said[:2]] == [
        "trial/EDM-seed-3: step 2/2",
        "EDM-seed-3: step 2/2",
    ]
    assert said[2:] == [
        "EDM-seed-3: all 2 steps were done before; resume='never' would train again"
    ]
    monkeypatch.setattr(training, "launch", None)
    again = training.train_arm(arm, data, small, 3, training_in(folder, said.append))
    assert same_weights(again, models[1])


@pytest.mark.parametrize("why", ["conditions", "images of one's own"])
def test_on_several_gpus_one_trains_the_rest_and_says_so(tmp_path, monkeypatch, why):
    monkeypatch.setattr(surroundings, "processes", lambda: 2)
    monkeypatch.setattr(training, "launch", None)
    small, given, said = budget("04", "smoke", TINY), {}, []
    data = described.load_for("sprites", small, 0)
    if why == "conditions":
        given = {"cond": data.train[:, :1], "heldout_cond": data.heldout[:, :1]}
    else:
        data = replace(data, loaded={})
    card = described.card(data, small, 0, "own")
    training.train_card(card, data, training_in(tmp_path, said.append), **given)
    assert said[0].startswith("own: one of 2 GPUs trains; all share what a card says wholly")


def test_a_card_of_images_without_a_name_is_not_trained_again(tmp_path):
    small = budget("04", "smoke", TINY)
    own = replace(described.load_for("sprites", small, 0), loaded={})
    card = described.card(own, small, 0, "own")
    with pytest.raises(ValueError, match="does not say how its images were loaded; take them from"):
        training.train_described(card, tmp_path)
    old = models_.pretrained("sprites").card | {"loaded": {"seed": 0}}
    with pytest.raises(ValueError, match="does not say its bf16, compile, .*cannot be trained"):
        training.train_described(old | {"images": 20, "size": 16}, tmp_path)


def test_conditions_pass_through(tmp_path):
    """To the network, to the training, to what is drawn, and onto the card."""
    small = budget("04", "smoke", TINY)
    data = described.load_for("sprites", small, 0)
    card, given = described.card(data, small, 0, "beside"), {}
    for part in ("", "heldout_"):
        images = data.heldout if part else data.train
        given[f"{part}cond"] = images[:, :2]
    model = training.train_card(card, data, kept(tmp_path), **given)
    other = training.train_card(
        card, data, kept(tmp_path / "b"), **given | {"cond": given["cond"].flip(-1)}
    )
    assert model.card["unet"]["cond_channels"] == 2 and not same_weights(model, other)
    stored = models_.load_model(tmp_path / "beside" / "beside.safetensors")
    assert stored.denoiser.net.cond_channels == 2
    conds = data.heldout[:6, :2]
    images = measure.generate(stored, 6, steps=2, cond=conds)
    assert not torch.equal(images, measure.generate(stored, 6, steps=2, cond=conds.flip(-1)))


# ------------------------------------------------------------------- the train command


def test_training_leaves_weights_that_load(tmp_path):
    small = budget("02", "smoke", {"steps": 4, "images": 32, "metric_samples": 16})
    card = train("sprites", small, tmp_path, name="tiny", report=lambda line: None)
    assert card["trained"]["steps"] == 4
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [2, 4]
    model = models_.load_model(tmp_path / "tiny.safetensors")
    images = measure.generate(model, 3, steps=2, labels=torch.tensor([0, 1, 2]))
    assert images.shape == (3, 3, 16, 16)


def test_training_goes_on_from_weights(tmp_path):
    small = budget("02", "smoke", {"steps": 2, "images": 32, "lr": 1e-9, "ema": 0})
    train("sprites", small, tmp_path, name="first", report=lambda line: None)
    first = models_.load_model(tmp_path / "first.safetensors").denoiser.net
    card = train(
        "sprites",
        small,
        tmp_path,
        name="second",
        seed=1,
        report=lambda line: None,
        start=tmp_path / "first.safetensors",
    )
    second = models_.load_model(tmp_path / "second.safetensors").denoiser.net
    assert card["started_from"]["name"] == "first"
    assert card["coefficients"] == card["started_from"]["coefficients"] == "eps"
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-3)


@pytest.mark.parametrize("predict", ["x0", "v"])
def test_the_card_says_what_the_network_predicts(tmp_path, predict):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    train("sprites", small, tmp_path, name="own", predict=predict, report=lambda line: None)
    model = models_.load_model(tmp_path / "own.safetensors")
    assert model.denoiser.coefficients is getattr(denoisers, predict)


@pytest.mark.parametrize("name", ["", "a/b", "../esc", ".hidden", "x" * 101, "ä", "a b", "a\n"])
def test_a_name_that_is_no_file_name_is_refused_before_training(tmp_path, name):
    with pytest.raises(ValueError, match="the name of a model is .*choose 1 to 100 letters"):
        train("sprites", budget("02", "smoke"), tmp_path / "out", name=name)
    assert list(tmp_path.iterdir()) == []


def test_another_name_or_lost_weights_do_not_end_a_finished_run(tmp_path):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    for name in ("A", "B-2.x_" + "x" * 94):
        card = train("sprites", small, tmp_path, name=name, report=lambda line: None)
        assert card["name"] == name
        (tmp_path / f"{name}.safetensors").unlink()
        train("sprites", small, tmp_path, name=name, report=lambda line: None)
        models_.load_model(tmp_path / f"{name}.safetensors")
    assert not list(tmp_path.glob("earlier-*"))


def test_the_card_keeps_the_trainings_before(tmp_path):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    for seed, start in ((0, None), (1, 0), (2, 1)):
        start = None if start is None else tmp_path / f"{start}" / "own.safetensors"
        card = train(
            "sprites",
            small,
            tmp_path / f"{seed}",
            name="own",
            seed=seed,
            start=start,
            report=lambda line: None,
        )
    before = card["started_from"]
    assert (before["seed"], before["data"], before["images"]) == (1, "sprites", 32)
    assert before["started_from"]["seed"] == 0
