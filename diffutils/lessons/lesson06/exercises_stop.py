"""Exercise 6.3: when to stop without the truth.

Expected results come from a search among all beginnings of a curve.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def stopped(errors, patience):
    """Index of the least error seen when the run is stopped."""
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return best


def wrong(
    better=lambda error, least: error < least,
    late=lambda age, patience: age >= patience,
    answer=lambda best, i, errors: best,
):
    """`stopped`, of which a mistake replaces one part."""

    def function(errors, patience):
        errors = as_list(errors)
        best = 0
        for i, error in enumerate(errors):
            if i and better(error, errors[best]):
                best = i
            if late(i - best, patience):
                break
        return answer(best, i, errors)

    return function


def as_list(errors) -> list[float]:
    """The errors as numbers, whatever held them."""
    return [float(error) for error in errors]


def least(errors) -> int:
    """The index of the least number, of equal ones the first."""
    return min(range(len(errors)), key=errors.__getitem__)


def counting(reset, worse=lambda error, before, best: error >= best):
    """A mistake: what is counted is not the age; reset: whether the count starts anew."""

    def function(errors, patience):
        errors = as_list(errors)
        best = count = 0
        for i in range(1, len(errors)):
            new = errors[i] < errors[best]
            count = 0 if reset(errors[i], errors[i - 1], new) else count
            count += worse(errors[i], errors[i - 1], errors[best])
            best = i if new else best
            if count >= patience:
                break
        return best

    return function


def against_earlier(errors, patience):
    """A mistake: the run stops where an error exceeds that of `patience` steps before."""
    errors = as_list(errors)
    for i in range(patience, len(errors)):
        if errors[i] > errors[i - patience]:
            return least(errors[: i + 1])
    return least(errors)


def of_the_window(errors, patience):
    """A mistake: the least of the last errors alone."""
    errors = as_list(errors)
    end = wrong(answer=lambda best, i, errors: i)(errors, patience)
    first = max(end - patience + 1, 0)
    return first + least(errors[first : end + 1])


def stop_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def searched(errors, patience):
        """The least of the shortest beginning whose least is old enough, else of all."""
        errors = np.asarray(errors, dtype=float)
        for end in range(1, len(errors) + 1):
            place = int(errors[:end].argmin())
            if end - 1 - place >= patience:
                return place
        return int(errors.argmin())

    def case(errors, patience, about, form=list):
        errors = [float(error) for error in errors]
        return Case((form(errors), patience), searched(errors, patience), about)

    def curve(n, rise=0.6):
        """Falls, then rises, with skewed noise."""
        k = np.arange(n) / n
        return 2 + 4 * (k - rise) ** 2 + random.exponential(0.5, n) ** 1.3 * (0.4 + k)

    def tensor(errors):
        return torch.tensor(errors, dtype=torch.float64)

    # A low error behind the stop; ties; a curve whose errors come in steps; last the lesson's own.
    late = np.concatenate([curve(8), 9 + random.uniform(0, 1, 6), [0.1, 0.3]])
    stairs = (4 * curve(30)).round() / 4
    just = np.concatenate([[5, 3], 4 + random.uniform(0, 1, 3), [2], 6 + random.uniform(0, 1, 9)])
    age = "Stop at the first index at which the least error so far is `patience` steps old"
    fall = 5 * random.uniform(0.8, 0.95, 9).cumprod()
    long = 1e-3 * curve(150, 0.4)
    return [
        case([3, 1, 2, 2, 0], 2, "The worked value: at index 3 the 1 of index 1 is two steps old."),
        case([3, 1, 2, 2, 0], 3, "The worked value: with patience 3 the 0 is seen: 4."),
        case(late, 5, f"{age}; a lower error behind it is never seen.", np.array),
        case(just, 4, "An error that is lower just as the patience would end goes on.", tensor),
        case([2, 1, 4, 1, 5, 1, 6, 0.5], 3, "An equal error is no lower one: the age counts on."),
        case(
            [2, 1, 4, 3, 3.5, 3, 0.5, 9, 9, 9, 9],
            3,
            "Only a new least error starts the patience anew, not every fall.",
        ),
        case([2, 4, 1, 1, 1, 3, 5], 2, "Of equal errors take the earliest."),
        case(stairs, 4, f"{age}; here errors are equal at times.", tensor),
        case(curve(40), 1, f"{age}; with patience 1 at the first that is no lower.", np.array),
        case(curve(25, 0.3), 99, "The patience never ends: the least of all errors.", tensor),
        case(fall, 3, "The errors fall to the end, so the last one is the least."),
        case([*fall[:4], *(fall[3] + fall[:2])], 3, "The curve ends before the patience does."),
        case([7.5], 1, "A curve of one error: 0."),
        case(0.04 * curve(3), 1, f"{age}; a very short run."),
        case(random.permutation(curve(60)), 7, f"{age}.", np.array),
        case(random.permutation(curve(60)), 6, f"{age}.", tensor),
        case(long, 12, f"{age}; here as the lesson calls it."),
    ]


def last_not_seen(errors, patience):
    values = as_list(errors)
    return stopped(values[:-1], patience) if len(values) > 1 else 0


def first_rise(errors, patience):
    values = as_list(errors)
    rises = (i for i in range(len(values) - 1) if values[i + 1] > values[i])
    return next(rises, len(values) - 1)


def of_the_last(errors, patience):
    values = as_list(errors)
    return max(0, len(values) - patience) + least(values[-patience:])


def step_before(errors, patience):
    values, best, waited = as_list(errors), 0, 0
    for i in range(1, len(values)):
        best, waited = (i, 0) if values[i] < values[i - 1] else (best, waited + 1)
        if waited >= patience:
            break
    return best


STOP_MISTAKES = (
    Mistake(
        "the last is not seen",
        last_not_seen,
        "The last error is never looked at; where nothing stops the run, it counts like others.",
    ),
    Mistake(
        "at the first rise",
        first_rise,
        "It stops at the first rise, whatever the patience is; wait for `patience` steps.",
    ),
    Mistake(
        "least of the tail",
        of_the_last,
        "That is the least of the last `patience` errors; look at all up to the stop.",
    ),
    Mistake(
        "against the one before",
        step_before,
        "Each error is compared with the one before it; compare it with the least so far.",
    ),
    Mistake(
        "least of all",
        lambda errors, patience: least(as_list(errors)),
        "That is the least of the whole curve; what lies behind the stop was never computed.",
    ),
    Mistake(
        "where it stops",
        wrong(answer=lambda best, i, errors: i),
        "That is where the run stops; return where the least error was.",
    ),
    Mistake(
        "the error itself",
        wrong(answer=lambda best, i, errors: errors[best]),
        "That is the least error; return its index.",
    ),
    Mistake(
        "counted from 1",
        wrong(answer=lambda best, i, errors: best + 1),
        "It is one too many: indices count from 0.",
    ),
    Mistake(
        "index and error",
        wrong(answer=lambda best, i, errors: (best, errors[best])),
        "Index and error are returned; return the index alone.",
    ),
    Mistake(
        "one step too late",
        wrong(late=lambda age, patience: age > patience),
        "The run stops one step too late: `patience` steps old is old enough.",
    ),
    Mistake(
        "one step too early",
        wrong(late=lambda age, patience: age >= patience - 1),
        "The run stops one step too early: look at the error that arrives before you decide.",
    ),
    Mistake(
        "ties are better",
        wrong(better=lambda error, least: error <= least),
        "An equal error takes the place of the least one; only a lower one may.",
    ),
    Mistake(
        "latest of equals",
        wrong(
            answer=lambda best, i, errors: max(k for k in range(i + 1) if errors[k] == errors[best])
        ),
        "Of equal errors the latest is returned; take the earliest.",
    ),
    Mistake(
        "first rise",
        wrong(late=lambda age, patience: age >= 1),
        "The run stops at the first error that is no lower, whatever `patience` says.",
    ),
    Mistake(
        "never reset",
        counting(lambda error, before, new: False),
        "Errors that are no lower are counted over the whole run; a new least error starts anew.",
    ),
    Mistake(
        "reset by any fall",
        counting(lambda error, before, new: error < before),
        "The count starts anew with any fall; only a new least error may do that.",
    ),
    Mistake(
        "rises counted",
        counting(lambda error, before, new: new, lambda error, before, best: error > before),
        "Only rises are counted; every step without a new least error makes it older.",
    ),
    Mistake(
        "rises in a row",
        counting(
            lambda error, before, new: error <= before, lambda error, before, best: error > before
        ),
        "Rises in a row are counted; a small fall between them makes the least error no younger.",
    ),
    Mistake(
        "against earlier",
        against_earlier,
        "Each error is compared with that of `patience` steps before; compare with the least one.",
    ),
    Mistake(
        "last errors alone",
        of_the_window,
        "Only the last `patience` errors are searched; the least one lies before them.",
    ),
    Mistake(
        "patience as an index",
        lambda errors, patience: least(as_list(errors)[: patience + 1]),
        "The run stops at index `patience`; the patience starts anew with each new least error.",
    ),
    Mistake(
        "greatest",
        lambda errors, patience: wrong()([-error for error in as_list(errors)], patience),
        "It searches the greatest error; less is better.",
    ),
    Mistake(
        "last one at the end",
        wrong(answer=lambda best, i, errors: i if i == len(errors) - 1 else best),
        "Where the curve ends first the last index is returned; the least error may lie before it.",
    ),
    Mistake(
        "steps back from the end",
        lambda errors, patience: max(
            wrong(answer=lambda best, i, errors: i)(errors, patience) - patience, 0
        ),
        "It goes `patience` steps back from the end; where the curve ends first that is too far.",
    ),
)
STOPPED = Exercise(
    "6.3", "when to stop without the truth", 2, 10, stopped, stop_cases, STOP_MISTAKES
)


EXERCISES = (STOPPED,)
