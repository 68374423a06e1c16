"""Exercise 1.6, a schedule that ends in noise.

Expected results come by another road than the reference: numbers worked by hand, and a loop in
which each root is a mean of its ends.
"""

import math
from collections.abc import Callable

import numpy as np

from diffutils.course.exercises.model import Case, Exercise, Mistake


def bend(betas, last):
    """Betas (T,) whose sqrt(abar) is shifted and stretched to end at sqrt(last)."""
    root = (1 - betas).cumprod(0).sqrt()
    end = math.sqrt(last)
    curve = end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])
    return betas_of(curve**2)


def betas_of(abar):
    """Betas (T,) of alpha-bars (T,)."""
    return 1 - abar / before(abar)


def before(values):
    """The value before each, 1 before the first."""
    import torch

    return torch.cat([torch.ones_like(values[:1]), values[:-1]])


def by_means(betas: list[float], last: float) -> list[float]:
    """The same step by step: every root of the new curve is a mean of its two ends."""
    roots = [math.sqrt(math.prod(1 - beta for beta in betas[: t + 1])) for t in range(len(betas))]
    high, low, level, bent = roots[0], roots[-1], 1.0, []
    for root in roots:
        share = (root - low) / (high - low)
        new = share * high + (1 - share) * math.sqrt(last)
        bent.append(1 - (new / level) ** 2)
        level = new
    return bent


def bend_cases(seed) -> list[Case]:
    import torch

    rng = np.random.default_rng([seed, 16])
    small = torch.tensor([0.19, 1 - 0.64 / 0.81, 1 - 0.09 / 0.64], dtype=torch.float64)
    by_hand = [0.19, 1 - 0.775**2 / 0.81, 1 - 0.15**2 / 0.775**2]

    def made(betas, last, about, kind=torch.float64, tolerance=1e-6):
        given = torch.tensor(betas, dtype=kind)
        right = torch.tensor(by_means(betas, last), dtype=kind)
        return Case((given, last), right, about, tolerance)

    return [
        Case((small, 0.0225), torch.tensor(by_hand, dtype=torch.float64),
             "The worked value: roots 0.9, 0.8, 0.3 become 0.9, 0.775, 0.15, so betas 0.19, "
             "0.2585, 0.9625."),
        made(rng.uniform(0.03, 0.4, 7).tolist(), rng.uniform(1e-3, 1e-2),
             "Betas need not rise: it is the curve of roots that is shifted and stretched."),
        made(rng.uniform(0.1, 0.3, 4).tolist(), rng.uniform(1e-7, 1e-6),
             "The last beta may be nearly 1."),
        made(rng.uniform(0.05, 0.3, 5).tolist(), rng.uniform(1e-3, 1e-2),
             "The result has the dtype of `betas`.", torch.float32, 1e-5),
        made(np.linspace(1e-4, 0.02, 300).tolist(), 1e-8,  # as in the lesson
             "The published schedule, T = 300, must end at abar = 1e-8 and begin as it did."),
    ]  # fmt: skip


# ------------------------------------------------- the algorithm with one part replaced


def stretched(root, end):
    """The curve, shifted and stretched to keep its first value and to end at `end`."""
    return end + (root - root[-1]) * (root[0] - end) / (root[0] - root[-1])


def bent(power=0.5, end=None, curve=stretched, back=betas_of, squared=None) -> Callable:
    """Algorithm 1 of Lin et al. (2024) with other parts; power: of abar, which is bent."""
    squared = squared or (lambda curve: curve ** (1 / power))
    end = end or (lambda last: last**power)
    return lambda betas, last: back(squared(curve((1 - betas).cumprod(0) ** power, end(last))))


def straight(root, end):
    """A straight line in place of the curve, in PyTorch's default type."""
    import torch

    return torch.linspace(float(root[0]), end, len(root))


def after(abar):
    """The alpha-bar after each, 0 after the last."""
    return before(abar.flip(0)).flip(0) * (abar != abar[-1])


IN_CURVE = (
    ("shift only", lambda root, end: root - root[-1] + end,
     "The curve is shifted but not stretched, so its beginning has changed too."),
    ("scale only", lambda root, end: root * end / root[-1],
     "The curve is scaled but not shifted, so its first value has changed too."),
    ("shift from the first value", lambda root, end: end + (root - root[0]) * (root[0] - end)
     / (root[0] - root[-1]),
     "root[0] is subtracted; subtract root[-1], so that the curve ends at 0 before `end` is "
     "added."),
    ("stretched too far", lambda root, end: end + (root - root[-1]) * root[0]
     / (root[0] - root[-1]),
     "Stretch to root[0] - end, not to root[0]: `end` is added afterwards."),
    ("stretched to 1", lambda root, end: end + (root - root[-1]) * (1 - end) / (root[0] - root[-1]),
     "The new curve begins at 1; it must keep its first value, root[0]."),
    ("stretched from 1", lambda root, end: end + (root - root[-1]) * (1 - end) / (1 - root[-1]),
     "It stretches as if the curve began at 1; its first value is root[0], which stays."),
    ("not stretched to the height", lambda root, end: end + (root - root[-1])
     / (root[0] - root[-1]),
     "The curve begins at 1 + end: multiply by root[0] - end before `end` is added."),
    ("shift by the end", lambda root, end: end + (root - end) * (root[0] - end)
     / (root[0] - root[-1]),
     "`end` is subtracted before the stretch; subtract root[-1], so that the curve ends at 0 "
     "there."),
    ("not divided", lambda root, end: end + (root - root[-1]) * (root[0] - end),
     "The shifted curve begins at root[0] - root[-1]: divide by that before you stretch."),
    ("stretch upside down", lambda root, end: end + (root - root[-1]) * (root[0] - root[-1])
     / (root[0] - end),
     "The stretch stands upside down: it is (root[0] - end) / (root[0] - root[-1])."),
    ("divided by the first value", lambda root, end: end + (root - root[-1]) * (root[0] - end)
     / root[0],
     "The shifted curve begins at root[0] - root[-1], not at root[0]: divide by that."),
    ("end not added", lambda root, end: (root - root[-1]) * (root[0] - end) / (root[0] - root[-1]),
     "The curve ends at 0, and begins too low: `end` is not added."),
    ("end at 0", lambda root, end: stretched(root, 0.0),
     "The curve ends at 0, not at sqrt(last): `last` has no part in it."),
    ("stretched before the shift", lambda root, end: root * (root[0] - end) / (root[0] - root[-1])
     - root[-1] + end,
     "root[-1] is subtracted after the stretch; subtract it first, in brackets."),
    ("turned round", lambda root, end: stretched(root, end).flip(0),
     "The curve is turned round: it begins at root[0] and falls to `end`."),
    ("rising", lambda root, end: root[0] + end - stretched(root, end),
     "The curve rises from `end` to root[0]; it begins at root[0] and falls."),
    ("straight line", lambda root, end: straight(root, end).to(root),
     "A straight line from first to last: keep the curve's shape."),
    ("bent in the logarithm", lambda root, end: (stretched(root.log(), math.log(end))).exp(),
     "The logarithm of the curve is shifted and stretched; it is the curve itself that is."),
    ("last value only", lambda root, end: root.where(root != root[-1], root.new_tensor(end)),
     "Only the last value is changed; the whole curve is shifted and stretched."),
)  # fmt: skip

IN_BACK = (
    ("alphas returned", lambda abar: abar / before(abar), "Those are the alphas; beta is 1 - "
     "alpha."),
    ("noise variance returned", lambda abar: 1 - abar,
     "1 - abar_t is all the noise so far; a beta is 1 - abar_t / abar_(t-1)."),
    ("alpha-bars returned", lambda abar: abar,
     "Those are the alpha-bars; a beta is 1 - abar_t / abar_(t-1), with abar_0 = 1."),
    ("roots returned", lambda abar: abar.sqrt(),
     "That is the bent curve itself; square it, and go back to betas: 1 - abar_t / abar_(t-1)."),
    ("quotient upside down", lambda abar: 1 - before(abar) / abar,
     "The quotient stands upside down: abar_t belongs above, abar_(t-1) below."),
    ("minus forgotten", lambda abar: abar / before(abar) - 1,
     "Those are minus the betas: beta is 1 - abar_t / abar_(t-1)."),
    ("rolled", lambda abar: 1 - abar / abar.roll(1),
     "roll puts the last alpha-bar before the first; there it must be 1."),
    ("first beta 0", lambda abar: 1 - abar / abar[[0, *range(len(abar) - 1)]],
     "The first beta is 0: the alpha-bar before the first is 1, not the first itself."),
    ("first beta 1", lambda abar: (1 - abar / before(abar)).index_fill(
        0, abar.new_zeros(1).long(), 1),
     "The first beta is 1, as if the alpha-bar before the first were infinite; it is 1."),
    ("difference for quotient", lambda abar: before(abar) - abar,
     "abar_(t-1) - abar_t is no beta: divide by abar_(t-1)."),
    ("logarithm for quotient", lambda abar: (before(abar) / abar).log(),
     "Minus the logarithm of the quotient is near beta only where beta is small: 1 - quotient."),
    ("root of the quotient", lambda abar: 1 - (abar / before(abar)).sqrt(),
     "The quotient is one of roots: square the bent curve before you go back to betas."),
    ("squared twice", lambda abar: 1 - (abar / before(abar)) ** 2,
     "The quotient is squared once too often: abar is the curve squared once."),
    ("next for previous", lambda abar: 1 - after(abar) / abar,
     "The neighbour is the one after: beta_t is 1 - abar_t / abar_(t-1)."),
    ("clamped", lambda abar: betas_of(abar).clip(max=0.999),
     "The betas are clamped to 0.999, so the curve does not end at sqrt(last)."),
)  # fmt: skip

BEND = Exercise(
    "1.6", "a schedule that ends in noise", 3, 15, bend, bend_cases,
    (
        Mistake("unchanged", lambda betas, last: betas.clone(),
                "The schedule is as it was: at T = 300 a fifth of the image is left at the end."),
        Mistake("scaled", lambda betas, last: betas * (1000 / len(betas)),
                "Betas times 1000/T is another good repair; this one bends sqrt(abar) instead."),
        *(Mistake(name, bent(curve=part), hint) for name, part, hint in IN_CURVE),
        *(Mistake(name, bent(back=part), hint) for name, part, hint in IN_BACK),
        Mistake("without root", bent(power=1),
                "You bend abar; the algorithm bends its root, the factor of the image."),
        Mistake("end without root", bent(end=lambda last: last),
                "`last` is an abar; the curve of roots must end at sqrt(last)."),
        Mistake("end squared", bent(end=lambda last: last**2),
                "The curve ends at the square of `last`; it must end at its root."),
        Mistake("end with a half", bent(end=lambda last: last / 2),
                "`last ** 1/2` is half of last, not its root: write math.sqrt(last)."),
        Mistake("abar bent to the root", bent(power=1, end=lambda last: last**0.5),
                "abar itself is bent, and to sqrt(last); it is the root of abar that ends there."),
        Mistake("alphas bent", lambda betas, last: 1 - stretched((1 - betas).sqrt(), last**0.5)**2,
                "The roots of the alphas are bent; it is those of their products so far."),
        Mistake("products forgotten", lambda betas, last: betas_of(
                    stretched((1 - betas).sqrt(), last**0.5) ** 2),
                "The roots of the alphas are bent, without their products: cumprod(0) is missing."),
        Mistake("betas bent", lambda betas, last: stretched(betas, 1 - last),
                "The betas themselves are bent; it is the curve sqrt(abar) that is."),
    ),
)  # fmt: skip


EXERCISES = (BEND,)
