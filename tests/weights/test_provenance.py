"""Where a result came from: the words that decide whether it is the same bit for bit."""

import subprocess
import sys

import pytest
import torch

from diffutils.weights import provenance


def test_the_processor_is_its_model_and_instructions(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(provenance, "CPUINFO", tmp_path / "cpuinfo")
    for name in provenance.LIMITS:
        monkeypatch.delenv(name, raising=False)
    instructions = torch.backends.cpu.get_cpu_capability()
    assert provenance.processor().endswith(f", {instructions}")  # without that file
    (tmp_path / "cpuinfo").write_text("processor\t: 0\nmodel name\t: Odd: 7 GHz\nflags\t: a b\n")
    assert provenance.processor() == f"Odd: 7 GHz, {instructions}"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert provenance.processor() == f"Odd: 7 GHz, {instructions}, ONEDNN_MAX_CPU_ISA=SSE41"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert provenance.processor() == ""


def test_fewer_instructions_are_another_processor(root, monkeypatch):
    """Played by the environment, which PyTorch reads when it starts."""
    if torch.backends.cpu.get_cpu_capability() == "DEFAULT":
        pytest.skip("this CPU has the fewest already")
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    code = "from diffutils.weights import provenance; print(provenance.processor())"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.stdout.strip() != provenance.processor()
