"""Exercises 1.1 to 1.3: noise in one go, the best guess, and the score.

Expected results come by another road than the reference: numbers worked by hand, Bayes' rule with
precisions, integration.
"""

import functools
import math

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake

BANDS = (np.array([0.3, 0.2, 0.5]), np.array([-0.9, 0.0, 0.8]), np.array([0.1, 0.05, 0.15]))


# --------------------------------------------------------------------- 1.1 all steps at once


def forward(x0, abar, noise):
    """x_t from x0 in one go (equation 2)."""
    return math.sqrt(abar) * x0 + math.sqrt(1 - abar) * noise


def forward_cases(seed) -> list[Case]:
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
    ]  # fmt: skip


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


def guess_with(
    x,
    abar,
    world,
    *,
    centre=None,
    spread=None,
    odds=None,
    height=-0.5,
    slope=-0.5,
    shares=None,
    answers=None,
):
    """Equation (3), of which a mistake may replace one part: the library of wrong answers.

    shares: from log_r (n, K) to r; answers: from what each band knows to what it says.
    """
    weights, means, stds = world
    root = np.sqrt(abar)
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - (root if centre is None else centre) * means
    spread = variance if spread is None else spread(variance)
    log_r = np.log(weights if odds is None else odds)
    log_r = log_r + height * np.log(variance) + slope * away**2 / spread
    r = (shares or softmax)(log_r)
    says = answers or functools.partial(answer, root)
    return (r * says(means, stds, variance, away)).sum(1)


def answer(root, means, stds, variance, away):
    """What each band says, with a root of alpha-bar that a mistake may replace."""
    return means + root * stds**2 / variance * away


def softmax(log_r, axis=1):
    """Shares that add up to 1 along the axis."""
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    with np.errstate(invalid="ignore"):  # along the wrong axis a sum may be 0
        return r / r.sum(axis, keepdims=True)


def likeliest(log_r):
    """Share 1 for the likeliest band, 0 for the others."""
    return (log_r == log_r.max(1, keepdims=True)).astype(float)


def integrated(x, abar, world):
    """The same by brute force: average over a fine grid of clean pixels."""
    weights, means, stds = world
    clean = np.linspace(-4, 4, 8001)
    prior = np.exp(-((clean[:, None] - means) ** 2) / (2 * stds**2)) / stds @ weights
    likelihood = np.exp(-((x[:, None] - np.sqrt(abar) * clean) ** 2) / (2 * (1 - abar)))
    return (likelihood * prior) @ clean / (likelihood @ prior)


def guess_cases(seed) -> list[Case]:
    one, x = (np.ones(1), np.array([0.5]), np.array([0.75])), np.array([1.0, -1.2, 0.3, 2.5])
    bayes = (0.5 / 0.75**2 + 0.8 * x / 0.36) / (1 / 0.75**2 + 0.64 / 0.36)
    pixels = np.linspace(-2, 2, 9)
    far, mean, var = np.array([-10.0, 9.0]), 0.8, 0.15**2  # out there the widest band wins
    ends = (mean / var + 0.99**0.5 * far / 0.01) / (1 / var + 0.99 / 0.01)
    return [
        Case((x, 0.64, one), bayes,
             "One band, so r is 1 and (3) is a line through (sqrt(abar) m, m) of slope "
             "sqrt(abar) d^2 / variance: 0.5 + 0.625 (1 - 0.4) = 0.875 is the worked value."),
        Case((pixels, 0.5, BANDS), integrated(pixels, 0.5, BANDS),
             "One band alone is right, three are not: look at r_k, how likely each band is. Its "
             "rows must add up to 1."),
        Case((pixels, 0.05, BANDS), integrated(pixels, 0.05, BANDS),
             "Much noise: all bands have a say."),
        Case((far, 0.99, BANDS), ends,
             "Far from every band all densities underflow to 0, and 0/0 is NaN: work with "
             "log r_k, and subtract the largest before np.exp."),
    ]  # fmt: skip


GUESS = Exercise(
    "1.2", "the best guess", 3, 15, best_guess, guess_cases,
    (
        Mistake("width without noise", lambda x, abar, world: guess_with(
                    x, abar, world, spread=lambda variance: abar * world[2] ** 2),
                "The width of a band in r_k lacks the noise: it is abar d^2 + 1 - abar."),
        Mistake("variance squared", lambda x, abar, world: guess_with(
                    x, abar, world, spread=lambda variance: variance**2),
                "The exponent of r_k is divided by the variance squared; `variance` is one."),
        Mistake("variance as std", lambda x, abar, world: guess_with(
                    x, abar, world, height=-1.0, spread=lambda variance: variance**2),
                "`variance` is taken for a standard deviation; it is the square of one."),
        Mistake("half forgotten", lambda x, abar, world: guess_with(x, abar, world, slope=-1.0),
                "The exponent of a normal density is -away**2 / (2 variance): the 2 is missing."),
        Mistake("exponent without minus", lambda x, abar, world: guess_with(
                    x, abar, world, slope=0.5),
                "The minus in the exponent is missing, so the farthest band is the likeliest."),
        Mistake("weights forgotten", lambda x, abar, world: guess_with(
                    x, abar, world, odds=np.ones(len(world[0]))),
                "The weights w_k are missing: a frequent band is a likelier source."),
        Mistake("weights without log", lambda x, abar, world: guess_with(
                    x, abar, world, odds=np.exp(world[0])),
                "log r_k takes the logarithm of the weight w_k; you add the weight itself."),
        Mistake("height forgotten", lambda x, abar, world: guess_with(
                    x, abar, world, height=0.0),
                "A normal density has 1/sqrt(variance) in front; between bands of different width "
                "it does not cancel."),
        Mistake("height without root", lambda x, abar, world: guess_with(
                    x, abar, world, height=-1.0),
                "The height of a normal density is 1/sqrt(variance): half of log(variance)."),
        Mistake("height upside down", lambda x, abar, world: guess_with(
                    x, abar, world, height=0.5),
                "A wide band is a low one: half of log(variance) is subtracted, not added."),
        Mistake("not normalised", lambda x, abar, world: guess_with(
                    x, abar, world, shares=lambda log_r: np.exp(log_r - log_r.max(1)[:, None])),
                "The rows of r must add up to 1: divide by r.sum(1, keepdims=True)."),
        Mistake("not normalised, not shifted", lambda x, abar, world: guess_with(
                    x, abar, world, shares=np.exp),
                "The rows of r must add up to 1: subtract the largest of the row before np.exp, "
                "then divide by the sum of the row."),
        Mistake("sum over pixels", lambda x, abar, world: guess_with(
                    x, abar, world, shares=lambda log_r: softmax(log_r, 0)),
                "r is divided by the sum over the pixels (axis 0); it is the bands (axis 1) that "
                "share every pixel."),
        Mistake("sum over pixels, not shifted", lambda x, abar, world: guess_with(
                    x, abar, world, shares=lambda log_r: np.exp(log_r)
                    / np.maximum(np.exp(log_r).sum(0), 1e-300)),
                "r is divided by the sum of its column (axis 0); it is each row that adds up to "
                "1."),
        Mistake("alpha-bar for its root", lambda x, abar, world: guess_with(
                    x, abar, world, centre=abar, answers=functools.partial(answer, abar)),
                "abar stands where sqrt(abar) belongs: a pixel fades by the root."),
        Mistake("gain without its root", lambda x, abar, world: guess_with(
                    x, abar, world, answers=functools.partial(answer, abar)),
                "The numerator in front of (x_t - sqrt(abar) m_k) has abar; it needs its root."),
        Mistake("centres not faded", lambda x, abar, world: guess_with(
                    x, abar, world, centre=1.0),
                "The bands have faded too: compare x_t with sqrt(abar) m_k, not with m_k."),
        Mistake("answers not faded", lambda x, abar, world: guess_with(
                    x, abar, world, answers=lambda means, stds, variance, away: means
                    + np.sqrt(abar) * stds**2 / variance * (x[:, None] - means)),
                "What a band says depends on x_t - sqrt(abar) m_k (`away`), not on x_t - m_k."),
        Mistake("gain without root", lambda x, abar, world: guess_with(
                    x, abar, world, answers=functools.partial(answer, 1.0)),
                "The factor of (x_t - sqrt(abar) m_k) lacks the sqrt(abar) in its numerator."),
        Mistake("gain with std", lambda x, abar, world: guess_with(
                    x, abar, world, answers=lambda means, stds, variance, away: means
                    + np.sqrt(abar) * stds / variance * away),
                "The numerator has d_k where d_k squared belongs."),
        Mistake("gain not divided", lambda x, abar, world: guess_with(
                    x, abar, world, answers=lambda means, stds, variance, away: means
                    + np.sqrt(abar) * stds**2 * away),
                "sqrt(abar) d^2 must be divided by the variance of x_t in that band."),
        Mistake("means only", lambda x, abar, world: guess_with(
                    x, abar, world, answers=lambda means, stds, variance, away: means + 0 * away),
                "Every band answers with its mean only; it must also listen to x_t."),
        Mistake("nearest band only", lambda x, abar, world: guess_with(
                    x, abar, world, shares=likeliest),
                "Only the likeliest band answers; the mean needs all, each with its share r_k."),
        Mistake("noise ignored", lambda x, abar, world: x / np.sqrt(abar),
                "x / sqrt(abar) undoes the fading but takes the noise for image."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 1.3 Tweedie


def tweedie(x, clean, abar):
    """The score of x_t from the best guess of the clean pixel (equation 4)."""
    return (math.sqrt(abar) * clean - x) / (1 - abar)


def tweedie_cases(seed) -> list[Case]:
    x, mean, var = np.linspace(-2, 2, 7), 0.4, 0.25
    cases = [Case((np.array([1.0]), np.array([0.5]), 0.64), np.array([-0.6 / 0.36]),
                  "The worked value: (0.8 * 0.5 - 1) / 0.36 = -1.667.")]  # fmt: skip
    for abar in (0.9, 0.2):  # normal data: the score of a normal density is known
        root, total = math.sqrt(abar), abar * var + 1 - abar
        clean = mean + root * var / total * (x - root * mean)
        cases.append(
            Case(
                (x, clean, abar),
                -(x - root * mean) / total,
                "For normal data the score is -(x - mean) / variance of x_t.",
            )
        )
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
