"""What the checks of this lesson share: made-up numbers, and the posterior by Bayes' rule."""


def skewed(random, *shape):
    """Numbers without any symmetry, float64, about -0.7 to 4; random: of np.random.default_rng."""
    import torch

    return torch.from_numpy(random.exponential(1.1, shape) ** 1.2 - 0.7)


def few_betas(random, T: int = 7):
    """T betas in no order, large enough that no two steps are alike, float64."""
    import torch

    return torch.from_numpy(random.permutation(0.08 + 0.07 * (0.3 + random.random(T)).cumsum()))


def linear(T: int = 1000):
    """The usual betas, float64."""
    import torch

    return torch.linspace(1e-4, 0.02, T, dtype=torch.float64)


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
