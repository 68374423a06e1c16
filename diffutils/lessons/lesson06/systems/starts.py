"""Where a chain starts, on trial: every way to answer a noisy image, at equal calls.

Each way that has a strength has it tuned by as many tries on images that are set aside.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import torch
from safetensors import torch as safetensors
from torch import Tensor

from diffutils.course.experiments import rows as recorded
from diffutils.course.experiments.sampling import counted
from diffutils.course.runs import fingerprint
from diffutils.course.runs.pace import watched
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.lessons.lesson06.systems import restored, scores, ways
from diffutils.methods import dip
from diffutils.weights import cards, files
from diffutils.weights.models import Model

RULERS = ("mse", "tuned_by")  # strengths are chosen by each: the error, and how it looks
# Fields of the budget that rows which compare have alike.
SAME = ("start_noise", "start_levels", "spreads", "calls", "dip_iterations")
FIELDS = {"way": str, "N": int, "calls": int, "strength": recorded.DISTANCE, "seconds": float}
SHIPPED = cards.PRETRAINED / "faces64.starts.jsonl"


def shipped_rows() -> list[dict]:
    """The rows that ship."""
    return recorded.read(SHIPPED, "fetch it again", FIELDS)


def parts(
    data: ImageSet, budget, seed: int, folder: Path, say: Callable = print
) -> tuple[tuple[Tensor, ways.Task], tuple[Tensor, ways.Task], Tensor, dict[str, float]]:
    """What `trial` takes: images set aside, images that judge, each with a task; others; seconds.

    The DIP of each image is kept in folder/dip, one file each, and not made again.
    """
    n = budget.tuning_images
    m = min(budget.trial_images, (len(data.heldout) - n) // 2)
    if m < 2:
        raise ValueError(
            f"{data.name} holds out {len(data.heldout)} images, but {n} tune, and at least 2 judge "
            f"beside 2 others; give more images, or --set tuning_images={len(data.heldout) // 3}"
        )
    index = torch.arange(n + m)
    x0 = data.heldout[: n + m]
    y = ways.measured(to_float(x0), budget.start_noise, index, seed)
    guesses, seconds = {"y": y}, {}
    if "DIP(y)" in budget.starts:
        fitted = [dip_of(y[i : i + 1], budget, i, folder / "dip", say) for i in index.tolist()]
        guesses["DIP(y)"] = torch.cat([found["image"] for found in fitted])
        seconds["DIP(y)"] = float(sum(found["seconds"] for found in fitted)) / len(index)
    task = ways.Task(y, budget.start_noise, guesses, index, ways.spread(data.train))
    tuning, judged = (task.part(index[:n]), task.part(index[n:]))
    return (x0[:n], tuning), (x0[n:], judged), data.heldout[n + m : n + 2 * m], seconds


def dip_of(y: Tensor, budget, i: int, folder: Path, say: Callable) -> dict[str, Tensor]:
    """Image and seconds of the DIP of one measurement (1, C, H, W), stopped by held-out pixels."""
    # The file is named by what was measured, so that another measurement is fitted anew.
    name = fingerprint.digest(y.cpu().numpy().tobytes())
    path = folder / f"{name}-{budget.dip_iterations}.safetensors"
    if path.exists():
        return safetensors.load_file(path)
    began, best = time.perf_counter(), None
    prior = restored.prior_for(tuple(y.shape[1:]), i)
    fit = dip.fit(prior, y, steps=budget.dip_iterations, log_every=restored.EVERY)
    for record in restored.told(fit, say, f"DIP of image {i + 1}", budget.dip_iterations):
        if best is None or record.heldout < best.heldout:
            best = record
    took = time.perf_counter() - began
    rate = f"{took:.0f} s, {60 / took:.1f} images a minute"
    say(f"starts: DIP of image {i + 1} stops at {best.step} of {record.step}, {rate}")
    found = {"image": best.average.cpu().contiguous(), "seconds": torch.tensor(took)}
    folder.mkdir(parents=True, exist_ok=True)
    files.write_whole(path, safetensors.save(found))
    return found


def trial(
    model: Model,
    tuning: tuple[Tensor, ways.Task],
    judged: tuple[Tensor, ways.Task],
    others: Tensor,
    seconds: Mapping[str, float],
    budget,
    folder: Path,
    say: Callable = print,
    seed: int = 0,
) -> Iterator[dict]:
    """A row for every way and strength on the images set aside, then for each way as tuned.

    Strengths are chosen twice, by each of `RULERS`: who is judged by one is tuned by it.  Last,
    budget.coverage_samples answers to each of some measurements: does the truth lie among them?

    tuning, judged: true images, uint8, and their task.  others: as many other true images, for
    distances.  seconds: of each guess, an image.  seed: of the measurements, by which rows, kept in
    folder/starts.jsonl and not made again, are known.
    """
    path = folder / "starts.jsonl"
    known = recorded.read(path, "delete it, and it is made again", FIELDS)
    same = {"tuned on": len(tuning[0]), "N": len(judged[0])}
    shown = torch.cat([tuning[0], judged[0]])
    same |= {"seed": seed, "images": fingerprint.digest(shown.numpy().tobytes())}
    same |= {name: getattr(budget, name) for name in SAME} | {"weights": model.card["name"]}
    same = files.finite(same)  # as JSON gives it back

    def kept(asked: dict, make: Callable[[], dict]) -> dict:
        """The row of what is asked: read where it is known, else made and kept."""
        asked |= {"trial": same}
        if found := recorded.where(known, **asked):
            return found[0]
        known.append(files.finite(asked | make()))
        recorded.write(path, known)
        return known[-1]

    def row(name, way, given, strength, calls, part, by):
        """One answer to each measurement."""
        x0, task = given

        def make():
            began = time.perf_counter()
            asked_for = len(x0) * (calls + way.extra)
            with counted(model.denoiser, say, f"starts: {name}", asked_for):
                images = ways.answers(way, model, task, strength or 0.0, calls, 0)
            took = (time.perf_counter() - began) / len(x0)
            about = {"N": len(x0), "seconds": took + seconds.get(way.paid, 0.0)}
            near = others if part == "judged" else None
            return about | scores.of_images(to_uint8(images), x0, model.card["data"], near)

        asked = {"way": name, "strength": strength, "calls": calls, "part": part, "seed": 0}
        return kept(asked | {"by": by}, make)

    def answers(name, way, strength):
        """K answers to each of some measurements; seconds of one, without its guess."""
        some, K = torch.arange(len(judged[0]))[: budget.coverage_images], budget.coverage_samples
        x0, task = judged[0][some], judged[1].part(some)

        def make():
            began, every = time.perf_counter(), []
            say(f"starts: {name}, {K} answers to each of {len(x0)} images")
            for k in watched(range(K), f"starts: {name}, answers", say=say):
                given = (task, strength or 0.0, budget.calls, k)
                every.append(ways.answers(way, model, *given))
            took = (time.perf_counter() - began) / (len(x0) * K)
            return {"seconds": took} | scores.of_answers(torch.stack(every), to_float(x0))

        asked = {"way": name, "strength": strength, "calls": budget.calls, "part": "answers"}
        return kept(asked | {"by": RULERS[0], "K": K, "N": len(x0)}, make)

    # Tune on images that are set aside, by each ruler, then judge.
    kinds, best = ways.ways(budget.starts), {}
    for name, way in kinds.items():
        chosen, calls = {"": None}, way.calls or budget.calls
        if way.strengths:
            tried = []
            for strength in getattr(budget, way.strengths):
                say(f"starts: {name}, strength {strength:g}, {len(tuning[0])} images set aside")
                tried.append(row(name, way, tuning, strength, calls, "tuning", ""))
                yield tried[-1]
            chosen = {k: min(tried, key=lambda r: r[k])["strength"] for k in RULERS}
        say(f"starts: {name}, {len(judged[0])} images")
        for by, strength in chosen.items():
            yield (found := row(name, way, judged, strength, calls, "judged", by))
            say(f"starts: {name}, {60 / max(found['seconds'], 1e-6):,.0f} images a minute")
        best[name] = chosen.get(RULERS[0])
    # Ask those that look at y again and again.
    for name, way in kinds.items():
        if not way.calls and not name.startswith("pure noise"):
            yield answers(name, way, best[name])
