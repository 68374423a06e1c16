"""Arms that go on from a pretrained network: equal calls, and a learning rate chosen by each."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from diffutils import lessons, schedules
from diffutils.course.experiments import described
from diffutils.lessons.lesson05.inputs.triples import triples
from diffutils.lessons.lesson05.systems import trial, tunings
from diffutils.lessons.lesson05.systems.configs import CONFIGS
from diffutils.weights import models

BUDGET = lessons.budget("05", "student")
SMOKE = lessons.budget("05", "smoke")


@pytest.mark.parametrize(
    ("arm", "calls"),
    [
        ("more denoising", 1),
        ("one step tuned", 1),
        ("refined K=1", 1 + 9 / 3),
        ("refined K=3", 3 + 7 / 3),
        ("refined all steps", 10),
        ("animediffusion refined", 10 + 10 / 3),  # the way up to the noise has no gradient
    ],
)
def test_every_arm_spends_equally_many_calls(arm, calls):
    steps = tunings.steps_of(arm, BUDGET)
    assert steps * calls * BUDGET.refine_batch == pytest.approx(BUDGET.passes, rel=0.02)


def test_all_arms_are_in_the_trial():
    assert trial.ARMS == ("base", *tunings.TUNED)
    assert not {*trial.ARMS} & {*trial.PRETRAINED}


def test_the_levels_of_an_arms_walk():
    data = described.load_for("faces", SMOKE, 0)
    frame = models.build(described.card(data, SMOKE, 0, "x", **CONFIGS["ssimbad"].card), blank=True)
    own, one, rho = (
        tunings.levels_of(frame, tunings.TUNED[arm], BUDGET)
        for arm in ("refined K=3", "one step tuned", "refined on rho=7")
    )
    assert len(own) == 11 and one.tolist() == pytest.approx([80.0, 0.0])
    assert torch.equal(rho, schedules.levels(schedules.karras(), 10)) and not torch.equal(own, rho)


def test_rates_are_compared_on_images_that_are_not_measured():
    data = described.load_for("faces", SMOKE, 0)
    parts = triples(data, SMOKE.kinds)
    part = tunings.validation(parts, SMOKE)
    n = min(SMOKE.metric_samples, len(data.heldout) // 2)
    assert torch.equal(part.images, data.heldout[n : 2 * n])
    assert torch.equal(part.references["other"], parts["heldout"].references["other"][n : 2 * n])


def test_the_rate_with_the_least_error_is_taken_and_a_known_one_not_fitted(monkeypatch):
    made = []

    def tuned(arm, base, data, parts, budget, seed, train):
        made.append(budget.refine_lr)
        return SimpleNamespace(lr=budget.refine_lr)

    monkeypatch.setattr(tunings, "tuned", tuned)
    monkeypatch.setattr(tunings, "validation", lambda parts, budget: None)
    monkeypatch.setattr(tunings, "end_error", lambda arm, model, *rest: abs(model.lr - 2e-3))
    budget = replace(BUDGET, refine_lrs=(1e-4, 1e-3, 1e-2))
    model, about = tunings.fitted("refined K=1", None, None, {}, budget, 0, None)
    assert (model.lr, about) == (1e-3, {"lr": 1e-3, "tuning_steps": 125}) and len(made) == 3
    model, about = tunings.fitted("refined K=1", None, None, {}, budget, 0, None, lr=1e-2)
    assert about["lr"] == 1e-2 and made[3:] == [1e-2]
