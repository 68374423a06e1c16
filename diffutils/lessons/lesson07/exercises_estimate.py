"""Exercise 7.5: turn what is seen, keep what is noise.

Expected results are known by construction: picture and noise are made apart, and turns move
numbers in NumPy.
"""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def turned_step(x_next, D, turn):
    """The state after a step, its picture turned and its noise as it was."""
    return x_next - D + turn(D)


class Once:
    """A turn that says so where it is called a second time, or on something else than D."""

    def __init__(self, D, turn):
        self.D, self.turn, self.called = D, turn, False

    def __call__(self, images):
        import torch

        if self.called:
            raise RuntimeError("turn is called a second time here; call it once, on D alone")
        self.called = True
        if images.shape != self.D.shape or not torch.allclose(images, self.D, atol=1e-4):
            raise RuntimeError("turn is handed something else than D; call it once, on D alone")
        return self.turn(images)


def step_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    from diffutils.methods.equivariance import rotated

    random = np.random.default_rng(seed)

    def case(shape, turn, known, about, dtype=torch.float64, once=False):
        """A skewed picture and skewed noise; known: what turn does, in NumPy."""
        D, e = (random.exponential(size, shape) ** 1.3 - 0.4 for size in (0.6, 0.9))
        x_next, right, D = (torch.from_numpy(v).to(dtype) for v in (D + e, known(D) + e, D))
        tolerance = 1e-6 if dtype == torch.float64 else 1e-5
        return Case((x_next, D, Once(D, turn) if once else turn), right, about, tolerance)

    def one_by_one(images):
        if len(images) != 3:
            raise ValueError(f"this turn has an angle for each of 3 images, and got {len(images)}")
        pairs = zip(images, (1, 3, 2), strict=True)
        return torch.stack([torch.rot90(image, k, (1, 2)) for image, k in pairs])

    def one_by_one_known(D):
        return np.stack([np.rot90(D[0], 1, (1, 2)), np.rot90(D[1], 3, (1, 2)), D[2, :, ::-1, ::-1]])

    def small(images):
        return rotated(images, 9.0)

    def small_known(D):
        return rotated(torch.from_numpy(D), 9.0).numpy()

    def row(*values):
        return torch.tensor(values, dtype=torch.float64)[None, None, None]

    # Turns that change a picture much and little; last three as the lesson has them.
    kept = "What is left of x_next without D is noise, and stays; D is turned"
    as_called = f"{kept}; here as the lesson calls it."
    square = (4, 3, 16, 16)
    return [
        Case(
            (row(4, 4), row(1, 2), lambda images: images.flip(-1)),
            row(5, 3),
            "The worked value: the noise is [3, 2], and the picture turned [2, 1].",
        ),
        case((2, 3, 4, 6), lambda v: v.flip(-2, -1), lambda D: D[..., ::-1, ::-1], f"{kept}."),
        case(
            (1, 2, 5, 5),
            lambda v: torch.rot90(v, 1, (2, 3)),
            lambda D: np.rot90(D, 1, (2, 3)),
            f"{kept}; here by a quarter.",
        ),
        case((3, 1, 5, 5), one_by_one, one_by_one_known, f"{kept}; each image by its own angle."),
        case((2, 1, 7, 3), lambda v: v, lambda D: D, "A turn by nothing: the state stays."),
        case(square, small, small_known, as_called),
        case(square, small, small_known, as_called, torch.float32),
        case(square, small, small_known, f"{kept}, in one call.", torch.float32, once=True),
    ]


STEP_MISTAKES = (
    Mistake(
        "state turned",
        lambda x, D, turn: turn(x),
        "The whole state is turned, noise and all, as in the published code; turn D alone.",
    ),
    Mistake(
        "noise dropped",
        lambda x, D, turn: turn(D),
        "That is the turned picture; the noise x_next - D belongs to the state.",
    ),
    Mistake(
        "picture twice",
        lambda x, D, turn: x + turn(D),
        "D is still in x_next, so there are two pictures; take it out.",
    ),
    Mistake(
        "noise turned",
        lambda x, D, turn: D + turn(x - D),
        "The noise is turned, and the picture stays; it is the other way round.",
    ),
    Mistake(
        "noise alone",
        lambda x, D, turn: x - D,
        "That is the noise; add the turned picture.",
    ),
    Mistake(
        "picture taken off a turned state",
        lambda x, D, turn: turn(x) - D,
        "The state is turned, and D taken off as it was; turn D, and add x_next - D.",
    ),
    Mistake(
        "difference alone",
        lambda x, D, turn: turn(D) - D,
        "That is what changes; add it to x_next.",
    ),
    Mistake(
        "noise alone, turned",
        lambda x, D, turn: turn(x - D),
        "That is the noise, turned; it stays as it is, and turn(D) is added.",
    ),
    Mistake(
        "nothing turned",
        lambda x, D, turn: x + 0,
        "That is x_next as it came; put turn(D) in the place of D.",
    ),
    Mistake(
        "estimate as it came",
        lambda x, D, turn: D + 0,
        "That is D as it came; turn it, and add the noise.",
    ),
    Mistake(
        "minus the noise",
        lambda x, D, turn: turn(D) + D - x,
        "The noise has the wrong sign: it is x_next - D.",
    ),
    Mistake(
        "minus the state",
        lambda x, D, turn: turn(D) - x,
        "The state is taken off; take D off x_next, and add turn(D).",
    ),
    Mistake(
        "picture taken off twice",
        lambda x, D, turn: x - 2 * D + turn(D),
        "D is taken off twice; once is enough, and then x_next - D is the noise.",
    ),
    Mistake(
        "noise twice",
        lambda x, D, turn: turn(D) + 2 * (x - D),
        "The noise is added twice; it stays as it is.",
    ),
    Mistake(
        "noise of spread 1",
        lambda x, D, turn: turn(D) + (x - D) / (x - D).std(),
        "The noise is divided by its spread; leave it as it is.",
    ),
    Mistake(
        "picture clamped",
        lambda x, D, turn: x - D + turn(D).clamp(-1, 1),
        "The picture is clamped; put turn(D) in as it comes.",
    ),
    Mistake(
        "state clamped",
        lambda x, D, turn: (x - D + turn(D)).clamp(-1, 1),
        "The state is clamped, and noise is lost; return it as it is.",
    ),
    Mistake(
        "turned again",
        lambda x, D, turn: turn(x - D + turn(D)),
        "The right state is turned once more, noise and all; one turn, of D, is enough.",
    ),
    Mistake(
        "signs swapped",
        lambda x, D, turn: x + D - turn(D),
        "D is added and turn(D) taken off; it is the other way round.",
    ),
    Mistake(
        "turned picture taken off",
        lambda x, D, turn: x - turn(D),
        "The turned picture is taken off; take D off, and add turn(D).",
    ),
    Mistake(
        "turned twice",
        lambda x, D, turn: turn(turn(D)) + x - D,
        "The picture is turned twice; one call is enough.",
    ),
    Mistake(
        "noise of another picture",
        lambda x, D, turn: turn(x) - D + turn(D),
        "The whole state is turned before D is taken off; the noise is x_next - D.",
    ),
    Mistake(
        "turned out of a turned state",
        lambda x, D, turn: turn(x) + x - D,
        "Turned and unturned noise are added; the noise belongs in it once, as it is.",
    ),
    Mistake(
        "half of each",
        lambda x, D, turn: (x + turn(D)) / 2,
        "That is a mean of state and picture; take D out, and put turn(D) in.",
    ),
)
STEP = Exercise(
    "7.5",
    "turn what is seen, keep what is noise",
    1,
    5,
    turned_step,
    step_cases,
    STEP_MISTAKES,
)


EXERCISES = (STEP,)
