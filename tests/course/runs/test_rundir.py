"""Run directories: one writer at a time; fingerprints; parameters that are refused."""

import errno
import json
import math
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import nbformat
import pytest
import torch

import diffutils as du
from diffutils.course import parameters
from diffutils.course.runs import fingerprint, rundir
from diffutils.data import downloads

HOLDER = """
import sys, time
from diffutils.course.runs import rundir
rundir.hold(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other_process(root):
    """Start a process that holds a directory; it is killed with -9 when the test ends."""
    started = []

    def start(folder):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, folder], cwd=root, stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        assert process.stdout.readline() == "held\n"
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def test_a_busy_directory_is_refused_and_a_killed_run_does_not_block(tmp_path, other_process):
    """The sentence names the process; a check of it makes and breaks nothing."""
    process = other_process(tmp_path)
    for refused in (rundir.hold, rundir.check_free):
        with pytest.raises(BlockingIOError, match=f"in use by process {process.pid} on .*kernel"):
            refused(tmp_path)
    with pytest.raises(BlockingIOError, match=str(process.pid)):
        du.lesson("01", "smoke", run_dir=str(tmp_path))
    process.kill()
    process.wait()
    assert {p.name for p in tmp_path.iterdir()} == {".lock", ".owner"}  # what it leaves
    rundir.check_free(tmp_path)
    rundir.hold(tmp_path)
    rundir.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_process_may_open_its_directory_twice(tmp_path):
    for _ in range(2):
        rundir.hold(tmp_path / "new")
    rundir.check_free(tmp_path / "new")
    assert json.loads((tmp_path / "new" / ".owner").read_text())["process"] == os.getpid()
    for _ in range(2):
        rundir.release(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    rundir.check_free(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"file/run cannot be written \(.*--out"):
        rundir.hold(tmp_path / "file" / "run")


@pytest.mark.parametrize("done", range(3))
def test_setting_aside_goes_on_after_a_kill(tmp_path, monkeypatch, done):
    names = ["log", "samples", "missing", "checkpoints"]
    for name in ("log", "samples/a", "checkpoints/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    real, left = Path.rename, [True] * done

    def rename(path, target):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return real(path, target)

    with monkeypatch.context() as m:
        m.setattr(Path, "rename", rename)
        with pytest.raises(KeyboardInterrupt):
            rundir.set_aside(tmp_path, names)
    assert (tmp_path / "checkpoints" / "b").exists()  # moved last
    assert rundir.set_aside(tmp_path, names) == tmp_path / "earlier-1"
    for name in ("log", "samples/a", "checkpoints/b"):
        assert (tmp_path / "earlier-1" / name).read_text() == name
    assert [p.name for p in tmp_path.iterdir()] == ["earlier-1"]
    (tmp_path / "log").write_text("the next run")
    assert rundir.set_aside(tmp_path, names) == tmp_path / "earlier-2"
    assert (tmp_path / "earlier-1" / "log").read_text() == "log"


@pytest.mark.parametrize("number", [errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK])
def test_a_file_system_without_locks_warns(tmp_path, monkeypatch, number):
    import fcntl

    def flock(*_):
        raise OSError(number, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match="no locks .*start no second run") as said:
        rundir.hold(tmp_path)
        rundir.hold(tmp_path)
    assert len(said) == 1
    rundir.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_runs_lie_in_the_checkout_or_where_one_works(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    assert rundir.base() == tmp_path / "runs"
    monkeypatch.chdir(root / "tests")
    assert rundir.base() == root / "runs"


# ------------------------------------------------------------------- fingerprints


def test_a_notebook_counts_by_its_text_alone(tmp_path, write_notebook):
    path = write_notebook(tmp_path / "01.ipynb", "a = 1", "print(a)")
    before = fingerprint.notebook(path.read_bytes())
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nb.cells[1].execution_count = 2
    nbformat.write(nb, path)
    assert fingerprint.notebook(path.read_bytes()) == before
    write_notebook(path, "a = 2", "print(a)")
    assert fingerprint.notebook(path.read_bytes()) != before


def test_code_counts_by_its_bytes(tmp_path, monkeypatch):
    package = tmp_path / "diffutils"
    (package / "course").mkdir(parents=True)
    (package / "course" / "a.py").write_text("x = 1")
    monkeypatch.setattr(fingerprint, "PACKAGE", package)
    seen = set()
    for change in ("x = 1", "x = 2"):
        (package / "course" / "a.py").write_text(change)
        seen.add(fingerprint.code.__wrapped__())
    (package / "b.py").write_text("")
    seen.add(fingerprint.code.__wrapped__())
    assert len(seen) == 3


OWN = """
import functools, math, torch
from dataclasses import dataclass
FACTOR = {factor}

def held():
    k = {factor}
    def decay(step, steps):
        return k
    return decay

def given(step, steps=1, *, k={factor}):
    return k

def positional(step, steps={factor}):
    return steps

def by_global(step, steps):
    return FACTOR * math.cos(step)

def by_helper(step, steps):
    return by_global(step, steps) if step in {{"a", "b", "c"}} else by_helper(step - 1, steps)

class Base:
    def __call__(self, step, steps):
        return {factor}

class Inherits(Base):
    @property
    def half(self):
        return 0.5

class Attribute:
    gain = {factor}
    def __call__(self, step, steps):
        return self.gain

class Keeps:
    def __init__(self, k):
        self.k, self.me = k, self
    def __call__(self, step, steps):
        return self.k
    def method(self, step, steps):
        return self.k

@dataclass
class Data:
    k: float
    def __call__(self, step, steps):
        return self.k

made = dict(
    closure=held(), keyword=given, default=positional, globe=by_global, helper=by_helper,
    base=Inherits(), attribute=Attribute(), instance=Keeps({factor}), method=Keeps({factor}).method,
    dataclass=Data({factor}), partial=functools.partial(given, {factor}),
    tensor=functools.partial(given, torch.full((2000,), {factor})),
    library=torch.nn.SmoothL1Loss(beta={factor}), code=lambda step, steps: {factor},
    container=Keeps([1, ({factor},), dict(a={factor})]),
)
"""


def described(factor):
    names = {"__name__": "__main__"}
    exec(OWN.format(factor=factor), names)
    return {k: fingerprint._described(v) for k, v in names["made"].items()}


ONE, SAME, OTHER = described(1.5), described(1.5), described(2.5)


@pytest.mark.parametrize("kind", ONE)
def test_a_setting_counts_by_all_that_it_holds(kind):
    """The number 1.5 or 2.5 sits in a closure, a default, an object, ...; without any source."""
    assert ONE[kind] == SAME[kind] != OTHER[kind]


def test_a_setting_counts_alike_in_every_process(root):
    """Neither addresses nor the order of sets, which each process shuffles, get into it."""
    code = (
        "import json; from diffutils.course.runs import fingerprint\n"
        f"names = {{'__name__': '__main__'}}; exec({OWN.format(factor=1.5)!r}, names)\n"
        "print(json.dumps({k: fingerprint._described(v) for k, v in names['made'].items()}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "7"},
    )
    assert json.loads(done.stdout) == ONE


def test_what_is_installed_counts_by_its_name():
    for value, words in (
        (torch.square, "square"),
        (torch.optim.AdamW, "AdamW"),
        (du.training.cosine, "cosine"),
        (math.cos, "cos"),
        (None, None),
        (2, 2),
        (float("inf"), "inf"),
        (float("nan"), "nan"),
        (partial(torch.optim.AdamW, betas=(0.9, 0.99)), "AdamW(betas=(0.9, 0.99))"),
    ):
        assert fingerprint._described(value) == words


def test_numbers_of_an_own_network_count():
    class Gain(torch.nn.Module):
        def __init__(self, gain):
            super().__init__()
            self.gain = gain

    one, same, other = (fingerprint._own_numbers(torch.nn.Sequential(Gain(k))) for k in (2, 2, 3))
    assert one == same != other
    assert fingerprint._own_numbers(du.UNet(channels=(8,), attention=(False,))) == ""


def test_files_count_by_name_size_and_time(tmp_path, monkeypatch):
    folder = tmp_path / "own"
    folder.mkdir()
    seen = [fingerprint.files(f"folder:{folder}")]
    for name, content in (("a.png", "1"), ("b.png", "1"), ("b.png", "22")):
        (folder / name).write_text(content)
        seen.append(fingerprint.files(f"folder:{folder}"))
    assert fingerprint.files(f"folder:{folder}") == seen[-1]
    os.utime(folder / "a.png", (1, 1))  # the same size, written again
    seen.append(fingerprint.files(f"folder:{folder}"))
    assert len(set(seen)) == 5
    before = fingerprint.files(f"npz:{folder / 'a.png'}")
    (folder / "a.png").write_text("333")
    assert fingerprint.files(f"npz:{folder / 'a.png'}") != before


def test_published_files_count_where_they_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(downloads, "home", lambda: tmp_path / "none")
    seen = []
    for place in ("one", "two"):
        (tmp_path / place / "cifar10").mkdir(parents=True)
        (tmp_path / place / "cifar10" / "cifar-10-python.tar.gz").write_text(place * len(seen))
        monkeypatch.setenv("DIFFUTILS_DATA", str(tmp_path / place))
        seen.append(fingerprint.files("cifar10"))
    assert len({*seen, ""}) == 3
    assert fingerprint.files("sprites") == fingerprint.files("mnist") == ""


# ------------------------------------------------------------------- parameters


@pytest.mark.parametrize("name", ["spirits", "", "folder:", "sprites:x", "npz", 3, None])
def test_unknown_data_sets_are_refused_with_the_list(name):
    with pytest.raises(ValueError, match="choose one of sprites, faces, .*folder:PATH"):
        parameters.dataset(name)


def test_data_sets(tmp_path):
    assert parameters.dataset("cifar10") == "cifar10"
    assert parameters.dataset(f"folder:{tmp_path}") == f"folder:{tmp_path}"
    with pytest.raises(ValueError, match="there is no .*nowhere"):
        parameters.dataset(f"folder:{tmp_path / 'nowhere'}")


@pytest.mark.parametrize("value", ["Auto", "always", True, None, 1])
def test_unknown_resume_is_refused(value, tmp_path):
    with pytest.raises(ValueError, match="choose one of auto, never"):
        du.lesson("01", "smoke", run_dir=str(tmp_path / "run"), resume=value)
    assert list(tmp_path.iterdir()) == []


def test_a_parameter_that_papermill_misspells_is_refused(tmp_path, write_notebook):
    """papermill itself only warns, and would run the lesson without it."""
    import papermill

    call = 'import diffutils as du\nlesson = du.lesson("01", "smoke", seed=seed, run_dir=run_dir)'
    path = write_notebook(tmp_path / "01.ipynb", "seed = 0  # s\nrun_dir = None  # r", call)
    given = {"run_dir": str(tmp_path / "run")}
    options = dict(kernel_name="python3", progress_bar=False)
    papermill.execute_notebook(path, tmp_path / "out.ipynb", given | {"seed": 3}, **options)
    with pytest.raises(papermill.PapermillExecutionError, match="no parameter 'sed'; choose from"):
        papermill.execute_notebook(path, tmp_path / "out.ipynb", given | {"sed": 3}, **options)
