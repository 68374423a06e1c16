"""Exercise 4.3: the inverse of phi*.

Expected results come by going forth and back.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def sigma_of(p, c):
    """The noise level at which sigma / (sigma + c) is p."""
    return c * p / (1 - p)


def cut(p, c):
    """The right level, forced into the range of the lesson's grids."""
    sigma = sigma_of(p, c)
    return sigma.clamp(0.002, 80) if hasattr(sigma, "clamp") else min(max(sigma, 0.002), 80)


def cut_before(p, c):
    """p is kept 0.001 away from 0 and 1."""
    inside = p.clamp(0.001, 0.999) if hasattr(p, "clamp") else min(max(p, 0.001), 0.999)
    return sigma_of(inside, c)


def sigma_of_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    spread = lambda low, high: float(rng.uniform(low, high))  # noqa: E731

    def forth(sigma, c, about):
        return Case((sigma / (sigma + c), c), sigma, about)

    def skewed(*shape):
        return torch.tensor(0.4 * np.exp(1.5 * rng.normal(size=shape)))

    ends = torch.tensor([spread(5e3, 9e3), spread(0.3, 2), spread(5e-6, 2e-5)], dtype=torch.float64)
    return [
        Case((0.5, 0.3), 0.3, "The worked value: phi* is 1/2 where sigma is c."),
        forth(spread(0.1, 1.5), spread(0.4, 2), "p is a number here; there and back is sigma."),
        forth(spread(100, 150), spread(20, 40), "p is a number; no sigma is too large."),
        forth(skewed(4, 3), spread(0.4, 2), "p may be a tensor of any shape, sigma has the same."),
        forth(ends, spread(0.2, 0.6), "Any p between 0 and 1 has its sigma, even near the ends."),
        forth(3 * ends[1], spread(0.4, 2), "A single p in a tensor without axes."),
        forth(skewed(200), 0.3, "As for a grid: a tensor of 200 values with the published c."),
    ]  # fmt: skip


SIGMA_OF = Exercise(
    "4.3", "back to the noise level", 1, 5, sigma_of, sigma_of_cases,
    (
        Mistake("c forgotten", lambda p, c: p / (1 - p),
                "c is missing: that is what you get for c = 1. At p = 1/2 sigma must be c."),
        Mistake("upside down", lambda p, c: c * (1 - p) / p,
                "The fraction is upside down: much noise (p near 1) must give a large sigma."),
        Mistake("p lost on top", lambda p, c: c / (1 - p),
                "p is missing on top: at p = 0 sigma must be 0, not c."),
        Mistake("forth, not back", lambda p, c: p / (p + c),
                "That is phi* itself, with p for sigma; solve p = sigma / (sigma + c) for sigma."),
        Mistake("plus", lambda p, c: c * p / (1 + p),
                "The sign below is wrong: sigma - p sigma = p c, so divide by 1 - p."),
        Mistake("negative", lambda p, c: c * p / (p - 1),
                "It is minus the right sigma: p c = sigma - p sigma, so divide by 1 - p, and "
                "put no minus in front."),
        Mistake("p sigma lost", lambda p, c: c * p,
                "p (sigma + c) is p sigma + p c; the p sigma was lost on the way."),
        Mistake("multiplied by 1 - p", lambda p, c: c * p * (1 - p),
                "sigma (1 - p) = p c: to get sigma, divide by 1 - p."),
        Mistake("1 - p alone", lambda p, c: c * (1 - p),
                "c is multiplied by 1 - p. From p c = sigma (1 - p), divide p c by it."),
        Mistake("brackets", lambda p, c: c * p / 1 - p,
                "Python divides by 1 and then subtracts p: write c * p / (1 - p)."),
        Mistake("brackets of 1/p - 1", lambda p, c: c / (1 / p) - 1,
                "Python divides by 1/p and then subtracts 1: write c / (1 / p - 1)."),
        Mistake("c over p", lambda p, c: c / p,
                "c is divided by p; from p c = sigma (1 - p), divide p c by 1 - p."),
        Mistake("brackets of c (1/p)", lambda p, c: c / p - 1,
                "1 is subtracted from c / p; write c / (1 / p - 1), where it is subtracted from "
                "1 / p."),
        Mistake("p for sigma", lambda p, c: p * (p + c),
                "sigma = p (sigma + c) has sigma on both sides, and p does not stand for it: bring "
                "all that has sigma to one side."),
        Mistake("c is 0.3", lambda p, c: 0.3 * p / (1 - p),
                "0.3 stands where c belongs; the lesson also tries other c."),
        Mistake("c divides", lambda p, c: p / (1 - p) / c,
                "The odds p / (1 - p) are sigma / c, so multiply by c."),
        Mistake("c subtracted", lambda p, c: p / (1 - p) - c,
                "The odds p / (1 - p) are sigma / c: multiply by c instead of subtracting it."),
        Mistake("c added", lambda p, c: p / (1 - p) + c,
                "The odds p / (1 - p) are sigma / c: multiply by c instead of adding it."),
        Mistake("c below", lambda p, c: p / (c - p),
                "c stands below where 1 belongs: p c = sigma - p sigma = sigma (1 - p)."),
        Mistake("c for 1", lambda p, c: c * p / (c - p),
                "Below stands c - p; sigma - p sigma is sigma (1 - p)."),
        Mistake("1 - c", lambda p, c: c * p / (1 - c),
                "Below stands 1 - c; sigma - p sigma is sigma (1 - p)."),
        Mistake("p c below", lambda p, c: c * p / (1 - c * p),
                "Below stands 1 - p c; only sigma's own factor, 1 - p, belongs there."),
        Mistake("p for p c", lambda p, c: (p + c) / (1 - p),
                "p and c are added on top; p (sigma + c) has p c, a product."),
        Mistake("slope", lambda p, c: c / (1 - p) ** 2,
                "That is the derivative of sigma by p; return sigma itself."),
        Mistake("squared below", lambda p, c: c * p / (1 - p) ** 2,
                "1 - p is squared; p c = sigma (1 - p) has it once."),
        Mistake("cut to the grid", cut,
                "sigma is forced into 0.002 ... 80; the inverse has no limits of its own."),
        Mistake("p kept from the ends", cut_before,
                "p is kept away from 0 and 1; every p between has its sigma, and it must come out "
                "as it is."),
    ),
)  # fmt: skip


EXERCISES = (SIGMA_OF,)
