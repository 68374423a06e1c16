"""What every image set shares: the record `ImageSet`, pixels, and a split that cannot leak."""

import hashlib
import io
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

MIN_SIDE = 4  # pixels; smaller images show nothing, and come from files read in a wrong way
MAX_PIXELS = 2**26  # of one image file, 8192 x 8192: decoding it takes 0.2 GB
HELD_OUT = 0.1  # share of the images held out when a set comes without a test split
MIN_IMAGES = 10  # different ones: fewer have no tenth to hold out, and no statistics
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


def read_image(content: bytes) -> Image.Image:
    """An image file -> the whole image, 8-bit mode L or RGB.

    Raises: ValueError (too few pixels, or so many that decoding them could fill the memory);
        OSError (no image file, or a damaged one; Pillow raises other errors, too).
    """
    try:
        image = Image.open(io.BytesIO(content))  # reads the header only
    except Image.DecompressionBombError:
        raise ValueError(f"more than {MAX_PIXELS:,} pixels") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise ValueError(f"{width} x {height} is more than {MAX_PIXELS:,} pixels")
    if min(width, height) < MIN_SIDE:
        raise ValueError(f"{width} x {height} is less than {MIN_SIDE} pixels a side")
    return decode(image)


def decode(image: Image.Image) -> Image.Image:
    """Any Pillow image -> 8-bit mode L or RGB, upright, transparency composited on white."""
    image = ImageOps.exif_transpose(image)
    # Pillow's own convert("L") clips numbers of more than 8 bits instead of scaling them.
    if image.mode.startswith("I;16"):
        return Image.fromarray(np.rint(np.asarray(image) / 257.0).astype(np.uint8))
    if image.mode in ("F", "I"):
        return Image.fromarray(to_bytes(np.asarray(image)))
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        return Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def to_bytes(values: np.ndarray) -> np.ndarray:
    """Pixels -> uint8, from whole numbers up to 1, 255 or 65535, or floats in [-1, 1] or [0, 255].

    Raises: ValueError (no numbers, not finite, or outside every known range).
    """
    if values.dtype.kind not in "biuf":
        raise ValueError(f"pixels must be numbers, but their type is {values.dtype}")
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError("pixels hold NaN or infinite values; replace them before loading")
    whole = values.dtype.kind != "f"
    if low >= 0 and high <= 1 + 1e-3:
        scaled = values * 255.0
    elif values.dtype == np.uint8:
        return values
    elif low >= 0 and high <= 255 + 1e-3:
        scaled = values
    elif low >= -1 - 1e-3 and high <= 1 + 1e-3 and not whole:
        scaled = (values + 1) * 127.5
    elif low >= 0 and high <= 65535 and whole:
        scaled = values / 257.0
    else:
        raise ValueError(f"pixels lie in [{low:g}, {high:g}]; expected [0, 255], [0, 1] or [-1, 1]")
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


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
    """Boolean (N,): which images are held out, decided by content alone, about one in ten.

    Copies and mirrored copies share a key and so a side. An image keeps its side when others are
    added or the order changes.  Raises: ValueError (fewer than `MIN_IMAGES` different images).
    """
    if len(set(keys)) < MIN_IMAGES:
        raise ValueError(
            f"{name} holds {len(set(keys))} different images (mirror images count as one), but at "
            f"least {MIN_IMAGES} are needed, of which one in ten is held out; add images"
        )
    held = {key for key in keys if int.from_bytes(key[:4], "big") < HELD_OUT * 2**32}
    held = held or {min(keys)}
    return np.array([key in held for key in keys])


def without_leaks(data: ImageSet) -> ImageSet:
    """Remove from the training part whatever is (mirrored or not) also in the held-out part."""
    train, heldout = (getattr(data, part).permute(0, 2, 3, 1).numpy() for part in PARTS)
    seen = set(map(content_key, heldout))
    keep = torch.tensor([content_key(image) not in seen for image in train], dtype=torch.bool)
    removed = int((~keep).sum())
    if not removed:
        return data
    if removed == len(keep):
        raise ValueError(f"{data.name}: every training image is also a held-out image")
    warnings.warn(
        f"{data.name}: {removed} training images that are also held out (or mirror one) "
        "were removed from the training part",
        stacklevel=3,
    )
    return data.only("train", keep)


def check_parts(data: ImageSet) -> ImageSet:
    """The same set; ValueError if it has too little to train on, or nothing held out."""
    train, heldout = len(data.train), len(data.heldout)
    differ = any(not torch.equal(image, data.train[0]) for image in data.train)
    if train < MIN_TRAINING or not differ or not heldout:
        equal = "" if differ or not train else ", all equal,"
        raise ValueError(
            f"{data.name} holds {train} training images{equal} and {heldout} held-out ones, but at "
            f"least {MIN_TRAINING} to train on, not all equal, and 1 held out are needed; "
            "add images"
        )
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


def image_set(name, pixels, held, labels=None, classes=(), licence="not stated", source=""):
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
    return ImageSet(name, *parts, tuple(classes), licence, source or name)


def resized(data: ImageSet, size: int | None) -> ImageSet:
    """The set at size x size; see `fit_size`."""
    if size is None or data.shape[1:] == (size, size):
        return data
    parts = {part: getattr(data, part).permute(0, 2, 3, 1).numpy() for part in PARTS}
    return replace(data, **{part: to_tensor(fit_size(x, size)) for part, x in parts.items()})
