"""Walks with and without the leap over high noise, their table and their claims."""

import math

import pytest
import torch
from printed import cells

from diffutils import denoisers, samplers, schedules
from diffutils.course.experiments import sweep
from diffutils.course.tables import PAGE
from diffutils.data import load
from diffutils.lessons.lesson04 import search
from diffutils.lessons.lesson04.systems import leap
from diffutils.methods import perceptual
from diffutils.weights import models

F64, still = torch.float64, lambda k, x: torch.zeros_like(x)
D = denoisers.gaussian(0.0, 0.5)


def counted(calls):
    """The best guess for N(0, 0.5^2), which notes the levels that it is asked at."""
    return lambda x, sigma: calls.append(float(sigma)) or D(x, sigma)


def by_hand(x, levels):
    """Euler from the first level to the second, Heun from there on, Euler to 0."""
    for k, (s, t) in enumerate(zip(levels[:-1], levels[1:], strict=True)):
        d = (x - 0.25 / (0.25 + s**2) * x) / s
        y = x + (t - s) * d
        if k and t:
            y = x + (t - s) * (d + (y - 0.25 / (0.25 + t**2) * y) / t) / 2
        x = y
    return x


# ------------------------------------------------------------------- the walk


@pytest.mark.parametrize("grid", leap.GRIDS)
@pytest.mark.parametrize("steps", [1, 2, 3, 10])
def test_heun_after_one_euler_step_by_hand(grid, steps):
    z, calls = torch.tensor([[0.7], [-1.3]], dtype=F64), []
    walk = leap.first_euler(steps, leap.GRIDS[grid])
    x = walk(counted(calls), None, z, still)
    levels = schedules.levels(leap.GRIDS[grid], steps).tolist()
    torch.testing.assert_close(x, by_hand(z * levels[0], levels), rtol=1e-9, atol=1e-12)
    assert len(calls) == max(1, 2 * steps - 2)


def test_it_is_heuns_walk_but_for_the_first_step():
    """From the second level on both are one sampler; the first step is that of Euler's walk."""
    z, sigmas = torch.tensor([[1.1]], dtype=F64), schedules.levels(leap.GRIDS["phi*"], 6)
    x = samplers.start(sigmas, z, variance_preserving=False)
    first = next(samplers.trajectory(D, x, sigmas))
    rest = samplers.heun(D, first, sigmas[1:])
    assert torch.equal(leap.first_euler(6, leap.GRIDS["phi*"])(D, None, z, still), rest)


def test_without_the_leap_heun_is_near_on_phi():
    """Spread of samples of N(0, 0.5^2) in 10 steps: Heun leaps from 80 to 2, and ends far off."""
    z = torch.ones(1, 1, dtype=F64)
    ends = {}
    for name, walk in leap.SOLVERS.items():
        ends[name] = float(walk(10, leap.GRIDS["phi*"])(D, None, z, still))
    low = float(leap.SOLVERS["Heun"](10, leap.GRIDS["phi* from 10"])(D, None, z, still))
    assert ends["Heun"] == pytest.approx(0.878, abs=1e-3)  # of this grid, and no other walk's
    assert ends[leap.FIRST_EULER] == pytest.approx(0.516, abs=1e-3)
    assert low == pytest.approx(0.565, abs=1e-3)


def test_grids_are_what_they_are_called():
    ends = {k: grid(torch.tensor([0.0, 1.0])).tolist() for k, grid in leap.GRIDS.items()}
    for name, (low, high) in ends.items():
        assert low == pytest.approx(0.002)
        assert high == pytest.approx(10 if name.endswith("from 10") else 80)
    middle = torch.tensor([0.5], dtype=F64)
    phi = 0.5 * sum(s / (s + 0.3) for s in (0.002, 10.0))
    assert float(leap.GRIDS["phi* from 10"](middle)) == pytest.approx(0.3 * phi / (1 - phi))
    root = 0.5 * sum(s ** (1 / 7) for s in (0.002, 10.0))
    assert float(leap.GRIDS["rho = 7 from 10"](middle)) == pytest.approx(root**7)


def test_the_fitted_c_is_that_of_twenty_sprites():
    images, sigmas = load("sprites", limit=20, seed=0).train[:20], perceptual.dense_sigmas()
    c, _ = search.best_c(perceptual.ssim_curve(images, sigmas), sigmas)
    assert c == pytest.approx(leap.FITTED_C)


def test_every_walk_of_the_table_spends_its_calls():
    for name, (walk, counts) in leap.walks([5, 9]).items():
        for steps, nfe in zip(counts, (5, 9), strict=True):
            calls = []
            walk(steps)(counted(calls), None, torch.ones(1, 1, dtype=F64), still)
            assert len(calls) == nfe - name.startswith(leap.FIRST_EULER)
    asked = {(side["sampler"], side["steps"]) for pair in leap.lines(9).values() for side in pair}
    assert asked == {(name, counts[1]) for name, (_, counts) in leap.walks([5, 9]).items()}


# ------------------------------------------------------------------- the table


def drawn(sampler, steps, frechet, seed=0, **more):
    row = {"sampler": sampler, "steps": steps, "seed": seed, "frechet": frechet, "eta": 0.0}
    row |= {"frechet_floor": 10.0, "N": 50, "features": "some features", "bf16": False}
    return row | more


def swept(seeds=(0, 1, 2), calls=(19,), factor=2.0):
    """On every line phi* is `factor` times as far as rho = 7, which is at 20 on the first seed."""
    return [
        drawn(side["sampler"], side["steps"], 20.0 * (1 + k / 100) * factor**far, k)
        for k in seeds
        for n in calls
        for side, far in {
            (side["sampler"], side["steps"]): (side, far)
            for pair in leap.lines(n).values()
            for far, side in enumerate(pair)
        }.values()
    ]


def test_the_table_shows_both_grids_the_change_and_what_holds():
    table, about = leap.table(swept(), leap.lines(19)).rsplit("\n", 1)
    header = ["walk", "rho", "=", "7", "phi*", *leap.CHANGE.split(), *"above floor verdict".split()]
    assert table.split("\n")[0].split() == header
    above = [math.log((40 * x - 10) / (20 * x - 10)) for x in (1.0, 1.01, 1.02)]
    words = f"20.2 40.4 +100% (+100% to +100%) {math.exp(sum(above) / 3) - 1:+.0%} farther"
    assert [" ".join(row) for row in cells(table)] == [f"{k} {words}" for k in leap.LINES]
    assert about == ("Fréchet distance (real to real 10.0); N = 50, float32, 3 sampling seeds")


def test_what_was_not_run_stands_in_the_table():
    rows = [r for r in swept((0,)) if leap.FIRST_EULER not in r["sampler"]]
    table, about = leap.table(rows, leap.lines(19)).rsplit("\n", 1)
    shown = [" ".join(row) for row in cells(table)]
    assert shown[2] == "Heun, first step Euler - - - - not run"
    assert shown[1] == "Heun 20.0 40.0 +100% +200% one run: no interval"
    assert about.endswith("1 sampling seed")
    some = [r for r in swept() if r["seed"] < 1 or "Euler" not in r["sampler"]]
    assert leap.table(some, leap.lines(19)).endswith("float32, up to 3 sampling seeds")
    more = [*rows, drawn("Heun, rho = 7", 10, 99.0, seed=1)]  # of a seed that phi* has not
    assert cells(leap.table(more, leap.lines(19)).rsplit("\n", 1)[0])[1][1:3] == ["20.0", "40.0"]
    assert leap.table([], leap.lines(19)).splitlines()[-1] == "not run: no rows of both grids"
    alone = leap.table(rows[:1], leap.lines(19)).splitlines()
    assert alone[2].split()[:2] == ["Euler", "20.0"] and alone[-1].startswith("not run")


def test_claims_are_short_and_say_what_was_not_run():
    found = leap.grid_claims(swept(calls=(5, 9, 19, 35, 99)))
    assert [r["measured"] != "not run" for r in found] == [True] * len(found)
    assert found[0]["verdict"] == "farther (Euler, Heun)" and "object" in found[0]["protocol"][-1]
    assert found[3]["measured"] == "99: +100% (+100% to +100%)"
    by = [f"{solver} {n}" for solver in ("Euler", "Heun") for n in (5, 9, 19, 35)]
    assert found[4]["verdict"] == f"farther ({', '.join(by)})"
    assert found[5]["verdict"] == "farther (5, 9, 19, 35)"
    none = leap.grid_claims([])
    assert all(r["measured"] == "not run" and r["why"] for r in none)
    for r in (*found, *none):
        assert all(len(r[key]) <= 160 for key in ("claim", "published", "measured", "verdict"))


def test_the_leap_is_judged_on_one_grid():
    """On phi*, Heun after one Euler step at 15 against Heun at 60: nearer by three quarters."""
    rows = [drawn("Heun, phi*", 10, 60.0, k) for k in range(3)]
    rows += [drawn(f"{leap.FIRST_EULER}, phi*", 10, 15.0, k) for k in range(3)]
    claim = leap.grid_claims([], rows)[2]
    assert claim["measured"] == "Heun, first step Euler: -75% (-75% to -75%)"
    assert claim["verdict"] == "nearer"


def test_rows_of_two_sweeps_are_never_compared_with_one_another():
    """The first sweep has the walks from 80, the second those from 10: neither fills the gap."""
    rows = [r for r in swept() if "from 10" not in r["sampler"]]
    starts = [r | {"N": 70, "bf16": True} for r in swept() if "from 10" in r["sampler"]]
    plain, bare, gone, *_ = leap.grid_claims(rows, starts)
    assert plain["N"] == "50" and bare["N"] == "70"
    assert bare["measured"] == "Heun, both from 10: +100% (+100% to +100%)"
    assert gone["measured"] == "not run"
    with pytest.raises(ValueError, match="several N do not compare: 50, 70"):
        leap.compared([*swept((0,)), *[r | {"N": 70} for r in swept((1,))]], leap.lines(19))


# ------------------------------------------------------------------- what ships


def test_recorded_rows_are_of_the_shipped_network_and_of_one_kind():
    found = leap.recorded()
    assert found
    assert {r["weights"] for r in found} == {sweep.weights_of(models.pretrained("sprites-edm"))}
    assert len({(r["N"], r["bf16"], r["code"], r["frechet_floor"]) for r in found}) == 1
    keys = {(r["sampler"], r["steps"], r["seed"]) for r in found}
    assert len(keys) == len(found)
    for r in found:
        least = 1 if r["sampler"].startswith("Heun, ") else 2
        assert r["nfe"] == 2 * r["steps"] - least  # no row by Euler


def test_rows_of_trainings_hold_every_line_three_times_over():
    found = leap.compared(leap.trained(), leap.lines(19))
    lines = [x for x in found if x.by != leap.FITTED_FROM_10]
    assert [len(x.runs) for x in lines] == [3] * 6 and {x.unit for x in lines} == {"trainings"}
    assert all(math.isfinite(x.interval().mean) for x in lines)


def test_the_recorded_tables_are_narrow():
    big = sweep.recorded(models.pretrained("sprites-edm"))
    tables = [leap.table(rows, leap.lines(n)) for rows in (big, leap.recorded()) for n in (9, 19)]
    for text in (
        *tables,
        leap.table(leap.trained(), leap.lines(19)),
        leap.table(big, leap.lines(99)),
    ):
        assert max(map(len, text.splitlines())) <= PAGE and "nan" not in text
