"""The published prior is a frozen network on random input: what a fit of that input does to it."""

from dataclasses import replace

import pytest
import torch

from diffutils import rng
from diffutils.course.experiments import described
from diffutils.course.runs.recorded_fit import recorded_optimise
from diffutils.data import to_float
from diffutils.lessons.lesson06.budget import BUDGETS
from diffutils.lessons.lesson06.systems import prior

BUDGET = BUDGETS["smoke"]


@pytest.fixture(scope="module")
def data():
    return described.load_for("faces", BUDGET, 0)


def training(folder, stop_after=None):
    """A lesson's `train`, which may be killed after so many records."""

    def train(name, *task, **settings):
        settings |= {"say": lambda line: None, "save_every": 0.0 if stop_after else 180.0}
        for i, record in enumerate(recorded_optimise(folder / name, *task, **settings), 1):
            yield record
            if i == stop_after:
                raise InterruptedError

    return train


@pytest.fixture(scope="module")
def dip(data, tmp_path_factory):
    return prior.pretrain_dip(data, BUDGET, 0, training(tmp_path_factory.mktemp("dip")))


@pytest.fixture(scope="module")
def target(data):
    return to_float(data.heldout[:4])


def same(a, b):
    torch.testing.assert_close(a, b, atol=1e-5, rtol=1e-5)


# ------------------------------------------------------------------- the network


def test_a_hundred_steps_leave_a_random_network_a_random_network(data, dip):
    """No weight moves by more than lr x steps; the package's own start would answer grey."""
    torch.manual_seed(3)
    before = torch.random.get_rng_state()
    begun = prior.untrained(data, BUDGET, 0)
    assert torch.equal(torch.random.get_rng_state(), before)
    ways = [(a - b).abs().max() for a, b in zip(dip.parameters(), begun.parameters(), strict=True)]
    assert 0 < max(ways) <= prior.LR * prior.STEPS * 1.01
    z = rng.normal(0, 0, torch.arange(4), data.shape)
    with torch.no_grad():
        assert 0.2 < float(prior.answer(begun, z).std()) < 0.8
    assert not any(p.requires_grad for p in dip.parameters()) and not dip.training


def test_its_training_sees_one_batch(data, tmp_path):
    """Other images than its eight may be anything."""
    chosen = prior.batch_order(0, 0, prior.BATCH, len(data.train))
    other = torch.zeros_like(data.train)
    other[chosen] = data.train[chosen]
    sets = {"own": data, "other": replace(data, train=other)}
    own, again = (
        prior.pretrain_dip(data, BUDGET, 0, training(tmp_path / name), steps=5)
        for name, data in sets.items()
    )
    for a, b in zip(again.parameters(), own.parameters(), strict=True):
        assert torch.equal(a, b)


def test_a_killed_training_goes_on_to_the_same_weights(data, tmp_path):
    given = (data, BUDGET, 0)
    whole = prior.pretrain_dip(*given, training(tmp_path / "whole"), steps=8)
    with pytest.raises(InterruptedError):
        prior.pretrain_dip(*given, training(tmp_path / "cut", stop_after=2), steps=8)
    replayed = []

    def watched(*task, **settings):
        for record in training(tmp_path / "cut")(*task, **settings):
            replayed.append(record.replayed)
            yield record

    again = prior.pretrain_dip(*given, watched, steps=8)
    assert replayed == [True, True, False, False]
    for a, b in zip(again.parameters(), whole.parameters(), strict=True):
        assert torch.equal(a, b)


# ------------------------------------------------------------------- the input that is fitted


def test_the_published_fit_hardly_moves_and_knows_no_image(dip, target):
    """By 1e-3; the jitter changes ten times as much; own and other images are as far away."""
    found = prior.moved(dip, target, 0)
    assert found["bound"] == pytest.approx(1e-3)
    assert 0.5 * found["bound"] < found["moved"] <= 1.1 * found["bound"]
    assert 10 * found["changed"] < found["changed_by_jitter"] < 0.1 * found["output"]
    assert found["own"] == pytest.approx(found["other"], rel=0.1)


def test_a_fit_that_moves_would_be_seen(dip, target):
    found = prior.moved(dip, target, 0, steps=60, lr=0.05, jitter=0.0)
    assert found["own"] < 0.8 * found["other"] and found["moved"] > 0.3


def test_a_prior_depends_on_its_own_numbers_alone(dip, target):
    """Not on its neighbours in the batch; on seed, draw, stream and index."""
    index = torch.arange(4)
    whole = prior.fitted(dip, target, index, 0, steps=3).output
    same(prior.fitted(dip, target[2:3], index[2:3], 0, steps=3).output, whole[2:3])
    same(prior.priors(dip, target, 0, steps=3), whole)
    for other in ({"seed": 1}, {"draw": 1}, {"stream": rng.AUGMENT}):
        made = prior.fitted(dip, target, index, **{"seed": 0, "steps": 3} | other).output
        assert float((made - whole).abs().mean()) > 0.1
    assert whole.abs().max() <= 1


def test_the_best_of_the_outputs_is_given(dip, target):
    """Of many jittered ones the least error; more of them are no worse."""
    few, many = (prior.fitted(dip, target, torch.arange(4), 0, steps=n) for n in (1, 20))
    assert bool((many.error <= few.error).all())
    error = (many.output - target).square().flatten(1).mean(1)
    assert bool((error <= many.error + 1e-6).all())  # clamping comes nearer to images


def test_the_fall_back_is_one_prior_for_all(dip, target):
    made = prior.fallback(dip, target, 0, steps=2)
    assert made.shape == target.shape and torch.equal(made[0], made[3])
    assert made.min() == -1 and made.max() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"lr": -1.0}, "lr is -1.0"),
        ({"jitter": float("nan")}, "jitter is nan"),
        ({"target": torch.zeros(4, 3, 8, 8, dtype=torch.uint8)}, "to_float"),
        ({"index": torch.arange(3)}, "3 priors need as many targets"),
    ],
)
def test_what_makes_no_fit_is_refused(dip, target, wrong, words):
    given = {"target": target, "index": torch.arange(4), "seed": 0, "steps": 1} | wrong
    with pytest.raises(ValueError, match=words):
        prior.fitted(dip, **given)


def test_a_network_that_is_not_frozen_is_refused(data, target):
    for net in (prior.untrained(data, BUDGET, 0), None):
        with pytest.raises(ValueError, match="pretrain_dip"):
            prior.fitted(net, target, torch.arange(4), 0)
    with pytest.raises(ValueError, match="2 or more"):
        prior.moved(prior.untrained(data, BUDGET, 0), target[:1], 0)
