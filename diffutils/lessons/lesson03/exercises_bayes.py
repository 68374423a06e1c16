"""Exercise 3.3: the amount of fresh noise with which a step undoes the forward process.

Expected results come by Bayes' rule with precisions.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson03.exercises_fresh import levels_of_the_lesson


def ddpm_noise(abar_t, abar_s):
    """Std of the fresh noise that leaves x_s and x_t related as in the forward process."""
    kept = (abar_t / abar_s) ** 0.5 * (1 - abar_s) / (1 - abar_t)  # c_t, by the covariances
    return max(1 - abar_s - kept**2 * (1 - abar_t), 0) ** 0.5


def bayes(abar_t, abar_s):
    """Std of q(x_s | x_t, x0): the precisions of x_t given x_s and of x_s given x0 add."""
    a = abar_t / abar_s
    return (a / (1 - a) + 1 / (1 - abar_s)) ** -0.5 if abar_s < 1 else 0.0


def ddpm_noise_cases(seed) -> list[Case]:
    import numpy as np

    random, abar = np.random.default_rng(seed), levels_of_the_lesson()

    def case(abar_t, abar_s, about):
        return Case((abar_t, abar_s), bayes(abar_t, abar_s), about, tolerance=1e-5)

    def drawn(low, high):
        """Two levels, none of them near the other or near 0 and 1."""
        s = float(random.uniform(0.45, 0.9))
        return s * float(random.uniform(low, high)), s

    equal = (
        "Forward, the covariance is sqrt(abar_t / abar_s) (1 - abar_s); that of your step is "
        "c_t (1 - abar_t). Equal, they give c_t, and it gives the fresh noise."
    )
    return [
        case(0.2, 0.5, f"The worked value: from 0.2 to 0.5 it is 0.612. {equal}"),
        case(*drawn(0.2, 0.45), equal),
        case(*drawn(0.45, 0.7), equal),
        case(*drawn(0.2, 0.7), "Return the standard deviation, by which z is multiplied."),
        case(0.1, 0.9, "A long step adds little noise at its end."),
        case(abar[999], abar[979], "Between two high levels nearly all of the noise between them "
             "is fresh."),
        case(float(random.uniform(0.9, 0.99)), 1.0, "The last step ends at abar = 1, where no "
             "noise is left: 1 - abar_s is 0 there, so do not divide by it, and take max(..., 0) "
             "under a root."),
        case(abar[499], abar[479], "As the lesson calls it, with two neighbours of fifty steps."),
    ]  # fmt: skip


def noise_of(make):
    """A mistake: `make` of the factors (1 - s) / (1 - t) and 1 - t / s in place of their root."""
    return lambda t, s: make((1 - s) / (1 - t), 1 - t / s)


def by_ct(make):
    """A mistake: the fresh noise that goes with c_t = `make(abar_t, abar_s)`."""
    return lambda t, s: max(1 - s - make(t, s) ** 2 * (1 - t), 0) ** 0.5


DDPM_NOISE = Exercise(
    "3.3", "the fresh noise of DDPM", 2, 10, ddpm_noise, ddpm_noise_cases,
    (
        Mistake("variance", noise_of(lambda a, b: a * b),
                "That is the variance; z is multiplied by a standard deviation: take the root."),
        Mistake("half", noise_of(lambda a, b: a * b / 2),
                "It is half of the variance, where its root is asked for: `** 1/2` is "
                "(** 1) / 2. Write `** 0.5`."),
        Mistake("second root", noise_of(lambda a, b: a**0.5 * b),
                "Both factors stand under a root; 1 - abar_t / abar_s lacks it."),
        Mistake("first root", noise_of(lambda a, b: a * b**0.5),
                "Both factors stand under a root; (1 - abar_s) / (1 - abar_t) lacks it."),
        # The covariances.
        Mistake("c_t itself", lambda t, s: (t / s) ** 0.5 * (1 - s) / (1 - t),
                "That is c_t, the factor of x_t; what it leaves of the variance 1 - abar_s is the "
                "fresh noise's."),
        Mistake("forward noise", noise_of(lambda a, b: b**0.5),
                "That is the noise that the forward process adds between s and t; the fresh noise "
                "of the way back is less, by the root of (1 - abar_s) / (1 - abar_t)."),
        Mistake("variance of x_s forgotten", by_ct(lambda t, s: (t / s) ** 0.5),
                "In c_t = sqrt(abar_t / abar_s) (1 - abar_s) / (1 - abar_t) the second fraction is "
                "missing, or both of its brackets are: 1 - abar_s / 1 - abar_t is another "
                "number."),
        Mistake("variance of x_t forgotten", by_ct(lambda t, s: (t / s) ** 0.5 * (1 - s)),
                "The covariance of your step is c_t (1 - abar_t): divide by 1 - abar_t for c_t."),
        Mistake("root of the ratio forgotten", by_ct(lambda t, s: t / s * (1 - s) / (1 - t)),
                "Forward, x_t holds sqrt(abar_t / abar_s) of x_s; that root is missing."),
        Mistake("fading forgotten", by_ct(lambda t, s: (1 - s) / (1 - t)),
                "Forward, x_t holds sqrt(abar_t / abar_s) of x_s, not all of it; the noise between "
                "them is 1 - abar_t / abar_s, not abar_s - abar_t."),
        Mistake("levels multiplied in c_t", by_ct(lambda t, s: (t * s) ** 0.5 * (1 - s) / (1 - t)),
                "From s to t the image fades by sqrt(abar_t / abar_s): a quotient, no product."),
        Mistake("bar of t alone", by_ct(lambda t, s: t**0.5 * (1 - s) / (1 - t)),
                "sqrt(abar_t) is the fading from the clean image to t; from s to t it is "
                "sqrt(abar_t / abar_s)."),
        Mistake("upside down in c_t", by_ct(lambda t, s: (t / s) ** 0.5 * (1 - t) / (
                    1 - s) if s < 1 else 0.0),
                "In c_t the fraction is (1 - abar_s) / (1 - abar_t); it stands upside down."),
        Mistake("c_t not squared", lambda t, s: max(
                    1 - s - (t / s) ** 0.5 * (1 - s) / (1 - t) * (1 - t), 0) ** 0.5,
                "The old noise keeps the variance c_t^2 (1 - abar_t); c_t is not squared."),
        Mistake("variance of x_t left out", lambda t, s: max(
                    1 - s - t / s * ((1 - s) / (1 - t)) ** 2, 0) ** 0.5,
                "The old noise keeps the variance c_t^2 (1 - abar_t); 1 - abar_t is missing."),
        Mistake("what is kept", lambda t, s: (t / s) ** 0.5 * (1 - s) / (1 - t) ** 0.5,
                "That is how much of the old noise stays; the fresh noise is what is missing to "
                "1 - abar_s, in variances."),
        # The levels.
        Mistake("first factor only", noise_of(lambda a, b: a**0.5),
                "The factor 1 - abar_t / abar_s is missing: a short step needs little noise."),
        Mistake("first factor upside down", noise_of(lambda a, b: (b / a) ** 0.5 if a else 1.0),
                "(1 - abar_s) / (1 - abar_t) is upside down: the nearer s is to the image, the "
                "less noise is left to renew."),
        Mistake("ratio of the levels", lambda t, s: (s / t * (1 - t / s)) ** 0.5,
                "The first factor holds abar_s / abar_t; it holds the shares of noise, "
                "(1 - abar_s) / (1 - abar_t)."),
        Mistake("share that stays", noise_of(lambda a, b: (a * (1 - b)) ** 0.5),
                "abar_t / abar_s is the share that stays; the factor is what is lost, "
                "1 - abar_t / abar_s."),
        Mistake("levels multiplied", lambda t, s: ((1 - s) / (1 - t) * (1 - t * s)) ** 0.5,
                "The second factor holds 1 - abar_t abar_s; it is 1 - abar_t / abar_s."),
        Mistake("bracket", lambda t, s: ((1 - s) / (1 - t) * (1 - t) / s) ** 0.5,
                "The second factor holds (1 - abar_t) / abar_s; the fraction comes first: "
                "1 - abar_t / abar_s."),
        Mistake("root inside", lambda t, s: ((1 - s) / (1 - t)) ** 0.5 * (1 - (t / s) ** 0.5),
                "The root was taken of abar_t / abar_s alone; it goes over 1 - abar_t / abar_s as "
                "a whole."),
        Mistake("roots of the levels", lambda t, s: ddpm_noise(t**0.5, s**0.5),
                "The levels are rooted before they are put in; take abar_t and abar_s as they "
                "come."),
        Mistake("levels squared", lambda t, s: ddpm_noise(t**2, s**2),
                "The levels are squared before they are put in; take abar_t and abar_s as they "
                "come."),
        Mistake("added", noise_of(lambda a, b: a**0.5 + b**0.5),
                "Two roots are added that are multiplied."),
        Mistake("all noise of s", lambda t, s: (1 - s) ** 0.5,
                "That is all the noise that x_s holds, the most that a step can renew; only a part "
                "of it is fresh here."),
        Mistake("other units", lambda t, s: ddpm_noise(t, s) / s**0.5,
                "That is divided by sqrt(abar_s), as in the units of sigma; here it stays."),
        Mistake("rounded", lambda t, s: round(ddpm_noise(t, s), 3),
                "It is rounded to three digits; return it as it is."),
        Mistake("none", lambda t, s: 0.0,
                "Without fresh noise (DDIM) the two states are related more closely than in the "
                "forward process."),
        Mistake("with c_t", lambda t, s: ((t / s) ** 0.5 * (1 - s) / (1 - t), ddpm_noise(t, s)),
                "That is a pair; the fresh noise alone is asked for."),
    ),
)  # fmt: skip


EXERCISES = (DDPM_NOISE,)
