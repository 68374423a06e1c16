"""The published DDIM experiment on trial (lesson 03, 8): its FID, and whether few steps are enough.

Every function asks one question and answers it with rows of the claim table.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from torch import Tensor

from diffutils import metrics, samplers, schedules
from diffutils.course.experiments import claims
from diffutils.course.experiments.effects import differ, effect
from diffutils.course.experiments.measure import FLOOR_SETS, asked_labels, floor, generate
from diffutils.course.experiments.rows import group, where
from diffutils.course.experiments.sweep import features_of, sweep
from diffutils.course.machine import best_device
from diffutils.data import ImageSet
from diffutils.metrics import spaces
from diffutils.weights.models import Model

# ArenGolazizian, commit bd33cfc, notebooks/Diffusion-sprites.ipynb
PUBLISHED_FID, PUBLISHED_N, PUBLISHED_DATA = "31.997", 3_000, "sprites-dlai"
FEW = 50  # steps of DDIM that are compared with all steps of DDPM
DDIM_CLAIM = "DDIM draws as well in fewer steps (distance to held-out / floor)"
OVER_TRAININGS = "mean and 95 % interval over trainings, each with a sampling seed of its own"
ONE_SEED = "{} training, 1 sampling each"
FID_OF_DDIM = "FID of DDIM by steps: against training images / against held-out images"
DDIM, DDPM = {"sampler": "respaced", "eta": 0.0}, {"sampler": "respaced", "eta": 1.0}
AGAINST = ("frechet_train", "frechet")  # distances to training and to held-out images


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
    What cannot be measured is "not run", and says why.
    Raises: ValueError for rows of several N.
    """
    if why := differ(rows):
        raise ValueError(why)
    words = f"data set {dataset}" + ("" if dataset == PUBLISHED_DATA else ", not the published one")
    T = models[0].schedule.T
    n = min(PUBLISHED_N, len(data.train), len(data.heldout))
    why, space = _fid_space(budget, data, n)
    if why:
        fids = [*_fid_claims(PUBLISHED_N, T), {"claim": FID_OF_DDIM}]
        fids = [claims.claim(**fields, why=why, protocol=words) for fields in fids]
    else:
        fids = [
            *_fid_of_ddpm(words, models, data, space, n, seed),
            _fid_of_ddim(words, models, data, space, n, budget, seed, folder),
        ]
    rows = [row | {"training": row.get("training", 0)} for row in rows]
    return [
        *fids,
        _training_or_heldout(words, where(rows, **DDPM), T),
        _by_steps(words, rows, T),
        _within_a_tenth(words, rows, T),
    ]


def published_ddpm(denoise: Callable, schedule, z: Tensor, noise: Callable) -> Tensor:
    """The published `sampling.Sampler`: all T steps, with fresh noise of sigma_t^2 = beta_t.

    It does not clip the estimates: draw with clip=False.
    """
    sigmas = schedules.levels(schedule, schedule.T)
    x = samplers.start(sigmas, z)
    return samplers.sample(denoise, x, sigmas, eta=1.0, variance=samplers.beta, noise=noise)


def _fid_space(budget, data: ImageSet, n: int) -> tuple[str, spaces.Space | None]:
    """Why no FID can be measured, in words, and None; or "" and the space to measure it in."""
    if not budget.fid:
        return "not asked for: profiles full and published measure it, or overrides fid=True", None
    try:
        space = spaces.named("inception", device=best_device())
    except FileNotFoundError:
        get = "python -m diffutils data get inception"
        return f"the Inception weights are missing; `{get}` gets them", None
    features = space.features(data.train[:2]).shape[1]
    if n <= features:
        return (
            f"only {n:,} images on each side, but a covariance of {features:,} features needs more "
            f"than {features:,}"
        ), None
    return "", space


def _fid_claims(n: int, T: int) -> list[dict]:
    claim, published = "FID of {:,} DDPM samples, {} steps, against {} images", "{} (N = {:,})"
    return [
        {
            "claim": claim.format(n, T, "training"),
            "published": published.format(PUBLISHED_FID, PUBLISHED_N),
        },
        {"claim": claim.format(n, T, "held-out")},
    ]


def _fid_of_ddpm(words: str, models, data: ImageSet, space, n: int, seed: int) -> list[dict]:
    """The FID of each model by the published sampler, against training and held-out images."""

    def features(images: Tensor) -> Tensor:
        return features_of(space, images, batch=100)  # enlarged to 299 x 299: 0.1 GB

    # Draw with every model, and embed.
    known, heldout = features(data.train[: FLOOR_SETS * n]), features(data.heldout[:n])
    drawn = [
        features(generate(model, n, sampler=published_ddpm, clip=False, seed=seed + k))
        for k, model in enumerate(models)
    ]
    floor_mean, floor_std = floor(metrics.frechet, known, heldout)

    # Compare with both sets of real images.
    sets = len(known) // n
    spread = f" (std {floor_std:.2f})" if sets > 1 else ""
    protocol = [
        "sampler as published: all T steps, variance beta_t, no clipping, no class asked",
        "not as published: our U-Net instead of ContextUnet, its training as in this profile, "
        f"images in random order, of which the first {n:,} count",
        f"floor: held-out against {sets} times {n:,} training images{spread}",
        OVER_TRAININGS,
        space.words,
        words,
    ]
    rows = []
    for about, real in zip(_fid_claims(n, models[0].schedule.T), (known[:n], heldout), strict=True):
        fid = claims.mean_words((metrics.frechet(x, real) for x in drawn), digits=2)
        measured, seeds = f"{fid}; floor {floor_mean:.2f}", ONE_SEED.format(len(models))
        rows.append(claims.claim(**about, measured=measured, protocol=protocol, N=n, seeds=seeds))
    return rows


def _fid_of_ddim(words: str, models, data, space, n: int, budget, seed: int, folder) -> dict:
    """The FID of DDIM at each number of steps; in the fold that of DDPM."""
    if 0.0 not in budget.grid_etas:
        return claims.claim(FID_OF_DDIM, protocol=words, why="no DDIM (eta 0) in grid_etas")

    # Draw, one row for each model, eta and number of steps.
    rows = []
    for k, model in enumerate(models):
        place = folder and Path(folder) / f"fid-{k}"
        steps, etas = budget.grid_steps, budget.grid_etas
        found = sweep(model, data, space, n=n, steps=steps, etas=etas, seeds=(seed + k,),
                      bf16=budget.bf16, folder=place)  # fmt: skip
        rows += [row | {"training": k} for row in found]

    def fids(own: list[dict]) -> str:
        return " / ".join(claims.mean_words(row[key] for row in own) for key in AGAINST)

    # Say the means; in the fold their intervals, and DDPM's.
    asked = "no class asked" if asked_labels(data, n) is None else "classes as often as in training"
    means = _at_steps(
        where(rows, **DDIM),
        lambda own: " / ".join(f"{fmean(row[key] for row in own):.1f}" for key in AGAINST),
    )
    return claims.claim(
        FID_OF_DDIM,
        measured=claims.fitting(means),
        protocol=[
            f"floor {rows[0]['frechet_floor']:.1f}",
            f"DDIM: {', '.join(_at_steps(where(rows, **DDIM), fids))}",
            f"DDPM, posterior variance: {', '.join(_at_steps(where(rows, **DDPM), fids))}",
            OVER_TRAININGS,
            f"estimates clipped, {asked}" + (", network in bfloat16" if budget.bf16 else ""),
            space.words,
            words,
        ],
        N=n,
        seeds=ONE_SEED.format(len(models)),
    )


def _at_steps(rows: Sequence[dict], words: Callable[[list[dict]], str]) -> list[str]:
    """What words says of the rows of each number of steps: "10: 9.1", "20: 6.0"."""
    return [f"{n}: {words(own)}" for (n,), own in sorted(group(rows, "steps").items())]


# ------------------------------------------------------------------- the sweep


def _training_or_heldout(words: str, ddpm: Sequence[dict], T: int) -> dict:
    """DDPM at its most steps: whether it is nearer to training than to held-out images."""
    rows = [row for row in ddpm if "frechet_train" in row]
    most = max((row["steps"] for row in rows), default=T)
    rows = where(rows, steps=most)
    how = "all steps" if most == T else f"{most} of {T} steps"
    text = f"DDPM, {how}, is nearer to training than to held-out images"
    if why := claims.missing(rows, "DDPM row (eta 1) in the sweep"):
        return claims.claim(text, protocol=words, why=why)
    both = [row | {"to": key, "frechet": row[key]} for row in rows for key in AGAINST]
    change = effect("training against held-out images", both, *([{"to": key}] for key in AGAINST))
    over_floor = [claims.mean_words(claims.over_trainings(rows, key)) for key in AGAINST]
    protocol = [f"{' and '.join(over_floor)} times the floor", "one set of reference images", words]
    return claims.from_effects(text, [change], rows, protocol=protocol)


def _by_steps(words: str, rows: Sequence[dict], T: int) -> dict:
    """DDIM's distance by steps, each compared with DDPM in all; in the fold that of DDPM."""
    about = {"claim": DDIM_CLAIM, "published": "claimed, but all 1000 steps were run"}
    ddim, ddpm = where(rows, **DDIM), where(rows, **DDPM)
    if why := claims.missing(ddim, "DDIM row (eta 0) in the sweep"):
        return claims.claim(**about, protocol=words, why=why)

    def ratios(own: list[dict], metric: str = "frechet") -> str:
        return claims.mean_words(claims.over_trainings(own, metric))

    all_steps = [DDPM | {"steps": T}]
    changes = [
        effect(f"DDIM against DDPM in {T}", rows, [DDIM | {"steps": n}], all_steps, by=str(n))
        for (n,) in sorted(group(ddim, "steps"))
    ]
    compared = [x for x in changes if x.runs]
    parts = [f"DDIM: {', '.join(_at_steps(ddim, ratios))}"]
    if ddpm:
        parts.append(f"DDPM: {', '.join(_at_steps(ddpm, ratios))}")
    if all("frechet_train" in row for row in ddim):
        train = _at_steps(ddim, lambda own: ratios(own, "frechet_train"))
        parts.append(f"DDIM against training images, as published: {', '.join(train)}")
    return claims.claim(
        **about,
        measured=claims.fitting(
            _at_steps(ddim, lambda own: f"{fmean(claims.over_trainings(own)):.1f}")
        ),
        verdict=claims.verdicts(compared, compared) if compared else "-",
        N=ddim[0]["N"],
        seeds=claims.seeds_of(ddim),
        protocol=[
            *parts,
            f"verdict by steps, against DDPM in {T}",
            claims.RULE,
            ddim[0]["features"],
            words,
        ],
    )


def _within_a_tenth(words: str, rows: Sequence[dict], T: int) -> dict:
    """Whether DDIM in few steps is as near as DDPM in all; in the fold steps and eta alone."""
    text = f"DDIM in {FEW} steps is within a tenth of DDPM in {T}"
    ddim, ddpm, most = DDIM | {"steps": FEW}, DDPM | {"steps": FEW}, DDPM | {"steps": T}
    few, all_steps = where(rows, **ddim), where(rows, **most)
    why = claims.missing(few, f"DDIM row of {FEW} steps in the sweep") or claims.missing(
        all_steps, f"DDPM row of {T} steps in the sweep"
    )
    if why:
        return claims.claim(text, protocol=words, why=why)
    return claims.from_effects(
        text,
        [effect("DDIM against DDPM", rows, [ddim], [most])],
        [*few, *all_steps],
        beside=[
            effect("fewer steps alone", rows, [ddpm], [most], by=f"DDPM, {FEW} against {T}"),
            effect("eta alone", rows, [ddim], [ddpm], by=f"DDIM against DDPM, {FEW} steps"),
        ],
        protocol=[f"calls of the network: {FEW} against {T}", words],
    )
