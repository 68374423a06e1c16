"""Exercise cells never stop a lesson: what goes wrong before the check becomes three short lines.

A cell with `name = du.check("1.1", name)` is an exercise cell.  Where its code does not compile,
raises, or defines another name, the course's function takes the name, and the lesson goes on.
"""

import ast
import builtins
import re
import symtable
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches

from IPython.core.inputtransformer2 import TransformerManager

from diffutils.course.exercises.compare import printable
from diffutils.course.exercises.verdict import WRONG, Fallback
from diffutils.course.workbook import progress

LINE = re.compile(r"""^(\w+)\s*=\s*du\.check\(\s*["'](\d+\.\d+)["']""", re.MULTILINE)
HERE = "__exercise_cells__"  # the name by which a cell finds `ExerciseCells`
LONGEST = 160  # characters of what is said of a student's code


class ExerciseCells:
    """Rewrites exercise cells before IPython runs them: their text, then their syntax tree.

    known: the exercises, by id; a cell that asks for another one is left alone.
    """

    has_side_effects = True  # so that IPython does not ask it whether a cell is complete

    def __init__(self, shell, known: Callable[[], dict]):
        self.shell, self.known = shell, known

    def __call__(self, lines: list[str]) -> list[str]:
        """The lines of a cell; those of an exercise that does not compile as what says so.

        What follows the check stays, on the lines where it was.
        """
        text = "".join(lines)
        checks = [found for found in LINE.finditer(text) if found[2] in self.known()]
        error = unreadable(text) if checks else None
        if error is None:
            return lines
        self.shell.user_ns[HERE] = self
        rest = text[checks[-1].end() :].partition("\n")[2]
        if unreadable(rest):
            rest = ""
        where = place(error.lineno or 0, error.text or "")
        said = f"{type(error).__name__}: {error.msg}{where}"
        calls = [f"{f[1]} = {HERE}.unread({f[2]!r}, {f[1]!r}, {said!r})" for f in checks]
        above = "\n" * text.count("\n", 0, checks[-1].end())
        return f"{above}{'; '.join(calls)}\n{rest}".splitlines(keepends=True)

    def visit(self, tree: ast.Module) -> ast.Module:
        """The tree of a cell in which each check, with all before it, is guarded."""
        done, before = [], []
        for node in tree.body:
            found = asked(node)
            if found and found[1] in self.known():
                done += self.guarded(before, node, *found)
                before = []
            else:
                before.append(node)
        if done:
            self.shell.user_ns[HERE] = self
        tree.body = [*done, *before]
        return tree

    def guarded(self, before: list, check: ast.Assign, target: str, id: str, name: str) -> Iterator:
        """Statements that run those before a check, then the check, and end in no exception."""
        first = [node for node in before if getattr(node, "module", "") == "__future__"]
        yield from first  # Python wants them at the top
        before = [node for node in before if node not in first]
        names, functions = bound(before)
        if name not in names and functions:  # what an earlier cell calls so is not meant
            call = f"{target} = {HERE}.renamed({id!r}, {target!r}, {name!r}, {functions!r})"
            [check] = placed(call, check)
        otherwise = f"{target} = {HERE}.stopped({id!r}, {target!r}, {name!r})"
        [guard] = placed(f"try: pass\nexcept (Exception, SystemExit): {otherwise}", check)
        guard.body = [*before, check]
        yield guard
        if target != (expected := self.known()[id].reference.__name__):
            yield from placed(f"{expected} = {HERE}.also({id!r}, {target!r})", check)

    def stopped(self, id: str, target: str, name: str) -> Fallback:
        """Say what was raised before the check, and return the course's function."""
        error = sys.exc_info()[1]
        cell = error.__traceback__.tb_frame.f_code.co_filename
        *_, last = (f for f in traceback.extract_tb(error.__traceback__) if f.filename == cell)
        words = traceback.TracebackException(type(error), error, None).format_exception_only()
        yours = f"{' '.join(''.join(words).split())[:LONGEST]}{place(last.lineno, last.line)}"
        advice = f"{self.meant(error)}mend that line, and run the cell again"
        if isinstance(error, NameError) and error.name == name:
            advice = f"define `{name}` above the check, and run the cell again"
        head = "this cell stopped before the check"
        return self.instead(id, target, head, yours, advice, type(error).__name__)

    def meant(self, error: BaseException) -> str:
        """For a name that is not defined, one that is and looks alike; else nothing."""
        wrong = isinstance(error, NameError) and error.name or ""
        names = [*self.shell.user_ns, *dir(builtins)]
        return "".join(f"did you mean `{n}`? Then " for n in get_close_matches(wrong, names, n=1))

    def unread(self, id: str, target: str, yours: str) -> Fallback:
        """Say what Python cannot read, and return the course's function."""
        head, advice = "Python cannot read this cell", "mend that line, and run the cell again"
        return self.instead(id, target, head, yours, advice, yours.partition(":")[0])

    def renamed(self, id: str, target: str, name: str, found: Sequence[str]) -> Fallback:
        """Say which name was expected, and return the course's function."""
        head = f"this cell defines no `{name}`"
        yours = f"it defines {' and '.join(f'`{each}`' for each in found)}"
        advice = f"call your function `{name}`, and run the cell again"
        mine = self.shell.user_ns.get(found[-1])
        return self.instead(id, target, head, yours, advice, "another name", mine)

    def instead(self, id, target, head, yours, advice, mistake, function=None) -> Fallback:
        """Say three lines, note the mistake, and return the course's function."""
        lines = [
            f"✗ Exercise {id}: {head}.",
            f"  yours:    {yours}",
            f"  try:      {advice}; until then `{target}` is the course's function.",
        ]
        print(printable("\n".join(lines)))
        progress.note(id, WRONG, mistake)
        return Fallback(self.known()[id], function)

    def also(self, id: str, target: str):
        """What goes by the lesson's name where a check gave its function another name.

        A student's own function of the lesson's name stays.
        """
        given, expected = self.shell.user_ns[target], self.known()[id].reference.__name__
        there = self.shell.user_ns.get(expected)
        if there is not None and not isinstance(there, Fallback):
            return there
        print(f"The lesson calls it `{expected}`; it goes by that name, too.")
        return given


def asked(node: ast.stmt) -> tuple[str, str, str] | None:
    """(target, id, name) of `target = du.check(id, name)`; None for any other statement."""
    match node:
        case ast.Assign(
            targets=[ast.Name(id=target)],
            value=ast.Call(
                func=ast.Attribute(attr="check"),
                args=[ast.Constant(value=str(id)), ast.Name(id=name), *_],
            ),
        ):
            return target, id, name
    return None


def bound(statements: list[ast.stmt]) -> tuple[set[str], list[str]]:
    """The names that statements bind at their own level, and those of functions among them."""
    text = ast.unparse(ast.Module(statements, []))
    symbols = symtable.symtable(text, "cell", "exec").get_symbols()
    names = {s.get_name() for s in symbols if s.is_assigned() or s.is_imported()}
    functions = []
    for node in statements:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                functions.append(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Lambda()):
                functions.append(name)
    return names, functions


def placed(code: str, at: ast.stmt) -> list[ast.stmt]:
    """Statements of the course that stand, for Python, on a student's line."""
    statements = ast.parse(code).body
    for statement in statements:
        for node in ast.walk(statement):
            if hasattr(node, "lineno"):
                ast.copy_location(node, at)
    return statements


def unreadable(text: str) -> SyntaxError | None:
    """What keeps the text of a cell from being compiled, magics allowed; None where it compiles."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # IPython will say them
            code = TransformerManager().transform_cell(text)
            compile(code, "cell", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        error.text = error.text or "\n".join(text.splitlines()[(error.lineno or 1) - 1 :][:1])
        return error
    except ValueError as error:  # older Pythons, of a character that no text holds
        return SyntaxError(str(error))
    return None


def place(line: int, text: str | None) -> str:
    """A line of a cell, in brackets."""
    text = (text or "").strip()[:LONGEST]
    return f" (line {line}: `{text}`)" if line and text else ""


def install(shell, known: Callable[[], dict]) -> None:
    """Let an IPython shell run exercise cells so; once is enough, and more changes nothing."""
    if any(isinstance(each, ExerciseCells) for each in shell.ast_transformers):
        return
    cells = ExerciseCells(shell, known)
    shell.ast_transformers.append(cells)
    shell.input_transformer_manager.cleanup_transforms.append(cells)
    shell.user_ns_hidden[HERE] = cells
