"""The sweep: its rows against what they claim, its file after a kill, and what the rows say."""

import json
import math
from dataclasses import replace
from functools import partial

import pytest
import torch

from diffutils import denoisers, schedules
from diffutils.course.experiments import measure, rows, sampling, sweep
from diffutils.course.experiments.rows import SWEEP
from diffutils.course.experiments.training import Arm
from diffutils.course.runs import fingerprint
from diffutils.data import ImageSet
from diffutils.denoisers import Denoiser
from diffutils.metrics import classifiers, distances, streaming
from diffutils.metrics.spaces import Space
from diffutils.unet import UNet
from diffutils.weights import cards, models
from diffutils.weights.models import Model

N = 40
PIXELS = Space("four pixels", lambda x: x[:, 0].flatten(1)[:, :4].double() / 255)


@pytest.fixture
def model():
    torch.manual_seed(0)
    net = UNet(channels=(8,), blocks=1, attention=(False,), classes=3)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(50))
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return Model(denoiser, schedule, schedule, {"size": 4, "name": "noise"})


@pytest.fixture(scope="module")
def data():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (190, 3, 4, 4), generator=random).byte()
    labels = torch.arange(190) % 3
    train, heldout = (images[60:], images[:60]), (labels[60:], labels[:60].flip(0))
    return ImageSet("noise", *train, *heldout, ("a", "b", "c"))


SMALL = dict(n=N, steps=(2, 5), etas=(0.0, 1.0), skips=(5,), seeds=(0, 1))


def blue(images, labels):
    return float(labels.double().mean() + images[:, 2].double().mean() / 255)


def test_rows_are_what_they_claim(model, data):
    """Each number of a row, made again by hand from the same settings."""
    rows = list(sweep.sweep(model, data, PIXELS, judge=blue, scale=2.0, **SMALL))
    settings = [(r["sampler"], r["steps"], r["eta"], r["seed"]) for r in rows]
    assert settings == [
        (sampler, steps, eta, seed)
        for seed in (0, 1)
        for sampler, steps, eta in (
            ("respaced", 2, 0.0),
            ("respaced", 5, 0.0),
            ("respaced", 2, 1.0),
            ("respaced", 5, 1.0),
            ("unspaced skip", 5, 1.0),
        )
    ]
    labels = data.train_labels.flip(0)[:N]  # of other images than those it is compared with
    real, again = (PIXELS.features(x[:N]) for x in (data.heldout, data.train))
    for row in (rows[3], rows[9]):
        sampler = (
            sampling.skipped(5)
            if row["sampler"] != "respaced"
            else sampling.respaced(5, row["eta"])
        )
        images = measure.generate(
            model, N, sampler=sampler, labels=labels, scale=2.0, seed=row["seed"]
        )
        fake = PIXELS.features(images)
        assert row["frechet"] == pytest.approx(distances.frechet(fake, real), rel=1e-9)
        assert row["frechet_train"] == pytest.approx(distances.frechet(fake, again), rel=1e-9)
        sets = [PIXELS.features(x) for x in data.train.split(N) if len(x) == N][:10]
        assert 1 < len(sets)
        floors = [distances.frechet(x, real) for x in sets]
        assert row["frechet_floor"] == pytest.approx(sum(floors) / len(sets), rel=1e-9)
        kernel, low, high = streaming.kernel_interval(fake, real)
        assert (row["kernel"], row["kernel_low"], row["kernel_high"]) == pytest.approx(
            (kernel, low, high), rel=1e-9
        )
        floors = [distances.mmd(x, real) for x in sets]
        assert row["kernel_floor"] == pytest.approx(sum(floors) / len(sets), abs=1e-12)
        assert row["agreement"] == pytest.approx(blue(images, labels))
    for row in rows:
        assert row["N"] == N and row["features"] == "four pixels" and row["scale"] == 2.0
        assert row["nfe"] == 2 * row["steps"]  # guidance asks twice
        assert 0 < row["seconds_per_image"] < 10
    assert len({row["frechet"] for row in rows}) == len(rows)


def test_unconditional_rows(model, data):
    plain = ImageSet("noise", data.train, data.heldout)
    (row,) = sweep.sweep(model, plain, PIXELS, n=N, steps=(3,), etas=(0.0,), judge=blue)
    assert row["nfe"] == 3 and row["agreement"] is None


def test_without_a_judge_there_is_no_agreement(model, data):
    (row,) = sweep.sweep(model, data, PIXELS, n=N, steps=(3,), etas=(0.0,))
    assert row["nfe"] == 3 and row["agreement"] is None  # scale 1 asks once


def test_seconds_are_those_of_the_drawing(model, data, monkeypatch):
    """A clock that runs 8 s while an arm is drawn: 8/N s an image; the warm-up is not counted."""
    clock, drawn = [0.0], []

    def generate(model, n, *, sampler, **settings):
        drawn.append(n)
        clock[0] += 8.0 if n == N else 100.0
        return data.train[:n]

    monkeypatch.setattr(sweep, "generate", generate)
    monkeypatch.setattr("diffutils.metrics.timer.time.perf_counter", lambda: clock[0])
    rows = list(sweep.sweep(model, data, PIXELS, n=N, steps=(3, 4), etas=(0.0,)))
    assert [row["seconds_per_image"] for row in rows] == [8 / N, 8 / N]
    assert drawn == [N, N, N]  # one warm-up, of at most 64 images


def counted(monkeypatch):
    """The network evaluations for an image of everything that is drawn from now on."""
    calls, draw = [], sweep.drawn

    def spy(*arguments, **settings):
        found = draw(*arguments, **settings)
        calls.append(found[1])
        return found

    monkeypatch.setattr(sweep, "drawn", spy)
    return calls


def test_a_killed_sweep_goes_on(model, data, tmp_path, monkeypatch):
    """Rows that are there are not drawn again, and are the same, numbers and all."""
    whole = list(sweep.sweep(model, data, PIXELS, folder=tmp_path / "whole", **SMALL))
    cut = sweep.sweep(model, data, PIXELS, folder=tmp_path / "cut", **SMALL)
    first = [next(cut) for _ in range(3)]
    cut.close()  # as a kill: the file has the three rows
    path = tmp_path / "cut" / "sweep.jsonl"
    assert [json.loads(line) for line in path.read_text().splitlines()] == first
    drawn = counted(monkeypatch)
    rows = list(sweep.sweep(model, data, PIXELS, folder=tmp_path / "cut", **SMALL))
    assert rows[:3] == first and len(drawn) == 7 + 1  # and one warm-up
    timing = ("seconds_per_image",)
    for row, other in zip(rows, whole, strict=True):
        assert {k: v for k, v in row.items() if k not in timing} == {
            k: v for k, v in other.items() if k not in timing
        }
    drawn.clear()
    assert list(sweep.sweep(model, data, PIXELS, folder=tmp_path / "cut", **SMALL)) == rows
    assert not drawn


WALKS = {
    "Heun, karras": (sampling.edm, [1, 3]),
    "Euler, phi*": (lambda steps: sampling.edm(steps, False, schedules.log_logistic(0.3)), [4]),
}


def test_rows_of_walks_are_what_they_claim(model, data):
    """Network evaluations as counted by hand, the images those of the sampler by itself."""
    rows = list(
        sweep.sweep(
            model, data, PIXELS, n=N, steps=(2,), etas=(0.0,), skips=(5,), walks=WALKS, seeds=(0, 1)
        )
    )
    assert [(r["sampler"], r["steps"], r["eta"], r["nfe"], r["seed"]) for r in rows] == [
        (name, steps, eta, nfe, seed)
        for seed in (0, 1)
        for name, steps, eta, nfe in (
            ("respaced", 2, 0.0, 2),
            ("Heun, karras", 1, 0.0, 1),
            ("Heun, karras", 3, 0.0, 5),
            ("Euler, phi*", 4, 0.0, 4),
            ("unspaced skip", 5, 1.0, 5),
        )
    ]
    labels, real = data.train_labels.flip(0)[:N], PIXELS.features(data.heldout[:N])
    for row in rows[2], rows[8]:
        sampler = WALKS[row["sampler"]][0](row["steps"])
        images = measure.generate(model, N, sampler=sampler, labels=labels, seed=row["seed"])
        want = distances.frechet(PIXELS.features(images), real)
        assert row["frechet"] == pytest.approx(want, rel=1e-9)
    assert len({row["frechet"] for row in rows}) == len(rows)


def walks_by_grid(grid, counts=(3,)):
    """One name, whatever the grid."""
    return {"Heun": (lambda steps: sampling.edm(steps, True, grid), list(counts))}


def test_a_killed_sweep_of_walks_goes_on(model, data, tmp_path, monkeypatch):
    """Also with more counts and more walks than before: only what is missing is drawn."""
    drawn = counted(monkeypatch)

    def rows(walks, **settings):
        drawn.clear()
        return sweep.sweep(
            model, data, PIXELS, n=N, steps=(), walks=walks, folder=tmp_path, **settings
        )

    cut = rows(walks_by_grid(schedules.karras(), (2, 3)))
    first = next(cut)
    cut.close()
    again = list(rows(walks_by_grid(schedules.karras(), (2, 3))))
    assert again[0] == first and drawn == [1, 5]  # a warm-up, and the missing row
    more = walks_by_grid(schedules.karras(), (2, 3, 4)) | WALKS
    assert list(rows(more))[:2] == again and drawn == [1, 7, 1, 5, 4]
    assert list(rows(walks_by_grid(schedules.karras(), (3,)))) == again[1:] and not drawn


@pytest.mark.parametrize(
    "other",
    [
        schedules.karras(rho=5.0),
        schedules.karras(sigma_max=50.0),
        schedules.log_logistic(0.3),
        None,
    ],
)
def test_another_grid_under_the_same_name_is_another_row(model, data, tmp_path, other):
    runs = []
    for grid in (schedules.karras(), other, schedules.karras()):
        (row,) = sweep.sweep(
            model, data, PIXELS, n=N, steps=(), walks=walks_by_grid(grid), folder=tmp_path
        )
        runs.append((row["run"], row["frechet"]))
    assert runs[0] == runs[2] and runs[0][0] != runs[1][0] and runs[0][1] != runs[1][1]
    assert len((tmp_path / "sweep.jsonl").read_text().splitlines()) == 2


def test_another_solver_under_the_same_name_is_another_row(model, data, tmp_path):
    for heun in (True, False):
        walks = {"walk": (lambda steps, heun=heun: sampling.edm(steps, heun), [3])}
        (row,) = sweep.sweep(model, data, PIXELS, n=N, steps=(), walks=walks, folder=tmp_path)
        assert row["nfe"] == (5 if heun else 3)


@pytest.mark.parametrize(
    "entry, value",
    [
        ("sigma_data", 0.6),
        ("embedding", {"name": "phi_star", "arguments": {"c": 0.3}}),
    ],
)
def test_what_an_edm_card_says_of_the_network_tells_models_apart(model, entry, value):
    model.card.update(
        coefficients="edm", sigma_data=0.5, embedding={"name": "log", "arguments": {}}
    )
    before = sweep.weights_of(model)
    model.card["metrics"] = {"N": 5}
    assert sweep.weights_of(model) == before  # what was measured does not
    model.card[entry] = value
    assert sweep.weights_of(model) != before


@pytest.mark.parametrize("change", ["weights", "data", "n", "scale", "space", "schedule", "clip"])
def test_other_settings_are_other_rows(model, data, tmp_path, change):
    """What decides a number is compared before a row is taken from the file; old rows stay."""
    one = dict(n=N, steps=(2,), etas=(0.0,), folder=tmp_path)
    (before,) = sweep.sweep(model, data, PIXELS, **one)
    space = PIXELS
    if change == "weights":
        with torch.no_grad():
            next(model.denoiser.parameters()).add_(0.1)
    elif change == "data":
        data = ImageSet("noise", data.train, data.heldout.flip(0))
    elif change == "space":
        space = Space("other pixels", PIXELS.features)
    elif change == "schedule":
        model = replace(model, schedule=schedules.Discrete(schedules.cosine_betas(50)))
    else:
        one[change] = {"n": N - 1, "scale": 3.0, "clip": False}[change]
    (after,) = sweep.sweep(model, data, space, **one)
    assert after["run"] != before["run"]
    assert len((tmp_path / "sweep.jsonl").read_text().splitlines()) == 2


def test_a_damaged_row_is_named_and_made_again(model, data, tmp_path):
    settings = dict(n=N, steps=(2, 3), etas=(0,), folder=tmp_path)
    rows, path = [*sweep.sweep(model, data, PIXELS, **settings)], tmp_path / "sweep.jsonl"
    path.write_bytes(path.read_bytes()[:-9])  # the last line is torn
    with pytest.warns(UserWarning, match=r"sweep\.jsonl, line 2 .* is left out and made again"):
        again = [*sweep.sweep(model, data, PIXELS, **settings)]
    assert again[0] == rows[0] and again[1]["frechet"] == rows[1]["frechet"]
    assert [*sweep.sweep(model, data, PIXELS, **settings)] == again


def test_recorded_rows_are_those_of_the_sweep(model, data, tmp_path, monkeypatch):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    assert sweep.recorded(model) == []
    words = Space("r\u00e4ume\u2028of pixels", PIXELS.features)  # one line, whatever is in it
    rows = list(sweep.sweep(model, data, words, n=N, steps=(2, 3), folder=tmp_path))
    (tmp_path / "sweep.jsonl").rename(tmp_path / "noise.sweep.jsonl")
    assert len(rows) == 4 and sweep.recorded(model) == rows
    (tmp_path / "noise.sweep.jsonl").rename(tmp_path / "other.sweep.jsonl")
    assert sweep.recorded(model) == [] and sweep.recorded(model, beside="other") == rows
    (tmp_path / "other.sweep.jsonl").rename(tmp_path / "noise.sweep.jsonl")
    model.card["coefficients"] = "v"  # what the same weights predict makes another network
    assert sweep.recorded(model) == []
    del model.card["coefficients"]
    next(model.denoiser.parameters()).data[0] += 1
    assert sweep.recorded(model) == []


@pytest.mark.parametrize("line", [b'{"N": 1', b"[1]", b"", b"\xff"])
def test_a_damaged_line_of_recorded_rows_is_named(model, tmp_path, monkeypatch, line):
    monkeypatch.setattr(cards, "PRETRAINED", tmp_path)
    row = dict.fromkeys(SWEEP, 1) | dict.fromkeys(("sampler", "features", "hardware"), "a")
    whole = json.dumps(row).encode() + b"\n"
    (tmp_path / "noise.sweep.jsonl").write_bytes(whole + line + b"\n" + whole)
    with pytest.raises(ValueError, match=r"noise\.sweep\.jsonl is damaged in line 2 .* fetch it"):
        sweep.recorded(model)


@pytest.mark.parametrize("n", [1, 61])
def test_more_images_than_there_are(model, data, n):
    with pytest.raises(ValueError, match=f"n is {n}, but the data have 60 held-out and 130"):
        next(sweep.sweep(model, data, PIXELS, n=n, steps=(2,)))


@pytest.mark.parametrize("n, enough", [(4, False), (5, True)])
def test_few_images_for_the_features_have_a_kernel_distance_only(model, data, n, enough):
    row = next(sweep.sweep(model, data, PIXELS, n=n, steps=(2,)))
    for key in ("frechet", "frechet_train", "frechet_floor"):
        assert math.isfinite(row[key]) == enough
    assert all(math.isfinite(row[key]) for key in ("kernel", "kernel_floor", "precision"))


@pytest.mark.slow
def test_shipped_sprites_improve_with_steps_and_skipping_ruins_them():
    """The pretrained network on its own classifier's features: 4 steps, 20 steps, the skip."""
    from diffutils import data
    from diffutils.metrics import spaces
    from diffutils.weights.models import pretrained

    judge = partial(classifiers.accuracy, classifiers.load_classifier("sprites-judge"))
    sprites = data.load("sprites", limit=400, heldout=200)
    few, more, skip = sweep.sweep(
        pretrained("sprites"),
        sprites,
        spaces.named("sprites-features"),
        n=150,
        steps=(4, 20),
        etas=(0.0,),
        skips=(20,),
        judge=judge,
    )
    assert more["frechet"] < few["frechet"] < skip["frechet"]
    assert more["agreement"] > 0.8 > skip["agreement"]


def test_conditions_are_handed_through(data, tmp_path):
    """To the network, also in the warm-up of fewer images; other ones are other rows."""
    torch.manual_seed(0)
    net = UNet(channels=(8,), blocks=1, attention=(False,), cond_channels=1)
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(50))
    model = Model(Denoiser(net, denoisers.eps, schedule.t), schedule, schedule, {"size": 4})
    plain, n = data.without_labels(), 60
    cond = data.train[:n, :1]
    found = []
    for given in (cond, cond.flip(0), cond):
        settings = dict(n=n, steps=(3,), etas=(0.0,), cond=given, folder=tmp_path)
        found += sweep.sweep(model, plain, PIXELS, **settings)
    assert found[0] == found[2] and found[0]["frechet"] != found[1]["frechet"]
    images = measure.generate(model, n, sampler=sampling.respaced(3), cond=cond)
    want = distances.frechet(PIXELS.features(images), PIXELS.features(data.heldout[:n]))
    assert found[0]["frechet"] == pytest.approx(want, rel=1e-9)


def test_rows_of_a_trial_are_those_of_the_sweep_and_say_what_was_trained(model, data):
    model.card.update(
        images=130,
        unet={"channels": [8], "classes": 3},
        settings={"steps": 4, "batch": 2, "lr": 0.1, "ema": 0.5, "loss": "l1"},
    )
    arm = Arm("some arm", {"lr": 0.1})
    (row,) = sweep.trial_rows(arm, model, data, PIXELS, 7, n=N, steps=(2,), etas=(0.0,))
    (plain,) = sweep.sweep(model, data, PIXELS, n=N, steps=(2,), etas=(0.0,), seeds=(7,))
    own = {"arm": "some arm", "training": 7}
    own["trial"] = {"steps": 4, "batch": 2, "ema": 0.5, "images": 130, "channels": [8]}
    own["trial"]["classes"] = 3  # lr is the arm's own: arms do not share it
    assert row | {"seconds_per_image": 0} == plain | own | {"seconds_per_image": 0}
    assert row["weights"] == sweep.weights_of(model) and row["code"] == fingerprint.code()
    assert json.loads(json.dumps(row)) == row


def test_every_recorded_row_that_ships_is_found():
    """Of the very networks that ship, by their weights."""
    sprites, edm = (models.pretrained(name) for name in ("sprites", "sprites-edm"))
    assert len(sweep.recorded(sprites)) == 40
    both = rows.read(cards.PRETRAINED / "sprites-edm.sweep.jsonl", "")
    assert len(sweep.recorded(edm)) == 125
    assert len(sweep.recorded(sprites, beside="sprites-edm")) == len(both) - 125 == 33
    trial = rows.read(cards.PRETRAINED / "sprites-edm.trial.jsonl", "")
    assert len(trial) == 90 and len(rows.group(trial, "arm", "training")) == 24
