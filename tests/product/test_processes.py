"""Commands under `accelerate launch`: the number of processes, here on the CPU, changes nothing."""

import json
import os
import subprocess
import sys
import warnings

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from command_line import call

from diffutils.__main__ import cli
from diffutils.course.experiments import described, sweep
from diffutils.course.runs import launch
from diffutils.lessons import budget
from diffutils.metrics import spaces
from diffutils.weights import models
from diffutils.weights import state as saves

CHANGES = {"steps": 4, "images": 40, "log_every": 2, "batch": 7}  # 7 = 3 + 2 + 2 = 4 + 3
SMALL = [f"--set={k}={v}" for k, v in CHANGES.items()]
TRAIN = ["train", "02", "--profile", "smoke", *SMALL, "--samples", "5", "--out"]
NUMBERS = ["step", "loss", "heldout", "grad_norm", "lr"]
# The command with a checkpoint at every record, killed as kill -9 does once the first is there.
KILLED = """
import os, signal
from diffutils.__main__ import cli
from diffutils.course.runs import recorded

real = recorded.saves.save

def save(*arguments):
    real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

recorded.saves.save = save
recorded.recorded.__kwdefaults__["save_every"] = 0.0
cli()
"""
EVALUATE = """
import sys
from pathlib import Path
from test_processes import evaluate

evaluate(Path(sys.argv[1]))
"""


def launched(processes, *command, folder):
    """What so many processes on this CPU print; `accelerate launch --cpu` would start one."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    places = [str(launch.PACKAGE.parent), os.path.dirname(__file__), *sys.path]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, places))
    start = [sys.executable, *launch.COMMAND.split(), "--num_processes", str(processes)]
    given = dict(env=environment, cwd=folder, text=True, capture_output=True)
    return subprocess.run([*start, *map(str, command)], **given)


def trained(folder):
    """Averaged weights of the last checkpoint, numbers of the log, and images."""
    state, _ = saves.read(saves.steps(folder / "checkpoints")[0])
    log = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return state["ema"], [[line[k] for k in NUMBERS] for line in log], drawn(folder / "images")


def drawn(folder):
    pictures = [imageio.imread(path) for path in sorted(folder.glob("*.png"))]
    return torch.from_numpy(np.stack(pictures)).int()


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The run directory of a training by one process."""
    out = tmp_path_factory.mktemp("alone") / "run"
    assert call(*TRAIN, str(out)).exit_code == 0
    return out


@pytest.mark.fault("worker process that fails or is killed", 3)
def test_three_processes_are_killed_and_two_go_on(tmp_path, alone):
    """Within 1e-5, as one process that nobody stopped; one process writes and speaks."""
    (tmp_path / "killed.py").write_text(KILLED)
    out = tmp_path / "run"
    first = launched(3, "killed.py", *TRAIN, out, folder=tmp_path)
    assert first.returncode != 0
    assert [p.name for p in saves.steps(out / "checkpoints")] == ["step-00000002"]
    second = launched(2, "-m", "diffutils", *TRAIN, out, folder=tmp_path)
    assert second.returncode == 0, second.stderr
    told = [line for line in second.stdout.splitlines() if line.strip()]
    assert told.count("run: resumed after step 2 of 4") == 1 and len(told) == len(set(told))
    assert any("not bit for bit" in line and "processes was 3, is 2" in line for line in told)
    (ema, log, images), (ema_alone, log_alone, images_alone) = trained(out), trained(alone)
    for name, value in ema_alone.items():
        torch.testing.assert_close(ema[name], value, atol=1e-5, rtol=1e-5)
    for line, want in zip(log, log_alone, strict=True):
        assert line == pytest.approx(want, rel=1e-4, abs=1e-5)
    assert images.shape == images_alone.shape and (images - images_alone).abs().max() <= 1
    assert {p.name for p in out.iterdir()} == {p.name for p in alone.iterdir()}


def evaluate(folder):
    """Images of `sample`, metrics of `measure` and two rows of a sweep, kept in a folder."""
    weights, few = str(folder / "model.safetensors"), ["-n", "8", "--steps", "3"]
    cli(["sample", weights, str(folder / "images"), *few], standalone_mode=False)
    cli(["measure", weights, *few], standalone_mode=False)
    model, small = models.load_model(weights), budget("02", "smoke", CHANGES)
    data = described.load_for("sprites", small, 0)
    space = spaces.of("sprites", 3, torch.device("cpu"))
    return list(sweep.sweep(model, data, space, n=8, steps=(2,), seeds=(0, 1), folder=folder))


def test_three_processes_evaluate_as_one_does(tmp_path, alone):
    """Images within 1 of 255, metrics and rows within 1e-3."""
    (tmp_path / "evaluate.py").write_text(EVALUATE)
    found = []
    for name in ("one", "three"):
        folder = tmp_path / name
        folder.mkdir()
        for file in alone.glob("model.*"):
            (folder / file.name).write_bytes(file.read_bytes())
        if name == "one":
            evaluate(folder)
        else:
            done = launched(3, "evaluate.py", folder, folder=tmp_path)
            assert done.returncode == 0, done.stderr
        metrics = json.loads((folder / "model.json").read_text())["metrics"]
        lines = (folder / "sweep.jsonl").read_text().splitlines()
        found.append((drawn(folder / "images"), metrics, [json.loads(line) for line in lines]))
    (images, metrics, rows), (images_3, metrics_3, rows_3) = found
    assert images.shape == images_3.shape == (8, 16, 16, 3)
    assert (images - images_3).abs().max() <= 1
    same(metrics_3, metrics)
    assert done.stdout.count("frechet_floor_std") == 1  # a line that `measure` prints
    for row, want in zip(rows_3, rows, strict=True):
        same(row, want, but=("seconds_per_image",))


def same(found, wanted, but=()):
    """Two records of measurements, numbers within 1e-3."""
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        if isinstance(value, int | float):
            assert key in but or found[key] == pytest.approx(value, rel=1e-3, abs=1e-4), key
        else:
            assert found[key] == value, key


def test_what_several_processes_cannot_share_is_refused_once(monkeypatch):
    monkeypatch.setenv("LOCAL_RANK", "0")
    words = "Error: run is for one process: call it without accelerate launch; several can share"
    for rank, said in (("0", [words]), ("1", [])):
        monkeypatch.setenv("RANK", rank)
        with warnings.catch_warnings():
            result = call("run", "--profile", "smoke")
        assert result.exit_code == 2
        assert [line[: len(words)] for line in result.output.splitlines()] == said
