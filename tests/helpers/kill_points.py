"""Stop a command at each call that changes a file, start it again, compare all that it leaves.

Run with stop_at.c preloaded: kill_points.py COMMAND kill|full FOLDER EVERY; every EVERY-th call is
tried.  Prints, as JSON, the number of calls, of points, and what was wrong at which.
"""

import ctypes
import errno
import hashlib
import json
import os
import shutil
import sys
import traceback
from pathlib import Path

import torch
import torch._dynamo  # what an optimiser would import in every child
from command_line import GOOD, PARAMETERS
from nbformat import v4, writes

from diffutils.__main__ import cli
from diffutils.course.runs import headless, kernel, recorded
from diffutils.data import load
from diffutils.weights.files import write_json

LIBRARY = ctypes.CDLL(None)  # with what is preloaded
PASSING = ("seconds", "images_per_second", "card_sha256", "left")  # what no two runs share
BUDGET = "steps=4 log_every=2 images=20 channels=8,8 attention=false,false batch=4".split()
BUDGET += "metric_samples=20 sample_steps=2".split()
SETTINGS = [word for change in BUDGET for word in ("--set", change)]


def prepare(work: Path) -> None:
    """Make two lessons that need no kernel, and a training that saves every record."""
    torch.set_num_threads(1)
    os.chdir(work)
    folder = work / "notebooks"
    folder.mkdir(parents=True)
    for number in ("01", "02"):
        cells = [v4.new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})]
        about = {"kernelspec": {"name": "python3", "display_name": "", "language": "python"}}
        nb = v4.new_notebook(cells=[*cells, v4.new_code_cell(GOOD)], metadata=about)
        (folder / f"{number}_lesson.ipynb").write_text(writes(nb))
    headless.NOTEBOOKS = folder
    kernel.execute = executed
    recorded.recorded.__kwdefaults__["save_every"] = 0.0
    load("sprites", limit=20, seed=0)


def executed(path: Path, target: Path, parameters: dict) -> None:
    """Write what papermill and a lesson would write."""
    for done in ("\n", "\n\n"):
        kernel.Whole().write(path.read_text() + done, f"{kernel.DOOR}{target}")
    record = {"seconds": 1.0, "peak_memory_mb": 1, "headline": None, "metrics": {}}
    write_json(target.parent / path.stem[:2] / "run.json", record)


def train(out: Path) -> list[str]:
    """The arguments of a training of two checkpoints."""
    return ["train", "--profile", "smoke", "--out", out, "--samples", "2", "--trdata", *SETTINGS]


COMMANDS = {
    "train": train,
    "sample": lambda out: ["sample", out.parent / "weights", out / "s", "-n", "3", "--steps", "2"],
    "export": lambda out: ["export", out / "set"],
    "run": lambda out: ["run", "--profile", "smoke", "--out", out],
}


def call(command: str, out: Path, at: int = 0, error: int = 0) -> tuple[int, str, int]:
    """Run a command in a process of its own; its exit code (-9: killed), its words, its calls."""
    said = out.parent / "said.txt"
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), *read(said)
    code = 99
    try:
        handle = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(handle, 1)
        os.dup2(handle, 2)
        LIBRARY.stop_at(ctypes.c_long(at), error, str(out).encode())
        try:
            cli([str(word) for word in COMMANDS[command](out)], prog_name="diffutils")
        except SystemExit as end:
            code = end.code or 0
        except BaseException:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(1, f"\n{LIBRARY.calls()}".encode())
    finally:
        os._exit(code)


def read(said: Path) -> tuple[str, int]:
    """The words and the number of calls; 0 of a process that was killed."""
    words, _, number = said.read_text().rpartition("\n")
    return (words, int(number)) if number.isdecimal() else (words + number, 0)


def left(out: Path) -> dict:
    """All files below a folder, by what in them must come out the same."""
    found = {}
    for path in (p for p in out.rglob("*") if p.is_file() and p.name not in (".lock", ".owner")):
        content = path.read_bytes()
        if path.suffix in (".json", ".jsonl"):
            lines = content.splitlines() if path.suffix == ".jsonl" else [content]
            kept = [lasting(json.loads(line)) for line in lines]
            if path.name == "manifest.json":
                kept = kept[0]["body"]  # its checksum is of the seconds, too
            content = json.dumps(kept).encode()
        found[path.relative_to(out).as_posix()] = hashlib.sha256(content).hexdigest()
    return found


def lasting(value):
    """JSON without what no two runs share."""
    if isinstance(value, dict):
        return {k: lasting(v) for k, v in value.items() if k not in PASSING}
    return [lasting(v) for v in value] if isinstance(value, list) else value


def fault(command: str, out: Path, wanted: dict, at: int, error: int) -> str:
    """What is wrong after a stop at this call and a second start; empty if nothing is."""
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    code, said, _ = call(command, out, at, error)
    if not error and code != -9:
        return f"it was not killed, but ended with {code}: {said[-300:]}"
    if error and code and ("Traceback" in said or str(out) not in said):
        return f"it names no file: {said[-300:]}"
    if code:  # what failed where no room was needed has ended well
        code, said, _ = call(command, out)
    if code:
        return f"the second start ended with {code}: {said[-300:]}"
    found = left(out)
    differ = [k for k in sorted(wanted | found) if wanted.get(k) != found.get(k)]
    return f"these differ: {differ}" if differ else ""


def main(command: str, how: str, work: Path, every: int) -> None:
    """Try every point of a command, and print what is wrong."""
    prepare(work)
    weights, out = work / "weights", work / "out"
    if command == "sample":
        assert call("train", weights)[0] == 0
    (work / "whole").mkdir()
    code, said, calls = call(command, work / "whole")
    assert code == 0, said
    wanted = left(work / "whole")
    error = errno.ENOSPC if how == "full" else 0
    points = range(1, calls + 1, every)
    faults = {n: why for n in points if (why := fault(command, out, wanted, n, error))}
    print(json.dumps({"calls": calls, "points": len(points), "faults": faults}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), int(sys.argv[4]))
