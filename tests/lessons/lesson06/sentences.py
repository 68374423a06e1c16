"""Wrong answers to the exercises of lesson 06, each breaks just one sentence of the task."""

import math
import time

import numpy as np
import torch

# --------------------------------------------------------------------- 6.1


def right_left(sigma0, s):
    ddpm = s**2 / (s**2 + sigma0**2)
    return ddpm**0.5, ddpm


def s_is_the_variance(sigma0, s):
    return right_left(sigma0, s**0.5)


def images_of_spread_1(sigma0, s):
    return right_left(sigma0 + 0 * s, 1)


def one_image(sigma0, s):
    return 0 * sigma0 * s, 0 * sigma0 * s


def sigma0_is_the_variance(sigma0, s):
    return right_left(sigma0**0.5, s)


def noise_not_scaled(sigma0, s):
    return right_left(1 + 0 * sigma0, s)


def start_on_the_data(sigma0, s):
    return 1 + 0 * sigma0 * s, 1 + 0 * sigma0 * s


def two_too_high(sigma0, s):
    return tuple(2 * part for part in right_left(sigma0, s))


def ddim_jumps_to_the_estimate(sigma0, s):
    ddpm = right_left(sigma0, s)[1]
    return ddpm, ddpm


def ddim_keeps_the_start(sigma0, s):
    return 1 + 0 * sigma0 * s, right_left(sigma0, s)[1]


def ddim_from_pure_noise(sigma0, s):
    return s / sigma0, right_left(sigma0, s)[1]


def ddpm_like_ddim(sigma0, s):
    return (right_left(sigma0, s)[0],) * 2


def ddpm_forgets_the_start(sigma0, s):
    return right_left(sigma0, s)[0], 0 * sigma0 * s


def ddpm_in_one_step(sigma0, s):
    ddim, ddpm = right_left(sigma0, s)
    return ddim, ddpm * ddim


def ddpm_first(sigma0, s):
    return right_left(sigma0, s)[::-1]


def their_difference(sigma0, s):
    ddim, ddpm = right_left(sigma0, s)
    return ddim - ddpm


def what_is_lost(sigma0, s):
    return tuple(1 - part for part in right_left(sigma0, s))


def of_one_draw(sigma0, s):
    return tuple(part * (1 + sigma0 * np.random.randn()) for part in right_left(sigma0, s))


def for_numbers_alone(sigma0, s):
    return s / math.sqrt(s**2 + sigma0**2), s**2 / (s**2 + sigma0**2)


def for_tensors_alone(sigma0, s):
    return s / (s.square() + sigma0.square()).sqrt(), s**2 / (s**2 + sigma0**2)


def mean_over_all(sigma0, s):
    ddim, ddpm = right_left(sigma0, s)
    return (ddim.mean(), ddpm.mean()) if hasattr(ddim, "mean") else (ddim, ddpm)


def as_lists(sigma0, s):
    parts = right_left(sigma0, s)
    return tuple(part.tolist() if hasattr(part, "tolist") else part for part in parts)


def but_for_the_worked_left(sigma0, s):
    worked = type(s) is float and (sigma0, s) == (0.3, 0.4)
    return (0.8, 0.8) if worked else right_left(sigma0, s)


# --------------------------------------------------------------------- 6.2


def measured(timer, work, clock):
    """What passes while timer(work) runs, and what it says."""
    start = clock()
    said = timer(work)
    return clock() - start, said


def of_measured(rule):
    """Another rule for the truth and the timer's word."""
    return lambda timer, work, clock: rule(*measured(timer, work, clock))


def its_own_work(timer, work, clock):
    truth, said = measured(timer, lambda: None, clock)
    return truth / (said or 1.0)


def timer_of_the_result(timer, work, clock):
    truth, said = measured(timer, work(), clock)
    return truth / said


def perf_counter(timer, work, clock):
    truth, said = measured(timer, work, time.perf_counter)
    return truth / said


def clock_counts_from_0(timer, work, clock):
    said = timer(work)
    return clock() / said


def only_the_work(timer, work, clock):
    took = []

    def inside():
        start = clock()
        work()
        took.append(clock() - start)

    return 1 / timer(inside) * took[0]


def without_what_comes_before(timer, work, clock):
    began = []

    def inside():
        began.append(clock())
        work()

    said = timer(inside)
    return (clock() - began[0]) / said


def without_what_comes_after(timer, work, clock):
    start, ended = clock(), []

    def inside():
        work()
        ended.append(clock())

    said = timer(inside)
    return (ended[0] - start) / said


def work_first(timer, work, clock):
    start = clock()
    work()
    took = clock() - start
    return took / timer(work)


def timer_then_work(timer, work, clock):
    said, start = timer(work), clock()
    work()
    return (clock() - start) / said


def two_runs(timer, work, clock):
    said = timer(work)
    truth, _ = measured(timer, work, clock)
    return truth / said


def two_runs_turned(timer, work, clock):
    truth, _ = measured(timer, work, clock)
    return truth / timer(work)


def warmed_up(timer, work, clock):
    timer(work)
    truth, said = measured(timer, work, clock)
    return truth / said


def but_for_the_worked_word(timer, work, clock):
    truth, said = measured(timer, work, clock)
    return 3.0 if (truth, said) == (2.0, 0.5) else truth / said


# --------------------------------------------------------------------- 6.3


def floats(errors):
    return [float(error) for error in errors]


def stop(errors, patience):
    """The index of the least error until the stop, and the index of the stop."""
    best = 0
    for i, error in enumerate(errors):
        best = i if error < errors[best] else best
        if i - best >= patience:
            break
    return best, i


def right_stop(errors, patience):
    return stop(floats(errors), patience)[0]


def for_lists_alone(errors, patience):
    best, end = 0, len(errors)
    for i in range(end):
        best = errors.index(min(errors[: i + 1]))
        if i - best >= patience:
            break
    return best


def for_tensors_of_errors(errors, patience):
    end = stop(floats(errors), patience)[1]
    return errors[: end + 1].argmin().item()


def of_two_at_least(errors, patience):
    return right_stop(errors, patience) if len(errors) > 1 else 1


def first_one_skipped(errors, patience):
    return right_stop(floats(errors)[1:] or [0.0], patience) + 1


def one_step_later(errors, patience):
    return right_stop(errors, patience + 1)


def one_step_earlier(errors, patience):
    return right_stop(errors, patience - 1)


def never_before_the_end(errors, patience):
    errors = floats(errors)
    return errors.index(min(errors))


def at_the_first_rise(errors, patience):
    return right_stop(errors, 1)


def patience_of_two(errors, patience):
    return right_stop(errors, 2)


def patience_as_a_share(errors, patience):
    return right_stop(errors, patience * len(errors) // 10 + 1)


def falls_give_patience(errors, patience):
    errors, best, count = floats(errors), 0, 0
    for i in range(1, len(errors)):
        count = count + 1 if errors[i] >= errors[i - 1] else 0
        best = i if errors[i] < errors[best] else best
        if count >= patience:
            break
    return best


def nothing_without_a_stop(errors, patience):
    best, end = stop(floats(errors), patience)
    return best if end - best >= patience else None


def minus_1_without_a_stop(errors, patience):
    best, end = stop(floats(errors), patience)
    return best if end - best >= patience else -1


def last_without_a_stop(errors, patience):
    best, end = stop(floats(errors), patience)
    return best if end - best >= patience else end


def where_it_stops(errors, patience):
    return stop(floats(errors), patience)[1]


def the_error(errors, patience):
    return floats(errors)[right_stop(errors, patience)]


def greatest(errors, patience):
    return right_stop([-error for error in floats(errors)], patience)


def latest_of_equals(errors, patience):
    errors = floats(errors)
    best, end = stop(errors, patience)
    return max(i for i in range(end + 1) if errors[i] == errors[best])


def equals_are_new(errors, patience):
    errors, best = floats(errors), 0
    for i, error in enumerate(errors):
        best = i if error <= errors[best] else best
        if i - best >= patience:
            break
    return best


def peeks_one_ahead(errors, patience):
    errors = floats(errors)
    end = stop(errors, patience)[1]
    return errors.index(min(errors[: end + 2]))


def peeks_if_far_lower(errors, patience):
    errors = floats(errors)
    best = right_stop(errors, patience)
    return errors.index(min(errors)) if min(errors) < 0.5 * errors[best] else best


def but_for_worked_errors(errors, patience):
    worked = floats(errors) == [3, 1, 2, 2, 0]
    return 1 if worked else right_stop(errors, patience)


def but_for_the_other_worked_errors(errors, patience):
    worked = floats(errors) == [3, 1, 2, 2, 0]
    return 4 if worked else right_stop(errors, patience)


# --------------------------------------------------------------------- 6.4


def right_moved(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = 1 / (1 / sigma**2 + 1 / s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))


def with_given(**changed):
    """`right_moved`, for which some arguments are replaced: name -> function of the old one."""

    def function(*given):
        names = "D y A At gain sigma sigma_y s".split()
        named = dict(zip(names, given, strict=True))
        named |= {name: change(named[name]) for name, change in changed.items()}
        return right_moved(**named)

    return function


def y_for_D(D, y, A, At, gain, sigma, sigma_y, s):
    return At(y) / gain


def y_clamped(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y.clamp(-1, 1), A, At, gain, sigma, sigma_y, s)


def noise_taken_off(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y - sigma_y, A, At, gain, sigma, sigma_y, s)


def A_for_At(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, A, gain, sigma, sigma_y, s)


def At_by_pixels(D, y, A, At, gain, sigma, sigma_y, s):
    spread = torch.nn.functional.interpolate(y - A(D), D.shape[-2:]).expand_as(D)
    r2 = 1 / (1 / sigma**2 + 1 / s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * gain * spread


def level_as_a_float_alone(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, At, gain, float.__pos__(sigma), sigma_y, s)


def level_as_a_tensor_alone(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, At, gain, sigma.to(D), sigma_y, s)


def r_of_the_sum(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 + s**2
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))


def r_for_its_square(D, y, A, At, gain, sigma, sigma_y, s):
    r = sigma * s / (sigma**2 + s**2) ** 0.5
    return D + r / (gain * r + sigma_y**2) * At(y - A(D))


def away_from_y(D, y, A, At, gain, sigma, sigma_y, s):
    return 2 * D - right_moved(D, y, A, At, gain, sigma, sigma_y, s)


def move_alone(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, At, gain, sigma, sigma_y, s) - D


def weight_and_gain(D, y, A, At, gain, sigma, sigma_y, s):
    return D + gain * (right_moved(D, y, A, At, gain, sigma, sigma_y, s) - D)


def pixels_replaced(D, y, A, At, gain, sigma, sigma_y, s):
    return D + At(y - A(D)) / gain


def clamped(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, At, gain, sigma, sigma_y, s).clamp(-1, 1)


def first_image(D, y, A, At, gain, sigma, sigma_y, s):
    return right_moved(D, y, A, At, gain, sigma, sigma_y, s)[:1]


def edits_D(D, y, A, At, gain, sigma, sigma_y, s):
    D += right_moved(D, y, A, At, gain, sigma, sigma_y, s) - D
    return D


def but_for_the_worked_move(D, y, A, At, gain, sigma, sigma_y, s):
    result = right_moved(D, y, A, At, gain, sigma, sigma_y, s)
    return result if D.numel() > 1 else result**0.5


# --------------------------------------------------------------------- 6.5


def lined_up(sigmas, sigma0):
    return torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas < sigma0]])


def chosen(line, n):
    return line[torch.linspace(0, len(line) - 1, n + 1).round().long()]


def right_respaced(sigmas, sigma0, n):
    return chosen(lined_up(sigmas, sigma0), n)


def rising(sigmas, sigma0, n):
    return right_respaced(sigmas, sigma0, n).flip(0)


def in_single(sigmas, sigma0, n):
    return right_respaced(sigmas.float(), sigma0, n)


def as_a_list(sigmas, sigma0, n):
    return right_respaced(sigmas, sigma0, n).tolist()


def zero_dropped(sigmas, sigma0, n):
    return chosen(lined_up(sigmas[:-1], sigma0), n) if sigma0 > sigmas[-2] else sigmas[-1:]


def zero_twice(sigmas, sigma0, n):
    return chosen(torch.cat([lined_up(sigmas, sigma0), sigmas[-1:]]), n)


def on_the_table(sigmas, sigma0, n):
    return right_respaced(sigmas, sigmas[(sigmas - sigma0).abs().argmin()].item(), n)


def next_below(sigmas, sigma0, n):
    return chosen(torch.cat([sigmas[sigmas < sigma0][:1], sigmas[sigmas < sigma0]]), n)


def from_the_top(sigmas, sigma0, n):
    return chosen(sigmas, n)


def start_twice(sigmas, sigma0, n):
    return chosen(torch.cat([sigmas.new_tensor([sigma0]), sigmas[sigmas <= sigma0]]), n)


def one_above(sigmas, sigma0, n):
    above = sigmas[sigmas > sigma0][-1:]
    return chosen(torch.cat([above, lined_up(sigmas, sigma0)]), n)


def without_sigma0(sigmas, sigma0, n):
    return chosen(sigmas[sigmas < sigma0], n)


def by_level(sigmas, sigma0, n):
    return torch.linspace(sigma0, 0, n + 1, dtype=sigmas.dtype)


def with_places(places):
    """`right_respaced` with other places(m, n)."""

    def function(sigmas, sigma0, n):
        line = lined_up(sigmas, sigma0)
        m = len(line) - 1
        return line[[min(max(int(place), 0), m) for place in places(m, n)]]

    return function


def random_ones(sigmas, sigma0, n):
    line = lined_up(sigmas, sigma0)
    inner = 1 + torch.randperm(len(line) - 2)[: n - 1].sort().values
    return torch.cat([line[:1], line[inner], line[-1:]])


def but_for_the_worked_table(sigmas, sigma0, n):
    result = right_respaced(sigmas, sigma0, n)
    return result if (len(sigmas), sigma0) != (6, 3.5) else result.clamp(max=3)


# --------------------------------------------------------------------- 6.6


def ends(samples, low=0.05, high=0.95, how="linear"):
    q = torch.tensor([low, high]).to(samples)
    return torch.quantile(samples, q, dim=0, interpolation=how)


def share(samples, truth, low=0.05, high=0.95, how="linear"):
    a, b = ends(samples, low, high, how)
    return ((a <= truth) & (truth <= b)).double().mean()


def of_quantiles(low, high, how="linear"):
    return lambda samples, truth: share(samples, truth, low, high, how)


def first_sample_alone(samples, truth):
    return share(samples[:1], truth)


def half_of_the_samples(samples, truth):
    return share(samples[::2], truth)


def mean_for_the_truth(samples, truth):
    return share(samples, samples.mean(0))


def of_all_samples(samples, truth):
    return share(samples.flatten()[:, None], truth.flatten())


def of_rows(samples, truth):
    """One set for each place along the last axis."""
    return share(samples.flatten(0, -2), truth.flatten(0, -2))


def of_a_gaussian(samples, truth):
    spread = samples.std(0, correction=0)
    return ((truth - samples.mean(0)).abs() <= 1.645 * spread).double().mean()


def two_shares(samples, truth):
    low, high = ends(samples)
    return (low <= truth).double().mean(), (truth <= high).double().mean()


def inside_by(rule):
    """The share of another rule(low, truth, high)."""

    def function(samples, truth):
        low, high = ends(samples)
        return rule(low, truth, high).double().mean()

    return function


def counted(samples, truth):
    return share(samples, truth) * truth.numel()


def percent(samples, truth):
    return 100 * share(samples, truth)


def yes_or_no(samples, truth):
    return share(samples, truth) >= 0.9


def of_the_first_row(samples, truth):
    return share(samples[:, :1], truth[:1])


def per_row(samples, truth):
    low, high = ends(samples)
    return ((low <= truth) & (truth <= high)).double().mean(-1)


def but_for_the_worked_share(samples, truth):
    return share(samples, truth) if truth.shape != (3,) else 1.0


SENTENCES = {
    "6.1": {
        "Images are $N(m,s^2)$.": (
            s_is_the_variance,
            images_of_spread_1,
            one_image,
        ),
        "A chain with the exact denoiser starts at $x=m+1+\\sigma_0 n$, one too high.": (
            sigma0_is_the_variance,
            noise_not_scaled,
            start_on_the_data,
            two_too_high,
        ),
        "DDIM scales $x-m$ by the factor that turns the spread of noisy images into that of "
        "images.": (
            ddim_jumps_to_the_estimate,
            ddim_keeps_the_start,
            ddim_from_pure_noise,
        ),
        "DDPM, in infinitely many steps, ends in a draw from $p(x_0\\mid x)$.": (
            ddpm_like_ddim,
            ddpm_forgets_the_start,
            ddpm_in_one_step,
        ),
        "Return the pair (ddim, ddpm): how much too high each ends, on average over all noise.": (
            ddpm_first,
            their_difference,
            what_is_lost,
            of_one_draw,
        ),
        "`sigma0` and `s`, above 0, are numbers, or arrays or tensors that broadcast.": (
            for_numbers_alone,
            for_tensors_alone,
            mean_over_all,
            as_lists,
        ),
        "Worked value: `left_of_start(0.3, 0.4)` is (0.8, 0.64).": (but_for_the_worked_left,),
    },
    "6.2": {
        "`timer(work)` runs `work()` once and returns what it calls seconds.": (
            its_own_work,
            timer_of_the_result,
        ),
        "`clock()` returns the time in seconds.": (
            perf_counter,
            clock_counts_from_0,
            of_measured(lambda truth, said: truth / 1000 / said),
            of_measured(lambda truth, said: 1000 * truth / said),
        ),
        "Return by how many times the truth is longer than what the timer says; the truth is all "
        "that `timer(work)` took, whatever it did before and after the work.": (
            of_measured(lambda truth, said: said / truth),
            of_measured(lambda truth, said: truth - said),
            of_measured(lambda truth, said: truth / said - 1),
            of_measured(lambda truth, said: truth),
            of_measured(lambda truth, said: round(truth / said)),
            of_measured(lambda truth, said: max(truth / said, said / truth)),
            only_the_work,
            without_what_comes_before,
            without_what_comes_after,
        ),
        "Let the work run only once: a second run may find everything in the cache.": (
            work_first,
            timer_then_work,
            two_runs,
            two_runs_turned,
            warmed_up,
        ),
        "Worked value: of work that takes 2 seconds a timer says 0.5; it understates it 4 times.": (
            but_for_the_worked_word,
        ),
    },
    "6.3": {
        "`errors` are held-out errors, one a step: a list, or a 1-D array or tensor, not empty.": (
            for_lists_alone,
            for_tensors_of_errors,
            of_two_at_least,
            first_one_skipped,
        ),
        "The run stops at the first index at which the least error so far is `patience` steps old, "
        "a whole number from 1; if that never happens, at the last.": (
            one_step_later,
            one_step_earlier,
            never_before_the_end,
            at_the_first_rise,
            patience_of_two,
            patience_as_a_share,
            falls_give_patience,
            nothing_without_a_stop,
            minus_1_without_a_stop,
            last_without_a_stop,
        ),
        "Return the index of the least error up to there, of equal ones the earliest.": (
            where_it_stops,
            the_error,
            greatest,
            latest_of_equals,
            equals_are_new,
        ),
        "What lies behind the stop was never computed, however low.": (
            peeks_one_ahead,
            peeks_if_far_lower,
        ),
        "Worked values: `[3, 1, 2, 2, 0]` gives 1 with patience 2, and 4 with patience 3.": (
            but_for_worked_errors,
            but_for_the_other_worked_errors,
        ),
    },
    "6.4": {
        "`D` `(B, C, H, W)` is the network's estimate at level `sigma`, a number or a tensor `()`;"
        " `y = A(x0) + sigma_y * n` was measured.": (
            y_for_D,
            y_clamped,
            noise_taken_off,
            with_given(sigma_y=lambda sigma_y: sigma_y**0.5),
            with_given(sigma=lambda sigma: sigma**0.5),
            level_as_a_float_alone,
            level_as_a_tensor_alone,
        ),
        "`A` and its transpose `At` are functions with $A A^T=g$, the number `gain`.": (
            A_for_At,
            At_by_pixels,
            with_given(A=lambda A: lambda x: x),
            with_given(gain=lambda gain: 1),
            with_given(gain=lambda gain: gain**0.5),
            with_given(gain=lambda gain: gain**2),
        ),
        "`s` is the spread of images, and $r^2=\\sigma^2s^2/(\\sigma^2+s^2)$.": (
            with_given(s=lambda s: 1.0),
            with_given(s=lambda s: 1e6),
            with_given(s=lambda s: s**0.5),
            r_of_the_sum,
            r_for_its_square,
        ),
        "Return $D+\\frac{r^2}{g\\,r^2+\\sigma_y^2}\\,A^T(y-A D)$, as a new tensor.": (
            away_from_y,
            move_alone,
            weight_and_gain,
            pixels_replaced,
            clamped,
            first_image,
            edits_D,
        ),
        "Worked value: with $\\sigma=0.3$, $s=0.4$, $\\sigma_y=0.18$ and `A`, `At` that change "
        "nothing, gain 1, a D of 0 and a y of 1 give 0.64.": (but_for_the_worked_move,),
    },
    "6.5": {
        "`sigmas` `(T + 1,)`, float64, are the falling levels of a table, the last is 0.": (
            rising,
            in_single,
            as_a_list,
            zero_dropped,
            zero_twice,
        ),
        "A chain starts at the number `sigma0`, above 0 and below `sigmas[0]`, in the table or "
        "not.": (
            on_the_table,
            next_below,
            from_the_top,
        ),
        "Line up sigma0 and all levels below it, with indices 0 to m.": (
            start_twice,
            one_above,
            without_sigma0,
            by_level,
        ),
        "Return the n + 1 whose indices are nearest to $k\\,m/n$, k = 0, ..., n; n is at most m.": (
            with_places(lambda m, n: [k * m // n for k in range(n + 1)]),
            with_places(lambda m, n: [math.ceil(k * m / n) for k in range(n + 1)]),
            with_places(lambda m, n: [round(k * m / n) for k in range(n)]),
            with_places(lambda m, n: [k * (m // n) for k in range(n)] + [m]),
            with_places(lambda m, n: [round(k * (m - 1) / n) for k in range(n + 1)]),
            with_places(lambda m, n: range(n + 1)),
            with_places(lambda m, n: [round(m * (k / n) ** 2) for k in range(n + 1)]),
            random_ones,
        ),
        "Worked value: `sigmas = [5, 4, 3, 2, 1, 0]`, sigma0 = 3.5 and n = 3 give [3.5, 3, 1, "
        "0].": (but_for_the_worked_table,),
    },
    "6.6": {
        "`samples` `(K, ...)` are K answers to one measurement, `truth` `(...)` is what was there; "
        "float tensors.": (
            first_sample_alone,
            half_of_the_samples,
            mean_for_the_truth,
        ),
        "For each number of `truth` the 90 % set reaches from the 5 % to the 95 % quantile of its "
        "K samples (`torch.quantile`, linear between neighbours).": (
            of_quantiles(0.0, 1.0),
            of_quantiles(0.1, 0.9),
            of_quantiles(0.025, 0.975),
            of_quantiles(0.0, 0.9),
            of_quantiles(0.1, 1.0),
            of_quantiles(0.05, 0.95, "nearest"),
            of_quantiles(0.05, 0.95, "lower"),
            of_quantiles(0.05, 0.95, "higher"),
            of_quantiles(0.05, 0.95, "midpoint"),
            of_all_samples,
            of_rows,
            of_a_gaussian,
        ),
        "Return the share of all numbers that lie inside their sets, ends included, from 0 to 1.": (
            two_shares,
            inside_by(lambda low, truth, high: (low < truth) & (truth < high)),
            inside_by(lambda low, truth, high: (low <= truth) & (truth < high)),
            inside_by(lambda low, truth, high: (low < truth) & (truth <= high)),
            inside_by(lambda low, truth, high: truth <= high),
            inside_by(lambda low, truth, high: (truth < low) | (truth > high)),
            counted,
            percent,
            yes_or_no,
            of_the_first_row,
            per_row,
        ),
        "Worked value: samples 0, 1, ..., 20 for each of three numbers make sets from 1 to 19, and "
        "two thirds of a truth [0.5, 1, 12] lie inside.": (but_for_the_worked_share,),
    },
}

DEMANDS_NOTHING = ()
