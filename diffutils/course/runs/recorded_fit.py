"""`diffutils.fit`, `diffutils.optimise` and `methods.refine.refine`, recorded in a folder."""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from diffutils import rng, training
from diffutils.course.runs import fingerprint, pace
from diffutils.course.runs.recorded import recorded
from diffutils.data import to_float, to_uint8
from diffutils.denoisers import Denoiser
from diffutils.methods import refine

# For `recorded`.
KEPT = ("resume", "card", "draw", "draws", "shape", "save_every", "say", "elsewhere")


def recorded_fit(
    folder: Path,
    denoiser: Denoiser,
    images: Tensor,
    schedule: Callable,
    *,
    trdata: bool = False,
    **settings,
) -> Iterator[SimpleNamespace]:
    """Train as `diffutils.fit` does, kept in a folder and resumed from there.

    settings: those of fit, and those in `KEPT` of `recorded`, whose records and errors these are.
    trdata: also keep the first training images as the network sees them.
    """
    kept = {name: settings.pop(name) for name in KEPT if name in settings}
    training.check_data(denoiser, images, None, 1, augmented=True)
    training.check_settings(schedule)
    about = fingerprint.training(denoiser, images, schedule, settings)
    run = partial(training.fit, denoiser, images, schedule, **settings)
    around = partial(Denoiser, coefficients=denoiser.coefficients, c_noise=denoiser.c_noise)
    kept |= {"shape": images.shape[1:], "around": around}
    seen = partial(_seen, images, about, settings) if trdata else None
    return recorded(folder, denoiser.net, run, about, seen=seen, **kept)


def recorded_optimise(folder: Path, net, loss: Callable, **settings) -> Iterator[SimpleNamespace]:
    """Minimise a loss as `diffutils.optimise` does, kept in a folder and resumed from there.

    settings: those of optimise and, as above, of `recorded`; with draw also shape.
    """
    kept = {name: settings.pop(name) for name in KEPT if name in settings}
    about = fingerprint.optimisation(net, loss, settings)
    return recorded(folder, net, partial(training.optimise, net, loss, **settings), about, **kept)


def recorded_refine(
    folder: Path, denoiser: Denoiser, images: Tensor, cond: Tensor, sigmas: Tensor, **settings
) -> Iterator[SimpleNamespace]:
    """Refine as `methods.refine.refine` does, kept in a folder and resumed from there.

    settings: those of refine and, as above, of `recorded`.
    """
    kept = {name: settings.pop(name) for name in KEPT if name in settings}
    about = fingerprint.refinement(denoiser, images, cond, sigmas, settings)
    run = partial(refine.refine, denoiser, images, cond, sigmas, **settings)
    around = partial(Denoiser, coefficients=denoiser.coefficients, c_noise=denoiser.c_noise)
    # A record of refine holds a Denoiser as it is; of one that is replayed `recorded` makes it.
    return recorded(folder, denoiser.net, run, about, around=around, **kept)


def training_in(out: Path, say: Callable[[str], None]) -> Callable[..., Iterator[SimpleNamespace]]:
    """A function train(name, network, *task, **settings): trainings kept in out/name, told of.

    It yields records as `recorded_optimise` does for a task of a loss; as `recorded_fit` for
    images and a schedule; as `recorded_refine` for images, conditions and levels.
    """
    kinds = (recorded_optimise, recorded_fit, recorded_refine)

    def train(name: str, network, *task, **settings) -> Iterator[SimpleNamespace]:
        for record in kinds[len(task) - 1](out / name, network, *task, say=say, **settings):
            if not record.replayed:
                say(progress_line(name, record, settings["steps"]))
            yield record

    return train


def progress_line(name: str, record: SimpleNamespace, steps: int) -> str:
    """A record in words, with the time left."""
    heldout = "" if record.heldout is None else f" · held-out {record.heldout:.4f}"
    loss, speed = f"loss {record.loss:.4f}{heldout}", f"{record.images_per_second:.0f} images/s"
    wait = pace.left(record.seconds, record.step / steps) if record.step < steps else "done"
    return f"{name}: step {record.step}/{steps} · {loss} · {speed} · {wait}"


def _seen(images: Tensor, about: dict, settings: dict, most: int = 64) -> Tensor:
    """The images of the first step, in their order, mirrored and augmented as `fit` does it."""
    slots = torch.arange(min(about["batch"], most))
    chosen = training.batch_order(about["seed"], 0, about["batch"], len(images))[slots]
    x0, cond, augment = to_float(images[chosen]), settings.get("cond"), settings.get("augment")
    cond = None if cond is None else training.as_float(cond[chosen])
    if about["flip"]:
        u = rng.uniform(about["seed"], 0, slots, 1, rng.FLIP)[:, :, None, None]
        x0 = torch.where(u < 0.5, x0.flip(-1), x0)
        cond = None if cond is None else torch.where(u < 0.5, cond.flip(-1), cond)
    return to_uint8(x0 if augment is None else augment(x0, cond, 0, slots)[0])
