"""Own arrays, npz:; names, layouts, ranges, labels and a test part."""

import numpy as np
import pytest
import torch
from made_images import heard, pictures

from diffutils.data import load
from diffutils.data.arrays import in_order


def test_npz_layouts_types_and_labels(tmp_path):
    images = pictures(50)
    variants = {
        "hwc": images,
        "chw": images.transpose(0, 3, 1, 2),
        "unit": images / 255.0,
        "signed": (images / 127.5 - 1).astype(np.float32),
        "wide": images.astype(np.uint16) * 257,
    }
    expected = None
    for name, array in variants.items():
        np.savez(tmp_path / f"{name}.npz", images=array, labels=np.arange(50) % 3)
        data = load(f"npz:{tmp_path / name}.npz")
        assert data.classes == ("0", "1", "2") and len(data.heldout_labels) == len(data.heldout)
        expected = data.train if expected is None else expected
        assert torch.equal(data.train, expected), name


def test_npz_test_part_one_hot_and_names(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(
        path,
        images=pictures(30)[..., 0],
        labels=np.eye(4)[np.arange(30) % 4],
        test_images=pictures(7, seed=1)[..., 0],
        test_labels=np.eye(4)[np.arange(7) % 4],
        classes=np.array(["n", "e", "s", "w"]),
    )
    data = load(f"npz:{path}", size=8)
    assert (tuple(data.train.shape), tuple(data.heldout.shape)) == ((30, 1, 8, 8), (7, 1, 8, 8))
    assert data.classes == ("n", "e", "s", "w")
    assert data.heldout_labels.tolist() == [0, 1, 2, 3, 0, 1, 2]
    np.savez(path, images=pictures(30), labels=np.arange(30) % 2, test_images=pictures(7, seed=1))
    assert load(f"npz:{path}").heldout_labels is None


def write(folder, **arrays):
    np.savez(folder / "own.npz", **arrays)
    return f"npz:{folder / 'own.npz'}"


RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    "train, test, brightest",
    [
        (RANDOM.integers(0, 65536, (40, 8, 8), np.uint16), np.full((6, 8, 8), 257, np.uint16), 1),
        (RANDOM.uniform(-1, 1, (40, 8, 8)), np.zeros((6, 8, 8)), 128),
        (RANDOM.integers(0, 256, (40, 8, 8)), np.ones((6, 8, 8), np.uint8), 1),
        (RANDOM.uniform(0, 255, (40, 8, 8)), np.full((6, 8, 8), 0.9), 1),
    ],
    ids=["uint16", "signed", "whole", "floats"],
)
def test_black_and_white_are_those_of_the_whole_set(tmp_path, train, test, brightest):
    """A dark part, judged alone, would be another scale."""
    data, said, warned = heard(write(tmp_path, images=train, test_images=test))
    assert int(data.heldout.max()) == int(data.heldout.min()) == brightest
    assert int(data.train.max()) >= 254 and not warned
    assert "is black" in said and "is white" in said


@pytest.mark.parametrize(
    "images, told",
    [
        (RANDOM.integers(0, 17, (40, 8, 8)), "is it 16, or 255"),
        (RANDOM.integers(4000, 4096, (40, 8, 8), np.uint16), "is it 4095, or 65535"),
        (RANDOM.uniform(0, 1.3, (40, 8, 8)), r"or 255\? Multiply them"),
        (RANDOM.uniform(-0.1, 1, (40, 8, 8)), r"may be \[-1, 1\], or \[0, 1\]"),
        (RANDOM.normal(0, 1, (40, 8, 8)), r"expected \[0, 255\]"),
        (pictures(40, 4, channels=4), r"\(N, H, W, C\) or \(N, C, H, W\)"),
        (RANDOM.integers(0, 256, (28, 28, 60), np.uint8), r"\(N, H, W\) or \(H, W, N\)"),
        (RANDOM.integers(0, 256, (20, 8, 600), np.uint8), "number of images first"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused(tmp_path, images, told):
    with pytest.raises(ValueError, match=told):
        heard(write(tmp_path, images=images))


def test_numbers_that_belie_their_type_are_named(tmp_path):
    masks = RANDOM.integers(0, 2, (40, 8, 8), np.uint8)
    data, _, warned = heard(write(tmp_path, images=masks))
    assert data.train.max() == 255 and "no pixel is above 1" in warned
    _, _, warned = heard(write(tmp_path, images=pictures(40).astype(np.uint16)))
    assert "255 is white, not 65535" in warned
    _, _, warned = heard(write(tmp_path, images=pictures(40) // 16))
    assert "nearly black" in warned


def test_parts_of_two_types_are_refused(tmp_path):
    images, test = pictures(40), pictures(6, seed=1)
    for other in (test / 255.0, test > 99):
        with pytest.raises(ValueError, match="one number may mean two greys"):
            heard(write(tmp_path, images=images, test_images=other))
    y = np.arange(40) % 3
    for labels in (np.eye(3)[np.arange(6) % 3], np.array(["0", "1", "2"] * 2)):
        with pytest.raises(ValueError, match="write both in the same way"):
            heard(write(tmp_path, images=images, labels=y, test_images=test, test_labels=labels))


@pytest.mark.parametrize(
    "names", ["x_train y_train x_test y_test", "X y testX testy", "train_images train_labels"]
)
def test_names_that_widespread_files_use(tmp_path, names):
    y = np.arange(40) % 3
    arrays = dict(zip(names.split(), (pictures(40), y, pictures(6, seed=1), y[:6]), strict=False))
    data, said, warned = heard(write(tmp_path, **arrays))
    assert data.classes == ("0", "1", "2") and not warned
    assert f"{names.split()[0]} as images" in said
    assert len(arrays) == 2 or (len(data.train), len(data.heldout)) == (40, 6)


def test_arrays_that_are_not_used_are_named_and_two_for_one_purpose_refused(tmp_path):
    _, said, warned = heard(write(tmp_path, arr_0=pictures(40), arr_1=np.arange(40) % 2))
    assert "not used: arr_1 (40,)" in warned and "not used: arr_1" in said
    _, _, warned = heard(write(tmp_path, images=pictures(40), val_images=pictures(5)))
    assert "not used: val_images (5, 12, 12, 3)" in warned
    with pytest.raises(ValueError, match="data and images, and each may be the images"):
        heard(write(tmp_path, data=pictures(40).reshape(40, -1), images=pictures(40)))
    with pytest.raises(ValueError, match="holds classes.*but no labels"):
        heard(write(tmp_path, images=pictures(40), classes=np.arange(40) % 3))


def test_labels_of_every_usual_type(tmp_path):
    y = np.arange(40) % 2
    for labels in (y.astype(float), y[:, None], np.eye(2, dtype=bool)[y], y.astype(">u2")):
        assert heard(write(tmp_path, images=pictures(40), labels=labels))[0].classes == ("0", "1")
    words = np.array(["dög".encode(), b"cat"])[y]
    data = heard(write(tmp_path, images=pictures(40), labels=words))[0]
    assert data.classes == ("cat", "dög")
    named = heard(write(tmp_path, images=pictures(40), labels=words, classes=["dög", "cat"]))[0]
    assert named.classes == ("dög", "cat") and torch.equal(
        named.train_labels, 1 - data.train_labels
    )


@pytest.mark.parametrize(
    "labels, told",
    [
        (np.where(np.arange(40) % 3, 1.0, np.nan), "14 are missing"),
        (np.tile([0.3, 1.0], (40, 1)), "are not one-hot"),
        (np.array(["", "a"] * 20), "20 of labels are empty"),
        (np.array(["nan", "a"] * 20), "20 of labels are empty"),
        (np.array([["a", "b"]] * 40), "one name for each image"),
        (np.array([b"\xff"] * 40), "no text in UTF-8"),
    ],
)
def test_labels_that_are_none(tmp_path, labels, told):
    with pytest.raises(ValueError, match=told):
        heard(write(tmp_path, images=pictures(40), labels=labels))


def test_images_in_their_order_are_those_of_the_set(tmp_path):
    x, y = RANDOM.uniform(-1, 1, (40, 8, 8)), RANDOM.uniform(0, 1, (6, 8, 8))
    data, _, _ = heard(write(tmp_path, x_train=y, x_test=x))
    assert torch.equal(data.train[:, 0], torch.from_numpy(in_order(tmp_path / "own.npz")[..., 0]))


def test_classes_of_one_name_are_refused(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (40, 8, 8), dtype=np.uint8)
    spec = write(tmp_path, images=images, labels=np.arange(40) % 2, classes=np.array(["a", "a"]))
    with pytest.raises(ValueError, match="none of them twice"):
        load(spec)
