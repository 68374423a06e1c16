"""Fingerprints: what counts for a lesson, a row, a training, and what does not."""

import inspect
import json
import math
import os
import shutil
import subprocess
import sys
from functools import partial

import nbformat
import pytest
import torch

import diffutils as du
from diffutils import denoisers
from diffutils.course.runs import fingerprint
from diffutils.data import downloads


def test_a_notebook_counts_by_its_text_alone(tmp_path, write_notebook):
    path = write_notebook(tmp_path / "01.ipynb", "a = 1", "print(a)")
    before = fingerprint.notebook(path.read_bytes())
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nb.cells[1].execution_count = 2
    nbformat.write(nb, path)
    assert fingerprint.notebook(path.read_bytes()) == before
    write_notebook(path, "a = 2", "print(a)")
    assert fingerprint.notebook(path.read_bytes()) != before


# ------------------------------------------------------------------- code, layer by layer


@pytest.fixture
def package(tmp_path, monkeypatch, root):
    """A copy of the package and of what ships with it, whose code is fingerprinted."""
    copy = tmp_path / "diffutils"
    shutil.copytree(root / "diffutils", copy, ignore=shutil.ignore_patterns("__pycache__"))
    shipped = tmp_path / "data" / "pretrained"
    shipped.mkdir(parents=True)
    for name in ("a.safetensors", "a.json", "a.sweep.jsonl"):
        (shipped / name).write_text(name)
    monkeypatch.setattr(fingerprint, "PACKAGE", copy)
    return copy


def identities():
    code = fingerprint.code.__wrapped__
    return {
        "lesson 01": code("01"),
        "lesson 04": code("04"),
        "rows": code(),
        "training": fingerprint.training_code.__wrapped__(),
    }


EVERY = {"lesson 01", "lesson 04", "rows", "training"}
LAYERS = {
    "rng.py": EVERY,
    "training.py": EVERY,
    "data/drawn/sprites.py": EVERY,
    "weights/state.py": EVERY,
    "metrics/distances.py": EVERY - {"training"},
    "methods/perceptual.py": EVERY - {"training"},
    "course/experiments/sampling.py": EVERY - {"training"},
    "course/runs/recorded_fit.py": EVERY - {"training"},
    "lessons/lesson04/systems/arms.py": {"lesson 04"},
    "lessons/lesson04/new.py": {"lesson 04"},
    "lessons/lesson04/figures.py": set(),
    "lessons/lesson04/exercises_steps.py": set(),
    "lessons/lesson01/exercises.py": set(),
    "lessons/lesson02/faces_trial.py": set(),
    "course/exercises/compare.py": set(),
    "viz/images.py": set(),
    "__main__.py": set(),
    "../data/pretrained/a.safetensors": EVERY - {"training"},
    "../data/pretrained/a.json": {"lesson 01", "lesson 04"},
    "../data/pretrained/a.sweep.jsonl": {"lesson 01", "lesson 04"},
}


@pytest.mark.parametrize("file", LAYERS)
def test_a_comment_changes_what_comes_after_it_alone(package, file):
    before = identities()
    assert len(set(before.values())) == 4
    with open(package / file, "a") as f:
        f.write("# a word\n")
    after = identities()
    assert {name for name in EVERY if before[name] != after[name]} == LAYERS[file]


def test_a_lesson_without_a_room_has_an_identity(package):
    assert fingerprint.code.__wrapped__("08") not in identities().values()


# ------------------------------------------------------------------- what decides a training

IMAGES = torch.arange(10 * 3 * 8 * 8).remainder(251).byte().view(10, 3, 8, 8)
STORED = {  # by the code before lesson 05, whose checkpoints must go on
    "images": "(10, 3, 8, 8) torch.uint8 bd3ded8bcaf568ba",
    "schedule": "(257,) torch.float64 cf2d3257b3e75187",
    "steps": 20,
    "batch": 4,
    "labels": "(10,) torch.int64 ab109a035bcb04e4",
    "label_dropout": 0.1,
    "heldout": "(2, 3, 8, 8) torch.uint8 085f12ff09b2f8ff",
    "heldout_labels": None,
    "distance": "square",
    "weight": None,
    "optimizer": "AdamW",
    "lr": 0.0002,
    "warmup": 100,
    "decay": "cosine",
    "clip": 1.0,
    "ema": 0.999,
    "flip": True,
    "bf16": False,
    "compile": False,
    "seed": 0,
    "log_every": 50,
    "c_noise": "(257,) torch.float32 a007df3858e062ea",
    "coefficients": "eps",
    "network": "007d76d150d2612f",
    "classes of the network": "Attention, Denoiser, Embedding, Nearest, Norm, Pool, ResBlock, UNet",
    "starting weights": "95d0334eaeef2db9",
}


def schedule(u):
    return 0.5 + 4 * u


def plain(cond_channels=0):
    """A network whose weights and levels are the same on every machine."""
    net = du.UNet(channels=(8, 16), blocks=1, classes=3, cond_channels=cond_channels)
    with torch.no_grad():
        for k, p in enumerate(net.parameters()):
            p.copy_((torch.arange(p.numel()) + k).remainder(7).view(p.shape) / 16 - 0.25)
    return du.Denoiser(net, denoisers.eps, lambda sigma: 8 * sigma)


def identity(**changes):
    settings = dict(steps=20, batch=4, labels=torch.arange(10) % 3, heldout=IMAGES[:2], flip=True)
    return fingerprint.training(plain(), IMAGES, schedule, settings | changes)


def differ(before, after):
    """The settings that do, as `recorded` compares them."""
    return {k for k in before | after if before.get(k) != after.get(k)}


def test_trainings_of_earlier_versions_keep_their_identity():
    assert differ(STORED, identity()) == set()
    assert differ(STORED, identity(lr=1e-3)) == {"lr"}


def test_settings_count_whether_fit_names_them_or_hands_them_on(monkeypatch):
    """The loop's arguments may stand in fit's signature or be those of `optimise`."""
    before, fit = identity(lr=1e-3), inspect.signature(du.fit)
    loop = inspect.signature(du.optimise).parameters.keys() - {"net", "loss", "heldout"}
    own = [p for name, p in fit.parameters.items() if name not in loop and p.kind != p.VAR_KEYWORD]

    def handing_on(*args, **kwargs):
        raise AssertionError("only its signature is read")

    rest = inspect.Parameter("loop", inspect.Parameter.VAR_KEYWORD)
    handing_on.__signature__ = fit.replace(parameters=[*own, rest])
    monkeypatch.setattr(du.training, "fit", handing_on)
    assert identity(lr=1e-3) == before
    assert differ(STORED, identity()) == set()
    for wrong in ({"rate": 1.0}, {"loss": None}):
        with pytest.raises(TypeError, match=f"unexpected keyword argument '{[*wrong][0]}'"):
            identity(**wrong)
    with pytest.raises(TypeError, match="'steps'"):
        fingerprint.training(plain(), IMAGES, schedule, {})


def test_settings_that_came_later_count_where_they_are_used():
    """A condition by its bytes, a hook by its contents; where they are off, not at all."""
    off = identity(cond=None, heldout_cond=None, augment=None)
    assert off == identity() and None not in off.values()
    cond = torch.zeros(10, 1, 8, 8)
    one = identity(cond=cond, heldout_cond=cond[:2])
    assert differ(identity(), one) == {"cond", "heldout_cond"}
    assert differ(one, identity(cond=cond.clone(), heldout_cond=cond[:2])) == set()
    cond[3, 0, 4, 4] = 1
    assert differ(one, identity(cond=cond, heldout_cond=cond[:2])) == {"cond"}

    def brighter(by):
        return lambda x0, cond, k, slots: (x0 + by, cond)

    one = identity(augment=brighter(0.1))
    assert differ(identity(), one) == {"augment"}
    assert differ(one, identity(augment=brighter(0.1))) == set()
    assert differ(one, identity(augment=brighter(0.2))) == {"augment"}


def test_what_decides_a_training_with_its_own_loss():
    """The network and its weights, the loss by its contents, the settings of the loop."""

    def towards(target):
        return lambda net, k, slots: (net.weight - target).square().mean().expand(len(slots))

    def identity(target=1.0, width=3, **changes):
        net = torch.nn.Linear(width, width)
        torch.nn.init.ones_(net.weight), torch.nn.init.zeros_(net.bias)
        return fingerprint.optimisation(net, towards(target), dict(steps=5, batch=2) | changes)

    one = identity()
    assert one["steps"] == 5 and one["log_every"] == 50 and one["optimizer"] == "AdamW"
    assert differ(one, identity()) == set()
    assert differ(one, identity(target=2.0)) == {"loss"}
    assert differ(one, identity(target=torch.tensor(1.0))) == {"loss"}
    assert differ(one, identity(lr=1.0)) == {"lr"}
    assert differ(one, identity(width=4)) == {"network", "starting weights"}


# ------------------------------------------------------------------- settings, each by what it is


OWN = """
import functools, math, torch
from dataclasses import dataclass
FACTOR = {factor}

def held():
    k = {factor}
    def decay(step, steps):
        return k
    return decay

def given(step, steps=1, *, k={factor}):
    return k

def positional(step, steps={factor}):
    return steps

def by_global(step, steps):
    return FACTOR * math.cos(step)

def by_helper(step, steps):
    return by_global(step, steps) if step in {{"a", "b", "c"}} else by_helper(step - 1, steps)

class Base:
    def __call__(self, step, steps):
        return {factor}

class Inherits(Base):
    @property
    def half(self):
        return 0.5

class Attribute:
    gain = {factor}
    def __call__(self, step, steps):
        return self.gain

class Keeps:
    def __init__(self, k):
        self.k, self.me = k, self
    def __call__(self, step, steps):
        return self.k
    def method(self, step, steps):
        return self.k

@dataclass
class Data:
    k: float
    def __call__(self, step, steps):
        return self.k

made = dict(
    closure=held(), keyword=given, default=positional, globe=by_global, helper=by_helper,
    base=Inherits(), attribute=Attribute(), instance=Keeps({factor}), method=Keeps({factor}).method,
    dataclass=Data({factor}), partial=functools.partial(given, {factor}),
    tensor=functools.partial(given, torch.full((2000,), {factor})),
    library=torch.nn.SmoothL1Loss(beta={factor}), code=lambda step, steps: {factor},
    container=Keeps([1, ({factor},), dict(a={factor})]),
)
"""


def described(factor):
    names = {"__name__": "__main__"}
    exec(OWN.format(factor=factor), names)
    return {k: fingerprint._described(v) for k, v in names["made"].items()}


ONE, SAME, OTHER = described(1.5), described(1.5), described(2.5)


@pytest.mark.parametrize("kind", ONE)
def test_a_setting_counts_by_all_that_it_holds(kind):
    """The number 1.5 or 2.5 sits in a closure, a default, an object, ...; without any source."""
    assert ONE[kind] == SAME[kind] != OTHER[kind]


def test_a_setting_counts_alike_in_every_process(root):
    """Neither addresses nor the order of sets, which each process shuffles, get into it."""
    code = (
        "import json; from diffutils.course.runs import fingerprint\n"
        f"names = {{'__name__': '__main__'}}; exec({OWN.format(factor=1.5)!r}, names)\n"
        "print(json.dumps({k: fingerprint._described(v) for k, v in names['made'].items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    assert json.loads(done.stdout) == ONE


def test_what_is_installed_counts_by_its_name():
    for value, words in (
        (torch.square, "square"),
        (torch.optim.AdamW, "AdamW"),
        (du.loop.cosine, "cosine"),
        (math.cos, "cos"),
        (None, None),
        (2, 2),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (partial(torch.optim.AdamW, betas=(0.9, 0.99)), "AdamW(betas=(0.9, 0.99))"),
    ):
        assert fingerprint._described(value) == words


def test_numbers_of_an_own_network_count():
    class Gain(torch.nn.Module):
        def __init__(self, gain):
            super().__init__()
            self.gain = gain

    def network(net):
        return fingerprint._network(net, net)["network"]

    one, same, other = (network(torch.nn.Sequential(Gain(k))) for k in (2, 2, 3))
    assert one == same != other
    unet = du.UNet(channels=(8,), attention=(False,))
    assert network(unet) == fingerprint.digest(repr(unet).encode())  # the package's own: its repr


def test_files_count_by_name_size_and_time(tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    seen = [fingerprint.files(f"folder:{folder}")]
    for name, content in (("a.png", "1"), ("b.png", "1"), ("b.png", "22")):
        (folder / name).write_text(content)
        seen.append(fingerprint.files(f"folder:{folder}"))
    assert fingerprint.files(f"folder:{folder}") == seen[-1]
    os.utime(folder / "a.png", (1, 1))  # the same size, written again
    seen.append(fingerprint.files(f"folder:{folder}"))
    assert len(set(seen)) == 5
    before = fingerprint.files(f"npz:{folder / 'a.png'}")
    (folder / "a.png").write_text("333")
    assert fingerprint.files(f"npz:{folder / 'a.png'}") != before


def test_files_behind_links_count_and_so_does_where_a_link_leads(tmp_path):
    own, far = tmp_path / "own", tmp_path / "far"
    for folder in (own, far):
        folder.mkdir()
        for name in ("a.png", "b.png"):
            (folder / name).write_text(name)
            os.utime(folder / name, (1, 1))
    seen = [fingerprint.files(f"folder:{own}")]
    (own / "dog").symlink_to(far)
    seen.append(fingerprint.files(f"folder:{own}"))
    (far / "c.png").write_text("3")
    seen.append(fingerprint.files(f"folder:{own}"))
    for target in ("a.png", "b.png"):  # of one size and one time
        link = own / "one.png"
        link.unlink(missing_ok=True)
        link.symlink_to(far / target)
        seen += [fingerprint.files(name) for name in (f"folder:{own}", f"zip:{link}")]
    assert len({*seen}) == len(seen)
    (own / ".hidden.png").write_text("no one reads this")
    (own / "loop").symlink_to(own)
    assert fingerprint.files(f"folder:{own}") == seen[-2]


def test_published_files_count_where_they_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "home", lambda: tmp_path / "none")
    seen = []
    for place in ("one", "two"):
        (tmp_path / place / "cifar10").mkdir(parents=True)
        (tmp_path / place / "cifar10" / "cifar-10-python.tar.gz").write_text(place * len(seen))
        monkeypatch.setenv("DIFFUTILS_DATA", str(tmp_path / place))
        seen.append(fingerprint.files("cifar10"))
    assert len({*seen, ""}) == 3
    assert fingerprint.files("sprites") == fingerprint.files("mnist") == ""
