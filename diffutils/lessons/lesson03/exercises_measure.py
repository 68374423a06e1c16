"""Exercises 3.5 and 3.6: a distance between two clouds, and an interval.

Expected results are NumPy's statistics, feature by feature, and SciPy's own interval.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 3.5 a distance


def frechet_diagonal(x, y):
    """Squared Fréchet distance of features x (N, d) and y (M, d), features independent."""
    return (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) - y.std(0)).square().sum()


def frechet_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = torch.Generator().manual_seed(seed)

    def skewed(n, d):
        """Features of unlike mean and spread: many small values and a few large ones."""
        rows = -torch.rand((n, d), generator=random, dtype=torch.float64).log()
        return rows * (1 + torch.arange(d) % 3) - torch.arange(d) / 2

    def standard(n):
        """One feature of mean 0 and standard deviation 1."""
        rows = skewed(n, 1)
        return (rows - rows.mean()) / rows.std()

    def case(x, y, about, tolerance=1e-6):
        known = 0.0
        for mine, theirs in zip(x.double().T.numpy(), y.double().T.numpy(), strict=True):
            known += (np.mean(mine) - np.mean(theirs)) ** 2
            known += (np.std(mine, ddof=1) - np.std(theirs, ddof=1)) ** 2
        return Case((x, y), torch.tensor(known, dtype=x.dtype), about, tolerance)

    cloud, n = skewed(6, 3), 400
    order = torch.randperm(6, generator=random)
    summed = "Mean and standard deviation run over the rows, and what the d features give adds up."
    sizes = "The clouds may differ in size: no row of x belongs to a row of y."
    return [
        case(standard(5), 1 + 3 * standard(5),
             "The worked value: means 0 and 1, standard deviations 1 and 3 give 1 + 4 = 5."),
        case(skewed(4, 4), 1.5 * skewed(4, 4) + 1, summed),
        case(skewed(6, 3), 2 * skewed(6, 3) - 1, summed),
        case(cloud, cloud[order], "A cloud is at distance 0 from itself, in whatever order."),
        case(skewed(5, 3), 3 * skewed(11, 3) + 0.5, f"{summed} {sizes}"),
        case(3 * skewed(9, 6) + 2, skewed(4, 6), f"{summed} {sizes}"),
        case(skewed(7, 2).float(), skewed(5, 2).float() / 2, summed, tolerance=1e-5),
        case(skewed(n, 128), 1.3 * skewed(n, 128) - 0.5, summed),
    ]  # fmt: skip


def frechet_of(middle=lambda x: x.mean(0), spread=lambda x: x.std(0), total=None):
    """A mistake: other means, other spreads, or another sum of their differences."""

    def function(x, y):
        means, spreads = middle(x) - middle(y), spread(x) - spread(y)
        return total(means, spreads) if total else means.square().sum() + spreads.square().sum()

    return function


def of_variances(make):
    """A mistake: `make` of both variances is the part of the spread."""
    return lambda x, y: (x.mean(0) - y.mean(0)).square().sum() + make(x.var(0), y.var(0)).sum()


def frechet_full(x, y):
    """(6) with whole covariances."""
    import torch

    of_x, of_y = (torch.atleast_2d(torch.cov(rows.T)) for rows in (x, y))
    root = torch.linalg.eigvals(of_x @ of_y).real.clamp(min=0).sqrt().sum()
    return (x.mean(0) - y.mean(0)).square().sum() + of_x.trace() + of_y.trace() - 2 * root


def in_pairs(x, y):
    """Mean and spread of the differences, row by row."""
    d = x - y
    return (d.mean(0).square() + d.std(0).square()).sum()


def in_sorted_pairs(x, y):
    """The distance of the sorted features."""
    return (x.sort(0).values - y.sort(0).values).square().mean(0).sum()


FRECHET = Exercise(
    "3.5", "a distance between two clouds", 1, 5, frechet_diagonal, frechet_cases,
    (
        # The spread.
        Mistake("variances", frechet_of(spread=lambda x: x.var(0)),
                "The variances are compared; it is the standard deviations whose difference is "
                "squared."),
        Mistake("variances, not squared", of_variances(lambda v, w: (v - w).abs()),
                "The difference of variances is added; it is the square of the difference of "
                "standard deviations, another number."),
        Mistake("variances, with sign", of_variances(lambda v, w: v - w),
                "One variance is subtracted from the other; it is the square of the difference of "
                "standard deviations."),
        Mistake("means only", frechet_of(total=lambda m, s: m.square().sum()),
                "The spread is missing: a generator that draws one average image would score 0."),
        Mistake("spreads only", frechet_of(total=lambda m, s: s.square().sum()),
                "The difference of the means is missing."),
        Mistake("added spreads", of_variances(lambda v, w: v + w),
                "The spreads of both clouds are added: a cloud would be far from itself. Subtract "
                "2 s_x s_y."),
        Mistake("2 forgotten", of_variances(lambda v, w: v + w - (v * w).sqrt()),
                "Subtract 2 s_x s_y: the factor 2 is missing, and a cloud is far from itself."),
        Mistake("variances multiplied", of_variances(lambda v, w: v + w - 2 * v * w),
                "What is subtracted is 2 s_x s_y with standard deviations; here it holds the "
                "variances: a root is missing."),
        Mistake("sum of deviations", lambda x, y: (
                    (x.mean(0) - y.mean(0)).square().sum() + (x.std(0) + y.std(0)).square().sum()),
                "The standard deviations are added before they are squared; subtract them."),
        Mistake("divided by N", frechet_of(spread=lambda x: x.std(0, correction=0)),
                "The spread is divided by N; of a sample it is divided by N - 1, as torch's std "
                "does."),
        Mistake("N - 1 for one", lambda x, y: (
                    (x.mean(0) - y.mean(0)).square().sum()
                    + (x.std(0) - y.std(0, correction=0)).square().sum()),
                "One spread is divided by N - 1, the other by its number of rows; both by one "
                "less."),
        Mistake("not centred", frechet_of(spread=lambda x: x.square().mean(0).sqrt()),
                "The spread is taken about 0; a standard deviation is taken about the mean."),
        Mistake("mean deviation", frechet_of(
                    spread=lambda x: (x - x.mean(0)).abs().mean(0)),
                "The spread is a mean of absolute differences; a standard deviation squares "
                "them."),
        # The axis.
        Mistake("over the features", frechet_of(lambda x: x.mean(1), lambda x: x.std(1)),
                "Mean and spread run along the features; they run over the rows: dim 0."),
        Mistake("one mean for all", frechet_of(lambda x: x.mean(), lambda x: x.std()),
                "Mean and spread were taken over all features together; each feature has its own: "
                "`mean(0)`, `std(0)`."),
        Mistake("one spread for all", frechet_of(spread=lambda x: x.std()),
                "The spread was taken over all features together; each feature has its own: "
                "`std(0)`."),
        Mistake("one mean, many spreads", frechet_of(lambda x: x.mean()),
                "The mean was taken over all features together; each feature has its own: "
                "`mean(0)`."),
        # The sum.
        Mistake("root", frechet_of(
                    total=lambda m, s: (m.square().sum() + s.square().sum()).sqrt()),
                "That is the root of it; the distance as it is reported is not rooted."),
        Mistake("root of each", frechet_of(
                    total=lambda m, s: (m.square() + s.square()).sqrt().sum()),
                "A root is taken feature by feature; (6) has none."),
        Mistake("mean of features", frechet_of(
                    total=lambda m, s: m.square().mean() + s.square().mean()),
                "The contributions of the features are added, not averaged."),
        Mistake("norms", frechet_of(total=lambda m, s: m.norm() + s.norm()),
                "Both norms are added as they are; in (6) they are squared."),
        Mistake("one norm", frechet_of(total=lambda m, s: m.norm() + s.square().sum()),
                "The norm of the difference of means is squared in (6)."),
        Mistake("not squared", frechet_of(total=lambda m, s: m.abs().sum() + s.abs().sum()),
                "Both differences are squared before they are added."),
        Mistake("not squared, with sign", frechet_of(total=lambda m, s: m.sum() + s.sum()),
                "Both differences are squared before they are added; here some cancel others."),
        Mistake("means not squared", frechet_of(total=lambda m, s: m.abs().sum() + s.square().sum()),
                "The difference of the means, too, is squared."),
        Mistake("means with sign", frechet_of(total=lambda m, s: m.sum() + s.square().sum()),
                "The difference of the means, too, is squared."),
        Mistake("spreads not squared", frechet_of(
                    total=lambda m, s: m.square().sum() + s.abs().sum()),
                "The difference of the standard deviations, too, is squared."),
        Mistake("spreads with sign", frechet_of(total=lambda m, s: m.square().sum() + s.sum()),
                "The difference of the standard deviations, too, is squared."),
        Mistake("squared last", frechet_of(total=lambda m, s: m.sum() ** 2 + s.sum() ** 2),
                "The differences are added before they are squared; square feature by feature."),
        Mistake("squared together", frechet_of(total=lambda m, s: (m + s).square().sum()),
                "The two differences are added before they are squared; square each, then add."),
        Mistake("subtracted", frechet_of(total=lambda m, s: m.square().sum() - s.square().sum()),
                "The part of the spread is subtracted; it is added."),
        Mistake("largest feature", frechet_of(total=lambda m, s: (m.square() + s.square()).max()),
                "Only the feature that differs most counts; all are added."),
        # Another quantity.
        Mistake("full covariance", frechet_full,
                "That is (6) with whole covariances; here the features count as independent, so "
                "only standard deviations are needed."),
        Mistake("row by row", lambda x, y: (x - y).square().sum(),
                "Rows are compared in pairs; no row of x belongs to a row of y."),
        Mistake("row by row, averaged", lambda x, y: (x - y).square().mean(),
                "Rows are compared in pairs, and averaged; no row of x belongs to a row of y."),
        Mistake("row by row, mean of rows", lambda x, y: (x - y).square().mean(0).sum(),
                "Rows are compared in pairs; take the mean of each cloud first, for no row of x "
                "belongs to a row of y."),
        Mistake("spread of differences", in_pairs,
                "The standard deviation is that of x - y, row by row; take it of each cloud, then "
                "subtract."),
        Mistake("sorted rows", in_sorted_pairs,
                "The features are sorted and compared in pairs; compare means and standard "
                "deviations."),
        Mistake("medians", frechet_of(lambda x: x.median(0).values),
                "The medians are compared; (6) has means."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.6 an interval


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
    t = factor(share, k) if factor else stats.t.ppf((1 + share) / 2, k - 1)
    half = t * s / (root(k) if root else k**0.5)
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


def normal_by_n(values, share=0.95):
    from scipy import stats

    return student(values, share, spread=lambda values: values.std(),
                   factor=lambda share, k: stats.norm.ppf((1 + share) / 2))  # fmt: skip


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
        Mistake("normal, by n", normal_by_n,
                "Two slips: np.std needs ddof=1, and with so few runs the factor is Student's."),
        Mistake("twice as wide", scaled(root=lambda k: k**0.5 / 2),
                "It is twice as wide: (8) goes half to each side."),
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
        Mistake("percentiles", percentiles,
                "Percentiles of the runs say where runs fall, not where the mean is; of three runs "
                "they say little."),
        Mistake("high end alone", lambda values, share=0.95: student(values, share)[1],
                "That is the high end; both ends are asked for, low and high."),
        Mistake("low end alone", lambda values, share=0.95: student(values, share)[0],
                "That is the low end; both ends are asked for, low and high."),
    ),
)  # fmt: skip


EXERCISES = (FRECHET, INTERVAL)
