"""What a lesson says of its pictures is right for other data sets than the one it begins with."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from cells import placed, report
from nbformat.v4 import new_code_cell, new_notebook

ROOT = Path(__file__).resolve().parents[2]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))
WORDS = {"photos": "photo(graph)?s?", "sprites": "sprites?", "faces": "faces?", "digits": "digits?"}
SHOWING = ("show", "show_gif", "explore")  # their second argument is the alt text
KNOWN = {"dataset", "is_faces", "turnable"}  # an `if` of these knows what is shown


def named(nb) -> Iterator[tuple[str, str]]:
    """Places of alt texts that name the lesson's own data set, which is a parameter, and the word.

    What stands in an `if` that asks which data there are may say it.
    """
    own = None
    for place, cell in placed(nb):
        if cell.cell_type != "code":
            continue
        tree = ast.parse(cell.source)
        if "parameters" in cell.metadata.get("tags", []):
            found = re.search(r'^dataset = "(\w+)"', cell.source, re.MULTILINE)
            own = found and re.compile(rf"\b{WORDS.get(found[1], found[1])}\b", re.IGNORECASE)
        for text in alt_texts(tree.body) if own else ():
            if word := own.search(text):
                yield place, word[0]


def alt_texts(nodes) -> Iterator[str]:
    """The alt texts in some code, but those below an `if` that asks which data there are."""
    for node in nodes:
        if isinstance(node, ast.If) and KNOWN & {
            n.id for n in ast.walk(node.test) if isinstance(n, ast.Name)
        }:
            yield from alt_texts(node.orelse)
            continue
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in SHOWING:
            parts = [n for argument in node.args[1:2] for n in ast.walk(argument)]
            yield "".join(str(n.value) for n in parts if isinstance(n, ast.Constant))
        yield from alt_texts(ast.iter_child_nodes(node))


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_no_alt_text_names_the_data_set_that_is_a_parameter(path):
    cure = "say image, or picture, or what data.name says"
    found = named(nbformat.read(path, as_version=4))
    report(
        path, [(place, f"its alt text says {word!r} of any data; {cure}") for place, word in found]
    )


def test_an_alt_text_that_names_the_data_set_is_found():
    sources = [
        'dataset = "faces"  # any images',
        'du.show(fig, "Five Faces, and " + "what is left.")',
        'du.show(fig, f"Images of {data.name}, surfaces.", save=lesson.figure("faces.png"))',
        'if is_faces:\n    du.show(fig, "Five faces.")\nelse:\n    du.show_gif(fig, "A face.")',
        'def f(x):\n    du.explore(x, f"{n} sprites and a face.", t=(1, 2))',
    ]
    cells = [new_code_cell(source) for source in sources]
    cells[0].metadata["tags"] = ["parameters"]
    assert [*named(new_notebook(cells=cells))] == [
        ("cell [2]", "Faces"),
        ("cell [4]", "face"),
        ("cell [5]", "face"),
    ]
