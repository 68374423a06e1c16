"""The package works without its checkout: as a wheel, and for a lesson that has no package."""

import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import nbformat
import pytest

from diffutils.weights.files import NAME

BUILT_OF = ("diffutils", "notebooks", "figures", "data/pretrained", "pyproject.toml",
            "setup.py", "README.md", "LICENSE")  # fmt: skip
TRIES = """
from pathlib import Path
from click.testing import CliRunner
import diffutils as du
from diffutils.__main__ import cli
from diffutils.course.workbook import folds, workspace
from diffutils.course.experiments import sweep, training
from diffutils.course.runs import headless, rundir
from diffutils.weights import models, provenance

def call(*arguments, code=0):
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == code, (arguments, done.output, done.exception)
    return done.output

assert "sprites" in call("data")
call("sample", "sprites", "drawn", "-n", "1", "--steps", "2")
assert Path("drawn/00000.png").is_file()
assert len(sweep.recorded(du.pretrained("sprites"))) > 3
found = headless.select()
for name in ("mine", "mine"):
    workspace.prepare(found, Path(name))
assert "--work" in call("notebooks", code=2) and "clone" in call("test", code=2)
assert rundir.base() == Path.cwd() / "runs" and provenance.git_commit() is None
print(Path(du.__file__).parent)
print(*models.shipped())
print(*(path.name for path in found))
print(*sorted(path.name for path in Path("mine").iterdir()))
"""


@pytest.fixture(scope="module")
def source(root, tmp_path_factory) -> Path:
    """A copy of what a wheel is built of."""
    source = tmp_path_factory.mktemp("source")
    for name in BUILT_OF:
        if (path := root / name).is_dir():
            shutil.copytree(path, source / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(path, source)
    return source


@pytest.fixture(scope="module")
def wheel(source, tmp_path_factory) -> Path:
    """The wheel, built without a network."""
    built = tmp_path_factory.mktemp("built")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps"]
    subprocess.run([*pip, "--wheel-dir", built, source], check=True)
    (path,) = built.iterdir()
    return path


def test_a_wheel_holds_all_that_ships_and_nothing_else(root, wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    inside = {name.partition("shipped/")[2] for name in names if "shipped/" in name}
    folders = ("notebooks", "figures", "data/pretrained")
    assert inside == {
        path.relative_to(root).as_posix()
        for folder in folders
        for path in (root / folder).iterdir()
        if path.is_file() and path.suffix != ".py"
    }
    code = {name for name in names if name.startswith("diffutils/") and "shipped/" not in name}
    assert code == {p.relative_to(root).as_posix() for p in root.glob("diffutils/**/*.py")}
    assert wheel.name.startswith("diffusion_by_experiment-")  # the other name is a stranger's


def test_a_source_archive_holds_what_a_wheel_needs(root, source, wheel):
    command = [sys.executable, "setup.py", "--quiet", "sdist"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (path,) = (source / "dist").iterdir()
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        shipped = [name.partition("shipped/")[2] for name in archive.namelist()]
    assert {*filter(None, shipped), "setup.py"} <= names


def test_an_unpacked_wheel_lists_loads_samples_and_copies(root, wheel, tmp_path):
    place, here = tmp_path / "place", tmp_path / "here"
    here.mkdir()
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(place)
    before = sorted(place.rglob("*"))
    environment = os.environ | {"PYTHONPATH": str(place), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-W", "error::UserWarning", "-c", TRIES]
    done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    package, models, lessons, mine = done.stdout.splitlines()
    assert Path(package) == place / "diffutils"
    faces = "faces32-bent faces32-mixed faces32-unbent faces64"
    assert models == f"colourist-one colourist digits-a digits-d-ideal {faces} sprites-edm sprites"
    notebooks = sorted(path.name for path in root.glob("notebooks/*.ipynb"))
    assert lessons.split() == notebooks
    assert mine.split() == [".versions.json", *notebooks, "figures"]
    assert sorted(place.rglob("*")) == before  # nothing is written where it is installed


@pytest.mark.slow
@pytest.mark.timeout(1800)  # every lesson, twice
def test_a_wheel_in_an_empty_environment_runs_every_lesson_and_exports(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    asked = "import sysconfig; print(sysconfig.get_path('purelib'))"
    place = subprocess.run([python, "-c", asked], capture_output=True, text=True, check=True)
    packages = Path(place.stdout.strip())
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(packages)
    (packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    here = tmp_path / "here"
    here.mkdir()
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}

    def call(*arguments: str) -> str:
        command = [python, *arguments]
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    found = call("-c", "import diffutils; print(diffutils.__file__)")
    assert Path(found.strip()).is_relative_to(packages)
    table = call("-m", "diffutils", "run", "--profile", "smoke")
    assert "failed" not in table
    call("-m", "diffutils", "export", "class", "--profile", "smoke")
    for path in (here / "class" / "instructor").glob("*.ipynb"):
        text = path.read_text(encoding="utf-8")
        assert "✓ Exercise" in text and "not attempted" not in text
    assert len([*here.glob("runs/smoke/*.ipynb")]) == len([*here.glob("class/student/*.ipynb")])


SHARED = """
import sys
from unittest.mock import patch
from click.testing import CliRunner
from diffutils.__main__ import cli

for arguments in (["lab"], ["sample", "sprites", sys.argv[1], "-n", "1", "--steps", "2"], ["data"]):
    with patch("diffutils.course.commands.lab.become"):
        done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, (arguments, done.output, done.exception)

import diffutils as du
lesson = du.lesson("01", "smoke")
lesson.finish()
"""


@pytest.mark.skipif(os.name != "posix", reason="permission bits")
def test_a_checkout_that_may_only_be_read_works_for_another_user(source, tmp_path):
    """Root reads and writes what it likes, unless it gives that right away."""
    home, tree = tmp_path / "home", sorted(source.rglob("*"))
    home.mkdir()
    asks = shutil.which("setpriv") if os.getuid() == 0 else "nobody asks"
    if not asks:
        pytest.skip("root needs setpriv to be somebody else")
    rights = [asks, "--bounding-set=-dac_override"] if os.getuid() == 0 else []
    environment = {k: v for k, v in os.environ.items() if k not in ("PYTHONPATH", "XDG_DATA_HOME")}
    environment |= {"HOME": str(home), "DIFFUTILS_HEADLESS": "1"}
    subprocess.run(["chmod", "-R", "a-w", source], check=True)
    try:
        done = subprocess.run(
            [*rights, sys.executable, "-c", SHARED, home / "drawn"],
            cwd=source / "notebooks",
            env=environment | {"PYTHONPATH": str(source)},
            capture_output=True,
            text=True,
        )
    finally:
        subprocess.run(["chmod", "-R", "u+w", source], check=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{source / 'runs'} cannot be written; {home / NAME / 'runs'} is used" in done.stderr
    assert (home / NAME / "work" / "01_forward_diffusion.ipynb").is_file()
    assert (home / NAME / "runs" / "smoke" / "01" / "run.json").is_file()
    assert sorted(source.rglob("*")) == tree


def first_cell(path: Path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return next(cell.source for cell in cells if cell.cell_type == "code")


def test_a_lesson_without_the_package_says_in_one_message_how_to_get_it(root, tmp_path):
    """Every lesson begins alike; a stranger's package of that name is none."""
    sources = [first_cell(path) for path in sorted(root.glob("notebooks/*.ipynb"))]
    (begins,) = {source.partition("\n\n")[0] for source in sources}
    (tmp_path / "diffutils.py").touch()
    home = {"PYTHONPATH": str(tmp_path), "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "IPython", "--colors=NoColor", "-c", begins]
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | home, capture_output=True, text=True
    )
    said = (done.stdout + done.stderr).strip()
    assert said.startswith("This lesson needs the course's package") and "Traceback" not in said
    assert "git clone" in said and "pip install ." in said and "CPU builds" in said
    assert "a stranger's package" in said
