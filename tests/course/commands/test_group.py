"""Errors, signals and output of every command, at the one place that answers for them."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
import torch
from click.testing import CliRunner
from command_line import call

from diffutils.course.commands import group, options
from diffutils.course.experiments import training
from diffutils.weights.files import naming

# A command that prints what it is told to, for processes of their own.
SCRIPT = """
import signal, sys, time, click
from diffutils.course.commands.group import Course
from diffutils.course.commands.options import say
cli = Course()
@cli.command()
@click.argument("n", type=int)
def speak(n):
    for i in range(n):
        say(f"R² {i} · café 字")
    if n == 0:
        say("ready")
        time.sleep(60)
if hasattr(signal, "SIGHUP"):
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # these tests may run under nohup
cli()
"""


def process(*arguments, **settings):
    environment = os.environ | settings.pop("env", {})
    command = [sys.executable, "-c", SCRIPT, "speak", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | settings
    return subprocess.Popen(command, env=environment, text=True, errors="replace", **pipes)


def failing(error):
    """What a command ends with that raises this: without --debug, and with it at both places."""
    cli = group.Course()

    @cli.command()
    def fail():
        raise error

    return [CliRunner().invoke(cli, args) for args in (["fail"], ["--debug", "fail"])] + [
        CliRunner().invoke(cli, ["fail", "--debug"])
    ]


@pytest.mark.parametrize(
    "error, code, said",
    [
        (TypeError("no len()"), 1, "TypeError: no len(); call it again with --debug"),
        (RuntimeError("mat1 and mat2"), 1, "RuntimeError: mat1 and mat2; call it again"),
        (KeyError("seed"), 1, "KeyError: 'seed'; call it again with --debug"),
        (ValueError("by a library"), 1, "ValueError: by a library; call it again with --debug"),
        (AssertionError(), 1, "AssertionError: AssertionError; call it"),
        (MemoryError(), 1, "the memory does not suffice (MemoryError); take fewer or smaller"),
        (torch.OutOfMemoryError("CUDA out of memory. Tried"), 1, "the memory does not suffice"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: x"), 1, "the memory does"),
        (PermissionError(13, "Permission denied", "a.json"), 1, "a.json: Permission denied"),
        (OSError("a.json cannot be written (No space)"), 1, "a.json cannot be written"),
        (FileNotFoundError("there is no a"), 2, "there is no a"),
        (BlockingIOError("a is in use"), 2, "a is in use"),
        (KeyboardInterrupt(), 130, "stopped: what was finished is kept"),
        (KeyboardInterrupt("after step 3"), 130, "stopped: after step 3"),
        (click.UsageError("no such thing"), 2, "no such thing"),
    ],
)
def test_an_error_is_one_sentence_and_its_traceback_is_asked_for(error, code, said):
    plain, before, after = failing(error)
    for done in plain, before, after:
        assert done.exit_code == code and f"Error: {said}" in done.output, done.output
    asked = isinstance(error, Exception) and not isinstance(error, click.ClickException)
    for done, traceback in (plain, False), (before, asked), (after, asked):
        assert ("Traceback" in done.output) == traceback


def test_what_the_package_itself_refuses_is_a_plain_sentence():
    done = call("run", "--set", "images")
    assert done.exit_code == 2 and "--set takes KEY=VALUE, got 'images'\n" in done.output
    assert "--debug to see" not in done.output


def test_a_message_is_one_line_that_steers_no_terminal():
    assert group.shown("a\n  b \x1b[31mred\x07") == "a b ?[31mred?"
    long = group.shown("a" * 5000)
    assert len(long) < 620 and " ... " in long


def test_every_command_takes_debug_but_those_that_hand_options_on():
    for name in ("data", "measure", "sample", "train", "phi", "run"):
        assert "--debug" in call(name, "--help").output, name
    assert "--debug" in call("data", "get", "--help").output
    assert "--debug" not in call("lab", "--help").output  # JupyterLab has one of its own


@pytest.mark.parametrize("page", ["ascii", "cp932", "cp1251"])
def test_text_without_letters_in_a_code_page_is_printed(page):
    done = process("2", env={"PYTHONIOENCODING": page})
    out, err = done.communicate(timeout=60)
    assert (done.returncode, err) == (0, "") and out.count("\n") == 2 and out.startswith("R")


def test_nobody_reads_any_more():
    done = process("100000")
    assert "R² 0" in done.stdout.readline()
    done.stdout.close()
    assert done.stderr.read() == "" and done.wait(60) == 141


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_under_the_output_is_a_sentence():
    with open("/dev/full", "w") as full:
        done = process("3", stdout=full)
    said = done.communicate(timeout=60)[1]
    assert done.returncode == 1
    assert said == "Error: the output cannot be written (No space left on device)\n"


def test_a_number_that_cannot_be_written_is_printed(capsys, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match=r"a.json cannot be written \(.*\); make room"):
        options.result(tmp_path / "file" / "a.json", {"value": 42}, "value 42")
    assert capsys.readouterr().out == "value 42\n"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize("name, code", [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_ends_a_command_as_ctrl_c_does(name, code):
    done = process("0")
    assert done.stdout.readline() == "ready\n"
    done.send_signal(getattr(signal, name))
    out, err = done.communicate(timeout=60)
    assert done.returncode == code and err.startswith("Error: stopped: ") and "Trace" not in err


@pytest.mark.skipif(os.name == "nt", reason="terminals of POSIX")
def test_a_command_in_our_place_has_the_terminal_and_its_signals(tmp_path):
    """As JupyterLab: the first Ctrl-C asks, the second stops; nobody else is there to be killed."""
    child = """
import os, signal, sys
def ask(*a):
    signal.signal(signal.SIGINT, signal.SIG_DFL); print("really?", flush=True)
signal.signal(signal.SIGINT, ask); print("up", os.getpid(), os.getcwd(), flush=True)
while True: signal.pause()
"""
    wrapper = (
        "import sys; from pathlib import Path; from diffutils.course.commands.group import become;"
        f"become([sys.executable, '-c', {child!r}], Path({str(tmp_path)!r}))"
    )
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", wrapper])
    with os.fdopen(terminal, "r+b", buffering=0) as terminal:
        said = b""
        while b"\n" not in said:
            said += terminal.read(1)
        assert said.decode().split() == ["up", str(pid), str(tmp_path)]
        terminal.write(b"\x03")
        while b"really?" not in said:
            said += terminal.read(1)
        terminal.write(b"\x03")
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGINT


@pytest.mark.parametrize("kept", [True, False])
def test_a_stopped_training_says_where_and_how_to_go_on(tmp_path, monkeypatch, kept):
    fit = training.recorded_fit

    def stops(*arguments, **settings):
        records = fit(*arguments, **settings, save_every=0.0 if kept else 1e9)
        yield next(records)
        next(records)
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "recorded_fit", stops)
    small = ("--set", "steps=8", "--set", "images=40", "--set", "log_every=2")
    given = ("train", "--profile", "smoke", *small, "--out", str(tmp_path))
    done = call(*given)
    said = done.output.splitlines()[-1]
    assert done.exit_code == 130 and said.startswith("Error: stopped: after step 2 of 8; ")
    checkpoint = f"the same command goes on from {tmp_path / 'checkpoints' / 'step-00000004'}"
    assert (checkpoint if kept else "there is no checkpoint yet") in said
    monkeypatch.setattr(training, "recorded_fit", fit)
    done = call(*given)  # the directory is free again
    assert done.exit_code == 0 and ("resumed after step 4" in done.output) == kept


def test_who_has_no_home_gets_one(monkeypatch, tmp_path):
    for name in (*group.SETTINGS, "HOME", "USER"):
        monkeypatch.setenv(name, "x")  # put back afterwards
        monkeypatch.delenv(name)

    def unknown(*arguments):
        raise RuntimeError("Could not determine home directory.")

    def nameless():
        raise KeyError("getpwuid(): uid not found: 65533")

    monkeypatch.setattr(group.getpass, "getuser", nameless)
    monkeypatch.setattr(group.Path, "home", unknown)
    group.at_home()
    place = Path(os.environ["HOME"])
    assert os.access(place, os.W_OK) and os.environ["USER"].isdecimal()
    assert os.environ["JUPYTER_RUNTIME_DIR"] == str(place)


@pytest.mark.parametrize("home, moved", [("nowhere", True), ("there", False)])
def test_settings_move_where_a_home_cannot_be_written(monkeypatch, tmp_path, home, moved):
    (tmp_path / "there").mkdir()
    for name in group.SETTINGS:
        monkeypatch.setenv(name, "x")
        monkeypatch.delenv(name)
    monkeypatch.setenv("MPLCONFIGDIR", "mine")
    monkeypatch.setenv("HOME", str(tmp_path / home))
    group.at_home()
    assert ("JUPYTER_CONFIG_DIR" in os.environ) == moved
    assert os.environ["HOME"] == str(tmp_path / home) and os.environ["MPLCONFIGDIR"] == "mine"


def test_words_for_what_cannot_be_written():
    with pytest.raises(OSError) as caught, naming(Path("a.json")):
        raise OSError(28, "No space left on device")
    assert group.sentence(caught.value).startswith("a.json cannot be written (No space left")
    assert group.code_of(caught.value) == 1
