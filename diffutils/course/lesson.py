"""The object that a lesson opens with `du.lesson("02", ...)` and closes with `.finish()`."""

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from diffutils.course import fingerprint, parameters, rundir
from diffutils.course.budgets import budget, profile_name
from diffutils.course.rundir import CHECKOUT
from diffutils.course.tables import markdown

COLUMNS = ("claim", "published", "measured", "protocol", "N", "seeds")
NOT_RUN = "not run"


def lesson(
    number: str,
    profile: str | None = None,
    dataset: str = "sprites",
    seed: int = 0,
    run_dir: str | None = None,
    overrides: dict | None = None,
    resume: str = "auto",
) -> "Lesson":
    """Validate a lesson's parameters, reserve its run directory, print budget and device.

    number: "01", "02", ...; profile: None means $DIFFUTILS_PROFILE or "student"; run_dir: None
    means NUMBER in $DIFFUTILS_RUN_DIR or in runs/PROFILE; overrides: budget fields by name;
    resume: "auto" goes on from what an earlier run left there, "never" starts anew.
    Raises: ValueError, with the valid choices, for a parameter that is unknown or wrongly typed;
    BlockingIOError when another process works in the run directory.
    """
    parameters.check_names(parameters.injected(), parameters.NAMES)
    return Lesson(number, profile_name(profile), dataset, seed, run_dir, overrides, resume)


class Lesson:
    """One run of one lesson: its budget, device, run directory, metrics and claims."""

    def __init__(self, number, profile, dataset, seed, run_dir, overrides, resume):
        self.number, self.profile = number, profile
        self.budget = budget(number, profile, overrides)
        self.dataset = parameters.dataset(dataset)
        self.seed, self.resume = parameters.seed(seed), parameters.resume(resume)
        self.device = best_device()
        self.dir = _run_directory(number, profile, run_dir)
        rundir.hold(self.dir)
        self._given_dir = run_dir
        self.claims: list[dict] = []
        self.metrics: dict[str, float | str] = {}
        self._headline: str | None = None
        self._began = time.perf_counter()
        settings = " ".join(f"{k}={_short(v)}" for k, v in asdict(self.budget).items())
        print(
            f"lesson {number} · {profile} · {dataset} · seed {seed} · {self.device.type} · "
            f"{self._shown()} · {settings}"
        )

    def __repr__(self) -> str:
        return f"Lesson({self.number!r}, {self.profile!r}, {self.dataset!r}, seed={self.seed})"

    def train(self, name: str, denoiser, images, schedule, **settings) -> Iterator:
        """Yield the records of `diffutils.fit` (its settings), kept in the run directory.

        Everything lies in run directory/name: checkpoints, from which a killed run goes on, log,
        samples, weights.  Further settings, records and errors: `recorded.recorded_fit`.
        """
        from diffutils.course.recorded import progress_line, recorded_fit

        rundir.hold(self.dir)  # once more, for a training after finish()
        settings = {"seed": self.seed, "resume": self.resume, "say": self.progress} | settings
        for record in recorded_fit(self.dir / name, denoiser, images, schedule, **settings):
            if not record.replayed:
                self.progress(progress_line(name, record, settings["steps"]))
            yield record

    def images(self, name: str, images) -> Path:
        """Keep generated images, uint8 (N, C, H, W), one PNG each in images/name; the folder."""
        from diffutils.course.pictures import write_images

        write_images(self.dir / "images" / name, images)
        return self.dir / "images" / name

    def progress(self, line: str) -> None:
        """Print a line here and, in a headless run, in the terminal that started it."""
        print(line, flush=True)
        if target := os.environ.get("DIFFUTILS_PROGRESS"):
            with open(target, "a", encoding="utf-8") as f:
                f.write(line + "\n")

    def headline(self, name: str, value: float) -> None:
        """Record the one number that the table across lessons shows."""
        self._headline = name
        self.metric(name, value)

    def metric(self, name: str, value: float) -> None:
        """Record a number for run.json; a number that is not finite is kept as text."""
        value = float(value)
        self.metrics[name] = value if math.isfinite(value) else str(value)

    def figure(self, name: str) -> Path:
        """Where to save a figure that README or a lesson's text uses: figures/ of this run.

        `python -m diffutils notebooks` copies them to figures/ of the checkout.
        """
        return self.dir / "figures" / name

    def claim(
        self, claim: str, published="-", measured=NOT_RUN, protocol: str = "", N="-", seeds="-"
    ) -> None:
        """Add a row to the claim table; what was not measured stays "not run"."""
        row = (claim, published, measured, protocol, N, seeds)
        self.claims.append({k: _text(v) for k, v in zip(COLUMNS, row, strict=True)})

    def finish(self) -> None:
        """Write run.json into the run directory, give that free, and show the claim table."""
        from diffutils.checkpoints import write_whole

        path = self.dir / "run.json"
        write_whole(path, (json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n").encode())
        rundir.release(self.dir)
        show_markdown(markdown(COLUMNS, [list(row.values()) for row in self.claims]))
        print(f"written: {self._shown()}/run.json")

    def _shown(self) -> str:
        """The run directory in words that do not change from one stored run to the next."""
        if self._given_dir is not None:
            return str(self._given_dir)
        if os.environ.get("DIFFUTILS_RUN_DIR"):
            return f"$DIFFUTILS_RUN_DIR/{self.number}"
        return str(self.dir)

    def record(self) -> dict:
        """What run.json holds."""
        return {
            "lesson": self.number,
            "parameters": {"profile": self.profile, "dataset": self.dataset, "seed": self.seed},
            "budget": asdict(self.budget),
            "versions": fingerprint.versions(),
            "commit": git_commit(),
            "device": device_name(self.device),
            "threads": _threads(),
            "seconds": round(time.perf_counter() - self._began, 1),
            "peak_memory_mb": peak_memory_mb(),
            "headline": self._headline,
            "metrics": self.metrics,
            "claims": self.claims,
        }


def best_device():
    """The device that lessons use: CUDA, else Apple MPS, else the CPU."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def device_name(device) -> str:
    """The device in words, e.g. "cuda: NVIDIA H200" or "cpu: x86_64, 2 threads"."""
    import torch

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


def show_markdown(text: str) -> None:
    """Render Markdown in a notebook, print it elsewhere."""
    from IPython import get_ipython
    from IPython.display import Markdown, display

    if get_ipython() is None:
        print(text)
    else:
        display(Markdown(text))


def _run_directory(number: str, profile: str, run_dir: str | None) -> Path:
    if run_dir is not None:
        path = parameters.run_dir(run_dir)
    elif base := os.environ.get("DIFFUTILS_RUN_DIR"):
        path = Path(base) / number
    else:
        path = rundir.base() / profile / number
    return path.resolve()


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _short(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
