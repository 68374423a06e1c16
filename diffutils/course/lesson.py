"""The object that a lesson opens with `du.lesson(...)` and closes with `.finish()`."""

import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import torch
from IPython import get_ipython
from IPython.display import Markdown, display

from diffutils.course import parameters
from diffutils.course.budgets import Budget, items
from diffutils.course.exercises.model import Exercise
from diffutils.course.experiments import claims
from diffutils.course.machine import best_device, check_disk, device_name, peak_memory_mb
from diffutils.course.runs import pace, rundir
from diffutils.course.runs.estimate import COPIES
from diffutils.course.runs.recorded_fit import training_in
from diffutils.course.tables import claim_table, plain
from diffutils.course.workbook.progress import noted, summary
from diffutils.weights import surroundings
from diffutils.weights.files import write_json
from diffutils.weights.provenance import git_commit, versions


class Lesson:
    """One run of one lesson: its budget, device, run directory, metrics and claims.

    exercises: those of the lesson.  Other arguments and errors: `diffutils.lessons.lesson`, which
    opens it.
    """

    def __init__(
        self,
        number,
        profile,
        budget: Budget,
        dataset,
        seed,
        run_dir,
        resume,
        exercises: Sequence[Exercise] = (),
    ):
        self.number, self.profile, self.budget = number, profile, budget
        self.exercises = exercises
        self.dataset = parameters.dataset(dataset)
        self.seed, self.resume = parameters.seed(seed), parameters.resume(resume)
        self.device = best_device()
        # Take a directory, whose words do not change from one stored run to the next.
        path = (rundir.base() / profile / number).resolve()
        self.dir, self._shown = path, str(path)
        if run_dir is not None:
            self.dir, self._shown = parameters.run_dir(run_dir), str(run_dir)
        elif base := os.environ.get("DIFFUTILS_RUN_DIR"):
            self.dir = (Path(base) / number).resolve()
            self._shown = f"$DIFFUTILS_RUN_DIR/{number}"
        rundir.hold(self.dir)
        self.claims: list[dict] = []
        self.metrics: dict[str, float | str] = {}
        self._headline: str | None = None
        self._began = time.perf_counter()
        settings = {k: ",".join(map(str, items(v))) for k, v in asdict(budget).items()}
        print(
            f"lesson {number} · {profile} · {plain(str(dataset))} · seed {seed} · "
            f"{self.device.type} · {plain(self._shown)} ·",
            *(f"{k}={v}" for k, v in settings.items()),
        )

    def __repr__(self) -> str:
        return f"Lesson({self.number!r}, {self.profile!r}, {self.dataset!r}, seed={self.seed})"

    def train(self, name: str, network, *task, **settings) -> Iterator:
        """Yield the records of a training, kept in run directory/name, whence a killed run goes on.

        As `diffutils.optimise`: a network, loss and settings; as `diffutils.fit`: a denoiser,
        images, schedule and settings; as `methods.refine.refine`: a denoiser, images, conditions,
        levels and settings.  Further settings, records and errors: `recorded_fit`.
        Raises: OSError, before it begins, for a disk that has no room for its checkpoints.
        """
        rundir.hold(self.dir)  # once more, for a training after finish()
        weights = sum(p.numel() * p.element_size() for p in network.parameters())
        check_disk(COPIES * weights, self.dir)
        settings = {"resume": self.resume} | settings
        if len(task) > 1:
            settings = {"seed": self.seed} | settings
        train = training_in(self.dir, self.progress)
        yield from train(str(self._inside(name).relative_to(self.dir)), network, *task, **settings)

    def images(self, name: str, images) -> Path:
        """Keep generated images, uint8 (N, C, H, W), one PNG each in images/name; the folder."""
        from diffutils.data.png import write_images

        folder = self._inside(f"images/{name}")
        write_images(folder, images)
        return folder

    def progress(self, line: str) -> None:
        """Print a line here and, in a headless run, in the terminal that started it."""
        print(line, flush=True)
        pace.told(line)

    def headline(self, name: str, value: float) -> None:
        """Record the one number that the table across lessons shows."""
        self._headline = plain(name)
        self.metric(name, value)

    def metric(self, name: str, value: float) -> None:
        """Record a number for run.json, to six digits; one that is not finite is kept as text."""
        try:
            value = float(f"{float(value):.6g}")
        except (TypeError, ValueError, RuntimeError, OverflowError):
            raise ValueError(f"the metric {name!r} is {value!r}, expected a number") from None
        self.metrics[plain(name)] = value if math.isfinite(value) else str(value)

    def figure(self, name: str) -> Path:
        """Where to save a figure that README or a lesson's text uses: figures/ of this run.

        `python -m diffutils notebooks` copies them to figures/ of the checkout.
        """
        return self._inside(f"figures/{name}")

    def _inside(self, name: str) -> Path:
        """A place in the run directory.  Raises: ValueError for a name that leads out of it."""
        place = Path(os.path.normpath(self.dir / name))
        if not place.is_relative_to(self.dir):
            raise ValueError(f"{name!r} leads out of the run directory; give a plain name")
        return place

    def claim(self, claim: str, *cells, **fields) -> None:
        """Add a row to the claim table, "not run" by default; fields, errors: of `claims.claim`."""
        self.claims.append(claims.claim(claim, *cells, **fields))

    def finish(self) -> None:
        """Write run.json into the run directory, give that free, show claims and what is solved."""
        write_json(self.dir / "run.json", self.record())
        rundir.release(self.dir)
        show_markdown(claim_table(self.claims))
        print(f"written: {plain(self._shown)}/run.json")
        if self.exercises:
            print(summary(self.exercises))

    def record(self) -> dict:
        """What run.json holds."""
        return {
            "lesson": self.number,
            "parameters": {"profile": self.profile, "dataset": self.dataset, "seed": self.seed},
            "budget": asdict(self.budget),
            "versions": versions(),
            "commit": git_commit(),
            "device": device_name(self.device),
            "threads": torch.get_num_threads(),
            "environment": surroundings.settings(),
            "seconds": round(time.perf_counter() - self._began, 1),
            "peak_memory_mb": peak_memory_mb(),
            "headline": self._headline,
            "metrics": self.metrics,
            "claims": self.claims,
            "exercises": {e.id: noted[e.id] for e in self.exercises if e.id in noted},
        }


def show_markdown(text: str) -> None:
    """Render Markdown in a notebook, print it elsewhere."""
    if get_ipython() is None:
        print(text)
    else:
        display(Markdown(text))
