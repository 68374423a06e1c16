"""Exercise 5.6: does a method see the answer?  Expected results are known by construction."""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def leaks(method, sketch, reference, truth, other, seed):
    """Whether a method's images depend on the truth that it is handed."""
    images = [method(sketch, reference, t, seed) for t in (truth, other)]
    return bool((images[0] - images[1]).abs().max() > 1e-6)


def wrong(
    apart=lambda a, b: (a - b).abs().max() > 1e-6,
    first=lambda method, sketch, reference, truth, other, seed: method(
        sketch, reference, truth, seed
    ),
    second=lambda method, sketch, reference, truth, other, seed: method(
        sketch, reference, other, seed
    ),
):
    """`leaks`, of which a mistake replaces one part; apart: whether the two results differ."""

    def function(*given):
        return bool(apart(first(*given), second(*given)))

    return function


def leak_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def noise(shape, seed):
        generator = torch.Generator().manual_seed(seed)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    def drawn(reference, seed):  # honest, but never the same for two seeds
        return 0.6 * reference + 0.3 * noise(reference.shape, seed).to(reference)

    def one_pixel(size):
        def method(sketch, reference, truth, seed):
            images = 0.7 * reference
            images[-1, 1, -1, 2] += size * truth[-1, 1, -1, 2]
            return images

        return method

    def made(B, size, dtype):
        """Sketch, reference, truth and other; truth and other have no value near each other."""
        values = [random.uniform(-1, 1, (B, c, *size)) for c in (1, 3, 3)]
        far = random.uniform(0.3, 0.9, (B, 3, *size)) * np.where(values[2] > 0, -1, 1)
        return [torch.from_numpy(v).to(dtype) for v in (*values, values[2] + far)]

    def case(method, known, about, change=None, seed=5, B=2, size=(4, 5), dtype=torch.float64):
        given = made(B, size, dtype)
        given = change(*given) if change else given
        return Case((method, *given, seed), known, about)

    def lower(sketch, reference, truth, other):
        return sketch, reference, truth, truth + 0.4 * other.abs() + 0.1

    def dark(sketch, reference, truth, other):
        truth[:, 0] = 0.0
        return sketch, reference, truth, other

    def alike_above(sketch, reference, truth, other):
        other[:, :, 0] = truth[:, :, 0]
        return sketch, reference, truth, other

    # Some leak, some do not; the last is as the lesson has it.
    return [
        case(
            lambda s, r, t, seed: r + 0.001 * t,
            True,
            "The worked value: a method that adds 0.001 * truth leaks: True.",
        ),
        case(lambda s, r, t, seed: s.expand_as(r), False, "It uses the sketch alone: False."),
        case(
            lambda s, r, t, seed: 0.5 * r,
            False,
            "It uses the reference alone: False.",
            lambda s, r, t, o: (s, r, 0.5 * r, o),
        ),
        case(
            lambda s, r, t, seed: drawn(r, seed),
            False,
            "It draws noise by its seed and is honest: both calls need the same seed: False.",
        ),
        case(one_pixel(0.01), True, "It leaks in one pixel of the last image alone: True."),
        case(
            lambda s, r, t, seed: r + 0.1 * t,
            True,
            "All its images grow darker with `truth` than with `other`: True.",
            lower,
        ),
        case(
            lambda s, r, t, seed: r - 0.1 * t,
            True,
            "All its images grow brighter with `truth` than with `other`: True.",
            lower,
        ),
        case(
            lambda s, r, t, seed: r + 0.01 * (t - t.flip(-1)),
            True,
            "Its differences cancel in the sum, and still are differences: True.",
        ),
        case(
            lambda s, r, t, seed: 0.9 + 0.05 * r + 3e-7 * t,
            False,
            "Its images differ by less than 1e-6 everywhere, as rounding may do: False.",
        ),
        case(
            one_pixel(5e-7),
            False,
            "One pixel differs, which is nearly 0, by less than 1e-6: False.",
            lambda s, r, t, o: (s, 1e-3 * r, t, o),
        ),
        case(
            lambda s, r, t, seed: 0.9 + 0.05 * r + 4e-6 * (t > 0),
            True,
            "Its images differ by 4e-6, which is more than 1e-6: True.",
        ),
        case(
            lambda s, r, t, seed: r + 0.2 * t * (seed % 2),
            True,
            "It leaks with some seeds, and with the one that is handed over: True.",
            seed=7,
        ),
        case(
            lambda s, r, t, seed: r + 0.2 * t * (seed % 2),
            False,
            "It leaks with some seeds, but not with the one that is handed over: False.",
            seed=4,
        ),
        case(
            lambda s, r, t, seed: r + 0.004 * t[:, :1],
            True,
            "It leaks one channel, in which `truth` is 0 and `other` is not: True.",
            dark,
        ),
        case(
            lambda s, r, t, seed: r + 0.3 * t[:, :, :1],
            False,
            "It looks at the top row, in which `truth` and `other` agree: False.",
            alike_above,
        ),
        case(
            lambda s, r, t, seed: s + t.mean((1, 2, 3), keepdim=True),
            True,
            "It takes its brightness from the truth: True.",
        ),
        case(
            lambda s, r, t, seed: drawn(r, seed),
            False,
            "It draws noise and is honest, here with images as the lesson has them: False.",
            B=8,
            size=(32, 32),
            dtype=torch.float32,
        ),
        case(
            one_pixel(3e-5),
            True,
            "It leaks in one pixel of 24,576, by little, here as the lesson calls it: True.",
            B=8,
            size=(32, 32),
            dtype=torch.float32,
        ),
    ]


def close(a, b):
    """What torch.allclose calls close, by its own tolerances."""
    return bool(((a - b).abs() <= 1e-8 + 1e-5 * b.abs()).all())


LEAK_MISTAKES = (
    # The two results are compared in another way.
    Mistake(
        "turned round",
        wrong(lambda a, b: (a - b).abs().max() <= 1e-6),
        "True and False are swapped: True says that the method leaks.",
    ),
    Mistake(
        "any difference",
        wrong(lambda a, b: (a != b).any()),
        "Any difference counts, even one that rounding makes; only more than 1e-6 does.",
    ),
    Mistake(
        "allclose",
        wrong(lambda a, b: not close(a, b)),
        "`allclose` also allows a share of 1e-5 of the values; allow 1e-6, whatever they are.",
    ),
    Mistake(
        "a share",
        wrong(lambda a, b: ((a - b).abs() / b.abs()).max() > 1e-6),
        "The difference is divided by the images; it is compared as it is.",
    ),
    Mistake(
        "too forgiving",
        wrong(lambda a, b: (a - b).abs().max() > 1e-4),
        "Small differences are let pass; more than 1e-6 is a leak.",
    ),
    Mistake(
        "eight bits",
        wrong(lambda a, b: (a - b).abs().max() > 1 / 255),
        "Differences that no eye sees are let pass; more than 1e-6 is a leak.",
    ),
    Mistake(
        "mean",
        wrong(lambda a, b: (a - b).abs().mean() > 1e-6),
        "The mean difference hides a leak in few pixels; take the largest.",
    ),
    Mistake(
        "mean square",
        wrong(lambda a, b: (a - b).square().mean() > 1e-6),
        "The mean square hides small leaks and leaks in few pixels; take the largest difference.",
    ),
    Mistake(
        "largest square",
        wrong(lambda a, b: (a - b).square().max() > 1e-6),
        "Squares are compared with 1e-6, which lets 1e-3 pass; compare differences.",
    ),
    Mistake(
        "sum",
        wrong(lambda a, b: (a - b).sum().abs() > 1e-6),
        "Differences cancel in their sum; take the largest, without its sign.",
    ),
    Mistake(
        "means of the images",
        wrong(lambda a, b: (a.mean() - b.mean()).abs() > 1e-6),
        "The means of the images are compared, in which leaks cancel or vanish; compare pixels.",
    ),
    Mistake(
        "sum of the sizes",
        wrong(lambda a, b: (a - b).abs().sum() > 1e-6),
        "Many differences below 1e-6 add up to more; take the largest.",
    ),
    Mistake(
        "no sign",
        wrong(lambda a, b: (a - b).max() > 1e-6),
        "Negative differences are overlooked: take `.abs()` before `.max()`.",
    ),
    Mistake(
        "no sign, turned round",
        wrong(lambda a, b: (b - a).max() > 1e-6),
        "Differences of one sign are overlooked: take `.abs()` before `.max()`.",
    ),
    Mistake(
        "everywhere",
        wrong(lambda a, b: ((a - b).abs() > 1e-6).all()),
        "A leak must show in every pixel here; one pixel is enough.",
    ),
    Mistake(
        "first image",
        wrong(lambda a, b: (a[0] - b[0]).abs().max() > 1e-6),
        "Only the first image is compared; the leak may be in another.",
    ),
    # Something else is compared.
    Mistake(
        "always",
        wrong(lambda a, b: True),
        "It says True of every method; an honest one gives the same images twice.",
    ),
    Mistake(
        "never",
        wrong(lambda a, b: False),
        "It says False of every method; one that adds 0.001 * truth leaks.",
    ),
    Mistake(
        "other seed",
        wrong(second=lambda method, s, r, t, o, seed: method(s, r, o, seed + 1)),
        "The second call has another seed, so honest methods that draw noise differ too.",
    ),
    Mistake(
        "seed 0",
        lambda method, s, r, t, o, seed: leaks(method, s, r, t, o, 0),
        "The seed is 0 in both calls; hand over `seed`.",
    ),
    Mistake(
        "against the truth",
        wrong(second=lambda method, s, r, t, o, seed: t),
        "The images are compared with the truth itself; compare those for two truths.",
    ),
    Mistake(
        "not against the truth",
        wrong(lambda a, b: (a - b).abs().max() <= 1e-6, second=lambda m, s, r, t, o, seed: t),
        "A method that leaks need not return the truth; compare its images for two truths.",
    ),
    Mistake(
        "truth hidden",
        wrong(second=lambda method, s, r, t, o, seed: method(s, r, 0 * t, seed)),
        "The second call has zeros for the truth; hand over `other`.",
    ),
    Mistake(
        "reference swapped",
        wrong(second=lambda method, s, r, t, o, seed: method(s, o, o, seed)),
        "The second call has `other` for the reference too; everything else stays equal.",
    ),
    Mistake(
        "arguments swapped",
        lambda method, s, r, t, o, seed: wrong()(
            lambda s, t, r, seed: method(s, r, t, seed), s, r, t, o, seed
        ),
        "`truth` is handed over where the reference belongs: method(sketch, reference, truth, "
        "seed).",
    ),
)
LEAKS = Exercise("5.6", "which number is worth nothing?", 2, 10, leaks, leak_cases, LEAK_MISTAKES)


EXERCISES = (LEAKS,)
