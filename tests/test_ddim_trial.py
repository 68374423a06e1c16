"""The published DDIM experiment on trial: numbers against those made by hand, and "not run"."""

from dataclasses import replace
from statistics import mean, stdev
from types import SimpleNamespace

import pytest
import torch

from diffutils import denoisers, feature_spaces, metrics, schedules
from diffutils.course import ddim_trial, evaluate
from diffutils.course.budgets import budget
from diffutils.course.lesson import COLUMNS
from diffutils.data import ImageSet
from diffutils.denoisers import Denoiser
from diffutils.feature_spaces import Space
from diffutils.unet import UNet

T = 6
PIXELS = Space("four pixels", lambda x: x[:, 0].flatten(1)[:, :4].double() / 255)
NO_FID, FID = budget("03", "smoke"), budget("03", "smoke", {"fid": True})


def network(seed):
    torch.manual_seed(seed)
    net = UNet(channels=(8,), blocks=1, attention=(False,))
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(T, 0.1, 0.5))
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return SimpleNamespace(denoiser=denoiser, schedule=schedule, card={"size": 4})


@pytest.fixture(scope="module")
def models():
    return [network(0), network(1)]


@pytest.fixture(scope="module")
def data():
    random = torch.Generator().manual_seed(0)
    train, heldout = torch.randint(0, 256, (2, 60, 3, 4, 4), generator=random).byte()
    return ImageSet("noise", train, heldout[:50])


@pytest.fixture
def inception(monkeypatch):
    """Four pixels in the place of Inception's features."""
    asked = []
    monkeypatch.setattr(feature_spaces, "named", lambda name, device: asked.append(name) or PIXELS)
    yield PIXELS
    assert set(asked) == {"inception"}


def row(steps, eta, heldout, train=2.0, training=0, seed=0, sampler="respaced"):
    return dict(sampler=sampler, steps=steps, eta=eta, seed=seed, N=150, training=training,
                frechet=heldout, frechet_train=train, frechet_floor=2.0,
                features="some features")  # fmt: skip


def claims(rows, *, dataset="noise", models, data, chosen=NO_FID, seed=7):
    found = ddim_trial.sprites_trial(dataset, models, data, rows, chosen, seed)
    assert all(set(r) <= set(COLUMNS) and r["claim"] and r["protocol"] for r in found)
    return found


# ------------------------------------------------------------------- the FID


def by_hand(models, real, n):
    """The FID of each model's images to real ones, in single calls."""
    drawn = [
        evaluate.generate(model, n, steps=T, eta=1.0, seed=7 + k) for k, model in enumerate(models)
    ]
    return [metrics.frechet(PIXELS.features(x), PIXELS.features(real[:n])) for x in drawn]


@pytest.mark.parametrize("most", [3_000, 30])
def test_fid_of_two_trainings(models, data, inception, monkeypatch, most):
    """All 50 that both sides have, or the first 30, as the published 3,000 are the first ones."""
    assert ddim_trial.PUBLISHED_N == 3_000
    monkeypatch.setattr(ddim_trial, "PUBLISHED_N", most)
    n = min(50, most)
    train, heldout = claims([], models=models, data=data, chosen=FID)[:2]
    floor = metrics.frechet(PIXELS.features(data.train[:n]), PIXELS.features(data.heldout[:n]))
    for found, real in ((train, data.train), (heldout, data.heldout)):
        values = by_hand(models, real, n)
        assert found["measured"] == (
            f"{mean(values):.2f} (std {stdev(values):.2f}); floor {floor:.2f}"
        )
        assert found["N"] == n and found["seeds"] == "2 training, 1 sampling"
        assert f"{T} steps" in found["protocol"] and "four pixels" in found["protocol"]
    assert train["measured"] != heldout["measured"]
    assert train["published"] == "31.997" and "published" not in heldout
    assert train["claim"].endswith("against training images")
    assert heldout["claim"].endswith("against held-out images")


def test_fid_of_one_training_has_no_std(models, data, inception):
    found = claims([], models=models[:1], data=data, chosen=FID)[0]
    (value,) = by_hand(models[:1], data.train, 50)
    assert found["measured"].startswith(f"{value:.2f}; floor ")
    assert found["seeds"] == "1 training, 1 sampling"


@pytest.fixture
def nothing_drawn(monkeypatch):
    monkeypatch.setattr(ddim_trial, "generate", None)


def not_run(found):
    return all("measured" not in r and "N" not in r and "seeds" not in r for r in found)


def test_fid_is_measured_when_asked_only(models, data, nothing_drawn, monkeypatch):
    monkeypatch.setattr(feature_spaces, "named", None)
    found = claims([], models=models, data=data)[:2]
    assert not_run(found) and all("profiles full and published" in r["protocol"] for r in found)
    fids = {profile: budget("03", profile).fid for profile in ("smoke", "student", "full",
                                                               "published")}  # fmt: skip
    assert fids == {"smoke": False, "student": False, "full": True, "published": True}


def test_fid_without_weights_says_how_to_get_them(models, data, nothing_drawn, empty):
    found = claims([], models=models, data=data, chosen=FID)[:2]
    assert not_run(found)
    for r in found:
        assert "Inception weights are missing" in r["protocol"]
        assert "python -m diffutils data get inception" in r["protocol"]


@pytest.mark.parametrize("n, runs", [(4, False), (5, True)])
def test_fid_needs_more_images_than_features(models, data, inception, n, runs):
    few = replace(data, heldout=data.heldout[:n])
    found = claims([], models=models, data=few, chosen=FID)[:2]
    assert not_run(found) != runs
    if not runs:
        assert "only 4 images on each side, but a covariance of 4 features" in found[0]["protocol"]


@pytest.mark.parametrize("dataset, published", [
    ("sprites-dlai", True), ("sprites", False), ("folder:/a{b}", False),
])  # fmt: skip
def test_the_data_set_is_named(models, data, inception, dataset, published):
    rows = [row(10, 0.0, 3.0), row(T, 1.0, 3.0)]
    for found in claims(rows, dataset=dataset, models=models[:1], data=data, chosen=FID):
        assert f"data set {dataset}" in found["protocol"] and "measured" in found
        assert ("not the published one" in found["protocol"]) != published


# ------------------------------------------------------------------- the sweep


def test_ddpm_at_all_steps_is_a_mean_of_trainings(models, data):
    """Training 0: (3 + 5)/2/2 = 2 and 1; training 1: 8/2 = 4 and 2; other rows do not count."""
    rows = [
        row(T, 1.0, 3.0, train=1.0), row(T, 1.0, 5.0, train=3.0, seed=1),
        row(T, 1.0, 8.0, train=4.0, training=1),
        row(2, 1.0, 99.0), row(T, 0.5, 99.0), row(T, 1.0, 99.0, sampler="unspaced skip"),
    ]  # fmt: skip
    found = claims(rows, models=models, data=data)[2]
    assert found["claim"] == "DDPM, all steps: against training images / against held-out images"
    assert found["measured"] == "1.5 (std 0.7) / 3.0 (std 1.4) times the floor"
    assert (found["N"], found["seeds"]) == (150, "2 training, 2 sampling")
    assert "some features" in found["protocol"]


def test_ddpm_at_fewer_steps_says_so(models, data):
    found = claims([row(2, 1.0, 3.0), row(4, 1.0, 5.0)], models=models, data=data)[2]
    assert found["claim"].startswith("DDPM, 4 of 6 steps:")
    assert found["measured"] == "1.0 / 2.5 times the floor"


def test_ddim_by_steps(models, data):
    rows = [
        row(20, 0.0, 12.0, train=5.0), row(10, 0.0, 18.0), row(10, 0.0, 19.0, train=6.0, seed=1),
        row(20, 1.0, 24.0), row(10, 0.5, 99.0), row(20, 0.0, 99.0, sampler="unspaced skip"),
    ]  # fmt: skip
    for r in rows:
        del r["training"]  # rows of one network need not say so
    found = claims(rows, models=models[:1], data=data)[3]
    assert found["measured"] == "10: 9.2, 20: 6.0"
    assert found["published"] == "claimed, but all 1000 steps were run"
    assert "DDPM: 20: 12.0;" in found["protocol"]
    assert "against training images, as published: 10: 2.0, 20: 2.5;" in found["protocol"]
    assert (found["N"], found["seeds"]) == (150, "1 training, 2 sampling")
    several = claims([*rows, row(10, 0.0, 39.0, training=1)], models=models, data=data)[3]
    assert several["measured"] == "10: 14.4 (std 7.2), 20: 6.0"  # of 9.25 and 19.5


def test_rows_that_are_missing_leave_a_claim_not_run(models, data):
    old = {k: v for k, v in row(T, 1.0, 3.0).items() if k != "frechet_train"}
    for rows, measured in (([], 0), ([row(4, 0.5, 3.0)], 0), ([old], 0), ([row(4, 0.0, 3.0)], 1)):
        *_, ddpm, ddim = claims(rows, models=models, data=data)
        assert not_run([ddpm]) and "no DDPM row" in ddpm["protocol"]
        assert not_run([ddim]) != bool(measured)


def test_rows_of_several_n_are_refused(models, data):
    with pytest.raises(ValueError, match="N = 150, 200"):
        claims([row(4, 0.0, 3.0), row(8, 0.0, 3.0) | {"N": 200}], models=models, data=data)
