"""Right answers to the exercises of lesson 04, written in other ways than the course's."""

import math
import statistics

import numpy as np
import torch

# --------------------------------------------------------------------- 4.1 Heun's step


def heun_by_average_of_ends(x, sigma, sigma_next, D):
    step = torch.as_tensor(sigma_next - sigma, dtype=x.dtype)
    first = x + step * (x - D(x, sigma)) / sigma
    if not sigma_next:
        return first
    second = x + step * (first - D(first, sigma_next)) / sigma_next
    return (first + second) / 2


def heun_by_correction(x, sigma, sigma_next, D):
    image, ratio = D(x, sigma), sigma_next / sigma
    x_next = ratio * x + (1 - ratio) * image
    if sigma_next > 0:
        d_next = x_next / sigma_next - D(x_next, sigma_next) / sigma_next
        x_next = x_next + 0.5 * (sigma_next - sigma) * (d_next - (x - image) / sigma)
    return x_next


def heun_by_helper(x, sigma, sigma_next, D):
    def slope(x, sigma):
        return (x - D(x, sigma)) / sigma

    h = sigma_next - sigma
    euler = x + h * slope(x, sigma)
    return euler if sigma_next == 0 else x + h * (slope(x, sigma) + slope(euler, sigma_next)) / 2


def heun_in_place_on_a_copy(x, sigma, sigma_next, D):
    out = x.clone()
    d = x.sub(D(x, sigma)).div(sigma)
    out += (sigma_next - sigma) * d
    if sigma_next != 0:
        d_next = out.sub(D(out, sigma_next)).div(sigma_next)
        out -= (sigma_next - sigma) * d
        out.add_(d + d_next, alpha=0.5 * (sigma_next - sigma))
    return out


def heun_by_lerp(x, sigma, sigma_next, D):
    euler = torch.lerp(D(x, sigma), x, sigma_next / sigma)
    if sigma_next == 0.0:
        return euler
    d = torch.stack(
        [(x - euler) / (sigma - sigma_next), (euler - D(euler, sigma_next)) / sigma_next]
    )
    return torch.add(x, d.mean(0), alpha=sigma_next - sigma)


def heun_downwards(x, sigma, sigma_next, D):
    down = sigma - sigma_next
    towards = lambda x, s: (D(x, s) - x) / s  # noqa: E731
    first = towards(x, sigma)
    if sigma_next < 1e-10:
        return x + down * first
    return x + down / 2 * first + down / 2 * towards(x + down * first, sigma_next)


def heun_that_asks_at_zero(x, sigma, sigma_next, D):
    """D is called at sigma_next = 0 too, and its NaN thrown away."""
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    level = torch.tensor(sigma_next, dtype=x.dtype)
    d_next = (euler - D(euler, sigma_next)) / level
    return torch.where(level > 0, x + (sigma_next - sigma) * (d + d_next) / 2, euler)


def heun_by_image_at_the_end(x, sigma, sigma_next, D):
    image = D(x, sigma=sigma)
    if sigma_next == 0:
        return image
    d = (x - image) / sigma
    euler = x + (sigma_next - sigma) * d
    d_next = (euler - D(euler, sigma=sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * torch.mean(torch.stack((d, d_next), dim=-1), dim=-1)


def heun_by_numpy_weights(x, sigma, sigma_next, D):
    levels, weights = [sigma], [1.0]
    slopes = [(x - D(x, sigma)) / sigma]
    if sigma_next > 0:
        y = x + (sigma_next - sigma) * slopes[0]
        slopes.append((y - D(y, sigma_next)) / sigma_next)
        levels, weights = [sigma, sigma_next], [0.5, 0.5]
    return x + np.diff([sigma, sigma_next]).item() * sum(
        w * s for w, s in zip(weights, slopes[: len(levels)], strict=True)
    )


# --------------------------------------------------------------------- 4.2 preconditioning


def precondition_by_precision(sigma, sigma_data):
    c_skip = 1 / (1 + (sigma / sigma_data) ** 2)
    c_out = (1 / sigma**2 + 1 / sigma_data**2) ** -0.5
    return c_skip, c_out, torch.rsqrt(sigma.square() + sigma_data**2)


def precondition_step_by_step(sigma, sigma_data):
    c_skip = 1 - sigma**2 / (sigma_data**2 + sigma**2)
    left = (1 - c_skip) ** 2 * sigma_data**2 + c_skip**2 * sigma**2
    return [c_skip, left.sqrt(), 1 / torch.hypot(sigma, torch.full_like(sigma, sigma_data))]


def precondition_stacked(sigma, sigma_data):
    root = torch.sqrt(sigma**2 + sigma_data**2)
    return torch.stack([(sigma_data / root) ** 2, sigma * sigma_data / root, 1 / root])


def precondition_by_angle(sigma, sigma_data):
    """Noise and image are the sides of a right angle; x is the long side."""
    angle = torch.atan2(sigma, torch.as_tensor(sigma_data, dtype=sigma.dtype))
    return angle.cos() ** 2, sigma_data * angle.sin(), angle.cos() / sigma_data


def precondition_by_loop(sigma, sigma_data):
    found = [[], [], []]
    for s in sigma.flatten().tolist():
        total = s * s + sigma_data * sigma_data
        for part, value in zip(
            found,
            (sigma_data**2 / total, s * sigma_data / math.sqrt(total), total**-0.5),
            strict=True,
        ):
            part.append(value)
    return tuple(torch.tensor(part, dtype=sigma.dtype).view_as(sigma) for part in found)


def precondition_by_numpy(sigma, sigma_data):
    s = sigma.numpy()
    c_in = 1 / np.hypot(s, sigma_data)
    c_skip, c_out = (sigma_data * c_in) ** 2, s * sigma_data * c_in
    return tuple(torch.from_numpy(c.astype(s.dtype)) for c in (c_skip, c_out, c_in))


def precondition_with_np_sqrt_of_a_tensor(sigma, sigma_data):
    variance = sigma_data**2 + torch.pow(sigma, 2)
    return (
        torch.div(sigma_data**2, variance),
        np.sqrt(sigma**2 * sigma_data**2 / variance),
        np.sqrt(1 / variance),
    )


def precondition_through_ddpm(sigma, sigma_data):
    """For data of spread 1, then scaled."""
    s = sigma / sigma_data
    abar = 1 / (1 + s**2)
    return abar, (1 - abar).sqrt() * sigma_data, abar.sqrt() / sigma_data


# --------------------------------------------------------------------- 4.3 inverse of phi*


def sigma_of_by_odds(p, c):
    return c / (1 / p - 1)


def sigma_of_by_logit(p, c):
    return torch.exp(math.log(c) + torch.logit(torch.as_tensor(p, dtype=torch.float64)))


def sigma_of_with_minus_below(p, c):
    return -p * c / (p - 1)


def sigma_of_as_a_pole(p, c):
    return c / (1 - p) - c


def sigma_of_by_power(p, c):
    return p * c * (1 - p) ** -1


def sigma_of_by_numpy(p, c):
    p_ = np.asarray(p)
    sigma = np.divide(c * p_, 1.0 - p_)
    return torch.from_numpy(sigma) if isinstance(p, torch.Tensor) and p.ndim else float(sigma)


def sigma_of_by_loop(p, c):
    if isinstance(p, float):
        return p * c / (1 - p)
    return torch.tensor([v * c / (1 - v) for v in p.flatten().tolist()], dtype=p.dtype).view(
        p.shape
    )


def sigma_of_as_a_tensor(p, c):
    p = torch.as_tensor(p)
    return c * torch.div(p, 1 - p)


def sigma_of_by_series(p, c):
    """1 / (1 - p) is the geometric series, here summed by doubling."""
    total, power = 1 + p, p * p
    for _ in range(25):
        total, power = total * (1 + power), power * power
    return c * p * total


# --------------------------------------------------------------------- 4.4 two densities


def weight_by_distributions(sigma, c, P_mean, P_std):
    drawn = torch.distributions.Normal(P_mean, P_std).log_prob(sigma.log())
    u = sigma.log() - math.log(c)
    return (drawn + u + 2 * torch.nn.functional.softplus(-u)).exp()


def weight_per_sigma(sigma, c, P_mean, P_std):
    z = (np.log(sigma.numpy()) - P_mean) / P_std
    normal = np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi * P_std**2) / sigma.numpy()
    return torch.from_numpy(normal) * (sigma + c) ** 2 / c


def weight_by_log_normal(sigma, c, P_mean, P_std):
    drawn = torch.distributions.LogNormal(torch.tensor(P_mean), torch.tensor(P_std))
    return drawn.log_prob(sigma).exp() / (c / (sigma + c) ** 2)


def weight_by_scipy(sigma, c, P_mean, P_std):
    from scipy import stats

    u = torch.log(sigma).numpy()
    ratio = stats.norm.pdf(u, P_mean, P_std) / stats.logistic.pdf(u, loc=np.log(c))
    return torch.as_tensor(ratio)


def weight_by_sigmoid(sigma, c, P_mean, P_std):
    phi = torch.sigmoid(torch.log(sigma / c))
    z = torch.log(sigma).sub(P_mean).div(P_std)
    normal = torch.exp(-z.square() / 2) / P_std / math.sqrt(2 * math.pi)
    return normal / phi / (1 - phi)


def weight_by_loop(sigma, c, P_mean, P_std):
    weights = []
    for s in sigma.tolist():
        z, phi = (math.log(s) - P_mean) / P_std, s / (s + c)
        weights.append(math.exp(-z * z / 2) / (P_std * math.sqrt(2 * math.pi)) / (phi * (1 - phi)))
    return torch.tensor(weights, dtype=sigma.dtype)


def weight_by_logs(sigma, c, P_mean, P_std):
    log_p = -0.5 * ((sigma.log() - P_mean) / P_std) ** 2 - math.log(P_std * math.tau**0.5)
    phi = sigma / (sigma + c)
    return torch.exp(log_p - phi.log() - torch.log1p(-phi))


def weight_by_exponentials(sigma, c, P_mean, P_std):
    e = np.exp(-(sigma.log() - np.log(c)))
    variance = P_std**2
    normal = np.exp(-((sigma.log() - P_mean) ** 2) / (2 * variance)) / np.sqrt(2 * np.pi * variance)
    return normal * (1 + e) ** 2 / e


def weight_by_cosh(sigma, c, P_mean, P_std):
    z = (torch.log(sigma) - P_mean) / P_std
    logistic = 0.25 / torch.cosh(torch.log(sigma / c) / 2) ** 2
    return 0.3989422804014327 / P_std * torch.exp(-(z**2) / 2) / logistic


# --------------------------------------------------------------------- 4.5 R^2


def straightness_by_polyfit(x, y):
    slope, intercept = np.polyfit(x, y, 1)
    residual = y.numpy() - (intercept + slope * x.numpy())
    return 1 - residual.var() / y.numpy().var()


def straightness_by_correlation(x, y):
    return torch.corrcoef(torch.stack([x, y]))[0, 1] ** 2


def straightness_of_the_line(x, y):
    a = torch.stack([x, torch.ones_like(x)], 1)
    line = a @ torch.linalg.lstsq(a, y[:, None]).solution
    return float(line.var() / y.var())


def straightness_by_sums(x, y):
    n, sx, sy = len(x), x.sum(), y.sum()
    top = n * (x * y).sum() - sx * sy
    return top**2 / ((n * (x * x).sum() - sx**2) * (n * (y * y).sum() - sy**2))


def straightness_by_loops(x, y):
    xs, ys = x.tolist(), y.tolist()
    mx, my = sum(xs) / len(xs), sum(ys) / len(ys)
    slope = sum((a - mx) * (b - my) for a, b in zip(xs, ys, strict=True))
    slope /= sum((a - mx) ** 2 for a in xs)
    left = sum((b - my - slope * (a - mx)) ** 2 for a, b in zip(xs, ys, strict=True))
    return 1 - left / sum((b - my) ** 2 for b in ys)


def straightness_by_normal_equations(x, y):
    design = torch.vstack([torch.ones(len(x)).to(x), x]).T
    beta = torch.linalg.solve(design.T @ design, design.T @ y)
    rest = y - design @ beta
    return (1 - rest.dot(rest) / (y - y.mean()).pow(2).sum()).item()


def straightness_by_variances(x, y):
    slope = ((x - x.mean()) * (y - y.mean())).mean() / x.var(unbiased=False)
    rest = y - (y.mean() + slope * (x - x.mean()))
    return 1 - rest.var() / y.var()


def straightness_by_covariance(x, y):
    c = np.cov(x.numpy(), y.numpy())
    return c[0, 1] ** 2 / (c[0, 0] * c[1, 1])


def straightness_by_scipy(x, y):
    from scipy import stats

    return stats.linregress(x.numpy(), y.numpy()).rvalue ** 2


def straightness_by_cosine(x, y):
    return torch.cosine_similarity(x - x.mean(), y - y.mean(), dim=0).square()


def straightness_from_x_on_y(x, y):
    """Both regressions have the same share."""
    y_, x_ = y - y.mean(), x - x.mean()
    rest = x_ - (x_ @ y_) / (y_ @ y_) * y_
    return 1 - (rest @ rest) / (x_ @ x_)


def straightness_as_mse_over_variance(x, y):
    line = np.polynomial.Polynomial.fit(x.numpy(), y.numpy(), 1)
    return 1 - np.mean((y.numpy() - line(x.numpy())) ** 2) / np.var(y.numpy())


# --------------------------------------------------------------------- 4.6 what changed


def change_by_numpy(a, b, t):
    d = np.log(a.numpy() / b.numpy())
    m, h = d.mean(), t * d.std(ddof=1) / np.sqrt(len(d))
    return np.expm1(m), np.expm1(m - h), np.expm1(m + h)


def change_as_a_list_of_numbers(a, b, t):
    d = torch.log(a / b)
    m = d.mean().item()
    h = float(t) * d.std(unbiased=True).item() / math.sqrt(d.numel())
    return [math.exp(x) - 1 for x in (m, m - h, m + h)]


def change_by_loops(a, b, t):
    logs = [math.log(x) - math.log(y) for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    n = len(logs)
    m = sum(logs) / n
    h = t * math.sqrt(sum((x - m) ** 2 for x in logs) / (n - 1) / n)
    return math.e**m - 1, math.e ** (m - h) - 1, math.e ** (m + h) - 1


def change_by_statistics(a, b, t):
    ratios = [x / y for x, y in zip(a.tolist(), b.tolist(), strict=True)]
    middle = statistics.geometric_mean(ratios)
    times = math.exp(t * statistics.stdev(map(math.log, ratios)) / len(ratios) ** 0.5)
    return middle - 1, middle / times - 1, middle * times - 1


def change_as_one_tensor(a, b, t):
    d = a.log().sub(b.log())
    h = t * d.std() * len(d) ** -0.5
    return torch.expm1(d.mean() + torch.stack([0 * h, -h, h]))


def change_as_an_array(a, b, t):
    d = np.log(a.numpy()) - np.log(b.numpy())
    h = t * np.sqrt(d.var(ddof=1) / len(d))
    return np.exp(d.mean() + h * np.array([0.0, -1.0, 1.0])) - 1


def change_in_powers_of_two(a, b, t):
    d = torch.log2(a) - torch.log2(b)
    h = t * d.std() / len(d) ** 0.5
    return 2 ** d.mean() - 1, 2 ** (d.mean() - h) - 1, 2 ** (d.mean() + h) - 1


def change_in_powers_of_ten(a, b, t):
    d = (a / b).log10()
    h = t * d.std(0) / d.shape[0] ** 0.5
    return tuple(10**x - 1 for x in (d.mean(0), d.mean(0) - h, d.mean(0) + h))


def change_by_the_other_root(a, b, t):
    d = a.log() - b.log()
    h = t * d.std(correction=0) / (len(d) - 1) ** 0.5
    return d.mean().exp() - 1, (d.mean() - h).exp() - 1, (d.mean() + h).exp() - 1


def change_by_covariance(a, b, t):
    """The variance of a difference, from those of both and what they share."""
    (va, c), (_, vb) = np.cov(np.log(a.numpy()), np.log(b.numpy()))
    m, h = float(a.log().mean() - b.log().mean()), t * math.sqrt((va + vb - 2 * c) / len(a))
    return math.expm1(m), math.expm1(m - h), math.expm1(m + h)


def change_by_scipy(a, b, t):
    from scipy import stats

    d = np.log(a) - np.log(b)
    m, h = d.mean(), t * stats.sem(d)
    return np.exp(m) - 1, np.exp(m - h) - 1, np.exp(m + h) - 1


def change_by_geometric_means(a, b, t):
    from scipy import stats

    ratio = stats.gmean(a) / stats.gmean(b)
    times = stats.gstd((a / b).numpy()) ** (t / np.sqrt(len(a)))
    return ratio - 1, ratio / times - 1, ratio * times - 1


def change_by_a_product(a, b, t):
    ratio = (a / b).prod() ** (1 / len(a))
    rest = (a / b / ratio).log().square().sum() / (len(a) - 1)
    times = (t * (rest / len(a)).sqrt()).exp()
    return ratio - 1, 1 / times * ratio - 1, times * ratio - 1


def change_in_single_precision(a, b, t):
    d = torch.tensor(list(map(math.log, a))) - torch.tensor(list(map(math.log, b)))
    m, h = d.mean(), t * d.std() / math.sqrt(len(d))
    return m.exp() - 1, (m - h).exp() - 1, (m + h).exp() - 1


def change_by_a_level(a, b, t):
    """The interval of SciPy's test, at the level that belongs to t."""
    from scipy import stats

    level = 1 - 2 * stats.t.sf(t, len(a) - 1)
    paired = stats.ttest_rel(np.log(a.numpy()), np.log(b.numpy()))
    low, high = paired.confidence_interval(level)
    return np.exp((low + high) / 2) - 1, np.exp(low) - 1, np.exp(high) - 1


ANSWERS = {
    "4.1": (
        heun_by_average_of_ends,
        heun_by_correction,
        heun_by_helper,
        heun_in_place_on_a_copy,
        heun_by_lerp,
        heun_downwards,
        heun_that_asks_at_zero,
        heun_by_image_at_the_end,
        heun_by_numpy_weights,
    ),
    "4.2": (
        precondition_by_precision,
        precondition_step_by_step,
        precondition_stacked,
        precondition_by_angle,
        precondition_by_loop,
        precondition_by_numpy,
        precondition_with_np_sqrt_of_a_tensor,
        precondition_through_ddpm,
    ),
    "4.3": (
        sigma_of_by_odds,
        sigma_of_by_logit,
        sigma_of_with_minus_below,
        sigma_of_as_a_pole,
        sigma_of_by_power,
        sigma_of_by_numpy,
        sigma_of_by_loop,
        sigma_of_as_a_tensor,
        sigma_of_by_series,
    ),
    "4.4": (
        weight_by_distributions,
        weight_per_sigma,
        weight_by_log_normal,
        weight_by_scipy,
        weight_by_sigmoid,
        weight_by_loop,
        weight_by_logs,
        weight_by_exponentials,
        weight_by_cosh,
    ),
    "4.5": (
        straightness_by_polyfit,
        straightness_by_correlation,
        straightness_of_the_line,
        straightness_by_sums,
        straightness_by_loops,
        straightness_by_normal_equations,
        straightness_by_variances,
        straightness_by_covariance,
        straightness_by_scipy,
        straightness_by_cosine,
        straightness_from_x_on_y,
        straightness_as_mse_over_variance,
    ),
    "4.6": (
        change_by_numpy,
        change_as_a_list_of_numbers,
        change_by_loops,
        change_by_statistics,
        change_as_one_tensor,
        change_as_an_array,
        change_in_powers_of_two,
        change_in_powers_of_ten,
        change_by_the_other_root,
        change_by_covariance,
        change_by_scipy,
        change_by_geometric_means,
        change_by_a_product,
        change_in_single_precision,
        change_by_a_level,
    ),
}
