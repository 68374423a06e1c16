"""Shared by the tests of the search and of its command."""

import pytest

from diffutils.lessons.lesson04 import search as S


@pytest.fixture(scope="session")
def photos():
    said = []
    return S.report("photos", 32, 3, seed=4, window="gaussian", say=said.append), said
