"""The object that a lesson opens with `du.lesson(...)` and closes with `.finish()`."""

import math
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from diffutils.course import parameters
from diffutils.course.budgets import Budget
from diffutils.course.machine import best_device, device_name, peak_memory_mb
from diffutils.course.runs import rundir
from diffutils.course.tables import markdown
from diffutils.weights.files import write_json
from diffutils.weights.provenance import git_commit, versions

COLUMNS = ("claim", "published", "measured", "protocol", "N", "seeds")


NOT_RUN = "not run"


class Lesson:
    """One run of one lesson: its budget, device, run directory, metrics and claims.

    Arguments and errors: `diffutils.lessons.lesson`, which opens it.
    """

    def __init__(self, number, profile, budget: Budget, dataset, seed, run_dir, resume):
        self.number, self.profile, self.budget = number, profile, budget
        self.dataset = parameters.dataset(dataset)
        self.seed, self.resume = parameters.seed(seed), parameters.resume(resume)
        self.device = best_device()
        self.dir, self._shown = _run_directory(number, profile, run_dir)
        rundir.hold(self.dir)
        self.claims: list[dict] = []
        self.metrics: dict[str, float | str] = {}
        self._headline: str | None = None
        self._began = time.perf_counter()
        settings = " ".join(f"{k}={_short(v)}" for k, v in asdict(self.budget).items())
        print(
            f"lesson {number} · {profile} · {dataset} · seed {seed} · {self.device.type} · "
            f"{self._shown} · {settings}"
        )

    def __repr__(self) -> str:
        return f"Lesson({self.number!r}, {self.profile!r}, {self.dataset!r}, seed={self.seed})"

    def train(self, name: str, denoiser, images, schedule, **settings) -> Iterator:
        """Yield the records of `diffutils.fit` (its settings), kept in the run directory.

        Everything lies in run directory/name: checkpoints, from which a killed run goes on, log,
        samples, weights.  Further settings, records and errors: `recorded.recorded_fit`.
        """
        from diffutils.course.runs.recorded_fit import progress_line, recorded_fit

        rundir.hold(self.dir)  # once more, for a training after finish()
        settings = {"seed": self.seed, "resume": self.resume, "say": self.progress} | settings
        for record in recorded_fit(self.dir / name, denoiser, images, schedule, **settings):
            if not record.replayed:
                self.progress(progress_line(name, record, settings["steps"]))
            yield record

    def images(self, name: str, images) -> Path:
        """Keep generated images, uint8 (N, C, H, W), one PNG each in images/name; the folder."""
        from diffutils.data.png import write_images

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
        write_json(self.dir / "run.json", self.record())
        rundir.release(self.dir)
        show_markdown(markdown(COLUMNS, [list(row.values()) for row in self.claims]))
        print(f"written: {self._shown}/run.json")

    def record(self) -> dict:
        """What run.json holds."""
        import torch

        return {
            "lesson": self.number,
            "parameters": {"profile": self.profile, "dataset": self.dataset, "seed": self.seed},
            "budget": asdict(self.budget),
            "versions": versions(),
            "commit": git_commit(),
            "device": device_name(self.device),
            "threads": torch.get_num_threads(),
            "seconds": round(time.perf_counter() - self._began, 1),
            "peak_memory_mb": peak_memory_mb(),
            "headline": self._headline,
            "metrics": self.metrics,
            "claims": self.claims,
        }


def show_markdown(text: str) -> None:
    """Render Markdown in a notebook, print it elsewhere."""
    from IPython import get_ipython
    from IPython.display import Markdown, display

    if get_ipython() is None:
        print(text)
    else:
        display(Markdown(text))


def _run_directory(number: str, profile: str, run_dir: str | None) -> tuple[Path, str]:
    """Where to write, and that in words that do not change from one stored run to the next."""
    if run_dir is not None:
        return parameters.run_dir(run_dir), str(run_dir)
    if base := os.environ.get("DIFFUTILS_RUN_DIR"):
        return (Path(base) / number).resolve(), f"$DIFFUTILS_RUN_DIR/{number}"
    path = (rundir.base() / profile / number).resolve()
    return path, str(path)


def _short(value) -> str:
    return ",".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _text(value) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
