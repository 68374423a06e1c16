"""`python -m diffutils sample`: what lies in the folder, after a kill, and what is refused."""

import json

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from PIL import Image

from diffutils.__main__ import cli
from diffutils.course.commands import sample
from diffutils.course.commands.sample import find_weights
from diffutils.course.experiments.sampling import generate
from diffutils.course.runs import fingerprint, rundir
from diffutils.data import DRAWN, load, png
from diffutils.weights import cards, files, models

CARD = {
    "name": "tiny",
    "size": 8,
    "coefficients": "eps",
    "classes": ["cat", "dog", "7"],
    "unet": {"channels": [8, 8], "blocks": 1, "attention": [False, False], "classes": 3},
    "betas": {"name": "linear", "arguments": {"T": 20}},
}
STEPS = dict(steps=3, report=lambda line: None)


def tiny(folder, name="tiny", **changes):
    """Random weights with a card in a folder; the path of the weights."""
    torch.manual_seed(0)
    net = models.build(CARD | changes).denoiser.net
    for p in net.parameters():
        torch.nn.init.normal_(p, std=0.1)
    path = folder / f"{name}.safetensors"
    cards.save_weights(path, net, CARD | changes)
    return path


def pixels(folder):
    """name -> image, of all PNG files in a folder."""
    return {p.name: np.array(Image.open(p)) for p in sorted(folder.glob("*.png"))}


def test_images_are_those_of_generate(tmp_path):
    """Every class in turn, guided; file i is image i, pixel for pixel."""
    path, out = tiny(tmp_path), tmp_path / "a" / "images"
    record = sample.sample_folder(str(path), out, 5, scale=2.0, seed=3, eta=0.5, **STEPS)
    want = generate(
        models.load_model(path),
        5,
        steps=3,
        eta=0.5,
        scale=2.0,
        seed=3,
        labels=torch.tensor([0, 1, 2, 0, 1]),
    )
    found = pixels(out)
    assert list(found) == [f"{i:05}.png" for i in range(5)]
    for image, file in zip(want, found.values(), strict=True):
        assert np.array_equal(image.permute(1, 2, 0).numpy(), file)
    assert record == tmp_path / "a" / "images.json"
    about = json.loads(record.read_text())
    settings = about["settings"]
    assert len(settings.pop("model")) == 16 and (about["n"], about["weights"]) == (5, path.name)
    assert settings == {
        "steps": 3,
        "eta": 0.5,
        "scale": 2.0,
        "label": "every",
        "seed": 3,
        "bf16": False,
    }
    assert {p.name for p in out.iterdir()} == set(found)  # no lock, no halves


def test_a_killed_run_goes_on_and_a_larger_n_adds(tmp_path, monkeypatch):
    path, out = tiny(tmp_path), tmp_path / "images"
    sample.sample_folder(str(path), tmp_path / "whole", 9, **STEPS)
    write, left = files.write_whole, [6]

    def dies(file, content):
        left[0] -= 1
        if left[0] < 0:
            (out / f".00004.png.x{files.PART}").write_bytes(content[:9])  # what a kill leaves
            raise KeyboardInterrupt
        write(file, content)

    monkeypatch.setattr(files, "write_whole", dies)
    with pytest.raises(KeyboardInterrupt):
        sample.sample_folder(str(path), out, 6, **STEPS)
    monkeypatch.setattr(files, "write_whole", write)
    assert len(pixels(out)) == 4  # two of the six were owner and settings
    (out / "00001.png").unlink()
    before = {p: p.stat().st_mtime_ns for p in out.glob("*.png")}
    said = []
    sample.sample_folder(str(path), out, 9, steps=3, batch=2, report=said.append)
    assert said[0] == "3 of 9 images are there, drawn with the same settings"
    assert "6/6 images" in said[-1]
    assert all(p.stat().st_mtime_ns == t for p, t in before.items())
    assert not list(out.glob(".*"))
    for (name, a), b in zip(pixels(out).items(), pixels(tmp_path / "whole").values(), strict=True):
        assert np.abs(a.astype(int) - b).max() <= 1, name  # other batches, other rounding
    assert json.loads((tmp_path / "images.json").read_text())["n"] == 9


@pytest.mark.parametrize(
    "change",
    [
        dict(steps=4),
        dict(eta=1.0),
        dict(scale=2.0),
        dict(label="dog"),
        dict(seed=1),
        dict(bf16=True),
    ],
)
def test_other_settings_are_refused_and_change_nothing(tmp_path, change):
    path, out = tiny(tmp_path), tmp_path / "images"
    sample.sample_folder(str(path), out, 2, **STEPS)
    before = (tmp_path / "images.json").read_text()
    (key,) = change
    with pytest.raises(ValueError, match=rf"images of other settings: {key} was .*, is .*; choose"):
        sample.sample_folder(str(path), out, 3, **STEPS | change)
    assert (tmp_path / "images.json").read_text() == before and len(pixels(out)) == 2


def test_another_model_is_refused(tmp_path):
    """The same weights with another schedule on the card; but a model may have moved."""
    path, out = tiny(tmp_path), tmp_path / "images"
    sample.sample_folder(str(path), out, 2, **STEPS)
    other = tiny(tmp_path / "other", betas={"name": "cosine", "arguments": {"T": 20}})
    with pytest.raises(ValueError, match="other settings: model was .*, is "):
        sample.sample_folder(str(other), out, 3, **STEPS)
    for suffix in (".safetensors", ".json"):
        path.with_suffix(suffix).rename(tmp_path / f"again{suffix}")
    sample.sample_folder(str(tmp_path / "again.safetensors"), out, 3, **STEPS)
    assert len(pixels(out)) == 3  # the same model under another name


def test_a_finished_folder_stays_as_it_is(tmp_path):
    path, said = tiny(tmp_path), []
    for _ in range(2):
        said.clear()
        sample.sample_folder(str(path), tmp_path / "images", 2, steps=3, report=said.append)
    assert said == ["2 of 2 images are there, drawn with the same settings"]


def test_a_folder_of_other_files_is_left_alone(tmp_path):
    path, out = tiny(tmp_path), tmp_path / "mine"
    out.mkdir()
    (out / "holiday.png").write_bytes(b"x")
    with pytest.raises(ValueError, match="mine holds files, but .*mine.json does not say how"):
        sample.sample_folder(str(path), out, 2, **STEPS)
    assert [p.name for p in out.iterdir()] == ["holiday.png"]
    with pytest.raises(ValueError, match="holiday.png is a file; give a folder"):
        sample.sample_folder(str(path), out / "holiday.png", 2, **STEPS)


def test_two_runs_do_not_write_into_one_folder(tmp_path, monkeypatch):
    def busy(folder):
        raise BlockingIOError(f"{folder} is in use by process 1")

    monkeypatch.setattr(rundir, "hold", busy)
    with pytest.raises(BlockingIOError, match="in use by process 1"):
        sample.sample_folder(str(tiny(tmp_path)), tmp_path / "images", 2, **STEPS)
    assert not (tmp_path / "images.json").exists()


def test_memory_does_not_grow_with_n(tmp_path, monkeypatch):
    """Of 400 images no more than a batch exists at a time."""
    alive, most = [0], [0]

    class Counted:
        def __init__(self):
            alive[0] += 1
            most[0] = max(most[0], alive[0])
            self.images = torch.zeros(10, 1, 4, 4, dtype=torch.uint8)

        def __iter__(self):
            return iter(self.images)

        def cpu(self):
            return self

        def __len__(self):
            return 10

        def __del__(self):
            alive[0] -= 1

    monkeypatch.setattr(files, "write_whole", lambda path, content: None)
    sample.write(tmp_path, torch.arange(400), (Counted() for _ in range(40)), print)
    assert most[0] <= 2 and alive[0] == 0


def test_grey_images(tmp_path):
    one = CARD["unet"] | {"in_channels": 1, "out_channels": 1}
    sample.sample_folder(str(tiny(tmp_path, unet=one)), tmp_path / "grey", 2, **STEPS)
    assert all(image.shape == (8, 8) for image in pixels(tmp_path / "grey").values())


# ------------------------------------------------------------------- weights and classes


def test_weights_run_or_name(tmp_path):
    run = tmp_path / "run"
    path = tiny(run / "02" / "model")
    for source in (path, run, run / "02", run / "02" / "model"):
        assert find_weights(str(source)) == path
    checkpoint = run / "02" / "model" / "checkpoints" / "step-00000001"
    checkpoint.mkdir(parents=True)
    (checkpoint / "raw.safetensors").write_bytes(b"")
    tiny(run / "02" / "model" / "earlier-1")
    assert find_weights(str(run)) == path  # neither a checkpoint nor what was set aside
    assert find_weights("sprites") == cards.PRETRAINED / "sprites.safetensors"


def test_sources_without_one_model(tmp_path):
    with pytest.raises(ValueError, match="holds 0 models; .*: none"):
        find_weights(str(tmp_path))
    a, b = tiny(tmp_path / "a", "a"), tiny(tmp_path / "b", "b")
    with pytest.raises(ValueError, match=f"holds 2 models; give the file of one: {a}, {b}"):
        find_weights(str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no weights at .*no.safetensors"):
        find_weights(str(tmp_path / "no.safetensors"))
    with pytest.raises(ValueError, match="'sprits' is no .* shipped are .*sprites"):
        find_weights("sprits")


@pytest.mark.parametrize(
    "label, want",
    [
        (None, "every"),
        ("none", "none"),
        ("dog", 1),
        ("0", 0),
        ("2", 2),
        ("7", 2),
    ],
)
def test_classes_by_name_or_number(label, want):
    """A name goes before a number: the third class is called 7."""
    model = models.build(CARD)
    assert sample.asked_class(model, label) == want
    index = torch.tensor([4, 5, 6])
    labels = sample.labels_for(model, index, want)
    expected = {"every": [1, 2, 0], "none": None}.get(want, [want] * 3)
    assert (labels if labels is None else labels.tolist()) == expected


def test_unknown_classes():
    model = models.build(CARD)
    with pytest.raises(ValueError, match="label is 'cow', but the model knows 0 cat, 1 dog, 2 7"):
        sample.asked_class(model, "cow")
    with pytest.raises(ValueError, match="label is '3'"):
        sample.asked_class(model, "3")
    model = models.build(CARD | {"classes": [], "unet": CARD["unet"] | {"classes": 0}})
    assert sample.asked_class(model, None) == "none"
    with pytest.raises(ValueError, match="label is '0', but the model has no classes"):
        sample.asked_class(model, "0")


# ------------------------------------------------------------------- conditions

CONDITIONAL = CARD["unet"] | {"cond_channels": 1}


def sketches(folder, n, size=8, channels=1):
    """Folder of n grey or colour images, named b00.png, a01.png, b02.png, ...; the images."""
    images = torch.arange(n * channels * size * size).remainder(251).byte()
    images = images.view(n, channels, size, size)
    for i, image in enumerate(images):
        png.write(folder / f"{'ba'[i % 2]}{i:02}.png", image)
    return images


def test_images_are_drawn_beside_a_folders_files(tmp_path):
    """In the order of their names, every one of them; what was drawn beside others is refused."""
    path, out = tiny(tmp_path / "m", unet=CONDITIONAL), tmp_path / "out"
    images = sketches(tmp_path / "s", 5)
    name = f"folder:{tmp_path / 's'}"
    sample.sample_folder(str(path), out, 3, cond=[name], label="none", **STEPS)
    sample.sample_folder(str(path), out, 5, cond=[name], label="none", **STEPS)
    order = [1, 3, 0, 2, 4]  # a01, a03, b00, b02, b04
    want = generate(models.load_model(path), 5, steps=3, cond=images[order])
    for image, file in zip(want, pixels(out).values(), strict=True):
        assert np.abs(image.permute(1, 2, 0).numpy().astype(int) - file).max() <= 1
    settings = json.loads((tmp_path / "out.json").read_text())["settings"]
    assert settings["cond"] == [f"{name} {fingerprint.files(name)}"]
    png.write(tmp_path / "s" / "c.png", images[0])
    with pytest.raises(ValueError, match="other settings: cond was"):
        sample.sample_folder(str(path), out, 5, cond=[name], label="none", **STEPS)


def test_channels_of_two_sets_are_stacked(tmp_path):
    path = tiny(tmp_path / "m", unet=CARD["unet"] | {"cond_channels": 4})
    grey, colours = sketches(tmp_path / "grey", 3), sketches(tmp_path / "colours", 3, channels=3)
    names = [f"folder:{tmp_path / name}" for name in ("grey", "colours")]
    got = sample.conditions(names, 3, models.load_model(path))
    assert torch.equal(got, torch.cat([grey, colours], 1)[[1, 0, 2]])


def test_other_sets_give_their_training_images(tmp_path, monkeypatch):
    """Drawn sprites, resized to the model's side."""
    monkeypatch.setitem(DRAWN, "sprites", 40)
    model = models.load_model(tiny(tmp_path, unet=CARD["unet"] | {"cond_channels": 3}))
    got = sample.conditions(["sprites"], 4, model)
    assert torch.equal(got, load("sprites", size=8).train[:4])


def test_arrays_count_in_their_order(tmp_path):
    """Every image, also those that a training would hold out; resized to the model's side."""
    model = models.load_model(tiny(tmp_path, unet=CARD["unet"] | {"cond_channels": 3}))
    images = np.random.default_rng(0).integers(0, 256, (30, 8, 8, 3)).astype(np.uint8)
    np.savez(tmp_path / "a.npz", images=images)
    name = f"npz:{tmp_path / 'a.npz'}"
    want = torch.from_numpy(images).permute(0, 3, 1, 2)
    assert torch.equal(sample.conditions([name], 30, model), want)
    colours = images[:, :1, :1]
    np.savez(tmp_path / "a.npz", images=colours.repeat(24, 1).repeat(16, 2))
    got = sample.conditions([name], 7, model)
    assert torch.equal(got, torch.from_numpy(colours[:7]).permute(0, 3, 1, 2).expand(7, 3, 8, 8))
    wide = models.build(CARD | {"size": [24, 16], "unet": CARD["unet"] | {"cond_channels": 3}})
    assert sample.conditions([name], 7, wide).shape == (7, 3, 24, 16)
    np.savez(tmp_path / "a.npz", other=images)
    with pytest.raises(ValueError, match="the images must be called 'images'"):
        sample.conditions([name], 7, model)


@pytest.mark.parametrize(
    "n, size, channels, cond, message",
    [
        (4, 8, 1, "s", "n is 4, but folder:.*s has 3 images to draw beside; draw no more"),
        (3, 8, 3, "s", r"beside conditions of shape \(3, 1, 8, 8\), got \(3, 3, 8, 8\)"),
        (3, 8, 1, "no", "no is no folder"),
        (3, 8, 1, None, r"beside conditions of shape \(3, 1, 8, 8\), got None"),
    ],
)
def test_conditions_that_do_not_fit_leave_nothing_behind(
    tmp_path, n, size, channels, cond, message
):
    path = tiny(tmp_path / "m", unet=CONDITIONAL)
    sketches(tmp_path / "s", 3, size, channels)
    names = [] if cond is None else [f"folder:{tmp_path / cond}"]
    with pytest.raises((ValueError, OSError), match=message):
        sample.sample_folder(str(path), tmp_path / "out", n, cond=names, **STEPS)
    assert {p.name for p in tmp_path.iterdir()} == {"m", "s"}


def test_a_broken_condition_is_named(tmp_path):
    path = tiny(tmp_path / "m", unet=CONDITIONAL)
    sketches(tmp_path / "s", 3)
    (tmp_path / "s" / "a01.png").write_bytes(b"no picture")
    with pytest.raises(
        ValueError, match=r"a01.png cannot be read \(.*\); each file is a condition"
    ):
        sample.conditions([f"folder:{tmp_path / 's'}"], 3, models.load_model(path))


def test_conditions_need_a_model_that_takes_them(tmp_path):
    sketches(tmp_path / "s", 3)
    with pytest.raises(ValueError, match="takes no condition beside an image"):
        name = f"folder:{tmp_path / 's'}"
        sample.sample_folder(str(tiny(tmp_path / "m")), tmp_path / "out", 3, cond=[name], **STEPS)


def test_images_that_are_not_square(tmp_path):
    path = tiny(tmp_path, size=[8, 12])
    sample.sample_folder(str(path), tmp_path / "wide", 2, **STEPS)
    assert all(image.shape == (8, 12, 3) for image in pixels(tmp_path / "wide").values())


# ------------------------------------------------------------------- the command


def call(*arguments):
    done = CliRunner().invoke(cli, ["sample", *map(str, arguments)])
    return done.exit_code, " ".join(done.output.split())


def test_the_command(tmp_path):
    path, out = tiny(tmp_path), tmp_path / "images"
    settings = (
        "--steps",
        2,
        "--eta",
        1,
        "--label",
        "dog",
        "--scale",
        1.5,
        "--seed",
        4,
        "--bf16",
        "--batch",
        2,
    )
    code, said = call(path, "-n", 3, out, *settings)
    assert code == 0 and "3/3 images" in said and f"settings: {out}.json" in said, said
    assert len(pixels(out)) == 3
    assert json.loads((tmp_path / "images.json").read_text())["settings"] | {"model": ""} == {
        "model": "",
        "steps": 2,
        "eta": 1.0,
        "scale": 1.5,
        "label": 1,
        "seed": 4,
        "bf16": True,
    }


@pytest.mark.parametrize(
    "wrong, message",
    [
        (("-n", 0), "0 is not in the range 1<=x<=100000"),
        (("-n", 3, "--eta", 1.5), "1.5 is not in the range 0<=x<=1"),
        (("-n", 3, "--steps", 21), "the number of sampling steps must be 1 to 20, got 21"),
        (("-n", 3, "--label", "cow"), "label is 'cow', but the model knows 0 cat"),
        (("-n", 3, "--label", "none", "--scale", 2), "scale is 2.0, but no class is asked for"),
        ((), "Missing option '-n'"),
    ],
)
def test_wrong_arguments_leave_nothing_behind(tmp_path, wrong, message):
    path, out = tiny(tmp_path), tmp_path / "images"
    code, said = call(path, out, *wrong)
    assert code == 2 and message in said, said
    assert {p.name for p in tmp_path.iterdir()} == {"tiny.safetensors", "tiny.json"}


def test_the_command_draws_beside_conditions(tmp_path):
    path, out = tiny(tmp_path / "m", unet=CONDITIONAL), tmp_path / "images"
    sketches(tmp_path / "s", 3)
    code, said = call(path, "-n", 3, out, "--steps", 2, "--cond", f"folder:{tmp_path / 's'}")
    assert code == 0 and len(pixels(out)) == 3, said
    code, said = call(path, "-n", 3, tmp_path / "other", "--steps", 2)
    assert code == 2 and "beside conditions of shape (3, 1, 8, 8), got None" in said


def test_into_the_working_directory(tmp_path, monkeypatch):
    """Settings go beside it; a path that ends in a slash is the same folder."""
    path, here = tiny(tmp_path / "m"), tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for out in (".", "../here/", here):
        code, said = call(path, out, "-n", 2, "--steps", 1)
        assert code == 0 and f"settings: {here}.json" in said, said
    assert len(pixels(here)) == 2 and (tmp_path / "here.json").is_file()
    code, said = call(path, "..", "-n", 2, "--steps", 1)
    assert code == 2 and f"{tmp_path} holds files, but" in said


def test_ctrl_c_says_how_many_images_there_are(tmp_path, monkeypatch):
    write, left = png.write, [3]

    def stops(path, image):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        write(path, image)

    monkeypatch.setattr(png, "write", stops)
    code, said = call(tiny(tmp_path / "m"), tmp_path / "out", "-n", 9, "--steps", 1)
    assert code == 130 and f"stopped: 3 of 9 images are in {tmp_path / 'out'}; the same" in said
    assert len(list((tmp_path / "out").iterdir())) == 3  # and no lock


def test_a_batch_beyond_the_memory_is_refused(tmp_path):
    code, said = call("faces64", tmp_path / "out", "-n", 100_000, "--batch", 100_000)
    assert code == 2 and "GB of memory, but" in said and "a smaller batch than 100,000" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("source", ["", "~nobody-of-that-name/x", "a\0b"])
def test_sources_that_are_no_path(tmp_path, source):
    code, said = call(source, tmp_path / "out", "-n", 1)
    assert code == 2 and "--debug" not in said and not (tmp_path / "out").exists()
