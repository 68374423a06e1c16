"""Exercise 5.4: the colour of regions.

Expected results are scikit-image's distances from medians that come from sorted lists.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def region_error(image, masks, colours):
    """CIEDE2000 from each region's median colour to the colour that it should have, (R,)."""
    import numpy as np
    from skimage import color

    found = np.full(len(masks), np.nan)
    for i, (mask, colour) in enumerate(zip(masks, colours, strict=True)):
        if mask.any():
            pair = color.rgb2lab(np.median(image[mask], axis=0)), color.rgb2lab(colour)
            found[i] = color.deltaE_ciede2000(*pair)
    return found


def median(values):
    """The middle of each column, of an even number the mean of both middles."""
    import numpy as np

    return np.median(values, axis=0)


def sorted_at(pixels, place):
    """The value at a place of each column, when it is sorted."""
    import numpy as np

    return np.sort(pixels, axis=0)[place]


def wrong(
    taken=lambda image, mask: image[mask],
    middle=lambda pixels, color: color.rgb2lab(median(pixels)),
    wanted=lambda colour, color: color.rgb2lab(colour),
    distance=lambda one, other, color: color.deltaE_ciede2000(one, other),
    empty=float("nan"),
):
    """`region_error`, of which a mistake replaces one part."""

    def function(image, masks, colours):
        import numpy as np
        from skimage import color

        found = np.full(len(masks), empty)
        for i, (mask, colour) in enumerate(zip(masks, colours, strict=True)):
            if mask.any():
                one = middle(taken(image, mask), color)
                found[i] = distance(one, wanted(colour, color), color)
        return found

    return function


def of_pixels(summary):
    """A mistake: every pixel's distance, of which a summary is taken."""
    return wrong(
        middle=lambda pixels, color: color.rgb2lab(pixels),
        distance=lambda one, other, color: summary(color.deltaE_ciede2000(one, other + 0 * one)),
    )


def left_out(image, masks, colours):
    """A mistake: no entry for a region without a pixel."""
    found = region_error(image, masks, colours)
    return found[found == found]


def square(one, other, color):
    """The plain squared distance of two colours."""
    return ((one - other) ** 2).sum()


def colour_cases(seed) -> list[Case]:
    from statistics import median as middle

    import numpy as np
    from skimage import color

    random = np.random.default_rng(seed)

    def known(image, masks, colours):
        found = []
        for mask, colour in zip(masks, colours, strict=True):
            pixels = [image[y, x].tolist() for y, x in zip(*np.nonzero(mask), strict=True)]
            found.append(float("nan"))
            if pixels:
                rgb = np.array([[middle(channel) for channel in zip(*pixels, strict=True)]])
                found[-1] = color.deltaE_ciede2000(
                    color.rgb2lab(rgb), color.rgb2lab(colour[None])
                ).item()
        return np.array(found)

    def regions(R, H, W, share):
        masks = random.uniform(0, 1, (R, H, W)) < share
        masks[:, 0, 0], masks[:, 1, 1] = True, True
        return masks

    def image(H, W):  # skewed, so that means and medians lie apart
        return np.clip(random.exponential(0.3, (H, W, 3)) ** 1.4 + [0.0, 0.1, 0.25], 0, 1)

    def case(picture, masks, about, dtype=np.float64, tolerance=1e-5):
        colours = random.uniform(0.05, 0.95, (len(masks), 3))
        right = known(picture, masks, colours)
        return Case((picture.astype(dtype), masks, colours), right, about, tolerance)

    # The worked value: the left half is white, and black was asked for.
    halves = np.zeros((3, 4, 3)) + 0.3
    halves[:, :2] = 1.0
    left = (np.arange(12) % 4 < 2).reshape(1, 3, 4)
    # Two pixels and four: a median between two values.  Bands of one region each.
    few = regions(2, 4, 6, 0)
    few[1, 2, 3], few[1, 3, 5] = True, True
    empty = regions(3, 5, 4, 0.4)
    empty[1] = False
    bands = np.arange(64)[None, :, None] // 13 == np.arange(5)[:, None, None]
    bands = np.repeat(bands, 64, axis=2) & (random.uniform(0, 1, (5, 64, 64)) < 0.8)
    each = "Take each region's pixels, their median in each channel, and only then Lab"
    return [
        Case(
            (halves, left, np.zeros((1, 3))),
            np.array([100.0]),
            "The worked value: white where black was asked for is 100 away.",
            1e-4,
        ),
        case(image(5, 7), regions(4, 5, 7, 0.4), f"{each}."),
        case(image(6, 4), regions(3, 6, 4, 0.7), f"{each}; regions may overlap."),
        case(image(4, 6), few, f"{each}; of an even number it is the mean of both middles."),
        case(image(5, 4), empty, "The middle region has no pixel: nan there, and no other."),
        case(image(8, 9), regions(2, 8, 9, 0.5), f"{each}.", np.float32, 1e-3),
        case(image(64, 64), bands, f"{each}; here as the lesson calls it."),
    ]


COLOUR_MISTAKES = (
    # Another colour stands for the region.
    Mistake(
        "mean",
        wrong(middle=lambda pixels, color: color.rgb2lab(pixels.mean(0))),
        "The mean of the pixels is taken, which lines and shadows pull along; take the median.",
    ),
    Mistake(
        "median in Lab",
        wrong(middle=lambda pixels, color: median(color.rgb2lab(pixels))),
        "The median is taken in Lab; take it in RGB, then convert.",
    ),
    Mistake(
        "one median for all channels",
        wrong(middle=lambda pixels, color: color.rgb2lab(median(pixels.ravel()).repeat(3))),
        "One median is taken of all channels together, a grey; take it channel by channel: axis=0.",
    ),
    Mistake(
        "lower median",
        wrong(
            middle=lambda pixels, color: color.rgb2lab(sorted_at(pixels, (len(pixels) - 1) // 2))
        ),
        "Of an even number of pixels the lower middle is taken; np.median takes the mean of both.",
    ),
    Mistake(
        "upper median",
        wrong(middle=lambda pixels, color: color.rgb2lab(sorted_at(pixels, len(pixels) // 2))),
        "Of an even number of pixels the upper middle is taken; np.median takes the mean of both.",
    ),
    Mistake(
        "first pixel",
        wrong(middle=lambda pixels, color: color.rgb2lab(pixels[0])),
        "The first pixel stands for the region; take the median of all of them.",
    ),
    Mistake(
        "pixel in the middle",
        wrong(middle=lambda pixels, color: color.rgb2lab(pixels[len(pixels) // 2])),
        "The pixel in the middle of the list is taken, which is not sorted; use np.median.",
    ),
    Mistake(
        "brightest",
        wrong(middle=lambda pixels, color: color.rgb2lab(pixels.max(0))),
        "The largest value of each channel is taken; take the median.",
    ),
    Mistake(
        "mean of the pixels' distances",
        of_pixels(lambda distances: distances.mean()),
        "Every pixel's distance is taken, and then the mean; first the median colour, then its "
        "distance.",
    ),
    Mistake(
        "median of the pixels' distances",
        of_pixels(median),
        "Every pixel's distance is taken, and then the median; first the median colour, then its "
        "distance.",
    ),
    Mistake(
        "outside of the region",
        wrong(taken=lambda image, mask: image[~mask]),
        "The pixels outside of the region are taken; `image[mask]` has those inside.",
    ),
    Mistake(
        "whole image",
        wrong(taken=lambda image, mask: image.reshape(-1, 3)),
        "The median of the whole image stands for every region; take `image[mask]`.",
    ),
    Mistake(
        "black around",
        wrong(taken=lambda image, mask: (image * mask[..., None]).reshape(-1, 3)),
        "The pixels outside count as black ones; leave them out by `image[mask]`.",
    ),
    Mistake(
        "blue first",
        wrong(middle=lambda pixels, color: color.rgb2lab(median(pixels)[::-1])),
        "The channels are turned round; they are red, green, blue already.",
    ),
    # Another distance.
    Mistake(
        "CIE 1976",
        wrong(distance=lambda one, other, color: color.deltaE_cie76(one, other)),
        "That is the distance of 1976, a plain one in Lab; use deltaE_ciede2000.",
    ),
    Mistake(
        "CIE 1994",
        wrong(distance=lambda one, other, color: color.deltaE_ciede94(one, other)),
        "That is the distance of 1994; use deltaE_ciede2000.",
    ),
    Mistake(
        "CMC",
        wrong(distance=lambda one, other, color: color.deltaE_cmc(one, other)),
        "That is the CMC distance; use deltaE_ciede2000.",
    ),
    Mistake(
        "squared in Lab",
        wrong(distance=square),
        "That is a sum of squares in Lab; use deltaE_ciede2000.",
    ),
    Mistake(
        "RGB for Lab",
        wrong(lambda image, mask: image[mask], lambda p, color: median(p), lambda c, color: c),
        "RGB is handed over as if it were Lab; convert both colours by rgb2lab.",
    ),
    Mistake(
        "RGB times 100",
        wrong(middle=lambda p, color: 100 * median(p), wanted=lambda c, color: 100 * c),
        "RGB times 100 is no Lab; convert both colours by rgb2lab.",
    ),
    Mistake(
        "region not converted",
        wrong(middle=lambda pixels, color: median(pixels)),
        "The region's colour is still RGB; convert it by rgb2lab too.",
    ),
    Mistake(
        "wanted colour not converted",
        wrong(wanted=lambda colour, color: colour),
        "The wanted colour is still RGB; convert it by rgb2lab too.",
    ),
    Mistake(
        "HSV",
        wrong(
            middle=lambda pixels, color: color.rgb2hsv(median(pixels)),
            wanted=lambda colour, color: color.rgb2hsv(colour),
        ),
        "Both colours are converted to HSV; CIEDE2000 is defined in Lab: rgb2lab.",
    ),
    # Another array.
    Mistake(
        "0 for nothing",
        wrong(empty=0.0),
        "A region without a pixel counts as perfect, 0; nothing is known of it: nan.",
    ),
    Mistake(
        "nothing left out",
        left_out,
        "Regions without a pixel are left out; return nan for them, so that the others keep their "
        "places.",
    ),
)
REGION_ERROR = Exercise(
    "5.4",
    "is it the colour that was asked for?",
    2,
    10,
    region_error,
    colour_cases,
    COLOUR_MISTAKES,
)


EXERCISES = (REGION_ERROR,)
