"""A student's copy of an older lesson still opens: old names lead to the new things."""

import subprocess
import sys
import warnings
from importlib import import_module

import pytest

from diffutils import renamed

# The diffutils imports of the four lessons before the modules moved, as they stood there.
IMPORTS = {
    "01": """
import diffutils as du
from diffutils import schedules
from diffutils.course import drawings
from diffutils.course.tables import aligned
from diffutils.data import photos
""",
    "02": """
import diffutils as du
from diffutils import checkpoints, denoisers, metrics, rng, samplers, schedules, training, unet
from diffutils.course import evaluate, sampling, train, trial
from diffutils.features import load_classifier
""",
    "03": """
import diffutils as du
from diffutils import denoisers, feature_spaces, features, metrics, rng, samplers, schedules
from diffutils import streaming, textbook
from diffutils.course import ddim_trial, evaluate, networks, sweep, sweep_chart
""",
    "04": """
import diffutils as du
from diffutils import checkpoints, denoisers, densities, feature_spaces, features, perceptual
from diffutils import rng, samplers, schedules
from diffutils.course import edm_arms, edm_chart, edm_effects, edm_trial, evaluate, networks
from diffutils.course import phi_chart, phi_search, sampling, stability, sweep, sweep_chart
""",
}
# What those lessons used of the modules that moved.
USED = {
    "checkpoints": ("BETAS", "PRETRAINED", "pretrained", "shipped"),
    "densities": ("logistic", "normal"),
    "feature_spaces": ("Space", "named"),
    "features": ("accuracy", "features", "load_classifier"),
    "perceptual": (
        *("candidates", "ddpm_timestep", "dense_sigmas", "phi_star", "r_squared"),
        *("ssim_curve", "tabulated"),
    ),
    "streaming": ("Moments", "frechet", "kernel_interval"),
    "textbook": (
        *("ddim", "ddim_published", "ddpm", "moments", "respaced", "unfinished"),
        *("unspaced", "walk"),
    ),
    "course.ddim_trial": ("sprites_trial",),
    "course.drawings": ("BANDS", "histograms", "knowledge", "reversal", "river", "title_picture"),
    "course.edm_arms": ("ARMS", "arm_rows", "train_arm", "walks", "weights"),
    "course.edm_chart": ("arms", "forest"),
    "course.edm_effects": ("contrasts", "effects"),
    "course.edm_trial": ("effects_table", "phi_trial", "table", "verdict"),
    "course.evaluate": (
        *("asked_labels", "balanced_labels", "feature_space", "floor", "frechet_if_enough"),
        *("generate", "measure"),
    ),
    "course.networks": ("networks",),
    "course.phi_chart": (
        *("at_level", "degradation", "densities", "grids", "noisy_grid", "quantiles"),
        "straightness",
    ),
    "course.phi_search": ("best_c", "r2_of_c", "sizes", "sizes_table", "study", "table"),
    "course.sampling": ("drawn", "edm", "respaced"),
    "course.stability": ("gained", "stability", "table"),
    "course.sweep": ("lines_of", "paired_change", "recorded", "sweep"),
    "course.sweep_chart": ("quality_against_calls", "table"),
    "course.train": ("betas", "card", "fit_settings", "load_for"),
    "course.trial": ("clamp_state", "faces_trial"),
}
GONE = {
    "course.edm_chart.arms",
    "course.edm_effects.contrasts",
    "course.edm_effects.effects",
    "course.edm_trial.verdict",
    "course.evaluate.balanced_labels",
    "course.evaluate.feature_space",
    "course.sweep.paired_change",
}


@pytest.mark.parametrize("number", IMPORTS)
def test_the_imports_of_an_old_lesson_work_with_one_warning(number):
    program = IMPORTS[number] + "print('opened')"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "opened\n", done.stderr
    assert done.stderr.count("FutureWarning: diffutils.") == 1
    assert "`make lab` lays the new version of this lesson beside yours" in done.stderr


@pytest.mark.parametrize("old", USED)
def test_old_names_lead_to_the_new_things_or_say_where_to_look(old):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        module = import_module(f"diffutils.{old}")
    gone = set()
    for name in USED[old]:
        try:
            assert getattr(module, name) is not None
        except AttributeError as error:
            assert f"{old}.{name} is gone; look in " in str(error)
            gone.add(f"{old}.{name}")
    assert gone == {name for name in GONE if name.rpartition(".")[0] == old}


def test_attributes_of_the_package_too_before_any_import_of_the_module():
    program = """
import diffutils as du
from diffutils import schedules
from diffutils.weights import models
assert du.checkpoints.pretrained is models.pretrained
assert du.densities.normal is schedules.log_normal_density
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", program], check=True)
    with pytest.raises(ModuleNotFoundError, match="diffutils.course.nowhere"):
        import_module("diffutils.course.nowhere")


def test_every_new_home_is_there():
    for home in {home for homes in renamed.MOVED.values() for home in homes}:
        import_module(f"diffutils.{home}")
