"""Slips that show in any result are named; what only looks like one is not."""

import numpy as np
import pytest
import torch

from diffutils.course.exercises.model import Case
from diffutils.course.exercises.relations import relation

X = [np.array([0.7, 1.9, -2.3]), np.array([0.2, 3.1])]
CASES = [Case((x, 2.0), 1.5 * x + 4, "About.") for x in X]
PAIRS = [Case((x, 2.0), (x + 1, float(x.sum())), "About.") for x in X]


def named(answer, cases=CASES):
    found = relation([(case, answer(case.expected, *case.arguments)) for case in cases], ["x", "a"])
    return found and found[0]


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (lambda right, x, a: -right, "sign"),
        (lambda right, x, a: right**2, "squared"),
        (lambda right, x, a: np.sqrt(right), "rooted"),
        (lambda right, x, a: 1 / right, "upside down"),
        (lambda right, x, a: np.log(right), "logarithm"),
        (lambda right, x, a: np.exp(right), "exponential"),
        (lambda right, x, a: 0.5 * right, "factor"),
        (lambda right, x, a: right + 0.25, "offset"),
        (lambda right, x, a: x, "argument returned"),
        (lambda right, x, a: np.full_like(x, 4.0), "constant"),
        (lambda right, x, a: right * (1 + x), None),
        (lambda right, x, a: right.astype(np.float32), None),
        (lambda right, x, a: right[:-1], None),
        (lambda right, x, a: "text", None),
        (lambda right, x, a: [1, "a"], None),
    ],
)
def test_a_pattern_in_all_results_is_named(answer, name):
    assert named(answer) == name


def test_a_pattern_in_some_results_is_none():
    assert named(lambda right, x, a: -right if len(x) == 2 else right) is None
    assert named(lambda right, x, a: right * (2 if len(x) == 2 else 3)) is None


def test_few_values_may_be_chance():
    assert named(lambda right, x, a: 2 * right, [Case((1.0, 2.0), 3.0, "About.")]) is None


def test_values_in_another_order_are_named():
    assert named(lambda right, x, a: right[::-1], PAIRS) == "order"
    assert named(lambda right, x, a: list(right[::-1]), PAIRS) == "order"
    assert named(lambda right, x, a: (right[0], -right[1]), PAIRS) is None


def test_tensors_and_numbers_alike():
    cases = [Case((v,), torch.tensor(v).exp(), "About.") for v in (0.3, 1.1, 2.7, -0.4)]
    results = [(case, -case.expected) for case in cases]
    assert relation(results, ["v"])[0] == "sign"
    results = [(case, -float(case.expected)) for case in cases]
    assert relation(results, ["v"])[0] == "sign"
