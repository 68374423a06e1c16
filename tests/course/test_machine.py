"""What is found out about this machine."""

import os
from pathlib import Path

import pytest
import torch

from diffutils.course import machine


def test_threads_are_no_more_than_this_process_may_use(monkeypatch):
    assert 1 <= machine.threads() <= os.cpu_count()
    for quota, period, expected in (("max", "100000", None), ("150000", "100000", 1)):
        monkeypatch.setattr(Path, "read_text", lambda *_, q=quota, p=period: f"{q} {p}\n")
        assert machine.threads() == (expected or machine.threads())
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3}, raising=False)
    monkeypatch.setattr(Path, "read_text", lambda *_: "max 100000\n")
    assert machine.threads() == 1


def test_the_device_in_words(monkeypatch):
    device = machine.best_device()
    assert machine.device_name(device).startswith(f"{device.type}: ")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert machine.best_device() == torch.device("cpu")
    assert machine.device_name(torch.device("cpu")).endswith("threads")


def test_memory_only_grows():
    before = machine.peak_memory_mb()
    held = bytearray(200_000_000)
    held[::4096] = b"x" * len(held[::4096])
    assert machine.peak_memory_mb() >= max(before, 190)


def test_what_does_not_fit_is_refused_before_it_is_made(monkeypatch, tmp_path):
    cpu = torch.device("cpu")
    machine.check_memory(1e6, cpu, "")
    machine.check_disk(1e3, tmp_path)
    with pytest.raises(ValueError, match=r"takes about 1,000.0 GB .*cpu.* has .* GB; take less"):
        machine.check_memory(1e12, cpu, "take less")
    with pytest.raises(OSError, match=f"{tmp_path}.* GB free; make room, or choose another"):
        machine.check_disk(1e18, tmp_path)


def test_a_container_has_the_memory_that_it_may_use(monkeypatch):
    cpu, total = torch.device("cpu"), machine.memory(torch.device("cpu"))
    for limit, expected in (("max", None), ("1000000", 1_000_000)):
        monkeypatch.setattr(Path, "read_text", lambda *_, limit=limit: f"{limit}\n")
        assert machine.memory(cpu) == expected or (
            expected is None and machine.memory(cpu) >= total
        )
