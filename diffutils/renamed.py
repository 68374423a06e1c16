"""Old names: a lesson that a student began before the modules moved still finds them."""

import warnings
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

ADVICE = "`make lab` lays the new version of this lesson beside yours."
EXPERIMENTS, LESSON04 = "course.experiments.", "lessons.lesson04."
ARMS = LESSON04 + "systems.arms"
MOVED = {  # old module -> where its names are now
    "checkpoints":        ("weights.models", "weights.cards", "weights.files"),
    "densities":          ("schedules",),
    "feature_spaces":     ("metrics.spaces", "metrics.published"),
    "features":           ("metrics.classifiers", "metrics.classifier_training"),
    "perceptual":         ("methods.perceptual", "metrics.similarity"),
    "streaming":          ("metrics.streaming",),
    "textbook":           ("methods.textbook",),
    "course.ddim_trial":  ("lessons.lesson03.sprites_trial",),
    "course.drawings":    ("lessons.lesson01.figures",),
    "course.edm_arms":    (ARMS, EXPERIMENTS + "described", EXPERIMENTS + "training"),
    "course.edm_chart":   (EXPERIMENTS + "forest",),
    "course.edm_effects": (EXPERIMENTS + "effects", LESSON04 + "claims"),
    "course.edm_trial":   (LESSON04 + "claims", EXPERIMENTS + "charts"),
    "course.evaluate":    (EXPERIMENTS + "sampling", EXPERIMENTS + "measure", "metrics.spaces"),
    "course.networks":    (EXPERIMENTS + "training",),
    "course.phi_chart":   (LESSON04 + "figures",),
    "course.phi_search":  (LESSON04 + "search",),
    "course.sampling":    (EXPERIMENTS + "sampling",),
    "course.stability":   (LESSON04 + "stability",),
    "course.sweep":       (EXPERIMENTS + "sweep", EXPERIMENTS + "rows"),
    "course.sweep_chart": (EXPERIMENTS + "charts",),
    "course.train":       (EXPERIMENTS + "described", EXPERIMENTS + "training"),
    "course.trial":       ("lessons.lesson02.faces_trial",),
    LESSON04 + "arms":    (ARMS,),
}  # fmt: skip
NAMES = {
    "densities.normal": "log_normal_density",
    "densities.logistic": "log_logistic_density",
    "course.sweep.lines_of": "read",
}


class Finder(MetaPathFinder, Loader):
    """Gives, for an old module, one that looks its names up in the new ones."""

    warned = False

    def find_spec(self, fullname, path=None, target=None):
        return ModuleSpec(fullname, self) if fullname.removeprefix("diffutils.") in MOVED else None

    def exec_module(self, module):
        old = module.__name__.removeprefix("diffutils.")
        homes = " and ".join(MOVED[old])

        def find(name: str):
            new = NAMES.get(f"{old}.{name}", name)
            for home in () if name.startswith("__") else MOVED[old]:
                if hasattr(found := import_module(f"diffutils.{home}"), new):
                    return getattr(found, new)
            raise AttributeError(f"diffutils.{old}.{name} is gone; look in {homes}. {ADVICE}")

        module.__getattr__ = find
        if not self.warned:
            self.warned = True
            warnings.warn(f"diffutils.{old} is now {homes}. {ADVICE}", FutureWarning, stacklevel=2)
