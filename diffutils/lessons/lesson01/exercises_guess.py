"""Exercise 1.2, the best guess.

Expected results come by other roads than the reference: integration over all clean pixels, and
Bayes' rule with precisions.
"""

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.guess_parts import IN_ANSWERS, IN_R, IN_SHARES, guess

BANDS = (np.array([0.3, 0.2, 0.5]), np.array([-0.9, 0.0, 0.8]), np.array([0.1, 0.05, 0.15]))


def best_guess(x, abar, world):
    """E[x0 | x_t = x] for pixels x (n,), exactly (equation 3)."""
    weights, means, stds = world
    variance = abar * stds**2 + 1 - abar
    away = x[:, None] - np.sqrt(abar) * means
    log_r = np.log(weights) - 0.5 * np.log(variance) - away**2 / (2 * variance)
    r = np.exp(log_r - log_r.max(1, keepdims=True))
    answers = means + np.sqrt(abar) * stds**2 / variance * away
    return (r / r.sum(1, keepdims=True) * answers).sum(1)


def integrated(x, abar, world):
    """The same by brute force: average over a fine grid of clean pixels."""
    weights, means, stds = world
    clean = np.linspace(-4, 4, 8001)
    prior = np.exp(-((clean[:, None] - means) ** 2) / (2 * stds**2)) / stds @ weights
    likelihood = np.exp(-((x[:, None] - np.sqrt(abar) * clean) ** 2) / (2 * (1 - abar)))
    return (likelihood * prior) @ clean / (likelihood @ prior)


def by_precisions(x, abar, world):
    """The same, band by band: precisions add up, and so do logarithms of densities."""
    logs, answers = [], []
    for weight, mean, std in zip(*world, strict=True):
        precision = 1 / std**2 + abar / (1 - abar)
        answer = (mean / std**2 + abar**0.5 * x / (1 - abar)) / precision
        apart = (mean - answer) ** 2 / std**2 + (x - abar**0.5 * answer) ** 2 / (1 - abar)
        logs.append(np.log(weight / std) - np.log(precision) / 2 - apart / 2)
        answers.append(answer)
    total = np.logaddexp.reduce(logs)
    return sum(np.exp(log - total) * answer for log, answer in zip(logs, answers, strict=True))


def guess_cases(seed) -> list[Case]:
    # One band, by Bayes' rule; far away, where one band is certain; random worlds.
    rng = np.random.default_rng([seed, 12])
    one, x = (np.ones(1), np.array([0.5]), np.array([0.75])), np.array([1.0, -1.2, 0.3, 2.5])
    bayes = (0.5 / 0.75**2 + 0.8 * x / 0.36) / (1 / 0.75**2 + 0.64 / 0.36)
    far, mean, var = np.array([-100.0, -10.0, 9.0, 100.0]), 0.8, 0.15**2  # there the widest wins
    ends = (mean / var + 0.99**0.5 * far / 0.01) / (1 / var + 0.99 / 0.01)
    pixels = rng.normal(size=3_000)

    def drawn(n, k, abar, about):
        odds, stds = rng.exponential(size=k) + 0.2, 0.05 + 0.3 * rng.beta(1, 3, size=k)
        world, x = (odds / odds.sum(), rng.uniform(-1.5, 1.5, k), stds), rng.uniform(-2, 2.5, n)
        return Case((x, abar, world), integrated(x, abar, world), about)

    return [
        Case((x, 0.64, one), bayes,
             "One band, so r is 1 and (3) is a line through (sqrt(abar) m, m) of slope "
             "sqrt(abar) d^2 / variance: 0.5 + 0.625 (1 - 0.4) = 0.875 is the worked value."),
        drawn(3, 3, rng.uniform(0.4, 0.8),
              "One band alone is right, three are not: look at r_k, how likely each band is. Its "
              "rows must add up to 1."),
        drawn(7, 4, rng.uniform(0.3, 0.7),
              "Pixels are rows, bands are columns: max and sum along axis 1, with keepdims=True "
              "wherever (n, K) is to be combined with the result."),
        drawn(9, 4, rng.uniform(0.03, 0.1), "Much noise: all bands have a say."),
        drawn(5, 2, rng.uniform(0.9, 0.97), "Little noise: nearly always one band is certain."),
        Case((far, 0.99, BANDS), ends,
             "Far from every band all densities underflow to 0, and 0/0 is NaN: work with "
             "log r_k, and subtract the largest of each row before np.exp."),
        Case((pixels, a := np.float64(rng.uniform(0.1, 0.9)), BANDS),  # as the lesson's walk
             by_precisions(pixels, a, BANDS), "The lesson walks back with thousands of pixels."),
    ]  # fmt: skip


GUESS = Exercise(
    "1.2", "the best guess", 3, 15, best_guess, guess_cases,
    (
        *(Mistake(name, guess(log_r=part), hint) for name, part, hint in IN_R),
        *(Mistake(name, guess(shares=part), hint) for name, part, hint in IN_SHARES),
        *(Mistake(name, guess(answers=part), hint) for name, part, hint in IN_ANSWERS),
        Mistake("alpha-bar for its root", guess(changed=lambda s: {
                    "root": s.abar, "away": s.x - s.abar * s.means}),
                "abar stands where sqrt(abar) belongs: a pixel fades by the root."),
        Mistake("centres faded by abar", guess(changed=lambda s: {
                    "away": s.x - s.abar * s.means}),
                "The bands are faded by abar; their factor is its root."),
        Mistake("centres not faded", guess(changed=lambda s: {"away": s.x - s.means}),
                "The bands have faded too: compare x_t with sqrt(abar) m_k, not with m_k."),
        Mistake("variance of clean pixels", guess(changed=lambda s: {"variance": s.stds**2}),
                "`variance` is that of clean pixels; x_t has abar d^2 + 1 - abar in a band."),
        Mistake("variance not faded", guess(changed=lambda s: {
                    "variance": s.stds**2 + 1 - s.abar}),
                "The variance of the band must fade too: abar d^2 + 1 - abar."),
        Mistake("std in the variance", guess(changed=lambda s: {
                    "variance": s.abar * s.stds + 1 - s.abar}),
                "`variance` has d_k where d_k squared belongs: abar d^2 + 1 - abar."),
        Mistake("mean over bands", guess(total=lambda r, answers: (r * answers).mean(1)),
                "The shares add up to 1 already: sum over the bands, do not average."),
        Mistake("shares forgotten", guess(total=lambda r, answers: answers.sum(1)),
                "The answers are added up without their shares r_k."),
        Mistake("noise ignored", lambda x, abar, world: x / np.sqrt(abar),
                "x / sqrt(abar) undoes the fading but takes the noise for image."),
        Mistake("mean of the world", lambda x, abar, world: 0 * x + world[0] @ world[1],
                "That is the mean of all clean pixels, whatever x is."),
    ),
)  # fmt: skip


EXERCISES = (GUESS,)
