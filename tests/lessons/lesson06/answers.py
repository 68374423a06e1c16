"""Right answers to the exercises of lesson 06, written in other ways than the course's."""

import math
from itertools import pairwise

import numpy as np
import torch

# --------------------------------------------------------------------- 6.1


def left_by_two_lines(sigma0, s):
    t = (s * s + sigma0 * sigma0) ** 0.5
    return s / t, s * s / (t * t)


def left_by_numpy(sigma0, s):
    ddim = s / np.sqrt(s**2 + sigma0**2)
    return ddim, ddim * ddim


def left_by_the_noise_ratio(sigma0, s):
    noise = (sigma0 / s) ** 2
    return 1 / (1 + noise) ** 0.5, 1 / (1 + noise)


def left_by_snr(sigma0, s):
    snr = (s / sigma0) ** 2
    ddpm = snr / (1 + snr)
    return ddpm**0.5, ddpm


def left_by_abar(sigma0, s):
    """abar = 1 / (1 + (sigma0 / s)^2) of images of spread 1."""
    abar = s**2 / (s**2 + sigma0**2)
    return [abar**0.5, abar]


def left_by_what_is_lost(sigma0, s):
    lost = sigma0**2 / (s**2 + sigma0**2)
    return (1 - lost) ** 0.5, 1 - lost


def left_by_precisions(sigma0, s):
    of_data, of_noise = s**-2.0, sigma0**-2.0
    return (of_noise / (of_data + of_noise)) ** 0.5, of_noise / (of_data + of_noise)


def left_by_angles(sigma0, s):
    if torch.is_tensor(sigma0):
        cosine = torch.cos(torch.atan(sigma0 / s))
    else:
        cosine = np.cos(np.arctan(sigma0 / s))
    return cosine, cosine**2


# --------------------------------------------------------------------- 6.2


def understated_by_names(timer, work, clock):
    before = clock()
    says = timer(work)
    after = clock()
    return (after - before) / says


def understated_by_list(timer, work, clock):
    start, says, end = [clock(), timer(work), clock()]
    return (end - start) / says


def understated_by_lambda(timer, work, clock):
    start = clock()
    says = timer(lambda: work())
    took = clock() - start
    return float(took) / float(says)


def understated_by_stopwatch(timer, work, clock):
    class Stopwatch:
        def __enter__(self):
            self.start = clock()
            return self

        def __exit__(self, *_):
            self.seconds = clock() - self.start

    with Stopwatch() as watch:
        says = timer(work)
    return watch.seconds / says


def understated_by_product(timer, work, clock):
    took = -clock()
    says = timer(work)
    took += clock()
    return took * (1 / says)


def understated_by_logarithms(timer, work, clock):
    start = clock()
    says = timer(work)
    return math.exp(math.log(clock() - start) - math.log(says))


def understated_by_decorator(timer, work, clock):
    def timed(function):
        def inner(*given):
            start = clock()
            result = function(*given)
            return clock() - start, result

        return inner

    truth, says = timed(timer)(work)
    return np.float64(truth) / says


def understated_by_tensor(timer, work, clock):
    start = clock()
    says = timer(work)
    return torch.tensor(clock() - start, dtype=torch.float64) / says


# --------------------------------------------------------------------- 6.3


def stop_by_age(errors, patience):
    least, where, age = math.inf, 0, 0
    for i, error in enumerate(errors):
        if error < least:
            least, where, age = error, i, 0
        else:
            age += 1
        if age >= patience:
            return where
    return where


def stop_by_while(errors, patience):
    i = best = 0
    while i < len(errors) and i - best <= patience:
        if errors[i] < errors[best]:
            best = i
        i += 1
    return best


def stop_by_beginnings(errors, patience):
    values = [float(e) for e in errors]
    for end in range(1, len(values) + 1):
        best = values.index(min(values[:end]))
        if end - 1 - best >= patience:
            break
    return best


def stop_by_windows(errors, patience):
    """The first error that none of the next `patience` is below."""
    best = 0
    while True:
        window = errors[best + 1 : best + 1 + patience]
        lower = [best + 1 + k for k, error in enumerate(window) if error < errors[best]]
        if not lower:
            return best
        best = lower[0]


def stop_by_running_minimum(errors, patience):
    values = np.asarray(errors, dtype=float)
    lowest = np.minimum.accumulate(values)
    new = np.concatenate([[True], lowest[1:] < lowest[:-1]])
    since = np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
    old = np.flatnonzero(np.arange(len(values)) - since >= patience)
    return int(since[old[0]]) if len(old) else int(since[-1])


def stop_by_records(errors, patience):
    values = [float(e) for e in errors]
    records = [i for i in range(len(values)) if all(values[i] < v for v in values[:i])]
    for one, other in pairwise(records):
        if other - one > patience:
            return one
    return records[-1]


def stop_by_torch(errors, patience):
    values = torch.as_tensor(errors, dtype=torch.float64)
    best = torch.tensor(0)
    for i in range(len(values)):
        if values[i] < values[best]:
            best = torch.tensor(i)
        if i - best >= patience:
            break
    return best


def stop_by_pairs(errors, patience):
    best = None
    for i, error in enumerate(errors):
        best = (error, i) if best is None else min(best, (error, i), key=lambda pair: pair[0])
        if i - best[1] == patience:
            break
    return best[1]


# --------------------------------------------------------------------- 6.4


def moved_in_steps(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = 1 / (1 / sigma**2 + 1 / s**2)
    gap = y - A(D)
    return D + At(gap) * r2 / (gain * r2 + sigma_y**2)


def moved_before_back(D, y, A, At, gain, sigma, sigma_y, s):
    r = sigma * s / (sigma**2 + s**2) ** 0.5
    weight = r * r / (gain * r * r + sigma_y * sigma_y)
    return D + At(weight * (y - A(D)))


def moved_by_differences(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D - r2 / (gain * r2 + sigma_y**2) * (At(A(D)) - At(y))


def moved_by_ratio(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = (sigma * s) ** 2 / (sigma**2 + s**2)
    return D + At(y - A(D)) / (gain + sigma_y**2 / r2)


def moved_by_sigma_alone(D, y, A, At, gain, sigma, sigma_y, s):
    """Numerator and denominator times sigma^2 + s^2."""
    a, b = sigma**2 * s**2, sigma**2 + s**2
    return D + a / (gain * a + b * sigma_y**2) * At(y - A(D))


def moved_in_a_copy(D, y, A, At, gain, sigma, sigma_y, s):
    result = D.clone()
    level = float(sigma)
    r2 = level**2 * s**2 / (level**2 + s**2)
    result += r2 / (gain * r2 + sigma_y**2) * At(y - A(result))
    return result


def moved_by_torch_add(D, y, A, At, gain, sigma, sigma_y, s):
    sigma = torch.as_tensor(sigma)
    r2 = sigma.square() * s**2 / (sigma.square() + s**2)
    return torch.add(D, At(y.sub(A(D))), alpha=(r2 / (gain * r2 + sigma_y**2)).item())


def moved_image_by_image(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 / (1 + sigma**2 / s**2)
    rows = [
        D[i : i + 1] + r2 / (gain * r2 + sigma_y**2) * At(y[i : i + 1] - A(D[i : i + 1]))
        for i in range(len(D))
    ]
    return torch.cat(rows)


# --------------------------------------------------------------------- 6.5


def respaced_by_list(sigmas, sigma0, n):
    line = [sigma0] + [level for level in sigmas.tolist() if level < sigma0]
    m = len(line) - 1
    return torch.tensor([line[round(k * m / n)] for k in range(n + 1)], dtype=torch.float64)


def respaced_by_whole_numbers(sigmas, sigma0, n):
    below = sigmas[sigmas < sigma0]
    m = len(below)
    line = torch.cat([torch.tensor([sigma0], dtype=sigmas.dtype), below])
    return torch.stack([line[(2 * k * m + n) // (2 * n)] for k in range(n + 1)])


def respaced_by_numpy(sigmas, sigma0, n):
    levels = sigmas.numpy()
    line = np.append(sigma0, levels[levels < sigma0])
    return torch.from_numpy(line[np.rint(np.linspace(0, len(line) - 1, n + 1)).astype(int)])


def respaced_half_up(sigmas, sigma0, n):
    below = sigmas[sigmas < sigma0]
    line = torch.cat([torch.full((1,), sigma0, dtype=sigmas.dtype), below])
    return line[(torch.arange(n + 1) * len(below) / n + 0.5).floor().long()]


def respaced_in_a_buffer(sigmas, sigma0, n):
    first = int((sigmas >= sigma0).sum())
    m = len(sigmas) - first
    found = torch.empty(n + 1, dtype=sigmas.dtype)
    found[0] = sigma0
    for k in range(1, n + 1):
        found[k] = sigmas[first + round(k * m / n) - 1]
    return found


def respaced_by_a_copy(sigmas, sigma0, n):
    first = int((sigmas < sigma0).nonzero()[0]) - 1
    line = sigmas[first:].clone()
    line[0] = sigma0
    return line[torch.linspace(0, len(line) - 1, n + 1).round().int()]


def respaced_by_searchsorted(sigmas, sigma0, n):
    m = int(torch.searchsorted(sigmas.flip(0), torch.tensor(sigma0, dtype=sigmas.dtype)))
    line = torch.hstack([torch.tensor(sigma0, dtype=sigmas.dtype), sigmas[len(sigmas) - m :]])
    return line.index_select(0, torch.linspace(0, m, n + 1, dtype=torch.float64).round().long())


def respaced_from_the_end(sigmas, sigma0, n):
    line = torch.cat([sigmas[sigmas < sigma0].flip(0), torch.tensor([sigma0]).to(sigmas)])
    m = len(line) - 1
    return line[[round(k * m / n) for k in range(n, -1, -1)]]


# --------------------------------------------------------------------- 6.6


def covered_by_one_call(samples, truth):
    low, high = torch.quantile(samples, torch.tensor([0.05, 0.95]), dim=0)
    return ((truth >= low) & (truth <= high)).float().mean()


def covered_by_numpy(samples, truth):
    low, high = np.percentile(samples.numpy(), [5, 95], axis=0)
    truth = truth.numpy()
    return np.mean((low <= truth) & (truth <= high))


def covered_by_outside(samples, truth):
    below = truth < samples.quantile(0.05, 0)
    above = truth > samples.quantile(0.95, 0)
    return 1 - (below | above).double().mean().item()


def covered_by_clamp(samples, truth):
    low, high = samples.quantile(0.05, dim=0), samples.quantile(0.95, dim=0)
    return (truth.clamp(low, high) == truth).sum() / truth.numel()


def covered_by_sorting(samples, truth):
    ordered = samples.sort(0).values

    def quantile(q):
        place = q * (len(ordered) - 1)
        i = min(int(place), len(ordered) - 1)
        j = min(i + 1, len(ordered) - 1)
        return ordered[i] + (place - i) * (ordered[j] - ordered[i])

    return ((quantile(0.05) <= truth) * (truth <= quantile(0.95))).float().mean().item()


def covered_one_by_one(samples, truth):
    columns, hits = samples.reshape(len(samples), -1), 0
    for i, value in enumerate(truth.flatten()):
        if torch.quantile(columns[:, i], 0.05) <= value <= torch.quantile(columns[:, i], 0.95):
            hits += 1
    return hits / truth.numel()


def covered_by_logic(samples, truth):
    q = torch.tensor([0.05, 0.95], dtype=samples.dtype)
    ends = torch.quantile(samples.flatten(1), q, dim=0)
    flat = truth.flatten()
    return torch.logical_and(ends[0].le(flat), ends[1].ge(flat)).to(samples).mean()


def covered_by_counting(samples, truth):
    low, high = np.quantile(samples, (0.05, 0.95), axis=0)
    inside = (low <= truth.numpy()) & (truth.numpy() <= high)
    return np.count_nonzero(inside) / inside.size


ANSWERS = {
    "6.1": (
        left_by_two_lines,
        left_by_numpy,
        left_by_the_noise_ratio,
        left_by_snr,
        left_by_abar,
        left_by_what_is_lost,
        left_by_precisions,
        left_by_angles,
    ),
    "6.2": (
        understated_by_names,
        understated_by_list,
        understated_by_lambda,
        understated_by_stopwatch,
        understated_by_product,
        understated_by_logarithms,
        understated_by_decorator,
        understated_by_tensor,
    ),
    "6.3": (
        stop_by_age,
        stop_by_while,
        stop_by_beginnings,
        stop_by_windows,
        stop_by_running_minimum,
        stop_by_records,
        stop_by_torch,
        stop_by_pairs,
    ),
    "6.4": (
        moved_in_steps,
        moved_before_back,
        moved_by_differences,
        moved_by_ratio,
        moved_by_sigma_alone,
        moved_in_a_copy,
        moved_by_torch_add,
        moved_image_by_image,
    ),
    "6.5": (
        respaced_by_list,
        respaced_by_whole_numbers,
        respaced_by_numpy,
        respaced_half_up,
        respaced_in_a_buffer,
        respaced_by_a_copy,
        respaced_by_searchsorted,
        respaced_from_the_end,
    ),
    "6.6": (
        covered_by_one_call,
        covered_by_numpy,
        covered_by_outside,
        covered_by_clamp,
        covered_by_sorting,
        covered_one_by_one,
        covered_by_logic,
        covered_by_counting,
    ),
}
