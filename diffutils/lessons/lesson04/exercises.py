"""Exercises 4.2, 4.3 and 4.5: preconditioning, the inverse of phi*, and how straight a curve is.

Expected results come by a regression over four points, by going forth and back, and from points
whose residuals are at right angles to the line, so that Pythagoras gives R^2.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 4.2 preconditioning


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


def precondition_cases(seed) -> list[Case]:
    import torch

    signs = torch.tensor([[1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0]], dtype=torch.float64)

    def regression(sigma, sigma_data):
        """Four pixels with the right variances, uncorrelated: the best line from x to clean."""
        clean, noise = sigma_data * signs[0], sigma * signs[1]
        x = (clean + noise)[:, None]
        skip = torch.linalg.lstsq(x, clean[:, None]).solution
        rest = clean[:, None] - x @ skip
        return torch.stack([skip.squeeze(), rest.square().mean().sqrt(), 1 / x.std(correction=0)])

    def case(levels, sigma_data, about, *shape):
        known = torch.stack([regression(s, sigma_data) for s in levels], 1)
        sigma = torch.tensor(levels, dtype=torch.float64).view(-1, *shape)
        return Case((sigma, sigma_data), tuple(c.view_as(sigma) for c in known), about)

    return [
        case([0.5], 0.5, "The worked value: 0.5, 0.3536 and 1.4142."),
        case([0.002, 0.1, 1.0, 80.0], 0.5,
             "At little noise D is x itself (c_skip 1, c_out 0); at much noise F must know it all "
             "(c_skip 0, c_out sigma_data)."),
        case([0.1, 0.25, 2.0], 0.25, "Data of another spread, sigma_data = 0.25."),
        case([0.3, 3.0], 1.5, "For images sigma has the shape (B, 1, 1, 1), and so have all three.",
             1, 1, 1),
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
        Mistake("nothing skipped", unit_target(lambda s, d: 0 * s),
                "F predicts the image: the target has variance 1, but another c_skip makes c_out "
                "smaller where there is little noise."),
        Mistake("all skipped", unit_target(lambda s, d: 1 + 0 * s),
                "F predicts the noise: the target has variance 1, but F's errors are multiplied by "
                "sigma, which may be 80. Another c_skip makes c_out smaller."),
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
        Mistake("spreads added", change(out=lambda s, d: s * d / (s + d),
                                        into=lambda s, d: 1 / (s + d)),
                "sigma and sigma_data are added; image and noise are independent, so it is the "
                "variances that add."),
        Mistake("c_in upside down", change(into=lambda s, d: (s**2 + d**2) ** 0.5),
                "c_in is upside down: x is divided by its standard deviation."),
        Mistake("negative root", change(out=lambda s, d: -s * d / (s**2 + d**2) ** 0.5),
                "The variance leaves the sign of c_out open; the task asks for the positive root."),
        Mistake("order", lambda s, d: tuple(precondition(s, d)[i] for i in (0, 2, 1)),
                "c_in and c_out have changed places: the order is c_skip, c_out, c_in."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 4.3 inverse of phi*


def sigma_of(p, c):
    """The noise level at which sigma / (sigma + c) is p."""
    return c * p / (1 - p)


def sigma_of_cases(seed) -> list[Case]:
    import torch

    sigma = torch.tensor([0.002, 0.3, 1.0, 80.0], dtype=torch.float64)
    return [
        Case((0.5, 0.3), 0.3, "The worked value: phi* is 1/2 where sigma is c."),
        Case((0.8, 2.0), 8.0, "Forth again: 8 / (8 + 2) = 0.8."),
        Case((sigma / (sigma + 0.3), 0.3), sigma, "p may be a tensor; there and back is sigma."),
    ]


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
                "1 and p have changed places below, so sigma is negative."),
        Mistake("p sigma lost", lambda p, c: c * p,
                "p (sigma + c) is p sigma + p c; the p sigma was lost on the way."),
        Mistake("brackets", lambda p, c: c * p / 1 - p,
                "Python divides by 1 and then subtracts p: write c * p / (1 - p)."),
        Mistake("c is 0.3", lambda p, c: 0.3 * p / (1 - p),
                "0.3 stands where c belongs; the lesson also tries other c."),
        Mistake("c divides", lambda p, c: p / (1 - p) / c,
                "The odds p / (1 - p) are sigma / c, so multiply by c."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 4.5 R^2


def straightness(x, y):
    """R^2 of the least-squares straight line through the points x (n,), y (n,)."""
    x, y = x - x.mean(), y - y.mean()
    rest = y - (x * y).sum() / (x * x).sum() * x
    return 1 - (rest**2).sum() / (y**2).sum()


def fitted(x, y, *, centre=True, line=None, about=None, score=None):
    """`straightness`, of which a mistake may replace one part.

    line: residuals from x and y; about: what the total is measured from;
    score: R^2 from the residuals and the deviations of y.
    """
    mean_x, mean_y = (x.mean(), y.mean()) if centre else (0.0, 0.0)
    a, b = x - mean_x, y - mean_y
    rest = b - (a * b).sum() / (a * a).sum() * a if line is None else line(x, y)
    away = y - y.mean() if about is None else y - about
    if score is None:
        return 1 - (rest**2).sum() / (away**2).sum()
    return score(rest, away)


def correlation(x, y):
    """Pearson's r."""
    a, b = x - x.mean(), y - y.mean()
    return (a * b).sum() / ((a * a).sum() * (b * b).sum()) ** 0.5


def slope(x, y):
    """Of the right line."""
    a = x - x.mean()
    return (a * y).sum() / (a * a).sum()


def straightness_cases(seed) -> list[Case]:
    import torch

    def tensor(*values):
        return torch.tensor(values, dtype=torch.float64)

    def case(x, line, rest, about):
        """Points on a line, moved by `rest`, which is at right angles to x and to a constant."""
        x, line, rest = tensor(*x), tensor(*line), tensor(*rest)
        explained, left = (line - line.mean()).square().sum(), rest.square().sum()
        return Case((x, line + rest), explained / (explained + left), about)

    return [
        case((0, 1, 2), (0.5, 1, 1.5), (-0.5, 1, -0.5),
             "The worked value: (0, 0), (1, 2), (2, 1) give 1 - 1.5 / 2 = 0.25."),
        case((1, 4, 5, 10), (0.9, 0.6, 0.5, 0), (0.02, 0.02, -0.06, 0.02),
             "A curve that falls almost straight, as SSIM does, at points of unequal distance."),
        case((2, 3, 4, 5), (7, 9, 11, 13), (0, 0, 0, 0), "Points on a line have R^2 = 1."),
        case((2, 3, 4, 5), (3, 3, 3, 3), (1, -1, -1, 1),
             "Where the best line is level it explains nothing: R^2 = 0."),
    ]  # fmt: skip


STRAIGHTNESS = Exercise(
    "4.5", "how straight a curve is", 2, 10, straightness, straightness_cases,
    (
        Mistake("correlation", correlation,
                "That is the correlation r; R^2 of a straight line is its square, so never "
                "negative."),
        Mistake("root", lambda x, y: abs(correlation(x, y)),
                "That is the root of R^2; 0.25 must come out of the worked value, not 0.5."),
        Mistake("through the origin", lambda x, y: fitted(x, y, centre=False),
                "The line is forced through the origin: it lacks its intercept. Subtract the means "
                "of x and y first."),
        Mistake("through the origin, total too", lambda x, y: fitted(
                    x, y, centre=False, about=0.0),
                "Everything is measured from 0, line and total; that flatters. The line has an "
                "intercept, and the total is measured from the mean of y."),
        Mistake("intercept forgotten", lambda x, y: fitted(
                    x, y, line=lambda x, y: y - slope(x, y) * x),
                "The slope is right, but the residuals lack the intercept."),
        Mistake("total from 0", lambda x, y: fitted(x, y, about=0.0),
                "The total is the sum of y^2; it must be measured from the mean of y, or a level "
                "line would look good."),
        Mistake("line not fitted", lambda x, y: fitted(x, y, line=lambda x, y: y - x),
                "Those are distances from the line y = x: that is what r2_score(y, x) gives. Fit "
                "slope and intercept first."),
        Mistake("ends joined", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y[0] - (y[-1] - y[0]) / (x[-1] - x[0]) * (x - x[0]))),
                "That is the line from the first to the last point; asked for is the one with the "
                "least squares."),
        Mistake("n and n - 1", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).mean() / away.var())),
                "The residuals are divided by n, the variance by n - 1 (as torch's var does); "
                "divide both alike, or neither."),
        Mistake("n - 1 and n", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - rest.var() / (away**2).mean())),
                "The residuals are divided by n - 1 (as torch's var does), the total by n; divide "
                "both alike, or neither."),
        Mistake("adjusted", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).sum() / max(1, len(rest) - 2)
                    / ((away**2).sum() / (len(rest) - 1)))),
                "That is the adjusted R^2, with n - 2 and n - 1 below; return the plain one."),
        Mistake("1 - MSE", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).mean())),
                "1 - MSE depends on the unit of y; divide the residuals by the total first."),
        Mistake("1 - sum", lambda x, y: fitted(x, y, score=lambda rest, away: 1 - (rest**2).sum()),
                "The sum of squared residuals must be divided by the total sum of squares."),
        Mistake("what is left", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    (rest**2).sum() / (away**2).sum())),
                "That is the share that the line does not explain; R^2 is 1 minus that."),
        Mistake("signs cancel", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - rest.sum() ** 2 / (away**2).sum())),
                "Every curve gets 1: residuals of the best line add up to 0. Square first, then "
                "add."),
        Mistake("not squared", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - abs(rest).sum() / abs(away).sum())),
                "Residuals and total are added as absolute values; R^2 adds squares."),
        Mistake("slope", slope,
                "That is the slope of the line; R^2 says how near the points are to it."),
    ),
)  # fmt: skip


EXERCISES = (PRECONDITION, SIGMA_OF, STRAIGHTNESS)
