"""`python -m diffutils train`: what it leaves, that it goes on, and what is refused."""

from click.testing import CliRunner
from command_line import call

from diffutils.__main__ import cli


def test_train_goes_on_and_draws(tmp_path):
    small = (
        "--set",
        "steps=4",
        "--set",
        "images=150",
        "--set",
        "log_every=2",
        "--trdata",
        "--samples",
        "3",
    )
    given = ("train", "--profile", "smoke", *small, "--name", "tiny", "--out", str(tmp_path))
    for said in ("step 4/4 · loss", "all 4 steps were done before"):
        done = call(*given)
        assert done.exit_code == 0 and said in done.output, done.output
    assert {p.name for p in tmp_path.iterdir()} == {
        "checkpoints",
        "images",
        "log.jsonl",
        "model.txt",
        "samples",
        "tiny.json",
        "tiny.safetensors",
        "trdata",
    }
    assert len(list((tmp_path / "images").iterdir())) == 3
    done = call(*given, "--start", str(tmp_path / "tiny.safetensors"))
    assert done.exit_code == 2 and "choose another --name" in " ".join(done.output.split())


def test_edm_has_no_betas_to_set(tmp_path):
    given = ["train", "--predict", "edm", "--set", "T=300", "--out", str(tmp_path / "run")]
    result = CliRunner().invoke(cli, given)
    said = " ".join(result.output.split())
    assert result.exit_code == 2 and "--set T belongs to DDPM's table of betas" in said
    assert not (tmp_path / "run").exists()
