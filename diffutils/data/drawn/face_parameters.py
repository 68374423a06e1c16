"""What a drawn face is made of: attributes, shape numbers and colours, by (seed, split, index)."""

import numpy as np
import torch

from diffutils.rng import uniform

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "hair_style": ("short", "bob", "long", "wavy", "twin tails", "ponytail", "buns", "spiky"),
    "hair_colour": tuple("black brown auburn blond silver pink red blue green violet".split()),
    "eye_colour": ("brown", "amber", "red", "pink", "violet", "blue", "teal", "green"),
    "bangs": ("straight", "parted", "spiky", "swept", "centre lock", "open"),
    "eye_shape": ("round", "tall", "upturned", "drooping", "sleepy"),
    "skin": ("porcelain", "fair", "peach", "tan", "brown"),
    "mouth": ("smile", "open", "neutral", "frown", "round", "cat", "grin"),
    "brows": ("flat", "arched", "angry", "worried"),
    "turn": ("left", "front", "right"),
    "tilt": ("left", "upright", "right"),
    "accessory": ("none", "hair band", "ribbon", "glasses", "clip", "cat ears"),
    "clothes": ("t-shirt", "sailor", "turtleneck", "hoodie", "shirt and tie"),
    "clothes_colour": ("white", "navy", "rose", "mint", "mustard", "charcoal"),
    "background": ("plain", "halves", "diagonal", "disc", "stripes"),
    "background_colour": ("sky", "cream", "lilac", "mint", "peach", "grey"),
    "blush": ("none", "soft", "lines"),
}
SPLITS = ("train", "heldout")
STREAM = 101  # of random numbers: no other part of the package draws from it

HAIR = "3b3640 7a4e35 a3502e f0cf7a cdd3de f2a0bd cf3f45 4f7fd0 62b183 9468c4"
EYES = "8a5532 d9962b cc3540 e0609c 8a56c9 3f7ddb 2aa3a8 4ea34c"
SKIN = "fff0e6 fde2d0 f8d2b5 dfa97f a97350"
CLOTHES = "f4f4f6 34467a d9758f 7cc4a6 dcae45 4b4d57"
TRIM = "5470b0 f4f4f6 fff0d8 2f6f62 6b3f2a d24b55"
BACKGROUND = "bfe0f2 fbeccb dccdf0 c8ecd8 fbd3c2 d9dce2"
ACCESSORY = "e0455a f2b933 3f8fd8 f6f6f8 57b88a 3a3a46"

# For each kind of bangs seven locks, outer ones first: tip x, tip y, half width in head units.
BANGS = """
    -0.86,0.02,0.24  0.86,0.02,0.24  -0.56,-0.04,0.24  0.56,-0.04,0.24
    -0.28,-0.02,0.22  0.28,-0.02,0.22  0.00,-0.03,0.22
    -0.95,0.30,0.20  0.95,0.30,0.20  -0.80,0.10,0.26  0.80,0.10,0.26
    -0.58,-0.10,0.28  0.58,-0.10,0.28  0.16,-0.16,0.13
    -0.92,0.20,0.20  0.96,0.16,0.20  -0.62,0.10,0.21  0.68,0.02,0.21
    -0.30,0.12,0.20  0.38,0.06,0.19  0.06,0.14,0.17
    -0.98,0.10,0.20  1.00,0.32,0.22  -0.72,-0.12,0.22  0.92,0.14,0.26
    -0.34,-0.16,0.24  0.62,0.04,0.28  0.22,-0.06,0.27
    -0.94,0.14,0.20  0.94,0.14,0.20  -0.70,-0.02,0.22  0.70,-0.02,0.22
    -0.44,-0.14,0.22  0.44,-0.14,0.22  0.02,0.30,0.20
    -1.00,0.22,0.20  1.00,0.22,0.20  -0.90,-0.04,0.22  0.90,-0.04,0.22
    -0.74,-0.28,0.24  0.74,-0.28,0.24  0.55,-0.46,0.26
"""


def hex_colours(codes: str) -> np.ndarray:
    """Turn "rrggbb rrggbb ..." into float32 (n, 3) in [0, 1]."""
    rows = [[int(c[i : i + 2], 16) for i in (0, 2, 4)] for c in codes.split()]
    return np.array(rows, dtype=np.float32) / 255


def heldout_combination(style: np.ndarray, hair: np.ndarray, eyes: np.ndarray) -> np.ndarray:
    """Whether codes of hair style, hair colour, eye colour are held out: bool, one in ten.

    The rule is a Latin square: a held-out face shows three attributes never seen together, yet
    every two of them are seen together in training.
    """
    return (3 * style + hair + 7 * eyes) % 10 == 4


def uniforms(seed: int, split: str, index: np.ndarray, columns: int) -> np.ndarray:
    """Draw float32 (n, columns) in [0, 1) where row i depends on (seed, split, index[i]) alone."""
    index = torch.as_tensor(index, dtype=torch.int64)
    return uniform(seed, SPLITS.index(split), index, columns, stream=STREAM).numpy()


def draw_attributes(u: np.ndarray, split: str) -> dict[str, np.ndarray]:
    """Turn uniforms (n, >= number of attributes) into attribute name -> int64 (n,)."""
    sizes = {name: len(values) for name, values in ATTRIBUTES.items()}
    three = ("hair_style", "hair_colour", "eye_colour")
    grid = np.stack(np.meshgrid(*(np.arange(sizes[n]) for n in three), indexing="ij"), -1)
    grid = grid.reshape(-1, 3)
    allowed = grid[heldout_combination(*grid.T) == (split == "heldout")]
    pick = allowed[(u[:, 0] * len(allowed)).astype(np.int64)]
    found = {name: pick[:, j] for j, name in enumerate(three)}
    for j, name in enumerate(list(ATTRIBUTES)[3:], start=1):
        found[name] = (u[:, j] * sizes[name]).astype(np.int64)
    return found


def draw_shape(a: dict[str, np.ndarray], u: np.ndarray) -> dict[str, np.ndarray]:
    """Turn attributes and uniforms (n, >= 64) into shape numbers, name -> float32 (n,) or (n, k).

    Lengths are in head units (1 is half the width of the head), y grows downwards. Columns named
    after an attribute hold its code, because it chooses which parts are drawn.
    """
    columns = iter(u.T)

    def near(centre: float | list[float], spread: float, name: str | None = None) -> np.ndarray:
        """Uniform within +- spread of a centre, or of the centre for each value of `name`."""
        chosen = np.float32(centre) if name is None else np.float32(centre)[a[name]]
        return (chosen + np.float32(spread) * (2 * next(columns) - 1)).astype(np.float32)

    def by_style(centres: dict[str, float], otherwise: float, spread: float) -> np.ndarray:
        table = [centres.get(style, otherwise) for style in ATTRIBUTES["hair_style"]]
        return near(table, spread, "hair_style")

    def sign() -> np.ndarray:
        return np.where(near(0, 1) < 0, np.float32(-1), np.float32(1))

    # Keep what chooses the parts.
    s = {
        name: a[name].astype(np.float32)
        for name in ("hair_style", "mouth", "accessory", "clothes", "background", "blush")
    }
    # Place the head.
    s["x"], s["y"], s["scale"] = near(0, 0.05), near(-0.07, 0.03), near(0.56, 0.03)
    s["turn"] = near([-0.20, 0, 0.20], 0.05, "turn")
    s["tilt"] = near([-0.085, 0, 0.085], 0.025, "tilt")  # tan of half the angle
    s["jaw_y"], s["jaw_width"] = near(-0.08, 0.08), near(0.95, 0.03)
    s["chin"], s["chin_round"] = near(1.08, 0.05), near(0.24, 0.08)
    # Shape eyes and brows, nose and mouth.
    s["eye_y"], s["eye_x"] = near(0.27, 0.04), near(0.455, 0.025)
    s["eye_width"] = near([0.27, 0.255, 0.28, 0.275, 0.28], 0.02, "eye_shape")
    s["eye_top"] = near([0.27, 0.31, 0.24, 0.25, 0.15], 0.02, "eye_shape")
    s["eye_bottom"] = near([0.22, 0.24, 0.18, 0.22, 0.20], 0.02, "eye_shape")
    s["eye_slant"] = near([0, 0, 0.24, -0.22, -0.06], 0.04, "eye_shape")
    s["iris_width"], s["iris_height"] = near(0.185, 0.02), near(0.265, 0.025)
    s["gaze_x"], s["gaze_y"] = near(0, 0.05), near(0, 0.02)
    s["brow_y"] = near(-0.22, 0.04)
    s["brow_arch"] = near([0.02, 0.10, 0.03, 0.04], 0.015, "brows")
    s["brow_slope"] = near([0, 0.02, 0.30, -0.30], 0.05, "brows")
    s["brow_thick"] = near(0.032, 0.010)
    s["nose_y"], s["mouth_y"] = near(0.56, 0.03), near(0.77, 0.03)
    curve = [0.09, 0.17, 0.0, -0.08, 0.10, 0.06, 0.14]
    s["mouth_curve"] = near(curve, 0.015, "mouth")
    s["mouth_width"] = near([0.19, 0.19, 0.14, 0.16, 0.075, 0.12, 0.23], 0.02, "mouth")
    # Cut the hair.
    s["cap_width"], s["cap_top"] = near(1.10, 0.03), near(-1.17, 0.04)
    s["back_width"] = by_style({"short": 1.06, "bob": 1.22, "long": 1.14, "wavy": 1.24}, 1.07, 0.04)
    s["back_flare"] = by_style({"bob": 0.10, "long": 0.06, "wavy": 0.16}, -0.34, 0.05)
    s["back_wave"] = by_style({"wavy": 0.075, "long": 0.012}, 0.0, 0.01)
    s["back_end"] = by_style({"bob": 0.98, "long": 2.6, "wavy": 2.2}, 0.62, 0.12)
    s["tail_x"] = by_style({"twin tails": 1.62, "ponytail": 1.62}, 1.6, 0.10)
    s["tail_y"] = by_style({"twin tails": 1.35, "ponytail": 1.05}, 1.2, 0.20)
    s["tail_width"] = by_style({"twin tails": 0.32, "ponytail": 0.36}, 0.3, 0.04)
    s["side"] = sign()
    s["bun"] = near(0.40, 0.04)
    s["side_lock"] = by_style({"short": 0.50, "spiky": 0.50, "buns": 0.75}, 1.0, 0.22)
    s["side_lock_width"] = near(0.17, 0.03)
    s["shine_y"], s["shine_width"] = near(-0.66, 0.05), near(0.075, 0.02)
    # Set body and background.
    s["body_width"] = near(1.30, 0.10)
    s["background_level"] = near(0, 0.35)
    # Comb the fringe, lock by lock.
    table = np.array(BANGS.replace(",", " ").split(), dtype=np.float32).reshape(-1, 7, 3)
    tips = table[a["bangs"]]
    tips[..., 0] *= sign()[:, None]
    for j in range(7):
        tips[:, j, 0] += near(0, 0.05)
        tips[:, j, 1] += near(0, 0.05)
    s["lock_x"], s["lock_y"], s["lock_width"] = (
        np.ascontiguousarray(t) for t in np.moveaxis(tips, -1, 0)
    )
    return s


def draw_palette(a: dict[str, np.ndarray], u: np.ndarray) -> dict[str, np.ndarray]:
    """Turn attributes and uniforms (n, >= 24) into colours, name -> float32 (n, 3) in [0, 1]."""
    triples = iter(np.split(u[:, : u.shape[1] // 3 * 3], u.shape[1] // 3, axis=1))

    def near(codes: str, chosen: np.ndarray, spread: float) -> np.ndarray:
        return np.clip(hex_colours(codes)[chosen] + spread * (2 * next(triples) - 1), 0, 1)

    def towards(colour: np.ndarray, code: str, amount: float) -> np.ndarray:
        return colour + (hex_colours(code) - colour) * np.float32(amount)

    # Draw the colours that vary.
    hair, skin = near(HAIR, a["hair_colour"], 0.05), near(SKIN, a["skin"], 0.02)
    eye, cloth = near(EYES, a["eye_colour"], 0.05), near(CLOTHES, a["clothes_colour"], 0.05)
    ground = near(BACKGROUND, a["background_colour"], 0.04)
    extra = (next(triples)[:, 0] * 6).astype(np.int64)
    accessory = near(ACCESSORY, extra, 0.04)
    # Derive shades and lines from them.
    palette = {
        "hair": hair,
        "hair_shade": towards(hair * np.float32(0.80), "3a2a66", 0.16),
        "hair_shine": towards(hair, "ffffff", 0.55),
        "hair_line": towards(hair * 0.38, "2a1838", 0.4),
        "skin": skin,
        "skin_shade": towards(skin * np.float32(0.90), "c8506a", 0.20),
        "skin_line": towards(skin * np.float32(0.55), "5a2030", 0.35),
        "blush": towards(skin, "f0506e", 0.55),
        "eye_dark": towards(eye * np.float32(0.38), "1c1038", 0.35),
        "eye": eye,
        "eye_light": towards(eye, "fff6e0", 0.50),
        "lash": towards(hair * np.float32(0.2), "2a1830", 0.7),
        "white": np.broadcast_to(hex_colours("ffffff"), hair.shape),
        "eye_white_shade": np.broadcast_to(hex_colours("cfd0e4"), hair.shape),
        "mouth": np.broadcast_to(hex_colours("8c2f3f"), hair.shape),
        "tongue": np.broadcast_to(hex_colours("ec7f86"), hair.shape),
        "cloth": cloth,
        "cloth_shade": towards(cloth * np.float32(0.82), "3a2a66", 0.12),
        "cloth_line": towards(cloth * np.float32(0.35), "2a1838", 0.5),
        "trim": hex_colours(TRIM)[a["clothes_colour"]],
        "accessory": accessory,
        "accessory_line": towards(accessory * np.float32(0.4), "2a1838", 0.4),
        "ground": ground,
        "ground_two": towards(ground, "ffffff", 0.5),
    }
    return {name: np.array(c, dtype=np.float32) for name, c in palette.items()}
