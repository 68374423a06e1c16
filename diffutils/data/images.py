"""What every image set shares: the record `ImageSet`, pixels, and a split that cannot leak."""

import hashlib
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from diffutils.data.own.formats import FORMATS
from diffutils.data.own.names import printable
from diffutils.weights.warned import warn

MIN_SIDE = 4  # pixels; smaller images show nothing, and come from files read in a wrong way
MAX_PIXELS = 2**26  # of one image file, 8192 x 8192: decoding it takes 0.2 GB
HELD_OUT = 0.1  # share of the images held out when a set comes without a test split
MIN_IMAGES = 10  # different ones: fewer have no tenth to hold out, and no statistics
WIDE = ("I", "F")  # Pillow's modes of 32-bit numbers, which say nothing of black and white
SLACK = 1e-3  # by which pixels may miss their range
MIN_TRAINING = 3  # where the files bring their own split: lesson 02 sets a third of them apart
PARTS = ("train", "heldout")


@dataclass(frozen=True)
class ImageSet:
    """Images with a held-out part: uint8 (N, C, H, W), int64 labels (N,) or None, class names."""

    name: str
    train: Tensor
    heldout: Tensor
    train_labels: Tensor | None = None
    heldout_labels: Tensor | None = None
    classes: tuple[str, ...] = ()
    licence: str = "not stated"
    source: str = ""
    loaded: dict = field(default_factory=dict)  # how: arguments of `load`, and the order
    notes: tuple[str, ...] = ()  # how one's own files were understood, then what was left out

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        return tuple(self.train.shape[1:])

    def without_labels(self) -> "ImageSet":
        """The same images of no class."""
        return replace(self, train_labels=None, heldout_labels=None, classes=())

    def only(self, part: str, which: Tensor) -> "ImageSet":
        """The set with some images of a part alone: their indices, or a mask."""
        images, labels = getattr(self, part), getattr(self, f"{part}_labels")
        labels = None if labels is None else labels[which]
        return replace(self, **{part: images[which], f"{part}_labels": labels})


def to_float(images: Tensor) -> Tensor:
    """uint8 [0, 255] -> float32 [-1, 1], any shape; floats are there already."""
    floats = images.to(torch.float32)
    return floats if images.is_floating_point() else floats.div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Tensor:
    """float [-1, 1] -> uint8 [0, 255], rounded to the nearest; values outside are clipped."""
    return ((images.detach().float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def read_image(content: bytes, scale: tuple[float, float] | None = None) -> Image.Image:
    """An image file -> its first page, whole, mode L or RGB; info["pages"]: whether it has more.

    scale: black and white of 32-bit files, from `common_scale`; None: this file alone tells.
    Raises: ValueError (too few pixels, or too many); OSError and others of Pillow's (damaged).
    """
    image = _opened(content)
    pages = getattr(image, "is_animated", False)
    decoded = decode(image, scale)
    decoded.info["pages"] = pages
    return decoded


def _opened(content: bytes) -> Image.Image:
    """An image file, of which only the header has been read; errors as in `read_image`."""
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:  # Pillow would name an object in memory
        raise OSError("cannot identify its format" if content else "it is empty") from None
    except Image.DecompressionBombError:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} is more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{width} x {height} is less than {MIN_SIDE} pixels a side")
    return image


def decode(image: Image.Image, scale: tuple[float, float] | None = None) -> Image.Image:
    """Any Pillow image -> 8-bit mode L or RGB, upright, transparency composited on white."""
    wide, by_type = image.mode in WIDE, _is_16_bit(image)
    ImageOps.exif_transpose(image, in_place=True)  # no copy: it may be large
    # Pillow's own convert("L") clips numbers of more than 8 bits instead of scaling them.
    if wide or by_type:
        values = np.asarray(image)
        extremes(values)
        return Image.fromarray(to_bytes(values, (0, 65535) if by_type else scale))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _is_16_bit(image: Image.Image) -> bool:
    """Whether the file says that white is 65535; Pillow reads such a PGM into 32 bits."""
    return image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM")


def common_scale(name: str, read: Callable, files: Iterable) -> tuple[float, float] | None:
    """Black and white of the 32-bit files of a set that can be read, judged by all, or None.

    Raises: ValueError, as `scale_of`.
    """
    found = []
    for file in files:
        try:
            image = _opened(read(file))
            if image.mode in WIDE and not _is_16_bit(image):
                found.append(extremes(np.asarray(image)))
        except Exception:  # Pillow raises many kinds
            continue
    try:
        return scale_of(*found) if found else None
    except ValueError as error:
        raise ValueError(f"{name}: in its 32-bit images {error}") from None


def extremes(values: np.ndarray) -> np.ndarray:
    """Lowest and highest of some pixels, or 0; ValueError for what is no finite number."""
    if values.dtype.kind not in "biuf":
        raise ValueError(f"pixels must be numbers, but their type is {values.dtype}")
    found = np.array([values.min(initial=0), values.max(initial=0)], values.dtype)
    if not np.isfinite(found).all():
        raise ValueError("pixels hold NaN or infinite values; replace them before loading")
    return found


def scale_of(*arrays: np.ndarray) -> tuple[float, float]:
    """The numbers that are black and white in all the pixels of a set, its parts together.

    They are (0, 255) for bytes, else the narrowest of (0, 1), (-1, 1), (0, 255) and, for whole
    numbers, (0, 65535) that holds all pixels, if they fill more than an eighth of it.
    Raises: ValueError (outside all of them, or in so little of one that it may be another).
    """
    found = [extremes(values) for values in arrays]
    low, high = float(min(x[0] for x in found)), float(max(x[1] for x in found))
    whole = all(values.dtype.kind != "f" for values in found)
    inside = f"pixels lie in [{low + 0.0:g}, {high + 0.0:g}]"  # never -0
    whites = (1,) if low < 0 else (1, 255, 65535) if whole else (1, 255)
    white = next((white for white in whites if high <= white + SLACK), None)
    if white is None or low < -1 - SLACK:
        raise ValueError(f"{inside}; expected [0, 255], [0, 1] or [-1, 1]")
    if low < -0.5:
        return -1, 1
    if low < 0:
        both = "that may be [-1, 1], or [0, 1] with a little outside"
        raise ValueError(f"{inside}: {both}; make them fill [-1, 1], or clip them to [0, 1]")
    are_bytes = all(values.dtype == np.uint8 for values in found)
    if white > 1 and high <= white / 8 and not are_bytes:
        raise ValueError(
            f"{inside}, too little of [0, {white}] to tell which number is white: is it {high:g}, "
            f"or {white}? Multiply them, so that white is {white}, or give them as uint8 bytes"
        )
    return 0, white


def to_bytes(values: np.ndarray, scale: tuple[float, float] | None = None) -> np.ndarray:
    """Pixels -> uint8; scale: the numbers that are black and white, else `scale_of` them."""
    black, white = scale or scale_of(values)
    if values.dtype == np.uint8 and (black, white) == (0, 255):
        return values
    out = np.empty(values.shape, np.uint8)
    step = max(1, len(values) * 2**22 // max(1, values.size))  # a few million numbers at a time
    for i in range(0, len(values), step):
        scaled = (values[i : i + step] - black) * (255.0 / (white - black))
        out[i : i + step] = np.clip(np.rint(scaled), 0, 255)
    return out


def square(image: Image.Image, size: int | None = None) -> Image.Image:
    """The largest centred square, at size x size by Pillow's bicubic filter, widened to shrink."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    image = image.crop((left, top, left + side, top + side))
    return image.resize((size, size), Image.Resampling.BICUBIC) if size else image


def fit_size(images: np.ndarray, size: int) -> np.ndarray:
    """uint8 (N, H, W, C), C = 1 or 3 -> the central squares, resized, (N, size, size, C)."""
    out = np.empty((len(images), size, size, images.shape[3]), np.uint8)
    for place, image in zip(out, images, strict=True):
        page = Image.fromarray(image[..., 0] if image.shape[2] == 1 else image)
        place[:] = np.atleast_3d(square(page, size))
    return out


def to_tensor(images: np.ndarray) -> Tensor:
    """uint8 (N, H, W, C) -> uint8 tensor (N, C, H, W)."""
    return torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))


def content_key(image: np.ndarray) -> bytes:
    """16 bytes that name the content of a uint8 image (H, W, C); its mirror image has the same."""
    both = sorted(np.ascontiguousarray(pixels).tobytes() for pixels in (image, image[:, ::-1]))
    # The pair is hashed as one: the smaller of two hashes would not be uniform.
    return hashlib.blake2b(b"".join(both), digest_size=16).digest()


def held_out(name: str, keys: list[bytes]) -> np.ndarray:
    """Boolean (N,): which images are held out, about one in ten, each decided by its key alone.

    Raises: ValueError (fewer than `MIN_IMAGES` different images).
    """
    if (n := len(set(keys))) < MIN_IMAGES:
        here = f"{n} different images (mirror images count as one)"
        least = f"at least {MIN_IMAGES} are needed, of which one in ten is held out"
        raise ValueError(f"{name} holds {here}, but {least}; add images")
    held = {k for k in keys if int.from_bytes(k[:4], "big") < HELD_OUT * 2**32} or {min(keys)}
    return np.array([key in held for key in keys])


def without_leaks(data: ImageSet) -> ImageSet:
    """Remove from the training part whatever is (mirrored or not) also in the held-out part."""
    train, heldout = (getattr(data, part).permute(0, 2, 3, 1).numpy() for part in PARTS)
    seen = set(map(content_key, heldout))
    keep = torch.tensor([content_key(image) not in seen for image in train], dtype=torch.bool)
    if keep.all():
        return data
    if not keep.any():
        raise ValueError(f"{data.name}: every training image is also a held-out image")
    removed = f"{int((~keep).sum())} training images that are also held out (or mirror one)"
    warn(f"{data.name}: {removed} were removed from the training part")
    return data.only("train", keep)


def check_parts(data: ImageSet) -> ImageSet:
    """The same set; ValueError if it has too little to train on, or nothing held out."""
    train, heldout = len(data.train), len(data.heldout)
    differ = any(not torch.equal(image, data.train[0]) for image in data.train)
    if train < MIN_TRAINING or not differ or not heldout:
        equal = "" if differ or not train else ", all equal,"
        here = f"{train} training images{equal} and {heldout} held-out ones"
        least = f"at least {MIN_TRAINING} to train on, not all equal, and 1 held out are needed"
        raise ValueError(f"{data.name} holds {here}, but {least}; add images")
    return data


def limited(data: ImageSet, limit: int | None, heldout: int | None, seed: int) -> ImageSet:
    """At most `limit` training and `heldout` held-out images, chosen by `seed`."""
    for part, most in zip(PARTS, (limit, heldout), strict=True):
        if most is not None and most < (n := len(getattr(data, part))):
            data = data.only(part, _order(n, seed)[:most].sort().values)
    return data


def shuffled(data: ImageSet, seed: int) -> ImageSet:
    """The same set in an order drawn from `seed`: the first n images are a fair sample."""
    for part in PARTS:  # files often lie sorted by class
        data = data.only(part, _order(len(getattr(data, part)), seed))
    return replace(data, loaded=data.loaded | {"order": seed})


def _order(n: int, seed: int) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).permutation(n))


def image_set(
    name, pixels, held, labels=None, classes=(), licence="not stated", source="", notes=()
):
    """uint8 (N, H, W, C) and a boolean mask of the held-out images (N,) -> ImageSet.

    `labels` (N,) are class numbers; with fewer of them than images, only the first have labels.
    """
    images, mask = to_tensor(pixels), torch.from_numpy(held)
    train_labels = heldout_labels = None
    if labels is not None:
        labels = torch.from_numpy(np.asarray(labels, np.int64))
        train_labels = labels[~mask[: len(labels)]]
        heldout_labels = labels[mask] if len(labels) == len(mask) else None
    parts = images[~mask], images[mask], train_labels, heldout_labels
    about = dict(licence=licence, source=source or name, notes=tuple(notes))
    return ImageSet(name, *parts, tuple(map(printable, classes)), **about)


def resized(data: ImageSet, size: int | None) -> ImageSet:
    """The set at size x size; see `fit_size`."""
    if size is None or data.shape[1:] == (size, size):
        return data
    parts = {part: getattr(data, part).permute(0, 2, 3, 1).numpy() for part in PARTS}
    return replace(data, **{part: to_tensor(fit_size(x, size)) for part, x in parts.items()})
