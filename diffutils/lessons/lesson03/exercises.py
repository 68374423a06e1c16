"""Exercises 3.1 to 3.3: fewer steps, the fresh noise of a jump, and the jump itself.

Expected results come by whole-number arithmetic, by Bayes' rule with precisions, and from data for
which the noise estimate is exact.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake

# --------------------------------------------------------------------- 3.1 respacing


def respaced(T, n):
    """n timesteps from T - 1 downwards, T / n apart, rounded to whole numbers."""
    import torch

    return (T - torch.arange(n, dtype=torch.float64) * T / n).round().long() - 1


def respaced_cases(seed) -> list[Case]:
    import torch

    def case(T, n, about):  # i T / n rounded to the nearest whole number, without fractions
        known = torch.tensor([T - (2 * i * T + n) // (2 * n) - 1 for i in range(n)])
        return Case((T, n), known, about)

    return [
        case(10, 5, "The worked value: five of ten timesteps are 9, 7, 5, 3, 1."),
        case(1000, 3, "T / n need not be a whole number: three of 1000 are 999, 666, 332."),
        case(1000, 50, "Fifty of 1000 timesteps are 999, 979, ..., 19."),
        case(7, 7, "n = T keeps every timestep: 6, 5, ..., 0."),
    ]


def timesteps(make):
    """A mistake: `make(torch, T, n)` gives the timesteps as floats or whole numbers."""

    def function(T, n):
        import torch

        return make(torch, T, n).long()

    return function


RESPACED = Exercise(
    "3.1", "respacing", 1, 5, respaced, respaced_cases,
    (
        Mistake("leading", timesteps(lambda torch, T, n: (torch.arange(n) * (T // n)).flip(0)),
                "Those are spaced from 0 upwards and miss T - 1: the chain would start from pure "
                "noise at a level that the network takes for less."),
        Mistake("T itself", timesteps(lambda torch, T, n: (
                    T - torch.arange(n, dtype=torch.float64) * T / n).round()),
                "Counted from 0 the last timestep is T - 1; T is not in the table."),
        Mistake("upwards", timesteps(lambda torch, T, n: (
                    T - torch.arange(n, dtype=torch.float64) * T / n).round().flip(0) - 1),
                "They run from low to high; sampling walks from T - 1 down."),
        Mistake("down to 0", timesteps(lambda torch, T, n: torch.linspace(T - 1, 0, n).round()),
                "Those are spread from T - 1 to 0, both included; neighbours shall lie T / n "
                "apart, so the lowest is about T / n - 1."),
        Mistake("cut, not rounded", timesteps(lambda torch, T, n: (
                    T - torch.arange(n, dtype=torch.float64) * T / n).floor() - 1),
                "The fractions are cut off; round to the nearest whole number before you "
                "subtract 1."),
        Mistake("whole steps", timesteps(lambda torch, T, n: T - 1 - torch.arange(n) * (T // n)),
                "T // n is rounded down before it is multiplied, so the error adds up: multiply "
                "first, round last."),
        Mistake("the lowest n", timesteps(lambda torch, T, n: torch.arange(n).flip(0)),
                "Those are the n lowest timesteps; the chain would start where hardly any noise "
                "is left."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.2 the fresh noise


def fresh_noise(abar_t, abar_s, eta):
    """Standard deviation of the fresh noise in a jump from t to s < t, equation (3)."""
    return eta * ((1 - abar_s) / (1 - abar_t)) ** 0.5 * (1 - abar_t / abar_s) ** 0.5


def fresh_noise_cases(seed) -> list[Case]:
    def bayes(abar_t, abar_s):
        """Std of q(x_s | x_t, x0): the precisions of x_t given x_s and of x_s given x0 add."""
        a = abar_t / abar_s
        return (a / (1 - a) + 1 / (1 - abar_s)) ** -0.5

    return [
        Case((0.2, 0.5, 1.0), bayes(0.2, 0.5),
             "The worked value: from 0.2 to 0.5 with eta = 1 gives 0.612."),
        Case((0.1, 0.9, 1.0), bayes(0.1, 0.9), "A long jump adds little noise at its end."),
        Case((0.2, 0.5, 0.5), bayes(0.2, 0.5) / 2, "eta = 0.5 halves the standard deviation."),
        Case((0.2, 0.5, 0.0), 0.0, "eta = 0 is DDIM: no fresh noise at all."),
        Case((0.97, 1.0, 1.0), 0.0, "The last jump ends at abar = 1, where no noise is left."),
    ]  # fmt: skip


FRESH_NOISE = Exercise(
    "3.2", "the fresh noise", 2, 10, fresh_noise, fresh_noise_cases,
    (
        Mistake("variance", lambda t, s, eta: eta**2 * (1 - s) / (1 - t) * (1 - t / s),
                "That is sigma^2, the variance; the step multiplies its noise by sigma."),
        Mistake("no root", lambda t, s, eta: eta * (1 - s) / (1 - t) * (1 - t / s),
                "Both roots are missing: without them it is a variance, and the step multiplies "
                "its noise by a standard deviation."),
        Mistake("second root", lambda t, s, eta: eta * ((1 - s) / (1 - t)) ** 0.5 * (1 - t / s),
                "Both factors stand under a root."),
        Mistake("beta", lambda t, s, eta: eta * (1 - t / s) ** 0.5,
                "That is the noise that the forward process adds between s and t (sigma^2 = beta); "
                "the factor (1 - abar_s) / (1 - abar_t) is missing."),
        Mistake("first factor only", lambda t, s, eta: eta * ((1 - s) / (1 - t)) ** 0.5,
                "The factor 1 - abar_t / abar_s is missing: a short jump needs little noise."),
        Mistake("swapped", lambda t, s, eta: (
                    eta * ((1 - t) / (1 - s)) ** 0.5 * (1 - t / s) ** 0.5 if s < 1 else eta),
                "The first factor is upside down: the nearer s is to the image, the less noise is "
                "left to renew."),
        Mistake("eta squared", lambda t, s, eta: eta * fresh_noise(t, s, eta),
                "eta stands before the roots once; here it is squared."),
        Mistake("eta forgotten", lambda t, s, eta: fresh_noise(t, s, 1.0),
                "eta makes no difference here; at eta = 0 nothing may be added."),
        Mistake("per step", lambda t, s, eta: eta * ((1 - s) / (1 - t) * (s - t)) ** 0.5,
                "abar_s - abar_t is not the noise between s and t; it is 1 - abar_t / abar_s."),
    ),
)  # fmt: skip


# --------------------------------------------------------------------- 3.3 the jump


def jump(x_t, eps, abar_t, abar_s, sigma, z):
    """One step from t to s with noise estimate eps, equation (2)."""
    x0 = (x_t - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5
    return abar_s**0.5 * x0 + (1 - abar_s - sigma**2) ** 0.5 * eps + sigma * z


def jump_with(x_t, eps, abar_t, abar_s, sigma, z, *, x0=None, direction=None, fresh=None):
    """`jump`, of which a mistake may replace one part."""
    clean = (x_t - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5 if x0 is None else x0(x_t, eps, abar_t)
    along = (
        (1 - abar_s - sigma**2) ** 0.5 if direction is None else direction(abar_t, abar_s, sigma)
    )
    return abar_s**0.5 * clean + along * eps + (sigma * z if fresh is None else fresh(sigma, z))


def jump_cases(seed) -> list[Case]:
    import torch

    def images(*values):
        return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)

    def case(clean, noise, abar_t, abar_s, sigma, z, about):
        """The noise estimate is right, so that the end is known: the same image, less noise."""
        clean, noise, z = images(*clean), images(*noise), images(*z)
        x_t = abar_t**0.5 * clean + (1 - abar_t) ** 0.5 * noise
        kept = (1 - abar_s) ** 0.5 * (1 - sigma**2 / (1 - abar_s)) ** 0.5 if abar_s < 1 else 0.0
        known = abar_s**0.5 * clean + kept * noise + sigma * z
        return Case(
            (x_t.clone(), noise.clone(), abar_t, abar_s, sigma, z.clone()), known.clone(), about
        )

    return [
        case([0.5], [1.0], 0.25, 0.64, 0.0, [3.0],
             "The worked value: image 0.5 and noise 1 end at 0.8 * 0.5 + 0.6 * 1 = 1.0."),
        case([0.5, -0.2], [1.0, 0.4], 0.25, 0.64, 0.36, [1.0, -2.0],
             "With fresh noise the old noise must shrink, so that both together have the variance "
             "1 - abar_s."),
        case([1.5, -0.2], [1.0, 0.4], 0.25, 0.64, 0.36, [1.0, -2.0],
             "The estimate of the image may lie beyond 1; (2) does not clip it."),
        case([0.5, -0.2], [1.0, 0.4], 0.81, 1.0, 0.0, [1.0, 1.0],
             "The last jump, to abar = 1, ends at the estimate of the image."),
    ]  # fmt: skip


JUMP = Exercise(
    "3.3", "the jump", 2, 10, jump, jump_cases,
    (
        Mistake("published", lambda *a: jump_with(*a, direction=lambda t, s, sigma: (1 - s) ** 0.5),
                "The published fault: the direction lacks - sigma^2, so the fresh noise comes on "
                "top and the variance grows."),
        Mistake("published end", lambda x, eps, t, s, sigma, z: (
                    x if s == 1 else jump(x, eps, t, s, sigma, z)),
                "The published fault: the last step hands the state back as it is. The last "
                "denoising is missing."),
        Mistake("sigma not squared", lambda *a: jump_with(
                    *a, direction=lambda t, s, sigma: abs(1 - s - sigma) ** 0.5),
                "Variances are subtracted: 1 - abar_s - sigma^2, not - sigma."),
        Mistake("subtracted outside", lambda *a: jump_with(
                    *a, direction=lambda t, s, sigma: (1 - s) ** 0.5 - sigma),
                "sigma^2 is subtracted under the root, not sigma after it."),
        Mistake("old level", lambda *a: jump_with(
                    *a, direction=lambda t, s, sigma: (1 - t - sigma**2) ** 0.5),
                "The direction has the noise of the old level t; the state arrives at s."),
        Mistake("not divided", lambda *a: jump_with(
                    *a, x0=lambda x, eps, t: x - (1 - t) ** 0.5 * eps),
                "The estimate of the image must be divided by sqrt(abar_t)."),
        Mistake("no root in x0", lambda *a: jump_with(
                    *a, x0=lambda x, eps, t: (x - (1 - t) * eps) / t**0.5),
                "In the estimate of the image the noise is multiplied by sqrt(1 - abar_t)."),
        Mistake("noise as variance", lambda *a: jump_with(*a, fresh=lambda sigma, z: sigma**2 * z),
                "The fresh noise is sigma z; here it is multiplied by the variance."),
        Mistake("fresh noise forgotten", lambda *a: jump_with(*a, fresh=lambda sigma, z: 0 * z),
                "The fresh noise sigma z is missing; only at sigma = 0 does that make no "
                "difference."),
        Mistake("clipped", lambda *a: jump_with(*a, x0=lambda x, eps, t: (
                    (x - (1 - t) ** 0.5 * eps) / t**0.5).clamp(-1, 1)),
                "The estimate of the image is clipped; that is a good habit of samplers, but not "
                "part of equation (2)."),
        Mistake("state for image", lambda *a: jump_with(*a, x0=lambda x, eps, t: x),
                "x_t stands where the estimate of the clean image belongs."),
    ),
)  # fmt: skip


EXERCISES = (RESPACED, FRESH_NOISE, JUMP)
