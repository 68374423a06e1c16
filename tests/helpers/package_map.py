"""The maps of the package in README.md and CONTRIBUTING.md: files and what they say of themselves.

`python tests/helpers/package_map.py` writes them anew; a test holds them in step.
"""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLACE = re.compile(r"(?<=<!-- map -->\n```\n).*?(?=```\n<!-- end -->)", re.DOTALL)
DEPTHS = {"README.md": 1, "CONTRIBUTING.md": 3}  # page -> how deep its map goes
ORDER = ("rng", "schedules", "denoisers", "unet", "resample", "samplers", "weights", "data",
         "metrics", "viz", "loop", "training", "methods", "course", "lessons",
         "__main__")  # fmt: skip


def said(file: Path) -> str:
    """The first sentence of a file's docstring, without its full stop."""
    words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
    return words.partition("\n\n")[0].replace("\n", " ").rstrip(".")


def lines(folder: Path, most: int, depth: int = 1):
    """One line a file, `most` folders deep; a folder's line is what its __init__ says."""
    rank = {name: i for i, name in enumerate(ORDER if depth == 1 else ())}
    entries = [p for p in folder.iterdir() if p.suffix == ".py" or (p / "__init__.py").exists()]
    for path in sorted(entries, key=lambda p: (rank.get(p.stem, 99), p.is_dir(), p.name)):
        if path.name == "__init__.py":
            continue
        source = path if path.is_file() else path / "__init__.py"
        name = f"{'  ' * depth}{path.name}{'/' if path.is_dir() else ''}"
        yield f"{name:28} {said(source)}"
        if path.is_dir() and depth < most:
            yield from lines(path, most, depth + 1)


def mapped(page: str, text: str) -> str:
    """The text of a page with its map made anew."""
    map_ = "\n".join(["diffutils/", *lines(ROOT / "diffutils", DEPTHS[page])]) + "\n"
    assert PLACE.search(text), f"{page} has no place for the map"
    return PLACE.sub(lambda _: map_, text)


if __name__ == "__main__":
    for page in DEPTHS:
        text = (ROOT / page).read_text(encoding="utf-8")
        (ROOT / page).write_text(mapped(page, text), encoding="utf-8")
