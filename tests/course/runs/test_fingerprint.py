"""Fingerprints: what counts for a lesson, a row, a training, and what does not."""

import json
import math
import os
import subprocess
import sys
from functools import partial

import nbformat
import pytest
import torch

import diffutils as du
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


def test_code_counts_by_its_bytes(tmp_path, monkeypatch):
    package = tmp_path / "diffutils"
    (package / "course").mkdir(parents=True)
    (package / "course" / "a.py").write_text("x = 1")
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    seen = set()
    for change in ("x = 1", "x = 2"):
        (package / "course" / "a.py").write_text(change)
        seen.add(fingerprint.code.__wrapped__())
    (package / "b.py").write_text("")
    seen.add(fingerprint.code.__wrapped__())
    assert len(seen) == 3


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
        (du.training.cosine, "cosine"),
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

    one, same, other = (fingerprint._own_numbers(torch.nn.Sequential(Gain(k))) for k in (2, 2, 3))
    assert one == same != other
    assert fingerprint._own_numbers(du.UNet(channels=(8,), attention=(False,))) == ""


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
