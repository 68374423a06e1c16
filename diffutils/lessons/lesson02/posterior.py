"""Equations (2) and (3), by the formulas and by Bayes' rule, and the ways to go wrong in them.

In the formulas: b = beta_t, a = alpha_t, A = abar_t, P = abar of the step before.
"""


def symbols(betas, t):
    """beta_t, alpha_t, abar_t and the abar of the step before: numbers without axes."""
    import torch

    alpha = 1 - betas
    abar = alpha.cumprod(0)
    return betas[t], alpha[t], abar[t], abar[t - 1] if t > 0 else torch.ones_like(abar[0])


def bayes(betas, t, x0, x_t):
    """Mean and variance of q(x_{t-1} | x_t, x0): precisions add, means are weighted by them."""
    before = float((1 - betas[:t]).prod())
    if before == 1:
        return x0, 0.0
    step = 1 - float(betas[t])
    precision = step / (1 - step) + 1 / (1 - before)
    mean = (step**0.5 * x_t / (1 - step) + before**0.5 * x0 / (1 - before)) / precision
    return mean, 1 / precision


def right_mean(b, a, A, P, x0, x_t):
    """Equation (3)."""
    return P**0.5 * b / (1 - A) * x0 + a**0.5 * (1 - P) / (1 - A) * x_t


def right_variance(b, a, A, P):
    """Equation (2)."""
    return (1 - P) / (1 - A) * b


def wrong(mean=right_mean, variance=right_variance, read=symbols):
    """`posterior` with another mean, another variance, or another way to read the table."""

    def function(betas, t, x0, x_t):
        b, a, A, P = read(betas, t)
        return mean(b, a, A, P, x0, x_t), variance(b, a, A, P)

    return function


def table(bars, before=None, first=1.0, shift=0):
    """A way to read b, a, A and P.

    bars: betas -> abar of every step; before: the same for the step before, by default `bars`;
    first: the P of t = 0, None where it is read like any other; shift: of all indices.
    """

    def read(betas, t):
        t, A = t + shift, bars(betas)
        P = (before or bars)(betas)[t - 1] if t > 0 or first is None else A[0] * 0 + first
        return betas[t], 1 - betas[t], A[t], P

    return read


def product(betas):
    """The right abar of every step."""
    return (1 - betas).cumprod(0)


def at_once(betas, t):
    """Symbols of one who reads the abar of the step before at t itself."""
    b, a, A, _ = symbols(betas, t)
    return b, a, A, A


def bare(betas, t):
    """Symbols of one who writes alpha_t for both bars."""
    b, a, _, _ = symbols(betas, t)
    return b, a, a, a


def stopped(betas, t):
    """Symbols of one who reads the first entry for the step before the first."""
    b, a, A, P = symbols(betas, t)
    return b, a, A, P if t else A


def late_start(betas, t):
    """Symbols of one who takes the step before as clean at t = 1 too."""
    b, a, A, P = symbols(betas, t)
    return b, a, A, P if t > 1 else P * 0 + 1


def onward(betas, t):
    """Symbols of one who multiplies abar_t by alpha_t for the step before, and does not divide."""
    b, a, A, _ = symbols(betas, t)
    return b, a, A, A * a
