"""Labelled 16 x 16 pixel-art sprites, drawn by code: no download, no end, no copy of a drawing.

A shape is a choice of parts, a palette a choice of four colour ramps. All shapes are composed,
shaded and outlined once; an image is then a look-up, so one core draws tens of thousands a second.
Run `python -m diffutils.data.sprites` to draw the contact sheet in `figures/`.
"""

from functools import lru_cache

import numpy as np

from diffutils.data.drawn import sprite_beings as beings
from diffutils.data.drawn import sprite_things as things
from diffutils.weights.files import SHIPPED

FAMILIES = {
    "hero": beings.HERO,
    "monster": beings.MONSTER,
    "food": things.FOOD,
    "potion": things.POTION,
    "weapon": things.WEAPON,
    "plant": beings.PLANT,
    "ship": things.SHIP,
    "shield": things.SHIELD,
}
CLASSES = tuple(FAMILIES)
TURNED = ("weapon", "ship")  # seen in four directions; the others stand upright and look both ways

SIZE, CANVAS, JITTER = 16, 12, 2
HELD_OUT = 0.1  # share of the (shape, palette) pairs that training never sees
BACKGROUND, DARK, WHITE, GLASS = range(4)  # roles below 4 are fixed; then 4 * material + tone
SHADE, MID, LIGHT, HIGHLIGHT = range(4)
FIXED = np.array([[255, 255, 255], [36, 28, 48], [255, 255, 255], [206, 228, 236]], np.uint8)


def _ramps(text):
    """Colour ramps uint8 (R, 4, 3) from hexadecimal shade, mid, light and highlight."""
    return np.frombuffer(bytes.fromhex(text), np.uint8).reshape(-1, 4, 3)


# Shadows lean to blue and lights to yellow. Materials a, b and c take three different ramps.
RAMPS = _ramps(
    "8e1f3a d13440 ee6352 ffb4a2"  # red
    "a63a1e e2672c f6944a ffd09a"  # orange
    "b5731c efaa2d fbd04f fff0a8"  # yellow
    "4f7a1f 86b32f b4d84b e6f59a"  # lime
    "1c6b43 2f9e58 62c96f b5efa4"  # green
    "12656b 1c9a97 4cc7b4 aef0d6"  # teal
    "1a5f9e 2f93d6 62bff0 b7e8ff"  # sky
    "28398f 4059cc 6c8bea b4ccff"  # blue
    "512d8c 7d48c4 a678e2 dcc0fa"  # violet
    "8a2a80 c244a4 e277c2 ffc0e4"  # magenta
    "a33a66 e5668f f795b0 ffd3dc"  # pink
    "4a4f66 737a94 a1a9be d9dfea"  # slate
)
# Material d: skin, wood, crust, metal.
TRIMS = _ramps(
    "c98563 f0b78e fbd3ae ffeed8"  # light skin, dough
    "93583a c58355 dfa878 f6d2a8"  # tan, caramel
    "5a3527 8a543a ae7750 d4a57c"  # brown, wood
    "6a7285 98a3b5 c3ccd8 eef2f6"  # steel
    "a06a1a d9a02c f4cd55 fff2a6"  # gold
)


def sprites(n, seed=0, split="train"):
    """Draw sprites: images uint8 (n, 3, 16, 16) in 0..255 and labels int64 (n,) into `CLASSES`.

    Image i depends on (seed, split, i) alone. Held-out images are combinations of shape and
    palette that no training image of any seed shows.

    Raises: ValueError for a negative n or an unknown split.
    """
    roles, _, _, room = _bank()
    key, shape, palette, label = _plan(n, seed, split)
    way = _draw(key, 8, 4)
    up, down, left, right = room[shape, way].T
    dy = _draw(key, 6, up + down + 1) - up
    dx = _draw(key, 7, left + right + 1) - left
    picture = _moved(roles[shape, way], dy, dx)
    colours = np.concatenate(
        [
            np.broadcast_to(FIXED, (n, 4, 3)),
            RAMPS[palette[:, :3]].reshape(n, 12, 3),
            TRIMS[palette[:, 3]],
        ],
        axis=1,
    )
    images = colours[np.arange(n)[:, None, None], picture]
    return np.ascontiguousarray(images.transpose(0, 3, 1, 2)), label


def palettes(n, seed=0, split="train"):
    """Ramps of the same sprites: int64 (n, 4), three into `RAMPS` and one into `TRIMS`.

    A material that the shape does not show counts as 0.  Raises: ValueError as `sprites`.
    """
    return _plan(n, seed, split)[2]


def _plan(n, seed, split):
    """Keys (n,), shapes (n,), palettes (n, 4) and classes (n,) of n sprites."""
    if n < 0:
        raise ValueError(f"n={n}; expected the number of images, 0 or more")
    if split not in ("train", "heldout"):
        raise ValueError(f"split={split!r}; expected 'train' or 'heldout'")
    _, starts, used, _ = _bank()
    # Integers wrap around by design: every key is a hash of (seed, split, i).
    stream = _mix(np.array([(2 * seed + (split == "heldout")) % 2**64], np.uint64))
    key = _mix(stream + np.arange(n, dtype=np.uint64))
    shape, palette, label = _choose(key, starts, used)
    wrong = np.flatnonzero(held_out(shape, palette) != (split == "heldout"))
    while len(wrong):
        key[wrong] = _mix(key[wrong] + np.uint64(1))
        shape[wrong], palette[wrong], label[wrong] = _choose(key[wrong], starts, used)
        wrong = wrong[held_out(shape[wrong], palette[wrong]) != (split == "heldout")]
    return key, shape, palette, label


def held_out(shape, palette):
    """Whether a shape (B,) with a palette (B, 4) is kept from training: bool (B,), 10 % by hash."""
    pair = shape.astype(np.uint64)
    for column in palette.T:
        pair = pair * np.uint64(16) + column.astype(np.uint64)
    return _draw(_mix(pair), 0, 2**20) < HELD_OUT * 2**20


def contact_sheet(columns=20, scale=6, seed=0):
    """Held-out sprites, uint8 (H, W, 3): one row for each class, enlarged `scale` times."""
    images, labels = sprites(columns * len(CLASSES) * 10, seed, "heldout")
    cell = SIZE + 2
    sheet = np.full((cell * len(CLASSES), cell * columns, 3), 255, np.uint8)
    for row in range(len(CLASSES)):
        for column, image in enumerate(images[labels == row][:columns]):
            y, x = cell * row + 1, cell * column + 1
            sheet[y : y + SIZE, x : x + SIZE] = image.transpose(1, 2, 0)
    return sheet.repeat(scale, 0).repeat(scale, 1)


def _mix(x):
    """SplitMix64's finaliser, a bijection of uint64 (Steele, Lea and Flood 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _draw(key, what, high):
    """Integers int64 (B,) in [0, high), one for each key; `what` numbers the decision."""
    bits = _mix(key + np.uint64((what + 1) * 0x9E3779B97F4A7C15 % 2**64)) >> np.uint64(32)
    return ((bits * np.asarray(high, np.uint64)) >> np.uint64(32)).astype(np.int64)


def _choose(key, starts, used):
    """Shape (B,), palette (B, 4) and class (B,) for every key."""
    label = _draw(key, 0, len(CLASSES))
    shape = starts[label] + _draw(key, 1, starts[label + 1] - starts[label])
    a = _draw(key, 2, len(RAMPS))
    b = (a + 1 + _draw(key, 3, len(RAMPS) - 1)) % len(RAMPS)
    c = _draw(key, 4, len(RAMPS) - 2)
    for taken in (np.minimum(a, b), np.maximum(a, b)):
        c = c + (c >= taken)
    # Ramps that the shape does not show are set to 0: one picture, one palette.
    palette = np.stack([a, b, c, _draw(key, 5, len(TRIMS))], 1) * used[shape]
    return shape, palette, label


@lru_cache(maxsize=1)
def _bank():
    """All shapes: roles (S, 4, 16, 16) seen four ways; first shape of each class, and the end;
    materials used (S, 4); room to move up, down, left and right (S, 4, 4).

    A shape shows at least three materials. Turned or mirrored copies count as one shape.
    """
    shapes, starts = [], [0]
    for name, families in FAMILIES.items():
        art = np.concatenate([_compose(family) for family in families])
        shows = [((art == ord(m)) | (art == ord(m.upper()))).any((1, 2)) for m in "abcd"]
        art = art[np.sum(shows, axis=0) >= 3]
        ways = [art, art[:, :, ::-1]] * 2
        if name in TURNED:
            ways = [np.rot90(art, -k, (1, 2)) for k in range(4)]
        ways = np.stack([_centred(way) for way in ways], 1)
        first = {
            min(way.tobytes() for way in shape): i for i, shape in reversed([*enumerate(ways)])
        }
        shapes.append(ways[sorted(first.values())])
        starts.append(starts[-1] + len(first))
    roles = _render(np.concatenate(shapes))
    used = np.stack([(roles[:, 0] // 4 == m).any((1, 2)) for m in range(1, 5)], 1)
    return roles, np.array(starts), used, np.minimum(_margins(roles != BACKGROUND), JITTER)


def _compose(family):
    """Every choice of one part from each slot, painted in order: letters uint8 (S, 16, 16)."""
    canvas = np.full((1, SIZE, SIZE), ord("."), np.uint8)
    for slot in family:
        part = np.stack([_letters(*part) for part in slot])[None]
        under = canvas[:, None]
        clip = (part >= ord("1")) & (part <= ord("4"))
        paint = (part != ord(".")) & ~(clip & np.isin(under, list(b"._kw")))
        part = np.where(clip, part - ord("1") + ord("a"), part)
        canvas = np.where(paint, part, under).reshape(-1, SIZE, SIZE)
    return np.where(canvas == ord("_"), ord("."), canvas).astype(np.uint8)


def _letters(y, x, art):
    """One part on an empty canvas: letters uint8 (16, 16); what lies outside 12 x 12 is cut."""
    rows = [row[:-1] + row[-2::-1] if row.endswith("|") else row for row in art.split("/")]
    width = max(map(len, rows))
    left = (CANVAS - width) // 2 if x is None else x
    canvas = np.full((CANVAS, CANVAS), ord("."), np.uint8)
    for dy, row in enumerate(rows[: CANVAS - y]):
        pixels = np.frombuffer(row.encode(), np.uint8)
        cut = pixels[max(0, -left) : CANVAS - left]
        canvas[y + dy, max(0, left) : max(0, left) + len(cut)] = cut
    return np.pad(canvas, (SIZE - CANVAS) // 2, constant_values=ord("."))


def _margins(drawn):
    """Empty rows and columns above, below, left and right of each drawing (..., 4)."""
    rows, columns = drawn.any(-1), drawn.any(-2)
    sides = (rows, rows[..., ::-1], columns, columns[..., ::-1])
    return np.stack([side.argmax(-1) for side in sides], -1)


def _moved(pictures, dy, dx):
    """Each picture (B, 16, 16) moved down by dy (B,) and to the right by dx (B,) pixels."""
    rows = (np.arange(SIZE) - dy[:, None]) % SIZE
    columns = (np.arange(SIZE) - dx[:, None]) % SIZE
    return pictures[np.arange(len(pictures))[:, None, None], rows[:, :, None], columns[:, None]]


def _centred(letters):
    up, down, left, right = _margins(letters != ord(".")).T
    return _moved(letters, (down - up) // 2, (right - left) // 2)


def _render(letters):
    """Roles uint8 (..., 16, 16) of letters: light from the upper left, a dark outline around."""
    material = np.zeros_like(letters)
    for i, letter in enumerate("abcd"):
        material[(letters == ord(letter)) | (letters == ord(letter.upper()))] = i + 1

    def neighbour(x, dy, dx):
        return np.roll(x, (-dy, -dx), (-2, -1))

    up, left, down, right, corner, opposite = (
        (neighbour(material, dy, dx) != material).astype(np.int8)
        for dy, dx in ((-1, 0), (0, -1), (1, 0), (0, 1), (1, 1), (-1, -1))
    )
    lit = up + left - down - right
    tone = np.choose(lit.clip(-1, 1) + 1, np.array([SHADE, MID, LIGHT], np.uint8))
    tone[(lit == 0) & (corner > opposite)] = SHADE
    tone[(letters >= ord("A")) & (letters <= ord("D"))] = HIGHLIGHT
    roles = np.where(material > 0, 4 * material + tone, np.uint8(BACKGROUND))
    for letter, role in (("k", DARK), ("w", WHITE), ("g", GLASS)):
        roles[letters == ord(letter)] = role
    drawn = letters != ord(".")
    near = [neighbour(drawn, dy, dx) for dy, dx in ((-1, 0), (1, 0), (0, -1), (0, 1))]
    roles[np.any(near, axis=0) & ~drawn] = DARK
    return roles


if __name__ == "__main__":
    from PIL import Image

    path = SHIPPED / "figures" / "sprites_contact_sheet.png"
    Image.fromarray(contact_sheet()).save(path, optimize=True)
    print(path)
