"""A training as data: cards, their images, and the settings that they mean."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from diffutils import data, loop, schedules
from diffutils.course.experiments import described
from diffutils.course.experiments.described import batch_for, fit_settings, load_for
from diffutils.data import to_float
from diffutils.lessons import budget
from diffutils.metrics import spaces
from diffutils.unet import UNet

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
    for name in ("mnist-m (made here)", "mnist-m", "folder:/a (made here) b"):
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


@pytest.mark.parametrize("changes", [{}, {"class_dropout": 1.0}])
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


# ------------------------------------------------------------------- what a lesson needs


def write_parts(folder, train, heldout, side=16):
    """Noise images in folder/train and folder/test."""
    random = np.random.default_rng(train)
    for part, n in (("train", train), ("test", heldout)):
        (folder / part).mkdir(parents=True)
        for i in range(n):
            pixels = random.integers(0, 256, (side, side, 3), np.uint8)
            Image.fromarray(pixels).save(folder / part / f"{i:03}.png")
    return f"folder:{folder}"


@pytest.mark.parametrize(("number", "least"), [("02", (3, 1)), ("03", (4, 4)), ("04", (4, 4))])
def test_too_few_images_are_refused_with_what_is_needed(number, least, tmp_path):
    enough = write_parts(tmp_path / "enough", *least)
    assert len(load_for(enough, budget(number, "smoke"), 0).heldout) == least[1]
    if least == (4, 4):
        for n in ((40, 1), (3, 8), (40, 3)):
            few = write_parts(tmp_path / str(n), *n)
            said = f"{n[0]} training and {n[1]} held-out images, but 4 and 4 are needed: a distance"
            with pytest.raises(ValueError, match=said):
                load_for(few, budget(number, "smoke"), 0)


@pytest.mark.parametrize("side", [4, 7, 12])
def test_small_arrays_come_as_large_as_what_measures_them_reads(side, tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (60, side, side), np.uint8)
    np.savez(tmp_path / "small.npz", images=images)
    name, chosen = f"npz:{tmp_path / 'small.npz'}", budget("03", "smoke")
    found = load_for(name, chosen, 0)
    assert found.shape == (1, 16, 16)
    again = described.images_of(described.card(found, chosen, 0, "own"))
    assert torch.equal(again.train, found.train)
    spaces.of(name, 1).features(found.heldout)


def test_more_than_the_memory_holds_is_refused_before_it_is_drawn():
    large = {"max_size": 512, "images": 10**8}
    wide = {"channels": "4096,4096,4096", "blocks": 32, "batch": 10**6, "pixels": 2**32}
    for name, changes in (("faces", large), ("sprites", wide)):
        with pytest.raises(ValueError, match="about .* GB of memory, .*; choose fewer images, sma"):
            load_for(name, budget("02", "smoke", changes), 0)


def test_the_memory_of_a_training_is_estimated_within_a_factor_of_two():
    """Against what autograd keeps for the backward pass, and the parameters that there are."""
    chosen = budget("02", "student", {"images": 10, "batch": 1, "metric_samples": 4})
    data = load_for("sprites", chosen, 0)
    net, kept = UNet(3, 3, chosen.channels, chosen.blocks, chosen.attention), {}

    def pack(t):
        kept[t.untyped_storage().data_ptr()] = t.untyped_storage().nbytes()
        return t

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda t: t):
        net(to_float(data.train[:1]), torch.ones(1))
    own = {p.untyped_storage().data_ptr() for p in net.parameters()}
    measured = sum(n for at, n in kept.items() if at not in own)
    weights = 4 * sum(p.numel() for p in net.parameters())
    expected = measured + 6 * weights
    assert expected / 2 < described.memory(data, chosen) < 2 * expected
    many = replace(chosen, batch=101)
    grown = described.memory(data, many) - described.memory(data, chosen)
    assert 63 * measured / 2 < grown < 63 * measured * 2  # pixels allow a batch of 64


def test_held_out_images_without_labels_leave_the_labels_out(monkeypatch):
    some = torch.arange(30 * 3 * 16 * 16).remainder(251).byte().view(30, 3, 16, 16)
    half = data.ImageSet("npz:a", some[:20], some[20:], torch.zeros(20).long(), None, ("a",))
    monkeypatch.setattr(described, "load", lambda *_, **__: half)
    with pytest.warns(UserWarning, match="held-out images have no labels, so that no") as seen:
        found = load_for("npz:a", budget("02", "smoke"), 0)
    assert found.classes == () and found.train_labels is None and seen[0].filename == __file__


# ------------------------------------------------------------------- one's own files


def own_card(tmp_path, monkeypatch):
    write_parts(tmp_path / "mine", 20, 4)
    monkeypatch.chdir(tmp_path)
    found = load_for("folder:mine", BUDGET, 0)
    return json.loads(json.dumps(described.card(found, BUDGET, 0, "own"))), found


def test_a_card_of_ones_own_files_holds_in_any_directory(tmp_path, monkeypatch):
    card, found = own_card(tmp_path, monkeypatch)
    assert card["data"] == f"folder:{tmp_path / 'mine'}"
    monkeypatch.chdir("/")
    os.utime(tmp_path / "mine" / "train" / "000.png")  # as a copy has it
    (tmp_path / "mine" / ".DS_Store").write_text("of the file browser")
    assert torch.equal(described.images_of(card).train, found.train)
    fewer = described.images_of(card, heldout=2, order=5)
    assert len(fewer.heldout) == 2 and len(fewer.train) == 20
    assert "contents" not in described.card(load_for("sprites", BUDGET, 0), BUDGET, 0, "other")


@pytest.mark.parametrize("change", ["pixel", "missing", "added", "replaced link"])
def test_a_card_whose_files_changed_is_refused_with_what_changed(change, tmp_path, monkeypatch):
    card, _ = own_card(tmp_path, monkeypatch)
    first, new = tmp_path / "mine" / "train" / "000.png", Image.new("RGB", (16, 16), "red")
    part, now = "train", 20
    if change == "pixel":
        image = Image.open(first).convert("RGB")
        image.putpixel((0, 0), (1, 2, 3))
        image.save(first)
    elif change == "missing":
        first.unlink()
        now = 19
    elif change == "added":
        new.save(tmp_path / "mine" / "test" / "new.png")
        part, now = "heldout", 5
    else:
        new.save(tmp_path / "other.png")
        first.unlink()
        first.symlink_to(tmp_path / "other.png")
    then = 20 if part == "train" else 4
    said = (
        f"not what own was trained on .{part} was {then} images .*, is {now} images .*train again"
    )
    with pytest.raises(ValueError, match=said):
        described.images_of(card, heldout=2)


def test_files_in_a_checkout_move_along_with_it(tmp_path, monkeypatch):
    monkeypatch.setattr(described.files, "CHECKOUT", tmp_path / "old")
    (tmp_path / "old").mkdir()
    card, found = own_card(tmp_path / "old", monkeypatch)
    assert card["place"] == "mine"
    (tmp_path / "old").rename(tmp_path / "new")
    monkeypatch.chdir("/")
    monkeypatch.setattr(described.files, "CHECKOUT", tmp_path / "new")
    assert torch.equal(described.images_of(card).train, found.train)


def test_without_a_checkout_a_card_knows_the_full_path_alone(tmp_path, monkeypatch):
    """As the installed package has none."""
    monkeypatch.setattr(described.files, "CHECKOUT", None)
    card, found = own_card(tmp_path, monkeypatch)
    assert "place" not in card
    monkeypatch.chdir("/")
    assert torch.equal(described.images_of(card).train, found.train)
    gone = card | {"data": "folder:/gone", "place": "mine"}  # of a checkout elsewhere
    with pytest.raises(FileNotFoundError, match="folder:/gone does not exist"):
        described.images_of(gone)


def test_a_card_that_lacks_entries_is_refused(noise):
    with pytest.raises(ValueError, match="does not say its size, images, seed, data, so"):
        described.images_of({})
    card = described.card(noise, BUDGET, 0, "own")
    card["settings"]["loss"] = ["mse"]
    with pytest.raises(ValueError, match="loss is .*; choose from mse, l1"):
        fit_settings(card, noise)
    with pytest.raises(ValueError, match="coefficients is 'epsilon'; choose from eps, x0, v, edm"):
        described.card(noise, BUDGET, 0, "own", "epsilon")
