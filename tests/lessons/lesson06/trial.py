# Answers to lesson 06, right and wrong, of somebody who knew its tasks and not its checks.

# %% 6.1 right: ratio of two spreads, and its square
def left_of_start(sigma0, s):
    noisy = (s**2 + sigma0**2) ** 0.5
    factor = s / noisy
    return factor, factor * factor

# %% 6.1 right: the posterior's share first, its root after
def left_of_start(sigma0, s):
    share = s * s / (s * s + sigma0 * sigma0)
    return share**0.5, share

# %% 6.1 right: only the ratio of level and spread matters
def left_of_start(sigma0, s):
    q = 1 + (sigma0 / s) ** 2
    return 1 / q**0.5, 1 / q

# %% 6.1 right: signal-to-noise ratio
def left_of_start(sigma0, s):
    snr = (s / sigma0) ** 2
    kept = snr / (1 + snr)
    return kept**0.5, kept

# %% 6.1 right: precisions, the measurement's over the sum
def left_of_start(sigma0, s):
    of_images, of_state = 1 / s**2, 1 / sigma0**2
    ddpm = of_state / (of_images + of_state)
    return ddpm**0.5, ddpm

# %% 6.1 right: an angle, its cosine and the square
def left_of_start(sigma0, s):
    ratio = sigma0 / s
    if torch.is_tensor(ratio):
        cosine = torch.cos(torch.atan(ratio))
    else:
        cosine = np.cos(np.arctan(ratio))
    return cosine, cosine**2

# %% 6.1 right: with a mean and a start written out
def left_of_start(sigma0, s):
    m = 0.0
    x = m + 1
    ddim_end = m + (x - m) * s / (s**2 + sigma0**2) ** 0.5
    ddpm_end = m + (x - m) * s**2 / (s**2 + sigma0**2)
    return ddim_end - m, ddpm_end - m

# %% 6.1 right: tuple of a comprehension over the powers
def left_of_start(sigma0, s):
    return tuple((s**2 / (s**2 + sigma0**2)) ** power for power in (0.5, 1))

# %% 6.1 right: ten steps of DDIM, whose factors telescope
def left_of_start(sigma0, s):
    def spread(level):
        return (s**2 + level**2) ** 0.5

    left, levels = 1, [sigma0 * (1 - k / 10) for k in range(11)]
    for now, then in zip(levels, levels[1:]):
        left = left * spread(then) / spread(now)
    return left, left**2

# %% 6.1 right: negative powers of a float
def left_of_start(sigma0, s):
    total = s**2 + sigma0**2
    return s * total**-0.5, s**2 / total

# %% 6.1 right: a helper for both powers
def share(a, b):
    return a / (a + b)

def left_of_start(sigma0, s):
    ddpm = share(s**2, sigma0**2)
    ddim = ddpm**0.5
    return (ddim, ddpm)

# %% 6.1 right: covariance over variance for DDPM
def left_of_start(sigma0, s):
    var_x = sigma0**2 + s**2
    cov_x0_x = s**2
    std_x0, std_x = s, var_x**0.5
    return std_x0 / std_x, cov_x0_x / var_x

# %% 6.1 right: numbers to floats first, refuses what is not above 0
def left_of_start(sigma0, s):
    if isinstance(sigma0, (int, float)) and isinstance(s, (int, float)):
        sigma0, s = float(sigma0), float(s)
        if sigma0 <= 0 or s <= 0:
            raise ValueError("sigma0 and s must be above 0")
    ddim = s / (sigma0**2 + s**2) ** 0.5
    return ddim, ddim**2

# %% 6.1 wrong: DDPM first
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim**2, ddim

# %% 6.1 wrong: the same for both
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim, ddim

# %% 6.1 wrong: the variances' ratio for both
def left_of_start(sigma0, s):
    share = s**2 / (s**2 + sigma0**2)
    return share, share

# %% 6.1 wrong: factor upside down
def left_of_start(sigma0, s):
    ddim = (s**2 + sigma0**2) ** 0.5 / s
    return ddim, ddim**2

# %% 6.1 wrong: the noise's spread above the line
def left_of_start(sigma0, s):
    ddim = sigma0 / (s**2 + sigma0**2) ** 0.5
    return ddim, ddim**2

# %% 6.1 wrong: root forgotten, both one square too far
def left_of_start(sigma0, s):
    ddim = s**2 / (s**2 + sigma0**2)
    return ddim, ddim**2

# %% 6.1 wrong: spreads added instead of variances
def left_of_start(sigma0, s):
    ddim = s / (s + sigma0)
    return ddim, ddim**2

# %% 6.1 wrong: DDPM as the root of DDIM
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim, ddim**0.5

# %% 6.1 wrong: variances subtracted
def left_of_start(sigma0, s):
    ddim = s / abs(s**2 - sigma0**2) ** 0.5
    return ddim, ddim**2

# %% 6.1 wrong: the worked value
def left_of_start(sigma0, s):
    return 0.8, 0.64

# %% 6.1 wrong: what is forgotten instead of what is left
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return 1 - ddim, 1 - ddim**2

# %% 6.1 wrong: math.sqrt, crashes on arrays
import math

def left_of_start(sigma0, s):
    ddim = s / math.sqrt(s**2 + sigma0**2)
    return ddim, ddim**2

# %% 6.1 wrong: torch.sqrt, crashes on numbers
def left_of_start(sigma0, s):
    ddim = s / torch.sqrt(s**2 + sigma0**2)
    return ddim, ddim**2

# %% 6.1 wrong: DDIM alone
def left_of_start(sigma0, s):
    return s / (s**2 + sigma0**2) ** 0.5

# %% 6.1 wrong: spread of images over level
def left_of_start(sigma0, s):
    return s / sigma0, (s / sigma0) ** 2

# %% 6.1 wrong: DDPM forgets everything at any level
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim, 0 * ddim

# %% 6.1 wrong: DDIM keeps everything
def left_of_start(sigma0, s):
    share = s**2 / (s**2 + sigma0**2)
    return share**0, share

# %% 6.1 wrong: one half as an exponent without brackets
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 1 / 2
    return ddim, ddim**2

# %% 6.1 wrong: brackets of the sum forgotten
def left_of_start(sigma0, s):
    ddpm = s**2 / s**2 + sigma0**2
    return ddpm**0.5, ddpm

# %% 6.1 wrong: zip over both, no numbers and no broadcasting
def left_of_start(sigma0, s):
    pairs = [(b / (a**2 + b**2) ** 0.5, b**2 / (a**2 + b**2)) for a, b in zip(sigma0, s)]
    return [p[0] for p in pairs], [p[1] for p in pairs]

# %% 6.1 wrong: DDPM as twice DDIM, not squared
def left_of_start(sigma0, s):
    ddim = s / (s**2 + sigma0**2) ** 0.5
    return ddim, 2 * ddim

# %% 6.1 wrong: the noise's variance for DDPM
def left_of_start(sigma0, s):
    total = s**2 + sigma0**2
    return s / total**0.5, sigma0**2 / total

# %% 6.1 wrong: float() of the answer, no arrays
def left_of_start(sigma0, s):
    ddim = float(s / (s**2 + sigma0**2) ** 0.5)
    return ddim, ddim**2

# %% 6.1 wrong: s taken for a variance
def left_of_start(sigma0, s):
    ddpm = s / (s + sigma0**2)
    return ddpm**0.5, ddpm

# %% 6.1 wrong: the 1 of the start counted into the variance
def left_of_start(sigma0, s):
    ddpm = s**2 / (1 + s**2 + sigma0**2)
    return ddpm**0.5, ddpm

# %% 6.1 wrong: squares the caller's arrays in place
def left_of_start(sigma0, s):
    sigma0 *= sigma0
    s *= s
    ddpm = s / (s + sigma0)
    return ddpm**0.5, ddpm

# %% 6.1 wrong: fourth root for DDIM
def left_of_start(sigma0, s):
    ddpm = s**2 / (s**2 + sigma0**2)
    return ddpm**0.25, ddpm

# %% 6.2 right: clock before, clock after
def understated(timer, work, clock):
    before = clock()
    said = timer(work)
    after = clock()
    return (after - before) / said

# %% 6.2 right: three values in one line, from left to right
def understated(timer, work, clock):
    t0, said, t1 = clock(), timer(work), clock()
    return (t1 - t0) / said

# %% 6.2 right: running sum, the start subtracted first
def understated(timer, work, clock):
    truth = -clock()
    said = timer(work)
    truth += clock()
    return truth / said

# %% 6.2 right: a helper that measures any call
def measured(call, clock):
    start = clock()
    result = call()
    return result, clock() - start

def understated(timer, work, clock):
    said, took = measured(lambda: timer(work), clock)
    return took / said

# %% 6.2 right: a stop-watch as a context manager
def understated(timer, work, clock):
    class Watch:
        def __enter__(self):
            self.start = clock()
            return self

        def __exit__(self, *error):
            self.took = clock() - self.start

    with Watch() as watch:
        said = timer(work)
    return watch.took / said

# %% 6.2 right: list of calls
def understated(timer, work, clock):
    start, said, end = [call() for call in (clock, lambda: timer(work), clock)]
    return (end - start) / said

# %% 6.2 right: np.diff of the two readings
def understated(timer, work, clock):
    readings = [clock()]
    said = timer(work)
    readings.append(clock())
    return float(np.diff(readings)[0]) / said

# %% 6.2 right: reciprocal of what the timer saw
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    took = clock() - start
    seen = said / took
    return 1 / seen

# %% 6.2 right: try and finally
def understated(timer, work, clock):
    start = clock()
    try:
        said = timer(work)
    finally:
        end = clock()
    return (end - start) / said

# %% 6.2 right: the work wrapped in a lambda, run by the timer alone
def understated(timer, work, clock):
    start = clock()
    said = timer(lambda: work())
    return (clock() - start) / said

# %% 6.2 right: fractions
from fractions import Fraction

def understated(timer, work, clock):
    a = clock()
    said = timer(work)
    b = clock()
    return float((Fraction(float(b)) - Fraction(float(a))) / Fraction(float(said)))

# %% 6.2 right: functools.partial and a dictionary
from functools import partial

def understated(timer, work, clock):
    seen = {}
    run = partial(timer, work)
    seen["start"] = clock()
    seen["said"] = run()
    seen["end"] = clock()
    return (seen["end"] - seen["start"]) / seen["said"]

# %% 6.2 right: a generator that yields elapsed time
def understated(timer, work, clock):
    def watch():
        start = clock()
        yield None
        yield clock() - start

    watching = watch()
    next(watching)
    said = timer(work)
    return next(watching) / said

# %% 6.2 wrong: upside down
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return said / (clock() - start)

# %% 6.2 wrong: difference instead of ratio
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return (clock() - start) - said

# %% 6.2 wrong: measures a second run of the work
def understated(timer, work, clock):
    said = timer(work)
    start = clock()
    work()
    return (clock() - start) / said

# %% 6.2 wrong: measures the work first, then asks the timer
def understated(timer, work, clock):
    start = clock()
    work()
    took = clock() - start
    return took / timer(work)

# %% 6.2 wrong: timer called twice
def understated(timer, work, clock):
    start = clock()
    timer(work)
    end = clock()
    return (end - start) / timer(work)

# %% 6.2 wrong: warm-up run
def understated(timer, work, clock):
    work()
    start = clock()
    said = timer(work)
    return (clock() - start) / said

# %% 6.2 wrong: mean of three runs
def understated(timer, work, clock):
    ratios = []
    for _ in range(3):
        start = clock()
        said = timer(work)
        ratios.append((clock() - start) / said)
    return sum(ratios) / 3

# %% 6.2 wrong: the work's own time alone, not what the timer does around it
def understated(timer, work, clock):
    took = []

    def wrapped():
        start = clock()
        work()
        took.append(clock() - start)

    said = timer(wrapped)
    return took[0] / said

# %% 6.2 wrong: calls the work instead of handing it over
def understated(timer, work, clock):
    start = clock()
    said = timer(work())
    return (clock() - start) / said

# %% 6.2 wrong: elapsed time read before the timer runs
def understated(timer, work, clock):
    start = clock()
    return (clock() - start) / timer(work)

# %% 6.2 wrong: both readings before the run
def understated(timer, work, clock):
    start, end = clock(), clock()
    said = timer(work)
    return (end - start) / said

# %% 6.2 wrong: start read after the run
def understated(timer, work, clock):
    said = timer(work)
    start = clock()
    return (clock() - start) / said

# %% 6.2 wrong: its own clock
import time

def understated(timer, work, clock):
    start = time.perf_counter()
    said = timer(work)
    return (time.perf_counter() - start) / said

# %% 6.2 wrong: the reading at the end, start forgotten
def understated(timer, work, clock):
    said = timer(work)
    return clock() / said

# %% 6.2 wrong: clock without brackets
def understated(timer, work, clock):
    start = clock
    said = timer(work)
    return (clock - start) / said

# %% 6.2 wrong: how much longer, one too few
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    took = clock() - start
    return (took - said) / said

# %% 6.2 wrong: the worked value
def understated(timer, work, clock):
    timer(work)
    return 4.0

# %% 6.2 wrong: whole times only
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return (clock() - start) // said

# %% 6.2 wrong: rounded
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return round((clock() - start) / said)

# %% 6.2 wrong: what the timer said added to the truth
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    truth = clock() - start + said
    return truth / said

# %% 6.2 wrong: milliseconds
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return 1000 * (clock() - start) / said

# %% 6.2 wrong: brackets of the difference forgotten
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return clock() - start / said

# %% 6.2 wrong: start minus end
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return (start - clock()) / said

# %% 6.2 wrong: timer without its work
def understated(timer, work, clock):
    start = clock()
    said = timer()
    return (clock() - start) / said

# %% 6.2 wrong: the timer times nothing, the work runs outside of it
def understated(timer, work, clock):
    start = clock()
    work()
    said = timer(lambda: None)
    return (clock() - start) / said

# %% 6.2 wrong: both times instead of the ratio
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    return clock() - start, said

# %% 6.2 wrong: takes what the work returns for what the timer says
def understated(timer, work, clock):
    start = clock()
    said = work()
    return (clock() - start) / said

# %% 6.2 wrong: prints and returns nothing
def understated(timer, work, clock):
    start = clock()
    said = timer(work)
    print((clock() - start) / said)

# %% 6.2 wrong: the truth without dividing by what the timer says
def understated(timer, work, clock):
    start = clock()
    timer(work)
    return clock() - start

# %% 6.3 right: the least so far and its index in a loop
def stopped(errors, patience):
    best, least = 0, errors[0]
    for i in range(1, len(errors)):
        if errors[i] < least:
            best, least = i, errors[i]
        elif i - best >= patience:
            return best
    return best

# %% 6.3 right: counter of steps without progress
def stopped(errors, patience):
    best = waited = 0
    for i in range(1, len(errors)):
        if errors[i] < errors[best]:
            best = i
            waited = 0
        else:
            waited += 1
        if waited == patience:
            break
    return best

# %% 6.3 right: while loop
def stopped(errors, patience):
    i = best = 0
    while i < len(errors) and i - best < patience + 1:
        if errors[i] < errors[best]:
            best = i
        if i - best == patience:
            return best
        i += 1
    return best

# %% 6.3 right: the first that no error of the next `patience` undercuts
def stopped(errors, patience):
    errors = [float(e) for e in errors]
    for b, error in enumerate(errors):
        if all(later >= error for later in errors[b + 1 : b + 1 + patience]):
            return b

# %% 6.3 right: head of the list anew at each index
def stopped(errors, patience):
    values = [float(e) for e in errors]
    for i in range(len(values)):
        head = values[: i + 1]
        best = head.index(min(head))
        if i - best >= patience:
            break
    return best

# %% 6.3 right: records by numpy, then the first that lasts
def stopped(errors, patience):
    e = np.array([float(v) for v in errors])
    lower = e[1:] < np.minimum.accumulate(e)[:-1]
    records = [0, *(np.flatnonzero(lower) + 1).tolist(), float("inf")]
    return next(a for a, b in zip(records, records[1:]) if b - a > patience)

# %% 6.3 right: records by torch.cummin
def stopped(errors, patience):
    e = torch.tensor([float(v) for v in errors], dtype=torch.float64)
    least = torch.cummin(e, 0).values
    new = torch.cat([torch.tensor([True]), e[1:] < least[:-1]])
    best = 0
    for i, record in enumerate(new.tolist()):
        if record:
            best = i
        if i - best >= patience:
            return best
    return best

# %% 6.3 right: accumulate of pairs (error, index), the earliest wins
from itertools import accumulate

def stopped(errors, patience):
    pairs = accumulate(((float(e), i) for i, e in enumerate(errors)), min)
    best = 0
    for i, (_, best) in enumerate(pairs):
        if i - best >= patience:
            return best
    return best

# %% 6.3 right: reduce over a state
from functools import reduce

def stopped(errors, patience):
    def step(best, i):
        if i - best > patience:
            return best
        return i if errors[i] < errors[best] else best

    return reduce(step, range(len(errors)), 0)

# %% 6.3 right: from record to record
def stopped(errors, patience):
    best, n = 0, len(errors)
    while True:
        window = range(best + 1, min(best + patience + 1, n))
        lower = [j for j in window if errors[j] < errors[best]]
        if not lower:
            return best
        best = lower[0]

# %% 6.3 right: index of the stop first, then the least up to it
def stopped(errors, patience):
    def earliest(last):
        return min(range(last + 1), key=lambda i: float(errors[i]))

    n = len(errors)
    ends = (i for i in range(n) if i - earliest(i) >= patience)
    return earliest(next(ends, n - 1))

# %% 6.3 right: a class that remembers
def stopped(errors, patience):
    class Stopper:
        def __init__(self):
            self.best, self.least, self.age = 0, None, 0

        def full(self, i, error):
            if self.least is None or error < self.least:
                self.best, self.least, self.age = i, error, 0
            else:
                self.age += 1
            return self.age >= patience

    stopper = Stopper()
    for i, error in enumerate(errors):
        if stopper.full(i, float(error)):
            break
    return stopper.best

# %% 6.3 right: defensive, tensors and arrays to a list first
def stopped(errors, patience):
    if hasattr(errors, "tolist"):
        errors = errors.tolist()
    if len(errors) == 0 or patience < 1:
        raise ValueError("no errors, or no patience")
    best = 0
    for index, error in enumerate(errors):
        best = index if error < errors[best] else best
        if best + patience <= index:
            break
    return best

# %% 6.3 wrong: least of the whole run
def stopped(errors, patience):
    return min(range(len(errors)), key=lambda i: float(errors[i]))

# %% 6.3 wrong: of equal ones the last
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error <= errors[best]:
            best = i
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: one step too patient
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best > patience:
            break
    return best

# %% 6.3 wrong: one step too impatient
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience - 1:
            break
    return best

# %% 6.3 wrong: asks for the age before it looks at the error
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if i - best >= patience:
            break
        if error < errors[best]:
            best = i
    return best

# %% 6.3 wrong: index of the stop
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return i

# %% 6.3 wrong: the error instead of its index
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return errors[best]

# %% 6.3 wrong: counts from 1
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return best + 1

# %% 6.3 wrong: compares with the step before alone
def stopped(errors, patience):
    best = waited = 0
    for i in range(1, len(errors)):
        if errors[i] < errors[i - 1]:
            best, waited = i, 0
        else:
            waited += 1
        if waited >= patience:
            break
    return best

# %% 6.3 wrong: counter never set back
def stopped(errors, patience):
    best = waited = 0
    for i in range(1, len(errors)):
        if errors[i] < errors[best]:
            best = i
        else:
            waited += 1
        if waited >= patience:
            break
    return best

# %% 6.3 wrong: the last one if it never stops
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            return best
    return len(errors) - 1

# %% 6.3 wrong: nothing returned if it never stops
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            return best

# %% 6.3 wrong: the last index less patience, even if it never stops
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return i - patience

# %% 6.3 wrong: looks behind the stop
def stopped(errors, patience):
    values = [float(e) for e in errors]
    best = 0
    for i, error in enumerate(values):
        if error < values[best]:
            best = i
        if i - best >= patience:
            break
    seen = values[: i + patience + 1]
    return seen.index(min(seen))

# %% 6.3 wrong: list.index, crashes on arrays and tensors
def stopped(errors, patience):
    for i in range(len(errors)):
        best = errors.index(min(errors[: i + 1]))
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: truth of a whole array
def stopped(errors, patience):
    if not errors:
        return None
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: empties the caller's list, crashes on arrays
def stopped(errors, patience):
    best, i = 0, 0
    least = errors.pop(0)
    while errors and i - best < patience:
        i += 1
        error = errors.pop(0)
        if error < least:
            best, least = i, error
    return best

# %% 6.3 wrong: the worked values
def stopped(errors, patience):
    return 1 if patience == 2 else 4

# %% 6.3 wrong: progress below a thousandth does not count
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best] - 1e-3:
            best = i
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: least so far starts at 0
def stopped(errors, patience):
    best, least = 0, 0.0
    for i, error in enumerate(errors):
        if error < least:
            best, least = i, error
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: least so far starts at 1
def stopped(errors, patience):
    best, least = 0, 1.0
    for i, error in enumerate(errors):
        if error < least:
            best, least = i, error
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: the greatest error
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error > errors[best]:
            best = i
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: stops at the first rise
def stopped(errors, patience):
    for i in range(len(errors) - 1):
        if errors[i + 1] > errors[i]:
            return i
    return len(errors) - 1

# %% 6.3 wrong: the last error is never looked at
def stopped(errors, patience):
    best = 0
    for i in range(len(errors) - 1):
        if errors[i] < errors[best]:
            best = i
        if i - best >= patience:
            break
    return best

# %% 6.3 wrong: patience as the number of steps of the whole run
def stopped(errors, patience):
    head = [float(e) for e in errors][: patience + 1]
    return head.index(min(head))

# %% 6.3 wrong: both the best and the stop
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            break
    return best, i

# %% 6.3 wrong: goes on instead of leaving the loop
def stopped(errors, patience):
    best = 0
    for i, error in enumerate(errors):
        if error < errors[best]:
            best = i
        if i - best >= patience:
            continue
    return best

# %% 6.3 wrong: least of the last `patience` errors
def stopped(errors, patience):
    values = [float(e) for e in errors]
    tail = values[-patience:]
    return len(values) - len(tail) + tail.index(min(tail))

# %% 6.4 right: the formula, step by step
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    residual = y - A(D)
    weight = r2 / (gain * r2 + sigma_y**2)
    return D + weight * At(residual)

# %% 6.4 right: fractions multiplied out
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    a, b = sigma**2, s**2
    weight = a * b / (gain * a * b + sigma_y**2 * (a + b))
    return D + At(y - A(D)) * weight

# %% 6.4 right: minus the other way round
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = (sigma * s) ** 2 / (sigma**2 + s**2)
    return D - At(A(D) - y) * (r2 / (gain * r2 + sigma_y**2))

# %% 6.4 right: a copy, then added in place
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    result = D.clone()
    result += r2 / (gain * r2 + sigma_y**2) * At(y - A(D))
    return result

# %% 6.4 right: torch.add with alpha
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    sigma = float(sigma)
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return torch.add(D, At(y - A(D)), alpha=float(r2 / (gain * r2 + sigma_y**2)))

# %% 6.4 right: the transpose is linear, both parts on their own
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    weight = r2 / (gain * r2 + sigma_y**2)
    return D + weight * At(y) - weight * At(A(D))

# %% 6.4 right: r first, then squared
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r = sigma * s / (sigma**2 + s**2) ** 0.5
    return D + r**2 * At((y - A(D)) / (gain * r**2 + sigma_y**2))

# %% 6.4 right: s squared times the noise's share
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    share = sigma**2 / (sigma**2 + s**2)
    r2 = share * s**2
    variance_of_residual = gain * r2 + sigma_y**2
    return D + r2 * At(y - A(D)) / variance_of_residual

# %% 6.4 right: image by image at the end
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    weight = r2 / (gain * r2 + sigma_y**2)
    back = At(y - A(D))
    return torch.stack([image + weight * step for image, step in zip(D, back)])

# %% 6.4 right: everything to tensors first
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    sigma, s, sigma_y, gain = (
        torch.as_tensor(v, dtype=D.dtype, device=D.device) for v in (sigma, s, sigma_y, gain)
    )
    r2 = sigma.square() * s.square() / (sigma.square() + s.square())
    return D + r2 / (gain * r2 + sigma_y.square()) * At(y - A(D))

# %% 6.4 right: helpers for the variance and the weight
def left_over(sigma, s):
    return sigma**2 * s**2 / (sigma**2 + s**2)

def kalman(r2, gain, noise):
    return r2 / (gain * r2 + noise)

def moved(D, y, A, At, gain, sigma, sigma_y, s):
    K = kalman(left_over(sigma, s), gain, sigma_y**2)
    innovation = torch.sub(y, A(D))
    return torch.add(D, K * At(innovation))

# %% 6.4 right: sum of a list
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = 1 / (sigma**2 + s**2) * sigma**2 * s**2
    back = At(y - A(D))
    return sum([D, back * r2 / (gain * r2 + sigma_y**2)])

# %% 6.4 wrong: residual with the wrong sign
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(A(D) - y)

# %% 6.4 wrong: subtracted
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D - r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: sigma_y not squared
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y) * At(y - A(D))

# %% 6.4 wrong: gain above the line too
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = gain * sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: gain forgotten
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: gain at the noise
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (r2 + gain * sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: gain squared
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain**2 * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: residual not brought back to the image
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * (y - A(D))

# %% 6.4 wrong: A and its transpose swapped
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * A(y - At(D))

# %% 6.4 wrong: compares y with the image
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - D)

# %% 6.4 wrong: compares in the image
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * (At(y) - D)

# %% 6.4 wrong: writes into D
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    D += r2 / (gain * r2 + sigma_y**2) * At(y - A(D))
    return D

# %% 6.4 wrong: writes into y
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    y -= A(D)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y)

# %% 6.4 wrong: writes into what A returns, D itself where A changes nothing
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    residual = A(D)
    residual.sub_(y)
    return D - r2 / (gain * r2 + sigma_y**2) * At(residual)

# %% 6.4 wrong: the level's variance alone
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: the images' variance alone
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = s**2
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: r instead of its square
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r = (sigma**2 * s**2 / (sigma**2 + s**2)) ** 0.5
    return D + r / (gain * r + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: r2 upside down
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = (sigma**2 + s**2) / (sigma**2 * s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: r2 of spreads that are not squared
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma * s / (sigma + s)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: the correction alone
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: clamped
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return (D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))).clamp(-1, 1)

# %% 6.4 wrong: weight of the state at the measurement
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + sigma_y**2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: projection, as if there were no noise
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    return D + At(y - A(D)) / gain

# %% 6.4 wrong: brackets below the line forgotten
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / gain * r2 + sigma_y**2 * At(y - A(D))

# %% 6.4 wrong: sigma as a tensor only
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma.square() * s**2 / (sigma.square() + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: one level an image, crashes on a number
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    sigma = sigma.view(len(D), 1, 1, 1)
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: r2 of the measurement's noise
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma_y**2 * s**2 / (sigma_y**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))

# %% 6.4 wrong: the level's noise below the line
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma**2) * At(y - A(D))

# %% 6.4 wrong: residual averaged over the batch
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    back = At(y - A(D)).mean(0, keepdim=True)
    return D + r2 / (gain * r2 + sigma_y**2) * back

# %% 6.4 wrong: the weight of the worked value
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    return D + 0.64 * At(y - A(D))

# %% 6.4 wrong: residual over its norm
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    residual = y - A(D)
    return D + r2 / (gain * r2 + sigma_y**2) * At(residual / residual.norm())

# %% 6.4 wrong: new noise on top
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    mean = D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))
    return mean + r2**0.5 * torch.randn_like(D)

# %% 6.4 wrong: an array instead of a tensor
def moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = float(sigma) ** 2 * s**2 / (float(sigma) ** 2 + s**2)
    return (D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))).numpy()

# %% 6.5 right: cat, linspace in double, round
def respaced(sigmas, sigma0, n):
    below = sigmas[sigmas < sigma0]
    levels = torch.cat([sigmas.new_tensor([sigma0]), below])
    places = torch.linspace(0, len(below), n + 1, dtype=torch.float64)
    return levels[places.round().long()]

# %% 6.5 right: Python's round in a comprehension
def respaced(sigmas, sigma0, n):
    levels = [sigma0] + [v for v in sigmas.tolist() if v < sigma0]
    m = len(levels) - 1
    return torch.tensor([levels[round(k * m / n)] for k in range(n + 1)], dtype=torch.float64)

# %% 6.5 right: whole numbers, half up
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    return levels[[(2 * k * m + n) // (2 * n) for k in range(n + 1)]]

# %% 6.5 right: numpy for the places
def respaced(sigmas, sigma0, n):
    table = sigmas.numpy()
    levels = np.concatenate([[float(sigma0)], table[table < sigma0]])
    places = np.rint(np.linspace(0, len(levels) - 1, n + 1)).astype(int)
    return torch.from_numpy(levels[places])

# %% 6.5 right: nearest index by search, in whole numbers
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    nearest = [min(range(m + 1), key=lambda i: abs(i * n - k * m)) for k in range(n + 1)]
    return levels[torch.tensor(nearest)]

# %% 6.5 right: sigma0 in the place of the last level not below it, in a copy
def respaced(sigmas, sigma0, n):
    above = int((sigmas >= sigma0).sum())
    levels = sigmas[above - 1 :].clone()
    levels[0] = sigma0
    m = levels.numel() - 1
    k = torch.arange(n + 1, dtype=torch.float64)
    return levels.index_select(0, (k * m / n).round().long())

# %% 6.5 right: matrix of distances and argmin
def respaced(sigmas, sigma0, n):
    levels = torch.cat([torch.tensor([sigma0], dtype=sigmas.dtype), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    index = torch.arange(m + 1)
    wanted = torch.arange(n + 1) * m
    distance = (index[None] * n - wanted[:, None]).abs()
    return levels[distance.argmin(1)]

# %% 6.5 right: quotient and rest
def respaced(sigmas, sigma0, n):
    levels = [float(sigma0), *(float(v) for v in sigmas if v < sigma0)]
    m, chosen = len(levels) - 1, []
    for k in range(n + 1):
        whole, rest = divmod(k * m, n)
        chosen.append(levels[whole + (2 * rest > n)])
    return torch.tensor(chosen, dtype=sigmas.dtype)

# %% 6.5 right: a line drawn on a grid, additions alone
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m, index, rest, chosen = len(levels) - 1, 0, 0, [0]
    for _ in range(n):
        rest += m
        while 2 * rest >= n:
            rest -= n
            index += 1
        chosen.append(index)
    return levels[chosen]

# %% 6.5 right: unique, turned round
def respaced(sigmas, sigma0, n):
    levels = torch.unique(torch.cat([sigmas, sigmas.new_tensor([sigma0])]))
    levels = levels[levels <= sigma0].flip(0)
    m = len(levels) - 1
    return torch.stack([levels[round(k * m / n)] for k in range(n + 1)])

# %% 6.5 right: fractions, with checks
from fractions import Fraction

def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    if not 1 <= n <= m:
        raise ValueError(f"n must lie from 1 to {m}")
    return levels[[round(Fraction(k * m, n)) for k in range(n + 1)]]

# %% 6.5 right: filled into an empty tensor
def respaced(sigmas, sigma0, n):
    first = next(i for i, level in enumerate(sigmas.tolist()) if level < sigma0)
    m = len(sigmas) - first
    out = torch.empty(n + 1, dtype=torch.float64)
    out[0] = sigma0
    for k in range(1, n + 1):
        out[k] = sigmas[first + round(k * m / n) - 1]
    return out

# %% 6.5 wrong: sigma0 twice where it is in the table
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas <= sigma0]])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: rounded down
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    return levels[[k * m // n for k in range(n + 1)]]

# %% 6.5 wrong: rounded up
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    return levels[[-(-k * m // n) for k in range(n + 1)]]

# %% 6.5 wrong: the first n + 1, small steps
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[: n + 1]

# %% 6.5 wrong: the last n + 1
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[-(n + 1) :]

# %% 6.5 wrong: sigma0 left out
def respaced(sigmas, sigma0, n):
    levels = sigmas[sigmas < sigma0]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: levels of the table only, sigma0 itself where it is one
def respaced(sigmas, sigma0, n):
    levels = sigmas[sigmas <= sigma0]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: n levels
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels) - 1, n).round().long()]

# %% 6.5 wrong: the end is missing
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    return levels[[round(k * m / n) for k in range(n)]]

# %% 6.5 wrong: levels at equal distances
def respaced(sigmas, sigma0, n):
    return torch.linspace(sigma0, 0, n + 1, dtype=sigmas.dtype)

# %% 6.5 wrong: levels nearest to equal distances of level
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    wanted = torch.linspace(sigma0, 0, n + 1, dtype=sigmas.dtype)
    return levels[(levels[None] - wanted[:, None]).abs().argmin(1)]

# %% 6.5 wrong: respaces the whole table and cuts it afterwards
def respaced(sigmas, sigma0, n):
    few = sigmas[torch.linspace(0, len(sigmas) - 1, n + 1).round().long()]
    return torch.cat([sigmas.new_tensor([sigma0]), few[few < sigma0]])

# %% 6.5 wrong: the levels above
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas[sigmas > sigma0], sigmas.new_tensor([sigma0])])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: every so many, whole strides
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    stride = (len(levels) - 1) // n
    return levels[::stride][: n + 1]

# %% 6.5 wrong: whole strides, with a jump to 0 at the end
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    stride = (len(levels) - 1) // n
    return torch.cat([levels[[k * stride for k in range(n)]], sigmas[-1:]])

# %% 6.5 wrong: writes sigma0 into the caller's table
def respaced(sigmas, sigma0, n):
    above = int((sigmas >= sigma0).sum())
    levels = sigmas[above - 1 :]
    levels[0] = sigma0
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: another 0 behind the last
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    few = levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]
    return torch.cat([few, few.new_zeros(1)])

# %% 6.5 wrong: starts at the level of the table above sigma0
def respaced(sigmas, sigma0, n):
    above = int((sigmas > sigma0).sum())
    levels = sigmas[above - 1 :]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: starts at the nearest level of the table
def respaced(sigmas, sigma0, n):
    start = int((sigmas - sigma0).abs().argmin())
    levels = sigmas[start:]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: rising
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()].flip(0)

# %% 6.5 wrong: one index too far, out of bounds
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels), n + 1).round().long()]

# %% 6.5 wrong: never reaches 0
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels) - 2, n + 1).round().long()]

# %% 6.5 wrong: drops the level 0
def respaced(sigmas, sigma0, n):
    below = sigmas[(sigmas < sigma0) & (sigmas > 0)]
    levels = torch.cat([sigmas.new_tensor([sigma0]), below])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: the indices
def respaced(sigmas, sigma0, n):
    m = int((sigmas < sigma0).sum())
    return torch.linspace(0, m, n + 1).round().long()

# %% 6.5 wrong: the worked value
def respaced(sigmas, sigma0, n):
    return sigmas.new_tensor([3.5, 3, 1, 0])

# %% 6.5 wrong: only for a sigma0 of the table
def respaced(sigmas, sigma0, n):
    start = int((sigmas == sigma0).nonzero()[0])
    levels = sigmas[start:]
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: sigma0 behind the others
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas[sigmas < sigma0], sigmas.new_tensor([sigma0])])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round().long()]

# %% 6.5 wrong: floats as indices
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    return levels[torch.linspace(0, len(levels) - 1, n + 1).round()]

# %% 6.5 wrong: random levels in between
def respaced(sigmas, sigma0, n):
    levels = torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])
    m = len(levels) - 1
    between = (torch.randperm(m - 1)[: n - 1] + 1).sort().values.tolist()
    return levels[[0, *between, m]]

# %% 6.5 wrong: all levels, n forgotten
def respaced(sigmas, sigma0, n):
    return torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])

# %% 6.6 right: two calls and the mean of a mask
def covered(samples, truth):
    low = torch.quantile(samples, 0.05, dim=0)
    high = torch.quantile(samples, 0.95, dim=0)
    inside = (truth >= low) & (truth <= high)
    return inside.double().mean().item()

# %% 6.6 right: both ends by one call
def covered(samples, truth):
    q = torch.tensor([0.05, 0.95], dtype=samples.dtype, device=samples.device)
    low, high = torch.quantile(samples, q, dim=0)
    return torch.logical_and(low <= truth, truth <= high).float().mean()

# %% 6.6 right: one less the share outside
def covered(samples, truth):
    low, high = (samples.quantile(q, dim=0) for q in (0.05, 0.95))
    outside = (truth < low) | (truth > high)
    return 1 - outside.double().mean()

# %% 6.6 right: a clamp that changes nothing
def covered(samples, truth):
    low, high = samples.quantile(0.05, 0), samples.quantile(0.95, 0)
    clamped = torch.minimum(torch.maximum(truth, low), high)
    return (clamped == truth).float().mean()

# %% 6.6 right: counted in a Python loop
def covered(samples, truth):
    low = torch.quantile(samples, 0.05, dim=0).flatten().tolist()
    high = torch.quantile(samples, 0.95, dim=0).flatten().tolist()
    numbers = truth.flatten().tolist()
    inside = 0
    for a, value, b in zip(low, numbers, high):
        if a <= value <= b:
            inside += 1
    return inside / len(numbers)

# %% 6.6 right: count_nonzero over numel
def covered(samples, truth):
    flat = samples.reshape(samples.shape[0], -1)
    t = truth.reshape(-1)
    low, high = flat.quantile(0.05, dim=0), flat.quantile(0.95, dim=0)
    return torch.count_nonzero((low <= t) & (t <= high)).item() / t.numel()

# %% 6.6 right: samples to the last axis
def covered(samples, truth):
    last = samples.movedim(0, -1)
    low = torch.quantile(last, 0.05, dim=-1)
    high = torch.quantile(last, 0.95, dim=-1)
    return torch.where((low <= truth) & (truth <= high), 1.0, 0.0).mean()

# %% 6.6 right: a loop over both comparisons
def covered(samples, truth):
    inside = torch.ones_like(truth, dtype=torch.bool)
    for q, compare in ((0.05, torch.ge), (0.95, torch.le)):
        inside = inside & compare(truth, torch.quantile(samples, q, dim=0))
    return float(inside.float().mean())

# %% 6.6 right: in parts, for the limit of torch.quantile
def covered(samples, truth):
    inside = 0
    parts = samples.flatten(1) if samples.dim() > 1 else samples[:, None]
    for some, t in zip(parts.split(4096, dim=1), truth.reshape(-1).split(4096)):
        low, high = some.quantile(0.05, dim=0), some.quantile(0.95, dim=0)
        inside += int(((t >= low) & (t <= high)).sum())
    return inside / truth.numel()

# %% 6.6 right: stacked and all
def covered(samples, truth):
    low, high = samples.quantile(0.05, dim=0), samples.quantile(0.95, dim=0)
    both = torch.stack([low <= truth, truth <= high])
    return both.all(dim=0).to(truth.dtype).mean()

# %% 6.6 right: sorted, linear between neighbours by hand
def covered(samples, truth):
    ranked = samples.sort(dim=0).values

    def end(q):
        place = q * (len(ranked) - 1)
        below = int(place)
        above = min(below + 1, len(ranked) - 1)
        return torch.lerp(ranked[below], ranked[above], place - below)

    return ((end(0.05) <= truth) & (truth <= end(0.95))).float().mean()

# %% 6.6 right: product of two masks of floats
def covered(samples, truth):
    not_below = (truth >= torch.quantile(samples, 0.05, dim=0)).double()
    not_above = (truth <= torch.quantile(samples, 0.95, dim=0)).double()
    return (not_below * not_above).sum() / truth.numel()

# %% 6.6 right: numpy for the mask
def covered(samples, truth):
    low = torch.quantile(samples, 0.05, dim=0).numpy()
    high = torch.quantile(samples, 0.95, dim=0).numpy()
    t = truth.numpy()
    return float(np.mean((low <= t) & (t <= high)))

# %% 6.6 wrong: ends left out
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low < truth) & (truth < high)).float().mean()

# %% 6.6 wrong: lower end left out
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low < truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: upper end left out
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth < high)).float().mean()

# %% 6.6 wrong: a set of 80 %
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.1, dim=0), torch.quantile(samples, 0.9, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: a set of 95 %
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.025, dim=0), torch.quantile(samples, 0.975, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: the lowest 90 %
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.0, dim=0), torch.quantile(samples, 0.9, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: from the least to the greatest sample
def covered(samples, truth):
    low, high = samples.amin(0), samples.amax(0)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: one set for all numbers
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05), torch.quantile(samples, 0.95)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: quantiles along the last axis
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=-1), torch.quantile(samples, 0.95, dim=-1)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: the share outside
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((truth < low) | (truth > high)).float().mean()

# %% 6.6 wrong: a count instead of a share
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).sum()

# %% 6.6 wrong: in percent
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return 100 * ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: Gaussian set of mean and spread
def covered(samples, truth):
    mean, std = samples.mean(0), samples.std(0)
    return ((truth - mean).abs() <= 1.645 * std).float().mean()

# %% 6.6 wrong: the mask itself
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return (low <= truth) & (truth <= high)

# %% 6.6 wrong: `and` of two tensors
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return (low <= truth and truth <= high).float().mean()

# %% 6.6 wrong: chained comparison of tensors
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return (low <= truth <= high).float().mean()

# %% 6.6 wrong: mean of True and False
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).mean()

# %% 6.6 wrong: or instead of and
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) | (truth <= high)).float().mean()

# %% 6.6 wrong: brackets round the comparisons forgotten
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return (low <= truth & truth <= high).float().mean()

# %% 6.6 wrong: all or nothing
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return float(((low <= truth) & (truth <= high)).all())

# %% 6.6 wrong: a sample as an end, widest choice
def covered(samples, truth):
    low = torch.quantile(samples, 0.05, dim=0, interpolation="lower")
    high = torch.quantile(samples, 0.95, dim=0, interpolation="higher")
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: nearest sample as an end
def covered(samples, truth):
    low = torch.quantile(samples, 0.05, dim=0, interpolation="nearest")
    high = torch.quantile(samples, 0.95, dim=0, interpolation="nearest")
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: the mean of the samples tested instead of the truth
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    mean = samples.mean(0)
    return ((low <= mean) & (mean <= high)).float().mean()

# %% 6.6 wrong: share of samples below the truth
def covered(samples, truth):
    return (samples <= truth).float().mean()

# %% 6.6 wrong: rounded to 0 or 1
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean().round()

# %% 6.6 wrong: divided by the number of samples
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).sum() / len(samples)

# %% 6.6 wrong: divided by the length of the first axis of truth
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).sum().item() / len(truth)

# %% 6.6 wrong: quantiles of the truth
def covered(samples, truth):
    low, high = torch.quantile(truth, 0.05, dim=0), torch.quantile(truth, 0.95, dim=0)
    return ((low <= samples) & (samples <= high)).float().mean()

# %% 6.6 wrong: indices of sorted samples, not linear
def covered(samples, truth):
    ranked = samples.sort(dim=0).values
    K = len(ranked)
    low, high = ranked[int(0.05 * K)], ranked[int(0.95 * K)]
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: mean over the first axis alone
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean(dim=0, keepdim=True)

# %% 6.6 wrong: lower end alone
def covered(samples, truth):
    return (truth >= torch.quantile(samples, 0.05, dim=0)).float().mean()

# %% 6.6 wrong: upper end alone
def covered(samples, truth):
    return (truth <= torch.quantile(samples, 0.95, dim=0)).float().mean()

# %% 6.6 wrong: percents as quantiles
def covered(samples, truth):
    low, high = torch.quantile(samples, 5, dim=0), torch.quantile(samples, 95, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()

# %% 6.6 wrong: what should be covered
def covered(samples, truth):
    return 0.9

# %% 6.6 wrong: pairs the answers with the rows of the truth
def covered(samples, truth):
    inside = 0
    for s, t in zip(samples, truth):
        low, high = torch.quantile(s, 0.05), torch.quantile(s, 0.95)
        inside += int(((low <= t) & (t <= high)).sum())
    return inside / truth.numel()

# %% 6.6 wrong: takes the truth off the caller's samples in place
def covered(samples, truth):
    samples -= truth
    low, high = torch.quantile(samples, 0.05, dim=0), torch.quantile(samples, 0.95, dim=0)
    return ((low <= 0) & (0 <= high)).float().mean()

# %% 6.6 wrong: ends swapped
def covered(samples, truth):
    low, high = torch.quantile(samples, 0.95, dim=0), torch.quantile(samples, 0.05, dim=0)
    return ((low <= truth) & (truth <= high)).float().mean()
