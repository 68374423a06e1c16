"""Lesson 02's trial: what its arms train with, how they are drawn, what they leave behind."""

import pytest
import torch

from diffutils import data, samplers
from diffutils.course.budgets import budget
from diffutils.lessons.lesson02 import faces_trial


def test_the_clamped_state_is_the_published_one():
    x = torch.tensor([-9.0, 0.5, 3.0])
    clamped = faces_trial.clamp_state(samplers.Step(0, x, None, None, x, torch.tensor(2.0)))
    assert torch.allclose(clamped / 5**0.5, (x / 5**0.5).clamp(-1, 1))


def test_a_trial_without_steps_says_not_run():
    rows = faces_trial.faces_trial(budget("02", "student"), 0, None)
    assert [row["claim"] for row in rows] and all("measured" not in row for row in rows)


def test_both_arms_of_the_trial_train_and_draw():
    few = {
        "trial_steps": 3,
        "seeds": 2,
        "images": 32,
        "metric_samples": 4,
        "log_every": 3,
        "channels": (16, 16, 16),
        "pixels": 8 * 64 * 64,
    }
    names = []

    def train(name, *arguments, **settings):
        names.append(name)
        return training.fit(*arguments, **settings)

    rows = faces_trial.faces_trial(budget("02", "smoke", few), 0, train)
    assert [row["claim"] for row in rows] == [
        faces_trial.CLAIM.format(arm) for arm in faces_trial.ARMS
    ]
    assert names == [
        f"trial/{arm.replace(' ', '-')}-seed-{seed}" for arm in faces_trial.ARMS for seed in (0, 1)
    ]
    for row in rows:
        assert row["N"] == 4 and row["seeds"] == "2 training" and "3 steps of 8" in row["protocol"]


def test_the_trial_trains_where_a_lesson_keeps_it():
    """One folder for each arm and seed, so that a killed trial goes on where it was."""
    names = []

    def train(name, denoiser, images, schedule, *, steps, seed, **settings):
        names.append((name, steps, seed))
        yield SimpleNamespace(ema=denoiser)

    few = {"trial_steps": 3, "images": 10, "channels": (16, 16, 16)}
    for arm in faces_trial.ARMS:
        faces_trial.train_arm(
            arm, data.load("faces", size=64, limit=8), budget("02", "smoke", few), 5, train=train
        )
    assert names == [("trial/as-published-seed-5", 3, 5), ("trial/corrected-seed-5", 3, 5)]


def test_the_arms_differ_where_the_protocol_says():
    seen = {}

    def train(name, denoiser, images, schedule, **settings):
        seen[settings["decay"].__name__] = settings | {"betas": schedule.betas}
        yield SimpleNamespace(ema=denoiser)

    chosen = budget("02", "smoke", {"trial_steps": 40, "images": 10})
    faces = data.load("faces", size=64, limit=8)
    for arm in faces_trial.ARMS:
        faces_trial.train_arm(arm, faces, chosen, 0, train)
    published, corrected = seen["constant"], seen["cosine"]
    assert (published["distance"], corrected["distance"]) == (torch.abs, torch.square)
    assert published["optimizer"] is torch.optim.Adam and published["lr"] == 1e-3
    assert published["ema"] == published["warmup"] == 0 and corrected["ema"] > 0.99
    assert float(published["betas"][-1]) == 0.02
    assert corrected["betas"][-1] / published["betas"][-1] == pytest.approx(1000 / 300)
