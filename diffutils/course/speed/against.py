"""Today's code against that of a commit: processes of either take turns on the same machine.

As a program it is one of these processes, and prints one round: it calls only what the code of both
knows, and finds it by PYTHONPATH.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

STEPS = 2  # under one clock


def one_round(batch: int, size: int) -> dict[str, float]:
    """Seconds of a step of training, of `fit` and of sampling, with the code that is imported."""
    import torch

    from diffutils import Denoiser, Discrete, UNet, denoisers, fit, sample, schedules, start

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
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

    works = {
        "training step": train,
        "fit": lambda: next(records),
        "sampling": lambda: sample(denoiser, start(sigmas, x0), sigmas),
    }
    seconds = {}
    for name, work in works.items():
        for _ in range(2):  # the first one warms up
            began = time.perf_counter()
            work()
            if device.type == "cuda":
                torch.cuda.synchronize()
            seconds[name] = (time.perf_counter() - began) / steps
    return seconds


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


def rounds(checkout: Path, commit: str, n: int, batch: int, size: int) -> dict[str, list[float]]:
    """Seconds of today's code and of a commit's, round by round; "then/..." and "now/..."."""
    seconds: dict[str, list[float]] = {}
    with worktree(checkout, commit) as old:
        trees = {"then": old, "now": checkout}
        for k in range(n):
            for when in [*trees][:: -1 if k % 2 else 1]:
                for name, found in child(trees[when], batch, size).items():
                    seconds.setdefault(f"{when}/{name}", []).append(found)
    return seconds


def child(tree: Path, batch: int, size: int) -> dict[str, float]:
    """One round in a process that imports a tree's code."""
    environment = os.environ | {"PYTHONPATH": str(tree)}
    command = [sys.executable, "-P", str(Path(__file__).resolve()), str(batch), str(size)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        why = (done.stderr.strip() or "no word").splitlines()[-1]
        raise RuntimeError(f"the code in {tree} cannot be measured: {why}")
    answer = json.loads(done.stdout.splitlines()[-1])
    if not Path(answer["code"]).is_relative_to(tree.resolve()):
        raise RuntimeError(f"the process imported {answer['code']}, not the code in {tree}")
    return answer["seconds"]


if __name__ == "__main__":
    found = one_round(*map(int, sys.argv[1:]))
    code = Path(sys.modules["diffutils"].__file__).resolve()
    print(json.dumps({"code": str(code), "seconds": found}))
