"""`python -m diffutils phi`: what it prints and writes, and what is refused."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from phi_curves import TABLE
from PIL import Image

from diffutils.__main__ import cli
from diffutils.lessons.lesson04 import search as S


def call(*arguments):
    return CliRunner().invoke(cli, ["phi", *map(str, arguments)])


def test_a_small_set_gives_all_it_has(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 16, 16), np.uint8)
    np.savez(tmp_path / "own.npz", images=pixels[:4], test_images=pixels[4:])
    done = call(f"npz:{tmp_path / 'own.npz'}")
    assert done.exit_code == 0, done.output
    (line,) = [line for line in done.output.splitlines() if TABLE in line and "other" in line]
    assert line.split()[-2:] == ["-", "1"]  # one held-out image has no interval


def test_the_command_prints_and_writes_the_report(photos, tmp_path):
    out = tmp_path / "new" / "phi.json"
    done = call("photos", "--size", 32, "-n", 3, "--seed", 4, "--window", "gaussian", "--json", out)
    assert done.exit_code == 0, done.output
    assert S.text(photos[0]) in done.output
    assert done.output.startswith("Measuring SSIM at 200 noise levels")
    assert json.loads(out.read_text()) == photos[0]
    assert "photos, 32 x 32 pixels, seed 4, gaussian window" in done.output
    assert f"24  {photos[0]['ranking'][-1]['name']}" in done.output


def test_numbers_that_were_not_found_are_null_in_json(tmp_path):
    pixels = np.random.default_rng(1).integers(0, 256, (5, 8, 8), np.uint8)
    np.savez(tmp_path / "own.npz", images=pixels[:4], test_images=pixels[4:])
    out = tmp_path / "phi.json"
    assert call(f"npz:{tmp_path / 'own.npz'}", "--json", out).exit_code == 0
    lows = [row["low"] for row in json.loads(out.read_text())["fitted"]]
    assert [low is None for low in lows] == [False, True, True, False, True, True, False]


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["fotos"], "no data set is called 'fotos' (did you mean 'photos'?)"),
        (["folder:/nowhere"], "folder:/nowhere does not exist"),
        (
            ["photos", "--size", 6],
            "SSIM looks through a window of 7 x 7 pixels, but the images have 6 x 6",
        ),
        (["photos", "--size", 10, "--window", "gaussian"], "a window of 11 x 11 pixels"),
        (["photos", "--window", "box"], "'box' is not one of 'uniform', 'gaussian'"),
        (["photos", "-n", 1], "1 is not in the range"),
        (["faces", "--size", 300], "faces are drawn at 16 to 256 pixels"),
        (["photos", "--seed", 2**63], "is not in the range 0<=x"),
    ],
)
def test_wrong_arguments_are_refused_in_a_sentence(arguments, said):
    done = call(*arguments)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    assert isinstance(done.exception, SystemExit)


def test_too_few_images_are_refused(tmp_path):
    for i in range(3):
        Image.new("L", (16, 16), 40 * i).save(tmp_path / f"{i}.png")
    done = call(f"folder:{tmp_path}")
    assert done.exit_code == 2 and "at least 10 are needed" in " ".join(done.output.split())


def test_a_file_that_cannot_be_written_loses_no_number(tmp_path):
    (tmp_path / "file").write_text("")
    done = call("sprites", "-n", 2, "--json", tmp_path / "file" / "phi.json")
    assert done.exit_code == 1 and "The best c of phi*" in done.output, done.output
    assert f"Error: {tmp_path / 'file' / 'phi.json'} cannot be written" in done.output
