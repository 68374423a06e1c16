"""Exercise 3.2: a step with any amount of fresh noise.

Expected results turn old noise into fresh noise by an angle, and draw the line through two images.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake


def factors(abar_t, abar_s, fresh):
    """c_0 and c_t of (1): x_s has its level's mean and variance, whatever the fresh noise is."""
    of_xt = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    of_x0 = abar_s**0.5 - of_xt * abar_t**0.5
    return of_x0, of_xt


def levels_of_the_lesson() -> list[float]:
    """abar of the thousand levels of the lesson's walk in one dimension."""
    import numpy as np

    return np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)).tolist()


def turned(abar_t, abar_s, share):
    """c_0 and c_t where the fresh noise is this share of all the noise at s.

    Old and fresh noise are sides of a right triangle, so an angle shares them out; c_0 is what the
    images 0 and 1 ask for.
    """
    room = math.sqrt(1 - abar_s)
    of_xt = room * math.cos(math.asin(share)) / math.sqrt(1 - abar_t)
    return math.sqrt(abar_s) - math.sqrt(abar_t) * of_xt, of_xt


def factors_cases(seed) -> list[Case]:
    import numpy as np

    random, abar = np.random.default_rng(seed), levels_of_the_lesson()

    def case(abar_t, abar_s, share, about):
        fresh = share * (1 - abar_s) ** 0.5
        return Case((abar_t, abar_s, fresh), turned(abar_t, abar_s, share), about, tolerance=1e-5)

    def drawn(share, about):
        s = float(random.uniform(0.5, 0.85))
        return case(s * float(random.uniform(0.25, 0.6)), s, share, about)

    def rounded_below(remainder):
        """All of the noise fresh, at a level where rounding leaves less than nothing of it."""
        while True:
            s = float(random.uniform(0.3, 0.9))
            if remainder(s, (1 - s) ** 0.5) < 0:
                about = "All of the noise may be fresh: then c_t is 0. Rounding may leave a little "
                return case(s / 2, s, 1.0, f"{about}less than 0 under the root: take max(..., 0).")

    # The worked value, random levels, both ends of the fresh noise, and the lesson's own call.
    shared = "Variances of independent noises add: what is fresh is taken from the old, squared."
    image = "x_t brings sqrt(abar_t) x0 along, c_t times; c_0 adds what is missing to sqrt(abar_s)."
    return [
        Case((0.36, 0.64, 0.48), (0.53, 0.45),
             f"The worked value: 0.36 to 0.64 with 0.48 gives c_0 = 0.53, c_t = 0.45. {image}"),
        drawn(float(random.uniform(0.5, 0.8)), shared),
        drawn(float(random.uniform(0.2, 0.4)), image),
        drawn(0.0, "Without fresh noise the old noise shrinks to what level s has room for."),
        case(float(random.uniform(0.6, 0.8)), float(random.uniform(0.2, 0.5)),
             float(random.uniform(0.3, 0.7)), "A step may also go to more noise; c_0 is negative "
             "there, as c_t x_t brings more of the image than level s has."),
        rounded_below(lambda s, fresh: 1 - s - fresh**2),
        rounded_below(lambda s, fresh: 1 - (s + fresh**2)),
        rounded_below(lambda s, fresh: 1 - s - fresh * fresh),
        rounded_below(lambda s, fresh: 1 - fresh**2 - s),
        case(abar[19], 1.0, 0.0, "At abar_s = 1 no noise is left: c_0 = 1, c_t = 0."),
        case(abar[979], abar[959], 0.8, f"As the lesson calls it. {shared}"),
    ]  # fmt: skip


def root(x):
    """The root, nan of what is below 0."""
    return x**0.5 if x >= 0 else math.nan


def with_ct(make):
    """A mistake: `make(abar_t, abar_s, fresh)` is c_t, and c_0 belongs to it."""

    def function(t, s, fresh):
        of_xt = make(t, s, fresh)
        return s**0.5 - of_xt * t**0.5, of_xt

    return function


def with_c0(make):
    """A mistake: `make(abar_t, abar_s, c_t)` is c_0, and c_t is right."""

    def function(t, s, fresh):
        of_xt = factors(t, s, fresh)[1]
        return make(t, s, of_xt), of_xt

    return function


def left(s, fresh):
    """The variance that is left for the old noise."""
    return max(1 - s - fresh**2, 0)


def posterior(t, s, fresh):
    """Lesson 02's factors, of a step as long as this one."""
    return s**0.5 * (1 - t / s) / (1 - t), root(t / s) * (1 - s) / (1 - t)


FACTORS = Exercise(
    "3.2", "a step with any fresh noise", 2, 10, factors, factors_cases,
    (
        # c_t.
        Mistake("fresh noise on top", with_ct(lambda t, s, fresh: root((1 - s) / (1 - t))),
                "A published fault: c_t makes no room for the fresh noise, so the variance grows. "
                "What is left for the old noise is 1 - abar_s - fresh^2."),
        Mistake("fresh not squared", with_ct(lambda t, s, fresh: root(
                    max(1 - s - fresh, 0) / (1 - t))),
                "`fresh` is a standard deviation, and variances add: subtract fresh^2."),
        Mistake("subtracted outside", with_ct(lambda t, s, fresh: (
                    (root(1 - s) - fresh) / root(1 - t))),
                "Standard deviations do not subtract: 1 - abar_s - fresh^2 stands under one root."),
        Mistake("fresh added", with_ct(lambda t, s, fresh: root((1 - s + fresh**2) / (1 - t))),
                "fresh^2 is taken from the variance of level s, not added to it."),
        Mistake("fresh squared twice", with_ct(lambda t, s, fresh: root(
                    max(1 - s - fresh**4, 0) / (1 - t))),
                "fresh^2 is the variance of the fresh noise; here it is squared once more."),
        Mistake("variance for c_t", with_ct(lambda t, s, fresh: left(s, fresh) / (1 - t)),
                "c_t is a factor of noise, the root of a quotient of variances: the root is "
                "missing."),
        Mistake("root above alone", with_ct(lambda t, s, fresh: root(left(s, fresh)) / (1 - t)),
                "x_t holds noise of standard deviation sqrt(1 - abar_t): that root is missing."),
        Mistake("root below alone", with_ct(lambda t, s, fresh: left(s, fresh) / root(1 - t)),
                "What is left for the old noise is a variance: its root is missing."),
        Mistake("c_t halved", with_ct(lambda t, s, fresh: left(s, fresh) / (1 - t) / 2),
                "`** 1/2` is (** 1) / 2: it halves. Write `** 0.5`."),
        Mistake("factor of eps", with_ct(lambda t, s, fresh: root(left(s, fresh))),
                "That is the factor of the noise alone; x_t holds sqrt(1 - abar_t) of it, so "
                "divide by that."),
        Mistake("multiplied", with_ct(lambda t, s, fresh: root(left(s, fresh) * (1 - t))),
                "The noise in x_t is sqrt(1 - abar_t) already: divide by it, do not multiply."),
        Mistake("upside down", with_ct(lambda t, s, fresh: root(
                    (1 - t) / left(s, fresh)) if left(s, fresh) else math.nan),
                "The fraction in c_t is upside down: what x_s has room for stands above."),
        Mistake("level of s below", with_ct(lambda t, s, fresh: root(
                    left(s, fresh) / (1 - s)) if s < 1 else math.nan),
                "x_t is at level t, so its noise is sqrt(1 - abar_t); abar_s stands there."),
        Mistake("levels of t", with_ct(lambda t, s, fresh: root(
                    max(1 - t - fresh**2, 0) / (1 - t))),
                "x_s arrives at level s, so 1 - abar_s is shared out; abar_t stands there."),
        Mistake("shares of signal", with_ct(lambda t, s, fresh: root(max(s - fresh**2, 0) / t)),
                "abar is the share of the image; the shares of noise are 1 - abar."),
        Mistake("minus c_t", with_ct(lambda t, s, fresh: -factors(t, s, fresh)[1]),
                "c_t is the negative root: that turns the noise round. Take the positive one."),
        Mistake("not 0 at the end", with_ct(lambda t, s, fresh: root((1 - s - fresh**2) / (1 - t))),
                "Where all of the noise is fresh, rounding may leave a little less than 0 under "
                "the root: take max(..., 0)."),
        # c_0.
        Mistake("image of x_t forgotten", with_c0(lambda t, s, c: root(s)),
                "x_t brings its own share of the image along, c_t sqrt(abar_t): subtract it from "
                "sqrt(abar_s)."),
        Mistake("c_t forgotten in c_0", with_c0(lambda t, s, c: root(s) - root(t)),
                "x_t brings c_t times sqrt(abar_t) of the image; c_t is missing there."),
        Mistake("image added", with_c0(lambda t, s, c: root(s) + c * root(t)),
                "What x_t brings of the image is subtracted from sqrt(abar_s), not added."),
        Mistake("minus c_0", with_c0(lambda t, s, c: c * root(t) - root(s)),
                "c_0 has the wrong sign: it is what is missing to sqrt(abar_s)."),
        Mistake("no roots in c_0", with_c0(lambda t, s, c: s - c * t),
                "In c_0 both roots are missing: the factors of the image are sqrt(abar)."),
        Mistake("first root in c_0", with_c0(lambda t, s, c: s - c * root(t)),
                "The image in x_s has the factor sqrt(abar_s); that root is missing in c_0."),
        Mistake("second root in c_0", with_c0(lambda t, s, c: root(s) - c * t),
                "The image in x_t has the factor sqrt(abar_t); that root is missing in c_0."),
        Mistake("variances in c_0", with_c0(lambda t, s, c: root(s - c**2 * t)),
                "The parts of the image in c_0 add as they are; only independent noises add as "
                "variances."),
        Mistake("c_t squared in c_0", with_c0(lambda t, s, c: root(s) - c**2 * root(t)),
                "x_t stands in (1) with c_t, not with its square."),
        Mistake("one root over c_0", with_c0(lambda t, s, c: root(s - c * t)),
                "The root in c_0 goes over each abar by itself, not over the difference."),
        Mistake("rest to 1", with_c0(lambda t, s, c: 1 - c),
                "c_0 and c_t need not add up to 1: c_0 adds what is missing to sqrt(abar_s) x0."),
        Mistake("c_0 of the levels", with_c0(lambda t, s, c: root(s / t)),
                "sqrt(abar_s / abar_t) turns x_t into x_s as a whole; c_0 is the factor of x0."),
        # Both.
        Mistake("factors of x0 and eps", lambda t, s, fresh: (root(s), root(left(s, fresh))),
                "Those are the factors of x0 and of the noise; (1) has x_t, in which both are."),
        Mistake("swapped levels", lambda t, s, fresh: factors(s, t, fresh),
                "abar_t and abar_s are swapped: x_t is at level t, the result at level s."),
        Mistake("posterior", posterior,
                "Those are lesson 02's factors, which belong to one amount of fresh noise; here "
                "`fresh` is handed in."),
        Mistake("rounded", lambda t, s, fresh: tuple(round(x, 2) for x in factors(t, s, fresh)),
                "Both are rounded to two digits; return them as they are."),
        Mistake("c_0 alone", lambda t, s, fresh: factors(t, s, fresh)[0],
                "That is c_0; the pair of c_0 and c_t is asked for."),
        Mistake("c_t alone", lambda t, s, fresh: factors(t, s, fresh)[1],
                "That is c_t; the pair of c_0 and c_t is asked for."),
    ),
)  # fmt: skip


EXERCISES = (FACTORS,)
