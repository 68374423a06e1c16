"""Right answers to the exercises of lesson 03, written in other ways than the course's."""

import math
import statistics

import numpy as np
import torch
from scipy import stats

from diffutils import samplers, schedules

# --------------------------------------------------------------------- 3.1


def respaced_by_loop(T, n):
    found = []
    for i in range(n):
        found.append(round(T - i * T / n) - 1)
    return torch.tensor(found)


def respaced_from_the_low_end(T, n):
    return (torch.linspace(0, T, n + 1, dtype=torch.float64)[1:].round().flip(0) - 1).long()


def respaced_by_a_line(T, n):
    return torch.linspace(T - 1, T / n - 1, n).round().long()


def respaced_by_numpy(T, n):
    return torch.from_numpy(np.rint(np.arange(n, 0, -1) * T / n).astype(np.int64) - 1)


def respaced_in_whole_numbers(T, n):
    return torch.tensor([(2 * T * k + n) // (2 * n) - 1 for k in range(n, 0, -1)])


def respaced_in_single_precision(T, n):
    return torch.round(T - 1 - torch.arange(n) * (T / n)).to(torch.int64)


def respaced_halves_down(T, n):
    return torch.tensor([math.ceil(T - i * T / n - 0.5) - 1 for i in range(n)])


def respaced_walking(T, n):
    places, place = torch.empty(n, dtype=torch.long), float(T)
    for i in range(n):
        places[i] = int(place + 0.5) - 1
        place -= T / n
    return places


def respaced_of_the_library(T, n):
    return schedules.trailing(T, n)


# --------------------------------------------------------------------- 3.2


def factors_by_noise(abar_t, abar_s, fresh):
    old = math.sqrt(max(0.0, 1 - abar_s - fresh * fresh))
    b = old / math.sqrt(1 - abar_t)
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def factors_as_a_list(abar_t, abar_s, fresh):
    b = (max(1 - abar_s - fresh**2, 0) / (1 - abar_t)) ** 0.5
    return [abar_s**0.5 - b * abar_t**0.5, b]


def factors_as_an_array(abar_t, abar_s, fresh):
    b = np.sqrt(np.maximum(1 - abar_s - fresh**2, 0) / (1 - abar_t))
    return np.array([np.sqrt(abar_s) - np.sqrt(abar_t) * b, b])


def factors_by_torch(abar_t, abar_s, fresh):
    t, s, c = torch.tensor([abar_t, abar_s, fresh], dtype=torch.float64)
    b = ((1 - s - c**2).clamp(min=0) / (1 - t)).sqrt()
    return s.sqrt() - b * t.sqrt(), b


def factors_by_share(abar_t, abar_s, fresh):
    if abar_s == 1:
        return 1.0, 0.0
    share = min(1.0, fresh / math.sqrt(1 - abar_s))
    b = math.sqrt((1 - share**2) * (1 - abar_s) / (1 - abar_t))
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def factors_by_difference_of_squares(abar_t, abar_s, fresh):
    room = math.sqrt(1 - abar_s)
    b = math.sqrt(max(room - fresh, 0) * (room + fresh) / (1 - abar_t))
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def factors_by_hypotenuse(abar_t, abar_s, fresh):
    """The noise of x_s by angle: a sine of it fresh, a cosine of it old."""
    angle = math.asin(min(1.0, fresh / math.sqrt(1 - abar_s))) if abar_s < 1 else 0.0
    b = math.cos(angle) * math.sqrt(1 - abar_s) / math.sqrt(1 - abar_t)
    return math.sqrt(abar_s) - b * math.sqrt(abar_t), b


def factors_by_the_demands(abar_t, abar_s, fresh):
    """Both demands as they are stated: the mean of x0 = 1, the variance of x0 = 0."""
    b = (abs(1 - abar_s - fresh**2) / (1 - abar_t)) ** 0.5
    return (abar_s**0.5 - b * abar_t**0.5) / 1.0, b


def factors_in_sigma(abar_t, abar_s, fresh):
    """In lesson 01's units: x / sqrt(abar), level sigma."""
    now, then = math.sqrt(1 / abar_t - 1), math.sqrt(1 / abar_s - 1)
    down = math.sqrt(max(then**2 - fresh**2 / abar_s, 0))
    keep = down / now
    return math.sqrt(abar_s) * (1 - keep), math.sqrt(abar_s / abar_t) * keep


# --------------------------------------------------------------------- 3.3


def ddpm_noise_by_product(abar_t, abar_s):
    return ((1 - abar_s) / (1 - abar_t)) ** 0.5 * (1 - abar_t / abar_s) ** 0.5


def ddpm_noise_by_sigma(abar_t, abar_s):
    now, then = math.sqrt(1 / abar_t - 1), math.sqrt(1 / abar_s - 1)
    return math.sqrt(abar_s) * then * math.sqrt(1 - then**2 / now**2)


def ddpm_noise_by_share_kept(abar_t, abar_s):
    kept = (abar_t / abar_s) * (1 - abar_s) / (1 - abar_t)  # of the variance
    return math.sqrt((1 - abar_s) * (1 - kept))


def ddpm_noise_in_single_precision(abar_t, abar_s):
    t, s = torch.tensor(abar_t), torch.tensor(abar_s)
    return torch.sqrt((1 - s) / (1 - t)) * torch.sqrt(1 - t / s)


def ddpm_noise_in_an_array(abar_t, abar_s):
    t, s = np.array(abar_t), np.array(abar_s)
    return np.array(np.sqrt((1 - s) / (1 - t) * (1 - t / s)))


def ddpm_noise_by_beta(abar_t, abar_s):
    alpha = abar_t / abar_s
    beta_tilde = (1 - abar_s) * (1 - alpha) / (1 - abar_t)
    return math.sqrt(max(beta_tilde, 0.0))


def ddpm_noise_by_covariance(abar_t, abar_s):
    """Variance of x_s that is left when x_t is known, by regression of one on the other."""
    covariance = math.sqrt(abar_t / abar_s) * (1 - abar_s)
    return max(1 - abar_s - covariance**2 / (1 - abar_t), 0) ** 0.5


def ddpm_noise_by_B(abar_t, abar_s):
    b = np.sqrt(abar_t / abar_s) * (1 - abar_s) / (1 - abar_t)
    return np.sqrt(np.clip(1 - abar_s - b**2 * (1 - abar_t), 0, None))


def ddpm_noise_in_double(abar_t, abar_s):
    t, s = torch.tensor([abar_t, abar_s], dtype=torch.float64)
    return ((1 - s) * (s - t) / (s - s * t)).sqrt()


# --------------------------------------------------------------------- 3.4


def slerp_one_by_one(a, b, t):
    rows = []
    for x, y in zip(a, b, strict=True):
        cosine = float((x * y).sum() / (x.norm() * y.norm()))
        w = math.acos(min(1.0, max(-1.0, cosine)))
        if w < 1e-6:
            rows.append(x + t * (y - x))
        else:
            rows.append((math.sin((1 - t) * w) * x + math.sin(t * w) * y) / math.sin(w))
    return torch.stack(rows)


def slerp_of_the_library(a, b, t):
    return samplers.slerp(a, b, t)


def slerp_with_a_threshold(a, b, t):
    cosine = torch.cosine_similarity(a.flatten(1), b.flatten(1)).view(-1, 1, 1, 1)
    w = cosine.clamp(-1, 1).acos()
    arc = ((1 - t) * w).sin() / w.sin() * a + (t * w).sin() / w.sin() * b
    return torch.where(cosine > 0.9995, torch.lerp(a, b, t), arc)


def slerp_without_nan(a, b, t):
    unit = torch.nn.functional.normalize
    cosine = (unit(a.flatten(1)) * unit(b.flatten(1))).sum(1)
    w = torch.acos(cosine.clamp(-1, 1))[:, None, None, None]
    of_a = torch.nan_to_num(torch.sin((1 - t) * w) / torch.sin(w), nan=1 - t)
    of_b = torch.nan_to_num(torch.sin(t * w) / torch.sin(w), nan=t)
    return of_a * a + of_b * b


def slerp_clamped_inside(a, b, t):
    x, y = a.reshape(len(a), -1), b.reshape(len(b), -1)
    cosine = torch.einsum("bi,bi->b", x, y) / x.norm(dim=1) / y.norm(dim=1)
    w = cosine.clamp(-1 + 1e-6, 1 - 1e-6).acos().reshape(-1, 1, 1, 1)
    return (torch.sin((1 - t) * w) * a + torch.sin(t * w) * b) / torch.sin(w)


def slerp_where_alike(a, b, t):
    x, y = a.flatten(1).double(), b.flatten(1).double()
    lengths = (x.square().sum(1) * y.square().sum(1)).sqrt()
    w = ((x * y).sum(1) / lengths).clamp(-1, 1).acos().view(-1, 1, 1, 1)
    arc = (torch.sin((1 - t) * w) * a + torch.sin(t * w) * b) / torch.sin(w)
    alike = (x == y).all(1).view(-1, 1, 1, 1)
    return torch.where(alike, a, arc.to(a.dtype))


def slerp_by_mask(a, b, t):
    x, y = a.flatten(1), b.flatten(1)
    cosine = ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).clamp(-1, 1)
    apart, result = cosine < 0.9999, a.clone()
    w = cosine[apart].acos().view(-1, 1, 1, 1)
    result[apart] = (((1 - t) * w).sin() * a[apart] + (t * w).sin() * b[apart]) / w.sin()
    return result


def slerp_with_equal_ones_returned(a, b, t):
    rows = []
    for i in range(a.shape[0]):
        if torch.equal(a[i], b[i]):
            rows.append(a[i])
            continue
        cosine = torch.dot(a[i].ravel(), b[i].ravel()) / (a[i].norm() * b[i].norm())
        w = torch.acos(cosine)
        rows.append(
            torch.sin((1 - t) * w) / torch.sin(w) * a[i] + torch.sin(t * w) / w.sin() * b[i]
        )
    return torch.stack(rows)


def slerp_by_the_way_across(a, b, t):
    """The part of b that is at right angles to a shows the angle, too."""
    x, y = a.flatten(1), b.flatten(1)
    u = x / x.norm(dim=1, keepdim=True)
    along = (u * y).sum(1)
    across = (y - along[:, None] * u).norm(dim=1)
    w = torch.atan2(across, along).view(-1, 1, 1, 1)
    safe = torch.where(w < 1e-4, torch.ones_like(w), w)
    arc = (torch.sin((1 - t) * safe) * a + torch.sin(t * safe) * b) / torch.sin(safe)
    return torch.where(w < 1e-4, a, arc)


# --------------------------------------------------------------------- 3.5


def frechet_written_out(x, y):
    spread = x.var(0) + y.var(0) - 2 * (x.var(0) * y.var(0)).sqrt()
    return ((x.mean(0) - y.mean(0)) ** 2 + spread).sum()


def frechet_by_numpy(x, y):
    x, y = x.numpy(), y.numpy()
    means, stds = x.mean(0) - y.mean(0), x.std(0, ddof=1) - y.std(0, ddof=1)
    return float(means @ means + stds @ stds)


def frechet_by_norms(x, y):
    means = torch.linalg.norm(x.mean(dim=0) - y.mean(dim=0))
    return means**2 + torch.linalg.norm(torch.std(x, dim=0) - torch.std(y, dim=0)) ** 2


def frechet_at_once(x, y):
    s1, m1 = torch.std_mean(x, 0)
    s2, m2 = torch.std_mean(y, 0)
    return ((m1 - m2).pow(2) + (s1 - s2).pow(2)).sum().item()


def frechet_by_hand(x, y):
    def of(rows):
        mean = rows.sum(0) / len(rows)
        return mean, (((rows - mean) ** 2).sum(0) / (len(rows) - 1)) ** 0.5

    (m1, s1), (m2, s2) = of(x), of(y)
    return torch.sum((m1 - m2) ** 2) + torch.sum((s1 - s2) ** 2)


def frechet_feature_by_feature(x, y):
    total = 0.0
    for k in range(x.shape[1]):
        total += (x[:, k].mean() - y[:, k].mean()) ** 2 + (x[:, k].std() - y[:, k].std()) ** 2
    return total


def frechet_by_the_trace(x, y):
    variances = [torch.atleast_2d(torch.cov(rows.T)).diag() for rows in (x, y)]
    a, b = map(torch.diag, variances)
    means = (x.mean(0) - y.mean(0)).square().sum()
    return means + torch.trace(a + b - 2 * (a @ b).sqrt())


def frechet_as_a_numpy_number(x, y):
    means = np.square(x.numpy().mean(0) - y.numpy().mean(0))
    return np.sum(means + np.square(x.std(0).numpy() - y.std(0).numpy()))


# --------------------------------------------------------------------- 3.6


def interval_by_scipy(values, share=0.95):
    return stats.t.interval(share, len(values) - 1, np.mean(values), stats.sem(values))


def interval_by_table(values, share=0.95):
    n = len(values)
    mean = sum(values) / n
    error = math.sqrt(sum((v - mean) ** 2 for v in values) / (n - 1) / n)
    k = stats.t(n - 1).isf((1 - share) / 2)
    return mean - k * error, mean + k * error


def interval_as_a_list(values, share=0.95):
    k = values.size
    half = stats.t.ppf(1 - (1 - share) / 2, k - 1) * np.std(values, ddof=1) / np.sqrt(k)
    return [values.mean() - half, values.mean() + half]


def interval_as_an_array(values, share=0.95):
    k = values.shape[0]
    half = stats.t.ppf(0.5 + share / 2, df=k - 1) * values.std(ddof=1) / k**0.5
    return values.mean() + half * np.array([-1, 1])


def interval_by_the_other_root(values, share=0.95):
    k = len(values)
    half = stats.t.ppf((1 + share) / 2, k - 1) * values.std() / math.sqrt(k - 1)
    return float(values.mean() - half), float(values.mean() + half)


def interval_by_statistics(values, share=0.95):
    values = values.tolist()
    half = stats.t.ppf((1 + share) / 2, len(values) - 1) * statistics.stdev(values)
    half /= math.sqrt(len(values))
    return statistics.mean(values) - half, statistics.mean(values) + half


def interval_from_the_lower_tail(values, share=0.95):
    low = stats.t.ppf((1 - share) / 2, len(values) - 1, values.mean(), stats.sem(values))
    return low, 2 * np.mean(values) - low


def interval_by_a_test(values, share=0.95):
    return stats.ttest_1samp(values, 0.0).confidence_interval(share)


def interval_by_torch(values, share=0.95):
    v = torch.from_numpy(values)
    half = float(stats.t.ppf((1 + share) / 2, len(v) - 1)) * v.std() / len(v) ** 0.5
    return v.mean() - half, v.mean() + half


ANSWERS = {
    "3.1": (
        respaced_by_loop, respaced_from_the_low_end, respaced_by_a_line, respaced_by_numpy,
        respaced_in_whole_numbers, respaced_in_single_precision, respaced_halves_down,
        respaced_walking, respaced_of_the_library,
    ),
    "3.2": (
        factors_by_noise, factors_as_a_list, factors_as_an_array, factors_by_torch,
        factors_by_share, factors_by_difference_of_squares, factors_by_hypotenuse,
        factors_by_the_demands, factors_in_sigma,
    ),
    "3.3": (
        ddpm_noise_by_product, ddpm_noise_by_sigma, ddpm_noise_by_share_kept,
        ddpm_noise_in_single_precision, ddpm_noise_in_an_array, ddpm_noise_by_beta,
        ddpm_noise_by_covariance, ddpm_noise_by_B, ddpm_noise_in_double,
    ),
    "3.4": (
        slerp_one_by_one, slerp_of_the_library, slerp_with_a_threshold, slerp_without_nan,
        slerp_clamped_inside, slerp_where_alike, slerp_by_mask, slerp_with_equal_ones_returned,
        slerp_by_the_way_across,
    ),
    "3.5": (
        frechet_written_out, frechet_by_numpy, frechet_by_norms, frechet_at_once, frechet_by_hand,
        frechet_feature_by_feature, frechet_by_the_trace, frechet_as_a_numpy_number,
    ),
    "3.6": (
        interval_by_scipy, interval_by_table, interval_as_a_list, interval_as_an_array,
        interval_by_the_other_root, interval_by_statistics, interval_from_the_lower_tail,
        interval_by_a_test, interval_by_torch,
    ),
}  # fmt: skip
