"""Exercise 7.4: noise in smaller pieces.

Expected results come from four linear equations a pixel: one says what the cells add up to, three
that their differences are those of w.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def cells(z, w):
    """White noise on a grid twice as fine: the sum of a pixel's 2 x 2 cells, over 2, is z."""
    import torch

    shared = z / 2 - torch.nn.functional.avg_pool2d(w, 2)
    return shared.repeat_interleave(2, -2).repeat_interleave(2, -1) + w


def cell_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def solved(z, w):
        """The cells a, b, c, d of a pixel: their sum, and what b, c, d are above a."""
        equations = np.array([[1, 1, 1, 1], [-1, 1, 0, 0], [-1, 0, 1, 0], [-1, 0, 0, 1]])
        found = np.empty_like(w)
        for place in np.ndindex(z.shape):
            i, j = 2 * place[2], 2 * place[3]
            own = (*place[:2], slice(i, i + 2), slice(j, j + 2))
            a, *others = w[own].ravel()
            right = [2 * z[place], *(other - a for other in others)]
            found[own] = np.linalg.solve(equations, right).reshape(2, 2)
        return found

    def case(shape, about, dtype=torch.float64, normal=False):
        finer = (*shape[:2], 2 * shape[2], 2 * shape[3])
        if normal:
            z, w = random.standard_normal(shape), random.standard_normal(finer)
        else:
            z, w = (random.exponential(1.0, sides) ** 1.3 - 0.6 for sides in (shape, finer))
        known = torch.from_numpy(solved(z, w)).to(dtype)
        given = tuple(torch.from_numpy(part).to(dtype) for part in (z, w))
        return Case(given, known, about, 1e-6 if dtype == torch.float64 else 1e-5)

    def image(values):
        return torch.tensor(values, dtype=torch.float64)[None, None]

    # Skewed numbers first; the last two are as the lesson has them.
    added = "A cell is z/2 + w - the mean of w over its own pixel's four cells"
    return [
        Case(
            (image([[2.0]]), image([[1.0, 2.0], [3.0, 6.0]])),
            image([[-1.0, 0.0], [1.0, 4.0]]),
            "The worked value: half of 2, plus each of w, minus their mean 3.",
        ),
        case((1, 1, 2, 3), f"{added}."),
        case((2, 3, 4, 5), f"{added}; here of samples with 3 channels."),
        case((3, 2, 1, 4), f"{added}; here of a single row."),
        case((2, 1, 5, 1), f"{added}; here of a single column."),
        case((4, 1, 8, 8), f"{added}; here as the lesson calls it.", normal=True),
        case((4, 1, 8, 8), f"{added}, as the lesson calls it.", torch.float32, True),
    ]


def in_pixels(w):
    """The cells as (B, C, H, 2, W, 2), so that those of a pixel lie in axes 3 and 5."""
    B, C, H, W = w.shape
    return w.reshape(B, C, H // 2, 2, W // 2, 2)


def wrong(of):
    """A mistake: cells made otherwise of z, w and the mean of w, all in the axes of `in_pixels`."""

    def function(z, w):
        parts = in_pixels(w)
        result = of(z[:, :, :, None, :, None], parts, parts.mean((3, 5), keepdim=True))
        return result.expand_as(parts).reshape(w.shape)

    return function


def with_mean(of):
    """A mistake: another mean is taken off; of: w as `in_pixels` has it -> that mean."""
    return wrong(lambda z, w, mean: z / 2 + w - of(w))


def tiled(x):
    """The whole image four times, side by side."""
    return x.repeat(1, 1, 2, 2)


def quarters(w):
    """The mean of four cells that lie half an image apart."""
    B, C, H, W = w.shape
    return w.reshape(B, C, 2, H // 2, 2, W // 2).mean((2, 4))


def spread(x):
    """Each number to its four cells."""
    return x.repeat_interleave(2, -2).repeat_interleave(2, -1)


def own_mean(w):
    """The mean of each pixel's cells, in the shape of z."""
    return in_pixels(w).mean((3, 5))


def from_rows(z, w):
    """Four w that lie in a row count as those of one pixel."""
    rows = w.reshape(*z.shape, 2, 2)
    return (z[..., None, None] / 2 + rows - rows.mean((4, 5), keepdim=True)).reshape(w.shape)


def all_smooth(z, w):
    """Between pixels z and the means of w are interpolated."""
    from torch.nn.functional import interpolate

    return interpolate(z / 2 - own_mean(w), scale_factor=2, mode="bilinear") + w


def smooth(z, w):
    """Between pixels z is interpolated."""
    from torch.nn.functional import interpolate

    return interpolate(z, scale_factor=2, mode="bilinear") / 2 + w - spread(own_mean(w))


def from_channels(z, w):
    """The mean is taken over the channels, too."""
    return spread(z / 2 - own_mean(w).mean(1, keepdim=True)) + w


CELL_MISTAKES = (
    # What is taken of z.
    Mistake(
        "z not halved",
        wrong(lambda z, w, mean: z + w - mean),
        "The sum of four cells must be 2z: each gets half of z, not all.",
    ),
    Mistake(
        "a quarter of z",
        wrong(lambda z, w, mean: z / 4 + w - mean),
        "Each cell gets a quarter of z, so that they sum to z; that has a variance of 1, and a "
        "sum of four cells has 4: z/2.",
    ),
    Mistake(
        "z over a root",
        wrong(lambda z, w, mean: z / 2**0.5 + w - mean),
        "z is divided by the root of 2; by the number of cells along a side, 2, it should be.",
    ),
    Mistake(
        "z doubled",
        wrong(lambda z, w, mean: 2 * z + w - mean),
        "z is doubled; each cell gets half of it.",
    ),
    Mistake(
        "z forgotten",
        wrong(lambda z, w, mean: w - mean),
        "z is not in it: add half of it to each of its cells.",
    ),
    Mistake(
        "z smoothed",
        smooth,
        "z is interpolated between pixels; all four cells of a pixel get the same half of its z.",
    ),
    Mistake(
        "all smoothed",
        all_smooth,
        "z and the means are interpolated between pixels; a pixel's four cells get the same.",
    ),
    Mistake(
        "z tiled",
        lambda z, w: tiled(z) / 2 + w - spread(own_mean(w)),
        "`repeat` lays the whole z side by side; `repeat_interleave` gives each number its cells.",
    ),
    # What is taken of w.
    Mistake(
        "mean kept",
        wrong(lambda z, w, mean: z / 2 + w),
        "The mean of w over each pixel is not taken off, and the sum is no longer 2z.",
    ),
    Mistake(
        "sum taken off",
        wrong(lambda z, w, mean: z / 2 + w - 4 * mean),
        "The sum of w over the pixel is taken off; its mean is asked for.",
    ),
    Mistake(
        "half of the mean taken off",
        wrong(lambda z, w, mean: z / 2 + w - 2 * mean),
        "Twice the mean is taken off: a sum of four is divided by four, not by two.",
    ),
    Mistake(
        "mean of all",
        with_mean(lambda w: w.mean()),
        "The mean of all of w is taken off; each pixel's four cells have a mean of their own.",
    ),
    Mistake(
        "mean of the image",
        with_mean(lambda w: w.mean((2, 3, 4, 5), keepdim=True)),
        "The mean of each image is taken off; each pixel's four cells have a mean of their own.",
    ),
    Mistake(
        "four in a row",
        from_rows,
        "w is reshaped to (H, W, 2, 2): that takes four in a row; a pixel's are in (H, 2, W, 2).",
    ),
    Mistake(
        "mean of two in a row",
        with_mean(lambda w: w.mean(5, keepdim=True)),
        "The mean of two cells in a row is taken off; a pixel has four.",
    ),
    Mistake(
        "mean of two in a column",
        with_mean(lambda w: w.mean(3, keepdim=True)),
        "The mean of two cells in a column is taken off; a pixel has four.",
    ),
    Mistake(
        "mean of the samples",
        with_mean(lambda w: w.mean(0, keepdim=True)),
        "The mean goes over the samples; it goes over the four cells of each pixel.",
    ),
    Mistake(
        "largest for the mean",
        with_mean(lambda w: w.amax((3, 5), keepdim=True)),
        "The largest of the four is taken off; their mean is asked for.",
    ),
    Mistake(
        "first for the mean",
        with_mean(lambda w: w[:, :, :, :1, :, :1]),
        "The first of the four is taken off; their mean is asked for.",
    ),
    Mistake(
        "mean of the channels",
        from_channels,
        "The mean goes over the channels as well; each channel is by itself.",
    ),
    Mistake(
        "mean of quarters",
        lambda z, w: spread(z / 2 - quarters(w)) + w,
        "The four w that are averaged lie half an image apart; they are neighbours, 2 x 2.",
    ),
    Mistake(
        "mean tiled",
        lambda z, w: spread(z) / 2 + w - tiled(own_mean(w)),
        "The means are laid side by side as a whole; each belongs to the four cells of its pixel.",
    ),
    Mistake(
        "both tiled",
        lambda z, w: tiled(z / 2 - own_mean(w)) + w,
        "`repeat` lays the whole image side by side; `repeat_interleave` gives each its cells.",
    ),
    Mistake(
        "four images side by side",
        lambda z, w: tiled(z / 2 - quarters(w)) + w,
        "A pixel's cells lie half an image apart; they lie together, 2 x 2.",
    ),
    Mistake(
        "no w",
        wrong(lambda z, w, mean: z / 2),
        "All four cells are alike; w makes them independent.",
    ),
    Mistake(
        "sum of both",
        wrong(lambda z, w, mean: z + w),
        "z and w are added as they are; halve z, and take the mean of w off.",
    ),
    Mistake(
        "copies of z",
        wrong(lambda z, w, mean: z),
        "Each pixel is copied four times; cells get half of it, and fresh noise.",
    ),
    Mistake(
        "mean alone",
        wrong(lambda z, w, mean: z / 2 - mean),
        "Only the mean of w is taken off; w itself belongs in it, too.",
    ),
    Mistake(
        "mean added",
        wrong(lambda z, w, mean: z / 2 + w + mean),
        "The mean of w is added; take it off.",
    ),
    Mistake(
        "w turned round",
        wrong(lambda z, w, mean: z / 2 + mean - w),
        "It is mean - w here; w stands as it is, and its mean is taken off.",
    ),
    # Scales.
    Mistake(
        "w halved",
        wrong(lambda z, w, mean: z / 2 + (w - mean) / 2),
        "w is halved as well, and cells have too little variance; only z is.",
    ),
    Mistake(
        "all halved",
        wrong(lambda z, w, mean: (z + w) / 2 - mean),
        "z and w are halved; only z is.",
    ),
    Mistake(
        "scaled, not centred",
        wrong(lambda z, w, mean: z / 2 + 0.75**0.5 * w),
        "The variance is right, and the sum is not: take the mean of w off instead of scaling it.",
    ),
    Mistake(
        "weighed alike",
        wrong(lambda z, w, mean: (z + w) / 2**0.5),
        "The variance is right, and the sum is not: halve z, and take the mean of w off.",
    ),
    Mistake(
        "w standardised",
        wrong(lambda z, w, mean: z / 2 + (w - mean) / w.std((3, 5), keepdim=True)),
        "w is divided by its spread in each pixel; only its mean is taken off.",
    ),
    Mistake(
        "scaled to 1",
        wrong(lambda z, w, mean: z / 2 + (4 / 3) ** 0.5 * (w - mean)),
        "w - mean has the variance 3/4, and that is right: z/2 brings the other quarter.",
    ),
)
CELLS = Exercise("7.4", "noise in smaller pieces", 2, 10, cells, cell_cases, CELL_MISTAKES)


EXERCISES = (CELLS,)
