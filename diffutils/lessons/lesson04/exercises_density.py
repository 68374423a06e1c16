"""Exercise 4.4: one training in two densities of the noise level.

Expected results are SciPy's densities per unit of sigma, where the exercise has them per unit of
ln sigma.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake


def other_weight(sigma, c, P_mean, P_std):
    """Density of EDM's training levels over that of uniform phi*, at sigma (B,)."""
    phi = sigma / (sigma + c)
    z = (sigma.log() - P_mean) / P_std
    normal = (-(z**2) / 2).exp() / (P_std * (2 * math.pi) ** 0.5)
    return normal / (phi * (1 - phi))


def weight_with(sigma, c, P_mean, P_std, *, at=None, exponent=None, front=None, logistic=None):
    """`other_weight`, of which a mistake may replace one part."""
    away = (sigma.log() if at is None else at(sigma)) - P_mean
    inside = -(away**2) / (2 * P_std**2) if exponent is None else exponent(away, P_std)
    height = 1 / (P_std * (2 * math.pi) ** 0.5) if front is None else front(P_std)
    phi = sigma / (sigma + c)
    return height * inside.exp() / (phi * (1 - phi) if logistic is None else logistic(phi, sigma))


def weight_cases(seed) -> list[Case]:
    import torch
    from scipy import stats

    def case(levels, c, P_mean, P_std, about):
        """Per unit of sigma: log-normal and log-logistic, which SciPy calls fisk."""
        drawn = stats.lognorm(P_std, scale=math.exp(P_mean))
        known = torch.tensor(drawn.pdf(levels) / stats.fisk(1, scale=c).pdf(levels))
        sigma = torch.tensor(levels, dtype=torch.float64)
        return Case((sigma, c, P_mean, P_std), known, about)

    return [
        case([0.3], 0.3, -1.2, 1.2, "The worked value: 0.3325 / 0.25 = 1.330."),
        case([0.01, 0.1, 1.0, 10.0], 0.3, -1.2, 1.2,
             "Away from the middle the normal density falls faster, so the weight sinks to 0."),
        case([0.2, 1.0, 3.0], 1.0, -0.4, 0.8, "Another c, another mean, another spread."),
    ]  # fmt: skip


WEIGHT = Exercise(
    "4.4", "one training, two densities", 2, 10, other_weight, weight_cases,
    (
        Mistake("upside down", lambda *a: 1 / other_weight(*a),
                "The ratio is upside down: levels that you now draw too often must count less, so "
                "the density that you draw from stands below."),
        Mistake("normal per sigma", lambda sigma, *a: other_weight(sigma, *a) / sigma,
                "The normal density is per unit of sigma (divided by sigma), the logistic per unit "
                "of ln sigma: take the same unit for both."),
        Mistake("logistic per sigma", lambda sigma, *a: other_weight(sigma, *a) * sigma,
                "The logistic density is per unit of sigma, c / (sigma + c)^2, the normal per unit "
                "of ln sigma: take the same unit for both."),
        Mistake("sigma, not its log", lambda *a: weight_with(*a, at=lambda sigma: sigma),
                "It is ln sigma that is normal: compare sigma.log() with P_mean, not sigma."),
        Mistake("spread not squared", lambda *a: weight_with(
                    *a, exponent=lambda away, std: -(away**2) / (2 * std)),
                "The exponent is divided by P_std; it needs the variance, P_std^2."),
        Mistake("half forgotten", lambda *a: weight_with(
                    *a, exponent=lambda away, std: -(away**2) / std**2),
                "The exponent of a normal density is -z^2 / 2: the half is missing."),
        Mistake("not normalised", lambda *a: weight_with(*a, front=lambda std: 1.0),
                "The normal density lacks 1 / (P_std sqrt(2 pi)) in front, so it does not add up "
                "to 1."),
        Mistake("spread not in front", lambda *a: weight_with(
                    *a, front=lambda std: (2 * math.pi) ** -0.5),
                "P_std is missing in front of the exponential: a wide density is a low one."),
        Mistake("spread under the root", lambda *a: weight_with(
                    *a, front=lambda std: (2 * math.pi * std) ** -0.5),
                "P_std stands under the root in front; there it must be squared, as a variance."),
        Mistake("phi for its density", lambda *a: weight_with(
                    *a, logistic=lambda phi, sigma: phi),
                "phi is the share of draws below sigma, not their density; the density per unit of "
                "ln sigma is phi (1 - phi)."),
        Mistake("phi uniform", lambda *a: weight_with(*a, logistic=lambda phi, sigma: 1.0),
                "That is EDM's density alone. phi is uniform, so its density is 1 per unit of phi, "
                "but per unit of ln sigma it is phi (1 - phi)."),
        Mistake("c forgotten", lambda sigma, c, *a: other_weight(sigma, 1.0, *a),
                "c makes no difference: the logistic density has its middle at ln c."),
        Mistake("logarithm", lambda *a: other_weight(*a).log(),
                "That is the logarithm of the ratio, a difference of log densities: take exp."),
    ),
)  # fmt: skip


EXERCISES = (WEIGHT,)
