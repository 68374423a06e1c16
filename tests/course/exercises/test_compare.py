"""What counts as the right result: rounding, tensors and lists, odd objects."""

import math
from copy import deepcopy
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
import torch
from doubling import TASK

from diffutils.course.exercises.compare import difference, same
from diffutils.course.exercises.verdict import RIGHT, WRONG, judge
from diffutils.lessons import exercises


class Number(float):
    shape = 5

    def evil(self, *_, **__):
        raise ValueError("evil")

    __float__ = __array__ = __eq__ = __bool__ = __len__ = __reduce__ = __format__ = evil


class Evil(torch.Tensor):
    @classmethod
    def __torch_function__(cls, *_, **__):
        raise ValueError("evil")


class Named(type):
    @property
    def __name__(cls):
        raise ValueError("evil")


class NoName(metaclass=Named):
    pass


@pytest.mark.filterwarnings("ignore:.*nested tensors")
@pytest.mark.parametrize(
    "result",
    [
        np.ma.array([2.0, 4.0]),
        torch.tensor([2.0, 4.0]).to_sparse(),
        10**400,
        1j,
        {},
        [],
        torch.tensor(1.0, dtype=torch.bfloat16),
        np.array("x"),
        object(),
        [1.0, "a"],
        Number(7),
        [Number(7)] * 2,
        torch.ones(2).as_subclass(Evil),
        NoName(),
        Decimal("sNaN"),
        Fraction(1, 3),
        np.datetime64("NaT"),
        np.zeros(2, dtype=[("a", "f8")]),
        torch.empty(2, device="meta"),
        torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8),
        torch.nested.nested_tensor([torch.ones(2), torch.ones(3)]),
        torch.ones(2).to(torch.float8_e4m3fn),
        torch.ones(2, dtype=torch.complex64).conj(),
        torch.zeros(1).expand(10**12),
        np.broadcast_to(np.zeros(1), (10**12,)),
    ],
)
def test_odd_results_are_wrong_not_fatal(result, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)  # in a thread of this process
    for id in ("1.1", "2.1", "2.2"):  # an array, two values, one number are expected
        assert judge(exercises()[id], lambda *a: result).status == WRONG


def retyped(x):
    x.dtype = "i8"
    return 2 * x.view("f8")


def reshaped(x):
    x.shape = (-1, 1)
    return 2 * x[:, 0]


@pytest.mark.parametrize("answer", [retyped, reshaped])
def test_an_argument_of_another_type_or_shape_is_an_edited_one(answer):
    verdict = judge(TASK, answer)
    assert verdict.status == WRONG and "changes its input `x` in place" in verdict.words


def test_an_argument_that_holds_nan_is_not_an_edited_one():
    assert same(np.array([1, np.nan]), np.array([1, np.nan]))
    assert not same(np.array([1, np.nan]), np.array([1, 2.0]))


@pytest.mark.parametrize(("off", "status"), [(1e-9, RIGHT), (1e-4, WRONG)])
def test_rounding_is_forgiven_and_an_error_is_not(off, status):
    assert judge(TASK, lambda x: 2 * x + np.where(x == x.max(), off, 0)).status == status


def test_right_answers_may_come_as_tensors_and_lists():
    task = exercises()["2.1"]
    assert judge(task, lambda *a: list(task.reference(*a))).status == RIGHT


def test_nan_twice_is_the_same_answer():
    for nan in (math.nan, np.float64("nan"), (np.float64("nan"), 1.0), torch.tensor(math.nan)):
        assert same(nan, deepcopy(nan))
    assert not same(math.nan, 1.0) and not same(1.0, math.nan)


def test_nan_is_right_where_it_is_expected_and_only_there():
    right = np.array([1.0, np.nan, 3.0])
    assert difference(right.copy(), right, 1e-6) is None
    invented = difference(np.array([1.0, 0.0, 3.0]), right, 1e-6)
    assert "0 at index (1,)" in invented.yours and invented.expected == "nan"
    assert difference(np.array([np.nan, np.nan, 3.0]), right, 1e-6) is not None
    assert difference(np.array([1.0, np.nan, 3.1]), right, 1e-6) is not None
