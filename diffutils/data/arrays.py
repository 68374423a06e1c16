"""An instructor's own images as numbers: `npz:PATH` and `csv:PATH`."""

import csv
import gzip
import zipfile
import zlib
from math import isqrt
from pathlib import Path

import numpy as np

from diffutils.data import archives
from diffutils.data import images as px
from diffutils.data.images import ImageSet

MAX_LABEL = 2**31  # a larger class number is a slip, or no number that int64 can hold
CSV = dict(comments=None, delimiter=",", quotechar='"', ndmin=2, encoding="utf-8-sig")
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

    Raises:
        FileNotFoundError: no such file.
        ValueError: not an npz file, or its arrays have other names, shapes or types.
    """
    name = f"npz:{path}"
    archives.opened(name, path, "an .npz file, written by np.savez").close()
    try:
        with np.load(path, allow_pickle=False) as store:
            arrays = {key: store[key] for key in store.files}
    except (ValueError, OSError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{name} does not hold plain arrays of numbers that fit into memory "
            f"({error}); write it again with np.savez"
        ) from None
    if loose := [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]:
        raise ValueError(f"{name}: {loose[0]} is no array; write the file again with np.savez")
    found = {
        ours: next((arrays[n] for n in names if n in arrays), None)
        for ours, names in ALIASES.items()
    }
    if found["images"] is None:
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
            f"{name} holds test_labels without labels and test_images; add what is "
            "missing, or leave test_labels out"
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
    values = [_class_values(name, "labels", labels, len(images))]
    if test_labels is not None:
        values.append(_class_values(name, "test_labels", test_labels, len(test_images)))
    values = np.concatenate(values)
    distinct, numbers = np.unique(values, return_inverse=True)
    if classes is not None and distinct.dtype.kind in "iu":
        if np.ndim(classes) != 1:
            raise ValueError(
                f"{name}: classes has shape {np.shape(classes)}; expected (K,), one "
                "name for each class"
            )
        if not 0 <= distinct[0] <= distinct[-1] < len(classes):
            raise ValueError(
                f"{name}: labels run from {distinct[0]} to {distinct[-1]}, but "
                f"classes holds {len(classes)} names, counted from 0; make them fit"
            )
        numbers, distinct = values, classes
    return px.image_set(name, pixels, held, numbers, map(str, distinct), **about)


def to_pixels(name: str, images: np.ndarray) -> np.ndarray:
    """Image array of any usual layout and type -> uint8 (N, H, W, C), C = 1 or 3.

    Raises:
        ValueError: the shape or the range of the values is none of those known.
    """
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in images.shape:
        raise ValueError(f"{name}: images have shape {images.shape}; expected (N, H, W[, C])")
    if images.shape[3] not in (1, 3, 4) and images.shape[1] in (1, 3, 4):
        images = images.transpose(0, 2, 3, 1)
    if images.shape[3] not in (1, 3, 4):
        raise ValueError(f"{name}: images have shape {images.shape}; expected 1, 3 or 4 channels")
    if min(images.shape[1:3]) < px.MIN_SIDE:
        raise ValueError(
            f"{name}: images are {images.shape[1]} x {images.shape[2]} pixels; "
            f"expected at least {px.MIN_SIDE} a side"
        )
    try:
        pixels = px.to_bytes(images)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if pixels.shape[3] < 4:
        return pixels
    alpha = pixels[..., 3:].astype(np.float32) / 255
    return np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)


def _class_values(name: str, key: str, labels: np.ndarray, n: int) -> np.ndarray:
    """Labels of n images, (N,), (N, 1) or one-hot (N, K) -> integers or names (N,)."""
    if labels.dtype.kind not in "biufUS":
        raise ValueError(
            f"{name}: labels must be whole numbers or names, but their type is {labels.dtype}"
        )
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2:
        if not np.array_equal(np.sort(labels, 1)[:, -2:] == 1, [[False, True]] * len(labels)):
            raise ValueError(
                f"{name}: labels of shape {labels.shape} are not one-hot; expected "
                "one 1 a row, or one class number for each image"
            )
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise ValueError(f"{name}: labels have shape {labels.shape}; expected (N,) or (N, K)")
    if len(labels) != n:
        raise ValueError(f"{name}: {key} has {len(labels)} rows for {n} images; give one for each")
    if labels.dtype.kind in "bUS":
        return labels
    if not np.array_equal(labels, np.rint(labels)):
        raise ValueError(f"{name}: labels must be whole numbers or names")
    if labels.size and not -MAX_LABEL <= labels.min() <= labels.max() <= MAX_LABEL:
        raise ValueError(
            f"{name}: labels run from {labels.min():g} to {labels.max():g}; expected "
            f"class numbers of at most {MAX_LABEL:,} on either side of 0"
        )
    return labels.astype(np.int64)


def csv_rows(path: Path, label: str | None = None) -> ImageSet:
    """One image a row: side * side or 3 * side * side pixels, and a label first or last, if any.

    `label`: "first", "last", "none" or a name in the header; by default it is found out. A first
    row of numbers is an image, not a header, unless it counts 0, 1, 2, ...

    Raises:
        FileNotFoundError: no such file.
        ValueError: rows of unequal length, cells that are no numbers, or rows of no square image.
    """
    # Look at the first two rows.
    name = f"csv:{path}"
    archives.existing(name, path, "a .csv file")
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", newline="", encoding="utf-8-sig") as file:
            rows = csv.reader(file)
            first, second = next(rows, []), next(rows, [])
    except (UnicodeDecodeError, csv.Error, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name} is not CSV text in UTF-8 ({error}); save it as that") from None
    header, row = (first, second) if _is_header(first) else ([], first)
    if not row:
        raise ValueError(f"{name} holds no rows of pixels; expected one image a row")
    width = len(row)
    words = [i for i in sorted({0, width - 1}) if not _is_number(row[i])]
    if not words and width < px.MIN_SIDE**2 or len(words) == width:
        raise ValueError(
            f"{name} holds rows such as {','.join(row)[:40]!r}; expected one image a "
            "row: numbers from 0 to 255, separated by commas"
        )
    # Read all rows, and set the label apart.
    numbers = _columns(name, path, header, [i for i in range(width) if i not in words], np.float32)
    labels = None
    if words:
        labels = _columns(name, path, header, words[:1], str)[:, 0]
    elif (column := _label_column(name, numbers, header, label)) is not None:
        labels = numbers[:, column]
        numbers = np.delete(numbers, column, axis=1)
    return from_arrays(name, _as_images(name, numbers), labels)


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_header(row: list[str]) -> bool:
    """Whether most cells are words, or the cells count up from 0 or 1 (as column numbers do)."""
    if sum(not _is_number(cell) for cell in row) > len(row) / 2:
        return True
    counting = [str(i) for i in range(len(row) + 1)]
    return len(row) > 4 and row[1:] in (counting[:-2], counting[1:-1], counting[2:])


def _columns(name, path, header, columns, dtype) -> np.ndarray:
    """Columns of a csv file as an array (rows, columns)."""
    try:
        return np.loadtxt(path, dtype, usecols=columns, skiprows=1 if header else 0, **CSV)
    except (ValueError, EOFError, zlib.error) as error:
        raise ValueError(
            f"{name} cannot be read as rows of numbers: {error}; every row needs one "
            "number a pixel, and a label first or last or none"
        ) from None


def _layout(width: int) -> tuple[int, int] | None:
    """(side, channels) of a square image of `width` numbers, or None."""
    for channels in (1, 3):
        side = isqrt(width // channels)
        if side and side * side * channels == width:
            return side, channels
    return None


def _label_column(name, table, header, label) -> int | None:
    """Index of the label column, or None where every column is a pixel."""
    last = table.shape[1] - 1
    if label is not None:
        known = {"none": None, "first": 0, "last": last}
        if label in known:
            return known[label]
        if label not in header:
            raise ValueError(f"{name}: label={label!r} is neither first, last, none nor a column")
        return header.index(label)
    for i, cell in enumerate(header):
        if cell.strip().lower() in ("label", "labels", "class", "target", "y"):
            return i
    if _layout(table.shape[1]) or not _layout(last):
        return None
    ends = {column: np.unique(table[:, column]) for column in (0, last)}
    # Labels count up from 0 or 1 without a gap; a corner pixel is constant or takes many values.
    likely = [
        column
        for column, values in ends.items()
        if 1 < len(values) < 1000 and values[0] in (0, 1) and np.all(np.diff(values) == 1)
    ]
    if len(likely) != 1:
        raise ValueError(
            f"{name}: the label may be the first or the last of {last + 1} columns; "
            "give label='first' or label='last'"
        )
    return likely[0]


def _as_images(name, table: np.ndarray) -> np.ndarray:
    """Rows of pixels (N, P) -> (N, H, W, C); colours lie plane by plane or pixel by pixel."""
    layout = _layout(table.shape[1])
    if layout is None:
        raise ValueError(
            f"{name}: {table.shape[1]} pixels a row are no square image of 1 or 3 channels"
        )
    side, channels = layout
    pixels = table.reshape(-1, side, side, channels)
    planes = table.reshape(-1, channels, side, side).transpose(0, 2, 3, 1)
    # In the right layout neighbours differ least.
    rough = [np.abs(np.diff(x[:200], axis=2)).mean() for x in (pixels, planes)]
    return pixels if rough[0] <= rough[1] else planes
