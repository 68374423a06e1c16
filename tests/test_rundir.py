"""Run directories: one writer at a time; fingerprints; parameters that are refused."""

import json
import os
import subprocess
import sys

import nbformat
import pytest

import diffutils as du
from diffutils.course import fingerprint, parameters, rundir

HOLDER = """
import sys, time
from diffutils.course import rundir
rundir.hold(sys.argv[1])
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def other_process(root):
    """Start a process that holds a directory; it is killed with -9 when the test ends."""
    started = []

    def start(folder):
        process = subprocess.Popen([sys.executable, "-c", HOLDER, folder], cwd=root,
                                   stdout=subprocess.PIPE, text=True)  # fmt: skip
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
    assert (tmp_path / ".lock").exists()  # what a killed process leaves
    rundir.check_free(tmp_path)
    rundir.hold(tmp_path)
    rundir.release(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_one_process_may_open_its_directory_twice(tmp_path):
    for _ in range(2):
        rundir.hold(tmp_path / "new")
    rundir.check_free(tmp_path / "new")
    assert json.loads((tmp_path / "new" / ".lock").read_text())["process"] == os.getpid()
    for _ in range(2):
        rundir.release(tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
    rundir.check_free(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_directory_that_cannot_be_written_is_a_clear_error(tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match=r"file/run cannot be written \(.*--out"):
        rundir.hold(tmp_path / "file" / "run")


def test_a_file_system_without_locks_warns(tmp_path, monkeypatch):
    import fcntl

    def flock(*_):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(UserWarning, match="no locks .*start no second run"):
        rundir.hold(tmp_path)
    rundir.release(tmp_path)


def test_runs_lie_in_the_checkout_or_where_one_works(tmp_path, monkeypatch, root):
    monkeypatch.chdir(tmp_path)
    assert rundir.base() == tmp_path / "runs"
    monkeypatch.chdir(root / "tests")
    assert rundir.base() == root / "runs"


# ------------------------------------------------------------------- fingerprints


def test_a_notebook_counts_by_its_text_alone(tmp_path, write_notebook):
    path = write_notebook(tmp_path / "01.ipynb", "a = 1", "print(a)")
    before = fingerprint.notebook(path)
    nb = nbformat.read(path, as_version=4)
    nb.cells[1].outputs = [nbformat.v4.new_output("stream", text="1\n")]
    nb.cells[1].execution_count = 2
    nbformat.write(nb, path)
    assert fingerprint.notebook(path) == before
    write_notebook(path, "a = 2", "print(a)")
    assert fingerprint.notebook(path) != before


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
