"""A notebook with one exercise, executed, for the tests of what students and classes get."""

import nbformat
from doubling import STUB
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

FOLDS = (
    "<details><summary>Hint 1</summary>\n\nTwo.\n\n</details>\n\n<details>"
    "<summary>Solution</summary>\n\n```python\ndef double(x):\n    return 2 * x\n```\n\n"
    "</details>"
)


def write(path, text: str) -> None:
    printed = [new_output("stream", name="stdout", text="a verdict\n")]
    cells = [
        new_markdown_cell(text),
        new_code_cell("1 + 1", execution_count=1, outputs=printed),
        new_code_cell(STUB, execution_count=2, outputs=printed),
        new_markdown_cell(FOLDS),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number}"
    nbformat.write(new_notebook(cells=cells), path)


def names(folder) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
