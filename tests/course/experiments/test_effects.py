"""Effects and contrasts of lesson 04's trial against a fit, SciPy, and arithmetic by hand."""

import math
from statistics import fmean

import numpy as np
import pytest
from edm_rows import EDM_ARMS, TRAINED, WALKS, named, noisy, phi, row, trial
from scipy import stats

from diffutils.course.experiments import effects
from diffutils.lessons.lesson04 import claims
from diffutils.lessons.lesson04.arms import ARMS


@pytest.mark.parametrize("solver", ["Euler", "Heun"])
def test_effects_are_those_of_a_least_squares_fit(solver):
    """Of the saturated model, with -1/2 for EDM and 1/2 for phi in each slot."""
    log_distance = noisy()
    found = effects.effects(list(trial(log_distance)))
    cells = [(arm, walk) for arm in EDM_ARMS[:4] for walk in WALKS if walk.startswith(solver)]
    d, e, g = np.array([phi(*cell) for cell in cells], dtype=float).T - 0.5
    design = np.stack([np.ones(8), d, e, g, d * e, d * g, e * g, d * e * g], 1)
    names = (
        "density",
        "embedding",
        "grid",
        "density x embedding",
        "density x grid",
        "embedding x grid",
    )
    for k in range(3):
        y = np.array([log_distance(*cell, k) for cell in cells])
        fitted = np.linalg.lstsq(design, y, rcond=None)[0]
        for name, value in zip(names, fitted[1:7], strict=True):
            assert named(found, name, solver).runs[k] == pytest.approx(value)
    assert [x.name for x in found] == [name for name in names for _ in "EH"]


def test_statistics_are_scipys():
    x = named(effects.effects(list(trial(noisy()))), "grid")
    values = [*x.runs.values()]
    test = stats.ttest_1samp(values, 0)
    assert (x.low, x.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert (x.low90, x.high90) == pytest.approx(tuple(test.confidence_interval(0.9)))
    assert (x.mean, x.std) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    assert x.detectable == pytest.approx(5.653489 * x.std / 3**0.5, rel=1e-6)


def test_effects_that_are_put_in_come_out():
    def log_distance(arm, walk, k):
        d, e, g = phi(arm, walk)
        return 0.7 * k + 0.2 * d - 0.1 * e + 0.4 * g * walk.startswith("Heun") + 0.3 * d * g

    found = effects.effects(list(trial(log_distance)))
    means = {(x.name, x.solver): x.mean for x in found}
    assert means["density", "Euler"] == pytest.approx(0.35)  # 0.2, and 0.3 on one of two grids
    assert means["embedding", "Heun"] == pytest.approx(-0.1)
    assert means["grid", "Euler"] == pytest.approx(0.15)
    assert means["grid", "Heun"] == pytest.approx(0.55)
    assert means["density x grid", "Heun"] == pytest.approx(0.3)
    assert means["density x embedding", "Heun"] == pytest.approx(0, abs=1e-12)


def test_contrasts():
    values = {arm: i / 10 for i, arm in enumerate(ARMS)}

    def log_distance(arm, walk, k):
        return values[arm] + 0.05 * walk.endswith("phi") + (walk == "eta 1")

    found = effects.contrasts(list(trial(log_distance)))
    means = {x.name: x.mean for x in found if x.solver == "Euler"}
    assert means == pytest.approx(
        {
            "lambda' / EDM": 0.4,
            "lambda' / phi density": 0.3,
            "without lambda / EDM": 0.5,
            "without lambda / phi both": 0.3,
            "all of phi* / EDM, own grids": 0.65,
            "EDM / DDPM eta 0, own grids": -0.7,
            "EDM / DDPM eta 1, own grids": -1.7,
        }
    )
    assert named(found, "EDM / DDPM eta 0, own grids").verdict == "EDM better"
    assert named(found, "without lambda / EDM").verdict == "lambda better"
    assert named(found, "lambda' / phi density").verdict == "phi density better"


VERDICTS = {  # changes of three trainings, by hand: 95 % is 2.484 std to each side, 90 % 1.686
    "phi better": (-0.30, -0.29, -0.31),
    "EDM better": (0.30, 0.29, 0.31),
    "equivalent within a tenth": (0.0, 0.02, -0.02),
    "cannot be told": (0.2, 0.0, -0.2),
}


@pytest.mark.parametrize("words, changes", VERDICTS.items(), ids=VERDICTS)
def test_verdicts(words, changes):
    rows = list(trial(lambda arm, walk, k: changes[k] * walk.endswith("phi")))
    assert named(effects.effects(rows), "grid").verdict == words


@pytest.mark.parametrize(
    "middle, words",
    [
        (0.06, "EDM better, by less than a tenth"),
        (-0.06, "phi better, by less than a tenth"),
        (0.0936, "EDM better"),
        (0.0787, "EDM better"),
        (0.0782, "EDM better, by less than a tenth"),
        (0.0249, "EDM better, by less than a tenth"),
        (0.0248, "equivalent within a tenth"),
        (-0.0248, "equivalent within a tenth"),
    ],
)
def test_a_small_difference_is_said_to_be_small(middle, words):
    """log 1.1 = 0.0953; of std 0.01 the 90 % interval is 0.0169 to each side, the 95 % 0.02484."""
    changes = (middle - 0.01, middle, middle + 0.01)
    rows = list(trial(lambda arm, walk, k: changes[k] * walk.endswith("phi")))
    assert named(effects.effects(rows), "grid").verdict == words


@pytest.mark.parametrize(
    "changes, words",
    [
        ((0.0, 0.001), "cannot be told"),
        ((-0.001, 0.001), "cannot be told"),
        ((0.06, 0.061), "EDM better"),
        ((-0.5, -0.51), "phi better"),
    ],
)
def test_two_trainings_are_never_equivalent(changes, words):
    rows = list(trial(lambda arm, walk, k: changes[k] * walk.endswith("phi"), trainings=(0, 1)))
    assert named(effects.effects(rows), "grid").verdict == words


@pytest.mark.parametrize(
    "slope, words",
    [
        (0.05, "worse together, by less than a tenth"),
        (-0.3, "better together"),
        (0.3, "worse together"),
        (0.0, "independent within a tenth"),
    ],
)
def test_verdicts_on_interactions(slope, words):
    rows = list(trial(lambda arm, walk, k: slope * phi(arm, walk)[0] * phi(arm, walk)[2] + k))
    assert named(effects.effects(rows), "density x grid").verdict == words


@pytest.mark.parametrize("k", [2, 3, 5])
def test_the_detectable_difference_is_found_four_times_in_five(k):
    """With the true std: 40,000 experiments whose effect is just that; their std is 0.2 %."""
    errors = effects._detectable(k)
    values = errors / k**0.5 + np.random.default_rng(0).standard_normal((40_000, k))
    p = stats.ttest_1samp(values, 0, axis=1).pvalue
    assert np.mean(p < 0.05) == pytest.approx(0.8, abs=0.008)
    words = ("phi", "EDM", "same")
    found = [effects._statistics(v.tolist(), words) for v in values[:300]]
    assert [x[7].startswith("EDM") for x in found] == [*(p[:300] < 0.05)]
    assert fmean(x[6] ** 2 for x in found) ** 0.5 == pytest.approx(errors / k**0.5, rel=0.1)


@pytest.mark.parametrize("df, errors", [(1, 16.334), (2, 5.6535), (3, 4.2559), (4, 3.7611)])
def test_the_detectable_difference_is_that_of_the_noncentral_t(df, errors):
    found, critical = effects._detectable(df + 1), stats.t.ppf(0.975, df)
    assert found == pytest.approx(errors, rel=1e-4)
    power = stats.nct.sf(critical, df, found) + stats.nct.cdf(-critical, df, found)
    assert power == pytest.approx(0.8, abs=1e-9)
    # of many trainings it is the normal distribution's 1.96 + 0.84
    assert effects._detectable(10_000) == pytest.approx(2.8016, abs=1e-3)


def test_sampling_seeds_of_a_training_are_averaged():
    rows = list(trial(lambda arm, walk, k: 0.1 * walk.endswith("phi")))
    more = [
        r | {"seed": 9, "frechet": 100 * math.exp(0.3 * r["sampler"].endswith("phi"))}
        for r in rows
        if r["training"] == 1
    ]
    x = named(effects.effects([*rows, *more]), "grid")
    assert x.runs == pytest.approx({0: 0.1, 1: 0.2, 2: 0.1})


# ------------------------------------------------------------------- what is missing


def test_incomplete_trainings_are_left_out_and_said():
    rows = [
        r
        for r in trial()
        if (r["arm"], r["training"], r["sampler"]) != ("phi both", 1, "Heun, phi")
    ]
    rows = [
        r | {"frechet": math.nan} if (r["arm"], r["training"]) == ("EDM", 2) else r for r in rows
    ]
    found = effects.effects(rows)
    x = named(found, "density")
    assert [*x.runs] == [0] and x.verdict == "one training: no interval"
    assert math.isnan(x.low) and math.isnan(x.detectable) and x.mean == 0
    assert x.why() == (
        "left out training 1: no row of phi both by Heun, phi; "
        "left out training 2: the distance of EDM by Heun, EDM is nan or not above 0"
    )
    assert [*named(found, "density", "Euler").runs] == [0, 1]
    assert x.why() in claims.effects_table(found)
    moved = [r | {"seed": 7} if r["arm"] == "EDM" else r for r in trial()]
    assert "different sampling seeds" in named(effects.effects(moved), "grid").why()


def test_a_kernel_distance_below_zero_has_no_log():
    rows = [r | {"kernel": -1.0 if r["training"] == 0 else 2.0} for r in trial()]
    assert [*named(effects.effects(rows, "kernel"), "grid").runs] == [1, 2]


def test_missing_arms_leave_all_not_run():
    rows = list(trial(arms=("EDM", "phi both without lambda")))
    assert {x.verdict for x in effects.effects(rows)} == {"not run"}
    found = effects.contrasts(rows)
    run = {x.name for x in found if x.runs}
    assert run == {"all of phi* / EDM, own grids"}
    assert "was not run" in claims.verdict(effects.effects(rows))
    assert {x.verdict for x in effects.effects([])} == {"not run"}


@pytest.mark.parametrize(
    "change, words",
    [
        ({"N": 200}, "N = 200, 800"),
        ({"nfe": 35.0}, "several network evaluations .* 19.0, 35.0"),
        ({"features": "others"}, "several features"),
        ({"trial": TRAINED | {"steps": 9}}, "trainings with several steps, 1000, 9"),
        ({"trial": TRAINED | {"channels": [8]}}, "trainings with several channels"),
        ({}, "two rows of arm EDM, Heun, EDM"),
    ],
)
def test_rows_that_do_not_compare_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        effects.effects([*trial(), row() | change])
