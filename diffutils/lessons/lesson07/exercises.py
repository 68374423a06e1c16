"""Exercises 7.1, what zeros take away, and 7.2, resampling is a matrix.

Expected results of 7.1 come from spectra: zeros repeat that of x, the taps multiply it.  Those of
7.2 are known by construction, the functions being made of matrices or of sums written out.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def doubled(x, h):
    """x at twice the size: zeros in between, the filter h around the end, and the mean kept."""
    n, c = len(x), len(h) // 2
    fine = 0 * x.repeat(2)  # 2n zeros, a tensor or an array as x is
    fine[::2] = x
    places = [[(k + i - c) % (2 * n) for k in range(2 * n)] for i in range(len(h))]
    return 2 * sum(h[i] * fine[places[i]] for i in range(len(h)))


def doubled_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    from diffutils.resample import windowed_sinc

    random = np.random.default_rng(seed)

    def by_spectrum(x, h):
        """The waves of x, each twice because of the zeros, times what h makes of them."""
        angles = np.pi / len(x) * np.arange(2 * len(x))
        gains = h @ np.cos(np.outer(np.arange(len(h)) - len(h) // 2, angles))
        return 2 * np.fft.ifft(np.tile(np.fft.fft(x), 2) * gains).real

    def case(x, h, about, form=torch.from_numpy):
        return Case((form(x), form(h)), form(by_spectrum(x, h)), about)

    def numbers(n):
        return random.exponential(1.0, n) ** 1.3 - 0.4

    def taps(count):
        half = random.normal(0, 1, count // 2 + 1) + 1.2 * (np.arange(count // 2 + 1) == 0)
        h = np.concatenate([half[:0:-1], half])
        return h + (1 - h.sum()) / count

    # Tensors and arrays, even and odd n, few and many taps; last three as the lesson has them.
    wave, step = np.cos(np.pi / 8 * np.arange(32) + 0.3), np.repeat([0.0, 1.0, 0.0], 8)
    triangle, sinc = np.array([1, 2, 1]) / 4, windowed_sinc(13, 0.5).numpy()
    uneven = windowed_sinc(3, 0.5, 0.0).numpy()
    worked = "The worked value: three ones become six; after place 5 comes place 0."
    of_all = "A wave has the mean 0, and the factor is the same for it as for all x."
    filtered = "Place k is the sum of h[i] times the number at k + i - c, among x with its zeros"
    around = "Places count around the end: after the last one comes the first"
    return [
        case(np.ones(3), triangle, worked),
        case(numbers(5), taps(3), f"{filtered}."),
        case(numbers(6), taps(5), f"{filtered}; here x and h are arrays.", np.array),
        case(numbers(7), taps(11), f"{around}."),
        case(numbers(4), taps(7), f"{around}; with 7 taps all 8 but one are used.", np.array),
        case(numbers(9), taps(13), f"{filtered}; here with 13 taps."),
        case(numbers(2), taps(3), f"{around}; here of two numbers."),
        case(wave, uneven, of_all),
        case(np.ones(8), uneven, "These 3 taps make stripes of a constant, whose mean stays."),
        case(step, triangle, f"{filtered}; here as the lesson calls it."),
        case(step, sinc, f"{filtered}; here as the lesson calls it."),
        case(numbers(16), sinc, f"{filtered}; here as the lesson calls it.", np.array),
    ]


def spread_out(x):
    """x with a zero after each number."""
    import numpy as np

    return np.stack([x, 0 * x], 1).ravel()


def filtered(values, h, mode="wrap", first=None):
    """Sums of h[i] times the number i - first places away; mode: what lies outside."""
    import numpy as np

    first = len(h) // 2 if first is None else first
    wide = np.pad(values, 2 * len(h), mode=mode)
    begin = 2 * len(h) - first
    return np.array([h @ wide[begin + k : begin + k + len(h)] for k in range(len(values))])


def as_arrays(function):
    """The same for tensors."""

    def of_any(x, h):
        import numpy as np
        import torch

        result = function(np.array(x, dtype=float), np.array(h, dtype=float))
        return torch.from_numpy(result) if isinstance(x, torch.Tensor) else result

    return of_any


def wrong(filled=spread_out, filter=filtered, gain=lambda x, h, y: 2 * y):
    """`doubled`, of which a mistake replaces one part."""
    return as_arrays(lambda x, h: gain(x, h, filter(filled(x), h)))


def from_place(of):
    """A mistake: the filter begins elsewhere."""
    return wrong(filter=lambda values, h: filtered(values, h, first=of(len(h))))


def outside(mode):
    """A mistake: something else lies beyond the ends."""
    return wrong(filter=lambda values, h: filtered(values, h, mode))


def old_ones_kept(x, h, y):
    """Only the new numbers come from the filter."""
    y = 2 * y
    y[::2] = x
    return y


def each_by_its_own(x, h, y):
    """Every place is divided by the sum of those taps that meet numbers there."""
    return y / filtered(spread_out(0 * x + 1), h)


def of_the_first(x, h, y):
    """The factor is right for a constant at the first place alone."""
    return y / filtered(spread_out(0 * x + 1), h)[0]


def filtered_first(x, h):
    """x is filtered, and then gets its zeros."""
    return 2 * spread_out(filtered(x, h))


def without_the_last(x, h):
    """There are zeros between numbers only, so one is missing."""
    return 2 * filtered(spread_out(x)[:-1], h)


def inside_alone(x, h):
    """Only places at which all taps meet something."""
    import numpy as np

    return 2 * np.convolve(spread_out(x), h, "valid")


def beyond_the_ends(x, h):
    """Every place at which some tap meets something."""
    import numpy as np

    return 2 * np.convolve(spread_out(x), h)


def around_half(x, h):
    """Places are counted around n."""
    return 2 * filtered(spread_out(x)[: len(x)], h)[list(range(len(x))) * 2]


def around_one_end(x, h):
    """Before the first comes the last, behind the last come zeros."""
    import numpy as np

    c, fine = len(h) // 2, spread_out(x)
    wide = np.concatenate([fine[len(fine) - c :], fine, np.zeros(c)])
    return 2 * np.convolve(wide, h, "valid")


def straight(x):
    """Straight lines between the numbers, around the end."""
    import numpy as np

    return np.stack([x, (x + np.roll(x, -1)) / 2], 1).ravel()


def zeros_behind_all(x):
    return spread_out(x).reshape(-1, 2).T.ravel()


def each_twice(x):
    return x.repeat(2)


DOUBLED_MISTAKES = (
    Mistake(
        "factor forgotten",
        wrong(gain=lambda x, h, y: y),
        "That is half of it, as in the published code: a half of the numbers are zeros now.",
    ),
    Mistake(
        "factor forgotten, zeros outside",
        wrong(filter=lambda values, h: filtered(values, h, "constant"), gain=lambda x, h, y: y),
        "The factor is missing, and beyond the ends it finds zeros; places count around the end.",
    ),
    Mistake(
        "factor forgotten, not centred",
        wrong(filter=lambda values, h: filtered(values, h, first=0), gain=lambda x, h, y: y),
        "The factor is missing, and h begins at its place instead of lying around it.",
    ),
    Mistake(
        "factor forgotten, filtered before the zeros",
        as_arrays(lambda x, h: filtered_first(x, h) / 2),
        "The filter comes before the zeros here, and they stay; put them in first.",
    ),
    Mistake(
        "number of taps",
        wrong(gain=lambda x, h, y: len(h) * y),
        "The number of taps has nothing to do with the mean; how many numbers are zeros has.",
    ),
    Mistake(
        "largest kept",
        wrong(gain=lambda x, h, y: y * x.max() / y.max()),
        "It keeps the largest number of x; keep the mean, by a factor that does not know x.",
    ),
    Mistake(
        "middle tap",
        wrong(gain=lambda x, h, y: y / h[len(h) // 2]),
        "It is divided by the middle tap, which keeps no mean; the factor is the same for every h.",
    ),
    Mistake(
        "factor of images",
        wrong(gain=lambda x, h, y: 4 * y),
        "4 is the factor in two dimensions; along one axis every second number is a zero.",
    ),
    Mistake(
        "factor of the power",
        wrong(gain=lambda x, h, y: 2**0.5 * y),
        "The root of 2 keeps the sum of squares; the mean is to stay.",
    ),
    Mistake(
        "each place by itself",
        wrong(gain=each_by_its_own),
        "Each place is divided by its own sum of taps; multiply all by one number.",
    ),
    Mistake(
        "factor of the first place",
        wrong(gain=of_the_first),
        "The factor comes from the first place alone; taps at other places may have another sum.",
    ),
    Mistake(
        "old numbers kept",
        wrong(gain=old_ones_kept),
        "The numbers of x are put back; all 2n places come out of the filter.",
    ),
    Mistake(
        "not filtered",
        wrong(filter=lambda values, h: values),
        "The zeros are still there: h is not used.",
    ),
    Mistake(
        "zeros alone",
        wrong(filter=lambda values, h: values, gain=lambda x, h, y: y),
        "That is x with its zeros; now comes the filter, and then the factor.",
    ),
    Mistake(
        "straight lines",
        as_arrays(lambda x, h: straight(x)),
        "Means of neighbours stand in between, whatever h is; filter with h.",
    ),
    Mistake(
        "mean of the taps",
        wrong(gain=lambda x, h, y: y / len(h)),
        "It is divided by the number of taps; they are weights, whose sum is 1.",
    ),
    Mistake(
        "mean of the taps, doubled",
        wrong(gain=lambda x, h, y: 2 * y / len(h)),
        "It is divided by the number of taps as well; their sum is 1 already.",
    ),
    # What is filtered is another signal.
    Mistake(
        "zeros behind all",
        wrong(zeros_behind_all),
        "All zeros stand behind x; put one after each number.",
    ),
    Mistake(
        "repeated",
        wrong(each_twice, gain=lambda x, h, y: y),
        "Each number is repeated; put a zero after it, which the filter fills.",
    ),
    Mistake(
        "repeated alone",
        as_arrays(lambda x, h: each_twice(x)),
        "Each number is repeated, and h is not used; put a zero after it, and filter.",
    ),
    Mistake(
        "repeated and multiplied",
        wrong(each_twice),
        "Each number is repeated and then doubled; put a zero after it, not itself.",
    ),
    Mistake(
        "filtered before the zeros",
        as_arrays(filtered_first),
        "The filter comes before the zeros, which stay; put them in, and then filter.",
    ),
    Mistake(
        "filtered before it is repeated",
        as_arrays(lambda x, h: each_twice(filtered(x, h))),
        "x is filtered and then repeated; put zeros in, and filter that.",
    ),
    Mistake(
        "last zero forgotten",
        as_arrays(without_the_last),
        "The last number has no zero: 2n - 1 numbers; put one after each.",
    ),
    # The filter sees something else around a place.
    Mistake(
        "around n",
        as_arrays(around_half),
        "Places begin anew after n; among x with its zeros there are 2n.",
    ),
    Mistake(
        "around one end alone",
        as_arrays(around_one_end),
        "Places before 0 are counted around the end, those after the last one are left out.",
    ),
    Mistake(
        "zeros outside",
        outside("constant"),
        "Beyond the ends it finds zeros; places count around the end.",
    ),
    Mistake(
        "mirrored outside",
        outside("reflect"),
        "Beyond the ends it finds a mirror image; places count around the end.",
    ),
    Mistake(
        "mirrored outside, the end twice",
        outside("symmetric"),
        "Beyond the ends it finds the numbers backwards; places count around the end.",
    ),
    Mistake(
        "last number outside",
        outside("edge"),
        "Beyond the ends it finds the last number again; places count around the end.",
    ),
    Mistake(
        "whole taps alone",
        as_arrays(inside_alone),
        "Only places where all taps lie inside are left; there are 2n, around the end.",
    ),
    Mistake(
        "beyond the ends",
        as_arrays(beyond_the_ends),
        "It grew by the length of h; what lies beyond the end belongs to the beginning.",
    ),
    Mistake(
        "not centred",
        from_place(lambda taps: 0),
        "h begins at its place instead of lying around it: k + i, without - c.",
    ),
    Mistake(
        "ends at its place",
        from_place(lambda taps: taps - 1),
        "h ends at its place instead of lying around it: the tap c meets the number at k.",
    ),
    Mistake(
        "first tap left out",
        wrong(filter=lambda values, h: filtered(values, h[1:], first=len(h) // 2 - 1)),
        "The first tap is left out: i counts from 0.",
    ),
    Mistake(
        "last tap left out",
        wrong(filter=lambda values, h: filtered(values, h[:-1], first=len(h) // 2)),
        "The last tap is left out: i goes up to len(h) - 1, which range(len(h)) does.",
    ),
    Mistake(
        "c added",
        from_place(lambda taps: -(taps // 2)),
        "c is added instead of taken off: the place is k + i - c.",
    ),
    Mistake(
        "one place late",
        from_place(lambda taps: taps // 2 + 1),
        "All is one place too late: a number stands before its zero, and c is len(h) // 2.",
    ),
    Mistake(
        "one place early",
        from_place(lambda taps: taps // 2 - 1),
        "All is one place too early; the middle of h has the index len(h) // 2.",
    ),
)
DOUBLED = Exercise("7.1", "what zeros take away", 1, 8, doubled, doubled_cases, DOUBLED_MISTAKES)


# --------------------------------------------------------------------- 7.2


def matrix_of(resample, n):
    """The matrix U (m, n) with resample(x) = U @ x for every x (n,)."""
    import torch

    impulses = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(impulse) for impulse in impulses], dim=1)


def impulses(n):
    """Row j is 1 at place j, else 0."""
    import torch

    return torch.eye(n, dtype=torch.float64)


def matrix_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    from diffutils.resample import windowed_sinc

    random = np.random.default_rng(seed)

    def case(resample, known, about):
        known = torch.as_tensor(known).double()
        return Case((resample, known.shape[1]), known, about)

    def of_matrix(m, n):
        M = torch.from_numpy(random.exponential(1.0, (m, n)) - 0.5)
        return (lambda x: M @ x), M

    def of_taps(h, n):
        """Tap i brings the number at 2j to place 2j + c - i."""
        U = np.zeros((2 * n, n))
        for j in range(n):
            for i, tap in enumerate(h.tolist()):
                U[(2 * j + len(h) // 2 - i) % (2 * n), j] += 2 * tap
        return lambda x: doubled(x, h), U

    def with_means(x):
        both = torch.stack([x[:-1], (x[:-1] + x[1:]) / 2], 1).flatten(0, 1)
        return torch.cat([both, x[-1:]])

    # Known functions, and matrices of any shape; last two as the lesson has it.
    repeated, pairs = np.repeat(np.eye(2), 2, 0), np.repeat(np.eye(4), 2, 1) / 2
    finer = np.stack([np.eye(5), (np.eye(5) + np.eye(5, k=1)) / 2], 1).reshape(10, 5)[:9]
    factor, triangle = random.uniform(0.3, 0.9), torch.tensor([1, 2, 1]).double() / 4
    column = "Column j is what comes of a 1 at place j and zeros elsewhere"
    return [
        case(lambda x: x.repeat_interleave(2, -1), repeated, "The worked value: 4 numbers of 2."),
        case(*of_matrix(5, 3), f"{column}; this function makes 5 numbers of 3."),
        case(lambda x: factor * x.cumsum(-1), factor * np.tri(6), f"{column}; this one sums up."),
        case(lambda x: x.unflatten(-1, (-1, 2)).mean(-1), pairs, f"{column}; here m is n/2."),
        case(*of_matrix(2, 7), f"{column}; this function makes 2 numbers of 7."),
        case(lambda x: x[..., ::2], np.eye(6)[::2], f"{column}; here every second number is kept."),
        case(with_means, finer, f"{column}; this function puts means in between."),
        case(*of_matrix(1, 4), f"{column}; here m is 1, and U has one row."),
        case(*of_matrix(6, 1), f"{column}; here n is 1, and U has one column."),
        case(*of_taps(triangle, 6), f"{column}; here that of 7.1."),
        case(*of_taps(windowed_sinc(13), 32), f"{column}, as the lesson calls it."),
    ]


def by_columns(of):
    """A mistake that makes something of the right matrix, the function and n."""
    return lambda resample, n: of(matrix_of(resample, n), resample, n)


def never_cleared(resample, n):
    """The 1 of the column before stays where it was."""
    import torch

    return torch.stack([resample(impulse) for impulse in impulses(n).cumsum(0)], 1)


def one_impulse(resample, n):
    """One answer, moved on for the other columns."""
    import torch

    first = resample(impulses(n)[0])
    return torch.stack([first.roll(2 * j) for j in range(n)], 1)


def of_ones(resample, n):
    return resample(impulses(n).sum(0))


MATRIX_MISTAKES = (
    Mistake(
        "transposed",
        by_columns(lambda U, resample, n: U.T),
        "The answers are the rows; they are the columns of U: dim=1.",
    ),
    Mistake(
        "all at once",
        lambda resample, n: resample(impulses(n)),
        "It is handed the whole identity at once; resample takes one (n,) at a time.",
    ),
    Mistake(
        "all at once, transposed",
        lambda resample, n: resample(impulses(n)).T,
        "It is handed the identity at once, and turned; resample takes one (n,) at a time.",
    ),
    Mistake(
        "in one row",
        by_columns(lambda U, resample, n: U.T.flatten()),
        "The answers stand in one long row; torch.stack puts them side by side.",
    ),
    Mistake(
        "one below the other",
        by_columns(lambda U, resample, n: U.T.reshape(U.shape)),
        "The numbers are right, in the wrong order: reshape does not transpose; use .T.",
    ),
    Mistake(
        "never cleared",
        never_cleared,
        "The 1 of the column before is still there; begin each column with zeros.",
    ),
    Mistake(
        "of ones",
        of_ones,
        "That is the answer to ones everywhere, the sum of all columns; ask for each by itself.",
    ),
    Mistake(
        "ones on the diagonal",
        lambda resample, n: of_ones(resample, n).diag(),
        "The answer to ones everywhere lies on a diagonal; ask for each column by itself.",
    ),
    Mistake(
        "one for all",
        lambda resample, n: of_ones(resample, n)[:, None].repeat(1, n) / n,
        "All columns are alike; a 1 at another place has another answer.",
    ),
    Mistake(
        "one impulse moved",
        one_impulse,
        "One answer is moved along for all columns; not every function treats places alike.",
    ),
    Mistake(
        "of images",
        by_columns(lambda U, resample, n: U @ U.T),
        "It is applied along both axes of the identity; that is U U^T, and U alone is asked for.",
    ),
    Mistake(
        "from the end",
        by_columns(lambda U, resample, n: U.flip(1)),
        "The columns come from the last to the first.",
    ),
    Mistake(
        "one place on",
        by_columns(lambda U, resample, n: U.roll(1, 1)),
        "Every column is one place too far on; column 0 is the answer to a 1 at place 0.",
    ),
    Mistake(
        "one place back",
        by_columns(lambda U, resample, n: U.roll(-1, 1)),
        "Every column is one place too far back; column 0 is the answer to a 1 at place 0.",
    ),
    Mistake(
        "columns of sum 1",
        by_columns(lambda U, resample, n: U / U.sum(0)),
        "The columns are divided by their sums; take the answers as they are.",
    ),
    Mistake(
        "rows of sum 1",
        by_columns(lambda U, resample, n: U / U.sum(1, keepdim=True)),
        "The rows are divided by their sums; take the answers as they are.",
    ),
)
MATRIX = Exercise("7.2", "resampling is a matrix", 2, 10, matrix_of, matrix_cases, MATRIX_MISTAKES)


EXERCISES = (DOUBLED, MATRIX)
