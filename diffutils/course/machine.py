"""This machine: device, threads, memory, disk, and the settings that reach it from outside."""

import os
import platform
import shutil
import sys
from pathlib import Path

import psutil
import torch

from diffutils.weights import surroundings


def best_device():
    """The device that lessons use: CUDA, else Apple MPS, else the CPU; of a launch each its own."""
    if surroundings.launched():
        return surroundings.accelerator().device
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_name(device) -> str:
    """The device in words, e.g. "cuda: NVIDIA H200" or "cpu: x86_64, 2 threads"."""
    if device.type == "cuda":
        return f"cuda: {torch.cuda.get_device_name(device)}"
    return f"{device.type}: {platform.machine()}, {torch.get_num_threads()} threads"


def peak_memory_mb() -> int | None:
    """Most memory this process has held so far, in MB (10^6 bytes); None on Windows."""
    try:
        from resource import RUSAGE_SELF, getrusage
    except ImportError:
        return None
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, KiB elsewhere
    return round(getrusage(RUSAGE_SELF).ru_maxrss * unit / 1e6)


def memory(device) -> int:
    """Bytes that the device has in all: of a CPU what this machine, or its container, allows."""
    if device.type == "cuda":
        return torch.cuda.get_device_properties(device).total_memory
    total = psutil.virtual_memory().total
    allowed = _container("memory.max")
    return min(total, int(allowed[0])) if allowed and allowed[0].isdigit() else total


def check_memory(needed: float, device, cure: str) -> None:
    """ValueError, before it fills, where the device has fewer than these bytes in all."""
    if needed > (there := memory(device)):
        raise ValueError(
            f"this takes about {needed / 1e9:,.1f} GB of memory, but {device_name(device)} has "
            f"{there / 1e9:,.1f} GB; {cure}"
        )


def check_disk(needed: float, folder: Path) -> None:
    """OSError, before it fills, where the disk of a folder has fewer than these bytes free."""
    if needed > (free := shutil.disk_usage(folder).free):
        raise OSError(
            f"this writes about {needed / 1e9:,.1f} GB into {folder}, but its disk has "
            f"{free / 1e9:,.1f} GB free; make room, or choose another directory"
        )


def threads() -> int:
    """Cores for computing: physical ones, and no more than this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    allowed = allowed or 1
    share = _container("cpu.max")  # of so many microseconds
    if len(share) == 2 and share[0].isdigit():
        allowed = min(allowed, max(1, int(share[0]) // int(share[1])))
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def _container(file: str) -> list[str]:
    """The words of a limit that a container has, Linux only; none without one."""
    try:
        return Path("/sys/fs/cgroup", file).read_text().split()
    except OSError:
        return []
