"""Exercise cells run through IPython itself, and end in no exception."""

import json
import sys
from types import ModuleType

import nbformat
import pytest
from command_line import PARAMETERS
from doubling import TASK
from IPython.core.interactiveshell import InteractiveShell
from traitlets.config import Config

import diffutils as du
from diffutils import lessons
from diffutils.course.exercises.verdict import Fallback
from diffutils.course.runs import headless
from diffutils.course.workbook import cells, folds, progress

DEFINED = "def double(x):\n    return 2 * x\n"
CHECK = '\ndouble = du.check("9.9", double)'
OPEN_BRACKET = "def double(x):\n    return (2 * x\n"


@pytest.fixture
def shell(monkeypatch):
    """A shell with the cells installed; not the one that IPython's get_ipython finds."""
    monkeypatch.setattr("diffutils.lessons.exercises", lambda: {"9.9": TASK})
    monkeypatch.setattr(progress, "noted", {})
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(sys, "displayhook", sys.displayhook)
    config = Config(HistoryManager={"enabled": False}, InteractiveShell={"colors": "nocolor"})
    shell = InteractiveShell(config=config, user_module=ModuleType("notebook"))
    cells.install(shell, lambda: {"9.9": TASK})
    shell.user_ns["du"] = du
    return shell


@pytest.fixture
def run(shell, capsys):
    """A function: run the text of a cell, and return its result and what it printed."""

    def run(text: str):
        result = shell.run_cell(text, store_history=True)
        return result, capsys.readouterr().out

    return run


def is_the_courses(function) -> bool:
    return isinstance(function, Fallback) and function.exercise is TASK


def test_a_right_answer_runs_as_without_us(shell, run):
    result, said = run(DEFINED + CHECK)
    assert result.success and said.startswith("✓ Exercise 9.9") and said.count("\n") == 1
    assert not is_the_courses(shell.user_ns["double"])


@pytest.mark.parametrize(
    ("before", "yours", "mistake"),
    [
        (
            "def double(x):\n    return 2 * x\n\nten = torh.ones(3)\n",
            "NameError: name 'torh' is not defined (line 4: `ten = torh.ones(3)`)",
            "NameError",
        ),
        (
            "sqrt = 1\ndef double(x, n=sqr):\n    return 2 * x\n",
            "NameError: name 'sqr' is not defined (line 2: `def double(x, n=sqr):`)",
            "NameError",
        ),
        (
            "def double(x):\n    return 2 + x[0]\n\ndouble(3)\n",
            "TypeError: 'int' object is not subscriptable (line 2: `return 2 + x[0]`)",
            "TypeError",
        ),
        (
            "import json\njson.loads('{')\n",
            "JSONDecodeError: Expecting property name enclosed in double quotes: "
            "line 1 column 2 (char 1) (line 2: `json.loads('{')`)",
            "JSONDecodeError",
        ),
        ("raise SystemExit\n", "SystemExit (line 1: `raise SystemExit`)", "SystemExit"),
        ("du = 3\n", "AttributeError: 'int' object has no attribute 'check'", "AttributeError"),
    ],
)
def test_what_a_cell_raises_before_its_check_is_said(shell, run, before, yours, mistake):
    shell.user_ns["double"] = stale = lambda x: 2 * x
    result, said = run(f"{before}{CHECK}\nfour = double(2)")
    assert result.success and shell.user_ns["four"] == 4
    head, mine, advice = said.splitlines()
    assert head == "✗ Exercise 9.9: this cell stopped before the check."
    assert mine.startswith(f"  yours:    {yours}".replace("JSON", "json.decoder.JSON"))
    meant = "did you mean `sqrt`? Then " if "sqr'" in yours else ""
    assert advice.startswith(f"  try:      {meant}mend that line, and run the cell again;")
    assert is_the_courses(shell.user_ns["double"]) and shell.user_ns["double"] is not stale
    assert progress.noted["9.9"] == {"status": "wrong", "mistake": mistake, "tries": 1}


@pytest.mark.parametrize("other", ["def dubble(x):\n    return 2 * x\n", "dubble = lambda x: 2\n"])
@pytest.mark.parametrize("stale", [True, False])
def test_another_name_is_told_and_no_old_function_judged(shell, run, other, stale):
    if stale:
        run(DEFINED + CHECK)
    result, said = run(other + CHECK)
    assert result.success
    assert said.startswith("✗ Exercise 9.9: this cell defines no `double`.\n")
    assert "  yours:    it defines `dubble`\n  try:      call your function `double`" in said
    assert is_the_courses(shell.user_ns["double"])
    assert shell.user_ns["double"].yours is shell.user_ns["dubble"]
    assert progress.noted["9.9"]["mistake"] == "another name"


def test_a_name_that_nothing_has_is_told(shell, run):
    result, said = run(f"# my answer will come here\n{CHECK}")
    assert result.success and "NameError: name 'double' is not defined" in said
    assert "try:      define `double` above the check" in said
    assert is_the_courses(shell.user_ns["double"])


def test_a_function_of_another_cell_may_be_checked(shell, run):
    run(DEFINED)
    result, said = run(f"x = 3{CHECK}")
    assert result.success and said.startswith("✓")


@pytest.mark.parametrize(
    "defined",
    [
        "from math import sqrt as double\n",
        "if True:\n    def double(x):\n        return 2 * x\n",
        "def help(x):\n    return 2 * x\n\ndouble = help\n",
        "class double:\n    def __init__(self, x):\n        pass\n",
    ],
)
def test_a_name_may_be_bound_in_any_way(run, defined):
    assert "defines no" not in run(defined + CHECK)[1]


@pytest.mark.parametrize(
    ("broken", "yours"),
    [
        (OPEN_BRACKET, "SyntaxError: '(' was never closed (line 2: `return (2 * x`)"),
        ("def double(x)\n    return 2\n", "SyntaxError: expected ':' (line 1: `def double(x)`)"),
        (
            "def double(x):\n    y = 2\n  return y\n",
            "IndentationError: unindent does not match any outer indentation level "
            "(line 3: `return y`)",
        ),
        (
            "def double(x):\n    y = 2\nreturn y\n",
            "SyntaxError: 'return' outside function (line 3: `return y`)",
        ),
        ("def double(x):\n    return 2 * x\0\n", "SyntaxError: source code string cannot"),
        ('def double(x):\n    """Twice.\n    return 2 * x\n', "SyntaxError: unterminated triple"),
    ],
)
def test_what_python_cannot_read_is_said_with_its_line(shell, run, broken, yours):
    shell.user_ns["double"] = lambda x: 2 * x
    result, said = run(f"{broken}{CHECK}\n\ndef after():\n    return double(2)\n\nprint(after())")
    assert result.success
    head, mine, advice, printed = said.splitlines()
    assert head == "✗ Exercise 9.9: Python cannot read this cell." and printed == "4"
    assert mine.startswith(f"  yours:    {yours}")
    assert "mend that line" in advice and "`double` is the course's function" in advice
    assert is_the_courses(shell.user_ns["double"])
    lines = broken.count("\n") + 1  # what follows stands where the student sees it
    assert shell.user_ns["after"].__code__.co_firstlineno == lines + 3


def test_a_check_without_its_last_bracket_is_said_too(shell, run):
    result, said = run(DEFINED + CHECK.removesuffix(")") + "\nfour = double(2)")
    assert result.success and "'(' was never closed" in said
    assert is_the_courses(shell.user_ns["double"]) and shell.user_ns["four"] == 4
    result, said = run(f"{OPEN_BRACKET}{CHECK}\nfour = (5")
    assert result.success and shell.user_ns["four"] == 4


def test_ctrl_c_passes(shell, run):
    result, _ = run(f"raise KeyboardInterrupt{CHECK}")
    assert isinstance(result.error_in_exec, KeyboardInterrupt)
    assert "double" not in shell.user_ns


def test_what_follows_a_check_runs_and_fails_as_ever(shell, run):
    result, said = run(f"{DEFINED}{CHECK}\nrepairs = [double(3)]\nrepairs[0]")
    assert result.success and result.result == 6 and said.endswith("6\n")
    result, said = run(f"{DEFINED}{CHECK}\n1 / 0")
    assert isinstance(result.error_in_exec, ZeroDivisionError)
    assert "----> 5 1 / 0" in said


def test_source_and_lines_of_a_function_are_the_students(shell, run):
    run("import inspect\n" + DEFINED + CHECK)
    assert run("print(inspect.getsource(double))")[1] == DEFINED + "\n"
    run("\n\ndef double(x):\n    y = 1 / 0\n" + CHECK + "\nmine = double.yours")
    assert shell.user_ns["double"].yours.__code__.co_firstlineno == 1  # IPython cuts empty lines
    assert "ZeroDivisionError: division by zero" in run("mine(3)")[1]


def test_two_exercises_of_one_cell_are_two(shell, run):
    result, said = run(f"1 / 0{CHECK}\n{DEFINED}{CHECK}")
    assert result.success and [line[0] for line in said.splitlines()] == ["✗", " ", " ", "✓"]
    result, said = run(f"{OPEN_BRACKET}{CHECK}\n{CHECK}")
    assert result.success and said.count("✗ Exercise 9.9") == 2


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations\n" + DEFINED + CHECK,
        "%time y = 3\n" + DEFINED + CHECK,
        "%%time\n" + DEFINED + CHECK,
        "import asyncio\nawait asyncio.sleep(0)\n" + DEFINED + CHECK,
    ],
)
def test_cells_of_ipython_are_still_read(run, text):
    result, said = run(text)
    assert result.success and "✓ Exercise 9.9" in said and "✗" not in said


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0",
        "def double(x:\n    pass",
        '1 / 0\nother = du.check("9.8", other)',
        '1 / 0\ncheck = du.lesson.check("9.9")',
    ],
)
def test_other_cells_are_left_alone(shell, run, text):
    result, said = run(text)
    assert not result.success and "✗" not in said
    assert cells.HERE not in shell.user_ns


def test_a_function_that_was_renamed_throughout_goes_by_the_lessons_name_too(shell, run):
    mine = DEFINED.replace("double", "mine") + CHECK.replace("double", "mine")
    result, said = run(mine)
    assert result.success and said.startswith("✓")
    assert said.endswith("The lesson calls it `double`; it goes by that name, too.\n")
    assert shell.user_ns["double"] is shell.user_ns["mine"]
    run(DEFINED + CHECK)
    kept = shell.user_ns["double"]
    result, said = run(mine)
    assert shell.user_ns["double"] is kept and "goes by that name" not in said


def test_lessons_call_an_answer_as_the_course_does():
    """Else `also` would give a function a name that the lesson does not use."""
    known = lessons.exercises()
    for path in headless.select():
        for cell in nbformat.read(path, as_version=4).cells:
            if id := folds.exercise_id(cell):
                assert f"\n{known[id].reference.__name__} = du.check(" in cell.source, id


def test_installed_twice_is_installed_once(shell):
    before = len(shell.ast_transformers), len(shell.input_transformer_manager.cleanup_transforms)
    cells.install(shell, lessons.exercises)
    after = len(shell.ast_transformers), len(shell.input_transformer_manager.cleanup_transforms)
    assert before == after


def test_a_cell_is_complete_as_ever(shell):
    status, _ = shell.input_transformer_manager.check_complete(OPEN_BRACKET + CHECK)
    assert status == "incomplete"


def test_a_lesson_with_broken_answers_runs_to_its_end(tmp_path, write_notebook):
    """In a kernel of its own, as a student's notebook runs."""
    path = write_notebook(
        tmp_path / "01_mine.ipynb",
        PARAMETERS,
        "import diffutils as du\nlesson = du.lesson('01', profile)\nlesson.headline('x', 1)",
        'def forward(x0, abar, noise):\n    return (x0\n\nforward = du.check("1.1", forward)',
        'best = torh\nbest_guess = du.check("1.2", best_guess)\nprint(callable(best_guess))',
        'def twedie(x, clean, abar):\n    return x\n\ntweedie = du.check("1.3", tweedie)',
        'def step_back(x, clean, now, then, eta, z):\n    return ...\n\n'
        'step_back = du.check("1.4", step_back)',
        "lesson.finish()",
    )  # fmt: skip
    target = tmp_path / "out" / path.name
    outcome = headless.execute(path, target, {"profile": "smoke"}, print)
    assert outcome.error is None, outcome.error
    record = json.loads((tmp_path / "out" / "01" / "run.json").read_text())
    assert record["exercises"] == {
        "1.1": {"status": "wrong", "mistake": "SyntaxError", "tries": 1},
        "1.2": {"status": "wrong", "mistake": "NameError", "tries": 1},
        "1.3": {"status": "wrong", "mistake": "another name", "tries": 1},
        "1.4": {"status": "not attempted", "mistake": None, "tries": 0},
    }
    outputs = [o.get("text", "") for c in nbformat.read(target, 4).cells for o in c.outputs]
    assert any(text.endswith("course's function.\nTrue\n") for text in outputs)
    last = "exercises: 0 of 6 solved here; du.progress() shows all lessons\n"
    assert outputs[-1].endswith(last)
