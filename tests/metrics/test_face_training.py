"""The feature network of drawn faces, and the baseline that a model of them has to beat."""

import json

import pytest
import torch

from diffutils.data.drawn.faces import ATTRIBUTES, faces
from diffutils.metrics import classifiers, distances
from diffutils.metrics.face_training import (
    NAME,
    SIZES,
    accuracies,
    gaussian_images,
    make_pretrained,
    train_attributes,
)
from diffutils.weights import cards

shipped = pytest.mark.skipif(
    not (cards.PRETRAINED / f"{NAME}.safetensors").is_file(), reason="no shipped weights"
)


def test_the_fitted_gaussian_has_the_mean_and_covariance_of_the_images():
    g = torch.Generator().manual_seed(0)
    mix = torch.randn(12, 12, generator=g) * 6
    images = (128 + torch.randn(4000, 12, generator=g) @ mix).clamp(0, 255).to(torch.uint8)
    fitted = gaussian_images(images.view(-1, 3, 2, 2), 4000).flatten(1).double()
    real = images.double()
    assert fitted.shape == (4000, 12)
    assert (fitted.mean(0) - real.mean(0)).abs().max() < 2
    error = torch.cov(fitted.T) - torch.cov(real.T)
    assert error.abs().max() < 0.1 * torch.cov(real.T).abs().max()


def test_training_depends_on_the_seed_only_and_learns():
    images, codes = faces(256, 16)
    nets = [train_attributes(images, codes, 60, batch=32, width=16) for _ in range(2)]
    one, two = (classifiers.features(net, images[:8]) for net in nets)
    assert torch.equal(one, two)
    read = accuracies(nets[0], images, codes)
    assert list(read) == list(ATTRIBUTES)
    assert read["hair_colour"] > 2 / len(ATTRIBUTES["hair_colour"])  # twice chance


def test_the_card_says_how_to_read_the_weights(tmp_path):
    card = make_pretrained(tmp_path, n=700, steps=1)
    assert json.loads((tmp_path / f"{NAME}.json").read_text())["metrics"] == card["metrics"]
    net = classifiers.load_classifier(NAME, tmp_path)
    assert net.head.out_features == sum(SIZES) and net.head.in_features == 128


@shipped
def test_faces_are_hard_for_a_gaussian():
    net = classifiers.load_classifier(NAME)
    assert net.card["metrics"]["frechet_gaussian"] >= 10 * net.card["metrics"]["frechet_floor"]
    images, codes = faces(100, split="heldout")
    read = accuracies(net, images, codes)
    assert sum(read.values()) / len(read) > 0.6
    assert read["skin"] > 0.9 and read["hair_colour"] > 0.9


@shipped
@pytest.mark.slow
def test_the_distance_of_a_gaussian_is_still_what_the_card_says():
    net = classifiers.load_classifier(NAME)
    real = classifiers.features(net, faces(1000, split="heldout")[0])
    fitted = classifiers.features(net, gaussian_images(faces(1000)[0], 500))
    floor = distances.frechet(real[:500], real[500:])
    assert distances.frechet(fitted, real[:500]) > 10 * floor
