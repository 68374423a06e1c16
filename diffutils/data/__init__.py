"""Image sets behind one door: `load(name)` gives uint8 images, split without leaks."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import torch

from diffutils.data import arrays, digits, downloads, files, photos, tables
from diffutils.data import images as px
from diffutils.data.downloads import download
from diffutils.data.drawn import faces, sprites
from diffutils.data.images import ImageSet, to_float, to_uint8
from diffutils.data.own import names
from diffutils.weights.warned import warn

__all__ = ["NAMES", "ImageSet", "any_size", "catalogue", "download", "load", "own_path",
           "to_float", "to_uint8"]  # fmt: skip

# name, what, side in pixels, number of images, licence
SETS = (
    ("sprites", "pixel art in labelled classes, drawn by code", "16", "endless", "CC0"),
    ("faces", "anime-styled faces with attributes, drawn by code", "16 to 256", "endless", "CC0"),
    ("digits", "scikit-learn's handwritten digits", "32", "1,797", "CC BY 4.0"),
    ("digits-m", "the same on photo patches", "32", "1,797", "CC BY 4.0; as photos"),
    ("photos", "crops of 13 photographs in scikit-image", "any", "endless", photos.LICENCE),
    ("mnist", "handwritten digits", "28", "60,000 + 10,000", "CC BY-SA 3.0"),
    ("cifar10", "photographs of ten classes", "32", "50,000 + 10,000", "none stated"),
    ("mnist-m", "MNIST on photo patches", "28 or 32", "60,000 + 10,000", "non-commercial"),
    ("sprites-dlai", "sprites of the published experiment", "16", "89,400", "MIT"),
    ("folder:PATH", "your images; class sub-folders or labels.csv", "any", "-", "yours"),
    ("zip:PATH", "the same in a zip archive", "any", "-", "yours"),
    ("npz:PATH", "arrays images, labels, test_images, test_labels", "any", "-", "yours"),
    ("csv:PATH", "one image a row, label first or last", "any", "-", "yours"),
)
NAMES = tuple(name for name, *_ in SETS)
DRAWN = {"sprites": 50_000, "faces": 20_000, "photos": 5_000}  # as many as asked, or these
MAX_SIDE = 8192  # pixels; a larger `size` is a slip
MAX_SEED = 2**63 - 1  # torch takes twice that, and lessons count on from their seed
LABELLED = ("faces", "folder", "zip", "csv")  # sets with several kinds of label


def load(
    name: str,
    size: int | None = None,
    limit: int | None = None,
    seed: int = 0,
    heldout: int | None = None,
    label: str | None = None,
    say: Callable[[str], None] = print,
) -> ImageSet:
    """Images of the set `name`: uint8 (N, C, H, W), for training and held out; nothing downloads.

    name: one of `NAMES`; PATH is a file or folder of your own, with at least 10 different images
        (one in ten is held out), or at least 3 training images and a test part of its own.
    size: side in pixels, 4 to 8192; images are cropped to their central square and resized by a
        filter that does not alias. Default: the size of the set.
    limit: at most so many training images, chosen by `seed`. Sets drawn by code draw exactly so
        many (default: sprites 50,000, faces 20,000, photos 5,000).
    heldout: the same for the held-out images (default for drawn sets: a tenth of `limit`, at least
        500 where `limit` allows; for others all there are).
    seed: a whole number from 0 up to 2**63 - 1.
    label: which to read: a column of labels.csv, "first" or "last" for `csv:`, one of the
        attributes of `faces`; for `folder:` and `zip:` also "folders", which takes each first
        folder for a class, and "none".
    say: takes a line or two on how files of your own were understood. What was left out, or could
        have been meant in another way, is a warning as well; all of it stays in `notes`.

    Raises: ValueError (unknown name, an argument out of its range, no usable images or too few,
            folders or tables that can be read in two ways);
        FileNotFoundError (the files are not here; the message says how to get them).
    """
    # Check the arguments.
    for value, what in ((size, "size"), (limit, "limit"), (heldout, "heldout")):
        if value is not None and (type(value) is not int or value < 1):
            raise ValueError(f"{what}={value!r}; expected a whole number of at least 1, or None")
    if size is not None and not px.MIN_SIDE <= size <= MAX_SIDE:
        sides = f"at most {MAX_SIDE} pixels, and of at least {px.MIN_SIDE}"
        raise ValueError(f"size={size}; expected a side of {sides}")
    if type(seed) is not int or not 0 <= seed <= MAX_SEED:
        raise ValueError(f"seed={seed!r}; expected a whole number from 0 up to 2**63 - 1")
    loaded = dict(size=size, limit=limit, seed=seed, heldout=heldout, label=label)
    kind, colon, path = str(name).partition(":")
    if label is not None and kind not in LABELLED:
        known = f"only {', '.join(LABELLED)} have labels to choose from"
        raise ValueError(f"label={label!r}: {known}, not {name}; leave label out")
    # Read or draw the images.
    own = {
        "folder": lambda path: files.folder(path, size, limit, seed, label),
        "zip": lambda path: files.zipped(path, size, limit, seed, label),
        "npz": arrays.npz,
        "csv": lambda path: tables.csv_rows(path, label),
    }
    published = {
        "digits": digits.load,
        "digits-m": lambda: digits.on_photos(digits.load(), name, seed),
        "mnist": downloads.mnist,
        "mnist-m": lambda: downloads.mnist_m(seed),
        "cifar10": downloads.cifar10,
        "sprites-dlai": downloads.sprites_dlai,
    }
    if not colon and kind in DRAWN:
        return replace(_drawn(name, size, limit, seed, heldout, label), loaded=loaded)
    if colon and kind in own:
        if not path:
            raise ValueError(f"{name!r} names no file; write {kind}:PATH")
        data = px.check_parts(px.without_leaks(own[kind](own_path(path))))
        if untrained := _untrained(data):
            warn(f"{name}: {untrained}")
            data = replace(data, notes=(*data.notes, untrained))
    elif not colon and kind in published:
        data = px.without_leaks(published[kind]())
    else:
        offered, known = downloads.meant(kind, NAMES), ", ".join(NAMES)
        raise ValueError(f"no data set is called {name!r}{offered}; the names are {known}")
    data = replace(px.resized(px.limited(data, limit, heldout, seed), size), loaded=loaded)
    for line in _understood(data) if colon else ():
        say(line)
    return data


def _untrained(data: ImageSet) -> str:
    """A sentence on classes that are held out, but never trained on; empty without any."""
    if data.train_labels is None or data.heldout_labels is None:
        return ""
    lost = {*data.heldout_labels.tolist()} - {*data.train_labels.tolist()}
    shown = names.some(data.classes[k] for k in sorted(lost))
    return f"held-out classes never trained on: {shown}" if lost else ""


def _understood(data: ImageSet) -> list[str]:
    """One line on the parts and classes of a set of one's own, and one with its notes."""
    labels = [y for y in (data.train_labels, data.heldout_labels) if y is not None]
    counts = Counter(k for y in labels for k in y.tolist())
    classes = names.some(f"{data.classes[k]} {n:,}" for k, n in sorted(counts.items()))
    parts = f"{len(data.train):,} images to train on, {len(data.heldout):,} held out"
    lines = [f"{data.name}: {parts}; " + (f"classes: {classes}" if classes else "no classes")]
    return lines + ["; ".join(data.notes)] if data.notes else lines


def any_size(name: str) -> bool:
    """Whether the images of a set come at any size as sharp; arrays have a size of their own."""
    return name.partition(":")[0] in ("faces", "photos", "folder", "zip")


def own_path(text: str) -> Path:
    """The path that a user wrote, with ~ expanded; whether something is there is another question.

    Raises: ValueError (no such user, a name that no file can have, or a folder that is closed).
    """
    try:
        path = Path(text).expanduser()
        path.resolve().exists()
    except (OSError, RuntimeError, ValueError) as error:
        shown = text if len(text) <= 80 else f"{text[:77]}..."
        why = getattr(error, "strerror", None) or str(error).rstrip(".")
        cure = "give one that can be read, written in full"
        raise ValueError(f"the path {shown!r} cannot be used ({why}); {cure}") from None
    return path


def _drawn(name, size, limit, seed, heldout, label) -> ImageSet:
    """Sets made on demand: `limit` and `heldout` are the numbers of images drawn."""
    limit = limit or DRAWN[name]
    counts = zip((limit, heldout or min(limit, max(500, limit // 10))), px.PARTS, strict=True)
    if name == "photos":
        parts = [photos.crops(n, size or 64, seed, split)[0] for n, split in counts]
        return ImageSet(name, *parts, licence=photos.LICENCE, source=photos.SOURCE)
    if name == "sprites":
        classes = sprites.CLASSES
        parts = [sprites.sprites(n, seed, split) for n, split in counts]
    else:
        label = label or "hair_colour"
        if label not in faces.ATTRIBUTES:
            known = ", ".join(faces.ATTRIBUTES)
            raise ValueError(f"faces have no attribute {label!r}; they have {known}")
        classes = faces.ATTRIBUTES[label]
        drawn = [faces.faces(n, size or 64, seed, split) for n, split in counts]
        parts = [(images, attributes[label]) for images, attributes in drawn]
    tensors = [torch.as_tensor(part[i]) for i in (0, 1) for part in parts]
    source = f"drawn by {faces.__package__}.{name}"
    return px.resized(ImageSet(name, *tensors, tuple(classes), "CC0", source), size)


class Record(NamedTuple):
    """One line of the catalogue; `where` says where the set is or how to get it."""

    name: str
    what: str
    size: str
    count: str
    licence: str
    here: bool
    where: str


def catalogue() -> list[Record]:
    """Every name that `load` knows, with size, licence and whether the files are here."""
    return [Record(*row, *_whereabouts(row[0])) for row in SETS]


def _whereabouts(name: str) -> tuple[bool, str]:
    """Whether a set is here, and where it is or how to get it."""
    if name.endswith(":PATH"):
        return True, "give the path"
    needs = {"digits": ["learn"], "photos": ["image"], "digits-m": ["learn", "image"]}
    kits = needs.get(name, [])
    if missing := [f"scikit-{kit}" for kit in kits if find_spec(f"sk{kit}") is None]:
        return False, "pip install " + " ".join(missing)
    if name not in (*downloads.REMOTES, "mnist-m"):
        return True, "built in"
    path = downloads.here(name)
    return path is not None, str(path or downloads.command(name))
