"""Shared by the tests of grading: the lesson that a class hands in, and a slot that runs it."""

import nbformat
import pytest
from class_of_students import IDS, lesson

from diffutils import lessons as contents
from diffutils.course.grading import process, submissions


@pytest.fixture(scope="session")
def handed_out():
    """Lesson 01 as students get it."""
    return lesson()


@pytest.fixture(scope="module")
def slot():
    """A slot for lesson 01, with a second for a call and half a gigabyte."""
    made = process.Slot(contents, 11, [*IDS], 1.0, 2**29)
    yield made
    made.close()


@pytest.fixture
def submitted():
    """A function: a notebook as a submission."""

    def read(notebook, file: str = "ada.ipynb") -> submissions.Submission:
        return submissions.read(file, nbformat.writes(notebook).encode)

    return read
