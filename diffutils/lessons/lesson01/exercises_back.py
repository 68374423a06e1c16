"""Exercise 1.4, one step back.

Expected results come by other roads than the reference: Bayes' rule with precisions, and a straight
move in the units of sigma.
"""

import math

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.parts import skewed
from diffutils.lessons.lesson01.step_parts import (
    IN_FRESH,
    IN_LEVEL,
    IN_NOISE,
    IN_OLD,
    IN_WEIGHT,
    new_noise,
    root,
    step,
    variance,
)


def step_back(x, clean, now, then, eta, z):
    """x at level `then` from x at level `now` and the best guess of the clean pixel (eq. 5)."""
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    fresh = eta * math.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = math.sqrt(max(1 - then - fresh**2, 0))
    return math.sqrt(then) * clean + old * eps + fresh * z


def bayes(x, clean, now, then):
    """Mean and std of q(x_s | x_t, x0): precisions add up."""
    ratio = now / then
    precision = ratio / (1 - ratio) + 1 / (1 - then)
    mean = ratio**0.5 * x / (1 - ratio) + then**0.5 * clean / (1 - then)
    return mean / precision, precision**-0.5


def flow(x, clean, now, then):
    """DDIM in the units of sigma: a straight move along the noise."""
    sigma, sigma_then = math.sqrt(1 / now - 1), math.sqrt(1 / then - 1)
    return math.sqrt(then) * (clean + sigma_then * (x / math.sqrt(now) - clean) / sigma)


def step_cases(seed) -> list[Case]:
    """The levels are NumPy's, as in the lesson: a division by 0 is then no exception."""
    # Two pixels worked by hand.
    rng = np.random.default_rng([seed, 14])
    x, clean, z = np.array([1.5, -0.4]), np.array([0.5, -0.8]), np.array([1.0, -2.0])
    mean, std = bayes(x, clean, 0.36, 0.64)
    share = "Old and new noise share the variance 1 - abar_s: what is new is taken from the old."

    # Random ones: DDIM, DDPM, and between.
    def drawn(shape, now, then, eta, about):
        x, clean, z = (skewed(rng, *shape) for _ in range(3))
        if eta == 0:
            right = flow(x, clean, now, then)
        elif eta == 1:
            mean, std = bayes(x, clean, now, then)
            right = mean + std * z
        else:
            fresh = eta * bayes(x, clean, now, then)[1]
            eps = (x - now**0.5 * clean) / (1 - now) ** 0.5
            right = then**0.5 * clean + (1 - then - fresh**2) ** 0.5 * eps + fresh * z
        return Case((x, clean, np.float64(now), np.float64(then), eta, z), right, about)

    return [
        Case((x, clean, np.float64(0.36), np.float64(0.64), 0, z), flow(x, clean, 0.36, 0.64),
             "eta = 0 renews nothing: the first pixel goes from 1.5 to 0.8 * 0.5 + 0.6 * 1.5 = "
             "1.3, where 1.5 is also the noise that it holds. NaN? Turn now / then round."),
        Case((x, clean, np.float64(0.36), np.float64(0.64), 1, z), mean + std * z,
             "eta = 1: the first pixel is 0.906 + 0.496 z. Is the root of a negative number taken? "
             "Then a fraction stands upside down."),
        drawn((5, 3), rng.uniform(0.05, 0.12), rng.uniform(0.4, 0.5), rng.uniform(0.3, 0.8), share),
        drawn((4,), rng.uniform(0.8, 0.9), rng.uniform(0.93, 0.99), rng.uniform(0.3, 0.8), share),
        *(Case((skewed(rng, 3), ends := skewed(rng, 3), np.float64(rng.uniform(0.8, 0.99)),
                np.float64(1.0), eta, skewed(rng, 3)), ends,
               "At the clean end (then = 1) the answer is the best guess itself, without noise.")
          for eta in (0, 1)),
        drawn((6,), rng.uniform(0.5, 0.7), rng.uniform(0.1, 0.4), 0,
              "The lesson also walks up (then < now) with eta = 0: the root of a negative number "
              "is NaN, even times 0; take max(..., 0) under it."),
        drawn((3_000,), rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.7), 1,  # as the lesson's walk
              "The lesson walks back with thousands of pixels at once."),
        drawn((40, 2), rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.7), 1,
              "The lesson walks with points of a plane, too: two numbers each."),
    ]  # fmt: skip


STEP = Exercise(
    "1.4", "one step back", 2, 10, step_back, step_cases,
    (
        *(Mistake(name, step(fresh=part), hint) for name, part, hint in IN_FRESH),
        *(Mistake(name, step(old=part), hint) for name, part, hint in IN_OLD),
        *(Mistake(name, step(eps=part), hint) for name, part, hint in IN_NOISE),
        *(Mistake(name, step(weight=part), hint) for name, part, hint in IN_WEIGHT),
        *(Mistake(name, step(level=part), hint) for name, part, hint in IN_LEVEL),
        Mistake("eta missing in old", lambda x, clean, now, then, eta, z: step(
                    old=lambda now, then, fresh: root(1 - then - new_noise(now, then, 1) ** 2))(
                    x, clean, now, then, eta, z),
                "`old` makes room for all of the ancestral noise; with eta < 1 less comes in: "
                "subtract fresh**2, with eta in it."),
        Mistake("old level", step(old=lambda now, then, fresh: root(1 - now - fresh**2),
                                  level=lambda now, then: now),
                "x_s is built with abar_t, so nothing gets cleaner: use the level `then`."),
        Mistake("levels swapped", lambda x, clean, now, then, eta, z: step(
                    eps=lambda x, clean, now, then: (x - np.sqrt(now) * clean) / np.sqrt(1 - now))(
                    x, clean, then, now, eta, z),
                "`now` and `then` are swapped: x is at level `now`, the result at level `then`."),
        Mistake("new noise for old", lambda x, clean, now, then, eta, z: step(
                    eps=lambda *_: z)(x, clean, now, then, eta, z),
                "z stands where `eps`, the noise that x holds, belongs."),
        Mistake("beta, and noise not shared", step(
                    lambda now, then, eta: eta * root(1 - now / then),
                    old=lambda now, then, fresh: math.sqrt(1 - then)),
                "Two slips: (1 - then) / (1 - now) is missing in `fresh`, and fresh**2 in `old`."),
        Mistake("half for both roots", step(
                    lambda now, then, eta: eta * variance(now, then) / 2,
                    old=lambda now, then, fresh: (1 - then - fresh**2) / 2),
                "`fresh` and `old` have a half in place of the root: `** 1/2` is (... ** 1) / 2."),
        Mistake("no root in fresh and old", step(
                    lambda now, then, eta: eta * root(variance(now, then)) ** 2,
                    old=lambda now, then, fresh: 1 - then - fresh**2),
                "`fresh` and `old` are variances still: both lack the root."),
        Mistake("levels without roots", step(
                    eps=lambda x, clean, now, then: (x - now * clean) / (1 - now),
                    level=lambda now, then: then**2),
                "The levels in `eps` and in front of the best guess lack their roots."),
        Mistake("no root anywhere", step(
                    lambda now, then, eta: eta * root(variance(now, then)) ** 2,
                    eps=lambda x, clean, now, then: (x - now * clean) / (1 - now),
                    old=lambda now, then, fresh: 1 - then - fresh**2,
                    level=lambda now, then: then**2),
                "All the roots of (5) are missing: abar and 1 - abar are variances."),
        Mistake("state for guess", lambda x, clean, now, then, eta, z: step_back(
                    x, clean, now, then, eta, z) + math.sqrt(then) * (x - clean),
                "x_s begins with sqrt(abar_s) times x; it is the best guess that it begins with."),
        Mistake("z forgotten", lambda x, clean, now, then, eta, z: step_back(
                    x, clean, now, then, eta, 1.0),
                "`fresh` itself is added; it is the factor of z."),
        Mistake("state clamped", lambda x, clean, now, then, eta, z: np.clip(
                    step_back(x, clean, now, then, eta, z), -1, 1),
                "The state is clamped to [-1, 1]: noise needs its tails. Clamp the best guess."),
        Mistake("guess clamped", lambda x, clean, now, then, eta, z: step_back(
                    x, np.clip(clean, -1, 1), now, then, eta, z),
                "The best guess is clamped to [-1, 1]; this task takes it as it is."),
    ),
)  # fmt: skip


EXERCISES = (STEP,)
