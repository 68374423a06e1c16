"""Exercise 1.4, one step back.

Expected results come by other roads than the reference: Bayes' rule with precisions, and a straight
move in the units of sigma.
"""

import math
from collections.abc import Callable

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson01.parts import skewed


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
    rng = np.random.default_rng([seed, 14])
    x, clean, z = np.array([1.5, -0.4]), np.array([0.5, -0.8]), np.array([1.0, -2.0])
    mean, std = bayes(x, clean, 0.36, 0.64)
    share = "Old and new noise share the variance 1 - abar_s: what is new is taken from the old."

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
        drawn((5, 3), rng.uniform(0.1, 0.4), rng.uniform(0.5, 0.7), rng.uniform(0.3, 0.8), share),
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
    ]  # fmt: skip


# ------------------------------------------------- equation (5) with one part replaced


def root(value):
    return math.sqrt(max(value, 0))


def first(now, then):
    return (1 - then) / (1 - now)


def variance(now, then):
    """Of the new noise at eta = 1."""
    return first(now, then) * (1 - now / then)


def new_noise(now, then, eta):
    return eta * root(variance(now, then))


def noise_held(x, clean, now, then):
    return (x - math.sqrt(now) * clean) / math.sqrt(1 - now)


def step(fresh=new_noise, eps=noise_held, old=None, weight=None, level=None) -> Callable:
    """Equation (5) with other parts.

    fresh: of now, then, eta; eps: of x, clean, now, then; old: of now, then, fresh, weight: of now,
    then, fresh, eta; level: of now, then, for the factor of the best guess.
    """
    old = old or (lambda now, then, fresh: root(1 - then - fresh**2))
    weight = weight or (lambda now, then, fresh, eta: fresh)
    level = level or (lambda now, then: then)

    def wrong(x, clean, now, then, eta, z):
        new = fresh(now, then, eta)
        guess = math.sqrt(level(now, then)) * clean
        stays = old(now, then, new) * eps(x, clean, now, then)
        return guess + stays + weight(now, then, new, eta) * z

    return wrong


IN_FRESH = (
    ("fresh without root", lambda now, then, eta: eta * root(variance(now, then)) ** 2,
     "`fresh` lacks its root: the product of the two fractions is a variance."),
    ("half for root", lambda now, then, eta: eta * variance(now, then) / 2,
     "`fresh` has a half in place of the root: `** 1/2` is (... ** 1) / 2. Write ** 0.5."),
    ("variance throughout", lambda now, then, eta: new_noise(now, then, eta) ** 2,
     "`fresh` is the variance of the new noise; it must be its standard deviation, the root."),
    ("eta under the root", lambda now, then, eta: eta**0.5 * root(variance(now, then)),
     "eta multiplies the root; it does not stand under it."),
    ("eta squared", lambda now, then, eta: eta**2 * root(variance(now, then)),
     "eta comes in squared; the std of the new noise is eta times the root."),
    ("eta ignored", lambda now, then, eta: root(variance(now, then)),
     "eta is not used: at eta = 0 no new noise may come in."),
    ("eta turned round", lambda now, then, eta: (1 - eta) * root(variance(now, then)),
     "1 - eta stands where eta belongs: eta = 0 renews nothing."),
    ("nothing new", lambda now, then, eta: 0,
     "No new noise comes in, whatever eta is. Is `fresh` left out, or a fraction under its root "
     "upside down, so that it is negative and 0 is taken?"),
    ("quotient upside down", lambda now, then, eta: eta * root(
        (1 - now / then) / first(now, then)) if then < 1 else eta * math.inf,
     "(1 - abar_s)/(1 - abar_t) stands upside down: `then` belongs above, `now` below."),
    ("abar_t / abar_s upside down", lambda now, then, eta: eta * np.sqrt(
        first(now, then) * (1 - then / now)),
     "The root of a negative number is taken on the way down: in 1 - abar_t/abar_s `now` belongs "
     "above."),
    ("both upside down", lambda now, then, eta: eta * np.sqrt((1 - then / now) / first(now, then)),
     "Both fractions under the root stand upside down: (1 - then) / (1 - now), and now / then."),
    ("no max on the way up", lambda now, then, eta: eta * np.sqrt(variance(now, then)),
     "Right on the way down. On the way up 1 - now / then is negative, its root NaN, and NaN times "
     "0 is NaN: take max(..., 0) under the root."),
    ("beta for beta-tilde", lambda now, then, eta: eta * root(1 - now / then),
     "The factor (1 - abar_s)/(1 - abar_t) is missing: that is beta in place of beta-tilde, and it "
     "adds noise even at the last step."),
    ("second fraction forgotten", lambda now, then, eta: eta * math.sqrt(first(now, then)),
     "The factor 1 - abar_t/abar_s is missing under the root of the new noise."),
    ("bracket forgotten", lambda now, then, eta: eta * root(first(now, then) - now / then),
     "Under the root of the new noise 1 - now / then needs brackets: it is a factor."),
    ("root of the first only", lambda now, then, eta: eta * math.sqrt(first(now, then))
     * (1 - now / then),
     "In `fresh` the root ends too early: 1 - abar_t/abar_s belongs under it, too."),
    ("root of the second only", lambda now, then, eta: eta * first(now, then)
     * root(1 - now / then),
     "In `fresh` the root begins too late: (1 - abar_s)/(1 - abar_t) belongs under it, too."),
    ("difference for quotient", lambda now, then, eta: eta * root(first(now, then) * (then - now)),
     "Under the root of the new noise stands abar_s - abar_t; it must be 1 - abar_t/abar_s."),
    ("product for quotient", lambda now, then, eta: eta * root(first(now, then) * (1 - now * then)),
     "Under the root of the new noise the levels are multiplied; it is now divided by then."),
    ("roots in the fraction", lambda now, then, eta: eta * root(
        first(now, then) * (1 - (now / then) ** 0.5)),
     "Under the root of the new noise abar_t/abar_s has a root of its own too many."),
    ("all noise renewed", lambda now, then, eta: eta * math.sqrt(1 - then),
     "The new noise has the std eta sqrt(1 - abar_s): at eta = 1 nothing of the old is left. Under "
     "the root (1 - now / then) is a fraction in brackets, and (1 - then) is over (1 - now)."),
)  # fmt: skip

IN_OLD = (
    ("noise not shared", lambda now, then, fresh: math.sqrt(1 - then),
     "The old noise must make room: its factor is the root of 1 - then - fresh**2. One published "
     "page forgets that."),
    ("std subtracted", lambda now, then, fresh: root(1 - then - fresh),
     "Under the root of `old` it is the variance, fresh**2, that is subtracted."),
    ("root too early", lambda now, then, fresh: math.sqrt(1 - then) - fresh,
     "`fresh` is subtracted from the root; it is variances that add up: fresh**2, under the root."),
    ("variance added", lambda now, then, fresh: math.sqrt(1 - then + fresh**2),
     "Under the root of `old` fresh**2 is added; what is new is taken from the old."),
    ("old without root", lambda now, then, fresh: 1 - then - fresh**2,
     "`old` is a variance still: take the root of 1 - then - fresh**2."),
    ("old with a half", lambda now, then, fresh: (1 - then - fresh**2) / 2,
     "`old` has a half in place of the root: `** 1/2` is (... ** 1) / 2. Write ** 0.5."),
    ("old noise of the old level", lambda now, then, fresh: root(1 - now - fresh**2),
     "`old` belongs to the new level: 1 - then - fresh**2 under the root, not 1 - now."),
    ("old noise whole", lambda now, then, fresh: 1,
     "The old noise stays whole; its factor is the root of 1 - then - fresh**2."),
    ("old noise forgotten", lambda now, then, fresh: 0,
     "The old noise `eps` is missing: its factor is the root of 1 - then - fresh**2."),
    ("image for noise", lambda now, then, fresh: root(then - fresh**2),
     "Under the root of `old` stands abar_s, the share of the image; noise has 1 - abar_s."),
)  # fmt: skip

IN_NOISE = (
    ("noise with wrong sign", lambda x, clean, now, then: -noise_held(x, clean, now, then),
     "`eps` has the wrong sign: it is x minus the faded best guess."),
    ("guess added", lambda x, clean, now, then: noise_held(x, -clean, now, then),
     "In `eps` the faded best guess is added to x; it is subtracted."),
    ("guess not faded", lambda x, clean, now, then: (x - clean) / math.sqrt(1 - now),
     "In `eps` the best guess must be faded by sqrt(abar_t) before it is subtracted."),
    ("guess faded by abar", lambda x, clean, now, then: (x - now * clean) / math.sqrt(1 - now),
     "In `eps` the best guess is faded by abar_t; its factor is the root of that."),
    ("guess faded by the new level", lambda x, clean, now, then: (
        x - math.sqrt(then) * clean) / math.sqrt(1 - now),
     "In `eps` the best guess is faded by the root of `then`; x is still at level `now`."),
    ("noise of the new level", lambda x, clean, now, then: (
        x - math.sqrt(then) * clean) / np.sqrt(1 - then),
     "`eps` is computed with `then`; it is the noise that x holds now: level `now`."),
    ("noise divided by the new level", lambda x, clean, now, then: (
        x - math.sqrt(now) * clean) / np.sqrt(1 - then),
     "`eps` is divided by sqrt(1 - abar_s); the noise in x has sqrt(1 - abar_t)."),
    ("noise divided by variance", lambda x, clean, now, then: noise_held(x, clean, now, then)
     / math.sqrt(1 - now),
     "The old noise is divided by the variance 1 - abar_t; standard noise needs its root, once."),
    ("noise divided by 1 minus root", lambda x, clean, now, then: (
        x - math.sqrt(now) * clean) / (1 - math.sqrt(now)),
     "`eps` is divided by 1 - sqrt(abar_t); it must be sqrt(1 - abar_t)."),
    ("noise divided by the image's factor", lambda x, clean, now, then: (
        x - math.sqrt(now) * clean) / math.sqrt(now),
     "`eps` is divided by sqrt(abar_t), the factor of the image; noise has sqrt(1 - abar_t)."),
    ("noise not divided", lambda x, clean, now, then: x - math.sqrt(now) * clean,
     "`eps` is not divided: standard noise is what is left of x, over sqrt(1 - abar_t)."),
    ("noise multiplied", lambda x, clean, now, then: (x - math.sqrt(now) * clean)
     * math.sqrt(1 - now),
     "`eps` is multiplied by sqrt(1 - abar_t); to find the standard noise, divide."),
    ("bracket in the noise", lambda x, clean, now, then: x - math.sqrt(now) * clean
     / math.sqrt(1 - now),
     "In `eps` only the guess is divided: put the difference into brackets."),
    ("bracket after the root", lambda x, clean, now, then: math.sqrt(now) * (x - clean)
     / math.sqrt(1 - now),
     "In `eps` sqrt(abar_t) multiplies x too; it is the factor of the guess alone."),
    ("plain difference", lambda x, clean, now, then: x - clean,
     "`eps` is x - clean; fade the guess by sqrt(abar_t), and divide by sqrt(1 - abar_t)."),
    ("state for noise", lambda x, clean, now, then: x,
     "x itself stands where `eps` belongs: take the faded best guess out, and divide."),
)  # fmt: skip

IN_WEIGHT = (
    ("variance for std", lambda now, then, fresh, eta: fresh**2,
     "The new noise is multiplied by its variance fresh**2; z needs its std, fresh."),
    ("new noise subtracted", lambda now, then, fresh, eta: -fresh,
     "The new noise is subtracted; in (5) it is added."),
    ("no new noise", lambda now, then, fresh, eta: 0,
     "The new noise z is never added, so the variance shrinks at every step."),
    ("new noise not scaled", lambda now, then, fresh, eta: 1,
     "z is added at full strength, even with eta = 0; its factor is `fresh`."),
    ("eta for fresh", lambda now, then, fresh, eta: eta,
     "z is multiplied by eta alone; its factor is `fresh`, eta times the root."),
    ("eta twice", lambda now, then, fresh, eta: eta * fresh,
     "eta multiplies z once more; `fresh` has it already, and both places need the same."),
    ("old for fresh", lambda now, then, fresh, eta: root(1 - then - fresh**2),
     "z is multiplied by `old`; its factor is `fresh`."),
)  # fmt: skip

IN_LEVEL = (
    ("guess of the old level", lambda now, then: now,
     "The best guess is faded to the old level; x_s is at level `then`."),
    ("guess without root", lambda now, then: then**2,
     "In x_s the best guess is multiplied by abar_s; its factor is the root of that."),
    ("guess not faded at the end", lambda now, then: 1,
     "In x_s the best guess is not faded: its factor is sqrt(abar_s)."),
    ("guess forgotten", lambda now, then: 0,
     "x_s lacks the best guess: sqrt(abar_s) * clean."),
    ("noise for image", lambda now, then: 1 - then,
     "The best guess is multiplied by sqrt(1 - abar_s); its factor is sqrt(abar_s)."),
)  # fmt: skip

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
