"""Shared by all tests: shape checks switched on, no windows, small fixtures."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ["DIFFUTILS_HEADLESS"] = "1"
for name in ("DIFFUTILS_PROFILE", "DIFFUTILS_RUN_DIR", "DIFFUTILS_PROGRESS"):
    os.environ.pop(name, None)

# The annotations of these modules, shapes included, are checked on every call in the tests.
TYPED = ("denoisers", "features", "metrics", "rng", "samplers", "schedules", "training", "unet")
try:
    import beartype  # noqa: F401
    from jaxtyping import install_import_hook
except ImportError:  # a machine without the test extra runs the tests unchecked
    pass
else:
    install_import_hook([f"diffutils.{name}" for name in TYPED], "beartype.beartype")

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real data sets named by $DIFFUTILS_DATA; the test is skipped without one."""
    folder = os.environ.get("DIFFUTILS_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("set DIFFUTILS_DATA to a folder with real data sets")
    return Path(folder)


@pytest.fixture
def write_notebook():
    """A function (path, *cells): write a notebook, its first cell tagged `parameters`."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    def write(path: Path, *sources: str) -> Path:
        cells = [new_code_cell(source) for source in sources]
        cells[0].metadata["tags"] = ["parameters"]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        path.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
        return path

    return write
