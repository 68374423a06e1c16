"""Claims as fields: what stands in which, how long it may be, and why nothing was measured."""

import math

import numpy as np
import pytest
import torch
from edm_rows import noisy, row, trial

from diffutils.course import tables
from diffutils.course.experiments import claims
from diffutils.course.experiments.effects import Effect, effect
from diffutils.lessons.lesson04 import claims as lesson04

FIELDS = {*tables.CLAIM_COLUMNS, "why", "protocol"}


def test_fields_are_text_and_the_protocol_is_a_list():
    made = claims.claim("name", 1.5, 0.123456, "one sentence", 800, 3)
    assert made == dict(claim="name", published="1.5", measured="0.123", verdict="-", N="800",
                        seeds="3", why="", protocol=["one sentence"])  # fmt: skip
    assert claims.claim("name")["measured"] == "not run"
    assert claims.claim("x", protocol=["a", "", "b"])["protocol"] == ["a", "b"]
    assert claims.claim("x")["protocol"] == claims.claim("x", protocol="")["protocol"] == []


@pytest.mark.parametrize("key", ["claim", "published", "measured", "verdict", "N", "seeds"])
def test_a_cell_that_nobody_reads_is_refused(key):
    fields = {"claim": "name"}
    made = claims.claim(**fields | {key: "x" * 160})
    assert len(made[key]) == 160
    with pytest.raises(ValueError, match=f"{key} of the claim .* has 161 characters.*protocol"):
        claims.claim(**fields | {key: "x" * 161})
    claims.claim("name", protocol="x" * 1000)
    with pytest.raises(ValueError, match="measured of the claim 'name' has 167"):
        claims.claim("name", measured="x" * 155, why="yyyyy" * 2)


def of(by, *changes, name="name"):
    return Effect(name, by, dict(enumerate(changes)), {}, "trainings")


FAR, NEAR = (0.30, 0.31, 0.32), (-0.30, -0.31, -0.32)
SHIFT = 0.02484 + 1e-4  # of std 0.01: p just below 0.05
SMALL = (SHIFT - 0.01, SHIFT, SHIFT + 0.01)
WIDE = tuple(10 * x for x in SMALL)  # the same p, and far from a tenth


def test_verdicts_group_what_has_one_verdict():
    assert claims.verdicts([of("", *FAR)]) == "farther"
    effects = [of("5", *FAR), of("9", *FAR), of("19", *NEAR), of("35", 0.1)]
    assert claims.verdicts(effects) == ("farther (5, 9); nearer (19); one run: no interval (35)")


def test_a_verdict_is_what_holds_after_the_correction_over_the_family():
    """SMALL has p just below 0.05: alone it holds, of two such no more; one run is no verdict."""
    small, far, wide = of("4", *SMALL), of("5", *FAR), of("4", *WIDE)
    assert claims.verdicts([small]) == "farther, by less than a tenth"
    assert claims.verdicts([small], [small, of("5", 0.1)]) == "farther, by less than a tenth"
    family = [small, far, of("", *SMALL)]
    assert claims.verdicts([small, far], family) == "equivalent within a tenth (4); farther (5)"
    assert claims.verdicts([small], family) == "equivalent within a tenth"
    family = [wide, far, of("", *WIDE)]
    assert claims.verdicts([wide]) == "farther"
    assert claims.verdicts([wide, far], family) == "a hint: farther (4); farther (5)"
    assert claims.verdicts([wide, wide]) == "a hint: farther (4, 4)"  # none: these


def test_a_claim_of_effects():
    rows = list(trial(lambda arm, walk, k: (0.3 + k / 100) * walk.endswith("phi")))
    sides = [[{"arm": "EDM", "sampler": f"Heun, {grid}"}] for grid in ("phi", "EDM")]
    x, other = effect("grid", rows, *sides, by="Heun"), effect("other", rows, *sides, by="here")
    made = claims.from_effects(
        "text", [x], rows, published="said", beside=[other], protocol=["more", ""]
    )
    assert set(made) == FIELDS and made["published"] == "said"
    assert made["measured"] == "Heun: +36% (+33% to +40%)" and made["verdict"] == "farther"
    assert (made["N"], made["seeds"], made["why"]) == ("800", "3 training, 1 sampling each", "")
    assert made["protocol"] == [
        "grid: relative change, by mean log ratio, of the distance to held-out images, below 0 "
        "nearer",
        "95 % intervals over 3 trainings",
        claims.RULE,
        "verdicts after Holm's correction over 2 comparisons; a hint: what holds only alone",
        "other, here: +36% (+33% to +40%), farther",
        "some features",
        "more",
    ]


def test_what_is_left_out_does_not_count():
    rows = [row("EDM", f"Heun, {g}", 100.0, k) for k in range(3) for g in ("phi", "EDM")][:-1]
    sides = [[{"arm": "EDM", "sampler": f"Heun, {grid}"}] for grid in ("phi", "EDM")]
    made = claims.from_effects("text", [effect("grid", rows, *sides)], rows)
    assert made["seeds"] == "2 training, 1 sampling each"
    left = "left out of the trainings: 2 (no row of arm = EDM, sampler = Heun, EDM)"
    assert left in made["protocol"] and made["measured"] == "+0.0% (+0.0% to +0.0%)"


def test_without_a_run_it_says_why():
    sides = [[{"arm": "EDM"}], [{"arm": "DDPM"}]]
    made = claims.from_effects("text", [effect("x", [row()], *sides)], [row()], protocol=["a"])
    assert (made["measured"], made["verdict"], made["N"]) == ("not run", "-", "-")
    assert made["why"] == "no row of arm = DDPM"
    assert made["protocol"] == ["left out of the sampling seeds: 0 (no row of arm = DDPM)", "a"]
    assert claims.from_effects("text", [effect("x", [], *sides)], [])["why"] == (
        "no rows of both sides"
    )


def test_many_labels_never_fill_more_than_a_cell():
    effects = [of(str(k), *FAR) for k in range(100, 140)]
    made = claims.from_effects("text", effects, [row(training=k) for k in range(3)])
    assert len(made["measured"]) <= 160 and made["measured"].endswith("more")
    assert made["measured"].startswith("100: +36% (+33% to +40%), 101: ")
    assert claims.fitting(["x" * 200, "y"]) == "2 parts, see the protocol"
    assert claims.fitting(["a", "b"], "; ") == "a; b"


def test_ratios_over_trainings():
    """To the floor of 10: training 0 (2 + 4)/2, training 1 5: mean 4, 12.7062 to each side."""
    rows = [row(frechet=20.0), row(frechet=40.0, seed=1), row(frechet=50.0, training=1)]
    made = claims.ratio_claim("faces", rows, ["how"], published="-")
    assert claims.over_trainings(rows) == [3.0, 5.0]
    assert made["measured"] == "4.0 (-8.7 to 16.7) times the floor"
    assert (made["N"], made["seeds"]) == ("800", "2 training, 2 sampling each")
    assert made["protocol"] == [
        "distance to held-out images / floor, mean and 95 % interval over 2 trainings", "how",
        "some features",
    ]  # fmt: skip
    single = claims.ratio_claim("faces", rows[:1])
    assert single["measured"] == "2.0 times the floor" and "one run" in single["protocol"][0]
    lost = claims.ratio_claim("faces", [row(frechet=math.nan)], ["how"])
    assert lost["why"] == "800 images are too few for distances on some features"
    assert claims.ratio_claim("faces", [])["why"] == "no row of it"


@pytest.mark.parametrize(
    "rows, why",
    [
        ([], "no row of Heun"),
        ([row()], ""),
        ([row(), row(frechet_train=math.nan)], "800 images are too few for distances on some"),
        ([row(), row(N=5)], "rows of several N do not compare: 800, 5"),
        ([row(), row(frechet_floor=12.0)], "several sets of reference images do not compare"),
    ],
)
def test_one_function_says_why_rows_say_nothing(rows, why):
    said = claims.missing(rows, "row of Heun")
    assert why in said and bool(said) == bool(why)


# ------------------------------------------------------------------- the table


def test_the_table_shows_short_rows_and_folds_the_rest():
    made = [
        claims.claim("a | <b>", "-", "1", ["same", "own <i>"], 5, 3, "nearer"),
        claims.claim("b", protocol="same", why="no GPU"),
        claims.claim("c"),
    ]
    table, _, fold = tables.claim_table(made).partition("\n\n")
    assert table.splitlines() == [
        "| claim | published | measured | verdict | N | seeds |",
        "| --- | --- | --- | --- | --- | --- |",
        "| a \\| &lt;b> | - | 1 | nearer | 5 | 3 |",
        "| b | - | not run: no GPU | - | - | - |",
        "| c | - | not run | - | - | - |",
    ]
    assert fold.splitlines() == [
        "<details><summary>How each was measured</summary><ul>",
        "<li><b>a | &lt;b&gt;</b> [1]; own &lt;i&gt;</li>",
        "<li><b>b</b> [1]</li>",
        "<li><b>[1]</b> same</li>",
        "</ul></details>",
    ]
    assert "details" not in tables.claim_table(made[2:])


def test_a_table_of_many_claims_is_folded():
    row = claims.claim("a claim", "yes", why="no time")
    few, many = (tables.claim_table([row] * n) for n in (tables.READ, tables.READ + 1))
    assert few.startswith("| claim |")
    fold, table, rest = many.split("\n\n")[:3]
    assert fold == "<details><summary>13 claims, and what was measured of each</summary>"
    assert table.startswith("| claim |") and table.count("a claim") == 13 and rest == "</details>"


def test_fields_survive_the_table_and_are_not_joined():
    made = lesson04.phi_trial("sprites", list(trial(noisy())), [], [])
    assert all(set(x) == FIELDS and isinstance(x["protocol"], list) for x in made)
    table = tables.claim_table(made)
    assert all(x["measured"] in table and x["protocol"][-1] in table for x in made)


@pytest.mark.parametrize("value", [2.0, np.float32(2), np.array(2.0), torch.tensor(2.0)])
def test_one_number_is_shown_as_one_whatever_holds_it(value):
    assert claims.claim("a", measured=value)["measured"] == "2"
