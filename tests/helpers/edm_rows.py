"""Rows of lesson 04's trial with distances that are made up, for its tests."""

import itertools
import math
import random

from diffutils.lessons.lesson04.systems.arms import ARMS

WALKS = [f"{solver}, {grid}" for solver in ("Euler", "Heun") for grid in ("EDM", "phi")]
FITTED = [w.replace("phi", "phi fitted") for w in WALKS]  # the walks of arms with c fitted
TRAINED = {
    "steps": 1000,
    "images": 5000,
    "batch": 64,
    "lr": 1e-3,
    "ema": 0.99,
    "channels": [16, 32],
    "code": "0123456789abcdef",
}


def row(arm="EDM", sampler="Heun, EDM", frechet=100.0, training=0, seed=None, eta=0.0, **more):
    return (
        dict(
            arm=arm,
            sampler=sampler,
            eta=eta,
            training=training,
            frechet=frechet,
            nfe=19.0,
            N=800,
            seed=training if seed is None else seed,
            frechet_floor=10.0,
            features="some features",
            hardware="CPU, 1 threads",
            trial=TRAINED,
        )
        | more
    )


def trial(log_distance=lambda arm, walk, k: 0.0, trainings=(0, 1, 2), arms=tuple(ARMS)):
    """All rows of a trial whose distance is 100 exp(log_distance(arm, walk, training))."""
    for k, arm in itertools.product(trainings, arms):
        if arm == "DDPM":
            yield from (
                row(arm, "respaced", 100 * math.exp(log_distance(arm, walk, k)), k, eta=eta)
                for walk, eta in (("eta 0", 0.0), ("eta 1", 1.0))
            )
            continue
        walks = FITTED if ARMS[arm].density == "phi fitted" else WALKS
        yield from (row(arm, w, 100 * math.exp(log_distance(arm, w, k)), k) for w in walks)


def noisy(seed=0, std=0.1):
    """A log distance that is random, but the same whenever it is asked for."""
    return lambda *cell: random.Random(f"{seed}{cell}").gauss(0, std)


def named(effects, name, by="Heun"):
    return next(x for x in effects if (x.name, x.by) == (name, by))


def phi(arm, walk):
    """(density, embedding, grid) of a cell, 1 where phi."""
    return ARMS[arm].density == "phi", ARMS[arm].embedding == "phi", walk.endswith("phi")
