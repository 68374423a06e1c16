"""Exercise 1.5, the other language.

Expected results come by another road than the reference: image and noise are put together in either
language.
"""

import math
from collections.abc import Callable

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.parts import formulas, skewed


def in_sigma(x_t, abar):
    """The textbook's x_t in the units x = x0 + sigma n: returns x and sigma (equation 6)."""
    return x_t / math.sqrt(abar), math.sqrt((1 - abar) / abar)


def units_cases(seed) -> list[Case]:
    import torch

    rng = np.random.default_rng([seed, 15])
    clean, waves = torch.linspace(-1, 1, 12).view(1, 3, 2, 2), torch.arange(12.0).view(1, 3, 2, 2)

    def made(shape, sigma, about):  # from x0 and n, which are the same in both languages
        x0, n, abar = skewed(rng, *shape), skewed(rng, *shape), 1 / (1 + sigma**2)
        x_t = math.sqrt(abar) * x0 + math.sqrt(1 - abar) * n
        return Case((x_t, np.float64(abar)), (x0 + sigma * n, sigma), about)

    return [
        Case((np.array([0.94, 0.4]), 0.64), (np.array([1.175, 0.5]), 0.75),
             "The worked value: 0.94 / 0.8 = 1.175, and sigma = 0.6 / 0.8 = 0.75."),
        Case((0.2**0.5 * clean + 0.8**0.5 * waves, 0.2), (clean + 2 * waves, 2.0),
             "x must be x0 + sigma n with the same x0 and n; at abar = 0.2 sigma is 2.", 1e-5),
        # NumPy's 1.0: whoever divides by 1 - abar gets infinity, and a diagnosis, no exception.
        Case((np.array([0.3]), np.float64(1.0)), (np.array([0.3]), 0.0),
             "At abar = 1 there is no noise."),
        made((5, 3), rng.uniform(0.1, 0.4), "With little noise."),
        made((2, 4), rng.uniform(20, 150), "At the end of the schedule sigma is over a hundred."),
        made((500,), rng.uniform(0.5, 5), "x must be x0 + sigma n, with the same x0 and n."),
    ]  # fmt: skip


def translated(scale: Callable, sigma: Callable) -> Callable:
    """(6) with another factor of x_t, and another sigma, both functions of alpha-bar."""
    return lambda x_t, abar: (scale(float(abar)) * x_t, sigma(float(abar)))


def snr(abar):
    """The signal-to-noise ratio; infinite where there is no noise."""
    return abar / (1 - abar) if abar < 1 else math.inf


SCALE = {
    "x_t / sqrt(abar)": lambda a: a**-0.5,
    "x_t * sqrt(abar)": math.sqrt,
    "x_t / abar": lambda a: 1 / a,
    "x_t": lambda a: 1,
}
SIGMA = {
    "sqrt((1 - abar) / abar)": lambda a: math.sqrt((1 - a) / a),
    "(1 - abar) / abar": lambda a: (1 - a) / a,
    "abar / (1 - abar)": snr,
    "sqrt(abar / (1 - abar))": lambda a: math.sqrt(snr(a)),
    "sqrt(1 - abar)": lambda a: math.sqrt(1 - a),
    "1 - abar": lambda a: 1 - a,
    "1 / sqrt(abar)": lambda a: a**-0.5,
}
RARE_SCALE = {
    "x_t * abar": lambda a: a,
    "x_t / sqrt(1 - abar)": lambda a: (1 - a) ** -0.5 if a < 1 else math.inf,
    "x_t * sqrt(1 - abar)": lambda a: math.sqrt(1 - a),
    "x_t / abar / 2": lambda a: 1 / a / 2,
    "x_t * 2 / abar": lambda a: 2 / a,
    "x_t / sqrt((1 - abar) / abar)": lambda a: math.sqrt(snr(a)),
    "x_t / sqrt(abar) / 2": lambda a: a**-0.5 / 2,
    "x_t * sqrt((1 - abar) / abar)": lambda a: math.sqrt((1 - a) / a),
    "-x_t / sqrt(abar)": lambda a: -(a**-0.5),
}
RARE_SIGMA = {
    "sqrt(1 - abar) / abar": lambda a: math.sqrt(1 - a) / a,
    "(1 - abar) / sqrt(abar)": lambda a: (1 - a) / math.sqrt(a),
    "(1 - abar) / abar / 2": lambda a: (1 - a) / a / 2,
    "((1 - abar) / abar)^2": lambda a: ((1 - a) / a) ** 2,
    "-sqrt((1 - abar) / abar)": lambda a: -math.sqrt((1 - a) / a),
    "1 / abar": lambda a: 1 / a,
    "abar": lambda a: a,
    "sqrt(abar)": math.sqrt,
    "1 / (1 + abar)": lambda a: 1 / (1 + a),
    "sqrt(1 / (1 + abar))": lambda a: (1 + a) ** -0.5,
    "sqrt((1 + abar) / abar)": lambda a: math.sqrt((1 + a) / a),
    "1 / sqrt(abar) - 1": lambda a: a**-0.5 - 1,
    "0": lambda a: 0.0,
}
UNITS_NAMED = {
    ("x_t / sqrt(abar)", "(1 - abar) / abar"): (
        "variance for std",
        "That is sigma squared; sigma is its root.",
    ),
    ("x_t / sqrt(abar)", "abar / (1 - abar)"): (
        "SNR",
        "That fraction is the SNR; sigma^2 is 1/SNR, and sigma its root.",
    ),
    ("x_t / sqrt(abar)", "sqrt(abar / (1 - abar))"): (
        "root of SNR",
        "The fraction stands upside down: abar / (1 - abar) is the SNR, sigma^2 is 1/SNR.",
    ),
    ("x_t / sqrt(abar)", "1 / sqrt(abar)"): (
        "1/abar",
        "1/abar is 1 + sigma^2: subtract the 1 before the root.",
    ),
    ("x_t / sqrt(abar)", "sqrt(1 - abar)"): (
        "noise of the textbook",
        "sqrt(1 - abar) is the noise of x_t; dividing x_t by sqrt(abar) enlarges the noise too.",
    ),
    ("x_t / sqrt(abar)", "(1 - abar) / abar / 2"): (
        "half for root",
        "sigma is half of the fraction, not its root: `** 1/2` is half of a first power. Write "
        "math.sqrt(...), or ** 0.5.",
    ),
    ("x_t * sqrt(abar)", "sqrt((1 - abar) / abar)"): (
        "multiplied",
        "x_t has faded by sqrt(abar); to undo that, divide.",
    ),
    ("x_t / abar", "sqrt((1 - abar) / abar)"): (
        "alpha-bar for its root",
        "x_t is divided by abar; it has faded by the root of abar only.",
    ),
    ("x_t", "sqrt((1 - abar) / abar)"): (
        "not rescaled",
        "sigma is right, but x_t must change its scale too: divide it by sqrt(abar).",
    ),
}

UNITS = Exercise(
    "1.5", "the other language", 1, 5, in_sigma, units_cases,
    (
        *formulas(translated, (SCALE, SIGMA), (RARE_SCALE, RARE_SIGMA), UNITS_NAMED,
                  lambda x, s: (f"{x}, {s}", f"x is {x} and sigma is {s}; (6) has x_t / sqrt(abar) "
                                "and the root of (1 - abar) / abar.")),
        Mistake("order", lambda x_t, abar: in_sigma(x_t, abar)[::-1],
                "The two values come in the wrong order: x first, then sigma."),
    ),
)  # fmt: skip


EXERCISES = (UNITS,)
