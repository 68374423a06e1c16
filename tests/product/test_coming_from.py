"""Who comes from one of the five projects finds here what the table in notebooks/README.md says."""

import re
import shlex
from operator import attrgetter
from pkgutil import resolve_name

import pytest
from click.testing import CliRunner

from diffutils.__main__ import cli

HEADER = "| theirs | lesson, section | command | function |"


def entries(root) -> list[list[str]]:
    text = (root / "notebooks" / "README.md").read_text(encoding="utf-8")
    _, _, *lines = text[text.index(HEADER) :].strip().splitlines()
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


@pytest.fixture(scope="module")
def sections(root) -> dict[str, set[str]]:
    """lesson -> the numbers of its sections."""
    found = {}
    for path in sorted((root / "notebooks").glob("0*.ipynb")):
        found[path.stem[:2]] = set(re.findall(r'"#+ (\d+) · ', path.read_text(encoding="utf-8")))
    return found


def test_every_project_and_every_name_is_there(root):
    text = " ".join(theirs for theirs, *_ in entries(root))
    for name in (
        "pretrain.py", "finetune.py", "optimal_phi.py", "evaluate_*.py", "AnimeDiffusion_*.py",
        "Diffusion-sprites.ipynb", "main.py", "experiments/*", "Train.ipynb", "Results.ipynb",
        "Perf_evaluation.ipynb", "--phi_type", "--use_phi_star", "--num_epochs", "version=0",
    ):  # fmt: skip
        assert name in text, name
    assert text.count("**") == 2 * 5


def test_every_section_exists(root, sections):
    for theirs, places, *_ in entries(root):
        named = re.findall(r"(0\d), (\d+(?: and \d+)?)", places)
        assert named, theirs
        for lesson, numbers in named:
            assert set(numbers.split(" and ")) <= sections[lesson], (theirs, places)


def test_every_command_has_its_options(root):
    for theirs, _, command, _ in entries(root):
        words = shlex.split(re.search("`(.+?)`", command).group(1))
        asked = [word for word in words if word.startswith("-")]
        names = [*words[:1], *(w for w in words[1:2] if words[0] == "train" and w.isdigit())]
        done = CliRunner().invoke(cli, [*names, "--help"])
        assert done.exit_code == 0, theirs
        assert all(re.search(rf"(?<![\w-]){option}\b", done.output) for option in asked), command
        # What is chosen among words is one of them.
        for option, value in zip(words, words[1:], strict=False):
            choices = re.search(rf"{option} \[([^\]|]+\|[^\]]+)\]", done.output)
            assert not choices or value in choices.group(1).split("|"), (command, value)


def test_every_function_is_there(root):
    for theirs, *_, function in entries(root):
        dotted = function.strip("`")
        package, _, rest = dotted.partition(".")
        try:
            found = resolve_name(dotted)
        except (ImportError, AttributeError):
            found = attrgetter(rest)(resolve_name(package))
        assert found is not None, theirs


def test_every_field_that_is_set_is_one_of_its_budget(root):
    from diffutils.lessons import budget

    for _, _, command, _ in entries(root):
        lesson = re.search(r"train (0\d)", command)
        given = dict(re.findall(r"--set (\w+)=(\w+)", command))
        if lesson and given:
            assert budget(lesson.group(1), "student", given)
