"""Exercise 6.5: a short walk from the middle.  Expected results come from whole numbers alone."""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def respaced(sigmas, sigma0, n):
    """n + 1 levels from sigma0 down to 0, out of the table `sigmas`."""
    import torch

    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]


def wrong(
    below=lambda sigmas, sigma0: sigmas[sigmas < sigma0],
    start=lambda sigmas, sigma0: [sigma0],
    places=lambda m, n: even(0, m, n + 1).round(),
    after=lambda levels, sigma0: levels,
):
    """`respaced`, of which a mistake replaces one part; places beyond the end become the last."""

    def function(sigmas, sigma0, n):
        import torch

        levels = torch.cat([sigmas.new_tensor(start(sigmas, sigma0)), below(sigmas, sigma0)])
        taken = places(len(levels) - 1, n).long().clamp(max=len(levels) - 1)
        return after(levels[taken], sigma0)

    return function


def even(first, last, count):
    """Even steps between two numbers."""
    import torch

    return torch.linspace(first, last, count, dtype=torch.float64)


def stride(m, n):
    """Multiples of the whole part of m / n."""
    return even(0, m // n * n, n + 1).round()


def nearest(sigmas, sigma0):
    """The level of the table that is nearest to sigma0."""
    return [sigmas[(sigmas - sigma0).abs().argmin()].item()]


def replaced(levels, sigma0):
    """Levels of which the first is overwritten."""
    levels[0] = sigma0
    return levels


def by_value(sigmas, sigma0, n):
    """A mistake: even steps in the levels."""
    return even(sigma0, 0, n + 1).to(sigmas)


def nearest_by_value(sigmas, sigma0, n):
    """A mistake: the levels nearest to even steps in the levels."""
    import torch

    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[(levels - even(sigma0, 0, n + 1)[:, None]).abs().argmin(1)]


def start_in_front(sigmas, sigma0, n):
    """A mistake: n of the levels below, behind sigma0."""
    import torch

    below = sigmas[sigmas < sigma0]
    taken = even(0, len(below) - 1, n).round().long()
    return torch.cat([sigmas.new_tensor([sigma0]), below[taken]])


def spaced_then_cut(sigmas, sigma0, n):
    """A mistake: the whole table is thinned, and cut at sigma0."""
    import torch

    thin = sigmas[even(0, len(sigmas) - 1, n + 1).round().long()]
    return torch.cat([sigmas.new_tensor([sigma0]), thin[thin < sigma0]])


def respaced_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(levels, sigma0, n, about):
        """For n and m of which no k m / n lies in the middle of two whole numbers."""
        line = [sigma0, *(level for level in levels if level < sigma0)]
        m = len(line) - 1
        assert n <= m and all(2 * k * m % (2 * n) != n for k in range(n + 1))
        known = [line[(2 * k * m + n) // (2 * n)] for k in range(n + 1)]
        given, expected = (torch.tensor(part, dtype=torch.float64) for part in (levels, known))
        return Case((given, sigma0, n), expected, about)

    def table(T, top=3.0):
        """T falling levels in uneven steps, and 0."""
        steps = random.exponential(1.0, T) ** 1.3 + 0.05
        return [*(top * steps.cumsum()[::-1] / steps.sum()).tolist(), 0.0]

    def between(levels, m):
        """A level above the last m of a table, and below the one before."""
        low, high = levels[-m], levels[-m - 1]
        return low + random.uniform(0.2, 0.8) * (high - low)

    # Tables in uneven steps; a start that the table has; short ends; last as the lesson has it.
    small, middle, large = table(9), table(31), table(200, 50.0)
    cosine = (np.cos(np.linspace(0.01, 0.995, 400) * np.pi / 2) ** -2 - 1) ** 0.5
    lesson = [*cosine[::-1].tolist(), 0.0]
    chosen = "Line up sigma0 and all levels below it; take those at the indices nearest to k m / n"
    return [
        case(
            [5.0, 4.0, 3.0, 2.0, 1.0, 0.0],
            3.5,
            3,
            "The worked value: of [3.5, 3, 2, 1, 0] the indices 0, 1, 3 and 4.",
        ),
        case(small, between(small, 7), 3, f"{chosen}."),
        case(middle, between(middle, 23), 5, f"{chosen}."),
        case(middle, middle[11], 7, "A start that the table has is taken once."),
        case(small, between(small, 5), 5, "With n = m every level below sigma0 is taken."),
        case(small, small[3], 1, "A walk of one step leads from sigma0 to 0."),
        case(small, 0.5 * small[-2], 1, "Below the table's lowest level only 0 is left."),
        case(large, between(large, 124), 20, f"{chosen}."),
        case(large, large[2], 15, f"{chosen}; here sigma0 is one of them."),
        case(lesson, between(lesson, 164), 20, f"{chosen}; here as the lesson calls it."),
    ]


def last_ones(sigmas, sigma0, n):
    import torch

    return torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])[-(n + 1) :]


def levels_above(sigmas, sigma0, n):
    import torch

    levels = torch.cat([sigmas[sigmas > sigma0], sigmas.new_tensor([sigma0])])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]


def nearest_of_the_table(sigmas, sigma0, n):
    import torch

    levels = sigmas[int((sigmas - sigma0).abs().argmin()) :]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]


RESPACED_MISTAKES = (
    Mistake(
        "the lowest ones",
        last_ones,
        "Those are the lowest n + 1 levels; spread them over the whole way from sigma0.",
    ),
    Mistake(
        "above instead of below",
        levels_above,
        "Those are the levels above sigma0; the chain walks down, through those below it.",
    ),
    Mistake(
        "nearest level known",
        nearest_of_the_table,
        "It starts at the nearest level of the table; the state has the level sigma0 itself.",
    ),
    Mistake(
        "rounded down",
        wrong(places=lambda m, n: even(0, m, n + 1)),
        "The indices are cut, not rounded: 2.9 becomes 2. Take the nearest whole number.",
    ),
    Mistake(
        "rounded up",
        wrong(places=lambda m, n: (even(0, m, n + 1) - 1e-9).ceil()),
        "The indices are rounded up: 2.1 becomes 3. Take the nearest whole number.",
    ),
    Mistake(
        "constant stride",
        wrong(places=stride),
        "It goes a whole number of levels in each step and never arrives at 0; round k m / n.",
    ),
    Mistake(
        "stride, then 0",
        wrong(places=lambda m, n: stride(m, n).where(even(0, m, n + 1) < m, m)),
        "Each step skips equally many levels but the last, which is far longer; round k m / n.",
    ),
    Mistake(
        "n levels",
        wrong(places=lambda m, n: even(0, m, n).round()),
        "Those are n levels; n steps need n + 1.",
    ),
    Mistake(
        "one too many",
        wrong(places=lambda m, n: even(0, m, n + 2).round()),
        "One level too many: n steps have n + 1 levels, both ends included.",
    ),
    Mistake(
        "0 forgotten",
        wrong(places=lambda m, n: even(0, m - 1, n + 1).round()),
        "The walk ends above 0: the last index is m.",
    ),
    Mistake(
        "start forgotten",
        wrong(start=lambda sigmas, sigma0: []),
        "It starts at the first level below sigma0; sigma0 itself belongs in front.",
    ),
    Mistake(
        "start replaced",
        wrong(start=lambda sigmas, sigma0: [], after=replaced),
        "The first level is overwritten by sigma0 after the choice; line it up before.",
    ),
    Mistake(
        "start on the table",
        wrong(start=nearest),
        "It starts at the table's nearest level; the chain starts at sigma0 itself.",
    ),
    Mistake(
        "start in front",
        start_in_front,
        "sigma0 is set before n levels that were chosen without it; choose among all of them.",
    ),
    Mistake(
        "start twice",
        wrong(below=lambda sigmas, sigma0: sigmas[sigmas <= sigma0]),
        "A level equal to sigma0 is lined up a second time; take those below it.",
    ),
    Mistake(
        "levels above",
        wrong(below=lambda sigmas, sigma0: sigmas[sigmas > sigma0]),
        "Those are the levels above sigma0; the chain walks down.",
    ),
    Mistake(
        "whole table",
        wrong(below=lambda sigmas, sigma0: sigmas[1:]),
        "The whole table is walked; nothing above sigma0 is needed.",
    ),
    Mistake(
        "from the top",
        wrong(
            below=lambda sigmas, sigma0: sigmas[1:],
            start=lambda sigmas, sigma0: sigmas[:1].tolist(),
        ),
        "It walks from sigmas[0]; the chain starts in the middle, at sigma0.",
    ),
    Mistake(
        "thinned, then cut",
        spaced_then_cut,
        "The table is thinned before it is cut, so fewer than n steps are left; cut it first.",
    ),
    Mistake(
        "steps in the level",
        by_value,
        "Those are even steps in the level; even steps in the index of the table are asked for.",
    ),
    Mistake(
        "nearest level",
        nearest_by_value,
        "Levels nearest to even steps in the level are taken; the steps are even in the index.",
    ),
    Mistake(
        "rising",
        wrong(after=lambda levels, sigma0: levels.flip(0)),
        "The levels rise; the walk goes down from sigma0 to 0.",
    ),
    Mistake(
        "first ones",
        wrong(places=lambda m, n: even(0, n, n + 1)),
        "Those are the first n + 1 levels, and the walk ends above 0; spread them over all.",
    ),
    Mistake(
        "last ones",
        wrong(places=lambda m, n: even(m - n, m, n + 1).where(even(0, 1, n + 1) > 0, 0)),
        "The first step leaps over all that are left out; spread them over the whole way.",
    ),
    Mistake(
        "from the second",
        wrong(places=lambda m, n: even(1, m, n + 1).round()),
        "The first index is 1; sigma0, with index 0, comes first.",
    ),
    Mistake(
        "indices",
        lambda sigmas, sigma0, n: even(0, int((sigmas < sigma0).sum()), n + 1).round(),
        "Those are the indices; return the levels that have them.",
    ),
    Mistake(
        "crowded at the end",
        wrong(places=lambda m, n: (m * (1 - (1 - even(0, 1, n + 1)) ** 2)).round()),
        "The steps grow shorter towards 0; the indices are evenly spaced.",
    ),
)
RESPACED = Exercise(
    "6.5", "a short walk from the middle", 2, 10, respaced, respaced_cases, RESPACED_MISTAKES
)


EXERCISES = (RESPACED,)
