"""Whose notebook it is: from a roster, or from the names of files and folders."""

import csv
import fnmatch
import io
import re
from collections import defaultdict
from pathlib import Path, PurePosixPath

from diffutils.course.runs import headless
from diffutils.data.own.names import printable

EXPECTED = (
    "a roster is a CSV file with the columns file and name, one row a notebook: file is its path, "
    "its file name or a pattern such as *lovelace*"
)
LARGEST = 2**20  # bytes of a roster
MOODLE = re.compile(r"_\d+_assignsubmission_.*$")  # ends the folders of a download from Moodle


def by_files(files: list[str]) -> dict[str, str]:
    """Names of students, file -> name: the file's, without the lesson's; else its folder's.

    A file name that stands in several folders tells nobody apart, so there the folder names.
    """
    lessons = [path.stem for path in headless.NOTEBOOKS.glob("[0-9][0-9]_*.ipynb")]
    homes = defaultdict(set)
    for file in files:
        homes[PurePosixPath(file).stem.casefold()].add(str(PurePosixPath(file).parent))
    return {file: name_of(PurePosixPath(file), lessons, homes) for file in files}


def name_of(file: PurePosixPath, lessons: list[str], homes: dict[str, set]) -> str:
    """The name that one file tells; its stem where nothing better is there."""
    own = file.stem
    for lesson in lessons:
        own = re.sub(re.escape(lesson), "", own, flags=re.IGNORECASE)
    own = own.strip(" _-.")
    if own and not own.isdigit() and len(homes[file.stem.casefold()]) == 1:
        return printable(own)
    folder = MOODLE.sub("", file.parent.name).strip(" _-.")
    return printable(folder or own or file.stem)


def read(path: Path) -> list[tuple[str, str]]:
    """The rows (file or pattern, name) of a roster.  Raises: ValueError, with what is expected."""
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} has more than {LARGEST:,} bytes; {EXPECTED}")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeError:
        raise ValueError(f"{path} is not in UTF-8; save it so; {EXPECTED}") from None
    # Find the columns.
    header = text.split("\n", 1)[0]
    marks = max(",;\t", key=header.count)
    rows = list(csv.reader(io.StringIO(text), delimiter=marks))
    columns = [cell.strip().casefold() for cell in rows[0]] if rows else []
    if not {"file", "name"} <= {*columns}:
        raise ValueError(f"{path} has the columns {', '.join(columns) or 'none'}; {EXPECTED}")
    # Read the rows.
    places, found = (columns.index("file"), columns.index("name")), []
    for number, row in enumerate(rows[1:], start=2):
        cells = [row[place].strip() if place < len(row) else "" for place in places]
        if not any(cells):
            continue
        if not all(cells):
            raise ValueError(f"{path}, line {number}: a file or a name is missing; {EXPECTED}")
        found.append((cells[0], printable(cells[1])))
    return found


def by_rows(files: list[str], rows: list[tuple[str, str]]) -> tuple[dict[str, str], list[str]]:
    """Names from a roster, file -> name, and what did not fit, a sentence each.

    A file that no row names, or rows with several names, gets none: nothing is guessed.
    """
    names, said = {}, []
    fits = {row: [file for file in files if meant(file, row[0])] for row in rows}
    for file in files:
        wanted = list(dict.fromkeys(row[1] for row in rows if file in fits[row]))
        names[file] = wanted[0] if len(wanted) == 1 else ""
        if len(wanted) > 1:
            said.append(f"{file}: the roster gives it several names, {', '.join(wanted[:4])}")
        elif not wanted:
            said.append(f"{file}: no row of the roster names it")
    said += [f"roster, {row[1]}: no notebook is called {row[0]}" for row in rows if not fits[row]]
    return names, said


def meant(file: str, pattern: str) -> bool:
    """Whether a row of the roster means a file: by its path, its name, or a pattern of either."""
    whole, pattern = file.casefold(), pattern.replace("\\", "/").casefold().removeprefix("./")
    name = PurePosixPath(whole).name
    return pattern in (whole, name) or any(fnmatch.fnmatchcase(t, pattern) for t in (whole, name))
