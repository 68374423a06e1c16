"""How much lesson 06 computes."""

from dataclasses import dataclass
from typing import ClassVar

from diffutils.course.budgets import MANY, Needs, TrainingBudget, Work, field, profiles

STARTS = ("DIP(y)", "D(y)", "y")
MIXES = ("baseline", "mix 0.5", "mix 1.0")  # the published DDPM, and with DIP in its noise


@dataclass(frozen=True)
class Lesson06Budget(TrainingBudget):
    """Lesson 06: single images without training, and chains that start in the middle."""

    NEEDS: ClassVar[Needs] = Needs(4, 8, "half of the held-out images tune, the others judge")

    # Images, and the network of the chains: trained only where no weights ship for it.
    max_size: int = field(64, least=16, most=1024)
    images: int = field(2_000, least=10, most=MANY)
    channels: tuple[int, ...] = field((32, 64, 96, 128), least=1, most=4096)
    attention: tuple[bool, ...] = (False, False, False, True)
    schedule: str = "cosine"
    steps: int = field(400, least=1, most=MANY)
    batch: int = field(16, least=1, most=1_000_000)
    pixels: int = field(16 * 64 * 64, least=1, most=2**32)
    class_dropout: float = field(1.0, least=0, most=1)
    pretrained: bool = True  # the weights that ship, where the data set has some
    seeds: int = field(1, least=1, most=1)  # trainings of the chains' network
    # Deep Image Prior.
    dip_iterations: int = field(600, least=10, most=MANY)
    dip_size: int = field(64, least=32, most=256)  # pixels a side
    dip_images: int = field(0, least=0, most=13)  # crops denoised; 0: the recorded rows
    sigma_y: float = field(50 / 255, least=0, most=10)  # noise of a measurement, in [-1, 1]
    # Chains that start in the middle.
    start_noise: float = field(0.5, least=0.01, most=10)  # of the measurement they answer
    starts: tuple[str, ...] = field(STARTS, choices=STARTS)
    start_levels: tuple[float, ...] = field(
        (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.4, 2.0), least=0.01, most=100
    )  # of a start, in spreads of the images
    spreads: tuple[float, ...] = field(
        (0.7, 1.0, 1.4, 2.0, 3.0, 5.0, 8.0, 12.0), least=0.01, most=1000
    )  # s of the consistent denoiser, in spreads of the images
    calls: int = field(20, least=2, most=100_000)  # of the network, of every way to answer
    trial_images: int = field(0, least=0, most=100_000)  # of each way; 0: the recorded rows
    tuning_images: int = field(8, least=1, most=100_000)  # set aside, to choose strengths by
    coverage_samples: int = field(16, least=2, most=1000)  # answers to one measurement
    coverage_images: int = field(16, least=2, most=100_000)  # of those that judge
    # The published system, rebuilt.
    published_seeds: int = field(0, least=0, most=100)  # trainings; 0: the recorded rows
    published_arms: tuple[str, ...] = field(MIXES, choices=MIXES)
    published_size: int = field(32, least=16, most=1024)
    prior_steps: int = field(10, least=1, most=100_000)  # Adam steps on the input; published: 100
    metric_samples: int = field(160, least=4, most=1_000_000)

    def work(self):
        prior = {"channels": (16, 32, 64, 96), "blocks": 1, "attention": (False,) * 4}
        dip = (1 + self.dip_images) * self.dip_iterations
        fits = Work("DIP", prior, self.dip_size, 1, dip)  # of about this size; one image a step
        # Ten ways with a strength to tune, six that are asked again and again.
        tries = 10 * (len(self.start_levels) * self.tuning_images + 2 * self.trial_images)
        tries += 6 * self.coverage_images * self.coverage_samples
        calls = tries * self.calls + 1_200 * self.trial_images if self.trial_images else 0
        arms = len(self.published_arms) * self.published_seeds
        chains, small = 2 * arms * self.metric_samples * self.T, self.published_size
        return [
            fits,
            self.part("the starts", 0 if self.pretrained else self.steps, calls),
            self.part("as published", self.steps * bool(arms), chains, arms, size=small),
        ]


DEEP = (False, False, True, True)  # attention of four levels
BUDGETS = profiles(Lesson06Budget, {  # student: as above; ...: as in student
    #                   smoke         overnight   full                 published
    "max_size":         (16,           ...,        64,                  64),
    "images":           (60,           ...,        30_000,              24_000),
    "channels":         ((16, 16, 16), ...,        (64, 128, 192, 256), (128, 256, 512, 1024)),
    "attention":        ((False,) * 3, ...,        DEEP,                DEEP),
    "blocks":           (...,          ...,        2,                   3),
    "bf16":             (...,          ...,        True,                ...),
    "compile":          (...,          ...,        True,                ...),
    "steps":            (4,            ...,        40_000,              300_000),
    "batch":            (8,            ...,        64,                  8),
    "pixels":           (...,          ...,        64 * 64 * 64,        8 * 64 * 64),
    "lr":               (...,          ...,        5e-4,                2e-4),
    "warmup":           (2,            ...,        500,                 2_000),
    "ema":              (...,          ...,        0.999,               0.999),
    "log_every":        (2,            ...,        400,                 1_000),
    "pretrained":       (False,        ...,        False,               False),
    "dip_iterations":   (30,           1_500,      3_000,               3_000),
    "dip_size":         (32,           ...,        128,                 128),
    "dip_images":       (...,          5,          13,                  13),
    "start_levels":     ((0.5,),       ...,        ...,                 ...),
    "spreads":          ((1.0,),       ...,        ...,                 ...),
    "calls":            (3,            ...,        ...,                 200),
    "trial_images":     (...,          48,         1_024,               1_024),
    "tuning_images":    (2,            16,         32,                  32),
    "coverage_samples": (4,            ...,        ...,                 ...),
    "coverage_images":  (2,            ...,        64,                  64),
    "published_seeds":  (...,          1,          3,                   3),
    "published_size":   (16,           ...,        64,                  64),
    "prior_steps":      (2,            ...,        20,                  100),
    "metric_samples":   (6,            ...,        1_024,               1_024),
})  # fmt: skip
