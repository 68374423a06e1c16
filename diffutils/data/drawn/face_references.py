"""References for colouring a drawn face, and the pixels that show each of its colours.

A face is `draw(shape, palette, size)`. Its reference shows the same palette on the same head turned
otherwise, `draw(turned(...), palette, size)`, or on another head, `draw(other_head(...), palette,
size)`. "This face in that face's colours" has an exact answer: `draw(shape, other palette, size)`.
"""

import numpy as np
import torch
from jaxtyping import Bool, Float32
from torch import Tensor

from diffutils.data.drawn.face_parameters import (
    ATTRIBUTES,
    SPLITS,
    draw_attributes,
    draw_shape,
    heldout_combination,
)
from diffutils.data.drawn.faces import Numbers, draw, parameters
from diffutils.rng import uniform

STREAM = 102  # of random numbers: no other part of the package draws from it
TURN, TILT = 0.1, 0.04  # between a head that looks ahead, or upright, and one that does not
POSE = ("x", "y", "scale", "turn", "tilt", "gaze_x", "gaze_y")
EXPRESSION = ("brow_arch", "brow_slope", "mouth", "mouth_curve", "mouth_width")
REGIONS = {"hair": "hair", "skin": "skin", "eye": "eye", "cloth": "cloth", "background": "ground"}
FLAT = 0.95  # a pixel shows a colour when that covers so much of it


def turned(shape: Numbers, seed: int, index: np.ndarray) -> Numbers:
    """The same heads in another pose: shape numbers for `draw`.

    Turn and tilt each change to one of the two other sides; place, scale, gaze, brows and mouth are
    drawn anew, as in `faces.parameters`. All else stays: head, eyes, hair, clothes, background.
    Face i depends on (seed, index[i]) and its own shape alone; index: int64 (n,).
    """
    u = _uniforms(seed, 0, index)
    fresh = draw_attributes(u[:, :20], "train")
    for column, (name, limit) in enumerate({"turn": TURN, "tilt": TILT}.items(), start=20):
        side = 1 + np.sign(shape[name]) * (abs(shape[name]) > limit)  # 0 left, 1 neither, 2 right
        fresh[name] = (side + 1 + (u[:, column] >= 0.5)).astype(np.int64) % 3
    numbers = draw_shape(fresh, u[:, 60:])
    return {**shape, **{name: numbers[name] for name in (*POSE, *EXPRESSION)}}


def other_head(attributes: Numbers, seed: int, index: np.ndarray, split: str = "train") -> Numbers:
    """Independently drawn heads that may wear the palettes of faces with these attributes.

    Shape numbers for `draw`; no face of `faces.parameters` has them. Of the split "train" a head
    never completes a held-out combination of hair style, hair colour and eye colour; of "heldout"
    it may have any hair style. Face i depends on (seed, split, index[i]) and its own attributes.

    Raises:
        ValueError: split is neither "train" nor "heldout".
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; choose one of {', '.join(SPLITS)}.")
    u = _uniforms(seed, 1 + SPLITS.index(split), index)
    head = draw_attributes(u[:, :20], split)
    if split == "train":
        # At most one of the hair styles is held out for given colours, so the next one is not.
        style = head["hair_style"]
        bad = heldout_combination(style, attributes["hair_colour"], attributes["eye_colour"])
        head["hair_style"] = (style + bad) % len(ATTRIBUTES["hair_style"])
    return draw_shape(head, u[:, 60:])


def coverage(shape: Numbers, size: int, names: tuple[str, ...]) -> Float32[Tensor, "n R H H"]:
    """How much of each pixel shows each of these colours of the palette: (n, R, size, size).

    Drawing blends colours linearly, so a face whose colour is 1 where all others are 0 is the
    coverage itself; three colours fit into the channels of one picture. In [0, 1], multiples of
    1/255; over all names of a palette they sum to 1.

    Raises:
        KeyError: a name is not in the palette. ValueError: as `draw`.
    """
    n = len(shape["x"])
    pictures = []
    for start in range(0, len(names), 3):
        palette = {name: np.zeros((n, 3), dtype=np.float32) for name in parameters(0)[1]}
        for channel, name in enumerate(names[start : start + 3]):
            palette[name][:, channel] = 1
        pictures.append(draw(shape, palette, size))
    return torch.cat(pictures, dim=1)[:, : len(names)].float() / 255


def regions(shape: Numbers, size: int, at_least: float = FLAT) -> dict[str, Bool[Tensor, "n H H"]]:
    """The pixels that show the flat colour of hair, skin, eye, cloth, background: `REGIONS`.

    True where that colour covers at least so much of a pixel: by default no lines, shades or
    highlights, so a median over a region is `region_palette`. Small regions may be empty: the eye
    in all faces of 32 pixels and a fifth of those of 64. With at_least = 0.5 every eye of 64 pixels
    has some, mixed with other colours: compare those with the medians of the true rendering.

    Raises:
        ValueError: as `draw`.
    """
    masks = coverage(shape, size, tuple(REGIONS.values())) >= at_least
    return dict(zip(REGIONS, masks.unbind(1), strict=True))


def region_palette(palette: Numbers) -> Float32[Tensor, "n R 3"]:
    """The true colours of `REGIONS`, in their order: (n, R, 3), in [-1, 1] as images are."""
    colours = np.stack([palette[name] for name in REGIONS.values()], axis=1)
    return torch.from_numpy(colours) * 2 - 1


def _uniforms(seed: int, step: int, index: np.ndarray) -> np.ndarray:
    """160 numbers in [0, 1) for every index, as many as `faces.parameters` draws."""
    return uniform(seed, step, torch.as_tensor(index), 160, stream=STREAM).numpy()
