"""Made-up numbers for the checks of this lesson."""


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
