"""How much lesson 02 computes."""

from dataclasses import dataclass

from diffutils.course.budgets import MANY, TrainingBudget, field, profiles


@dataclass(frozen=True)
class Lesson02Budget(TrainingBudget):
    """Lesson 02, DDPM training on one data set."""

    own_points: int = field(4_000, least=4, most=MANY)  # steps of one's own model on points
    own_steps: int = field(300, least=4, most=MANY)  # and on images; 2,000 take 15 minutes
    sample_steps: int = field(50, least=1, most=100_000)
    metric_samples: int = field(256, least=4, most=100_000)  # on each side of a distance
    trial_steps: int = field(0, least=0, most=MANY)  # of each training of the trial; 0: none
    trial_size: int = field(64, least=16, most=1024)  # pixels a side of its faces
    seeds: int = field(1, least=1, most=1000)  # training seeds of the claim on trial

    def work(self):
        n, few, trial = self.metric_samples, min(16, self.sample_steps), 2 * self.seeds
        chains = trial * n * 300 if self.trial_steps else 0
        return [
            self.part("the lesson's model", self.steps, called=4 * 2 * n * few),  # 4 guidances
            self.part("a model of one's own", self.own_steps),
            self.part("faces", self.trial_steps, chains, trial, size=self.trial_size),
        ]


BUDGETS = profiles(Lesson02Budget, {  # student: as above; ...: as in student
    #                 smoke         overnight     full                 published
    "max_size":       (...,          ...,          64,                  64),
    "images":         (400,          50_000,       100_000,             63_632),
    "channels":       ((16, 16, 16), ...,          (128, 256, 256),     (64, 128, 256, 512, 512)),
    "attention":      (...,          ...,          (False, True, True), (False,) * 5),
    "blocks":         (...,          ...,          2,                   ...),
    "T":              (...,          ...,          ...,                 300),
    "loss":           (...,          ...,          ...,                 "l1"),
    "optimizer":      (...,          ...,          ...,                 "adam"),
    "decay":          (...,          ...,          ...,                 "constant"),
    "bf16":           (...,          ...,          True,                ...),
    "compile":        (...,          ...,          True,                ...),
    "steps":          (8,            8_000,        30_000,              99_400),
    "batch":          (16,           ...,          256,                 64),
    "pixels":         (...,          32 * 32 * 32, 256 * 32 * 32,       64 * 64 * 64),
    "lr":             (...,          1e-3,         4e-4,                1e-3),
    "warmup":         (2,            200,          1_000,               0),
    "ema":            (...,          0.999,        0.9995,              0.0),
    "class_dropout":  (...,          ...,          ...,                 1.0),
    "log_every":      (2,            100,          500,                 994),
    "own_points":     (40,           ...,          ...,                 ...),
    "own_steps":      (4,            1_000,        ...,                 ...),
    "sample_steps":   (4,            100,          250,                 300),
    "metric_samples": (150,          500,          5_000,               5_000),
    "trial_steps":    (...,          1_000,        5_000,               99_400),
    "seeds":          (...,          3,            3,                   3),
    "trial_size":     (...,          32,           ...,                 ...),
})  # fmt: skip
