"""How much lesson 04 computes."""

from dataclasses import dataclass
from typing import ClassVar

from diffutils.course.budgets import MANY, Needs, TrainingBudget, field, items, profiles
from diffutils.lessons.lesson04.systems.arms import ARMS


@dataclass(frozen=True)
class Lesson04Budget(TrainingBudget):
    """Lesson 04, EDM and phi*: a small pair trained live, sweeps on the network that ships."""

    NEEDS: ClassVar[Needs] = Needs(4, 4, "a distance takes at least 4 images on each side")

    channels: tuple[int, ...] = field((24, 48), least=1, most=4096)
    attention: tuple[bool, ...] = (False, True)
    warmup: int = field(20, least=0, most=MANY)
    ema: float = field(0.98, least=0, below=1)
    pretrained: bool = True  # the EDM weights that ship, where the data set has some
    trial_steps: int = field(100, least=0, most=MANY)  # of each training of the trial; 0: none
    trial_arms: tuple[str, ...] = field(("EDM", "phi both without lambda"), choices=tuple(ARMS))
    trial_nfe: int = field(19, least=1, most=99_999)  # evaluations for an image of the trial; odd
    seeds: int = field(1, least=1, most=1000)  # training seeds of the trial
    metric_samples: int = field(140, least=4, most=100_000)  # on each side of a distance
    nfes: tuple[int, ...] = field((5, 9), least=0, most=99_999)  # the same of the sweep
    walk_calls: tuple[int, ...] = field((9, 19, 35), least=1, most=9_999)  # few images, watched
    exact_calls: int = field(199, least=1, most=99_999)  # of the walk that these are held against
    sampling_seeds: int = field(1, least=1, most=1000)  # of the sweep
    ssim_images: int = field(20, least=4, most=10_000)  # images of the search for phi
    ssim_size: int = field(128, least=16, most=1024)  # pixels a side
    shown: int = field(10, least=4, most=100)  # images in a strip

    def __post_init__(self):
        super().__post_init__()
        for name in ("trial_nfe", "nfes", "walk_calls", "exact_calls"):
            if wrong := [n for n in items(getattr(self, name)) if n % 2 == 0]:
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
        if "DDPM" in self.trial_arms and self.trial_nfe > self.T:
            raise ValueError(
                f"trial_nfe is {self.trial_nfe}, expected 1 to T = {self.T}: the DDPM arm's steps."
            )

    def work(self):
        n, runs, trained = self.metric_samples, self.seeds, 0 if self.pretrained else self.steps
        walks = 0 if self.pretrained else 10 * runs * self.sampling_seeds * sum(self.nfes) * n
        arms = len(self.trial_arms) * runs
        return [
            self.part("the lesson's model", trained, walks, runs),
            self.part("the trial", self.trial_steps, 4 * arms * self.trial_nfe * n, arms),
        ]


DEEPEST = (False, False, False, True)  # attention of four levels
BUDGETS = profiles(Lesson04Budget, {  # student: as above; ...: as in student
    #                 smoke     overnight       full                    published
    "max_size":       (...,      ...,            ...,                    256),
    "pretrained":     (False,    False,          False,                  False),
    "images":         (400,      60_000,         60_000,                 31_696),
    "channels":       ((16, 16), ...,            (64, 128),              (64, 128, 256, 512)),
    "attention":      (...,      ...,            ...,                    DEEPEST),
    "blocks":         (...,      ...,            2,                      2),
    "bf16":           (...,      ...,            True,                   True),
    "compile":        (...,      ...,            True,                   True),
    "steps":          (8,        4_000,          24_000,                 297_000),
    "batch":          (16,       ...,            128,                    32),
    "pixels":         (...,      ...,            128 * 16 * 16,          32 * 256 * 256),
    "lr":             (...,      ...,            1e-3,                   1e-4),
    "warmup":         (2,        50,             500,                    990),
    "ema":            (0.99,     0.995,          0.999,                  0.0),
    "class_dropout":  (...,      ...,            ...,                    1.0),
    "log_every":      (4,        100,            600,                    990),
    "trial_steps":    (4,        700,            4_000,                  297_000),
    "trial_arms":     (...,      tuple(ARMS),    tuple(ARMS),            tuple(ARMS)),
    "trial_nfe":      (5,        ...,            35,                     99),
    "seeds":          (...,      3,              3,                      3),
    "metric_samples": (...,      500,            5_000,                  579),
    "nfes":           ((5,),     (5, 9, 19, 35), (5, 9, 19, 35, 49, 99), (99, 999)),
    "walk_calls":     ((5,),     ...,            ...,                    ...),
    "exact_calls":    (9,        ...,            ...,                    ...),
    "sampling_seeds": (...,      3,              3,                      3),
    "ssim_images":    (4,        ...,            200,                    ...),
    "ssim_size":      (32,       ...,            ...,                    ...),
    "shown":          (4,        ...,            ...,                    ...),
})  # fmt: skip
