"""Zip archives that strangers made: opened only if nothing in them can surprise."""

import zipfile
from pathlib import Path, PurePosixPath

LARGE = 2**26  # bytes; what unpacks to less than this harms nobody
RATIO = 500  # of unpacked to packed bytes; images and arrays stay far below, a bomb does not


def existing(name: str, path: Path, what: str) -> Path:
    """The path of a file that is there, else FileNotFoundError; ValueError for a folder."""
    if path.is_dir():
        raise ValueError(f"{name} is a folder; give the path of {what}, or folder:{path}")
    if not path.is_file():
        raise FileNotFoundError(f"{name} does not exist; give the path of {what}")
    return path


def opened(name: str, path: Path, what: str = "a zip archive") -> zipfile.ZipFile:
    """A zip archive, checked by its table of contents before anything in it is read.

    Raises: FileNotFoundError (no such file); ValueError (no zip archive or a cut one, encrypted,
        with names that lead out of it, or unpacking to `RATIO` times its size).
    """
    try:
        archive = zipfile.ZipFile(existing(name, path, what))
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{name} is not a readable zip archive ({error}); it must be {what}, and "
            "whole: copy or fetch it again"
        ) from None
    # Look for what is wrong, and say what to do.
    entries, problems = archive.infolist(), []
    for entry in entries:
        inside = PurePosixPath(entry.filename.replace("\\", "/"))
        if entry.flag_bits & 1:
            problems.append(f"{entry.filename} in it is encrypted; unpack it and give folder:PATH")
        elif inside.is_absolute() or ".." in inside.parts:
            problems.append(f"{entry.filename} leads out of it; pack the images again without that")
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > max(LARGE, RATIO * packed):
        sizes = f"its {packed / 1e6:.1f} MB unpack to {unpacked / 1e6:,.0f} MB"
        problems.append(f"{sizes}, as images never do; use another archive")
    if problems:
        archive.close()
        raise ValueError(f"{name} was not read: {problems[0]}")
    return archive
