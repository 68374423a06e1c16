"""Exercise 7.3: equivariance in decibels.

Expected results come number by number, in whole fractions, from lists.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def decibels(moved_first, moved_last, mask):
    """How well f(T x) agrees with T f(x) inside the mask, in dB of the power of T f(x)."""
    import torch

    signal = (mask * moved_last**2).sum()
    error = (mask * (moved_first - moved_last) ** 2).sum()
    return 10 * torch.log10(signal / error)


def decibel_cases(seed) -> list[Case]:
    import math
    from fractions import Fraction

    import numpy as np
    import torch

    from diffutils.methods.equivariance import disc

    random = np.random.default_rng(seed)

    def exact(first, last, mask):
        """Both sums as fractions, of the numbers as they are handed over."""
        weights = [Fraction(m) for m in mask.flatten().tolist()] * (last.numel() // mask.numel())
        pairs = zip(weights, first.flatten().tolist(), last.flatten().tolist(), strict=True)
        signal = error = Fraction(0)
        for m, a, b in pairs:
            signal += m * Fraction(b) ** 2
            error += m * (Fraction(a) - Fraction(b)) ** 2
        return 10 * (math.log10(signal) - math.log10(error))

    def case(shape, size, off, mask, about, dtype=torch.float64):
        """Samples of very different power; size: of the signal; off: of the errors."""
        sizes = size * (random.exponential(1.0, (*shape[:2], 1, 1)) + 0.1)
        last = sizes * (random.exponential(1.0, shape) ** 1.3 - 0.6)
        wrongs = off * random.exponential(1.0, (shape[0], 1, 1, 1)) * random.normal(0.2, 1, shape)
        given = [torch.from_numpy(part).to(dtype) for part in (last + wrongs, last)]
        given.append(torch.as_tensor(mask).to(dtype))
        tolerance = 1e-6 if dtype == torch.float64 else 1e-5
        return Case(tuple(given), exact(*given), about, tolerance)

    def soft(H, W):
        return random.uniform(0, 1, (H, W)) * (random.uniform(0, 1, (H, W)) < 0.7)

    def row(*values):
        return torch.tensor(values, dtype=torch.float64)[None]

    # Good and bad agreement, hard and soft masks; last two as the lesson has them.
    one = "Both sums go over all pixels, channels and samples, each pixel times its mask"
    tiny = "Even a tiny error, as the lesson's X has it, is taken as it is: nothing is added to it."
    inside = soft(5, 7) > 0
    return [
        Case(
            (row(11, 50)[None, None], row(10, 3)[None, None], row(1, 0)),
            20.0,
            "The worked value: inside the mask 100 over 1, ten times the logarithm of which is 20.",
        ),
        case((3, 2, 5, 7), 1, 0.1, soft(5, 7), f"{one}; here it is soft."),
        case((4, 1, 5, 7), 1, 0.3, inside, f"{one}; here it is 0 or 1."),
        case((2, 3, 6, 4), 1, 3, soft(6, 4), f"{one}; here the error is larger than the signal."),
        case((5, 3, 4, 6), 9, 0.1, np.ones((4, 6)), f"{one}; here all pixels count in full."),
        case((1, 2, 3, 8), 1, 0.2, 0.3 * soft(3, 8), f"{one}; here of one sample."),
        case((6, 2, 7, 3), 90, 0.1, soft(7, 3), f"{one}; here they agree well.", torch.float32),
        case((3, 1, 6, 5), 1, 1e-14, np.ones((6, 5)), tiny),
        case((4, 3, 16, 16), 1, 0.2, disc(16), f"{one}; here as the lesson calls it."),
        case((4, 3, 16, 16), 1, 0.1, disc(16), f"{one}, as the lesson calls it.", torch.float32),
    ]


def in_decibels(signal, error):
    return 10 * (signal / error).log10()


def wrong(
    signal=lambda a, b: b**2,
    error=lambda a, b: (a - b) ** 2,
    of_signal=lambda mask: mask,
    of_error=lambda mask: mask,
    end=lambda signal, error, mask: in_decibels(signal.sum(), error.sum()),
):
    """`decibels`, of which a mistake replaces one part; end: of both terms at each number."""

    def function(moved_first, moved_last, mask):
        a, b = moved_first.double(), moved_last.double()
        mask = mask.double()
        return end(of_signal(mask) * signal(a, b), of_error(mask) * error(a, b), mask)

    return function


def ended(of):
    """A mistake: something else is made of both sums."""
    return wrong(end=lambda signal, error, mask: of(signal.sum(), error.sum()))


def with_mask(signal, error=None):
    """A mistake: another mask for the signal, and for the error."""
    return wrong(of_signal=signal, of_error=error or signal)


def with_peak(peak, inside=True):
    """A mistake: the square of a fixed peak over the mean error, inside the mask or of all."""

    def end(signal, error, mask):
        mean = error.sum() / (mask.expand_as(error).sum() if inside else error.numel())
        return in_decibels(peak**2, mean)

    return wrong(end=end)


def range_as_peak(moved_first, moved_last, mask):
    """A mistake: the largest minus the least value is the peak."""
    span = float(moved_last.max() - moved_last.min())
    return with_peak(span)(moved_first, moved_last, mask)


def largest_as_peak(moved_first, moved_last, mask):
    """A mistake: the largest absolute value is the peak."""
    return with_peak(float(moved_last.abs().max()))(moved_first, moved_last, mask)


def mean_over_inside(signal, error, mask):
    """The mean over everything, over the mean inside the mask."""
    return in_decibels(signal.mean(), error.sum() / mask.expand_as(error).sum())


def averaged(dims):
    """A mistake: decibels of parts, and then their mean; dims: those over which one sum goes."""
    return wrong(end=lambda s, e, mask: in_decibels(s.sum(dims), e.sum(dims)).mean())


def without_mean(moved_first, moved_last, mask):
    """A mistake: the signal is what differs from the mean inside the mask."""
    weight = mask.double().expand_as(moved_last)
    mean = (weight * moved_last.double()).sum() / weight.sum()
    return wrong(signal=lambda a, b: (b - mean) ** 2)(moved_first, moved_last, mask)


DECIBEL_MISTAKES = (
    # The mask.
    Mistake(
        "no mask",
        with_mask(lambda mask: 1),
        "The mask is not used; pixels outside of it do not count.",
    ),
    Mistake(
        "signal without mask",
        with_mask(lambda mask: 1, lambda mask: mask),
        "The signal is summed over all pixels; it has the same mask as the error.",
    ),
    Mistake(
        "error without mask",
        with_mask(lambda mask: mask, lambda mask: 1),
        "The error is summed over all pixels; it has the same mask as the signal.",
    ),
    Mistake(
        "mask squared",
        with_mask(lambda mask: mask**2),
        "The images are masked before they are squared, so the mask is squared too.",
    ),
    Mistake(
        "mask squared in the signal",
        with_mask(lambda mask: mask**2, lambda mask: mask),
        "In the signal the mask is squared; square moved_last first.",
    ),
    Mistake(
        "mask squared in the error",
        with_mask(lambda mask: mask, lambda mask: mask**2),
        "In the error the mask is squared; square the difference first.",
    ),
    Mistake(
        "mask above 0",
        with_mask(lambda mask: mask > 0),
        "Every pixel above 0 counts in full; the mask says how much each counts.",
    ),
    Mistake(
        "mask above a half",
        with_mask(lambda mask: mask > 0.5),
        "The mask is cut at a half; it says how much each pixel counts.",
    ),
    Mistake(
        "mask of the outside",
        with_mask(lambda mask: 1 - mask),
        "That is outside the mask; a pixel with 1 counts, one with 0 does not.",
    ),
    # Signal and error.
    Mistake(
        "signal moved first",
        wrong(signal=lambda a, b: a**2),
        "The signal is f(T x); it is T f(x), moved_last.",
    ),
    Mistake(
        "signal of both",
        wrong(signal=lambda a, b: a * b),
        "The signal is the product of both; it is the square of moved_last.",
    ),
    Mistake(
        "signal without its mean",
        without_mean,
        "The mean is taken off the signal; its square counts as it is.",
    ),
    Mistake(
        "signal without the mean of all",
        wrong(signal=lambda a, b: (b - b.mean()) ** 2),
        "The mean over all pixels is taken off the signal; its square counts as it is.",
    ),
    Mistake(
        "squared after the sum",
        wrong(
            lambda a, b: b,
            lambda a, b: a - b,
            end=lambda s, e, mask: in_decibels(s.sum() ** 2, e.sum() ** 2),
        ),
        "The sums are squared, and plus and minus cancel in them; square each number first.",
    ),
    Mistake(
        "difference of squares",
        wrong(error=lambda a, b: (a**2 - b**2).abs()),
        "The squares are subtracted; subtract first, then square.",
    ),
    Mistake(
        "nothing squared",
        wrong(lambda a, b: b.abs(), lambda a, b: (a - b).abs()),
        "Absolute values are summed; decibels are of squares.",
    ),
    Mistake(
        "nothing squared, 20",
        wrong(
            lambda a, b: b.abs(),
            lambda a, b: (a - b).abs(),
            end=lambda s, e, mask: 2 * in_decibels(s.sum(), e.sum()),
        ),
        "Sums of absolute values are not roots of sums of squares; square, sum, and take 10.",
    ),
    Mistake(
        "difference of the powers",
        wrong(
            error=lambda a, b: a**2 - b**2,
            end=lambda s, e, mask: in_decibels(s.sum(), e.sum().abs()),
        ),
        "Two powers are subtracted; the error is the power of the difference.",
    ),
    Mistake(
        "error alone",
        ended(lambda signal, error: in_decibels(1, error)),
        "The signal is not in it; an error is large or small beside the signal.",
    ),
    Mistake(
        "error not squared",
        wrong(error=lambda a, b: (a - b).abs()),
        "The differences are not squared; the signal is, so the error must be.",
    ),
    # Peaks.
    Mistake(
        "peak of 2",
        with_peak(2.0),
        "That is a PSNR with a peak of 2, as for images; here the signal's own power counts.",
    ),
    Mistake(
        "peak of 2, mean of all",
        with_peak(2.0, inside=False),
        "That is a PSNR with a peak of 2, and a mean over all pixels; take the signal's power.",
    ),
    Mistake(
        "peak of 1",
        with_peak(1.0),
        "That is a PSNR with a peak of 1; here the signal's own power counts.",
    ),
    Mistake(
        "largest as peak",
        largest_as_peak,
        "That is a PSNR whose peak is the largest number; here the sum of squares counts.",
    ),
    Mistake(
        "range as peak",
        range_as_peak,
        "That is a PSNR whose peak is the range of numbers; here the sum of squares counts.",
    ),
    # One ratio.
    Mistake(
        "mean of samples",
        averaged((1, 2, 3)),
        "That is the mean of the samples' decibels; sum over all samples, then one logarithm.",
    ),
    Mistake(
        "mean of channels",
        averaged((2, 3)),
        "That is the mean of decibels of each channel; sum over all, then one logarithm.",
    ),
    Mistake(
        "mean of channels, samples together",
        averaged((0, 2, 3)),
        "That is the mean of the channels' decibels; sum over channels too, then one logarithm.",
    ),
    Mistake(
        "each sample",
        wrong(end=lambda s, e, mask: in_decibels(s.sum((1, 2, 3)), e.sum((1, 2, 3)))),
        "That is a number for each sample; sum over the samples too.",
    ),
    Mistake(
        "mean of ratios",
        wrong(end=lambda s, e, m: 10 * (s.sum((1, 2, 3)) / e.sum((1, 2, 3))).mean().log10()),
        "The samples' ratios are averaged; divide the two sums over all samples.",
    ),
    Mistake(
        "first sample",
        wrong(end=lambda s, e, mask: in_decibels(s[0].sum(), e[0].sum())),
        "That is the first sample alone; sum over all.",
    ),
    Mistake(
        "sum over a mean",
        wrong(end=lambda s, e, mask: in_decibels(s.sum(), e.mean())),
        "A sum is divided by a mean; take two sums, or two means.",
    ),
    Mistake(
        "mean of all over mean inside",
        wrong(end=mean_over_inside, of_signal=lambda mask: 1),
        "The signal is a mean over all pixels; it has the same mask as the error.",
    ),
    Mistake(
        "two kinds of means",
        wrong(end=lambda s, e, mask: in_decibels(s.mean(), e.sum() / mask.sum())),
        "The means are over different counts; take two plain sums.",
    ),
    Mistake(
        "sum of decibels",
        wrong(end=lambda s, e, m: in_decibels(s.sum((1, 2, 3)), e.sum((1, 2, 3))).sum()),
        "The samples' decibels are added; sum over all samples, then one logarithm.",
    ),
    Mistake(
        "mean over a sum",
        wrong(end=lambda s, e, mask: in_decibels(s.mean(), e.sum())),
        "A mean is divided by a sum; take two sums, or two means.",
    ),
    # The logarithm.
    Mistake(
        "upside down",
        ended(lambda signal, error: in_decibels(error, signal)),
        "The ratio is upside down: signal over error; more decibels are better.",
    ),
    Mistake(
        "20",
        ended(lambda signal, error: 2 * in_decibels(signal, error)),
        "20 belongs to a ratio of amplitudes; sums of squares are powers, for which it is 10.",
    ),
    Mistake(
        "of the root",
        ended(lambda signal, error: in_decibels(signal, error) / 2),
        "10 times the logarithm of a root is half of it: leave the sums of squares as they are.",
    ),
    Mistake(
        "natural logarithm",
        ended(lambda signal, error: 10 * (signal / error).log()),
        "`log` is the natural logarithm; decibels have the base 10, `log10`.",
    ),
    Mistake(
        "logarithm to base 2",
        ended(lambda signal, error: 10 * (signal / error).log2()),
        "That is the logarithm to base 2; decibels have the base 10, `log10`.",
    ),
    Mistake(
        "without the 10",
        ended(lambda signal, error: (signal / error).log10()),
        "That is in bel; a decibel is a tenth of it, so multiply by 10.",
    ),
    Mistake(
        "ratio itself",
        ended(lambda signal, error: signal / error),
        "That is the ratio; ten times its logarithm is asked for.",
    ),
    Mistake(
        "ten times the ratio",
        ended(lambda signal, error: 10 * signal / error),
        "That is ten times the ratio; ten times its logarithm is asked for.",
    ),
    Mistake(
        "logarithm of one more",
        ended(lambda signal, error: 10 * (1 + signal / error).log10()),
        "A 1 is added to the ratio; take its logarithm as it is.",
    ),
)
DECIBELS = Exercise(
    "7.3", "equivariance in decibels", 2, 10, decibels, decibel_cases, DECIBEL_MISTAKES
)


EXERCISES = (DECIBELS,)
