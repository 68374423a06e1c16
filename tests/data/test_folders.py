"""A folder of images: what is listed, in which order, and what is read of it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import as_set, heard, images, tree, write
from PIL import Image

from diffutils.data import folders


def test_a_folder_is_listed_by_path_without_suffix(tmp_path):
    write(tmp_path / "a" / "cats", images(2))
    write(tmp_path / "a", images(1), ["x.y"], "bmp")
    (tmp_path / "a" / "notes.txt").write_text("no image")
    (tmp_path / "a" / "._0000.png").write_bytes(b"of a Mac")
    with pytest.warns(UserWarning, match=r"1 \*.txt"):
        found = folders.listed(tmp_path / "a")
    assert list(found) == ["cats/0000", "cats/0001", "x.y"]
    assert found["cats/0001"] == tmp_path / "a" / "cats" / "0001.png"


def test_folders_that_cannot_be_listed_are_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere is no folder"):
        folders.listed(tmp_path / "nowhere")
    (tmp_path / "bare").mkdir()
    with pytest.raises(ValueError, match="bare holds no image file"):
        folders.listed(tmp_path / "bare")


def test_two_suffixes_of_one_name_are_two_images(tmp_path):
    for suffix in ("png", "bmp"):
        write(tmp_path, images(2), ["x", f"{suffix}-only"], suffix)
    assert list(folders.listed(tmp_path)) == ["bmp-only", "png-only", "x.bmp", "x.png"]


def test_what_load_reads_is_listed_and_what_it_leaves_out_is_said(tmp_path):
    tree(tmp_path / "own", {"cat": 6, ".cache": 3})
    tree(tmp_path / "far", {".": 6}, start=5)
    (tmp_path / "own" / "dog").symlink_to(tmp_path / "far")
    (tmp_path / "own" / "cat" / "0.png").rename(tmp_path / "own" / "cat" / "0.PNG")
    (tmp_path / "own" / "cat" / "1.heic").write_bytes(b"x")
    data, _, warned = heard(f"folder:{tmp_path / 'own'}")
    with pytest.warns(UserWarning) as seen:
        found = folders.listed(tmp_path / "own")
    assert len(found) == len(data.train) + len(data.heldout) == 12
    said = "\n".join(str(w.message) for w in seen)
    assert said == warned.replace("folder:", "") and "*.heic" in said and ".cache" in said


def test_an_order_is_drawn_from_the_seed_and_the_side():
    files = {str(i): Path(str(i)) for i in range(40)}
    order = folders.shuffled(files, 0, 0)
    assert order == folders.shuffled(files, 0, 0) and sorted(order) == sorted(files.values())
    assert order not in (folders.shuffled(files, 1, 0), folders.shuffled(files, 0, 1))


def test_images_come_in_batches_as_they_are(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "BATCH", 3)
    pictures = images(7)
    files = list(folders.listed(write(tmp_path / "a", pictures)).values())
    lines = []
    batches = list(folders.Reader().batches(files, lines.append))
    assert [len(b) for b in batches] == [3, 3, 1]
    assert torch.equal(torch.cat(batches), pictures)
    assert [line.partition(": ")[2] for line in lines] == [
        "3 of 7 images",
        "6 of 7 images",
        "7 of 7 images",
    ]


def test_whole_images_are_read_and_grey_ones_as_rgb(tmp_path):
    write(tmp_path / "a", images(1)[..., :12])
    Image.fromarray(np.full((16, 12), 77, np.uint8)).save(tmp_path / "a" / "grey.png")
    one, grey = folders.Reader().read(list(folders.listed(tmp_path / "a").values()))
    assert torch.equal(one, images(1)[0][..., :12])
    assert grey.shape == (3, 16, 12) and (grey == 77).all()


def test_two_sizes_are_an_error_that_names_both_and_size_mends_it(tmp_path):
    files = [
        write(tmp_path, images(1, side=side), [str(side)]) / f"{side}.png" for side in (16, 24)
    ]
    with pytest.raises(
        ValueError,
        match=r"16.png has 16 x 16 pixels, but .*24.png has 24 x 24: "
        ".*--size",
    ):
        folders.Reader().read(files)
    one, other = folders.Reader(8).read(files)
    assert one.shape == other.shape == (3, 8, 8)
    expected = Image.open(files[1]).resize((8, 8), Image.Resampling.BICUBIC)
    assert np.array_equal(other.permute(1, 2, 0).numpy(), np.asarray(expected))


def test_broken_files_are_left_out_and_named(tmp_path):
    write(tmp_path, images(2))
    (tmp_path / "bad.png").write_bytes(b"no image")
    files = list(folders.listed(tmp_path).values())
    reader = folders.Reader()
    assert sum(len(b) for b in reader.batches(files)) == 2
    assert list(reader.broken) == [str(tmp_path / "bad.png")]
    with pytest.raises(ValueError, match="none of 1 images can be read; first: .*bad.png"):
        list(reader.batches([tmp_path / "bad.png"]))


def test_the_range_of_32_bit_files_is_judged_as_by_load(tmp_path):
    values = np.random.default_rng(0).random((12, 8, 8), np.float32)
    for i, pixels in enumerate(values * np.linspace(20, 255, 12)[:, None, None].astype(np.float32)):
        Image.fromarray(pixels).save(tmp_path / f"{i:02}.tif")
    data, _, _ = heard(f"folder:{tmp_path}")
    files = list(folders.listed(tmp_path).values())
    reader = folders.Reader()
    images = torch.cat(list(reader.batches(files)))[:, :1]
    assert as_set(images) == as_set(torch.cat([data.train, data.heldout]))
    assert torch.equal(torch.stack(reader.read(files))[:, :1], images)
