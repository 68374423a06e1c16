"""Exercise 3.1: fewer steps.  Expected results come by whole-number arithmetic."""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake


def respaced(T, n):
    """n timesteps from T - 1 downwards, T / n apart, rounded to whole numbers."""
    import torch

    return (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1


def respaced_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(T, n, about):  # i T / n rounded to the nearest whole number, without fractions
        known = torch.tensor([T - (2 * i * T + n) // (2 * n) - 1 for i in range(n)])
        return Case((T, n), known, about)

    def uneven(least, low, high):
        """T and n without a common factor, n odd: no fraction is a half."""
        n = 2 * int(random.integers(least, least + 20)) + 1
        T = int(random.integers(8 * n, 12 * n))
        while math.gcd(T, n) > 1 or not low < T % n / n < high:
            T += 1
        return T, n

    return [
        case(10, 5, "The worked value: five of ten timesteps are 9, 7, 5, 3, 1, as whole numbers "
             "(`.long()`)."),
        case(*uneven(4, 0.5, 0.8), "T / n need not be a whole number: three of 1000 are 999, "
             "666, 332."),
        case(*uneven(30, 0.2, 0.5), "However many: n timesteps in all, each the nearest to its "
             "place."),
        case(1000, 3, "T / n need not be a whole number: three of 1000 are 999, 666, 332."),
        case(7, 7, "n = T keeps every timestep: 6, 5, ..., 0."),
        case(int(random.integers(50, 500)), 1, "One timestep alone is T - 1."),
        case(1000, 50, "Fifty of 1000 timesteps are 999, 979, ..., 19."),
    ]  # fmt: skip


def timesteps(make):
    """A mistake: `make(torch, T, n, i)` gives the timesteps from i = 0, 1, ..., n - 1 as floats."""

    def function(T, n):
        import torch

        return make(torch, T, n, torch.arange(n, dtype=torch.float64)).long()

    return function


RESPACED = Exercise(
    "3.1", "respacing", 1, 5, respaced, respaced_cases,
    (
        Mistake("leading", timesteps(lambda torch, T, n, i: (i * (T // n)).flip(0)),
                "Those are spaced from 0 upwards and miss T - 1: the chain would start from pure "
                "noise at a level that the network takes for less."),
        Mistake("leading, rounded", timesteps(lambda torch, T, n, i: (i * T / n).round().flip(0)),
                "Those begin T / n too low and end at 0 (they are spaced from 0); begin at T - 1."),
        Mistake("leading, upwards", timesteps(lambda torch, T, n, i: i * (T // n)),
                "Those run upwards from 0; begin at T - 1 and go down."),
        Mistake("leading, rounded, upwards", timesteps(lambda torch, T, n, i: (i * T / n).round()),
                "Those run upwards from 0; begin at T - 1 and go down, T / n at a time."),
        Mistake("T itself", timesteps(lambda torch, T, n, i: (T - i * T / n).round()),
                "Counted from 0 the last timestep is T - 1; T is not in the table."),
        Mistake("upwards", timesteps(lambda torch, T, n, i: (T - i * T / n).round().flip(0) - 1),
                "They run from low to high; sampling walks from T - 1 down."),
        Mistake("down to 0", timesteps(lambda torch, T, n, i: torch.linspace(T - 1, 0, n).round()),
                "Those are spread from T - 1 to 0, both included; neighbours shall lie T / n "
                "apart, so the lowest is about T / n - 1."),
        Mistake("down to 0, cut", timesteps(lambda torch, T, n, i: torch.linspace(T - 1, 0, n)),
                "Those are spread from T - 1 to 0, both included, and cut; neighbours shall lie "
                "T / n apart, so the lowest is about T / n - 1."),
        Mistake("down to 0, from T", timesteps(lambda torch, T, n, i: (
                    torch.linspace(T, 1, n).round() - 1)),
                "Those end at 0; neighbours shall lie T / n apart, so the lowest is about "
                "T / n - 1."),
        Mistake("n / T", timesteps(lambda torch, T, n, i: (T - i * n / T).round() - 1),
                "Neighbours are n / T apart there; it is T / n."),
        Mistake("up from 0", timesteps(lambda torch, T, n, i: torch.linspace(0, T - 1, n).round()),
                "Those are spread from 0 to T - 1, both included, and run upwards; begin at T - 1 "
                "and go down by T / n."),
        Mistake("T - 1 shared out", timesteps(lambda torch, T, n, i: (
                    (T - 1) - i * (T - 1) / n).round()),
                "Neighbours are (T - 1) / n apart there; there are T timesteps, so it is T / n."),
        Mistake("cut, not rounded", timesteps(lambda torch, T, n, i: (T - i * T / n).floor() - 1),
                "The fractions are cut off; round to the nearest whole number before you "
                "subtract 1."),
        Mistake("rounded up", timesteps(lambda torch, T, n, i: (T - i * T / n).ceil() - 1),
                "Every fraction is rounded up (i * T // n is cut, and then subtracted); round to "
                "the nearest whole number."),
        Mistake("whole steps", timesteps(lambda torch, T, n, i: T - 1 - i * (T // n)),
                "T // n is rounded down before it is multiplied, so the error adds up: multiply "
                "first, round last."),
        Mistake("rounded steps", timesteps(lambda torch, T, n, i: T - 1 - i * round(T / n)),
                "T / n is rounded before it is multiplied, so the error adds up: multiply first, "
                "round last."),
        Mistake("one step late", timesteps(lambda torch, T, n, i: (
                    T - (i + 1) * T / n).round() - 1),
                "All lie T / n too low, and the last is -1: i runs from 0, so that the first is "
                "T - 1."),
        Mistake("the lowest n", timesteps(lambda torch, T, n, i: i.flip(0)),
                "Those are the n lowest timesteps; the chain would start where hardly any noise "
                "is left."),
        Mistake("the highest n", timesteps(lambda torch, T, n, i: T - 1 - i),
                "Those are the n highest timesteps; the chain would end in noise. Neighbours lie "
                "T / n apart."),
    ),
)  # fmt: skip


EXERCISES = (RESPACED,)
