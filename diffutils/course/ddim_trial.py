"""The published DDIM experiment on trial: its FID, and its claim that fewer steps are enough."""

from collections.abc import Callable, Sequence
from statistics import mean, stdev
from types import SimpleNamespace

from torch import Tensor

from diffutils import feature_spaces, metrics
from diffutils.course.evaluate import generate
from diffutils.course.lesson import best_device
from diffutils.course.sweep import features_of
from diffutils.course.sweep_chart import one_count, ratio
from diffutils.data import ImageSet

# ArenGolazizian, commit bd33cfc, notebooks/Diffusion-sprites.ipynb
PUBLISHED_FID = "31.997"
PUBLISHED_N = 3_000
PUBLISHED_DATA = "sprites-dlai"
FID_CLAIM = "FID of 3,000 DDPM samples, 1000 steps, against {} images"
DDIM_CLAIM = "DDIM draws as well in fewer steps (distance to held-out / floor)"


def sprites_trial(
    dataset: str,
    models: Sequence[SimpleNamespace],
    data: ImageSet,
    rows: Sequence[dict],
    budget,
    seed: int,
) -> list[dict]:
    """The claims of the published sprites experiment: rows for `lesson.claim(**row)`.

    models, data: of `networks`.  rows: of `sweep`, each with the index of its model as "training"
    (0 where that is missing).  budget.fid: whether to draw the images of the FID, by all steps.
    What cannot be measured has no entry "measured", and its protocol says why.
    Raises: ValueError for rows of several N.
    """
    words = f"data set {dataset}" + ("" if dataset == PUBLISHED_DATA else ", not the published one")
    return [
        *_fid_rows(words, models, data, budget, seed),
        _all_steps_row(words, rows, models[0].schedule.T),
        _fewer_steps_row(words, rows),
    ]


# ------------------------------------------------------------------- the FID


def _fid_rows(words: str, models, data: ImageSet, budget, seed: int) -> list[dict]:
    """The FID of each model against training and against held-out images."""
    claims = [
        {"claim": FID_CLAIM.format("training"), "published": PUBLISHED_FID},
        {"claim": FID_CLAIM.format("held-out")},
    ]
    n = min(PUBLISHED_N, len(data.train), len(data.heldout))
    why, space = _fid_space(budget, data, n)
    if why:
        return [row | {"protocol": f"{why}; {words}"} for row in claims]

    def features(images: Tensor) -> Tensor:
        return features_of(space, images, batch=100)  # enlarged to 299 x 299: 0.1 GB

    train, heldout = features(data.train[:n]), features(data.heldout[:n])
    floor = metrics.frechet(train, heldout)
    drawn = [
        features(generate(model, n, steps=model.schedule.T, eta=1.0, seed=seed + k))
        for k, model in enumerate(models)
    ]
    protocol = (
        f"{models[0].schedule.T} steps, no class asked; the first {n:,} images of our split, in "
        f"random order; floor: training against held-out; {space.words}; {words}"
    )
    return [
        row | {
            "measured": f"{_mean_std(metrics.frechet(x, real) for x in drawn)}; floor {floor:.2f}",
            "protocol": protocol, "N": n, "seeds": _seeds(len(models), 1),
        }
        for row, real in zip(claims, (train, heldout), strict=True)
    ]  # fmt: skip


def _fid_space(budget, data: ImageSet, n: int) -> tuple[str, feature_spaces.Space | None]:
    """Why no FID can be measured, in words, and None; or "" and the space to measure it in."""
    if not budget.fid:
        return "not asked for: profiles full and published measure it, or overrides fid=True", None
    try:
        space = feature_spaces.named("inception", device=best_device())
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
    """DDPM at its most steps, against training and against held-out images."""
    rows = [row for row in _respaced(rows, 1.0) if "frechet_train" in row]
    most = max((row["steps"] for row in rows), default=T)
    how = "all steps" if most == T else f"{most} of {T} steps"
    claim = {"claim": f"DDPM, {how}: against training images / against held-out images"}
    if not rows:
        return claim | {"protocol": f"no DDPM row (eta 1) in the sweep; {words}"}
    rows = [row for row in rows if row["steps"] == most]
    train = _over_trainings(rows, lambda row: ratio(row, "frechet_train"))
    return claim | _about(rows) | {
        "measured": f"{train} / {_over_trainings(rows, ratio)} times the floor",
        "protocol": f"Fréchet distances, floor: training against held-out; {rows[0]['features']}; "
        f"{words}",
    }  # fmt: skip


def _fewer_steps_row(words: str, rows: Sequence[dict]) -> dict:
    """DDIM's distance by steps; in the protocol that of DDPM at its most steps."""
    claim = {"claim": DDIM_CLAIM, "published": "claimed, but all 1000 steps were run"}
    ddim, ddpm = _respaced(rows, 0.0), _respaced(rows, 1.0)
    if not ddim:
        return claim | {"protocol": f"no DDIM row (eta 0) in the sweep; {words}"}
    against = f"; DDPM: {_by_steps(ddpm)}" if ddpm else ""
    if all("frechet_train" in row for row in ddim):
        as_published = _by_steps(ddim, lambda row: ratio(row, "frechet_train"))
        against += f"; DDIM against training images, as published: {as_published}"
    return claim | _about(ddim) | {
        "measured": _by_steps(ddim),
        "protocol": f"steps: ratio{against}; {ddim[0]['features']}; {words}",
    }  # fmt: skip


def _respaced(rows: Sequence[dict], eta: float) -> list[dict]:
    return [row for row in rows if row["sampler"] == "respaced" and row["eta"] == eta]


def _by_steps(rows: list[dict], value: Callable[[dict], float] = ratio) -> str:
    """The ratio to the floor at each number of steps: "10: 9.1, 20: 6.0"."""
    counts = sorted({row["steps"] for row in rows})
    found = (_over_trainings([row for row in rows if row["steps"] == n], value) for n in counts)
    return ", ".join(f"{n}: {value}" for n, value in zip(counts, found, strict=True))


def _about(rows: list[dict]) -> dict:
    trainings, seeds = {_training(row) for row in rows}, {row["seed"] for row in rows}
    return {"N": one_count(rows), "seeds": _seeds(len(trainings), len(seeds))}


def _seeds(trainings: int, samplings: int) -> str:
    return f"{trainings} training, {samplings} sampling"


def _training(row: dict) -> int:
    return row.get("training", 0)


def _over_trainings(rows: list[dict], value: Callable[[dict], float]) -> str:
    """Each training's mean over its rows (sampling seeds); their mean, and std where several."""
    trainings = sorted({_training(row) for row in rows})
    means = (mean(value(row) for row in rows if _training(row) == k) for k in trainings)
    return _mean_std(means, 1)


def _mean_std(values, digits: int = 2) -> str:
    values = list(values)
    spread = f" (std {stdev(values):.{digits}f})" if len(values) > 1 else ""
    return f"{mean(values):.{digits}f}{spread}"
