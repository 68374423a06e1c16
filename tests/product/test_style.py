"""How the package is written: files of one idea, stages named, tables by hand and nothing else."""

import ast
from pathlib import Path

import pytest

import diffutils

PACKAGE = Path(diffutils.__file__).parent
FILES = sorted(PACKAGE.rglob("*.py"))
TABLES = ("drawn/*", "exercises*.py")  # pixel art; statements, cases and mistakes
LINES = 320  # of a file; 250 is the habit
STAGE = 25  # lines of code that need no comment
SKIPS = 80  # tables that the formatter leaves alone, in all
every = pytest.mark.parametrize("path", FILES, ids=lambda p: p.relative_to(PACKAGE).as_posix())


def code_of(function: ast.FunctionDef, lines: list[str]) -> list[str]:
    """The lines of a function's body, without its docstring and blank lines."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    first = body[0].lineno - 1 if body else function.end_lineno
    return [line.strip() for line in lines[first : function.end_lineno] if line.strip()]


@every
def test_a_file_holds_one_idea(path):
    length = len(path.read_text(encoding="utf-8").splitlines())
    assert length <= LINES or any(path.match(table) for table in TABLES)


@every
def test_long_functions_name_their_stages(path):
    text = path.read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    for function in functions:
        # A comment above the first statement lies after the docstring, before the code.
        before = text.splitlines()[function.lineno : function.end_lineno]
        code = code_of(function, text.splitlines())
        named = any(line.strip().startswith("#") for line in before)
        assert len(code) <= STAGE or named, f"{function.name}: {len(code)} lines, no stage named"


def test_the_formatter_leaves_alone_nothing_but_tables():
    found = 0
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        assert "fmt: off" not in text, path
        whole = [s for s in ast.walk(ast.parse(text)) if isinstance(s, ast.Assign | ast.Return)]
        for number, line in enumerate(text.splitlines(), start=1):
            if line.endswith("# fmt: skip"):
                found += 1
                (table,) = [s for s in whole if s.end_lineno == number]
                assert table.lineno < number, f"{path}:{number}"
                held = (ast.Tuple, ast.List, ast.Set, ast.Dict, ast.Call)
                assert isinstance(table.value, held), f"{path}:{number}"
    assert 0 < found <= SKIPS
