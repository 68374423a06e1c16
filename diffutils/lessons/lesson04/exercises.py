"""Exercise 4.2: preconditioning.

Expected results come by a regression over four points that have the right variances.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def precondition(sigma, sigma_data):
    """c_skip, c_out, c_in for noise levels sigma (B,) and data of spread sigma_data."""
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, 1 / total**0.5


def change(skip=None, out=None, into=None):
    """A mistake: `precondition` with another c_skip(s, d), c_out(s, d) or c_in(s, d)."""

    def function(sigma, sigma_data):
        right = precondition(sigma, sigma_data)
        return tuple(
            known if wrong is None else wrong(sigma, sigma_data)
            for known, wrong in zip(right, (skip, out, into), strict=True)
        )

    return function


def unit_target(skip):
    """A mistake: another c_skip, and the c_out that makes the target's variance 1 for it."""
    return change(skip, lambda s, d: ((1 - skip(s, d)) ** 2 * d**2 + skip(s, d) ** 2 * s**2) ** 0.5)


def with_total(total):
    """A mistake: all three factors with another variance of x, total(s, d)."""
    return change(
        lambda s, d: d**2 / total(s, d),
        lambda s, d: s * d / total(s, d) ** 0.5,
        lambda s, d: 1 / total(s, d) ** 0.5,
    )


def order(*places):
    """A mistake: the right factors in another order."""
    return lambda s, d: tuple(precondition(s, d)[i] for i in places)


def precondition_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)
    signs = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]], dtype=torch.float64)

    def regression(sigma, sigma_data):
        """Four pixels with the right variances, uncorrelated: the best line from x to clean."""
        clean, noise = sigma_data * signs[0], sigma * signs[1]
        x = (clean + noise)[:, None]
        skip = torch.linalg.lstsq(x, clean[:, None]).solution
        rest = clean[:, None] - x @ skip
        return torch.stack([skip.squeeze(), rest.square().mean().sqrt(), 1 / x.std(correction=0)])

    def case(levels, sigma_data, about, *shape, copies=1, dtype=torch.float64, tolerance=1e-6):
        known = torch.stack([regression(s, sigma_data) for s in levels], 1)
        sigma = torch.tensor(levels * copies, dtype=dtype).view(-1, *shape)
        factors = tuple(c.repeat(copies).to(dtype).view_as(sigma) for c in known)
        return Case((sigma, sigma_data), factors, about, tolerance)

    def levels(n, middle=0.7):
        return (middle * np.exp(1.2 * rng.normal(size=n))).tolist()

    spread = lambda low, high: float(rng.uniform(low, high))  # noqa: E731
    # The worked value, edges and random ones; the last is as the lesson has it.
    return [
        case([0.5], 0.5, "The worked value: 0.5, 0.3536 and 1.4142."),
        case([1.0, 0.002, 80.0, 0.1], 0.5,
             "At little noise D is x itself (c_skip 1, c_out 0); at much noise F must know it all "
             "(c_skip 0, c_out sigma_data)."),
        case(levels(7), spread(0.2, 0.4), "Data of another spread, sigma_data."),
        case(levels(3), spread(1.3, 1.8),
             "For images sigma has the shape (B, 1, 1, 1), and so have all three.", 1, 1, 1),
        case(levels(5), spread(0.6, 0.9), "The three have the dtype of sigma, here float32.",
             dtype=torch.float32, tolerance=1e-5),
        case(levels(1), spread(0.55, 0.65),
             "As the lesson calls it: one level for 512 images, sigma (512, 1, 1, 1).", 1, 1, 1,
             copies=512),
    ]  # fmt: skip


PRECONDITION = Exercise(
    "4.2", "preconditioning", 3, 15, precondition, precondition_cases,
    (
        Mistake("DDPM's c_in", change(into=lambda s, d: 1 / (1 + s**2) ** 0.5),
                "c_in is DDPM's 1 / sqrt(1 + sigma^2): that is what you get when the data have "
                "variance 1. Yours have sigma_data^2."),
        Mistake("sigma_data 1", lambda s, d: precondition(s, 1.0),
                "sigma_data makes no difference: that is what you get for data of variance 1, and "
                "it is v-prediction."),
        Mistake("sigma_data 0.5", lambda s, d: precondition(s, 0.5),
                "0.5 stands where sigma_data belongs; it is right for EDM's own data only."),
        Mistake("noise on top", change(lambda s, d: s**2 / (s**2 + d**2)),
                "c_skip has the variance of the noise on top. It is the image's share of x, so "
                "sigma_data^2 belongs there."),
        Mistake("noise on top, c_out too", unit_target(lambda s, d: s**2 / (s**2 + d**2)),
                "c_skip has the variance of the noise on top, and c_out follows it: the target has "
                "variance 1, but c_out is larger than it must be."),
        Mistake("c_skip upside down", change(lambda s, d: (s**2 + d**2) / d**2),
                "c_skip is upside down: it is the image's share of the variance of x, at most 1."),
        Mistake("ratio of image and noise", change(lambda s, d: d**2 / s**2),
                "c_skip compares image and noise; below belongs the variance of both together, "
                "sigma^2 + sigma_data^2."),
        Mistake("spread on top of c_skip", change(lambda s, d: d / (s**2 + d**2)),
                "c_skip has sigma_data on top of a variance; it is a ratio of variances, so square "
                "it."),
        Mistake("1 on top of c_skip", change(lambda s, d: 1 / (s**2 + d**2)),
                "c_skip lacks sigma_data^2 on top: without noise it must be 1."),
        Mistake("brackets in c_skip", change(lambda s, d: d**2 / s**2 + d**2),
                "Python divides by sigma^2 and then adds sigma_data^2: the sum below c_skip needs "
                "brackets."),
        Mistake("share of spreads", change(lambda s, d: d / (s + d)),
                "c_skip is a share of spreads; image and noise are independent, so it is their "
                "variances that add. Square sigma and sigma_data."),
        Mistake("nothing skipped", unit_target(lambda s, d: 0 * s),
                "F predicts the image: the target has variance 1, but another c_skip makes c_out "
                "smaller where there is little noise."),
        Mistake("all skipped", unit_target(lambda s, d: 1 + 0 * s),
                "F predicts the noise: the target has variance 1, but F's errors are multiplied by "
                "sigma, which may be 80. Another c_skip makes c_out smaller."),
        Mistake("c_skip 0", change(lambda s, d: 0 * s),
                "c_skip is 0, so x is not used where it is clean; without noise c_skip is 1."),
        Mistake("c_skip 1", change(lambda s, d: 1 + 0 * s),
                "c_skip is 1, as in DDPM; at much noise F must then take all of the noise away. It "
                "is the image's share of the variance of x."),
        Mistake("root in c_skip", change(lambda s, d: d / (s**2 + d**2) ** 0.5),
                "c_skip is a ratio of variances; here it is a ratio of standard deviations."),
        Mistake("root in c_skip, c_out too", unit_target(lambda s, d: d / (s**2 + d**2) ** 0.5),
                "With that c_skip (x scaled to the spread of the data) c_out is not the smallest: "
                "set the derivative of c_out^2 by c_skip to 0."),
        Mistake("c_out not divided", change(out=lambda s, d: s * d),
                "c_out lacks its denominator sqrt(sigma^2 + sigma_data^2): it would grow with "
                "sigma; it may not exceed sigma_data."),
        Mistake("c_out without sigma_data", change(out=lambda s, d: s / (s**2 + d**2) ** 0.5),
                "c_out lacks sigma_data on top: at much noise D must have the spread of the data."),
        Mistake("c_out without sigma", change(out=lambda s, d: d / (s**2 + d**2) ** 0.5),
                "c_out lacks sigma on top: without noise F has nothing to say, and c_out is 0."),
        Mistake("c_out is sigma", change(out=lambda s, d: s),
                "c_out is sigma, as where F predicts the noise: it may be 80. For the best c_skip "
                "it never exceeds sigma_data."),
        Mistake("c_out is sigma_data", change(out=lambda s, d: d + 0 * s),
                "c_out is sigma_data, as where F predicts the image; with a part of x skipped less "
                "is left, and without noise nothing."),
        Mistake("c_out is the spread of x", change(out=lambda s, d: (s**2 + d**2) ** 0.5),
                "c_out is the spread of x; asked for is that of x0 - c_skip x, which is smaller."),
        Mistake("sigma squared in c_out", change(out=lambda s, d: s**2 * d / (s**2 + d**2) ** 0.5),
                "c_out has sigma^2 on top; with the root below, sigma stands there once."),
        Mistake("sigma_data squared in c_out", change(
                    out=lambda s, d: s * d**2 / (s**2 + d**2) ** 0.5),
                "c_out has sigma_data^2 on top; with the root below, sigma_data stands there "
                "once."),
        Mistake("no roots", change(out=lambda s, d: s * d / (s**2 + d**2),
                                   into=lambda s, d: 1 / (s**2 + d**2)),
                "c_out and c_in are divided by a variance; a value is scaled by a standard "
                "deviation: take the root."),
        Mistake("variance in c_in", change(into=lambda s, d: 1 / (s**2 + d**2)),
                "c_in divides by the variance of x; to get variance 1, divide by its root."),
        Mistake("c_out over variance", change(out=lambda s, d: s * d / (s**2 + d**2)),
                "The denominator of c_out lacks its root."),
        Mistake("variance in c_out", change(out=lambda s, d: s**2 * d**2 / (s**2 + d**2)),
                "That is c_out^2, the variance of what is left; c_out is its root."),
        Mistake("variances of both", change(out=lambda s, d: s**2 * d**2 / (s**2 + d**2),
                                            into=lambda s, d: 1 / (s**2 + d**2)),
                "c_out and c_in are the squares of the right ones; a value is scaled by a standard "
                "deviation: take the root of both."),
        Mistake("c_out's root over all", change(out=lambda s, d: (s * d / (s**2 + d**2)) ** 0.5),
                "In c_out the root also covers sigma sigma_data on top; there it is "
                "sqrt(sigma^2 sigma_data^2), so sigma sigma_data stays outside."),
        Mistake("roots halved", change(out=lambda s, d: s * d / (s**2 + d**2) / 2,
                                       into=lambda s, d: 1 / (s**2 + d**2) / 2),
                "Python reads `a ** 1/2` as (a ** 1) / 2; write `a ** 0.5` or `a ** (1/2)`."),
        Mistake("roots halved, in brackets", change(out=lambda s, d: s * d / ((s**2 + d**2) / 2),
                                                    into=lambda s, d: 2 / (s**2 + d**2)),
                "Python reads `(a ** 1/2)` as (a ** 1) / 2: no root is taken. Write `a ** 0.5`."),
        Mistake("c_out's root halved", change(out=lambda s, d: s * d / (s**2 + d**2) / 2),
                "In c_out Python reads `a ** 1/2` as (a ** 1) / 2; write `a ** 0.5`."),
        Mistake("c_in's root halved", change(into=lambda s, d: 1 / (s**2 + d**2) / 2),
                "In c_in Python reads `a ** 1/2` as (a ** 1) / 2; write `a ** 0.5`."),
        Mistake("c_in's root halved, in brackets", change(into=lambda s, d: 2 / (s**2 + d**2)),
                "In c_in Python reads `(a ** 1/2)` as half of a: no root is taken. Write "
                "`a ** 0.5`."),
        Mistake("spreads added", change(out=lambda s, d: s * d / (s + d),
                                        into=lambda s, d: 1 / (s + d)),
                "sigma and sigma_data are added; image and noise are independent, so it is the "
                "variances that add."),
        Mistake("spreads added in c_in", change(into=lambda s, d: 1 / (s + d)),
                "c_in adds sigma and sigma_data; image and noise are independent, so their "
                "variances add: divide by sqrt(sigma^2 + sigma_data^2)."),
        Mistake("spreads added below c_out", change(out=lambda s, d: s * d / (s + d)),
                "Below c_out the spreads are added; image and noise are independent, so their "
                "variances add: sqrt(sigma^2 + sigma_data^2)."),
        Mistake("spreads added in c_out", change(
                    out=lambda s, d: s * d * (s + d) / (s**2 + d**2)),
                "c_out adds the spreads of what image and noise leave over; they are independent, "
                "so square both, add, and take the root."),
        Mistake("factors not squared", change(
                    out=lambda s, d: (2 * s**2 * d**2 / (s**2 + d**2)) ** 0.5),
                "c_out is too large by sqrt(2): in the variance of the target 1 - c_skip and "
                "c_skip are squared, too."),
        Mistake("image left out", change(out=lambda s, d: d**2 * s / (s**2 + d**2)),
                "c_out has only the noise in the target, c_skip sigma; the image's part, "
                "(1 - c_skip) sigma_data, has a variance too."),
        Mistake("noise left out", change(out=lambda s, d: s**2 * d / (s**2 + d**2)),
                "c_out has only the image's part of the target, (1 - c_skip) sigma_data; the noise "
                "in it, c_skip sigma, has a variance too."),
        Mistake("c_out upside down", change(out=lambda s, d: (s**2 + d**2) ** 0.5 / (s * d)),
                "c_out is upside down: the target is divided by c_out, so c_out is its spread."),
        Mistake("lambda", change(out=lambda s, d: (s**2 + d**2) / (s * d) ** 2),
                "That is lambda, the weight 1 / c_out^2 of the loss; return c_out."),
        Mistake("c_in upside down", change(into=lambda s, d: (s**2 + d**2) ** 0.5),
                "c_in is upside down: x is divided by its standard deviation."),
        Mistake("spread of the data in c_in", change(into=lambda s, d: d / (s**2 + d**2) ** 0.5),
                "That c_in gives x the spread of the data; asked for is variance 1."),
        Mistake("not scaled", change(into=lambda s, d: 1 + 0 * s),
                "c_in is 1, so F sees inputs as large as the noise; divide by the spread of x."),
        Mistake("negative c_in", change(into=lambda s, d: -1 / (s**2 + d**2) ** 0.5),
                "c_in is negative; the task asks for the positive root."),
        Mistake("c_noise", change(into=lambda s, d: s.log() / 4),
                "That is c_noise, how F is told the level; c_in divides x by its spread."),
        Mistake("data only in c_in", change(into=lambda s, d: 1 / d + 0 * s),
                "c_in divides by the spread of the data alone; the noise is part of x too."),
        Mistake("noise only in c_in", change(into=lambda s, d: 1 / s),
                "c_in divides by the noise alone; the image is part of x too."),
        Mistake("sigma not squared", with_total(lambda s, d: s + d**2),
                "The variance of x has sigma where sigma^2 belongs: sigma is a spread."),
        Mistake("sigma_data not squared", with_total(lambda s, d: s**2 + d),
                "The variance of x has sigma_data where sigma_data^2 belongs: it is a spread."),
        Mistake("nothing squared", with_total(lambda s, d: s + d),
                "The variance of x is the sum of two variances: sigma^2 + sigma_data^2. Here "
                "neither is squared."),
        Mistake("data of variance 1", with_total(lambda s, d: s**2 + 1),
                "The variance of x has 1 where sigma_data^2 belongs."),
        Mistake("variances subtracted", with_total(lambda s, d: abs(s**2 - d**2)),
                "The variance of x is a sum: of independent things the variances add."),
        Mistake("total of spreads", with_total(lambda s, d: (s + d) ** 2),
                "The variance of x is (sigma + sigma_data)^2; image and noise are independent, so "
                "square first, then add."),
        Mistake("negative root", change(out=lambda s, d: -s * d / (s**2 + d**2) ** 0.5),
                "The variance leaves the sign of c_out open; the task asks for the positive root."),
        Mistake("order", order(0, 2, 1),
                "c_in and c_out have changed places: the order is c_skip, c_out, c_in."),
        Mistake("c_out first", order(1, 0, 2),
                "c_skip and c_out have changed places: the order is c_skip, c_out, c_in."),
        Mistake("c_in first", order(2, 0, 1),
                "c_in comes first; the order is c_skip, c_out, c_in."),
        Mistake("c_skip last", order(1, 2, 0),
                "c_skip comes last; the order is c_skip, c_out, c_in."),
    ),
)  # fmt: skip


EXERCISES = (PRECONDITION,)
