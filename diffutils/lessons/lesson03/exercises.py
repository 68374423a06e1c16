"""Exercises 3.1 and 3.2: fewer steps, and the fresh noise of a jump.

Expected results come by whole-number arithmetic, and by Bayes' rule with precisions.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 3.1 respacing


def respaced(T, n):
    """n timesteps from T - 1 downwards, T / n apart, rounded to whole numbers."""
    import torch

    return (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1


def respaced_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(T, n, about):  # i T / n rounded to the nearest whole number, without fractions
        known = torch.tensor([T - (2 * i * T + n) // (2 * n) - 1 for i in range(n)])
        return Case((T, n), known, about)

    def uneven(least, low, high):
        """T and n without a common factor, n odd: no fraction is a half."""
        n = 2 * int(random.integers(least, least + 20)) + 1
        T = int(random.integers(8 * n, 12 * n))
        while math.gcd(T, n) > 1 or not low < T % n / n < high:
            T += 1
        return T, n

    return [
        case(10, 5, "The worked value: five of ten timesteps are 9, 7, 5, 3, 1, as whole numbers "
             "(`.long()`)."),
        case(*uneven(4, 0.5, 0.8), "T / n need not be a whole number: three of 1000 are 999, "
             "666, 332."),
        case(*uneven(30, 0.2, 0.5), "However many: n timesteps in all, each the nearest to its "
             "place."),
        case(1000, 3, "T / n need not be a whole number: three of 1000 are 999, 666, 332."),
        case(7, 7, "n = T keeps every timestep: 6, 5, ..., 0."),
        case(int(random.integers(50, 500)), 1, "One timestep alone is T - 1."),
        case(1000, 50, "Fifty of 1000 timesteps are 999, 979, ..., 19."),
    ]  # fmt: skip


def timesteps(make):
    """A mistake: `make(torch, T, n, i)` gives the timesteps from i = 0, 1, ..., n - 1 as floats."""

    def function(T, n):
        import torch

        return make(torch, T, n, torch.arange(n, dtype=torch.float64)).long()

    return function


RESPACED = Exercise(
    "3.1", "respacing", 1, 5, respaced, respaced_cases,
    (
        Mistake("leading", timesteps(lambda torch, T, n, i: (i * (T // n)).flip(0)),
                "Those are spaced from 0 upwards and miss T - 1: the chain would start from pure "
                "noise at a level that the network takes for less."),
        Mistake("leading, rounded", timesteps(lambda torch, T, n, i: (i * T / n).round().flip(0)),
                "Those begin T / n too low and end at 0 (they are spaced from 0); begin at T - 1."),
        Mistake("leading, upwards", timesteps(lambda torch, T, n, i: i * (T // n)),
                "Those run upwards from 0; begin at T - 1 and go down."),
        Mistake("leading, rounded, upwards", timesteps(lambda torch, T, n, i: (i * T / n).round()),
                "Those run upwards from 0; begin at T - 1 and go down, T / n at a time."),
        Mistake("T itself", timesteps(lambda torch, T, n, i: (T - i * T / n).round()),
                "Counted from 0 the last timestep is T - 1; T is not in the table."),
        Mistake("upwards", timesteps(lambda torch, T, n, i: (T - i * T / n).round().flip(0) - 1),
                "They run from low to high; sampling walks from T - 1 down."),
        Mistake("down to 0", timesteps(lambda torch, T, n, i: torch.linspace(T - 1, 0, n).round()),
                "Those are spread from T - 1 to 0, both included; neighbours shall lie T / n "
                "apart, so the lowest is about T / n - 1."),
        Mistake("down to 0, cut", timesteps(lambda torch, T, n, i: torch.linspace(T - 1, 0, n)),
                "Those are spread from T - 1 to 0, both included, and cut; neighbours shall lie "
                "T / n apart, so the lowest is about T / n - 1."),
        Mistake("down to 0, from T", timesteps(lambda torch, T, n, i: (
                    torch.linspace(T, 1, n).round() - 1)),
                "Those end at 0; neighbours shall lie T / n apart, so the lowest is about "
                "T / n - 1."),
        Mistake("n / T", timesteps(lambda torch, T, n, i: (T - i * n / T).round() - 1),
                "Neighbours are n / T apart there; it is T / n."),
        Mistake("up from 0", timesteps(lambda torch, T, n, i: torch.linspace(0, T - 1, n).round()),
                "Those are spread from 0 to T - 1, both included, and run upwards; begin at T - 1 "
                "and go down by T / n."),
        Mistake("T - 1 shared out", timesteps(lambda torch, T, n, i: (
                    (T - 1) - i * (T - 1) / n).round()),
                "Neighbours are (T - 1) / n apart there; there are T timesteps, so it is T / n."),
        Mistake("cut, not rounded", timesteps(lambda torch, T, n, i: (T - i * T / n).floor() - 1),
                "The fractions are cut off; round to the nearest whole number before you "
                "subtract 1."),
        Mistake("rounded up", timesteps(lambda torch, T, n, i: (T - i * T / n).ceil() - 1),
                "Every fraction is rounded up (i * T // n is cut, and then subtracted); round to "
                "the nearest whole number."),
        Mistake("whole steps", timesteps(lambda torch, T, n, i: T - 1 - i * (T // n)),
                "T // n is rounded down before it is multiplied, so the error adds up: multiply "
                "first, round last."),
        Mistake("rounded steps", timesteps(lambda torch, T, n, i: T - 1 - i * round(T / n)),
                "T / n is rounded before it is multiplied, so the error adds up: multiply first, "
                "round last."),
        Mistake("one step late", timesteps(lambda torch, T, n, i: (
                    T - (i + 1) * T / n).round() - 1),
                "All lie T / n too low, and the last is -1: i runs from 0, so that the first is "
                "T - 1."),
        Mistake("the lowest n", timesteps(lambda torch, T, n, i: i.flip(0)),
                "Those are the n lowest timesteps; the chain would start where hardly any noise "
                "is left."),
        Mistake("the highest n", timesteps(lambda torch, T, n, i: T - 1 - i),
                "Those are the n highest timesteps; the chain would end in noise. Neighbours lie "
                "T / n apart."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.2 the fresh noise


def fresh_noise(abar_t, abar_s, eta):
    """Standard deviation of the fresh noise in a jump from t to s < t, equation (3)."""
    return eta * ((1 - abar_s) / (1 - abar_t)) ** 0.5 * (1 - abar_t / abar_s) ** 0.5


def levels_of_the_lesson() -> list[float]:
    """abar of the thousand levels of the lesson's walk in one dimension."""
    import numpy as np

    return np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)).tolist()


def fresh_noise_cases(seed) -> list[Case]:
    import numpy as np

    random, abar = np.random.default_rng(seed), levels_of_the_lesson()

    def case(abar_t, abar_s, eta, about):
        """Std of q(x_s | x_t, x0): the precisions of x_t given x_s and of x_s given x0 add."""
        a = abar_t / abar_s
        known = (a / (1 - a) + 1 / (1 - abar_s)) ** -0.5 if abar_s < 1 else 0.0
        return Case((abar_t, abar_s, eta), eta * known, about, tolerance=1e-5)

    def drawn():
        """Two levels and an eta, none of them near another or near 0 and 1."""
        s = float(random.uniform(0.45, 0.9))
        return s * float(random.uniform(0.2, 0.7)), s, float(random.uniform(0.2, 0.45))

    # The worked value, random levels, every edge, and levels of the lesson.
    smaller = "In 1 - abar_t / abar_s the smaller level stands above, so that a root can be taken."
    return [
        case(0.2, 0.5, 1.0, f"The worked value: from 0.2 to 0.5 with eta = 1 gives 0.612. "
             f"{smaller}"),
        case(*drawn(), "Two roots, and eta once before them."),
        case(*drawn(), smaller),
        case(*drawn()[:2], 1.0, "eta = 1 is DDPM: the posterior's standard deviation."),
        case(0.2, 0.5, 0.5, "eta = 0.5 halves the standard deviation."),
        case(0.1, 0.9, 1.0, "A long jump adds little noise at its end."),
        case(abar[999], abar[979], 1.0, "Between two high levels nearly all of the noise between "
             "them is fresh."),
        case(*drawn()[:2], 0.0, "eta = 0 is DDIM: no fresh noise at all."),
        case(float(random.uniform(0.9, 0.99)), 1.0, 1.0, "The last jump ends at abar = 1, where "
             "no noise is left: 1 - abar_s is 0 there, so do not divide by it."),
        case(abar[499], abar[479], 1.0, smaller),
    ]  # fmt: skip


def noise_of(make):
    """A mistake: eta times `make` of the two factors under the roots in (3)."""
    return lambda t, s, eta: eta * make((1 - s) / (1 - t), 1 - t / s)


FRESH_NOISE = Exercise(
    "3.2", "the fresh noise", 2, 10, fresh_noise, fresh_noise_cases,
    (
        Mistake("variance", lambda t, s, eta: eta**2 * (1 - s) / (1 - t) * (1 - t / s),
                "That is sigma^2, the variance; the step multiplies its noise by sigma."),
        Mistake("no root", noise_of(lambda a, b: a * b),
                "Both roots are missing: without them it is a variance, and the step multiplies "
                "its noise by a standard deviation."),
        Mistake("second root", noise_of(lambda a, b: a**0.5 * b),
                "Both factors stand under a root; the second one lacks it."),
        Mistake("first root", noise_of(lambda a, b: a * b**0.5),
                "Both factors stand under a root; the first one lacks it."),
        Mistake("** 1/2", noise_of(lambda a, b: a / 2 * b / 2),
                "`** 1/2` is (** 1) / 2: it halves. Write `** 0.5` for each root."),
        Mistake("** 1/2 of the product", noise_of(lambda a, b: a * b / 2),
                "It is half of the product of both factors, where its root is asked for: "
                "`** 1/2` is (** 1) / 2. Write `** 0.5`."),
        Mistake("one ** 1/2", noise_of(lambda a, b: a**0.5 * b / 2),
                "The second factor is halved, not rooted: `** 1/2` is (** 1) / 2."),
        Mistake("beta", noise_of(lambda a, b: b**0.5),
                "That is the noise that the forward process adds between s and t (sigma^2 = beta); "
                "the factor (1 - abar_s) / (1 - abar_t) is missing."),
        Mistake("first factor only", noise_of(lambda a, b: a**0.5),
                "The factor 1 - abar_t / abar_s is missing: a short jump needs little noise."),
        Mistake("swapped", noise_of(lambda a, b: (b / a) ** 0.5 if a else 1.0),
                "The first factor is upside down: the nearer s is to the image, the less noise is "
                "left to renew."),
        Mistake("ratio of the levels", lambda t, s, eta: eta * (s / t * (1 - t / s)) ** 0.5,
                "The first root holds abar_s / abar_t; it holds the shares of noise, "
                "(1 - abar_s) / (1 - abar_t)."),
        Mistake("plus in the second root", noise_of(lambda a, b: (a * (2 - b)) ** 0.5),
                "The second root holds 1 + abar_t / abar_s; it is 1 - abar_t / abar_s."),
        Mistake("plus in the first root", lambda t, s, eta: (
                    eta * ((1 + s) / (1 + t) * (1 - t / s)) ** 0.5),
                "The first root holds 1 + abar; shares of noise are 1 - abar."),
        Mistake("levels multiplied", lambda t, s, eta: (
                    eta * ((1 - s) / (1 - t) * (1 - t * s)) ** 0.5),
                "The second root holds 1 - abar_t abar_s; it is 1 - abar_t / abar_s."),
        Mistake("no brackets", lambda t, s, eta: (
                    eta * ((1 - s - t) * (1 - t / s)) ** 0.5 if s + t < 1 else math.nan),
                "Brackets are missing: 1 - abar_s / 1 - abar_t is 1 - abar_s - abar_t; write "
                "(1 - abar_s) / (1 - abar_t)."),
        Mistake("rounded", lambda t, s, eta: round(fresh_noise(t, s, eta), 3),
                "It is rounded to three digits; return it as it is."),
        Mistake("share that stays", noise_of(lambda a, b: (a * (1 - b)) ** 0.5),
                "The second root holds abar_t / abar_s, the share that stays; it must hold what is "
                "lost, 1 - abar_t / abar_s."),
        Mistake("bracket", lambda t, s, eta: eta * ((1 - s) / (1 - t) * (1 - t) / s) ** 0.5,
                "The second root holds (1 - abar_t) / abar_s; the fraction comes first: "
                "1 - abar_t / abar_s."),
        Mistake("root inside", lambda t, s, eta: (
                    eta * ((1 - s) / (1 - t)) ** 0.5 * (1 - (t / s) ** 0.5)),
                "The second root was taken of abar_t / abar_s alone; it goes over "
                "1 - abar_t / abar_s as a whole."),
        Mistake("roots of the levels", lambda t, s, eta: fresh_noise(t**0.5, s**0.5, eta),
                "The levels are rooted before they are put in; abar_t and abar_s stand in (3) as "
                "they come."),
        Mistake("levels squared", lambda t, s, eta: fresh_noise(t**2, s**2, eta),
                "The levels are squared before they are put in; abar_t and abar_s stand in (3) as "
                "they come."),
        Mistake("added", noise_of(lambda a, b: a**0.5 + b**0.5),
                "The two roots are added; (3) multiplies them."),
        Mistake("all noise of s", lambda t, s, eta: eta * (1 - s) ** 0.5,
                "That is all the noise that x_s holds; only a part of it is fresh."),
        Mistake("other units", lambda t, s, eta: fresh_noise(t, s, eta) / s**0.5,
                "That is divided by sqrt(abar_s), as in the units of sigma; (3) has no such "
                "factor."),
        Mistake("eta squared", lambda t, s, eta: eta * fresh_noise(t, s, eta),
                "eta stands before the roots once; here it is squared."),
        Mistake("eta under the root", lambda t, s, eta: eta**-0.5 * fresh_noise(t, s, eta)
                if eta else 0.0,
                "eta stands before the roots, not under them; here its root is taken."),
        Mistake("eta forgotten", lambda t, s, eta: fresh_noise(t, s, 1.0),
                "eta makes no difference here; at eta = 0 nothing may be added."),
        Mistake("1 - eta", lambda t, s, eta: fresh_noise(t, s, 1 - eta),
                "There is no fresh noise at eta = 1 here, and full noise at 0; it is the other "
                "way round."),
        Mistake("per step", lambda t, s, eta: eta * ((1 - s) / (1 - t) * (s - t)) ** 0.5,
                "abar_s - abar_t is not the noise between s and t; it is 1 - abar_t / abar_s."),
    ),
)  # fmt: skip


EXERCISES = (RESPACED, FRESH_NOISE)
