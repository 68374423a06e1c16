"""Zip archives that strangers made: opened only if nothing in them can surprise."""

import zipfile
from pathlib import Path, PureWindowsPath


def existing(name: str, path: Path, what: str) -> Path:
    """The path of a file that is there, else FileNotFoundError; ValueError for a folder."""
    if path.is_dir():
        raise ValueError(f"{name} is a folder; give the path of {what}, or folder:{path}")
    if not path.is_file():
        raise FileNotFoundError(f"{name} does not exist; give the path of {what}")
    return path


def opened(name: str, path: Path, what: str = "a zip archive") -> zipfile.ZipFile:
    """A zip archive, checked by its table of contents; readers bound what they unpack.

    Raises: FileNotFoundError (no such file); ValueError (no zip archive or a cut one, encrypted,
        with names that lead out of it).
    """
    try:
        archive = zipfile.ZipFile(existing(name, path, what))
    except zipfile.BadZipFile as error:
        raise ValueError(
            f"{name} is not a readable zip archive ({error}); it must be {what}, and "
            "whole: copy or fetch it again, or unpack it and give folder:PATH"
        ) from None
    # Look for what is wrong, and say what to do.
    for entry in archive.infolist():
        inside, problem = PureWindowsPath(entry.filename), ""  # knows both slashes
        if entry.flag_bits & 1:
            problem = "in it is encrypted; unpack it and give folder:PATH"
        elif inside.root or ".." in inside.parts:
            problem = "leads out of it; pack the images again without that"
        if problem:
            archive.close()
            raise ValueError(f"{name} was not read: {entry.filename} {problem}")
    return archive
