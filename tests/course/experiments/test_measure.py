"""Measuring: one row by one function, its floor, and the numbers on a model's card."""

import json

import numpy as np
import pytest
import torch

from diffutils import data, metrics
from diffutils.course.commands import score
from diffutils.course.experiments import described, measure, sweep
from diffutils.course.experiments.training import networks, train, train_card
from diffutils.course.runs.recorded_fit import recorded_fit
from diffutils.lessons import budget
from diffutils.metrics.spaces import Space
from diffutils.metrics.timer import Seconds
from diffutils.weights.models import Model

PIXELS = Space("four pixels", lambda x: x.flatten(1)[:, :4].double() / 255)


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


def measured(images, of, **more):
    return measure.measure(images, measure.reference(of, PIXELS, len(images)), **more)


def test_measuring_real_images_gives_about_the_floor():
    random = torch.Generator().manual_seed(0)
    train, heldout, fresh = torch.randint(0, 256, (3, 400, 1, 4, 4), generator=random).byte()
    real = data.ImageSet("noise", train, heldout)
    same = measured(heldout, real)
    assert same["frechet"] == pytest.approx(0, abs=1e-9)
    assert same["precision"] == same["recall"] == 1
    good, bad = (measured(x, real) for x in (fresh, fresh // 2))
    assert good["N"] == 400 and good["frechet"] < 3 * good["frechet_floor"]
    assert bad["frechet"] > 30 * bad["frechet_floor"]
    assert bad["recall"] < 0.6 < good["recall"]


def test_few_images_give_nan_not_an_error():
    random = torch.Generator().manual_seed(0)
    train, heldout, fake = torch.randint(0, 256, (3, 3, 1, 4, 4), generator=random).byte()
    found = measured(fake, data.ImageSet("few", train, heldout))
    assert found["N"] == 3
    assert all(np.isnan(found[k]) for k in ("frechet", "frechet_floor", "precision", "recall"))
    assert np.isfinite(found["kernel"])  # two images of each kind have one


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
    assert found["agreement"] is None and np.isnan(found["frechet"])
    card = strict(tmp_path / "own.json")
    assert card["metrics"]["frechet"] is None and card["metrics"]["N"] == 3
    assert card["metrics"]["searched"] == "32 training images"


@pytest.mark.parametrize("changes", [{"scale": float("nan")}, {"eta": float("inf")}])
def test_a_scale_that_is_not_finite_is_refused(tmp_path, changes):
    with pytest.raises(ValueError, match="must be a (finite )?number"):
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


def test_weights_of_a_lesson_are_measured(tmp_path):
    """Lesson 02 gives its training a full card."""
    small = budget("02", "smoke", {"steps": 1, "images": 32})
    found = described.load_for("sprites", small, 0)

    def lesson_train(name, *arguments, **settings):
        return recorded_fit(tmp_path / name, *arguments, say=lambda line: None, **settings)

    train_card(described.card(found, small, 0, "model"), found, lesson_train)
    numbers = measure.measure_card(tmp_path / "model" / "model.safetensors", **FEW)
    assert numbers["N"] == 3 and 0 <= numbers["agreement"] <= 1


@pytest.mark.parametrize("interval", [(5.0, 0.3), (-1.0, 2.0), (float("nan"), 2.0)])
def test_an_interval_upside_down_is_refused_before_anything_is_read(tmp_path, interval):
    with pytest.raises(ValueError, match="give two noise levels from 0 up, the lower one first"):
        measure.measure_card(
            tmp_path / "none.safetensors", n=10, steps=2, eta=0, scale=2, seed=0, interval=interval
        )


@pytest.fixture(scope="module")
def noise():
    """500 images to measure, and 500 held-out ones with 2,100 training images of one kind."""
    random = torch.Generator().manual_seed(3)
    images = torch.randint(0, 256, (3100, 3, 4, 4), generator=random).byte()
    labels = torch.arange(2600) % 2
    return images[:500] // 2 + 60, data.ImageSet(
        "noise", images[1000:], images[500:1000], labels[500:], labels[:500], ("a", "b")
    )


def test_one_name_is_one_number_through_all_three_doors(noise, monkeypatch):
    """The same 500 + 500 images on a card, in a sweep and in folders; floors of two kinds."""
    fake, real = noise
    card = measured(fake, real, judge=lambda x, y: 0.5, labels=torch.zeros(500))
    monkeypatch.setattr(sweep, "drawn", lambda *_, **__: (fake, 1.0, Seconds(1.0)))
    model = Model(torch.nn.Linear(1, 1), lambda u: u, lambda u: u, {})
    (row,) = sweep.sweep(model, real, PIXELS, n=500, steps=[1], etas=[0.0], judge=lambda x, y: 0.5)
    assert {k: row[k] for k in card} == card
    folder = score.distances(fake.split(77), real.heldout.split(77), PIXELS, 250)
    shared = folder.keys() & card.keys() - {"N"}
    assert shared == {
        "features", "frechet", "kernel", "kernel_low", "kernel_high", "precision", "recall"
    }  # fmt: skip
    for key in shared - {"features"}:
        assert folder[key] == pytest.approx(card[key], rel=1e-9), key
    # What the folder has no images for goes by another name.
    x = PIXELS.features(real.heldout)
    assert folder["frechet_halves"] == pytest.approx(metrics.frechet(x[:250], x[250:]), rel=1e-9)
    sets = PIXELS.features(real.train).split(500)[:4]
    floors = [metrics.frechet(part, x) for part in sets]
    assert card["frechet_floor"] == pytest.approx(np.mean(floors), rel=1e-9)
    assert card["frechet_floor_std"] == pytest.approx(np.std(floors, ddof=1), rel=1e-9)
    assert card["kernel_floor"] == pytest.approx(np.mean([metrics.mmd(part, x) for part in sets]))
    assert card["floor_sets"] == 4
    assert card["frechet_train"] == pytest.approx(
        metrics.frechet(PIXELS.features(fake), sets[0]), rel=1e-9
    )


def test_a_row_has_what_the_schema_says(noise):
    fake, real = noise
    assert measured(fake, real).keys() == measure.Measured.__annotations__.keys()


def test_images_are_as_many_as_the_real_ones(noise):
    fake, real = noise
    with pytest.raises(ValueError, match="9 images cannot be measured against 20"):
        measure.measure(fake[:9], measure.reference(real, PIXELS, 20))
    assert measured(fake[:20], real)["N"] == 20
    assert measure.reference(real, PIXELS, 10_000).heldout.shape == (500, 4)


def test_a_model_is_measured_on_the_images_that_its_card_names(tmp_path, monkeypatch):
    """Not on those of its own training seed: the second network of a lesson saw the first's."""
    small = budget("03", "smoke", {"pretrained": False, "steps": 1, "images": 32, "seeds": 2})

    def lesson_train(name, *arguments, **settings):
        return recorded_fit(tmp_path / name, *arguments, say=lambda line: None, **settings)

    _, seen = networks("sprites", small, 5, lesson_train)
    searched = []
    monkeypatch.setattr(
        measure, "search_copies", lambda images, data, card: searched.append(data) or {}
    )
    measure.measure_card(tmp_path / "model-1" / "model-1.safetensors", **FEW)
    (found,) = searched
    key = lambda images: sorted(x.numpy().tobytes() for x in images)  # noqa: E731
    assert key(found.train) == key(seen.train)
    assert not {*key(found.heldout)} & {*key(seen.train)}
