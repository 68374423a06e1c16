"""Lesson 04's trial in words: tables, verdict, and rows of the claim table."""

import math

import pytest
from edm_rows import TRAINED, named, noisy, phi, row, trial

from diffutils.course.experiments import effects, sweep
from diffutils.course.experiments import rows as rows_
from diffutils.course.lesson import COLUMNS
from diffutils.lessons.lesson04 import arms
from diffutils.lessons.lesson04 import claims as edm_trial
from diffutils.weights import cards, models


def test_table():
    rows = list(trial(lambda arm, walk, k: 0.0, trainings=(0,), arms=("EDM", "DDPM")))
    rows += [row("EDM", "Heun, phi", 300.0, 1)]
    header, _, edm, ddpm = edm_trial.table(rows).splitlines()
    assert header.split("  ")[0] == "arm, mean (std) over trainings"
    assert edm.split() == ["EDM", "10.0", "10.0", "10.0", "20.0", "(14.1)", "-", "-", "2"]
    assert ddpm.split() == ["DDPM", "-", "-", "-", "-", "10.0", "10.0", "1"]


def test_effects_table():
    lines = edm_trial.effects_table(
        effects.effects(list(trial(lambda arm, walk, k: (0.3 + k / 100) * walk.endswith("phi"))))
    ).splitlines()
    assert " ".join(lines[7].split()) == (
        # 0.31 -/+ 0.024842, -/+ 0.016859, and 5.653489 * 0.01 / 3^0.5 = 0.032640
        "grid Heun 3 +36.3 +33.0 to +39.8 +34.1 to +38.7 3.3 EDM better"
    )
    single = edm_trial.effects_table(effects.effects(list(trial(trainings=(0,)))))
    assert " ".join(single.splitlines()[2].split()) == (
        "density Euler 1 +0.0 - - - one training: no interval"
    )


def test_the_verdict_is_one_sentence():
    def log_distance(arm, walk, k):
        d, e, g = phi(arm, walk)
        heun = walk.startswith("Heun")
        return -0.3 * d + (k - 1) * 0.2 * e + 0.3 * g * heun + 0.01 * k * d

    said = edm_trial.verdict(effects.effects(list(trial(log_distance))))
    assert "\n" not in said and "nan" not in said
    assert said.startswith(
        "Of the three places where phi* stands in for EDM's coordinate, the "
        "training density changed the distance by -25.2% ("
    )
    assert said.endswith(
        ": phi* is better in the training density; EDM's coordinate is better in the sampling grid "
        "with Heun; the two are equivalent within a tenth in the sampling grid with Euler; it "
        "cannot be told for the embedding."
    )
    assert "95 % intervals over 3 trainings" in said
    single = edm_trial.verdict(effects.effects(list(trial(trainings=(4,)))))
    assert "interval over" not in single and "nan" not in single
    assert single.endswith(
        ": one training has no interval and decides nothing for the training density, the "
        "embedding, and the sampling grid."
    )


def test_the_verdict_on_small_differences():
    def log_distance(arm, walk, k):
        d, e, g = phi(arm, walk)
        return (0.05 + 0.001 * k) * d - (0.05 + 0.001 * k) * e + 0.001 * k * (1 - g)

    said = edm_trial.verdict(effects.effects(list(trial(log_distance))))
    assert said.endswith(
        ": phi* is better, by less than a tenth, in the embedding; EDM's coordinate is better, by "
        "less than a tenth, in the training density; the two are equivalent within a tenth in the "
        "sampling grid."
    )
    ends = {f"{words}{s}" for words in ("phi better", "EDM better") for s in ("", effects.SMALL)}
    assert ends < set(edm_trial.ENDS)


def claims(rows=(), edm=(), ddpm=(), **settings):
    rows, edm, ddpm = map(list, (rows, edm, ddpm))
    found = edm_trial.phi_trial("sprites", rows, edm, ddpm, **settings)
    assert all(set(r) <= set(COLUMNS) and r["claim"] and r["protocol"] for r in found)
    assert not any("nan" in r.get("measured", "") + r["protocol"] for r in found)
    return found


def test_without_rows_no_claim_is_measured():
    for r in claims():
        assert "measured" not in r and "N" not in r and "data set sprites" in r["protocol"]
    assert "no arm was trained" in claims()[0]["protocol"]
    few = claims(trial(arms=("EDM", "phi both without lambda"), trainings=(0,)))
    assert [i for i, r in enumerate(few) if "measured" in r] == [3]
    assert "no row of phi embedding;" in few[1]["protocol"]
    assert few[3]["measured"] == (
        "Euler +0.0%: one training: no interval; Heun +0.0%: one training: no interval"
    )
    assert "a hint only" in few[3]["protocol"] and "detectable" not in few[3]["protocol"]


def test_claims_on_trainings():
    found = claims(trial(noisy(std=0.02)), recorded=True)
    assert all("measured" in r and len(r["measured"]) < 150 for r in found[:7])
    for r in found[:7]:
        assert (r["N"], r["seeds"]) == (800, "3 training, 1 sampling each")
        for part in (
            "80 % power (noncentral t, at the std of these trainings): Euler ",
            "c = 0.3 and P_mean = -1.2 as published, neither fitted to these images; "
            "learning rate and gradient clipping shared by all arms; labels asked for, no "
            "guidance (scale 1)",
            "networks of 16-32 channels, 5,000 training images, batch 64, learning rate "
            "0.001, EMA 0.99",
            "clipped to [-1, 1]",
            "19 network evaluations",
            "1,000 training steps, recorded, sampled on CPU",
            "share the weights' start, batches and noise",
            "3 trainings",
        ):
            assert part in r["protocol"]
    grid = named(effects.effects(list(trial(noisy(std=0.02)))), "grid")
    low, high = math.expm1(grid.low), math.expm1(grid.high)
    assert (
        f"Heun {math.expm1(grid.mean):+.1%} ({low:+.1%} to {high:+.1%}): {grid.verdict}"
        in found[2]["measured"]
    )
    assert "without lambda / phi both by Heun" in found[5]["protocol"]
    averaged = ["averaged over the other two places, with lambda" in r["protocol"] for r in found]
    assert averaged == [True] * 3 + [False] * 7
    assert not any("SSIMBaD is" in r["claim"] or "FID" in r["published"] for r in found)


def test_what_was_trained_is_that_of_the_rows():
    about = TRAINED | {"steps": 20_000, "channels": [8], "classes": 0, "batch": 7}
    rows = [r | {"trial": about, "scale": 2.0} for r in trial()]
    said = claims(rows)[0]["protocol"]
    for part in (
        "20,000 training steps, sampled",
        "networks of 8 channels",
        "batch 7,",
        "no labels, guidance (scale 2)",
    ):
        assert part in said


# ------------------------------------------------------------------- one network, many samplers

GRIDS = {"rho = 7": 0.0, "phi*": 0.5, "log": 0.0}


def drawn(sampler, nfe, log_distance, seed, eta=0.0, **more):
    r = row(None, sampler, 100 * math.exp(log_distance), 0, seed, eta, nfe=float(nfe), **more)
    return {k: v for k, v in r.items() if k not in ("arm", "training")}


def swept(seeds=(0, 1, 2), solvers=("Euler", "Heun"), nfes=(5, 9, 99), **more):
    """phi* is farther at 5 and 9, and nearer at 99; the log grid is now nearer, now farther."""
    return [
        drawn(
            f"{solver}, {grid}",
            nfe,
            (-1 if nfe == 99 else 1) * far + (grid == "log") * (0.01, -0.02, 0.015)[seed],
            seed,
            **more,
        )
        for seed in seeds
        for solver in solvers
        for nfe in nfes
        for grid, far in GRIDS.items()
    ]


def respaced(seeds=(0, 1, 2), nfes=(5, 9, 99), **more):
    """DDIM is nearer than EDM's by a half at 5, as near at 9; DDPM is twice as far."""
    return [
        drawn(
            "respaced",
            nfe,
            math.log((0.5 if nfe == 5 else 1.0) * (1 + 3 * eta)) + (0.01, -0.02, 0.015)[seed],
            seed,
            eta,
            **more,
        )
        for seed in seeds
        for nfe in nfes
        for eta in (0.0, 1.0)
    ]


def test_nearest_grids():
    heun, euler, _ = claims(edm=swept())[7:]
    assert (
        heun["measured"] == euler["measured"] == ("5: rho = 7 or log, 9: rho = 7 or log, 99: phi*")
    )
    assert heun["claim"].startswith("Heun") and euler["claim"].startswith("Euler")
    # exp(0.5) - 1 and exp(-0.5) - 1, the same for every seed
    assert (
        "phi* against rho = 7, change of the distance: 5: +65% (+65% to +65%), "
        "9: +65% (+65% to +65%), 99: -39% (-39% to -39%);"
    ) in heun["protocol"]
    assert "95 % intervals over sampling seeds" in heun["protocol"]
    assert "one training says nothing of others" in heun["protocol"]
    assert (heun["N"], heun["seeds"]) == (800, "1 training, 3 sampling")


def test_one_sampling_seed_has_no_interval():
    heun, _, networks = claims(edm=swept(seeds=(0,)), ddpm=respaced(seeds=(0,)))[7:]
    assert heun["measured"] == "5: rho = 7, 9: rho = 7, 99: phi*"
    assert "5: +65% (no interval)" in heun["protocol"]
    assert networks["measured"].endswith("; no interval at 5, 9")


def test_several_trainings_of_the_network_are_what_counts():
    rows = [r | {"training": k} for k in (0, 1) for r in swept()]
    heun = claims(edm=rows)[7]
    assert "95 % intervals over trainings" in heun["protocol"]
    assert "says nothing of others" not in heun["protocol"]
    assert heun["seeds"] == "2 training, 3 sampling"


def test_edm_against_ddpm_at_equal_evaluations():
    r = claims(edm=swept(), ddpm=respaced())[9]
    assert r["measured"].startswith("5: +100% (") and ", 9: -0% (" in r["measured"]
    assert r["measured"].endswith("; DDPM nearer at 5; cannot be told at 9")
    assert "99" not in r["measured"]  # more than 50 evaluations
    assert "Heun, rho = 7 against eta 0: change of" in r["protocol"]
    assert "Heun, rho = 7 against eta 1: 5: -50% (" in r["protocol"]
    assert "; EDM nearer at 5, 9; Euler, rho = 7 against eta 0: 5: +100%" in r["protocol"]
    assert r["seeds"] == "1 training, 3 sampling"


def test_the_ddpm_network_on_the_grid_of_edm():
    """Equal grids: the EDM network is nearer by a third at 5, at 9 it cannot be told."""
    walked = [
        drawn(
            "DDPM network: Heun, rho = 7",
            nfe,
            math.log(1.5 if nfe == 5 else 1.0) + (0.01, -0.02, 0.015)[seed],
            seed,
        )
        for seed in (0, 1, 2)
        for nfe in (5, 9, 99)
    ]
    r = claims(edm=swept(), ddpm=respaced() + walked)[9]
    assert r["measured"] == claims(edm=swept(), ddpm=respaced())[9]["measured"]
    name = "Heun, rho = 7 against the DDPM network on the same grid: "
    assert r["protocol"].count("on the same grid") == 1  # not for Euler
    found = r["protocol"].partition(name)[2].partition("; Euler")[0]
    assert found.startswith("5: -33% (") and ", 9: -0% (" in found and "99" not in found
    assert found.endswith("; EDM nearer at 5; cannot be told at 9")


@pytest.mark.parametrize(
    "change, why",
    [
        ({"N": 5000}, "rows of several N do not compare: 800, 5000"),
        ({"features": "pixels"}, "rows of several features do not compare"),
        (
            {"frechet_floor": 12.0},
            "several sets of reference images do not compare: floors 10.00 to",
        ),
        ({"frechet": math.nan}, "800 images are too few for distances on some features"),
        ({"nfe": 20.0}, "no rows of both networks at an equal number of evaluations"),
    ],
)
def test_networks_that_do_not_compare_are_not_run(change, why):
    ddpm = [r | change for r in respaced()]
    r = claims(edm=swept(), ddpm=ddpm)[9]
    assert "measured" not in r and why in r["protocol"]


def test_a_solver_that_is_not_there_is_not_run():
    heun, euler, networks = claims(edm=swept(solvers=("Heun",)), ddpm=respaced())[7:]
    assert "measured" in heun and "measured" in networks and "Euler" not in networks["protocol"]
    assert "measured" not in euler and "no row of Euler in the sweep" in euler["protocol"]


def test_the_recorded_trial_is_whole():
    """Every arm at three trainings, each EDM arm on both grids by both solvers, equal calls."""
    rows = rows_.read(cards.PRETRAINED / "sprites-edm.trial.jsonl", "fetch it again")
    cells = {(r["arm"], r["training"], r["sampler"], r["eta"]) for r in rows}
    assert len(cells) == len(rows) == (len(arms.ARMS) - 1) * 3 * 4 + 3 * 2
    assert {r["arm"] for r in rows} == set(arms.ARMS)
    assert {r["nfe"] for r in rows} == {19} and len({r["frechet_floor"] for r in rows}) == 1
    found = [*effects.effects(rows), *effects.contrasts(rows)]
    assert all(len(x.runs) == 3 and not x.left_out for x in found)


def test_the_recorded_sweep_compares_networks_at_equal_calls():
    """Rows of both shipped networks, on one set of reference images; nothing is left out."""
    edm = sweep.recorded(models.pretrained("sprites-edm"))
    ddpm = sweep.recorded(models.pretrained("sprites"), beside="sprites-edm")
    assert edm and ddpm and len({r["frechet_floor"] for r in (*edm, *ddpm)}) == 1
    *_, heun, euler, networks = edm_trial.phi_trial("sprites", [], edm, ddpm)
    assert all("measured" in claim for claim in (heun, euler, networks))
    for nfe in (5, 9, 19, 35):
        assert f"{nfe}: " in networks["measured"]
    assert "the DDPM network on the same grid" in networks["protocol"]
