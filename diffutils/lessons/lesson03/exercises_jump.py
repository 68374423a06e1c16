"""Exercise 3.3: the jump from one level to an earlier one.

Expected results come from images and noises for which the noise estimate is exact.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake
from diffutils.lessons.lesson03.exercises import fresh_noise, levels_of_the_lesson


def jump(x_t, eps, abar_t, abar_s, sigma, z):
    """One step from t to s with noise estimate eps, equation (2)."""
    x0 = (x_t - (1 - abar_t) ** 0.5 * eps) / abar_t**0.5
    return abar_s**0.5 * x0 + (1 - abar_s - sigma**2) ** 0.5 * eps + sigma * z


def jump_cases(seed) -> list[Case]:
    import torch

    random, abar = torch.Generator().manual_seed(seed), levels_of_the_lesson()

    def images(*values):
        return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1, 1).expand(-1, 1, 2, 2)

    def skewed(*shape):
        """Random numbers of mean 0, most of them a little below it and a few far above."""
        return -torch.rand(shape, generator=random, dtype=torch.float64).log() - 1

    def between(low, high):
        return low + (high - low) * float(torch.rand((), generator=random))

    def case(clean, noise, abar_t, abar_s, sigma, z, about, dtype=torch.float64):
        """The noise estimate is right, so that the end is known: the same image, less noise."""
        x_t = abar_t**0.5 * clean + (1 - abar_t) ** 0.5 * noise
        kept = (1 - abar_s) ** 0.5 * (1 - sigma**2 / (1 - abar_s)) ** 0.5 if abar_s < 1 else 0.0
        known = abar_s**0.5 * clean + kept * noise + sigma * z
        x_t, noise, z, known = (x.to(dtype, copy=True).contiguous() for x in (x_t, noise, z, known))
        return Case((x_t, noise, abar_t, abar_s, sigma, z), known, about, tolerance=1e-5)

    def drawn(shape, share, about, dtype=torch.float64):
        """Random images, of standard deviation 1, and levels; sigma is a share of 1 - abar_s."""
        t, s = between(0.2, 0.45), between(0.5, 0.8)
        clean, noise, z = (skewed(*shape) for _ in range(3))
        return case(clean, noise, t, s, share * (1 - s), z, about, dtype)

    # The worked value, random images and levels, every edge, and the lesson's own call.
    fresh = (
        "With fresh noise the old noise must shrink, so that both together have the variance "
        "1 - abar_s."
    )
    n, t, s = 2000, abar[499], abar[479]  # the lesson has ten times as many
    return [
        case(images(0.5), images(1.0), 0.25, 0.64, 0.0, images(3.0),
             "The worked value: image 0.5 and noise 1 end at 0.8 * 0.5 + 0.6 * 1 = 1.0."),
        drawn((2, 3, 4, 5), between(0.7, 0.9), fresh),
        drawn((3, 1, 5, 2), between(0.3, 0.5), "The result has the shape and the dtype of x_t."),
        drawn((2, 1, 3, 4), 0.0, "At sigma = 0 no fresh noise is added, whatever z is."),
        drawn((4, 2, 1, 3), between(0.5, 0.7), "The result has the dtype of x_t.", torch.float32),
        case(images(1.5, -0.2), images(1.0, 0.4), 0.25, 0.64, 0.3, images(1.0, -2.0),
             "The estimate of the image may lie beyond 1; (2) does not clip it."),
        case(skewed(3, 2, 1, 4), skewed(3, 2, 1, 4), between(0.8, 0.95), 1.0, 0.0,
             skewed(3, 2, 1, 4), "The last jump, to abar = 1, ends at the estimate of the image."),
        case(skewed(n, 1, 1, 1) / 4, skewed(n, 1, 1, 1), t, s, fresh_noise(t, s, 1.0),
             skewed(n, 1, 1, 1), fresh),
    ]  # fmt: skip


def found(x, eps, t):
    """The estimate of the image."""
    return (x - (1 - t) ** 0.5 * eps) / t**0.5


def image(make):
    """A mistake: `make(x_t, eps, abar_t, abar_s)` is the first term of (2)."""
    return lambda x, eps, t, s, sigma, z: (
        make(x, eps, t, s) + (1 - s - sigma**2) ** 0.5 * eps + sigma * z
    )


def direction(make):
    """A mistake: `make(abar_t, abar_s, sigma)` is the factor of eps in (2)."""
    return lambda x, eps, t, s, sigma, z: (
        s**0.5 * found(x, eps, t) + make(t, s, sigma) * eps + sigma * z
    )


def fresh(make):
    """A mistake: `make(abar_s, sigma, z)` is the last term of (2)."""
    return lambda x, eps, t, s, sigma, z: (
        s**0.5 * found(x, eps, t) + (1 - s - sigma**2) ** 0.5 * eps + make(s, sigma, z)
    )


def posterior(x, eps, t, s, sigma, z):
    """Lesson 02's mean, of a step as long as the jump, and the noise as handed in."""
    of_x0, of_x = s**0.5 * (1 - t / s) / (1 - t), (t / s) ** 0.5 * (1 - s) / (1 - t)
    return of_x0 * found(x, eps, t) + of_x * x + sigma * z


def halved(x, eps, t, s, sigma, z):
    """`** 1/2` in place of every root."""
    x0 = (x - (1 - t) ** 1 / 2 * eps) / t**1 / 2
    return s**1 / 2 * x0 + (1 - s - sigma**2) ** 1 / 2 * eps + sigma * z


def halved_in_brackets(x, eps, t, s, sigma, z):
    """`(... ** 1/2)` in place of every root."""
    x0 = (x - (1 - t) / 2 * eps) / (t / 2)
    return s / 2 * x0 + (1 - s - sigma**2) / 2 * eps + sigma * z


JUMP = Exercise(
    "3.3", "the jump", 2, 10, jump, jump_cases,
    (
        Mistake("published", direction(lambda t, s, sigma: (1 - s) ** 0.5),
                "The published fault: the direction lacks - sigma^2, so the fresh noise comes on "
                "top and the variance grows."),
        Mistake("published end", lambda x, eps, t, s, sigma, z: (
                    x if s == 1 else jump(x, eps, t, s, sigma, z)),
                "The published fault: the last step hands the state back as it is. The last "
                "denoising is missing."),
        # The estimate of the image, and its factor.
        Mistake("not divided", image(lambda x, eps, t, s: s**0.5 * (x - (1 - t) ** 0.5 * eps)),
                "The estimate of the image must be divided by sqrt(abar_t)."),
        Mistake("divided by abar_t", image(lambda x, eps, t, s: (
                    s**0.5 * (x - (1 - t) ** 0.5 * eps) / t)),
                "The estimate of the image is divided by abar_t; divide by its root."),
        Mistake("multiplied", image(lambda x, eps, t, s: (
                    s**0.5 * (x - (1 - t) ** 0.5 * eps) * t**0.5)),
                "The estimate of the image is multiplied by sqrt(abar_t); divide by it."),
        Mistake("only the noise divided", image(lambda x, eps, t, s: (
                    s**0.5 * (x - (1 - t) ** 0.5 * eps / t**0.5))),
                "A bracket is missing: x_t, too, is divided by sqrt(abar_t)."),
        Mistake("no root in x0", image(lambda x, eps, t, s: s**0.5 * (x - (1 - t) * eps) / t**0.5),
                "In the estimate of the image the noise is multiplied by sqrt(1 - abar_t): a root "
                "is missing."),
        Mistake("no root in x0 at all", image(lambda x, eps, t, s: (
                    s**0.5 * (x - (1 - t) * eps) / t)),
                "In the estimate of the image both roots are missing: sqrt(1 - abar_t) and "
                "sqrt(abar_t)."),
        Mistake("noise added to x0", image(lambda x, eps, t, s: (
                    s**0.5 * (x + (1 - t) ** 0.5 * eps) / t**0.5)),
                "In the estimate of the image the noise is taken away from x_t, not added."),
        Mistake("noise not scaled in x0", image(lambda x, eps, t, s: s**0.5 * (x - eps) / t**0.5),
                "In the estimate of the image eps stands alone; x_t holds sqrt(1 - abar_t) of it."),
        Mistake("x0 at level s", image(lambda x, eps, t, s: s**0.5 * found(x, eps, s)),
                "x_t is at level t: the estimate of the image needs abar_t, not abar_s."),
        Mistake("noise of s in x0", image(lambda x, eps, t, s: (
                    s**0.5 * (x - (1 - s) ** 0.5 * eps) / t**0.5)),
                "x_t holds the noise sqrt(1 - abar_t); abar_s stands there in the estimate of the "
                "image."),
        Mistake("clipped", image(lambda x, eps, t, s: s**0.5 * found(x, eps, t).clamp(-1, 1)),
                "The estimate of the image is clipped; that is a good habit of samplers, but not "
                "part of equation (2)."),
        Mistake("clipped to 0..1", image(lambda x, eps, t, s: (
                    s**0.5 * found(x, eps, t).clamp(0, 1))),
                "The estimate of the image is clipped to 0..1; that is not part of equation (2)."),
        Mistake("noise kept", image(lambda x, eps, t, s: (s / t) ** 0.5 * x),
                "The first term holds x_t / sqrt(abar_t), with all its noise; take the noise out "
                "first."),
        Mistake("z in x0", lambda x, eps, t, s, sigma, z: (
                    s**0.5 * found(x, z, t) + (1 - s - sigma**2) ** 0.5 * eps + sigma * z),
                "The estimate of the image takes out eps, the noise that x_t holds, not z."),
        Mistake("state for image", image(lambda x, eps, t, s: s**0.5 * x),
                "x_t stands where the estimate of the clean image belongs."),
        Mistake("no root before x0", image(lambda x, eps, t, s: s * found(x, eps, t)),
                "The image is multiplied by sqrt(abar_s); here the root is missing."),
        Mistake("old level before x0", image(lambda x, eps, t, s: t**0.5 * found(x, eps, t)),
                "The image is multiplied by sqrt(abar_s), the level of arrival, not by "
                "sqrt(abar_t)."),
        Mistake("no factor before x0", image(lambda x, eps, t, s: found(x, eps, t)),
                "The factor sqrt(abar_s) before the estimate of the image is missing."),
        Mistake("image forgotten", image(lambda x, eps, t, s: 0 * x),
                "The first term is missing: sqrt(abar_s) times the estimate of the image."),
        # The factor of eps.
        Mistake("sigma not squared", direction(lambda t, s, sigma: (1 - s - sigma) ** 0.5),
                "Variances are subtracted: 1 - abar_s - sigma^2, not - sigma."),
        Mistake("sigma added", direction(lambda t, s, sigma: (1 - s + sigma**2) ** 0.5),
                "sigma^2 is subtracted under the root, so that the old noise shrinks."),
        Mistake("subtracted outside", direction(lambda t, s, sigma: (1 - s) ** 0.5 - sigma),
                "sigma^2 is subtracted under the root, not sigma after it."),
        Mistake("square outside", direction(lambda t, s, sigma: (1 - s) ** 0.5 - sigma**2),
                "sigma^2 is subtracted under the root, not after it."),
        Mistake("old level", direction(lambda t, s, sigma: (1 - t - sigma**2) ** 0.5),
                "The direction has the noise of the old level t; the state arrives at s."),
        Mistake("old level, no sigma", direction(lambda t, s, sigma: (1 - t) ** 0.5),
                "The direction has all the noise of the old level t; it is what stays at s, "
                "1 - abar_s - sigma^2 under the root."),
        Mistake("no root before eps", direction(lambda t, s, sigma: 1 - s - sigma**2),
                "The factor of eps lacks its root."),
        Mistake("no factor before eps", direction(lambda t, s, sigma: 1.0),
                "eps comes without its factor, the root of 1 - abar_s - sigma^2."),
        Mistake("minus the direction", direction(lambda t, s, sigma: -(1 - s - sigma**2) ** 0.5),
                "The direction is added to the image, not subtracted."),
        Mistake("direction forgotten", direction(lambda t, s, sigma: 0.0),
                "The second term is missing: the old noise eps, shrunk."),
        # The fresh noise.
        Mistake("noise as variance", fresh(lambda s, sigma, z: sigma**2 * z),
                "The fresh noise is sigma z; here it is multiplied by the variance."),
        Mistake("root of sigma", fresh(lambda s, sigma, z: sigma**0.5 * z),
                "The fresh noise is sigma z; sigma is a standard deviation already."),
        Mistake("fresh noise forgotten", fresh(lambda s, sigma, z: 0 * z),
                "The fresh noise sigma z is missing; only at sigma = 0 does that make no "
                "difference."),
        Mistake("fresh noise subtracted", fresh(lambda s, sigma, z: -sigma * z),
                "The fresh noise sigma z is added, not subtracted."),
        Mistake("fresh noise in full", fresh(lambda s, sigma, z: z),
                "z comes without its factor sigma; at sigma = 0 nothing may be added."),
        Mistake("all noise fresh", fresh(lambda s, sigma, z: (1 - s) ** 0.5 * z),
                "z has the factor sqrt(1 - abar_s); it is sigma, as handed in."),
        # The whole.
        Mistake("levels swapped", lambda x, eps, t, s, sigma, z: jump(x, eps, s, t, sigma, z),
                "abar_t and abar_s are swapped: x_t is at level t, the result at level s."),
        Mistake("noises swapped", lambda x, eps, t, s, sigma, z: (
                    s**0.5 * found(x, eps, t) + (1 - s - sigma**2) ** 0.5 * z + sigma * eps),
                "eps and z are swapped: the old noise has the root, the fresh one sigma."),
        Mistake("z for both", lambda x, eps, t, s, sigma, z: (
                    s**0.5 * found(x, eps, t) + ((1 - s - sigma**2) ** 0.5 + sigma) * z),
                "The old noise is eps; z stands in both terms."),
        Mistake("eps for both", lambda x, eps, t, s, sigma, z: (
                    s**0.5 * found(x, eps, t) + ((1 - s - sigma**2) ** 0.5 + sigma) * eps),
                "The fresh noise is z; eps stands in both terms."),
        Mistake("image alone", lambda x, eps, t, s, sigma, z: found(x, eps, t),
                "That is the estimate of the image; the old noise and the fresh noise, at level "
                "s, are missing."),
        Mistake("** 1/2", halved,
                "`** 1/2` is (** 1) / 2: it halves. Write `** 0.5` for each root."),
        Mistake("(** 1/2)", halved_in_brackets,
                "`(... ** 1/2)` is half of it, no root. Write `** 0.5`."),
        Mistake("no roots", lambda x, eps, t, s, sigma, z: (
                    s * (x - (1 - t) * eps) / t + (1 - s - sigma**2) * eps + sigma * z),
                "All roots are missing."),
        Mistake("posterior", posterior,
                "That is the mean of lesson 02's posterior, which fits eta = 1 alone; write (2), "
                "with sigma as it is handed in."),
    ),
)  # fmt: skip


EXERCISES = (JUMP,)
