"""The front of a drawn face: skin, features, bangs, accessories (the back: `face_drawing`)."""

import torch
from torch import Tensor

from diffutils.data.drawn.face_drawing import LINE, Canvas, ellipse, face_outline, leaf, stroke


def face(c: Canvas, locks: list[Tensor]) -> None:
    """Ears, skin, and the shadow that the bangs (distances `locks`) throw on the forehead."""
    s = c.s
    ears = ellipse(c.u.abs() - 0.97, c.v - 0.36, 0.15, 0.22)
    c.paint(ears, "skin", "skin_line")
    c.paint(ellipse(c.u.abs() - 0.98, c.v - 0.37, 0.07, 0.13), "skin_shade")
    d = face_outline(c.u, c.v, s)
    c.paint(d, "skin", "skin_line")
    union = locks[0]
    for lock in locks[1:]:
        union = torch.minimum(union, lock)
    # The bangs' own shape, moved down by 0.035 of the picture, by interpolation between rows.
    height = union.shape[1]
    rows = (torch.arange(height) - height * 0.035).clamp(0, height - 1)
    low = rows.floor().long()
    high, part = (low + 1).clamp(max=height - 1), (rows - low).view(1, -1, 1)
    shadow = torch.lerp(union[:, low], union[:, high], part)
    c.paint(torch.maximum(shadow, d + 0.02), "skin_shade")
    side = torch.maximum(d + 0.01, -face_outline(c.u + s["side"] * 0.13, c.v + 0.05, s))
    c.paint(torch.maximum(side, 0.1 - c.v), "skin_shade")


def eyes(c: Canvas) -> None:
    """Both eyes at once: the frame is mirrored, only the highlights stay on the light's side."""
    s = c.s
    u = c.u - s["turn"]
    sign = torch.where(u < 0, -1.0, 1.0)
    stretch = 1 - 0.75 * s["turn"] * sign  # the eye turned away is narrower
    x = u.abs() / stretch - s["eye_x"]
    y = c.v - s["eye_y"] + s["eye_slant"] * x
    # Measure from the middle of each eye.
    q = (x / s["eye_width"]).square().clamp_(max=1.05)
    upper = -s["eye_top"] * (1 - 0.6 * q - 0.4 * q.square())
    lower = s["eye_bottom"] * (1 - q)
    over, under = upper - y, y - lower
    white = torch.maximum(torch.maximum(over, under) * 0.85, x.abs() - s["eye_width"])
    # Paint the white.
    c.paint(white, "white")
    c.paint(torch.maximum(white, y - upper - 0.10), "eye_white_shade")
    # Paint iris, pupil and highlights.
    px, py = x * sign - s["gaze_x"], y - s["gaze_y"]
    width, height = s["iris_width"], s["iris_height"]
    iris = torch.maximum(ellipse(px, py, width, height), under - 0.03)
    inside = torch.maximum(iris, over)
    c.paint(inside, "eye_dark")
    c.paint(torch.maximum(torch.maximum(iris + 0.03, over), -py - 0.055), "eye")
    c.paint(
        torch.maximum(ellipse(px, py - 0.14, width * 0.72, height * 0.42), iris + 0.035),
        "eye_light",
    )
    c.paint(torch.maximum(ellipse(px, py, width * 0.42, height * 0.42), over), "eye_dark")
    c.paint(ellipse(px + 0.075, py + 0.11, 0.072, 0.082), "white")
    c.paint(ellipse(px - 0.085, py - 0.12, 0.036, 0.042), "white")
    # Paint lashes and crease.
    reach = s["eye_width"] + 0.05
    taper = (1 - ((x - 0.025) / reach).square()).mul_(0.058 + 0.10 * x)
    slope = (1 + (s["eye_top"] * 2 * x / s["eye_width"].square()).square()).sqrt().clamp(max=2.5)
    lash = (y - upper - 0.01).abs() / slope - taper
    c.paint(torch.maximum(lash, (x - 0.025).abs() - reach), "lash")
    lash = (y - lower).abs() - 0.022 * (1 - ((x - 0.09) / 0.17).square())
    c.paint(torch.maximum(lash, (x - 0.09).abs() - 0.17), "lash")
    crease = (y - upper + 0.10).abs() / slope - 0.016 * (1 - (x / 0.24).square())
    c.paint(torch.maximum(crease, x.abs() - 0.22), "skin_line")


def nose_and_mouth(c: Canvas) -> None:
    s = c.s
    u = c.u - s["turn"] * 1.05
    c.paint(
        ellipse(u + 0.02 * s["side"], c.v - s["nose_y"], 0.030, 0.024), "skin_line", opacity=0.8
    )
    u, y = c.u - s["turn"] * 0.95, c.v - s["mouth_y"]
    curve, width = s["mouth_curve"], s["mouth_width"]
    cat, round_mouth = (c.shows("mouth", value) > 0 for value in ("cat", "round"))
    q = (u / width).square()
    opened = torch.maximum(-y, (y - curve * (1 - q)) * 0.75)
    opened = torch.where(round_mouth, ellipse(u, y - 0.02, width, width * 1.25), opened)
    gap = c.shows("mouth", "open", "round", "grin")
    c.blend(c.cover(opened - 0.030).mul_(gap), "skin_line")
    c.blend(c.cover(opened).mul_(gap), "mouth")
    tongue = torch.maximum(ellipse(u, y - curve, width * 0.7, 0.075), opened)
    c.paint(tongue, "tongue", opacity=c.shows("mouth", "open"))
    c.paint(torch.maximum(opened, y - 0.052), "white", opacity=c.shows("mouth", "grin"))
    across = torch.where(cat, u.abs() - width * 0.5, u)
    half = torch.where(cat, width * 0.62, width)
    line = stroke(across, y, half, curve, 0.030)
    c.paint(line, "mouth", opacity=1 - gap)


def blush(c: Canvas) -> None:
    s = c.s
    u = c.u - s["turn"] * 0.8
    x, y = u.abs() - 0.56, c.v - s["eye_y"] - 0.32
    on_face = c.cover(face_outline(c.u, c.v, s)).mul_(1 - c.shows("blush", "none"))
    soft = (1 - (x / 0.25).square() - (y / 0.16).square()).clamp_(0, 1).mul_(0.9)
    c.blend(soft.mul_(on_face), "blush")
    slanted = (x + 0.35 * y + 0.085).abs_()
    hatch = torch.maximum(((slanted % 0.11) - 0.055).abs_() - 0.018, y.abs() - 0.07)
    c.paint(torch.maximum(hatch, slanted - 0.16), "blush", opacity=c.shows("blush", "lines"))


def bangs(c: Canvas) -> list[Tensor]:
    """Distances to the seven locks over the forehead, in the order in which they are painted."""
    s, shift = c.s, c.s["turn"] * 0.5
    cap = hair_cap(c)
    distances = []
    for j in range(7):
        x, y, width = (s[k][:, j] for k in ("lock_x", "lock_y", "lock_width"))
        t = ((c.v + 1.15) / (y + 1.15)).clamp(min=0)
        centre = (x * 0.45 + shift * 0.6) + (x * 0.55 + shift * 0.4) * t.square()
        half = width * (0.40 + 0.60 * t.clamp(max=1)) * (1 - t.pow(3)) * 1.5
        distances.append(torch.maximum(((c.u - centre).abs() - half) * 0.8, cap))
    return distances


def hair_cap(c: Canvas) -> Tensor:
    s = c.s
    return ellipse(c.u, c.v - 0.02, s["cap_width"], 0.02 - s["cap_top"])


def front_hair(c: Canvas, locks: list[Tensor]) -> None:
    s = c.s
    cap = hair_cap(c)
    sides = leaf(c.u.abs(), c.v, (0.96, -0.42), (0.98, s["side_lock"]), s["side_lock_width"], 0.07)
    c.paint(sides, "hair", "hair_line")
    inner = 1.02 - c.u.abs() + (0.4 - c.v).clamp(min=0) * 0.4
    c.paint(torch.maximum(sides + 0.02, inner), "hair_shade")
    hairline = ellipse(c.u - s["turn"] * 0.5, c.v - 0.12, 0.90, 0.86)
    crown = torch.maximum(torch.maximum(cap, -hairline), c.v + 0.25)
    c.paint(crown, "hair", "hair_line")
    c.paint(torch.maximum(sides + 0.04, c.v + 0.05), "hair")
    union = torch.minimum(crown, sides)
    for d in locks:
        c.blend(c.cover(d - LINE * 0.7), "hair_line")
        c.blend(c.cover(d), "hair")
        union = torch.minimum(union, d)
    rim = torch.maximum(cap + 0.05, -ellipse(c.u - 0.16 * s["side"], c.v - 0.05, 1.0, 1.12))
    c.paint(torch.maximum(rim, union), "hair_shade", opacity=0.75)
    bend = c.u - s["turn"] * 0.4
    zigzag = ((bend * 3.2) % 1.0 - 0.5).abs_() * 0.13
    y = c.v - s["shine_y"] - 0.42 * bend.square() + zigzag
    fade = (1 - (bend / 0.72).square()) * s["shine_width"]
    c.paint(torch.maximum(y.abs() - fade, union + 0.03) * 0.8, "hair_shine")


def brows(c: Canvas) -> None:
    s = c.s
    u = c.u - s["turn"]
    stretch = 1 - 0.75 * s["turn"] * u.sign()
    x = u.abs() / stretch - s["eye_x"]
    y = c.v - s["brow_y"] + s["brow_slope"] * x
    c.paint(stroke(x, y, 0.26, -s["brow_arch"], s["brow_thick"]), "lash")


def accessories(c: Canvas) -> None:
    def band(c: Canvas) -> None:
        arc = ellipse(c.u, c.v - 0.10, 1.04, 1.10).abs() - 0.065
        d = torch.maximum(arc, c.v + 0.02)
        c.paint(d, "accessory", "accessory_line")

    def ribbon(c: Canvas) -> None:
        x, y = c.u * c.s["side"] - 0.78, c.v + 0.88
        x, y = x * 0.85 + y * 0.53, y * 0.85 - x * 0.53
        bow = torch.maximum(y.abs() - 0.06 - 0.52 * x.abs(), x.abs() - 0.42) * 0.85
        c.paint(bow, "accessory", "accessory_line")
        c.paint(ellipse(x, y, 0.10, 0.12), "accessory", "accessory_line")

    def glasses(c: Canvas) -> None:
        s = c.s
        u = c.u - s["turn"]
        stretch = 1 - 0.75 * s["turn"] * u.sign()
        x, y = u.abs() / stretch - s["eye_x"] - 0.01, c.v - s["eye_y"] - 0.02
        lens = ellipse(x, y, 0.37, 0.32)
        c.paint(lens, "white", opacity=0.16)
        c.paint(lens.abs() - 0.030, "accessory_line")
        c.paint(
            torch.maximum((y + 0.05 - 0.3 * u.square()).abs() - 0.026, u.abs() - 0.10),
            "accessory_line",
        )

    def clip(c: Canvas) -> None:
        x, y = c.u * c.s["side"] - 0.62, c.v + 0.42
        for a, b in ((0.80, 0.60), (0.80, -0.60)):
            p, q = x * a + y * b, y * a - x * b
            c.paint(torch.maximum(p.abs() - 0.20, q.abs() - 0.042), "accessory", "accessory_line")

    def cat_ears(c: Canvas) -> None:
        x, y = c.u.abs() - 0.70, c.v + 0.80
        x, y = x * 0.94 + y * 0.34, y * 0.94 - x * 0.34
        ear = torch.maximum((x.abs() - 0.40 + 0.56 * (-y).clamp(min=0)) * 0.87, y - 0.10)
        c.paint(ear, "hair", "hair_line")
        c.paint(torch.maximum((x.abs() - 0.25 + 0.52 * (-y)) * 0.87, y + 0.02), "blush")

    # Paint the one that each face wears.
    c.only("accessory", "hair band", band)
    c.only("accessory", "ribbon", ribbon)
    c.only("accessory", "glasses", glasses)
    c.only("accessory", "clip", clip)
    c.only("accessory", "cat ears", cat_ears)
