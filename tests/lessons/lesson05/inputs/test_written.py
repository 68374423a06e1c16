"""Triples as files: what is written is read, and what is wrong is named."""

import shutil

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from diffutils.__main__ import cli
from diffutils.data import load
from diffutils.lessons.lesson05.inputs import written
from diffutils.lessons.lesson05.inputs.triples import triples


def call(*arguments):
    return CliRunner().invoke(cli, ["triples", *map(str, arguments)])


@pytest.fixture
def folder(tmp_path):
    """A bare folder of images: of several sizes, kinds and modes."""
    random, place = np.random.default_rng(0), tmp_path / "bare"
    place.mkdir()
    for i in range(14):
        side = int(random.integers(20, 90))
        pixels = random.integers(0, 256, (side, side + 3, 3), np.uint8)
        Image.fromarray(pixels).save(place / f"{i}.{'jpg' if i % 2 else 'png'}")
    return place


def test_what_is_written_is_read(tmp_path):
    parts = triples(load("faces", size=16, limit=12, seed=0), ["turn"])
    said = []
    written.write(tmp_path / "out", parts, "turn", said.append)
    found = written.read(tmp_path / "out")
    for part, there in parts.items():
        assert torch.equal(found[part].images, there.images)
        assert torch.equal(found[part].sketches, there.sketches)
        assert torch.equal(found[part].references["ref"], there.references["turn"])
    assert said[0].startswith("12 triples in ") and len(said) == 2
    names = sorted(p.name for p in (tmp_path / "out" / "val").iterdir())[:3]
    assert names == ["0000_gt.png", "0000_ref.png", "0000_sketch.png"]


def test_a_bare_folder_becomes_triples(folder, tmp_path):
    done = call(folder, tmp_path / "out", "--size", 32)
    assert done.exit_code == 0, done.output
    assert "Sketching 14 images, and making their references ..." in done.output  # it takes long
    parts = written.read(tmp_path / "out")
    assert sum(len(part.images) for part in parts.values()) == 14
    assert parts["train"].images.shape[1:] == (3, 32, 32)
    again = call(folder, tmp_path / "out")
    assert again.exit_code == 2 and "not empty" in again.output
    assert "Sketching" not in again.output  # refused before the work


def test_grey_damaged_and_missing_images_are_named(folder, tmp_path):
    grey = tmp_path / "grey"
    grey.mkdir()
    for i in range(12):
        pixels = np.random.default_rng(i).integers(0, 256, (24, 24), np.uint8)
        Image.fromarray(pixels).save(grey / f"{i}.png")
    done = call(grey, tmp_path / "a")
    assert done.exit_code == 2 and "is grey" in done.output
    (folder / "3.jpg").write_bytes(b"no image")
    done = call(folder, tmp_path / "b", "--size", 32)
    assert done.exit_code == 0 and "3.jpg" in done.output
    done = call(tmp_path / "nowhere", tmp_path / "c")
    assert done.exit_code == 2 and "nowhere" in done.output
    done = call(folder, tmp_path / "d", "--reference", "turn")
    assert done.exit_code == 2 and "only faces can be drawn" in done.output


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda f: (f / "train" / "0001_ref.png").unlink(), "0001_ref.png is missing"),
        (lambda f: (f / "val" / "0000_gt.png").write_bytes(b"x"), "0000_gt.png cannot be read"),
        (
            lambda f: Image.new("L", (9, 16)).save(f / "train" / "0002_sketch.png"),
            "0002_sketch.png has 9 x 16 pixels, the first image 16 x 16",
        ),
    ],
)
def test_a_damaged_triple_is_named(tmp_path, damage, said):
    parts = triples(load("faces", size=16, limit=12, seed=0), ["warp"])
    written.write(tmp_path / "out", parts, "warp", lambda line: None)
    damage(tmp_path / "out")
    with pytest.raises(ValueError, match=said):
        written.read(tmp_path / "out")


def test_folders_without_triples(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no triples"):
        written.read(tmp_path)
    parts = triples(load("faces", size=16, limit=12, seed=0), ["warp"])
    written.write(tmp_path / "out", parts, "warp", lambda line: None)
    shutil.rmtree(tmp_path / "out" / "val")
    with pytest.raises(FileNotFoundError, match="val holds no triples"):
        written.read(tmp_path / "out")
