"""Exercise 2.5: averaged weights.  Expected results come from the memory m, without d."""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson02.made import skewed


def average(averaged, weights, k, decay):
    """The running average after update k = 0, 1, ..., with warm-up of the decay."""
    d = min(decay, (1 + k) / (10 + k))
    return d * averaged + (1 - d) * weights


def wrong(
    factor=lambda k, decay: min(decay, (1 + k) / (10 + k)),
    mix=lambda d, a, w: d * a + (1 - d) * w,
):
    """`average` with another d or another mixture."""
    return lambda averaged, weights, k, decay: mix(factor(k, decay), averaged, weights)


def average_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(k, decay, shape, about, dtype=torch.float64):
        old, new = skewed(random, *shape).to(dtype), skewed(random, *shape).to(dtype)
        memory = min((10 + k) / 9, 1 / (1 - decay))
        return Case((old, new, k, decay), old + (new - old) / memory, about, tolerance=1e-5)

    # Worked values, the warm-up and its limit, then tensors as the lesson has them.
    old, new = torch.tensor([1.0, 2.0]).double(), torch.tensor([0.0, 4.0]).double()
    return [
        case(3, 0.95, (2, 3, 4), "At k = 3 the average remembers m = 13/9 updates: d is 4/13."),
        Case((old, new, 0, 0.999), torch.tensor([0.1, 3.8]).double(),
             "The worked value: at k = 0, d is 0.1, so 1 and 0 give 0.1."),
        Case((old, new, 90, 0.999), torch.tensor([0.91, 2.18]).double(),
             "At k = 90, d is 91/100: still on the way up."),
        Case((old, new, 10**6, 0.9), torch.tensor([0.9, 2.2]).double(),
             "After many steps d is the decay itself and no more."),
        case(40, 0.7, (5, 2), "At k = 40 and decay = 0.7 the limit is reached: d is 0.7."),
        case(17, 0.0, (3,), "With decay = 0 nothing is remembered: the new weights."),
        case(0, 0.05, (4, 3), "A decay below 0.1 limits d from the first update on."),
        case(2, 0.99, (3, 32, 3, 3),
             "As the lesson calls it, in single precision: at k = 2 d is 3/12, and the new average "
             "is d times the old one plus 1 - d times the weights.",
             torch.float32),
        *(case(5, 0.995, shape, "Weights come as tables and as lists, in single precision; at "
               "k = 5 d is 6/15.", torch.float32) for shape in ((4, 5), (6,))),
    ]  # fmt: skip


AVERAGE = Exercise(
    "2.5", "averaged weights", 1, 5, average, average_cases,
    (
        Mistake("swapped", wrong(mix=lambda d, a, w: (1 - d) * a + d * w),
                "d and 1 - d are swapped: d = 1 - 1/m goes to the old average, 1/m to the new "
                "weights."),
        Mistake("no warm-up", wrong(lambda k, decay: decay),
                "d is the decay at every k. Is the warm-up missing, or its brackets, or is "
                "m taken for d? m and 1 + k/(10 + k) are never below 1; (1 + k)/(10 + k) is."),
        Mistake("no warm-up, swapped", wrong(lambda k, decay: 1 - decay),
                "d is the decay at every k, and it goes to the new weights: find the warm-up, and "
                "give d to the old average."),
        Mistake("brackets below", wrong(lambda k, decay: min(decay, (1 + k) / 10 + k)),
                "(1 + k) / 10 + k divides by 10 alone: write (1 + k) / (10 + k)."),
        Mistake("brackets above", wrong(lambda k, decay: min(decay, 1 - 1 / (10 + k / 9))),
                "m = 10 + k / 9 divides only k by 9: write (10 + k) / 9."),
        Mistake("max for min", wrong(lambda k, decay: max(decay, (1 + k) / (10 + k))),
                "The longer memory of the two is taken: d starts small and never exceeds the "
                "decay."),
        Mistake("no limit", wrong(lambda k, decay: (1 + k) / (10 + k)),
                "d goes on growing to 1, and the average stops learning: limit it by the decay."),
        Mistake("no limit, swapped", wrong(lambda k, decay: 9 / (10 + k)),
                "d is 9 / (10 + k), which falls, without a limit: that is 1/m, the part of the new "
                "weights."),
        Mistake("1/m, limited", wrong(lambda k, decay: min(decay, 9 / (10 + k))),
                "1/m = 9 / (10 + k) was taken for d; that is the part of the new weights, "
                "d = 1 - 1/m."),
        Mistake("m as d", wrong(lambda k, decay: min((10 + k) / 9, 1 / (1 - decay))),
                "m itself is the factor; it is a number of updates, and d = 1 - 1/m."),
        Mistake("counted from 1", wrong(lambda k, decay: min(decay, (2 + k) / (11 + k))),
                "k counts from 0: the first d is 1/10."),
        Mistake("one update early", wrong(lambda k, decay: min(decay, k / (9 + k))),
                "d is that of the update before: at k = 0 it is 1/10, not 0."),
        Mistake("starts at 0", wrong(lambda k, decay: min(decay, k / (10 + k))),
                "k / (10 + k) starts at 0; d = 1 - 1/m = (1 + k) / (10 + k) starts at 1/10."),
        Mistake("ninth forgotten", wrong(lambda k, decay: min(decay, 1 - 1 / (10 + k))),
                "That remembers 10 + k updates; m = (10 + k) / 9."),
        Mistake("m upside down", wrong(lambda k, decay: min(decay, 1 - (10 + k) / 9)),
                "1 - m stands where d = 1 - 1/m belongs."),
        Mistake("multiplied by 9", wrong(lambda k, decay: min(decay, 1 - 1 / ((10 + k) * 9))),
                "10 + k is multiplied by 9; m is (10 + k) / 9."),
        Mistake("9 below", wrong(lambda k, decay: min(decay, (1 + k) / (9 + k))),
                "(1 + k) / (9 + k) starts at 1/9; d = 1 - 1/m = (1 + k) / (10 + k)."),
        Mistake("10 alone below", wrong(lambda k, decay: min(decay, (1 + k) / 10)),
                "(1 + k) / 10 grows without end; d = 1 - 1/m = (1 + k) / (10 + k)."),
        Mistake("plain count", wrong(lambda k, decay: min(decay, k / (1 + k))),
                "k / (1 + k) remembers 1 + k updates; m = (10 + k) / 9."),
        Mistake("always a tenth", wrong(lambda k, decay: min(decay, 0.1)),
                "d stays at 1/10, that of k = 0; it grows with k."),
        Mistake("a tenth, no limit", wrong(lambda k, decay: 0.1),
                "d is 1/10 at every k; it grows with k, up to the decay."),
        Mistake("product", wrong(lambda k, decay: decay * (1 + k) / (10 + k)),
                "The decay is multiplied by the warm-up; the smaller of the two is asked for."),
        Mistake("mean of the two", wrong(lambda k, decay: (decay + (1 + k) / (10 + k)) / 2),
                "The mean of decay and warm-up is taken; the smaller of the two is asked for."),
        Mistake("power", wrong(lambda k, decay: decay ** (1 + k)),
                "decay ** k falls; d grows with k: the smaller of (1 + k)/(10 + k) and decay."),
        Mistake("power of k", wrong(lambda k, decay: decay**k),
                "decay ** k falls, from 1 on; d grows with k: the smaller of (1 + k)/(10 + k) and "
                "decay."),
        Mistake("1 minus power", wrong(lambda k, decay: 1 - decay ** (1 + k)),
                "That is Adam's correction; here d is the smaller of (1 + k)/(10 + k) and decay."),
        Mistake("weights in full", wrong(mix=lambda d, a, w: d * a + w),
                "The new weights lack their factor 1 - d: the average grows with every update."),
        Mistake("average in full", wrong(mix=lambda d, a, w: a + (1 - d) * w),
                "The old average lacks its factor d: it grows with every update."),
        Mistake("weights forgotten", wrong(mix=lambda d, a, w: d * a),
                "Only d times the old average is left; add 1 - d times the weights."),
        Mistake("average forgotten", wrong(mix=lambda d, a, w: (1 - d) * w),
                "Only 1 - d times the weights is left; add d times the old average."),
        Mistake("both multiplied by d", wrong(mix=lambda d, a, w: d * (a + (1 - d) * w)),
                "The weights are multiplied by d too: mind the brackets."),
        Mistake("difference added", wrong(mix=lambda d, a, w: d * a + (1 - d) * (w - a)),
                "1 - d times weights - average is added to d times the average; either add it to "
                "the whole average, or leave the average out of the brackets."),
        Mistake("d twice", wrong(mix=lambda d, a, w: d * a + d * w),
                "Both get the factor d; the weights get 1 - d."),
        Mistake("1 - d twice", wrong(mix=lambda d, a, w: (1 - d) * a + (1 - d) * w),
                "Both get the factor 1 - d; the old average gets d."),
        Mistake("minus", wrong(mix=lambda d, a, w: d * a - (1 - d) * w),
                "The weights are subtracted; they are added."),
        Mistake("brackets around 1 - d", wrong(mix=lambda d, a, w: d * a + 1 - d * w),
                "`1 - d * w` subtracts from 1: write `(1 - d) * weights`."),
        Mistake("away from the weights", wrong(mix=lambda d, a, w: a - (1 - d) * (w - a)),
                "The average moves away from the weights; it moves towards them."),
        Mistake("average untouched", wrong(mix=lambda d, a, w: a),
                "The old average comes back as it was; the weights have to move it."),
        Mistake("weights alone", wrong(mix=lambda d, a, w: w),
                "The weights come back as they are, as with d = 0: nothing is averaged; `//` "
                "rounds a fraction down to 0."),
        Mistake("plain mean", wrong(mix=lambda d, a, w: (a + w) / 2),
                "That is the plain mean of the two; d depends on k."),
        Mistake("mean of all", wrong(lambda k, decay: (1 + k) / (2 + k)),
                "That is the mean of all weights so far, m = k + 2; here m = (10 + k) / 9."),
        Mistake("d returned", lambda averaged, weights, k, decay: min(decay, (1 + k) / (10 + k)),
                "That is d; return the new average."),
    ),
)  # fmt: skip


EXERCISES = (AVERAGE,)
