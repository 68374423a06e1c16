"""Triples of lesson 05 (notebook, 3): an image, its sketch, and a reference that has its colours.

References are of five kinds. same: the image itself. published: bent as SSIMBaD does, which may
fold it. warp: bent so that it never folds. turn: the same head turned elsewhere. other: another
head in these colours. The last two must be drawn, so `faces` alone has them.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor

from diffutils import rng
from diffutils.data import ImageSet, to_float, to_uint8
from diffutils.data.drawn import face_references, faces
from diffutils.data.images import PARTS
from diffutils.methods import guidance, sketch
from diffutils.methods.warp import published_controls, safe_controls, warp
from diffutils.metrics import colour

MIXED = ("warp", "turn", "other")  # what a network sees that is to colour by any reference
KINDS = (*MIXED, "published", "same")
BENDS = {  # the control points of a kind, and the colour that comes in from outside
    "warp": (safe_controls, 1.0),
    "published": (published_controls, -1.0),
    "same": (None, 0.0),  # unbent
}
BATCH = 256  # images worked on at a time
STILL = 2**30  # the step of draws that no training makes: for held-out images


@dataclass(frozen=True)
class Part:
    """Images of one part of a set with what stands beside them, uint8: (N, 3, H, W) but sketches.

    images: the true answers.  sketches: (N, 1, H, W).  references: by kind.  Of held-out faces
    also regions, (N, R, H, W), bool, where each colour of the palette belongs, and colours,
    (N, R, 3) in [-1, 1], the median of each in the true answer, nan where no pixel shows it.
    """

    images: Tensor
    sketches: Tensor
    references: dict[str, Tensor]
    regions: Tensor | None = None
    colours: Tensor | None = None

    def cond(self, *kinds: str) -> Tensor:
        """Sketches and these references as the channels of one tensor, (N, 1 + 3 k, H, W)."""
        return torch.cat([self.sketches, *(self.references[kind] for kind in kinds)], 1)

    def cut(self, first: int, last: int) -> "Part":
        """The images from number `first` to before number `last`."""
        fields = {k: v for k, v in vars(self).items() if k != "references"}
        cut = {k: None if v is None else v[first:last] for k, v in fields.items()}
        return Part(references={k: v[first:last] for k, v in self.references.items()}, **cut)

    def first(self, n: int) -> "Part":
        """The first n of all."""
        return self.cut(0, n)


def triples(
    data: ImageSet,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    turned: float = 0.0,
    own_ink: bool = True,
) -> dict[str, Part]:
    """Sketches and references beside the images of both parts, by part; see `beside`."""
    return {part: beside(data, part, kinds, seed, turned, own_ink) for part in PARTS}


def beside(
    data: ImageSet,
    part: str,
    kinds: Sequence[str] = KINDS,
    seed: int = 0,
    turned: float = 0.0,
    own_ink: bool = True,
) -> Part:
    """Sketches and references beside the images of one part, "train" or "heldout".

    data: RGB images; `faces` as `data.load` gives them, in any order.  turned: as in `bent`.
    own_ink: sketches are made of the images as they are; if not, of each face in the colours of the
    one before it, so that the ink (which fills what is black) tells nothing of its own colours.
    Raises: ValueError for grey images, or a kind that these images do not have.
    """
    check(data, kinds)
    images, is_drawn = getattr(data, part), data.name == "faces"
    shape, palette, attributes = drawn_as(data, part) if is_drawn else ({}, {}, {})
    index, size = np.arange(len(images)), data.shape[1]
    # The sketches.
    inked = images if own_ink or not is_drawn else faces.draw(shape, rolled(palette), size)
    sketches = by_parts(lambda x, i: sketched(x, seed, i), inked)
    # The references.
    references = {}
    for kind in [kind for kind in kinds if kind in BENDS]:
        work = partial(bent, kind=kind, seed=seed, step=STILL, turned=turned)
        references[kind] = by_parts(work, images)
    if "turn" in kinds:
        head = face_references.turned(shape, seed, index)
        references["turn"] = faces.draw(head, palette, size)
    if "other" in kinds:
        head = face_references.other_head(attributes, seed, index, part)
        references["other"] = faces.draw(head, palette, size)
    about = {}
    if is_drawn and part == "heldout":
        about = where_colours_belong(regions_of(shape, size), images)
    return Part(images, sketches, references, **about)


def regions_of(shape: dict, size: int) -> Tensor:
    """Where the colours of faces with these shapes belong, (N, R, size, size), bool."""
    return torch.stack([*face_references.regions(shape, size, at_least=0.5).values()], 1)


def where_colours_belong(regions: Tensor, images: Tensor) -> dict[str, Tensor]:
    """Regions and colours of a `Part`, of these true answers."""
    return {"regions": regions, "colours": colour.region_colours(images, regions)}


def cross(data: ImageSet, seed: int = 0) -> Part:
    """Held-out images, each to be coloured like the one before it, which is its reference "cross".

    The sketch is made of the image in its own colours.  Faces are drawn once more in those of the
    other face: the true answer.  Its regions are those pixels where the other face shows something
    else, so that to copy it is to miss.  Of other images there is no true answer; theirs is the
    image as it was, as in the published protocol.
    """
    check(data, ["warp"])
    asked = {
        "sketches": by_parts(lambda x, i: sketched(x, seed, i), data.heldout),
        "references": {"cross": data.heldout.roll(1, 0)},
    }
    if data.name != "faces":
        return Part(images=data.heldout, **asked)
    shape, palette, _ = drawn_as(data, "heldout")
    images = faces.draw(shape, rolled(palette), data.shape[1])
    regions = regions_of(shape, data.shape[1])
    apart = regions & ~regions.roll(1, 0)
    return Part(images=images, **asked, **where_colours_belong(apart, images))


def rolled(palette: dict) -> dict:
    """Each face's colours are those of the one before it."""
    return {name: np.roll(colours, 1, 0) for name, colours in palette.items()}


def check(data: ImageSet, kinds: Sequence[str]) -> None:
    """Raise ValueError unless these images have colours, and references of these kinds."""
    known = [*KINDS] if data.name == "faces" else [*BENDS]
    if wrong := [kind for kind in kinds if kind not in known]:
        raise ValueError(
            f"{data.name} has references of the kind {', '.join(known)}, got {wrong[0]!r}; only "
            "faces can be drawn once more, in another pose or on another head"
        )
    if data.shape[0] != 3:
        raise ValueError(f"{data.name} is grey, so its images have no colours to learn; use RGB")


def kinds_for(data: ImageSet, kinds: Sequence[str], say: Callable = print) -> tuple[str, ...]:
    """Those kinds that these images have, the safe bend where they have none; says what is lost."""
    lost = [] if data.name == "faces" else [kind for kind in kinds if kind not in BENDS]
    if not lost:
        return tuple(kinds)
    kept = tuple(kind for kind in kinds if kind in BENDS) or ("warp",)
    say(
        f"{data.name} has no references of the kind {', '.join(lost)}, which must be drawn; the "
        f"network learns from {', '.join(kept)} alone"
    )
    return kept


def drawn_as(data: ImageSet, part: str) -> tuple[dict, dict, dict]:
    """Shape, palette and attributes of each face of a part, in the order of the set."""
    n, order = len(getattr(data, part)), data.loaded.get("order")
    # `data.images.shuffled` brought the images into this order.
    rows = slice(None) if order is None else np.random.default_rng(order).permutation(n)
    found = faces.parameters(n, data.loaded["seed"], part)
    return tuple({name: values[rows] for name, values in each.items()} for each in found)


def by_parts(work: Callable, images: Tensor) -> Tensor:
    """A function of images and their indices, a part at a time, as uint8."""
    parts = zip(images.split(BATCH), torch.arange(len(images)).split(BATCH), strict=True)
    return torch.cat([to_uint8(work(to_float(x), i)) for x, i in parts])


def sketched(images: Tensor, seed: int, index: Tensor) -> Tensor:
    """The published sketch of images in [-1, 1], each with lines of its own width."""
    return sketch.xdog(images, sketch.published_sigma(seed, STILL, index))


def bent(
    images: Tensor, index: Tensor, kind: str, seed: int, step: int, turned: float = 0.0
) -> Tensor:
    """Images under one of the `BENDS`, drawn for each; turned: also by up to so many degrees.

    SSIMBaD's paper names a rotation; in its code that line is commented out.
    """
    controls, fill = BENDS[kind]
    if controls is None:
        return images
    angle = None
    if turned:
        u = rng.uniform(seed, step, index, 21, rng.AUGMENT)[:, 20]  # controls take those before
        angle = math.radians(turned) * (2 * u - 1)
    return warp(images, *controls(seed, step, index), angle, fill)


def stored(kinds: Sequence[str]) -> list[str]:
    """The kinds that training finds beside its images; what is bent is bent anew in every step."""
    return [kind for kind in kinds if kind not in BENDS]


def recipe(
    kinds: Sequence[str],
    seed: int,
    strength: float = 1.0,
    dropout: float = 0.1,
    turned: float = 0.0,
) -> Callable:
    """The augment of `diffutils.fit` for training on triples: what the network sees in step k.

    Its cond is `Part.cond` of the `stored` kinds.  Each image gets a reference of one kind, drawn
    evenly; image and reference change their colours together (strength 0: not), the sketch does
    not; then sketch and reference are hidden, each from a share of the images.  turned: see `bent`.
    """

    def augment(x0: Tensor, cond: Tensor, k: int, slots: Tensor) -> tuple[Tensor, Tensor]:
        # One reference for each image.
        beside = iter(cond[:, 1:].split(3, 1))
        every = [
            bent(x0, slots, kind, seed, k, turned) if kind in BENDS else next(beside)
            for kind in kinds
        ]
        u = rng.uniform(seed, k, slots, 6, rng.AUGMENT)[:, 5]  # appearance takes those before
        which = (u * len(kinds)).long()
        reference = torch.stack(every, 1)[torch.arange(len(x0), device=x0.device), which]
        # Other colours, the same ones for both.
        change = sketch.appearance(seed, k, slots, strength)
        x0, reference = (sketch.recoloured(x, *change) for x in (x0, reference))
        hidden = guidance.dropped(cond[:, :1], reference, seed, k, slots, dropout, dropout)
        return x0, hidden

    return augment
