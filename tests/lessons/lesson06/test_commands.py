"""`dip` on a folder, and `train 06`: the published stages, one by one, and what is refused."""

import pytest
from click.testing import CliRunner
from made_images import images, write

from diffutils.__main__ import cli

SMALL = ("--profile", "smoke", "--set", "images=20", "--set", "steps=2", "--set", "log_every=1")


def call(*arguments):
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    return done.exit_code, done.output


def test_images_of_a_folder_are_restored_once(tmp_path):
    write(tmp_path / "bare", images(6))
    (tmp_path / "bare" / "00.png").write_bytes(b"no picture")
    given = (tmp_path / "bare", tmp_path / "out", "--size", 32, "--iterations", 20, "--limit", 5)
    code, said = call("dip", *given)
    assert code == 0 and "5 of 5" in said and "cannot be read" in said, said
    made = sorted((tmp_path / "out").iterdir())
    assert [path.suffix for path in made] == [".png"] * 4
    before = {path: path.stat().st_mtime_ns for path in made}
    made[2].unlink()
    code, said = call("dip", *given)
    assert code == 0 and "1 images restored" in said and made[2].exists()
    assert made[0].stat().st_mtime_ns == before[made[0]]


@pytest.mark.parametrize(
    "stage, says",
    [
        ("pretrain_dip", ["pretrain/dip-seed-0: step 100/100"]),
        ("pretrain_baseline_ddpm", ["pretrain/baseline-seed-0: step 2/2"]),
        ("pretrain_integrated_ddpm05", ["dip-seed-0: step", "pretrain/mix-05-seed-0: step 2/2"]),
        ("pretrain_integrated_ddpm10", ["dip-seed-0: step", "pretrain/mix-10-seed-0: step 2/2"]),
    ],
)
def test_every_stage_of_the_published_system(stage, says, tmp_path):
    code, said = call("train", "06", "--stage", stage, *SMALL, "--out", tmp_path)
    assert code == 0, said
    assert all(words in said for words in says)
    assert ("dip-seed" in said) == (stage != "pretrain_baseline_ddpm")
    # A second call finds it done.
    code, said = call("train", "06", "--stage", stage, *SMALL, "--out", tmp_path)
    assert code == 0 and "step 2/2" not in said and not list(tmp_path.glob("*.lock"))


def test_what_cannot_be_is_refused_in_a_sentence(tmp_path):
    code, said = call("dip", tmp_path / "none", tmp_path / "out")
    assert code == 2 and "Traceback" not in said
    code, said = call("train", "06", "--stage", "pretrain")
    assert code == 2 and "'pretrain' is not one of" in said
