"""How much lesson 05 computes."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from diffutils.course.budgets import MANY, Needs, TrainingBudget, field, profiles
from diffutils.lessons.lesson05.inputs.triples import KINDS, MIXED
from diffutils.lessons.lesson05.systems.trial import ARMS, PRETRAINED


@dataclass(frozen=True)
class Lesson05Budget(TrainingBudget):
    """Lesson 05, colouring: a network trained live on triples of image, sketch and reference."""

    NEEDS: ClassVar[Needs] = Needs(4, 4, "a distance takes at least 4 images on each side")

    max_size: int = field(32, least=16, most=1024)
    steps: int = field(600, least=1, most=MANY)
    log_every: int = field(30, least=1, most=MANY)
    images: int = field(2_000, least=10, most=MANY)
    channels: tuple[int, ...] = field((16, 32, 48), least=1, most=4096)
    batch: int = field(32, least=1, most=1_000_000)
    pixels: int = field(32 * 32 * 32, least=1, most=2**32)
    lr: float = field(1e-3, least=0, most=100)
    class_dropout: float = field(1.0, least=0, most=1)  # no labels: sketch and reference decide
    kinds: tuple[str, ...] = field(MIXED, choices=KINDS)  # of references that training shows
    turned: float = field(0.0, least=0, most=180)  # degrees that a bent reference is turned by
    own_ink: bool = False  # sketches of the images in their own colours, or of faces in others
    strength: float = field(0.25, least=0, most=1)  # of the change of colours; 0: none
    dropout: float = field(0.1, least=0, below=1)  # share of sketches hidden, and of references
    pretrained: bool = True  # pictures by the network that ships, where one does
    levels: int = field(10, least=1, most=1000)  # steps of the walk, in refinement and in use
    last: int = field(3, least=0, most=1000)  # steps that refinement goes through; 0: all
    checkpoint: bool = False  # keep states alone for the gradient, and ask the network again
    end_loss: Literal["mse", "ssim", "features", "lpips"] = "mse"
    clamp: bool = False  # the end loss of images clamped to [-1, 1], as published
    refine_steps: int = field(40, least=1, most=MANY)
    refine_batch: int = field(16, least=1, most=1_000_000)
    refine_lr: float = field(3e-4, least=0, most=100)
    refine_lrs: tuple[float, ...] = field((3e-4, 1e-3, 3e-3), least=0, most=100)  # the trial's
    trial_seeds: int = field(0, least=0, most=100)  # trainings of each arm; 0: the recorded rows
    trial_arms: tuple[str, ...] = field(ARMS, choices=(*ARMS, *PRETRAINED))
    passes: int = field(8_000, least=1, most=MANY)  # calls of the network that a tuning may spend
    metric_samples: int = field(128, least=4, most=1_000_000)  # held-out images measured

    def work(self):
        seeds, beside = self.trial_seeds, {"cond_channels": 4}  # a sketch and a reference
        tuned = [arm for arm in self.trial_arms if arm in ARMS[1:]]
        trained = 1 + len(self.trial_arms) - len(tuned)
        # Of the first training each rate is tried; a pass through a step counts once.
        passes = len(tuned) * self.passes * (len(self.refine_lrs) + seeds - 1) if seeds else 0
        answers = 2 * 5 * seeds * len(self.trial_arms) * self.metric_samples * self.levels
        trial = self.part("the trial", self.steps * bool(seeds), answers, trained * seeds, **beside)
        return [
            self.part("the lesson's model", self.steps, **beside),
            trial._replace(trained=trial.trained + passes),
        ]


DEEPEST = (False, False, False, True)
DEEP = (False, False, True, True)
BUDGETS = profiles(Lesson05Budget, {  # student: as above; ...: as in student
    #                 smoke         overnight   full                  published
    "max_size":       (16,           ...,        64,                   256),
    "images":         (60,           4_000,      20_000,               31_696),
    "channels":       ((16, 16, 16), ...,        (64, 128, 192, 256),  (64, 128, 256, 512)),
    "attention":      (...,          ...,        DEEP,                 DEEPEST),
    "blocks":         (...,          ...,        2,                    2),
    "bf16":           (...,          ...,        True,                 True),
    "compile":        (...,          ...,        True,                 True),
    "steps":          (4,            1_500,      60_000,               297_000),
    "batch":          (8,            ...,        64,                   32),
    "pixels":         (...,          ...,        64 * 64 * 64,         32 * 256 * 256),
    "lr":             (...,          ...,        5e-4,                 1e-4),
    "warmup":         (2,            100,        500,                  990),
    "ema":            (...,          0.995,      0.999,                0.0),
    "log_every":      (2,            100,        600,                  990),
    "kinds":          (...,          ...,        ...,                  ("published",)),
    "own_ink":        (...,          ...,        ...,                  True),
    "strength":       (...,          ...,        ...,                  0.0),
    "dropout":        (...,          ...,        ...,                  0.0),
    "pretrained":     (False,        ...,        False,                False),
    "levels":         (3,            ...,        10,                   50),
    "last":           (2,            ...,        3,                    0),
    "checkpoint":     (...,          ...,        ...,                  True),
    "clamp":          (...,          ...,        ...,                  True),
    "refine_steps":   (2,            200,        2_000,                316_960),
    "refine_lr":      (...,          ...,        1e-4,                 1e-4),
    "refine_lrs":     ((3e-4,),      ...,        (1e-4, 3e-4, 1e-3),   (1e-4,)),
    "refine_batch":   (4,            ...,        32,                   1),
    "trial_seeds":    (...,          1,          3,                    3),
    "trial_arms":     (...,          ...,        (*ARMS, *PRETRAINED), (*ARMS, *PRETRAINED)),
    "passes":         (32,           16_000,     200_000,              50 * 316_960),
    "metric_samples": (6,            160,        2_000,                579),
})  # fmt: skip
