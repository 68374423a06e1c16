"""The lesson object, and what it writes."""

import json
from types import SimpleNamespace

import pytest

import diffutils as du
from diffutils.course.runs.recorded_fit import progress_line

OWN = {"profile": "smoke", "run_dir": "run"}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_a_lesson_says_what_it_will_do_in_one_line(capsys):
    lesson = du.lesson("02", seed="3", overrides={"steps": "7"}, **OWN)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    for part in ("lesson 02", "smoke", "sprites", "seed 3", lesson.device.type, "run", "steps=7"):
        assert part in said
    assert lesson.seed == 3
    assert lesson.budget.steps == 7


def test_run_directories(tmp_path, monkeypatch):
    assert du.lesson("01", **OWN).dir == tmp_path / "run"
    default = du.lesson("01", profile="smoke").dir
    assert default.is_relative_to(tmp_path / "runs")
    assert default.is_dir()
    monkeypatch.setenv("DIFFUTILS_RUN_DIR", str(tmp_path / "given"))
    assert du.lesson("01", profile="smoke").dir == tmp_path / "given" / "01"


def test_finish_writes_the_whole_record(tmp_path, capsys):
    lesson = du.lesson("02", overrides={"steps": 5}, **OWN)
    lesson.headline("Fréchet distance", 1.25)
    lesson.metric("broken", float("nan"))
    lesson.claim("L1 | MSE", published="yes", measured=0.123456, protocol="a < b", N=5, seeds=3)
    lesson.claim("a GPU result")
    lesson.finish()
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["budget"]["steps"] == 5
    assert record["parameters"] == {"profile": "smoke", "dataset": "sprites", "seed": 0}
    assert record["metrics"] == {"Fréchet distance": 1.25, "broken": "nan"}
    assert record["headline"] == "Fréchet distance"
    assert record["versions"]["torch"]
    assert record["peak_memory_mb"] > 50
    assert record["seconds"] >= 0
    assert [c["measured"] for c in record["claims"]] == ["0.123", "not run"]
    assert "| L1 \\| MSE | yes | 0.123 | a &lt; b | 5 | 3 |" in capsys.readouterr().out
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["run.json"]


def test_progress_is_printed_and_reaches_the_terminal(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("DIFFUTILS_PROGRESS", str(tmp_path / "progress"))
    lesson = du.lesson("02", **OWN)
    for step, heldout in ((1, None), (2, 0.25)):
        record = SimpleNamespace(step=step, loss=0.5, heldout=heldout, images_per_second=10.0)
        lesson.progress(progress_line("model", record, 2))
    lines = (tmp_path / "progress").read_text().splitlines()
    assert lines[0] == "model: step 1/2 · loss 0.5000 · 10 images/s"
    assert "held-out 0.2500" in lines[1]
    printed = capsys.readouterr().out
    assert all(line in printed for line in lines)


def test_a_lesson_trains_in_its_directory_and_goes_on(tmp_path, capsys):
    """Progress lines for what is trained, none for what is replayed; the lesson's own seed."""
    import torch

    from diffutils import denoisers, schedules
    from diffutils.unet import UNet

    schedule = schedules.Discrete(schedules.linear_betas(100, 1e-3, 0.2))
    images = torch.zeros(10, 3, 4, 4, dtype=torch.uint8)

    def train(**changes):
        lesson = du.lesson("02", seed=7, **OWN, **changes)
        torch.manual_seed(0)
        net = UNet(channels=(8,), blocks=1, attention=(False,))
        denoiser = du.Denoiser(net, denoisers.eps, schedule.t)
        capsys.readouterr()
        records = lesson.train("toy", denoiser, images, schedule, steps=4, batch=2, log_every=2)
        replayed = [r.replayed for r in records]
        path = lesson.images("drawn", images)
        assert len(list(path.iterdir())) == 10 and path == tmp_path / "run" / "images" / "drawn"
        lesson.finish()
        return replayed, capsys.readouterr().out

    replayed, said = train()
    assert replayed == [False, False] and "toy: step 4/4" in said
    assert "seed" in (tmp_path / "run" / "toy" / "model.txt").read_text()
    assert json.loads((tmp_path / "run" / "toy" / "toy.json").read_text())["settings"]["seed"] == 7
    replayed, said = train()
    assert replayed == [True, True] and "step 4/4" not in said
    assert "toy: all 4 steps were done before" in said
    assert train(resume="never")[0] == [False, False]
