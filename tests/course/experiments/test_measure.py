"""Generation and measurement of whole sets, and the training command behind the weights."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils import data, denoisers, samplers, training
from diffutils.course.budgets import budget
from diffutils.course.experiments import measure
from diffutils.course.experiments import training as training_command
from diffutils.course.experiments.training import batch_for, fit_settings, load_for, train
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.lessons.lesson02 import faces_trial
from diffutils.metrics.classifiers import Classifier
from diffutils.weights import models


def test_images_do_not_depend_on_the_batch(model):
    labels = torch.tensor([0, 1, 2, 0, 1])
    whole = measure.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0)
    split = measure.generate(model, 5, steps=6, eta=1.0, labels=labels, scale=2.0, batch=2)
    assert whole.shape == (5, 3, 8, 8) and whole.dtype == torch.uint8
    assert (whole.int() - split.int()).abs().max() <= 1  # rounding of the convolutions


def test_seed_and_label_change_the_images(model):
    zero, one = torch.zeros(4, dtype=torch.long), torch.ones(4, dtype=torch.long)
    base = measure.generate(model, 4, steps=6, labels=zero)
    assert torch.equal(base, measure.generate(model, 4, steps=6, labels=zero))
    assert not torch.equal(base, measure.generate(model, 4, steps=6, labels=one))
    assert not torch.equal(base, measure.generate(model, 4, steps=6, labels=zero, seed=1))


def test_balanced_labels():
    assert measure.balanced_labels(7, 3).tolist() == [0, 1, 2, 0, 1, 2, 0]


class Pixels(Classifier):
    """Four numbers of an image, in place of a trained network's features."""

    def __init__(self):
        super().__init__(classes=2, in_channels=1, width=16)

    def features(self, x):
        return x.flatten(1)[:, :4]


def test_labels_are_asked_as_often_as_in_training_and_of_no_image_in_particular():
    images = torch.zeros(5, 1, 2, 2, dtype=torch.uint8)
    labels = torch.tensor([0, 0, 1, 2, 2])
    some = data.ImageSet("some", images, images, labels, labels.flip(0), ("a", "b", "c"))
    assert measure.asked_labels(some, 3).tolist() == [2, 2, 1]
    assert measure.asked_labels(some, 7).tolist() == [2, 2, 1, 0, 0, 2, 2]  # more than there are
    assert measure.asked_labels(data.ImageSet("plain", images, images), 3) is None


def test_the_floor_is_the_mean_over_disjoint_sets_of_real_images():
    train, real = torch.arange(47.0)[:, None], torch.full((4, 1), 2.0)
    seen = []

    def distance(x, y):
        seen.append(x[:, 0].tolist())
        return float((x - y).mean())

    mean, std = measure.floor(distance, train, real)
    assert seen == [[4.0 * k + i for i in range(4)] for k in range(10)]  # ten sets, whole ones
    assert mean == pytest.approx(17.5) and std == pytest.approx(np.std(4 * np.arange(10), ddof=1))
    mean, std = measure.floor(distance, train[:7], real)  # one set and a rest
    assert mean == pytest.approx(-0.5) and np.isnan(std)


def test_measuring_real_images_gives_about_the_floor():
    random = torch.Generator().manual_seed(0)
    train, heldout, fresh = torch.randint(0, 256, (3, 400, 1, 4, 4), generator=random).byte()
    real = data.ImageSet("noise", train, heldout)
    same = measure.measure(heldout, real, Pixels())
    assert same["frechet"] == pytest.approx(0, abs=1e-9)
    assert same["precision"] == same["recall"] == 1
    good, bad = (measure.measure(x, real, Pixels()) for x in (fresh, fresh // 2))
    assert good["N"] == 400 and good["frechet"] < 3 * good["frechet_floor"]
    assert bad["frechet"] > 30 * bad["frechet_floor"]
    assert bad["recall"] < 0.6 < good["recall"]


def test_training_leaves_weights_that_load(tmp_path):
    small = budget("02", "smoke", {"steps": 4, "images": 32, "metric_samples": 16})
    card = train("sprites", small, tmp_path, name="tiny", report=lambda line: None)
    assert card["trained"]["steps"] == 4
    log = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["step"] for line in log] == [2, 4]
    model = models.load_model(tmp_path / "tiny.safetensors")
    images = measure.generate(model, 3, steps=2, labels=torch.tensor([0, 1, 2]))
    assert images.shape == (3, 3, 16, 16)


def test_larger_images_come_smaller_and_in_smaller_batches():
    chosen = budget("02", "student", {"images": 64, "max_size": 32})
    sprites, faces = load_for("sprites", chosen, 0), load_for("faces", chosen, 0)
    assert sprites.shape == (3, 16, 16) and batch_for(sprites, chosen) == 64
    assert faces.shape == (3, 32, 32) and batch_for(faces, chosen) == 16


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


def test_every_set_has_a_feature_space():
    faces, name = measure.feature_space("faces", 3)
    assert "faces-features" in name and faces.card["name"] == "faces-features"
    other, name = measure.feature_space("mnist", 1)
    assert "random" in name and other.stages[0].in_channels == 1


def test_without_labels_no_label_reaches_the_training():
    chosen = budget("02", "smoke", {"class_dropout": 1})
    found = load_for("sprites", chosen, 0)
    assert found.classes == () and found.train_labels is None
    assert fit_settings(found, chosen)["labels"] is None


def test_training_goes_on_from_weights(tmp_path):
    small = budget("02", "smoke", {"steps": 2, "images": 32, "lr": 1e-9, "ema": 0})
    train("sprites", small, tmp_path, name="first", report=lambda line: None)
    first = models.load_model(tmp_path / "first.safetensors").denoiser.net
    card = train(
        "sprites",
        small,
        tmp_path,
        name="second",
        seed=1,
        report=lambda line: None,
        start=tmp_path / "first.safetensors",
    )
    second = models.load_model(tmp_path / "second.safetensors").denoiser.net
    assert card["started_from"]["name"] == "first"
    assert card["coefficients"] == card["started_from"]["coefficients"] == "eps"
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-3)


@pytest.mark.parametrize("predict", ["x0", "v"])
def test_the_card_says_what_the_network_predicts(tmp_path, predict):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    train("sprites", small, tmp_path, name="own", predict=predict, report=lambda line: None)
    model = models.load_model(tmp_path / "own.safetensors")
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
    found = measure.measure(fake, data.ImageSet("few", train, heldout), Pixels())
    assert found["N"] == 3
    assert all(np.isnan(found[k]) for k in ("frechet", "kernel", "precision", "recall"))


# ------------------------------------------------------------------- names, cards, numbers


@pytest.mark.parametrize("name", ["", "a/b", "../esc", ".hidden", "x" * 101, "ä", "a b", "a\n"])
def test_a_name_that_is_no_file_name_is_refused_before_training(tmp_path, name):
    with pytest.raises(ValueError, match="the name of a model is .*choose 1 to 100 letters"):
        train("sprites", budget("02", "smoke"), tmp_path / "out", name=name)
    assert list(tmp_path.iterdir()) == []


def test_another_name_or_lost_weights_do_not_end_a_finished_run(tmp_path):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    for name in ("A", "B-2.x_" + "x" * 94):
        card = train("sprites", small, tmp_path, name=name, report=lambda line: None)
        assert card["name"] == name
        (tmp_path / f"{name}.safetensors").unlink()
        train("sprites", small, tmp_path, name=name, report=lambda line: None)
        models.load_model(tmp_path / f"{name}.safetensors")
    assert not list(tmp_path.glob("earlier-*"))


FEW = dict(n=3, steps=1, eta=0.0, scale=1.0, seed=0)  # too few images for any distance


def strict(path):
    """The content of a JSON file; Infinity and NaN are no JSON."""

    def refuse(word):
        raise AssertionError(f"{word} in {path}")

    return json.loads(path.read_text(), parse_constant=refuse)


def test_a_model_without_classes_is_measured_and_its_card_holds_no_nan(tmp_path):
    small = budget("02", "smoke", {"steps": 1, "images": 32, "class_dropout": 1})
    train("sprites", small, tmp_path, name="own", report=lambda line: None)
    found = measure.measure_card(tmp_path / "own.safetensors", **FEW)
    assert "agreement" not in found and np.isnan(found["frechet"])
    card = strict(tmp_path / "own.json")
    assert card["metrics"]["frechet"] is None and card["metrics"]["N"] == 3
    assert card["metrics"]["searched"] == "32 training images"


@pytest.mark.parametrize("changes", [{"scale": float("nan")}, {"eta": float("inf")}])
def test_a_scale_that_is_not_finite_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match="both must be finite"):
        measure.measure_card(tmp_path / "own.safetensors", **FEW | changes)


def test_copies_are_searched_in_every_set_that_the_weights_have_seen():
    """The card names the training set and, one in the other, those of the trainings before."""
    own, mother, grandmother = (data.load("sprites", limit=20, seed=seed) for seed in (3, 2, 1))
    fresh = data.load("sprites", limit=20, seed=4).train
    first = {"images": 20, "seed": 1, "data": "sprites"}
    card = {"data": "sprites", "size": 16, "started_from": {"images": 20, "seed": 2}}
    for chain, searched, expected in (
        ({}, "20", [0.4, 0, 0]),
        (card["started_from"], "20 + 20", [0.4, 0.2, 0]),
        (card["started_from"] | {"started_from": first}, "20 + 20 + 20", [0.4, 0.2, 0.1]),
    ):
        images = [own.train[:8], mother.train[:4], grandmother.train[:2], fresh[:6]]
        found = measure.search_copies(torch.cat(images), own, card | {"started_from": chain})
        assert found["copies"] == pytest.approx(sum(expected))
        assert found["close"] >= found["copies"]
        assert found["searched"] == f"{searched} training images"


def test_the_card_keeps_the_trainings_before(tmp_path):
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    for seed, start in ((0, None), (1, 0), (2, 1)):
        start = None if start is None else tmp_path / f"{start}" / "own.safetensors"
        card = train(
            "sprites",
            small,
            tmp_path / f"{seed}",
            name="own",
            seed=seed,
            start=start,
            report=lambda line: None,
        )
    before = card["started_from"]
    assert (before["seed"], before["data"], before["images"]) == (1, "sprites", 32)
    assert before["started_from"]["seed"] == 0


def test_weights_of_a_lesson_are_measured(tmp_path, monkeypatch):
    """Lesson 02 gives its training a full card."""
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    found = load_for("sprites", small, 0)
    card = training_command.card(found, small, 0, "model", "eps")
    made = models.build(card)
    list(
        recorded_fit(
            tmp_path / "model",
            made.denoiser,
            found.train,
            made.schedule,
            card=card,
            say=lambda line: None,
            **fit_settings(found, small),
        )
    )
    numbers = measure.measure_card(tmp_path / "model" / "model.safetensors", **FEW)
    assert numbers["N"] == 3 and 0 <= numbers["agreement"] <= 1


def test_the_card_names_the_data_as_load_does():
    for name in ("mnist-m (made here)", "mnist-m", "folder:a (made here) b"):
        some = data.ImageSet(name, *torch.zeros(2, 4, 3, 8, 8, dtype=torch.uint8))
        said = training_command.card(some, budget("02", "smoke"), 0, "own", "eps")["data"]
        assert said == ("mnist-m" if name.startswith("mnist-m") else name)


@pytest.mark.parametrize("interval", [(5.0, 0.3), (-1.0, 2.0), (float("nan"), 2.0)])
def test_an_interval_upside_down_is_refused_before_anything_is_read(tmp_path, interval):
    with pytest.raises(ValueError, match="give two noise levels from 0 up, the lower one first"):
        measure.measure_card(
            tmp_path / "none", n=10, steps=2, eta=0.0, scale=2.0, seed=0, interval=interval
        )
