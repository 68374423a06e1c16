"""The rules of a lesson that its text and code must keep; its runs are in test_notebooks.py."""

import ast
import builtins
import pkgutil
import re
import symtable
from pathlib import Path

import nbformat
import pytest
from cells import placed, report
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from diffutils.viz.paper import COLORS

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FIRST = "the text above cell [1]"
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)


@pytest.fixture(params=LESSONS, ids=lambda path: path.stem)
def lesson(request) -> Path:
    return request.param


def cells(path: Path, kind: str) -> list[str]:
    """Sources of the code or markdown cells of a notebook."""
    found = nbformat.read(path, as_version=4).cells
    return [cell.source for cell in found if cell.cell_type == kind]


def every_cell(path: Path, kind: str) -> list[tuple]:
    """The code or markdown cells, each with its place."""
    found = placed(nbformat.read(path, as_version=4))
    return [(place, cell) for place, cell in found if cell.cell_type == kind]


def compared(cell) -> bool:
    """Whether nbval compares the output of a code cell."""
    return "nbval-check-output" in cell.metadata.get("tags", [])


def module(path: Path) -> str:
    return "\n\n".join(cells(path, "code"))


def test_the_first_cell_asks_shows_and_promises(lesson):
    first = cells(lesson, "markdown")[0]
    asked = {
        rf"\A# Lesson {lesson.stem[:2]} · .+\?\n": "begin with `# Lesson NN · a question?`",
        r"!\[[^\]]{30,}\]\(\.\./figures/\d\d_\w+\.png\)": "show and describe one of ../figures",
    }
    for promise in ("You will be able to", "Before", "Time", "Needs"):
        asked[rf"^\| \*\*{promise}\*\* \|"] = f"add the row | **{promise}** | to the card"
    missing = [words for what, words in asked.items() if not re.search(what, first, re.MULTILINE)]
    report(lesson, [(FIRST, words) for words in missing])


def test_the_last_part_looks_back_and_cites(lesson):
    text = "\n\n".join(cells(lesson, "markdown"))
    heading = re.search(r"^## .*Recap$", text, re.MULTILINE)
    recap = text[heading.start() :] if heading else ""
    answers = recap.count("<summary>Answer</summary>")
    cited = len(re.findall(r"arXiv[: ]\d{4}\.\d{5}", recap))
    asked = {
        "add a last section `## ... Recap`": heading,
        f"it has {answers} folded answers, five are asked for": answers == 5,
        "add 'Going further'": "Going further" in recap,
        "add 'References'": "References" in recap,
        f"it cites {cited} papers as arXiv:NNNN.NNNNN, at least three are asked for": cited >= 3,
        "state the licences of text and data, CC BY 4.0 and CC0": "CC BY 4.0" in recap
        and "CC0" in recap,
    }
    problems = [("the recap", words) for words, found in asked.items() if not found]
    last = cells(lesson, "code")
    if not last[-1].rstrip().endswith("lesson.finish()"):
        problems.append((f"cell [{len(last)}]", "end the last cell with lesson.finish()"))
    report(lesson, problems)


def test_folds_are_closed_and_named(lesson):
    problems = []
    for place, cell in every_cell(lesson, "markdown"):
        text, folds = cell.source, FOLD.findall(cell.source)
        if not text.count("<details>") == text.count("</details>") == len(folds):
            problems.append((place, "close every <details> with </details>"))
        if not all(re.match(r"<details>\s*<summary>\S", fold) for fold in folds):
            problems.append((place, "name every fold: <details><summary>Name</summary>"))
    report(lesson, problems)


def test_equations_are_numbered_once_and_tied_to_code_and_test(lesson):
    text = "\n\n".join(cells(lesson, "markdown"))
    numbers = [int(n) for n in re.findall(r"\\tag\{(\d+)\}", text)]
    rows = re.findall(r"^\| \(.*\|$", text, re.MULTILINE)
    tied = {int(n) for row in rows for n in re.findall(r"\((\d+)\)", row.split("|")[1])}
    problems = []
    if not numbers or numbers != list(range(1, len(numbers) + 1)):
        problems.append(("its equations", f"number them 1, 2, 3, ... with \\tag; now {numbers}"))
    for number in sorted(tied ^ set(numbers)):
        words = "give it one row in a table: equation | function | test"
        problems.append((f"equation ({number})", words))
    for row in rows:
        place = f"the table of equations, row {row[:30]!r}"
        problems += [(place, words) for words in untied(row)]
    report(lesson, problems)


def untied(row: str):
    """What a row of the table of equations names and is not there."""
    if not re.search(r"`test_\w+`", row):
        yield "name the test that proves it, as `test_...`"
    for name in re.findall(r"`((?:\w+\.)+\w+)`", row):
        try:
            name.endswith(".py") or pkgutil.resolve_name(f"diffutils.{name}")
        except (ImportError, AttributeError):
            yield f"there is no diffutils.{name}; name the function that it is now"
    for file in re.findall(r"`(?:tests/)?(test_\w+\.py)`", row):
        places = list((ROOT / "tests").rglob(file))
        source = places[0].read_text(encoding="utf-8") if len(places) == 1 else ""
        for test in re.findall(r"`(test_\w+)`", row):
            if f"def {test}(" not in source:
                yield f"there is no {test} in {file}; name the test that proves it"


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
    problems = []
    for function in functions(symtable.symtable(source, lesson.name, "exec")):
        name = function.get_name()
        used = {s.get_name() for s in function.get_symbols() if s.is_global()}
        for other in sorted(used - allowed):
            where = [p for p, c in every_cell(lesson, "code") if f"def {name}(" in c.source]
            words = f"{name} uses {other} of another cell; hand it over as an argument"
            problems.append(((where or ["a cell"])[0], words))
    report(lesson, problems)


def functions(table: symtable.SymbolTable):
    """Every named function of a module, nested ones too."""
    for child in table.get_children():
        named = child.get_name() not in ("lambda", "genexpr", "listcomp", "dictcomp", "setcomp")
        if child.get_type() == "function" and named:
            yield child
        if child.get_type() == "class" or named:
            yield from functions(child)


def test_colours_are_of_the_palette_or_grey(lesson):
    problems, palette = [], {color.upper() for color in COLORS.values()}
    for place, cell in every_cell(lesson, "code"):
        for colour in re.findall(r"#[0-9A-Fa-f]{6}\b", cell.source):
            grey = colour[1:3] == colour[3:5] == colour[5:7]
            if not (grey or colour.upper() in palette):
                problems.append((place, f"{colour} is not in viz.COLORS; take one that is"))
        if found := re.search(r"\bcmap\s*=\s*[\"'](jet|rainbow|hsv|gist_\w+)", cell.source):
            words = f"{found[1]} misleads and is not safe for the colour-blind; take viridis"
            problems.append((place, words))
    report(lesson, problems)


def test_some_outputs_are_compared(lesson):
    tagged = [(place, cell) for place, cell in every_cell(lesson, "code") if compared(cell)]
    random = r"\b(time|datetime|perf_counter|torch\.randn?|np\.random\.randn?)\("
    problems = [] if tagged else [("all cells", "tag one nbval-check-output, of known output")]
    for place, cell in tagged:
        if found := re.search(random, cell.source):
            words = f"{found[1]} changes what is compared; take it out, or the tag"
            problems.append((place, words))
    report(lesson, problems)


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


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        (test_the_first_cell_asks_shows_and_promises, "above cell [1]: begin with `# Lesson NN"),
        (test_the_last_part_looks_back_and_cites, "cell [2]: end the last cell with"),
        (test_folds_are_closed_and_named, "the text below cell [2]: close every <details>"),
        (test_equations_are_numbered_once_and_tied_to_code_and_test, "equation (1): give it one"),
        (test_functions_use_no_global_but_parameters, "cell [2]: f uses table of another cell"),
        (test_colours_are_of_the_palette_or_grey, "cell [2]: #123456 is not in viz.COLORS"),
        (test_some_outputs_are_compared, "all cells: tag one nbval-check-output"),
    ],
)
def test_a_rule_that_is_broken_names_the_cell_and_the_cure(rule, said, tmp_path):
    path = tmp_path / "08_broken.ipynb"
    cells = [
        new_markdown_cell("# A lesson"),
        new_code_cell("seed = 0  # a parameter", metadata={"tags": ["parameters"]}),
        new_code_cell("table = 1\ndef f():\n    return table\ncolour = '#123456'"),
        new_markdown_cell("<details> $x \\tag{1}$"),
    ]
    nbformat.write(new_notebook(cells=cells), path)
    with pytest.raises(pytest.fail.Exception, match=re.escape(said)) as failed:
        rule(path)
    assert all(line.startswith("08_broken.ipynb, ") for line in str(failed.value).splitlines())
