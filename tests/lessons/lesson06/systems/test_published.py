"""The published DIP-guided DDPM: each of its faults as a number, and rows that are kept."""

import json
from dataclasses import replace

import pytest
import torch

from diffutils import Denoiser, denoisers, rng, samplers, schedules
from diffutils.course.budgets import changed
from diffutils.course.experiments import described
from diffutils.course.runs.recorded_fit import recorded_optimise
from diffutils.data import to_float
from diffutils.lessons.lesson06.budget import BUDGETS, MIXES
from diffutils.lessons.lesson06.systems import prior, published, published_rows
from diffutils.weights import files, models

SMALL = {"T": 10, "log_every": 2, "metric_samples": 4, "published_seeds": 1}
BUDGET = changed(BUDGETS["smoke"], SMALL, "lesson 06")
SCHEDULE = schedules.Discrete(schedules.cosine_betas())


@pytest.fixture(scope="module")
def data():
    return described.load_for("faces", BUDGET, 0)


@pytest.fixture(scope="module")
def dip(data):
    return prior.untrained(data, BUDGET, 0).eval().requires_grad_(False)


def training(folder, stop_after=None, kept=None):
    """A lesson's `train`, which may be killed after so many records."""

    def train(name, *task, **settings):
        settings |= {"say": lambda line: None, "save_every": 0.0 if stop_after else 180.0}
        for i, record in enumerate(recorded_optimise(folder / name, *task, **settings), 1):
            if kept is not None:
                kept.append(record)
            yield record
            if i == stop_after:
                raise InterruptedError

    return train


# ------------------------------------------------------------------- the published numbers


def test_the_published_seconds_are_derived_again():
    """42.4 s / 1000 x 200 = 8.5 s, and 0.0083 s x 1000 = 8.3 s."""
    found = {name: spent.s for name, spent in published_rows.rederived().items()}
    assert found == pytest.approx(
        {
            "a step": 0.0424,
            "200 steps": 8.48,
            "printed": 0.0083,
            "printed, without the second division": 8.3,
        }
    )
    every, few = published_rows.TABLE
    honest = published_rows.rederived()["printed, without the second division"]
    assert every["time"] / honest == pytest.approx(every["steps"] / few["steps"], rel=0.03)


# ------------------------------------------------------------------- chains on the oracle


def drawn(way, x_T):
    index = torch.arange(len(x_T))
    fresh = samplers.seeded_noise(0, index)
    return way.sampler(denoisers.gaussian(0.3, 0.25), SCHEDULE, x_T, fresh)


def named():
    return {way.name: way for way in published.ways("baseline", 1000)}


def test_skipping_without_respacing_ends_elsewhere():
    """Data N(.3, .25^2): .30/.25 by 1,000 steps, and by 200 that are respaced; .17/.61 unspaced."""
    noise = rng.normal(0, 0, torch.arange(64), (1, 16, 16), rng.START)
    want = {"DDPM": (0.30, 0.248), "respaced": (0.30, 0.242), "DDIM": (0.30, 0.246)}
    for name, (mean, std) in (want | {"unspaced": (0.17, 0.608)}).items():
        end = drawn(named()[name], noise)
        assert float(end.mean()) == pytest.approx(mean, abs=0.02), name
        assert float(end.std()) == pytest.approx(std, abs=0.015), name
    assert [named()[name].steps for name in want] == [1000, 200, 200]
    assert named()["unspaced"].steps == 201


def test_a_chain_from_the_top_forgets_its_start():
    """The same fresh noise and another start: 1e-4 apart by 1,000 steps; DDIM knows where it began.

    A constant start has no spread of its own, and the images have theirs all the same.
    """
    noise = rng.normal(0, 0, torch.arange(64), (1, 16, 16), rng.START)
    apart = {}
    for name in ("DDPM", "unspaced", "DDIM"):
        plain, other = (drawn(named()[name], x_T) for x_T in (noise, torch.ones_like(noise)))
        apart[name] = float((other - plain).square().mean().sqrt())
        if name == "DDPM":
            assert float(other.std()) == pytest.approx(0.248, abs=0.01)
    assert apart["DDPM"] < 1e-4 and apart["unspaced"] < 0.02 and apart["DDIM"] > 0.2


# ------------------------------------------------------------------- the noise that is none


def test_the_mix_is_not_noise(data, dip):
    """w = .5: variance (1 + var DIP)/4, half of what it should be; w = 1: no n is left in it."""
    x0, index = to_float(data.train[:8]), torch.arange(8)
    noise = rng.normal(0, 0, index, data.shape)
    made = {w: published.mixed(dip, w, x0, noise, index, seed=0, steps=1) for w in (0.5, 1.0)}
    assert published.mixed(dip, 0.0, x0, noise, index) is noise
    assert float(made[0.5].var()) == pytest.approx(0.25 + 0.25 * float(made[1.0].var()), rel=0.05)
    assert 0.4 < float(made[0.5].std()) < 0.65 and float(made[1.0].std()) < 0.8
    other = published.mixed(dip, 1.0, x0, -noise, index, seed=0, steps=1)
    assert torch.equal(other, made[1.0])


def test_the_loss_adds_the_errors_of_std_and_mean():
    noise = torch.tensor([[[[1.0, -1.0], [1.0, -1.0]]]])
    assert published.noise_loss(noise, noise).tolist() == [0.0]
    # All 3 too high: 9 a pixel, 9 of the mean, std alike.
    assert published.noise_loss(noise + 3, noise).tolist() == pytest.approx([9.9])
    # Twice as large: 1 a pixel, std off by sqrt(4/3), mean alike.
    assert published.noise_loss(2 * noise, noise).tolist() == pytest.approx([1 + 0.1 * 4 / 3])


def test_without_a_prior_it_is_the_loss_of_a_denoiser(data, dip):
    """Pixel by pixel |D - x0|^2 / c_out^2, on the same images, levels and noise as `fit`."""
    settings = dict(images=data.train, schedule=SCHEDULE, batch=4, seed=5, bf16=False)
    slots = torch.arange(4)
    found = published.step_loss(dip, 2, slots, **settings, dip=None, w=0.0, prior_steps=0)
    x0 = to_float(data.train[published.batch_order(5, 2, 4, len(data.train))])
    sigma = published.training_levels(SCHEDULE, 5, 2, slots, 4)
    noise = rng.normal(5, 2, slots, data.shape)
    pixels = Denoiser(dip, denoisers.eps, SCHEDULE.t).loss(x0, sigma, noise)
    assert bool((found >= pixels - 1e-4).all())
    level = sigma.view(-1, 1, 1, 1)
    eps = dip((x0 + level * noise) / (1 + level**2).sqrt(), SCHEDULE.t(sigma)).flatten(1)
    said, true = ((x.std(1), x.mean(1)) for x in (eps, noise.flatten(1)))
    more = sum((a - b).square() for a, b in zip(said, true, strict=True))
    torch.testing.assert_close(found - 0.1 * more, pixels, atol=1e-3, rtol=1e-3)


# ------------------------------------------------------------------- the trainings


def test_the_arms_are_those_of_the_budget(data, dip, tmp_path):
    assert tuple(published.ARMS) == MIXES
    with pytest.raises(ValueError, match="arm is 'mix 0.7'; choose from baseline"):
        published.pretrain("mix 0.7", data, BUDGET, 0, training(tmp_path), dip)
    with pytest.raises(ValueError, match="hand over dip="):
        published.pretrain_integrated_ddpm05(data, BUDGET, 0, training(tmp_path))


@pytest.mark.parametrize("arm", ["baseline", "mix 1.0"])
def test_a_killed_training_goes_on_to_the_same_weights(arm, data, dip, tmp_path):
    given = (data, BUDGET, 0)
    whole = published.pretrain(arm, *given, training(tmp_path / "whole"), dip)
    with pytest.raises(InterruptedError):
        published.pretrain(arm, *given, training(tmp_path / "cut", stop_after=1), dip)
    kept = []
    again = published.pretrain(arm, *given, training(tmp_path / "cut", kept=kept), dip)
    assert [record.replayed for record in kept] == [True, False]
    for a, b in zip(again.denoiser.parameters(), whole.denoiser.parameters(), strict=True):
        assert torch.equal(a, b)
    # The card beside the weights builds the same network again.
    (weights,) = (tmp_path / "whole").glob("pretrain/*/*.safetensors")
    stored = models.load_model(weights)
    assert stored.card["w"] == published.ARMS[arm] and stored.card["betas"]["name"] == "cosine"
    x = torch.ones(1, *data.shape)
    one, two = (m.denoiser(x, 0.5) for m in (whole, stored))
    torch.testing.assert_close(one, two, atol=0.01, rtol=0.01)  # weights are kept in float16


# ------------------------------------------------------------------- where a chain starts


def test_the_start_is_a_mix_with_the_prior_of_the_test_image(data, dip):
    target = to_float(data.heldout[:4])
    noise = rng.normal(0, 0, torch.arange(4), data.shape, rng.START)
    made = prior.priors(dip, target, 0, steps=2)
    for w in (0.5, 1.0):
        found = published.start(dip, noise, w, 0, target=target, steps=2)
        torch.testing.assert_close(found, w * made + (1 - w) * noise, atol=1e-5, rtol=1e-5)
    assert published.start(None, noise, 0.0, 0, target=None) is noise
    alike = published.start(dip, noise, 1.0, 0, target=None, steps=2)
    assert torch.equal(alike[0], alike[3])


# ------------------------------------------------------------------- the rows


def test_rows_are_kept_and_made_once(tmp_path):
    def all_rows(budget=BUDGET, train=None):
        train = train or training(tmp_path)
        return [*published_rows.rows("faces", budget, [0], train, tmp_path, lambda line: None)]

    def never(*task, **settings):
        raise AssertionError("what is there was made again")

    found = all_rows()
    path = tmp_path / "published.jsonl"
    assert [json.loads(line) for line in path.read_text().splitlines()] == files.finite(found)
    assert {row["arm"] for row in found} == {published_rows.DATA, *MIXES}
    known = all_rows(train=never)
    assert files.finite(known) == files.finite(found)
    # A row of the table has all that the published one has, and total seconds.
    row = next(row for row in found if row["arm"] == "mix 0.5" and row["way"] == "unspaced")
    assert {"N", "frechet", "frechet_floor", "kernel", "kernel_floor", "psnr", "ssim"} <= {*row}
    assert row["steps"] == 3 and row["target"] == "test image"
    assert row["seconds"] == pytest.approx(row["sampling_seconds"] + row["prior_seconds"])
    assert row["prior_seconds"] > 0
    # Chains of 10 levels, most of whose noise is fresh, and an untrained network.
    forgotten = {row["way"]: row for row in found if "apart" in row}
    assert forgotten["DDPM from 1"]["apart"] < 0.2 * forgotten["DDPM from 1"]["others"]
    assert forgotten["DDIM from 1"]["apart"] > 3 * forgotten["DDPM from 1"]["apart"]
    # Another budget has rows of its own, beside those.
    other = all_rows(replace(BUDGET, prior_steps=1, published_arms=("mix 1.0",)))
    assert {row["trial"]["prior_steps"] for row in other} == {1}
    assert len(path.read_text().splitlines()) == len(found) + len(other)
    path.write_text("{}\n")
    with pytest.raises(ValueError, match="delete it"):
        all_rows()
