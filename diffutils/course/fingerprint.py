"""What decides a result, in short: to resume, or to skip, only what would come out the same."""

import hashlib
import inspect
import json
import platform
from collections.abc import Callable
from functools import lru_cache, partial
from importlib import metadata
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = ("diffutils", "torch", "torchvision", "numpy", "scipy", "accelerate")


def digest(content: bytes) -> str:
    """Sixteen hexadecimal digits of SHA-256."""
    return hashlib.sha256(content).hexdigest()[:16]


@lru_cache(maxsize=1)  # the code that is imported does not change while it runs
def code() -> str:
    """Of all Python files of this package and of the weights that ship with it."""
    shipped = (PACKAGE.parent / "data" / "pretrained").glob("*.*")
    files = sorted([*PACKAGE.rglob("*.py"), *shipped])
    names = [f"{p.relative_to(PACKAGE.parent).as_posix()} {digest(p.read_bytes())}" for p in files]
    return digest("\n".join(names).encode())


def notebook(path: Path) -> str:
    """Of the text of a notebook's cells; what they printed does not count."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return digest(json.dumps([(c["cell_type"], "".join(c["source"])) for c in cells]).encode())


def versions() -> dict[str, str]:
    """Python's and the libraries' versions."""
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def training(denoiser, images, schedule: Callable, settings: dict) -> dict:
    """What decides a training by `diffutils.fit`, name -> number or text, defaults included.

    Images and starting weights count by their bytes, schedules by their values, functions and
    classes from outside the package (a notebook's, say) by their source.
    """
    import torch

    from diffutils import training

    bound = inspect.signature(training.fit).bind(denoiser, images, schedule, **settings)
    bound.apply_defaults()
    arguments = {k: v for k, v in bound.arguments.items() if k not in ("denoiser", "state")}
    levels = schedule(torch.linspace(0, 1, 257, dtype=torch.float64))
    told = denoiser.c_noise(levels.float())
    kinds = {type(m) for m in denoiser.modules() if not type(m).__module__.startswith("torch.")}
    return {k: _described(v) for k, v in arguments.items()} | {
        "schedule": _described(levels),
        "c_noise": _described(told),
        "coefficients": _described(denoiser.coefficients),
        "network": digest(repr(denoiser.net).encode()),
        "classes of the network": ", ".join(sorted(map(_described, kinds))),
        "starting weights": tensors(denoiser.state_dict()),
    }


def tensors(named: dict) -> str:
    """Of tensors by name, and plain values among them: shapes, types and bytes."""
    return digest("".join(f"{k} {_described(v)}\n" for k, v in named.items()).encode())


def _described(value):
    """A value in words that are equal exactly if the value is."""
    import torch

    if isinstance(value, torch.Tensor):
        flat = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8)
        return f"{tuple(value.shape)} {value.dtype} {digest(flat.numpy().data)}"
    if isinstance(value, partial):
        arguments = [*map(_described, value.args)]
        arguments += [f"{k}={_described(v)}" for k, v in value.keywords.items()]
        return f"{_described(value.func)}({', '.join(map(str, arguments))})"
    if callable(value):
        name = getattr(value, "__qualname__", type(value).__qualname__)
        home = getattr(value, "__module__", None) or "torch"
        if home.split(".")[0] in ("diffutils", "torch"):
            return name.rpartition(".")[2]
        return f"{name} {digest(_source(value).encode())}"
    return value if isinstance(value, int | float | str | None) else repr(value)


def _source(value) -> str:
    """The code of a function, or of the methods of a class; empty where there is none to see."""
    parts = [value]
    if inspect.isclass(value):
        parts = [v for v in vars(value).values() if inspect.isfunction(v)]
    try:
        return "".join(inspect.getsource(part) for part in parts)
    except (OSError, TypeError):
        return ""
