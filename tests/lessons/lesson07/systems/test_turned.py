"""Digits that turn: a denoiser that knows one picture, at every angle, and what is measured."""

from dataclasses import replace

import pytest
import torch

from diffutils import denoisers, lessons
from diffutils.data import load, to_float
from diffutils.lessons.lesson07.systems import trained, turned
from diffutils.methods.equivariance import rotated

BUDGET = lessons.budget("07", "smoke")


@pytest.fixture(scope="module")
def digits():
    return load("digits")


@pytest.fixture(scope="module")
def one(digits):
    """A model that knows a single picture, a 7, whatever it is shown: upright data alone."""
    seven = to_float(digits.train[digits.train_labels == 7][:1])

    class Known(denoisers.Denoiser):
        def forward(self, x, sigma, labels=None, cond=None):
            return seven.to(x).expand(len(x), -1, -1, -1) + 0 * x

    made = trained.fresh("A", digits, BUDGET, 0)
    known = Known(made.denoiser.net, made.denoiser.coefficients, made.denoiser.c_noise)
    return replace(made, denoiser=known), seven


def given(steps=20, eta=0.0):
    return turned.Task(torch.tensor([7, 7]), steps, eta, 1.0, 0)


def test_the_finished_picture_is_turned_exactly(one):
    model, seven = one
    way = turned.WAYS["finished picture"]
    upright = turned.picture(model, way, 0.0, given())
    assert torch.allclose(upright, seven.expand(2, -1, -1, -1), atol=1e-4)
    made = turned.picture(model, way, 45.0, given())
    assert torch.allclose(made, rotated(upright, 45.0).clamp(-1, 1), atol=1e-5)


def test_a_network_of_upright_pictures_undoes_what_is_turned_early(one):
    """The last step ends at the estimate: the state's turns are gone, but for the last one."""
    model, _ = one
    upright = turned.picture(model, turned.WAYS["finished picture"], 0.0, given())
    early = turned.picture(model, turned.WAYS["published"], 90.0, given())
    late = turned.picture(model, turned.WAYS["estimate, late"], 90.0, given())
    each = 90 / 20  # degrees a step
    angles = turned.rotating.registered_angle(upright, early)
    assert float(angles.max()) == pytest.approx(each, abs=1)
    assert float(turned.rotating.registered_angle(upright, late).max()) < 45


def test_a_row_says_how_far_off_and_what_is_kept(digits):
    five = to_float(digits.train[digits.train_labels == 5][:6])
    labels = torch.full((6,), 5)
    made = rotated(five, 30.0).clamp(-1, 1)
    seen = []

    def judge(images, labels):
        seen.append(to_float(images))
        return 0.5

    row = turned.row(made, five, rotated(made, -turned.APART), 30.0, labels, judge)
    assert row["off"] < 1 and row["identity"] == 0.5 and row["N"] == 6
    wrong = turned.row(five, five, five, -60.0, labels, judge)
    assert row["frames"] > 25 > wrong["frames"]  # dB: the frame before turned, or not
    assert wrong["off"] == pytest.approx(60, abs=1)
    # Each is turned back by what it reached: one that stayed upright is not judged lying.
    assert torch.allclose(seen[0], rotated(made, -30.0).clamp(-1, 1), atol=0.05)
    assert torch.allclose(seen[1], five, atol=0.05)


def test_angles_are_compared_the_short_way_round():
    angle = torch.tensor([170.0, -170.0, 10.0, float("nan")])
    assert turned.off(angle, -180.0)[:3].tolist() == [10.0, 10.0, 170.0]


def test_a_set_without_these_digits_is_refused():
    with pytest.raises(ValueError, match="choose a set of digits"):
        turned.task(load("sprites", limit=20), 1, 10, 0.0, 1.0, 0)


def test_noise_that_is_turned_changes_the_start_and_nothing_else(one):
    model, _ = one
    way = turned.WAYS["start noise"]
    first = next(turned.drawn(model, way, 45.0, given()))
    plain = next(turned.drawn(model, way, 0.0, given()))
    assert not torch.allclose(first, plain)
    assert float(first.std()) == pytest.approx(float(plain.std()), rel=0.05)
