"""What the rows of turned digits that ship say: a table, and claims that follow from them."""

from diffutils.lessons.lesson07 import claims, figures
from diffutils.lessons.lesson07.systems import trained, turned

TURNS = turned.shipped_rows()


def test_every_way_was_measured_at_every_angle():
    found = {(row["way"], row["chain"], row["degrees"]) for row in TURNS}
    chains = ("DDIM", "DDPM")
    assert found == {(w, c, a) for w in turned.WAYS for c in chains for a in turned.ANGLES}
    assert {row["weights"] for row in TURNS} == {"digits-a"}


def test_turned_late_digits_arrive_and_stay_themselves():
    """At most 5 degrees off, at least 90 % keep their class; the published way does neither."""
    for chain in ("DDIM", "DDPM"):
        late = turned.summary(TURNS, "A", chain, "late")
        published = turned.summary(TURNS, "A", chain, "published")
        assert late["off"] <= 5 and late["identity"] >= 0.9
        assert published["off"] > 20 and published["identity"] < 0.7
        assert late["kernel"] < published["kernel"] / 5


def test_tables_are_for_people_and_claims_say_what_was_not_run():
    assert all(len(line) <= 100 for line in claims.turned_table(TURNS).splitlines())
    rows = {row["claim"]: row for row in claims.rows(trained.shipped_rows(), TURNS)}
    assert len(rows) == 5
    published, late = (row for name, row in rows.items() if name.startswith("turning"))
    assert published["verdict"] == "does not hold" and late["verdict"] == "holds"
    assert all("why" in row for name, row in rows.items() if name.startswith("filters"))
    assert all("why" in row for row in claims.rows([], []))


def test_the_figure_shows_each_way():
    fig = figures.angles(TURNS, ("late", "published"))
    assert [ax.get_title() for ax in fig.axes] == ["late", "published"]
