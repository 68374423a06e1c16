"""Exercise 4.1: Heun's step.

Expected results are a product worked out by hand, an integral, and the image at the last step; for
a denoiser whose slope bends, the step itself.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def heun_step(x, sigma, sigma_next, D):
    """From noise level sigma to sigma_next: Euler's step, then the average of both slopes."""
    d = (x - D(x, sigma)) / sigma
    euler = x + (sigma_next - sigma) * d
    if sigma_next == 0:
        return euler
    d_next = (euler - D(euler, sigma_next)) / sigma_next
    return x + (sigma_next - sigma) * (d + d_next) / 2


def slope_at(x, image, sigma):
    """The slope of equation (2)."""
    return (x - image) / sigma


def changed(second=None, *, slope=slope_at, first=None, euler=None, end=None, last=None, least=0.0):
    """A mistake: `heun_step` with another part.

    second: the second slope from x, Euler's x, sigma, sigma_next, D; slope: both slopes from x, the
    image and sigma; first: only the first; euler: Euler's x from x, the step h in sigma and the
    slope; end: from x, Euler's x, h and both slopes; last: what is returned up to sigma_next =
    least, from x, h and the slope.
    """
    pick = second or (lambda x, y, s, s_next, D: slope(y, D(y, s_next), s_next))

    def function(x, sigma, sigma_next, D):
        d, h = (first or slope)(x, D(x, sigma), sigma), sigma_next - sigma
        y = x + h * d if euler is None else euler(x, h, d)
        if sigma_next <= least:
            return y if last is None else last(x, h, d)
        d_next = pick(x, y, sigma, sigma_next, D)
        return x + h * (d + d_next) / 2 if end is None else end(x, y, h, d, d_next)

    return function


def second_slope_always(x, sigma, sigma_next, D):
    """Also at sigma_next = 0, where it is 0/0."""
    d, h = slope_at(x, D(x, sigma), sigma), sigma_next - sigma
    euler = x + h * d
    return x + h * (d + slope_at(euler, D(euler, sigma_next), sigma_next)) / 2


def averaged_images(x, sigma, sigma_next, D):
    """The two estimates of the image are averaged, and one step is made with that."""
    image = D(x, sigma)
    if sigma_next > 0:
        euler = x + (sigma_next - sigma) * (x - image) / sigma
        image = (image + D(euler, sigma_next)) / 2
    return x + (sigma_next - sigma) * (x - image) / sigma


def midpoint(x, sigma, sigma_next, D):
    """The slope half-way, for the whole step."""
    h, middle = sigma_next - sigma, (sigma + sigma_next) / 2
    euler = x + h * (x - D(x, sigma)) / sigma
    if sigma_next == 0:
        return euler
    half = (x + euler) / 2
    return x + h * (half - D(half, middle)) / middle


def half_steps(x, sigma, sigma_next, D):
    """Two steps of Euler."""
    middle = (sigma + sigma_next) / 2
    x = x + (middle - sigma) * slope_at(x, D(x, sigma), sigma)
    return x + (sigma_next - middle) * slope_at(x, D(x, middle), middle)


def corrected_twice(x, sigma, sigma_next, D):
    """The second slope is taken once more, at Heun's end."""
    end = heun_step(x, sigma, sigma_next, D)
    if sigma_next == 0:
        return end
    both = slope_at(x, D(x, sigma), sigma) + slope_at(end, D(end, sigma_next), sigma_next)
    return x + (sigma_next - sigma) * both / 2


def lesson_denoiser(x, sigma, s=0.5):
    """E[x0 | x] for data N(0, s^2), as in the notebook."""
    return s**2 / (s**2 + sigma**2) * x


def heun_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    from diffutils import denoisers

    rng = np.random.default_rng(seed)
    between = lambda low, high: float(rng.uniform(low, high))  # noqa: E731

    def skewed(*shape, dtype=torch.float64):
        return torch.tensor(rng.exponential(2.0, shape) - 0.7, dtype=dtype)

    def by_hand(x, now, then, mean, std, about, D=None):
        """Both slopes are (x - mean) g with g = sigma / (std^2 + sigma^2): multiply out."""
        h, g, g_next = then - now, now / (std**2 + now**2), then / (std**2 + then**2)
        known = mean + (x - mean) * (1 + h * (g + g_next) / 2 + h**2 * g * g_next / 2)
        return Case((x, now, then, D or denoisers.gaussian(mean, std)), known, about)

    def integral(x, now, then, flat, steep, about):
        """The slope is flat + steep * sigma, whatever x is."""
        known = x + flat * (then - now) + steep * (then**2 - now**2) / 2
        D = lambda x, sigma: x - sigma * (flat + steep * sigma)  # noqa: E731
        return Case((x, now, then, D), known, about)

    def bent(x, now, then, place, about):
        """Data at two points, -place and place; for float32 the tolerance is its own."""
        D = lambda x, sigma: place * torch.tanh(place * x / sigma**2)  # noqa: E731
        known = heun_step(x.double(), now, then, D).to(x.dtype)
        return Case((x, now, then, D), known, about, tolerance=1e-5)

    # The worked value, edges and random ones; the last is as the lesson has it.
    five = torch.tensor([5.0], dtype=torch.float64)
    images, now, mean, std = skewed(3, 2, 5, 4), between(0.6, 0.9), between(0.2, 0.6), 0.5
    high = between(60.0, 80.0)
    start = torch.tensor([(0.5**2 + high**2) ** 0.5], dtype=torch.float64)
    return [
        by_hand(five, 2.0, 1.0, 0.0, 1.0,
                "The worked value: slopes 2 and 1.5, so 5 - 1.75 = 3.25."),
        by_hand(skewed(2, 3, 4, 5), between(8, 12), between(3, 5), 0.2, between(0.4, 0.7),
                "Images, and a long step."),
        integral(skewed(3), now, between(1e-5, 2e-5), between(1, 3), between(2, 4),
                 "Only where sigma_next is 0 Euler's end is returned; however small it is else, "
                 "there is a second slope."),
        Case((images, now, 0.0, denoisers.gaussian(mean, std)),
             mean + std**2 / (std**2 + now**2) * (images - mean),
             "At sigma_next = 0 the second slope would be 0/0. The last step is Euler's alone, and "
             "it ends at D(x, sigma)."),
        bent(skewed(4, 3, dtype=torch.float32), between(2, 3), between(1.1, 1.5), between(1, 2),
             "A path that bends: ask D twice, each time with x and sigma as they are there."),
        by_hand(skewed(4, 2), between(2, 3), between(0.5, 1.5), 0.2, between(0.4, 0.7),
                "Points of a plane, two numbers each."),
        by_hand(start, high, between(0.3, 0.6) * high, 0.0, 0.5,
                "As the lesson calls it: x has one element, and D is E[x0 | x] of its data.",
                lesson_denoiser),
    ]  # fmt: skip


HEUN = Exercise(
    "4.1", "Heun's step", 2, 10, heun_step, heun_cases,
    (
        Mistake("Euler", changed(end=lambda x, euler, h, d, d_next: euler),
                "That is Euler's step: the correction is missing, or the second slope has the old "
                "D. Ask D again, at the new x and the new level."),
        Mistake("Euler at small sigma_next", changed(least=0.5),
                "Small levels get Euler's step alone; only sigma_next = 0 does. Above it there is "
                "a second slope, however small sigma_next is."),
        Mistake("slope at old x", changed(lambda x, y, s, s_next, D: (x - D(x, s_next)) / s_next),
                "The second slope is taken at the old x; it belongs to the end of Euler's step."),
        Mistake("D of old x", changed(lambda x, y, s, s_next, D: (y - D(x, s_next)) / s_next),
                "For the second slope D is still asked about the old x; ask about the new one."),
        Mistake("D of new x only", changed(lambda x, y, s, s_next, D: (x - D(y, s_next)) / s_next),
                "The second slope has the new D but subtracts it from the old x; take Euler's end "
                "in both places."),
        Mistake("divided by old sigma", changed(lambda x, y, s, s_next, D: (y - D(y, s_next)) / s),
                "The second slope is divided by the old sigma; the new x has noise sigma_next."),
        Mistake("D at old level", changed(lambda x, y, s, s_next, D: (y - D(y, s)) / s_next),
                "For the second slope D is told the old level; the new x has noise sigma_next."),
        Mistake("old level", changed(lambda x, y, s, s_next, D: (y - D(y, s)) / s),
                "The second slope has the new x but the old level, in D and below the fraction."),
        Mistake("old image", changed(lambda x, y, s, s_next, D: (y - D(x, s)) / s),
                "For the second slope D is not asked again, and sigma is the old one; ask D at the "
                "new x and the new level, and divide by sigma_next."),
        Mistake("second slope not divided", changed(lambda x, y, s, s_next, D: y - D(y, s_next)),
                "The second slope is not divided; it is (x - D) / sigma at the new x, with "
                "sigma_next below."),
        Mistake("second slope's sign", changed(
                    lambda x, y, s, s_next, D: (D(y, s_next) - y) / s_next),
                "The second slope counts with a minus: D - x stands on top, or it is subtracted. "
                "It is (x - D) / sigma like the first, and the average adds both."),
        Mistake("first slope's sign", changed(first=lambda x, image, s: (image - x) / s),
                "The first slope has D - x on top; like the second it is (x - D) / sigma."),
        Mistake("first slope not divided", changed(first=lambda x, image, s: x - image),
                "The first slope is not divided; it is (x - D) / sigma."),
        Mistake("first brackets", changed(first=lambda x, image, s: x - image / s),
                "In the first slope Python divides only D by sigma; put x - D in brackets."),
        Mistake("second brackets", changed(lambda x, y, s, s_next, D: y - D(y, s_next) / s_next),
                "In the second slope Python divides only D by sigma_next; put x - D in brackets."),
        Mistake("brackets of the slope", changed(slope=lambda x, image, s: x - image / s),
                "In the slopes Python divides only D by sigma; put x - D in brackets."),
        Mistake("not divided", changed(slope=lambda x, image, s: x - image),
                "The slopes are not divided by their sigma: x - D is sigma times the noise."),
        Mistake("divided by the variance", changed(slope=lambda x, image, s: (x - image) / s**2),
                "The slopes are divided by sigma^2; that makes minus the score. Divide by sigma."),
        Mistake("score", changed(slope=lambda x, image, s: (image - x) / s**2),
                "The slopes are the score, (D - x) / sigma^2; the slope of the path is "
                "(x - D) / sigma."),
        Mistake("multiplied by sigma", changed(slope=lambda x, image, s: (x - image) * s),
                "The slopes are multiplied by their sigma; divide by it."),
        Mistake("averaged over pixels", changed(
                    end=lambda x, euler, h, d, d_next: x + h * ((d + d_next) / 2).mean()),
                "The slopes are averaged over all pixels, too; average the two slopes pixel by "
                "pixel: (d + d_next) / 2."),
        Mistake("slope returned", changed(end=lambda x, euler, h, d, d_next: (d + d_next) / 2),
                "That is the averaged slope; make the step with it, from the old x."),
        Mistake("without x", changed(euler=lambda x, h, d: h * d, last=lambda x, h, d: h * d),
                "Euler's end lacks the x it starts from: x + (sigma_next - sigma) d."),
        Mistake("half of Euler's step", changed(
                    euler=lambda x, h, d: x + h * d / 2, last=lambda x, h, d: x + h * d / 2),
                "Euler's step is only half as long; it goes all the way to sigma_next, and only "
                "the slopes are averaged."),
        Mistake("no half", changed(end=lambda x, euler, h, d, d_next: x + h * (d + d_next)),
                "Both slopes are walked for the whole step, so it is twice as long: the half is "
                "missing, or the second step starts from Euler's end."),
        Mistake("half of the first", changed(
                    end=lambda x, euler, h, d, d_next: x + h * (d / 2 + d_next)),
                "Only the first slope is halved; the average takes half of each."),
        Mistake("half outside the step", changed(
                    end=lambda x, euler, h, d, d_next: x + h * d + d_next / 2),
                "The second slope is not multiplied by the step: average the slopes in brackets, "
                "then multiply by sigma_next - sigma."),
        Mistake("step missing", changed(end=lambda x, euler, h, d, d_next: x + (d + d_next) / 2),
                "The averaged slope is not multiplied by the step, sigma_next - sigma."),
        Mistake("second slope only", changed(end=lambda x, euler, h, d, d_next: x + h * d_next),
                "Only the second slope is used: that is of order 1 again, like Euler's. Average "
                "both."),
        Mistake("from Euler's end", changed(
                    end=lambda x, euler, h, d, d_next: euler + h * (d + d_next) / 2),
                "The averaged slope starts from Euler's end, so the step is made twice; start from "
                "the old x."),
        Mistake("second half on top", changed(
                    end=lambda x, euler, h, d, d_next: euler + h * d_next / 2),
                "The first slope counts whole and the second half: take half of each, as in "
                "(d + d_next) / 2 with its brackets, and start from the old x."),
        Mistake("correction backwards", changed(
                    end=lambda x, euler, h, d, d_next: x + h * (3 * d - d_next) / 2),
                "The correction has the wrong sign: Euler's end moves by half the step times "
                "d_next - d, not d - d_next."),
        Mistake("slopes subtracted", changed(
                    end=lambda x, euler, h, d, d_next: x + h * (d_next - d) / 2),
                "The slopes are subtracted; their average is (d + d_next) / 2."),
        Mistake("images averaged", averaged_images,
                "The two estimates of the image are averaged; average the slopes, each divided by "
                "its own sigma."),
        Mistake("ends averaged with x", changed(end=lambda x, euler, h, d, d_next: (x + euler) / 2),
                "The old x and Euler's end are averaged; it is the slopes that are."),
        Mistake("midpoint", midpoint,
                "That is the midpoint method: of order 2 too, but another one. Heun averages the "
                "slopes at both ends."),
        Mistake("two half steps", half_steps,
                "Those are two steps of Euler, each half as long: of order 1. Heun makes one step "
                "with the average of two slopes."),
        Mistake("corrected twice", corrected_twice,
                "The correction is made twice, the second time at Heun's own end; the task asks "
                "for one correction, from Euler's end."),
        Mistake("wrong way", lambda x, sigma, sigma_next, D: heun_step(
                    x, sigma, sigma_next, lambda x, sigma: 2 * x - D(x, sigma)),
                "The step goes away from the image: sigma_next - sigma is negative, and d is "
                "(x - D) / sigma."),
        Mistake("Euler's step the wrong way", changed(
                    euler=lambda x, h, d: x - h * d, last=lambda x, h, d: x - h * d),
                "Euler's step goes away from the image; its step is sigma_next - sigma, which is "
                "negative."),
        Mistake("second step the wrong way", changed(
                    end=lambda x, euler, h, d, d_next: x - h * (d + d_next) / 2),
                "Euler's step is right; the one with both slopes goes away from the image: its "
                "step is sigma_next - sigma, which is negative."),
        Mistake("0/0 at the end", second_slope_always,
                "At sigma_next = 0 the second slope is 0/0, which is NaN. Return Euler's end "
                "before you divide: the last step is Euler's alone."),
        Mistake("last step corrected", changed(last=lambda x, h, d: x + h * d / 2),
                "At sigma_next = 0 half of the noise stays: a second slope of 0, or one with a "
                "small number below, is averaged in. Do Euler's step alone."),
        Mistake("last step left out", changed(last=lambda x, h, d: x),
                "At sigma_next = 0 x comes back as it came; return the end of Euler's step."),
        Mistake("last slope", changed(last=lambda x, h, d: d),
                "At sigma_next = 0 the slope is returned; return the end of Euler's step."),
        Mistake("nothing at the end", changed(last=lambda x, h, d: 0 * x),
                "At sigma_next = 0 everything is 0; without noise D(x, sigma) is left, the end of "
                "Euler's step."),
    ),
)  # fmt: skip


EXERCISES = (HEUN,)
