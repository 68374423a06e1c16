"""The published DDIM experiment on trial: its FID, and its claim that fewer steps are enough."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import mean, stdev

from torch import Tensor

from diffutils import metrics, samplers
from diffutils.course.experiments.charts import one_count, ratio
from diffutils.course.experiments.measure import FLOOR_SETS, asked_labels, floor, generate
from diffutils.course.experiments.sweep import features_of, paired_change, sweep
from diffutils.course.machine import best_device
from diffutils.data import ImageSet
from diffutils.metrics import spaces
from diffutils.metrics.intervals import student_interval
from diffutils.schedules import steps as levels
from diffutils.weights.models import Model

# ArenGolazizian, commit bd33cfc, notebooks/Diffusion-sprites.ipynb
PUBLISHED_FID = "31.997"


PUBLISHED_N = 3_000


PUBLISHED_DATA = "sprites-dlai"


FID_CLAIM = "FID of {:,} DDPM samples, {} steps, against {} images"


DDIM_FID_CLAIM = "FID of DDIM by steps: against training images / against held-out images"


DDIM_CLAIM = "DDIM draws as well in fewer steps (distance to held-out / floor)"


FEW = 50  # steps of DDIM that are compared with all steps of DDPM


TENTH = 0.1


def sprites_trial(
    dataset: str,
    models: Sequence[Model],
    data: ImageSet,
    rows: Sequence[dict],
    budget,
    seed: int,
    folder: Path | None = None,
) -> list[dict]:
    """The claims of the published sprites experiment: rows for `lesson.claim(**row)`.

    models, data: of `networks`.  rows: of `sweep`, each with the index of its model as "training"
    (0 where that is missing).  budget.fid: whether to draw images for an FID, by all T steps as
    published, and by budget.grid_steps and budget.grid_etas.  folder: the rows of the latter are
    kept there, in a folder fid-K for model K, so that a killed run goes on.
    What cannot be measured has no entry "measured", and its protocol says why.
    Raises: ValueError for rows of several N.
    """
    words = f"data set {dataset}" + ("" if dataset == PUBLISHED_DATA else ", not the published one")
    T = models[0].schedule.T
    if rows:
        one_count(rows)
    return [
        *_fid_rows(words, models, data, budget, seed, folder),
        _all_steps_row(words, rows, T),
        _fewer_steps_row(words, rows),
        _within_a_tenth_row(words, rows, T),
    ]


def published_ddpm(denoise: Callable, schedule, z: Tensor, noise: Callable) -> Tensor:
    """The published `sampling.Sampler`: all T steps, with fresh noise of sigma_t^2 = beta_t.

    It does not clip the estimates: draw with clip=False.
    """
    sigmas = levels(schedule, schedule.T)
    x = samplers.start(sigmas, z)
    return samplers.sample(denoise, x, sigmas, eta=1.0, variance=samplers.beta, noise=noise)


# ------------------------------------------------------------------- the FID


def _fid_rows(words: str, models, data: ImageSet, budget, seed: int, folder) -> list[dict]:
    """The FID of DDPM as published, and that of DDIM in fewer steps."""
    n = min(PUBLISHED_N, len(data.train), len(data.heldout))
    why, space = _fid_space(budget, data, n)
    if why:
        claims = [*_ddpm_fid_claims(PUBLISHED_N, models[0].schedule.T), {"claim": DDIM_FID_CLAIM}]
        return [claim | {"protocol": f"{why}; {words}"} for claim in claims]
    return [
        *_ddpm_fid_rows(words, models, data, space, n, seed),
        _ddim_fid_row(words, models, data, space, n, budget, seed, folder),
    ]


def _ddpm_fid_claims(n: int, T: int) -> list[dict]:
    published = f"{PUBLISHED_FID} (N = {PUBLISHED_N:,})"
    return [
        {"claim": FID_CLAIM.format(n, T, "training"), "published": published},
        {"claim": FID_CLAIM.format(n, T, "held-out")},
    ]


def _ddpm_fid_rows(words: str, models, data: ImageSet, space, n: int, seed: int) -> list[dict]:
    """The FID of each model by the published sampler, against training and held-out images."""

    def features(images: Tensor) -> Tensor:
        return features_of(space, images, batch=100)  # enlarged to 299 x 299: 0.1 GB

    known, heldout = features(data.train[: FLOOR_SETS * n]), features(data.heldout[:n])
    drawn = [
        features(generate(model, n, sampler=published_ddpm, clip=False, seed=seed + k))
        for k, model in enumerate(models)
    ]
    floor_mean, floor_std = floor(metrics.frechet, known, heldout)
    sets = len(known) // n
    spread = f" (std {floor_std:.2f})" if sets > 1 else ""
    protocol = (
        "sampler as published: all T steps, variance beta_t, no clipping, no class asked; not as "
        "published: our U-Net instead of ContextUnet, its training as in this profile, images in "
        f"random order, of which the first {n:,} count; floor: held-out against {sets} times "
        f"{n:,} training images{spread}; every training has a sampling seed of its own; "
        f"{space.words}; {words}"
    )
    claims = _ddpm_fid_claims(n, models[0].schedule.T)
    return [
        claim
        | {
            "measured": f"{_mean_std(metrics.frechet(x, real) for x in drawn)}; "
            f"floor {floor_mean:.2f}",
            "protocol": protocol,
            "N": n,
            "seeds": _seeds_of_their_own(models),
        }
        for claim, real in zip(claims, (known[:n], heldout), strict=True)
    ]


def _ddim_fid_row(
    words: str, models, data: ImageSet, space, n: int, budget, seed: int, folder: Path | None
) -> dict:
    """The FID of DDIM at each number of steps; in the protocol that of DDPM."""
    claim = {"claim": DDIM_FID_CLAIM}
    if 0.0 not in budget.grid_etas:
        return claim | {"protocol": f"no DDIM (eta 0) in grid_etas; {words}"}
    rows = [
        row | {"training": k}
        for k, model in enumerate(models)
        for row in sweep(
            model,
            data,
            space,
            n=n,
            steps=budget.grid_steps,
            etas=budget.grid_etas,
            seeds=(seed + k,),
            bf16=budget.bf16,
            folder=folder and Path(folder) / f"fid-{k}",
        )
    ]
    ddim, ddpm = _respaced(rows, 0.0), _respaced(rows, 1.0)
    asked = "no class asked" if asked_labels(data, n) is None else "classes as often as in training"
    parts = [
        "estimates clipped, " + asked + (", network in bfloat16" if budget.bf16 else ""),
        f"floor {rows[0]['frechet_floor']:.1f}",
        f"DDPM, posterior variance: {_by_steps(ddpm, _fids)}" if ddpm else "",
        f"std of DDIM over trainings: {_by_steps(ddim, _fid_stds)}" if len(models) > 1 else "",
        "every training has a sampling seed of its own",
        space.words,
        words,
    ]
    return claim | {
        "measured": _by_steps(ddim, _fids),
        "protocol": "; ".join(filter(None, parts)),
        "N": n,
        "seeds": _seeds_of_their_own(models),
    }


def _fids(rows: list[dict], summary: Callable = mean) -> str:
    against = ("frechet_train", "frechet")
    return " / ".join(f"{summary(row[key] for row in rows):.1f}" for key in against)


def _fid_stds(rows: list[dict]) -> str:
    return _fids(rows, stdev)


def _seeds_of_their_own(models) -> str:
    return f"{len(models)} training, 1 sampling each"


def _fid_space(budget, data: ImageSet, n: int) -> tuple[str, spaces.Space | None]:
    """Why no FID can be measured, in words, and None; or "" and the space to measure it in."""
    if not budget.fid:
        return "not asked for: profiles full and published measure it, or overrides fid=True", None
    try:
        space = spaces.named("inception", device=best_device())
    except FileNotFoundError:
        return (
            "the Inception weights are missing; `python -m diffutils data get inception` gets them"
        ), None
    features = space.features(data.train[:2]).shape[1]
    if n <= features:
        return (
            f"only {n:,} images on each side, but a covariance of {features:,} features needs more "
            f"than {features:,}"
        ), None
    return "", space


# ------------------------------------------------------------------- the sweep


def _all_steps_row(words: str, rows: Sequence[dict], T: int) -> dict:
    """DDPM at its most steps: whether it is nearer to training than to held-out images."""
    rows = [row for row in _respaced(rows, 1.0) if "frechet_train" in row]
    most = max((row["steps"] for row in rows), default=T)
    rows = [row for row in rows if row["steps"] == most]
    how = "all steps" if most == T else f"{most} of {T} steps"
    claim = {"claim": f"DDPM, {how}: against training images / against held-out images"}
    if why := _nothing_in(rows, "DDPM row (eta 1)"):
        return claim | {"protocol": f"{why}; {words}"}
    train = _over_trainings(rows, lambda row: ratio(row, "frechet_train"))
    verdict, about = _nearer_to_training(rows)
    return (
        claim
        | _about(rows)
        | {
            "measured": f"{train} / {_over_trainings(rows, ratio)} times the floor; {verdict}",
            "protocol": f"Fréchet distances, floor: training against held-out; {about}; "
            f"{rows[0]['features']}; {words}",
        }
    )


def _nearer_to_training(rows: list[dict]) -> tuple[str, str]:
    """The verdict with its interval, and in words what they are made of."""

    def change(row: dict) -> float:
        return (row["frechet_train"] - row["frechet"]) / row["frechet"]

    changes, what = _of_each_training(rows, change), "trainings"
    if len(changes) == 1:
        changes, what = [*map(change, rows)], "sampling seeds"
    if len(changes) < 2:
        return "nearer to training images: cannot be told", "one run has no interval"
    middle, low, high = student_interval(changes)
    hint = " (one network: a hint only)" if what == "sampling seeds" else ""
    return (
        f"{_interval(middle, low, high)}, nearer to training images: "
        f"{_verdict(low, high, -math.inf, 0.0)}{hint}",
        f"(training - held-out) / held-out with a 95 % interval over {len(changes)} {what}, the "
        "reference images the same in all",
    )


def _fewer_steps_row(words: str, rows: Sequence[dict]) -> dict:
    """DDIM's distance by steps; in the protocol that of DDPM."""
    claim = {"claim": DDIM_CLAIM, "published": "claimed, but all 1000 steps were run"}
    ddim, ddpm = _respaced(rows, 0.0), _respaced(rows, 1.0)
    if why := _nothing_in(ddim, "DDIM row (eta 0)"):
        return claim | {"protocol": f"{why}; {words}"}

    def ratios(rows: list[dict], metric: str = "frechet") -> str:
        return _over_trainings(rows, lambda row: ratio(row, metric))

    parts = ["steps: ratio"]
    if len(_trainings(ddim)) > 1:
        parts.append(f"with std over trainings: {_by_steps(ddim, ratios)}")
    if ddpm:
        parts.append(f"DDPM: {_by_steps(ddpm, ratios)}")
    if all("frechet_train" in row for row in ddim):
        as_published = _by_steps(ddim, lambda rows: ratios(rows, "frechet_train"))
        parts.append(f"DDIM against training images, as published: {as_published}")
    return (
        claim
        | _about(ddim)
        | {
            "measured": _by_steps(ddim, lambda rows: f"{mean(_of_each_training(rows, ratio)):.1f}"),
            "protocol": "; ".join([*parts, ddim[0]["features"], words]),
        }
    )


def _within_a_tenth_row(words: str, rows: Sequence[dict], T: int) -> dict:
    """Whether DDIM in few steps is as near to held-out images as DDPM in all, up to a tenth."""
    claim = {"claim": f"DDIM in {FEW} steps is within a tenth of DDPM in {T}"}
    ddim = [row for row in _respaced(rows, 0.0) if row["steps"] == FEW]
    ddpm = [row for row in _respaced(rows, 1.0) if row["steps"] == T]
    why = _nothing_in(ddim, f"DDIM row of {FEW} steps") or _nothing_in(ddpm, f"DDPM row of {T}")
    if why:
        return claim | {"protocol": f"{why}; {words}"}
    compared = [*ddim, *ddpm]
    try:
        change = paired_change(compared, {"steps": FEW, "eta": 0.0}, {"steps": T, "eta": 1.0})
    except ValueError as error:
        return claim | {"protocol": f"{error}; {words}"}
    verdict = _verdict(change.low, change.high, -TENTH, TENTH)
    return (
        claim
        | _about(compared)
        | {
            "measured": f"{_interval(change.mean, change.low, change.high)}: {verdict}",
            "protocol": "(DDIM - DDPM) / DDPM of the Fréchet distances to held-out images, 95 % "
            f"interval over {change.runs} {change.what}; calls of the network: {FEW} against {T}; "
            f"{compared[0]['features']}; {words}",
        }
    )


def _nothing_in(rows: list[dict], what: str) -> str:
    """Why these rows say nothing, in words: there are none, or their distances are nan."""
    if not rows:
        return f"no {what} in the sweep"
    distances = ("frechet", "frechet_train", "frechet_floor")
    if any(math.isnan(row.get(key, 0.0)) for row in rows for key in distances):
        return f"{one_count(rows):,} images are too few for distances on {rows[0]['features']}"
    return ""


def _verdict(low: float, high: float, least: float, most: float) -> str:
    """Whether what the interval low to high is about lies between least and most."""
    if least < low and high < most:
        return "yes"
    return "no" if high <= least or low >= most else "cannot be told"


def _interval(middle: float, low: float, high: float) -> str:
    return f"{middle:+.1%} ({low:+.1%} to {high:+.1%})"


def _respaced(rows: Sequence[dict], eta: float) -> list[dict]:
    return [row for row in rows if row["sampler"] == "respaced" and row["eta"] == eta]


def _by_steps(rows: list[dict], words: Callable[[list[dict]], str]) -> str:
    """What words says of the rows of each number of steps: "10: 9.1, 20: 6.0"."""
    counts = sorted({row["steps"] for row in rows})
    return ", ".join(f"{n}: {words([row for row in rows if row['steps'] == n])}" for n in counts)


def _about(rows: list[dict]) -> dict:
    seeds = {row["seed"] for row in rows}
    return {
        "N": one_count(rows),
        "seeds": f"{len(_trainings(rows))} training, {len(seeds)} sampling",
    }


def _training(row: dict) -> int:
    return row.get("training", 0)


def _trainings(rows: list[dict]) -> list[int]:
    return sorted({_training(row) for row in rows})


def _of_each_training(rows: list[dict], value: Callable[[dict], float]) -> list[float]:
    """Each training's mean over its rows (sampling seeds)."""
    return [mean(value(row) for row in rows if _training(row) == k) for k in _trainings(rows)]


def _over_trainings(rows: list[dict], value: Callable[[dict], float]) -> str:
    """The mean of all trainings, and std where several."""
    return _mean_std(_of_each_training(rows, value), 1)


def _mean_std(values, digits: int = 2) -> str:
    values = list(values)
    spread = f" (std {stdev(values):.{digits}f})" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"
