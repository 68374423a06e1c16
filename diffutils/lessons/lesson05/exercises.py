"""Exercises 5.1, what a squared error rewards, and 5.3, two scales of guidance.

Expected results of 5.1 are sums over the nodes of a Gauss-Hermite quadrature, which is exact for
squares; those of 5.3 are sums of the three answers with one weight for each.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def end_loss(mean, spread, mu, s):
    """E[(mean + spread z - x)^2] for x ~ N(mu, s^2)."""
    return (mean - mu) ** 2 + spread**2 + s**2


def end_loss_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)
    nodes, weights = np.polynomial.hermite_e.hermegauss(4)
    rule = list(zip(nodes.tolist(), (weights / weights.sum()).tolist(), strict=True))

    def case(mean, spread, mu, s, about, tolerance=1e-6):
        def error(z, n):
            return (mean + spread * z - mu - s * n) ** 2

        known = sum(w * v * error(z, n) for z, w in rule for n, v in rule)
        return Case((mean, spread, mu, s), known, about, tolerance)

    def tensors(shape, dtype):
        """mean, spread, mu and s, each with values of its own."""
        ranges = (0.4, 0.9), (0.1, 0.5), (-0.3, 0.3), (0.6, 1.2)
        return [torch.from_numpy(random.uniform(*r, shape) ** 3).to(dtype) for r in ranges]

    # Numbers first, then tensors; the last is as the lesson has it.
    spread, s = random.uniform(0.1, 0.3), random.uniform(0.5, 0.9)
    off = random.uniform(0.2, 0.6)
    levels = np.linspace(0, 0.4, 81)
    full = "Multiply out E[(y - x)^2]: an offset and two variances add up"
    return [
        case(0.5, 0.2, 0.5, 0.2, "The worked value: 0.2^2 of the sampler and 0.2^2 of the data."),
        case(off, spread, off - 0.3, s, f"{full}."),
        case(-off, s, 2 * off, spread, f"{full}; a mean may be negative."),
        case(off, 0.0, 0.1, s, "A sampler without noise still pays for the variance of x."),
        case(off, spread, 0.9, 0.0, "Where x is one colour, the sampler's own noise still costs."),
        case(*tensors((2, 3), torch.float64), f"{full}, for each element of the tensors."),
        case(*tensors((3, 1, 2, 4), torch.float32), f"{full}, for each of them.", 1e-5),
        case(0.5, levels, 0.5, 0.2, f"{full}; here 81 spreads at once, as the lesson calls it."),
    ]


END_MISTAKES = (
    Mistake(
        "spread forgotten",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + s**2,
        "The sampler's own noise costs nothing here; its variance, spread^2, is added too.",
    ),
    Mistake(
        "s forgotten",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + spread**2,
        "x is not mu, it scatters about it: its variance s^2 is added too.",
    ),
    Mistake(
        "means forgotten",
        lambda mean, spread, mu, s: spread**2 + s**2,
        "Those are both variances; a sampler that is off on average pays (mean - mu)^2 too.",
    ),
    Mistake(
        "offset alone",
        lambda mean, spread, mu, s: (mean - mu) ** 2,
        "That is the error of the means; both variances are added, spread^2 and s^2.",
    ),
    Mistake(
        "distance of the distributions",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + (spread - s) ** 2,
        "That is how far apart the two distributions are. z knows nothing of x, so their "
        "variances add up.",
    ),
    Mistake(
        "spreads added",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + (spread + s) ** 2,
        "The spreads are added and then squared; of independent numbers the squares are added.",
    ),
    Mistake(
        "variances subtracted",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + spread**2 - s**2,
        "The variance of x is subtracted; variances add up, also in a difference.",
    ),
    Mistake(
        "variances subtracted, turned round",
        lambda mean, spread, mu, s: (mean - mu) ** 2 - spread**2 + s**2,
        "The sampler's variance is subtracted; noise of its own never makes the error smaller.",
    ),
    Mistake(
        "spreads not squared",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + spread + s,
        "spread and s are added as they are; variances are their squares.",
    ),
    Mistake(
        "spread not squared",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + spread + s**2,
        "spread is added as it is; the variance is its square.",
    ),
    Mistake(
        "s not squared",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + spread**2 + s,
        "s is added as it is; N(mu, s^2) has the variance s^2.",
    ),
    Mistake(
        "root of the variances",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + (spread**2 + s**2) ** 0.5,
        "A root is taken of both variances; the squared error has the variances themselves.",
    ),
    Mistake(
        "offset not squared",
        lambda mean, spread, mu, s: mean - mu + spread**2 + s**2,
        "The offset of the means is added as it is; square it.",
    ),
    Mistake(
        "all squared at once",
        lambda mean, spread, mu, s: (mean - mu + spread + s) ** 2,
        "Offset and spreads are added before they are squared; squares are added here.",
    ),
    Mistake(
        "worst case",
        lambda mean, spread, mu, s: (abs(mean - mu) + spread + s) ** 2,
        "That is where offset and both spreads fall together; on average their squares add up.",
    ),
    Mistake(
        "means added",
        lambda mean, spread, mu, s: (mean + mu) ** 2 + spread**2 + s**2,
        "The two means are added; the error has their difference.",
    ),
    Mistake(
        "means squared apart",
        lambda mean, spread, mu, s: mean**2 + mu**2 + spread**2 + s**2,
        "E[y^2] + E[x^2] lacks the middle term, -2 E[y] E[x] = -2 mean mu.",
    ),
    Mistake(
        "twice the data's variance",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + 2 * s**2,
        "Twice s^2 is right for a sampler whose spread is s; in general it is spread^2 + s^2.",
    ),
    Mistake(
        "twice the sampler's variance",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + 2 * spread**2,
        "Twice spread^2 is right where s equals spread; in general it is spread^2 + s^2.",
    ),
    Mistake(
        "variances averaged",
        lambda mean, spread, mu, s: (mean - mu) ** 2 + (spread**2 + s**2) / 2,
        "The mean of both variances is taken; it is their sum.",
    ),
)
END_LOSS = Exercise(
    "5.1", "what a squared error rewards", 1, 5, end_loss, end_loss_cases, END_MISTAKES
)


# --------------------------------------------------------------------- 5.3


def guide(D_none, D_sketch, D_both, w_s, w_r):
    """Guidance by a sketch and a reference, equation (3)."""
    return D_none + w_s * (D_sketch - D_none) + w_r * (D_both - D_sketch)


def guide_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(shape, w_s, w_r, about, dtype=torch.float64):
        answers = [random.exponential(1.1, shape) ** 1.2 - 0.7 for _ in range(3)]
        weights = 1 - w_s, w_s - w_r, w_r
        known = sum(w * answer for w, answer in zip(weights, answers, strict=True))
        given = [torch.from_numpy(answer).to(dtype) for answer in answers]
        return Case((*given, w_s, w_r), torch.from_numpy(known).to(dtype), about, tolerance=1e-5)

    def flat(value):
        return torch.full((2, 3, 4, 5), value, dtype=torch.float64)

    # The worked value, scales where single answers stay, others; last as the lesson has it.
    w_s, w_r = random.uniform(1.4, 1.8), random.uniform(0.3, 0.7)
    between = "The sketch adds D_sketch - D_none, the reference adds D_both - D_sketch"
    return [
        Case(
            (flat(0.1), flat(0.3), flat(0.4), 1, 2),
            flat(0.5),
            "The worked value: 0.1 + 1 * 0.2 + 2 * 0.1 is 0.5.",
        ),
        case((3, 2, 4, 5), w_s, w_r, f"{between}."),
        case((2, 1, 5, 3), w_r, w_s, f"{between}; here the reference has the larger scale."),
        case((2, 3, 1, 4), 0.0, 0.0, "With both scales 0 nothing is added to D_none."),
        case((4, 3, 2, 1), 1.0, 1.0, "With both scales 1 it is D_both."),
        case((1, 2, 3, 4), w_s, 0.0, "With w_r = 0 the reference adds nothing."),
        case((3, 1, 2, 2), 0.0, w_s, "With w_s = 0 the way of the reference still counts."),
        case((2, 4, 3, 1), 6, 3, "Large scales leave [-1, 1], and that is let be."),
        case((4, 3, 64, 64), w_s, w_r, f"{between}; here as the lesson calls it.", torch.float32),
    ]


GUIDE_MISTAKES = (
    Mistake(
        "both from nothing",
        lambda n, s, b, w_s, w_r: n + w_s * (s - n) + w_r * (b - n),
        "The reference's way begins at D_none here, so the sketch counts twice: it is D_both "
        "minus D_sketch.",
    ),
    Mistake(
        "scales swapped",
        lambda n, s, b, w_s, w_r: n + w_r * (s - n) + w_s * (b - s),
        "w_s and w_r are swapped: w_s belongs to D_sketch - D_none.",
    ),
    Mistake(
        "begins at the sketch",
        lambda n, s, b, w_s, w_r: s + w_s * (s - n) + w_r * (b - s),
        "It begins at D_sketch, so the sketch's way is gone once too often; begin at D_none.",
    ),
    Mistake(
        "begins at both",
        lambda n, s, b, w_s, w_r: b + w_s * (s - n) + w_r * (b - s),
        "Each way is gone once too often: begin at D_none, with both scales as they are.",
    ),
    Mistake(
        "begins nowhere",
        lambda n, s, b, w_s, w_r: w_s * (s - n) + w_r * (b - s),
        "Those are the two ways alone; add them to D_none.",
    ),
    Mistake(
        "nested",
        lambda n, s, b, w_s, w_r: n + w_s * (s - n) + w_r * (b - (n + w_s * (s - n))),
        "The second way begins where the first one ended; what the reference adds is D_both - "
        "D_sketch.",
    ),
    Mistake(
        "scales multiplied",
        lambda n, s, b, w_s, w_r: n + w_s * (s - n + w_r * (b - s)),
        "The reference's way is multiplied by w_s too: mind the brackets.",
    ),
    Mistake(
        "sketch forgotten",
        lambda n, s, b, w_s, w_r: n + w_r * (b - s),
        "The way that the sketch adds is missing: w_s times D_sketch - D_none.",
    ),
    Mistake(
        "reference forgotten",
        lambda n, s, b, w_s, w_r: n + w_s * (s - n),
        "The way that the reference adds is missing: w_r times D_both - D_sketch.",
    ),
    Mistake(
        "one scale for both",
        lambda n, s, b, w_s, w_r: n + w_s * (b - n),
        "The whole way is gone w_s times; the part of the reference has its own scale, w_r.",
    ),
    Mistake(
        "w_r for both",
        lambda n, s, b, w_s, w_r: n + w_r * (b - n),
        "The whole way is gone w_r times; the part of the sketch has its own scale, w_s.",
    ),
    Mistake(
        "first way turned round",
        lambda n, s, b, w_s, w_r: n + w_s * (n - s) + w_r * (b - s),
        "The sketch's way is turned round: it leads from D_none to D_sketch.",
    ),
    Mistake(
        "second way turned round",
        lambda n, s, b, w_s, w_r: n + w_s * (s - n) + w_r * (s - b),
        "The reference's way is turned round: it leads from D_sketch to D_both.",
    ),
    Mistake(
        "both turned round",
        lambda n, s, b, w_s, w_r: n - w_s * (s - n) - w_r * (b - s),
        "Both ways are turned round, away from the conditions; add them.",
    ),
    Mistake(
        "whole answers",
        lambda n, s, b, w_s, w_r: n + w_s * s + w_r * b,
        "Whole answers are multiplied by the scales; differences of answers are.",
    ),
    Mistake(
        "scales lowered",
        lambda n, s, b, w_s, w_r: n + (w_s - 1) * (s - n) + (w_r - 1) * (b - s),
        "The scales are lowered by 1; that is right only where one begins at D_both.",
    ),
    Mistake(
        "weighted mean",
        lambda n, s, b, w_s, w_r: (n + w_s * s + w_r * b) / (1 + w_s + w_r),
        "That is a mean of the three answers, which never leaves their middle; go along the ways.",
    ),
    Mistake(
        "divided by the scales",
        lambda n, s, b, w_s, w_r: (n + w_s * (s - n) + w_r * (b - s)) / (1 + w_s + w_r),
        "It is divided by the sum of the scales; nothing is divided here.",
    ),
    Mistake(
        "clamped",
        lambda *given: guide(*given).clamp(-1, 1),
        "The result is clamped to [-1, 1]; return it as it is.",
    ),
    Mistake(
        "scales at most 1",
        lambda n, s, b, w_s, w_r: guide(n, s, b, min(w_s, 1), min(w_r, 1)),
        "Scales above 1 are cut to 1; going too far is what guidance does.",
    ),
)
GUIDE = Exercise("5.3", "two scales", 2, 5, guide, guide_cases, GUIDE_MISTAKES)


EXERCISES = (END_LOSS, GUIDE)
