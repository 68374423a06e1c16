"""The one reader of file names, for folders and zip archives: what counts, and what is left out."""

import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from zipfile import ZipFile, ZipInfo

from diffutils.data.own.formats import SUFFIXES

LARGEST = 2**28  # bytes of one file; an image of the largest size takes less
SHOWN = 5  # names in a sentence
LITTER = ("._", ".git", ".ipynb_checkpoints", ".DS_Store", "Thumbs.db", "desktop.ini", "__MACOSX")


@dataclass
class Names:
    """Files by name, as by `spelled`, neither hidden nor out of reach; what was left out, in words.

    images: sorted, whose suffix Pillow reads.  bare: folders without any, in one that has some.
    """

    files: dict[str, Path | ZipInfo]
    images: list[str]
    bare: list[str]
    left_out: list[str]


def printable(text: str) -> str:
    """A text that a terminal shows as it is: a question mark in a diamond for each control."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "\ufffd", text)


def spelled(name: str) -> str:
    """A name as all are compared: printable, "/" between its parts, none of them ".", in NFC."""
    parts = printable(unicodedata.normalize("NFC", name)).split("/")
    return "/".join(part for part in parts if part not in ("", "."))


def some(names: Iterable[str]) -> str:
    """The first few of many names, and how many more there are."""
    names = list(names)
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def with_images(name: str, found: Names) -> Names:
    """The same names; ValueError where none is of an image."""
    if not found.images:
        left = "".join(f"; {sentence}" for sentence in found.left_out)
        raise ValueError(f"{name} holds no image file; put some in, such as *.png or *.jpg{left}")
    return found


def in_folder(root: Path) -> Names:
    """The names in a folder and its sub-folders; links are followed, each folder is read once."""
    found, folders, seen = {}, [], set()
    closed, again, hidden = [], [], []
    here, links = [root], []
    while here or links:
        # Real folders come before links, so that a link to one of them is the one left out.
        folder = here.pop(0) if here else links.pop(0)
        try:
            status, entries = folder.stat(), sorted(folder.iterdir())
        except OSError as error:
            closed.append(f"{_name(folder, root) or root} ({error.strerror})")
            continue
        if (status.st_dev, status.st_ino) in seen:
            again.append(_name(folder, root))
            continue
        seen.add((status.st_dev, status.st_ino))
        folders.append(_name(folder, root))
        # Sort what is in it.
        for entry in entries:
            name = _name(entry, root)
            try:
                mode = entry.stat().st_mode
            except OSError as error:
                if not _is_hidden(entry.name):
                    closed.append(f"{name} ({error.strerror})")
                continue
            if _is_hidden(entry.name):
                hidden.append((name, stat.S_ISDIR(mode)))
            elif stat.S_ISDIR(mode):
                (links if entry.is_symlink() else here).append(entry)
            elif stat.S_ISREG(mode):
                found.setdefault(name, []).append(entry)
            else:
                closed.append(f"{name} (no file)")
    return _sorted_out(found, folders, hidden, closed, again)


def in_zip(archive: ZipFile) -> Names:
    """The names in an archive; links in it are not followed."""
    found, folders, hidden, closed, unsure = {}, [], [], [], []
    for entry in archive.infolist():
        text, sure = _decoded(entry)
        name = spelled(text.replace("\\", "/"))  # some Windows programs write "\\"
        if not sure:
            unsure.append(name)
        parts = name.split("/")
        is_folder = entry.filename.endswith(("/", "\\"))
        n = next((n for n, part in enumerate(parts, 1) if _is_hidden(part)), None)
        if n is not None:
            hidden.append(("/".join(parts[:n]), is_folder or n < len(parts)))
        elif is_folder:
            folders.append(name)
        elif stat.S_ISLNK(entry.external_attr >> 16):
            closed.append(f"{name} (a link)")
        else:
            found.setdefault(name, []).append(entry)
    return _sorted_out(found, folders, hidden, closed, [], unsure)


def content(source: Path | ZipInfo, archive: ZipFile | None = None) -> bytes:
    """The bytes of a file. Raises: ValueError if it has more than `LARGEST`; OSError."""
    size = source.stat().st_size if archive is None else source.file_size
    if size > LARGEST:
        raise ValueError(f"{size / 1e6:,.0f} MB are more than {LARGEST / 1e6:,.0f} MB")
    return source.read_bytes() if archive is None else archive.read(source)


def _name(path: Path, root: Path) -> str:
    """The name in `root`; bytes that are no UTF-8 become question marks in a diamond."""
    return spelled(os.fsencode(path.relative_to(root)).decode("utf-8", "replace"))


def _decoded(entry: ZipInfo) -> tuple[str, bool]:
    """The name of an entry, and whether it is sure: macOS does not flag its UTF-8 as such."""
    if entry.flag_bits & 0x800:
        return entry.filename, True
    try:
        return entry.filename.encode("cp437").decode("utf-8"), True
    except UnicodeError:
        return entry.filename, False


def _is_hidden(part: str) -> bool:
    return part.startswith((".", *LITTER))


def _sorted_out(found, folders, hidden, closed, again, unsure=()) -> Names:
    """Tell images from other files, and say what is left out."""
    images = sorted(name for name in found if _suffix(name) in SUFFIXES)
    others = [n for n in found if _suffix(n) not in SUFFIXES and not is_table(n)]
    # Find the topmost folders without an image.
    full = {str(parent) for name in images for parent in PurePosixPath(name).parents}
    every = {str(p) for name in found for p in PurePosixPath(name).parents} | {*folders} - {""}
    above = {f: str(PurePosixPath(f).parent) for f in every - full}
    bare = sorted(f for f, parent in above.items() if parent in full)
    # Say what is left out; the litter of systems goes without a word.
    twice = [name for name, sources in found.items() if len(sources) > 1]
    meant = {n for n, is_folder in hidden if is_folder or _suffix(n) in SUFFIXES}
    meant = sorted(n for n in meant if not PurePosixPath(n).name.startswith(LITTER))
    kinds = Counter(f"*{s}" if s else "without a suffix" for s in map(_suffix, others))
    other = "files that are neither labels.csv nor images that can be read are left out: {}"
    cure = "save pictures among them as PNG or JPEG, and call a table of labels labels.csv"
    said = {
        f"{other} ({cure})": [f"{n} {kind}" for kind, n in sorted(kinds.items())],
        "folders without an image: {}": bare,
        "hidden, and left out: {}": meant,
        "out of reach, and left out: {}": closed,
        "links to folders that are read already are left out: {}": again,
        "names in an encoding that the archive does not state, read as CP437: {}": unsure,
        "names that are there twice, of which the last counts: {}": twice,
    }
    left_out = [sentence.format(some(names)) for sentence, names in said.items() if names]
    return Names({name: found[name][-1] for name in found}, images, bare, left_out)


def is_table(name: str) -> bool:
    """Whether a file is a table of labels: labels.csv, in any case, in any folder."""
    return PurePosixPath(name).name.casefold() == "labels.csv"


def _suffix(name: str) -> str:
    return PurePosixPath(name).suffix.lower()
