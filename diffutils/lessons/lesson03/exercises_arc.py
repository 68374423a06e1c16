"""Exercise 3.4: a path between two noises.

Expected results are turned by angles that are chosen, not computed.
"""

import math

from diffutils.course.exercises.model import Case, Exercise, Mistake


def slerp(a, b, share):
    """From a (share = 0) to b (share = 1) along the arc, every sample of the batch by itself."""
    return arc(a, b, share)


def on_arc(angle, t):
    """The weights of a and b in (4), before they are divided by the sine."""
    return ((1 - t) * angle).sin(), (t * angle).sin()


def angles(a, b):
    """The angle of every sample, (B,)."""
    x, y = a.flatten(1), b.flatten(1)
    return ((x * y).sum(1) / (x.norm(dim=1) * y.norm(dim=1))).clamp(-1, 1).acos()


def arc(a, b, t, *, angle=angles, weights=on_arc, sine=lambda angle: angle.sin(), of_itself=None):
    """`slerp`, of which a mistake may replace one part.

    angle: (a, b) -> (B,) or what multiplies a; weights: angle, t -> those of a and b; sine: what
    divides them; of_itself: the weights where the angle is 0, else of the straight line.
    """
    import torch

    angle = angle(a, b)
    angle = angle.view(-1, *[1] * (a.ndim - 1)) if angle.ndim == 1 else angle
    first, second = (weight / sine(angle) for weight in weights(angle, t))
    parallel = torch.sin(angle).abs() < 1e-6  # there the arc is the line
    line = of_itself or (1 - t, t)
    first = torch.where(parallel, torch.full_like(first, line[0]), first)
    second = torch.where(parallel, torch.full_like(second, line[1]), second)
    return first * a + second * b


def slerp_cases(seed) -> list[Case]:
    import torch

    random = torch.Generator().manual_seed(seed)

    def skewed(*shape):
        """Random numbers of mean 0, most of them a little below it and a few far above."""
        return -torch.rand(shape, generator=random, dtype=torch.float64).log() - 1

    def exact(*shape):
        """Noises whose lengths are powers of 2: no rounding, however the cosine is computed."""
        known = torch.tensor([4, 4, 4, 2, 2, 2, 1, 1, 1, 1], dtype=torch.float64)
        x = torch.zeros(shape, dtype=torch.float64).view(-1, math.prod(shape[-3:]))
        for i in range(len(x)):
            places = torch.randperm(x.shape[1], generator=random)[: len(known)]
            x[i, places] = known * 2.0 ** (i - 2)
            x[i, places[::3]] *= -1
        return x.view(shape)

    def turned(length, *degrees):
        rad = torch.tensor(degrees, dtype=torch.float64) * math.pi / 180
        return length * torch.stack([rad.cos(), rad.sin()], 1).view(-1, 1, 1, 2)

    def pair(shape, degrees, t, about):
        """Noises of unlike lengths in random planes, at these angles, or nearly these."""
        plane = torch.linalg.qr(skewed(shape[0], math.prod(shape[1:]), 2)).Q
        u, v = (plane[..., i].view(shape) for i in (0, 1))
        off = 1 + skewed(len(degrees)).clamp(-1, 1) / 100
        rad = (torch.tensor(degrees) * math.pi / 180 * off).view(-1, 1, 1, 1)
        a = u * (2 + skewed(shape[0], 1, 1, 1).clamp(max=2))
        b = (rad.cos() * u + rad.sin() * v) * (4 + skewed(shape[0], 1, 1, 1).clamp(max=2))
        length_a, length_b = ((x * x).sum((1, 2, 3), keepdim=True).sqrt() for x in (a, b))
        along = length_a * ((1 - t) * rad).sin() + length_b * (t * rad).sin() * rad.cos()
        known = along / rad.sin() * u + length_b * (t * rad).sin() * v
        return Case((a, b, t), known, about)

    # Pairs for the edges: share = 0 and 1, noises that meet themselves, and the lesson's own.
    # Of exact noises the cosine is 1; of most others rounding makes it more or less than that.
    own = "Every sample turns by its own angle: bring the angles to the shape (B, 1, 1, 1)."
    ends = pair((2, 3, 1, 2), [50.0, 60.0], 0.0, "").arguments[:2]
    alone, same = exact(3, 2, 4, 3), skewed(64, 2, 3, 4).float()
    mixed = pair((3, 2, 4, 5), [100.0, 40.0, 75.0], 0.3, "")
    a, b, known = (x.clone() for x in (*mixed.arguments[:2], mixed.expected))
    a[1] = b[1] = known[1] = exact(2, 4, 5)
    lesson = pair((1, 3, 16, 16), [85.0], 0.625, "As the lesson calls it: one sample, float32.")
    to_itself = (
        "A noise paired with itself must come back as it is: clamp the cosine to -1..1, and do not "
        "divide by sin(0)."
    )
    return [
        Case((turned(1, 0), turned(1, 90), 0.5), turned(1, 45),
             "The worked value: half-way from (1, 0) to (0, 1) lies (0.7071, 0.7071)."),
        pair((3, 3, 3, 3), [70.0, 35.0, 150.0], 0.35, own),  # angles fit wherever they are put
        pair((2, 3, 4, 5), [120.0, 50.0], 0.25, own),
        pair((5, 1, 2, 3), [6.0, 174.0, 60.0, 95.0, 20.0], 0.7, own),
        Case((turned(3, 0, 10), turned(3, 60, 160), 0.25), turned(3, 15, 47.5),
             "Noise of length 3 stays of length 3."),
        Case((*ends, 0.0), ends[0].clone(), "share = 0 gives a.", tolerance=3e-5),
        Case((*ends, 1.0), ends[1].clone(), "share = 1 gives b.", tolerance=3e-5),
        Case((alone, alone.clone(), 0.3), alone.clone(), to_itself, tolerance=3e-5),
        Case((a, b, 0.3), known, "One noise of the batch is paired with itself, the others are "
             f"not. {to_itself}", tolerance=3e-5),
        Case((same, same.clone(), 0.5), same.clone(), to_itself, tolerance=5e-4),
        Case((*((9 * x).float() for x in lesson.arguments[:2]), 0.625),
             (9 * lesson.expected).float(), lesson.about, tolerance=3e-5),
    ]  # fmt: skip


def of_cosine(cosine):
    """A mistake: `cosine(x, y)` of the flat noises (B, D) is the cosine (B,)."""
    return lambda a, b, t: arc(
        a, b, t, angle=lambda a, b: cosine(a.flatten(1), b.flatten(1)).clamp(-1, 1).acos()
    )


def not_clamped(a, b):
    """The angle of every sample, NaN where rounding takes the cosine beyond 1."""
    x, y = a.flatten(1), b.flatten(1)
    return ((x * y).sum(1) / (norms(x) * norms(y))).acos()


def divided_by_zero(a, b, t, angle=angles):
    """(4) as it stands."""
    angle = angle(a, b).view(-1, 1, 1, 1)
    return (((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin()


def inner(a, b):
    """The inner product of every sample, (B,)."""
    return (a.flatten(1) * b.flatten(1)).sum(1)


def when_all(a, b, t):
    """(4) as it stands, but for a batch that is paired with itself as a whole."""
    return a if a.equal(b) else divided_by_zero(a, b, t)


def norms(x):
    """The length of every flat noise, (B,)."""
    return x.norm(dim=1)


def pushed_out(a, b, t):
    """The straight line, stretched to the length that a and b have."""
    line = (1 - t) * a + t * b
    length = (1 - t) * norms(a.flatten(1)) + t * norms(b.flatten(1))
    return line * (length / norms(line.flatten(1))).view(-1, 1, 1, 1)


def of_unit_length(a, b, t):
    """The arc between the directions of both."""
    return arc(*(x / norms(x.flatten(1)).view(-1, 1, 1, 1) for x in (a, b)), t)


def of_mean_length(a, b, t):
    """The same, stretched to the length between both."""
    length = (1 - t) * norms(a.flatten(1)) + t * norms(b.flatten(1))
    return of_unit_length(a, b, t) * length.view(-1, 1, 1, 1)


def one_for_all(a, b, t):
    """One angle over the whole batch."""
    return arc(a, b, t, angle=lambda a, b: angles(a.reshape(1, -1), b.reshape(1, -1)))


def along(*shape):
    """A mistake: angles that meet another axis."""
    return lambda a, b, t: arc(a, b, t, angle=lambda a, b: angles(a, b).view(shape))


def of_pixels(dim):
    """A mistake: an angle for every vector along one axis of the images."""

    def angle(a, b):
        from torch import cosine_similarity

        return cosine_similarity(a, b, dim=dim).clamp(-1, 1).acos().unsqueeze(dim)

    return lambda a, b, t: arc(a, b, t, angle=angle)


def when_any(instead):
    """A mistake: `instead(a, b, t)` for the whole batch as soon as one noise meets itself."""
    return lambda a, b, t: instead(a, b, t) if (angles(a, b).sin() < 1e-3).any() else arc(a, b, t)


def straight(a, b, t):
    return (1 - t) * a + t * b


SLERP = Exercise(
    "3.4", "a path between two noises", 2, 10, slerp, slerp_cases,
    (
        Mistake("straight line", straight,
                "That is the straight line; half-way the noise is too short, by a factor of 0.71 "
                "where a and b are at right angles."),
        Mistake("swapped", lambda a, b, t: arc(b, a, t),
                "share = 0 must give a, share = 1 must give b; they are swapped."),
        Mistake("share ignored", lambda a, b, t: arc(a, b, 0.5),
                "It is the middle of the arc whatever the share is."),
        # The angle.
        Mistake("one angle", one_for_all,
                "The angle was taken over the whole batch; every sample has its own."),
        Mistake("angle along the width", along(1, 1, 1, -1),
                "The angles have the shape (B,), which meets the last axis, the width; bring them "
                "to (B, 1, 1, 1)."),
        Mistake("angle along the height", along(1, 1, -1, 1),
                "The angles have the shape (B, 1), which meets the height; bring them to "
                "(B, 1, 1, 1)."),
        Mistake("angle along the channels", along(1, -1, 1, 1),
                "The angles have the shape (B, 1, 1), which meets the channels; bring them to "
                "(B, 1, 1, 1)."),
        Mistake("angle of each pixel", of_pixels(1),
                "The angle was taken over the channels, pixel by pixel; a noise is one long "
                "vector: a.flatten(1)."),
        Mistake("angle of each row", of_pixels(-1),
                "The angle was taken along the last axis only; a noise is one long vector: "
                "a.flatten(1)."),
        Mistake("not normed", of_cosine(lambda x, y: (x * y).sum(1)),
                "The cosine of the angle is a.b divided by both lengths."),
        Mistake("not normed, NaN", lambda a, b, t: divided_by_zero(
                    a, b, t, lambda a, b: inner(a, b).acos()),
                "The cosine of the angle is a.b divided by both lengths; undivided it lies beyond "
                "-1..1, and NaN follows."),
        Mistake("lengths of the batch", of_cosine(
                    lambda x, y: (x * y).sum(1) / x.norm() / y.norm()),
                "The lengths were taken over the whole batch; every sample has its own: "
                "norm(dim=1)."),
        Mistake("mean for sum", of_cosine(lambda x, y: (x * y).mean(1) / norms(x) / norms(y)),
                "The inner product is a sum of products, not their mean."),
        Mistake("mean, not normed", of_cosine(lambda x, y: (x * y).mean(1)),
                "The cosine of the angle is the sum of products divided by both lengths, not the "
                "mean of the products."),
        Mistake("lengths squared", of_cosine(
                    lambda x, y: (x * y).sum(1) / norms(x) ** 2 / norms(y) ** 2),
                "The inner product is divided by the squares of the lengths; take their roots."),
        Mistake("length of a only", of_cosine(lambda x, y: (x * y).sum(1) / norms(x)),
                "The inner product is divided by both lengths, of a and of b."),
        Mistake("length of a twice", of_cosine(lambda x, y: (x * y).sum(1) / norms(x)**2),
                "The inner product is divided by the length of a twice; once it is that of b."),
        Mistake("lengths added", of_cosine(lambda x, y: (x * y).sum(1) / (norms(x) + norms(y))),
                "The inner product is divided by the product of both lengths, not by their sum."),
        Mistake("no sign", of_cosine(lambda x, y: (x * y).sum(1).abs() / norms(x) / norms(y)),
                "The sign of the inner product is lost: noises may be further apart than 90 "
                "degrees."),
        Mistake("acos forgotten", lambda a, b, t: arc(
                    a, b, t, angle=lambda a, b: angles(a, b).cos()),
                "The cosine stands where the angle belongs: acos is missing."),
        Mistake("asin", lambda a, b, t: arc(
                    a, b, t, angle=lambda a, b: angles(a, b).cos().asin()),
                "The inner product gives the cosine of the angle, so it takes acos, not asin."),
        Mistake("degrees", lambda a, b, t: arc(
                    a, b, t, angle=lambda a, b: angles(a, b).rad2deg()),
                "sin and cos take the angle in radians, as acos gives it."),
        Mistake("clamped to 0..1", lambda a, b, t: arc(
                    a, b, t, angle=lambda a, b: angles(a, b).cos().clamp(min=0).acos()),
                "The cosine is clamped to 0..1; it goes from -1 to 1, for noises may be further "
                "apart than 90 degrees."),
        # The weights.
        Mistake("not divided by sin", lambda a, b, t: arc(a, b, t, sine=lambda angle: 1.0),
                "Both weights must be divided by the sine of the whole angle."),
        Mistake("not divided by sin, 0 for itself", lambda a, b, t: arc(
                    a, b, t, sine=lambda angle: 1.0, of_itself=(0.0, 0.0)),
                "Both weights must be divided by the sine of the whole angle; where that is 0, "
                "return the noise."),
        Mistake("one divided by sin", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    ((1 - t) * w).sin() * w.sin(), (t * w).sin())),
                "Only the weight of b is divided by the sine of the angle: a bracket is missing."),
        Mistake("the other divided by sin", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    ((1 - t) * w).sin(), (t * w).sin() * w.sin())),
                "Only the weight of a is divided by the sine of the angle."),
        Mistake("divided by the angle", lambda a, b, t: arc(a, b, t, sine=lambda angle: angle),
                "The weights are divided by the angle; it is its sine."),
        Mistake("cosines", lambda a, b, t: arc(
                    a, b, t, weights=lambda w, t: (((1 - t) * w).cos(), (t * w).cos())),
                "The weights are sines, not cosines."),
        Mistake("share outside the sine", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    math.sin(1 - t) * w, math.sin(t) * w)),
                "The sine is that of share times angle, not of the share alone: mind the bracket."),
        Mistake("difference", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    ((1 - t) * w).sin(), -(t * w).sin())),
                "The part of b is subtracted; both parts are added."),
        Mistake("whole arc", lambda a, b, t: arc(a, b, t, weights=lambda w, t: (
                    (w - t).sin(), (t * w).sin())),
                "The weight of a has sin((1 - share) angle), not sin(angle - share)."),
        # What comes close.
        Mistake("line pushed out", pushed_out,
                "The line, stretched to the old length, does not turn at one speed: share = 0.25 "
                "is not a quarter of the angle."),
        Mistake("unit length", of_unit_length,
                "a and b are cut down to length 1; they are normed for the angle only, and (4) "
                "takes them as they are."),
        Mistake("lengths averaged", of_mean_length,
                "a and b are normed and the result is stretched again; (4) takes a and b as they "
                "are, and norms them for the angle only."),
        Mistake("quarter circle", lambda a, b, t: (
                    math.cos(t * math.pi / 2) * a + math.sin(t * math.pi / 2) * b),
                "That assumes a right angle between a and b; take the angle from a and b."),
        Mistake("roots of the share", lambda a, b, t: (1 - t) ** 0.5 * a + t**0.5 * b,
                "The weights sqrt(1 - share) and sqrt(share) suit a right angle, and do not turn "
                "at one speed; write (4)."),
        # A noise that is paired with itself.
        Mistake("not clamped", lambda a, b, t: arc(a, b, t, angle=not_clamped),
                "For a noise paired with itself rounding takes the cosine beyond 1, and acos is "
                "NaN there: clamp it to -1..1 first."),
        Mistake("divided by sin(0)", divided_by_zero,
                "For a noise paired with itself the angle is 0, and so is its sine: 0 / 0 is NaN. "
                "Clamp the cosine to -1..1, and choose a there, as with torch.where."),
        Mistake("only as a whole", when_all,
                "A batch that equals the other one is caught, one noise in it is not: choose for "
                "every sample by itself, as with torch.where."),
        Mistake("clamped too far", lambda a, b, t: arc(
                    a, b, t, angle=lambda a, b: angles(a, b).cos().clamp(-0.9995, 0.9995).acos()),
                "A noise paired with itself comes back a little longer: clamp the cosine to -1..1, "
                "no further."),
        Mistake("line for the whole batch", when_any(straight),
                "One noise that is paired with itself makes the whole batch take the line; choose "
                "for every sample by itself, as with torch.where."),
        Mistake("a for the whole batch", when_any(lambda a, b, t: a),
                "One noise that is paired with itself makes the whole batch return a; choose for "
                "every sample by itself, as with torch.where."),
        Mistake("nothing for itself", lambda a, b, t: arc(a, b, t, of_itself=(0.0, 0.0)),
                "A noise paired with itself gives 0; it must come back as it is."),
        Mistake("twice itself", lambda a, b, t: arc(a, b, t, of_itself=(1.0, 1.0)),
                "A noise paired with itself comes back doubled; it must come back as it is."),
    ),
)  # fmt: skip


EXERCISES = (SLERP,)
