"""How much lesson 01 computes: nothing is trained."""

from dataclasses import dataclass

from diffutils.course.budgets import Budget, field, profiles


@dataclass(frozen=True)
class Lesson01Budget(Budget):
    """Lesson 01, forward diffusion."""

    samples: int = field(
        20_000, least=100, most=10_000_000
    )  # draws from the one-dimensional mixture
    photo_size: int = field(128, least=16, most=1024)  # pixels a side
    images: int = field(6, least=1, most=100)  # images in each strip
    T: int = field(1000, least=1, most=100_000)  # steps of the forward process
    reverse_steps: int = field(250, least=1, most=100_000)  # steps back with the analytic denoiser

    def __post_init__(self):
        super().__post_init__()
        if self.T < 21:
            raise ValueError(
                f"T is {self.T}, expected at least 21: scaled linear betas end at 20 / T, below 1."
            )


BUDGETS = profiles(Lesson01Budget, {  # student: as above; ...: as in student
    #                smoke   overnight   full     published
    "samples":       (2_000,  200_000,    200_000, 200_000),
    "photo_size":    (32,     256,        256,     256),
    "images":        (2,      ...,        ...,     ...),
    "T":             (...,    ...,        ...,     300),
    "reverse_steps": (25,     1000,       1000,    300),
})  # fmt: skip
