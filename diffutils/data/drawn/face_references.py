"""Other pictures in the colours of a drawn face, and which pixels have which of its colours."""

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from diffutils.data.drawn import faces
from diffutils.data.drawn.face_parameters import heldout_combination

Numbers = dict[str, np.ndarray]

REGIONS = ("hair", "skin", "eye", "cloth", "ground")  # colours of the palette, and what has them
POSE = ("x", "y", "scale", "turn", "tilt")
MOOD = ("gaze_x", "gaze_y", "mouth", "mouth_curve", "mouth_width", "brow_arch", "brow_slope")
FAR = 2**26  # faces of a set end long before this one: those behind lend heads and poses
TRIES = 20
APART = 0.15  # of two turns, in head units: left and front differ by 0.2


def others(n: int, seed: int, split: str) -> tuple[Numbers, Numbers]:
    """The shapes of n other faces, one for each face of a split, and the palettes they have.

    No training face meets a head whose hair would make a combination that is held out.
    """
    _, _, own = faces.parameters(n, seed, split)
    shape, palette, lent = faces.parameters(n, seed, split, start=FAR)
    for k in range(2, TRIES):
        out = heldout_combination(lent["hair_style"], own["hair_colour"], own["eye_colour"])
        if split == "heldout" or not out.any():
            break
        new = faces.parameters(n, seed, split, start=k * FAR)
        for old, fresh in zip((shape, palette, lent), new, strict=True):
            for name in old:
                old[name] = old[name].copy()
                old[name][out] = fresh[name][out]
    return shape, palette


def turned(shape: Numbers, other: Numbers) -> Numbers:
    """The same heads in the pose and mood of others, and clearly turned elsewhere."""
    pose = {name: other[name].copy() for name in POSE + MOOD}
    was, now = shape["turn"], pose["turn"]
    # A head that would look the same way looks to the other side, from the front to the right.
    aside = np.where(np.abs(was) < 0.1, np.float32(0.2), -was)
    pose["turn"] = np.where(np.abs(was - now) < APART, aside, now).astype(np.float32)
    return shape | pose


def regions(shape: Numbers, palette: Numbers, size: int) -> Bool[Tensor, "n R size size"]:
    """Where each of `REGIONS` has its flat colour, free of lines, shades and light.

    Every brush mixes colours linearly, so a palette that is 1 at "hair" and 0 elsewhere paints
    the share of hair in each pixel, and three of them fit into red, green and blue.
    Raises: ValueError as `faces.draw`.
    """
    shares = [share(shape, palette, names, size) for names in (REGIONS[:3], REGIONS[3:])]
    return torch.cat(shares, 1)[:, : len(REGIONS)] >= 250


def share(
    shape: Numbers, palette: Numbers, names: tuple[str, ...], size: int
) -> UInt8[Tensor, "n 3 size size"]:
    """How much of each pixel has these colours of the palette, at most three: 255 is all of it."""
    marks = {name: np.zeros_like(colour) for name, colour in palette.items()}
    for channel, name in enumerate(names):
        marks[name][:, channel] = 1
    return faces.draw(shape, marks, size)
