"""`train 05`: each stage alone, one after the other, on drawn faces and on a bare folder."""

import pytest
from click.testing import CliRunner
from made_images import images, write

from diffutils.__main__ import cli
from diffutils.weights import cards

SMALL = ("--profile", "smoke", "--set", "images=20", "--set", "steps=2", "--set", "log_every=1")


def call(*arguments):
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    return done.exit_code, done.output


def test_a_stage_follows_the_other(tmp_path):
    code, said = call("train", "05", *SMALL, "--out", tmp_path)
    assert code == 0 and "pretrain/ssimbad-seed-0: step 2/2" in said
    code, said = call("train", "5", "--stage", "refine", *SMALL, "--out", tmp_path)
    assert code == 0 and "refine/ssimbad-seed-0-refined: step 2/2" in said
    weights = tmp_path / "refine/ssimbad-seed-0-refined/ssimbad-seed-0-refined.safetensors"
    card = cards.read_card(weights)
    assert card["started_from"] == "ssimbad-seed-0" and card["refinement"]["end_loss"] == "mse"
    assert not list(tmp_path.glob("*.lock"))


def test_a_bare_folder_is_trained_on_bent_references_and_that_is_said(tmp_path):
    write(tmp_path / "bare", images(60))
    given = ("--config", "animediffusion", "--dataset", f"folder:{tmp_path / 'bare'}")
    code, said = call("train", "05", *given, *SMALL, "--out", tmp_path / "out")
    assert code == 0, said
    assert "no references of the kind turn, other, which must be drawn" in said


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--stage", "refine"], "no card at"),
        (["--from", "x.safetensors"], "--from belongs to --stage refine"),
        (["--config", "ddpm"], "'ddpm' is not one of"),
        (["--stage", "refine", "--from", cards.PRETRAINED / "faces64.safetensors"], "choose its"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(arguments, said, tmp_path):
    code, heard = call("train", "05", *SMALL, "--out", tmp_path / "out", *arguments)
    assert code == 2 and said in heard and "Traceback" not in heard


def test_a_lesson_that_trains_nothing_is_named():
    code, said = call("train", "03")
    assert code == 2 and "No such command '03'" in said
