"""Exercise 6.6: does a sampler know what it does not know?

Expected results come number by number from sorted lists and interpolation by hand.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def covered(samples, truth):
    """The share of truth's numbers that lie in the 90 % sets of their samples."""
    import torch

    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()


def between(samples, low=0.05, high=0.95, **how):
    """Two quantiles of each number's samples."""
    import torch

    return torch.quantile(samples, torch.tensor([low, high]).to(samples), dim=0, **how)


def wrong(
    ends=between,
    inside=lambda low, truth, high: (low <= truth) & (truth <= high),
    share=lambda inside: inside.double().mean(),
):
    """`covered`, of which a mistake replaces one part."""

    def function(samples, truth):
        low, high = ends(samples)
        return share(inside(low, truth, high))

    return function


def about_the_mean(width):
    """A mistake: ends that lie so many standard deviations from the mean."""

    def ends(samples):
        spread = samples.std(0) if len(samples) > 1 else 0 * samples[0]
        return samples.mean(0) - width * spread, samples.mean(0) + width * spread

    return wrong(ends)


def of_all_numbers(samples):
    """A mistake: one set for all numbers."""
    flat = between(samples.flatten()[:, None])
    return flat[0], flat[1]


def by_rank(samples, truth):
    """A mistake: the share of samples below counts."""
    rank = (samples <= truth).double().mean(0)
    return ((rank >= 0.05) & (rank <= 0.95)).double().mean()


def samples_in_the_middle(samples, truth):
    """A mistake: the share of the samples that lie in their own set."""
    low, high = between(samples)
    return ((low <= samples) & (samples <= high)).double().mean()


def mean_in_the_middle(samples, truth):
    """A mistake: the mean answer is asked for, not the truth."""
    low, high = between(samples)
    return ((low <= samples.mean(0)) & (samples.mean(0) <= high)).double().mean()


def covered_cases(seed) -> list[Case]:
    from fractions import Fraction

    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def quantile(values, percent):
        """Between the two nearest of the sorted values."""
        values, place = sorted(values), Fraction(percent, 100) * (len(values) - 1)
        below = int(place)
        part = float(place - below)
        return values[below] + part * (values[min(below + 1, len(values) - 1)] - values[below])

    def counted(samples, truth):
        """The share, and the truth, moved a little where rounding would decide."""
        flat, truths, hits = samples.reshape(len(samples), -1), truth.ravel().copy(), 0
        for i, values in enumerate(flat.T.tolist()):
            low, high = quantile(values, 5), quantile(values, 95)
            if 0 < min(abs(truths[i] - low), abs(truths[i] - high)) < 1e-4:
                truths[i] += 3e-4
            hits += low <= truths[i] <= high
        return hits / len(truths), truths.reshape(truth.shape)

    def made(K, shape, width=1.0, shift=0.0):
        """Skewed samples with a place and a scale of their own for each number, and a truth."""
        place, scale = random.normal(0, 2, shape), random.uniform(0.3, 2, shape)
        drawn = random.exponential(1.0, (K + 1, *shape)) ** 1.3
        return place + scale * drawn[1:] * width, place + scale * (drawn[0] + shift)

    def case(samples, truth, about):
        share, truth = counted(samples, truth)
        given = [torch.from_numpy(part).float() for part in (samples, truth)]
        return Case(tuple(given), share, about, tolerance=1e-5)

    # Few and many samples, wide and narrow ones, some without spread; last as the lesson has it.
    steps = np.repeat(np.arange(21.0)[:, None], 3, 1)
    alike, truth = np.repeat(random.normal(0, 1, (1, 4, 5)), 6, 0), random.normal(0, 1, (4, 5))
    truth[:, :3] = alike[0, :, :3]
    truth[1:3, 3] = alike[0, 1:3, 3] + [1e-3, -1e-3]
    each = "Each number has its own set, from the 5 % to the 95 % quantile of its K samples"
    return [
        case(
            steps[random.permutation(21)],
            np.array([0.5, 1.0, 12.0]),
            "The worked value: the sets reach from 1 to 19, and 0.5 alone lies outside: 2 of 3.",
        ),
        case(*made(16, (7, 9)), f"{each}."),
        case(*made(9, (3, 5, 8)), f"{each}; with 9 samples the quantiles lie between two of them."),
        case(*made(4, (60,)), f"{each}; here with 4 samples."),
        case(*made(43, (2, 3, 4, 5), 0.4), f"{each}; here the samples are too narrow."),
        case(*made(25, (6, 1, 11), 2.5, 0.8), f"{each}; here they are too wide."),
        case(*made(12, (5, 13), 1.0, -0.9), f"{each}; here the truth lies low."),
        case(*made(12, (5, 13), 1.0, 1.5), f"{each}; here the truth lies high."),
        case(alike, truth, "Samples that are all alike make sets of one point; ends are included."),
        case(*made(16, (3, 16, 16), 0.7), f"{each}; here as the lesson calls it."),
    ]


def upper_end_left_out(samples, truth):
    low, high = between(samples, 0.05, 0.95)
    return ((low <= truth) & (truth < high)).float().mean()


COVERED_MISTAKES = (
    Mistake(
        "upper end left out",
        upper_end_left_out,
        "A truth exactly on the upper end counts as outside; ends belong to the set.",
    ),
    Mistake(
        "samples below the truth",
        lambda samples, truth: (samples <= truth).float().mean(),
        "That is the share of samples below the truth; ask how many of truth lie in their sets.",
    ),
    # The set is another one.
    Mistake(
        "all samples",
        wrong(lambda samples: (samples.amin(0), samples.amax(0))),
        "The set reaches from the least to the greatest sample; take the 5 % and 95 % quantiles.",
    ),
    Mistake(
        "80 percent",
        wrong(lambda samples: between(samples, 0.1, 0.9)),
        "That is the 80 % set: 10 % are cut off at each end; cut off 5 %.",
    ),
    Mistake(
        "95 percent",
        wrong(lambda samples: between(samples, 0.025, 0.975)),
        "That is the 95 % set: 2.5 % are cut off at each end; cut off 5 %.",
    ),
    Mistake(
        "from the least",
        wrong(lambda samples: between(samples, 0.0, 0.9)),
        "All 10 % are cut off above; cut off 5 % at each end.",
    ),
    Mistake(
        "to the greatest",
        wrong(lambda samples: between(samples, 0.1, 1.0)),
        "All 10 % are cut off below; cut off 5 % at each end.",
    ),
    Mistake(
        "half of them",
        wrong(lambda samples: between(samples, 0.25, 0.75)),
        "That is the set of the middle half; the 90 % set reaches from 5 % to 95 %.",
    ),
    Mistake(
        "1.645 deviations",
        about_the_mean(1.645),
        "Mean and deviation know the 90 % set of a Gaussian alone; samples may be skewed.",
    ),
    Mistake(
        "1.96 deviations",
        about_the_mean(1.96),
        "That is a Gaussian's 95 % set, by mean and deviation; take quantiles of the samples.",
    ),
    Mistake(
        "one deviation",
        about_the_mean(1.0),
        "That set reaches one deviation from the mean; take quantiles of the samples.",
    ),
    Mistake(
        "one set for all",
        wrong(of_all_numbers),
        "All samples of all numbers are put together; each number has its own set, dim=0.",
    ),
    Mistake(
        "samples, not between",
        wrong(lambda samples: between(samples, interpolation="nearest")),
        "The nearest samples are taken; quantiles lie between two samples in general.",
    ),
    Mistake(
        "wider",
        wrong(
            lambda s: (between(s, interpolation="lower")[0], between(s, interpolation="higher")[1])
        ),
        "The ends are the next samples outwards; quantiles lie between two samples in general.",
    ),
    Mistake(
        "narrower",
        wrong(
            lambda s: (between(s, interpolation="higher")[0], between(s, interpolation="lower")[1])
        ),
        "The ends are the next samples inwards; quantiles lie between two samples in general.",
    ),
    Mistake(
        "by rank",
        by_rank,
        "The share of samples below the truth is compared; compare the truth with the quantiles.",
    ),
    # Another question is asked of it.
    Mistake(
        "ends left out",
        wrong(inside=lambda low, truth, high: (low < truth) & (truth < high)),
        "A truth just at an end counts as inside: <=, not <.",
    ),
    Mistake(
        "below alone",
        wrong(inside=lambda low, truth, high: truth <= high),
        "Only the upper end is asked; the truth may lie too low as well.",
    ),
    Mistake(
        "above alone",
        wrong(inside=lambda low, truth, high: truth >= low),
        "Only the lower end is asked; the truth may lie too high as well.",
    ),
    Mistake(
        "either end",
        wrong(inside=lambda low, truth, high: (low <= truth) | (truth <= high)),
        "One end is enough here; both must hold: &, not |.",
    ),
    Mistake(
        "outside",
        wrong(inside=lambda low, truth, high: (truth < low) | (truth > high)),
        "That is the share outside; return what lies inside.",
    ),
    Mistake(
        "samples counted",
        samples_in_the_middle,
        "The samples are counted, nine tenths of which are always inside; count the truth.",
    ),
    Mistake(
        "mean answer counted",
        mean_in_the_middle,
        "The mean of the samples is counted; count the truth.",
    ),
    # The answer is another one.
    Mistake(
        "percent",
        wrong(share=lambda inside: 100 * inside.double().mean()),
        "That is in percent; return a share from 0 to 1.",
    ),
    Mistake(
        "count",
        wrong(share=lambda inside: inside.sum()),
        "That is how many lie inside; divide by how many there are.",
    ),
    Mistake(
        "all of them",
        wrong(share=lambda inside: inside.all()),
        "That says whether all lie inside; return their share.",
    ),
    Mistake(
        "one by one",
        wrong(share=lambda inside: inside),
        "That says for each number whether it lies inside; return the share of those that do.",
    ),
)
COVERED = Exercise(
    "6.6",
    "does a sampler know what it does not know?",
    2,
    8,
    covered,
    covered_cases,
    COVERED_MISTAKES,
)


EXERCISES = (COVERED,)
