"""This machine: device, threads, memory."""

import os
import platform
import sys
from pathlib import Path

import psutil
import torch


def best_device():
    """The device that lessons use: CUDA, else Apple MPS, else the CPU."""
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


def threads() -> int:
    """Cores for computing: physical ones, and no more than this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:  # a container's share of the machine, Linux only
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        allowed = min(allowed, max(1, int(quota) // int(period)))
    except (OSError, ValueError):
        pass
    return min(allowed, psutil.cpu_count(logical=False) or allowed)
