"""Results travel as text: what arrives is what was sent, and nothing else can arrive."""

import json

import numpy as np
import pytest
import torch

from diffutils.course.exercises.call import Outcome
from diffutils.course.exercises.compare import Foreign, same
from diffutils.course.grading import wire

VALUES = [
    None, ..., True, 3, -2.5, float("nan"), float("inf"), 1 + 2j, (1, [2.0, None]), [],
    np.float64(0.5), np.int8(3), np.arange(6.0).reshape(2, 3), np.zeros((0, 2), "float32"),
    torch.tensor(1.5), torch.arange(6).view(2, 3).t(), torch.ones(2, dtype=torch.bfloat16),
    torch.tensor([True, False]), torch.tensor(2 + 1j), np.array(3.0), Foreign("set"),
]  # fmt: skip
FORGED = [
    "x", {}, {"is": "pickle", "data": "gASVAAA="}, {"is": "tuple"}, {"is": "complex", "parts": []},
    {"is": "array", "dtype": "O", "shape": [1], "data": "", "number": False},
    {"is": "array", "dtype": "<f8", "shape": [3], "data": "AAAA", "number": False},
    {"is": "array", "dtype": "<f8", "shape": [-1], "data": "", "number": False},
    {"is": "array", "dtype": "<f8", "shape": [10**30, 0], "data": "", "number": False},
    {"is": "tensor", "dtype": "float128", "shape": [1], "data": ""},
]  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: str(value)[:20])
def test_what_arrives_is_what_was_sent(value):
    arrived = wire.unpacked(json.loads(json.dumps(wire.packed(value))))
    assert same(arrived, value) or repr(arrived) == repr(value) == "nan"


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (np.zeros(wire.MOST + 1), "array"),
        (torch.zeros(wire.MOST + 1), "tensor"),
        (10**1000, "digits"),
        (np.array(["a"]), "array"),
    ],
)
def test_what_no_exercise_asks_for_arrives_as_foreign(value, kind):
    arrived = wire.unpacked(json.loads(json.dumps(wire.packed(value))))
    assert isinstance(arrived, Foreign) and kind in arrived.kind


@pytest.mark.parametrize("forged", FORGED, ids=lambda value: str(value)[:30])
def test_nothing_else_can_arrive(forged):
    with pytest.raises((ValueError, KeyError, TypeError, OverflowError)):
        wire.unpacked(forged)


def test_an_outcome_arrives_with_fields_of_its_types():
    sent = Outcome(result=(1.0, torch.ones(2)), error="no", printed="x", edited=[0], changed=["a"])
    arrived = wire.outcome_of(json.loads(wire.line(wire.outcome_as_json(sent))))
    assert same(arrived.result, sent.result)
    assert (arrived.error, arrived.printed, arrived.edited) == ("no", "x", [0])
    assert arrived.changed == ["a"] and arrived.borrowed is False
    forged = wire.outcome_as_json(Outcome()) | {"error": {"a": 1}}
    with pytest.raises(TypeError):
        wire.outcome_of(forged)
    longer = wire.outcome_of(wire.outcome_as_json(Outcome()) | {"printed": "x" * 10**6})
    assert len(longer.printed) == wire.LONGEST
