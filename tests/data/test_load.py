"""`load` and `catalogue`: one door, uint8 out, clear errors; and the split itself."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from diffutils.data import NAMES, ImageSet, any_size, catalogue, load, to_float, to_uint8
from diffutils.data.images import content_key, fit_size, held_out, resized, to_bytes


@pytest.mark.parametrize(
    "name, size, shape",
    [
        ("sprites", None, (3, 16, 16)),
        ("sprites", 32, (3, 32, 32)),
        ("faces", None, (3, 64, 64)),
        ("faces", 32, (3, 32, 32)),
        ("photos", None, (3, 64, 64)),
        ("digits", 16, (1, 16, 16)),
        ("digits-m", None, (3, 32, 32)),
    ],
)
def test_built_in_sets(name, size, shape):
    data = load(name, size=size, limit=40, heldout=20)
    assert isinstance(data, ImageSet) and data.shape == shape and data.name == name
    assert (len(data.train), len(data.heldout)) == (40, 20)
    assert data.train.dtype == data.heldout.dtype == torch.uint8 and data.licence and data.source
    if name == "photos":
        assert data.train_labels is None and data.classes == ()
    else:
        assert data.train_labels.dtype == data.heldout_labels.dtype == torch.int64
        assert len(data.train_labels) == 40 and len(data.heldout_labels) == 20
        assert set(data.train_labels.tolist()) <= set(range(len(data.classes)))


@pytest.mark.parametrize("name", ["sprites", "faces", "photos", "digits"])
def test_a_seed_names_the_images(name):
    a, again, b = (load(name, limit=30, heldout=10, seed=s) for s in (0, 0, 1))
    assert torch.equal(a.train, again.train) and torch.equal(a.heldout, again.heldout)
    assert not torch.equal(a.train, b.train)


def test_faces_can_be_labelled_by_any_attribute():
    from diffutils.data.drawn.faces import ATTRIBUTES

    data = load("faces", limit=20, heldout=5, label="skin")
    assert data.classes == tuple(ATTRIBUTES["skin"])


def test_catalogue_has_every_name_once():
    records = catalogue()
    assert tuple(record.name for record in records) == NAMES
    built_in = {record.name for record in records if record.where == "built in"}
    assert {"sprites", "faces"} <= built_in
    assert all(record.here or record.where for record in records)
    assert all(
        record.what and record.size and record.count and record.licence for record in records
    )


def test_faces_come_in_the_sizes_that_the_catalogue_names():
    low, high = map(int, {row.name: row.size for row in catalogue()}["faces"].split(" to "))
    for size in (low, high):
        assert load("faces", size=size, limit=1).shape == (3, size, size)
    for size in (low - 1, high + 1):
        with pytest.raises(ValueError, match=f"faces are drawn at {low} to {high} pixels"):
            load("faces", size=size, limit=1)
    page = (Path(__file__).parents[2] / "data" / "README.md").read_text(encoding="utf-8")
    assert f"| {low}×{low} to {high}×{high} (64×64 by default), RGB |" in page


def test_files_and_what_is_drawn_at_a_size_come_at_any_and_arrays_do_not():
    assert [name for name in NAMES if any_size(name)] == [
        "faces",
        "photos",
        "folder:PATH",
        "zip:PATH",
    ]


def test_float_and_back_is_exact():
    x = torch.arange(256, dtype=torch.uint8)
    y = to_float(x)
    assert y.dtype == torch.float32 and y[0] == -1 and y[-1] == 1
    assert torch.equal(to_uint8(y), x)
    assert to_uint8(torch.tensor([-9.0, 9.0])).tolist() == [0, 255]


def test_keys_are_equal_for_mirrored_images_only():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    assert content_key(image) == content_key(image[:, ::-1])
    assert content_key(image) != content_key(image[::-1])


def test_one_key_in_ten_is_held_out_and_stays_so():
    images = np.random.default_rng(0).integers(0, 256, (10_000, 2, 2, 1), dtype=np.uint8)
    keys = [content_key(image) for image in images]
    held = held_out("own", keys)
    assert abs(held.mean() - 0.1) < 0.01
    fewer = held_out("own", keys[:500])
    assert np.array_equal(fewer, held[:500])


def test_small_sets_have_both_parts():
    keys = [content_key(np.full((1, 1, 1), i, np.uint8)) for i in range(256)]
    for i in range(0, 246):
        assert 1 <= held_out("own", keys[i : i + 10]).sum() <= 7
    with pytest.raises(ValueError, match="own holds 9 different images .* at least 10 are needed"):
        held_out("own", keys[:9] * 5)


def test_resizing_keeps_the_mean_and_removes_what_would_alias():
    stripes = np.zeros((1, 64, 64, 1), np.uint8)
    stripes[:, :, ::2] = 200
    small = fit_size(stripes, 16)
    assert small.shape == (1, 16, 16, 1) and abs(small.mean() - 100) < 2
    assert np.ptp(small[:, :, 2:-2]) <= 2  # the outermost columns see the border


def test_resized_keeps_labels_and_skips_what_fits():
    data = load("sprites", limit=4, heldout=4)
    assert resized(data, 16) is data
    assert torch.equal(resized(data, 8).train_labels, data.train_labels)


def test_pixel_ranges():
    assert to_bytes(np.array([0, 1], bool)).tolist() == [0, 255]
    assert to_bytes(np.array([0, 1], np.uint8)).tolist() == [0, 255]
    assert to_bytes(np.array([0, 128, 255])).tolist() == [0, 128, 255]
    assert to_bytes(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
    assert to_bytes(np.array([0, 65535], np.uint16)).tolist() == [0, 255]
    with pytest.raises(ValueError, match=r"lie in \[0, 300\]"):
        to_bytes(np.array([300.0]))


def test_importing_the_package_loads_no_heavy_reader():
    code = (
        "import sys, diffutils.data; diffutils.data.catalogue(); "
        "print({'requests', 'skimage', 'sklearn', 'torchvision'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"
