"""Images as arrays of numbers: `npz:PATH`, and what every other set of arrays goes through."""

import zipfile
import zlib
from pathlib import Path

import numpy as np

from diffutils.data import images as px
from diffutils.data.images import ImageSet
from diffutils.data.own import archives
from diffutils.data.own.columns import MISSING
from diffutils.weights.warned import warn

MOST = 2**30  # bytes of numbers that one set may hold; more only where this is set higher
MAX_LABEL = 2**31  # a larger class number is a slip, or no number that int64 can hold
CHANNELS = (1, 3, 4)  # grey, RGB, RGB with alpha
MAX_ASPECT = 16  # of a picture; (H, W, N) read as (N, H, W) has more
# What widespread files call the arrays, in lower case and without "_"; ours first.
ALIASES = {
    "images": "images image trainimages imagestrain xtrain trainx x data traindata arr0",
    "labels": "labels label trainlabels labelstrain ytrain trainy y targets target",
    "test_images": "testimages imagestest xtest testx testdata",
    "test_labels": "testlabels labelstest ytest testy testtargets",
    "classes": "classes classnames",
}


def npz(path: Path) -> ImageSet:
    """Arrays `images` (N, H, W[, C]) or (N, C, H, W) and, optionally, the others of `ALIASES`.

    `labels` may be numbers or names (N,) or one-hot (N, K); `classes` (K,) may name the numbers.
    Raises: FileNotFoundError; ValueError (no npz file, one that unpacks to more than `MOST` bytes,
        two arrays for one purpose, or arrays of other names, shapes or types).
    """
    name = f"npz:{path}"
    found, notes, remarks = _read(name, path)
    return from_arrays(name, **found, notes=notes, remarks=remarks)


def in_order(path: Path) -> np.ndarray:
    """Images of an npz file as they lie in it, uint8 (N, H, W, C), no test part; as `npz`."""
    name = f"npz:{path}"
    found, _, _ = _read(name, path)
    parts = [found[key] for key in ("images", "test_images") if key in found]
    return _joined(name, parts)[0][: len(parts[0])]


def _read(name: str, path: Path) -> tuple[dict[str, np.ndarray], list[str], list[str]]:
    """The arrays of an npz file by our names, how they are called in it, and what is not used."""
    # See what it holds before anything is unpacked.
    with archives.opened(name, path, "an .npz file, written by np.savez") as archive:
        within_bounds(name, sum(entry.file_size for entry in archive.infolist()))
    try:
        with np.load(path, allow_pickle=False) as store:
            arrays = {key: store[key] for key in store.files}
        if loose := [key for key, array in arrays.items() if not isinstance(array, np.ndarray)]:
            raise ValueError(f"{loose[0]} is no array")
    except (ValueError, OSError, EOFError, MemoryError, zlib.error, zipfile.BadZipFile) as error:
        wanted = "plain arrays of numbers that fit into memory"
        cure = "write it again with np.savez"
        raise ValueError(f"{name} does not hold {wanted} ({error}); {cure}") from None
    # Tell the arrays apart by their names.
    found = {}
    for ours, names in ALIASES.items():
        meant = [key for key in arrays if key.lower().replace("_", "") in names.split()]
        if len(meant) > 1:
            several, cure = " and ".join(meant), "keep one, or call the others something else"
            raise ValueError(f"{name} holds {several}, and each may be the {ours}; {cure}")
        if meant:
            found[ours] = meant[0]
    if "images" not in found:
        cure = "the images must be called 'images': write it with np.savez(path, images=...)"
        raise ValueError(f"{name} holds {sorted(arrays)}; {cure}")
    taken = ", ".join(key if ours == key else f"{key} as {ours}" for ours, key in found.items())
    unused = [f"{key} {arrays[key].shape}" for key in arrays if key not in found.values()]
    names = ", ".join(ALIASES)
    remarks = [f"not used: {', '.join(unused)} (the names are {names})"] if unused else []
    return {ours: arrays[key] for ours, key in found.items()}, [f"arrays: {taken}"], remarks


def within_bounds(name: str, size: int) -> None:
    """Raise ValueError for a set of more than `MOST` bytes of numbers."""
    if size > MOST:
        raise ValueError(
            f"{name} unpacks to {size / 1e6:,.0f} MB of numbers, more than {MOST / 1e6:,.0f} MB; "
            "use fewer or smaller images, or bytes instead of floats, or allow more by "
            "diffutils.data.arrays.MOST = ... (bytes)"
        )


def from_arrays(
    name,
    images,
    labels=None,
    test_images=None,
    test_labels=None,
    classes=None,
    notes=(),
    remarks=(),
    **about,
) -> ImageSet:
    """Arrays of any usual layout and type -> ImageSet; without a test part, split by content.

    classes: names of the labels 0, 1, ...; notes: how the set was understood; remarks: what of it
    is to be a warning as well; about: licence and source of the set.
    """
    # Join the parts, and split them.
    if test_labels is not None and (labels is None or test_images is None):
        cure = "add what is missing, or leave test_labels out"
        raise ValueError(f"{name} holds test_labels without labels and test_images; {cure}")
    if classes is not None and labels is None:
        raise ValueError(
            f"{name} holds classes, which name the labels 0, 1, ..., but no labels; add them, and "
            "if classes has one row an image call it labels"
        )
    parts = [images] if test_images is None else [images, test_images]
    pixels, scale = _joined(name, parts)
    if test_images is None:
        held = px.held_out(name, [px.content_key(image) for image in pixels])
    else:
        held = np.arange(len(pixels)) >= len(images)
    remarks = [*remarks, *_doubts(parts, scale)]
    for remark in remarks:
        warn(f"{name}: {remark}")
    if images.dtype != np.uint8 or scale != (0, 255):
        notes = *notes, f"numbers ({images.dtype}): {scale[0]} is black, {scale[1]} is white"
    about |= {"notes": (*notes, *remarks)}
    if labels is None:
        return px.image_set(name, pixels, held, **about)
    # Number the labels.
    values = _class_values(name, "labels", labels, len(images))
    if test_labels is not None:
        test_values = _class_values(name, "test_labels", test_labels, len(test_images))
        if (labels.ndim, values.dtype.kind) != (test_labels.ndim, test_values.dtype.kind):
            one, other = (f"{y.dtype} of shape {y.shape}" for y in (labels, test_labels))
            both = f"labels are {one}, but test_labels {other}"
            raise ValueError(f"{name}: {both}; write both in the same way")
        values = np.concatenate([values, test_values])
    distinct, numbers = np.unique(values, return_inverse=True)
    if classes is not None:
        numbers, distinct = _named(name, values, distinct, _text(name, "classes", classes))
    return px.image_set(name, pixels, held, numbers, map(str, distinct), **about)


def _named(name: str, values, distinct, classes) -> tuple[np.ndarray, np.ndarray]:
    """Labels (N,), and their distinct ones, in the order of classes (K,) -> numbers, classes."""
    if classes.ndim != 1 or len({*classes.tolist()}) < len(classes):
        wanted = "expected (K,), one name for each class, none of them twice"
        raise ValueError(f"{name}: classes has shape {classes.shape}; {wanted}")
    if distinct.dtype.kind == "U":
        if unknown := sorted(set(distinct.tolist()) - set(classes.tolist())):
            raise ValueError(f"{name}: the label {unknown[0]!r} is not in classes; add it")
        order = {word: i for i, word in enumerate(classes.tolist())}
        return np.array([order[word] for word in values.tolist()]), classes
    if not 0 <= distinct[0] <= distinct[-1] < len(classes):
        held = f"classes holds {len(classes)} names, counted from 0"
        run = f"labels run from {distinct[0]} to {distinct[-1]}"
        raise ValueError(f"{name}: {run}, but {held}; make them fit")
    return values.astype(np.int64), classes


def _joined(name: str, parts: list[np.ndarray]) -> tuple[np.ndarray, tuple[float, float]]:
    """The parts of a set as one uint8 (N, H, W, C), and which numbers are black and white in it."""
    # Bring the layouts to (N, H, W, C), of one size and type.
    parts = [_laid_out(name, part) for part in parts]
    first, last = parts[0], parts[-1]
    if first.shape[1:] != last.shape[1:]:
        sizes = f"images are {first.shape[1:]}, but test images {last.shape[1:]}"
        raise ValueError(f"{name}: {sizes} (height, width, channels); make them equal")
    if any((first.dtype.kind == kind) != (last.dtype.kind == kind) for kind in "bf"):
        raise ValueError(
            f"{name}: images are {first.dtype}, but test images {last.dtype}, so that one number "
            "may mean two greys; give both in one type and range"
        )
    # Bring the values to bytes, transparent ones on white.
    try:
        scale = px.scale_of(*parts)
        pixels = np.concatenate([px.to_bytes(part, scale) for part in parts])
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if pixels.shape[3] < 4:
        return pixels, scale
    alpha = pixels[..., 3:].astype(np.float32) / 255
    opaque = np.rint(pixels[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
    return opaque, scale


def _doubts(parts: list[np.ndarray], scale: tuple[float, float]) -> list[str]:
    """Sentences on numbers whose type promises another white than was found."""
    (_, white), kind = scale, str(parts[0].dtype)
    promised = {"uint8": 255, "uint16": 65535}.get(kind, white)
    if white != promised:
        return [f"no pixel is above {white}, so that {white} is white, not {promised} ({kind})"]
    highest = max(part.max() for part in parts)
    return [f"no pixel is above {highest} of {white}: nearly black"] if highest <= white / 8 else []


def _laid_out(name: str, images: np.ndarray) -> np.ndarray:
    """Images (N, H, W), (N, H, W, C) or (N, C, H, W), else ValueError -> (N, H, W, C)."""
    shape = images.shape
    if images.ndim == 3:
        images = images[..., None]
    if images.ndim != 4 or 0 in shape:
        cure = "images of one line of pixels need .reshape(N, H, W)"
        raise ValueError(f"{name}: images have shape {shape}; expected (N, H, W[, C]): {cure}")
    # Where two readings make pictures, neither is guessed.
    last, second = (images.shape[i] in CHANNELS for i in (3, 1))
    several = f"{name}: images of shape {shape} may be"
    if last and second and min(images.shape[1:]) >= px.MIN_SIDE:
        raise ValueError(f"{several} (N, H, W, C) or (N, C, H, W); give three channels or one")
    if len(shape) == 3 and shape[0] == shape[1] != shape[2]:
        raise ValueError(f"{several} (N, H, W) or (H, W, N); give them as (N, H, W, 1)")
    if second and not last:
        images = images.transpose(0, 2, 3, 1)
    _, height, width, channels = images.shape
    if channels not in CHANNELS:
        raise ValueError(f"{name}: images have shape {shape}; expected 1, 3 or 4 channels")
    if min(height, width) < (least := px.MIN_SIDE):
        side = f"{height} x {width} pixels"
        raise ValueError(f"{name}: images are {side}; expected at least {least} a side")
    if max(height, width) > MAX_ASPECT * min(height, width):
        raise ValueError(
            f"{name}: images of shape {shape} would be {height} x {width} pixels; expected "
            "(N, H, W[, C]) with the number of images first: move that axis with np.moveaxis"
        )
    return images


def _class_values(name: str, key: str, labels: np.ndarray, n: int) -> np.ndarray:
    """Labels of n images, (N,), (N, 1) or one-hot (N, K) -> integers or names (N,)."""
    # Find one label for each image.
    wanted = f"{name}: labels must be whole numbers or names"
    if labels.dtype.kind not in "biufUS":
        raise ValueError(f"{wanted}, but their type is {labels.dtype}")
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.ndim == 2 and labels.dtype.kind in "US":
        raise ValueError(f"{name}: {key} have shape {labels.shape}; give one name for each image")
    if labels.ndim == 2:
        if not (np.isin(labels, (0, 1)).all() and (labels.sum(1) == 1).all()):
            expected = "expected one 1 a row, or one class number for each image"
            raise ValueError(f"{name}: labels of shape {labels.shape} are not one-hot; {expected}")
        labels = labels.argmax(1)
    if labels.ndim != 1:
        raise ValueError(f"{name}: labels have shape {labels.shape}; expected (N,) or (N, K)")
    if len(labels) != n:
        raise ValueError(f"{name}: {key} has {len(labels)} rows for {n} images; give one for each")
    # Check that they are numbers of classes, or names.
    if labels.dtype.kind in "US":
        return _text(name, key, labels)
    if labels.dtype.kind == "b":
        return labels
    if not np.array_equal(labels, np.rint(labels)):
        nan = f"; {np.isnan(labels).sum()} are missing (NaN)" if np.isnan(labels).any() else ""
        raise ValueError(f"{wanted}{nan}")
    low, high = labels.min(), labels.max()
    if not -MAX_LABEL <= low <= high <= MAX_LABEL:
        most = f"class numbers of at most {MAX_LABEL:,} on either side of 0"
        raise ValueError(f"{name}: labels run from {low:g} to {high:g}; expected {most}")
    return labels.astype(np.int64)


def _text(name: str, key: str, words) -> np.ndarray:
    """Names of any shape: bytes are text in UTF-8, and none is empty."""
    words = np.asarray(words)
    try:
        words = np.strings.decode(words, "utf-8") if words.dtype.kind == "S" else words
    except UnicodeDecodeError:
        raise ValueError(f"{name}: {key} are no text in UTF-8; write them as str") from None
    if words.dtype.kind == "U" and (
        empty := np.isin(np.strings.lower(np.strings.strip(words)), MISSING).sum()
    ):
        cure = "give each image a name of its class"
        raise ValueError(f"{name}: {empty} of {key} are empty or nan; {cure}")
    return words
