"""What counts as the right result: rounding, tensors and lists, odd objects."""

import numpy as np
import pytest
import torch
from doubling import TASK

from diffutils.course.exercises.verdict import RIGHT, WRONG, judge
from diffutils.lessons import exercises


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
    ],
)
def test_odd_results_are_wrong_not_fatal(result):
    for id in ("1.1", "2.1", "2.2"):  # an array, two values, one number are expected
        assert judge(exercises()[id], lambda *a: result).status == WRONG


@pytest.mark.parametrize(("off", "status"), [(1e-9, RIGHT), (1e-4, WRONG)])
def test_rounding_is_forgiven_and_an_error_is_not(off, status):
    assert judge(TASK, lambda x: 2 * x + np.where(x == x.max(), off, 0)).status == status


def test_right_answers_may_come_as_tensors_and_lists():
    task = exercises()["2.1"]
    assert judge(task, lambda *a: list(task.reference(*a))).status == RIGHT
