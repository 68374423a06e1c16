"""What decides a result, in short: to resume, or to skip, only what would come out the same."""

import hashlib
import inspect
import json
import math
import os
import sys
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

import numpy as np
import torch

from diffutils import loop
from diffutils import training as core
from diffutils.data import downloads
from diffutils.data.own import names
from diffutils.methods import refine
from diffutils.weights.files import PACKAGE, shipped

PLAIN = (bool, int, float, str, list, tuple, dict)
FUNCTIONS = (FunctionType, staticmethod, classmethod, property)
# Decide no numbers.
SPEAKING = ("commands", "exercises", "grading", "workbook")
ASIDE = ("viz", "lessons", "__main__.py", *(f"course/{room}" for room in SPEAKING))
TRAINING = ("*.py", "weights/**/*.py", "data/**/*.py")  # what a training passes through


def digest(content: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


@lru_cache  # the code that is imported does not change while it runs
def code(lesson: str | None = None) -> str:
    """Of all files that decide the numbers of lesson "04", or of what draws and measures in any.

    Its own room counts, without exercises and figures; of data/pretrained the weights, for a lesson
    also cards and recorded rows.
    """
    room = PACKAGE / "lessons" / f"lesson{lesson}"
    aside = [PACKAGE / name for name in ASIDE]
    shared = (p for p in PACKAGE.rglob("*.py") if not any(map(p.is_relative_to, aside)))
    own = {*room.rglob("*.py")} - {*room.glob("exercises*.py"), room / "figures.py"}
    weights = shipped(PACKAGE) / "data" / "pretrained"
    return _bytes_of([*shared, *own, *weights.glob("*.*" if lesson else "*.safetensors")])


@lru_cache
def training_code() -> str:
    """Of the core and of the rooms that a training passes through: data and weights."""
    found = {p for pattern in TRAINING for p in PACKAGE.glob(pattern)}
    return _bytes_of(found - {PACKAGE / "__main__.py"})


def _bytes_of(files: Iterable[Path]) -> str:
    home, files = PACKAGE.parent, sorted(set(files))
    lines = [f"{p.relative_to(home).as_posix()} {digest(p.read_bytes())}" for p in files]
    return digest("\n".join(lines).encode())


def notebook(content: bytes) -> str:
    """Of the text of a notebook's cells; what they printed does not count.

    Raises: ValueError, KeyError or TypeError when it is no notebook.
    """
    cells = json.loads(content)["cells"]
    return digest(json.dumps([(c["cell_type"], "".join(c["source"])) for c in cells]).encode())


def files(dataset: str) -> str:
    """Of names, sizes and times of a data set's files, and of where links lead to.

    Empty for a set that is made by code.
    """
    kind, _, own = dataset.partition(":")
    published = kind in downloads.REMOTES or kind == "mnist-m"
    root = Path(own).expanduser() if own else downloads.here(kind) if published else None
    if root is None:
        return ""
    found = names.in_folder(root).files if root.is_dir() else {root.name: root}
    base = os.path.realpath(root if root.is_dir() else root.parent)
    lines = []
    for name, path in sorted(found.items()):
        if path.is_file():
            real, about = os.path.relpath(os.path.realpath(path), base), path.stat()
            lines.append((name, real, about.st_size, about.st_mtime_ns))
    return digest(json.dumps(lines).encode())


def training(denoiser, images, schedule: Callable, settings: dict) -> dict:
    """What decides a training by `diffutils.fit`, name -> number or text, defaults included.

    Tensors count by their bytes, schedules by their values, what is installed by its name, what is
    one's own (a notebook's) by `_contents`.  None is left out: a setting that fit learns later
    changes nothing where it is off.
    """
    levels = schedule(torch.linspace(0, 1, 257, dtype=torch.float64))
    return {
        "images": _described(images),
        "schedule": _described(levels),
        **_arguments(settings, core.fit, loop.optimise),
        "c_noise": _described(denoiser.c_noise(levels.float())),
        "coefficients": _described(denoiser.coefficients),
        **_network(denoiser, denoiser.net),
    }


def optimisation(net, loss: Callable, settings: dict) -> dict:
    """What decides a training by `loop.optimise`, as `training` says it of one by fit."""
    about = {"loss": _described(loss)} | _arguments(settings, loop.optimise)
    return about | _network(net, net)


def refinement(denoiser, images, cond, sigmas, settings: dict) -> dict:
    """What decides a training by `methods.refine.refine`, as `training` says it of one by fit."""
    return {
        "images": _described(images),
        "cond": _described(cond),
        "levels": _described(sigmas),
        **_arguments(settings, refine.refine, loop.optimise),
        "coefficients": _described(denoiser.coefficients),
        **_network(denoiser, denoiser.net),
    }


def _arguments(settings: dict, *functions: Callable) -> dict:
    """What is set of the functions' keywords, defaults included; not the state to go on from."""
    known = {}
    for function in functions:  # a default of the first one stands
        known = dict(inspect.signature(function).parameters) | known
    keywords = [p for p in known.values() if p.kind is p.KEYWORD_ONLY]
    bound = inspect.Signature(keywords).bind(**settings)
    bound.apply_defaults()
    return {k: _described(v) for k, v in bound.arguments.items() if k != "state" and v is not None}


def _network(module, net) -> dict:
    """Layers, classes and weights, and plain attributes of modules of one's own classes."""
    kinds = {type(m) for m in module.modules() if not type(m).__module__.startswith("torch.")}
    own = {
        name: {k: v for k, v in vars(m).items() if isinstance(v, PLAIN) and k != "training"}
        for name, m in net.named_modules()
        if _own(type(m))
    }
    return {
        "network": digest((repr(net) + (_described(own) if own else "")).encode()),
        "classes of the network": ", ".join(sorted(map(_described, kinds))),
        "starting weights": tensors(module.state_dict()),
    }


def tensors(named: dict) -> str:
    """Of tensors by name, and plain values among them: shapes, types and bytes."""
    return digest("".join(f"{k} {_described(v)}\n" for k, v in named.items()).encode())


def differences(before: dict, now: dict) -> str:
    """The settings that differ, in words; empty where none does."""
    names = [k for k in now | before if now.get(k) != before.get(k)]
    return ", ".join(f"{k} was {before.get(k)}, is {now.get(k)}" for k in names)


def _described(value, seen: dict | None = None):
    """A value in words that are equal only if the value is.

    seen: the functions, classes and objects met so far, by id: some hold themselves.
    """
    seen = {} if seen is None else seen
    inner = partial(_described, seen=seen)
    if isinstance(value, int | float | str | None):  # JSON has no infinity, nan is not itself
        return str(value) if isinstance(value, float) and not math.isfinite(value) else value
    # Arrays by their bytes, containers by what they hold.
    if isinstance(value, torch.Tensor):
        flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return f"{tuple(value.shape)} {value.dtype} {digest(flat.numpy().data)}"
    if isinstance(value, np.ndarray):
        return f"{value.shape} {value.dtype} {digest(value.tobytes())}"
    if isinstance(value, partial):
        given = [str(inner(v)) for v in value.args]
        given += [f"{k}={inner(v)}" for k, v in value.keywords.items()]
        return f"{inner(value.func)}({', '.join(given)})"
    if isinstance(value, dict):
        return str([(inner(k), inner(v)) for k, v in value.items()])
    if isinstance(value, list | tuple):
        return str([*map(inner, value)] if isinstance(value, list) else (*map(inner, value),))
    if isinstance(value, set | frozenset):
        return str(sorted(repr(inner(v)) for v in value))
    # What is installed by its name, what is one's own by its contents.
    contents = _contents(value)
    if contents is None:
        return getattr(value, "__name__", None) or repr(value)
    name = getattr(value, "__qualname__", type(value).__qualname__)
    if id(value) in seen:
        return f"{name}, number {list(seen).index(id(value))}"
    seen[id(value)] = value  # kept, or another object could get its id
    return f"{name} {digest(str(inner(contents)).encode())}"


def _contents(value) -> list | None:
    """What a function, class or object consists of; None where its name or repr says all.

    Of the globals that a function names count plain values, tensors, and functions and classes of
    one's own.
    """
    # Of code and of classes.
    if isinstance(value, CodeType):  # the source would not do: of a dataclass there is none
        return [value.co_code.hex(), value.co_consts, value.co_names, value.co_varnames]
    if inspect.ismethod(value):
        return [value.__func__, value.__self__]
    if isinstance(value, type):
        named = vars(value).items()
        plain = {k for k, v in named if isinstance(v, PLAIN) and not k.startswith("__")}
        body = {k: v for k, v in named if k in plain or isinstance(v, FUNCTIONS)}
        return [value.__bases__, body] if _own(value) else None
    if isinstance(value, property):
        return [value.fget, value.fset]
    # Of functions, with what they hold and name.
    if inspect.isfunction(value):
        if not _own(value) and "<locals>" not in value.__qualname__:
            return None
        held = inspect.getclosurevars(value)
        plain = {k for k, v in held.globals.items() if isinstance(v, (*PLAIN, torch.Tensor))}
        own = {k for k, v in held.globals.items() if isinstance(v, FunctionType | type) and _own(v)}
        named = {k: v for k, v in held.globals.items() if k in plain | own}
        return [value.__code__, value.__defaults__, value.__kwdefaults__, held.nonlocals, named]
    # Of other objects.
    if isinstance(value, ModuleType) or not hasattr(value, "__dict__"):
        return None
    return [type(value), vars(value)]


def _own(value) -> bool:
    """Whether a function or class belongs neither to this package nor to an installed library."""
    home = value.__module__ or "torch"  # compiled functions name no module
    root = home.partition(".")[0]
    if root in ("diffutils", "torch", *sys.stdlib_module_names):
        return False
    file = getattr(sys.modules.get(home), "__file__", None) or ""
    installed = {"site-packages", "dist-packages"} & {*Path(file).parts}
    return home == "__main__" or not installed
