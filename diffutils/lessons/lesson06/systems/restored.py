"""Single images restored by Deep Image Prior, beside filters that need no network: rows of it."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from diffutils import rng
from diffutils.course.experiments import rows as recorded
from diffutils.course.runs.pace import pacer
from diffutils.data import photos, to_float
from diffutils.lessons.lesson06.systems import filters
from diffutils.methods import consistency, dip
from diffutils.methods.skipnet import SkipNet
from diffutils.metrics.similarity import psnr
from diffutils.weights import cards, files

EVERY = 10  # iterations between two points of a curve
WINDOW, PATIENCE = 100, 1_000  # of the windowed variance, as its authors have them
FIELDS = {"photo": str, "task": str, "iterations": int, "dB": list, "heldout": list, "stops": dict}
SHIPPED = cards.PRETRAINED / "photos.dip.jsonl"
WIDTHS = (16, 32, 64, 96)  # of the network, finest level first


def named_crops(n: int, size: int, seed: int = 0) -> tuple[list[str], list[Tensor]]:
    """One crop of each of the first n photographs, uint8 (C, size, size), with their names.

    Grey ones have one channel: three alike, each with noise of its own, would be three measurements
    of one image.
    """
    names, crops = [], []
    for split in photos.SPLITS:
        count = sum(photo.split == split for photo in photos.PHOTOGRAPHS)
        found, which = photos.crops(count, size, seed, split)
        names += [photos.PHOTOGRAPHS[i].file.split(".")[0] for i in which]
        crops += [x[:1] if bool((x == x[:1]).all()) else x for x in found]
    return names[:n], crops[:n]


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def prior_for(shape: tuple[int, int, int], seed: int, **settings) -> dip.Prior:
    """An untrained network for images (C, H, W), with its fixed input; of four levels, or as fit.

    settings: of `dip.Prior`.  Raises: ValueError for sides that are odd, or below 4.
    """
    fit = [k for k in range(1, 5) if all(n % 2**k == 0 and n >= 2 ** (k + 1) for n in shape[1:])]
    if not fit:
        raise ValueError(
            f"Deep Image Prior halves the sides of an image, but {shape[1]} x {shape[2]} pixels "
            "cannot be; crop the images to even sides of at least 4"
        )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = SkipNet(out_channels=shape[0], channels=WIDTHS[: max(fit)])
    return dip.Prior(net, dip.noise_input(32, shape[1:], seed), seed=seed, **settings)


def observed(x0: Tensor, task: str, sigma_y: float, seed: int) -> tuple[Tensor, Callable, Tensor]:
    """What is seen of images (1, C, H, W): y, the operator A, and the pixels of y that are seen.

    task: "denoise"; "inpaint", where half of the pixels are seen; "x4", means of 4 x 4 pixels.
    """
    operator = consistency.plain()
    if task == "inpaint":
        shape = x0.shape[2:]
        u = rng.uniform(seed, 2, torch.arange(1), math.prod(shape), rng.EVALUATION)
        seen = u.view(1, 1, *shape) < 0.5
        operator = consistency.masked(seen)
    if task == "x4":
        operator = consistency.pooled(4)
    y = operator.A(x0)
    y = y + sigma_y * rng.normal(seed, 1, torch.arange(1), y.shape[1:], rng.EVALUATION)
    seen = seen if task == "inpaint" else torch.ones_like(y[:, :1], dtype=torch.bool)
    return torch.where(seen, y, 0), operator.A, seen


def told(records: Iterator, say: Callable, name: str, iterations: int) -> Iterator:
    """The records of a fit, of which say is told about every ten seconds."""
    tell = pacer(name, iterations, say)
    for record in records:
        tell(record["iteration"] if isinstance(record, dict) else record.step)
        yield record


def curves(
    x0: Tensor, task: str, sigma_y: float, iterations: int, seed: int = 0, **settings
) -> Iterator[dict]:
    """A point of the curves every `EVERY` iterations: dB to truth and observation, and the rules.

    x0: (1, C, H, W) in [-1, 1], which only the number "dB" sees.  settings: of `dip.Prior`.
    Point: iteration, dB (of the averaged output), observed (dB of A(output) to y where it is seen),
    heldout, variance, and image, the averaged output.
    """
    y, A, seen = observed(x0, task, sigma_y, seed)
    prior = prior_for(tuple(x0.shape[1:]), seed, window=WINDOW, **settings)
    for record in dip.fit(prior, y, A, seen=seen, steps=iterations, log_every=EVERY):
        average, output = record.average.cpu(), record.output.cpu()
        misfit = float(dip.masked_mse(A(output), y, seen))
        yield {
            "iteration": record.step,
            "dB": float(psnr(average.clamp(-1, 1), x0)),
            "observed": 10 * math.log10(4 / misfit),
            "heldout": record.heldout,
            "variance": record.variance,
            "image": average,
        }


def stops(points: Sequence[dict], patience: int = PATIENCE) -> dict[str, int]:
    """Where each rule stops, as the index of a point: held-out pixels, windowed variance, best.

    "best" looks at the truth, and is no rule.
    """
    wait = max(1, patience // EVERY)
    found = {"held-out pixels": dip.early_stop([p["heldout"] for p in points], wait)}
    variances = [p["variance"] for p in points]
    if any(v is not None for v in variances):
        found["windowed variance"] = dip.early_stop(variances, wait)
    dB = [p["dB"] for p in points]
    return found | {"best": dB.index(max(dB))}


def rows(budget, folder: Path, task: str = "denoise", say: Callable = print) -> Iterator[dict]:
    """A row for each of the first photographs: curves of DIP, stops, and filters, with seconds.

    Kept in folder/dip.jsonl as they come, and not made again: what is killed loses one image.
    """
    path = folder / "dip.jsonl"
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    n, size = budget.dip_images, budget.dip_size
    for seed, (name, image) in enumerate(zip(*named_crops(n, size), strict=True)):
        asked = {"photo": name, "task": task, "size": size, "sigma_y": budget.sigma_y}
        asked |= {"iterations": budget.dip_iterations}
        if found := recorded.where(known, **asked):
            yield found[0]
            continue
        say(f"DIP: {name}, {seed + 1} of {n}, {budget.dip_iterations} iterations")
        x0 = to_float(image[None])
        began = time.perf_counter()
        fit = curves(x0, task, budget.sigma_y, budget.dip_iterations, seed)
        points = list(told(fit, say, f"DIP: {name}", budget.dip_iterations))
        took = time.perf_counter() - began
        row = asked | {"seconds": took, "stops": stops(points)}
        for key in ("iteration", "dB", "observed", "heldout", "variance"):
            row[key] = [p[key] if p[key] is None else round(p[key], 5) for p in points]
        y, _, _ = observed(x0, task, budget.sigma_y, seed)
        row["noisy"] = float(psnr(y, x0))
        row["filters"] = timed(y, x0, budget.sigma_y) if task == "denoise" else {}
        known.append(files.finite(row))
        recorded.write(path, known)
        yield known[-1]


def timed(y: Tensor, x0: Tensor, sigma_y: float) -> dict[str, dict[str, float]]:
    """Of every filter that is here: dB, and seconds of its second run."""
    found = {}
    for name in filters.filters():
        filters.filtered(name, y, sigma_y)  # the first one loads what it needs
        began = time.perf_counter()
        clean = filters.filtered(name, y, sigma_y)
        found[name] = {"dB": float(psnr(clean, x0)), "seconds": time.perf_counter() - began}
    return found
