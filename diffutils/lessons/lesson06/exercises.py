"""Exercises 6.1, what a chain leaves of its start, and 6.2, find the unit bug.

Expected results of 6.1 come from both chains' paths, walked in small steps; those of 6.2 are known
by construction, on a machine whose clock only the work and the timer move.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def left_of_start(sigma0, s):
    """How much too high DDIM and DDPM end that start one too high, on average."""
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim, ddim**2


def walked(sigma0, s, rate, steps=400):
    """Where 1 ends that walks down x' = rate (x - D) / sigma with D = s^2/(s^2 + sigma^2) x."""

    def slope(x, level):
        return rate * level / (s**2 + level**2) * x

    x, h = 1.0 + 0 * sigma0 * s, sigma0 / steps
    for k in range(steps, 0, -1):  # Runge and Kutta's steps
        one = slope(x, k * h)
        two = slope(x - h / 2 * one, (k - 0.5) * h)
        three = slope(x - h / 2 * two, (k - 0.5) * h)
        x = x - h / 6 * (one + 2 * two + 2 * three + slope(x - h * three, (k - 1) * h))
    return x


def left_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(sigma0, s, about, form=lambda value: value, tolerance=1e-6):
        known = tuple(form(walked(sigma0, s, rate)) for rate in (1, 2))
        return Case((form(sigma0), form(s)), known, about, tolerance)

    def arrays(shape):
        return random.uniform(0.3, 1.2, shape) ** 2 + 0.05, random.uniform(0.5, 1.0, shape) ** 2

    def single(value):
        return torch.from_numpy(np.asarray(value)).float()

    # Numbers first, then arrays and tensors; the last is as the lesson has it.
    small, large = random.uniform(0.1, 0.4), random.uniform(0.6, 1.7)
    of_ddim, of_ddpm = "DDIM scales x - m with its spread", "DDPM ends in a draw of p(x0 | x)"
    return [
        case(0.3, 0.4, "The worked value: the spread falls from 0.5 to 0.4, and 0.4 / 0.5 is 0.8."),
        case(small, large, f"{of_ddim}, from sqrt(s^2 + sigma0^2) to s."),
        case(large, small, f"{of_ddpm}, whose mean is that of a product of two Gaussians."),
        case(2, 3, f"{of_ddim}; here both numbers are whole."),
        case(*arrays((2, 3)), f"{of_ddpm}, for each element of the arrays."),
        case(*arrays((3, 1, 4)), f"{of_ddim}, for each element of the tensors.", torch.from_numpy),
        case(*arrays((5, 2)), f"{of_ddim}, for each of them.", single, 1e-5),
        case(small, random.uniform(0.2, 1.5, 7), f"{of_ddpm}; here one level and seven spreads."),
        case(np.linspace(0.05, 2, 40), 0.5, f"{of_ddim}; here 40 levels, as the lesson calls it."),
    ]


def wrong_left(of):
    """A mistake: another pair; t is the spread where the chain starts."""

    def function(sigma0, s):
        t = (s**2 + sigma0**2) ** 0.5
        return of(s + 0 * t, t, sigma0 + 0 * t)

    return function


LEFT_MISTAKES = tuple(
    Mistake(name, wrong_left(of), hint)
    for name, of, hint in (
        (
            "swapped",
            lambda s, t, n: (s**2 / t**2, s / t),
            "The two are swapped: DDIM's comes first, and it is the larger one.",
        ),
        (
            "level alone",
            lambda s, t, n: (s / n, s**2 / n**2),
            "Below the line stands the level alone; noisy images have both spreads, of squares.",
        ),
        (
            "half without brackets",
            lambda s, t, n: (s / t**2 / 2, (s / t**2 / 2) ** 2),
            "`** 1 / 2` halves the first power: write ** 0.5, or brackets around 1 / 2.",
        ),
        (
            "twice",
            lambda s, t, n: (s / t, 2 * s / t),
            "DDPM's is twice DDIM's here; a ratio of variances is the square of one of spreads.",
        ),
        (
            "share of the noise",
            lambda s, t, n: (s / t, n**2 / t**2),
            "That is the share that DDPM forgets; it keeps the images' share of the variance.",
        ),
        (
            "both like DDPM",
            lambda s, t, n: (s**2 / t**2, s**2 / t**2),
            "DDIM's is given as DDPM's. Of x - m it keeps a ratio of two spreads, not variances.",
        ),
        (
            "both like DDIM",
            lambda s, t, n: (s / t, s / t),
            "DDPM's is given as DDIM's. The mean of p(x0 | x) keeps the ratio of two variances.",
        ),
        (
            "DDIM alone",
            lambda s, t, n: s / t,
            "That is DDIM's alone; return a pair, DDPM's second.",
        ),
        (
            "DDPM alone",
            lambda s, t, n: s**2 / t**2,
            "That is DDPM's alone; return a pair, DDIM's first.",
        ),
        (
            "noise for signal",
            lambda s, t, n: (n / t, n**2 / t**2),
            "That grows with the noise; the more noise, the less is left of the start.",
        ),
        (
            "what is lost",
            lambda s, t, n: (1 - s / t, 1 - s**2 / t**2),
            "That is what gets lost of the start; return what is left of it.",
        ),
        (
            "upside down",
            lambda s, t, n: (t / s, t**2 / s**2),
            "Both are above 1: the ratios are upside down. The chain ends with the smaller spread.",
        ),
        (
            "spreads added",
            lambda s, t, n: (s / (s + n), (s / (s + n)) ** 2),
            "Spreads are added; of an image and independent noise the variances are.",
        ),
        (
            "DDPM by spreads",
            lambda s, t, n: (s / t, s / (s + n)),
            "DDPM's ratio is one of spreads; in the mean of p(x0 | x) variances stand.",
        ),
        (
            "nothing squared",
            lambda s, t, n: ((s / (s + n)) ** 0.5, s / (s + n)),
            "s and sigma0 stand as they are where variances belong; square them.",
        ),
        (
            "squared twice",
            lambda s, t, n: (s**2 / t**2, s**4 / t**4),
            "Both are squared once too often: begin with the ratio of the spreads.",
        ),
        (
            "DDPM's squared",
            lambda s, t, n: (s / t, s**4 / t**4),
            "DDPM's is the posterior mean's factor, taken once: nothing multiplies it again.",
        ),
        (
            "root of a root",
            lambda s, t, n: (s / t, (s / t) ** 0.5),
            "A root is taken of DDIM's; fresh noise leaves less of the start than DDIM, not more.",
        ),
        (
            "halved by precedence",
            lambda s, t, n: (s / t**2 / 2, s**2 / t**2),
            "`** 1 / 2` is a power of one, halved; a root is ** 0.5.",
        ),
        (
            "s squared over a root",
            lambda s, t, n: (s**2 / t, s**2 / t**2),
            "A variance is divided by a spread in DDIM's; divide like by like.",
        ),
        (
            "s over a variance",
            lambda s, t, n: (s / t**2, s**2 / t**2),
            "A spread is divided by a variance in DDIM's; the root is missing.",
        ),
        (
            "variances subtracted",
            lambda s, t, n: (s / abs(s**2 - n**2) ** 0.5, s**2 / abs(s**2 - n**2)),
            "The variances are subtracted; noise adds its own to that of the images.",
        ),
        (
            "images of spread 1",
            lambda s, t, n: (1 / (1 + n**2) ** 0.5, 1 / (1 + n**2)),
            "The images have the spread s, not 1.",
        ),
        (
            "posterior variance",
            lambda s, t, n: (s / t, s**2 * n**2 / t**2),
            "That is the variance of p(x0 | x); DDPM's end follows its mean.",
        ),
        (
            "noise forgets all",
            lambda s, t, n: (s / t, 0 * t),
            "DDPM's fresh noise does not wash away all: p(x0 | x) depends on x.",
        ),
        (
            "DDIM keeps all",
            lambda s, t, n: (1 + 0 * t, s**2 / t**2),
            "DDIM adds no noise, and still draws x nearer to m: its path scales x - m.",
        ),
        (
            "DDIM from noise alone",
            lambda s, t, n: (s / n, s**2 / t**2),
            "The spread at the start is not the noise's alone; that of the images belongs to it.",
        ),
    )
)
LEFT = Exercise(
    "6.1", "what a chain leaves of its start", 2, 10, left_of_start, left_cases, LEFT_MISTAKES
)


# --------------------------------------------------------------------- 6.2


def understated(timer, work, clock):
    """By how many times timer(work) took longer than the timer says."""
    start = clock()
    said = timer(work)
    return (clock() - start) / said


class Machine:
    """A computer whose clock stands still but for the work and what its timer does besides.

    After the first run, in the timer or outside, all lies in the cache: work and preparation take
    half as long, the end as long as ever.  So only the first run has the ratio of the case.
    """

    def __init__(self, cost, unit, before=0.0, after=0.0, now=5321.25):
        self.cost, self.unit, self.before, self.after, self.now = cost, unit, before, after, now
        self.runs = 0

    def clock(self):
        return self.now

    def work(self):
        self.now += self.cost / (2 if self.runs else 1)
        self.runs += 1

    def timer(self, work):
        self.now += self.before / (2 if self.runs else 1)
        began = self.now
        work()
        said = self.unit * (self.now - began)
        self.now += self.after
        return said


def understated_cases(seed) -> list[Case]:
    import numpy as np

    random = np.random.default_rng(seed)

    def case(cost, unit, about, before=0.0, after=0.0):
        machine = Machine(cost, unit, before, after)
        known = (before + cost + after) / (unit * cost)
        return Case((machine.timer, machine.work, machine.clock), known, about)

    a, b, c, d, e = random.uniform(0.6, 2.9, 5)
    return [
        case(2.0, 0.25, "The worked value: work of 2 seconds, of which the timer says 0.5: 4."),
        case(a, 1 / 1000, "It divides milliseconds by 1000 twice: 1000 times."),
        case(b, 1 / 60, "It says minutes and calls them seconds: 60 times."),
        case(c, 1.0, "Its clock starts after a preparation, which counts too.", before=3 * d),
        case(d, 1.0, "It does something after its clock stopped, which counts too.", after=2 * e),
        case(e, 0.5, "Unit, preparation and end are all wrong here.", before=a, after=0.4 * b),
        case(d, 1.0, "An honest timer: 1."),
        case(a, 1.5 + c, "This timer says too much, so the truth is a part of that."),
        case(0.08, 1 / 1000, "Milliseconds divided twice, of a short work, as in the lesson."),
    ]


def wrong(of):
    """`understated` with another result; alone: the time of the work inside the timer."""

    def function(timer, work, clock):
        alone = []

        def inside():
            began = clock()
            work()
            alone.append(clock() - began)

        start = clock()
        said = timer(inside)
        return of(clock() - start, said, alone[0])

    return function


def work_by_itself(timer, work, clock):
    start = clock()
    work()
    return (clock() - start) / timer(work)


def timed_afterwards(timer, work, clock):
    said, start = timer(work), clock()
    timer(work)
    return (clock() - start) / said


def asked_afterwards(timer, work, clock):
    start = clock()
    timer(work)
    return (clock() - start) / timer(work)


def work_besides(timer, work, clock):
    start = clock()
    said = timer(work)
    work()
    return (clock() - start) / said


def started_late(timer, work, clock):
    said, start = timer(work), clock()
    return (clock() - start) / said


UNDERSTATED_MISTAKES = tuple(
    Mistake(*row)
    for row in (
        (
            "upside down",
            wrong(lambda truth, said, alone: said / truth),
            "The ratio is upside down: divide the truth by what the timer says.",
        ),
        (
            "difference",
            wrong(lambda truth, said, alone: truth - said),
            "That is how many seconds are missing; divide instead.",
        ),
        (
            "minus one",
            wrong(lambda truth, said, alone: (truth - said) / said),
            "That counts what is missing; 2 seconds are 4 times 0.5, not 3 times.",
        ),
        (
            "share missing",
            wrong(lambda truth, said, alone: (truth - said) / truth),
            "That is the share of the truth that is missing; divide the whole truth by the word.",
        ),
        (
            "truth alone",
            wrong(lambda truth, said, alone: truth),
            "That is the truth in seconds; divide it by what the timer says.",
        ),
        (
            "word alone",
            wrong(lambda truth, said, alone: said),
            "That is what the timer says; measure the truth with `clock`, and divide.",
        ),
        (
            "work alone",
            wrong(lambda truth, said, alone: alone / said),
            "Only the work is measured; what the timer does before and after it counts too.",
        ),
        (
            "word unused",
            wrong(lambda truth, said, alone: truth / alone),
            "It is compared with the work's own time; compare it with what the timer says.",
        ),
        (
            "work by itself",
            work_by_itself,
            "The work runs a second time, without the timer, and that is another run; look at the "
            "clock before and after timer(work).",
        ),
        (
            "timed afterwards",
            timed_afterwards,
            "The run that is measured is a second one; the word and the truth must be of one run.",
        ),
        (
            "asked afterwards",
            asked_afterwards,
            "The timer is asked again after the measured run; keep what it said in that one.",
        ),
        (
            "work besides",
            work_besides,
            "The work runs once more before the clock is read; timer(work) has run it already.",
        ),
        (
            "started late",
            started_late,
            "The clock is read first when all is done; read it before timer(work) too.",
        ),
        (
            "always 1000",
            wrong(lambda truth, said, alone: 1000.0),
            "1000 is right for one published bug; measure.",
        ),
        (
            "milliseconds",
            wrong(lambda truth, said, alone: 1000 * truth / said),
            "`clock` returns seconds, and so does the timer, as it claims: no 1000 is needed.",
        ),
        (
            "divided by 1000",
            wrong(lambda truth, said, alone: truth / 1000 / said),
            "Seconds are divided by 1000 here too: that is the bug that we look for.",
        ),
        (
            "percent",
            wrong(lambda truth, said, alone: 100 * truth / said),
            "That is in percent; return the ratio itself.",
        ),
        (
            "rounded",
            wrong(lambda truth, said, alone: round(truth / said)),
            "The ratio is rounded; return it as it is.",
        ),
        (
            "at least 1",
            wrong(lambda truth, said, alone: max(truth / said, 1)),
            "A timer may say too much as well; then the ratio lies below 1.",
        ),
        (
            "both added",
            wrong(lambda truth, said, alone: (truth + said) / said),
            "What the timer says is added to the truth; the clock has measured all of it.",
        ),
    )
)
UNDERSTATED = Exercise(
    "6.2", "find the unit bug", 1, 5, understated, understated_cases, UNDERSTATED_MISTAKES
)


EXERCISES = (LEFT, UNDERSTATED)
