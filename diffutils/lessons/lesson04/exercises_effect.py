"""Exercise 4.6: what changed, and how sure.

Expected results are ratios of geometric means, and the interval of SciPy's paired t-test.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def change(a, b, t):
    """How much farther a is than b (n,), as a share, with both ends of its interval."""
    ratios = a.log() - b.log()
    m = ratios.mean()
    h = t * ratios.std() / len(ratios) ** 0.5
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1


def change_with(*, ratios=None, m=None, s=None, h=None, shares=None):
    """A mistake: `change`, of which one part or two are others.

    ratios: of the trainings, from a and b; m and s: from these, a and b; h: from t, s and n;
    shares: what is returned, from m and h.
    """

    def function(a, b, t):
        x = a.log() - b.log() if ratios is None else ratios(a, b)
        middle = x.mean() if m is None else m(x, a, b)
        spread = x.std() if s is None else s(x, a, b)
        n = len(x)
        half = t * spread / n**0.5 if h is None else h(t, spread, n)
        return shares_of(middle, half) if shares is None else shares(middle, half)

    return function


def shares_of(m, h):
    """The right three, from m and h."""
    return m.expm1(), (m - h).expm1(), (m + h).expm1()


def around(middle, half):
    """A middle, and as much below it as above."""
    return middle, middle - half, middle + half


def change_from(first):
    """A mistake: another change, from a and b, between the right ends."""
    return lambda a, b, t: (first(a, b), *change(a, b, t)[1:])


def returned(make):
    """A mistake: `make` of the right change, low and high end."""
    return lambda a, b, t: make(*change(a, b, t))


def own_factor(a, b, t):
    from scipy import stats

    return change(a, b, stats.t.ppf(0.975, len(a) - 1))


def share_of_the_mean(a, b, t):
    """Differences of distances, over the mean of b."""
    rest = (a - b) / b.mean()
    return around(rest.mean(), t * rest.std() / len(a) ** 0.5)


def change_cases(seed) -> list[Case]:
    import numpy as np
    import torch
    from scipy import stats

    rng = np.random.default_rng(seed)

    def case(n, size, middle, spread, level, about, number=float):
        """Skewed distances; those of one training have more in common than the two ways."""
        b = size * np.exp(rng.exponential(0.6, n))
        a = b * np.exp(middle + spread * rng.exponential(1.0, n))
        ends = stats.ttest_rel(np.log(a), np.log(b)).confidence_interval(level)
        ratios = stats.gmean(a) / stats.gmean(b), np.exp(ends.low), np.exp(ends.high)
        t = number(stats.t.ppf((1 + level) / 2, n - 1))
        known = tuple(float(ratio) - 1 for ratio in ratios)
        # Logarithms that pass through torch.tensor([...]) are of single precision, and right.
        return Case((torch.from_numpy(a), torch.from_numpy(b), t), known, about, tolerance=1e-5)

    worked = torch.tensor([[2.0, 8.0], [1.0, 1.0]], dtype=torch.float64)
    pairs = "Both distances of a training belong together: take ln a - ln b first."
    # The worked value and random ones, nearer and farther; the last is as the lesson has it.
    return [
        Case(
            (*worked, 1.0),
            (3.0, 1.0, 7.0),
            "The worked value: m = ln 4 and h = ln 2 give 3, 1 and 7.",
        ),
        case(5, 12.0, 0.1, 0.2, 0.95, pairs),
        case(7, 0.05, -0.9, 0.3, 0.8, "Distances may be below 1, and a change below 0 is nearer."),
        case(3, 3.0, -0.2, 0.2, 0.9, pairs),
        case(6, 0.8, 0.3, 0.1, 0.5, "Use the t that is handed over, whatever n is."),
        case(
            3,
            15.0,
            -0.1,
            0.1,
            0.95,
            "As the lesson calls it: three trainings, so t = 4.303.",
            number=np.float64,
        ),
    ]


CHANGE = Exercise(
    "4.6",
    "what changed, and how sure",
    2,
    10,
    change,
    change_cases,
    (
        # The ratios.
        Mistake(
            "no logarithms",
            change_with(ratios=lambda a, b: a / b, shares=lambda m, h: around(m - 1, h)),
            "Mean and spread are those of the ratios; take logarithms first, so that twice as "
            "far and half as far cancel.",
        ),
        Mistake(
            "ratio, then exp",
            change_with(ratios=lambda a, b: a / b),
            "The ratios lack their logarithm, which exp would undo: start from ln a - ln b.",
        ),
        Mistake(
            "distances subtracted",
            change_with(ratios=lambda a, b: a - b, shares=around),
            "Distances are subtracted as they are, and nothing is a share of b: start from "
            "ln a - ln b.",
        ),
        Mistake(
            "distances subtracted, then exp",
            change_with(ratios=lambda a, b: a - b),
            "a - b lacks the logarithms that exp would undo: start from ln a - ln b.",
        ),
        Mistake(
            "share of the mean",
            share_of_the_mean,
            "Differences are divided by the mean of b, so trainings that end far off count most; "
            "start from ln a - ln b.",
        ),
        Mistake(
            "share of each b",
            change_with(ratios=lambda a, b: (a - b) / b),
            "exp is taken of (a - b) / b, which is no logarithm; start from ln a - ln b.",
        ),
        Mistake(
            "logarithms divided",
            change_with(ratios=lambda a, b: a.log() / b.log()),
            "ln a is divided by ln b; the logarithm of a / b is ln a - ln b.",
        ),
        Mistake(
            "log10",
            change_with(ratios=lambda a, b: (a / b).log10()),
            "Those are logarithms to base 10, and exp undoes natural ones: use log().",
        ),
        Mistake(
            "log2",
            change_with(ratios=lambda a, b: (a / b).log2()),
            "Those are logarithms to base 2, and exp undoes natural ones: use log().",
        ),
        Mistake(
            "log1p",
            change_with(ratios=lambda a, b: a.log1p() - b.log1p()),
            "log1p(a) is ln(1 + a); take log() of the distances.",
        ),
        Mistake(
            "b over a",
            lambda a, b, t: change(b, a, t),
            "a and b have changed places: it is ln a - ln b, positive where a is farther.",
        ),
        Mistake(
            "shares of a",
            change_with(shares=lambda m, h: tuple(-(-x).expm1() for x in around(m, h))),
            "1 - exp(-m) is a share of a; a share of b is exp(m) - 1.",
        ),
        Mistake(
            "signs lost",
            change_with(ratios=lambda a, b: (a / b).log().abs()),
            "The logarithms have lost their signs (abs), so nearer counts as farther.",
        ),
        Mistake(
            "sorted",
            lambda a, b, t: change(a.sort().values, b.sort().values, t),
            "a and b are sorted each for itself, so the pairs are torn apart.",
        ),
        # The middle.
        Mistake(
            "ratio of means",
            change_with(m=lambda x, a, b: (a.mean() / b.mean()).log()),
            "m comes from the means of a and of b, where the farthest training counts most; it "
            "is the mean of ln a - ln b.",
        ),
        Mistake(
            "ratio of means as the change",
            change_from(lambda a, b: a.mean() / b.mean() - 1),
            "The change is the ratio of two means, which lies elsewhere than its interval; it "
            "is exp(m) - 1.",
        ),
        Mistake(
            "mean of ratios",
            change_with(m=lambda x, a, b: (a / b).mean().log()),
            "m is the logarithm of a mean; it is the mean of logarithms: first ln, then mean.",
        ),
        Mistake(
            "mean of ratios as the change",
            change_from(lambda a, b: (a / b).mean() - 1),
            "The change is the mean of the ratios, less 1; both ends lie about exp(m) - 1, and "
            "that is asked for.",
        ),
        Mistake(
            "median",
            change_with(m=lambda x, a, b: x.quantile(0.5)),
            "m is the median; it is the mean of ln a - ln b.",
        ),
        Mistake(
            "torch's median",
            change_with(m=lambda x, a, b: x.median()),
            "m is the median, of two values the lower one; it is the mean of ln a - ln b.",
        ),
        Mistake(
            "sum",
            change_with(m=lambda x, a, b: x.sum()),
            "m is the sum over the trainings; divide by n.",
        ),
        Mistake(
            "middle of the ends",
            returned(lambda x, low, high: ((low + high) / 2, low, high)),
            "The change is the middle of both ends; exp bends, so exp(m) - 1 lies below it.",
        ),
        # The spread.
        Mistake(
            "divided by n",
            change_with(s=lambda x, a, b: x.std(correction=0)),
            "s is divided by n, as np.std does; divide by n - 1, as torch's std does.",
        ),
        Mistake(
            "unpaired",
            change_with(s=lambda x, a, b: (a.log().var() + b.log().var()) ** 0.5),
            "The variances of ln a and ln b are added, as of strangers; what both share in a "
            "training cancels in ln a - ln b: take the spread of that.",
        ),
        Mistake(
            "unpaired, by n",
            change_with(
                s=lambda x, a, b: (a.log().var(correction=0) + b.log().var(correction=0)) ** 0.5
            ),
            "Two slips: np.std and np.var need ddof=1, and the spread is that of ln a - ln b, not "
            "of ln a and ln b put together.",
        ),
        Mistake(
            "spreads added",
            change_with(s=lambda x, a, b: a.log().std() + b.log().std()),
            "The spreads of ln a and ln b are added; s is the spread of ln a - ln b.",
        ),
        Mistake(
            "spreads subtracted",
            change_with(s=lambda x, a, b: a.log().std() - b.log().std()),
            "One spread is subtracted from the other; subtract first, training by training, and "
            "take the spread of that.",
        ),
        Mistake(
            "spread of a alone",
            change_with(s=lambda x, a, b: a.log().std()),
            "s is the spread of ln a; it is that of ln a - ln b.",
        ),
        Mistake(
            "spread of the ratios",
            change_with(s=lambda x, a, b: (a / b).std()),
            "s is the spread of the ratios; it is that of their logarithms.",
        ),
        Mistake(
            "variance",
            change_with(s=lambda x, a, b: x.var()),
            "s is a variance; h needs its root, the standard deviation.",
        ),
        Mistake(
            "about 0",
            change_with(s=lambda x, a, b: (x.square().sum() / (len(x) - 1)) ** 0.5),
            "The squares are taken about 0; a spread is measured from the mean m.",
        ),
        # Half the width.
        Mistake(
            "no root of n",
            change_with(h=lambda t, s, n: t * s),
            "s tells where one more training may fall; the mean of n is surer: divide by sqrt(n).",
        ),
        Mistake(
            "over n",
            change_with(h=lambda t, s, n: t * s / n),
            "s is divided by n; divide by sqrt(n).",
        ),
        Mistake(
            "root of n - 1",
            change_with(h=lambda t, s, n: t * s / (n - 1) ** 0.5),
            "s is divided by sqrt(n - 1); the n - 1 is in s already: divide by sqrt(n).",
        ),
        Mistake(
            "both ways counted",
            change_with(h=lambda t, s, n: t * s / (2 * n) ** 0.5),
            "s is divided by sqrt(2 n); a and b make n differences, not 2 n.",
        ),
        Mistake(
            "times root of n",
            change_with(h=lambda t, s, n: t * s * n**0.5),
            "s is multiplied by sqrt(n); divide: more trainings, a shorter interval.",
        ),
        Mistake(
            "** 1/2",
            change_with(h=lambda t, s, n: t * s / n / 2),
            "Python reads `s / n ** 1/2` as s / n / 2; write `n ** 0.5`.",
        ),
        Mistake(
            "n halved",
            change_with(h=lambda t, s, n: t * s / (n / 2)),
            "Python reads `(n ** 1/2)` as n / 2; write `n ** 0.5`.",
        ),
        Mistake(
            "variance over n",
            change_with(h=lambda t, s, n: t * s**2 / n),
            "t multiplies s^2 / n; take the root of that first.",
        ),
        Mistake(
            "root over all",
            change_with(h=lambda t, s, n: (t * s / n) ** 0.5),
            "The root covers t s / n; it covers n alone.",
        ),
        Mistake(
            "t left out",
            change_with(h=lambda t, s, n: s / n**0.5),
            "h lacks the factor t: it is t s / sqrt(n).",
        ),
        Mistake(
            "own factor",
            own_factor,
            "The factor is computed for 95 %, and the argument t makes no difference; use t.",
        ),
        Mistake(
            "always 4.303",
            lambda a, b, t: change(a, b, 4.302652729911275),
            "The factor is 4.303 whatever t is; use t.",
        ),
        Mistake(
            "always 1.96",
            lambda a, b, t: change(a, b, 1.96),
            "The factor is 1.96 whatever t is; use t.",
        ),
        Mistake(
            "half as wide",
            lambda a, b, t: change(a, b, t / 2),
            "h is halved; all of t s / sqrt(n) goes to each side.",
        ),
        Mistake(
            "twice as wide",
            lambda a, b, t: change(a, b, 2 * t),
            "h is doubled; t s / sqrt(n) goes to each side.",
        ),
        # Back to shares.
        Mistake(
            "-1 forgotten",
            returned(lambda *three: tuple(x + 1 for x in three)),
            "Those are ratios, 1 where nothing changed; a share of b is the ratio less 1.",
        ),
        Mistake(
            "-1 forgotten at the ends",
            returned(lambda x, low, high: (x, low + 1, high + 1)),
            "The change is right, but both ends are ratios: subtract 1 there, too.",
        ),
        Mistake(
            "exp(m - 1)",
            change_with(shares=lambda m, h: tuple((x - 1).exp() for x in around(m, h))),
            "1 is subtracted inside exp; subtract it from the result.",
        ),
        Mistake(
            "per cent",
            returned(lambda *three: tuple(100 * x for x in three)),
            "Those are per cent; return shares: 0.05, not 5.",
        ),
        Mistake(
            "logarithms returned",
            change_with(shares=around),
            "Those are m, m - h and m + h; exp(...) - 1 makes each a share.",
        ),
        Mistake(
            "ends not taken back",
            change_with(shares=lambda m, h: (m.expm1(), m - h, m + h)),
            "The change is right, but both ends are logarithms: exp(...) - 1 there, too.",
        ),
        Mistake(
            "symmetric",
            change_with(shares=lambda m, h: around(m.expm1(), h.expm1())),
            "exp(h) - 1 is added and subtracted after exp; do that with h, before exp.",
        ),
        Mistake(
            "h after exp",
            change_with(shares=lambda m, h: around(m.expm1(), h)),
            "h is a logarithm and is added and subtracted after exp; do that before: "
            "exp(m - h) and exp(m + h).",
        ),
        Mistake(
            "h times the ratio",
            change_with(shares=lambda m, h: around(m.expm1(), m.exp() * h)),
            "exp(m) h to both sides is right for small h alone; take exp(m - h) and exp(m + h).",
        ),
        Mistake(
            "m forgotten at the ends",
            change_with(shares=lambda m, h: (m.expm1(), (-h).expm1(), h.expm1())),
            "Both ends lie about 0; they lie about m: exp(m - h) and exp(m + h).",
        ),
        Mistake(
            "ends swapped",
            returned(lambda x, low, high: (x, high, low)),
            "The high end comes second; the order is change, low end, high end.",
        ),
        Mistake(
            "low end first",
            returned(lambda x, low, high: (low, x, high)),
            "The low end comes first; the order is change, low end, high end.",
        ),
        Mistake(
            "change last",
            returned(lambda x, low, high: (low, high, x)),
            "The change comes last; the order is change, low end, high end.",
        ),
        Mistake(
            "smallest and largest",
            lambda a, b, t: (change(a, b, t)[0], (a / b).min() - 1, (a / b).max() - 1),
            "The ends are the smallest and the largest change of one training; the interval is "
            "that of the mean.",
        ),
        Mistake(
            "change alone",
            returned(lambda x, low, high: x),
            "That is the change alone; both ends are asked for, too.",
        ),
        Mistake(
            "ends alone",
            returned(lambda x, low, high: (low, high)),
            "Those are both ends alone; the change is asked for, too, and first.",
        ),
        Mistake(
            "change and half",
            change_with(shares=lambda m, h: (m.expm1(), h.expm1())),
            "Those are the change and exp(h) - 1; return exp(m - h) - 1 and exp(m + h) - 1.",
        ),
        Mistake(
            "rounded",
            returned(lambda *three: tuple(round(float(x), 3) for x in three)),
            "The three are rounded to three digits; return them as they are.",
        ),
    ),
)


EXERCISES = (CHANGE,)
