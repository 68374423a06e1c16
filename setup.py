"""What ships beside the package goes into its wheel: lessons, their pictures, trained weights."""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

# Of notebooks/ the lessons (ipynb), their notation (md) and its table (toml), no drafts as py.
SHIPPED = {"notebooks": "*.[imt]*", "figures": "*.png", "data/pretrained": "*.*"}


class WithLessons(build_py):
    """Copies files from beside the package to diffutils/shipped; an editable install finds them."""

    def _get_data_files(self):
        """Rows (package, folder here, folder in the wheel, names), from which setuptools copies."""
        inside = Path(self.build_lib, "diffutils", "shipped")
        return super()._get_data_files() + [
            ("diffutils", folder, str(inside / folder), [path.name for path in files(folder)])
            for folder in SHIPPED
        ]

    def get_source_files(self):
        """The same files go into a source archive."""
        every = [path.as_posix() for folder in SHIPPED for path in files(folder)]
        return super().get_source_files() + every


def files(folder: str) -> list[Path]:
    """What ships of a folder; FileNotFoundError if that is nothing."""
    found = sorted(Path(folder).glob(SHIPPED[folder]))
    if not found:
        raise FileNotFoundError(f"{folder}/ is empty; build from the whole repository")
    return found


setup(cmdclass={"build_py": WithLessons})
