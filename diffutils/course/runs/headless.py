"""Run lessons headlessly through papermill, with progress, a table and clear failures."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffutils.course import parameters as valid
from diffutils.course.budgets import profile_name
from diffutils.course.runs import fingerprint, kernel, rundir, stored
from diffutils.course.tables import aligned
from diffutils.weights import provenance
from diffutils.weights.files import CHECKOUT, write_json, write_whole

NOTEBOOKS = CHECKOUT / "notebooks"


@dataclass
class Outcome:
    """How one lesson's run ended."""

    name: str
    notebook: Path
    seconds: float
    error: str | None = None  # cell and exception, None when the lesson ran through
    memory_mb: int | None = None
    headline: str = "-"
    skipped: bool = False  # finished before: numbers and notebook are of that run

    @property
    def status(self) -> str:
        """In words, for the table."""
        return "failed" if self.error else "ok, before" if self.skipped else "ok"


def select(names: str | None = None) -> list[Path]:
    """The notebooks of the named lessons ("01 02", "2" or "02_ddpm_training"), all by default.

    Raises: FileNotFoundError without notebooks; ValueError, with the list, for an unknown name.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        raise FileNotFoundError(
            f"There are no lessons in {NOTEBOOKS}; run this from a checkout of the repository."
        )
    chosen = []
    for name in (names or "").replace(",", " ").split():
        matches = [p for p in found if name in (p.stem, p.name) or p.stem[:2] == name.zfill(2)]
        if not matches:
            known = ", ".join(p.stem[:2] for p in found)
            raise ValueError(f"There is no lesson {name!r}; choose from {known}.")
        chosen += matches
    return [*dict.fromkeys(chosen)] if names else found


def run(
    notebooks: list[Path],
    profile: str,
    out: Path,
    budget: Callable,
    parameters: dict | None = None,
    again: bool = False,
    say=print,
) -> list[Outcome]:
    """Execute each notebook into `out`; a lesson that fails does not stop the others.

    A lesson that `out` holds finished, with the same parameters, data and code, is skipped; one
    that was killed goes on from its checkpoints.  again: neither, all starts anew.
    budget: `diffutils.lessons.budget`, which refuses wrong overrides.
    Raises: ValueError for an unknown profile or parameter, or a wrong value; BlockingIOError when
    another process works in `out`.  Then nothing was started.
    """
    import papermill

    parameters = {"profile": profile_name(profile)} | (parameters or {})
    accepted = {path: papermill.inspect_notebook(str(path)) for path in notebooks}
    # Refuse, before anything starts, what a lesson would refuse.
    for name in parameters:
        if not any(name in known for known in accepted.values()):
            raise ValueError(f"None of the chosen lessons has the parameter {name!r}.")
    if "dataset" in parameters:
        valid.dataset(parameters["dataset"])
    for path in notebooks:
        if "overrides" in parameters:
            budget(path.stem[:2], profile, parameters["overrides"])
        rundir.check_free(out / path.stem[:2])
    rundir.hold(out)
    outcomes = []
    try:
        for i, path in enumerate(notebooks, 1):
            head, known = f"[{i}/{len(notebooks)}] {path.stem}", accepted[path]
            mine = {k: v for k, v in parameters.items() if k in known}
            own = known["dataset"]["default"].strip("\"'") if "dataset" in known else ""
            identity = {
                "parameters": mine,
                "data": fingerprint.files(mine.get("dataset", own)),
                "notebook": fingerprint.notebook(path.read_bytes()),
                "code": fingerprint.code(path.stem[:2]),
                "versions": provenance.versions(),
            }
            # Skip what is finished.
            outcomes.append(None if again else _finished(path, out, identity))
            if outcomes[-1] is not None:
                say(f"{head} ({profile}) was finished before; --again would run it again")
                continue
            # Run it, and mark run.json: only a notebook executed whole and in order is finished.
            say(f"{head} ({profile}) ...")
            if again and "resume" in known:
                mine = mine | {"resume": "never"}
            outcomes[-1] = end = execute(path, out / path.name, mine, say)
            if end.error is None:
                record = out / path.stem[:2] / "run.json"
                content = json.loads(record.read_text(encoding="utf-8"))
                write_json(record, content | {"finished": identity})
            say(f"{head} {end.status} after {end.seconds:.0f} s")
    finally:
        rundir.release(out)
    return outcomes


def _finished(path: Path, out: Path, identity: dict) -> Outcome | None:
    """What an earlier run of exactly this lesson left in `out`, None if there is none."""
    record, target = out / path.stem[:2] / "run.json", out / path.name
    try:
        content = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if content.get("finished") != identity or not target.is_file():
        return None
    return _with_results(Outcome(path.stem, target, content["seconds"], skipped=True), record)


def execute(path: Path, target: Path, parameters: dict, say=print) -> Outcome:
    """Run one notebook in a kernel of this interpreter and store it, executed, as `target`."""
    import papermill
    from nbclient.exceptions import DeadKernelError

    number, out = path.stem[:2], target.parent
    record = out / number / "run.json"
    record.unlink(missing_ok=True)  # of an earlier run into the same directory
    began, error = time.perf_counter(), None
    # papermill formats paths: a brace in one must be doubled.
    paths = [str(p).replace("{", "{{").replace("}", "}}") for p in (path, target)]
    # A kernel warns that loopback is not encrypted; nobody else is on it here.
    how = dict(progress_bar=False, extra_arguments=["--IPKernelApp.log_level=ERROR"])
    with kernel.environment(out, say, number):
        try:
            papermill.execute_notebook(*paths, parameters, kernel_name="python3", **how)
        except papermill.PapermillExecutionError as failure:
            cell = failure.exec_count or failure.cell_index
            error = f"cell [{cell}]: {failure.ename}: {failure.evalue}"
        except DeadKernelError:
            error = "the kernel died, most often for lack of memory; try a smaller profile"
    return _with_results(Outcome(path.stem, target, time.perf_counter() - began, error), record)


def table(outcomes: list[Outcome]) -> str:
    """Lesson, status, seconds, peak memory and headline metric, as aligned text."""
    rows = [("lesson", "status", "seconds", "peak memory", "headline")]
    for o in outcomes:
        memory = "-" if o.memory_mb is None else f"{o.memory_mb} MB"
        rows.append((o.name, o.status, f"{o.seconds:.0f}", memory, o.headline))
    return aligned(rows)


def failures(outcomes: list[Outcome]) -> str:
    """One line for each lesson that failed: cell, error and where to look; empty if none did."""
    failed = [o for o in outcomes if o.error]
    return "\n".join(f"{o.name} failed in {o.error}\n  see {o.notebook}" for o in failed)


def store(notebooks: list[Path], budget: Callable, say=print) -> list[Outcome]:
    """Execute notebooks at the student profile; keep outputs, figures and README's table in place.

    Of a lesson that fails nothing is kept.
    """
    out, home = rundir.base() / time.strftime("%Y%m%d-%H%M%S-student"), NOTEBOOKS.parent
    outcomes = run(notebooks, "student", out, budget, say=say)
    for path, outcome in zip(notebooks, outcomes, strict=True):
        if outcome.error is None:
            write_whole(path, stored.cleaned(outcome.notebook).encode())
            for figure in (out / path.stem[:2] / "figures").glob("*.png"):
                write_whole(home / "figures" / figure.name, figure.read_bytes())
    if (readme := home / "README.md").is_file():
        runs = {name: rundir.base() / name for name in stored.SHOWN} | {"student": out}
        text = stored.with_lessons(readme.read_text(encoding="utf-8"), select(), runs)
        write_whole(readme, text.encode())
    return outcomes


def _with_results(outcome: Outcome, record: Path) -> Outcome:
    if record.is_file():
        content = json.loads(record.read_text(encoding="utf-8"))
        outcome.memory_mb = content["peak_memory_mb"]
        if name := content["headline"]:
            value = content["metrics"][name]
            shown = f"{value:.4g}" if isinstance(value, float) else value
            outcome.headline = f"{name} {shown}"
    elif outcome.error is None:
        outcome.error = "the lesson wrote no run.json; its last cell must call lesson.finish()"
    return outcome
