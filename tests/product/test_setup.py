"""What is installed, declared and locked agrees, and the set-up does only what it must."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import package_map
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

REQUIRED = (
    "torch",
    "torchvision",
    "jupyterlab",
    "matplotlib",
    "ipywidgets",
    "nbval",
    "papermill",
    "pytorch-fid",
    "scikit-image",
)
CONDA_NAMES = {"pytorch": "torch"}
LINUX = ' ; sys_platform == "linux"'


@pytest.fixture(scope="module")
def declared(root) -> dict[str, Requirement]:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"].values()
    every = [Requirement(r) for group in (project["dependencies"], *extras) for r in group]
    assert len({r.name for r in every}) == len(every)
    return {r.name: r for r in every}


@pytest.fixture(scope="module")
def locked(root) -> dict[str, str]:
    lines = (root / "requirements.lock").read_text().splitlines()
    assert all(re.fullmatch(rf"[\w.-]+==[\w.+!]+({re.escape(LINUX)})?", line) for line in lines)
    pairs = [line.removesuffix(LINUX).split("==") for line in lines]
    assert len({canonicalize_name(name) for name, _ in pairs}) == len(lines)
    return {canonicalize_name(name): version for name, version in pairs}


def test_environment_yml_equals_pyproject(root, declared):
    import yaml

    content = yaml.safe_load((root / "environment.yml").read_text())
    assert content["channels"] == ["conda-forge"]
    *entries, from_pip = content["dependencies"]
    entries += from_pip["pip"]
    conda = {CONDA_NAMES.get(r.name, r.name): r.specifier for r in map(Requirement, entries)}
    python = tomllib.loads((root / "pyproject.toml").read_text())["project"]["requires-python"]
    assert str(conda.pop("python")) == python
    conda.pop("pip")
    assert conda == {name: r.specifier for name, r in declared.items()}


def test_the_nine_required_packages_are_declared_and_locked(declared, locked):
    assert set(REQUIRED) <= set(declared)
    assert set(REQUIRED) <= set(locked)


@pytest.mark.parametrize("package", REQUIRED)
def test_the_nine_required_packages_are_really_used(root, package):
    """By package and lessons, not by tests alone; nbval runs the lessons in a test."""
    where = ["tests/**/*.py"] if package == "nbval" else ["diffutils/**/*.py", "notebooks/*.ipynb"]
    files = [p for pattern in where for p in root.glob(pattern) if p != Path(__file__)]
    text = "\n".join(p.read_text(encoding="utf-8") for p in files)
    uses = {
        "jupyterlab": '"-m", "jupyterlab"',
        "nbval": '"--nbval-lax"',
        "scikit-image": r'files\("skimage"\)|find_spec\("skimage"\)',
    }
    module = package.replace("-", "_")
    assert re.search(uses.get(package, rf'^[\s"]*(import|from) {module}\b'), text, re.MULTILINE)


def test_the_lock_satisfies_every_range(declared, locked):
    for name, requirement in declared.items():
        assert requirement.specifier.contains(locked[canonicalize_name(name)]), requirement


def test_the_lock_marks_what_only_linux_has(root):
    for line in (root / "requirements.lock").read_text().splitlines():
        assert line.endswith(LINUX) == line.startswith(("nvidia-", "cuda-", "triton=="))


def test_scipy_still_has_what_pytorch_fid_calls(declared):
    assert not declared["scipy"].specifier.contains("1.18.0")


def test_version_is_one(root):
    import yaml

    import diffutils

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    citation = yaml.safe_load((root / "CITATION.cff").read_text())
    assert project["version"] == citation["version"] == diffutils.__version__


def test_the_name_of_the_distribution_is_not_the_strangers(root):
    from diffutils.weights.files import NAME

    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["name"] == NAME == "diffusion-by-experiment"
    readme = (root / "README.md").read_text(encoding="utf-8")
    assert "**Do not `pip install diffutils`:**" in readme


def test_import_is_light():
    code = (
        "import time; t = time.perf_counter(); import diffutils; "
        "took = time.perf_counter() - t; import sys; print(took, *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    took, *modules = done.stdout.split()
    assert float(took) < 2
    heavy = {"torch", "matplotlib", "papermill", "ipywidgets", "sklearn", "skimage", "torchmetrics"}
    assert not heavy & set(modules)


def test_every_public_name_resolves():
    import diffutils

    for name in diffutils.__all__:
        assert getattr(diffutils, name) is not None
    assert set(diffutils.__all__) <= set(dir(diffutils))
    with pytest.raises(AttributeError, match="no attribute 'diffuse'"):
        diffutils.diffuse  # noqa: B018


@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_a_second_make_does_not_install_again(root, tmp_path):
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(root / name, tmp_path)

    def plan(*arguments: str) -> str:
        command = ["make", "--dry-run", f"PYTHON={sys.executable}", *arguments]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, check=True
        ).stdout

    first = plan("run", "PROFILE=smoke", "LESSONS=01 02")
    assert "-m venv" in first
    assert "install -r requirements.lock" in first
    assert 'diffutils run --profile "smoke" --lessons "01 02"' in first
    assert "cpu.lock" in plan("run", "TORCH_INDEX=somewhere")
    (tmp_path / ".venv").mkdir()
    assert "cpu.lock" not in plan("run")
    (tmp_path / ".venv" / "torch-index").write_text("somewhere\n")  # an update installs alike
    assert '--extra-index-url "somewhere"' in plan("run")
    (tmp_path / ".venv" / ".installed").touch()
    for target in ("run", "test", "test-all", "lab", "notebooks", "bench"):
        assert "install" not in plan(target)


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_links_between_files_lead_somewhere(root, name):
    page = root / name
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{name} links to {target}"


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "data/README.md"])
def test_commands_that_the_pages_write_exist_with_their_options_and_fields(root, name):
    import click

    from diffutils import lessons
    from diffutils.__main__ import cli
    from diffutils.lessons import train

    page = (root / name).read_text(encoding="utf-8").replace("\\\n", " ")
    budgets = [lessons.budget(path.stem[:2], "student") for path in root.glob("notebooks/*.ipynb")]
    fields = {field for budget in budgets for field in vars(budget)}
    written = re.findall(r"python -m diffutils((?: [^`\n#]+)?)", page)
    assert written
    for words in map(str.split, written):
        command = cli
        for word in words:
            if word.startswith("--"):
                if isinstance(command, train.ByLesson):  # no lesson is named
                    command = command.commands[train.FIRST]
                known = {"--help"} | {option for p in command.params for option in p.opts}
                assert word in known, f"{name} writes {word} of {command.name}"
            elif isinstance(command, click.Group) and word not in ("COMMAND", "|"):
                command = command.commands[word.strip(",.;")]
    assert {*re.findall(r"--set \"?(\w+)=", page)} <= {*fields, "flips"}  # of a lesson 08
    targets = re.findall(r"^([a-z-]+):", (root / "Makefile").read_text(), re.MULTILINE)
    assert {*re.findall(r"(?:^|`)make ([a-z-]+)", page, re.MULTILINE)} <= {*targets}


def test_readme_says_how_many_minutes_the_exercises_take(root):
    from collections import Counter

    from diffutils import lessons

    minutes = Counter()
    for id, exercise in lessons.exercises().items():
        minutes[id.split(".")[0]] += exercise.minutes
    *first, last = minutes.values()
    said = f"are {', '.join(map(str, first))} and {last} minutes in lessons 01 to {len(minutes):02}"
    assert said in " ".join((root / "README.md").read_text(encoding="utf-8").split())


@pytest.mark.parametrize("page", package_map.DEPTHS)
def test_the_map_shows_every_file_with_what_it_says_of_itself(root, page):
    """If not: python tests/helpers/package_map.py"""
    text = (root / page).read_text(encoding="utf-8")
    assert package_map.mapped(page, text) == text
    places = [root / "diffutils", *(p.parent for p in root.glob("diffutils/**/__init__.py"))]
    assert all(package_map.said(place / "__init__.py") for place in places)


def test_ci_runs_make_test(root):
    script = root / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert script.read_text().rstrip().endswith("make test")


@pytest.mark.parametrize("arguments", [("check",), ("format", "--check")])
def test_the_code_is_in_order(root, arguments):
    """What `make lint` runs, so that CI runs it too."""
    command = [sys.executable, "-m", "ruff", *arguments, "--no-cache", "."]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"-m ruff {' '.join(arguments)} ." in (root / "Makefile").read_text()
