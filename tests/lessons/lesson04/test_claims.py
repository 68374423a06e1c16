"""Lesson 04's trial in words: tables, verdict, and rows of the claim table."""

import math

import pytest
from edm_rows import TRAINED, named, noisy, phi, row, trial

from diffutils.course.experiments import rows as rows_
from diffutils.course.experiments import sweep
from diffutils.course.tables import claim_table
from diffutils.lessons.lesson04 import claims as lesson04
from diffutils.lessons.lesson04.systems import arms
from diffutils.weights import cards, models


def test_table():
    rows = list(trial(lambda arm, walk, k: 0.0, trainings=(0,), arms=("EDM", "DDPM")))
    rows += [row("EDM", "Heun, phi", 300.0, 1)]
    header, _, edm, ddpm = lesson04.table(rows).splitlines()
    assert header.split("  ")[0] == "arm" and "Heun, phi" in header and "eta 1" in header
    assert edm.split() == ["EDM", "10.0", "10.0", "10.0", "20.0", "-", "-", "2"]
    assert ddpm.split() == ["DDPM", "-", "-", "-", "-", "10.0", "10.0", "1"]


def test_effects_that_are_put_in_come_out():
    def log_distance(arm, walk, k):
        d, e, g = phi(arm, walk)
        return 0.7 * k + 0.2 * d - 0.1 * e + 0.4 * g * walk.startswith("Heun") + 0.3 * d * g

    found = lesson04.places(list(trial(log_distance)))
    means = {(x.name, x.by): x.interval().mean for x in found}
    assert means["density", "Euler"] == pytest.approx(0.35)  # 0.2, and 0.3 on one of two grids
    assert means["embedding", "Heun"] == pytest.approx(-0.1)
    assert means["grid", "Euler"] == pytest.approx(0.15)
    assert means["grid", "Heun"] == pytest.approx(0.55)
    assert means["density x grid", "Heun"] == pytest.approx(0.3)
    assert means["density x embedding", "Heun"] == pytest.approx(0, abs=1e-12)


def test_single_comparisons():
    values = {arm: i / 10 for i, arm in enumerate(arms.ARMS)}

    def log_distance(arm, walk, k):
        return values[arm] + 0.05 * ("phi" in walk) + (walk == "eta 1")

    found = lesson04.single(list(trial(log_distance)))
    means = {x.name: x.interval().mean for x in found if x.by == "Euler"}
    assert means == pytest.approx(
        {
            "lambda' / EDM": 0.5,
            "lambda' / phi density": 0.4,
            "unscaled / EDM": 0.3,
            "unscaled / phi embedding": 0.1,
            "without lambda / EDM": 0.6,
            "without lambda / phi both": 0.3,
            "all of phi* / EDM, own grids": 0.75,
            "fitted / EDM": 0.8,
            "fitted grid / EDM's, fitted": 0.05,
            "all fitted / EDM, own grids": 0.95,
            "EDM / DDPM eta 0, own grids": -1.0,
            "EDM / DDPM eta 1, own grids": -2.0,
        }
    )
    assert named(found, "EDM / DDPM eta 0, own grids").verdict == "nearer"
    assert named(found, "without lambda / EDM").verdict == "farther"


def test_every_arm_and_every_effect_of_the_tables_exists():
    assert {arm for arm, _ in lesson04.CELLS} < set(arms.ARMS)
    assert {arm for arm, _, other, _ in lesson04.SINGLE.values()} < set(arms.ARMS)
    names = {*lesson04.PLACES, *lesson04.SINGLE, None}
    assert {name for claim in lesson04.CLAIMS for name in claim[2:]} <= names
    for name, signs in lesson04.PLACES.items():
        placed = dict(zip(("density", "embedding", "grid"), (0, 1, 2), strict=True))
        for cell, sign in zip(lesson04.CELLS, signs, strict=True):
            assert sign == math.prod(2 * phi(*cell)[placed[x]] - 1 for x in name.split(" x "))


def claims(rows=(), edm=(), ddpm=(), **settings):
    found = lesson04.phi_trial("sprites", *map(list, (rows, edm, ddpm)), **settings)
    assert len(found) == 13 and all("data set sprites" in r["protocol"] for r in found)
    assert "nan" not in claim_table(found)
    return found


def said(r):
    """The protocol as one text."""
    return "; ".join(r["protocol"])


def test_without_rows_no_claim_is_measured():
    for r in claims():
        assert (r["measured"], r["N"], r["verdict"]) == ("not run", "-", "-") and r["why"]
    few = claims(trial(arms=("EDM", "phi both without lambda"), trainings=(0,)))
    assert [i for i, r in enumerate(few) if r["measured"] != "not run"] == [4]
    assert few[1]["why"] == "no row of arm = phi embedding, sampler = Euler, EDM"
    assert few[4]["measured"] == "Euler: +0.0%, Heun: +0.0%"
    assert few[4]["verdict"] == "one run: no interval (Euler, Heun)"


def test_claims_on_trainings():
    found = claims(trial(noisy(std=0.02)), recorded=True)
    for i, r in enumerate(found[:10]):
        assert (r["N"], r["seeds"]) == ("800", "3 training, 1 sampling each")
        for part in (
            "c = 0.3 and P_mean = -1.2 as published, neither fitted to these images; arms",
            "fitted have c = 1.07, the best on 20 sprites",
            "learning rate and gradient clipping shared by all arms; labels asked for, no guidance "
            "(scale 1)",
            "networks of 16-32 channels, 5,000 training images, batch 64, learning rate "
            "0.001, EMA 0.99",
            "clipped to [-1, 1]",
            "19 network evaluations, both grids from sigma = 80, which was not varied",
            "1,000 training steps, recorded; sampled on CPU",
            "share the weights' start, batches and noise",
            "95 % intervals over 3 trainings",
            f"after Holm's correction over {10 if i in (2, 5, 6) else 26} comparisons",
        ):
            assert part in said(r)
    grid = named(lesson04.places(list(trial(noisy(std=0.02)))), "grid")
    assert f"Heun: {grid.words}" in found[3]["measured"]
    assert f"{grid.verdict} (" in found[3]["verdict"]
    assert "without lambda / phi both, Heun: " in said(found[8])
    assert all("of distances above their floor: Euler " in said(r) for r in found[:10])
    averaged = ["averaged over the other two, with lambda" in said(r) for r in found]
    assert averaged == [True] * 10 + [False] * 3
    assert not any("SSIMBaD is" in r["claim"] or "FID" in r["published"] for r in found)


def test_what_was_trained_is_that_of_the_rows():
    about = TRAINED | {"steps": 20_000, "channels": [8], "classes": 0, "batch": 7}
    rows = [r | {"trial": about, "scale": 2.0} for r in trial()]
    protocol = said(claims(rows)[0])
    for part in (
        "20,000 training steps; sampled",
        "networks of 8 channels",
        "batch 7,",
        "no labels, guidance (scale 2)",
    ):
        assert part in protocol


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


def test_phi_against_rho_by_evaluations():
    heun, euler, _ = claims(edm=swept())[-3:]
    # exp(0.5) - 1 and exp(-0.5) - 1, the same for every seed
    assert (
        heun["measured"]
        == euler["measured"]
        == ("5: +65% (+65% to +65%), 9: +65% (+65% to +65%), 99: -39% (-39% to -39%)")
    )
    assert heun["verdict"] == euler["verdict"] == "farther (5, 9); nearer (99)"
    assert heun["claim"].startswith("Heun") and euler["claim"].startswith("Euler")
    assert "Heun, log, 9: +0.2% (-4.4% to +5.0%), equivalent within a tenth" in said(heun)
    assert "95 % intervals over 3 sampling seeds" in said(heun)
    assert "one training says nothing of others" in said(heun)
    assert "from 10, and without the first leap: the claims on the leap" in said(heun)
    assert (heun["N"], heun["seeds"]) == ("800", "1 training, 3 sampling")


def test_one_sampling_seed_has_no_interval():
    heun, _, networks = claims(edm=swept(seeds=(0,)), ddpm=respaced(seeds=(0,)))[-3:]
    assert heun["measured"] == "5: +65%, 9: +65%, 99: -39%"
    assert heun["verdict"] == "one run: no interval (5, 9, 99)"
    assert networks["verdict"] == "one run: no interval (5, 9)"


def test_several_trainings_of_the_network_are_what_counts():
    rows = [r | {"training": k} for k in (0, 1) for r in swept()]
    heun = claims(edm=rows)[-3]
    assert "95 % intervals over 2 trainings" in said(heun)
    assert "says nothing of others" not in said(heun)
    assert heun["seeds"] == "2 training, 3 sampling each"


def test_edm_against_ddpm_at_equal_evaluations():
    r = claims(edm=swept(), ddpm=respaced())[-1]
    assert r["measured"].startswith("5: +100% (") and ", 9: -0.2% (" in r["measured"]
    assert r["verdict"] == (  # 0.054 = 8 x 0.0068, of eight comparisons with an interval
        "farther (5); a hint: equivalent within a tenth (9)"
    )
    assert "99" not in r["measured"]  # more than 50 evaluations
    assert "Heun, rho = 7, against DDIM: relative change" in said(r)
    assert "Heun, rho = 7, against DDPM, 5: -50% (" in said(r)
    assert "Euler, rho = 7, against DDIM, 5: +100% (" in said(r)
    assert r["seeds"] == "1 training, 3 sampling"


def test_the_ddpm_network_on_the_grid_of_edm():
    """Equal grids: the EDM network is nearer by a third at 5, at 9 as near."""
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
    r = claims(edm=swept(), ddpm=respaced() + walked)[-1]
    assert r["measured"] == claims(edm=swept(), ddpm=respaced())[-1]["measured"]
    own = [part for part in r["protocol"] if "by Heun on that grid" in part]
    assert [part.partition("grid, ")[2].partition(" (")[0] for part in own] == [
        "5: -33%",
        "9: -0.2%",
    ]  # 99 is too much, and Euler is not compared with Heun
    assert own[0].endswith(", nearer") and "equivalent within a tenth" in own[1]


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
        ({"nfe": 20.0}, "no rows of both sides"),
    ],
)
def test_networks_that_do_not_compare_are_not_run(change, why):
    ddpm = [r | change for r in respaced()]
    r = claims(edm=swept(), ddpm=ddpm)[-1]
    assert r["measured"] == "not run" and why in r["why"]


def test_a_solver_that_is_not_there_is_not_run():
    heun, euler, networks = claims(edm=swept(solvers=("Heun",)), ddpm=respaced())[-3:]
    assert "not run" not in (heun["measured"], networks["measured"])
    assert "Euler" not in said(networks)
    assert euler["measured"] == "not run" and euler["why"] == "no row of Euler, phi* in the sweep"


# ------------------------------------------------------------------- what ships


def shipped():
    edm = sweep.recorded(models.pretrained("sprites-edm"))
    ddpm = sweep.recorded(models.pretrained("sprites"), beside="sprites-edm")
    trial = rows_.read(cards.PRETRAINED / "sprites-edm.trial.jsonl", "fetch it again")
    later = rows_.read(cards.PRETRAINED / "sprites-edm.later.jsonl", "fetch it again")
    return trial, edm, ddpm, later


def test_the_recorded_trial_is_whole():
    """Every arm but the later ones at three trainings, each on both grids by both solvers."""
    rows, *_ = shipped()
    cells = {(r["arm"], r["training"], r["sampler"], r["eta"]) for r in rows}
    run = set(arms.ARMS) - set(lesson04.LATER)
    assert len(cells) == len(rows) == (len(run) - 1) * 3 * 4 + 3 * 2
    assert {r["arm"] for r in rows} == run
    assert {r["nfe"] for r in rows} == {19} and len({r["frechet_floor"] for r in rows}) == 1
    found = [*lesson04.places(rows), *lesson04.single(rows)]
    found = [x for x in found if lesson04.SINGLE.get(x.name, ("",))[0] not in lesson04.LATER]
    assert all(len(x.runs) == 3 and not x.left_out for x in found)


def test_the_later_trainings_are_whole():
    """The arms that came later, and those they are compared with, in float32."""
    *_, rows = shipped()
    cells = {(r["arm"], r["training"], r["sampler"]) for r in rows}
    assert {r["arm"] for r in rows} == {"EDM", "phi embedding", *lesson04.LATER}
    assert len(cells) == len(rows) == 5 * 3 * 4 and not any(r["bf16"] for r in rows)
    for x in lesson04.single(rows):
        if lesson04.SINGLE[x.name][0] in lesson04.LATER:
            assert len(x.runs) == 3 and not x.left_out


def test_the_recorded_rows_make_every_claim_in_short_cells():
    """All are measured; no cell is longer than 160; the grid row is that of the one statistic."""
    trial, edm, ddpm, later = shipped()
    assert edm and ddpm and len({r["frechet_floor"] for r in (*edm, *ddpm)}) == 1
    found = claims(trial, edm, ddpm, recorded=True, later=later)
    assert not [r["claim"] for r in found if r["measured"] == "not run"]
    for line in claim_table(found).splitlines():
        if line.startswith("| "):
            assert max(map(len, line.split(" | "))) <= 160 and len(line) <= 420
    *_, heun, euler, networks = found
    assert "35: +137% (+19% to +371%)" in heun["measured"]
    assert heun["verdict"] == (
        "farther (5, 9, 19); a hint: farther (35); one run: no interval (99)"
    )
    assert euler["verdict"].startswith("farther (5); a hint: equivalent within a tenth (9); ")
    assert networks["verdict"] == "farther (5, 9); nearer (19, 35)"
    assert "by Heun on that grid" in said(networks)


def test_the_unscaled_embedding_is_judged_by_rows_of_its_own():
    """Twice as far in later trainings; those of the trial, which lack the arm, stay out of it."""
    rows = list(trial(arms=("EDM", "phi embedding")))
    later = [r | {"bf16": True} for r in trial(arms=("EDM", lesson04.UNSCALED))]
    later = [
        r | {"frechet": 2 * r["frechet"]} if r["arm"] == lesson04.UNSCALED else r for r in later
    ]
    found = {c["claim"]: c for c in lesson04.phi_trial("x", rows, [], [], later=later)}
    claim = found["phi* as embedding, unscaled as published, brings samples nearer"]
    assert claim["verdict"] == "farther (Euler, Heun)" and claim["measured"].count("+100% (") == 2
    alone = {c["claim"]: c for c in lesson04.phi_trial("x", rows, [], [])}
    assert alone[claim["claim"]]["measured"] == "not run"
