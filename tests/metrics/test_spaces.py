"""Spaces: named ones, those that a data set's cards ask for, and the judges of its classes."""

import pytest
import torch

from diffutils.data import load
from diffutils.metrics import classifiers, spaces
from diffutils.weights import cards


def images(n, side=16, channels=3):
    random = torch.Generator().manual_seed(0)
    return torch.randint(256, (n, channels, side, side), generator=random).to(torch.uint8)


@pytest.mark.parametrize("dataset", ["sprites", "faces"])
def test_a_drawn_set_has_the_classifier_of_its_card(dataset):
    space, x = spaces.of(dataset, 3), images(5)
    net = classifiers.load_classifier(f"{dataset}-features")
    assert space.words == f"features of the classifier {dataset}-features"
    assert torch.equal(space.features(x), classifiers.features(net, x))
    assert (space.frechet, space.kernel) == ("Fréchet distance", "kernel distance")


@pytest.mark.parametrize("channels", [1, 3])
def test_any_other_set_has_random_features(channels):
    space, x = spaces.of("mnist", channels), images(5, 28, channels)
    assert space.words == "features of a random convolutional network"
    want = classifiers.features(classifiers.random_features(channels), x)
    assert torch.equal(space.features(x), want)


def test_a_judge_is_found_by_its_card_and_is_not_the_feature_network():
    judge, data = spaces.judge("sprites"), load("sprites", limit=1, heldout=64)
    assert judge(data.heldout, data.heldout_labels) == 1
    assert judge(data.heldout, (data.heldout_labels + 1) % 8) == 0
    assert spaces.judge("faces") is None and spaces.judge("mnist") is None
    names = {classifiers.shipped_for("sprites", role) for role in ("features", "judge")}
    assert names == {"sprites-features", "sprites-judge"}


def test_a_new_classifier_needs_nothing_but_its_card(tmp_path, monkeypatch):
    net = classifiers.random_features(1, width=8)
    about = {"classifier": {"classes": 1, "in_channels": 1, "width": 8}}
    card = {"name": "rings", "dataset": "rings", "role": "features"} | about
    cards.save_weights(tmp_path / "rings.safetensors", net, card, torch.float32)
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    space, x = spaces.of("rings", 1), images(4, 16, 1)
    assert space.words == "features of the classifier rings"
    assert torch.equal(space.features(x), classifiers.features(net, x))
    assert spaces.judge("rings") is None
