"""Lesson 04's arms: what each trains with, that they are paired, and their rows; an EDM model."""

import json
import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
from click.testing import CliRunner
from skimage.io import imread

from diffutils import denoisers, schedules
from diffutils.__main__ import cli
from diffutils.course.experiments import described, measure, sampling, sweep, training
from diffutils.course.runs import fingerprint
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.data import ImageSet, to_float
from diffutils.denoisers import Denoiser
from diffutils.lessons import budget
from diffutils.lessons.lesson04.systems import arms
from diffutils.lessons.lesson04.systems.arms import ARMS
from diffutils.metrics.spaces import Space
from diffutils.training import fit
from diffutils.weights import cards, models

TINY = {
    "channels": "8,8",
    "attention": "false,false",
    "trial_steps": 2,
    "batch": 4,
    "log_every": 2,
    "metric_samples": 8,
    "trial_nfe": 5,
}
BUDGET = budget("04", "smoke", TINY)
OWN = ("weight", "labels", "card")  # settings of a training that are an arm's own, or tensors
PIXELS = Space("two pixels", lambda x: x[:, 0].flatten(1)[:, :2].double() / 255)
U = torch.linspace(0.01, 0.99, 33, dtype=torch.float64)


@pytest.fixture(scope="module")
def data():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (80, 3, 4, 4), generator=random).byte()
    labels = torch.arange(80) % 3
    return ImageSet("noise", images[20:], images[:20], labels[20:], labels[:20], ("a", "b", "c"))


def caught(name, data, seed=0):
    """The model of an arm, and what `train` was called with; nothing is trained."""
    calls = []

    def train(folder, denoiser, images, density, **settings):
        state = {k: v.clone() for k, v in denoiser.state_dict().items()}
        calls.append(
            SimpleNamespace(
                folder=folder,
                denoiser=denoiser,
                images=images,
                density=density,
                settings=settings,
                state=state,
            )
        )
        yield SimpleNamespace(step=2, loss=1.0, heldout=0.5, ema=denoiser)

    model = training.train_arm(arms.arm(name), data, BUDGET, seed, train)
    (call,) = calls
    return model, call


def test_arms_of_a_seed_differ_in_nothing_but_what_they_say(data):
    """The same weights to begin with, images, seed and settings but the weight; others by seed."""
    calls = {name: caught(name, data)[1] for name in ARMS}
    first = calls["EDM"]
    plain = {k: v for k, v in first.settings.items() if k not in OWN}
    assert plain["steps"] == 2 and plain["seed"] == 0 and plain["batch"] == 4
    for call in calls.values():
        assert call.images is data.train
        assert call.settings["labels"] is data.train_labels
        assert {k: v for k, v in call.settings.items() if k not in OWN} == plain
        for key, value in first.state.items():
            assert torch.equal(call.state[key], value)
    other = caught("EDM", data, seed=1)[1]
    assert other.settings["seed"] == 1
    assert any(not torch.equal(v, first.state[k]) for k, v in other.state.items())


def test_folders_are_unique_and_file_safe(data):
    folders = [caught(name, data, seed)[1].folder for name in ARMS for seed in (0, 1)]
    assert len({f.lower() for f in folders}) == 2 * len(ARMS)  # on any file system
    for folder in folders:
        head, _, rest = folder.partition("/")
        assert head == "trial" and set(rest) <= set(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-"
        )
    assert folders[0] == "trial/EDM-seed-0"


@pytest.mark.parametrize("name", ARMS)
def test_an_arm_trains_with_what_it_says(data, name):
    """Density, embedding, coefficients and weight, each against its formula."""
    model, call = caught(name, data)
    arm, sigma = ARMS[name], torch.tensor([0.002, 0.05, 0.3, 4.0, 80.0])
    if name == "DDPM":
        table = schedules.Discrete(schedules.linear_betas())
        assert torch.equal(call.density(U), table(U)) and call.settings["weight"] is None
        assert torch.equal(call.denoiser.c_noise(sigma), table.t(sigma))
        assert call.denoiser.coefficients is denoisers.eps
        return
    logistic = {"phi": schedules.log_logistic(0.3), "phi fitted": schedules.log_logistic(10**0.03)}
    density = ({"EDM": schedules.log_normal()} | logistic)[arm.density]
    assert torch.equal(call.density(U), density(U))
    star, fitted = (lambda s, c=c: s / (s + c) for c in (0.3, 10**0.03))
    paths = {"EDM": torch.log, "phi": star, "phi fitted": fitted}
    rescaled = {name: denoisers.rescaled(path) for name, path in paths.items()}
    told = (rescaled | {"phi unscaled": star})[arm.embedding]
    torch.testing.assert_close(call.denoiser.c_noise(sigma), told(sigma))
    assert torch.equal(model.schedule(U), schedules.karras()(U))
    data_rms = float(to_float(data.train).square().mean().sqrt())
    assert model.card["sigma_data"] == pytest.approx(data_rms, abs=1e-4)
    sd = model.card["sigma_data"]
    for got, want in zip(call.denoiser.coefficients(sigma), denoisers.edm(sigma, sd), strict=True):
        assert torch.equal(got, want)
    weight = call.settings["weight"]
    if arm.weight == "lambda":
        assert weight is None
    elif arm.weight == "none":
        want = (sigma * sd) ** 2 / (sigma**2 + sd**2)
        torch.testing.assert_close(weight(sigma), want)
    else:
        want = schedules.log_normal_density(sigma) / schedules.log_logistic_density(sigma)
        torch.testing.assert_close(weight(sigma), want)
        assert bool(weight(call.density(torch.tensor([0.0, 1.0])).float()).isfinite().all())


def test_arms_are_the_design():
    """2 x 2 of density and embedding with lambda; one change each in the others."""
    full = {(a.density, a.embedding) for a in ARMS.values() if a.weight == "lambda"}
    later = {("EDM", "phi unscaled"), ("phi fitted", "phi fitted")}
    assert full - later == {(d, e) for d in ("EDM", "phi") for e in ("EDM", "phi")}
    assert ARMS["phi embedding unscaled"] == ("EDM", "phi unscaled", "lambda")
    assert ARMS["DDPM"] == ("DDPM", "DDPM", "simple")
    assert arms.DENSITIES["EDM"] == described.EDM["density"]
    assert arms.EMBEDDINGS["EDM"] == described.EDM["embedding"]
    assert ARMS["phi both without lambda"] == ("phi", "phi", "none")
    assert ARMS["phi both fitted without lambda"] == ("phi fitted", "phi fitted", "none")
    assert ARMS["EDM without lambda"] == ("EDM", "EDM", "none")
    assert ARMS["phi density lambda'"] == ("phi", "EDM", "lambda'")
    assert len({tuple(a) for a in ARMS.values()}) == len(ARMS)


def test_arms_of_a_seed_see_the_same_batches_and_noise(data, monkeypatch):
    """In real trainings: images, noise and labels equal, levels at the same u of each density."""
    seen, loss = [], Denoiser.loss

    def spy(self, x0, sigma, noise, labels=None, *rest, **settings):
        if self.training:
            seen.append((x0, noise, labels, sigma))
        return loss(self, x0, sigma, noise, labels, *rest, **settings)

    monkeypatch.setattr(Denoiser, "loss", spy)
    runs = {}
    for name in ("EDM", "phi both without lambda", "DDPM"):
        seen.clear()
        model = training.train_arm(
            arms.arm(name), data, BUDGET, 3, lambda folder, *args, card, **kw: fit(*args, **kw)
        )
        assert len(model.log) == 1 and math.isfinite(model.log[0]["heldout"])
        assert not any(p.requires_grad for p in model.denoiser.parameters())
        runs[name] = list(seen)
    assert [len(run) for run in runs.values()] == [2, 2, 2]
    for steps in zip(*runs.values(), strict=True):
        for part in range(3):
            assert torch.equal(steps[0][part], steps[1][part])
            assert torch.equal(steps[0][part], steps[2][part])
    names = ("EDM", "phi both without lambda")
    edm, phi = (torch.cat([s[3] for s in runs[name]]).double() for name in names)
    u_edm = torch.special.ndtr((edm.log() + 1.2) / 1.2)
    low, high = 0.002 / 0.302, 80 / 80.3
    u_phi = (phi / (phi + 0.3) - low) / (high - low)
    torch.testing.assert_close(u_edm, u_phi, atol=1e-5, rtol=0)


def test_the_unscaled_embedding_is_another_training_and_is_loaded_again(data, tmp_path):
    """Card, fingerprints and weights on disk know it from the rescaled one."""
    scaled, unscaled = (caught(f"phi embedding{x}", data)[0] for x in ("", " unscaled"))
    assert unscaled.card["embedding"] == {"name": "phi_star_unscaled", "arguments": {"c": 0.3}}
    settings = dict(steps=2, batch=4)
    about = [
        fingerprint.training(m.denoiser, data.train, m.density, settings)
        for m in (scaled, unscaled)
    ]
    assert "c_noise was" in fingerprint.differences(*about)
    assert sweep.weights_of(scaled) != sweep.weights_of(unscaled)  # of equal first weights
    path = tmp_path / "model.safetensors"
    cards.save_weights(path, unscaled.denoiser.net, unscaled.card)
    sigma = torch.tensor([0.002, 0.3, 80.0])
    again = models.load_model(path).denoiser.c_noise(sigma)
    assert torch.equal(again, sigma / (sigma + 0.3))


def test_weights_are_told_apart_by_a_fingerprint(data, tmp_path):
    """Made again they are the same; another kind or sigma_data is another training."""
    model = models.build(described.card(data, BUDGET, 0, "a", "edm"))

    def words(weight):
        settings = dict(steps=2, batch=4, weight=weight)
        about = fingerprint.training(model.denoiser, data.train, model.density, settings)
        return about.get("weight")

    kinds = [described.weights(0.5)[k] for k in ("lambda", "none", "lambda'")]
    kinds.append(described.weights(0.6)["none"])
    assert len({str(words(w)) for w in kinds}) == 4
    assert words(described.weights(0.5)["none"]) == words(kinds[1])


def test_another_weight_does_not_resume(data, tmp_path):
    said = []

    def train(weight):
        model = models.build(described.card(data, BUDGET, 0, "a", "edm"))
        return recorded_fit(
            tmp_path,
            model.denoiser,
            data.train,
            model.density,
            say=said.append,
            steps=2,
            batch=4,
            log_every=1,
            save_every=0.0,
            weight=weight,
        )

    torch.manual_seed(0)
    running = train(described.weights(0.5)["none"])
    next(running)
    running.close()
    torch.manual_seed(0)
    assert next(train(described.weights(0.5)["none"])).replayed is True
    torch.manual_seed(0)
    assert next(train(described.weights(0.5)["lambda'"])).replayed is False
    assert "its settings differ: weight was weights.<locals>.<lambda>" in said[-1]


# ------------------------------------------------------------------- walks and rows


def test_walks_spend_what_they_are_asked_for():
    walks = arms.walks(arms.GRIDS, [3, 9])
    assert list(walks) == ["Euler, EDM", "Euler, phi", "Heun, EDM", "Heun, phi"]
    z = torch.ones(1, 1)
    for name, (walk, counts) in walks.items():
        assert counts == ([2, 5] if name.startswith("Heun") else [3, 9])
        for steps, nfe in zip(counts, (3, 9), strict=True):
            levels = []
            D = lambda x, sigma, levels=levels: levels.append(float(sigma)) or 0 * x  # noqa: E731
            walk(steps)(D, None, z, lambda k, x: torch.zeros_like(x))
            assert len(levels) == nfe
            grid = arms.GRIDS[name.split(", ")[1]]
            want = schedules.steps(grid, steps)[:-1].tolist()
            assert sorted(set(levels), reverse=True) == pytest.approx(want)
    only = arms.walks({"phi": arms.GRIDS["phi"]}, [3], (True,))
    assert list(only) == ["Heun, phi"]


@pytest.mark.parametrize("nfes", [[2], [5, 8, 9], [0]])
def test_an_even_number_of_evaluations_is_refused(nfes):
    with pytest.raises(ValueError, match=r"(2|8|0) evaluations: Heun's method spends an odd"):
        arms.walks(arms.GRIDS, nfes)


def untrained(name, data):
    """An arm's network with random weights."""
    model, _ = caught(name, data, seed=7)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for p in model.denoiser.parameters():
            p.copy_(0.1 * torch.randn(p.shape, generator=random))
    return model


def test_rows_of_an_edm_arm(data, tmp_path):
    model = untrained("phi density lambda'", data)

    def find():
        return list(arms.arm_rows("phi density lambda'", model, data, PIXELS, BUDGET, 7, tmp_path))

    rows = find()
    assert [(r["sampler"], r["steps"], r["nfe"]) for r in rows] == [
        ("Euler, EDM", 5, 5),
        ("Euler, phi", 5, 5),
        ("Heun, EDM", 3, 5),
        ("Heun, phi", 3, 5),
    ]
    said = {
        "arm": "phi density lambda'",
        "density": "phi",
        "embedding": "EDM",
        "weight": "lambda'",
        "training": 7,
        "seed": 7,
        "N": 8,
    }
    assert all({k: row[k] for k in said} == said for row in rows)
    assert len({row["frechet"] for row in rows}) == 4 and find() == rows  # from the file
    by_hand = next(
        sweep.sweep(
            model,
            data,
            PIXELS,
            n=8,
            steps=(),
            seeds=(7,),
            walks={
                "x": (lambda steps: sampling.edm(steps, True, schedules.log_logistic(0.3)), [3])
            },
        )
    )
    assert rows[3]["frechet"] == pytest.approx(by_hand["frechet"], rel=1e-12)


def test_rows_say_what_was_trained(data):
    """The steps are those of the trial, not of the lesson's own network."""
    row = next(arms.arm_rows("EDM", untrained("EDM", data), data, PIXELS, BUDGET, 1))
    assert row["trial"] == {
        "steps": 2,
        "images": 60,
        "batch": 4,
        "lr": BUDGET.lr,
        "ema": BUDGET.ema,
        "channels": [8, 8],
        "classes": 3,
    }
    assert row["code"] == fingerprint.code() and row["weights"]
    assert BUDGET.steps != 2 and json.loads(json.dumps(row["trial"])) == row["trial"]


def test_few_images_are_all_measured(data):
    few = replace(data, heldout=data.heldout[:6], heldout_labels=data.heldout_labels[:6])
    rows = arms.arm_rows("DDPM", untrained("DDPM", data), few, PIXELS, BUDGET, 1)
    assert {row["N"] for row in rows} == {6}


def test_rows_of_the_ddpm_arm(data):
    rows = list(arms.arm_rows("DDPM", untrained("DDPM", data), data, PIXELS, BUDGET, 1))
    assert [(r["sampler"], r["steps"], r["eta"], r["nfe"]) for r in rows] == [
        ("respaced", 5, 0.0, 5),
        ("respaced", 5, 1.0, 5),
    ]
    assert {(r["arm"], r["density"], r["training"]) for r in rows} == {("DDPM", "DDPM", 1)}


# ------------------------------------------------------------------- cards and commands


def call(*arguments):
    done = CliRunner().invoke(cli, [*map(str, arguments)])
    assert done.exit_code == 0, done.output
    return " ".join(done.output.split())


def test_an_edm_model_from_the_command_line(tmp_path):
    """Trained, with sigma_data measured; goes on; drawn from, also with eta; measured."""
    small = [
        x
        for kv in ("steps=2", "images=150", "log_every=2", "channels=8,8", "attention=false,false")
        for x in ("--set", kv)
    ]
    given = (
        "train",
        "--predict",
        "edm",
        "--profile",
        "smoke",
        *small,
        "--name",
        "edm",
        "--out",
        tmp_path / "run",
    )
    assert "step 2/2 · loss" in call(*given)
    assert "all 2 steps were done before" in call(*given)
    weights = tmp_path / "run" / "edm.safetensors"
    card = json.loads(weights.with_suffix(".json").read_text())
    from diffutils.data import load

    images = to_float(load("sprites", limit=150, seed=0).train)
    assert card["sigma_data"] == pytest.approx(float(images.square().mean().sqrt()), abs=1e-4)
    assert card["density"]["name"] == "log_normal" and card["grid"]["name"] == "karras"
    for eta in (0, 1):
        out = tmp_path / f"images-{eta}"
        call("sample", weights, out, "-n", 3, "--steps", 2, "--eta", eta)
        assert len(list(out.glob("*.png"))) == 3
    call("measure", weights, "-n", 8, "--steps", 2, "--eta", 0.5)
    metrics = json.loads(weights.with_suffix(".json").read_text())["metrics"]
    assert metrics["N"] == 8 and metrics["sampling"]["eta"] == 0.5
    assert metrics["kernel"] > 0
    call("measure", weights, "-n", 8, "--steps", 2, "--heun")
    by_heun = json.loads(weights.with_suffix(".json").read_text())["metrics"]
    assert by_heun["sampling"]["heun"] and by_heun["kernel"] != metrics["kernel"]
    call("sample", weights, tmp_path / "heun", "-n", 3, "--steps", 3, "--heun")
    files = sorted((tmp_path / "heun").glob("*.png"))
    got = torch.stack([torch.from_numpy(imread(f)).permute(2, 0, 1) for f in files])
    model = models.load_model(weights)
    labels = torch.arange(3) % model.denoiser.net.classes
    want = measure.generate(model, 3, sampler=sampling.edm(3), labels=labels)
    assert torch.equal(got, want)
    result = CliRunner().invoke(
        cli, ["sample", str(weights), str(tmp_path / "no"), "-n", "1", "--heun", "--eta", "1"]
    )
    assert result.exit_code == 2 and "heun goes without fresh noise" in result.output
    assert not (tmp_path / "no").exists()


def test_a_folder_of_another_edm_model_is_refused(tmp_path):
    """What decides an image: sigma_data, embedding and grid, but not the training density."""
    from diffutils.course.commands.sample import identity

    weights, slots = tmp_path / "w", described.EDM
    weights.write_bytes(b"weights")
    card = {"unet": {}, "coefficients": "edm", "sigma_data": 0.5, "size": 8} | slots
    before = identity(weights, card)
    phi = {"name": "log_logistic", "arguments": {"c": 0.3}}
    assert identity(weights, card | {"density": phi}) == before
    for change in ({"sigma_data": 0.6}, {"grid": phi}, {"embedding": phi}, {"size": 16}):
        assert identity(weights, card | change) != before
