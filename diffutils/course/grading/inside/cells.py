"""The cells of a submission, taken apart: which statements its exercises need, and no more."""

import ast
import linecache
from collections.abc import Iterator
from dataclasses import dataclass, field

DEFINE = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
ASIDE = ("%%time", "%%capture", "%%prun", "%%timeit")  # magics of a whole cell, which is code below


@dataclass
class Step:
    """One statement to execute.  ids: the exercises whose check it calls."""

    cell: int
    number: int
    code: object
    ids: list[str] = field(default_factory=list)


@dataclass
class Broken:
    """A cell that is no Python; words: why.  It cannot be taken apart."""

    cell: int
    words: str


def steps(sources: list[str]) -> Iterator[Step | Broken]:
    """The statements that matter, in order: all of a cell with a check, definitions of the others.

    A lesson's experiments, which train and draw, are left out.
    """
    from IPython.core.inputtransformer2 import TransformerManager

    for cell, source in enumerate(sources):
        try:
            text = TransformerManager().transform_cell(without_magic(source))
            body = ast.parse(text).body
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            said = getattr(error, "msg", None) or str(error) or type(error).__name__
            yield Broken(cell, f"{type(error).__name__}: {said} (code cell {cell + 1})")
            continue
        name = f"code cell {cell + 1}"
        linecache.cache[name] = len(text), None, text.splitlines(keepends=True), name
        checks = any(map(checked, body))
        for number, statement in enumerate(body):
            if checks or isinstance(statement, DEFINE) or is_constant(statement):
                code = compiled(statement, name)
                if isinstance(code, str):
                    yield Broken(cell, f"{code} ({name})")
                else:
                    yield Step(cell, number, code, checked(statement))


def without_magic(source: str) -> str:
    """A cell without the magic that wraps all of it; the lines keep their numbers."""
    first, _, rest = source.partition("\n")
    return f"\n{rest}" if first.strip().startswith(ASIDE) else source


def compiled(statement: ast.stmt, name: str):
    """The code of a statement, or why there is none."""
    try:
        return compile(ast.Module([statement], []), name, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"{type(error).__name__}: {error}"


def checked(statement: ast.stmt) -> list[str]:
    """The exercises whose check a statement calls itself, not in a function that it defines."""
    if isinstance(statement, DEFINE):
        return []
    calls = [node for node in ast.walk(statement) if isinstance(node, ast.Call) and node.args]
    named = [c for c in calls if getattr(c.func, "attr", getattr(c.func, "id", "")) == "check"]
    ids = [c.args[0].value for c in named if isinstance(c.args[0], ast.Constant)]
    return [id for id in ids if isinstance(id, str)]


def is_constant(statement: ast.stmt) -> bool:
    """Whether a statement gives names to a literal, such as 3 or [1, 2]."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return False
    try:
        ast.literal_eval(statement.value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
