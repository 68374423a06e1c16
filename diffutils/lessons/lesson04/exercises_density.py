"""Exercises 4.3 and 4.4: back from phi* to the noise level; one training, two densities of it.

Expected results of 4.3 come by going forth and back; those of 4.4 from the slopes of two
distribution functions, per unit of sigma, where the exercise has densities per unit of ln sigma.
"""

import math

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


def other_weight(sigma, c, P_mean, P_std):
    """Density of EDM's training levels over that of uniform phi*, at sigma (B,)."""
    phi = sigma / (sigma + c)
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * math.pi) ** 0.5)
    return normal / (phi * (1 - phi))


def weight_with(
    *, at=None, away=None, exponent=None, exp=None, front=None, logistic=None, ratio=None
):
    """A mistake: `other_weight` with another part.

    at: what is normal, from sigma; away: its distance from the mean, from it, mean and spread;
    exponent: from that distance and the spread; exp: of the exponent; front: from the spread;
    logistic: from phi, sigma and c; ratio: of the normal and the logistic density.
    """

    def function(sigma, c, P_mean, P_std):
        level = sigma.log() if at is None else at(sigma)
        gap = level - P_mean if away is None else away(level, P_mean, P_std)
        inside = -(gap**2) / (2 * P_std**2) if exponent is None else exponent(gap, P_std)
        height = 1 / (P_std * (2 * math.pi) ** 0.5) if front is None else front(P_std)
        phi = sigma / (sigma + c)
        below = phi * (1 - phi) if logistic is None else logistic(phi, sigma, c)
        normal = height * (inside.exp() if exp is None else exp(inside))
        return normal / below if ratio is None else ratio(normal, below)

    return function


def weight_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    spread = lambda low, high: float(rng.uniform(low, high))  # noqa: E731

    def case(levels, c, P_mean, P_std, about):
        """Densities are slopes of the share below sigma, which is phi itself where phi is even."""
        sigma = torch.tensor(levels, dtype=torch.float64)
        below = sigma.clone().requires_grad_()
        with torch.enable_grad():
            shares = torch.special.ndtr((below.log() - P_mean) / P_std), below / (below + c)
            normal, even = (torch.autograd.grad(share.sum(), below)[0] for share in shares)
        return Case((sigma, c, P_mean, P_std), normal / even, about, tolerance=1e-5)

    def levels(n):
        return np.exp(-0.7 + 1.1 * rng.normal(size=n)).tolist()

    return [
        case([0.3], 0.3, -1.2, 1.2, "The worked value: 0.3325 / 0.25 = 1.330."),
        case([1.0, 0.01, 10.0, 0.1], 0.3, -1.2, 1.2,
             "Away from the middle the normal density falls faster, so the weight sinks to 0."),
        case(levels(3), spread(0.8, 2), -spread(0.2, 0.6), spread(0.7, 0.9),
             "Another c, another mean, another spread."),
        case(levels(7), spread(0.1, 0.2), spread(0.1, 0.4), spread(1.4, 1.8),
             "P_mean and ln c need not be near each other, and P_mean may be positive."),
        case(np.geomspace(0.002, 80, 200).tolist(), 0.3, -1.2, 1.2,
             "As in the lesson: 200 levels from 0.002 to 80."),
    ]  # fmt: skip


WEIGHT = Exercise(
    "4.4", "one training, two densities", 2, 10, other_weight, weight_cases,
    (
        Mistake("upside down", lambda *a: 1 / other_weight(*a),
                "The ratio is upside down: levels that you now draw too often must count less, so "
                "the density that you draw from stands below."),
        Mistake("product", weight_with(ratio=lambda normal, logistic: normal * logistic),
                "The densities are multiplied; p/q is a ratio."),
        Mistake("difference", weight_with(ratio=lambda normal, logistic: normal - logistic),
                "The densities are subtracted; p/q is a ratio."),
        Mistake("logistic alone", weight_with(ratio=lambda normal, logistic: logistic),
                "That is q alone, the logistic density; return p/q."),
        Mistake("phi uniform", weight_with(logistic=lambda phi, sigma, c: 1.0),
                "That is EDM's density alone. phi is uniform, so its density is 1 per unit of phi, "
                "but per unit of ln sigma it is phi (1 - phi)."),
        Mistake("normal per sigma", lambda sigma, *a: other_weight(sigma, *a) / sigma,
                "There is a factor 1/sigma too much, as where the normal density is per unit of "
                "sigma and the logistic per unit of ln sigma: take the same unit for both."),
        Mistake("logistic per sigma", lambda sigma, *a: other_weight(sigma, *a) * sigma,
                "There is a factor sigma too much, as where the logistic density is per unit of "
                "sigma and the normal per unit of ln sigma: take the same unit for both."),
        Mistake("sigma, not its log", weight_with(at=lambda sigma: sigma),
                "It is ln sigma that is normal: compare sigma.log() with P_mean, not sigma."),
        Mistake("sigma normal, per ln", lambda sigma, *a: (
                    sigma * weight_with(at=lambda sigma: sigma)(sigma, *a)),
                "It is ln sigma that is normal, not sigma; then its density per unit of ln sigma "
                "needs no factor sigma."),
        Mistake("log10", weight_with(at=lambda sigma: sigma.log10()),
                "That is the logarithm to base 10; ln is sigma.log()."),
        Mistake("plus P_mean", weight_with(away=lambda level, mean, std: level + mean),
                "P_mean is added; the distance from the mean is ln sigma - P_mean."),
        Mistake("P_mean forgotten", weight_with(away=lambda level, mean, std: level),
                "P_mean makes no difference: z is (ln sigma - P_mean) / P_std."),
        Mistake("brackets of z", weight_with(away=lambda level, mean, std: std * level - mean),
                "Python divides only P_mean by P_std; z is (ln sigma - P_mean) / P_std, with "
                "brackets."),
        Mistake("not squared", weight_with(exponent=lambda gap, std: -gap / (2 * std)),
                "z is not squared in the exponent: a normal density has -z^2 / 2."),
        Mistake("plus z^2", weight_with(exponent=lambda gap, std: gap**2 / (2 * std**2)),
                "The exponent is +z^2 / 2; the minus is missing, so the density grows away from "
                "its mean."),
        Mistake("spread not squared", weight_with(exponent=lambda gap, std: -(gap**2) / (2 * std)),
                "The exponent is divided by P_std; it needs the variance, P_std^2."),
        Mistake("spread not in the exponent", weight_with(
                    exponent=lambda gap, std: -(gap**2) / 2),
                "The exponent lacks P_std: z is (ln sigma - P_mean) / P_std."),
        Mistake("multiplied by the spread", weight_with(
                    exponent=lambda gap, std: -((gap * std) ** 2) / 2),
                "The distance from the mean is multiplied by P_std; divide by it."),
        Mistake("z halved", weight_with(exponent=lambda gap, std: -((gap / (2 * std)) ** 2)),
                "z is halved before it is squared; the exponent is -(z^2) / 2."),
        Mistake("exp forgotten", weight_with(exp=lambda inside: inside),
                "The exponent stands there without exp."),
        Mistake("variance in z", weight_with(exponent=lambda gap, std: -(gap**2) / (2 * std**4)),
                "z is divided by P_std^2; before squaring, divide by P_std."),
        Mistake("half forgotten", weight_with(exponent=lambda gap, std: -(gap**2) / std**2),
                "The exponent of a normal density is -z^2 / 2: the half is missing."),
        Mistake("spread is a variance", weight_with(
                    exponent=lambda gap, std: -(gap**2) / (2 * std),
                    front=lambda std: (2 * math.pi * std) ** -0.5),
                "P_std is taken for the variance; it is the standard deviation, so the variance is "
                "P_std^2."),
        Mistake("variance is the spread", weight_with(
                    exponent=lambda gap, std: -(gap**2) / (2 * std**4),
                    front=lambda std: (2 * math.pi) ** -0.5 / std**2),
                "P_std^2 stands where the standard deviation belongs; that is P_std."),
        Mistake("not normalised", weight_with(front=lambda std: 1.0),
                "The normal density lacks 1 / (P_std sqrt(2 pi)) in front, so it does not add up "
                "to 1."),
        Mistake("root of 2 pi forgotten", weight_with(front=lambda std: 1 / std),
                "The normal density lacks 1 / sqrt(2 pi) in front: it is e^(-z^2 / 2) over P_std "
                "sqrt(2 pi)."),
        Mistake("2 pi without its root", weight_with(front=lambda std: 1 / (2 * math.pi * std)),
                "The normal density is divided by 2 pi; take the root of that."),
        Mistake("root halved", weight_with(front=lambda std: 1 / (math.pi * std)),
                "It is divided by pi: Python reads `(2 * pi) ** 1/2` as half of 2 pi. Write "
                "`(2 * pi) ** 0.5`."),
        Mistake("root of pi", weight_with(front=lambda std: 1 / (math.pi**0.5 * std)),
                "The normal density has sqrt(2 pi) below, not sqrt(pi)."),
        Mistake("brackets in front", weight_with(front=lambda std: (2 * math.pi) ** 0.5 / std),
                "sqrt(2 pi) multiplies; it belongs below, with P_std in one pair of brackets."),
        Mistake("variance in front", weight_with(
                    front=lambda std: 1 / (std**2 * (2 * math.pi) ** 0.5)),
                "P_std is squared in front; outside the root it stands as it is."),
        Mistake("spread on top", weight_with(front=lambda std: std / (2 * math.pi) ** 0.5),
                "P_std multiplies the density; a wide density is a low one, so divide by it."),
        Mistake("spread not in front", weight_with(front=lambda std: (2 * math.pi) ** -0.5),
                "P_std is missing in front of the exponential: a wide density is a low one."),
        Mistake("spread under the root", weight_with(front=lambda std: (2 * math.pi * std) ** -0.5),
                "P_std stands under the root in front; there it must be squared, as a variance."),
        Mistake("phi for its density", weight_with(logistic=lambda phi, sigma, c: phi),
                "phi is the share of draws below sigma, not their density; the density per unit of "
                "ln sigma is phi (1 - phi)."),
        Mistake("1 - phi for its density", weight_with(logistic=lambda phi, sigma, c: 1 - phi),
                "1 - phi is the share of draws above sigma, not their density; the density per "
                "unit of ln sigma is phi (1 - phi)."),
        Mistake("phi squared", weight_with(logistic=lambda phi, sigma, c: phi**2),
                "Below stands phi^2; the logistic density is phi (1 - phi)."),
        Mistake("odds", weight_with(logistic=lambda phi, sigma, c: phi / (1 - phi)),
                "It is divided by phi and multiplied by 1 - phi; the logistic density is the "
                "product phi * (1 - phi), which belongs below in brackets."),
        Mistake("plus in phi", weight_with(logistic=lambda phi, sigma, c: phi * (1 + phi)),
                "Below stands phi (1 + phi); the logistic density is phi (1 - phi)."),
        Mistake("brackets of phi", weight_with(logistic=lambda phi, sigma, c: -c * (1 + c)),
                "Python divides sigma by sigma and then adds c: write sigma / (sigma + c)."),
        Mistake("sigma / c for phi", weight_with(
                    logistic=lambda phi, sigma, c: sigma / c * (1 - sigma / c)),
                "phi is made as sigma / c; it is sigma / (sigma + c)."),
        Mistake("c, not its log", weight_with(logistic=lambda phi, sigma, c: (
                    (sigma.log() - c).sigmoid() * (c - sigma.log()).sigmoid())),
                "The logistic function has ln sigma - c inside; its middle is at ln c."),
        Mistake("sigma for phi", weight_with(logistic=lambda phi, sigma, c: sigma * (1 - sigma)),
                "Below stands sigma (1 - sigma); it is phi = sigma / (sigma + c) that belongs "
                "there."),
        Mistake("phi of ln sigma", weight_with(logistic=lambda phi, sigma, c: (
                    c * sigma.log() / (sigma.log() + c) ** 2)),
                "phi is made of ln sigma; it is sigma / (sigma + c), with sigma as it is."),
        Mistake("c forgotten", lambda sigma, c, *a: other_weight(sigma, 1.0, *a),
                "c makes no difference: the logistic density has its middle at ln c."),
        Mistake("c is 0.3", lambda sigma, c, *a: other_weight(sigma, 0.3, *a),
                "0.3 stands where c belongs: the logistic density has its middle at ln c."),
        Mistake("EDM's numbers", lambda sigma, c, *a: other_weight(sigma, c, -1.2, 1.2),
                "-1.2 and 1.2 stand where P_mean and P_std belong."),
        Mistake("published numbers", lambda sigma, *a: other_weight(sigma, 0.3, -1.2, 1.2),
                "c, P_mean and P_std make no difference; use the arguments, not the published "
                "numbers."),
        Mistake("normal around ln c", lambda sigma, c, P_mean, P_std: (
                    other_weight(sigma, c, math.log(c), P_std)),
                "The normal density has its middle at ln c; that is the logistic's. EDM's is at "
                "P_mean."),
        Mistake("log density on top", weight_with(
                    ratio=lambda normal, logistic: normal.log() / logistic),
                "The logarithm of the normal density stands on top; take exp of it first."),
        Mistake("logistic around P_mean", lambda sigma, c, P_mean, P_std: (
                    other_weight(sigma, math.exp(P_mean), P_mean, P_std)),
                "The logistic density has its middle at P_mean; that is EDM's. The logistic's is "
                "at ln c."),
        Mistake("logarithm", lambda *a: other_weight(*a).log(),
                "That is the logarithm of the ratio, a difference of log densities: take exp."),
        Mistake("mean 1", lambda *a: other_weight(*a) / other_weight(*a).mean(),
                "The weights are divided by their mean; return the ratio itself."),
        Mistake("sum 1", lambda *a: other_weight(*a) / other_weight(*a).sum(),
                "The weights are divided by their sum; return the ratio itself."),
    ),
)  # fmt: skip


EXERCISES = (SIGMA_OF, WEIGHT)
