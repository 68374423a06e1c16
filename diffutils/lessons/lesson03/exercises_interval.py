"""Exercise 3.6: an interval from a few runs.

Expected results are SciPy's own interval.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def interval(values, share=0.95):
    """Low and high end of Student's interval for the mean of independent runs."""
    return student(values, share)


def student(values, share, *, middle=None, spread=None, root=None, factor=None):
    """`interval`, of which a mistake may replace one part.

    middle, spread: of the values; root: of k, what the spread is divided by; factor: share, k ->
    how many of these the interval goes to each side.
    """
    import numpy as np
    from scipy import stats

    k = len(values)
    s = spread(values) if spread else np.std(values, ddof=1)
    times = factor(share, k) if factor else stats.t.ppf((1 + share) / 2, k - 1)
    half = times * s / (root(k) if root else k**0.5)
    centre = np.mean(values) if middle is None else middle(values)
    return centre - half, centre + half


def interval_cases(seed) -> list[Case]:
    import numpy as np
    from scipy import stats

    random = np.random.default_rng(seed)

    def case(values, share, about):
        values = np.array(values)
        known = stats.t.interval(share, len(values) - 1, values.mean(), stats.sem(values))
        return Case((values, share), tuple(float(v) for v in known), about)

    def runs(k, centre, spread):
        """Values in no order, with mean, median and middle of the ends apart."""
        values = random.permutation(np.cumsum(random.uniform(1, 1.5, k) ** (1 + np.arange(k))))
        return centre + spread * values

    return [
        case([1.0, 2.0, 3.0], 0.95,
             "The worked value: 1, 2, 3 give 2 plus or minus 4.303 * 1 / sqrt(3) = 2.484."),
        case(runs(5, 7.0, 0.5), 0.95, "More runs: the factor of Student falls to 2.776."),
        case(runs(4, -20.0, 2.0), 0.9, "Another share than 95 %: 10 % outside are 5 % on each "
             "side."),
        case(runs(6, 0.3, 0.02), 0.5, "Another share than 95 %."),
        case(runs(9, 3.0, 0.25), 0.99, "Another share than 95 %."),
        case(runs(2, 40.0, 0.7), 0.8, "Two runs are the fewest that have a spread."),
        case(runs(3, 2.0, 0.4), 0.95, "Three runs, as in this course."),
        Case((values := runs(3, -5.0, 1.5),), tuple(map(float, stats.t.interval(
            0.95, 2, values.mean(), stats.sem(values)))),
             "As the lesson calls it, with the share left at 95 %."),
    ]  # fmt: skip


def centred(middle):
    """A mistake: `middle` of the values in place of their mean."""
    return lambda values, share=0.95: student(values, share, middle=middle)


def factor(make):
    """A mistake: `make(stats, share, k)` in place of Student's factor."""

    def function(values, share=0.95):
        from scipy import stats

        return student(values, share, factor=lambda share, k: make(stats, share, k))

    return function


def scaled(root=None, ddof=1, variance=False):
    """A mistake: another divisor of the spread, another ddof, or the variance."""

    def function(values, share=0.95):
        def spread(values):
            return values.std(ddof=ddof) ** (2 if variance else 1)

        return student(values, share, spread=spread, root=root)

    return function


def half_width(values, share=0.95):
    low, high = student(values, share)
    return (high - low) / 2


def percentiles(values, share=0.95):
    import numpy as np

    tail = 50 * (1 - share)
    return np.percentile(values, tail), np.percentile(values, 100 - tail)


def by_n(make):
    """A mistake: another factor, and the spread divided by k."""

    def function(values, share=0.95):
        from scipy import stats

        return student(
            values,
            share,
            spread=lambda values: values.std(),
            factor=lambda share, k: make(stats, share, k),
        )

    return function


INTERVAL = Exercise(
    "3.6", "an interval from three runs", 2, 10, interval, interval_cases,
    (
        # The factor.
        Mistake("normal", factor(lambda stats, share, k: stats.norm.ppf((1 + share) / 2)),
                "1.96 belongs to a spread that is known; with three runs it is estimated, and "
                "Student's factor is 4.303."),
        Mistake("always 1.96", factor(lambda stats, share, k: 1.96),
                "The factor is 1.96 whatever share and k are; Student's for three runs and 95 % "
                "is 4.303."),
        Mistake("always 2", factor(lambda stats, share, k: 2.0),
                "The factor is 2 whatever share and k are; Student's for three runs and 95 % is "
                "4.303."),
        Mistake("always 4.303", factor(lambda stats, share, k: 4.302652729911275),
                "4.303 is the factor of three runs and 95 %; take it from stats.t.ppf for every k "
                "and share."),
        Mistake("no factor", factor(lambda stats, share, k: 1.0),
                "Student's factor is missing: one standard error holds far less than 95 %."),
        Mistake("share ignored", factor(lambda stats, share, k: stats.t.ppf(0.975, k - 1)),
                "The interval is that of 95 %, whatever share is: use (1 + share) / 2."),
        Mistake("one side", factor(lambda stats, share, k: stats.t.ppf(share, k - 1)),
                "Five per cent lie outside on both sides together, so each tail is 2.5 %."),
        Mistake("half of the share", factor(lambda stats, share, k: stats.t.ppf(
                    1 - share / 2, k - 1)),
                "1 - share / 2 cuts off half of the share; what lies outside is 1 - share, half "
                "of it on each side."),
        Mistake("tail not halved", factor(lambda stats, share, k: stats.t.ppf(
                    1 - (1 - share) / 4, k - 1)),
                "Each tail is (1 - share) / 2; here it is a quarter of 1 - share."),
        Mistake("1 - share", factor(lambda stats, share, k: stats.t.ppf(1 - share, k - 1)),
                "ppf(1 - share) cuts off 1 - share on one side, and is negative; below the high "
                "end lies (1 + share) / 2."),
        Mistake("share / 2", factor(lambda stats, share, k: stats.t.ppf(share / 2, k - 1)),
                "ppf(share / 2) is no end of the interval, and is negative; below the high end "
                "lies (1 + share) / 2."),
        Mistake("degrees of freedom", factor(lambda stats, share, k: stats.t.ppf(
                    (1 + share) / 2, k)),
                "k runs leave k - 1 degrees of freedom, since their mean is taken from them too."),
        Mistake("density", factor(lambda stats, share, k: stats.t.pdf((1 + share) / 2, k - 1)),
                "pdf is the density; ppf gives the factor below which a share lies."),
        Mistake("cdf", factor(lambda stats, share, k: stats.t.cdf((1 + share) / 2, k - 1)),
                "cdf gives the share below a factor; ppf gives the factor below a share."),
        # The spread.
        Mistake("spread of runs", scaled(root=lambda k: 1.0),
                "That is where the next run may fall; the mean of k runs is known better by "
                "sqrt(k)."),
        Mistake("spread of runs, by n", scaled(root=lambda k: 1.0, ddof=0),
                "Two slips: np.std needs ddof=1, and the mean of k runs is known better by "
                "sqrt(k)."),
        Mistake("divided by n", scaled(ddof=0),
                "np.std divides by k; of a sample it is k - 1: ddof=1."),
        Mistake("root of k - 1", scaled(root=lambda k: (k - 1) ** 0.5),
                "s is divided by sqrt(k), not by sqrt(k - 1); the k - 1 is in s already."),
        Mistake("divided by k", scaled(root=lambda k: k),
                "s is divided by sqrt(k), not by k."),
        Mistake("** 1/2", scaled(root=lambda k: 2 * k),
                "`s / k ** 1/2` is s / k / 2: write `** 0.5`."),
        Mistake("k halved", scaled(root=lambda k: k / 2),
                "`(k ** 1/2)` is k / 2: write `** 0.5`."),
        Mistake("multiplied", scaled(root=lambda k: k**-0.5),
                "s is multiplied by sqrt(k); divide: more runs, a shorter interval."),
        Mistake("variance", scaled(variance=True),
                "The variance stands where the standard deviation s belongs."),
        Mistake("variance over k", scaled(root=lambda k: k, variance=True),
                "s^2 / k is the square of the standard error: take its root."),
        Mistake("normal, by n", by_n(lambda stats, share, k: stats.norm.ppf((1 + share) / 2)),
                "Two slips: np.std needs ddof=1, and with so few runs the factor is Student's."),
        Mistake("one side, by n", by_n(lambda stats, share, k: stats.t.ppf(share, k - 1)),
                "Two slips: np.std needs ddof=1, and each tail is (1 - share) / 2."),
        Mistake("share ignored, by n", by_n(lambda stats, share, k: stats.t.ppf(0.975, k - 1)),
                "Two slips: np.std needs ddof=1, and the interval is that of 95 % whatever share "
                "is."),
        Mistake("twice as wide", scaled(root=lambda k: k**0.5 / 2),
                "It is twice as wide: (7) goes half to each side."),
        Mistake("half as wide", scaled(root=lambda k: 2 * k**0.5),
                "It is half as wide: the factor times s / sqrt(k) goes to each side in full."),
        # The ends.
        Mistake("half width", half_width,
                "That is half the width; both ends are asked for."),
        Mistake("mean and half", lambda values, share=0.95: (
                    values.mean(), half_width(values, share)),
                "Those are the mean and half the width; both ends are asked for: mean - half and "
                "mean + half."),
        Mistake("mean forgotten", centred(lambda values: 0.0),
                "Those are minus and plus half the width; add the mean to both."),
        Mistake("median", centred(lambda values: float(sorted(values)[len(values) // 2]
                    + sorted(values)[(len(values) - 1) // 2]) / 2),
                "The interval lies about the median; it lies about the mean."),
        Mistake("middle of the ends", centred(lambda values: (values.min() + values.max()) / 2),
                "The interval lies about the middle of smallest and largest; it lies about the "
                "mean."),
        Mistake("about the first", centred(lambda values: values[0]),
                "The interval lies about the first run; it lies about the mean."),
        Mistake("smallest and largest", lambda values, share=0.95: (min(values), max(values)),
                "Smallest and largest are no interval of known confidence."),
        Mistake("rounded", lambda values, share=0.95: tuple(
                    round(float(end), 3) for end in student(values, share)),
                "Both ends are rounded to three digits; return them as they are."),
        Mistake("percentiles", percentiles,
                "Percentiles of the runs say where runs fall, not where the mean is; of three runs "
                "they say little."),
        Mistake("high end alone", lambda values, share=0.95: student(values, share)[1],
                "That is the high end; both ends are asked for, low and high."),
        Mistake("low end alone", lambda values, share=0.95: student(values, share)[0],
                "That is the low end; both ends are asked for, low and high."),
    ),
)  # fmt: skip


EXERCISES = (INTERVAL,)
