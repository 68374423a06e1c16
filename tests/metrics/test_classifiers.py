"""Classifiers: they learn, they survive small changes, and the shipped ones are what cards say."""

import json

import pytest
import torch

from diffutils.data import load, to_float, to_uint8
from diffutils.data.drawn import sprites
from diffutils.metrics import classifiers as F
from diffutils.metrics import distances
from diffutils.weights.cards import PRETRAINED

NAMES = ("sprites-features", "sprites-judge")


@pytest.fixture(scope="module")
def data():
    return load("sprites", limit=3000, heldout=3000, seed=11)


@pytest.mark.parametrize("size, channels, width", [(16, 3, 32), (28, 1, 8), (64, 3, 16)])
def test_shapes_at_any_size(size, channels, width):
    net = F.Classifier(5, channels, width)
    x = torch.zeros(2, channels, size, size)
    assert net(x).shape == (2, 5)
    assert net.features(x).shape == (2, 4 * width)
    assert torch.allclose(net(x), net.head(net.features(x)))


@pytest.mark.parametrize("shape", [(1, 3, 8, 16), (1, 1, 16, 16)])
def test_wrong_images_are_named(shape):
    with pytest.raises(ValueError, match="reads 3 channels and at least 16 x 16"):
        F.Classifier(2)(torch.zeros(shape))


def test_features_do_not_depend_on_the_batch(data):
    net = F.random_features(3, seed=1, width=8)
    images = data.heldout[:50]
    whole = F.features(net, images)
    assert whole.shape == (50, 32) and whole.dtype == torch.float64
    assert torch.allclose(whole, F.features(net, images, batch=7), atol=1e-6)


def test_random_features_depend_on_the_seed_only(data):
    before = torch.random.get_rng_state()
    one, same, other = (F.features(F.random_features(3, s), data.heldout[:9]) for s in (1, 1, 2))
    assert torch.equal(one, same) and not torch.allclose(one, other)
    assert torch.equal(before, torch.random.get_rng_state())


def test_accuracy_counts():
    class Fixed(F.Classifier):
        def forward(self, x):
            return torch.tensor([[0.0, 1.0]]).expand(len(x), 2)

    images = torch.zeros(5, 3, 16, 16, dtype=torch.uint8)
    assert F.accuracy(Fixed(2), images, torch.tensor([1, 1, 1, 0, 1]), batch=2) == 0.8


@pytest.mark.parametrize("name, enough", [("sprites-features", 0.8), ("sprites-judge", 0.97)])
def test_shipped_networks_are_as_good_as_their_cards(name, enough, data):
    net = F.load_classifier(name)
    card = json.loads((PRETRAINED / f"{name}.json").read_text())
    assert net.card == card and len(card["targets"]["class"]) == net.head.out_features
    for key in ("data", "licence", "steps", "seed", "hardware", "date", "made_by", "metrics"):
        assert key in card, key
    labels = data.heldout_labels
    if name == "sprites-features":
        first = torch.from_numpy(sprites.palettes(3000, 11, "heldout")[:, 0])
        labels = labels * len(sprites.RAMPS) + first
    right = F.accuracy(net, data.heldout, labels)
    assert right >= enough and abs(right - card["metrics"]["heldout_accuracy"]["class"]) < 0.03
    noise = torch.randn(data.heldout.shape, generator=torch.Generator().manual_seed(0))
    noisy = to_uint8(to_float(data.heldout) + 0.1 * noise)
    assert F.accuracy(net, noisy, labels) >= enough


def test_features_see_a_generator_that_draws_few_colours(data):
    net = F.load_classifier("sprites-features")
    real, train = F.features(net, data.heldout), F.features(net, data.train)
    reddish = data.train.float().mean((2, 3)).argmax(1) == 0
    floor = distances.frechet(train, real)
    assert distances.frechet(train[reddish], real) > 10 * floor


def test_the_judge_is_not_the_feature_network():
    one, other = (F.load_classifier(name) for name in NAMES)
    assert one.head.in_features != other.head.in_features
    assert one.card["seed"] != other.card["seed"] and one.card["data"] != other.card["data"]


def test_a_fitted_gaussian_is_far_from_the_sprites(data):
    net = F.load_classifier("sprites-features")
    pixels = data.train.flatten(1).double()
    fitted = torch.distributions.MultivariateNormal(
        pixels.mean(0), torch.cov(pixels.T) + 1e-3 * torch.eye(pixels.shape[1])
    )
    torch.manual_seed(0)
    fake = fitted.sample((3000,)).round().clamp(0, 255).to(torch.uint8).view(data.train.shape)
    real, train = F.features(net, data.heldout), F.features(net, data.train)
    assert distances.frechet(F.features(net, fake), real) > 10 * distances.frechet(train, real)


def test_unknown_names_are_answered_with_the_list():
    with pytest.raises(ValueError, match="no classifier 'faces'; there are: .*sprites-judge"):
        F.load_classifier("faces")
