"""Intervals: Student's by the book, how often it holds the mean, and the bootstrap's quantiles."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from diffutils.metrics import intervals
from diffutils.metrics.intervals import bootstrap_interval, mean_interval


def test_student_interval_of_three_numbers():
    """1, 2, 3: 2 -/+ 4.3027 x 1/sqrt(3); 90 %: 2.9200."""
    found = mean_interval([1.0, 2.0, 3.0])
    half = 4.302653 / 3**0.5
    assert found == pytest.approx((2, 2 - half, 2 + half, 3), abs=1e-5)
    assert (found.mean, found.low, found.high, found.N) == tuple(found)
    narrow = mean_interval(torch.tensor([1.0, 2.0, 3.0]), 0.9)
    half = 2.919986 / 3**0.5
    assert narrow == pytest.approx((2, 2 - half, 2 + half, 3), abs=1e-5)


@pytest.mark.parametrize("n, level", [(2, 0.95), (7, 0.9), (40, 0.99)])
def test_it_is_that_of_scipys_t_test(n, level):
    x = np.random.default_rng(n).normal(3, 2, n)
    want = stats.ttest_1samp(x, 0).confidence_interval(level)
    assert mean_interval(x.tolist(), level) == pytest.approx(
        (x.mean(), want.low, want.high, n), rel=1e-12
    )


def test_it_covers_as_often_as_it_says():
    z = torch.randn(4000, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = [mean_interval(values) for values in z]
    inside = sum(i.low <= 0 <= i.high for i in found)
    assert inside / 4000 == pytest.approx(0.95, abs=0.014)  # 4 standard errors


@pytest.mark.parametrize("value", [0.5, 0.0, -1e300, 1e-300])
def test_equal_values_have_an_interval_without_width(value):
    assert mean_interval([value] * 3)[1:3] == pytest.approx((value, value), rel=1e-15)


def test_one_value_has_no_interval_and_none_has_no_mean():
    one = mean_interval([0.5])
    assert (one.mean, one.N) == (0.5, 1) and math.isnan(one.low) and math.isnan(one.high)
    none = mean_interval([])
    assert none.N == 0 and all(map(math.isnan, none[:3]))


def test_the_bootstrap_of_a_mean_is_near_its_normal_interval():
    x = torch.randn(400, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    low, high = bootstrap_interval(lambda i: x[i].mean(1), len(x), resamples=4000)
    want = mean_interval(x)
    assert (low, high) == pytest.approx((want.low, want.high), abs=0.01)
    again = bootstrap_interval(lambda i: x[i].mean(1), len(x), resamples=4000)
    other = bootstrap_interval(lambda i: x[i].mean(1), len(x), resamples=4000, seed=1)
    assert again == (low, high) != other


def test_the_bootstraps_ends_are_values_that_it_saw():
    """A statistic that has few values, such as the best of a list, keeps to them."""
    low, high = bootstrap_interval(lambda i: i.max(1).values.double(), 5)
    assert {low, high} <= {0.0, 1.0, 2.0, 3.0, 4.0} and high == 4
    assert all(map(math.isnan, bootstrap_interval(lambda i: i.double().mean(1), 1)))


def test_the_old_name_refuses_one_run():
    assert intervals.student_interval([1.0, 2.0, 3.0]) == mean_interval([1.0, 2.0, 3.0])[:3]
    with pytest.raises(ValueError, match="two runs or more, got 1; add seeds"):
        intervals.student_interval([1.0])
