"""Exercises 1.1 to 1.3: noise in one go, the best guess, and the score.

Expected results come by another road than the reference: numbers worked by hand, Bayes' rule with
precisions, integration.
"""

import math

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake

BANDS = (np.array([0.3, 0.2, 0.5]), np.array([-0.9, 0.0, 0.8]), np.array([0.1, 0.05, 0.15]))


# --------------------------------------------------------------------- 1.1 all steps at once


def forward(x0, abar, noise):
    """x_t from x0 in one go (equation 2)."""
    return math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise


def forward_cases() -> list[Case]:
    import torch

    pixels, noise = np.array([0.8, -1.0]), np.array([0.5, 2.0])
    images = torch.linspace(-1, 1, 24).view(2, 3, 2, 2)
    waves = 3 * torch.sin(torch.arange(24.0)).view(2, 3, 2, 2)
    return [
        Case((pixels, 0.64, noise), np.array([0.94, 0.4]),
             "The worked value: roots 0.8 and 0.6, so 0.8 * 0.8 + 0.6 * 0.5 = 0.94."),
        Case((images, np.float64(0.36), waves), 0.6 * images + 0.8 * waves,
             "The same must work for images, which are PyTorch tensors here.", 1e-5),
        Case((pixels, 1.0, noise), pixels, "At abar = 1 nothing has happened yet."),
    ]


FORWARD = Exercise(
    "1.1", "noise in one go", 1, 5, forward, forward_cases,
    (
        Mistake("roots forgotten", lambda x0, abar, noise: abar * x0 + (1 - abar) * noise,
                "Both roots are missing: abar and 1 - abar are variances, factors are roots."),
        Mistake("variance for noise", lambda x0, abar, noise: abar**0.5 * x0 + (1 - abar) * noise,
                "The noise is multiplied by its variance 1 - abar; it needs the root of that."),
        Mistake("variance for image", lambda x0, abar, noise: abar * x0 + (1 - abar) ** 0.5 * noise,
                "The image is multiplied by abar; its factor is the root of abar."),
        Mistake("root of 1 minus root",
                lambda x0, abar, noise: abar**0.5 * x0 + (1 - abar**0.5) * noise,
                "1 - sqrt(abar) is not sqrt(1 - abar): it is the squares that add up to 1."),
        Mistake("swapped", lambda x0, abar, noise: (1 - abar) ** 0.5 * x0 + abar**0.5 * noise,
                "The two factors are swapped: abar is the share of the image."),
        Mistake("not faded", lambda x0, abar, noise: x0 + (1 - abar) ** 0.5 * noise,
                "The image is not faded: without the factor sqrt(abar) the variance grows past 1."),
        Mistake("clamped", lambda x0, abar, noise: forward(x0, abar, noise).clip(-1, 1),
                "x_t is clamped to [-1, 1]: a noisy image must keep its tails (section 6.4)."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 1.2 the best guess


def best_guess(x, abar, world):
    """E[x0 | x_t = x] for pixels x (n,), exactly (equation 3)."""
    return guess_with(x, abar, world)


def guess_with(x, abar, world, *, gain=None, centre=None, widths=None, odds=None, height=True,
               hard=False):
    """Equation (3), of which a mistake may replace one part: the library of wrong answers."""
    weights, means, stds = world
    root = np.sqrt(abar)
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - (root if centre is None else centre) * means
    spread = variance if widths is None else widths
    log_r = np.log(weights if odds is None else odds) - away**2 / (2 * spread)
    log_r = log_r - 0.5 * np.log(spread) if height else log_r
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    r = (r == r.max(1, keepdims=True)).astype(float) if hard else r
    r = r / r.sum(1, keepdims=True)
    return (r * (means + (root if gain is None else gain) * stds**2 / variance * away)).sum(1)


def integrated(x, abar, world):
    """The same by brute force: average over a fine grid of clean pixels."""
    weights, means, stds = world
    clean = np.linspace(-4, 4, 8001)
    prior = np.exp(-((clean[:, None] - means) ** 2) / (2 * stds**2)) / stds @ weights
    likelihood = np.exp(-((x[:, None] - np.sqrt(abar) * clean) ** 2) / (2 * (1 - abar)))
    return (likelihood * prior) @ clean / (likelihood @ prior)


def guess_cases() -> list[Case]:
    one, x = (np.ones(1), np.array([0.4]), np.array([0.5])), np.linspace(-2, 2, 9)
    bayes = (0.4 / 0.25 + 0.8 * x / 0.36) / (1 / 0.25 + 0.64 / 0.36)
    far, mean, var = np.array([-10.0, 9.0]), 0.8, 0.15**2  # out there the widest band wins
    ends = (mean / var + 0.99**0.5 * far / 0.01) / (1 / var + 0.99 / 0.01)
    return [
        Case((x, 0.64, one), bayes, "With a single band, equation (3) is one straight line."),
        Case((x, 0.5, BANDS), integrated(x, 0.5, BANDS),
             "Three bands: every band answers, and r_k says how likely it was."),
        Case((x, 0.05, BANDS), integrated(x, 0.05, BANDS), "Much noise: all bands have a say."),
        Case((far, 0.99, BANDS), ends,
             "Far from every band all densities underflow to 0, and 0/0 is NaN: work with "
             "log r_k, and subtract the largest before np.exp."),
    ]


GUESS = Exercise(
    "1.2", "the best guess", 3, 15, best_guess, guess_cases,
    (
        Mistake("width without noise", lambda x, abar, world: guess_with(
                    x, abar, world, widths=abar * world[2] ** 2),
                "The width of a band in r_k lacks the noise: it is abar s^2 + 1 - abar."),
        Mistake("weights forgotten", lambda x, abar, world: guess_with(
                    x, abar, world, odds=np.ones(len(world[0]))),
                "The weights w_k are missing: a frequent band is a likelier source."),
        Mistake("height forgotten", lambda x, abar, world: guess_with(
                    x, abar, world, height=False),
                "A normal density has 1/sqrt(variance) in front; between bands of different width "
                "it does not cancel."),
        Mistake("alpha-bar for its root", lambda x, abar, world: guess_with(
                    x, abar, world, gain=abar, centre=abar),
                "abar stands where sqrt(abar) belongs: a pixel fades by the root."),
        Mistake("centres not faded", lambda x, abar, world: guess_with(
                    x, abar, world, centre=1.0),
                "The bands have faded too: compare x_t with sqrt(abar) m_k, not with m_k."),
        Mistake("gain without root", lambda x, abar, world: guess_with(
                    x, abar, world, gain=1.0),
                "The factor of (x_t - sqrt(abar) m_k) lacks the sqrt(abar) in its numerator."),
        Mistake("nearest band only", lambda x, abar, world: guess_with(
                    x, abar, world, hard=True),
                "Only the likeliest band answers; the mean needs all, each with its share r_k."),
        Mistake("noise ignored", lambda x, abar, world: x / np.sqrt(abar),
                "x / sqrt(abar) undoes the fading but takes the noise for image."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 1.3 Tweedie


def tweedie(x, clean, abar):
    """The score of x_t from the best guess of the clean pixel (equation 4)."""
    return (math.sqrt(abar) * clean - x) / (1 - abar)


def tweedie_cases() -> list[Case]:
    x, mean, var = np.linspace(-2, 2, 7), 0.4, 0.25
    cases = [Case((np.array([1.0]), np.array([0.5]), 0.64), np.array([-0.6 / 0.36]),
                  "The worked value: (0.8 * 0.5 - 1) / 0.36 = -1.667.")]
    for abar in (0.9, 0.2):  # normal data: the score of a normal density is known
        root, total = math.sqrt(abar), abar * var + 1 - abar
        clean = mean + root * var / total * (x - root * mean)
        cases.append(Case((x, clean, abar), -(x - root * mean) / total,
                          "For normal data the score is -(x - mean) / variance of x_t."))
    return cases


TWEEDIE = Exercise(
    "1.3", "from best guess to score", 1, 5, tweedie, tweedie_cases,
    (
        Mistake("sign", lambda x, clean, abar: -tweedie(x, clean, abar),
                "The sign is wrong: the score points from x_t towards the faded best guess."),
        Mistake("noise, not score", lambda x, clean, abar: (abar**0.5 * clean - x)
                / (1 - abar) ** 0.5,
                "Divided by the root of 1 - abar this is minus the noise; the score divides by the "
                "variance itself."),
        Mistake("not faded", lambda x, clean, abar: (clean - x) / (1 - abar),
                "The best guess must be faded by sqrt(abar) before it is compared with x_t."),
        Mistake("alpha-bar for its root", lambda x, clean, abar: (abar * clean - x) / (1 - abar),
                "The best guess is faded by abar; its factor is the root of abar."),
        Mistake("sigma's units", lambda x, clean, abar: (clean - x) / ((1 - abar) / abar),
                "That is the formula of the other language, (D - x)/sigma^2; here x has faded."),
        Mistake("not divided", lambda x, clean, abar: abar**0.5 * clean - x,
                "The arrow has the right direction but the wrong length: divide by 1 - abar."),
    ),
)  # fmt: skip

EXERCISES = (FORWARD, GUESS, TWEEDIE)
