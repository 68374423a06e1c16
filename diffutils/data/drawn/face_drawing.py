"""Draw faces from shape numbers and colours: signed distances, flat colours, one pass over a batch.

Every part is a signed distance d (negative inside, in head units). A pixel is covered by
clamp(1/2 - d / pixel, 0, 1), which is what makes edges smooth at any size. Parts are painted from
back to front. Arrays are (n, height, width); numbers of one face are (n, 1, 1).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from diffutils.data.drawn.face_parameters import ATTRIBUTES

LINE = 0.045  # width of the dark outlines in head units


@dataclass(frozen=True)
class Canvas:
    """A batch of pictures in the making, with three coordinate frames for their pixels."""

    image: Tensor  # (n, 3, h, w) in [0, 1], painted in place
    x: Tensor  # picture: -1 ... 1 from left to right, (1, 1, w)
    y: Tensor  # picture: -1 ... 1 from top to bottom, (1, h, 1)
    u: Tensor  # head frame, (n, h, w): tilted with the head, 1 is half the head's width
    v: Tensor
    pixel: Tensor  # (n, 1, 1) width of a pixel in head units
    s: dict[str, Tensor]  # shape numbers, (n, 1, 1) or (n, k, 1, 1)
    c: dict[str, Tensor]  # colours, (n, 3, 1, 1)

    def crop(self, top: float, bottom: float, left: float = -1, right: float = 1) -> "Canvas":
        """A view on a window of the picture, so that small parts cost little."""
        h, w = self.image.shape[-2:]
        rows = slice(max(0, int((top + 1) / 2 * h)), min(h, int((bottom + 1) / 2 * h + 1)))
        columns = slice(max(0, int((left + 1) / 2 * w)), min(w, int((right + 1) / 2 * w + 1)))
        return replace(
            self,
            image=self.image[..., rows, columns],
            x=self.x[..., columns],
            y=self.y[..., rows, :],
            u=self.u[..., rows, columns],
            v=self.v[..., rows, columns],
        )

    def cover(self, distance: Tensor) -> Tensor:
        return (distance / -self.pixel).add_(0.5).clamp_(0, 1)

    def blend(self, weight: Tensor, colour: str) -> None:
        self.image.lerp_(self.c[colour], weight[:, None])

    def paint(
        self, distance: Tensor, colour: str, line: str | None = None, opacity: Tensor | float = 1.0
    ) -> None:
        """Fill the inside; with `line`, an outline around it first."""
        if line is not None:
            self.blend(self.cover(distance - LINE).mul_(opacity), line)
        self.blend(self.cover(distance).mul_(opacity), colour)

    def body(self) -> tuple[Tensor, Tensor]:
        """Coordinates in head units that do not tilt with the head."""
        s = self.s
        return ((self.x - s["x"]) / s["scale"]).expand_as(self.u), (
            (self.y - s["y"]) / s["scale"]
        ).expand_as(self.u)

    def shows(self, attribute: str, *values: str) -> Tensor:
        """1 for faces whose attribute has one of the values, else 0: float (n, 1, 1)."""
        codes = torch.tensor([float(ATTRIBUTES[attribute].index(value)) for value in values])
        return torch.isin(self.s[attribute], codes).float()

    def only(self, attribute: str, value: str, part: Callable[["Canvas"], None]) -> None:
        """Let `part(canvas)` paint the faces that show the value and leave the others alone."""
        rows = self.shows(attribute, value).flatten().nonzero().flatten()
        if len(rows):
            canvas = replace(
                self,
                image=self.image[rows],
                u=self.u[rows],
                v=self.v[rows],
                pixel=self.pixel[rows],
                s={k: t[rows] for k, t in self.s.items()},
                c={k: t[rows] for k, t in self.c.items()},
            )
            part(canvas)
            self.image[rows] = canvas.image


def ellipse(x: Tensor, y: Tensor, rx: Tensor | float, ry: Tensor | float) -> Tensor:
    """Distance to an ellipse around (0, 0), exact to first order at its edge."""
    a, b = x / rx, y / ry
    slope = ((a / rx).square_() + (b / ry).square_()).sqrt_().clamp_(min=1e-3)
    return (a.square_() + b.square_() - 1) / slope.mul_(2)


def stroke(
    x: Tensor, y: Tensor, width: Tensor | float, curve: Tensor | float, thick: Tensor | float
) -> Tensor:
    """Distance to a stroke along y = curve (1 - q), q = (x / width)^2, that ends in points."""
    q = (x / width).square()
    slope = (x * (2 * curve / width**2)).square_().add_(1).sqrt_()
    d = (y - (1 - q).mul_(curve)).abs_() / slope - (1 - q).mul_(thick)
    return torch.maximum(d, x.abs() - width)


def leaf(
    x: Tensor, y: Tensor, root: tuple, tip: tuple, width: Tensor | float, bend: Tensor | float
) -> Tensor:
    """Distance to a strand of hair: round at the root, pointed at the tip, bent sideways."""
    ax, ay = tip[0] - root[0], tip[1] - root[1]
    length = (ax * ax + ay * ay) ** 0.5
    ax, ay = ax / length, ay / length
    px, py = x - root[0], y - root[1]
    t = (px * ax + py * ay) / length
    across = px * ay - py * ax
    half = width * 2.1 * ((t + 0.12).clamp(0, 1.12) / 1.12).sqrt() * (1 - t)
    ends = torch.maximum(t - 1, -0.12 - t).mul_(length)
    return torch.maximum(((across - bend * 4 * t * (1 - t)).abs() - half) * 0.85, ends)


def background(c: Canvas) -> None:
    s, x, y = c.s, c.x, c.y
    c.image.copy_(c.c["ground"].expand_as(c.image))
    level = s["background_level"]
    for value, d in {
        "halves": level + 0.2 - y,
        "diagonal": (x * s["side"] + y * 0.8 + level) * 0.78,
        "disc": (x * x + (y + 0.1).square()).sqrt() - 0.78 - 0.1 * level,
        "stripes": (((x + y * 0.5 + 4 + level) % 0.5 - 0.25).abs() - 0.125) * 0.9,
    }.items():
        c.paint(d / s["scale"], "ground_two", opacity=c.shows("background", value))


def back_hair(c: Canvas) -> None:
    s, u, v = c.s, c.u, c.v
    # Hang the hair behind the head.
    wave = ((v * 2.2) % 1.0 - 0.5).abs_().mul_(4).sub_(1)  # a triangle wave
    wave = wave * (1.5 - 0.5 * wave.square())  # ... rounded
    half = s["back_width"] + s["back_flare"] * v + s["back_wave"] * wave
    skirt = torch.maximum((u.abs() - half) * 0.95, v - s["back_end"])
    top = ellipse(u, v, s["back_width"], -s["cap_top"] - 0.02)
    c.paint(torch.where(v < 0, top, skirt), "hair_shade", "hair_line")

    # Add what only some styles have.
    def twin_tails(c: Canvas) -> None:
        s = c.s
        d = leaf(c.u.abs(), c.v, (0.82, -0.62), (s["tail_x"], s["tail_y"]), s["tail_width"], 0.22)
        c.paint(d, "hair", "hair_line")
        shade = leaf(
            c.u.abs(), c.v, (0.80, -0.50), (s["tail_x"], s["tail_y"]), s["tail_width"] * 0.5, 0.10
        )
        c.paint(torch.maximum(shade, d + 0.02), "hair_shade")

    def ponytail(c: Canvas) -> None:
        s = c.s
        u = c.u * s["side"]
        d = leaf(
            u, c.v, (0.58, -0.98), (s["tail_x"] - 0.2, s["tail_y"]), s["tail_width"] * 1.1, 0.42
        )
        c.paint(d, "hair", "hair_line")
        shade = leaf(
            u, c.v, (0.66, -0.84), (s["tail_x"] - 0.2, s["tail_y"]), s["tail_width"] * 0.5, 0.24
        )
        c.paint(torch.maximum(shade, d + 0.02), "hair_shade")

    def buns(c: Canvas) -> None:
        x, y, r = c.u.abs() - 0.74, c.v + 1.06, c.s["bun"]
        d = ellipse(x, y, r, r)
        c.paint(d, "hair", "hair_line")
        c.paint(
            torch.maximum(d + 0.03, -ellipse(x * c.u.sign() + 0.07, y + 0.08, r, r)), "hair_shade"
        )

    def spikes(c: Canvas) -> None:
        d = None
        for x, y in ((1.30, 0.52), (1.55, 0.02), (1.42, -0.62), (0.98, -1.26), (0.30, -1.56)):
            one = leaf(c.u.abs(), c.v, (x * 0.3, y * 0.3 + 0.1), (x, y), 0.36, 0.17)
            d = one if d is None else torch.minimum(d, one)
        c.paint(d, "hair", "hair_line")

    c.only("hair_style", "twin tails", twin_tails)
    c.only("hair_style", "ponytail", ponytail)
    c.only("hair_style", "buns", buns)
    c.only("hair_style", "spiky", spikes)


def neck_and_clothes(c: Canvas) -> None:
    x, y = c.body()
    s = c.s
    # Paint the neck.
    neck = torch.maximum(x.abs() - 0.27 - (y - 1.25).clamp(min=0) * 0.5, 0.6 - y)
    c.paint(neck, "skin", "skin_line")
    shadow = face_outline(c.u, c.v - 0.20, s)
    c.paint(torch.maximum(neck, shadow), "skin_shade")
    # Cut the cloth out of the body.
    body = ellipse(x, y - 2.15, s["body_width"], 0.83)
    opening = (x.abs() * 1.25 + y - 1.86) * 0.62
    for value, d in {
        "t-shirt": ellipse(x, y - 1.28, 0.46, 0.27),
        "turtleneck": y - 1.18,
        "hoodie": ellipse(x, y - 1.25, 0.42, 0.24),
    }.items():
        opening = torch.where(c.shows("clothes", value) > 0, d, opening)
    d = torch.maximum(body, -opening)
    c.paint(d, "cloth", "cloth_line")
    fold = torch.maximum(
        d,
        torch.minimum(ellipse(x.abs() - s["body_width"] * 0.62, y - 2.0, 0.07, 0.5), shadow - 0.06),
    )
    c.paint(fold, "cloth_shade")

    # Add what only some clothes have.
    def sailor(c: Canvas) -> None:
        x, y = c.body()
        v = x.abs() * 1.25 + y - 1.86
        collar = torch.maximum(torch.maximum(-v * 0.62, (v - 0.52) * 0.62), x.abs() - 0.82)
        inside = torch.maximum(collar, ellipse(x, y - 2.15, c.s["body_width"], 0.83))
        c.paint(inside, "trim", "cloth_line")
        c.paint(torch.maximum(((v - 0.36).abs() - 0.06) * 0.62, inside + 0.02), "cloth")
        bow = torch.maximum((y - 1.86).abs() - 0.05 - 0.5 * x.abs(), x.abs() - 0.26) * 0.85
        c.paint(bow, "accessory", "accessory_line")

    def turtleneck(c: Canvas) -> None:
        x, y = c.body()
        d = torch.maximum(
            x.abs() - 0.31 - (y - 1.18) * 0.06, (y - 1.42 - 0.1 * x.square()).abs() - 0.2
        )
        c.paint(d, "cloth", "cloth_line")
        fold = (y - 1.40 - 0.1 * x.square()).abs() - 0.025
        c.paint(torch.maximum(d + 0.04, fold), "cloth_shade")

    def hoodie(c: Canvas) -> None:
        x, y = c.body()
        ring = ellipse(x, y - 1.30, 0.60, 0.30).abs() - 0.10
        c.paint(torch.maximum(ring, 1.2 - y), "trim", "cloth_line")
        cord = torch.maximum((x.abs() - 0.24).abs() - 0.03, (y - 1.75).abs() - 0.16)
        c.paint(cord, "white", "cloth_line")

    def shirt(c: Canvas) -> None:
        x, y = c.body()
        v = x.abs() * 1.25 + y - 1.86
        tie = torch.maximum(x.abs() - 0.05 - (y - 1.78).abs() * 0.25, 1.62 - y)
        c.paint(tie, "accessory", "accessory_line")
        flap = torch.maximum(torch.maximum(-v * 0.62, (v - 0.30) * 0.62), y - 1.72 + 0.3 * x.abs())
        c.paint(torch.maximum(flap, x.abs() - 0.5), "white", "cloth_line")

    c.only("clothes", "sailor", sailor)
    c.only("clothes", "turtleneck", turtleneck)
    c.only("clothes", "hoodie", hoodie)
    c.only("clothes", "shirt and tie", shirt)


def face_outline(u: Tensor, v: Tensor, s: dict[str, Tensor]) -> Tensor:
    """Distance to the face: where two large circles overlap, its chin rounded, its top cut off."""
    r = s["chin_round"]
    width, height = s["jaw_width"] - r, s["chin"] - s["jaw_y"] - r
    offset = (height**2 / width - width) / 2
    x = (u - s["turn"] * 0.35 * v).abs_().add_(offset)
    round = (x.square_() + (v - s["jaw_y"]).square_()).sqrt_() - (width + offset) - r
    return torch.maximum(round, -0.7 - v)
