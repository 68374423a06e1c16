"""Where a result came from: hardware, versions, commit."""

import datetime
import platform
import subprocess
import time
from importlib import metadata

import torch

from diffutils.weights.files import CHECKOUT

LIBRARIES = ("diffutils", "torch", "torchvision", "numpy", "scipy", "accelerate")


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


def versions() -> dict[str, str]:
    """Python's and the libraries' versions."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def git_commit() -> str | None:
    """The commit of the checkout, with "-dirty" where files differ from it; None without git."""
    if not (CHECKOUT / ".git").exists():
        return None
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--abbrev=40", "--dirty"]
    try:
        done = subprocess.run([*command, "--exclude=*"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
