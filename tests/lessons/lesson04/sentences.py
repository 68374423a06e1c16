"""The tasks of lesson 04, sentence by sentence, each with functions that break just that one."""

import math

import numpy as np
import torch
from scipy import stats

# --------------------------------------------------------------------- 4.1 Heun's step


def slope(x, sigma, D):
    return (x - D(x, sigma)) / sigma


def heun(x, sigma, sigma_next, D, *, slope=slope, last=None, d_next=None, start=None, mean=None):
    """A right Heun's step, of which a sentence's mutation replaces one part."""
    d, h = slope(x, sigma, D), sigma_next - sigma
    euler = x + h * d
    if sigma_next == 0:
        return euler if last is None else last(x, euler)
    second = (
        slope(euler, sigma_next, D) if d_next is None else d_next(x, euler, sigma, sigma_next, D)
    )
    both = (d + second) / 2 if mean is None else mean(d, second)
    return (x if start is None else start(x, euler)) + h * both


def with_heun(**part):
    return lambda x, sigma, sigma_next, D: heun(x, sigma, sigma_next, D, **part)


def euler_only(x, sigma, sigma_next, D):
    return x + (sigma_next - sigma) * slope(x, sigma, D)


def euler_below(threshold):
    def function(x, sigma, sigma_next, D):
        step = euler_only if sigma_next < threshold else heun
        return step(x, sigma, sigma_next, D)

    return function


def second_slope_always(x, sigma, sigma_next, D):
    d, h = slope(x, sigma, D), sigma_next - sigma
    return x + h * (d + slope(x + h * d, sigma_next, D)) / 2


def euler_half_way(x, sigma, sigma_next, D):
    """Euler's slope is used for half of the step only before the second is asked."""
    d, h = slope(x, sigma, D), sigma_next - sigma
    if sigma_next == 0:
        return x + h * d
    return x + h * (d + slope(x + h * d / 2, sigma_next, D)) / 2


def for_images_only(x, sigma, sigma_next, D):
    return heun(x, sigma, sigma_next, D)[:, :, :, :]


def for_points_only(x, sigma, sigma_next, D):
    found = torch.stack([heun(x[i], sigma, sigma_next, D) for i in range(x.shape[0])])
    return found.view(x.shape[0])


def for_whole_levels(x, sigma, sigma_next, D):
    return heun(x, round(sigma), round(sigma_next), D)


def own_denoiser(x, sigma, sigma_next, D):
    return heun(x, sigma, sigma_next, lambda x, sigma: 0.25 / (0.25 + sigma**2) * x)


def one_image_for_both(x, sigma, sigma_next, D):
    """D is a thing that is asked; here its first answer is kept."""
    image = D(x, sigma)
    return heun(x, sigma, sigma_next, lambda x, sigma: image)


HEUN = {
    "Write equation (3).": (
        euler_only,
        with_heun(mean=lambda d, second: d + second),
        with_heun(d_next=lambda x, euler, s, s_next, D: (euler - D(euler, s)) / s),
        with_heun(d_next=lambda x, euler, s, s_next, D: (euler - D(euler, s_next)) / s),
        with_heun(d_next=lambda x, euler, s, s_next, D: (euler - D(x, s_next)) / s_next),
        lambda x, sigma, sigma_next, D: 2 * x - heun(x, sigma, sigma_next, D),
    ),
    r"The slope is $d=(x-D(x,\sigma))/\sigma$.": (
        with_heun(slope=lambda x, sigma, D: x - D(x, sigma)),
        with_heun(slope=lambda x, sigma, D: x - D(x, sigma) / sigma),
        with_heun(slope=lambda x, sigma, D: (D(x, sigma) - x) / sigma),
        with_heun(slope=lambda x, sigma, D: (x - D(x, sigma)) / sigma**2),
    ),
    "Euler uses the slope at the start for the whole step.": (euler_half_way,),
    "Heun looks at the slope where Euler ends, too, and makes the step once more **from the old "
    "$x$**, with the average of both.": (
        with_heun(start=lambda x, euler: euler),
        with_heun(start=lambda x, euler: (x + euler) / 2),
        with_heun(mean=lambda d, second: second),
        with_heun(mean=lambda d, second: (d + 2 * second) / 3),
        with_heun(mean=lambda d, second: d + second / 2),
        with_heun(d_next=lambda x, euler, s, s_next, D: (x - D(x, s_next)) / s_next),
    ),
    "Where `sigma_next` is 0, return Euler's end (why?).": (
        second_slope_always,
        with_heun(last=lambda x, euler: x),
        with_heun(last=lambda x, euler: (x + euler) / 2),
        with_heun(last=lambda x, euler: 0 * x),
        *map(euler_below, (1e-4, 0.002, 0.01, 0.1, 0.4, 0.5, 1.0)),
    ),
    "`x` is a tensor of any shape, `sigma > sigma_next >= 0` are numbers, `D(x, sigma)` is the "
    "denoiser.": (
        for_images_only,
        for_points_only,
        for_whole_levels,
        own_denoiser,
        one_image_for_both,
    ),
    "Return $x$ at `sigma_next`, of the shape and dtype of `x`.": (
        with_heun(start=lambda x, euler: 0 * x),
        lambda *given: heun(*given).flatten(),
        lambda *given: heun(*given)[None],
        lambda *given: heun(*given).double(),
        lambda *given: heun(*given).float(),
        lambda *given: heun(*given).numpy(),
        lambda *given: heun(*given).mean(),
        lambda *given: (heun(*given), euler_only(*given)),
    ),
    r"Worked value: for data N(0, 1), $D=x/(1+\sigma^2)$, so from $x=5$ at $\sigma=2$ to "
    r"$\sigma=1$ the slopes are 2 and 1.5.": (lambda x, *_: x - 1.75,),
    "Heun gives 3.25; Euler gives 3, the exact path 3.162.": (
        lambda x, *_: torch.full_like(x, 3.25),
        lambda x, sigma, sigma_next, D: x * ((1 + sigma_next**2) / (1 + sigma**2)) ** 0.5,
    ),
}

# --------------------------------------------------------------------- 4.2 preconditioning


def factors(sigma, sigma_data):
    total = sigma**2 + sigma_data**2
    return sigma_data**2 / total, sigma * sigma_data / total**0.5, total**-0.5


def other_skip(skip):
    """A wrong c_skip, whose c_out still makes the target's variance 1."""

    def function(sigma, sigma_data):
        c = skip(sigma, sigma_data)
        c_out = ((1 - c) ** 2 * sigma_data**2 + c**2 * sigma**2) ** 0.5
        return c, c_out, factors(sigma, sigma_data)[2]

    return function


def replaced(place, part):
    def function(sigma, sigma_data):
        found = list(factors(sigma, sigma_data))
        found[place] = part(sigma, sigma_data)
        return tuple(found)

    return function


def each(change):
    return lambda *given: tuple(change(c) for c in factors(*given))


PRECONDITION = {
    r"Equation (5) puts three factors around the network: $D(x)=c_\text{skip}\,x+c_\text{out}\,"
    r"F(c_\text{in}\,x)$ with $x=x_0+\sigma n$.": (
        lambda *given: factors(*given)[:2],
        lambda s, d: (*factors(s, d), s.log() / 4),
        replaced(2, lambda s, d: s.log() / 4),
        lambda s, d: factors(s**0.5, d),  # x = x0 + sqrt(sigma) n
    ),
    r"Pixels $x_0$ have root mean square $\sigma_\text{data}$; the noise is independent of them.": (
        lambda s, d: factors(s, d**0.5),
        lambda s, d: factors(s, 1.0),
        lambda s, d: factors(s, 0.5),
        replaced(2, lambda s, d: 1 / (s + d)),
        replaced(1, lambda s, d: s * d / (s + d)),
    ),
    "Find the factors (Karras et al. 2022, appendix B.6): 1.": (
        lambda s, d: (s, s, s),
        lambda s, d: (1 + 0 * s, -s, 1 / (1 + s**2) ** 0.5),  # DDPM's
    ),
    r"The input $c_\text{in}\,x$ has variance 1. 2.": (
        replaced(2, lambda s, d: 1 / (s**2 + d**2)),
        replaced(2, lambda s, d: (s**2 + d**2) ** 0.5),
        replaced(2, lambda s, d: 1 / (1 + s**2) ** 0.5),
        replaced(2, lambda s, d: d / (s**2 + d**2) ** 0.5),
        replaced(2, lambda s, d: 0.5 / (s**2 + d**2)),
    ),
    r"The target has variance 1: $(x_0-c_\text{skip}\,x)/c_\text{out}$, what $F$ must say to make "
    "$D=x_0$. 3.": (
        replaced(1, lambda s, d: s * d),
        replaced(1, lambda s, d: s**2 * d**2 / (s**2 + d**2)),
        replaced(1, lambda s, d: s * d / (s**2 + d**2)),
        replaced(1, lambda s, d: (s**2 + d**2) ** 0.5 / (s * d)),
        replaced(1, lambda s, d: s / (s**2 + d**2) ** 0.5),
        replaced(1, lambda s, d: s * d / (s**2 + d**2) ** 0.5 / 2),
    ),
    r"That leaves $c_\text{skip}$ free.": (),
    r"Take the one with the smallest $c_\text{out}$: the errors of $F$ are multiplied by it.": (
        other_skip(lambda s, d: 0 * s),
        other_skip(lambda s, d: 1 + 0 * s),
        other_skip(lambda s, d: s**2 / (s**2 + d**2)),
        other_skip(lambda s, d: d / (s**2 + d**2) ** 0.5),
        other_skip(lambda s, d: d / (s + d)),
    ),
    "`sigma` is a tensor, `(B,)` or for images `(B, 1, 1, 1)`; `sigma_data` is a number; both are "
    "positive.": (
        lambda s, d: factors(s.view(-1), d),
        lambda s, d: factors(s.view(-1, 1, 1, 1), d),
        lambda s, d: factors(s.mean(), d),
        lambda s, d: factors(s[:1].expand_as(s), d),
        lambda s, d: factors(s, round(d, 1)),
    ),
    "Return `c_skip`, `c_out`, `c_in`, each of the shape and dtype of `sigma`, the last two "
    "positive.": (
        lambda s, d: tuple(factors(s, d)[i] for i in (0, 2, 1)),
        lambda s, d: factors(s, d)[::-1],
        lambda s, d: dict(zip(("c_skip", "c_out", "c_in"), factors(s, d), strict=True)),
        each(lambda c: c.squeeze()),
        each(lambda c: c.flatten()),
        each(lambda c: c.double()),
        each(lambda c: c.float()),
        each(lambda c: c.numpy()),
        lambda s, d: torch.cat(factors(s, d)),
        lambda s, d: torch.stack(factors(s, d), -1),
        replaced(1, lambda s, d: -factors(s, d)[1]),
        replaced(2, lambda s, d: -factors(s, d)[2]),
    ),
    "Worked value: `sigma = sigma_data = 0.5` gives 0.5, 0.3536, 1.4142.": (
        lambda s, d: (0 * s + 0.5, 0 * s + 0.125**0.5, 0 * s + 2**0.5),
    ),
}

# --------------------------------------------------------------------- 4.3 inverse of phi*


def back(p, c):
    return c * p / (1 - p)


def clamped(low, high):
    def function(p, c):
        sigma = torch.as_tensor(back(p, c)).clamp(low, high)
        return sigma if isinstance(p, torch.Tensor) else float(sigma)

    return function


def p_clamped(eps):
    def function(p, c):
        inside = torch.as_tensor(p, dtype=torch.float64).clamp(eps, 1 - eps)
        return back(inside, c)

    return function


SIGMA_OF = {
    r"Equal steps of $\varphi^*=\sigma/(\sigma+c)$ are of use only if you can go back.": (
        lambda p, c: p / (p + c),
        clamped(0.002, 80.0),
        clamped(0.002, math.inf),
        clamped(0.0, 80.0),
    ),
    r"Solve equation (6) for $\sigma$.": (
        lambda p, c: c * (1 - p) / p,
        lambda p, c: c * p / (1 + p),
        lambda p, c: c * p,
        lambda p, c: p / (1 - p),
        lambda p, c: c / (1 - p),
        lambda p, c: c * p / 1 - p,
        lambda p, c: c * p / (p - 1),
        lambda p, c: c * p / (1 - p + 1e-3),
    ),
    r"`p` is a value of $\varphi^*$, `0 < p < 1`, a number or a tensor; `c` is a positive "
    "number.": (
        lambda p, c: p.mul(c).div(1 - p),
        lambda p, c: c * p.item() / (1 - p.item()) if hasattr(p, "item") else back(p, c),
        lambda p, c: back(p, c) if hasattr(p, "mean") or p <= 0.5 else c,
        lambda p, c: float(back(p, c)),
        lambda p, c: 0.3 * p / (1 - p),
        *map(p_clamped, (1e-2, 1e-3, 1e-4)),
    ),
    r"Return $\sigma$, of the shape of `p`.": (
        lambda p, c: back(p, c).flatten() if hasattr(p, "flatten") else back(p, c),
        lambda p, c: np.asarray(back(p, c)),
        lambda p, c: back(p, c).sum() if hasattr(p, "sum") else back(p, c),
        lambda p, c: torch.as_tensor(back(p, c)).reshape(-1),
        lambda p, c: torch.as_tensor(back(p, c)).log(),
        lambda p, c: [back(v, c) for v in p] if hasattr(p, "ndim") and p.ndim else back(p, c),
    ),
    "Worked value: `sigma_of(0.5, 0.3)` is 0.3.": (
        lambda p, c: c + 0 * p,
        lambda p, c: 0.3 + 0 * p,
        lambda p, c: 2 * c * p,
    ),
}

# --------------------------------------------------------------------- 4.4 two densities


def normal_pdf(u, mean, std):
    return torch.exp(-(((u - mean) / std) ** 2) / 2) / (std * (2 * math.pi) ** 0.5)


def logistic_pdf(sigma, c):
    return sigma * c / (sigma + c) ** 2


def ratio(sigma, c, P_mean, P_std):
    return normal_pdf(sigma.log(), P_mean, P_std) / logistic_pdf(sigma, c)


WEIGHT = {
    r"A training draws noise levels with density $p$ and weights the loss $\ell(\sigma)$ by "
    r"$\lambda(\sigma)$.": (),
    "What it minimises is a mean over $p$, and the same number is a mean over any other density "
    r"$q$ that is not 0 where $p$ is not: $$\int p\,\lambda\,\ell\,d\sigma=\int q\,\Big(\lambda\,"
    r"\frac pq\Big)\,\ell\,d\sigma$$ **To train with $p$ and $\lambda$ is to train with $q$ and "
    r"$\lambda\,p/q$** (up to how noisy the estimate is).": (
        lambda *given: 1 / ratio(*given),
        lambda *given: ratio(*given) / ratio(*given).mean(),
        lambda *given: ratio(*given) / ratio(*given).sum(),
        lambda s, *rest: ratio(s, *rest) * (s**2 + 0.25) / (0.5 * s) ** 2,  # with EDM's lambda
    ),
    r"Write $p/q$ for $p$ = EDM, $\ln\sigma\sim N(P_\text{mean},P_\text{std}^2)$, and $q$ = "
    r"uniform $\varphi^*$ on (0, 1).": (
        lambda s, c, m, std: normal_pdf(s, m, std) / logistic_pdf(s, c),
        lambda s, c, m, std: normal_pdf(s.log(), m, std**0.5) / logistic_pdf(s, c),
        lambda s, c, m, std: normal_pdf(s.log(), m, std**2) / logistic_pdf(s, c),
        lambda s, c, m, std: normal_pdf(s.log(), -m, std) / logistic_pdf(s, c),
        lambda s, c, m, std: normal_pdf(s.log(), m, std),
        lambda s, c, m, std: logistic_pdf(s, c),
        lambda s, c, m, std: ratio(s, c, m, std) * (2 * math.pi) ** 0.5,
        lambda s, c, m, std: ratio(s, c, m, std) * std,
    ),
    r"The latter is the logistic density $\varphi^*(1-\varphi^*)$ per unit of $\ln\sigma$; take "
    "EDM's in the same unit.": (
        lambda s, *rest: ratio(s, *rest) / s,
        lambda s, *rest: ratio(s, *rest) * s,
        lambda s, c, m, std: normal_pdf(s.log(), m, std) / (s / (s + c)),
        lambda s, c, m, std: normal_pdf(s.log(), m, std) / (s / (s + c)) * (c / (s + c)),
        lambda s, c, m, std: normal_pdf(s.log10(), m, std) / logistic_pdf(s, c),
    ),
    "`sigma` is a tensor `(B,)`, the others are numbers; return `(B,)`.": (
        lambda *given: ratio(*given)[:1],
        lambda *given: ratio(*given)[:, None],
        lambda *given: ratio(*given).sum(),
        lambda *given: ratio(*given).tolist(),
        lambda *given: ratio(*given).numpy(),
        lambda s, c, m, std: ratio(s, 0.3, m, std),
        lambda s, c, m, std: ratio(s, c, -1.2, std),
        lambda s, c, m, std: ratio(s, c, m, 1.2),
        lambda s, c, m, std: ratio(s, 1.0, m, std),
        lambda s, c, m, std: ratio(s, c, math.log(c), std),
    ),
    r"Worked value: at $\sigma=c=0.3$ with $P_\text{mean}=-1.2$, $P_\text{std}=1.2$ it is 0.3325 / "
    "0.25 = 1.330.": (
        lambda s, c, m, std: ratio(s, 0.3, -1.2, 1.2),
        lambda s, c, m, std: normal_pdf(s.log(), m, std) / 0.25,
        lambda s, c, m, std: torch.full_like(s, 1.3298),
    ),
}

# --------------------------------------------------------------------- 4.5 R^2


def share(rest, y):
    return 1 - (rest**2).sum() / ((y - y.mean()) ** 2).sum()


def line(x, y, degree=1):
    return torch.from_numpy(np.polyval(np.polyfit(x.numpy(), y.numpy(), degree), x.numpy()))


def r2(x, y):
    return share(y - line(x, y), y)


def through_the_ends(x, y):
    return share(y - y[0] - (y[-1] - y[0]) / (x[-1] - x[0]) * (x - x[0]), y)


def least_absolute(x, y):
    """The line through two points that has the least sum of absolute residuals."""
    best = None
    for i in range(len(x)):
        for j in range(i):
            rest = y - y[i] - (y[j] - y[i]) / (x[j] - x[i]) * (x - x[i])
            if best is None or rest.abs().sum() < best.abs().sum():
                best = rest
    return share(best, y)


STRAIGHTNESS = {
    "Fit a straight line to the points by least squares.": (
        through_the_ends,
        least_absolute,
        lambda x, y: share(y - line(x, y, 2), y),
        lambda x, y: share(y - (x * y).sum() / (x * x).sum() * x, y),
        lambda x, y: share(y - x, y),
        lambda x, y: r2(x.sort().values, y.sort().values),
    ),
    "What it leaves over, compared with how much the points vary at all, is equation (7): "
    r"$$R^2=1-\frac{\sum_i(y_i-\text{line}(x_i))^2}{\sum_i(y_i-\bar y)^2} \tag{7}$$ `x` and `y` "
    "are tensors `(n,)`, neither of them constant; return one number, as a float or a tensor of "
    "shape `()`.": (
        lambda x, y: 1 - r2(x, y),
        lambda x, y: r2(x, y) ** 0.5,
        lambda x, y: torch.corrcoef(torch.stack([x, y]))[0, 1],
        lambda x, y: 1 - (y - line(x, y)).square().mean() / y.var(),
        lambda x, y: 1 - (y - line(x, y)).var() / y.var(unbiased=False),
        lambda x, y: 1 - (y - line(x, y)).square().sum() / y.square().sum(),
        lambda x, y: 1 - (y - line(x, y)).abs().sum() / (y - y.mean()).abs().sum(),
        lambda x, y: 1 - (y - line(x, y)).std() / y.std(),
        lambda x, y: 1 - (1 - r2(x, y)) * (len(x) - 1) / max(1, len(x) - 2),
        lambda x, y: 1 - (y - line(x, y)).square() / (y - y.mean()).square().sum(),
        lambda x, y: r2(x, y)[None],
        lambda x, y: [float(r2(x, y))],
        lambda x, y: (r2(x, y), line(x, y)),
        lambda x, y: r2(x[:3], y[:3]),
    ),
    "Worked value: the points (0, 0), (1, 2), (2, 1) have the line $0.5+0.5x$, which leaves 1.5 of "
    "2: $R^2=0.25$.": (
        lambda x, y: 0.25,
        lambda x, y: share(y - (0.5 + 0.5 * x), y),
        lambda x, y: 1 - (y - line(x, y)).square().sum() / 2,
    ),
}

# --------------------------------------------------------------------- 4.6 what changed


def three(a, b, t, *, x=None, m=None, s=None, h=None, ends=None):
    """A right answer, of which a sentence's mutation replaces one part."""
    d = np.log((a / b).numpy()) if x is None else x(a.numpy(), b.numpy())
    middle = d.mean() if m is None else m(a.numpy(), b.numpy(), d)
    spread = d.std(ddof=1) if s is None else s(a.numpy(), b.numpy(), d)
    half = t * spread / len(d) ** 0.5 if h is None else h(t, spread, len(d))
    ends = ends or (lambda m, h: tuple(np.exp([m, m - h, m + h]) - 1))
    return ends(middle, half)


def with_three(**part):
    return lambda a, b, t: three(a, b, t, **part)


def from_three(make):
    return lambda a, b, t: make(*three(a, b, t))


CHANGE = {
    "`a` and `b` are the distances that two ways reach, float64 tensors `(n,)` with n ≥ 2, all "
    "positive; `a[i]` and `b[i]` belong to the same training.": (
        lambda a, b, t: three(a, b.flip(0), t),
        lambda a, b, t: three(a.sort().values, b.sort().values, t),
        lambda a, b, t: three(a[:2], b[:2], t),
        lambda a, b, t: three(a[:3], b[:3], t),
        lambda a, b, t: three(a.clamp(min=1), b.clamp(min=1), t),
        lambda a, b, t: three(a, b, t) if len(a) > 2 else (3.0, 3.0, 3.0),
        lambda a, b, t: three(a.float() // 1 + 1, b.float() // 1 + 1, t),
        with_three(s=lambda a, b, d: (np.log(a).var(ddof=1) + np.log(b).var(ddof=1)) ** 0.5),
        with_three(s=lambda a, b, d: np.log(a).std(ddof=1) + np.log(b).std(ddof=1)),
    ),
    "`t` is a number, Student's factor for n values (4.303 for 95 % and n = 3; you need not "
    "compute it).": (
        lambda a, b, t: three(a, b, 4.303),
        lambda a, b, t: three(a, b, 1.96),
        lambda a, b, t: three(a, b, 1.0),
        lambda a, b, t: three(a, b, stats.t.ppf(0.975, len(a) - 1)),
        lambda a, b, t: three(a, b, 4.303 if len(a) == 3 else t),
        lambda a, b, t: three(a, b, max(t, 1.0)),
        lambda a, b, t: three(a, b, round(t)),
        lambda a, b, t: three(a, b, t**2),
    ),
    "Distances are compared as ratios, so work with natural logarithms: let m be the mean over "
    "trainings of ln a − ln b, s the standard deviation of these differences (divided by n − 1), "
    "and h = t s / √n.": (
        with_three(x=lambda a, b: a / b),
        with_three(x=lambda a, b: a - b, ends=lambda m, h: (m, m - h, m + h)),
        with_three(x=lambda a, b: a / b - 1, ends=lambda m, h: (m, m - h, m + h)),
        with_three(x=lambda a, b: np.log10(a / b)),
        with_three(x=lambda a, b: np.log2(a / b)),
        with_three(x=lambda a, b: np.abs(np.log(a / b))),
        with_three(x=lambda a, b: np.log(b / a)),
        with_three(m=lambda a, b, d: np.median(d)),
        with_three(m=lambda a, b, d: d.sum()),
        with_three(m=lambda a, b, d: np.log(a.mean() / b.mean())),
        with_three(m=lambda a, b, d: np.log((a / b).mean())),
        with_three(s=lambda a, b, d: d.std()),
        with_three(s=lambda a, b, d: d.var(ddof=1)),
        with_three(s=lambda a, b, d: (a / b).std(ddof=1)),
        with_three(s=lambda a, b, d: np.abs(d - d.mean()).sum() / (len(d) - 1)),
        with_three(h=lambda t, s, n: t * s),
        with_three(h=lambda t, s, n: t * s / n),
        with_three(h=lambda t, s, n: s / n**0.5),
        with_three(h=lambda t, s, n: t * s / (n - 1) ** 0.5),
        with_three(h=lambda t, s, n: 2 * t * s / n**0.5),
    ),
    "Return three numbers, the change and both ends of its interval as shares of `b`: exp(m) − 1, "
    "exp(m − h) − 1 and exp(m + h) − 1, each a float or a tensor without axes.": (
        from_three(lambda x, low, high: x),
        from_three(lambda x, low, high: (low, high)),
        from_three(lambda x, low, high: (x, high, low)),
        from_three(lambda x, low, high: (low, x, high)),
        from_three(lambda x, low, high: (x + 1, low + 1, high + 1)),
        from_three(lambda x, low, high: (x, low + 1, high + 1)),
        from_three(lambda x, low, high: (100 * x, 100 * low, 100 * high)),
        from_three(lambda x, low, high: (x / (1 + x), low / (1 + low), high / (1 + high))),
        from_three(lambda x, low, high: (x, x - (high - low) / 2, x + (high - low) / 2)),
        from_three(lambda x, low, high: (x, max(low, 0.0), high)),
        from_three(lambda x, low, high: (abs(x), low, high)),
        from_three(lambda x, low, high: tuple(torch.tensor([v]) for v in (x, low, high))),
        from_three(lambda x, low, high: np.array([[x], [low], [high]])),
        from_three(lambda x, low, high: f"{x} ({low} to {high})"),
        from_three(lambda x, low, high: (round(x, 2), round(low, 2), round(high, 2))),
        with_three(ends=lambda m, h: (m, m - h, m + h)),
        with_three(ends=lambda m, h: tuple(np.exp([m - 1, m - h - 1, m + h - 1]))),
        with_three(ends=lambda m, h: (np.exp(m) - 1, np.exp(m) - np.exp(h), np.exp(m) + np.exp(h))),
    ),
    "Worked value: `a` = [2, 8], `b` = [1, 1] and `t` = 1 give 3, 1 and 7: four times as far, from "
    "twice to eight times.": (
        lambda a, b, t: (3.0, 1.0, 7.0),
        lambda a, b, t: three(a, torch.ones_like(b), t),
        lambda a, b, t: (three(a, b, t)[0], float((a / b).min()) - 1, float((a / b).max()) - 1),
        with_three(h=lambda t, s, n: t * s / 2**0.5),
    ),
}

SENTENCES = {
    "4.1": HEUN,
    "4.2": PRECONDITION,
    "4.3": SIGMA_OF,
    "4.4": WEIGHT,
    "4.5": STRAIGHTNESS,
    "4.6": CHANGE,
}
DEMANDS_NOTHING = (
    r"That leaves $c_\text{skip}$ free.",
    r"A training draws noise levels with density $p$ and weights the loss $\ell(\sigma)$ by "
    r"$\lambda(\sigma)$.",
)
