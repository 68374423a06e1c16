"""An instructor's own image files: `folder:PATH` and `zip:PATH`."""

import csv
import io
import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np

from diffutils.data import archives
from diffutils.data import images as px
from diffutils.data.images import ImageSet

MEMORY = 2**33  # bytes of decoded pixels, more than any set of this course needs
SUFFIXES = {".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".ppm", ".pgm"}
TRAIN, TEST = {"train", "training"}, {"test", "testing", "val", "valid", "validation", "heldout"}


def folder(path: Path, *settings) -> ImageSet:
    """Images of a folder and its sub-folders; the settings are those of `_from_files`."""
    name = f"folder:{path}"
    if path.is_file():
        raise ValueError(
            f"{name} is a file; give a folder with images, or zip:{path} if it is a zip archive"
        )
    if not path.is_dir():
        raise FileNotFoundError(f"{name} does not exist; give the path of a folder with images")
    names = [p.relative_to(path).as_posix() for p in path.rglob("*") if p.is_file()]
    return _from_files(name, names, lambda file: (path / file).read_bytes(), *settings)


def zipped(path: Path, *settings) -> ImageSet:
    """Images of a zip archive, read without unpacking it; the settings are as for a folder."""
    with archives.opened(f"zip:{path}", path) as archive:
        names = [info.filename for info in archive.infolist() if not info.is_dir()]
        return _from_files(f"zip:{path}", names, archive.read, *settings)


def _from_files(name, names, read, size=None, limit=None, seed=0, label=None) -> ImageSet:
    """Decode image files, label them by labels.csv or class sub-folders, and split them.

    A top folder named train beside one named test (or val) is taken as the split.
    Raises: FileNotFoundError (nothing is there); ValueError (no image can be read, or labelled).
    """
    # Find the images, and whether the folders give the split.
    files = sorted(
        n
        for n in names
        if PurePosixPath(n).suffix.lower() in SUFFIXES
        and not any(part.startswith((".", "__MACOSX")) for part in n.split("/"))
    )
    if not files:
        known = ", ".join(f"*{suffix}" for suffix in sorted(SUFFIXES))
        raise ValueError(f"{name} holds no image file; put some in, named {known}")
    root = os.path.commonpath([os.path.dirname(f) or "." for f in files])
    parts = {f: PurePosixPath(os.path.relpath(f, root or ".")).parts for f in files}
    tops = {part[0].lower() for part in parts.values() if len(part) > 1}
    split_given = bool(tops & TRAIN and tops & TEST and tops <= TRAIN | TEST)
    # Label them; leave out what has no label.
    labels = _labels(name, parts, split_given, names, read, label)
    if missing := [f for f in files if labels and f not in labels]:
        warnings.warn(
            f"{name}: {len(missing)} images have no row in labels.csv and are left out "
            f"(first: {missing[0]})",
            stacklevel=5,
        )
        files = [f for f in files if f in labels]
    # Read as many as are needed, and split them.
    if limit is not None and not split_given:  # the split depends on content only: a part suffices
        order = np.random.default_rng(seed).permutation(len(files))
        files = [files[i] for i in np.sort(order[: int(limit / (1 - px.HELD_OUT) * 1.1) + 64])]
    files, pixels, keys = _decode(name, files, read, size)
    if split_given:
        held = np.array([parts[f][0].lower() in TEST for f in files])
    else:
        held = px.held_out(name, keys)
    if labels is None:
        return px.image_set(name, pixels, held)
    classes = sorted(set(labels.values()))
    return px.image_set(name, pixels, held, [classes.index(labels[f]) for f in files], classes)


def _labels(name, parts, split_given, names, read, column) -> dict[str, str] | None:
    """Class name of every file: from labels.csv, else from its first sub-folder, else None."""
    # By the folders.
    tables = sorted((n for n in names if PurePosixPath(n).name == "labels.csv"), key=len)
    if not tables:
        if column is not None:
            wanted = f"labels.csv to read label={column!r} from"
            raise ValueError(f"{name} has no {wanted}; add it, or leave label out")
        depth = 1 if split_given else 0
        if any(len(part) <= depth + 1 for part in parts.values()):
            return None
        found = {f: part[depth] for f, part in parts.items()}
        return found if len(set(found.values())) > 1 else None
    # By rows: a file name or its stem first, then label columns, with or without a header.
    name = f"{name}/labels.csv"
    try:
        text = read(tables[0]).decode("utf-8-sig")
        rows = [row for row in csv.reader(io.StringIO(text)) if row]
    except (UnicodeDecodeError, csv.Error):
        raise ValueError(f"{name} is not CSV text in UTF-8; save it so") from None
    known = _names_of(parts)
    header = rows[0] if rows and rows[0][0] not in known else []
    if column is not None and column not in header:
        raise ValueError(f"{name} has no column {column!r}; it has {header or 'no header'}")
    usual = [i for i, cell in enumerate(header) if i and cell in ("label", "class")]
    index = header.index(column) if column is not None else (usual or [1])[0]
    found = {known[row[0]]: row[index] for row in rows if len(row) > index and row[0] in known}
    if not found:
        raise ValueError(f"{name} names none of the images; its first column must be file names")
    return found


def _names_of(files) -> dict[str, str]:
    """Every way labels.csv may name a file: path, tail of the path, stem; no ambiguous one."""
    known, twice = {}, set()
    for f in files:
        parts = PurePosixPath(f).parts
        tails = {"/".join(parts[i:]) for i in range(len(parts))}
        for key in tails | {tail.rsplit(".", 1)[0] for tail in tails}:
            if known.setdefault(key, f) != f:
                twice.add(key)
    return {key: f for key, f in known.items() if key not in twice}


def _decode(name, files, read, size):
    """Files -> (readable files, uint8 (N, S, S, C), content keys); broken files are named."""

    def one(file):
        try:
            image = px.square(px.read_image(read(file)))
        except Exception as error:  # Pillow and zlib raise many types for broken files
            return None, f"{file} ({error})"
        key = px.content_key(np.atleast_3d(image))
        return np.atleast_3d(px.square(image, size)), key

    # Decode in threads, within the memory.
    decoded, held = [], 0
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
        for file, (pixels, note) in zip(files, pool.map(one, files), strict=True):
            decoded.append((file, pixels, note))
            held += 0 if pixels is None else pixels.nbytes
            if held > MEMORY:
                pool.shutdown(cancel_futures=True)
                raise ValueError(
                    f"{name}: its images take more than {MEMORY / 1e9:.0f} GB; give a size, for "
                    "example size=64, or a limit"
                )
    # Name what is broken.
    broken = [note for _, pixels, note in decoded if pixels is None]
    if len(broken) == len(files):
        raise ValueError(f"{name}: none of its {len(files)} images can be read; first: {broken[0]}")
    if broken:
        shown = "; ".join(broken[:5]) + (" ..." if len(broken) > 5 else "")
        warnings.warn(f"{name}: {len(broken)} broken images skipped: {shown}", stacklevel=6)
    # Stack the rest: in grey only if all are.
    files, pixels, keys = zip(*(row for row in decoded if row[1] is not None), strict=True)
    sides, depth = sorted({len(x) for x in pixels}), max(x.shape[2] for x in pixels)
    if len(sides) > 1:
        raise ValueError(
            f"{name}: images are {sides[0]} to {sides[-1]} pixels wide; give one size, for "
            "example size=64"
        )
    shape = (sides[0], sides[0], depth)
    return files, np.stack([np.broadcast_to(x, shape) for x in pixels]), keys
