"""A person's environment variables change no number, and stand in the record."""

import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import accelerate
import pytest
import torch

from diffutils.weights import surroundings

TRAIN = """
import torch
from diffutils import loop
torch.manual_seed(0)
net = torch.nn.Linear(8, 8)
loss = lambda net, step, slots: net(torch.ones(len(slots), 8)).square().mean(1)
for _ in loop.optimise(net, loss, steps=3, batch=2, warmup=1):
    pass
print(net.weight.double().sum().item())
"""
PERSONAL = {
    "ACCELERATE_MIXED_PRECISION": "bf16",
    "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "4",
    "ACCELERATE_DYNAMO_BACKEND": "eager",
    "ACCELERATE_USE_PARALLELISM_CONFIG": "true",
    "ACCELERATE_USE_FSDP": "true",
}


def trained(root, **environment) -> subprocess.CompletedProcess:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("ACCELERATE_")}
    command = [sys.executable, "-c", TRAIN]
    env = clean | {"PYTHONPATH": str(root)} | environment
    return subprocess.run(command, env=env, capture_output=True, text=True, check=True)


def test_settings_of_accelerate_change_no_training(root):
    plain, personal = trained(root), trained(root, **PERSONAL)
    assert personal.stdout == plain.stdout and "left out" not in plain.stderr
    for name, value in PERSONAL.items():
        assert f"{name}={value} would change what is computed; it is left out" in personal.stderr


def test_every_switch_of_accelerate_is_known():
    """Of the installed version: what it can turn on by a variable is left out, but the device."""
    source = [p.read_text(encoding="utf-8") for p in Path(accelerate.__file__).parent.rglob("*.py")]
    switches = set(re.findall("ACCELERATE_USE_[A-Z_]+", " ".join(source)))
    assert "ACCELERATE_USE_FSDP" in switches
    assert switches - {"ACCELERATE_USE_CPU"} <= set(surroundings.NEUTRAL)


def test_who_one_is_of_several(monkeypatch):
    """By the variables that `accelerate launch` and torchrun set; others set WORLD_SIZE, too."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setenv("WORLD_SIZE", "3")
    monkeypatch.setenv("RANK", "2")
    monkeypatch.delenv("LOCAL_RANK", raising=False)
    assert surroundings.place() == (0, 1) and surroundings.is_first()
    assert surroundings.processes() == 4
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert surroundings.place() == (2, 3) and not surroundings.is_first()
    assert surroundings.processes() == 1


@pytest.mark.parametrize("rank, said", [("0", "said\n"), ("1", "")])
def test_others_than_the_first_are_silent(rank, said, monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # to be put back
    monkeypatch.setenv("LOCAL_RANK", rank)
    monkeypatch.setenv("RANK", rank)
    with warnings.catch_warnings():
        surroundings.hush()
        print("said")
    assert capsys.readouterr().out == said


def test_what_says_nothing_new_is_no_word_worth(monkeypatch, recwarn):
    for name, value in surroundings.NEUTRAL.items():
        monkeypatch.setenv(name, value)
    surroundings.accelerator()
    assert not recwarn.list and not set(surroundings.NEUTRAL) & set(os.environ)


@pytest.mark.parametrize(
    "name", ["OMP_NUM_THREADS", "PYTORCH_ENABLE_MPS_FALLBACK", "NVIDIA_TF32_OVERRIDE"]
)
def test_what_may_change_numbers_is_recorded(name, monkeypatch):
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("MY_PASSWORD", "secret")
    found = surroundings.settings()
    assert found[name] == "1" and "MY_PASSWORD" not in found


def test_who_chose_keeps_his_choice():
    environment = {}
    surroundings.wait_briefly(environment)
    assert environment == surroundings.WAITING
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "7"}, {"KMP_BLOCKTIME": "0"}):
        environment = dict(chosen)
        surroundings.wait_briefly(environment)
        assert environment == chosen


def test_the_command_line_sets_it_before_torch_is_loaded():
    program = """
import sys
from diffutils.weights import surroundings
def first(environment=None):
    print("torch" in sys.modules)
surroundings.wait_briefly = first
import diffutils.__main__
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="libgomp is Linux's")
def test_children_inherit_it(monkeypatch, tmp_path):
    for name in ("OMP_WAIT_POLICY", *surroundings.WAITING):
        monkeypatch.delenv(name, raising=False)
    program = """
import os, sys
sys.argv = ["diffutils", "data"]
import diffutils.__main__
print(os.popen("echo $GOMP_SPINCOUNT").read())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == surroundings.WAITING["GOMP_SPINCOUNT"], done.stderr
