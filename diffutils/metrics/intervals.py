"""Intervals: what a number that was measured a few times would be, measured for ever."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64
from torch import Tensor


class Interval(NamedTuple):
    """A mean, the ends of its interval (nan where there is none), and how many values it is of."""

    mean: float
    low: float
    high: float
    N: int


def mean_interval(values: Sequence[float] | Float[Tensor, "N"], level: float = 0.95) -> Interval:
    """Mean of independent values, and Student's interval for what it would be of very many.

    mean -/+ t std / sqrt(N), N - 1 degrees of freedom.  Three values: t = 4.30, so 2.5 standard
    deviations on each side; ten: 0.7.  One value has no interval, none has no mean: nan.
    Source: Student 1908, "The probable error of a mean".
    """
    from scipy import stats

    x = torch.as_tensor(values, dtype=torch.float64)
    n, mean = len(x), float(x.mean())
    if n < 2:
        return Interval(mean, math.nan, math.nan, n)
    # scipy.stats.ttest_1samp has the same interval, but warns where the values are equal.
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * float(x.std()) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half, n)


def bootstrap_interval(
    statistic: Callable[[Int64[Tensor, "resamples n"]], Float[Tensor, "resamples"]],
    n: int,
    level: float = 0.95,
    resamples: int = 200,
    seed: int = 0,
) -> tuple[float, float]:
    """Low and high quantile of a statistic over resamples of n things, drawn with replacement.

    statistic: indices of the things in each resample -> its value there, one a resample.  One
    thing has no interval: nan, nan.  Source: Efron 1979, "Bootstrap methods".
    """
    if n < 2:
        return math.nan, math.nan
    random = torch.Generator().manual_seed(seed)
    found = statistic(torch.randint(n, (resamples, n), generator=random))
    ends = found.new_tensor([(1 - level) / 2, (1 + level) / 2])
    low, high = found.quantile(ends, interpolation="nearest").tolist()
    return low, high
