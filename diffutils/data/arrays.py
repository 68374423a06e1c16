"""Images as arrays of numbers: `npz:PATH`, and what every other set of arrays goes through."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from diffutils.data import archives
from diffutils.data import images as px
from diffutils.data.images import ImageSet

MAX_LABEL = 2**31  # a larger class number is a slip, or no number that int64 can hold
CHANNELS = (1, 3, 4)  # grey, RGB, RGB with alpha
# Names that widespread files give to the arrays, ours first.
ALIASES = {
    "images": ("images", "train_images", "x_train", "arr_0"),
    "labels": ("labels", "train_labels", "y_train"),
    "test_images": ("test_images", "x_test"),
    "test_labels": ("test_labels", "y_test"),
}


def npz(path: Path) -> ImageSet:
    """Arrays `images` (N, H, W[, C]) or (N, C, H, W) and, optionally, the others of `ALIASES`.

    `labels` may be numbers or names (N,) or one-hot (N, K); `classes` (K,) may name the numbers.
    Raises: FileNotFoundError; ValueError (no npz file, or arrays of other names, shapes or types).
    """
    name = f"npz:{path}"
    archives.opened(name, path, "an .npz file, written by np.savez").close()
    try:
        with np.load(path, allow_pickle=False) as store:
            arrays = {key: store[key] for key in store.files}
        if loose := [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{loose[0]} is no array")
    except (ValueError, OSError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{name} does not hold plain arrays of numbers that fit into memory ({error}); "
            "write it again with np.savez"
        ) from None
    known = {ours: [n for n in names if n in arrays] for ours, names in ALIASES.items()}
    found = {ours: arrays[names[0]] for ours, names in known.items() if names}
    if "images" not in found:
        raise ValueError(
            f"{name} holds {sorted(arrays)}; the images must be called 'images': "
            "write it with np.savez(path, images=...)"
        )
    return from_arrays(name, classes=arrays.get("classes"), **found)


def from_arrays(
    name, images, labels=None, test_images=None, test_labels=None, classes=None, **about
) -> ImageSet:
    """Arrays of any usual layout and type -> ImageSet; without a test part, split by content.

    classes: names of the labels 0, 1, ...; about: licence and source of the set.
    """
    # Join the parts, and split them.
    if test_labels is not None and (labels is None or test_images is None):
        raise ValueError(
            f"{name} holds test_labels without labels and test_images; add what is missing, "
            "or leave test_labels out"
        )
    pixels = to_pixels(name, images)
    if test_images is None:
        held = px.held_out(name, [px.content_key(image) for image in pixels])
    else:
        test = to_pixels(name, test_images)
        if test.shape[1:] != pixels.shape[1:]:
            raise ValueError(
                f"{name}: images are {pixels.shape[1:]}, but test images {test.shape[1:]} "
                "(height, width, channels); make them equal"
            )
        pixels = np.concatenate([pixels, test])
        held = np.arange(len(pixels)) >= len(images)
    if labels is None:
        return px.image_set(name, pixels, held, **about)
    # Number the labels.
    values = _class_values(name, "labels", labels, len(images))
    if test_labels is not None:
        test_values = _class_values(name, "test_labels", test_labels, len(test_images))
        values = np.concatenate([values, test_values])
    distinct, numbers = np.unique(values, return_inverse=True)
    if classes is not None and distinct.dtype.kind in "iu":
        if len(shape := np.shape(classes)) != 1:
            wanted = "expected (K,), one name for each class"
            raise ValueError(f"{name}: classes has shape {shape}; {wanted}")
        if not 0 <= distinct[0] <= distinct[-1] < len(classes):
            raise ValueError(
                f"{name}: labels run from {distinct[0]} to {distinct[-1]}, but classes holds "
                f"{len(classes)} names, counted from 0; make them fit"
            )
        numbers, distinct = values, classes
    return px.image_set(name, pixels, held, numbers, map(str, distinct), **about)


def to_pixels(name: str, images: np.ndarray) -> np.ndarray:
    """Images of any usual layout and type, else ValueError -> uint8 (N, H, W, C), C = 1 or 3."""
    # Bring the layout to (N, H, W, C).
    shape = images.shape
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in shape:
        raise ValueError(f"{name}: images have shape {shape}; expected (N, H, W[, C])")
    if images.shape[3] not in CHANNELS and images.shape[1] in CHANNELS:
        images = images.transpose(0, 2, 3, 1)
    _, height, width, channels = images.shape
    if channels not in CHANNELS:
        raise ValueError(f"{name}: images have shape {shape}; expected 1, 3 or 4 channels")
    if min(height, width) < px.MIN_SIDE:
        raise ValueError(
            f"{name}: images are {height} x {width} pixels; expected at least {px.MIN_SIDE} a side"
        )
    # Bring the values to bytes, transparent ones on white.
    try:
        pixels = px.to_bytes(images)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if channels < 4:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _class_values(name: str, key: str, labels: np.ndarray, n: int) -> np.ndarray:
    """Labels of n images, (N,), (N, 1) or one-hot (N, K) -> integers or names (N,)."""
    # Find one label for each image.
    wanted = f"{name}: labels must be whole numbers or names"
    if labels.dtype.kind not in "biufUS":
        raise ValueError(f"{wanted}, but their type is {labels.dtype}")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        if not np.array_equal(np.sort(labels, 1)[:, -2:] == 1, [[False, True]] * len(labels)):
            raise ValueError(
                f"{name}: labels of shape {labels.shape} are not one-hot; expected one 1 a row, "
                "or one class number for each image"
            )
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise ValueError(f"{name}: labels have shape {labels.shape}; expected (N,) or (N, K)")
    if len(labels) != n:
        raise ValueError(f"{name}: {key} has {len(labels)} rows for {n} images; give one for each")
    # Check that they are numbers of classes, or names.
    if labels.dtype.kind in "bUS":
        return labels
    if not np.array_equal(labels, np.rint(labels)):
        raise ValueError(wanted)
    low, high = labels.min(), labels.max()
    if not -MAX_LABEL <= low <= high <= MAX_LABEL:
        raise ValueError(
            f"{name}: labels run from {low:g} to {high:g}; expected class numbers of at most "
            f"{MAX_LABEL:,} on either side of 0"
        )
    return labels.astype(np.int64)
