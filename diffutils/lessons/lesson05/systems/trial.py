"""The trial of lesson 05: what refinement buys, beside what is to be had without it.

Every arm begins with the same pretrained network and spends the same number of calls of it; a call
without gradient counts a third.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from diffutils import schedules
from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.training import prepared
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.lessons.lesson05.inputs.triples import MIXED, Part, beside, cross, kinds_for, triples
from diffutils.lessons.lesson05.systems import evaluation, stages
from diffutils.lessons.lesson05.systems.colouring import coloured, one_call
from diffutils.lessons.lesson05.systems.configs import WALKS, Walk
from diffutils.metrics import distances, spaces
from diffutils.weights import cards, files
from diffutils.weights.models import Model

BASE, ONE, DENOISED = "base", "one step tuned", "more denoising"
TUNED = {  # arm -> the last steps of its walk that its gradient goes through; 0: all
    ONE: 1,
    "refined K=1": 1,
    "refined K=3": 3,
    "refined all steps": 0,
    "refined on rho=7": 3,
}
ARMS = (BASE, DENOISED, *TUNED)
PRETRAINED = {  # further trainings: config, and what is otherwise than in the budget
    "unbent": ("ssimbad", {"kinds": ("same",)}),
    "bent": ("ssimbad", {"kinds": ("warp",)}),
    "published recipe": (
        "ssimbad",
        {"kinds": ("published",), "strength": 0.0, "dropout": 0.0, "own_ink": True},
    ),
    "edm": ("edm", {}),
    "animediffusion": ("animediffusion", {}),
    "animediffusion-v": ("animediffusion-v", {}),
}
SEEDS = 4  # of sampling, whose images are compared, and whose mean is an answer too
FIELDS = {"arm": str, "training": int, "seed": int, "N": int, "way": str, "reference": str}
FIELDS |= dict.fromkeys(("mse", "dB", "kernel", "kernel_floor"), recorded.DISTANCE)
# What rows that compare have alike.
SAME = ("max_size", "images", "channels", "steps", "levels", "passes", "refine_lr", "own_ink")
SHIPPED = cards.PRETRAINED / "colourist.trial.jsonl"


def shipped_rows() -> list[dict]:
    """The rows that ship, of trainings whose weights do not."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def trial(
    dataset: str, budget, seeds: Sequence[int], load: Callable, train: Callable, folder: Path
) -> Iterator[dict]:
    """Rows of budget.trial_arms for every training seed, each kept in folder/trial.jsonl.

    load(seed): images; train: as `Lesson.train`.  What is there is not made again, unless it was
    measured by another budget, or of another dataset.
    """
    path = folder / "trial.jsonl"
    same = {"dataset": dataset} | {name: getattr(budget, name) for name in SAME}
    same = files.finite(same)  # as JSON gives it back
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    known = [row for row in known if row.get("trial") == same]
    yield from known
    for seed in seeds:
        data, done = load(seed), {row["arm"] for row in known if row["training"] == seed}
        asked = [arm for arm in budget.trial_arms if arm not in done]
        recipe = (budget.kinds, seed, budget.turned, budget.own_ink)
        parts = triples(data, *recipe) if asked else {}
        # Train and measure arm by arm; all tuned ones begin with the same network.
        base = None
        for arm in asked:
            if arm in PRETRAINED:
                config, changes = PRETRAINED[arm]
                other = replace(budget, **changes)
                shown = triples(data, other.kinds, seed, other.turned, other.own_ink)
                name = f"{arm.replace(' ', '-')}-seed-{seed}"
                model = stages.pretrain(config, data, shown, other, seed, train, name)
            else:
                config, given = "ssimbad", (data, parts, budget, seed, train)
                base = base or stages.pretrain(config, *given)
                model = base if arm == BASE else tuned(arm, base, *given)
            own = {"arm": arm, "training": seed, "trial": same}
            found = measured(model, config, data, budget, seed, full=arm not in PRETRAINED)
            new = [files.finite(row | own) for row in found]
            known += new
            # Keep what there is.
            lines = (json.dumps(row, ensure_ascii=False) for row in known)
            files.write_whole(path, "".join(f"{line}\n" for line in lines).encode())
            yield from new


def tuned(arm: str, base: Model, data, parts: dict[str, Part], budget, seed, train) -> Model:
    """The base, trained on as the arm says, for budget.passes calls of the network."""
    model = replace(base, denoiser=copy.deepcopy(base.denoiser).requires_grad_(True))
    name = f"{base.card['name']}-{''.join(c if c.isalnum() else '-' for c in arm)}"
    # The same loss as before, of one noisy image.
    if arm == DENOISED:
        steps = max(1, budget.passes // budget.refine_batch)
        changed = {"steps": steps, "lr": budget.refine_lr, "warmup": max(1, steps // 20)}
        changed |= {"batch": budget.refine_batch, "ema": 0.0, "log_every": max(1, steps // 5)}
        about = model.card | {"name": name, "settings": model.card["settings"] | changed}
        _, settings = prepared(about, data, **stages.shown(parts, budget, seed, dropout=0.0))
        run = (f"trial/{name}", model.denoiser, data.train, model.density)
        *_, last = train(*run, **settings)
        return replace(model, denoiser=last.ema.eval().requires_grad_(False), card=about)
    # A loss at the end of a walk.
    sigmas = WALKS["ssimbad"].levels(model, budget.levels)
    if arm == ONE:
        sigmas = one_call(model)
    if arm == "refined on rho=7":
        sigmas = schedules.levels(schedules.karras(), budget.levels)
    n = len(sigmas) - 1
    last = min(TUNED[arm] or n, n)
    steps = max(1, round(budget.passes / budget.refine_batch / (last + (n - last) / 3)))
    own = replace(budget, refine_steps=steps, last=last)
    given = (model, "ssimbad", data, parts, own, seed, train)
    return stages.refined(*given, sigmas=sigmas, name=name)


def measured(
    model: Model, config: str, data: ImageSet, budget, seed: int, full: bool = True
) -> Iterator[dict]:
    """Rows of one network: two ways for every kind of reference; on "cross", if full, every way."""
    n = min(budget.metric_samples, len(data.heldout) // 2)  # as many more for the floor
    kinds = kinds_for(data, MIXED, lambda line: None)
    part = beside(data, "heldout", kinds, seed, budget.turned, budget.own_ink)
    parts = dict.fromkeys(kinds, part) | {"cross": cross(data, seed)}
    walk, space = WALKS[config], spaces.of(data.name, data.shape[0])
    for kind, whole in parts.items():
        every, others = full and kind == "cross", space.features(whole.images[n : 2 * n])
        own = whole.first(n)
        for way, calls, images, more in colourings(model, walk, own.cond(kind), budget, every):
            yield {
                "reference": kind,
                "way": way,
                "calls": calls,
                "N": n,
                "seed": 0,
                **of_images(images, own, kind, space, others),
                **more,
            }


def colourings(
    model: Model, walk: Walk, cond: Tensor, budget, every: bool
) -> Iterator[tuple[str, int, Tensor, dict]]:
    """What is measured of a network: name, calls an image, images in [-1, 1], and the spread."""

    def drawn(sigmas: Tensor, seed: int = 0, **settings) -> Tensor:
        return to_float(coloured(model, cond, sigmas, walk, seed=seed, **settings))

    n = budget.levels
    levels = walk.levels(model, n)
    several = torch.stack([drawn(levels, k) for k in range(SEEDS if every else 1)])
    spread = {"spread": several.std(0).mean().item()} if every else {}
    yield "Euler", n, several[0], spread
    yield "one call", 1, drawn(one_call(model, walk)), {}
    if not every:
        return
    yield f"mean of {SEEDS}", SEEDS * n, several.mean(0), {}
    yield "Heun", 2 * n - 1, drawn(levels, heun=True), {}
    yield "fresh noise", n, drawn(levels, eta=1.0), {}
    yield "Euler, rho=7", n, drawn(schedules.levels(schedules.karras(), n)), {}


def of_images(images: Tensor, part: Part, kind: str, space: spaces.Space, others: Tensor) -> dict:
    """Means of all scores of images in [-1, 1], and their kernel distance to the true answers.

    kernel_floor: of true answers for other faces, whose features are `others`.
    """
    found = evaluation.table({"": evaluation.scores(to_uint8(images), part, kind)})[""]
    real = space.features(part.images)
    return found | {
        "mse": float((images - to_float(part.images)).square().mean()),
        "kernel": evaluation.kernel(space.features(to_uint8(images)), real),
        "kernel_floor": distances.mmd(others, real),
        "features": space.words,
    }
