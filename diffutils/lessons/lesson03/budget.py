"""How much lesson 03 computes."""

from dataclasses import dataclass
from typing import ClassVar

from diffutils.course.budgets import Needs, TrainingBudget, field, items, profiles


@dataclass(frozen=True)
class Lesson03Budget(TrainingBudget):
    """Lesson 03, DDIM sampling: a grid of samplers on one network."""

    NEEDS: ClassVar[Needs] = Needs(4, 4, "a distance takes at least 4 images on each side")

    pretrained: bool = True  # the weights that ship, where the data set has some
    seeds: int = field(1, least=1, most=1000)  # training seeds, where the network is trained
    metric_samples: int = field(140, least=4, most=100_000)  # on each side of a distance
    sweep: bool = False  # measure all samplers anew, also where their rows ship
    grid_steps: tuple[int, ...] = field((4, 16), least=1, most=100_000)  # sampling steps
    grid_etas: tuple[float, ...] = field((0.0, 1.0), least=0, most=1)  # 0 is DDIM, 1 is DDPM
    skip_steps: tuple[int, ...] = field((8,), least=1, most=100_000)  # of the one that only skips
    sampling_seeds: int = field(3, least=1, most=1000)
    scale: float = field(1.0, least=0, most=1000)  # guidance
    fid: bool = False  # the published FID too: 3,000 images by all T steps, Inception features
    long_steps: int = field(1000, least=5, most=100_000)  # the most that are shown
    short_steps: int = field(50, least=1, most=100_000)  # of the longest walk but that one

    def __post_init__(self):
        super().__post_init__()
        for name in ("grid_steps", "skip_steps", "long_steps", "short_steps"):
            if wrong := [n for n in items(getattr(self, name)) if not 1 <= n <= self.T]:
                raise ValueError(f"{name} has {wrong[0]}, expected 1 to T = {self.T} steps.")

    def work(self):
        runs, trained = (1, 0) if self.pretrained else (self.seeds, self.steps)
        walks = len(self.grid_etas) * sum(self.grid_steps) + sum(self.skip_steps)
        calls = 3_000 * self.T if self.fid else 0
        if self.sweep or not self.pretrained:
            calls += runs * self.sampling_seeds * self.metric_samples * walks
        return [self.part("the lesson's model", trained, calls, runs)]


GRID = (10, 20, 50, 100, 250, 500, 1000)

BUDGETS = profiles(Lesson03Budget, {  # student: as above; ...: as in student
    #                 smoke         overnight                full             published
    "pretrained":     (False,        False,                   False,           False),
    "images":         (400,          50_000,                  60_000,          60_000),
    "channels":       ((16, 16, 16), ...,                     (64, 128),       (64, 128)),
    "attention":      (...,          ...,                     (False, True),   (False, False)),
    "blocks":         (...,          ...,                     2,               ...),
    "optimizer":      (...,          ...,                     ...,             "adam"),
    "decay":          (...,          ...,                     ...,             "constant"),
    "bf16":           (...,          ...,                     True,            ...),
    "compile":        (...,          ...,                     True,            ...),
    "steps":          (8,            6_000,                   24_000,          24_000),
    "batch":          (16,           ...,                     100,             100),
    "pixels":         (...,          ...,                     100 * 16 * 16,   100 * 16 * 16),
    "lr":             (...,          1e-3,                    1e-3,            1e-3),
    "warmup":         (2,            200,                     500,             0),
    "ema":            (...,          0.999,                   0.999,           0.0),
    "class_dropout":  (...,          ...,                     ...,             1.0),
    "log_every":      (2,            100,                     600,             600),
    "seeds":          (...,          ...,                     3,               3),
    "metric_samples": (...,          500,                     5_000,           3_000),
    "grid_steps":     ((2, 4),       (10, 20, 50, 100, 1000), GRID,            GRID),
    "grid_etas":      (...,          ...,                     (0.0, 0.5, 1.0), ...),
    "skip_steps":     ((4,),         (50, 100, 250),          (50, 100, 250),  (50, 100, 250)),
    "sampling_seeds": (2,            ...,                     ...,             ...),
    "fid":            (...,          ...,                     True,            True),
    "long_steps":     (20,           ...,                     ...,             ...),
    "short_steps":    (4,            ...,                     ...,             ...),
})  # fmt: skip
