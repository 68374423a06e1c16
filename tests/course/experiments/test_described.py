"""A training as data: cards, their images, and the settings that they mean."""

import json

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils import data, loop, schedules
from diffutils.course.experiments import described
from diffutils.course.experiments.described import batch_for, fit_settings, load_for
from diffutils.data import to_float
from diffutils.lessons import budget

BUDGET = budget("04", "smoke", {"channels": "8,8", "attention": "false,false", "batch": 4})


@pytest.fixture(scope="module")
def noise():
    random = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (80, 3, 4, 4), generator=random).byte()
    return data.ImageSet("noise", images[20:], images[:20])


def test_larger_images_come_smaller_and_in_smaller_batches():
    chosen = budget("02", "student", {"images": 64, "max_size": 32})
    sprites, faces = load_for("sprites", chosen, 0), load_for("faces", chosen, 0)
    assert sprites.shape == (3, 16, 16) and batch_for(sprites, chosen) == 64
    assert faces.shape == (3, 32, 32) and batch_for(faces, chosen) == 16


def test_without_labels_no_label_reaches_the_training():
    chosen = budget("02", "smoke", {"class_dropout": 1})
    found = load_for("sprites", chosen, 0)
    assert found.classes == () and found.train_labels is None
    card = described.card(found, chosen, 0, "own")
    assert fit_settings(card, found)["labels"] is None


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


def test_the_card_names_the_data_as_load_does():
    for name in ("mnist-m (made here)", "mnist-m", "folder:a (made here) b"):
        some = data.ImageSet(name, *torch.zeros(2, 4, 3, 8, 8, dtype=torch.uint8))
        said = described.card(some, budget("02", "smoke"), 0, "own", "eps")["data"]
        assert said == ("mnist-m" if name.startswith("mnist-m") else name)


def test_sigma_data_is_measured_part_by_part(noise):
    """Equal to the rms of all, also where the last part is smaller; of 10,000 images at most."""
    images = noise.train.repeat(20, 1, 1, 1)[:1111] // 2
    want = float(to_float(images).double().square().mean().sqrt())
    assert described.sigma_data(images) == pytest.approx(want, abs=6e-5)
    bright = torch.cat([images[:1].expand(10_000, 3, 4, 4), 255 - 0 * images[:500]])
    first = float(to_float(images[:1]).square().mean().sqrt())
    assert described.sigma_data(bright) == pytest.approx(first, abs=6e-5)


def test_entries_of_a_card_can_be_replaced(noise):
    card = described.card(noise, BUDGET, 0, "a", "edm")
    assert {k: card[k] for k in described.EDM} == described.EDM and "betas" not in card
    other = described.card(noise, BUDGET, 0, "a", "edm", grid={"name": "log_uniform"})
    assert other["grid"] == {"name": "log_uniform"} and other["density"] == card["density"]
    assert "betas" in described.card(noise, BUDGET, 0, "a", "v")


def test_a_card_is_what_json_gives_back(noise):
    """Also where the data set was shuffled, cut, or told to have no labels."""
    card = described.card(load_for("sprites", BUDGET, 2), BUDGET, 5, "own", "edm", weight="none")
    assert json.loads(json.dumps(card, allow_nan=False)) == card
    assert card["loaded"]["order"] == card["loaded"]["seed"] == 2 and card["seed"] == 5
    assert described.card(noise, BUDGET, 0, "own")["loaded"] == {}


@pytest.mark.parametrize("changes", [{}, {"class_dropout": 1.0}, {"max_size": 8}])
def test_a_card_finds_its_images_again(changes):
    chosen = budget("04", "smoke", {"images": 40} | changes)
    first = load_for("sprites", chosen, 3)
    card = described.card(first, chosen, 8, "own")  # of another seed than the data's
    again = described.images_of(json.loads(json.dumps(card)))
    assert again.classes == first.classes and again.loaded == first.loaded
    for part in ("train", "heldout", "train_labels", "heldout_labels"):
        one, other = getattr(first, part), getattr(again, part)
        assert one is other is None or torch.equal(one, other), part
    fewer = described.images_of(card, limit=10, order=None)
    assert len(fewer.train) == 10 and "order" not in fewer.loaded


def test_settings_are_those_of_the_card(noise):
    chosen = budget("04", "smoke", {"optimizer": "adam", "decay": "constant"})
    card = described.card(noise, chosen, 9, "own", "edm", weight="none")
    found = fit_settings(card, noise)
    assert found["optimizer"] is torch.optim.Adam and found["decay"] is loop.constant
    assert found["distance"] is torch.square and found["seed"] == 9
    sigma, sd = torch.tensor([0.01, 1.0, 50.0]), card["sigma_data"]
    plain = (sigma * sd) ** 2 / (sigma**2 + sd**2)  # 1 / lambda
    torch.testing.assert_close(found["weight"](sigma), plain)
    assert fit_settings(described.card(noise, chosen, 9, "own"), noise)["weight"] is None


@pytest.mark.parametrize("f", [
    lambda s: s / (1 + s), lambda s: s.log() ** 2, lambda s: (s > 1).double(), torch.sin,
])  # fmt: skip
def test_lambda_prime_turns_one_expectation_into_the_other(f):
    """E of p_EDM/p_phi f over phi*'s own draws is E of f over EDM's in the range: 1e-3."""
    u = (torch.arange(200_000, dtype=torch.float64) + 0.5) / 200_000
    ours, edms = schedules.log_logistic(0.3)(u), schedules.log_normal()(u)
    inside = (edms >= 0.002) & (edms <= 80)
    want = float((f(edms) * inside).mean())
    got = float((described.weights(0.5)["lambda'"](ours) * f(ours)).mean())
    assert got == pytest.approx(want, abs=1e-3)
    assert abs(float(f(ours).mean()) - want) > 0.01  # without the weight it is another
