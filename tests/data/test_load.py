"""`load` and `catalogue`: one door, uint8 out, clear errors."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from made_images import tree

from diffutils.data import NAMES, ImageSet, any_size, catalogue, load


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


def test_importing_the_package_loads_no_heavy_reader():
    code = (
        "import sys, diffutils.data; diffutils.data.catalogue(); "
        "print({'requests', 'skimage', 'sklearn', 'torchvision'} & set(sys.modules))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "set()"


def test_own_files_are_said_and_built_in_sets_are_not(tmp_path, capsys):
    load("digits", limit=20, heldout=10)
    assert capsys.readouterr().out == ""
    spec = tree(tmp_path, {"cat": 12, "dog": 12})
    data = load(spec)
    said = capsys.readouterr().out.splitlines()
    parts = f"{len(data.train)} images to train on, {len(data.heldout)} held out"
    assert said[0] == f"{spec}: {parts}; classes: cat 12, dog 12" and len(said) == 2
    assert all(note in said[1] for note in data.notes)
    assert load(spec, say=said.append, size=8).notes == data.notes and len(said) == 4
    assert capsys.readouterr().out == ""


def test_warnings_point_at_the_line_that_loads(tmp_path):
    spec = tree(
        tmp_path,
        {f"{part}/{c}": 6 for part in ("train", "test", "extra") for c in ("cat", "dog")}
        | {"test/lynx": 6},
    )
    with pytest.warns(UserWarning) as seen:
        load(spec)
    assert len(seen) == 2 and {w.filename for w in seen} == {__file__}


def test_a_size_that_shows_nothing_is_refused():
    with pytest.raises(ValueError, match="size=3; expected a side of .* at least 4"):
        load("digits", size=3)
