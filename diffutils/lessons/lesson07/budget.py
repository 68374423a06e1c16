"""How much lesson 07 computes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffutils.course.budgets import MANY, Needs, TrainingBudget, field, profiles
from diffutils.lessons.lesson07.systems.scored import PUBLISHED
from diffutils.lessons.lesson07.systems.trained import ARMS


@dataclass(frozen=True)
class Lesson07Budget(TrainingBudget):
    """Lesson 07: configurations of one U-Net, untrained and trained, and samples that turn."""

    NEEDS: ClassVar[Needs] = Needs(4, 4, "a distance takes at least 4 images on each side")

    max_size: int = field(32, least=16, most=1024)
    images: int = field(2_000, least=10, most=MANY)
    channels: tuple[int, ...] = field((16, 32, 32), least=1, most=4096)
    attention: tuple[bool, ...] = (False, False, False)  # it knows places: section 4
    steps: int = field(120, least=1, most=MANY)  # of the two trainings that run live
    batch: int = field(32, least=1, most=1_000_000)
    pixels: int = field(32 * 32 * 32, least=1, most=2**32)
    log_every: int = field(20, least=1, most=MANY)
    padding: Literal["zeros", "circular"] = "zeros"  # of convolutions and filters
    pretrained: bool = True  # pictures by the networks that ship, where some do
    sample_steps: int = field(50, least=2, most=100_000)
    guidance: float = field(2.0, least=0, most=100)
    metric_samples: int = field(128, least=4, most=1_000_000)
    eq_side: int = field(32, least=16, most=256)  # pixels a side where untrained ones are measured
    eq_seeds: int = field(3, least=1, most=100)  # untrained networks that a mean is of
    # The trial of configurations.
    trial_seeds: int = field(0, least=0, most=100)  # trainings of each arm; 0: the recorded rows
    trial_arms: tuple[str, ...] = field(ARMS, choices=tuple(dict.fromkeys((*ARMS, *PUBLISHED))))
    # The trial of samplers that turn.
    turn_images: int = field(0, least=0, most=10_000)  # of each class; 0: the recorded rows
    turn_steps: int = field(50, least=2, most=100_000)

    def work(self):
        arms, n = len(self.trial_arms) * self.trial_seeds, self.metric_samples
        turned = 2 * 2 * 7 * 8 * 3 * 5 * self.turn_images * self.turn_steps  # nets, chains, ways
        return [
            self.part("the two live", self.steps, 0, 2),
            self.part("the trial", self.steps * bool(arms), arms * n * self.sample_steps, arms),
            self.part("turned digits", 0, 2 * turned),  # with labels and without
        ]


BUDGETS = profiles(Lesson07Budget, {  # student: as above; ...: as in student
    #                 smoke        overnight   full                published
    "max_size":       (16,          ...,        ...,                ...),
    "images":         (60,          ...,        60_000,             60_000),
    "channels":       ((8, 16, 16), ...,        (32, 64, 128, 128), (32, 64, 128, 128)),
    "attention":      (...,         ...,        (False,) * 4,       (True,) * 4),
    "blocks":         (...,         ...,        2,                  2),
    "bf16":           (...,         ...,        True,               ...),
    "compile":        (...,         ...,        True,               ...),
    "steps":          (4,           1_500,      20_000,             125_000),
    "batch":          (8,           ...,        64,                 16),
    "pixels":         (...,         ...,        64 * 32 * 32,       16 * 32 * 32),
    "lr":             (...,         ...,        3e-4,               3e-4),
    "log_every":      (2,           50,         200,                1_000),
    "pretrained":     (False,       ...,        False,              False),
    "sample_steps":   (3,           ...,        250,                1_000),
    "metric_samples": (6,           ...,        2_100,              2_100),
    "eq_side":        (16,          ...,        ...,                ...),
    "eq_seeds":       (1,           ...,        ...,                ...),
    "trial_seeds":    (...,         1,          3,                  3),
    "trial_arms":     (...,         ...,        ...,                tuple(PUBLISHED)),
    "turn_images":    (...,         4,          64,                 64),
    "turn_steps":     (4,           ...,        250,                1_000),
})  # fmt: skip
