"""Rows that ship say which weights and which code they are of, or that nobody noted it then."""

import json
import re

import pytest

from diffutils.course.experiments import rows, sweep
from diffutils.weights import cards, models

FILES = sorted(cards.PRETRAINED.glob("*.jsonl"))
# Files whose rows were all made before rows had fingerprints, and do not say so row by row.
BEFORE = {
    "colourist.trial.jsonl": "rows of lesson 05's trial",
    "digits.trial.jsonl": "rows of lesson 07's trainings",
    "digits.turned.jsonl": "rows of lesson 07's walks; they name their weights, not their code",
    "faces.published.jsonl": "rows of lesson 06's published system",
    "faces64.starts.jsonl": "rows of lesson 06's starts",
    "photos.dip.jsonl": "rows of lesson 06's priors, which have no weights",
}
LOGS = ".log.jsonl"  # of the training of the weights beside it, whose card has their SHA-256


def test_the_exceptions_are_files_that_ship():
    assert BEFORE.keys() <= {file.name for file in FILES}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_row_says_which_weights_and_which_code_made_it(file):
    if file.name in BEFORE:
        return
    if file.name.endswith(LOGS):
        card = cards.read_card(cards.PRETRAINED / file.name.replace(LOGS, ".safetensors"))
        assert re.fullmatch("[0-9a-f]{64}", card["sha256"])
        return
    for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
        for key in ("weights", "code"):
            assert re.fullmatch("[0-9a-f]{16}", row[key]) or row[key] == rows.UNKNOWN, key


@pytest.mark.parametrize("name", ["sprites", "sprites-edm"])
def test_rows_of_shipped_weights_have_their_fingerprint(name):
    """Of every sweep: the two networks that ship, and no others."""
    known = {sweep.weights_of(models.pretrained(name)) for name in ("sprites", "sprites-edm")}
    found = rows.read(cards.PRETRAINED / f"{name}.sweep.jsonl", "")
    assert {row["weights"] for row in found} <= known
    if (starts := cards.PRETRAINED / f"{name}.starts.jsonl").exists():
        assert {row["weights"] for row in rows.read(starts, "")} <= known
