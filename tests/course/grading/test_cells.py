"""A submission's cells are taken apart: what its exercises need is executed, the rest is not."""

from diffutils.course.grading.inside import cells
from diffutils.course.grading.inside.cells import Broken, Step


def executed(*sources: str) -> tuple[dict, list]:
    names, found = {"check": lambda id, f: f}, [*cells.steps(list(sources))]
    for step in found:
        if isinstance(step, Step):
            exec(step.code, names)
    return names, found


def test_definitions_and_constants_are_executed_experiments_are_not():
    source = "import math\nT: int = 3\nbad = print('x')\ndef f(x):\n    return x\nfor i in 'a': 1"
    names, found = executed(source, "class C: pass\nx, y = (1, [2])\nf(1)\nz: int")
    assert names["T"] == 3 and names["f"](2) == 2 and names["y"] == [2] and "C" in names
    assert "bad" not in names and "i" not in names and len(found) == 5


def test_a_cell_with_a_check_is_executed_in_full():
    names, found = executed('a = max(1, 2)\nf = check("1.1", a)\nb = f + 1')
    assert names["b"] == 3
    assert [step.ids for step in found] == [[], ["1.1"], []]


def test_a_check_inside_a_definition_is_not_called_yet():
    _, found = executed('def g():\n    check("1.1", 1)')
    assert found[0].ids == []


def test_magics_do_not_break_a_cell():
    names, _ = executed("%matplotlib inline\ndef f():\n    return 1", "%%time\nx = 2", "!ls\ny = 3")
    assert names["f"]() == 1 and names["x"] == 2 and names["y"] == 3


def test_what_is_no_python_is_said_with_its_cell():
    _, found = executed("x = 1", "def f(:", "\0", "(" * 10_000, "return 3", "y = 2")
    broken = [step for step in found if isinstance(step, Broken)]
    assert [step.cell for step in broken] == [1, 2, 3]
    assert "SyntaxError" in broken[0].words and "(code cell 2)" in broken[0].words
    assert [step.cell for step in found if isinstance(step, Step)] == [0, 5]


def test_errors_show_the_students_line():
    import traceback

    names, _ = executed("def f():\n    return 1 / 0")
    try:
        names["f"]()
    except ZeroDivisionError as error:
        assert traceback.extract_tb(error.__traceback__)[-1].line == "return 1 / 0"
