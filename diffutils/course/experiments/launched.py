"""What each process does that a lesson starts on a machine with several GPUs."""

from pathlib import Path

from diffutils.course.experiments.training import train_described
from diffutils.course.runs.launch import work


def train(job: dict) -> None:
    """Train what the card job["about"] describes in job["folder"]; job["resume"]: of `recorded`."""
    train_described(job["about"], Path(job["folder"]), resume=job["resume"])


if __name__ == "__main__":
    work(train)
