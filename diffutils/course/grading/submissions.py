"""The notebooks of a class, from a folder or a zip archive: bounded, and never run here."""

import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PureWindowsPath

from diffutils.course.runs.fingerprint import digest
from diffutils.data.own.names import spelled

LARGEST = 2**26  # bytes of one notebook; a lesson with all its pictures has two million
CODE = 2**20  # characters of its code cells
CELLS = 2000  # code cells; a lesson has forty
FILES = 5000  # entries of the folder or archive
TOTAL = 2**33  # bytes that are unpacked of an archive
LITTER = (".", "__MACOSX")  # begin a hidden name, or what macOS adds to an archive
CHECKED = re.compile(r"""\bcheck\(\s*["'](\d+\.\d+)["']""")
UNREADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    EOFError,
    NotImplementedError,
    zlib.error,
    zipfile.BadZipFile,
)


@dataclass
class Submission:
    """One notebook as it was handed in.

    file: its name below the folder.  key: of its content.  cells: the code cells, in their order.
    ids: the exercises that it checks.  problem: why it cannot be graded, else "".
    """

    file: str
    key: str = ""
    cells: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    problem: str = ""


def find(place: Path) -> tuple[list[Submission], list[str]]:
    """All notebooks in a folder and its sub-folders, or in a zip archive; and what was ignored.

    Links are not followed.  Raises: FileNotFoundError; ValueError for what is neither folder nor
    zip archive, or holds no notebook.
    """
    if place.is_dir():
        found, ignored = in_folder(place)
        submissions = [read(file, source.read_bytes) for file, source in found]
    elif not place.exists():
        raise FileNotFoundError(f"{place} does not exist; give a folder, or a zip, of notebooks")
    else:
        try:
            with zipfile.ZipFile(place) as archive:
                found, ignored = in_archive(archive)
                submissions = [read(file, source) for file, source in found]
        except (zipfile.BadZipFile, OSError) as error:
            raise ValueError(
                f"{place} is neither a folder nor a readable zip archive ({error})"
            ) from None
    if not submissions:
        raise ValueError(f"{place} holds no notebook; put files that end in .ipynb there")
    return submissions, ignored


def in_folder(root: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """The notebooks below a folder, by name, and the rest."""
    found, ignored = [], []
    closed = lambda error: ignored.append(f"{error.filename} ({error.strerror})")  # noqa: E731
    for place, folders, names in os.walk(root, onerror=closed):
        for name in sorted(folders):
            path = Path(place, name)
            if name.startswith(LITTER) or path.is_symlink():
                folders.remove(name)
                ignored.append(f"{label(path, root)}/ ({why_not(name, True) or 'hidden'})")
        folders.sort()
        for name in sorted(names):
            path = Path(place, name)
            regular = stat.S_ISREG(path.lstat().st_mode)
            if reason := why_not(name, not regular):
                ignored.append(f"{label(path, root)} ({reason})")
            elif path.stat().st_size > LARGEST:
                found.append((label(path, root), Oversized(path.stat().st_size)))
            else:
                found.append((label(path, root), path))
        if len(found) + len(ignored) > FILES:
            raise ValueError(f"{root} holds more than {FILES:,} files; give a class's folder alone")
    return found, ignored


def in_archive(archive: zipfile.ZipFile) -> tuple[list[tuple[str, Callable]], list[str]]:
    """The notebooks of an archive, each with the function that unpacks it; and the rest."""
    found, ignored, seen = [], [], {}
    left = [TOTAL]  # bytes that may still be unpacked
    if len(archive.infolist()) > FILES:
        raise ValueError(f"the archive holds more than {FILES:,} files; pack a class's alone")
    for entry in archive.infolist():
        path = PureWindowsPath(decoded(entry))  # knows both slashes
        name = spelled(path.as_posix())
        if entry.is_dir():
            continue
        leads_out = bool(path.anchor) or ".." in path.parts
        link = stat.S_ISLNK(entry.external_attr >> 16)
        hidden = any(part.startswith(LITTER) for part in path.parts if part != "..")
        reason = "leads out of the archive" if leads_out else "hidden" if hidden else ""
        if reason := reason or why_not(path.name, link):
            ignored.append(f"{name} ({reason})")
            continue
        seen[name] = seen.get(name, 0) + 1
        name = f"{name} #{seen[name]}" if seen[name] > 1 else name
        found.append((name, lambda entry=entry: unpacked(archive, entry, left)))
    return sorted(found, key=lambda pair: pair[0]), ignored


def why_not(name: str, special: bool) -> str:
    """Why a file is no submission; "" for a notebook. special: a link or no plain file."""
    if name.startswith(LITTER):
        return "hidden"
    if special:
        return "a link, or no plain file"
    if name.lower().endswith(".zip"):
        return "an archive in it; unpack it there"
    return "" if name.lower().endswith(".ipynb") else "no notebook"


class Oversized:
    """Stands for a file that is too large to be read."""

    def __init__(self, size: int):
        self.size = size

    def read_bytes(self) -> bytes:
        raise ValueError(too_large(self.size))


def too_large(size: int) -> str:
    return f"{size / 1e6:,.0f} MB are more than {LARGEST / 1e6:,.0f} MB; clear its outputs"


def unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, left: list[int]) -> bytes:
    """The bytes of an entry.  Raises: ValueError for more than an archive may hold; see `read`."""
    with archive.open(entry) as file:
        content = file.read(min(LARGEST, left[0]) + 1)
    left[0] -= len(content)
    if len(content) > LARGEST:
        raise ValueError(too_large(max(len(content), entry.file_size)))
    if left[0] < 0:
        raise ValueError(f"the archive unpacks to more than {TOTAL / 1e9:,.0f} GB")
    return content


def decoded(entry: zipfile.ZipInfo) -> str:
    """The name of an entry; macOS does not flag its UTF-8 as such."""
    try:
        flagged = entry.flag_bits & 0x800
        return entry.filename if flagged else entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def label(path: Path, root: Path) -> str:
    """The name of a file below the folder, such as everybody can read it."""
    return spelled(os.fsencode(path.relative_to(root)).decode("utf-8", "replace"))


def read(file: str, content: Callable[[], bytes]) -> Submission:
    """A submission; what is wrong with its file is its `problem`."""
    submission = Submission(file)
    try:
        data = content()
        submission.key = digest(data)
        submission.cells = code_cells(data)
        submission.ids = checked(submission.cells)
    except RecursionError:
        submission.problem = "it is nested too deeply to be a notebook"
    except UNREADABLE as error:
        submission.problem = " ".join(str(error).split()) or type(error).__name__
    except MemoryError:
        submission.problem = "it is too large for this machine's memory"
    return submission


def code_cells(data: bytes) -> list[str]:
    """The sources of a notebook's code cells.  Raises: ValueError for what is no notebook."""
    if not data.strip():
        raise ValueError("the file is empty")
    try:
        notebook = json.loads(data.decode("utf-8-sig"))
    except ValueError:
        raise ValueError("the file is damaged: it is no JSON, as notebooks are") from None
    cells = list(code_in(notebook))
    if len(cells) > CELLS or sum(map(len, cells)) > CODE:
        raise ValueError(f"it holds more than {CELLS:,} code cells or {CODE:,} characters of code")
    return cells


def code_in(notebook) -> Iterator[str]:
    """The code of a notebook of format 4, or of 3 with its worksheets."""
    if not isinstance(notebook, dict):
        raise ValueError("the file is damaged: it is JSON, but no notebook")
    sheets = [notebook, *listed(notebook.get("worksheets"))]
    cells = [c for s in sheets if isinstance(s, dict) for c in listed(s.get("cells"))]
    if not cells:
        raise ValueError("the notebook has no cells")
    for cell in cells:
        if isinstance(cell, dict) and cell.get("cell_type") == "code":
            source = cell.get("source", cell.get("input", ""))
            lines = listed(source) or [source]
            yield "".join(line for line in lines if isinstance(line, str))


def listed(value) -> list:
    """A list of the file; nothing where it holds something else."""
    return value if isinstance(value, list) else []


def checked(cells: list[str]) -> list[str]:
    """The ids of the exercises that the cells check, each once."""
    return list(dict.fromkeys(id for cell in cells for id in CHECKED.findall(cell)))
