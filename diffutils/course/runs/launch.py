"""A module run by several processes through `accelerate launch`: a child that leaves no orphan."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable

from diffutils.course.commands.group import shown
from diffutils.weights import surroundings
from diffutils.weights.files import PACKAGE

STOPPED = "stopped: "  # begins the line by which a process says what went wrong
# The person's own configuration of accelerate decides nothing here; port 0: a free one.
COMMAND = "-m accelerate.commands.launch --multi_gpu --num_machines 1 --main_process_port 0"
COMMAND += " --gpu_ids all --mixed_precision no --dynamo_backend no"


def launch(module: str, job: dict, processes: int, say: Callable[[str], None]) -> None:
    """Run `python -m module JOB` in so many processes, and repeat what the first of them prints.

    The module hands its work to `work`.  Its processes end with this one, however it ends.
    Raises: ChildProcessError, in one sentence, when one of them fails or is killed.
    """
    # Start them.
    path = os.pathsep.join(filter(None, [str(PACKAGE.parent), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, *COMMAND.split(), "--num_processes", str(processes)]
    child = subprocess.Popen(
        [*command, "-m", module, json.dumps(job)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # accelerate's report of a failure; the sentence is below
        env=os.environ | {"PYTHONPATH": path},
        encoding="utf-8",
        errors="replace",
        start_new_session=True,  # Ctrl-C is for this process, which then ends them
    )
    threading.Thread(target=_survive, args=(child,), daemon=True).start()
    # Repeat what they say, and let none remain.
    why = ""
    try:
        for line in child.stdout:
            if line.startswith(STOPPED):
                why = why or line.removeprefix(STOPPED).strip()
            else:
                say(line.rstrip())
        child.wait()
    except KeyboardInterrupt as stop:
        stop.args = (f"the {processes} processes are ended; their newest checkpoint is kept",)
        raise
    finally:
        child.stdin.close()
        child.terminate()
        child.wait()
    if child.returncode:
        how = f"stopped: {why}" if why else "was killed, or could not begin"
        raise ChildProcessError(f"of the {processes} processes that trained, one {how}")


def _survive(child: subprocess.Popen) -> None:
    """Close the input of the processes when accelerate, which should watch them, has ended."""
    child.wait()
    child.stdin.close()


def work(function: Callable[[dict], None]) -> None:
    """In a process that `launch` started: function(job), until it is done or the caller ends.

    The caller holds the other end of this process's input.
    """
    threading.Thread(target=_end_with_the_caller, daemon=True).start()
    surroundings.hush()
    sys.stderr = sys.stdout  # warnings are told, too
    try:
        function(json.loads(sys.argv[1]))
    except Exception as error:
        said = shown(f"{type(error).__name__}: {error}")
        print(f"{STOPPED}{said}", file=sys.__stdout__, flush=True)  # of others than the first, too
        os._exit(1)


def _end_with_the_caller() -> None:
    while os.read(0, 1):  # not by sys.stdin: Python could not end while a thread waits in it
        pass
    os._exit(1)
