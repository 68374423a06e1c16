"""Exercise 3.5: a distance between two clouds.

Expected results are NumPy's statistics, feature by feature.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


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
        return Case((x, y), torch.tensor(round(known, 9), dtype=x.dtype), about, tolerance)

    # As many rows in both first: a slip that pairs rows shows numbers there.
    cloud, n = skewed(6, 3), 400
    order = torch.randperm(6, generator=random)
    summed = "Mean and standard deviation run over the rows, and what the d features give adds up."
    sizes = "The clouds may differ in size: no row of x belongs to a row of y."
    return [
        case(standard(5), 1 + 3 * standard(5),
             "The worked value: means 0 and 1, standard deviations 1 and 3 give 1 + 4 = 5."),
        case(skewed(6, 3), 2 * skewed(6, 3) - 1, summed),
        case(skewed(4, 4), 1.5 * skewed(4, 4) + 1, summed),
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
    """(5) with whole covariances."""
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
                "A root is taken feature by feature; (5) has none."),
        Mistake("mean of features", frechet_of(
                    total=lambda m, s: m.square().mean() + s.square().mean()),
                "The contributions of the features are added, not averaged."),
        Mistake("norms", frechet_of(total=lambda m, s: m.norm() + s.norm()),
                "Both norms are added as they are; in (5) they are squared."),
        Mistake("one norm", frechet_of(total=lambda m, s: m.norm() + s.square().sum()),
                "The norm of the difference of means is squared in (5)."),
        Mistake("not squared", frechet_of(total=lambda m, s: m.abs().sum() + s.abs().sum()),
                "Both differences are squared before they are added."),
        Mistake("not squared, with sign", frechet_of(total=lambda m, s: m.sum() + s.sum()),
                "Both differences are squared before they are added; here some cancel others."),
        Mistake("means not squared", frechet_of(
                    total=lambda m, s: m.abs().sum() + s.square().sum()),
                "The difference of the means, too, is squared."),
        Mistake("means with sign", frechet_of(total=lambda m, s: m.sum() + s.square().sum()),
                "The difference of the means, too, is squared; here some features cancel others."),
        Mistake("spreads not squared", frechet_of(
                    total=lambda m, s: m.square().sum() + s.abs().sum()),
                "The difference of the standard deviations, too, is squared."),
        Mistake("spreads with sign", frechet_of(total=lambda m, s: m.square().sum() + s.sum()),
                "The difference of the standard deviations, too, is squared; here some features "
                "cancel others."),
        Mistake("squared last", frechet_of(total=lambda m, s: m.sum() ** 2 + s.sum() ** 2),
                "The differences are added before they are squared; square feature by feature."),
        Mistake("squared together", frechet_of(total=lambda m, s: (m + s).square().sum()),
                "The two differences are added before they are squared; square each, then add."),
        Mistake("difference of squares", lambda x, y: (
                    (x.mean(0) ** 2 - y.mean(0) ** 2).sum() + (x.var(0) - y.var(0)).sum()),
                "The squares are subtracted; subtract first, then square."),
        Mistake("subtracted", frechet_of(total=lambda m, s: m.square().sum() - s.square().sum()),
                "The part of the spread is subtracted; it is added."),
        Mistake("largest feature", frechet_of(total=lambda m, s: (m.square() + s.square()).max()),
                "Only the feature that differs most counts; all are added."),
        # Another quantity.
        Mistake("full covariance", frechet_full,
                "That is (5) with whole covariances; here the features count as independent, so "
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
                "The medians are compared; (5) has means."),
    ),
)  # fmt: skip


EXERCISES = (FRECHET,)
