"""Exercise 6.4: a measurement moves an estimate.

Expected results are means of Gaussian posteriors, with the measurement as an explicit matrix.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def moved(D, y, A, At, gain, sigma, sigma_y, s):
    """The estimate D, moved to where the measurement y = A(x0) + sigma_y n wants it."""
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / (gain * r2 + sigma_y**2) * At(y - A(D))


def spread2(sigma, s):
    """r^2, the variance that the network leaves."""
    return sigma**2 * s**2 / (sigma**2 + s**2)


def wrong(
    r2=spread2,
    weight=lambda r2, gain, sigma_y: r2 / (gain * r2 + sigma_y**2),
    step=lambda D, y, A, At: At(y - A(D)),
    end=lambda D, step: D + step,
):
    """`moved`, of which a mistake replaces one part."""

    def function(D, y, A, At, gain, sigma, sigma_y, s):
        return end(D, weight(r2(sigma, s), gain, sigma_y) * step(D, y, A, At))

    return function


def measurements(random, C, H, W):
    """Name -> A, its transpose, gain, and A as a matrix that acts on the numbers of an image."""
    import numpy as np
    import torch

    # Which pixels a mask shows, and what means are as functions and as a matrix.
    seen = random.permutation(H * W).reshape(H, W) < 0.6 * H * W
    mask = torch.from_numpy(seen)

    def means(k):
        def rows(n):
            return np.kron(np.eye(n // k), np.ones((1, k)) / k)

        def A(x):
            return x.unflatten(-1, (-1, k)).mean(-1).unflatten(-2, (-1, k)).mean(-2)

        def At(y):
            return y.repeat_interleave(k, -2).repeat_interleave(k, -1) / k**2

        return A, At, 1 / k**2, np.kron(np.eye(C), np.kron(rows(H), rows(W)))

    # All of them by name.
    pixels, channels = np.eye(H * W), np.eye(C)
    shift = np.kron(np.eye(H), np.roll(np.eye(W), 1, 0))
    return {
        "all": (lambda x: x, lambda y: y, 1.0, np.kron(channels, pixels)),
        "mask": (
            lambda x: x * mask,
            lambda y: y * mask,
            1.0,
            np.kron(channels, np.diag(seen.ravel().astype(float))),
        ),
        "shift": (
            lambda x: 1.5 * x.roll(1, -1),
            lambda y: 1.5 * y.roll(-1, -1),
            2.25,
            1.5 * np.kron(channels, shift),
        ),
        "grey": (
            lambda x: x.mean(1, keepdim=True),
            lambda y: y.expand(-1, C, -1, -1) / C,
            1 / C,
            np.kron(np.ones((1, C)) / C, pixels),
        ),
        "pool 2": means(2),
        "pool 4": means(4),
    }


def posterior_mean(D, y, M, sigma, sigma_y, s):
    """E[x0 | D, y] for images N(D, r^2) and a measurement N(M x0, sigma_y^2), row by row."""
    import numpy as np

    if sigma_y == 0:  # the image nearest to D that was measured as y
        return D + (y - D @ M.T) @ np.linalg.pinv(M).T
    precise, seen = 1 / sigma**2 + 1 / s**2, 1 / sigma_y**2
    both = precise * np.eye(M.shape[1]) + seen * M.T @ M
    return np.linalg.solve(both, (precise * D + seen * y @ M).T).T


def moved_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(name, shape, sigma, sigma_y, s, about, dtype=torch.float64, level=float):
        A, At, gain, M = measurements(random, *shape[1:])[name]
        D, x0 = random.exponential(0.6, (2, *shape)) ** 1.2 - 0.6
        y = x0.reshape(shape[0], -1) @ M.T
        y = y + sigma_y * random.standard_normal(y.shape)
        known = posterior_mean(D.reshape(shape[0], -1), y, M, sigma, sigma_y, s).reshape(shape)
        sizes = A(torch.zeros(shape)).shape
        given = [torch.from_numpy(v).to(dtype) for v in (D, y.reshape(sizes))]
        return Case(
            (*given, A, At, gain, level(sigma), sigma_y, s),
            torch.from_numpy(known).to(dtype),
            about,
            1e-6 if dtype == torch.float64 else 2e-5,
        )

    def one(value):
        return torch.full((1, 1, 1, 1), value, dtype=torch.float64)

    def double_level(level):
        return torch.tensor(level, dtype=torch.float64)

    # Levels above and below s.  Last two as the lesson has them.
    low, high, noise, s = random.uniform([0.1, 0.7, 0.1, 0.3], [0.3, 1.9, 0.4, 0.6])
    everything = measurements(random, 1, 4, 4)["all"][:3]
    weighed = "The measurement moves D by the share r^2 / (gain r^2 + sigma_y^2) of At(y - A(D))"
    called, single = f"{weighed}, as the lesson calls it.", torch.float32
    return [
        Case(
            (one(0.0), one(1.0), *everything, 0.3, 0.18, 0.4),
            one(0.64),
            "The worked value: r^2 is 0.24^2 = 0.0576, and 0.0576 / (0.0576 + 0.0324) is 0.64.",
        ),
        case("all", (2, 1, 3, 5), high, noise, s, f"{weighed}; here A sees the whole image."),
        case("mask", (2, 3, 4, 5), low, noise, s, f"{weighed}; here pixels are masked."),
        case("shift", (3, 2, 2, 5), high, noise, s, f"{weighed}; here A shifts and brightens."),
        case("grey", (2, 3, 5, 4), low, noise, s, f"{weighed}; here A takes the mean channel."),
        case("mask", (1, 2, 5, 3), high, 0.0, s, "Without noise what is seen becomes y."),
        case("pool 2", (3, 1, 4, 6), low, noise, s, f"{weighed}; here A takes means of 2 x 2."),
        case("pool 2", (2, 2, 6, 2), high, 0.0, s, "Without noise A of the result is y."),
        case("pool 4", (1, 3, 4, 8), high, noise, 1.3, f"{weighed}; here s is large."),
        case("pool 4", (4, 3, 16, 16), 0.7, 0.1, 0.5, called, single, torch.tensor),
        case("mask", (4, 3, 16, 16), 0.3, 0.2, 0.5, called, single, double_level),
    ]


def no_brackets(D, y, A, At, gain, sigma, sigma_y, s):
    r2 = sigma**2 * s**2 / (sigma**2 + s**2)
    return D + r2 / gain * r2 + sigma_y**2 * At(y - A(D))


MOVED_MISTAKES = (
    Mistake(
        "no brackets below the line",
        no_brackets,
        "Only gain stands below the line; put brackets around the whole sum there.",
    ),
    Mistake(
        "r2 of the measurement",
        lambda D, y, A, At, gain, sigma, sigma_y, s: (
            moved(D, y, A, At, gain, sigma_y, sigma_y, s) if sigma_y else D + 0.0
        ),
        "r^2 is made of sigma_y; it is what the state's level sigma and s leave open.",
    ),
    Mistake(
        "level below the line",
        lambda D, y, A, At, gain, sigma, sigma_y, s: (
            D + (r2 := sigma**2 * s**2 / (sigma**2 + s**2)) / (gain * r2 + sigma**2) * At(y - A(D))
        ),
        "Below the line stands the state's noise; it is the measurement's, sigma_y squared.",
    ),
    # The variance r^2 is another one.
    Mistake(
        "s forgotten",
        wrong(r2=lambda sigma, s: sigma**2),
        "r^2 is sigma^2 here; the images' own spread s makes it smaller.",
    ),
    Mistake(
        "s is 1",
        wrong(r2=lambda sigma, s: sigma**2 / (1 + sigma**2)),
        "r^2 is taken for images of spread 1; theirs is s.",
    ),
    Mistake(
        "sigma forgotten",
        wrong(r2=lambda sigma, s: 0 * sigma + s**2),
        "r^2 is s^2 at every level; the less noise, the less is open.",
    ),
    Mistake(
        "r not squared",
        wrong(r2=lambda sigma, s: sigma * s / (sigma**2 + s**2) ** 0.5),
        "That is r; its square, the variance, is needed.",
    ),
    Mistake(
        "variances added",
        wrong(r2=lambda sigma, s: sigma**2 + s**2),
        "The variances are added; of two sources of knowledge the inverses are.",
    ),
    Mistake(
        "inverse of r^2",
        wrong(r2=lambda sigma, s: 1 / sigma**2 + 1 / s**2),
        "That is 1 / r^2: a fraction is upside down.",
    ),
    Mistake(
        "product not squared",
        wrong(r2=lambda sigma, s: sigma * s / (sigma**2 + s**2)),
        "The numerator of r^2 is sigma s; it is sigma^2 s^2.",
    ),
    Mistake(
        "spreads for variances",
        wrong(r2=lambda sigma, s: sigma * s / (sigma + s)),
        "sigma and s stand in r^2 as they are; square them.",
    ),
    Mistake(
        "squared sum",
        wrong(r2=lambda sigma, s: (sigma * s / (sigma + s)) ** 2),
        "The sum below is of sigma and s; it is of their squares.",
    ),
    # The weight is another one.
    Mistake(
        "gain forgotten",
        wrong(weight=lambda r2, gain, sigma_y: r2 / (r2 + sigma_y**2)),
        "Below the line the gain is missing: what A sees of r^2 is gain r^2.",
    ),
    Mistake(
        "gain with the noise",
        wrong(weight=lambda r2, gain, sigma_y: r2 / (r2 + gain * sigma_y**2)),
        "The gain multiplies sigma_y^2; A changes the image's variance, not the noise's.",
    ),
    Mistake(
        "gain twice",
        wrong(weight=lambda r2, gain, sigma_y: gain * r2 / (gain * r2 + sigma_y**2)),
        "The gain stands above the line too; At has its scale already.",
    ),
    Mistake(
        "divided by the gain",
        wrong(weight=lambda r2, gain, sigma_y: r2 / (r2 + sigma_y**2) / gain),
        "All is divided by the gain; it belongs to r^2 below the line alone.",
    ),
    Mistake(
        "gain squared",
        wrong(weight=lambda r2, gain, sigma_y: r2 / (gain**2 * r2 + sigma_y**2)),
        "The gain is squared; it is A's square already.",
    ),
    Mistake(
        "noise not squared",
        wrong(weight=lambda r2, gain, sigma_y: r2 / (gain * r2 + sigma_y)),
        "sigma_y stands as it is; its square, the variance, is needed.",
    ),
    Mistake(
        "noise forgotten",
        wrong(weight=lambda r2, gain, sigma_y: 1 / gain),
        "y is believed wholly, noise and all; sigma_y^2 belongs below the line.",
    ),
    Mistake(
        "r^2 above forgotten",
        wrong(weight=lambda r2, gain, sigma_y: 1 / (gain * r2 + sigma_y**2)),
        "Above the line r^2 is missing: what is hardly open hardly moves.",
    ),
    Mistake(
        "noise above",
        wrong(weight=lambda r2, gain, sigma_y: sigma_y**2 / (gain * r2 + sigma_y**2)),
        "That is the share that D keeps; the noisier y, the less it moves.",
    ),
    Mistake(
        "no weight",
        wrong(weight=lambda r2, gain, sigma_y: 1),
        "The step is taken as it is; its weight is r^2 / (gain r^2 + sigma_y^2).",
    ),
    # The step is another one, or goes elsewhere.
    Mistake(
        "turned round",
        wrong(step=lambda D, y, A, At: At(A(D) - y)),
        "It moves away from y: the difference is y - A(D).",
    ),
    Mistake(
        "At forgotten",
        wrong(step=lambda D, y, A, At: y - A(D)),
        "The difference is in what was measured; At brings it back to the image.",
    ),
    Mistake(
        "A forgotten",
        wrong(step=lambda D, y, A, At: At(y - D)),
        "y is compared with D itself; compare it with A(D).",
    ),
    Mistake(
        "D outside",
        wrong(step=lambda D, y, A, At: At(y) - D),
        "At(y) is compared with D; compare y with A(D), and bring that back.",
    ),
    Mistake(
        "A for At",
        wrong(step=lambda D, y, A, At: A(y - A(D))),
        "A is applied to the difference; At brings it back.",
    ),
    Mistake(
        "move alone",
        wrong(end=lambda D, step: step),
        "That is the move; add it to D.",
    ),
)
MOVED = Exercise(
    "6.4", "a measurement moves an estimate", 2, 10, moved, moved_cases, MOVED_MISTAKES
)


EXERCISES = (MOVED,)
