"""Lesson 03's budget: what it refuses, and the published setting."""

import pytest

from diffutils.lessons import budget


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"grid_steps": "10,2000"}, "grid_steps has 2000, expected 1 to T = 1000 steps"),
        ({"skip_steps": [0]}, "skip_steps has 0, expected at least 1"),
        ({"T": 100}, "long_steps has 1000, expected 1 to T = 100"),
        ({"long_steps": 4}, "long_steps is 4, expected at least 5"),
        ({"grid_etas": "0,1.5"}, "grid_etas has 1.5, expected a number from 0 to 1"),
        ({"grid_etas": "-1"}, "grid_etas has -1.0, expected a number from 0 to 1"),
        ({"sampling_seeds": 0}, "sampling_seeds is 0, expected at least 1"),
        ({"beta_min": 0.5}, "expected 0 < beta_min <= beta_max < 1"),
    ],
)
def test_a_wrong_grid_is_refused(overrides, said):
    with pytest.raises(ValueError, match=said):
        budget("03", "student", overrides)


def test_lesson_03_at_the_published_setting():
    """T = 1000, linear beta, Adam 1e-3 constant, 40 epochs of 60,000 in batches of 100; N 3,000."""
    from diffutils import data
    from diffutils.course.experiments.described import batch_for, betas

    chosen = budget("03", "published")
    assert betas(chosen) == {
        "name": "linear",
        "arguments": {"T": 1000, "beta_min": 1e-4, "beta_max": 0.02},
    }
    assert (chosen.optimizer, chosen.decay) == ("adam", "constant")
    assert (chosen.lr, chosen.warmup) == (1e-3, 0)
    assert batch_for(data.load("sprites", limit=8), chosen) == 100
    assert chosen.steps * 100 == 40 * 60_000 and chosen.images == 60_000
    assert (chosen.metric_samples, chosen.class_dropout, chosen.pretrained) == (3_000, 1, False)
