"""The one statistic against the recorded findings, a fit, SciPy, and arithmetic by hand."""

import math

import numpy as np
import pytest
from edm_rows import named, noisy, phi, row, trial
from scipy import stats

from diffutils.course.experiments import effects, rows
from diffutils.course.experiments.effects import Effect, effect
from diffutils.lessons.lesson04 import claims
from diffutils.weights import cards

# The shipped trial by the statistic that lesson 04 was written with: mean, 95 % and 90 % interval
# of the log ratio, verdict.
RECORDED = (
    ("density", "Euler",
     0.08111554875410339, 0.02849432246153355, 0.1337367750466732,
     0.04540427209623069, 0.1168268254119761, "farther"),
    ("density", "Heun",
     0.01871268883109274, -0.01643982328528844, 0.05386520094747393,
     -0.005143484311427995, 0.04256886197361348, "equivalent within a tenth"),
    ("embedding", "Euler",
     -0.06873005017635843, -0.08321686514086918, -0.05424323521184767,
     -0.07856149451048834, -0.05889860584222852, "nearer, by less than a tenth"),
    ("embedding", "Heun",
     -0.007050011691469423, -0.104890741514259, 0.09079071813132013,
     -0.07344940253202784, 0.05934937914908899, "equivalent within a tenth"),
    ("grid", "Euler",
     -0.1422372718725333, -0.1746888164107887, -0.1097857273342779,
     -0.16426043945395, -0.1202141042911166, "nearer"),
    ("grid", "Heun",
     1.698275754764117, 1.385905205972514, 2.010646303555721,
     1.486286185656649, 1.910265323871586, "farther"),
    ("density x embedding", "Euler",
     0.05553189598600058, -0.07814007588408825, 0.1892038678560894,
     -0.03518428653538919, 0.1462480785073904, "cannot be told"),
    ("density x embedding", "Heun",
     -0.001818989608313911, -0.1871945192670998, 0.183556540050472,
     -0.1276236751251039, 0.123985695908476, "cannot be told"),
    ("density x grid", "Euler",
     0.01163608240211748, -0.02064525359093097, 0.04391741839516593,
     -0.01027157353360659, 0.03354373833784154, "equivalent within a tenth"),
    ("density x grid", "Heun",
     -0.1500533095863781, -0.5617334276790598, 0.2616268085063036,
     -0.4294390941367723, 0.1293324749640162, "cannot be told"),
    ("embedding x grid", "Euler",
     -0.03009921382539356, -0.05465702088799954, -0.005541406762787582,
     -0.04676531425504497, -0.01343311339574215, "nearer, by less than a tenth"),
    ("embedding x grid", "Heun",
     0.05602436560011936, 0.02170522287986629, 0.09034350832037244,
     0.03273375672054203, 0.0793149744796967, "farther, by less than a tenth"),
    ("lambda' / EDM", "Euler",
     -0.06464306497759582, -0.1322293533043378, 0.002943223349146123,
     -0.110510347265843, -0.01877578268934868, "cannot be told"),
    ("lambda' / EDM", "Heun",
     -0.03899904780191946, -0.07899312373299555, 0.0009950281291566179,
     -0.06614093731832349, -0.01185715828551543, "equivalent within a tenth"),
    ("lambda' / phi density", "Euler",
     -0.1179926657386989, -0.1685617222393761, -0.06742360923802179,
     -0.1523112419912305, -0.08367408948616736, "nearer"),
    ("lambda' / phi density", "Heun",
     -0.05862123143716902, -0.1659486507734366, 0.04870618789909857,
     -0.1314587427407428, 0.01421627986640472, "cannot be told"),
    ("without lambda / EDM", "Euler",
     0.03396436652296778, -0.2748336249839093, 0.3427623580298449,
     -0.1756006946328688, 0.2435294276788043, "cannot be told"),
    ("without lambda / EDM", "Heun",
     0.1761012755290582, 0.05892500997511306, 0.2932775410830032,
     0.0965798669311717, 0.2556226841269446, "farther"),
    ("without lambda / phi both", "Euler",
     0.2192152238649327, 0.02509635045238023, 0.4133340972774851,
     0.08747688781005694, 0.3509535599198084, "farther"),
    ("without lambda / phi both", "Heun",
     0.239560061158237, 0.05093604411325167, 0.4281840782032224,
     0.1115507969962596, 0.3675693253202145, "farther"),
    ("all of phi* / EDM, own grids", "Euler",
     0.1101499113240854, -0.03040511620396452, 0.2507049388521352,
     0.01476255858924715, 0.2055372640589236, "cannot be told"),
    ("all of phi* / EDM, own grids", "Heun",
     1.867556839764904, 1.557600710078794, 2.177512969451014,
     1.657205810743236, 2.077907868786572, "farther"),
    ("EDM / DDPM eta 0, own grids", "Euler",
     0.5194380049333299, 0.4279540762711311, 0.6109219335955287,
     0.4573526428773306, 0.5815233669893293, "farther"),
    ("EDM / DDPM eta 0, own grids", "Heun",
     -0.04946812569659779, -0.4209961568633331, 0.3220599054701375,
     -0.301604786924948, 0.2026685355317524, "cannot be told"),
    ("EDM / DDPM eta 1, own grids", "Euler",
     -0.05256017307719851, -0.141952244205925, 0.03683189805152795,
     -0.1132259007314577, 0.008105554577060685, "cannot be told"),
    ("EDM / DDPM eta 1, own grids", "Heun",
     -0.6214663037071263, -0.9184871138175543, -0.3244454935966982,
     -0.8230388072444809, -0.4198938001697717, "nearer"),
)  # fmt: skip


@pytest.fixture(scope="module")
def recorded():
    return rows.read(cards.PRETRAINED / "sprites-edm.trial.jsonl", "fetch it again")


@pytest.fixture(scope="module")
def found(recorded):
    """All comparisons but those of the arms that came later, which no row here has."""
    every = [*claims.places(recorded), *claims.single(recorded)]
    later = {name for name, (arm, *_) in claims.SINGLE.items() if arm in claims.LATER}
    assert {x.name for x in every if not x.runs} == later
    return [x for x in every if x.runs]


def test_all_recorded_findings_are_reproduced(found):
    for x, (name, solver, *numbers, verdict) in zip(found, RECORDED, strict=True):
        assert (x.name, x.by, x.verdict) == (name, solver, verdict)
        (mean, low, high, k), (_, low90, high90, _) = x.interval(), x.interval(0.9)
        assert (mean, low, high, low90, high90) == pytest.approx(numbers, rel=0, abs=1e-12)
        assert k == 3 and x.unit == "trainings" and not x.left_out


def test_after_holm_three_findings_are_left(found):
    after = effects.holm(found)
    told = [(x.name, x.by) for x, verdict in zip(found, after, strict=True) if verdict[0] in "nf"]
    assert told == [
        ("grid", "Heun"),
        ("all of phi* / EDM, own grids", "Heun"),
        ("EDM / DDPM eta 0, own grids", "Euler"),
    ]
    assert set(after) == {"farther", "cannot be told"}


def test_an_effect_and_an_interaction_are_those_of_a_least_squares_fit():
    """Of the saturated model, with -1/2 for EDM and 1/2 for phi in each place."""
    log_distance = noisy()
    found = claims.places(list(trial(log_distance)))
    d, e, g = np.array([phi(*cell) for cell in claims.CELLS], dtype=float).T - 0.5
    design = np.stack([np.ones(8), d, e, g, d * e, d * g, e * g, d * e * g], 1)
    for solver in ("Euler", "Heun"):
        for k in range(3):
            y = np.array([log_distance(arm, f"{solver}, {grid}", k) for arm, grid in claims.CELLS])
            fitted = np.linalg.lstsq(design, y, rcond=None)[0]
            runs = [named(found, name, solver).runs[k] for name in claims.PLACES]
            assert runs == pytest.approx(fitted[1:7])


# ------------------------------------------------------------------- rows -> effect

A, B = {"setting": "a"}, {"setting": "b"}


def rows_of(*values, metric="frechet", **entries):
    """Rows of (setting, training, seed, distance); training None: the row does not name one."""
    for setting, training, seed, value in values:
        about = {} if training is None else {"training": training}
        yield {"setting": setting, "seed": seed, metric: value, "N": 9} | about | entries


def test_one_training_is_paired_over_its_sampling_seeds():
    """log 2 and log 4, whatever the order of the rows; other rows do not count."""
    given = rows_of(("a", None, 1, 8.0), ("b", None, 0, 3.0), ("a", None, 0, 6.0),
                    ("b", None, 1, 2.0), ("c", None, 0, 99.0))  # fmt: skip
    x = effect("name", list(given), [A], [B], by="label")
    assert x.runs == pytest.approx({0: math.log(2), 1: math.log(4)})
    assert (x.name, x.by, x.unit, x.left_out) == ("name", "label", "sampling seeds", {})
    assert x.interval().low == pytest.approx(
        1.5 * math.log(2) - 12.7062 * math.log(2) / 2, abs=1e-4
    )


def test_several_trainings_are_the_runs_and_their_seeds_are_averaged():
    given = rows_of(("a", 0, 0, 2.0), ("a", 0, 1, 8.0), ("b", 0, 0, 1.0), ("b", 0, 1, 1.0),
                    ("a", 5, 0, 3.0), ("b", 5, 0, 1.0))  # fmt: skip
    x = effect("", list(given), [A], [B])
    assert x.runs == pytest.approx({0: math.log(4), 5: math.log(3)}) and x.unit == "trainings"


def test_a_side_is_the_mean_of_its_entries_and_an_interaction_has_a_scale():
    given = list(rows_of(("a", None, 0, 2.0), ("b", None, 0, 8.0), ("c", None, 0, 1.0)))
    x = effect("", given, [A, B], [{"setting": "c"}])
    assert x.runs == pytest.approx({0: math.log(4)})
    assert effect("", given, [A, B], [{"setting": "c"}], scale=2.0).runs[0] == 2 * x.runs[0]


def test_distances_that_may_be_zero_are_compared_by_their_difference():
    """3 - (-1) = 4 and 3.5 - (-1.5) = 5, although a ratio would say -400 %; nothing of a tenth."""
    values = [("a", None, 0, 3.0), ("a", None, 1, 3.5), ("b", None, 0, -1.0), ("b", None, 1, -1.5)]
    given = list(rows_of(*values, metric="kernel"))
    x = effect("", given, [A], [B], metric="kernel", relative=False)
    assert x.runs == {0: 4.0, 1: 5.0} and x.words == "+4.5 (-1.85 to +10.9)"
    assert effect("", given, [A], [B], metric="kernel").left_out.keys() == {0, 1}
    same = [("a", None, k, 1.0) for k in range(3)] + [("b", None, k, 1.0) for k in range(3)]
    given = list(rows_of(*same, metric="kernel"))
    assert effect("", given, [A], [B], metric="kernel").verdict == "equivalent within a tenth"
    x = effect("", given, [A], [B], metric="kernel", relative=False)
    assert x.verdict == "cannot be told"


def test_runs_that_are_not_whole_are_left_out_and_said():
    given = rows_of(("a", 0, 0, 2.0), ("b", 0, 0, 1.0), ("a", 1, 0, 2.0), ("b", 2, 0, 2.0),
                    ("a", 3, 0, 2.0), ("b", 3, 1, 2.0), ("a", 4, 0, math.nan), ("b", 4, 0, 1.0),
                    ("a", 6, 0, 0.0), ("b", 6, 0, 1.0))  # fmt: skip
    x = effect("", list(given), [A], [B])
    assert [*x.runs] == [0] and x.verdict == "one run: no interval"
    assert x.why() == (
        "left out of the trainings: 1 (no row of setting = b); 2 (no row of setting = a); 3 (the "
        "sides have different sampling seeds); 4, 6 (a distance is nan or not above 0)"
    )


@pytest.mark.parametrize("side", [[], [("a", 0, 0, 1.0)]])
def test_a_comparison_without_rows_is_not_run(side):
    x = effect("", list(rows_of(*side)), [A], [B])
    assert (x.verdict, x.words, x.runs) == ("not run", "-", {})
    assert math.isnan(x.interval().mean)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"N": 8}, "rows of several N do not compare: 9, 8"),
        ({"features": "others"}, "rows of several features do not compare: some, others"),
        ({"trial": {"steps": 9, "code": "x"}}, "several steps do not compare: 7, 9; take"),
        ({"frechet_floor": 2.01}, "sets of reference images do not compare: floors 2.00 to 2.01"),
        ({"setting": "a"}, "two rows of setting = a, training 0, seed 0; name more entries"),
    ],
)
def test_rows_that_do_not_compare_are_refused(change, words):
    about = {"features": "some", "trial": {"steps": 7, "code": "y"}, "frechet_floor": 2.0}
    one, other = rows_of(("a", 0, 0, 1.0), ("b", 0, 0, 1.0), **about)
    assert effect("", [one, other | {"trial": {"steps": 7, "code": "x"}}], [A], [B]).runs == {0: 0}
    fewer = {"trial": {}}  # an arm's own setting is not among what all share
    assert effect("", [one, other | fewer], [A], [B]).runs == {0: 0}
    with pytest.raises(ValueError, match=words):
        effect("", [one, other | change], [A], [B])
    if "setting" not in change:  # rows that are not compared may differ
        assert not effect("", [one, other | change], [A], [{"setting": "c"}]).runs


def test_rows_of_several_counts_of_calls_are_no_trial():
    with pytest.raises(ValueError, match="several network evaluations, 19, 35; take rows of one"):
        claims.places([*trial(), row(nfe=35.0)])


# ------------------------------------------------------------------- effect -> verdict


def of(*changes):
    return Effect("name", "", dict(enumerate(changes)), {}, "trainings")


@pytest.mark.parametrize(
    "changes, words",
    [
        ((-0.30, -0.29, -0.31), "nearer"),
        ((0.30, 0.29, 0.31), "farther"),
        ((0.0, 0.02, -0.02), "equivalent within a tenth"),
        ((0.2, 0.0, -0.2), "cannot be told"),
        ((0.0, 0.0, 0.0), "equivalent within a tenth"),
        ((0.05, 0.05, 0.05), "farther, by less than a tenth"),
        ((0.5, 0.5, 0.5), "farther"),
        ((0.0, 0.001), "cannot be told"),  # two runs are never equivalent
        ((0.06, 0.061), "farther"),
        ((-0.5, -0.51), "nearer"),
        ((0.3,), "one run: no interval"),
        ((), "not run"),
    ],
)
def test_verdicts(changes, words):
    assert of(*changes).verdict == words


@pytest.mark.parametrize(
    "middle, words",
    [
        (0.06, "farther, by less than a tenth"),
        (-0.06, "nearer, by less than a tenth"),
        (0.0936, "farther"),
        (0.0787, "farther"),
        (0.0782, "farther, by less than a tenth"),
        (0.0249, "farther, by less than a tenth"),
        (0.0248, "equivalent within a tenth"),
        (-0.0248, "equivalent within a tenth"),
    ],
)
def test_a_small_difference_is_said_to_be_small(middle, words):
    """log 1.1 = 0.0953; of std 0.01 the 90 % interval is 0.0169 to each side, the 95 % 0.02484."""
    assert of(middle - 0.01, middle, middle + 0.01).verdict == words


def test_p_values_are_scipys_and_agree_with_the_intervals():
    random = np.random.default_rng(0)
    for k in (2, 3, 7):
        for values in random.normal(0.06, 0.05, (100, k)):
            x = of(*values)
            changed, tenth = x.p
            assert changed == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
            (_, low, high, _), (_, low90, high90, _) = x.interval(), x.interval(0.9)
            assert (changed < 0.05) == (low > 0 or high < 0)
            assert (tenth < 0.05) == (k > 2 and -math.log(1.1) < low90 and high90 < math.log(1.1))
            if k > 2:
                margin, sides = effects.MARGIN, {"greater": -1, "less": 1}
                both = [stats.ttest_1samp(values, sign * margin, alternative=name).pvalue
                        for name, sign in sides.items()]  # fmt: skip
                assert tenth == pytest.approx(max(both))


def test_holm_by_hand():
    """0.005 x 4; 0.01 x 3; 0.03 x 2, as 0.04 x 1 is less; below 1."""
    assert effects.adjusted([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert effects.adjusted([0.6, 0.9]) == [1.0, 1.0] and effects.adjusted([]) == []


def test_holm_is_over_the_effects_that_have_an_interval():
    """std 0.01: t of two degrees of freedom; three changes of p = 0.0247 fail, alone each holds."""
    shift = stats.t.isf(0.0247 / 2, 2) * 0.01 / 3**0.5
    one = of(shift - 0.01, shift, shift + 0.01)
    assert one.p[0] == pytest.approx(0.0247)
    single = of(9.0)
    assert effects.holm([one, single, of()]) == [one.verdict, "one run: no interval", "not run"]
    assert one.verdict == "farther, by less than a tenth"
    assert effects.holm([one, one, single]) == [one.verdict, one.verdict, single.verdict]
    assert effects.holm([one] * 3) == ["equivalent within a tenth"] * 3
    assert effects.holm([]) == [] and effects.holm([single]) == [single.verdict]


def test_what_holds_only_alone_is_a_hint():
    """p = 0.0247 each: three of them fail; the tenth of a small one holds, and is said."""
    shift = stats.t.isf(0.0247 / 2, 2) * 0.01 / 3**0.5
    small, wide = (of(*(scale * (shift + x) for x in (-0.01, 0, 0.01))) for scale in (1, 10))
    assert wide.p[0] == pytest.approx(0.0247) and wide.verdict == "farther"
    assert effects.held([wide]) == ["farther"]
    assert effects.held([wide] * 3) == ["a hint: farther"] * 3
    assert effects.held([wide], [wide, small, small]) == ["a hint: farther"]
    assert effects.held([small] * 3) == ["equivalent within a tenth"] * 3
    narrow = of(*(0.055 + x for x in (-0.015, 0, 0.015)))  # both of its tests fail beside others
    assert narrow.verdict == "farther, by less than a tenth"
    many = [narrow, *[of(0.0, 0.4, -0.1)] * 30]
    assert effects.held(many)[0] == "a hint: farther, by less than a tenth"
    assert effects.held([of(9.0), of()]) == ["one run: no interval", "not run"]


def test_distances_above_their_floor():
    """Floor 10: 30 is twice 15, and four times as far above it; at the floor there is no ratio."""
    rows = [
        {"seed": k, "side": side, "frechet": far, "frechet_floor": 10.0}
        for k in range(3)
        for side, far in (("a", 30.0), ("b", 15.0), ("c", 10.0))
    ]
    a, b, c = ({"side": side} for side in "abc")
    assert effects.effect("x", rows, [a], [b]).words.startswith("+100%")
    above = effects.above_floor(rows)
    assert effects.effect("x", above, [a], [b]).words.startswith("+300%")
    none = effects.effect("x", above, [a], [c])
    assert not none.runs and none.left_out[0] == "a distance is nan or not above 0"
    assert rows[0]["frechet"] == 30.0  # the rows stay as they are
    with pytest.raises(ValueError, match="row 1 has no frechet_floor"):
        effects.above_floor([{"frechet": 1.0}])


def test_rows_of_two_precisions_do_not_compare():
    rows = [{"N": 4, "bf16": half, "frechet_floor": 1.0} for half in (True, False)]
    assert "rows of several bf16 do not compare: True, False" in effects.differ(rows)
    assert effects.differ([rows[0], {"N": 4}]) == ""  # a row that does not say so


@pytest.mark.parametrize(
    "ratio, words",
    [(1.05, "+5.0%"), (0.867, "-13%"), (1.0, "+0.0%"), (16.46, "+1,546%"), (0.005, "-99.5%"),
     (1.0996, "+10%"), (1.0994, "+9.9%"), (2.0, "+100%")],
)  # fmt: skip
def test_relative_changes_in_words(ratio, words):
    assert effects.percent(math.log(ratio)) == words


def test_words_of_an_effect():
    x = of(math.log(1.36), math.log(1.36) + 0.01, math.log(1.36) - 0.01)
    assert x.words == "+36% (+33% to +39%)" and of(0.05).words == "+5.1%"


# ------------------------------------------------------------------- what the other lessons ask


def test_lesson_03_asks_by_the_same_rule():
    """DDIM-50 against DDPM-1000 of the shipped sweep, paired by sampling seed."""
    sweep = rows.read(cards.PRETRAINED / "sprites.sweep.jsonl", "fetch it again")
    few, most = {"sampler": "respaced", "steps": 50, "eta": 0.0}, {"steps": 1000, "eta": 1.0}
    x = effect("", sweep, [few], [most])
    assert (x.words, x.verdict, x.unit) == ("+60% (+42% to +81%)", "farther", "sampling seeds")


def test_lesson_04_s_grids_are_asked_by_the_same_rule():
    """Heun, phi* against rho = 7 at 35 calls: farther, where the mean of ratios told nothing."""
    sweep = rows.read(cards.PRETRAINED / "sprites-edm.sweep.jsonl", "fetch it again")
    phi, rho = ({"sampler": f"Heun, {grid}", "nfe": 35} for grid in ("phi*", "rho = 7"))
    x = effect("", sweep, [phi], [rho])
    mean, low, high, _ = (math.expm1(v) for v in x.interval())
    assert (mean, low, high) == pytest.approx((1.367, 0.189, 3.714), abs=0.005)
    assert x.verdict == "farther"


@pytest.mark.parametrize(
    ("rows", "sides", "said"),
    [
        ([{"seed": 0, "frechet": 1.0}], ([], []), "needs entries on both sides"),
        ([{"s": 0}], ([{}], [{}]), "row 1 has no seed, frechet; take rows of a sweep"),
        ([{"seed": 0, "frechet": "1"}], ([{}], [{}]), "frechet of .* is '1', expected a number"),
        ([3], ([{}], [{}]), "row 1 is 3"),
    ],
)
def test_what_is_no_comparison_is_refused(rows, sides, said):
    with pytest.raises(ValueError, match=said):
        effect("a", rows, *sides)
