"""Effects and contrasts of lesson 04's trial against a fit, SciPy, and arithmetic by hand."""

import math
from statistics import fmean

import numpy as np
import pytest
from edm_rows import EDM_ARMS, WALKS, named, noisy, phi, row, trial
from scipy import stats

from diffutils.course import edm_effects, edm_trial
from diffutils.course.edm_arms import ARMS


@pytest.mark.parametrize("solver", ["Euler", "Heun"])
def test_effects_are_those_of_a_least_squares_fit(solver):
    """Of the saturated model, with -1/2 for EDM and 1/2 for phi in each slot."""
    log_distance = noisy()
    found = edm_effects.effects(list(trial(log_distance)))
    cells = [
        (arm, walk) for arm in EDM_ARMS[:4] for walk in WALKS if walk.startswith(solver)
    ]  # fmt: skip
    d, e, g = np.array([phi(*cell) for cell in cells], dtype=float).T - 0.5
    design = np.stack([np.ones(8), d, e, g, d * e, d * g, e * g, d * e * g], 1)
    names = ("density", "embedding", "grid", "density x embedding", "density x grid",
             "embedding x grid")  # fmt: skip
    for k in range(3):
        y = np.array([log_distance(*cell, k) for cell in cells])
        fitted = np.linalg.lstsq(design, y, rcond=None)[0]
        for name, value in zip(names, fitted[1:7], strict=True):
            assert named(found, name, solver).runs[k] == pytest.approx(value)
    assert [x.name for x in found] == [name for name in names for _ in "EH"]


def test_statistics_are_scipys():
    x = named(edm_effects.effects(list(trial(noisy()))), "grid")
    values = [*x.runs.values()]
    test = stats.ttest_1samp(values, 0)
    assert (x.low, x.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert (x.low90, x.high90) == pytest.approx(tuple(test.confidence_interval(0.9)))
    assert (x.mean, x.std) == pytest.approx((np.mean(values), np.std(values, ddof=1)))
    # t of two degrees of freedom: 4.30265 at .975, 1.06066 at .8
    assert x.detectable == pytest.approx((4.30265 + 1.06066) * x.std / 3**0.5, rel=1e-5)


def test_effects_that_are_put_in_come_out():
    def log_distance(arm, walk, k):
        d, e, g = phi(arm, walk)
        return 0.7 * k + 0.2 * d - 0.1 * e + 0.4 * g * walk.startswith("Heun") + 0.3 * d * g

    found = edm_effects.effects(list(trial(log_distance)))
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

    found = edm_effects.contrasts(list(trial(log_distance)))
    means = {x.name: x.mean for x in found if x.solver == "Euler"}
    assert means == pytest.approx({
        "lambda' / EDM": 0.4, "lambda' / phi density": 0.3, "EDM without lambda / EDM": 0.5,
        "SSIMBaD / phi both": 0.3, "SSIMBaD, its grid / EDM, its grid": 0.65,
        "EDM, its grid / DDPM, eta 0": -0.7, "EDM, its grid / DDPM, eta 1": -1.7,
    })  # fmt: skip
    assert named(found, "EDM, its grid / DDPM, eta 0").verdict == "EDM better"
    assert named(found, "EDM without lambda / EDM").verdict == "lambda better"
    assert named(found, "lambda' / phi density").verdict == "phi density better"


VERDICTS = {  # changes of three trainings, by hand: 95 % is 2.484 std to each side, 90 % 1.686
    "phi better": (-0.30, -0.29, -0.31), "EDM better": (0.30, 0.29, 0.31),
    "equivalent within a tenth": (0.0, 0.02, -0.02), "cannot be told": (0.2, 0.0, -0.2),
}  # fmt: skip


@pytest.mark.parametrize("words, changes", VERDICTS.items(), ids=VERDICTS)
def test_verdicts(words, changes):
    rows = list(trial(lambda arm, walk, k: changes[k] * walk.endswith("phi")))
    assert named(edm_effects.effects(rows), "grid").verdict == words


@pytest.mark.parametrize("middle, words", [
    (0.06, "equivalent within a tenth"),  # surely farther, but surely by less than a tenth
    (0.0936, "EDM better"), (0.0787, "EDM better"), (0.0782, "equivalent within a tenth"),
])  # fmt: skip
def test_a_small_difference_is_equivalent(middle, words):
    """log 1.1 = 0.0953; the 90 % interval of std 0.01 is 0.0169 to each side."""
    changes = (middle - 0.01, middle, middle + 0.01)
    rows = list(trial(lambda arm, walk, k: changes[k] * walk.endswith("phi")))
    assert named(edm_effects.effects(rows), "grid").verdict == words


@pytest.mark.parametrize("slope, words", [
    (-0.3, "better together"), (0.3, "worse together"), (0.0, "independent within a tenth"),
])  # fmt: skip
def test_verdicts_on_interactions(slope, words):
    rows = list(trial(lambda arm, walk, k: slope * phi(arm, walk)[0] * phi(arm, walk)[2] + k))
    assert named(edm_effects.effects(rows), "density x grid").verdict == words


@pytest.mark.parametrize("k", [3, 5])
def test_the_detectable_difference_is_found_four_times_in_five(k):
    """The formula with the true std: 1000 experiments whose effect is just that."""
    random = np.random.default_rng(0)
    quantiles = stats.t.ppf(0.975, k - 1) + stats.t.ppf(0.8, k - 1)
    found, detectable = 0, []
    for _ in range(1000):
        values = quantiles / k**0.5 + random.standard_normal(k)
        x = edm_effects._statistics(list(values), ("phi", "EDM", "same"))
        detectable.append(x[6] ** 2)
        found += x[7] == "EDM"
    assert 0.75 < found / 1000 < 0.85
    assert fmean(detectable) ** 0.5 == pytest.approx(quantiles / k**0.5, rel=0.05)  # E s^2 = 1


def test_sampling_seeds_of_a_training_are_averaged():
    rows = list(trial(lambda arm, walk, k: 0.1 * walk.endswith("phi")))
    more = [r | {"seed": 9, "frechet": 100 * math.exp(0.3 * r["sampler"].endswith("phi"))}
            for r in rows if r["training"] == 1]  # fmt: skip
    x = named(edm_effects.effects([*rows, *more]), "grid")
    assert x.runs == pytest.approx({0: 0.1, 1: 0.2, 2: 0.1})


# ------------------------------------------------------------------- what is missing


def test_incomplete_trainings_are_left_out_and_said():
    rows = [r for r in trial() if (r["arm"], r["training"], r["sampler"])
            != ("phi both", 1, "Heun, phi")]  # fmt: skip
    rows = [r | {"frechet": math.nan} if (r["arm"], r["training"]) == ("EDM", 2) else r
            for r in rows]  # fmt: skip
    found = edm_effects.effects(rows)
    x = named(found, "density")
    assert [*x.runs] == [0] and x.verdict == "one training: no interval"
    assert math.isnan(x.low) and math.isnan(x.detectable) and x.mean == 0
    assert x.why() == (
        "left out training 1: no row of phi both by Heun, phi; "
        "left out training 2: the distance of EDM by Heun, EDM is nan or not above 0"
    )
    assert [*named(found, "density", "Euler").runs] == [0, 1]
    assert x.why() in edm_trial.effects_table(found)
    moved = [r | {"seed": 7} if r["arm"] == "EDM" else r for r in trial()]
    assert "different sampling seeds" in named(edm_effects.effects(moved), "grid").why()


def test_a_kernel_distance_below_zero_has_no_log():
    rows = [r | {"kernel": -1.0 if r["training"] == 0 else 2.0} for r in trial()]
    assert [*named(edm_effects.effects(rows, "kernel"), "grid").runs] == [1, 2]


def test_missing_arms_leave_all_not_run():
    rows = list(trial(arms=("EDM", "SSIMBaD")))
    assert {x.verdict for x in edm_effects.effects(rows)} == {"not run"}
    found = edm_effects.contrasts(rows)
    run = {x.name for x in found if x.runs}
    assert run == {"SSIMBaD, its grid / EDM, its grid"}
    assert "was not run" in edm_trial.verdict(edm_effects.effects(rows))
    assert {x.verdict for x in edm_effects.effects([])} == {"not run"}


@pytest.mark.parametrize("change, words", [
    ({"N": 200}, "N = 200, 800"), ({"nfe": 35.0}, "several network evaluations .* 19.0, 35.0"),
    ({"features": "others"}, "several features"), ({}, "two rows of arm EDM, Heun, EDM"),
])  # fmt: skip
def test_rows_that_do_not_compare_are_refused(change, words):
    with pytest.raises(ValueError, match=words):
        edm_effects.effects([*trial(), row() | change])
