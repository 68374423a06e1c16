"""Exercise 4.5: how straight a curve is.

Expected results come from points whose residuals are at right angles to the line, so that
Pythagoras gives R^2.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


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


def parabola(x, y):
    """R^2 of the best parabola."""
    import torch

    z = x - x.mean()
    powers = torch.stack([torch.ones_like(z), z, z**2], 1)
    rest = y - powers @ torch.linalg.lstsq(powers, y).solution
    return 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()


def straightness_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    rng = np.random.default_rng(seed)

    def case(x, line, rest, about):
        """Points on a line, moved by `rest`, which is at right angles to x and to a constant."""
        x, line, rest = (torch.tensor(part, dtype=torch.float64) for part in (x, line, rest))
        explained, left = (line - line.mean()).square().sum(), rest.square().sum()
        return Case((x, line + rest), explained / (explained + left), about)

    def random(n, slope, share, about, first=0.0):
        """n points in no order, whose line explains about `share` of them."""
        x, rest = first + rng.exponential(2.0, n), rng.exponential(1.0, n)
        basis = np.linalg.qr(np.stack([np.ones(n), x], 1))[0]
        rest -= basis @ (basis.T @ rest)
        rest *= abs(slope) * x.std() / rest.std() * (1 / share - 1) ** 0.5
        return case(x, slope * x + rng.uniform(2, 4), rest, about)

    share = lambda low, high: float(rng.uniform(low, high))  # noqa: E731
    # The worked value, edges and random ones; the last is as the lesson has it.
    return [
        case((0, 1, 2), (0.5, 1, 1.5), (-0.5, 1, -0.5),
             "The worked value: (0, 0), (1, 2), (2, 1) give 1 - 1.5 / 2 = 0.25."),
        case((1, 4, 5, 10), (0.9, 0.6, 0.5, 0), (0.02, 0.02, -0.06, 0.02),
             "A curve that falls almost straight, as SSIM does, at points of unequal distance."),
        case((2, 3, 4, 5), (7, 9, 11, 13), (0, 0, 0, 0), "Points on a line have R^2 = 1."),
        case((2, 3, 4, 5), (3, 3, 3, 3), (1, -1, -1, 1),
             "Where the best line is level it explains nothing: R^2 = 0."),
        random(7, share(1.5, 4), share(0.3, 0.6), "The points come in any order."),
        random(12, -share(2, 5), share(0.5, 0.8), "A falling line, far from the origin.", 5.0),
        random(50, -share(0.2, 0.6), share(0.85, 0.95), "As in the search: 50 levels."),
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
        Mistake("correlation, n and n - 1", lambda x, y: (
                    correlation(x, y) * (len(x) - 1) / len(x)),
                "That is nearly the correlation: the covariance is divided by n, the spreads by "
                "n - 1 (torch's std). Divide alike, and R^2 is its square."),
        Mistake("its square, n and n - 1", lambda x, y: (
                    (correlation(x, y) * (len(x) - 1) / len(x)) ** 2),
                "The covariance is divided by n, the spreads by n - 1 (as torch's std does); "
                "divide alike, or take sums."),
        Mistake("brackets", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    (1 - (rest**2).sum()) / (away**2).sum())),
                "1 - what is left is divided by the total; divide what is left first, then "
                "subtract."),
        Mistake("spreads compared", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - ((rest**2).sum() / (away**2).sum()) ** 0.5)),
                "It compares standard deviations (a root was taken); R^2 compares sums of squares, "
                "or variances."),
        Mistake("mean over sum", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).mean() / (away**2).sum())),
                "The mean of the squared residuals is divided by a sum; take sums in both, or "
                "means."),
        Mistake("sum over mean", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).sum() / (away**2).mean())),
                "The sum of the squared residuals is divided by a mean; take sums in both, or "
                "means."),
        Mistake("sum over variance", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).sum() / away.var())),
                "The sum of the squared residuals is divided by a variance, which is a mean; take "
                "sums in both."),
        Mistake("plus", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 + (rest**2).sum() / (away**2).sum())),
                "What is left is added to 1; subtract it: R^2 is never above 1."),
        Mistake("upside down", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (away**2).sum() / (rest**2).sum())),
                "The fraction is upside down: what the line leaves is divided by the total."),
        Mistake("explained over left", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    ((away**2).sum() - (rest**2).sum()) / (rest**2).sum())),
                "What the line explains is divided by what it leaves; divide by the total."),
        Mistake("explained, not divided", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    (away**2).sum() - (rest**2).sum())),
                "That is the sum of squares that the line explains; divide it by the total."),
        Mistake("left, not divided", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    (rest**2).sum())),
                "That is the sum of squares that the line leaves; divide by the total, and take "
                "it from 1."),
        Mistake("total of x", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).sum() / ((x - x.mean()) ** 2).sum())),
                "The total is measured in x; it is y that varies around its mean."),
        Mistake("line for the total", lambda x, y: fitted(x, y, score=lambda rest, away: (
                    1 - (rest**2).sum() / ((away - rest) ** 2).sum())),
                "The residuals are divided by how much the line varies; divide by how much y "
                "does."),
        Mistake("slope of x on y", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - slope(y, x) * (x - x.mean()))),
                "The slope is divided by the squares of y; that is the line for x from y. Divide "
                "by those of x."),
        Mistake("fit of x on y", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - x.mean() - slope(y, x) * (x - y.mean()))),
                "x and y have changed places in the fit, as in polyfit(y, x); fit y from x."),
        Mistake("slope upside down", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - (x - x.mean()) / slope(x, y))),
                "The slope is upside down; it is sum(xy) / sum(x^2) with the means gone."),
        Mistake("slope not divided", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - ((x - x.mean()) * y).sum() * (x - x.mean()))),
                "The slope lacks its denominator, the sum of x^2 with the mean gone."),
        Mistake("slope with the means in", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - (x * y).sum() / (x * x).sum() * (x - x.mean()))),
                "The slope is made of x and y as they are; subtract both means first there, too."),
        Mistake("slope and intercept swapped", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - slope(x, y) - (y.mean() - slope(x, y) * x.mean()) * x)),
                "Slope and intercept have changed places; np.polyfit gives the slope first."),
        Mistake("intercept's sign", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - slope(x, y) * x + (y.mean() - slope(x, y) * x.mean()))),
                "The intercept has the wrong sign: it is mean(y) - slope mean(x), and a residual "
                "is y minus the whole line."),
        Mistake("plus in the intercept", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - slope(x, y) * x - (y.mean() + slope(x, y) * x.mean()))),
                "The intercept is mean(y) minus slope mean(x), not plus."),
        Mistake("slope, n and n - 1", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - slope(x, y) * (1 - 1 / len(x)) * (x - x.mean()))),
                "In the slope the covariance is divided by n, the variance by n - 1 (as torch's "
                "var does); divide alike, or take sums."),
        Mistake("slope over the spread", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean()
                    - slope(x, y) * (1 - 1 / len(x)) * x.std() * (x - x.mean()))),
                "The slope is divided by the spread of x; divide by its variance (and both by n, "
                "or both by n - 1)."),
        Mistake("slope of the spreads", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - y.std() / x.std() * (x - x.mean()))),
                "The slope is the ratio of the spreads; least squares multiplies that by the "
                "correlation."),
        Mistake("through the first point", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y[0] - slope(x, y) * (x - x[0]))),
                "The slope is right, but the line starts at the first point; the best one goes "
                "through both means."),
        Mistake("slope of the ends", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - (y[-1] - y[0]) / (x[-1] - x[0]) * (x - x.mean()))),
                "The slope is that from the first to the last point; least squares uses all "
                "points: sum(xy) / sum(x^2) with the means gone."),
        Mistake("x stays", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() - slope(x, y) * x)),
                "The intercept is the mean of y alone: subtract the mean of x, too, before it is "
                "multiplied by the slope."),
        Mistake("line added", lambda x, y: fitted(x, y, line=lambda x, y: (
                    y - y.mean() + slope(x, y) * (x - x.mean()))),
                "The line is added to y; a residual is y minus the line."),
        Mistake("sorted", lambda x, y: straightness(x.sort().values, y.sort().values),
                "x and y are sorted each for itself, so points are torn apart; any order is fine."),
        Mistake("parabola", parabola,
                "That is a parabola's share; fit a straight line, of degree 1."),
        Mistake("slope", slope,
                "That is the slope of the line; R^2 says how near the points are to it."),
    ),
)  # fmt: skip


EXERCISES = (STRAIGHTNESS,)
