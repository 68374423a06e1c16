"""Values that options take, and what is refused before a command begins."""

import math
from pathlib import Path

import click
import pytest
from command_line import call

from diffutils.course.commands import options


@pytest.mark.parametrize("text", ["nan", "-nan", "inf", "-inf", "1e400", "-0.1", "1.1", "", "x"])
def test_numbers_are_finite_and_in_range(text):
    with pytest.raises(click.BadParameter):
        options.Finite(0, 1).convert(text, None, None)
    assert options.Finite(0, 1).convert("0.5", None, None) == 0.5


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--steps", "-5"], "-5 is not in the range 1<=x<=100000"),
        (["--steps", "1e21"], "'1e21' is not a valid"),
        (["--steps", "99999999999"], "is not in the range"),
        (["-n", "1000000000000"], "is not in the range"),
        (["--eta", "nan"], "nan is not a finite number"),
        (["--eta", "1.5"], "1.5 is not in the range 0<=x<=1"),
        (["--scale", "inf"], "inf is not a finite number"),
        (["--scale", "-1"], "-1.0 is not in the range x>=0"),
        (["--seed", str(2**63)], "is not in the range"),
        (["--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_measure_and_sample_share_their_checks(arguments, said):
    for command in (["measure", "sprites.safetensors"], ["sample", "sprites", "out", "-n", "1"]):
        done = call(*command, *arguments)
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output


@pytest.mark.parametrize(
    "ends, said",
    [
        (("2", "1"), "it runs from 2 to 1; give the lower noise level first"),
        (("1", "1"), "it runs from 1 to 1"),
        (("nan", "1"), "it runs from nan to 1"),
        (("-1", "1"), "-1.0 is not in the range x>=0"),
        (("inf", "inf"), "it runs from inf to inf"),
    ],
)
def test_an_interval_goes_upwards(ends, said):
    done = call("measure", "sprites.safetensors", "--interval", *ends)
    assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    assert options.upright(None, None, (0.0, math.inf)) == (0.0, math.inf)


@pytest.mark.parametrize(
    "path, said",
    [
        ("", "the path is empty"),
        ("a\0b", "cannot be used (embedded null byte)"),
        ("a" * 300, "File name too long"),
        ("~nobody-of-that-name/x", "cannot be used"),
        ("/", "/ is no place for results; give a folder below"),
        ("../" * 40, "is no place for results"),
        ("file", "is a file"),
    ],
)
def test_places_for_results(tmp_path, monkeypatch, path, said):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    for command in (
        ["sample", "sprites", path, "-n", "1"],
        ["train", "--profile", "smoke", "--out", path],
        ["run", "--profile", "smoke", "--out", path],
        ["export", path],
    ):
        done = call(*command)
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("path", ["folder", "/dev/null", "link"])
def test_numbers_go_into_a_plain_file(tmp_path, monkeypatch, path):
    """A device or a link would be replaced by one."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("link").symlink_to("elsewhere")
    done = call("phi", "sprites", "--json", path)
    said = " ".join(done.output.split())
    assert done.exit_code == 2 and ("is no plain file" in said or "is a directory" in said), said


def test_a_tilde_is_the_users_home(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert options.FOLDER.convert("~/x", None, None) == tmp_path / "x"
