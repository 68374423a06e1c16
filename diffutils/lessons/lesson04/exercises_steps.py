"""Exercises 4.1 and 4.4: Heun's step, and one training in two densities of the noise level.

Expected results are a product worked out by hand, known solutions, and SciPy's densities per unit
of sigma, where the exercise has them per unit of ln sigma.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 4.1 Heun's step


def heun_step(x, sigma, sigma_next, D):
    """From noise level sigma to sigma_next: Euler's step, then the average of both slopes."""
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2


def changed(second=None, *, end=None):
    """A mistake: `heun_step` with another second slope, or another end where sigma_next > 0.

    second: from x, Euler's x, sigma, sigma_next, D; end: from x, Euler's x, the step in sigma and
    both slopes.
    """

    def function(x, sigma, sigma_next, D):
        d, h = (x - D(x, sigma)) / sigma, sigma_next - sigma
        euler = x + h * d
        if sigma_next == 0:
            return euler
        pick = second or (lambda x, y, s, s_next, D: (y - D(y, s_next)) / s_next)
        d_next = pick(x, euler, sigma, sigma_next, D)
        return x + h * (d + d_next) / 2 if end is None else end(x, euler, h, d, d_next)

    return function


def averaged_images(x, sigma, sigma_next, D):
    """The two estimates of the image are averaged, and one step is made with that."""
    image = D(x, sigma)
    if sigma_next > 0:
        euler = x + (sigma_next - sigma) * (x - image) / sigma
        image = (image + D(euler, sigma_next)) / 2
    return x + (sigma_next - sigma) * (x - image) / sigma


def midpoint(x, sigma, sigma_next, D):
    """The slope half-way, for the whole step."""
    h, middle = sigma_next - sigma, (sigma + sigma_next) / 2
    euler = x + h * (x - D(x, sigma)) / sigma
    if sigma_next == 0:
        return euler
    half = (x + euler) / 2
    return x + h * (half - D(half, middle)) / middle


def halved_end(x, sigma, sigma_next, D):
    """At sigma_next = 0 the second slope is made finite by a small number below."""
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    d_next = (euler - D(euler, sigma_next)) / max(sigma_next, 1e-8)
    return x + (sigma_next - sigma) * (d + d_next) / 2


def heun_cases(seed) -> list[Case]:
    import torch

    from diffutils import denoisers

    def tensor(*values):
        return torch.tensor(values, dtype=torch.float64)

    def by_hand(x, now, then, mean, std):
        """Both slopes are (x - mean) g with g = sigma / (std^2 + sigma^2): multiply out."""
        h, g, g_next = then - now, now / (std**2 + now**2), then / (std**2 + then**2)
        known = mean + (x - mean) * (1 + h * (g + g_next) / 2 + h**2 * g * g_next / 2)
        return (x, now, then, denoisers.gaussian(mean, std)), known

    images = torch.linspace(-3, 3, 8, dtype=torch.float64).view(2, 1, 2, 2)
    x, mean, std = tensor(3.0, -1.0), 0.4, 0.5
    even = 2 * 0.5 + 3 * (0.5**2 - 2**2) / 2 - 2 * 2.0  # the integral of 2 + 3 sigma, 2 to 0.5
    return [
        Case(*by_hand(tensor(5.0), 2.0, 1.0, 0.0, 1.0),
             "The worked value: slopes 2 and 1.5, so 5 - 1.75 = 3.25."),
        Case(*by_hand(images, 10.0, 4.0, 0.2, 0.5), "Images, and a long step."),
        Case((x, 2.0, 0.5, lambda x, sigma: x - sigma * (2 + 3 * sigma)), x + even,
             "The slope is 2 + 3 sigma here, whatever x is; then the average of both ends is "
             "exact."),
        Case((x, 0.8, 0.0, denoisers.gaussian(mean, std)),
             mean + std**2 / (std**2 + 0.8**2) * (x - mean),
             "At sigma_next = 0 the second slope would be 0/0. The last step is Euler's alone, and "
             "it ends at D(x, sigma)."),
    ]  # fmt: skip


HEUN = Exercise(
    "4.1", "Heun's step", 2, 10, heun_step, heun_cases,
    (
        Mistake("Euler", changed(end=lambda x, euler, h, d, d_next: euler),
                "That is Euler's step: the correction is missing, or the second slope has the old "
                "D. Ask D again, at the new x and the new level."),
        Mistake("slope at old x", changed(lambda x, y, s, s_next, D: (x - D(x, s_next)) / s_next),
                "The second slope is taken at the old x; it belongs to the end of Euler's step."),
        Mistake("D of old x", changed(lambda x, y, s, s_next, D: (y - D(x, s_next)) / s_next),
                "For the second slope D is still asked about the old x; ask about the new one."),
        Mistake("divided by old sigma", changed(lambda x, y, s, s_next, D: (y - D(y, s_next)) / s),
                "The second slope is divided by the old sigma; the new x has noise sigma_next."),
        Mistake("D at old level", changed(lambda x, y, s, s_next, D: (y - D(y, s)) / s_next),
                "For the second slope D is told the old level; the new x has noise sigma_next."),
        Mistake("old level", changed(lambda x, y, s, s_next, D: (y - D(y, s)) / s),
                "The second slope has the new x but the old level, in D and below the fraction."),
        Mistake("no half", changed(end=lambda x, euler, h, d, d_next: x + h * (d + d_next)),
                "The slopes are added, not averaged: the half is missing, and the step is twice as "
                "long."),
        Mistake("second slope only", changed(end=lambda x, euler, h, d, d_next: x + h * d_next),
                "Only the second slope is used: that is of order 1 again, like Euler's. Average "
                "both."),
        Mistake("from Euler's end", changed(
                    end=lambda x, euler, h, d, d_next: euler + h * (d + d_next) / 2),
                "The averaged slope starts from Euler's end, so the step is made twice; start from "
                "the old x."),
        Mistake("second half on top", changed(
                    end=lambda x, euler, h, d, d_next: euler + h * d_next / 2),
                "Half of the second slope comes on top of a whole Euler step; take half of each."),
        Mistake("images averaged", averaged_images,
                "The two estimates of the image are averaged; average the slopes, each divided by "
                "its own sigma."),
        Mistake("midpoint", midpoint,
                "That is the midpoint method: of order 2 too, but another one. Heun averages the "
                "slopes at both ends."),
        Mistake("wrong way", lambda x, sigma, sigma_next, D: heun_step(
                    x, sigma, sigma_next, lambda x, sigma: 2 * x - D(x, sigma)),
                "The step goes away from the image: sigma_next - sigma is negative, and d is "
                "(x - D) / sigma."),
        Mistake("last step corrected", halved_end,
                "At sigma_next = 0 there is no second slope, and a small number below does not "
                "make one: half of the noise stays. Do Euler's step alone."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 4.4 two densities


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


EXERCISES = (HEUN, WEIGHT)
