"""The published DDIM experiment on trial: numbers against those made by hand, and "not run"."""

import math
import re
from dataclasses import replace
from statistics import mean, stdev
from types import SimpleNamespace

import pytest
import torch
from printed import cells

from diffutils import denoisers, schedules
from diffutils.course.experiments import measure, sampling, sweep
from diffutils.course.experiments import rows as rows_
from diffutils.course.tables import claim_table
from diffutils.data import ImageSet
from diffutils.denoisers import Denoiser
from diffutils.lessons import budget
from diffutils.lessons.lesson03 import sprites_trial
from diffutils.methods import textbook
from diffutils.metrics import distances, spaces
from diffutils.metrics.spaces import Space
from diffutils.unet import UNet
from diffutils.weights import cards
from diffutils.weights.models import Model
from diffutils.weights.models import pretrained as shipped

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
        kernel=heldout - floor,
        features="some features",
    )


ROWS = ("fid_train", "fid_heldout", "fid_ddim", "all_steps", "fewer_steps", "tenth", "steps", "eta")


def claims(rows, *, dataset="noise", models, data, chosen=NO_FID, seed=7, folder=None):
    """The rows of the claim table by a name of their own, in their order."""
    found = sprites_trial.sprites_trial(dataset, models, data, rows, chosen, seed, folder)
    assert all(r["claim"] and r["protocol"] for r in found) and claim_table(found)
    assert all(bool(r["why"]) == (r["measured"] == "not run") for r in found)
    return SimpleNamespace(**dict(zip(ROWS, found, strict=True)), all=found)


def not_run(*found):
    return all((r["measured"], r["N"], r["seeds"]) == ("not run", "-", "-") for r in found)


def said(r):
    """The protocol as one text."""
    return "; ".join(r["protocol"])


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
        fid, low, high, floor = numbers(r["measured"], "{} ({} to {}); floor {}")
        half = 12.7062 * stdev(values) / 2**0.5
        assert (fid, high - low) == pytest.approx((mean(values), 2 * half), abs=0.03, rel=1e-3)
        assert floor == pytest.approx(mean(floors), abs=0.006)
        assert r["N"] == str(n) and r["seeds"] == "2 training, 1 sampling each"
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
            assert part in said(r)
    assert found.fid_train["measured"] != found.fid_heldout["measured"]
    assert found.fid_train["published"] == f"31.997 (N = {most:,})"
    assert found.fid_heldout["published"] == "-"
    claim = f"FID of {n} DDPM samples, {T} steps, against "
    assert found.fid_train["claim"] == claim + "training images"
    assert found.fid_heldout["claim"] == claim + "held-out images"


def numbers(text, pattern):
    """The numbers that stand in a text where a pattern has {}."""
    escaped = re.escape(pattern).replace(re.escape("{}"), r"([-+\d.]+)")
    return tuple(map(float, re.fullmatch(escaped, text).groups()))


def test_fid_of_one_training_has_no_interval(models, data, inception):
    found = claims([], models=models[:1], data=data, chosen=FID)
    (value,) = by_hand(models[:1], data.train, 50)
    fid, _ = numbers(found.fid_train["measured"], "{}; floor {}")
    assert fid == pytest.approx(value, abs=0.02)
    assert found.fid_train["seeds"] == "1 training, 1 sampling each"
    assert " to " not in found.fid_ddim["protocol"][1]


def ddim_by_hand(models, data, steps, eta):
    """Mean distances to training and held-out images over the models, and with intervals."""
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
    half = [12.7062 * stdev(v) / 2**0.5 for v in values]
    whole = [
        f"{mean(v):.1f} ({mean(v) - h:.1f} to {mean(v) + h:.1f})"
        for v, h in zip(values, half, strict=True)
    ]
    return (
        f"{steps}: {' / '.join(f'{mean(v):.1f}' for v in values)}",
        f"{steps}: {' / '.join(whole)}",
    )


def test_fid_of_ddim_at_each_number_of_steps(models, data, inception):
    assert FID.grid_steps == (2, 4) and FID.grid_etas == (0.0, 1.0)
    found = claims([], models=models, data=data, chosen=FID).fid_ddim
    means, whole = zip(*(ddim_by_hand(models, data, n, 0.0) for n in (2, 4)), strict=True)
    ddpm = [ddim_by_hand(models, data, n, 1.0)[1] for n in (2, 4)]
    floor = distances.frechet(PIXELS.features(data.train[:50]), PIXELS.features(data.heldout))
    assert found["claim"] == (
        "FID of DDIM by steps: against training images / against held-out images"
    )
    assert found["measured"] == ", ".join(means)
    assert (found["N"], found["seeds"]) == ("50", "2 training, 1 sampling each")
    for part in (
        f"floor {floor:.1f};",
        f"DDPM, posterior variance: {', '.join(ddpm)};",
        f"DDIM: {', '.join(whole)};",
        "estimates clipped, no class",
        "a sampling seed of its own",
    ):
        assert part in said(found)
    assert "bfloat16" not in said(found)


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
    assert "network in bfloat16" in said(found.fid_ddim)


def test_fid_without_ddim_in_the_grid(models, data, inception):
    found = claims([], models=models[:1], data=data, chosen=replace(FID, grid_etas=(1.0,)))
    assert not_run(found.fid_ddim) and found.fid_ddim["why"] == "no DDIM (eta 0) in grid_etas"
    assert "set noise" in said(found.fid_ddim)
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
    assert all("profiles full and published" in r["why"] for r in fids(found))
    assert found.fid_train["claim"].startswith("FID of 50 DDPM samples, 6 steps")
    asked = {
        profile: budget("03", profile).fid for profile in ("smoke", "student", "full", "published")
    }
    assert asked == {"smoke": False, "student": False, "full": True, "published": True}


def test_fid_without_weights_says_how_to_get_them(models, data, nothing_drawn, empty):
    found = fids(claims([], models=models, data=data, chosen=FID))
    assert not_run(*found)
    for r in found:
        assert "Inception weights are missing" in r["why"]
        assert "python -m diffutils data get inception" in r["why"]


@pytest.mark.parametrize("n, runs", [(4, False), (5, True)])
def test_fid_needs_more_images_than_features(models, data, inception, n, runs):
    few = replace(data, heldout=data.heldout[:n])
    for r in fids(claims([], models=models, data=few, chosen=FID)):
        assert not_run(r) != runs
        why = "only 4 images on each side, but a covariance of 4 features"
        assert (why in r["why"]) != runs


@pytest.mark.parametrize(
    "dataset, published",
    [
        ("sprites-dlai", True),
        ("sprites", False),
        ("folder:/a{b}", False),
    ],
)
def test_the_data_set_is_named(models, data, inception, dataset, published):
    settings = ((50, 0.0), (T, 0.0), (T, 1.0))
    rows = [row(*setting, 3.0, seed=k) for setting in settings for k in (0, 1)]
    for r in claims(rows, dataset=dataset, models=models[:1], data=data, chosen=FID).all:
        assert f"data set {dataset}" in said(r) and not not_run(r)
        assert ("not the published one" in said(r)) != published


# ------------------------------------------------------------------- the sweep


def test_ddpm_at_all_steps_over_trainings(models, data):
    """Log ratios: training 0 the mean of log 1/2 and log 1/2, training 1 log 1/8; nothing else."""
    rows = [
        row(T, 1.0, 2.0, train=1.0),
        row(T, 1.0, 6.0, train=3.0, seed=1),
        row(T, 1.0, 8.0, train=1.0, training=1),
        row(2, 1.0, 99.0),
        row(T, 0.5, 99.0),
        row(T, 1.0, 99.0, sampler="unspaced skip"),
    ]
    found = claims(rows, models=models, data=data).all_steps
    assert found["claim"] == "DDPM, all steps, is nearer to training than to held-out images"
    # log 1/4, and 12.7062 * log 2 to each side
    assert found["measured"].startswith("-75% (-100.0% to +166,9")
    assert found["verdict"] == "cannot be told"
    assert (found["N"], found["seeds"]) == ("150", "2 training, 2 sampling each")
    assert "some features" in said(found) and "over 2 trainings" in said(found)
    # to the floor of 2: 1.0 and 0.5, 2.0 and 4.0
    assert "0.8 (-2.4 to 3.9) and 3.0 (-9.7 to 15.7) times the floor" in said(found)


@pytest.mark.parametrize(
    "train, verdict",
    [
        ((3.4, 3.3, 3.2), "nearer"),
        ((4.9, 4.8, 4.7), "farther"),
        ((3.2, 4.0, 5.0), "cannot be told"),
        ((4.0, 4.04, 3.96), "equivalent within a tenth"),
    ],
)
def test_one_network_is_compared_over_its_sampling_seeds(models, data, train, verdict):
    rows = [row(T, 1.0, 4.0, train=x, seed=k) for k, x in enumerate(train)]
    found = claims(rows, models=models[:1], data=data).all_steps
    assert found["verdict"] == verdict and "over 3 sampling seeds" in said(found)
    assert found["seeds"] == "1 training, 3 sampling"


def test_ddpm_at_fewer_steps_says_so_and_one_run_has_no_interval(models, data):
    found = claims([row(2, 1.0, 3.0), row(4, 1.0, 5.0)], models=models, data=data).all_steps
    assert found["claim"].startswith("DDPM, 4 of 6 steps,")
    assert (found["measured"], found["verdict"]) == ("-60%", "one run: no interval")
    assert "1.0 and 2.5 times the floor" in said(found)


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
    assert (found["measured"], found["verdict"]) == ("10: 9.2, 20: 6.0", "-")
    assert found["published"] == "claimed, but all 1000 steps were run"
    assert "DDIM: 10: 9.2, 20: 6.0; DDPM: 20: 12.0;" in said(found)
    assert "against training images, as published: 10: 2.0, 20: 2.5;" in said(found)
    assert "DDIM, kernel distance, which has no floor: 10: 16.5, 20: 10;" in said(found)
    assert (found["N"], found["seeds"]) == ("150", "1 training, 2 sampling")
    rows = [r | {"training": 0} for r in rows] + [row(10, 0.0, 39.0, training=1)]
    several = claims(rows, models=models, data=data).fewer_steps
    assert several["measured"] == "10: 14.4, 20: 6.0"  # of 9.25 and 19.5
    assert "DDIM: 10: 14.4 (-50.7 to 79.5), 20: 6.0;" in said(several)


def test_every_number_of_steps_is_judged_against_ddpm_in_all(models, data):
    rows = [row(n, 0.0, far, seed=k) for n, far in ((10, 9.0), (50, 4.1)) for k in range(3)]
    rows += [row(T, 1.0, 4.0 + k / 100, seed=k) for k in range(3)]
    found = claims(rows, models=models, data=data).fewer_steps
    assert found["verdict"] == "farther (10); farther, by less than a tenth (50)"


TENTH_CASES = {  # DDIM in 50 steps / DDPM in all, by run
    "inside": ((1.06, 1.07, 1.08), "farther, by less than a tenth"),
    "within": ((0.99, 1.00, 1.01), "equivalent within a tenth"),
    "farther": ((1.14, 1.15, 1.16), "farther"),
    "nearer": ((0.84, 0.85, 0.86), "nearer"),
    "across the upper end": ((1.0, 1.10, 1.2), "cannot be told"),
    "across the lower end": ((0.8, 0.90, 1.0), "cannot be told"),
    "wide": ((0.5, 1.0, 1.5), "cannot be told"),
}


@pytest.mark.parametrize("by", ["seed", "training"])
@pytest.mark.parametrize("ratios, verdict", TENTH_CASES.values(), ids=TENTH_CASES)
def test_ddim_in_fifty_steps_is_within_a_tenth(models, data, ratios, verdict, by):
    rows = [row(50, 0.0, 4 * x, **{by: k}) for k, x in enumerate(ratios)]
    rows += [row(T, 1.0, 4.0, **{by: k}) for k in range(3)]
    others = [
        row(50, 0.0, 99.0, sampler="unspaced skip"),
        row(20, 0.0, 99.0, seed=9),
    ]
    found = claims([*rows, *others], models=models, data=data).tenth
    assert found["claim"] == f"DDIM in 50 steps is within a tenth of DDPM in {T}"
    assert found["verdict"] == verdict
    logs = torch.tensor(ratios, dtype=torch.float64).log()
    mean_, half = float(logs.mean()), 4.302653 * float(logs.std()) / 3**0.5
    ends = [f"{v:+.0%}" if abs(v) >= 0.0995 else f"{v:+.1%}" for v in map(math.expm1, (
        mean_, mean_ - half, mean_ + half))]  # fmt: skip
    words = f"{ends[0]} ({ends[1]} to {ends[2]})".replace("-0.0%", "+0.0%")
    assert found["measured"] == f"DDIM-50 / DDPM-{T}: {words}"
    assert f"calls of the network: 50 against {T}" in said(found)
    what = {"seed": "3 sampling seeds", "training": "3 trainings"}[by]
    assert what in said(found) and "some features" in said(found)
    seeds = {"seed": "1 training, 3 sampling", "training": "3 training, 1 sampling each"}[by]
    assert (found["N"], found["seeds"]) == ("150", seeds)


def four(*distances, noise=0.0, most=T):
    """Rows of three seeds: DDIM in 50 and in `most` steps, DDPM in 50, in `most`, in all."""
    settings = ((50, 0.0), (most, 0.0), (50, 1.0), *((n, 1.0) for n in dict.fromkeys((most, T))))
    rows = []
    for k in range(3):
        far = 1 + noise * (k - 1)
        pairs = zip(settings, distances, strict=True)
        rows += [row(n, eta, far * d, seed=k) for (n, eta), d in pairs]
        noise = -noise  # no side has the same noise as the others
    return rows


def test_steps_and_eta_are_told_apart(models, data):
    """DDIM in 50 is six times as far as DDPM in all: twice by fewer steps, three times by eta."""
    found = claims(four(24.0, 12.0, 16.0, 4.0), models=models, data=data)
    assert found.tenth["measured"] == f"DDIM-50 / DDPM-{T}: +500% (+500% to +500%)"
    assert found.steps["measured"] == f"DDIM-50 / DDIM-{T}: +100% (+100% to +100%)"
    assert found.eta["measured"] == f"DDIM-{T} / DDPM-{T}: +200% (+200% to +200%)"
    assert {found.steps["verdict"], found.eta["verdict"]} == {"farther"}
    other = f"fewer steps at eta 1, DDPM-50 / DDPM-{T}: +300% (+300% to +300%), farther"
    assert other in said(found.tenth) and "not run" not in said(found.tenth)
    assert "comparisons; a hint" in said(found.tenth) and "over 4" in said(found.tenth)


def test_the_cost_of_steps_beside_the_floor_and_as_a_kernel_distance(models, data):
    """Floor 2, so 24 and 12 are 22 and 10 above it; the test's kernel distance is that, too."""
    found = claims(four(24.0, 12.0, 16.0, 4.0), models=models, data=data).steps
    assert "of the distance above its floor: +120% (+120% to +120%)" in said(found)
    assert "difference of the kernel distance: +12 (+12 to +12)" in said(found)


def test_without_ddim_in_all_steps_the_most_that_both_have_stand_in(models, data):
    """And that DDIM in all steps was not run is said."""
    rows = four(24.0, 12.0, 16.0, 3.0, 4.0, most=200)
    found = claims(rows, models=models, data=data)
    assert found.steps["measured"].startswith("DDIM-50 / DDIM-200: +100%")
    assert found.eta["measured"].startswith("DDIM-200 / DDPM-200: +300%")
    for r in (found.tenth, found.steps, found.eta):
        assert f"DDIM in {T} steps: not run" in said(r)
    few = claims([r for r in rows if r["steps"] != 200], models=models, data=data)
    for r in (few.steps, few.eta):  # 50 steps against 50 would say nothing
        assert not_run(r) and r["why"] == f"no DDIM row of {T} steps in the sweep"


def test_the_table_of_costs(models):
    table = sprites_trial.costs_table(four(24.0, 12.0, 16.0, 4.0), T)
    assert table.startswith("cost of ") and "  verdict\n" in table
    assert [" ".join(row) for row in cells(table)] == [
        f"both at once DDIM-50 / DDPM-{T} +500% (+500% to +500%) +1,000% farther",
        f"fewer steps alone DDIM-50 / DDIM-{T} +100% (+100% to +100%) +120% farther",
        f"eta 0 alone DDIM-{T} / DDPM-{T} +200% (+200% to +200%) +400% farther",
        f"fewer steps at eta 1 DDPM-50 / DDPM-{T} +300% (+300% to +300%) +600% farther",
    ]
    rows = cells(sprites_trial.costs_table([], T))
    assert len(rows) == 4 and {row[-1] for row in rows} == {"not run"}


def test_the_recorded_rows_split_the_cost_of_fewer_steps():
    """Three seeds each; DDIM in 1,000 steps was not run, so that 100 stand in."""
    rows = rows_.read(cards.PRETRAINED / "sprites.sweep.jsonl", "")
    found = {x.name: x for x in sprites_trial.costs(rows, 1000)}
    assert [x.by for x in found.values()] == [
        "DDIM-50 / DDPM-1000",
        "DDIM-50 / DDIM-100",
        "DDIM-100 / DDPM-100",
        "DDPM-50 / DDPM-1000",
    ]
    assert all(len(x.runs) == 3 and not x.left_out for x in found.values())
    assert max(map(len, sprites_trial.costs_table(rows, 1000).splitlines())) <= 100


def test_a_tenth_without_its_rows_is_not_run(models, data):
    few, most = row(50, 0.0, 4.0), row(T, 1.0, 4.0)
    for rows, why in (
        ([], "no DDIM row of 50 steps"),
        ([most], "no DDIM row of 50 steps"),
        ([few], f"no DDPM row of {T}"),
        ([few, most | {"seed": 1}], "no row of"),
    ):
        found = claims(rows, models=models, data=data).tenth
        assert not_run(found) and why in found["why"]
    single = claims([few, most, most | {"seed": 1}], models=models, data=data).tenth
    measured = f"DDIM-50 / DDPM-{T}: +0.0%"
    assert (single["measured"], single["verdict"]) == (measured, "one run: no interval")
    assert "left out of the sampling seeds: 1 (no row of" in said(single)


@pytest.mark.parametrize("lost", ["frechet", "frechet_train", "frechet_floor"])
def test_nan_never_stands_in_the_table(models, data, lost):
    rows = [row(50, 0.0, 4.0, seed=k) for k in (0, 1)] + [row(T, 1.0, 4.0, seed=k) for k in (0, 1)]
    found = claims(rows, models=models, data=data)
    assert not any(not_run(r) for r in (found.all_steps, found.fewer_steps, found.tenth))
    found = claims([r | {lost: math.nan} for r in rows], models=models, data=data)
    for r in (found.steps, found.eta):
        assert not_run(r) and "nan" not in str(r)
    for r in (found.all_steps, found.fewer_steps, found.tenth):
        assert not_run(r) and "nan" not in str(r)
        assert "150 images are too few for distances on some features" in r["why"]


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
        assert not_run(found.all_steps) and "no DDPM row" in found.all_steps["why"]
        assert not_run(found.fewer_steps) != bool(measured)


def test_rows_of_several_n_are_refused_before_anything_is_drawn(models, data, nothing_drawn):
    with pytest.raises(ValueError, match="rows of several N do not compare: 150, 200"):
        rows = [row(4, 0.0, 3.0), row(8, 0.5, 3.0) | {"N": 200}]
        claims(rows, models=models, data=data, chosen=FID)


def test_short_trainings_are_judged_over_trainings(models, data):
    rows = sprites_trial.short_trainings()
    assert {row["training"] for row in rows} == {0, 1, 2}
    found = sprites_trial.sprites_trial(
        "noise", models, data, [row(T, 1.0, 2.0)], NO_FID, 0, trained=rows
    )[4]
    assert found["claim"].startswith("DDPM, 19 of ") and found["seeds"].startswith("3 training")


def test_rows_of_all_steps_are_of_the_shipped_network_or_none():
    rows = sprites_trial.long_rows(shipped("sprites"))
    asked = {(n, seed) for n in (50, 100, 1000) for seed in range(3)}
    assert {(row["steps"], row["seed"]) for row in rows} == asked
    assert not sprites_trial.long_rows(shipped("sprites-edm"))
