"""Warnings point at the user's line, come once, and hold no address of the memory."""

import ast
import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from made_images import images, pictures, write
from PIL import Image

from diffutils.course.runs import rundir
from diffutils.data import load
from diffutils.metrics import streaming
from diffutils.weights import warned
from diffutils.weights.warned import warn

PACKAGE = Path(warned.__file__).parents[1]


def broken_files(folder):
    write(folder, images(12))
    for i in range(5):
        (folder / f"broken{i}.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    return lambda: load(f"folder:{folder}", 16)


def shared_images(folder):
    write(folder / "train", images(12))
    write(folder / "test", images(3))
    return lambda: load(f"folder:{folder}", 16)


def palettes_with_transparency(folder):
    """Pillow has something to say of each of these files."""
    folder.mkdir()
    for i, picture in enumerate(pictures(12)):
        palette = Image.fromarray(picture).quantize(16)
        palette.save(folder / f"{i}.png", transparency=bytes(range(16)))
    write(folder, images(12), [f"b{i}" for i in range(12)])
    (folder / "broken.png").write_bytes(b"no picture")
    return lambda: load(f"folder:{folder}", 12)


def few_samples(folder):
    moments = streaming.Moments()
    moments.add(torch.randn(100, 2, generator=torch.Generator().manual_seed(0)))
    return lambda: streaming.frechet(moments, moments)


def no_locks(folder, monkeypatch):
    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr("fcntl.flock", flock)
    return lambda: (rundir.hold(folder), rundir.release(folder))


def damaged_log(folder):
    from diffutils.course.runs.recorded_fit import recorded_optimise

    settings = {"steps": 4, "batch": 1, "log_every": 2, "say": lambda line: None}

    def train():
        torch.manual_seed(0)
        net = torch.nn.Linear(1, 1)
        loss = lambda net, step, slots: net(torch.ones(len(slots), 1))[:, 0] ** 2  # noqa: E731
        for _ in recorded_optimise(folder, net, loss, **settings):
            pass

    train()
    log = folder / "log.jsonl"
    log.write_bytes(b"damaged\n" + log.read_bytes().split(b"\n", 1)[1])
    return train


@pytest.mark.parametrize(
    "door",
    [
        broken_files,
        shared_images,
        palettes_with_transparency,
        few_samples,
        no_locks,
        damaged_log,
    ],
)
def test_a_warning_names_the_users_line_once(door, tmp_path, monkeypatch):
    more = (monkeypatch,) if door is no_locks else ()
    call = door(tmp_path / "x", *more)
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        call()
    said = [str(w.message) for w in seen]
    assert said and len(set(said)) == len(said)
    for w in seen:
        assert w.filename == __file__, f"{w.message} points at {w.filename}:{w.lineno}"
        assert not re.search(r"0x[0-9a-f]{6,}", str(w.message))


def test_what_wraps_a_function_is_not_the_user():
    @torch.no_grad()
    def wrapped():
        return exec("warn('x')", {"__name__": "diffutils.somewhere", "warn": warn})

    with pytest.warns(UserWarning, match="x") as seen:
        np.vectorize(lambda x: wrapped(), otypes=[object])([1])
    assert seen[0].filename == __file__


def test_the_package_warns_by_this_one_function():
    """`warnings.warn` counts frames, and is right for one way to call only."""
    for path in sorted(PACKAGE.rglob("*.py")):
        if path.name in ("warned.py", "schedules.py", "renamed.py"):  # below it; called directly
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            direct = isinstance(node, ast.Attribute) and ast.unparse(node) == "warnings.warn"
            assert not direct, (
                f"{path.relative_to(PACKAGE.parent)}, line {node.lineno}: write `warn(...)` of"
                " diffutils.weights.warned, which finds the user's line"
            )
