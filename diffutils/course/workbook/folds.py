"""Exercises inside a notebook: find the stub and the folded solution, fill in or take out.

An exercise is a code cell that ends in `name = du.check("2.3", name)`, followed by a Markdown cell
with <details> folds: hint 1, hint 2 and, with a Python code fence, the solution.
"""

import copy
import re

CHECK = re.compile(r'^\w+ = du\.check\("(\d+\.\d+)", \w+\)', re.MULTILINE)
SOLUTION = re.compile(
    r"<details><summary>Solution</summary>\s*```python\n(.*?)```\s*</details>", re.DOTALL
)
ANSWER = re.compile(  # to an exercise, or to a question of the recap
    r"(<details[^>]*>\s*<summary>\s*(?:Solution|Answer)\b[^<]*</summary>).*?</details>",
    re.DOTALL | re.IGNORECASE,
)


def exercise_id(cell) -> str | None:
    """The id of the exercise whose stub this cell holds, or None."""
    found = CHECK.search(cell.source) if cell.cell_type == "code" else None
    return found and found[1]


def solutions(notebook) -> dict[str, str]:
    """The code of every folded solution, by exercise id.

    Raises: ValueError for an exercise that is not followed by a folded solution.
    """
    found = {}
    for cell, after in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if id := exercise_id(cell):
            fold = after and after.cell_type == "markdown" and SOLUTION.search(after.source)
            if not fold:
                raise ValueError(f"exercise {id} is not followed by a folded solution")
            found[id] = fold[1].strip()
    return found


def without_outputs(notebook):
    """A copy that was never run: where a student guesses first, no result may stand below."""
    from nbconvert.preprocessors import ClearOutputPreprocessor

    return ClearOutputPreprocessor().preprocess(copy.deepcopy(notebook), {})[0]


def without_solutions(notebook):
    """A copy whose folds of solutions and answers are empty, and without outputs."""
    solutions(notebook)  # refuse a notebook in which a solution would stay unseen
    result = without_outputs(notebook)
    for cell in result.cells:
        if cell.cell_type == "markdown":
            cell.source = ANSWER.sub(r"\1Ask your instructor.</details>", cell.source)
    return result


def with_solutions(notebook):
    """A copy whose stubs are replaced by the folded solutions, without their old outputs."""
    result, answers = copy.deepcopy(notebook), solutions(notebook)
    for cell in result.cells:
        if id := exercise_id(cell):
            cell.source = f"{answers[id]}\n\n{cell.source[CHECK.search(cell.source).start() :]}"
            cell.outputs, cell.execution_count = [], None
    return result
