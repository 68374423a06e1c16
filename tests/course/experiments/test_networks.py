"""The networks a lesson samples from: which images they saw, what they bring, how they train."""

import json
import math

import pytest
import torch

from diffutils.course.experiments import networks
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.data import load
from diffutils.lessons import budget
from diffutils.weights import cards
from diffutils.weights import models as models_


def content(images):
    return [image.numpy().tobytes() for image in images]


@pytest.fixture(scope="module")
def shipped():
    """The shipped sprites at a small budget; `train` is None, since nothing may train."""
    (model,), data = networks.networks(
        "sprites", budget("03", "smoke", {"pretrained": True}), 3, None
    )
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


def test_the_log_beside_a_model(tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    assert networks.log_of("mine") == []
    path = tmp_path / "mine.log.jsonl"
    path.write_text('{"step": 1, "loss": 0.5}\n{"step": 2, "loss": null}\n')
    assert networks.log_of("mine") == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": None}]
    path.write_text('{"step": 1, "loss": 0.5}\n{"step": 2, "lo')
    with pytest.raises(ValueError, match=r"mine\.log\.jsonl is damaged in line 2 .* fetch it"):
        networks.log_of("mine")


FEW = {"images": 40, "steps": 4, "log_every": 2, "batch": 8, "seeds": 2}


def trained(folder, dataset="sprites", **changes):
    """Models, data, and the (name, seed) of each training, kept in a folder."""
    asked = []

    def train(name, *arguments, seed, **settings):
        asked.append((name, seed))
        yield from recorded_fit(folder / name, *arguments, seed=seed, **settings)

    chosen = budget("03", "smoke", FEW | {"pretrained": False} | changes)
    models, data = networks.networks(dataset, chosen, 5, train)
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
    models, data, asked = trained(tmp_path, "digits", pretrained=True, seeds=1)
    assert asked == [("model-0", 5)] and models[0].card["data"] == "digits" == data.name
