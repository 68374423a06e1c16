"""`inspect` on a run directory, and `train 07`: one configuration, and what is refused."""

import re

from click.testing import CliRunner

from diffutils.__main__ import cli

SMALL = ("--profile", "smoke", "--set", "images=20", "--set", "steps=3", "--set", "log_every=1")


def call(*arguments):
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    return done.exit_code, done.output


def test_a_configuration_is_trained_and_looked_at(tmp_path):
    code, said = call("train", "07", "--config", "D-kaiser", *SMALL, "--out", tmp_path)
    assert code == 0 and "trial/d-kaiser-seed-0: step 3/3" in said, said
    code, said = call("train", "07", "--config", "D-kaiser", *SMALL, "--out", tmp_path)
    assert code == 0 and "step 3/3" not in said
    # The page has the layers, and all of its pictures lie beside it.
    code, said = call("inspect", tmp_path)
    assert code == 0, said
    (page,) = (tmp_path / "inspect").glob("*.html")
    text = page.read_text(encoding="utf-8")
    assert "conv_in" in text and "Losses" in text and "Denoising" in text
    pictures = re.findall('src="([^"]+)"', text)
    assert len(pictures) == 2 and all((page.parent / name).stat().st_size for name in pictures)


def test_what_cannot_be_is_refused_in_a_sentence(tmp_path):
    code, said = call("inspect", tmp_path)
    assert code == 2 and "holds no training" in said and "Traceback" not in said
    code, said = call("train", "07", "--config", "D-3N", "--out", tmp_path)
    assert code == 2 and "choose from" in said and "Traceback" not in said


def test_a_training_that_was_cut_is_shown_as_far_as_it_went(tmp_path):
    code, said = call("train", "07", "--config", "A", *SMALL, "--out", tmp_path)
    assert code == 0, said
    folder = tmp_path / "trial" / "a-seed-0"
    next(folder.glob("*.safetensors")).unlink()
    code, said = call("inspect", folder, "--out", tmp_path / "pages")
    assert code == 0, said
    (page,) = (tmp_path / "pages").glob("*.html")
    assert "no weights" in page.read_text(encoding="utf-8")
