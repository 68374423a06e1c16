"""Wrong answers to the exercises of lesson 07, each breaks just one sentence of the task."""

import numpy as np
import torch
from torch.nn import functional as F

# --------------------------------------------------------------------- 7.1


def as_given(result, x):
    """An array of numbers as what x is."""
    return torch.from_numpy(np.ascontiguousarray(result)) if torch.is_tensor(x) else result


def zeros_after(values):
    return np.stack([values, np.zeros_like(values)], 1).ravel()


def around(fine, taps, centre, mode="wrap"):
    """Sums of taps[i] times the number at k + i - centre."""
    wide = np.pad(fine, 2 * len(taps), mode=mode)
    first = 2 * len(taps) - centre
    return np.array([taps @ wide[first + k : first + k + len(taps)] for k in range(len(fine))])


def with_other(given=lambda x, h: (x, h), fill=zeros_after, centre=lambda n: n // 2, **how):
    """The right answer, of which one part is replaced; how: mode, and factor(x, h, y)."""
    factor = how.pop("factor", lambda x, h, y: 2)

    def function(x, h):
        values, taps = given(np.array(x), np.array(h))
        y = around(fill(values), taps, centre(len(taps)), **how)
        return as_given(factor(values, taps, y) * y, x)

    return function


def right_doubled(x, h):
    return with_other()(x, h)


def positive_numbers(x, h):
    return right_doubled(abs(x), h)


def of_even_n(x, h):
    return right_doubled(x, h)[: 4 * (len(x) // 2)]


def sorted_numbers(x, h):
    return right_doubled(x.sort().values if torch.is_tensor(x) else np.sort(x), h)


def three_taps_alone(x, h):
    c = len(h) // 2
    return right_doubled(x, h[c - 1 : c + 2])


def up_to_eleven_taps(x, h):
    c = len(h) // 2
    return right_doubled(x, h[max(c - 5, 0) : c + 6])


def positive_taps(x, h):
    return right_doubled(x, abs(h) / abs(h).sum())


def for_tensors_alone(x, h):
    fine = torch.stack([x, torch.zeros_like(x)], 1).flatten()
    return 2 * sum(h[i] * fine.roll(len(h) // 2 - i) for i in range(len(h)))


def for_arrays_alone(x, h):
    return 2 * np.convolve(np.pad(zeros_after(x), len(h) // 2, mode="wrap"), h, "valid")


def in_single(x, h):
    result = right_doubled(x, h)
    return result.float() if torch.is_tensor(x) else result.astype(np.float32)


def turned_in_place(x, h):
    right = right_doubled(x, h)
    x[:] = 0
    return right


def zero_first(values):
    return np.stack([np.zeros_like(values), values], 1).ravel()


def zeros_between_alone(values):
    return zeros_after(values)[:-1]


def zeros_behind(values):
    return np.concatenate([values, np.zeros_like(values)])


def two_zeros(values):
    return np.stack([values, 0 * values, 0 * values], 1).ravel()


def each_twice(values):
    return values.repeat(2) / 2


def without_the_middle(x, h):
    h = 1 * h
    h[len(h) // 2] = 0
    return right_doubled(x, h)


def before_the_zeros(x, h):
    values, taps = np.array(x), np.array(h)
    return as_given(2 * zeros_after(around(values, taps, len(taps) // 2)), x)


def first_half_of_the_taps(x, h):
    h = 1 * h
    h[len(h) // 2 + 1 :] = 0
    return right_doubled(x, h)


def root_of_the_powers(x, h, y):
    return np.sqrt((2 * x**2).sum() / (y**2).sum())


def ratio_of_means(x, h, y):
    return x.mean() / y.mean()


def of_place_zero(x, h, y):
    return 1 / around(zeros_after(0 * x + 1), h, len(h) // 2)[0]


def of_each_place(x, h, y):
    return 1 / around(zeros_after(0 * x + 1), h, len(h) // 2)


def as_a_list(x, h):
    return right_doubled(x, h).tolist()


def as_a_tensor(x, h):
    return torch.as_tensor(right_doubled(x, h))


def as_an_array(x, h):
    return np.asarray(right_doubled(x, h))


def as_a_column(x, h):
    return right_doubled(x, h)[:, None]


def but_for_the_worked_ones(x, h):
    return right_doubled(x, h) / (1 if len(x) != 3 else 2)


# --------------------------------------------------------------------- 7.2


def right_matrix(resample, n):
    return torch.stack([resample(row) for row in torch.eye(n, dtype=torch.float64)], 1)


def with_matrix(change):
    """The right matrix, changed."""
    return lambda resample, n: change(right_matrix(resample, n))


def as_if_circular(resample, n):
    first = right_matrix(resample, n)[:, 0]
    return torch.stack([first.roll(j * len(first) // n) for j in range(n)], 1)


def as_if_repeating(resample, n):
    return torch.eye(n, dtype=torch.float64).repeat_interleave(2, 0)


def as_if_symmetric(resample, n):
    U = right_matrix(resample, n)
    return (U + U.flip(0, 1)) / 2


def all_at_once(resample, n):
    return resample(torch.eye(n, dtype=torch.float64))


def all_at_once_turned(resample, n):
    return resample(torch.eye(n, dtype=torch.float64)).T


def in_a_batch_of_one(resample, n):
    rows = torch.eye(n, dtype=torch.float64)
    return torch.stack([resample(row[None]).flatten() for row in rows], 1)


def asked_in_single(resample, n):
    return torch.stack([resample(row) for row in torch.eye(n)], 1)


def m_is_2n(resample, n):
    U = torch.zeros(2 * n, n, dtype=torch.float64)
    for j, row in enumerate(torch.eye(n, dtype=torch.float64)):
        answer = resample(row)[: 2 * n]
        U[: len(answer), j] = answer
    return U


def m_is_n(resample, n):
    return right_matrix(resample, n)[:n]


def at_least_two_rows(resample, n):
    U = right_matrix(resample, n)
    return U if len(U) > 1 else torch.cat([U, 0 * U])


def for_one_x(resample, n):
    x = torch.arange(1, n + 1, dtype=torch.float64)
    return torch.outer(resample(x), x) / (x @ x)


def for_constants(resample, n):
    return resample(torch.ones(n, dtype=torch.float64))[:, None].expand(-1, n) / n


def but_for_the_worked_matrix(resample, n):
    U = right_matrix(resample, n)
    return U if n != 2 else U.flip(1)


# --------------------------------------------------------------------- 7.3


def sums(a, b, mask):
    return (mask * b**2).sum(), (mask * (a - b) ** 2).sum()


def right_decibels(a, b, mask):
    signal, error = sums(a, b, mask)
    return 10 * torch.log10(signal / error)


def of_both(change):
    """Something else of signal and error."""
    return lambda a, b, mask: change(*sums(a, b, mask))


def with_mask(change):
    """The right answer with another mask."""
    return lambda a, b, mask: right_decibels(a, b, change(mask))


def first_for_last(a, b, mask):
    return right_decibels(b, a, mask)


def squares_only(a, b, mask):
    return right_decibels(a[..., : b.shape[-2]], b[..., : b.shape[-2]], mask[:, : b.shape[-2]])


def turned_mask(a, b, mask):
    return right_decibels(a, b, mask.flip(0, 1))


def masked_before(a, b, mask):
    return right_decibels(mask * a, mask * b, torch.ones_like(mask))


def signal_without_mask(a, b, mask):
    return 10 * torch.log10((b**2).sum() / sums(a, b, mask)[1])


def error_without_mask(a, b, mask):
    return 10 * torch.log10(sums(a, b, mask)[0] / ((a - b) ** 2).sum())


def for_float64_alone(a, b, mask):
    return right_decibels(a, b, mask.double() if a.dtype == torch.float64 else mask * 0 + 1)


def mean_taken_off(a, b, mask):
    return 10 * torch.log10((mask * (b - b.mean()) ** 2).sum() / sums(a, b, mask)[1])


def absolute_values(a, b, mask):
    return 10 * torch.log10((mask * b.abs()).sum() / (mask * (a - b).abs()).sum())


def difference_of_squares(a, b, mask):
    return 10 * torch.log10((mask * b**2).sum() / (mask * (a**2 - b**2)).sum().abs())


def product_for_the_signal(a, b, mask):
    return 10 * torch.log10((mask * a * b).sum().abs() / sums(a, b, mask)[1])


def first_sample_alone(a, b, mask):
    return right_decibels(a[:1], b[:1], mask)


def first_channel_alone(a, b, mask):
    return right_decibels(a[:, :1], b[:, :1], mask)


def peak_of_2(a, b, mask):
    mean = sums(a, b, mask)[1] / (mask.sum() * b.shape[0] * b.shape[1])
    return 10 * torch.log10(4 / mean)


def of_samples(a, b, mask):
    rows = zip(a, b, strict=True)
    return torch.stack([right_decibels(one, other, mask) for one, other in rows])


def mean_of_samples(a, b, mask):
    return of_samples(a, b, mask).mean()


def mean_of_channels(a, b, mask):
    return mean_of_samples(a.flatten(0, 1), b.flatten(0, 1), mask)


def mean_of_ratios(a, b, mask):
    return 10 * torch.log10((10 ** (of_samples(a, b, mask) / 10)).mean())


def a_little_added(a, b, mask):
    signal, error = sums(a, b, mask)
    return 10 * torch.log10(signal / (error + 1e-12))


def at_most_100(a, b, mask):
    return right_decibels(a, b, mask).clamp(max=100)


def but_for_the_worked_decibels(a, b, mask):
    return right_decibels(a, b, mask) * (1 if b.numel() > 2 else 2)


# --------------------------------------------------------------------- 7.4


def spread(x):
    return x.repeat_interleave(2, -2).repeat_interleave(2, -1)


def right_cells(z, w):
    return spread(z / 2 - F.avg_pool2d(w, 2)) + w


def only_where_square(z, w):
    side = min(w.shape[-2:])
    return right_cells(z, w)[..., :side, :side]


def first_channel(z, w):
    return right_cells(z[:, :1].expand_as(z), w)


def first_sample(z, w):
    return right_cells(z, w[:1].expand_as(w))


def own_noise(z, w):
    return right_cells(z, torch.randn_like(w))


def in_double(z, w):
    return right_cells(z.double(), w.double())


def w_edited(z, w):
    w += spread(z / 2 - F.avg_pool2d(w, 2))
    return w


def tiled(z, w):
    return (z / 2 - F.avg_pool2d(w, 2)).repeat(1, 1, 2, 2) + w


def half_an_image_apart(z, w):
    B, C, H, W = z.shape
    parts = w.reshape(B, C, 2, H, 2, W)
    shared = z[:, :, None, :, None] / 2 - parts.mean((2, 4), keepdim=True)
    return (parts + shared).reshape(w.shape)


def four_in_a_row(z, w):
    rows = w.reshape(*z.shape, 4)
    return (rows - rows.mean(-1, keepdim=True) + z[..., None] / 2).reshape(w.shape)


def smooth(z, w):
    finer = F.interpolate(z, scale_factor=2, mode="bilinear")
    return finer / 2 + w - spread(F.avg_pool2d(w, 2))


def moved_by_a_cell(z, w):
    return right_cells(z, w).roll(1, -1)


def with_shares(of_z=0.5, of_w=1.0, of_mean=1.0):
    """Other shares of the three terms."""
    return lambda z, w: of_z * spread(z) + of_w * w - of_mean * spread(F.avg_pool2d(w, 2))


def mean_of_the_image(z, w):
    return spread(z) / 2 + w - w.mean((2, 3), keepdim=True)


def mean_of_two(z, w):
    return spread(z) / 2 + w - w.unflatten(-1, (-1, 2)).mean(-1).repeat_interleave(2, -1)


def mean_of_channels_too(z, w):
    return spread(z / 2 - F.avg_pool2d(w, 2).mean(1, keepdim=True)) + w


def variance_alone(z, w):
    return spread(z) / 2 + 0.75**0.5 * w


def sum_alone(z, w):
    return spread(z) / 2 + w / 2 - spread(F.avg_pool2d(w, 2)) / 2


def spread_alike(z, w):
    parts = w.unflatten(-2, (-1, 2)).unflatten(-1, (-1, 2))
    widths = spread(parts.std((-3, -1)))
    return spread(z) / 2 + (w - spread(F.avg_pool2d(w, 2))) / widths


def sums_again(z, w):
    return 2 * F.avg_pool2d(right_cells(z, w), 2)


def one_cell_each(z, w):
    return right_cells(z, w)[..., ::2, ::2]


def cells_in_a_list(z, w):
    return right_cells(z, w).unflatten(-2, (-1, 2)).unflatten(-1, (-1, 2))


def but_for_the_worked_cells(z, w):
    return right_cells(z, w) * (1 if z.numel() > 1 else -1)


# --------------------------------------------------------------------- 7.5


def right_step(x_next, D, turn):
    return x_next - D + turn(D)


def picture_twice(x_next, D, turn):
    return x_next + turn(D)


def noise_of_spread_1(x_next, D, turn):
    e = x_next - D
    return turn(D) + e / e.std()


def noise_without_mean(x_next, D, turn):
    e = x_next - D
    return turn(D) + e - e.mean()


def without_samples(x_next, D, turn):
    return right_step(x_next, D, turn)[:1]


def flipped(x_next, D, turn):
    return x_next - D + D.flip(-1)


def by_a_quarter(x_next, D, turn):
    return x_next - D + torch.rot90(D, 1, (2, 3))


def not_turned(x_next, D, turn):
    turn(D)
    return 1 * x_next


def state_turned(x_next, D, turn):
    return turn(x_next)


def noise_turned(x_next, D, turn):
    return D + turn(x_next - D)


def noise_dropped(x_next, D, turn):
    return turn(D)


def noise_taken_off(x_next, D, turn):
    return turn(D) + D - x_next


def fresh_noise(x_next, D, turn):
    e = x_next - D
    return turn(D) + e.std() * torch.randn_like(e)


def clamped(x_next, D, turn):
    return right_step(x_next, D, turn).clamp(-1, 1)


def edits_the_state(x_next, D, turn):
    x_next += turn(D) - D
    return x_next


def turned_and_unturned(x_next, D, turn):
    e = x_next - D
    return turn(x_next) - turn(e) + e


def asked_twice(x_next, D, turn):
    return x_next - D + (turn(D) + turn(D)) / 2


def of_both_together(x_next, D, turn):
    return x_next - D + turn(torch.cat([D, x_next]))[: len(D)]


def of_each_image(x_next, D, turn):
    return x_next - D + torch.cat([turn(image[None]) for image in D])


def of_the_negative(x_next, D, turn):
    return x_next - D - turn(-D)


def but_for_the_worked_step(x_next, D, turn):
    return right_step(x_next, D, turn) if D.numel() > 2 else turn(x_next)


SENTENCES = {
    "7.1": {
        "`x` `(n,)` are numbers.": (
            positive_numbers,
            of_even_n,
            sorted_numbers,
        ),
        "`h` are the weights of a filter: an odd count below 2n, symmetric, with the sum 1.": (
            three_taps_alone,
            up_to_eleven_taps,
            positive_taps,
        ),
        "Both are float64 tensors, or both float64 NumPy arrays.": (
            for_tensors_alone,
            for_arrays_alone,
            in_single,
            turned_in_place,
        ),
        "Put a zero after each number of x.": (
            with_other(fill=zero_first),
            with_other(fill=zeros_between_alone),
            with_other(fill=zeros_behind),
            with_other(fill=two_zeros),
            with_other(fill=each_twice),
            before_the_zeros,
        ),
        "Place k of the result is then the sum over i of `h[i]` times the number at place "
        "k + i - c; c is the middle index of h, and places count around the end.": (
            with_other(centre=lambda n: 0),
            with_other(centre=lambda n: n - 1),
            with_other(centre=lambda n: (n + 1) // 2),
            with_other(centre=lambda n: -(n // 2)),
            with_other(mode="constant"),
            with_other(mode="reflect"),
            with_other(mode="edge"),
            without_the_middle,
            first_half_of_the_taps,
        ),
        "Multiply all of it by the one number, the same for every x and h, that keeps the mean of "
        "x.": (
            with_other(factor=lambda x, h, y: 1),
            with_other(factor=lambda x, h, y: 4),
            with_other(factor=root_of_the_powers),
            with_other(factor=ratio_of_means),
            with_other(factor=of_place_zero),
            with_other(factor=of_each_place),
        ),
        "Return the 2n numbers as what x is, a tensor or an array.": (
            as_a_list,
            as_a_tensor,
            as_an_array,
            as_a_column,
        ),
        "Worked value: with h = [1/4, 1/2, 1/4] three ones become six ones.": (
            but_for_the_worked_ones,
        ),
    },
    "7.2": {
        "`resample` is any linear function made of torch operations.": (
            as_if_circular,
            as_if_repeating,
            as_if_symmetric,
        ),
        "It takes one float64 tensor `(n,)` at a time and returns one `(m,)`.": (
            all_at_once,
            all_at_once_turned,
            in_a_batch_of_one,
            asked_in_single,
        ),
        "Nobody tells you m.": (
            m_is_2n,
            m_is_n,
            at_least_two_rows,
        ),
        "Return the float64 matrix U `(m, n)` with `resample(x) = U @ x` for every x.": (
            for_one_x,
            for_constants,
            with_matrix(lambda U: U.T),
            with_matrix(lambda U: U.float()),
            with_matrix(lambda U: U.numpy()),
            with_matrix(lambda U: U.flatten()),
            with_matrix(lambda U: list(U)),
            with_matrix(lambda U: U @ U.T),
            with_matrix(lambda U: U / U.sum(0)),
        ),
        "Worked value: of a function that repeats each number twice, and n = 2, it is [[1, 0], "
        "[1, 0], [0, 1], [0, 1]].": (but_for_the_worked_matrix,),
    },
    "7.3": {
        "`moved_first` is f(T x), `moved_last` is T f(x), both `(B, C, H, W)`.": (
            first_for_last,
            squares_only,
        ),
        "`mask` `(H, W)`, from 0 to 1, says how much each pixel counts; all three are float tensors"
        " of one dtype.": (
            with_mask(torch.ones_like),
            with_mask(torch.ceil),
            with_mask(torch.round),
            with_mask(lambda mask: 1 - mask + 1e-9),
            turned_mask,
            for_float64_alone,
        ),
        "The signal is mask times the square of moved_last, the error is mask times the square of "
        "the difference, each summed over all pixels, channels and samples.": (
            masked_before,
            signal_without_mask,
            error_without_mask,
            mean_taken_off,
            absolute_values,
            difference_of_squares,
            product_for_the_signal,
            first_sample_alone,
            first_channel_alone,
            peak_of_2,
        ),
        "Return ten times the logarithm to base 10 of signal over error: a single number, of one "
        "ratio for all samples.": (
            of_both(lambda signal, error: 20 * torch.log10(signal / error)),
            of_both(lambda signal, error: 10 * torch.log(signal / error)),
            of_both(lambda signal, error: torch.log10(signal / error)),
            of_both(lambda signal, error: 5 * torch.log10(signal / error)),
            of_both(lambda signal, error: 10 * torch.log10(error / signal)),
            of_both(lambda signal, error: signal / error),
            of_samples,
            mean_of_samples,
            mean_of_channels,
            mean_of_ratios,
        ),
        "Add nothing to the error; it is never 0 here.": (
            a_little_added,
            at_most_100,
        ),
        "Worked value: with moved_first = [11, 50], moved_last = [10, 3] and mask = [1, 0], one "
        "image of two pixels, the signal is 100, the error 1, and that is 20 dB.": (
            but_for_the_worked_decibels,
        ),
    },
    "7.4": {
        "`z` `(B, C, H, W)` is white noise, `w` `(B, C, 2H, 2W)` is fresh white noise of the same "
        "dtype.": (
            only_where_square,
            first_channel,
            first_sample,
            own_noise,
            in_double,
            w_edited,
        ),
        "Each pixel of z becomes 2 x 2 cells: the one in row i, column j those in rows 2i, 2i + 1 "
        "and columns 2j, 2j + 1.": (
            tiled,
            half_an_image_apart,
            four_in_a_row,
            smooth,
            moved_by_a_cell,
        ),
        "A cell is half of its pixel's z, plus its own w, minus the mean of w over the four cells "
        "of its pixel.": (
            with_shares(of_z=1.0),
            with_shares(of_z=0.25),
            with_shares(of_z=0.0),
            with_shares(of_w=0.0),
            with_shares(of_w=-1.0, of_mean=-1.0),
            with_shares(of_mean=0.0),
            with_shares(of_mean=4.0),
            with_shares(of_mean=-1.0),
            mean_of_the_image,
            mean_of_two,
            mean_of_channels_too,
        ),
        "So the sum of the four, over 2, is z again, and all cells are independent N(0, 1).": (
            variance_alone,
            sum_alone,
            spread_alike,
        ),
        "Return them, `(B, C, 2H, 2W)`.": (
            sums_again,
            one_cell_each,
            cells_in_a_list,
        ),
        "Worked value: one pixel with z = 2 and w = [[1, 2], [3, 6]], whose mean is 3, becomes "
        "[[-1, 0], [1, 4]].": (but_for_the_worked_cells,),
    },
    "7.5": {
        "A step of a sampler made `x_next` = D + e `(B, C, H, W)`: `D` is its estimate of the "
        "picture, e is all the noise that is left.": (
            picture_twice,
            noise_of_spread_1,
            noise_without_mean,
            without_samples,
        ),
        "`turn(images)` returns the images turned.": (
            flipped,
            by_a_quarter,
            not_turned,
        ),
        "Return the state whose picture is turned and whose noise is as it was: turn(D) + e.": (
            state_turned,
            noise_turned,
            noise_dropped,
            noise_taken_off,
            fresh_noise,
            clamped,
            edits_the_state,
        ),
        "Call `turn` only once, on D alone.": (
            turned_and_unturned,
            asked_twice,
            of_both_together,
            of_each_image,
            of_the_negative,
        ),
        "Worked value: with x_next = [4, 4], D = [1, 2], one image of two pixels, and a turn that "
        "swaps left and right it is [5, 3].": (but_for_the_worked_step,),
    },
}

DEMANDS_NOTHING = ()
