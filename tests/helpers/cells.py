"""Cells of a notebook, named as JupyterLab shows them, and what is wrong with them as sentences."""

import re

import pytest


def placed(nb):
    """Every cell with its place in words: "cell [7]", or "the text below cell [7]"."""
    count, place = 0, "the text above cell [1]"
    for cell in nb.cells:
        if cell.cell_type == "code":
            count += 1
            place = f"cell [{count}]"
            yield place, cell
            place = f"the text below cell [{count}]"
        else:
            yield place, cell


def code_cells(nb) -> list:
    return [cell for cell in nb.cells if cell.cell_type == "code"]


def report(path, problems) -> None:
    """Fail with a line for each problem, a pair of its place and what to do about it."""
    lines = [f"{path.name}, {place}: {words}" for place, words in problems]
    if lines:
        pytest.fail("\n".join(lines), pytrace=False)


def doubtful(alt: str) -> str | None:
    """What is wrong with a picture's description, or None."""
    words = re.findall(r"\w+", alt)
    if re.search(r"\.(png|jpe?g|gif|svg|webp)\b", alt, re.IGNORECASE) or "/" in "".join(
        alt.split()[:1]
    ):
        return "is the name of a file; say what the picture shows"
    if len(words) < 4 or len({word.lower() for word in words}) < 4:
        return "is no description; say in a sentence what the picture shows"
    return None
