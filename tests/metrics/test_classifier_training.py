"""Training of classifiers: it learns and repeats; the shipped cards; a Gaussian's distance."""

import pytest
import torch

from diffutils.data import load
from diffutils.data.drawn.faces import ATTRIBUTES, faces
from diffutils.metrics import classifier_training, classifiers, distances
from diffutils.metrics.classifier_training import (
    PRETRAINED,
    accuracies,
    drawn,
    gaussian_images,
    make_pretrained,
    train_classifier,
)
from diffutils.weights import cards


@pytest.fixture(scope="module")
def data():
    return load("sprites", limit=3000, heldout=3000, seed=11)


def test_training_learns(data):
    net = train_classifier(data.train, data.train_labels, 300, width=16, batch=64)
    assert classifiers.accuracy(net, data.heldout, data.heldout_labels) > 0.7
    assert not any(p.requires_grad for p in net.parameters()) and not net.training


def test_training_repeats(data):
    def train(seed):
        net = train_classifier(data.train, data.train_labels, 3, width=8, batch=16, seed=seed)
        return torch.cat([p.flatten() for p in net.parameters()])

    assert torch.equal(train(4), train(4)) and not torch.equal(train(4), train(5))


def test_labels_must_match():
    with pytest.raises(ValueError, match="3 images need 3 labels, got 2"):
        train_classifier(torch.zeros(3, 3, 16, 16, dtype=torch.uint8), torch.zeros(2).long())


def test_moves_by_whole_pixels_and_repeats_the_edge():
    x = torch.arange(9.0).view(1, 1, 3, 3).expand(2, 1, 3, 3)
    moved = classifier_training._moved(x, torch.tensor([[1, 0], [0, -1]]))
    assert moved[0, 0].tolist() == [[0, 1, 2], [0, 1, 2], [3, 4, 5]]
    assert moved[1, 0].tolist() == [[1, 2, 2], [4, 5, 5], [7, 8, 8]]


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


def test_several_attributes_are_learnt_at_once_and_the_same_again():
    images, codes = drawn("faces-features", 256, 0)
    sizes = [*map(len, ATTRIBUTES.values())]
    settings = dict(sizes=sizes, batch=32, width=16, shift=0)
    nets = [train_classifier(images, codes, 80, **settings) for _ in range(2)]
    one, two = (classifiers.features(net, images[:8]) for net in nets)
    assert torch.equal(one, two) and nets[0].head.out_features == sum(sizes)
    read = accuracies(nets[0], images, codes, ATTRIBUTES)
    assert list(read) == list(ATTRIBUTES)
    assert read["hair_colour"] > 2 / len(ATTRIBUTES["hair_colour"])  # twice chance


@pytest.mark.parametrize("name", PRETRAINED)
def test_pretraining_writes_weights_and_a_card_like_the_shipped_one(name, tmp_path):
    card = make_pretrained(name, tmp_path, n=600, steps=20, width=8)
    net = classifiers.load_classifier(name, tmp_path)
    assert net.card == card and net.head.in_features == 32
    kind = "kernel" if "kernel_n" in card["metrics"] else "frechet"  # by how many are held out
    assert card["metrics"][f"{kind}_gaussian"] > card["metrics"][f"{kind}_floor"]
    shipped = cards.read_card(cards.PRETRAINED / f"{name}.json")
    targets, images, settings = PRETRAINED[name]
    assert shipped["targets"] == {key: list(values) for key, values in targets.items()}
    assert {key: shipped[key] for key in settings} == settings
    assert f"{images} images" in shipped["data"]
    assert (shipped["dataset"], shipped["role"]) == tuple(name.split("-"))
    assert shipped.keys() == card.keys() and shipped["made_by"] == card["made_by"]


def test_faces_are_hard_for_a_gaussian():
    net = classifiers.load_classifier("faces-features")
    assert net.card["metrics"]["frechet_gaussian"] >= 10 * net.card["metrics"]["frechet_floor"]
    images, codes = drawn("faces-features", 100, 0, "heldout")
    read = accuracies(net, images, codes, ATTRIBUTES)
    assert sum(read.values()) / len(read) > 0.6
    assert read["skin"] > 0.9 and read["hair_colour"] > 0.9


@pytest.mark.slow
def test_the_distance_of_a_gaussian_is_still_what_the_card_says():
    net = classifiers.load_classifier("faces-features")
    real = classifiers.features(net, faces(1000, split="heldout")[0])
    fitted = classifiers.features(net, gaussian_images(faces(1000)[0], 500))
    floor = distances.frechet(real[:500], real[500:])
    assert distances.frechet(fitted, real[:500]) > 10 * floor
