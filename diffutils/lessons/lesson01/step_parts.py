"""Equation (5) with one part replaced: the slips of exercise 1.4."""

import math
from collections.abc import Callable

import numpy as np


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
     "No new noise comes in, whatever eta is: `fresh` is left out, or a fraction under its root is "
     "upside down, so that it is negative and 0 is taken."),
    ("quotient upside down", lambda now, then, eta: eta * root(
        (1 - now / then) / first(now, then)) if then < 1 else eta * math.inf,
     "(1 - abar_s)/(1 - abar_t) stands upside down: `then` belongs above, `now` below."),
    ("abar_t / abar_s upside down", lambda now, then, eta: eta * np.sqrt(
        first(now, then) * (1 - then / now)),
     "On the way down the root of a negative number is taken: 1 - now / then is positive there, so "
     "the fraction is upside down, or the difference turned round."),
    ("abar_t / abar_s upside down, and abs", lambda now, then, eta: eta * math.sqrt(
        abs(first(now, then) * (1 - then / now))),
     "In 1 - abar_t/abar_s `now` belongs above; a sign under the root is no reason for abs."),
    ("both upside down", lambda now, then, eta: eta * np.sqrt((1 - then / now) / first(now, then)),
     "On the way down the root of a negative number is taken; it is that of (1 - then) / (1 - now) "
     "times (1 - now / then), which is positive there."),
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
