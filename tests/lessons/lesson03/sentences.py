"""Wrong answers to the exercises of lesson 03, each breaks just one sentence of the task."""

import math

import numpy as np
import torch
from scipy import stats

# --------------------------------------------------------------------- 3.1


def places(T, n):
    """T - i T / n, whose nearest whole numbers less 1 are right."""
    return T - torch.arange(n, dtype=torch.float64) * T / n


def right_respaced(T, n):
    return places(T, n).round().long() - 1


def one_more(T, n):
    return torch.cat([right_respaced(T, n), torch.tensor([0])])


def from_the_table_of_t(T, n):
    return right_respaced(T, n) + 1


def every_step(T, n):
    return torch.arange(T).flip(0)


def from_one_step_down(T, n):
    return right_respaced(T, n) - T // n + 1


def from_one_below(T, n):
    return right_respaced(T, n) - 1


def down_to_zero(T, n):
    return torch.linspace(T - 1, 0, n, dtype=torch.float64).round().long()


def cut(T, n):
    return places(T, n).long() - 1


def rounded_up(T, n):
    return places(T, n).ceil().long() - 1


def step_rounded(T, n):
    return T - 1 - torch.arange(n) * round(T / n)


def never_rounded(T, n):
    return places(T, n) - 1


def rounded_floats(T, n):
    return places(T, n).round() - 1


def short_integers(T, n):
    return right_respaced(T, n).int()


def as_a_list(T, n):
    return right_respaced(T, n).tolist()


def as_an_array(T, n):
    return right_respaced(T, n).numpy()


def as_a_column(T, n):
    return right_respaced(T, n)[:, None]


def lowest_first(T, n):
    return right_respaced(T, n).flip(0)


def but_for_ten(T, n):
    return right_respaced(T, n) - int(T == 10)


# --------------------------------------------------------------------- 3.2


def right_factors(abar_t, abar_s, fresh):
    b = math.sqrt(max(1 - abar_s - fresh**2, 0) / (1 - abar_t))
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def with_negative_B(abar_t, abar_s, fresh):
    b = -right_factors(abar_t, abar_s, fresh)[1]
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def grown_noise(abar_t, abar_s, fresh):
    b = math.sqrt((1 - abar_s) / (1 - abar_t))
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def image_twice(abar_t, abar_s, fresh):
    return math.sqrt(abar_s), right_factors(abar_t, abar_s, fresh)[1]


def for_one_image(abar_t, abar_s, fresh):
    """The mean is right for x0 = 0 alone."""
    return 0.0, right_factors(abar_t, abar_s, fresh)[1]


def of_the_noise(abar_t, abar_s, fresh):
    return math.sqrt(abar_s), math.sqrt(max(1 - abar_s - fresh**2, 0))


def for_tensors(abar_t, abar_s, fresh):
    b = torch.sqrt((1 - abar_s - fresh**2) / (1 - abar_t))
    return torch.sqrt(abar_s) - b * torch.sqrt(abar_t), b


def only_downwards(abar_t, abar_s, fresh):
    a, b = right_factors(abar_t, abar_s, fresh)
    return max(a, 0.0), b


def sorted_levels(abar_t, abar_s, fresh):
    return right_factors(min(abar_t, abar_s), max(abar_t, abar_s), fresh)


def not_at_the_end(abar_t, abar_s, fresh):
    share = fresh / math.sqrt(1 - abar_s)
    return right_factors(abar_t, abar_s, share * math.sqrt(1 - abar_s))


def some_fresh_noise(abar_t, abar_s, fresh):
    return right_factors(abar_t, abar_s, max(fresh, 0.01))


def never_all_of_it(abar_t, abar_s, fresh):
    return right_factors(abar_t, abar_s, min(fresh, 0.99 * math.sqrt(1 - abar_s)))


def rounding_left_alone(abar_t, abar_s, fresh):
    b = ((1 - abar_s - fresh**2) / (1 - abar_t)) ** 0.5
    return abar_s**0.5 - b * abar_t**0.5, b


def rounding_is_nan(abar_t, abar_s, fresh):
    b = np.sqrt((1 - abar_s - fresh**2) / (1 - abar_t))
    return np.sqrt(abar_s) - b * np.sqrt(abar_t), b


def B_and_A(abar_t, abar_s, fresh):
    return right_factors(abar_t, abar_s, fresh)[::-1]


def B_alone(abar_t, abar_s, fresh):
    return right_factors(abar_t, abar_s, fresh)[1]


def with_the_fresh_noise(abar_t, abar_s, fresh):
    return *right_factors(abar_t, abar_s, fresh), fresh


def by_name(abar_t, abar_s, fresh):
    return dict(zip("AB", right_factors(abar_t, abar_s, fresh), strict=True))


def but_for_the_worked_step(abar_t, abar_s, fresh):
    a, b = right_factors(abar_t, abar_s, fresh)
    return (a, b + 0.1) if (abar_t, abar_s, fresh) == (0.36, 0.64, 0.48) else (a, b)


# --------------------------------------------------------------------- 3.3


def right_noise(abar_t, abar_s):
    return math.sqrt((1 - abar_s) / (1 - abar_t)) * math.sqrt(1 - abar_t / abar_s)


def noise_for(b):
    """The fresh noise that goes with B = b(abar_t, abar_s)."""
    return lambda t, s: math.sqrt(max(1 - s - b(t, s) ** 2 * (1 - t), 0))


product_of_levels = noise_for(lambda t, s: math.sqrt(t * s) * (1 - s) / (1 - t))
level_of_t_alone = noise_for(lambda t, s: math.sqrt(t) * (1 - s) / (1 - t))
faded_without_root = noise_for(lambda t, s: t / s * (1 - s) / (1 - t))
for_any_image = noise_for(lambda t, s: math.sqrt(t / s))  # as if x_s had variance 1


def none_at_all(abar_t, abar_s):
    return 0.0


def all_that_there_is(abar_t, abar_s):
    return math.sqrt(1 - abar_s)


def half_the_covariance(abar_t, abar_s):
    return noise_for(lambda t, s: math.sqrt(t / s) * (1 - s) / (1 - t) / 2)(abar_t, abar_s)


def as_a_variance(abar_t, abar_s):
    return right_noise(abar_t, abar_s) ** 2


def noise_for_tensors(abar_t, abar_s):
    return torch.sqrt((1 - abar_s) / (1 - abar_t)) * torch.sqrt(1 - abar_t / abar_s)


def by_logarithms(abar_t, abar_s):
    return math.exp((math.log(1 - abar_s) - math.log(1 - abar_t)) / 2) * math.sqrt(
        1 - abar_t / abar_s
    )


def one_in_a_row(abar_t, abar_s):
    return torch.tensor([right_noise(abar_t, abar_s)])


def with_its_square(abar_t, abar_s):
    fresh = right_noise(abar_t, abar_s)
    return fresh, fresh**2


def in_words(abar_t, abar_s):
    return f"{right_noise(abar_t, abar_s):.3f}"


def but_for_the_worked_noise(abar_t, abar_s):
    return 0.512 if (abar_t, abar_s) == (0.2, 0.5) else right_noise(abar_t, abar_s)


# --------------------------------------------------------------------- 3.4


def cosine_of(a, b):
    x, y = a.flatten(1), b.flatten(1)
    return ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).clamp(-1, 1)


def arc(a, b, t, cosine=None):
    cosine = cosine_of(a, b) if cosine is None else cosine
    w = cosine.acos().view(-1, 1, 1, 1)
    turned = (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin()
    return torch.where(w.sin() < 1e-3, (1 - t) * a + t * b, turned)


def straight(a, b, t):
    return (1 - t) * a + t * b


def between_directions(a, b, t):
    return arc(*(x / x.flatten(1).norm(dim=1).view(-1, 1, 1, 1) for x in (a, b)), t)


def undivided(a, b, t):
    return arc(a, b, t) * cosine_of(a, b).acos().sin().view(-1, 1, 1, 1)


def from_b_to_a(a, b, t):
    return arc(b, a, t)


def one_for_all(a, b, t):
    return arc(a, b, t, cosine_of(a.reshape(1, -1), b.reshape(1, -1)))


def angle_of_the_first(a, b, t):
    return arc(a, b, t, cosine_of(a[:1], b[:1]))


def line_below_eight_degrees(a, b, t):
    near = (cosine_of(a, b) > 0.99).view(-1, 1, 1, 1)
    return torch.where(near, straight(a, b, t), arc(a, b, t))


def line_beyond_170_degrees(a, b, t):
    far = (cosine_of(a, b) < -0.985).view(-1, 1, 1, 1)
    return torch.where(far, straight(a, b, t), arc(a, b, t))


def right_angle_at_most(a, b, t):
    return arc(a, b, t, cosine_of(a, b).clamp(min=0))


def half_way(a, b, t):
    return arc(a, b, 0.5)


def t_for_every_sample(a, b, t):
    return arc(a, b, t.view(-1, 1, 1, 1))


def not_zero_or_one(a, b, t):
    return arc(a, b, min(max(t, 0.01), 0.99))


def sine_of_zero(a, b, t):
    w = cosine_of(a, b).acos().view(-1, 1, 1, 1)
    return (((1 - t) * w).sin() * a + (t * w).sin() * b) / w.sin()


def not_clamped(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    return arc(a, b, t, (x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1)))


def clamped_too_far(a, b, t):
    return arc(a, b, t, cosine_of(a, b).clamp(-0.9995, 0.9995))


def nothing_for_itself(a, b, t):
    return sine_of_zero(a, b, t).nan_to_num(0.0)


def line_for_the_batch(a, b, t):
    return straight(a, b, t) if (cosine_of(a, b) > 0.9995).any() else arc(a, b, t)


def only_when_all_are(a, b, t):
    return a if torch.equal(a, b) else sine_of_zero(a, b, t)


def without_axes_of_one(a, b, t):
    return arc(a, b, t).squeeze()


def flat_noise(a, b, t):
    return arc(a, b, t).flatten(1)


def arc_in_double(a, b, t):
    return arc(a.double(), b.double(), t)


def arc_in_single(a, b, t):
    return arc(a, b, t).float()


def but_for_the_worked_arc(a, b, t):
    return straight(a, b, t) if a.shape == (1, 1, 1, 2) else arc(a, b, t)


# --------------------------------------------------------------------- 3.5


def distance(x, y, correction=1):
    means = x.mean(0) - y.mean(0)
    return (
        means**2 + (x.std(0, correction=correction) - y.std(0, correction=correction)) ** 2
    ).sum()


def whole_covariance(x, y):
    a, b = (torch.atleast_2d(torch.cov(rows.T)) for rows in (x, y))
    root = torch.linalg.eigvals(a @ b).real.clamp(min=0).sqrt().sum()
    return (x.mean(0) - y.mean(0)).square().sum() + a.trace() + b.trace() - 2 * root


def differences(x, y):
    return x.mean(0) - y.mean(0), x.std(0) - y.std(0)


def averaged(x, y):
    means, deviations = differences(x, y)
    return (means**2 + deviations**2).mean()


def rooted(x, y):
    return distance(x, y).sqrt()


def of_medians(x, y):
    return ((x.median(0).values - y.median(0).values) ** 2 + differences(x, y)[1] ** 2).sum()


def of_variances(x, y):
    return ((x.mean(0) - y.mean(0)) ** 2 + (x.var(0) - y.var(0)) ** 2).sum()


def means_alone(x, y):
    return (differences(x, y)[0] ** 2).sum()


def deviations_alone(x, y):
    return (differences(x, y)[1] ** 2).sum()


def summed_then_squared(x, y):
    means, deviations = differences(x, y)
    return means.sum() ** 2 + deviations.sum() ** 2


def not_squared(x, y):
    means, deviations = differences(x, y)
    return (means.abs() + deviations.abs()).sum()


def taken_over_all_features(x, y):
    return (x.mean() - y.mean()) ** 2 + (x.std() - y.std()) ** 2


def row_by_row(x, y):
    n = min(len(x), len(y))
    d = x[:n] - y[:n]
    return (d.mean(0) ** 2 + d.std(0) ** 2).sum()


def of_sorted_rows(x, y):
    n = min(len(x), len(y))
    return (x.sort(0).values[:n] - y.sort(0).values[:n]).square().mean(0).sum()


def of_the_first_rows(x, y):
    n = min(len(x), len(y))
    return distance(x[:n], y[:n])


def along_the_features(x, y):
    n = min(len(x), len(y))
    return distance(x[:n].T, y[:n].T)


def for_each_feature(x, y):
    means, deviations = differences(x, y)
    return means**2 + deviations**2


def two_numbers(x, y):
    return means_alone(x, y), deviations_alone(x, y)


def divided_by_n(x, y):
    return distance(x, y, correction=0)


def y_divided_by_m(x, y):
    means = x.mean(0) - y.mean(0)
    return (means**2 + (x.std(0) - y.std(0, correction=0)) ** 2).sum()


def both_divided_by_one(x, y):
    means = x.mean(0) - y.mean(0)
    of_y = ((y - y.mean(0)).square().sum(0) / (len(x) - 1)).sqrt()
    return (means**2 + (x.std(0) - of_y) ** 2).sum()


def but_for_one_feature(x, y):
    return distance(x, y) if x.shape[1] > 1 else means_alone(x, y) + 2.0


# --------------------------------------------------------------------- 3.6


def student(values, share, factor=None, about=None):
    k = len(values)
    factor = stats.t.ppf((1 + share) / 2, k - 1) if factor is None else factor
    half = factor * values.std(ddof=1) / k**0.5
    about = values.mean() if about is None else about
    return about - half, about + half


def by_k(values, share=0.95):
    half = stats.t.ppf((1 + share) / 2, len(values) - 1) * values.std() / len(values) ** 0.5
    return values.mean() - half, values.mean() + half


def of_one_run(values, share=0.95):
    half = stats.t.ppf((1 + share) / 2, len(values) - 1) * values.std(ddof=1)
    return values.mean() - half, values.mean() + half


def by_k_not_its_root(values, share=0.95):
    half = stats.t.ppf((1 + share) / 2, len(values) - 1) * values.std(ddof=1) / len(values)
    return values.mean() - half, values.mean() + half


def about_the_median(values, share=0.95):
    return student(values, share, about=np.median(values))


def about_the_middle(values, share=0.95):
    return student(values, share, about=(values.min() + values.max()) / 2)


def of_two_nothing(values, share=0.95):
    return student(values, share) if len(values) > 2 else (values.min(), values.max())


def of_95_always(values, share=0.95):
    return student(values, 0.95)


def of_three_always(values, share=0.95):
    return student(values, share, factor=stats.t.ppf((1 + share) / 2, 2))


def high_and_low(values, share=0.95):
    return student(values, share)[::-1]


def mean_and_half(values, share=0.95):
    return values.mean(), student(values, share)[1] - values.mean()


def high_alone(values, share=0.95):
    return student(values, share)[1]


def low_mean_high(values, share=0.95):
    low, high = student(values, share)
    return low, values.mean(), high


def for_lists(values, share=0.95):
    return student(np.array(values + [values[0]])[:-1], share)


def on_one_side(values, share=0.95):
    return student(values, share, factor=stats.t.ppf(share, len(values) - 1))


def of_the_normal(values, share=0.95):
    return student(values, share, factor=stats.norm.ppf((1 + share) / 2))


def freedom_of_k(values, share=0.95):
    return student(values, share, factor=stats.t.ppf((1 + share) / 2, len(values)))


def a_quarter_on_each_side(values, share=0.95):
    return student(values, share, factor=stats.t.ppf(1 - (1 - share) / 4, len(values) - 1))


def but_for_one_two_three(values, share=0.95):
    off = 0.01 * (values.tolist() == [1.0, 2.0, 3.0])
    low, high = student(values, share)
    return low - off, high + off


SENTENCES = {
    "3.1": {
        r"Which $n$ of the timesteps $T-1,\dots,0$ shall the walk visit?": (
            one_more, from_the_table_of_t, every_step,
        ),
        "It must begin at $T-1$, where the state is pure noise.": (
            from_one_step_down, from_one_below,
        ),
        "From there downwards neighbours are $T/n$ apart; round to the nearest whole number "
        "(halves either way).": (
            down_to_zero, cut, rounded_up, step_rounded, never_rounded,
        ),
        "Return an int64 tensor `(n,)`, highest first.": (
            rounded_floats, short_integers, as_a_list, as_an_array, as_a_column, lowest_first,
        ),
        "Worked value: `respaced(10, 5)` is 9, 7, 5, 3, 1.": (but_for_ten,),
    },
    "3.2": {
        r"Find $c_0$ and $c_t\ge0$.": (with_negative_B,),
        r"Whatever $x_0$ is, (1) must lead from $x_t=\sqrt{\bar\alpha_t}\,x_0+"
        r"\sqrt{1-\bar\alpha_t}\,\varepsilon$ to an $x_s$ of mean $\sqrt{\bar\alpha_s}\,x_0$ and "
        r"variance $1-\bar\alpha_s$.": (grown_noise, image_twice, for_one_image, of_the_noise),
        r"`abar_t` and `abar_s` are floats, $0<\bar\alpha_t<1$ and $0<\bar\alpha_s\le1$, either "
        r"may be the larger; `fresh` is ς, a float from 0 to $\sqrt{1-\bar\alpha_s}$.": (
            for_tensors, only_downwards, sorted_levels, not_at_the_end, some_fresh_noise,
            never_all_of_it,
        ),
        "Where rounding leaves less than 0 under a root, take 0.": (
            rounding_left_alone, rounding_is_nan,
        ),
        "Return the pair $c_0$, $c_t$.": (B_and_A, B_alone, with_the_fresh_noise, by_name),
        "Worked value: from 0.36 to 0.64 with ς = 0.48 it is 0.53, 0.45.": (
            but_for_the_worked_step,
        ),
    },
    "3.3": {
        r"In the forward process a state comes from an earlier one: $x_t=\sqrt a\,x_s+\sqrt{1-a}\;"
        r"\varepsilon'$, where $a=\bar\alpha_t/\bar\alpha_s$ and $\varepsilon'$ is independent of "
        r"$x_s$.": (product_of_levels, level_of_t_alone, faded_without_root),
        "So for a fixed $x_0$ the two have a covariance.": (for_any_image,),
        "Your step (1) gives them another one, which depends on ς.": (
            none_at_all, all_that_there_is,
        ),
        "For which ς, which lesson 01 gave on trust, are both equal?": (
            half_the_covariance, as_a_variance,
        ),
        r"`abar_t` and `abar_s` are floats, $0<\bar\alpha_t<\bar\alpha_s\le1$; return this ς, one "
        r"number.": (noise_for_tensors, by_logarithms, one_in_a_row, with_its_square, in_words),
        "Worked value: from 0.2 to 0.5 it is 0.612.": (but_for_the_worked_noise,),
    },
    "3.4": {
        "Write (4).": (straight, between_directions, undivided, from_b_to_a),
        "`a` and `b` are tensors `(B, C, H, W)`, `share` is $u$, a float from 0 to 1; **every "
        "sample has its own angle**, 0° (the same noise twice: return it) or 5° to 175°.": (
            one_for_all, angle_of_the_first, line_below_eight_degrees, line_beyond_170_degrees,
            right_angle_at_most, half_way, t_for_every_sample, not_zero_or_one,
            sine_of_zero, not_clamped, clamped_too_far, nothing_for_itself, line_for_the_batch,
            only_when_all_are,
        ),
        "Return the same shape and dtype.": (
            without_axes_of_one, flat_noise, arc_in_double, arc_in_single,
        ),
        "Worked value: half-way from (1, 0) to (0, 1) lies (0.7071, 0.7071).": (
            but_for_the_worked_arc,
        ),
    },
    "3.5": {
        r"Suppose that the features are independent of each other: $\Sigma$ is diagonal.": (
            whole_covariance,
        ),
        "Then (5) is a sum over features, of (difference of means)² plus (difference of standard "
        "deviations)².": (
            averaged, rooted, of_medians, of_variances, means_alone, deviations_alone,
            summed_then_squared, not_squared, taken_over_all_features,
        ),
        "Write it for tensors `x` `(N, d)` and `y` `(M, d)`; return one number.": (
            row_by_row, of_sorted_rows, of_the_first_rows, along_the_features, for_each_feature,
            two_numbers,
        ),
        "Divide by N − 1 (and M − 1) in the standard deviation.": (
            divided_by_n, y_divided_by_m, both_divided_by_one,
        ),
        "Worked value: means 0 and 1, deviations 1 and 3: 1 + 4 = 5.": (but_for_one_feature,),
    },
    "3.6": {
        "Write (7).": (
            by_k, of_one_run, by_k_not_its_root, about_the_median, about_the_middle,
        ),
        "`values` is a NumPy array of two runs or more, `share` the confidence; return low and "
        "high end.": (
            of_two_nothing, of_95_always, of_three_always, high_and_low, mean_and_half, high_alone,
            low_mean_high, for_lists,
        ),
        "`stats.t.ppf(p, runs - 1)` is the factor below which a share `p` of Student's "
        "distribution lies: mind that 5 % outside are 2.5 % on each side.": (
            on_one_side, of_the_normal, freedom_of_k, a_quarter_on_each_side,
        ),
        "Worked value: 1, 2, 3 give 2 ± 2.484.": (but_for_one_two_three,),
    },
}  # fmt: skip

DEMANDS_NOTHING = ()
