"""The object that a lesson opens with `du.lesson("02", ...)` and closes with `.finish()`."""

import json
import math
import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from importlib import metadata
from pathlib import Path

from diffutils.course.budgets import budget, profile_name
from diffutils.course.tables import markdown

CHECKOUT = Path(__file__).resolve().parents[2]
COLUMNS = ("claim", "published", "measured", "protocol", "N", "seeds")
NOT_RUN = "not run"


def lesson(
    number: str,
    profile: str | None = None,
    dataset: str = "sprites",
    seed: int = 0,
    run_dir: str | None = None,
    overrides: dict | None = None,
) -> "Lesson":
    """Validate a lesson's parameters, open its run directory, print budget and device in one line.

    number: "01", "02", ...; profile: None means $DIFFUTILS_PROFILE or "student"; run_dir: None
    means a new directory under $DIFFUTILS_RUN_DIR or runs/; overrides: budget fields by name.
    Raises: ValueError, with the valid choices, for a parameter that is unknown or wrongly typed.
    """
    return Lesson(number, profile_name(profile), dataset, _seed(seed), run_dir, overrides)


class Lesson:
    """One run of one lesson: its budget, device, run directory, metrics and claims."""

    def __init__(self, number, profile, dataset, seed, run_dir, overrides):
        self.number, self.profile, self.dataset, self.seed = number, profile, dataset, seed
        self.budget = budget(number, profile, overrides)
        if not isinstance(dataset, str) or not dataset:
            raise ValueError(f"dataset is {dataset!r}, expected a name such as 'sprites'.")
        self.device = best_device()
        self.dir = _run_directory(number, profile, run_dir)
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

    def track(self, records: Iterable, steps: int, name: str = "training") -> Iterator:
        """Pass on the records of `diffutils.fit`, one progress line each.

        The lines also reach the terminal of `python -m diffutils run`.
        """
        for record in records:
            heldout = "" if record.heldout is None else f" · held-out {record.heldout:.4f}"
            self.progress(
                f"{name}: step {record.step}/{steps} · loss {record.loss:.4f}{heldout} · "
                f"{record.images_per_second:.0f} images/s"
            )
            yield record

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
        """Write run.json into the run directory and show the claim table."""
        from diffutils.checkpoints import write_whole

        path = self.dir / "run.json"
        write_whole(path, (json.dumps(self.record(), indent=1, ensure_ascii=False) + "\n").encode())
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
            "versions": {"python": platform.python_version()} | _versions(),
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


def _seed(seed) -> int:
    try:
        if isinstance(seed, bool) or int(seed) != float(seed) or int(seed) < 0:
            raise ValueError
    except (TypeError, ValueError):
        raise ValueError(f"seed is {seed!r}, expected a whole number from 0 up.") from None
    return int(seed)


def _run_directory(number: str, profile: str, run_dir: str | None) -> Path:
    if run_dir is not None:
        path = Path(run_dir).expanduser()
    elif base := os.environ.get("DIFFUTILS_RUN_DIR"):
        path = Path(base) / number
    else:  # inside the checkout all runs lie together, elsewhere where the reader works
        here = Path.cwd()
        home = CHECKOUT if here.is_relative_to(CHECKOUT) else here
        path = home / "runs" / f"{time.strftime('%Y%m%d-%H%M%S')}-{profile}" / number
    path.mkdir(parents=True, exist_ok=True)
    return path.resolve()


def _versions() -> dict[str, str]:
    found = {}
    for name in ("diffutils", "torch", "torchvision", "numpy", "scipy", "accelerate"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def _threads() -> int:
    import torch

    return torch.get_num_threads()


def _short(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
