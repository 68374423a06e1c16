"""Where a result came from: hardware, versions, commit."""

import datetime
import os
import platform
import subprocess
import time
from importlib import metadata
from pathlib import Path

import torch

from diffutils import __version__
from diffutils.weights.files import CHECKOUT

CPUINFO = Path("/proc/cpuinfo")
# What in the environment keeps a library from instructions that the CPU has.
LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")
LIBRARIES = ("torch", "torchvision", "numpy", "scipy", "accelerate")


def provenance(began: float) -> dict:
    """What a card says of a training that began at time.monotonic() = began."""
    return {
        "seconds": round(time.monotonic() - began),
        "hardware": hardware(),
        "torch": torch.__version__,
        "date": datetime.date.today().isoformat(),
    }


def hardware() -> str:
    """The device that training runs on, in words."""
    if torch.cuda.is_available():
        return f"{torch.cuda.device_count()} x {torch.cuda.get_device_name()}"
    return f"CPU, {torch.get_num_threads()} threads ({platform.machine()})"


def processor() -> str:
    """Model and instructions of the CPU: with others a sum is rounded in another order.

    Empty where a GPU computes.
    """
    if torch.cuda.is_available():
        return ""
    found = platform.processor() or platform.machine()
    if CPUINFO.is_file():  # Linux, where Python does not know the model
        lines = CPUINFO.read_text(errors="replace").splitlines()
        found = next((x.partition(": ")[2] for x in lines if x.startswith("model name")), found)
    limits = [f"{name}={os.environ[name]}" for name in LIMITS if name in os.environ]
    return ", ".join([found, torch.backends.cpu.get_cpu_capability(), *limits])


def versions() -> dict[str, str]:
    """Python's and the libraries' versions."""
    found = {"python": platform.python_version(), "diffutils": __version__}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def git_commit() -> str | None:
    """The commit of the checkout, with "-dirty" where files differ from it; None without git."""
    if CHECKOUT is None or not (CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        return subprocess.check_output(
            [*command, "--exclude=*"], stderr=subprocess.DEVNULL, text=True
        ).strip()
    except (OSError, subprocess.CalledProcessError):
        return None
