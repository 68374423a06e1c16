"""The rules of a lesson that its text and code must keep; its runs are in test_notebooks.py."""

import ast
import builtins
import pkgutil
import re
import symtable
from pathlib import Path

import nbformat
import pytest

from diffutils.viz.display import COLORS

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request) -> Path:
    return request.param


def cells(path: Path, kind: str) -> list[str]:
    """Sources of the code or markdown cells of a notebook."""
    found = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in found if cell.cell_type == kind]


def compared(cell) -> bool:
    """Whether nbval compares the output of a code cell."""
    return "nbval-check-output" in cell.metadata.get("tags", [])


def module(path: Path) -> str:
    return "\n\n".join(cells(path, "code"))


def test_the_first_cell_asks_shows_and_promises(lesson):
    first = cells(lesson, "markdown")[0]
    assert re.match(rf"# Lesson {lesson.stem[:2]} · .+\?\n", first)
    assert re.search(r"!\[[^\]]{30,}\]\(\.\./figures/\d\d_\w+\.png\)", first)
    for promise in ("You will be able to", "Before", "Time", "Needs"):
        assert re.search(rf"^\| \*\*{promise}\*\* \|", first, re.MULTILINE), promise


def test_the_last_part_looks_back_and_cites(lesson):
    text = "\n\n".join(cells(lesson, "markdown"))
    recap = text[re.search(r"^## .*Recap$", text, re.MULTILINE).start() :]
    assert recap.count("<summary>Answer</summary>") == 5
    assert "Going further" in recap and "References" in recap
    assert len(re.findall(r"arXiv[: ]\d{4}\.\d{5}", recap)) >= 3
    assert "CC BY 4.0" in recap and "CC0" in recap
    assert cells(lesson, "code")[-1].rstrip().endswith("lesson.finish()")


def test_folds_are_closed_and_named(lesson):
    for text in cells(lesson, "markdown"):
        assert text.count("<details>") == text.count("</details>") == len(FOLD.findall(text))
        assert all(re.match(r"<details>\s*<summary>\S", fold) for fold in FOLD.findall(text))


def test_equations_are_numbered_once_and_tied_to_code_and_test(lesson):
    text = "\n\n".join(cells(lesson, "markdown"))
    numbers = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", text)]
    assert numbers == list(range(1, len(numbers) + 1)) and numbers
    rows = re.findall(r"^\| \(.*\|$", text, re.MULTILINE)
    tied = {int(n) for row in rows for n in re.findall(r"\((\d+)\)", row.split("|")[1])}
    assert tied == set(numbers), sorted(set(numbers) - tied)
    for row in rows:
        assert re.search(r"`test_\w+`", row), row
        for name in re.findall(r"`((?:\w+\.)+\w+)`", row):
            if not name.endswith(".py"):
                pkgutil.resolve_name(f"diffutils.{name}")
        for file in re.findall(r"`(?:tests/)?(test_\w+\.py)`", row):
            (place,) = (ROOT / "tests").rglob(file)
            source = place.read_text(encoding="utf-8")
            for test in re.findall(r"`(test_\w+)`", row):
                assert f"def {test}(" in source, test


def test_functions_use_no_global_but_parameters(lesson):
    """A cell can then be read, and a function moved, without the cells before it."""
    source = module(lesson)
    tree = ast.parse(source)
    allowed = set(dir(builtins))
    for node in tree.body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            allowed |= {(a.asname or a.name).split(".")[0] for a in node.names}
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            allowed.add(node.name)
    tagged = [
        cell.source
        for cell in nbformat.read(lesson, as_version=4).cells
        if "parameters" in cell.metadata.get("tags", [])
    ]
    allowed |= {line.split("=")[0].strip() for line in tagged[0].splitlines() if "=" in line}
    for function in functions(symtable.symtable(source, lesson.name, "exec")):
        used = {s.get_name() for s in function.get_symbols() if s.is_global()}
        assert used <= allowed, (function.get_name(), sorted(used - allowed))


def functions(table: symtable.SymbolTable):
    """Every named function of a module, nested ones too."""
    for child in table.get_children():
        named = child.get_name() not in ("lambda", "genexpr", "listcomp", "dictcomp", "setcomp")
        if child.get_type() == "function" and named:
            yield child
        if child.get_type() == "class" or named:
            yield from functions(child)


def test_colours_are_of_the_palette_or_grey(lesson):
    for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", module(lesson)):
        grey = colour[1:3] == colour[3:5] == colour[5:7]
        assert grey or colour.upper() in {c.upper() for c in COLORS.values()}, colour
    assert not re.search(r"\bcmap\s*=\s*[\"'](jet|rainbow|hsv|gist_\w+)", module(lesson))


def test_some_outputs_are_compared(lesson):
    found = nbformat.read(lesson, as_version=4).cells
    sources = [cell.source for cell in found if cell.cell_type == "code" and compared(cell)]
    assert sources
    for cell in sources:
        assert not re.search(
            r"\b(time|datetime|perf_counter|torch\.randn?|np\.random\.randn?)\(", cell
        )


def test_figures_are_used_and_made_by_lessons():
    """figures/ holds what README, data/README and lessons use, and nothing else."""
    texts = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "data/README.md")]
    texts += ["\n".join(cells(path, "markdown")) for path in LESSONS]
    used = set(re.findall(r"figures/([\w.-]+\.(?:png|gif))", "\n".join(texts)))
    assert used == {path.name for path in (ROOT / "figures").iterdir()}
    made = {
        name for path in LESSONS for name in re.findall(r'lesson\.figure\("(.+?)"\)', module(path))
    }
    for path in LESSONS:
        assert any(name.startswith(path.stem[:2] + "_") for name in made), path.stem
    assert {name for name in used if re.match(r"\d\d_", name)} == made
