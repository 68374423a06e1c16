"""Generation and measurement of whole sets, and the training command behind the weights."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils import checkpoints, data, denoisers, schedules, training
from diffutils.course import evaluate, trial
from diffutils.course.budgets import budget
from diffutils.course.train import batch_for, fit_settings, load_for, train
from diffutils.denoisers import Denoiser
from diffutils.features import Classifier
from diffutils.unet import UNet


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    net = UNet(channels=(16, 16), blocks=1, attention=(False, False), classes=3)
    for p in net.parameters():  # a network that starts at zero would ignore everything
        torch.nn.init.normal_(p, std=0.1)
    schedule = schedules.Discrete(schedules.linear_betas(50))
    denoiser = Denoiser(net, denoisers.eps, schedule.t)
    return SimpleNamespace(denoiser=denoiser, schedule=schedule, card={"size": 8})


def test_images_do_not_depend_on_the_batch(model):
    labels = torch.tensor([0, 1, 2, 0, 1])
    whole = evaluate.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0)
    split = evaluate.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0, batch=2)
    assert whole.shape == (5, 3, 8, 8) and whole.dtype == torch.uint8
    assert (whole.int() - split.int()).abs().max() <= 1  # rounding of the convolutions


def test_seed_and_label_change_the_images(model):
    zero, one = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    base = evaluate.generate(model, 4, steps=6, labels=zero)
    assert torch.equal(base, evaluate.generate(model, 4, steps=6, labels=zero))
    assert not torch.equal(base, evaluate.generate(model, 4, steps=6, labels=one))
    assert not torch.equal(base, evaluate.generate(model, 4, steps=6, labels=zero, seed=1))


def test_balanced_labels():
    assert evaluate.balanced_labels(7, 3).tolist() == [0, 1, 2, 0, 1, 2, 0]


class Pixels(Classifier):
    """Four numbers of an image, in place of a trained network's features."""

    def __init__(self):
        super().__init__(classes=2, in_channels=1, width=16)

    def features(self, x):
        return x.flatten(1)[:, :4]


def test_measuring_real_images_gives_about_the_floor():
    random = torch.Generator().manual_seed(0)
    train, heldout, fresh = torch.randint(0, 256, (3, 400, 1, 4, 4), generator=random).byte()
    real = data.ImageSet("noise", train, heldout)
    same = evaluate.measure(heldout, real, Pixels())
    assert same["frechet"] == pytest.approx(0, abs=1e-9)
    assert same["precision"] == same["recall"] == 1
    good, bad = (evaluate.measure(x, real, Pixels()) for x in (fresh, fresh // 2))
    assert good["N"] == 400 and good["frechet"] < 3 * good["frechet_floor"]
    assert bad["frechet"] > 30 * bad["frechet_floor"]
    assert bad["recall"] < 0.6 < good["recall"]


def test_training_leaves_weights_that_load(tmp_path):
    small = budget("02", "smoke", {"steps": 4, "images": 32, "metric_samples": 16})
    card = train("sprites", small, tmp_path, name="tiny", report=lambda line: None)
    assert card["trained"]["steps"] == 4
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [2, 4]
    model = checkpoints.load_model(tmp_path / "tiny.safetensors")
    images = evaluate.generate(model, 3, steps=2, labels=torch.tensor([0, 1, 2]))
    assert images.shape == (3, 3, 16, 16)


def test_larger_images_come_smaller_and_in_smaller_batches():
    chosen = budget("02", "student", {"images": 64, "max_size": 32})
    sprites, faces = load_for("sprites", chosen, 0), load_for("faces", chosen, 0)
    assert sprites.shape == (3, 16, 16) and batch_for(sprites, chosen) == 64
    assert faces.shape == (3, 32, 32) and batch_for(faces, chosen) == 16


def test_the_clamped_state_is_the_published_one():
    x = torch.tensor([-9.0, 0.5, 3.0])
    clamped = trial.clamp_state(x, torch.tensor(2.0))
    assert torch.allclose(clamped / 5**0.5, (x / 5**0.5).clamp(-1, 1))


def test_a_trial_without_steps_says_not_run():
    rows = trial.faces_trial(budget("02", "student"), 0, None)
    assert [row["claim"] for row in rows] and all("measured" not in row for row in rows)


def test_both_arms_of_the_trial_train_and_draw():
    few = {"trial_steps": 3, "seeds": 2, "images": 32, "metric_samples": 4, "log_every": 3,
           "channels": (16, 16, 16), "pixels": 8 * 64 * 64}  # fmt: skip
    names = []

    def train(name, *arguments, **settings):
        names.append(name)
        return training.fit(*arguments, **settings)

    rows = trial.faces_trial(budget("02", "smoke", few), 0, train)
    assert [row["claim"] for row in rows] == [trial.CLAIM.format(arm) for arm in trial.ARMS]
    assert names == [f"trial/{arm.replace(' ', '-')}-seed-{seed}"
                     for arm in trial.ARMS for seed in (0, 1)]  # fmt: skip
    for row in rows:
        assert row["N"] == 4 and row["seeds"] == "2 training" and "3 steps of 8" in row["protocol"]


def test_the_trial_trains_where_a_lesson_keeps_it():
    """One folder for each arm and seed, so that a killed trial goes on where it was."""
    names = []

    def train(name, denoiser, images, schedule, *, steps, seed, **settings):
        names.append((name, steps, seed))
        yield SimpleNamespace(ema=denoiser)

    few = {"trial_steps": 3, "images": 8, "channels": (16, 16, 16)}
    for arm in trial.ARMS:
        trial.train_arm(arm, data.load("faces", size=64, limit=8), budget("02", "smoke", few), 5,
                        train=train)  # fmt: skip
    assert names == [("trial/as-published-seed-5", 3, 5), ("trial/corrected-seed-5", 3, 5)]


def test_the_arms_differ_where_the_protocol_says():
    seen = {}

    def train(name, denoiser, images, schedule, **settings):
        seen[settings["decay"].__name__] = settings | {"betas": schedule.betas}
        yield SimpleNamespace(ema=denoiser)

    chosen = budget("02", "smoke", {"trial_steps": 40, "images": 8})
    faces = data.load("faces", size=64, limit=8)
    for arm in trial.ARMS:
        trial.train_arm(arm, faces, chosen, 0, train)
    published, corrected = seen["constant"], seen["cosine"]
    assert (published["distance"], corrected["distance"]) == (torch.abs, torch.square)
    assert published["optimizer"] is torch.optim.Adam and published["lr"] == 1e-3
    assert published["ema"] == published["warmup"] == 0 and corrected["ema"] > 0.99
    assert float(published["betas"][-1]) == 0.02
    assert corrected["betas"][-1] / published["betas"][-1] == pytest.approx(1000 / 300)


def test_every_set_has_a_feature_space():
    faces, name = evaluate.feature_space("faces", 3)
    assert "faces-features" in name and faces.card["name"] == "faces-features"
    other, name = evaluate.feature_space("mnist", 1)
    assert "random" in name and other.stages[0].in_channels == 1


def test_without_labels_no_label_reaches_the_training():
    chosen = budget("02", "smoke", {"class_dropout": 1})
    found = load_for("sprites", chosen, 0)
    assert found.classes == () and found.train_labels is None
    assert fit_settings(found, chosen)["labels"] is None


def test_training_goes_on_from_weights(tmp_path):
    small = budget("02", "smoke", {"steps": 2, "images": 32, "lr": 1e-9, "ema": 0})
    train("sprites", small, tmp_path, name="first", report=lambda line: None)
    first = checkpoints.load_model(tmp_path / "first.safetensors").denoiser.net
    card = train("sprites", small, tmp_path, name="second", seed=1, report=lambda line: None,
                 start=tmp_path / "first.safetensors")  # fmt: skip
    second = checkpoints.load_model(tmp_path / "second.safetensors").denoiser.net
    assert card["started_from"]["name"] == "first"
    assert card["coefficients"] == card["started_from"]["coefficients"] == "eps"
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-3)


@pytest.mark.parametrize("predict", ["x0", "v"])
def test_the_card_says_what_the_network_predicts(tmp_path, predict):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    train("sprites", small, tmp_path, name="own", predict=predict, report=lambda line: None)
    model = checkpoints.load_model(tmp_path / "own.safetensors")
    assert model.denoiser.coefficients is getattr(denoisers, predict)


def write_folder(folder, sizes, mode="RGB"):
    """Noise images in two class folders, one image for each size."""
    random = np.random.default_rng(0)
    for i, size in enumerate(sizes):
        place = folder / ("cats" if i < len(sizes) // 2 else "dogs")
        place.mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (size, size + i % 3, len(mode)), np.uint8)
        Image.fromarray(pixels.squeeze(), mode).save(place / f"{i:03}.png")
    return f"folder:{folder}"


def test_a_folder_of_mixed_sizes_comes_at_one_size_and_shuffled(tmp_path):
    name = write_folder(tmp_path, [19 + i % 7 for i in range(40)])
    chosen = budget("02", "student")
    found = load_for(name, chosen, 0)
    assert found.shape == (3, 16, 16) and len(found.train) + len(found.heldout) == 40
    assert len(set(found.train_labels[:8].tolist())) == 2  # not one class first


def test_sides_are_made_divisible(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (30, 14, 14), np.uint8)
    np.savez(tmp_path / "odd.npz", images=images)
    found = load_for(f"npz:{tmp_path / 'odd.npz'}", budget("02", "student"), 0)
    assert found.shape == (1, 16, 16)


def test_few_images_give_nan_not_an_error():
    random = torch.Generator().manual_seed(0)
    train, heldout, fake = torch.randint(0, 256, (3, 3, 1, 4, 4), generator=random).byte()
    found = evaluate.measure(fake, data.ImageSet("few", train, heldout), Pixels())
    assert found["N"] == 3
    assert all(np.isnan(found[k]) for k in ("frechet", "kernel", "precision", "recall"))
