"""The drawn sprites: deterministic, fast, without copies or leaks, and hard enough to fail on."""

import hashlib
import time

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from diffutils.data.drawn import sprites as module
from diffutils.data.drawn.sprites import CLASSES, contact_sheet, held_out, sprites


def rows(images):
    """One opaque value for each image, so that whole images can be compared."""
    return np.ascontiguousarray(images.reshape(len(images), -1)).view("V768").ravel()


def test_shapes_types_and_balance():
    images, labels = sprites(4000)
    assert images.shape == (4000, 3, 16, 16) and images.dtype == np.uint8
    assert labels.shape == (4000,) and labels.dtype == np.int64
    counts = np.bincount(labels, minlength=len(CLASSES))
    assert len(CLASSES) >= 5 and counts.min() > 0.8 * 4000 / len(CLASSES)


def test_an_image_depends_on_seed_split_and_index_only():
    long, long_labels = sprites(500, seed=3)
    short, short_labels = sprites(40, seed=3)
    assert (long[:40] == short).all() and (long_labels[:40] == short_labels).all()
    for other in (sprites(500, seed=4)[0], sprites(500, seed=3, split="heldout")[0]):
        assert (long != other).any((1, 2, 3)).mean() > 0.99


def test_the_distribution_is_the_one_that_the_shipped_weights_learned():
    digests = {}
    for split in ("train", "heldout"):
        images, labels = sprites(2000, seed=7, split=split)
        digests[split] = hashlib.sha256(images.tobytes() + labels.tobytes()).hexdigest()[:16]
    assert digests == {"train": "d25ec85f0b827338", "heldout": "c28aa04b479aab3e"}


def test_edges_of_the_arguments():
    images, labels = sprites(0)
    assert images.shape == (0, 3, 16, 16) and labels.shape == (0,)
    for seed in (-1, 2**64 - 1):
        assert len(sprites(2, seed=seed)[0]) == 2
    with pytest.raises(ValueError, match="n=-1"):
        sprites(-1)
    with pytest.raises(ValueError, match="'train' or 'heldout'"):
        sprites(1, split="test")


def test_the_split_obeys_the_rule_for_pairs(monkeypatch):
    end = module._bank()[1][1]
    monkeypatch.setattr(module, "held_out", lambda shape, palette: shape < end)
    assert (sprites(2000)[1] > 0).all()
    assert (sprites(200, split="heldout")[1] == 0).all()


def test_no_held_out_image_is_a_training_image():
    train = np.concatenate([sprites(20_000, seed)[0] for seed in (0, 1)])
    heldout = np.concatenate([sprites(10_000, seed, "heldout")[0] for seed in (0, 1)])
    assert not np.intersect1d(rows(train), rows(heldout)).size


def test_a_tenth_of_the_pairs_is_held_out_in_every_class():
    roles, starts, used, _ = module._bank()
    key = np.arange(80_000, dtype=np.uint64)
    shape, palette, label = module._choose(key, starts, used)
    kept = held_out(shape, palette)
    shares = [kept[label == i].mean() for i in range(len(CLASSES))]
    assert 0.08 < min(shares) and max(shares) < 0.12


def test_shapes_are_many_distinct_and_fit_the_frame():
    roles, starts, used, room = module._bank()
    assert np.diff(starts).min() >= 200
    assert len(np.unique(roles[:, 0].reshape(len(roles), -1), axis=0)) == len(roles)
    assert (used.sum(1) >= 3).all() and (room >= 0).all()
    # The outline is closed: no material touches the frame before the picture is moved.
    frame = np.concatenate([roles[..., 0, :], roles[..., -1, :], roles[..., 0], roles[..., -1]])
    assert (frame < 4).all()
    # A held-out picture is new, whatever its palette: no two shapes differ only in what is a or b.
    assert len({min(_renamed(way) for way in shape) for shape in roles[::7]}) == len(roles[::7])


def _renamed(roles):
    """A shape with its materials numbered in the order in which they appear."""
    material = np.where(roles >= 4, roles // 4, 0)
    order = [m for m in dict.fromkeys(material.ravel().tolist()) if m]
    table = np.arange(20, dtype=np.uint8)
    for new, old in enumerate(order, 1):
        table[4 * old : 4 * old + 4] = np.arange(4 * new, 4 * new + 4)
    return table[roles].tobytes()


def test_palettes_belong_to_the_images():
    images, labels = sprites(300, seed=2, split="heldout")
    palette = module.palettes(300, seed=2, split="heldout")
    assert palette.shape == (300, 4)
    for image, label, ramps in zip(images, labels, palette, strict=True):
        if CLASSES[label] == "hero":  # every hero shows the middle tone of its second material
            colour = module.RAMPS[ramps[1], module.MID]
            assert (image == colour[:, None, None]).all(0).any()


def test_the_background_is_white_and_colours_are_few():
    images, _ = sprites(200)
    white = (images == 255).all(1)
    assert white.mean((1, 2)).min() > 0.15
    colours = [len(np.unique(x.reshape(3, -1), axis=1).T) for x in images]
    assert max(colours) <= 20


def test_copies_are_rare():
    images, _ = sprites(20_000)
    assert 20_000 - len(np.unique(rows(images))) <= 20


def test_a_thousand_a_second():
    sprites(10)
    start = time.perf_counter()
    sprites(5000)
    assert time.perf_counter() - start < 5


def test_classes_are_not_linear_in_the_pixels():
    images, labels = (torch.from_numpy(x) for x in sprites(6000))
    x = images.flatten(1).float() / 127.5 - 1
    probe = torch.nn.Linear(768, len(CLASSES))
    torch.nn.init.zeros_(probe.weight)
    optimizer = torch.optim.LBFGS(probe.parameters(), max_iter=60, line_search_fn="strong_wolfe")

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(probe(x[:4000]), labels[:4000])
        loss = loss + 0.01 * probe.weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    right = (probe(x[4000:]).argmax(1) == labels[4000:]).float().mean()
    assert 0.3 < right < 0.8


def test_the_contact_sheet_shows_every_class():
    sheet = contact_sheet(columns=4, scale=2)
    assert sheet.shape == (18 * len(CLASSES) * 2, 18 * 4 * 2, 3) and sheet.dtype == np.uint8
    cells = sheet.reshape(len(CLASSES), 36, 4, 36, 3).min((1, 3, 4))
    assert (cells < 100).all()
