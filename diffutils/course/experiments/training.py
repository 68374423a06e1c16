"""Train what a card describes: a lesson's networks, an arm of its trial, the train command."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from diffutils.course.experiments.described import LEVELS, card, fit_settings, images_of, load_for
from diffutils.course.experiments.measure import asked_labels
from diffutils.course.experiments.rows import LOG, read
from diffutils.course.experiments.sampling import drawn, generate, respaced, share
from diffutils.course.machine import best_device
from diffutils.course.runs import rundir
from diffutils.course.runs.launch import launch
from diffutils.course.runs.recorded_fit import progress_line, recorded_fit, training_in
from diffutils.data import ImageSet, png
from diffutils.weights import cards, models, surroundings
from diffutils.weights import state as saves
from diffutils.weights.models import Model

GRID = 32  # images in a sample of the progress


@dataclass(frozen=True)
class Arm:
    """One training of an experiment, by what it does otherwise than the lesson's budget says.

    budget: fields of the budget; card: arguments of `described.card`, such as coefficients.
    """

    name: str
    budget: dict = field(default_factory=dict)
    card: dict = field(default_factory=dict)


def train_arm(arm: Arm, data: ImageSet, budget, seed: int, train: Callable, **given) -> Model:
    """Train an arm for budget.trial_steps, in trial/NAME-seed-K; train, given: see `train_card`.

    Arms of a seed share their first weights, batches and noise; losses of arms with other densities
    or weights do not compare.
    """
    name = f"{re.sub('[^A-Za-z0-9]+', '-', arm.name).strip('-')}-seed-{seed}"  # fit for a file
    budget = replace(budget, **{"steps": budget.trial_steps} | arm.budget)
    about = card(data, budget, seed, name, **arm.card)
    return train_card(about, data, train, f"trial/{name}", **given)


def train_card(
    about: dict, data: ImageSet, train: Callable, folder: str | None = None, **given
) -> Model:
    """Train what a card describes; the trained model, with its log.

    train(folder, denoiser, images, density, **settings of `recorded_fit`) yields the records: a
    lesson's `train`, which keeps weights and card in folder (None: the card's name) of its run
    directory, and goes on after a kill.  given: see `prepared`.
    Where several GPUs are seen, a child trains on all of them what the card says wholly (images of
    `load`, nothing given beside), and this process reads what it left.
    Raises: as train; ChildProcessError, in one sentence, for a child that failed or was killed.
    """
    model, settings = prepared(about, data, **given)
    if surroundings.processes() > 1 and about.get("loaded") and not given:
        settings["elsewhere"] = partial(_elsewhere, about)
    run = (folder or about["name"], model.denoiser, data.train, model.density)
    records = list(train(*run, **settings))
    log = [{"step": r.step, "loss": r.loss, "heldout": r.heldout} for r in records]
    return replace(model, denoiser=records[-1].ema.eval().requires_grad_(False), log=log)


def _elsewhere(about: dict, folder: Path, resume: str, processes: int, say: Callable) -> None:
    """Let so many processes do what `train_described` does."""
    job = {"about": about, "folder": str(folder.resolve()), "resume": resume}
    launch("diffutils.course.experiments.launched", job, processes, say)


def prepared(about: dict, data: ImageSet, **given) -> tuple[Model, dict]:
    """The untrained model of a card, and the settings of `recorded_fit` for it.

    given: settings that no card holds, such as cond and heldout_cond (N, K, H, W).  The network
    takes the channels of cond, unless the card says how many an augment leaves of them.
    """
    if given.get("cond") is not None:
        about = about | {"unet": {"cond_channels": given["cond"].shape[1]} | about["unet"]}
    torch.manual_seed(about["seed"])
    return models.build(about), fit_settings(about, data) | {"card": about} | given


def train_described(about: dict, folder: Path, say: Callable = print, **given) -> Model:
    """Train what a card describes, on the images that it names, in `folder`.

    A card is JSON, so another process can do it, or several.  given: see `prepared`.
    Raises: ValueError for a card that lacks a setting, or of images that `load` did not give.
    """
    if not about.get("loaded"):
        cure = "take them from `diffutils.data.load`, and the card from `described.card`"
        lost = f"the card {about['name']!r} does not say how its images were loaded"
        raise ValueError(f"{lost}; {cure}")
    folder = Path(folder)
    train = training_in(folder.parent, say)
    return train_card(about, images_of(about), train, folder.name, **given)


def networks(
    dataset: str, budget, seed: int, train: Callable, predict: str = "eps"
) -> tuple[list[Model], ImageSet]:
    """Trained models, one for each training seed, and images; no model knows the held-out ones.

    With budget.pretrained the model that ships for the data set, where one does; else budget.seeds
    trainings.  train: as `train_card`.  predict: what a network learns, "eps" for DDPM, "edm".
    """
    name = shipped_for(dataset, predict) if budget.pretrained else None
    if name is None:
        data = load_for(dataset, budget, seed)
        every = [card(data, budget, seed + k, f"model-{k}", predict) for k in range(budget.seeds)]
        return [train_card(about, data, train) for about in every], data
    log = read(cards.PRETRAINED / f"{name}.log.jsonl", "fetch it again", LOG)
    model = replace(models.pretrained(name), log=log)
    model.denoiser.to(best_device())
    # The same seed draws the same images, so the first of those it knows.
    limit = min(budget.images, model.card["images"])
    return [model], images_of(model.card, limit=limit, order=seed)


def shipped_for(dataset: str, coefficients: str = "eps") -> str | None:
    """The model in data/pretrained that draws these images from the same kind of noise levels."""
    for name in models.shipped(data=dataset):
        about = cards.read_card(cards.PRETRAINED / f"{name}.safetensors")
        alike = LEVELS[about["coefficients"]] is LEVELS[coefficients]
        if alike and not about["unet"].get("cond_channels"):
            return name
    return None


def train(
    dataset: str,
    budget,
    out: Path,
    *,
    seed: int = 0,
    name: str,
    start: Path | None = None,
    predict: str = "eps",
    samples: int = 0,
    trdata: bool = False,
    report=print,
) -> dict:
    """Train on a data set in the run directory `out`, and go on from there after a kill; the card.

    Of several processes each trains and draws its share; the rest is done by the first one.
    start: weights of the same network to begin with, with their card beside them; predict: a name
    in `models.COEFFICIENTS`; samples: draw so many images into out/images at the end; trdata: keep
    the first training images.
    Writes out/NAME.safetensors (float16), out/NAME.json (card) and what `recorded_fit` keeps.
    Raises: BlockingIOError when another process works in out; ValueError for a name that is no
    plain file name, or for weights that do not fit; KeyboardInterrupt, saying where it stopped.
    """
    # Refuse what cannot be, and keep others out.
    if not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,99}", name, re.ASCII):
        cure = "choose 1 to 100 letters, digits, _, - and ., the first one a letter, a digit or _"
        raise ValueError(f"the name of a model is {name!r}; {cure}")
    weights = out / f"{name}.safetensors"
    if start is not None and Path(start).resolve() == weights.resolve():
        raise ValueError(f"start is {start}, which this run would overwrite; choose another --name")
    say = report if surroundings.is_first() else lambda line: None
    rundir.check_free(out)
    # Describe the training, and make its model.
    data = load_for(dataset, budget, seed)
    about = card(data, budget, seed, name, predict)
    model, settings = prepared(about, data)
    if start is not None:
        before = cards.load_weights(start, model.denoiser.net)
        kept = "name coefficients data images seed loaded settings contents place started_from"
        about["started_from"] = {k: before[k] for k in kept.split() if k in before}
    count = sum(p.numel() for p in model.denoiser.parameters())
    say(
        f"{name}: {len(data.train):,} images {tuple(data.train.shape[1:])}, "
        f"{count:,} parameters, {budget.steps:,} steps of {settings['batch']}"
    )
    # Train, with pictures on the way, and draw with the last weights.
    steps = min(budget.sample_steps, getattr(model.schedule, "T", budget.sample_steps))
    labels = asked_labels(data, GRID)

    def draw(denoiser) -> Tensor:
        current = replace(model, denoiser=denoiser)
        return generate(current, GRID, steps=steps, labels=labels, seed=seed)

    settings |= {"draw": draw, "draws": 20, "trdata": trdata, "say": say}
    rundir.hold(out)
    step = 0
    try:
        for r in recorded_fit(out, model.denoiser, data.train, model.density, **settings):
            step = r.step
            if not r.replayed:
                say(progress_line(name, r, budget.steps))
        trained, index = replace(model, denoiser=r.ema), share(torch.arange(samples))
        done = 0
        for images in drawn(trained, index, respaced(steps), seed=seed):
            png.write_images(out / "images", images, index[done : done + len(images)].tolist())
            done += len(images)
        surroundings.wait()
    except KeyboardInterrupt as stop:
        go_on = "there is no checkpoint yet, so the same command starts anew"
        if kept := saves.steps(out / "checkpoints"):
            go_on = f"the same command goes on from {kept[0]}"
        stop.args = (f"after step {step} of {budget.steps}; {go_on}",)
        raise
    finally:
        rundir.release(out)
    return cards.read_card(weights)
