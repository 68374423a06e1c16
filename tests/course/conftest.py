"""Shared by the tests of exercises and of the commands that hand them out."""

import pytest
from small_exercise import write


@pytest.fixture
def lesson(tmp_path):
    """notebooks/01_first.ipynb with one exercise, executed."""
    path = tmp_path / "notebooks" / "01_first.ipynb"
    path.parent.mkdir()
    write(path, "Version one")
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "01.png").write_bytes(b"a picture")
    return path
