"""How much each lesson computes in each profile: the one place where these numbers stand."""

import os
from dataclasses import dataclass, fields, replace
from typing import Literal, get_type_hints

from diffutils.course.convert import converted

PROFILES = ("smoke", "student", "full", "published")
TRIAL_ARMS = (
    "EDM",
    "phi density",
    "phi embedding",
    "phi both",
    "phi density lambda'",
    "EDM without lambda",
    "phi both without lambda",
    "DDPM",
)  # of lesson 04
Betas = Literal["linear", "scaled_linear", "quadratic", "cosine", "sigmoid"]


@dataclass(frozen=True)
class Lesson01Budget:
    """Lesson 01, forward diffusion: nothing is trained."""

    samples: int = 20_000  # draws from the one-dimensional mixture
    photo_size: int = 128  # pixels a side
    images: int = 6  # images in each strip
    T: int = 1000  # steps of the forward process
    reverse_steps: int = 250  # steps back with the analytic denoiser

    def __post_init__(self):
        if self.T < 21:
            raise ValueError(
                f"T is {self.T}, expected at least 21: scaled linear betas end at 20 / T, below 1."
            )


@dataclass(frozen=True)
class TrainingBudget:
    """What a training costs; `course.train` reads these fields."""

    max_size: int = 16  # pixels a side; larger images are made this small
    images: int = 20_000  # training images, at most
    channels: tuple[int, ...] = (32, 64, 64)
    blocks: int = 1  # residual blocks a level
    attention: tuple[bool, ...] = (False, False, True)  # self-attention, by level
    T: int = 1000
    schedule: Betas = "linear"
    beta_min: float = 1e-4  # the range of beta, in every schedule but cosine
    beta_max: float = 0.02
    loss: Literal["mse", "l1"] = "mse"
    optimizer: Literal["adamw", "adam"] = "adamw"
    decay: Literal["cosine", "constant"] = "cosine"  # learning rate after the warm-up
    bf16: bool = False  # the network in bfloat16
    compile: bool = False  # the network compiled: worth it on a GPU
    steps: int = 400
    batch: int = 64  # images a step, at most
    pixels: int = 64 * 16 * 16  # pixels a step, at most: larger images come in smaller batches
    lr: float = 2e-3
    warmup: int = 40  # steps of linear learning-rate warm-up
    ema: float = 0.99
    class_dropout: float = 0.1  # share of labels hidden, for guidance; 1: labels are not used
    log_every: int = 40  # steps between progress lines

    def __post_init__(self):
        if self.images < 10:
            raise ValueError(f"images is {self.images}, expected at least 10, to learn from.")
        low, high = self.beta_min, self.beta_max
        if not 0 < low <= high < 1:
            raise ValueError(
                f"beta_min is {low} and beta_max is {high}, expected 0 < beta_min <= beta_max < 1."
            )
        if self.schedule == "cosine" and (low, high) != (1e-4, 0.02):
            raise ValueError(
                "beta_min and beta_max say nothing to the cosine schedule, which has no range; "
                "leave them out or choose another schedule."
            )


@dataclass(frozen=True)
class Lesson02Budget(TrainingBudget):
    """Lesson 02, DDPM training on one data set."""

    sample_steps: int = 50
    metric_samples: int = 256  # images on each side of a distance
    trial_steps: int = 0  # steps of each training of the claim on trial; 0: not run
    seeds: int = 1  # training seeds of the claim on trial


@dataclass(frozen=True)
class Lesson03Budget(TrainingBudget):
    """Lesson 03, DDIM sampling: a grid of samplers on one network."""

    pretrained: bool = True  # the weights that ship, where the data set has some
    seeds: int = 1  # training seeds, where the network is trained
    metric_samples: int = 140  # images on each side of a distance
    grid_steps: tuple[int, ...] = (4, 8, 16)  # sampling steps
    grid_etas: tuple[float, ...] = (0.0, 1.0)  # 0 is DDIM, 1 is DDPM
    skip_steps: tuple[int, ...] = (8,)  # steps of the published sampler that only skips
    sampling_seeds: int = 3
    scale: float = 1.0  # guidance
    fid: bool = False  # the published FID too: 3,000 images by all T steps, Inception features
    long_steps: int = 1000  # of the DDPM chain that is shown beside DDIM
    short_steps: int = 50  # of the DDIM chain beside it
    shown: int = 20  # images of each

    def __post_init__(self):
        super().__post_init__()
        for name in ("grid_steps", "skip_steps", "long_steps", "short_steps"):
            value = getattr(self, name)
            if wrong := [n for n in _items(value) if not 1 <= n <= self.T]:
                raise ValueError(f"{name} has {wrong[0]}, expected 1 to T = {self.T} steps.")
        for name, least in {"shown": 4, "long_steps": 5}.items():
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {value}, expected at least {least}.")
        if wrong := [eta for eta in self.grid_etas if eta > 1]:
            raise ValueError(f"grid_etas has {wrong[0]}, expected 0 (DDIM) to 1 (DDPM).")


@dataclass(frozen=True)
class Lesson04Budget(TrainingBudget):
    """Lesson 04, EDM and phi*: a small pair trained live, sweeps on the network that ships."""

    pretrained: bool = True  # the EDM weights that ship, where the data set has some
    trial_steps: int = 100  # steps of each training of the trial
    trial_arms: tuple[str, ...] = ("EDM", "phi both without lambda")  # of course.edm_arms
    trial_nfe: int = 19  # network evaluations for an image of the trial; odd
    seeds: int = 1  # training seeds of the trial
    metric_samples: int = 140  # images on each side of a distance
    nfes: tuple[int, ...] = (5, 9)  # network evaluations for an image, of the sweep; odd
    sampling_seeds: int = 1  # of the sweep
    ssim_images: int = 20  # images of the search for phi
    ssim_size: int = 128  # pixels a side
    shown: int = 10  # images in a strip

    def __post_init__(self):
        super().__post_init__()
        for name in ("trial_nfe", "nfes"):
            if wrong := [n for n in _items(getattr(self, name)) if n % 2 == 0]:
                raise ValueError(
                    f"{name} has {wrong[0]}, expected odd numbers: Heun's method takes two "
                    "evaluations a step, but one for the last."
                )
        for name in ("nfes", "trial_arms"):
            values = getattr(self, name)
            if twice := [v for v in values if values.count(v) > 1]:
                raise ValueError(f"{name} has {twice[0]!r} twice; name everything once.")
        if self.loss != "mse":
            raise ValueError(
                f"loss is {self.loss!r}, but EDM's weights belong to the squared error: take mse."
            )
        if unknown := [arm for arm in self.trial_arms if arm not in TRIAL_ARMS]:
            raise ValueError(f"trial_arms has {unknown[0]!r}, choose from {'; '.join(TRIAL_ARMS)}.")
        if "DDPM" in self.trial_arms and self.trial_nfe > self.T:
            raise ValueError(
                f"trial_nfe is {self.trial_nfe}, expected 1 to T = {self.T}: the DDPM arm's steps."
            )
        for name, least in {"ssim_size": 16, "ssim_images": 4, "shown": 4}.items():
            if (value := getattr(self, name)) < least:
                raise ValueError(f"{name} is {value}, expected at least {least}.")


def _items(value) -> tuple:
    return value if isinstance(value, tuple) else (value,)


BUDGETS = {
    "01": {
        "smoke": Lesson01Budget(samples=2_000, photo_size=32, images=2, reverse_steps=25),
        "student": Lesson01Budget(),
        "full": Lesson01Budget(samples=200_000, photo_size=256, reverse_steps=1000),
        "published": Lesson01Budget(samples=200_000, photo_size=256, T=300, reverse_steps=300),
    },
    "02": {
        "smoke": Lesson02Budget(
            images=400,
            channels=(16, 16, 16),
            steps=8,
            batch=16,
            warmup=2,
            log_every=2,
            sample_steps=4,
            metric_samples=150,
        ),
        "student": Lesson02Budget(),
        "full": Lesson02Budget(
            max_size=64,
            images=100_000,
            channels=(128, 256, 256),
            blocks=2,
            attention=(False, True, True),
            steps=30_000,
            batch=256,
            pixels=256 * 32 * 32,
            lr=4e-4,
            warmup=1_000,
            ema=0.9995,
            log_every=500,
            sample_steps=250,
            metric_samples=5_000,
            trial_steps=5_000,
            seeds=3,
            bf16=True,
            compile=True,
        ),
        "published": Lesson02Budget(
            max_size=64,
            images=63_632,
            channels=(64, 128, 256, 512, 512),
            attention=(False,) * 5,
            T=300,
            loss="l1",
            optimizer="adam",
            decay="constant",
            steps=99_400,
            batch=64,
            pixels=64 * 64 * 64,
            lr=1e-3,
            warmup=0,
            ema=0.0,
            class_dropout=1.0,
            log_every=994,
            sample_steps=300,
            metric_samples=5_000,
            trial_steps=99_400,
            seeds=3,
        ),
    },
    "03": {
        "smoke": Lesson03Budget(
            pretrained=False,
            images=400,
            channels=(16, 16, 16),
            steps=8,
            batch=16,
            warmup=2,
            log_every=2,
            grid_steps=(2, 4),
            skip_steps=(4,),
            sampling_seeds=2,
            long_steps=20,
            short_steps=4,
            shown=4,
        ),
        "student": Lesson03Budget(),
        "full": Lesson03Budget(
            pretrained=False,
            images=60_000,
            channels=(64, 128),
            attention=(False, True),
            blocks=2,
            steps=24_000,
            batch=100,
            pixels=100 * 16 * 16,
            lr=1e-3,
            warmup=500,
            ema=0.999,
            log_every=600,
            bf16=True,
            compile=True,
            seeds=3,
            metric_samples=5_000,
            grid_steps=(10, 20, 50, 100, 250, 500, 1000),
            grid_etas=(0.0, 0.5, 1.0),
            skip_steps=(50, 100, 250),
            fid=True,
        ),
        "published": Lesson03Budget(
            pretrained=False,
            images=60_000,
            channels=(64, 128),
            attention=(False, False),
            blocks=1,
            optimizer="adam",
            decay="constant",
            steps=24_000,
            batch=100,
            pixels=100 * 16 * 16,
            lr=1e-3,
            warmup=0,
            ema=0.0,
            class_dropout=1.0,
            log_every=600,
            seeds=3,
            metric_samples=3_000,
            grid_steps=(10, 20, 50, 100, 250, 500, 1000),
            skip_steps=(50, 100, 250),
            fid=True,
        ),
    },
    "04": {
        "smoke": Lesson04Budget(
            pretrained=False,
            images=400,
            channels=(16, 16),
            attention=(False, True),
            steps=8,
            batch=16,
            warmup=2,
            log_every=4,
            trial_steps=4,
            trial_nfe=5,
            nfes=(5,),
            ssim_images=4,
            ssim_size=32,
            shown=4,
        ),
        "student": Lesson04Budget(
            channels=(24, 48),
            attention=(False, True),
            ema=0.98,
            warmup=20,
        ),
        "full": Lesson04Budget(
            pretrained=False,
            images=60_000,
            channels=(64, 128),
            attention=(False, True),
            blocks=2,
            steps=24_000,
            batch=128,
            pixels=128 * 16 * 16,
            lr=1e-3,
            warmup=500,
            ema=0.999,
            log_every=600,
            bf16=True,
            compile=True,
            seeds=3,
            metric_samples=5_000,
            trial_steps=4_000,
            trial_arms=TRIAL_ARMS,
            trial_nfe=35,
            nfes=(5, 9, 19, 35, 49, 99),
            sampling_seeds=3,
            ssim_images=200,
        ),
        "published": Lesson04Budget(
            max_size=256,
            pretrained=False,
            images=31_696,
            channels=(64, 128, 256, 512),
            attention=(False, False, False, True),
            blocks=2,
            steps=297_000,
            batch=32,
            pixels=32 * 256 * 256,
            lr=1e-4,
            warmup=990,
            ema=0.0,
            class_dropout=1.0,
            log_every=990,
            bf16=True,
            compile=True,
            seeds=3,
            metric_samples=579,
            trial_steps=297_000,
            trial_arms=TRIAL_ARMS,
            trial_nfe=99,
            nfes=(99, 999),
            sampling_seeds=3,
        ),
    },
}


def profile_name(profile: str | None = None) -> str:
    """The profile in force: the argument, else $DIFFUTILS_PROFILE, else "student".

    Raises: ValueError with the list of profiles.
    """
    name = profile if profile is not None else os.environ.get("DIFFUTILS_PROFILE") or "student"
    if name not in PROFILES:
        origin = "profile" if profile is not None else "$DIFFUTILS_PROFILE"
        raise ValueError(f"{origin} is {name!r}; choose one of {', '.join(PROFILES)}.")
    return name


def budget(lesson: str, profile: str | None = None, overrides: dict | None = None):
    """The frozen budget of a lesson, with fields replaced by name.

    Values may be text as papermill hands it over ("true", "1e-4", "64,128").
    Raises: ValueError for an unknown lesson, profile or field, or a value of the wrong type.
    """
    if not isinstance(lesson, str) or lesson not in BUDGETS:
        raise ValueError(f"There is no lesson {lesson!r}; choose one of {', '.join(BUDGETS)}.")
    base = BUDGETS[lesson][profile_name(profile)]
    if not isinstance(overrides or {}, dict):
        raise ValueError(
            f"overrides is {overrides!r}, expected a dictionary such as {{'steps': 100}}; "
            'on the command line write papermill -y "overrides: {steps: 100}".'
        )
    known = get_type_hints(type(base))
    changes = {}
    for name, value in (overrides or {}).items():
        if name not in known:
            raise ValueError(
                f"overrides has {name!r}, which lesson {lesson} does not know; "
                f"choose from {', '.join(f.name for f in fields(base))}."
            )
        changes[name] = converted(name, value, known[name])
    return replace(base, **changes)
