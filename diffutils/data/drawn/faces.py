"""Cartoon faces drawn by code at any size, with their attributes: endless, seeded, no download.

Shape and colours of a face are separate, so `draw(shape_of_one, palette_of_another, size)` is the
exact answer to "this face in that face's colours".
"""

import numpy as np
import torch
from jaxtyping import Int64, UInt8
from torch import Tensor

from diffutils.data.drawn import face_drawing as back
from diffutils.data.drawn import face_parts as front
from diffutils.data.drawn.face_parameters import (
    ATTRIBUTES,
    SPLITS,
    draw_attributes,
    draw_palette,
    draw_shape,
    heldout_combination,
    uniforms,
)

__all__ = ["ATTRIBUTES", "SPLITS", "draw", "faces", "heldout_combination", "parameters"]

Numbers = dict[str, np.ndarray]
CHUNK = 2**18  # pixels drawn at a time: what stays in the processor's cache


def parameters(
    n: int, seed: int = 0, split: str = "train", start: int = 0
) -> tuple[Numbers, Numbers, Numbers]:
    """Choose faces start ... start + n - 1 of a split: shape, palette, attributes (int64 (n,)).

    Shape: name -> float32 (n,) or (n, k), head units. Palette: name -> float32 (n, 3) in [0, 1].

    Raises:
        ValueError: split is neither "train" nor "heldout".
    """
    if split not in SPLITS:
        raise ValueError(f"split is {split!r}; choose one of {', '.join(SPLITS)}.")
    u = uniforms(seed, split, np.arange(start, start + n), 160)
    attributes = draw_attributes(u[:, :20], split)
    return draw_shape(attributes, u[:, 60:]), draw_palette(attributes, u[:, 20:60]), attributes


def draw(shape: Numbers, palette: Numbers, size: int) -> UInt8[Tensor, "n 3 H H"]:
    """Draw faces from shape numbers and a palette: uint8 (n, 3, size, size).

    Raises:
        ValueError: size is outside 16 ... 256, or shape and palette differ in length.
    """
    n = len(shape["x"])
    if not 16 <= size <= 256:
        raise ValueError(f"size is {size}; faces are drawn at 16 to 256 pixels.")
    if len(palette["hair"]) != n:
        raise ValueError(f"{n} shapes but {len(palette['hair'])} palettes; give one for each face.")
    step = max(1, CHUNK // size**2)
    parts = [
        _draw(
            {k: t[i : i + step] for k, t in shape.items()},
            {k: t[i : i + step] for k, t in palette.items()},
            size,
        )
        for i in range(0, n, step)
    ]
    return torch.cat(parts) if parts else torch.zeros(0, 3, size, size, dtype=torch.uint8)


def faces(
    n: int, size: int = 64, seed: int = 0, split: str = "train"
) -> tuple[UInt8[Tensor, "n 3 H H"], dict[str, Int64[Tensor, "n"]]]:
    """Draw n faces: uint8 (n, 3, size, size) and attribute name -> int64 (n,), see `ATTRIBUTES`.

    Image i depends on (seed, split, i) only. Held-out faces are combinations of hair style, hair
    colour and eye colour that training faces never have.
    """
    shape, palette, attributes = parameters(n, seed, split)
    codes = {name: torch.from_numpy(values) for name, values in attributes.items()}
    return draw(shape, palette, size), codes


def _draw(shape: Numbers, palette: Numbers, size: int) -> UInt8[Tensor, "n 3 H H"]:
    s = {k: torch.from_numpy(t)[..., None, None] for k, t in shape.items()}
    c = {k: torch.from_numpy(t)[..., None, None] for k, t in palette.items()}
    n = len(shape["x"])
    axis = (torch.arange(size) + 0.5) * (2 / size) - 1
    x, y = axis.view(1, 1, -1), axis.view(1, -1, 1)
    cosine, sine = (1 - s["tilt"] ** 2) / (1 + s["tilt"] ** 2), 2 * s["tilt"] / (1 + s["tilt"] ** 2)
    # The head turns around the neck, 1.2 head units below the middle of the face.
    a, b = (x - s["x"]) / s["scale"], (y - s["y"]) / s["scale"] - 1.2
    canvas = back.Canvas(
        image=torch.empty(n, 3, size, size),
        x=x,
        y=y,
        u=a * cosine + b * sine,
        v=b * cosine - a * sine + 1.2,
        pixel=2 / size / s["scale"],
        s=s,
        c=c,
    )
    back.background(canvas)
    back.back_hair(canvas)
    back.neck_and_clothes(canvas.crop(0.1, 1))
    locks = front.bangs(canvas)
    front.face(canvas, locks)
    front.blush(canvas.crop(-0.2, 0.7, -0.85, 0.85))
    front.nose_and_mouth(canvas.crop(0.0, 0.75, -0.6, 0.6))
    front.eyes(canvas.crop(-0.3, 0.5, -0.85, 0.85))
    front.front_hair(canvas, locks)
    front.brows(canvas.crop(-0.5, 0.25, -0.85, 0.85))
    front.accessories(canvas)
    return canvas.image.mul_(255).add_(0.5).clamp_(0, 255).to(torch.uint8)
