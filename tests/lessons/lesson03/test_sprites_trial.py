"""The published DDIM experiment on trial: numbers against those made by hand, and "not run"."""

import math
import re
from dataclasses import replace
from statistics import mean, stdev
from types import SimpleNamespace

import pytest
import torch

from diffutils import denoisers, schedules
from diffutils.course.experiments import measure, sampling, sweep
from diffutils.course.experiments import rows as rows_
from diffutils.course.lesson import COLUMNS
from diffutils.data import ImageSet
from diffutils.denoisers import Denoiser
from diffutils.lessons import budget
from diffutils.lessons.lesson03 import sprites_trial
from diffutils.methods import textbook
from diffutils.metrics import distances, intervals, spaces
from diffutils.metrics.spaces import Space
from diffutils.unet import UNet
from diffutils.weights.models import Model

T = 6
PIXELS = Space("four pixels", lambda x: x[:, 0].flatten(1)[:, :4].double() / 25)
NO_FID, FID = budget("03", "smoke"), budget("03", "smoke", {"fid": True})


def network(seed):
    torch.manual_seed(seed)
    net = UNet(channels=(8,), blocks=1, attention=(False,))
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(T, 0.1, 0.5))
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return Model(denoiser, schedule, schedule, {"size": 4})


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
    monkeypatch.setattr(spaces, "named", lambda name, device: asked.append(name) or PIXELS)
    yield PIXELS
    assert set(asked) == {"inception"}


def row(steps, eta, heldout, train=2.0, training=0, seed=0, sampler="respaced", floor=2.0):
    return dict(
        sampler=sampler,
        steps=steps,
        eta=eta,
        seed=seed,
        N=150,
        training=training,
        frechet=heldout,
        frechet_train=train,
        frechet_floor=floor,
        features="some features",
    )


ROWS = ("fid_train", "fid_heldout", "fid_ddim", "all_steps", "fewer_steps", "tenth")


def claims(rows, *, dataset="noise", models, data, chosen=NO_FID, seed=7, folder=None):
    """The rows of the claim table by a name of their own, in their order."""
    found = sprites_trial.sprites_trial(dataset, models, data, rows, chosen, seed, folder)
    assert all(set(r) <= set(COLUMNS) and r["claim"] and r["protocol"] for r in found)
    assert all(len(r.get("measured", "")) < 150 for r in found)
    return SimpleNamespace(**dict(zip(ROWS, found, strict=True)), all=found)


def not_run(*found):
    return all("measured" not in r and "N" not in r and "seeds" not in r for r in found)


# ------------------------------------------------------------------- the FID


def published(denoise, schedule, z, noise):
    """The published chain, step by step: mean of the posterior, variance beta, no clipping."""
    plan = textbook.respaced(schedule.betas, schedules.trailing(T, T))
    *_, x = textbook.walk(denoise, z, plan, textbook.ddpm_beta, noise)
    return x


def drawn(model, sampler, n=8, **settings):
    return torch.cat(list(sampling.drawn(model, torch.arange(n), sampler, seed=7, **settings)))


def test_the_published_sampler_has_variance_beta_and_does_not_clip(models):
    images = drawn(models[0], sprites_trial.published_ddpm, clip=False)
    assert (images.int() - drawn(models[0], published, clip=False).int()).abs().max() <= 1
    for other in (
        drawn(models[0], sampling.respaced(T, 1.0), clip=False),
        drawn(models[0], sprites_trial.published_ddpm),
    ):
        assert (images.int() - other.int()).abs().float().mean() > 3


def by_hand(models, real, n):
    """The FID of each model's images to real ones, in single calls."""
    images = [
        measure.generate(model, n, sampler=published, clip=False, seed=7 + k)
        for k, model in enumerate(models)
    ]
    return [distances.frechet(PIXELS.features(x), PIXELS.features(real[:n])) for x in images]


@pytest.mark.parametrize("most", [3_000, 20])
def test_fid_of_two_trainings(models, data, inception, monkeypatch, most):
    """All 50 that both sides have, or the first 20, as the published 3,000 are the first ones."""
    assert sprites_trial.PUBLISHED_N == 3_000
    monkeypatch.setattr(sprites_trial, "PUBLISHED_N", most)
    n, sets = min(50, most), 1 if most > 50 else 3
    found = claims([], models=models, data=data, chosen=FID)
    floors = [
        distances.frechet(PIXELS.features(x), PIXELS.features(data.heldout[:n]))
        for x in data.train[: sets * n].split(n)
    ]
    floor_std = f" (std {stdev(floors):.2f})" if sets > 1 else ""
    for r, real in ((found.fid_train, data.train), (found.fid_heldout, data.heldout)):
        values = by_hand(models, real, n)
        fid, spread, floor = numbers(r["measured"], "{} (std {}); floor {}")
        assert (fid, spread) == pytest.approx((mean(values), stdev(values)), abs=0.02)
        assert floor == pytest.approx(mean(floors), abs=0.006)
        assert r["N"] == n and r["seeds"] == "2 training, 1 sampling each"
        for part in (
            "all T steps",
            "variance beta_t",
            "no clipping",
            "no class asked",
            "our U-Net instead of ContextUnet",
            "training as in this profile",
            "random order",
            "a sampling seed of its own",
            "four pixels",
            f"held-out against {sets} times {n} training images{floor_std};",
        ):
            assert part in r["protocol"]
    assert found.fid_train["measured"] != found.fid_heldout["measured"]
    assert found.fid_train["published"] == f"31.997 (N = {most:,})"
    assert "published" not in found.fid_heldout
    claim = f"FID of {n} DDPM samples, {T} steps, against "
    assert found.fid_train["claim"] == claim + "training images"
    assert found.fid_heldout["claim"] == claim + "held-out images"


def numbers(text, pattern):
    """The numbers that stand in a text where a pattern has {}."""
    escaped = re.escape(pattern).replace(re.escape("{}"), r"([-+\d.]+)")
    return tuple(map(float, re.fullmatch(escaped, text).groups()))


def test_fid_of_one_training_has_no_std(models, data, inception):
    found = claims([], models=models[:1], data=data, chosen=FID)
    (value,) = by_hand(models[:1], data.train, 50)
    fid, _ = numbers(found.fid_train["measured"], "{}; floor {}")
    assert fid == pytest.approx(value, abs=0.02)
    assert found.fid_train["seeds"] == "1 training, 1 sampling each"
    assert "std" not in found.fid_ddim["protocol"]


def ddim_by_hand(models, data, steps, eta):
    """Mean distances to training and held-out images over the models, and their std."""
    n = len(data.heldout)
    images = [
        measure.generate(model, n, steps=steps, eta=eta, seed=7 + k)
        for k, model in enumerate(models)
    ]
    features = [*map(PIXELS.features, images)]
    values = [
        [distances.frechet(x, PIXELS.features(real[:n])) for x in features]
        for real in (data.train, data.heldout)
    ]
    means, stds = ([f"{f(v):.1f}" for v in values] for f in (mean, stdev))
    return f"{steps}: {' / '.join(means)}", f"{steps}: {' / '.join(stds)}"


def test_fid_of_ddim_at_each_number_of_steps(models, data, inception):
    assert FID.grid_steps == (2, 4) and FID.grid_etas == (0.0, 1.0)
    found = claims([], models=models, data=data, chosen=FID).fid_ddim
    means, stds = zip(*(ddim_by_hand(models, data, n, 0.0) for n in (2, 4)), strict=True)
    ddpm = [ddim_by_hand(models, data, n, 1.0)[0] for n in (2, 4)]
    floor = distances.frechet(PIXELS.features(data.train[:50]), PIXELS.features(data.heldout))
    assert found["claim"] == (
        "FID of DDIM by steps: against training images / against held-out images"
    )
    assert found["measured"] == ", ".join(means)
    assert (found["N"], found["seeds"]) == (50, "2 training, 1 sampling each")
    for part in (
        f"floor {floor:.1f};",
        f"DDPM, posterior variance: {', '.join(ddpm)};",
        f"std of DDIM over trainings: {', '.join(stds)};",
        "estimates clipped, no class",
        "a sampling seed of its own",
    ):
        assert part in found["protocol"]
    assert "bfloat16" not in found["protocol"]


def test_fid_of_ddim_goes_on_after_a_kill(models, data, inception, tmp_path, monkeypatch):
    """Rows of each model in a folder of its own; with all of them there nothing is drawn."""
    first = claims([], models=models, data=data, chosen=FID, folder=tmp_path)
    assert sorted(x.name for x in tmp_path.iterdir()) == ["fid-0", "fid-1"]
    kept = [rows_.read(tmp_path / f"fid-{k}" / "sweep.jsonl", "") for k in (0, 1)]
    assert [{row["seed"] for row in rows} for rows in kept] == [{7}, {8}]
    monkeypatch.setattr(sweep, "generate", None)
    assert claims([], models=models, data=data, chosen=FID, folder=tmp_path).all == first.all


def test_fid_of_ddim_in_bfloat16_says_so(models, data, inception, tmp_path):
    chosen = replace(FID, bf16=True, grid_steps=(2,))
    found = claims([], models=models[:1], data=data, chosen=chosen, folder=tmp_path)
    rows = rows_.read(tmp_path / "fid-0" / "sweep.jsonl", "")
    assert [(row["steps"], row["bf16"]) for row in rows] == [(2, True)] * 2
    assert "network in bfloat16" in found.fid_ddim["protocol"]


def test_fid_without_ddim_in_the_grid(models, data, inception):
    found = claims([], models=models[:1], data=data, chosen=replace(FID, grid_etas=(1.0,)))
    protocol = found.fid_ddim["protocol"]
    assert not_run(found.fid_ddim) and "no DDIM (eta 0)" in protocol and "set noise" in protocol
    assert not not_run(found.fid_train)


@pytest.fixture
def nothing_drawn(monkeypatch):
    monkeypatch.setattr(sprites_trial, "generate", None)
    monkeypatch.setattr(sprites_trial, "sweep", None)


def fids(found):
    return found.fid_train, found.fid_heldout, found.fid_ddim


def test_fid_is_measured_when_asked_only(models, data, nothing_drawn, monkeypatch):
    monkeypatch.setattr(spaces, "named", None)
    found = claims([], models=models, data=data)
    assert not_run(*fids(found))
    assert all("profiles full and published" in r["protocol"] for r in fids(found))
    assert found.fid_train["claim"].startswith("FID of 3,000 DDPM samples, 6 steps")
    asked = {
        profile: budget("03", profile).fid for profile in ("smoke", "student", "full", "published")
    }
    assert asked == {"smoke": False, "student": False, "full": True, "published": True}


def test_fid_without_weights_says_how_to_get_them(models, data, nothing_drawn, empty):
    found = fids(claims([], models=models, data=data, chosen=FID))
    assert not_run(*found)
    for r in found:
        assert "Inception weights are missing" in r["protocol"]
        assert "python -m diffutils data get inception" in r["protocol"]


@pytest.mark.parametrize("n, runs", [(4, False), (5, True)])
def test_fid_needs_more_images_than_features(models, data, inception, n, runs):
    few = replace(data, heldout=data.heldout[:n])
    for r in fids(claims([], models=models, data=few, chosen=FID)):
        assert not_run(r) != runs
        why = "only 4 images on each side, but a covariance of 4 features"
        assert (why in r["protocol"]) != runs


@pytest.mark.parametrize(
    "dataset, published",
    [
        ("sprites-dlai", True),
        ("sprites", False),
        ("folder:/a{b}", False),
    ],
)
def test_the_data_set_is_named(models, data, inception, dataset, published):
    rows = [row(50, 0.0, 3.0, seed=k) for k in (0, 1)] + [row(T, 1.0, 3.0, seed=k) for k in (0, 1)]
    for r in claims(rows, dataset=dataset, models=models[:1], data=data, chosen=FID).all:
        assert f"data set {dataset}" in r["protocol"] and "measured" in r
        assert ("not the published one" in r["protocol"]) != published


# ------------------------------------------------------------------- the sweep


def test_ddpm_at_all_steps_is_a_mean_of_trainings(models, data):
    """Training 0: (3 + 5)/2/2 = 2 and 1; training 1: 8/2 = 4 and 2; other rows do not count."""
    rows = [
        row(T, 1.0, 3.0, train=1.0),
        row(T, 1.0, 5.0, train=3.0, seed=1),
        row(T, 1.0, 8.0, train=4.0, training=1),
        row(2, 1.0, 99.0),
        row(T, 0.5, 99.0),
        row(T, 1.0, 99.0, sampler="unspaced skip"),
    ]
    found = claims(rows, models=models, data=data).all_steps
    assert found["claim"] == "DDPM, all steps: against training images / against held-out images"
    # changes: (-2/3 - 2/5)/2 = -8/15 and -1/2; half of the interval 12.7 * (1/30) / 2
    assert found["measured"] == (
        "1.5 (std 0.7) / 3.0 (std 1.4) times the floor; -51.7% (-72.8% to -30.5%), "
        "nearer to training images: yes"
    )
    assert (found["N"], found["seeds"]) == (150, "2 training, 2 sampling")
    assert "some features" in found["protocol"] and "over 2 trainings" in found["protocol"]


@pytest.mark.parametrize(
    "train, said",
    [
        ((3.6, 3.4), "yes"),
        ((4.4, 4.6), "no"),
        ((3.6, 4.6), "cannot be told"),
    ],
)
def test_one_network_is_a_hint_of_being_nearer_to_training_images(models, data, train, said):
    """Held-out 4: changes of -10 and -15 %, +10 and +15 %, -10 and +15 %; half is 12.7 * 2.5 %."""
    rows = [row(T, 1.0, 4.0, train=x, seed=k) for k, x in enumerate((*train, *train, *train))]
    found = claims(rows, models=models[:1], data=data).all_steps
    assert found["measured"].endswith(
        f", nearer to training images: {said} (one network: a hint only)"
    )
    changes = [x / 4 - 1 for x in train] * 3
    middle, low, high = intervals.student_interval(changes)
    assert f"; {middle:+.1%} ({low:+.1%} to {high:+.1%}), nearer" in found["measured"]
    assert "over 6 sampling seeds" in found["protocol"]


def test_equal_distances_are_not_nearer(models, data):
    rows = [row(T, 1.0, 2.0, train=2.0, seed=k) for k in range(3)]
    found = claims(rows, models=models[:1], data=data).all_steps
    assert "nearer to training images: no" in found["measured"]


def test_ddpm_at_fewer_steps_says_so_and_one_run_has_no_interval(models, data):
    found = claims([row(2, 1.0, 3.0), row(4, 1.0, 5.0)], models=models, data=data).all_steps
    assert found["claim"].startswith("DDPM, 4 of 6 steps:")
    assert found["measured"] == (
        "1.0 / 2.5 times the floor; nearer to training images: cannot be told"
    )
    assert "one run has no interval" in found["protocol"]


def test_ddim_by_steps(models, data):
    rows = [
        row(20, 0.0, 12.0, train=5.0),
        row(10, 0.0, 18.0),
        row(10, 0.0, 19.0, train=6.0, seed=1),
        row(20, 1.0, 24.0),
        row(10, 0.5, 99.0),
        row(20, 0.0, 99.0, sampler="unspaced skip"),
    ]
    for r in rows:
        del r["training"]  # rows of one network need not say so
    found = claims(rows, models=models[:1], data=data).fewer_steps
    assert found["measured"] == "10: 9.2, 20: 6.0"
    assert found["published"] == "claimed, but all 1000 steps were run"
    assert "DDPM: 20: 12.0;" in found["protocol"] and "std" not in found["protocol"]
    assert "against training images, as published: 10: 2.0, 20: 2.5;" in found["protocol"]
    assert (found["N"], found["seeds"]) == (150, "1 training, 2 sampling")
    rows.append(row(10, 0.0, 39.0, training=1))
    several = claims(rows, models=models, data=data).fewer_steps
    assert several["measured"] == "10: 14.4, 20: 6.0"  # of 9.25 and 19.5
    assert "with std over trainings: 10: 14.4 (std 7.2), 20: 6.0;" in several["protocol"]


TENTH_CASES = {  # DDIM in 50 steps / DDPM in all, by run
    "inside": ((1.06, 1.07, 1.08), "yes"),
    "farther": ((1.14, 1.15, 1.16), "no"),
    "nearer": ((0.84, 0.85, 0.86), "no"),
    "across the upper end": ((1.05, 1.10, 1.15), "cannot be told"),
    "across the lower end": ((0.85, 0.90, 0.95), "cannot be told"),
    "wide": ((0.5, 1.0, 1.5), "cannot be told"),
}


@pytest.mark.parametrize("by", ["seed", "training"])
@pytest.mark.parametrize("ratios, said", TENTH_CASES.values(), ids=TENTH_CASES)
def test_ddim_in_fifty_steps_is_within_a_tenth(models, data, ratios, said, by):
    rows = [row(50, 0.0, 4 * x, **{by: k}) for k, x in enumerate(ratios)]
    rows += [row(T, 1.0, 4.0, **{by: k}) for k in range(3)]
    others = [
        row(50, 1.0, 99.0),
        row(T, 0.0, 99.0),
        row(50, 0.0, 99.0, sampler="unspaced skip"),
        row(20, 0.0, 99.0, seed=9),
    ]
    found = claims([*rows, *others], models=models, data=data).tenth
    assert found["claim"] == f"DDIM in 50 steps is within a tenth of DDPM in {T}"
    middle, low, high = intervals.student_interval([x - 1 for x in ratios])
    assert found["measured"] == f"{middle:+.1%} ({low:+.1%} to {high:+.1%}): {said}"
    assert f"calls of the network: 50 against {T}" in found["protocol"]
    what = {"seed": "3 sampling seeds", "training": "3 trainings"}[by]
    assert what in found["protocol"] and "some features" in found["protocol"]
    seeds = {"seed": "1 training, 3 sampling", "training": "3 training, 1 sampling"}[by]
    assert (found["N"], found["seeds"]) == (150, seeds)


def test_a_tenth_without_its_rows_is_not_run(models, data):
    few, most = row(50, 0.0, 4.0), row(T, 1.0, 4.0)
    for rows, why in (
        ([], "no DDIM row of 50 steps"),
        ([most], "no DDIM row of 50 steps"),
        ([few], f"no DDPM row of {T}"),
        ([few, most], "an interval needs two runs or more"),
        ([few, most, most | {"seed": 1}], "for every seed"),
    ):
        found = claims(rows, models=models, data=data).tenth
        assert not_run(found) and why in found["protocol"]


@pytest.mark.parametrize("lost", ["frechet", "frechet_train", "frechet_floor"])
def test_nan_never_stands_in_the_table(models, data, lost):
    rows = [row(50, 0.0, 4.0, seed=k) for k in (0, 1)] + [row(T, 1.0, 4.0, seed=k) for k in (0, 1)]
    found = claims(rows, models=models, data=data)
    assert not any(not_run(r) for r in found.all[3:])
    found = claims([r | {lost: math.nan} for r in rows], models=models, data=data)
    for r in found.all[3:]:
        assert not_run(r) and "nan" not in str(r)
        assert "150 images are too few for distances on some features" in r["protocol"]


def test_measured_is_short_in_the_published_profile(models, data, inception, monkeypatch):
    """Seven numbers of steps, three trainings, distances of three digits: `claims` measures it."""
    chosen = replace(budget("03", "published"), bf16=False)
    trainings = range(3)

    def swept(model, data, space, *, steps, etas, seeds, **settings):
        return [row(n, eta, 123.4, train=120.1) for eta in etas for n in steps]

    monkeypatch.setattr(sprites_trial, "sweep", swept)
    rows = [
        row(n, eta, 123.4 + k, train=120.1 - k, training=k, floor=0.9)
        for k in trainings
        for n in chosen.grid_steps
        for eta in (0.0, 1.0)
    ]
    rows += [row(T, 1.0, 123.4 + k, training=k, floor=0.9) for k in trainings]
    found = claims(rows, models=[*models, models[0]], data=data, chosen=chosen)
    assert not any(not_run(r) for r in found.all)
    assert found.fid_ddim["measured"].endswith("500: 120.1 / 123.4, 1000: 120.1 / 123.4")


def test_rows_that_are_missing_leave_a_claim_not_run(models, data):
    old = {k: v for k, v in row(T, 1.0, 3.0).items() if k != "frechet_train"}
    for rows, measured in (([], 0), ([row(4, 0.5, 3.0)], 0), ([old], 0), ([row(4, 0.0, 3.0)], 1)):
        found = claims(rows, models=models, data=data)
        assert not_run(found.all_steps) and "no DDPM row" in found.all_steps["protocol"]
        assert not_run(found.fewer_steps) != bool(measured)


def test_rows_of_several_n_are_refused_before_anything_is_drawn(models, data, nothing_drawn):
    with pytest.raises(ValueError, match="N = 150, 200"):
        rows = [row(4, 0.0, 3.0), row(8, 0.5, 3.0) | {"N": 200}]
        claims(rows, models=models, data=data, chosen=FID)
