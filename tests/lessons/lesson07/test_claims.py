"""What the rows of turned digits that ship say: a table, and claims that follow from them."""

from diffutils.lessons.lesson07 import claims, figures
from diffutils.lessons.lesson07.systems import trained, turned

TURNS, TRIAL = turned.shipped_rows(), trained.shipped_rows()


def test_every_way_was_measured_at_every_angle():
    found = {(row["way"], row["chain"], row["degrees"]) for row in TURNS}
    chains = ("DDIM", "DDPM")
    assert found == {(w, c, a) for w in turned.WAYS for c in chains for a in turned.ANGLES}
    assert {row["weights"] for row in TURNS} == {"digits-a"}


def test_turned_late_digits_arrive_and_stay_themselves():
    """At most 5 degrees off, at least 90 % keep their class; the published way does not arrive."""
    for chain in ("DDIM", "DDPM"):
        late = turned.summary(TURNS, "A", chain, "late")
        published = turned.summary(TURNS, "A", chain, "published")
        assert late["off"] <= 5 and late["identity"] >= 0.9
        assert published["off"] > 20 and published["frames"] < late["frames"] - 10
        assert late["kernel"] < published["kernel"] / 5


def test_tables_are_for_people_and_claims_say_what_was_not_run():
    tables = (claims.turned_table(TURNS), claims.trial_table(TRIAL), claims.runs_table(TRIAL))
    assert all(len(line) <= 100 for table in tables for line in table.splitlines())
    rows = {row["claim"]: row for row in claims.rows([], TURNS)}
    assert len(rows) == 9
    published, late = (row for name, row in rows.items() if name.startswith("turning"))
    assert published["verdict"] == "does not hold" and late["verdict"] == "holds"
    assert all("why" in row for name, row in rows.items() if name.startswith("filters"))
    assert all("why" in row for row in claims.rows([], []))


def test_the_figure_shows_each_way():
    fig = figures.angles(TURNS, ("late", "published"))
    assert [ax.get_title() for ax in fig.axes] == ["late", "published"]


def test_the_trial_that_ships_has_three_trainings_of_each_arm_and_no_claim_is_left_open():
    found = [(row["arm"], row["training"]) for row in TRIAL]
    assert len(set(found)) == len(found)
    for arm in {arm for arm, _ in found}:
        assert {training for name, training in found if name == arm} == {0, 1, 2}
    assert all("measured" in row for row in claims.rows(TRIAL, TURNS))


def test_a_difference_is_judged_by_its_sign():
    rows = [
        {"arm": arm, "training": k, "N": 4, "trial": {"dataset": "digits", "steps": 5}, "x": x + k}
        for arm, x in (("A", 0.0), ("R", 10.0))
        for k in range(3)
    ]
    for above, verdict in ((True, "holds"), (False, "does not hold")):
        cells = claims.compared(rows, "R", lambda row: row["x"], "x", ".1f", above)
        assert cells["verdict"] == verdict and "+10.0 (+10.0 to +10.0)" in cells["measured"]
    assert claims.compared(rows, "D-2N", lambda row: row["x"], "x", ".1f") == {
        "why": "no rows of it"
    }


def test_the_published_table_has_ours_beside():
    row = {"arm": "D-2N", "trial": {"dataset": "mnist"}, "scores": {"IS": 2, "FID": 11, "KID": 0.5}}
    table = claims.published_table([row, row | {"scores": {}}]).splitlines()
    assert len(table) == 2 + 13 + 1 + 3
    assert table[14].endswith("mnist 2.00 / 11.00 / 0.50 (1)") and "82.46" in table[14]
    assert table[13].endswith("not run") and table[-1].endswith("mnist --set images=19999")
