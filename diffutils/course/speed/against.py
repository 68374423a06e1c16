"""Today's code against that of a commit: two processes that take turns on the same machine.

As a program it is one of these processes, and does what it is asked for.  It calls only what the
code of both knows, and finds it by PYTHONPATH.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

STEPS = 2  # under one clock
NAMES = ("loss and gradient", "fit", "sampling")


def works(batch: int, size: int) -> dict[str, Callable[[], float]]:
    """What can be asked for, by name: seconds of a step of training, of `fit`, of the sampler."""
    import torch

    from diffutils import Denoiser, Discrete, UNet, denoisers, fit, sample, schedules, start

    device = torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")
    steps = STEPS if device.type == "cpu" else 20 * STEPS
    schedule = Discrete(schedules.linear_betas())
    denoiser = Denoiser(UNet(channels=(48, 56)).to(device), denoisers.eps, schedule.t)
    denoiser.to(memory_format=torch.channels_last)
    images = torch.randint(0, 256, (1000, 3, size, size), dtype=torch.uint8)
    x0, sigma = torch.randn(batch, 3, size, size, device=device), torch.ones(batch, device=device)
    sigmas = schedules.levels(schedule, steps)
    records = fit(denoiser, images, schedule, steps=100_000, batch=batch, log_every=steps)

    def train():
        for _ in range(steps):
            denoiser.loss(x0, sigma, x0).mean().backward()

    def timed(work: Callable[[], object]) -> float:
        began = time.perf_counter()
        work()
        if device.type != "cpu":
            torch.accelerator.synchronize()
        return (time.perf_counter() - began) / steps

    done = (train, lambda: next(records), lambda: sample(denoiser, start(sigmas, x0), sigmas))
    return {name: partial(timed, work) for name, work in zip(NAMES, done, strict=True)}


def resolved(checkout: Path | None, commit: str) -> str:
    """The full name of a commit.  Raises: ValueError without git, or without such a commit."""
    if checkout is None or not (checkout / ".git").exists():
        raise ValueError("--against needs the course's git checkout, and this is an installed copy")
    asked = ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit}^{{commit}}"]
    try:
        return git(checkout, *asked).strip()
    except (OSError, ValueError, subprocess.CalledProcessError):
        raise ValueError(f"git knows no commit {commit[:40]!r}; `git log` names them") from None


def git(checkout: Path, *words: str) -> str:
    """What git answers."""
    command = ["git", "-C", str(checkout), *words]
    return subprocess.check_output(command, stderr=subprocess.DEVNULL, text=True)


@contextmanager
def worktree(checkout: Path, commit: str) -> Iterator[Path]:
    """A commit's files in a folder that lasts as long as the block."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        git(checkout, "worktree", "add", "--detach", str(tree), commit)
        try:
            yield tree
        finally:
            git(checkout, "worktree", "remove", "--force", str(tree))


@contextmanager
def process(tree: Path, batch: int, size: int) -> Iterator[Callable[[str], float]]:
    """A process that imports a tree's code, as a function: a work's name -> its seconds.

    Raises: RuntimeError where the process ends, or has other code.
    """
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-P", str(Path(__file__).resolve()), str(batch), str(size)]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
    with tempfile.TemporaryFile("w+") as said, subprocess.Popen(command, stderr=said, **pipes) as p:

        def answer():
            if line := p.stdout.readline():
                return json.loads(line)
            said.seek(0)
            why = (said.read().strip() or "it said nothing").splitlines()[-1]
            raise RuntimeError(f"the code in {tree} cannot be measured: {why}")

        def ask(name: str) -> float:
            p.stdin.write(f"{name}\n")
            p.stdin.flush()
            return answer()

        try:
            if not Path(code := answer()).is_relative_to(tree.resolve()):
                raise RuntimeError(f"the process imported {code}, not the code in {tree}")
            yield ask
        finally:
            p.kill()


def rounds(checkout: Path, commit: str, n: int, batch: int, size: int) -> dict[str, list[float]]:
    """Seconds of a commit's and of today's code, round by round: "then/..." and "now/..."."""
    seconds: dict[str, list[float]] = {}
    with ExitStack() as stack:
        trees = {"then": stack.enter_context(worktree(checkout, commit)), "now": checkout}
        ask = {k: stack.enter_context(process(tree, batch, size)) for k, tree in trees.items()}
        for k in range(n + 1):
            for name in NAMES:
                for when in [*ask][:: -1 if k % 2 else 1]:
                    took = ask[when](name)
                    if k:  # the first round warms up
                        seconds.setdefault(f"{when}/{name}", []).append(took)
    return seconds


if __name__ == "__main__":
    known = works(*map(int, sys.argv[1:]))
    print(json.dumps(str(Path(sys.modules["diffutils"].__file__).resolve())), flush=True)
    for line in sys.stdin:
        print(json.dumps(known[line.strip()]()), flush=True)
