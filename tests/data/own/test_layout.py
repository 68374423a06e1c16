"""Folders around images: split and classes, said aloud; refused where there are two readings."""

import numpy as np
import pytest
from made_images import heard, pictures, tree
from PIL import Image

from diffutils.data import load

PAIR = {"cat": 6, "dog": 6}


def both(*parts, classes=("cat", "dog"), n=6):
    return {f"{part}/{c}": n for part in parts for c in classes}


@pytest.mark.parametrize(
    "parts",
    [
        ("train", "test"),
        ("Train", "Val"),
        ("train", "dev"),
        ("seg_train", "seg_test"),
        ("train2017", "val2017"),
        ("training_set", "test_set"),
        ("trainset", "testset"),
        ("train-images", "eval-images"),
        ("trainval", "held-out"),
    ],
)
def test_pairs_of_folders_are_the_split(tmp_path, parts):
    train, test = parts
    data, said, warned = heard(tree(tmp_path, both(*parts)))
    assert (len(data.train), len(data.heldout), data.classes) == (12, 12, ("cat", "dog"))
    assert f"trained on {train}/, held out {test}/" in said and "cat 12, dog 12" in said
    assert not warned and data.notes[0] in said


@pytest.mark.parametrize("extra", ["unlabeled", "ground_truth", "train_masks", "seg_pred"])
def test_what_is_no_part_of_the_split_is_left_out_and_named(tmp_path, extra):
    data, said, warned = heard(tree(tmp_path, both("train", "test", extra)))
    assert (len(data.train), len(data.heldout), data.classes) == (12, 12, ("cat", "dog"))
    assert f"12 images outside test and train are left out: {extra}/" in warned
    assert f"left out: {extra}/" in said


@pytest.mark.parametrize(
    "counts",
    [
        both("train_photos", "test_sketches"),
        both("train2014", "val2014", "train2017", "val2017"),
        {"test": 6, "cat": 6, "dog": 6},
        {"train": 6, "unlabeled": 6},
        both("train", "extra"),
    ],
)
def test_folders_that_may_be_a_split_or_classes_are_refused_until_chosen(tmp_path, counts):
    spec = tree(tmp_path, counts)
    with pytest.raises(ValueError, match=r'read as a split, or as classes.*label="folders"'):
        load(spec)
    tops = sorted({folder.partition("/")[0] for folder in counts})
    assert list(load(spec, label="folders").classes) == tops


def test_classes_that_are_called_like_a_part_are_classes_with_a_word(tmp_path):
    data, _, warned = heard(tree(tmp_path / "a", {"bus": 6, "car": 6, "train": 6}))
    assert data.classes == ("bus", "car", "train") and "train is taken for a class" in warned
    data, _, warned = heard(tree(tmp_path / "b", {"constrained": 6, "contested": 6}))
    assert data.classes == ("constrained", "contested") and not warned


def test_a_split_within_the_classes_is_refused(tmp_path):
    spec = tree(tmp_path, {f"{c}/{part}": 6 for c in PAIR for part in ("train", "test")})
    with pytest.raises(ValueError, match="a split within each class.*as in train/cat"):
        load(spec)
    assert load(spec, label="folders").classes == ("cat", "dog")


@pytest.mark.parametrize("wrapper", ["", "data/", "a/b/"])
def test_wrappers_are_looked_into(tmp_path, wrapper):
    parts = ("train", "test")
    counts = {f"{wrapper}seg_{part}/seg_{part}/{c}": 6 for part in parts for c in PAIR}
    data, said, warned = heard(tree(tmp_path, counts))
    assert (len(data.train), data.classes) == (12, ("cat", "dog")) and not warned
    assert f"trained on {wrapper}seg_train/" in said


def test_a_stray_image_is_left_out_and_many_are_refused(tmp_path):
    spec = tree(tmp_path, {"cat": 12, "dog": 12, ".": 1})
    data, said, warned = heard(spec)
    assert data.classes == ("cat", "dog") and len(data.train) + len(data.heldout) == 24
    assert "1 images beside the class folders are left out: 0.png" in warned
    tree(tmp_path, {".": 8}, start=9)
    with pytest.raises(ValueError, match=r'8 images lie beside.*label="folders".*label="none"'):
        load(spec)
    assert load(spec, label="folders").classes == ("cat", "dog")
    plain = load(spec, label="none")
    assert plain.classes == () and len(plain.train) + len(plain.heldout) == 32


def test_a_stray_image_beside_a_wrapper_costs_no_class(tmp_path):
    data, _, warned = heard(tree(tmp_path, {".": 1, "own/cat": 12, "own/dog": 12}))
    assert data.classes == ("cat", "dog") and "left out: 0.png" in warned


def test_held_out_images_without_labels_are_left_out_where_others_have_some(tmp_path):
    spec = tree(tmp_path, both("train", n=12) | {"test": 5})
    data, said, warned = heard(spec)
    assert data.classes == ("cat", "dog") and len(data.train) + len(data.heldout) == 24
    assert len(data.heldout_labels) == len(data.heldout)
    assert "5 images to hold out have no labels and are left out" in warned
    data = load(spec, label="none")
    assert (len(data.train), len(data.heldout), data.classes) == (24, 5, ())


def test_folders_of_the_held_out_part_that_are_no_classes_are_not_read(tmp_path):
    counts = {f"train/n0{i}/images": 10 for i in range(2)}
    data, _, warned = heard(tree(tmp_path / "tiny", counts | {"val/images": 6}))
    assert data.classes == ("n00", "n01") and "6 images to hold out have no labels" in warned
    counts = both("train") | both("test", classes=("lynx", "wolf"))
    data, _, warned = heard(tree(tmp_path / "other", counts))
    assert data.classes == ("cat", "dog")
    assert "folders of test (lynx, wolf) are no classes of the training part" in warned


def test_classes_that_are_never_trained_on_or_small_are_named(tmp_path):
    counts = both("train", "test", n=12) | {"test/lynx": 2, "train/Cat": 3}
    data, said, warned = heard(tree(tmp_path, counts))
    assert "held-out classes never trained on: lynx" in warned and "never trained on" in said
    assert "fewer than 5 images: Cat (3), lynx (2)" in warned
    assert "differ by case or spaces alone: 'Cat', 'cat'" in warned


def test_one_class_held_out_is_a_class(tmp_path):
    data, _, warned = heard(tree(tmp_path, both("train") | {"test/dog": 5}))
    assert data.heldout_labels.tolist() == [1] * 5 and not warned


def test_only_held_out_labels_are_not_read(tmp_path):
    data, _, warned = heard(tree(tmp_path, {"train": 6} | both("test")))
    assert data.classes == () and data.heldout_labels is None
    assert "only the held-out images have labels" in warned


def test_empty_folders_are_named_and_an_empty_training_part_is_refused(tmp_path):
    spec = tree(tmp_path / "a", PAIR | {"lynx": 0})
    (tmp_path / "a" / "wolf").mkdir()
    (tmp_path / "a" / "wolf" / "0.HEIC").write_bytes(b"x")
    _, _, warned = heard(spec)
    assert "folders without an image: lynx, wolf" in warned and "1 *.heic" in warned
    spec = tree(tmp_path / "b", {"train": 0, "test": 12})
    with pytest.raises(ValueError, match="none in train, which should hold those to train on"):
        load(spec)
    assert len(load(f"{spec}/test").train) > 8
    spec = tree(tmp_path / "c", {"train": 0, "test": 4})
    (tmp_path / "c" / "train" / "0.png").write_bytes(b"")
    with pytest.raises(ValueError, match="no image to train on: trained on train/.*train/0.png"):
        load(spec)


def test_folders_within_classes_are_named(tmp_path):
    data, _, warned = heard(tree(tmp_path, {"cat/a": 6, "cat/b": 6, "dog/a": 6}))
    assert data.classes == ("cat", "dog") and "not read as classes: cat/a, cat/b" in warned


def test_any_layout_is_read_or_refused_in_a_sentence(tmp_path):
    """Random trees: folders of all roles, tables, broken files and links, in 40 layouts."""
    folders = ("train", "test", "val2017", "cat", "dog", "images", "unlabeled", ".x", "Train")
    contents = [
        "file,label\n0.png,a\n1.png,b\n",
        ",filename\n0,1.png\n",
        "0.png\n",
        "train/0.png;a\n\n;\n",
        "label\n",
        "",
        '"0.png',
    ]
    png = [tmp_path / f"{i}.png" for i in range(30)]
    for path, pixels in zip(png, pictures(30, 8), strict=True):
        Image.fromarray(pixels).save(path)
    outcomes = {"read": 0, "refused": 0}
    for seed in range(40):
        draw = np.random.default_rng(seed)
        root = tmp_path / f"layout{seed}"
        root.mkdir()
        for _ in range(draw.integers(1, 6)):
            place = root.joinpath(*draw.choice(folders, draw.integers(0, 4)))
            place.mkdir(parents=True, exist_ok=True)
            for i in draw.choice(30, draw.integers(0, 20), replace=False):
                (place / f"{i}.png").write_bytes(png[i].read_bytes())
            if draw.random() < 0.3:
                (place / "labels.csv").write_text(str(draw.choice(contents)))
            if draw.random() < 0.3:
                (place / "broken.jpg").write_bytes(draw.bytes(9))
            if draw.random() < 0.2 and not (place / "link").exists():
                (place / "link").symlink_to(root)
        choice = draw.choice(np.array([None, "folders", "none", "label"], object))
        limit = draw.choice(np.array([None, 5], object))
        try:
            data, said, _ = heard(f"folder:{root}", label=choice, limit=limit)
        except ValueError as error:
            assert str(root) in str(error) and len(str(error)) < 900, error
            outcomes["refused"] += 1
        else:
            assert len(data.train) and len(data.heldout) and said.startswith(f"folder:{root}")
            outcomes["read"] += 1
    assert min(outcomes.values()) >= 8, outcomes
