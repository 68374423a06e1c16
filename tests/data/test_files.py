"""Own files: folder: and zip:; labels and splits without leaks."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import as_set, pictures
from PIL import Image

from diffutils.data import load
from diffutils.data.images import content_key

DATA = os.environ.get("DIFFUTILS_DATA")


def save(folder, images, names=None):
    folder.mkdir(parents=True, exist_ok=True)
    for i, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(folder / (names[i] if names else f"{i:03d}.png"))


def test_folder_holds_out_about_one_in_ten(tmp_path):
    save(tmp_path, pictures(200))
    data = load(f"folder:{tmp_path}")
    assert data.train.dtype == torch.uint8 and data.shape == (3, 12, 12)
    assert len(data.train) + len(data.heldout) == 200
    assert 8 <= len(data.heldout) <= 35
    assert data.train_labels is None and data.classes == ()


def test_split_depends_on_content_and_not_on_names(tmp_path):
    images = pictures(60)
    save(tmp_path / "a", images)
    save(tmp_path / "b", images[::-1])
    a, b = (load(f"folder:{tmp_path / name}") for name in "ab")
    assert as_set(a.heldout) == as_set(b.heldout) and as_set(a.train) == as_set(b.train)


def test_split_does_not_depend_on_size(tmp_path):
    images = pictures(60)
    names = [f"{content_key(image).hex()}.png" for image in images]
    save(tmp_path, images, names)
    (tmp_path / "labels.csv").write_text("".join(f"{name},{name}\n" for name in names))
    with pytest.warns(UserWarning, match="classes with fewer than 5 images"):
        held = [
            sorted(data.classes[k] for k in data.heldout_labels)
            for data in (load(f"folder:{tmp_path}", size=size) for size in (12, 6, 24))
        ]
    assert held[0] == held[1] == held[2]


def test_copies_and_mirrored_copies_stay_together(tmp_path):
    images = pictures(80)
    save(tmp_path / "x", images)
    save(tmp_path / "y", images)
    save(tmp_path / "z", images[:, :, ::-1])
    data = load(f"folder:{tmp_path}")
    train, held = as_set(data.train), as_set(data.heldout)
    assert len(data.train) + len(data.heldout) == 240 and len(data.heldout) % 3 == 0
    assert not train & held
    assert not train & as_set(data.heldout.flip(-1))


def test_class_folders_give_labels(tmp_path):
    for k, name in enumerate(("cat", "ant", "bee")):
        save(tmp_path / name, pictures(30, seed=k) // 4 + 60 * k)
    data = load(f"folder:{tmp_path}")
    assert data.classes == ("ant", "bee", "cat")
    level = {"cat": 0, "ant": 1, "bee": 2}
    for images, labels in ((data.train, data.train_labels), (data.heldout, data.heldout_labels)):
        assert labels.dtype == torch.int64 and len(labels) == len(images)
        for image, label in zip(images, labels, strict=True):
            assert int(image.min()) // 60 == level[data.classes[label]]


def test_train_and_test_folders_are_taken_as_the_split(tmp_path):
    save(tmp_path / "train" / "a", pictures(20, seed=1))
    save(tmp_path / "train" / "b", pictures(20, seed=2))
    save(tmp_path / "test" / "a", pictures(5, seed=3))
    save(tmp_path / "test" / "b", pictures(5, seed=4))
    data = load(f"folder:{tmp_path}")
    assert (len(data.train), len(data.heldout), data.classes) == (40, 10, ("a", "b"))
    assert data.heldout_labels.tolist() == [0] * 5 + [1] * 5


def test_leaks_of_a_given_split_leave_the_training_part(tmp_path):
    images = pictures(20)
    save(tmp_path / "train", images)
    save(tmp_path / "test", np.concatenate([images[:2, :, ::-1], pictures(3, seed=9)]))
    with pytest.warns(UserWarning, match="2 training images"):
        data = load(f"folder:{tmp_path}")
    assert (len(data.train), len(data.heldout)) == (18, 5)


@pytest.mark.parametrize("header", [True, False])
def test_zip_with_labels_csv(tmp_path, header):
    save(tmp_path / "src", pictures(40))
    rows = [f"{i:03d},{'red' if i % 2 else 'blue'},{i % 5}" for i in range(39)]
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        for file in (tmp_path / "src").iterdir():
            archive.write(file, f"top/{file.name}")
        archive.writestr("top/labels.csv", "\n".join(["id,hair,eyes"] * header + rows))
        archive.writestr("__MACOSX/top/._000.png", b"junk")
    with pytest.warns(UserWarning, match=r"1 images have no row .*039\.png"):
        data = load(f"zip:{tmp_path / 'x.zip'}")
    assert len(data.train) + len(data.heldout) == 39 and data.classes == ("blue", "red")
    if header:
        with pytest.warns(UserWarning, match="no row"):
            assert len(load(f"zip:{tmp_path / 'x.zip'}", label="eyes").classes) == 5
    with pytest.raises(ValueError, match="no column 'nose'"):
        load(f"zip:{tmp_path / 'x.zip'}", label="nose")


def test_limit_is_seeded_and_keeps_the_sides(tmp_path):
    save(tmp_path, pictures(150))
    whole = load(f"folder:{tmp_path}")
    a, again, b = (load(f"folder:{tmp_path}", limit=30, seed=s) for s in (0, 0, 1))
    assert len(a.train) == 30 and torch.equal(a.train, again.train)
    assert as_set(a.train) != as_set(b.train)
    for part in (a, b):
        assert as_set(part.train) <= as_set(whole.train)
        assert as_set(part.heldout) <= as_set(whole.heldout)


@pytest.mark.skipif(not DATA, reason="DIFFUTILS_DATA names no folder with anime_faces96.zip")
def test_nine_thousand_jpegs_load_quickly():
    import time

    path = Path(DATA) / "anime_faces96.zip"
    if not path.is_file():
        pytest.skip(f"{path} is not there")
    start = time.process_time()
    data = load(f"zip:{path}", size=64)
    assert time.process_time() - start < 30  # CPU seconds, about 6 on a quiet machine
    assert len(data.train) + len(data.heldout) == 9000 and 800 < len(data.heldout) < 1000
    assert len(data.classes) == 12 and data.shape == (3, 64, 64)
