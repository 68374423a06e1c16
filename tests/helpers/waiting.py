"""`python tests/helpers/waiting.py`: images a second of a small training, by how threads wait.

Quiet and beside busy loops, each setting in turn, over again; medians, and ratios to torch's own.
"""

import multiprocessing
import os
import subprocess
import sys
from statistics import median

from diffutils.course import machine
from diffutils.course.tables import aligned
from diffutils.weights.surroundings import WAITING

ROUNDS = 5
WAYS = {
    "torch's own": {},
    "spinning briefly": WAITING,
    "asleep at once": {"OMP_WAIT_POLICY": "passive"},
    "one thread": {"OMP_NUM_THREADS": "1"},
}
TRAINING = """
import torch
from diffutils import Denoiser, Discrete, UNet, denoisers, fit, schedules
schedule = Discrete(schedules.cosine_betas())
torch.manual_seed(0)
denoiser = Denoiser(UNet(channels=(32, 64), attention=(False, True)), denoisers.v, schedule.t)
images = torch.randint(0, 256, (256, 3, 16, 16), dtype=torch.uint8)
*_, last = fit(denoiser, images, schedule, steps=30, batch=64, log_every=20)
*_, last = fit(denoiser, images, schedule, steps=20, batch=64, log_every=20)
print(last.images_per_second)
"""


def spin():
    """One core, busy for ever."""
    while True:
        pass


def speed(settings: dict[str, str]) -> float:
    """Images a second of a training in a process of its own."""
    clean = {
        k: v
        for k, v in os.environ.items()
        if k not in ("OMP_WAIT_POLICY", "OMP_NUM_THREADS", *WAITING)
    }
    clean |= {"OMP_NUM_THREADS": str(machine.threads())} | settings
    done = subprocess.run(
        [sys.executable, "-c", TRAINING], env=clean, capture_output=True, text=True, check=True
    )
    return float(done.stdout)


def main() -> None:
    """Print the table."""
    rows = [("beside", *WAYS)]
    for busy in (0, 1, 2):
        others = [multiprocessing.Process(target=spin, daemon=True) for _ in range(busy)]
        for other in others:
            other.start()
        found = {way: [] for way in WAYS}
        for _ in range(ROUNDS):
            for way, settings in WAYS.items():
                found[way].append(speed(settings))
        for other in others:
            other.kill()
        own = median(found["torch's own"])
        cells = (f"{median(x):.0f} ({median(x) / own:.2f})" for x in found.values())
        rows.append((f"{busy} busy loops", *cells))
    print(aligned(rows, width=None))


if __name__ == "__main__":
    main()
