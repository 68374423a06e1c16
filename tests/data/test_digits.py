"""scikit-learn's digits at 32 x 32: band-limited, labelled, and on photo patches."""

import numpy as np
import torch

from diffutils.data import load
from diffutils.data.digits import digits, interpolation, on_photos


def test_all_digits_with_labels():
    images, labels = digits()
    assert images.shape == (1797, 32, 32, 1) and images.dtype == np.uint8
    assert sorted(set(labels)) == list(range(10)) and images.max() == 255
    assert images[:, :2].max() <= 20 and images[:, :, :1].max() <= 20  # the margin is nearly empty


def test_the_interpolation_is_band_limited_and_keeps_a_constant():
    matrix = interpolation(64, 192, 3.0)
    inner = matrix[30:-30]
    assert np.abs(inner.sum(1) - 1).max() < 0.01
    impulse = matrix[:, 32]
    spectrum = np.abs(np.fft.rfft(impulse)) ** 2
    band = len(spectrum) // 3  # half a cycle per original sample
    assert spectrum[int(1.5 * band) :].sum() < 1e-3 * spectrum.sum()


def test_original_samples_come_back():
    x = np.random.default_rng(0).random(21)
    large = interpolation(21, 63, 3.0) @ x
    assert np.abs(large[1::3] - x).max() < 1e-12


def test_the_split_shares_no_digit():
    data = load("digits")
    assert len(data.train) + len(data.heldout) == 1797 and 130 < len(data.heldout) < 230
    train = {bytes(image.numpy()) for image in data.train}
    assert not any(bytes(image.numpy()) in train for image in data.heldout)
    assert data.heldout_labels.bincount().min() >= 8


def test_digits_on_photos_are_the_absolute_difference():
    grey = load("digits", limit=50, heldout=20)
    data = on_photos(grey, "x", seed=1)
    assert data.shape == (3, 32, 32) and torch.equal(data.train_labels, grey.train_labels)
    black = grey.train.expand_as(data.train) == 0
    plain = on_photos(
        grey.__class__("z", torch.zeros_like(grey.train), torch.zeros_like(grey.heldout)),
        "y",
        seed=1,
    )
    assert torch.equal(data.train[black], plain.train[black])
    white = grey.train.expand_as(data.train) == 255
    assert torch.equal(data.train[white], 255 - plain.train[white])
