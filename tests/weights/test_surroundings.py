"""A person's environment variables change no number, and stand in the record."""

import os
import subprocess
import sys

import pytest

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
