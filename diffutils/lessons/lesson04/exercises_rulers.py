"""Exercises 4.3 and 4.5: the inverse of phi*, and how straight a curve is.

Expected results come by going forth and back, and from points whose residuals are at right angles
to the line, so that Pythagoras gives R^2.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake

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


EXERCISES = (SIGMA_OF, STRAIGHTNESS)
