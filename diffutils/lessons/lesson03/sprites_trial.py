"""The published DDIM experiment on trial (lesson 03, 8): its FID, and whether few steps are enough.

Every function asks one question and answers it with rows of the claim table.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean

from torch import Tensor

from diffutils import metrics, samplers, schedules
from diffutils.course.experiments import claims
from diffutils.course.experiments.effects import Effect, above_floor, differ, effect, held
from diffutils.course.experiments.measure import FLOOR_SETS, asked_labels, features_of, floor
from diffutils.course.experiments.rows import TRIAL, group, read, where
from diffutils.course.experiments.sampling import generate
from diffutils.course.experiments.sweep import sweep, weights_of
from diffutils.course.machine import best_device
from diffutils.course.tables import aligned
from diffutils.data import ImageSet
from diffutils.metrics import spaces
from diffutils.weights import cards
from diffutils.weights.models import Model

# ArenGolazizian, commit bd33cfc, notebooks/Diffusion-sprites.ipynb
PUBLISHED_FID, PUBLISHED_N, PUBLISHED_DATA = "31.997", 3_000, "sprites-dlai"
FEW = 50  # steps of DDIM that are compared with all steps of DDPM
BOTH, STEPS, ETA = "both at once", "fewer steps alone", "eta 0 alone"
REST = "fewer steps at eta 1"
DDIM, DDPM = {"sampler": "respaced", "eta": 0.0}, {"sampler": "respaced", "eta": 1.0}
AGAINST = {"training images": "frechet_train", "held-out images": "frechet"}
FID_OF_DDPM = "FID of {:,} DDPM samples, {} steps, against {}"
FID_OF_DDIM = "FID of DDIM by steps: against training images / against held-out images"
BY_STEPS = "DDIM in fewer steps is as near as DDPM in all (distance to held-out / floor)"


def sprites_trial(
    dataset: str,
    models: Sequence[Model],
    data: ImageSet,
    rows: Sequence[dict],
    budget,
    seed: int,
    folder: Path | None = None,
    trained: Sequence[dict] = (),
) -> list[dict]:
    """The claims of the published sprites experiment: rows for `lesson.claim(**row)`.

    models, data: of `networks`.  rows: of `sweep`, with its model's index as "training" (or 0).
    budget.fid: whether to draw images for an FID, by all T steps as published, and by the grid of
    the budget, whose rows are kept in folder/fid-K for model K, so that a killed run goes on.
    trained: further DDPM rows, of several trainings, such as `short_trainings`.
    What cannot be measured is "not run", and says why.
    Raises: ValueError for rows that do not compare, such as of several N.
    """
    if why := differ(rows):
        raise ValueError(why)
    words = f"data set {dataset}" + ("" if dataset == PUBLISHED_DATA else ", not the published one")
    T = models[0].schedule.T
    return [
        *_fids(words, models, data, budget, seed, folder),
        _training_or_heldout(words, where(rows, **DDPM), T),
        *([_training_or_heldout(words, where(trained, **DDPM), T)] if trained else []),
        _by_steps(words, rows, T),
        _within_a_tenth(words, rows, T),
        _cost("fewer steps alone bring samples farther", words, rows, STEPS, T),
        _cost("eta = 0 instead of 1 alone brings samples farther", words, rows, ETA, T),
    ]


def short_trainings() -> list[dict]:
    """The recorded rows of three short DDPM trainings on sprites: an arm of lesson 04's trial."""
    path = cards.PRETRAINED / "sprites-edm.trial.jsonl"
    return where(read(path, "fetch it again", TRIAL), arm="DDPM")


def long_rows(model: Model) -> list[dict]:
    """The recorded rows of DDIM in all steps and in fewer: N = 200, too few for a Fréchet distance.

    Of this very network, or none.
    """
    path = cards.PRETRAINED / f"{model.card['name']}.long.jsonl"
    return where(read(path, "fetch it again"), weights=weights_of(model))


def published_ddpm(denoise: Callable, schedule, z: Tensor, noise: Callable) -> Tensor:
    """The published `sampling.Sampler`: all T steps, with fresh noise of sigma_t^2 = beta_t.

    It does not clip the estimates: draw with clip=False.
    """
    sigmas = schedules.levels(schedule, schedule.T)
    x = samplers.start(sigmas, z)
    return samplers.sample(denoise, x, sigmas, eta=1.0, variance=samplers.beta, noise=noise)


# ------------------------------------------------------------------- the FID


def _fids(words: str, models, data: ImageSet, budget, seed: int, folder) -> list[dict]:
    """The FID of DDPM as published, and that of DDIM in fewer steps."""
    # Say what is asked, or why it cannot be measured.
    n = min(PUBLISHED_N, len(data.train), len(data.heldout))
    ddpm = [{"claim": FID_OF_DDPM.format(n, models[0].schedule.T, to)} for to in AGAINST]
    ddpm[0]["published"] = f"{PUBLISHED_FID} (N = {PUBLISHED_N:,})"
    why, space = _fid_space(budget, data, n)
    if why:
        unmeasured = (*ddpm, {"claim": FID_OF_DDIM})
        return [claims.claim(**about, why=why, protocol=words) for about in unmeasured]

    # Draw by the published sampler, and measure against training and held-out images.
    def features(images: Tensor) -> Tensor:
        return features_of(space, images, batch=100)  # enlarged to 299 x 299: 0.1 GB

    known, heldout = features(data.train[: FLOOR_SETS * n]), features(data.heldout[:n])
    drawn = [
        features(generate(model, n, sampler=published_ddpm, clip=False, seed=seed + k))
        for k, model in enumerate(models)
    ]
    mean, std = floor(metrics.frechet, known, heldout)
    for about, real in zip(ddpm, (known[:n], heldout), strict=True):
        fids = claims.mean_words((metrics.frechet(x, real) for x in drawn), 2)
        about["measured"] = f"{fids}; floor {mean:.2f}"

    # Say how it was done.
    sets = len(known) // n
    spread = f" (std {std:.2f})" if sets > 1 else ""
    as_published = [
        "sampler as published: all T steps, variance beta_t, no clipping, no class asked",
        "not as published: our U-Net instead of ContextUnet, its training as in this profile, "
        f"images in random order, of which the first {n:,} count",
        f"floor: held-out against {sets} times {n:,} training images{spread}",
    ]
    over = "mean and 95 % interval over trainings, each with a sampling seed of its own"
    protocol = [over, space.words, words]
    shared = {"N": n, "seeds": f"{len(models)} training, 1 sampling each"}
    made = [claims.claim(**x, protocol=[*as_published, *protocol], **shared) for x in ddpm]
    return [*made, _ddim_fid(protocol, shared, models, data, space, budget, seed, folder)]


def _fid_space(budget, data: ImageSet, n: int) -> tuple[str, spaces.Space | None]:
    """Why no FID can be measured, in words, and None; or "" and the space to measure it in."""
    if not budget.fid:
        return "not asked for: profiles full and published measure it, or overrides fid=True", None
    try:
        space = spaces.named("inception", device=best_device())
    except FileNotFoundError:
        cure = "`python -m diffutils data get inception` gets them"
        return f"the Inception weights are missing; {cure}", None
    if n <= (d := space.features(data.train[:2]).shape[1]):
        needs = f"a covariance of {d:,} features needs more than {d:,}"
        return f"only {n:,} images on each side, but {needs}", None
    return "", space


def _ddim_fid(protocol, shared, models, data, space, budget, seed: int, folder) -> dict:
    """The FID of DDIM at each number of steps; in the fold that of DDPM."""
    if 0.0 not in budget.grid_etas:
        return claims.claim(FID_OF_DDIM, why="no DDIM (eta 0) in grid_etas", protocol=protocol)
    settings = dict(steps=budget.grid_steps, etas=budget.grid_etas, bf16=budget.bf16)
    rows = []
    for k, model in enumerate(models):
        settings |= {"n": shared["N"], "folder": folder and Path(folder) / f"fid-{k}"}
        found = sweep(model, data, space, seeds=(seed + k,), **settings)
        rows += [row | {"training": k} for row in found]

    def fids(own: list[dict], words: Callable = claims.mean_words) -> str:
        return " / ".join(words([row[key] for row in own]) for key in AGAINST.values())

    ddim, ddpm = where(rows, **DDIM), where(rows, **DDPM)
    asked = "no class asked" if asked_labels(data, 1) is None else "classes as often as in training"
    return claims.claim(
        FID_OF_DDIM,
        measured=claims.fitting(_at_steps(ddim, lambda own: fids(own, _mean))),
        protocol=[
            f"floor {rows[0]['frechet_floor']:.1f}",
            f"DDIM: {', '.join(_at_steps(ddim, fids))}",
            f"DDPM, posterior variance: {', '.join(_at_steps(ddpm, fids))}",
            f"estimates clipped, {asked}{', network in bfloat16' if budget.bf16 else ''}",
            *protocol,
        ],
        **shared,
    )


def _at_steps(rows: Sequence[dict], words: Callable[[list[dict]], str]) -> list[str]:
    """What words says of the rows of each number of steps: "10: 9.1", "20: 6.0"."""
    return [f"{n}: {words(own)}" for (n,), own in sorted(group(rows, "steps").items())]


def _mean(values: Sequence[float]) -> str:
    return f"{fmean(values):.1f}"


# ------------------------------------------------------------------- the sweep


def _ratios(rows: Sequence[dict], metric: str = "frechet") -> str:
    return claims.mean_words(claims.over_trainings(rows, metric))


def _training_or_heldout(words: str, ddpm: Sequence[dict], T: int) -> dict:
    """DDPM at its most steps: whether it is nearer to training than to held-out images."""
    rows = [row for row in ddpm if "frechet_train" in row]
    most = max((row["steps"] for row in rows), default=T)
    rows = where(rows, steps=most)
    how = "all steps" if most == T else f"{most} of {T} steps"
    text = f"DDPM, {how}, is nearer to training than to held-out images"
    if why := claims.missing(rows, "DDPM row (eta 1) in the sweep"):
        return claims.claim(text, protocol=words, why=why)
    both = [row | {"to": to, "frechet": row[key]} for row in rows for to, key in AGAINST.items()]
    change = effect("training against held-out images", both, *([{"to": to}] for to in AGAINST))
    ratios = " and ".join(_ratios(rows, key) for key in AGAINST.values())
    protocol = [f"{ratios} times the floor", "one set of reference images", words]
    return claims.from_effects(text, [change], rows, protocol=protocol)


def _by_steps(words: str, rows: Sequence[dict], T: int) -> dict:
    """DDIM's distance by steps, each compared with DDPM in all; in the fold that of DDPM."""
    published = "claimed, but all 1000 steps were run"
    ddim, ddpm = where(rows, **DDIM), where(rows, **DDPM)
    if why := claims.missing(ddim, "DDIM row (eta 0) in the sweep"):
        return claims.claim(BY_STEPS, published, protocol=words, why=why)
    # Judge every number of steps, and say the distances.
    changes = [
        effect("DDIM / DDPM", rows, [DDIM | {"steps": n}], [DDPM | {"steps": T}], by=str(n))
        for (n,) in sorted(group(ddim, "steps"))
    ]
    judged = [x for x in changes if x.runs]
    parts = [f"DDIM: {', '.join(_at_steps(ddim, _ratios))}"]
    if ddpm:
        parts.append(f"DDPM: {', '.join(_at_steps(ddpm, _ratios))}")
    kernels = _at_steps(ddim, lambda own: f"{fmean(row['kernel'] for row in own):.3g}")
    parts.append(f"DDIM, kernel distance, which has no floor: {', '.join(kernels)}")
    if all("frechet_train" in row for row in ddim):
        train = _at_steps(ddim, lambda own: _ratios(own, "frechet_train"))
        parts.append(f"DDIM against training images, as published: {', '.join(train)}")
    if judged:
        parts += [f"verdicts: DDIM by its steps against DDPM in {T}", claims.RULE]
    return claims.claim(
        BY_STEPS,
        published,
        claims.fitting(_at_steps(ddim, lambda own: _mean(claims.over_trainings(own)))),
        protocol=[*parts, ddim[0]["features"], words],
        verdict=claims.verdicts(judged, judged) or "-",
        **claims.counts(ddim),
    )


def _within_a_tenth(words: str, rows: Sequence[dict], T: int) -> dict:
    """Whether DDIM in few steps is as near as DDPM in all, which changes two things at once."""
    text = f"DDIM in {FEW} steps is within a tenth of DDPM in {T}"
    return _cost(text, words, rows, BOTH, T)


def _cost(text: str, words: str, rows: Sequence[dict], name: str, T: int) -> dict:
    """The claim that one entry of `sides` decides; what is not measured says why."""
    # Find both sides, or say what is missing.
    pair = sides(rows, T)[name]
    compared = [where(rows, **side) for side in pair]
    for side, own in zip(pair, compared, strict=True):
        if why := claims.missing(own, f"{_named(side)} row of {side['steps']} steps in the sweep"):
            return claims.claim(text, protocol=words, why=why)
    # Compare them by three distances, and say what was not run.
    plus, minus = pair
    found, bare = costs(rows, T), costs(above_floor(rows), T)
    kernel = effect(name, rows, [plus], [minus], metric="kernel", relative=False)
    protocol = [
        f"calls of the network: {plus['steps']} against {minus['steps']}",
        f"of the distance above its floor: {next(x.words for x in bare if x.name == name)}",
        f"difference of the kernel distance: {kernel.words}",
        "" if where(rows, **DDIM, steps=T) else f"DDIM in {T} steps: not run",
        "its authors would object: our network is another, and smaller",
        words,
    ]
    about = dict(beside=[x for x in found if x.name != name], family=found, protocol=protocol)
    (change,) = (x for x in found if x.name == name)
    return claims.from_effects(text, [change], [*compared[0], *compared[1]], **about)


def sides(rows: Sequence[dict], T: int) -> dict[str, tuple[dict, dict]]:
    """What steps and eta each do: words -> entries of both sides, the second one taken as 1.

    DDIM in few steps against DDPM in T changes both.  They are told apart by DDIM in T steps; where
    no row has it, in the most steps above FEW that DDIM and DDPM both have.
    """
    ddim, ddpm = ({row["steps"] for row in where(rows, **kind)} for kind in (DDIM, DDPM))
    most = T if T in ddim else max((n for n in ddim & ddpm if n > FEW), default=T)
    return {
        BOTH: (DDIM | {"steps": FEW}, DDPM | {"steps": T}),
        STEPS: (DDIM | {"steps": FEW}, DDIM | {"steps": most}),
        ETA: (DDIM | {"steps": most}, DDPM | {"steps": most}),
        REST: (DDPM | {"steps": FEW}, DDPM | {"steps": T}),
    }


def costs(rows: Sequence[dict], T: int) -> list[Effect]:
    """The effects of `sides` on the distance to held-out images."""
    return [
        effect(words, rows, [plus], [minus], by=_against(plus, minus))
        for words, (plus, minus) in sides(rows, T).items()
    ]


def costs_table(rows: Sequence[dict], T: int) -> str:
    """What fewer steps cost, and what eta, each alone: a small text table, verdicts after Holm."""
    found, bare = costs(rows, T), costs(above_floor(rows), T)
    lines = [("cost of", "compared", "change (95 % interval)", "above floor", "verdict")]
    for x, above, verdict in zip(found, bare, held(found), strict=True):
        lines.append((x.name, x.by, x.words, above.words.partition(" ")[0], verdict))
    return aligned(lines)


def _named(side: dict) -> str:
    return "DDPM" if side["eta"] else "DDIM"


def _against(plus: dict, minus: dict) -> str:
    return " / ".join(f"{_named(side)}-{side['steps']}" for side in (plus, minus))
