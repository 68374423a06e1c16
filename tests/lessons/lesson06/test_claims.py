"""What the rows that ship say: tables, sentences and claims of lesson 06, and a published clock."""

from diffutils.lessons.lesson06 import claims, figures
from diffutils.lessons.lesson06.systems import published_rows, restored, starts, verdicts

DIP, STARTS = restored.shipped_rows(), starts.shipped_rows()
PUBLISHED = published_rows.shipped_rows()


def test_every_claim_is_measured():
    rows = list(claims.rows(DIP, STARTS, PUBLISHED))
    assert len(rows) == 8 and not any("why" in row for row in rows)
    assert all(len(str(row["measured"])) < 100 for row in rows)


def test_nothing_is_claimed_without_rows():
    rows = list(claims.rows([], [], []))
    assert len(rows) == 8 and all(row["why"] for row in rows)


def test_the_published_row_is_that_of_the_evaluated_weights():
    """The evaluation ran the baseline's weights from the prior, in 1000 steps: the same chains."""
    found = verdicts.differences(PUBLISHED)
    assert set(found) == set(verdicts.CHANGES) and {x.N for x in found.values()} == {3}
    assert abs(found["started from the prior"].mean) < 10
    assert found["a fifth of the steps, unspaced"].low > 100
    by = {row["claim"]: row for row in claims.published_claims(PUBLISHED)}
    assert by["the same in 200 steps"]["verdict"] == "worse"


def test_more_steps_take_longer_and_a_prior_is_paid():
    own = {row["way"]: row for row in PUBLISHED if row["arm"] == "baseline" and "seconds" in row}
    assert own["DDPM"]["seconds"] > 3 * own["respaced"]["seconds"]
    assert own["DDPM from DIP"]["seconds"] > own["DDPM"]["seconds"]


def test_tables_are_for_people():
    tables = (
        claims.dip_table(DIP[:8]),
        verdicts.starts_table(STARTS),
        verdicts.published_table(PUBLISHED),
    )
    further = (
        verdicts.closeness_table(PUBLISHED),
        verdicts.forgets_table(PUBLISHED),
        verdicts.published_sentence(PUBLISHED),
        verdicts.answers_table(STARTS),
    )
    for table in (*tables, *further):
        assert all(len(line) <= 100 for line in table.splitlines())
    assert verdicts.starts_table(STARTS).count("\n") <= 12 + 4


def test_starts_with_dip_lose_and_the_figure_shows_them():
    mean, low, high = verdicts.paired(
        verdicts.best_of(STARTS, "DIP(y) + noise"), verdicts.best_of(STARTS, "y as a state")
    )
    assert low < mean < high < 0
    names = {text.get_text() for text in figures.tradeoff(STARTS).legends[0].texts}
    assert "y as a state, DDIM" in names and not any(n.startswith("pure noise") for n in names)
