"""What README says of the claims of lessons 03 and 04 is what the rows that ship say."""

import re

import pytest
import readme_claims

HEADER = "| published | what the lessons show | its authors would object | where |"


@pytest.fixture(scope="module")
def table(root):
    text = (root / "README.md").read_text(encoding="utf-8")
    return text[text.index(HEADER) :].partition("\n\n")[0]


def test_every_sentence_is_the_one_that_the_rows_make(table):
    """If not: python tests/helpers/readme_claims.py prints them."""
    for sentence in readme_claims.sentences():
        assert sentence in table or sentence[0].upper() + sentence[1:] in table, sentence


def test_every_claim_says_what_its_authors_would_object_and_where_it_is_shown(table):
    for line in table.splitlines()[2:]:
        claim, _, objection, where = (cell.strip() for cell in line.strip("| ").split(" | "))
        assert objection != "-" or "not run" in line, claim
        assert re.fullmatch(r"0[1-7], \d[\d., –a-z]*", where), claim
