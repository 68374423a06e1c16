"""Run lessons headlessly through papermill, with progress, a table and clear failures."""

import json
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from diffutils.course import parameters as valid
from diffutils.course.budgets import profile_name
from diffutils.course.runs import fingerprint, report, rundir, stored
from diffutils.course.tables import aligned
from diffutils.weights import provenance, records
from diffutils.weights.files import CHECKOUT, SHIPPED, can_write, write_json, write_whole

NOTEBOOKS = SHIPPED / "notebooks"
BEFORE = "ok, before"  # the status of a lesson that was finished
RESULTS = {  # of run.json, what the table shows
    "seconds": (int, float),
    "peak_memory_mb": (int, type(None)),
    "headline": (str, type(None)),
    "metrics": dict,
}


@dataclass
class Outcome:
    """How one lesson's run ended."""

    name: str
    notebook: Path
    seconds: float = 0.0
    error: str | None = None  # in words that follow the status; None when the lesson ran through
    status: str = "ok"
    memory_mb: int | None = None
    headline: str = "-"


def select(names: str | None = None) -> list[Path]:
    """The notebooks of the named lessons ("01 02", "2" or "02_ddpm_training"), all by default.

    Raises: FileNotFoundError without notebooks; ValueError, with the list, for an unknown name.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]_*.ipynb"))
    if not found:
        cure = "install the package anew, or clone it again"
        raise FileNotFoundError(f"There are no lessons in {NOTEBOOKS}; {cure}.")
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
    Ctrl-C stops the lesson that runs, and those after it are not run.  After each lesson the
    report in `out` (see `report.write`) is that of all so far.
    Raises: ValueError for an unknown profile or parameter, or a wrong value; BlockingIOError when
    another process works in `out`.  Then nothing was started.
    """
    from diffutils.course.runs import kernel  # late: it imports papermill

    parameters = {"profile": profile_name(profile)} | (parameters or {})
    accepted = []
    for path in notebooks:
        with suppress(ValueError):  # its row will say so
            accepted.append(kernel.declared(path))
    # Refuse, before anything starts, what a lesson would refuse.
    for name in parameters:
        if accepted and not any(name in known for known in accepted):
            raise ValueError(f"None of the chosen lessons has the parameter {name!r}.")
    if "dataset" in parameters:
        valid.dataset(parameters["dataset"])
    for path in notebooks:
        if "overrides" in parameters:
            budget(path.stem[:2], profile, parameters["overrides"])
        rundir.check_free(out / path.stem[:2])
    rundir.hold(out)
    # Run one after the other, whatever becomes of each.
    outcomes = [Outcome(path.stem, out / path.name, status="not run") for path in notebooks]
    try:
        for i, path in enumerate(notebooks):
            head, began = f"[{i + 1}/{len(notebooks)}] {path.stem}", time.perf_counter()
            try:
                end = _one(path, out, parameters, again, head, say)
            except BrokenPipeError:  # nobody is there who would read what is said
                raise
            except (Exception, KeyboardInterrupt) as error:  # papermill and zmq raise many kinds
                why, status = f"since {type(error).__name__}: {error}", "failed"
                if isinstance(error, KeyboardInterrupt):
                    why, status = "by Ctrl-C; the same command goes on", "stopped"
                took = time.perf_counter() - began
                end = Outcome(path.stem, out / path.name, took, why, status)
            outcomes[i] = end
            try:
                report.write(out, [(o.name, o.status, o.error) for o in outcomes], profile)
            except OSError as error:  # a full disk costs the report, and no lesson
                say(f"the report could not be written ({error}); make room, and call it again")
            before = "was finished before; --again would run it again"
            ended = f"{end.status} after {end.seconds:.0f} s"
            say(f"{head} {before if end.status == BEFORE else ended}")
            if end.status == "stopped":
                break
    finally:
        rundir.release(out)
    return outcomes


def _one(path: Path, out: Path, parameters: dict, again: bool, head: str, say) -> Outcome:
    """Skip a lesson that is finished, or run it and mark its run.json: it is whole and in order."""
    from diffutils.course.runs import kernel

    known, number = kernel.declared(path), path.stem[:2]
    mine = {k: v for k, v in parameters.items() if k in known}
    own = known["dataset"]["default"].strip("\"'") if "dataset" in known else ""
    identity = {
        "parameters": mine,
        "data": fingerprint.files(mine.get("dataset", own)),
        "notebook": fingerprint.notebook(path.read_bytes()),
        "code": fingerprint.code(number),
        "versions": provenance.versions(),
    }
    if not again and (before := _finished(path, out, identity, say)):
        return before
    say(f"{head} ({parameters['profile']}) ...")
    if again and "resume" in known:
        mine = mine | {"resume": "never"}
    end = execute(path, out / path.name, mine, say)
    if end.error is None:
        record = out / number / "run.json"
        content = records.read(record, RESULTS, "run the lesson again")
        mark = identity | {"left": _left(content, out / path.name)}
        write_json(record, content | {"finished": mark})
    return end


def _left(content: dict, notebook: Path) -> str:
    """A checksum of what a finished run left: its record and its executed notebook."""
    return fingerprint.digest(json.dumps(content, sort_keys=True).encode() + notebook.read_bytes())


def _finished(path: Path, out: Path, identity: dict, say) -> Outcome | None:
    """What an earlier run of exactly this lesson left in `out`; None if it is not all there."""
    record, target = out / path.stem[:2] / "run.json", out / path.name
    try:
        content = records.read(record, RESULTS, "the lesson runs again")
        mark = content.pop("finished", None)
        left = _left(content, target)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        return say(str(error))
    if not isinstance(mark, dict) or mark | {"left": left} != identity | {"left": left}:
        return None
    if mark.get("left") != left:
        return say(f"{record} or {target.name} is not as its run left it; the lesson runs again")
    end = Outcome(path.stem, target, content["seconds"], status=BEFORE)
    return _with_results(end, content)


def execute(path: Path, target: Path, parameters: dict, say=print) -> Outcome:
    """Run one notebook in a kernel of this interpreter and store it, executed, as `target`."""
    from diffutils.course.runs import kernel

    number, out, began = path.stem[:2], target.parent, time.perf_counter()
    record = out / number / "run.json"
    record.unlink(missing_ok=True)  # of an earlier run into the same directory
    with kernel.environment(out, say, number):
        error = kernel.execute(path, target, parameters)
    end = Outcome(path.stem, target, time.perf_counter() - began, error)
    try:
        _with_results(end, records.read(record, RESULTS, "run the lesson again"))
    except FileNotFoundError:
        why = "since the lesson wrote no run.json; its last cell must call lesson.finish()"
        end.error = error or why
    except (OSError, ValueError) as damage:
        end.error = error or f"since {damage}"
    end.status = "failed" if end.error else "ok"
    return end


def _with_results(outcome: Outcome, content: dict) -> Outcome:
    outcome.memory_mb = content["peak_memory_mb"]
    name, metrics = content["headline"], content["metrics"]
    if name in metrics:
        value = metrics[name]
        outcome.headline = f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
    return outcome


def table(outcomes: list[Outcome]) -> str:
    """Lesson, status, seconds, peak memory and headline metric, as aligned text."""
    rows = [("lesson", "status", "seconds", "peak memory", "headline")]
    for o in outcomes:
        memory = "-" if o.memory_mb is None else f"{o.memory_mb} MB"
        rows.append((o.name, o.status, f"{o.seconds:.0f}", memory, o.headline))
    return aligned(rows, width=None)


def failures(outcomes: list[Outcome]) -> str:
    """What stopped each lesson that did not run through, and where to look; empty if all did."""
    bad = (o for o in outcomes if o.error)
    return "\n".join(f"{o.name} {o.status} {o.error}\n  see {o.notebook}" for o in bad)


def store(
    notebooks: list[Path], budget: Callable, say=print, work: Path | None = None
) -> list[Outcome]:
    """Execute notebooks at the student profile; keep outputs, figures and README's table in place.

    Of a lesson that fails, or was edited while it ran, nothing is kept.  work: a folder that gets
    notebooks/ and figures/ instead.  Raises: ValueError where nothing can be kept.
    """
    home = work or NOTEBOOKS.parent
    if not can_write(home) or not (work or CHECKOUT):
        raise ValueError(f"{home} cannot be written; choose a folder of your own with --work")
    out = rundir.base() / time.strftime("%Y%m%d-%H%M%S-student")
    before = {path: path.read_bytes() for path in notebooks}
    outcomes = run(notebooks, "student", out, budget, say=say)
    for path, outcome in zip(notebooks, outcomes, strict=True):
        if outcome.error is None and path.read_bytes() != before[path]:
            outcome.status, outcome.error = "not stored", "since it was edited while it ran"
        if outcome.error is None:
            target = home / "notebooks" / path.name if work else path
            write_whole(target, stored.cleaned(outcome.notebook).encode())
            for figure in (out / path.stem[:2] / "figures").glob("*.png"):
                write_whole(home / "figures" / figure.name, figure.read_bytes())
    if not work and (readme := home / "README.md").is_file():
        runs = {name: rundir.base() / name for name in stored.SHOWN} | {"student": out}
        text = stored.with_lessons(readme.read_text(encoding="utf-8"), select(), runs)
        write_whole(readme, text.encode())
    return outcomes
