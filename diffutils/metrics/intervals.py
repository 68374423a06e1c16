"""Intervals for a mean: what the course says of a number that was measured a few times."""

import math
from collections.abc import Sequence

import torch

# ------------------------------------------------------------------- what the rows say


def student_interval(values: Sequence[float], level: float = 0.95) -> tuple[float, float, float]:
    """Mean of independent runs, and Student's interval for what their mean would be (low, high).

    mean -/+ t std / sqrt(k), with k - 1 degrees of freedom (Student 1908).  Three runs: t = 4.30,
    so 2.5 standard deviations on each side; ten: 0.7.
    Raises: ValueError for fewer than two runs.
    """
    from scipy import stats

    if len(values) < 2:
        raise ValueError(f"an interval needs two runs or more, got {len(values)}; add seeds")
    values = torch.tensor(values, dtype=torch.float64)
    k, mean = len(values), float(values.mean())
    half = float(stats.t.ppf((1 + level) / 2, k - 1)) * float(values.std()) / math.sqrt(k)
    return mean, mean - half, mean + half
