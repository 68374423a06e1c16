"""Every option of every command with values that nobody means: a sentence, never a traceback."""

import random

import click
import pytest
import torch
from click.testing import CliRunner
from made_images import images, write

from diffutils.__main__ import cli
from diffutils.course.commands import bench, lab, test
from diffutils.course.experiments import measure, training
from diffutils.course.grading import gradebook
from diffutils.course.runs import estimate, headless
from diffutils.course.workbook import trial
from diffutils.data import downloads
from diffutils.lessons import shipped
from diffutils.lessons.lesson04 import search
from diffutils.weights import cards, models

HOSTILE = [
    *("", " ", "nan", "-nan", "inf", "-inf", "1e400", "-1", "0", "1e21", "1" * 400, "1" * 5000),
    *("0.5", "99999999999999999999", "a" * 5000, "a\0b", "\udcff", "é²漢字😀", "٣", "0x10", "1_0"),
    *(".", "..", "~", "~no-such/x", "-", "--", "--help", "%s{0}${x}", "\x1b[31m", "a\nb", "[x"),
    *("[" * 3000, "folder:", "npz:a", "zip:\0", "None", "true", "=", "steps=", "=1", "x=1"),
    *("images=-1", "T=0", "lr=1e400", "schedule=x", "channels=[[[", "blocks=-1", "steps=nan"),
    *("channels=1000000000,8,8", "blocks=100000000", "batch=1000000000000", "steps=1e21", "T=1e12"),
    *("images=100000000000", "pixels=1e15", "max_size=100000", "sample_steps=1e30", "warmup=1e25"),
]
WORK = "the long work begins"  # where the test stops it
QUICK = 20  # pairs of a command in `make test`
CARD = {
    "name": "tiny",
    "data": "sprites",
    "images": 20,
    "seed": 0,
    "size": 16,
    "coefficients": "eps",
    "unet": {"channels": [8, 8], "blocks": 1, "attention": [False, False], "classes": 3},
    "betas": {"name": "linear", "arguments": {"T": 20}},
}
GIVEN = {  # command -> arguments with which it works
    "run": ["--profile", "smoke", "--out", "out"],
    "notebooks": [],
    "notation": [],
    "test": ["--version"],
    "lab": [],
    "export": ["out"],
    "data": [],
    "data get": ["nowhere"],
    "measure": ["tiny.safetensors", "-n", "2", "--steps", "1"],
    "sample": ["tiny.safetensors", "out", "-n", "1", "--steps", "1"],
    "evaluate": ["pred", "gt", "--features", "random"],
    "bench": [],
    "check-trial": ["answers.py"],
    "grade": ["class", "--out", "out"],
    "train": ["--profile", "smoke", "--out", "out", "--set", "images=20"],
    "train 02": ["--profile", "smoke", "--out", "out", "--set", "images=20"],
    "train 05": ["--profile", "smoke", "--out", "out", "--set", "images=20"],
    "train 06": ["--profile", "smoke", "--out", "out", "--set", "images=20"],
    "train 07": ["--profile", "smoke", "--out", "out", "--set", "images=20"],
    "inspect": ["pred"],
    "dip": ["pred", "out", "--size", "32", "--limit", "1", "--iterations", "10"],
    "phi": ["sprites", "-n", "2"],
    "weights": ["sprites", "--out", "out"],
    "triples": ["sprites", "out", "--size", "16", "--limit", "20"],
}


def every() -> dict[str, click.Command]:
    """Every command by the words that call it."""
    found = dict(cli.commands)
    for name, command in cli.commands.items():
        found |= {f"{name} {sub}": c for sub, c in getattr(command, "commands", {}).items()}
    return found


def attempts(name: str, command: click.Command) -> list[list[str]]:
    """Calls of a command: each option, and each argument, with each hostile value in its place."""
    given, calls, place = GIVEN[name], [], 0
    for option in command.params:
        for value in HOSTILE:
            if isinstance(option, click.Argument):
                calls.append([*given[:place], value, *given[place + 1 :]])
            elif not option.is_flag:
                calls.append([*given, option.opts[0], *[value] * option.nargs])
        place += isinstance(option, click.Argument)
    return [[*name.split(), *call] for call in calls]


@pytest.fixture
def place(tmp_path, monkeypatch, lessons, write_notebook):
    """A model, two folders of images, and commands that stop where the long work would begin."""

    def work(*arguments, **settings):
        raise OSError(WORK)

    monkeypatch.setattr(headless, "execute", work)
    monkeypatch.setattr(downloads, "fetch", work)
    monkeypatch.setattr(training, "recorded_fit", work)
    monkeypatch.setattr(measure, "generate", work)
    monkeypatch.setattr(search, "ssim_curve", work)
    monkeypatch.setattr(bench, "measure", work)
    monkeypatch.setattr(estimate, "table", work)
    monkeypatch.setattr(shipped, "retrain", work)
    monkeypatch.setattr(gradebook, "finished", work)
    monkeypatch.setattr(trial, "judge", work)
    for module in (lab, test):
        monkeypatch.setattr(module, "become", work)
    here = tmp_path / "a" / "b" / "c"
    here.mkdir(parents=True)
    monkeypatch.chdir(here)
    monkeypatch.setenv("HOME", str(tmp_path))
    (here / "answers.py").write_text("# %% 1.1 right: a\nforward = None\n")
    (here / "class").mkdir()
    write_notebook(here / "class" / "ada.ipynb", 'f = du.check("1.1", f)')
    torch.manual_seed(0)
    cards.save_weights(here / "tiny.safetensors", models.build(CARD).denoiser.net, CARD)
    for name, seed in ("pred", 0), ("gt", 1):
        write(here / name, images(4, seed, 16))
    return here


def answers(call: list[str]) -> None:
    """Assert that a call ends with one sentence in the course's own words, or works."""
    done = CliRunner().invoke(cli, call)
    about = f"{[word[:60] for word in call]}: {done.output[-600:]}"
    assert done.exception is None or isinstance(done.exception, SystemExit), (about, done.exception)
    assert done.exit_code in (0, 1, 2), about
    assert "Traceback" not in done.output and "--debug to see" not in done.output, about
    if done.exit_code and WORK not in done.output:
        last = done.output.rstrip().splitlines()[-1]
        assert last.startswith("Error: ") and 10 < len(last) < 1000 and last.isprintable(), about


def test_the_table_holds_every_command():
    assert GIVEN.keys() == every().keys()


@pytest.mark.parametrize("name", GIVEN)
def test_hostile_values_are_answered(name, place):
    calls = attempts(name, every()[name])
    for call in random.Random(13).sample(calls, min(QUICK, len(calls))):
        answers(call)


@pytest.mark.slow
@pytest.mark.parametrize("name", GIVEN)
def test_every_hostile_value_is_answered(name, place):
    for call in attempts(name, every()[name]):
        answers(call)
