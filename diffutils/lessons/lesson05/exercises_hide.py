"""Exercise 5.2: sketches and references hidden at times.  Expected results come image by image."""

from diffutils.course.exercises.model import Case, Exercise, Mistake


def hide(sketch, reference, u_sketch, u_reference, p):
    """The condition (B, 4, H, W), of which parts are hidden."""
    import torch

    s = torch.where(u_sketch.view(-1, 1, 1, 1) < p, 0.0, sketch)
    r = torch.where(u_reference.view(-1, 1, 1, 1) < p, 0.0, reference)
    return torch.cat([s, r], 1)


def wrong(
    lost=lambda u, v, p: (u < p, v < p),
    grey=lambda image: 0.0,
    kept=lambda image, p: image,
    order=lambda s, r: [s, r],
):
    """`hide`, of which a mistake replaces one part; lost: which sketches, which references."""

    def function(sketch, reference, u_sketch, u_reference, p):
        import torch

        def part(image, gone):
            gone = gone.view(-1, 1, 1, 1).expand_as(image)
            return torch.where(gone, grey(image), kept(image, p))

        gone = lost(u_sketch, u_reference, p)
        parts = [part(image, one) for image, one in zip((sketch, reference), gone, strict=True)]
        return torch.cat(order(*parts), 1)

    return function


def hide_cases(seed) -> list[Case]:
    import numpy as np
    import torch

    random = np.random.default_rng(seed)

    def case(u_sketch, u_reference, size, p, about, dtype=torch.float64):
        B = len(u_sketch)
        draws = [torch.tensor(u).to(dtype) for u in (u_sketch, u_reference)]
        images = [random.exponential(0.5, (B, c, *size)) ** 1.3 - 0.9 for c in (1, 3)]
        images = [torch.from_numpy(image).to(dtype) for image in images]
        # Image by image: both parts into a condition that is grey.
        known = torch.zeros(B, 4, *size, dtype=dtype)
        for i in range(B):
            if float(draws[0][i]) >= p:
                known[i, 0] = images[0][i, 0]
            if float(draws[1][i]) >= p:
                known[i, 1:] = images[1][i]
        return Case((*images, *draws, p), known, about)

    def mixed(B, p):
        """Draws of which some lie below p and some above: all four pairs, in random order."""
        low, high = random.uniform(0, p, (2, B)), random.uniform(p, 1, (2, B))
        turn = random.permutation(B)
        below = np.stack([turn % 4 < 2, turn % 2 < 1])
        return np.where(below, low, high).tolist()

    each = "Every image has two draws of its own: one for its sketch, one for its reference"
    lesson = random.uniform(0, 1, (2, 32))
    lesson[:, [3, 20]], lesson[0, 11], lesson[1, 27] = 0.04, 0.07, 0.09
    return [
        case(
            [0.05, 0.5],
            [0.7, 0.02],
            (3, 4),
            0.1,
            "The worked value: image 0 loses its sketch, image 1 its reference.",
        ),
        case(*mixed(7, 0.3), (5, 3), 0.3, f"{each}."),
        case(*mixed(4, 0.6), (2, 5), 0.6, f"{each}; the two are independent."),
        case(
            [0.25, 0.125, 0.5],
            [0.375, 0.25, 0.0],
            (4, 2),
            0.25,
            "A draw that is p exactly hides nothing: the rule is u < p.",
        ),
        case(
            [0.3, 0.0, 0.9],
            [0.0, 0.4, 0.6],
            (2, 3),
            0.0,
            "With p = 0 nothing is hidden, also where a draw is 0.",
        ),
        case([0.3, 0.99], [0.0, 0.4], (3, 2), 1.0, "With p = 1 everything is hidden."),
        case(
            *lesson.tolist(),
            (32, 32),
            0.1,
            f"{each}; here 32 images in single precision, as the lesson calls it.",
            torch.float32,
        ),
    ]


HIDE_MISTAKES = (
    # Another choice of what is hidden.
    Mistake(
        "hidden above p",
        wrong(lambda u, v, p: (u > p, v > p)),
        "It hides where the draw is above p, so nearly always; hide where u < p.",
    ),
    Mistake(
        "hidden from p on",
        wrong(lambda u, v, p: (u >= p, v >= p)),
        "Hidden and kept are swapped: hide where u < p.",
    ),
    Mistake(
        "p itself hides",
        wrong(lambda u, v, p: (u <= p, v <= p)),
        "A draw that is p exactly hides too; the rule is u < p, so that p = 0 hides nothing.",
    ),
    Mistake(
        "both by the sketch's draw",
        wrong(lambda u, v, p: (u < p, u < p)),
        "The sketch's draw decides about the reference too; use `u_reference` for it.",
    ),
    Mistake(
        "both by the reference's draw",
        wrong(lambda u, v, p: (v < p, v < p)),
        "The reference's draw decides about the sketch too; use `u_sketch` for it.",
    ),
    Mistake(
        "draws swapped",
        wrong(lambda u, v, p: (v < p, u < p)),
        "The draws are swapped: `u_sketch` decides about the sketch.",
    ),
    Mistake(
        "hidden together",
        wrong(lambda u, v, p: ((u < p) | (v < p), (u < p) | (v < p))),
        "Where one is hidden, the other is too; then no image shows its sketch alone.",
    ),
    Mistake(
        "only both at once",
        wrong(lambda u, v, p: ((u < p) & (v < p), (u < p) & (v < p))),
        "Something is hidden only where both draws are below p; each decides for itself.",
    ),
    Mistake(
        "never both",
        wrong(lambda u, v, p: (u < p, (v < p) & (u >= p))),
        "A reference stays where the sketch is gone; the two draws are independent.",
    ),
    Mistake(
        "reference with the sketch",
        wrong(lambda u, v, p: (u < p, (v < p) | (u < p))),
        "The reference is lost wherever the sketch is; it has a draw of its own.",
    ),
    Mistake(
        "sketch with the reference",
        wrong(lambda u, v, p: ((u < p) | (v < p), v < p)),
        "The sketch is lost wherever the reference is; it has a draw of its own.",
    ),
    Mistake(
        "sketch alone hidden",
        wrong(lambda u, v, p: (u < p, v < 0)),
        "References are never hidden; they are lost where `u_reference` is below p.",
    ),
    Mistake(
        "reference alone hidden",
        wrong(lambda u, v, p: (u < 0, v < p)),
        "Sketches are never hidden; they are lost where `u_sketch` is below p.",
    ),
    Mistake(
        "nothing hidden",
        wrong(lambda u, v, p: (u < 0, v < 0)),
        "Nothing is hidden; replace a part by 0 where its draw is below p.",
    ),
    Mistake(
        "one draw for the batch",
        wrong(lambda u, v, p: ((u < p)[:1].expand_as(u), (v < p)[:1].expand_as(v))),
        "The first image's draws decide for the whole batch; each image has its own.",
    ),
    Mistake(
        "any draw for the batch",
        wrong(lambda u, v, p: ((u < p).any().expand_as(u), (v < p).any().expand_as(v))),
        "One low draw hides the part of all images; each image has its own draw.",
    ),
    Mistake(
        "product of the draws",
        wrong(lambda u, v, p: (u * v < p, u * v < p)),
        "The draws are multiplied; compare each of them with p.",
    ),
    Mistake(
        "1 - p",
        wrong(lambda u, v, p: (u < 1 - p, v < 1 - p)),
        "It hides with the share 1 - p; p is the share that is hidden.",
    ),
    # Another grey, another scale, another order.
    Mistake(
        "black",
        wrong(grey=lambda image: -1.0),
        "Hidden parts are -1, black; mid-grey is 0 in [-1, 1].",
    ),
    Mistake(
        "white",
        wrong(grey=lambda image: 1.0),
        "Hidden parts are 1, white like paper; mid-grey is 0 in [-1, 1].",
    ),
    Mistake(
        "half",
        wrong(grey=lambda image: 0.5),
        "Hidden parts are 0.5, the mid-grey of [0, 1]; in [-1, 1] it is 0.",
    ),
    Mistake(
        "mean colour",
        wrong(grey=lambda image: image.mean((1, 2, 3), keepdim=True)),
        "Hidden parts hold the image's mean, which still says something of it; they are 0.",
    ),
    Mistake(
        "scaled as dropout",
        wrong(kept=lambda image, p: image / (1 - p) if p < 1 else image),
        "What stays is divided by 1 - p, as dropout does; here it stays as it is.",
    ),
    Mistake(
        "reference first",
        wrong(order=lambda s, r: [r, s]),
        "The reference's channels come first; the sketch's channel does.",
    ),
    Mistake(
        "sketch last, channels turned",
        wrong(order=lambda s, r: [s, r.flip(1)]),
        "The reference's channels are turned round; keep red, green, blue.",
    ),
)
HIDE = Exercise("5.2", "hide and seek", 2, 10, hide, hide_cases, HIDE_MISTAKES)


EXERCISES = (HIDE,)
