"""Exercises 3.4 to 3.6: a path between two noises, a distance, and an interval.

Expected results are rotations, sums worked by hand, and SciPy's own interval.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 3.4 slerp


def slerp(a, b, t):
    """From a (t = 0) to b (t = 1) along the arc, for every sample of the batch by itself."""
    return arc(a, b, t)


def arc(a, b, t, *, one_angle=False, normed=True, weights=None):
    """`slerp`, of which a mistake may replace one part."""
    import torch

    shape = (-1, *[1] * (a.ndim - 1))
    x, y = (a.reshape(1, -1), b.reshape(1, -1)) if one_angle else (a.flatten(1), b.flatten(1))
    lengths = x.norm(dim=1) * y.norm(dim=1) if normed else 1.0
    cosine = ((x * y).sum(1) / lengths).clamp(-1, 1)
    angle = cosine.acos().view(shape)
    if weights is not None:
        first, second = weights(angle, t)
    else:
        first, second = torch.sin((1 - t) * angle), torch.sin(t * angle)
        first, second = first / torch.sin(angle), second / torch.sin(angle)
    parallel = torch.sin(angle).abs() < 1e-6  # there the arc is the line
    first = torch.where(parallel, torch.full_like(first, 1 - t), first)
    second = torch.where(parallel, torch.full_like(second, t), second)
    return first * a + second * b


def pushed_out(a, b, t):
    """The straight line, stretched to the length that a and b have."""
    line = (1 - t) * a + t * b
    length = (1 - t) * a.flatten(1).norm(dim=1) + t * b.flatten(1).norm(dim=1)
    return line * (length / line.flatten(1).norm(dim=1)).view(-1, *[1] * (a.ndim - 1))


def slerp_cases(seed) -> list[Case]:
    import torch

    def turned(length, *degrees):
        rad = torch.tensor(degrees, dtype=torch.float64) * math.pi / 180
        return length * torch.stack([rad.cos(), rad.sin()], 1).view(-1, 1, 1, 2)

    return [
        Case((turned(1, 0), turned(1, 90), 0.5), turned(1, 45),
             "The worked value: half-way from (1, 0) to (0, 1) lies (0.7071, 0.7071)."),
        Case((turned(3, 0, 10), turned(3, 60, 160), 0.25), turned(3, 15, 47.5),
             "Every sample turns by its own angle, and noise of length 3 stays of length 3."),
        Case((turned(2, 0, 30), turned(2, 90, 70), 0.0), turned(2, 0, 30), "t = 0 gives a."),
        Case((turned(2, 0, 30), turned(2, 90, 70), 1.0), turned(2, 90, 70), "t = 1 gives b."),
        Case((turned(1, 20), turned(1, 20), 0.3), turned(1, 20),
             "From a noise to itself: the angle is 0, and sin(0) must not be divided by."),
        Case((turned(1, 20, 0), turned(1, 20, 90), 0.5), turned(1, 20, 45),
             "One noise of the batch is paired with itself, the other is not."),
    ]  # fmt: skip


SLERP = Exercise(
    "3.4", "a path between two noises", 2, 10, slerp, slerp_cases,
    (
        Mistake("straight line", lambda a, b, t: (1 - t) * a + t * b,
                "That is the straight line; half-way the noise is too short, by a factor of 0.71 "
                "where a and b are at right angles."),
        Mistake("swapped", lambda a, b, t: arc(b, a, t),
                "t = 0 must give a, t = 1 must give b; they are swapped."),
        Mistake("one angle", lambda a, b, t: arc(a, b, t, one_angle=True),
                "The angle was taken over the whole batch; every sample has its own."),
        Mistake("not normed", lambda a, b, t: arc(a, b, t, normed=False),
                "The cosine of the angle is a.b divided by both lengths."),
        Mistake("not divided by sin", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    ((1 - t) * w).sin(), (t * w).sin())),
                "Both weights must be divided by the sine of the whole angle."),
        Mistake("line pushed out", pushed_out,
                "The line, stretched to the old length, does not turn at one speed: t = 0.25 is "
                "not a quarter of the angle."),
        Mistake("quarter circle", lambda a, b, t: (
                    math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b),
                "That assumes a right angle between a and b; take the angle from a and b."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.5 a distance


def frechet_diagonal(x, y):
    """Squared Fréchet distance of features x (N, d) and y (M, d), features independent."""
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).square().sum()


def frechet_cases(seed) -> list[Case]:
    import torch

    def cloud(*columns):
        """Features with the given (mean, std) in each column: four points about the mean."""
        unit = torch.tensor([-1.5, -0.5, 0.5, 1.5], dtype=torch.float64)
        unit = unit / unit.std()
        return torch.stack([mean + std * unit for mean, std in columns], 1)

    def number(value):
        return torch.tensor(float(value), dtype=torch.float64)

    return [
        Case((cloud((0, 1)), cloud((1, 3))), number(1 + 4),
             "The worked value: means 0 and 1, standard deviations 1 and 3 give 1 + 4 = 5."),
        Case((cloud((0, 1), (2, 0.5)), cloud((1, 3), (4, 1))), number(5 + 4 + 0.25),
             "Two features: their contributions add up."),
        Case((cloud((0, 1), (2, 0.5)), cloud((0, 1), (2, 0.5))), number(0),
             "A cloud is at distance 0 from itself."),
        Case((cloud((0, 2)), cloud((-3, 0.5))), number(9 + 2.25),
             "It counts which way neither mean nor spread is off: both differences are squared."),
    ]  # fmt: skip


def frechet_by(x, y, spread, reduce=lambda v: v.sum()):
    """`frechet_diagonal` with another term for the spread or another sum."""
    return reduce((x.mean(0) - y.mean(0)).square()) + reduce(spread(x, y))


FRECHET = Exercise(
    "3.5", "a distance between two clouds", 1, 5, frechet_diagonal, frechet_cases,
    (
        Mistake("variances", lambda x, y: frechet_by(
                    x, y, lambda x, y: (x.var(0) - y.var(0)).square()),
                "The variances are compared; it is the standard deviations whose difference is "
                "squared."),
        Mistake("root", lambda x, y: frechet_diagonal(x, y).sqrt(),
                "That is the root of it; the distance as it is reported is not rooted."),
        Mistake("mean of features", lambda x, y: frechet_by(
                    x, y, lambda x, y: (x.std(0) - y.std(0)).square(), lambda v: v.mean()),
                "The contributions of the features are added, not averaged."),
        Mistake("means only", lambda x, y: frechet_by(x, y, lambda x, y: 0 * x.std(0)),
                "The spread is missing: a generator that draws one average image would score 0."),
        Mistake("added spreads", lambda x, y: frechet_by(
                    x, y, lambda x, y: x.var(0) + y.var(0)),
                "The spreads of both clouds are added: a cloud would be far from itself. Subtract "
                "2 s_x s_y."),
        Mistake("divided by N", lambda x, y: frechet_by(x, y, lambda x, y: (
                    x.std(0, correction=0) - y.std(0, correction=0)).square()),
                "The spread is divided by N; of a sample it is divided by N - 1, as torch's std "
                "does."),
        Mistake("not squared", lambda x, y: (
                    (x.mean(0) - y.mean(0)).abs().sum() + (x.std(0) - y.std(0)).abs().sum()),
                "Both differences are squared before they are added."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.6 an interval


def interval(values, share=0.95):
    """Low and high end of Student's interval for the mean of independent runs."""
    return student(values, share)


def student(values, share=0.95, *, by_n=False, root=True, freedom=-1, two=True):
    """`interval`, of which a mistake may replace one part."""
    import numpy as np
    from scipy import stats

    n = len(values)
    s = np.std(values, ddof=0 if by_n else 1)
    tail = (1 + share) / 2 if two else share
    half = stats.t.ppf(tail, n + freedom) * s / (n**0.5 if root else 1)
    return np.mean(values) - half, np.mean(values) + half


def interval_cases(seed) -> list[Case]:
    import numpy as np
    from scipy import stats

    def case(values, share, about):
        values = np.array(values)
        known = stats.t.interval(share, len(values) - 1, values.mean(), stats.sem(values))
        return Case((values, share), tuple(float(v) for v in known), about)

    return [
        case([1.0, 2.0, 3.0], 0.95,
             "The worked value: 1, 2, 3 give 2 plus or minus 4.303 * 1 / sqrt(3) = 2.484."),
        case([4.0, 4.5, 6.0, 5.5, 5.0], 0.95, "More runs: the factor of Student falls to 2.776."),
        case([1.0, 2.0, 3.0], 0.5, "Another share than 95 %."),
    ]  # fmt: skip


INTERVAL = Exercise(
    "3.6", "an interval from three runs", 2, 10, interval, interval_cases,
    (
        Mistake("normal", lambda values, share=0.95: student(
                    values, share, freedom=math.inf),
                "1.96 belongs to a spread that is known; with three runs it is estimated, and "
                "Student's factor is 4.303."),
        Mistake("spread of runs", lambda values, share=0.95: student(values, share, root=False),
                "That is where the next run may fall; the mean of k runs is known better by "
                "sqrt(k)."),
        Mistake("divided by n", lambda values, share=0.95: student(values, share, by_n=True),
                "np.std divides by k; of a sample it is k - 1: ddof=1."),
        Mistake("one side", lambda values, share=0.95: student(values, share, two=False),
                "Five per cent lie outside on both sides together, so each tail is 2.5 %."),
        Mistake("half width", lambda values, share=0.95: (
                    (ends := student(values, share))[1] - (ends[0] + ends[1]) / 2),
                "That is half the width; both ends are asked for."),
        Mistake("smallest and largest", lambda values, share=0.95: (min(values), max(values)),
                "Smallest and largest are no interval of known confidence."),
        Mistake("degrees of freedom", lambda values, share=0.95: student(values, share, freedom=0),
                "k runs leave k - 1 degrees of freedom, since their mean is taken from them too."),
    ),
)  # fmt: skip


EXERCISES = (SLERP, FRECHET, INTERVAL)
