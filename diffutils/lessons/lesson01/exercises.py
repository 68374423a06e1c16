"""Exercise 1.1, noise in one go.

Expected results come by another road than the reference: numbers worked by hand, and angles.
"""

import math
from collections.abc import Callable

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.parts import formulas, skewed


def forward(x0, abar, noise):
    """x_t from x0 in one go (equation 2)."""
    return math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise


def forward_cases(seed) -> list[Case]:
    import torch

    rng = np.random.default_rng([seed, 11])
    pixels, noise = np.array([0.8, -1.0]), np.array([0.5, 2.0])

    def turned(shape, abar, kind, tolerance, about):  # the two factors are cosine and sine
        angle = math.acos(math.sqrt(abar))
        x0, noise = torch.tensor(skewed(rng, *shape)), torch.tensor(skewed(rng, *shape))
        right = math.cos(angle) * x0 + math.sin(angle) * noise
        given = (kind(x0), abar, kind(noise))
        return Case(given, kind(right), about, tolerance)

    single, double, array = torch.Tensor.float, torch.Tensor.double, torch.Tensor.numpy
    return [
        Case((pixels, 0.64, noise), np.array([0.94, 0.4]),
             "The worked value: roots 0.8 and 0.6, so 0.8 * 0.8 + 0.6 * 0.5 = 0.94."),
        Case((pixels, 1.0, noise), pixels, "At abar = 1 nothing has happened yet."),
        turned((2, 3, 4, 5), rng.uniform(0.2, 0.8), single, 1e-5,
               "The same must work for images, which are PyTorch tensors here."),
        turned((5, 3), rng.uniform(0.01, 0.1), array, 1e-6, "With little signal left."),
        turned((7,), rng.uniform(0.9, 0.99), double, 1e-5, "With little noise so far."),
        turned((1, 6, 5), rng.uniform(0.2, 0.8), single, 1e-5, "A grey picture."),
        turned((3, 24, 32), np.float64(rng.uniform(0.2, 0.8)), single, 1e-5,
               "A picture is a tensor of shape (colours, height, width), and so is the result."),
    ]  # fmt: skip


def mixed(image: Callable, noise: Callable) -> Callable:
    """(2) with two other factors, functions of alpha-bar."""
    return lambda x0, abar, z: image(float(abar)) * x0 + noise(float(abar)) * z


IMAGE = {
    "sqrt(abar)": math.sqrt,
    "abar": lambda a: a,
    "1": lambda a: 1,
    "abar / 2": lambda a: a / 2,
    "sqrt(1 - abar)": lambda a: math.sqrt(1 - a),
    "1 - abar": lambda a: 1 - a,
}
NOISE = {
    "sqrt(1 - abar)": lambda a: math.sqrt(1 - a),
    "(1 - abar)": lambda a: 1 - a,
    "1": lambda a: 1,
    "(1 - abar) / 2": lambda a: (1 - a) / 2,
    "sqrt(abar)": math.sqrt,
    "abar": lambda a: a,
    "0": lambda a: 0,
    "(1 - sqrt(abar))": lambda a: 1 - math.sqrt(a),
    "-sqrt(1 - abar)": lambda a: -math.sqrt(1 - a),
}
RARE_IMAGE = {
    "0": lambda a: 0,
    "abar^2": lambda a: a * a,
    "sqrt(sqrt(abar))": lambda a: a**0.25,
    "1 / sqrt(abar)": lambda a: a**-0.5,
    "(1 - sqrt(1 - abar))": lambda a: 1 - math.sqrt(1 - a),
    "-sqrt(abar)": lambda a: -math.sqrt(a),
}
RARE_NOISE = {
    "-(1 - abar)": lambda a: a - 1,
    "sqrt(1 - abar) / 2": lambda a: math.sqrt(1 - a) / 2,
    "(1 - abar)^2": lambda a: (1 - a) ** 2,
    "sqrt(1 - abar^2)": lambda a: math.sqrt(1 - a * a),
    "sqrt(1 - sqrt(abar))": lambda a: math.sqrt(1 - math.sqrt(a)),
    "sqrt(sqrt(1 - abar))": lambda a: (1 - a) ** 0.25,
    "sqrt(abar (1 - abar))": lambda a: math.sqrt(a * (1 - a)),
    "sqrt(1 + abar)": lambda a: math.sqrt(1 + a),
    "sqrt((1 - abar) / abar)": lambda a: math.sqrt(1 / a - 1),
}
FORWARD_NAMED = {
    ("abar", "(1 - abar)"): (
        "roots forgotten",
        "Both roots are missing: abar and 1 - abar are variances, factors are roots.",
    ),
    ("sqrt(abar)", "(1 - abar)"): (
        "variance for noise",
        "The noise is multiplied by its variance 1 - abar; it needs the root of that.",
    ),
    ("abar", "sqrt(1 - abar)"): (
        "variance for image",
        "The image is multiplied by abar; its factor is the root of abar.",
    ),
    ("sqrt(abar)", "(1 - sqrt(abar))"): (
        "root of 1 minus root",
        "1 - sqrt(abar) is not sqrt(1 - abar): it is the squares that add up to 1.",
    ),
    ("sqrt(1 - abar)", "sqrt(abar)"): (
        "swapped",
        "The two factors are swapped: abar is the share of the image.",
    ),
    ("1", "sqrt(1 - abar)"): (
        "not faded",
        "The image is not faded: without the factor sqrt(abar) the variance grows past 1.",
    ),
    ("abar / 2", "(1 - abar) / 2"): (
        "half for root",
        "That is a half in place of both roots: `abar ** 1/2` is (abar ** 1) / 2. Write "
        "math.sqrt(abar), or abar ** 0.5.",
    ),
    ("sqrt(abar)", "-sqrt(1 - abar)"): (
        "minus for plus",
        "The noise is subtracted; in (2) it is added.",
    ),
    ("sqrt(abar)", "0"): ("noise forgotten", "There is no noise in it: sqrt(1 - abar) * noise."),
    ("0", "sqrt(1 - abar)"): ("image forgotten", "There is no image in it: sqrt(abar) * x0."),
    ("sqrt(abar)", "1"): (
        "noise not scaled",
        "The noise comes in at full strength; its factor is sqrt(1 - abar), 0 where abar is 1.",
    ),
    ("sqrt(abar)", "sqrt(abar (1 - abar))"): (
        "bracket",
        "sqrt(abar) multiplies the noise too; it is the factor of the image alone.",
    ),
}

FORWARD = Exercise(
    "1.1", "noise in one go", 1, 5, forward, forward_cases,
    (
        *formulas(mixed, (IMAGE, NOISE), (RARE_IMAGE, RARE_NOISE), FORWARD_NAMED,
                  lambda f, g: (f"{f}, {g}", f"It is {f} * x0 + {g} * noise; the factors in (2) "
                                "are sqrt(abar) and sqrt(1 - abar), whose squares add up to 1.")),
        Mistake("product for sum", lambda x0, abar, noise: forward(x0, abar, 0 * noise)
                * forward(0 * x0, abar, noise),
                "Image and noise are multiplied with each other; (2) is a sum."),
        Mistake("levels squared", mixed(lambda a: a * a, lambda a: 1 - a * a),
                "It is abar^2 * x0 + (1 - abar^2) * noise: take roots, not squares."),
        Mistake("noise not random", lambda x0, abar, noise: forward(x0, abar, 1),
                "sqrt(1 - abar) itself is added; it is the factor of `noise`."),
        Mistake("image's factor added", lambda x0, abar, noise: forward(0 * x0, abar, noise)
                + math.sqrt(abar) + x0,
                "sqrt(abar) is added to the image; it multiplies it."),
        Mistake("factor added", lambda x0, abar, noise: forward(x0, abar, 0 * noise)
                + math.sqrt(1 - abar) + noise,
                "sqrt(1 - abar) is added to the noise; it multiplies it."),
        Mistake("clamped", lambda x0, abar, noise: forward(x0, abar, noise).clip(-1, 1),
                "x_t is clamped to [-1, 1]: a noisy image must keep its tails (section 6.4)."),
    ),
)  # fmt: skip


EXERCISES = (FORWARD,)
