"""An instructor's own image files: `folder:PATH` and `zip:PATH`."""

import os
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path, PurePosixPath

import numpy as np

from diffutils.data import images as px
from diffutils.data.images import ImageSet
from diffutils.data.own import archives, labels, layout, names
from diffutils.data.own.columns import is_number
from diffutils.data.own.formats import may_be_wide
from diffutils.data.own.layout import Layout
from diffutils.data.own.names import Names
from diffutils.weights.warned import warn

MEMORY = 2**33  # bytes of decoded pixels, more than any set of this course needs
FEW = 5  # images of a class; with fewer it can hardly be learned


def folder(path: Path, *settings) -> ImageSet:
    """Images of a folder and its sub-folders; the settings are those of `_from_files`."""
    name = f"folder:{path}"
    if path.is_file():
        cure = f"give a folder with images, or zip:{path} if it is a zip archive"
        raise ValueError(f"{name} is a file; {cure}")
    if not path.is_dir():
        raise FileNotFoundError(f"{name} does not exist; give the path of a folder with images")
    found = names.in_folder(path)
    return _from_files(name, found, lambda file: names.content(found.files[file]), *settings)


def zipped(path: Path, *settings) -> ImageSet:
    """Images of a zip archive, read without unpacking it; the settings are as for a folder."""
    name = f"zip:{path}"
    with archives.opened(name, path) as archive:
        files = (found := names.in_zip(archive)).files
        return _from_files(name, found, lambda f: names.content(files[f], archive), *settings)


def _from_files(
    name: str, found: Names, read: Callable, size=None, limit=None, seed=0, label=None
) -> ImageSet:
    """Image files, decoded, labelled by labels.csv or folders, and split; `label` as in `load`.

    What was decided or left out is a warning, and one of the `notes` of the set.
    Raises: ValueError (no image can be read, or labelled; or the layout in two ways).
    """
    # Find the images, and what the folders say.
    names.with_images(name, found)
    tables = label not in ("folders", "none") and any(map(names.is_table, found.files))
    if label not in (None, "folders", "none") and not tables:
        cure = "add it, or leave label out"
        raise ValueError(f"{name} has no labels.csv to read label={label!r} from; {cure}")
    plan, how = layout.read(name, found, label, tables), "labels by folders"
    if tables:
        plan.classes, how, notes = labels.read(name, found, plan.images, read, label)
        plan.notes += notes + _besides_table(plan)
    _only_labelled(plan)
    # Read as many as are needed, and split them.
    files = plan.images
    if limit is not None and plan.held is None:  # the split depends on content: a part suffices
        order = np.random.default_rng(seed).permutation(len(files))
        files = [files[i] for i in np.sort(order[: int(limit / (1 - px.HELD_OUT) * 1.1) + 64])]
    scale = px.common_scale(name, read, may_be_wide(plan.images))
    files, pixels, keys, odd = _decode(name, files, read, scale, size)
    remarks = [*plan.notes, *found.left_out, *odd]
    try:
        held = np.array([plan.held[f] for f in files]) if plan.held else px.held_out(name, keys)
        if held.all():
            raise ValueError(f"{name} has no image to train on: {plan.how}")
    except ValueError as error:
        raise ValueError("; ".join((str(error), *remarks))) from None
    # Say how it was understood.
    for remark in remarks:
        warn(f"{name}: {remark}")
    classes = sorted({*plan.classes.values()})
    numbers = [classes.index(plan.classes[f]) for f in files] if classes else None
    data = px.image_set(name, pixels, held, numbers, classes)
    return replace(data, notes=(plan.how, how if classes else "no labels", *remarks))


def _besides_table(plan: Layout) -> list[str]:
    """What labels.csv does not name, and folders that would give other classes."""
    said, missing = [], [f for f in plan.images if f not in plan.classes]
    if missing:
        first = f"(first: {missing[0]})"
        said.append(f"{len(missing)} images have no row in labels.csv and are left out {first}")
    trained = [f for f in plan.classes if plan.held is None or not plan.held[f]]
    above = {f: PurePosixPath(f).parent.name for f in trained}
    if len({*above.values()}) > 1 and any(plan.classes[f] != above[f] for f in trained):
        shown = names.some(sorted({*above.values()} - {""}))
        said.append(f'labels.csv counts, not the folders {shown} (label="folders" reads those)')
    return said


def _only_labelled(plan: Layout) -> None:
    """Leave out images without a label where others have one; say what is odd about classes.

    A part without any label cannot be held out beside one that has them.
    """
    labelled = [f for f in plan.images if f in plan.classes]
    if plan.held is not None and labelled:
        parts = {plan.held[f] for f in labelled}
        if parts == {True}:
            plan.notes.append("only the held-out images have labels, which are not read")
            plan.classes = {}
        elif parts == {False}:
            n = sum(plan.held.values())
            plan.notes.append(
                f"{n} images to hold out have no labels and are left out; of the others one in ten "
                'is held out (label="none" keeps the split, without labels)'
            )
            plan.held, plan.how = None, "one in ten held out, by content"
    if not plan.classes:
        return
    plan.images = labelled
    # Look at the classes.
    counts = Counter(plan.classes.values())
    if few := [f"{c} ({n})" for c, n in sorted(counts.items()) if n < FEW]:
        plan.notes.append(f"classes with fewer than {FEW} images: {names.some(few)}")
    alike = Counter(map(_plain, counts))
    if twins := [repr(c) for c in sorted(counts) if alike[_plain(c)] > 1]:
        plan.notes.append(
            f"classes that are one number, or differ by case or spaces alone: {names.some(twins)}"
        )


def _plain(label: str) -> str | float:
    """What counts of a label: 1, 01 and 1.0 are one number, Cat and cat one word."""
    return float(label) if is_number(label) else label.casefold().strip()


def _decode(name, files, read, scale, size):
    """Files -> (readable ones, uint8 (N, S, S, C), content keys, sentences on what is odd)."""
    paged, wanted = [], "size, for example size=64"

    def one(file):
        try:
            image = px.read_image(read(file), scale)
        except Exception as error:  # Pillow and zlib raise many types for broken files
            return None, f"{file} ({error})"
        if image.info["pages"]:
            paged.append(file)
        image = px.square(image)
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
                much = f"take more than {MEMORY / 1e9:.0f} GB"
                raise ValueError(f"{name}: its images {much}; give a {wanted}, or a limit")
    # Name what is broken.
    broken = [note for _, pixels, note in decoded if pixels is None]
    if len(broken) == len(files):
        raise ValueError(f"{name}: none of its {len(files)} images can be read; first: {broken[0]}")
    said = [f"{len(broken)} broken images skipped: {names.some(broken)}"] if broken else []
    if paged:
        said.append(f"files with several pages count by their first: {names.some(sorted(paged))}")
    # Stack the rest: in grey only if all are.
    files, pixels, keys = zip(*(row for row in decoded if row[1] is not None), strict=True)
    sides, depth = sorted({*map(len, pixels)}), max(x.shape[2] for x in pixels)
    if len(sides) > 1:
        wide = f"{sides[0]} to {sides[-1]} pixels wide"
        raise ValueError(f"{name}: images are {wide}; give one {wanted}")
    shape = (sides[0], sides[0], depth)
    return files, np.stack([np.broadcast_to(x, shape) for x in pixels]), keys, said
