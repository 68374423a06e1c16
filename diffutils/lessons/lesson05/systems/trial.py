"""The trial of lesson 05: what refinement buys, beside what is to be had without it.

Every arm begins with the same pretrained network and spends the same number of calls of it; a call
without gradient counts a third.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from diffutils import schedules
from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.measure import lpips
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.lessons.lesson05.inputs.triples import MIXED, Part, beside, cross, kinds_for, triples
from diffutils.lessons.lesson05.systems import evaluation, stages, tunings
from diffutils.lessons.lesson05.systems.colouring import coloured, one_call
from diffutils.lessons.lesson05.systems.configs import WALKS, Walk
from diffutils.metrics import distances, spaces
from diffutils.weights import cards, files
from diffutils.weights.models import Model

BASE = "base"
ARMS = (BASE, *tunings.TUNED)
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
SAME = ("max_size", "images", "channels", "steps", "levels", "passes", "refine_lrs", "own_ink")
SHIPPED = cards.PRETRAINED / "colourist.trial.jsonl"


def shipped_rows() -> list[dict]:
    """The rows that ship, of trainings whose weights do not."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def trial(
    dataset: str,
    budget,
    seeds: Sequence[int],
    load: Callable,
    train: Callable,
    folder: Path,
    say: Callable = print,
) -> Iterator[dict]:
    """Rows of budget.trial_arms for every training seed, each kept in folder/trial.jsonl.

    load(seed): images; train: as `Lesson.train`; say: told of each arm that is measured.  What is
    there is not made again, unless it was measured by another budget, or of another dataset.
    """
    path = folder / "trial.jsonl"
    same = {"dataset": dataset} | {name: getattr(budget, name) for name in SAME}
    same = files.finite(same)  # as JSON gives it back
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    known = [row for row in known if row.get("trial") == same]
    yield from known
    for seed in seeds:
        data, done = load(seed), {row["arm"] for row in known if row["training"] == seed}
        asked = [arm for arm in at_hand(budget.trial_arms, say) if arm not in done]
        recipe = (budget.kinds, seed, budget.turned, budget.own_ink)
        parts = triples(data, *recipe) if asked else {}
        given, bases = (data, parts, budget, seed, train), {}
        # Train and measure arm by arm; all tuned ones of a config begin with the same network.
        for arm in asked:
            about = {}
            if arm in PRETRAINED:
                config, changes = PRETRAINED[arm]
                other = replace(budget, **changes)
                shown = triples(data, other.kinds, seed, other.turned, other.own_ink)
                name = f"{arm.replace(' ', '-')}-seed-{seed}"
                model = stages.pretrain(config, data, shown, other, seed, train, name)
            else:
                tuning = tunings.TUNED.get(arm)
                config = tuning.config if tuning else "ssimbad"
                if config not in bases:
                    bases[config] = stages.pretrain(config, *given)
                model = bases[config]
                if arm != BASE:
                    # The first training of an arm fits its learning rate, further ones take it.
                    lr = next((row["lr"] for row in known if row["arm"] == arm), None)
                    model, about = tunings.fitted(arm, model, *given, lr=lr)
            say(f"trial: measures {arm}, training {seed}, by {budget.metric_samples} images a way")
            about |= {"arm": arm, "training": seed, "trial": same}
            found = measured(model, config, data, budget, seed, arm)
            new = [files.finite(row | about) for row in found]
            known += new
            # Keep what there is.
            recorded.write(path, known)
            yield from new


def at_hand(arms: Sequence[str], say: Callable) -> list[str]:
    """The arms whose end loss is at hand, which LPIPS is not without its weights."""
    if lpips():
        return [*arms]
    if left := [arm for arm in arms if (t := tunings.TUNED.get(arm)) and t.end_loss == "lpips"]:
        say(f"trial: {', '.join(left)}: not run, the weights of alexnet are not here")
    return [arm for arm in arms if arm not in left]


def measured(
    model: Model, config: str, data: ImageSet, budget, seed: int, arm: str = BASE
) -> Iterator[dict]:
    """Rows of one network: two ways for every kind of reference; on "cross" the arm's further ones.

    Of `PRETRAINED` arms there are no further ones.
    """
    n = min(budget.metric_samples, len(data.heldout) // 2)  # as many more for the floors
    kinds = kinds_for(data, MIXED, lambda line: None)
    part = beside(data, "heldout", kinds, seed, budget.turned, budget.own_ink)
    parts = dict.fromkeys(kinds, part) | {"cross": cross(data, seed)}
    walk, space = WALKS[config], spaces.of(data.name, data.shape[0])
    for kind, whole in parts.items():
        every = arm if kind == "cross" and arm not in PRETRAINED else ""
        own, others = whole.first(n), space.features(whole.images[n : 2 * n])
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
    model: Model, walk: Walk, cond: Tensor, budget, arm: str
) -> Iterator[tuple[str, int, Tensor, dict]]:
    """What is measured of a network: name, calls an image, images in [-1, 1], and the spread.

    arm: whose ways are drawn; "" for the two that all have.
    """

    def drawn(sigmas: Tensor, seed: int = 0, **settings) -> Tensor:
        return to_float(coloured(model, cond, sigmas, walk, seed=seed, **settings))

    levels = walk.levels(model, budget.levels)
    n = len(levels) - 1  # a published chain has no more
    several = torch.stack([drawn(levels, k) for k in range(SEEDS if arm else 1)])
    spread = {"spread": several.std(0).mean().item()} if arm else {}
    yield "Euler", n, several[0], spread
    once = torch.stack([drawn(one_call(model, walk), k) for k in range(SEEDS if arm else 1)])
    yield "one call", 1, once[0], {"spread": once.std(0).mean().item()} if arm else {}
    if walk.spacing is not schedules.trailing:  # one that never begins at the last level
        yield "trailing", n, drawn(schedules.levels(model.schedule, n)), {}
    if arm:
        yield f"mean of {SEEDS}", SEEDS * n, several.mean(0), {}
        yield f"mean of {SEEDS}, one call", SEEDS, once.mean(0), {}
        if not walk.eta:
            yield "Heun", 2 * n - 1, drawn(levels, heun=True), {}
    if arm == BASE:
        yield "fresh noise", n, drawn(levels, eta=1.0), {}
    if arm in (BASE, "refined on rho=7"):
        yield "Euler, rho=7", n, drawn(schedules.levels(schedules.karras(), n)), {}


def of_images(images: Tensor, part: Part, kind: str, space: spaces.Space, others: Tensor) -> dict:
    """Means of all scores of images in [-1, 1], and their distances to true answers.

    kernel: to those of the same faces, without pairs.  frechet: to those of other faces, whose
    features are `others`, where there are enough.  kernel_floor, frechet_real: of true answers to
    these.
    """
    real = space.features(part.images)
    found = evaluation.table({"": evaluation.scores(to_uint8(images), part, kind, lpips())})[""]
    features = space.features(to_uint8(images))
    if len(real) > real.shape[1]:
        found["frechet"] = distances.frechet(features, others)
        found["frechet_real"] = distances.frechet(real, others)
    return found | {
        "mse": float((images - to_float(part.images)).square().mean()),
        "kernel": evaluation.kernel(features, real),
        "kernel_floor": distances.mmd(others, real),
        "features": space.words,
    }
