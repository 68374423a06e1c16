"""Digits that turn while they are drawn, on trial: the angle reached, and whether they are kept.

Every way draws the same digits, from the same noise, once upright and once for each angle.  The
baseline turns the finished picture, which no sampler can beat in angle; what is asked is what
turning inside adds.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from diffutils import rng, samplers, schedules
from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.sampling import counted
from diffutils.course.machine import best_device
from diffutils.course.runs import fingerprint
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.denoisers import clipped, guided
from diffutils.methods import rotating
from diffutils.methods.equivariance import c4_averaged, disc, psnr2, rotated
from diffutils.metrics import distances, spaces
from diffutils.metrics.spaces import Space
from diffutils.weights import cards, files
from diffutils.weights.models import Model

# Digits that look like no other one, and not like themselves, when they are turned by up to 90
# degrees; 1 and 8 have an axis, 0 has no angle, and 6 and 9 are each other at 180.
CLASSES = (2, 3, 4, 5, 7)
APART = 22.5  # degrees between frames
ANGLES = (22.5, -22.5, 45.0, -45.0, 67.5, -67.5, 90.0, -90.0)  # the published ones, outwards
FIELDS = {"network": str, "chain": str, "way": str, "degrees": float, "angles": list, "N": int}
FIELDS |= {"frames": recorded.DISTANCE, "digest": str, "judged": str}
SHIPPED = cards.PRETRAINED / "digits.turned.jsonl"
JUDGED = "turned back by the angle reached"  # so that rows judged otherwise are made again
LATE = 1.0  # abar = 0.5, once for all ways: not tuned


class Way(NamedTuple):
    """How a chain turns: settings of `rotating.turning`; or what is turned beside it.

    noise: the start noise is turned, once, by moving it.  finished: the picture is, at the end.
    average: the estimate is averaged over quarter turns, so that it commutes with them.
    """

    settings: dict | None = None
    noise: bool = False
    finished: bool = False
    average: bool = False


WAYS = {
    "finished picture": Way(finished=True),
    "published": Way({}),
    "published, without blur": Way({"rotate": rotated}),
    "late": Way({"rotate": rotated, "below": LATE}),
    "estimate, late": Way({"rotate": rotated, "below": LATE, "estimate": True}),
    "start noise": Way(noise=True),
    "start noise, C4 average": Way(noise=True, average=True),
}


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


class Task(NamedTuple):
    """Which digits are drawn: their labels (N,), and how: steps, eta, guidance and a seed."""

    labels: Tensor
    steps: int
    eta: float
    scale: float
    seed: int


def turnable(data: ImageSet) -> bool:
    """Whether a set has classes by the names in `CLASSES`."""
    return any(name in map(str, CLASSES) for name in data.classes)


def task(data: ImageSet, n: int, steps: int, eta: float, scale: float, seed: int) -> Task:
    """n digits of each class in `CLASSES` that the data have by that name."""
    known = [i for i, name in enumerate(data.classes) if name in map(str, CLASSES)]
    if not known:
        names = ", ".join(map(str, CLASSES))
        raise ValueError(f"{data.name} has none of the classes {names}; choose a set of digits")
    return Task(torch.tensor(known).repeat_interleave(n), steps, eta, scale, seed)


@torch.no_grad()
def drawn(
    model: Model, way: Way, degrees: float, given: Task, after: Callable | None = None
) -> Iterator[Tensor]:
    """The states of a chain (N, C, H, W) that turns by so many degrees in all, in units of x0.

    The last one is the picture.  Noise and labels are those of `given`, whatever the angle.
    after: an `after_step` of one's own, in place of the way's.
    """
    # Ask for the labels.
    index = torch.arange(len(given.labels))
    device = next(model.denoiser.parameters()).device
    labels, index = given.labels.to(device), index.to(device)
    denoiser = model.denoiser.eval()
    D = clipped(guided(denoiser, labels, given.scale, denoiser.net.classes))
    D = c4_averaged(D) if way.average else D
    # Draw the noise of the start, and turn it.
    levels = schedules.levels(model.schedule, given.steps)
    z = rng.normal(given.seed, 0, index, model.shape, rng.START)
    if way.noise and degrees:
        C, H, W = model.shape
        fresh = rng.normal(given.seed, 1, index, (C, 2 * H, 2 * W), rng.START)
        z = rotating.rotated_noise(z, degrees, fresh)
    # Walk, turning on the way.
    if after is None and way.settings is not None and degrees:
        after = rotating.turning(degrees, levels, **way.settings)
    settings = {"eta": given.eta, "noise": samplers.seeded_noise(given.seed, index)}
    walk = samplers.trajectory(D, samplers.start(levels, z), levels, after_step=after, **settings)
    for x in walk:
        last = x
        yield x
    if way.finished and degrees:
        yield rotated(last, degrees).clamp(-1, 1)


def picture(model: Model, way: Way, degrees: float, given: Task) -> Tensor:
    """The last state of `drawn`, clamped to [-1, 1]."""
    for x in drawn(model, way, degrees, given):
        last = x
    return last.clamp(-1, 1)


def off(angle: Tensor, degrees: float) -> Tensor:
    """How many degrees an angle is away from another one, the short way round."""
    return ((angle - degrees + 180) % 360 - 180).abs()


def row(
    pictures: Tensor,
    upright: Tensor,
    inner: Tensor,
    degrees: float,
    labels: Tensor,
    judge: Callable[[Tensor, Tensor], float] | None,
    space: Space | None = None,
    real: Tensor | None = None,
) -> dict:
    """What became of pictures (N, C, H, W) that should be the upright ones, turned by degrees.

    angles: by registration with the upright ones; off: from the target; identity: the share whose
    class the judge knows once they are turned back by the angle that they reached, so that what
    stayed upright is not judged lying; None without a judge.  frames: how well they are the frame
    before, `inner`, turned by `APART`: dB of a peak of 2.  real: features of true images turned by
    as much.
    """
    step = math.copysign(APART, degrees)
    angles = rotating.registered_angle(upright, pictures)
    back = to_uint8(rotated(pictures, -angles.nan_to_num(degrees)).clamp(-1, 1))
    found = {
        "degrees": degrees,
        "N": len(pictures),
        "angles": angles.tolist(),
        "off": float(off(angles, degrees).nanquantile(0.5)),
        "identity": judge and judge(back, labels),
        "frames": psnr2(pictures, rotated(inner, step), disc(pictures.shape[-1])),
    }
    if real is not None:
        features = space.features(to_uint8(pictures))
        found |= {"kernel": distances.mmd(features, real), "features": space.words}
    return found


def turned_real(data: ImageSet, degrees: float, space: Space, n: int = 500) -> Tensor:
    """Features of n true images of `CLASSES`, turned by so many degrees."""
    names = {data.classes.index(str(c)) for c in CLASSES if str(c) in data.classes}
    chosen = [i for i, label in enumerate(data.train_labels.tolist()) if label in names][:n]
    return space.features(to_uint8(rotated(to_float(data.train[chosen]), degrees).clamp(-1, 1)))


def rows(
    models: Mapping[str, Model],
    data: ImageSet,
    budget,
    seed: int,
    folder: Path,
    say: Callable = print,
) -> Iterator[dict]:
    """A row for every network, way and angle, kept in folder/turned.jsonl and not made again.

    models: by name.  Each way draws budget.turn_images of each class in budget.turn_steps, by DDIM
    and by DDPM, as published.  Without a judge for these data nothing is said of identity.
    Raises: ValueError for data without the classes.
    """
    # Prepare what is measured against.
    device, path = best_device(), folder / "turned.jsonl"
    judge, space = spaces.judge(data.name, device), spaces.of(data.name, data.shape[0], device)
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    real = {a: turned_real(data, a, space) for a in ANGLES}
    for name, model in models.items():
        for eta, chain in ((0.0, "DDIM"), (1.0, "DDPM")):
            given = task(data, budget.turn_images, budget.turn_steps, eta, budget.guidance, seed)
            about = {"network": name, "chain": chain, "steps": given.steps, "seed": seed}
            about |= {"scale": given.scale, "weights": model.card["name"], "dataset": data.name}
            about |= {"digest": digest_of(model), "judged": JUDGED}
            upright = None
            for way, how in WAYS.items():
                made: dict[float, Tensor] = {}
                draw = partial(picture, model, how, given=given)
                for angle in ANGLES:
                    asked = about | {"way": way, "degrees": angle, "N": len(given.labels)}
                    if found := recorded.where(known, **asked):
                        yield found[0]
                        continue
                    say(f"turned: {name}, {chain}, {way}, {angle:g} degrees")
                    # Draw it, and what it is compared with, where a killed run drew it before.
                    inner = angle - math.copysign(APART, angle)
                    calls = 3 * len(given.labels) * given.steps
                    with counted(model.denoiser, say, f"turned: {way}, {angle:g} degrees", calls):
                        for a in (0.0, inner, angle):
                            made[a] = made[a] if a in made else draw(a).cpu()
                    # What the network draws upright, without an average, is what can be kept.
                    if upright is None:
                        upright = picture(model, WAYS["finished picture"], 0.0, given)
                        kept = judge and judge(to_uint8(upright).cpu(), given.labels)
                    beside = (made[0.0], made[inner], angle, given.labels, judge, space)
                    found = row(made[angle], *beside, real[angle])
                    known.append(files.finite(asked | {"kept": kept} | found))
                    recorded.write(path, known)
                    yield known[-1]


def digest_of(model: Model) -> str:
    """A short name of a network's weights: two trainings of one name have two."""
    weights = model.denoiser.net.state_dict().values()
    return fingerprint.digest(b"".join(w.cpu().numpy().tobytes() for w in weights))


def summary(every: Sequence[dict], network: str, chain: str, way: str) -> dict[str, float]:
    """Over all angles of a way: median angle error, identity of what is right upright, mean dB
    between frames, mean kernel distance.
    """
    own = recorded.where(every, network=network, chain=chain, way=way)
    errors = torch.cat([off(torch.tensor(row["angles"]), row["degrees"]) for row in own])
    judged = own[0]["kept"] is not None
    kept = sum(row["identity"] for row in own) / sum(row["kept"] for row in own) if judged else None
    return {
        "off": float(errors.nanquantile(0.5)),
        "identity": kept,
        "frames": sum(row["frames"] for row in own) / len(own),
        "kernel": sum(row["kernel"] for row in own) / len(own),
        "N": len(errors),
    }
