"""Triples as files: train/0000_gt.png, 0000_sketch.png, 0000_ref.png, and the same under val/."""

import re
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from diffutils.data import png
from diffutils.data.images import PARTS, read_image
from diffutils.lessons.lesson05.inputs.triples import Part

FOLDERS = dict(zip(PARTS, ("train", "val"), strict=True))
KINDS = {"gt": "RGB", "sketch": "L", "ref": "RGB"}  # of files, and their mode
NAME = re.compile(rf"(\d{{4,}})_({'|'.join(KINDS)})\.png")


def check_new(out: Path) -> None:
    """Raise FileExistsError for a folder that holds something."""
    if out.exists() and any(out.iterdir()):
        raise FileExistsError(f"{out} is not empty; give a new folder, so that no triples mix")


def write(out: Path, parts: dict[str, Part], kind: str, report=print) -> None:
    """Write the triples of both parts, with references of one kind, into `out`, a new folder.

    A file is whole or not there.  Raises: as `check_new`.
    """
    check_new(out)
    for part, found in parts.items():
        folder = out / FOLDERS[part]
        every = zip(found.images, found.sketches, found.references[kind], strict=True)
        for i, triple in enumerate(every):
            for name, image in zip(KINDS, triple, strict=True):
                png.write(folder / f"{i:04}_{name}.png", image)
        report(f"{len(found.images):,} triples in {folder}")


def read(folder: Path) -> dict[str, Part]:
    """The triples of a folder, written by `write` or by hand, as references of the kind "ref".

    Raises: FileNotFoundError for a folder without triples; ValueError, naming the file, for one
    that is missing in a triple, damaged, or of another size than the first.
    """
    found = {part: _part(folder / name) for part, name in FOLDERS.items()}
    if len({part.images.shape[1:] for part in found.values()}) > 1:
        sizes = (f"{part.images.shape[3]} x {part.images.shape[2]}" for part in found.values())
        raise ValueError(f"{folder}: train/ has images of {' pixels, val/ of '.join(sizes)}")
    return found


def _part(folder: Path) -> Part:
    """The triples of one folder, in the order of their numbers."""
    # Find which belong together.
    names = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    matches = [match for match in map(NAME.fullmatch, names) if match]
    numbers = sorted({match[1] for match in matches}, key=int)
    if not numbers:
        raise FileNotFoundError(
            f"{folder} holds no triples; `python -m diffutils triples FOLDER OUT` writes "
            "0000_gt.png, 0000_sketch.png and 0000_ref.png, or name yours so"
        )
    # Read them, kind by kind.
    there = {match[0] for match in matches}
    wanted = [f"{number}_{kind}.png" for number in numbers for kind in KINDS]
    if lost := [name for name in wanted if name not in there]:
        raise ValueError(f"{folder / lost[0]} is missing; a triple has {', '.join(KINDS)}")
    images = {k: [_image(folder / f"{number}_{k}.png") for number in numbers] for k in KINDS}
    first = images["gt"][0].shape[1:]
    for kind, each in images.items():
        for number, image in zip(numbers, each, strict=True):
            if image.shape[1:] != first:
                sizes = " x ".join(map(str, image.shape[:0:-1]))
                raise ValueError(
                    f"{folder / f'{number}_{kind}.png'} has {sizes} pixels, the first image "
                    f"{first[1]} x {first[0]}; all must be of one size"
                )
    gt, sketch, ref = (torch.stack(images[kind]) for kind in KINDS)
    return Part(gt, sketch, {"ref": ref})


def _image(path: Path) -> Tensor:
    """One image, uint8 (1 or 3, H, W), as its name says.  Raises: ValueError for a damaged file."""
    mode = KINDS[NAME.fullmatch(path.name)[2]]
    try:
        pixels = np.array(read_image(path.read_bytes()).convert(mode))
    except (OSError, ValueError, SyntaxError) as error:
        raise ValueError(f"{path} cannot be read ({error}); write it anew or remove it") from None
    return torch.from_numpy(np.atleast_3d(pixels)).permute(2, 0, 1).contiguous()
