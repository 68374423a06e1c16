"""Diffusion by Experiment: one small library under all lessons.

Modules and the names below are imported when first used, so `import diffutils` is quick.
"""

import sys
from importlib import import_module
from pkgutil import iter_modules

from diffutils import renamed

__version__ = "0.1.0"

NAMES = {
    "course.workbook": ("predict", "reconcile"),
    "data":             ("ImageSet", "load", "to_float", "to_uint8"),
    "denoisers":        ("Denoiser",),
    "lessons":          ("check", "lesson", "progress"),
    "metrics.timer":    ("Seconds", "median_time"),
    "loop":             ("optimise",),
    "samplers":         ("invert", "sample", "slerp", "start", "trajectory"),
    "schedules":        ("Discrete", "levels", "steps"),
    "training":         ("fit",),
    "unet":             ("UNet",),
    "viz":              ("bars", "curves", "explore", "figure", "gif", "grid", "loss_curves",
                         "show", "show_gif", "strip"),
    "weights.models":   ("pretrained",),
}  # fmt: skip
HOME = {name: module for module, names in NAMES.items() for name in names}
MODULES = [module.name for module in iter_modules(__path__) if module.name != "__main__"]

__all__ = [*MODULES, *HOME]  # noqa: PLE0604

sys.meta_path.append(renamed.Finder())


def __getattr__(name: str):
    if name in MODULES or name in renamed.MOVED:
        return import_module(f"diffutils.{name}")
    if name in HOME:
        return getattr(import_module(f"diffutils.{HOME[name]}"), name)
    raise AttributeError(f"module 'diffutils' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
