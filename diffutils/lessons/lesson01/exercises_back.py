"""Exercises 1.4 to 1.6: one step back, the units of sigma, and a schedule that ends in noise.

Expected results come by another road than the reference: Bayes' rule with precisions, the units
of sigma, numbers worked by hand.
"""

import math

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 1.4 one step back


def step_back(x, clean, now, then, eta, z):
    """x at level `then` from x at level `now` and the best guess of the clean pixel (eq. 5)."""
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now)
    fresh = eta * math.sqrt(max((1 - then) / (1 - now) * (1 - now / then), 0))
    old = math.sqrt(max(1 - then - fresh**2, 0))
    return math.sqrt(then) * clean + old * eps + fresh * z


def step_with(x, clean, now, then, z, fresh, *, eps=None, old=None, weight=None, level=None):
    """Equation (5) with a given std of the new noise, and other parts replaced by a mistake."""
    eps = (x - math.sqrt(now) * clean) / math.sqrt(1 - now) if eps is None else eps
    level = then if level is None else level
    old = positive_root(1 - level - fresh**2) if old is None else old
    return math.sqrt(level) * clean + old * eps + (fresh if weight is None else weight) * z


def positive_root(value):
    return math.sqrt(max(value, 0))


def new_noise(now, then, eta):
    """The std of the new noise in equation (5)."""
    return eta * positive_root((1 - then) / (1 - now) * (1 - now / then))


def step_cases(seed) -> list[Case]:
    """The levels are NumPy's, as in the lesson: a division by 0 is then no exception."""
    x, clean, z = np.array([1.5, -0.4]), np.array([0.5, -0.8]), np.array([1.0, -2.0])

    def bayes(now, then):  # q(x_s | x_t, x0): precisions add
        ratio = now / then
        precision = ratio / (1 - ratio) + 1 / (1 - then)
        mean = ratio**0.5 * x / (1 - ratio) + then**0.5 * clean / (1 - then)
        return mean / precision, precision**-0.5

    def flow(now, then):  # DDIM in the units of sigma: a straight move along the noise
        sigma, sigma_then = math.sqrt(1 / now - 1), math.sqrt(1 / then - 1)
        return math.sqrt(then) * (clean + sigma_then * (x / math.sqrt(now) - clean) / sigma)

    # Know the answers by both.
    mean, std = bayes(0.36, 0.64)
    half = 0.5 * bayes(0.3, 0.4)[1]
    eps = (x - 0.3**0.5 * clean) / 0.7**0.5
    mixed = 0.4**0.5 * clean + (0.6 - half**2) ** 0.5 * eps + half * z
    return [
        Case((x, clean, np.float64(0.36), np.float64(0.64), 0.0, z), flow(0.36, 0.64),
             "eta = 0 renews nothing: the first pixel goes from 1.5 to 0.8 * 0.5 + 0.6 * 1.5 = "
             "1.3, where 1.5 is also the noise that it holds. NaN? Turn now / then round."),
        Case((x, clean, np.float64(0.36), np.float64(0.64), 1.0, z), mean + std * z,
             "eta = 1: the first pixel is 0.906 + 0.496 z. Is the root of a negative number taken? "
             "Then a fraction stands upside down."),
        Case((x, clean, np.float64(0.3), np.float64(0.4), 0.5, z), mixed,
             "At eta = 0.5 old and new noise share the variance 1 - abar_s."),
        Case((x, clean, np.float64(0.3), np.float64(1.0), 0.0, z), clean,
             "At the clean end (then = 1) the answer is the best guess itself, without noise."),
        Case((x, clean, np.float64(0.6), np.float64(0.3), 0.0, z), flow(0.6, 0.3),
             "The lesson also walks up (then < now) with eta = 0: the root of a negative number is "
             "NaN, even times 0; take max(..., 0) under it."),
    ]  # fmt: skip


STEP = Exercise(
    "1.4", "one step back", 2, 10, step_back, step_cases,
    (
        Mistake("variance for std", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, s := new_noise(now, then, eta), weight=s**2),
                "The new noise is multiplied by its variance; sigma^2 stands where sigma belongs."),
        Mistake("fresh without root", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, eta * new_noise(now, then, 1.0) ** 2),
                "`fresh` lacks its root: the product of the two fractions is a variance."),
        Mistake("eta under the root", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, eta**0.5 * new_noise(now, then, 1.0)),
                "eta multiplies the root; it does not stand under it."),
        Mistake("quotient upside down", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, eta * upside_down(now, then)),
                "(1 - abar_s)/(1 - abar_t) stands upside down: `then` belongs above, `now` below."),
        Mistake("abar_t / abar_s upside down", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z,
                    eta * positive_root((1 - then) / (1 - now) * (1 - then / now))),
                "With eta = 1 no new noise comes in: in 1 - abar_t/abar_s `now` belongs above."),
        Mistake("noise not shared", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta), old=positive_root(1 - then)),
                "The old noise must make room: its factor is sqrt(1 - abar_s - sigma^2). One "
                "published page forgets the -sigma^2."),
        Mistake("std subtracted", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, s := new_noise(now, then, eta),
                    old=positive_root(1 - then - s)),
                "Under the root of `old` it is the variance, fresh**2, that is subtracted."),
        Mistake("old without root", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, s := new_noise(now, then, eta), old=1 - then - s**2),
                "`old` is a variance still: take the root of 1 - abar_s - sigma^2."),
        Mistake("noise with wrong sign", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta),
                    eps=(now**0.5 * clean - x) / (1 - now) ** 0.5),
                "`eps` has the wrong sign: it is x minus the faded best guess."),
        Mistake("guess not faded", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta),
                    eps=(x - clean) / (1 - now) ** 0.5),
                "In `eps` the best guess must be faded by sqrt(abar_t) before it is subtracted."),
        Mistake("guess faded by abar", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta),
                    eps=(x - now * clean) / (1 - now) ** 0.5),
                "In `eps` the best guess is faded by abar_t; its factor is the root of that."),
        Mistake("noise divided by variance", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta),
                    eps=(x - now**0.5 * clean) / (1 - now)),
                "`eps` is divided by the variance 1 - abar_t; standard noise needs its root."),
        Mistake("beta for beta-tilde", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, eta * positive_root(1 - now / then)),
                "The factor (1 - abar_s)/(1 - abar_t) is missing: that is beta in place of "
                "beta-tilde, and it adds noise even at the last step."),
        Mistake("second fraction forgotten", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, eta * math.sqrt((1 - then) / (1 - now))),
                "The factor 1 - abar_t/abar_s is missing under the root of the new noise."),
        Mistake("eta ignored", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, 1.0)),
                "eta is not used: at eta = 0 no new noise may come in."),
        Mistake("no new noise", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta), weight=0.0),
                "The new noise z is never added, so the variance shrinks at every step."),
        Mistake("old level", lambda x, clean, now, then, eta, z: step_with(
                    x, clean, now, then, z, new_noise(now, then, eta), level=now),
                "x_s is built with abar_t, so nothing gets cleaner: use the level `then`."),
        Mistake("state clamped", lambda x, clean, now, then, eta, z: np.clip(
                    step_back(x, clean, now, then, eta, z), -1, 1),
                "The state is clamped to [-1, 1]: noise needs its tails. Clamp the best guess."),
    ),
)  # fmt: skip


def upside_down(now, then):
    """The root of equation (5) with its first fraction turned over; infinite at the clean end."""
    return positive_root((1 - now) / (1 - then) * (1 - now / then)) if then < 1 else math.inf


# --------------------------------------------------------------------- 1.5 the units of sigma


def in_sigma(x_t, abar):
    """The textbook's x_t in the units x = x0 + sigma n: returns x and sigma (equation 6)."""
    return x_t / math.sqrt(abar), math.sqrt((1 - abar) / abar)


def units_cases(seed) -> list[Case]:
    import torch

    clean, noise = torch.linspace(-1, 1, 12).view(1, 3, 2, 2), torch.arange(12.0).view(1, 3, 2, 2)
    return [
        Case((np.array([0.94, 0.4]), 0.64), (np.array([1.175, 0.5]), 0.75),
             "The worked value: 0.94 / 0.8 = 1.175, and sigma = 0.6 / 0.8 = 0.75."),
        Case((0.2**0.5 * clean + 0.8**0.5 * noise, 0.2), (clean + 2 * noise, 2.0),
             "x must be x0 + sigma n with the same x0 and n; at abar = 0.2 sigma is 2.", 1e-5),
        # NumPy's 1.0: whoever divides by 1 - abar gets infinity, and a diagnosis, no exception.
        Case((np.array([0.3]), np.float64(1.0)), (np.array([0.3]), 0.0),
             "At abar = 1 there is no noise."),
    ]  # fmt: skip


def odds(abar):
    """The signal-to-noise ratio; infinite where there is no noise."""
    return abar / (1 - abar) if abar < 1 else math.inf


UNITS = Exercise(
    "1.5", "the other language", 1, 5, in_sigma, units_cases,
    (
        Mistake("variance for std", lambda x_t, abar: (x_t / abar**0.5, (1 - abar) / abar),
                "That is sigma squared; sigma is its root."),
        Mistake("SNR", lambda x_t, abar: (x_t / abar**0.5, odds(abar)),
                "That fraction is the SNR; sigma^2 is 1/SNR, and sigma its root."),
        Mistake("root of SNR", lambda x_t, abar: (x_t / abar**0.5, odds(abar) ** 0.5),
                "The fraction stands upside down: abar / (1 - abar) is the SNR, sigma^2 is 1/SNR."),
        Mistake("1/abar", lambda x_t, abar: (x_t / abar**0.5, abar**-0.5),
                "1/abar is 1 + sigma^2: subtract the 1 before the root."),
        Mistake("noise of the textbook", lambda x_t, abar: (x_t / abar**0.5, (1 - abar) ** 0.5),
                "sqrt(1 - abar) is the noise of x_t; dividing x_t by sqrt(abar) enlarges the noise "
                "too."),
        Mistake("multiplied", lambda x_t, abar: (x_t * abar**0.5, ((1 - abar) / abar) ** 0.5),
                "x_t has faded by sqrt(abar); to undo that, divide."),
        Mistake("alpha-bar for its root", lambda x_t, abar: (
                    x_t / abar, ((1 - abar) / abar) ** 0.5),
                "x_t is divided by abar; it has faded by the root of abar only."),
        Mistake("not rescaled", lambda x_t, abar: (x_t, ((1 - abar) / abar) ** 0.5),
                "sigma is right, but x_t must change its scale too: divide it by sqrt(abar)."),
        Mistake("order", lambda x_t, abar: in_sigma(x_t, abar)[::-1],
                "The two values come in the wrong order: x first, then sigma."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 1.6 terminal SNR


def bend(betas, last):
    """Betas (T,) whose sqrt(abar) is shifted and stretched to end at sqrt(last)."""
    return bent(betas, last)


def bent(betas, last, *, power=0.5, end=None, curve=None):
    """Algorithm 1 of Lin et al. (2024), of which a mistake may replace one part."""
    root = (1 - betas).cumprod(0) ** power
    end = last**power if end is None else end
    return betas_of((curve or stretched)(root, end) ** (1 / power))


def stretched(root, end):
    """The curve, shifted and stretched to keep its first value and to end at `end`."""
    return end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])


def straight(root, end):
    """A straight line in place of the curve, in PyTorch's default type."""
    import torch

    return torch.linspace(float(root[0]), end, len(root))


def betas_of(abar):
    """Betas (T,) of alpha-bars (T,)."""
    import torch

    return 1 - abar / torch.cat([torch.ones_like(abar[:1]), abar[:-1]])


def bend_cases(seed) -> list[Case]:
    import torch

    small = torch.tensor([0.19, 1 - 0.64 / 0.81, 1 - 0.09 / 0.64], dtype=torch.float64)
    by_hand = [0.19, 1 - 0.775**2 / 0.81, 1 - 0.15**2 / 0.775**2]
    published = torch.linspace(1e-4, 0.02, 300, dtype=torch.float64)
    roots, root = [], 1.0
    for beta in published.tolist():
        root *= math.sqrt(1 - beta)
        roots.append(root)
    high, low = roots[0], roots[-1]
    roots = [high * (r - low) / (high - low) + 1e-4 * (high - r) / (high - low) for r in roots]
    ratios = [b / a for a, b in zip([1.0, *roots], roots, strict=False)]
    return [
        Case((small, 0.0225), torch.tensor(by_hand, dtype=torch.float64),
             "The worked value: roots 0.9, 0.8, 0.3 become 0.9, 0.775, 0.15, so betas 0.19, "
             "0.2585, 0.9625."),
        Case((published, 1e-8), 1 - torch.tensor(ratios, dtype=torch.float64) ** 2,
             "The published schedule, T = 300, must end at abar = 1e-8 and begin as it did."),
    ]  # fmt: skip


BEND = Exercise(
    "1.6", "a schedule that ends in noise", 3, 15, bend, bend_cases,
    (
        Mistake("unchanged", lambda betas, last: betas.clone(),
                "The schedule is as it was: at T = 300 a fifth of the image is left at the end."),
        Mistake("scaled", lambda betas, last: betas * (1000 / len(betas)),
                "Betas times 1000/T is another good repair; this one bends sqrt(abar) instead."),
        Mistake("shift only", lambda betas, last: bent(
                    betas, last, curve=lambda root, end: root - root[-1] + end),
                "The curve is shifted but not stretched, so its beginning has changed too."),
        Mistake("scale only", lambda betas, last: bent(
                    betas, last, curve=lambda root, end: root * end / root[-1]),
                "The curve is scaled but not shifted, so its first value has changed too."),
        Mistake("stretched too far", lambda betas, last: bent(
                    betas, last, curve=lambda root, end: end + (root - root[-1]) * root[0]
                    / (root[0] - root[-1])),
                "Stretch to root[0] - end, not to root[0]: `end` is added afterwards."),
        Mistake("straight line", lambda betas, last: bent(
                    betas, last, curve=lambda root, end: straight(root, end).to(root)),
                "A straight line from first to last: keep the curve's shape."),
        Mistake("straight line of float32", lambda betas, last: bent(betas, last, curve=straight),
                "A straight line from first to last, and in float32: keep the curve's shape."),
        Mistake("without root", lambda betas, last: bent(betas, last, power=1.0),
                "You bend abar; the algorithm bends its root, the factor of the image."),
        Mistake("end without root", lambda betas, last: bent(betas, last, end=last),
                "`last` is an abar; the curve of roots must end at sqrt(last)."),
        Mistake("alphas returned", lambda betas, last: 1 - bend(betas, last),
                "Those are the alphas; beta is 1 - alpha."),
        Mistake("noise variance returned",
                lambda betas, last: 1 - (1 - bend(betas, last)).cumprod(0),
                "1 - abar_t is all the noise so far; a beta is 1 - abar_t / abar_(t-1)."),
        Mistake("alpha-bars returned", lambda betas, last: (1 - bend(betas, last)).cumprod(0),
                "Those are the alpha-bars; a beta is 1 - abar_t / abar_(t-1), with abar_0 = 1."),
    ),
)  # fmt: skip


EXERCISES = (STEP, UNITS, BEND)
