"""The house keeps its order: imports go down only, and nothing lists what can be found."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "diffutils"
FILES = sorted(PACKAGE.rglob("*.py"))
# From the bottom up; a file or room may import what stands before it, and its own room.
CORE = ("rng", "schedules", "denoisers", "unet", "resample", "samplers")
ROOMS = ("weights", "data", "metrics", "viz", "loop", "training", "methods", "course", "lessons")
ORDER = (*CORE, *ROOMS, "__main__")
BESIDE = ("__init__", "renamed")  # names of the package itself; they import when asked
every_file = pytest.mark.parametrize(
    "file", FILES, ids=lambda file: file.relative_to(PACKAGE).as_posix()
)


def imported(file: Path):
    """The dotted names below diffutils that a file imports, inside functions too."""
    parts = ("diffutils", *file.relative_to(PACKAGE).parent.parts)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            home = parts[: len(parts) - node.level + 1] if node.level else ()
            base = ".".join([*home, *filter(None, [node.module])])
            found = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        yield from (name for name in found if name.split(".")[0] == "diffutils")


def place(dotted: str) -> str:
    """Where a name of the package is at home: a core file or a room."""
    from diffutils import HOME

    name = dotted.split(".")[1] if "." in dotted else "__init__"
    return HOME.get(name, name).split(".")[0]


@every_file
def test_imports_go_down_only(file):
    here = file.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if here in BESIDE:
        return
    for name in imported(file):
        there = place(name)
        if there != here and there != "__version__":
            assert there in ORDER, name
            assert ORDER.index(there) < ORDER.index(here), f"{here} imports {name}, which is above"
            assert here not in CORE or there in CORE, f"the core imports {name}"


@every_file
def test_a_lesson_imports_no_other_lesson(file):
    own = re.search(r"lesson\d\d", file.relative_to(PACKAGE).as_posix())
    for name in imported(file) if own else ():
        other = re.search(r"lesson\d\d", name)
        assert other is None or other[0] == own[0], name


@pytest.mark.parametrize("file", [f for f in FILES if "course" in f.parts], ids=lambda f: f.name)
def test_the_machinery_names_no_lesson(file):
    found = re.findall(r"lesson ?\d\d", file.read_text(encoding="utf-8"))
    assert not found


@pytest.mark.parametrize("folder", sorted({file.parent for file in FILES}), ids=lambda f: f.name)
def test_a_folder_can_be_taken_in_at_a_glance(folder):
    """Twelve entries; at the top the eight files of the method and seven rooms."""
    entries = {p.stem for p in folder.iterdir() if p.suffix == ".py" or list(p.glob("*.py"))}
    most = 15 if folder == PACKAGE else 12
    assert len(entries - {"__init__", "__main__", "renamed"}) <= most, sorted(entries)
