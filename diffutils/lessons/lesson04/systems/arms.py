"""The arms of lesson 04's trial (notebook, 7): EDM with one part at a time as in SSIMBaD."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from diffutils import schedules
from diffutils.course.experiments import training
from diffutils.course.experiments.described import EDM, one_of
from diffutils.course.experiments.sampling import Sampler, edm
from diffutils.course.experiments.sweep import trial_rows
from diffutils.data import ImageSet
from diffutils.metrics.spaces import Space
from diffutils.weights.models import Model

C = 0.3  # of phi* = sigma/(sigma + c), as published
FITTED_C = 10**0.03  # of `search.CS`, where SSIM is straightest in phi* on 20 sprites


class Arm(NamedTuple):
    """What a training does, by names in `DENSITIES`, `EMBEDDINGS` and `described.weights`."""

    density: str
    embedding: str
    weight: str


ARMS = {
    "EDM":                      Arm("EDM",  "EDM",  "lambda"),
    "phi density":              Arm("phi",  "EDM",  "lambda"),
    "phi embedding":            Arm("EDM",  "phi",  "lambda"),
    "phi embedding unscaled":   Arm("EDM",  "phi unscaled", "lambda"),  # 0 to 1, as SSIMBaD
    "phi both":                 Arm("phi",  "phi",  "lambda"),
    "phi density lambda'":      Arm("phi",  "EDM",  "lambda'"),
    "EDM without lambda":       Arm("EDM",  "EDM",  "none"),
    "phi both without lambda":  Arm("phi",  "phi",  "none"),  # as SSIMBaD, but our task, rescaled
    "phi both fitted":          Arm("phi fitted", "phi fitted", "lambda"),  # c of sprites
    "phi both fitted without lambda": Arm("phi fitted", "phi fitted", "none"),
    "DDPM":                     Arm("DDPM", "DDPM", "simple"),  # lesson 02's: linear betas, eps
}  # fmt: skip
DENSITIES = {
    "EDM": EDM["density"],
    "phi": {"name": "log_logistic", "arguments": {"c": C}},
    "phi fitted": {"name": "log_logistic", "arguments": {"c": FITTED_C}},
}
EMBEDDINGS = {
    "EDM": EDM["embedding"],
    "phi": {"name": "phi_star", "arguments": {"c": C}},
    "phi fitted": {"name": "phi_star", "arguments": {"c": FITTED_C}},
    "phi unscaled": {"name": "phi_star_unscaled", "arguments": {"c": C}},
}
GRIDS = {"EDM": schedules.karras(), "phi": schedules.log_logistic(C)}
FITTED_GRIDS = {"EDM": GRIDS["EDM"], "phi fitted": schedules.log_logistic(FITTED_C)}


def arm(name: str) -> training.Arm:
    """One of `ARMS`, with the entries of its card; none for lesson 02's; ValueError for others."""
    density, embedding, weight = one_of(ARMS, name, "the arm")
    if density == "DDPM":
        return training.Arm(name)
    slots = {"density": DENSITIES[density], "embedding": EMBEDDINGS[embedding], "weight": weight}
    return training.Arm(name, card={"coefficients": "edm"} | slots)


def walks(
    grids: dict[str, Callable], nfes: list[int], heuns: tuple[bool, ...] = (False, True)
) -> dict[str, tuple[Callable[[int], Sampler], list[int]]]:
    """Euler and Heun on each grid, for `sweep`: name -> (sampler of so many steps, step counts).

    nfes: network evaluations, odd, so that both solvers can spend exactly so many: Heun takes two
    a step but one for the last.  Raises: ValueError for an even number.
    """
    if even := [nfe for nfe in nfes if nfe % 2 == 0]:
        raise ValueError(f"{even[0]} evaluations: Heun's method spends an odd number; take one")
    return {
        f"{'Heun' if heun else 'Euler'}, {name}": (
            lambda steps, heun=heun, grid=grid: edm(steps, heun, grid),
            [(nfe + 1) // 2 if heun else nfe for nfe in nfes],
        )
        for heun in heuns
        for name, grid in grids.items()
    }


def arm_rows(
    name: str,
    model: Model,
    data: ImageSet,
    space: Space,
    budget,
    seed: int,
    folder: Path | None = None,
    **settings,
) -> Iterator[dict]:
    """Rows of `sweep.trial_rows` for one trained arm, each with density, embedding and weight too.

    EDM arms walk both grids (phi* with the c that they were trained with) by Euler and Heun with
    budget.trial_nfe evaluations, the DDPM arm its own levels in as many steps (eta 0 and 1).
    N is budget.metric_samples, or what the data have.
    """
    nfes = [budget.trial_nfe]
    grids = FITTED_GRIDS if ARMS[name].density == "phi fitted" else GRIDS
    settings |= {"steps": nfes} if "betas" in model.card else {"walks": walks(grids, nfes)}
    settings |= {"n": min(budget.metric_samples, len(data.heldout), len(data.train))}
    for row in trial_rows(arm(name), model, data, space, seed, folder=folder, **settings):
        yield row | ARMS[name]._asdict()
