"""Lessons run headlessly, or run and stored, on small notebooks made for the purpose."""

import json
import sys

import nbformat
import pytest
from command_line import GOOD, PARAMETERS, call

from diffutils.course.runs import headless, stored


def test_run_shows_progress_table_and_place(lessons, tmp_path):
    out = tmp_path / "out {1}"
    done = call("run", "--profile", "smoke", "--out", str(out), "--seed", "5")
    assert done.exit_code == 0, done.output
    assert "01 step 1 of 1" in done.output
    assert "01_good  ok" in done.output
    assert "answer 42" in done.output
    assert " MB" in done.output
    assert str(out) in done.output
    executed = nbformat.read(out / "01_good.ipynb", as_version=4)
    assert "smoke · sprites · seed 5" in executed.cells[-1].outputs[0].text
    assert (out / "01" / "run.json").is_file()


def test_a_finished_lesson_is_skipped_until_something_changes(lessons, tmp_path, write_notebook):
    """Another parameter, another text, or --again run it; a failed or missing record too."""
    out = tmp_path / "out"

    def skipped(*more):
        done = call("run", "--profile", "smoke", "--out", str(out), *more)
        assert done.exit_code == 0 and "answer 42" in done.output, done.output
        assert ("was finished before" in done.output) == ("01_good  ok, before" in done.output)
        return "was finished before" in done.output

    assert [skipped(), skipped(), skipped("--seed", "5"), skipped("--seed", "5")] == [
        False,
        True,
        False,
        True,
    ]
    assert not skipped("--seed", "5", "--again")
    write_notebook(lessons / "01_good.ipynb", PARAMETERS, GOOD + "# changed")
    assert [skipped(), skipped()] == [False, True]
    (out / "01" / "run.json").write_text("{")
    assert not skipped()
    (out / "01_good.ipynb").unlink()
    assert not skipped()


def test_a_finished_lesson_runs_again_when_its_data_changed(
    lessons, tmp_path, monkeypatch, write_notebook
):
    """Given on the command line, or by the notebook's own parameters cell."""

    def execute(path, target, parameters, say):
        record = {"peak_memory_mb": 1, "headline": None, "metrics": {}, "seconds": 1.0}
        (target.parent / "01").mkdir(parents=True, exist_ok=True)
        (target.parent / "01" / "run.json").write_text(json.dumps(record))
        target.write_text("{}")
        return headless.Outcome(path.stem, target, 1.0)

    monkeypatch.setattr(headless, "execute", execute)
    (tmp_path / "own").mkdir()
    image = tmp_path / "own" / "a.png"
    parameters = PARAMETERS + f"dataset = 'folder:{tmp_path / 'own'}'  # d\n"
    write_notebook(lessons / "01_good.ipynb", parameters, GOOD)
    for i, more in enumerate(((), ("--dataset", f"folder:{tmp_path / 'own'}"))):
        skipped = []
        for content in ("1", "1", "22", "22"):
            if not image.is_file() or image.read_text() != content:
                image.write_text(content)
            done = call("run", "--profile", "smoke", "--out", str(tmp_path / f"out{i}"), *more)
            assert done.exit_code == 0, done.output
            skipped.append("was finished before" in done.output)
        assert skipped == [False, True, False, True]


def test_by_default_a_profile_has_one_directory(lessons, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert call("run", "--profile", "smoke").exit_code == 0
    assert (tmp_path / "runs" / "smoke" / "01" / "run.json").is_file()
    assert sorted(p.name for p in (tmp_path / "runs").iterdir()) == ["smoke"]


def test_again_tells_the_lesson_to_start_anew(lessons, tmp_path, write_notebook):
    shown = GOOD.replace('"step 0 of 1"', 'f"resume is {resume}"')
    parameters = PARAMETERS + 'resume = "auto"  # or never\n'
    write_notebook(lessons / "01_good.ipynb", parameters, shown)
    for again, said in ((), "auto"), (("--again",), "never"):
        done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"), *again)
        assert f"resume is {said}" in done.output


HOSTILE = [
    'folder:"; __import__("os").system("touch evil") #',
    "folder:$(touch evil)",
    "folder:x'); open('evil', 'w'); print('",
    "folder:{__import__('os').system('touch evil')}",
    "folder:../../../etc/\nopen('evil', 'w')",
    "zip:|touch evil",
]


@pytest.mark.fault("name or parameter with a shell or path trick", len(HOSTILE))
def test_a_parameter_is_text_and_never_code(lessons, tmp_path, monkeypatch, write_notebook):
    """Refused at the door; and where it passes the door it arrives as it was."""
    monkeypatch.chdir(tmp_path)
    asked = ("run", "--profile", "smoke", "--out", str(tmp_path / "out"), "--dataset")
    parameters, value = PARAMETERS + 'dataset = "a"  # images\n', "\n".join(HOSTILE)
    write_notebook(lessons / "01_good.ipynb", parameters, f"assert dataset == {value!r}", GOOD)
    assert [call(*asked, v).exit_code for v in HOSTILE] == [2] * len(HOSTILE)
    monkeypatch.setattr(headless.valid, "dataset", lambda value: value)
    done = call(*asked, value)
    assert "01_good  ok" in done.output and not list(tmp_path.rglob("evil")), done.output


@pytest.mark.fault("lesson that fails")
def test_a_failing_lesson_is_named_and_stops_no_other(lessons, tmp_path, write_notebook):
    write_notebook(lessons / "00_bad.ipynb", PARAMETERS, "1 + 1", "raise KeyError('no such thing')")
    done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "00_bad failed in cell [4]: KeyError: 'no such thing'" in done.output
    assert str(tmp_path / "out" / "00_bad.ipynb") in done.output
    assert "01_good  ok" in done.output


@pytest.mark.fault("kernel that is killed")
def test_a_killed_kernel_is_a_failure_not_a_hang(lessons, tmp_path, write_notebook):
    write_notebook(lessons / "01_good.ipynb", PARAMETERS, "import os; os.kill(os.getpid(), 9)")
    done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "the kernel died" in done.output


def test_the_kernel_is_this_interpreter(lessons, tmp_path, monkeypatch, write_notebook):
    """Whatever kernelspecs, startup files and settings a user has."""
    spec = tmp_path / "jupyter" / "kernels" / "python3" / "kernel.json"
    start = tmp_path / "ipython" / "profile_default" / "startup" / "start.py"
    other = {"argv": ["/bin/false", "{connection_file}"], "display_name": "x", "language": "python"}
    for path, text in (
        (spec, json.dumps(other)),
        (start, "raise SystemExit('startup')"),
        (start.parents[1] / "ipython_config.py", "c.InteractiveShellApp.exec_lines = ['1 / 0']"),
        (tmp_path / "start.py", "profile = 'of the user'"),
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_PREFER_ENV_PATH", "0")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "start.py"))
    monkeypatch.setenv("HOME", "/nowhere")
    asked = "import sys; lesson.progress(sys.executable)\nlesson.finish()"
    write_notebook(lessons / "01_good.ipynb", PARAMETERS, GOOD.replace("lesson.finish()", asked))
    done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert done.exit_code == 0, done.output
    assert f"01 {sys.executable}" in done.output and "Traceback" not in done.output


@pytest.mark.parametrize(
    "argv", [["/bin/false"], ["/nowhere/python"], [sys.executable, "-c", "import time; 1 / 0"]]
)
def test_a_kernel_that_does_not_start_is_a_row_of_the_table(lessons, tmp_path, monkeypatch, argv):
    from ipykernel import kernelspec

    monkeypatch.setattr(kernelspec, "make_ipkernel_cmd", lambda *_, **__: argv)
    done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert done.exit_code == 1
    assert "01_good  failed" in done.output and "01_good failed since " in done.output


def test_notebooks_stores_clean_outputs_in_place(lessons, tmp_path, monkeypatch):
    monkeypatch.setattr(headless.rundir, "base", lambda: tmp_path / "runs")
    done = call("notebooks")
    assert done.exit_code == 0, done.output
    text = (lessons / "01_good.ipynb").read_text()
    nb = nbformat.reads(text, as_version=4)
    assert [c.execution_count for c in nb.cells] == [1, 2]
    assert nb.cells[0].source == PARAMETERS
    assert nb.cells[0].metadata == {"tags": ["parameters", stored.IGNORED]}
    assert nb.cells[1].metadata == {"tags": [stored.IGNORED]}
    assert [o.output_type for o in nb.cells[1].outputs] == ["stream", "display_data", "stream"]
    assert "student" in nb.cells[1].outputs[0].text
    assert "papermill" not in text
    assert str(tmp_path) not in text


def test_notebooks_keeps_the_old_file_when_a_lesson_fails(
    lessons, tmp_path, monkeypatch, write_notebook
):
    monkeypatch.setattr(headless.rundir, "base", lambda: tmp_path / "runs")
    path = write_notebook(lessons / "01_good.ipynb", PARAMETERS, "1 / 0")
    before = path.read_bytes()
    assert call("notebooks").exit_code == 1
    assert path.read_bytes() == before


def test_notebooks_stores_into_a_work_folder_and_leaves_the_lessons(lessons, tmp_path, monkeypatch):
    monkeypatch.setattr(headless.rundir, "base", lambda: tmp_path / "runs")
    path, work = lessons / "01_good.ipynb", tmp_path / "mine"
    work.mkdir()
    (work / "README.md").write_text("mine")
    before = path.read_bytes()
    done = call("notebooks", "--work", str(work))
    assert done.exit_code == 0 and str(work / "notebooks") in done.output, done.output
    assert "answer" in (work / "notebooks" / path.name).read_text() and path.read_bytes() == before
    assert (work / "README.md").read_text() == "mine"


def test_no_notebooks_is_a_clear_error(tmp_path, monkeypatch):
    monkeypatch.setattr(headless, "NOTEBOOKS", tmp_path)
    assert "no lessons in" in " ".join(call("run").output.split())


def test_values_are_checked_before_a_lesson_starts(lessons, tmp_path, write_notebook):
    parameters = PARAMETERS + 'dataset = "sprites"  # d\noverrides = {}  # o\n'
    write_notebook(lessons / "01_good.ipynb", parameters, GOOD)
    for arguments, said in (
        (("--dataset", "spirits"), "choose one of sprites, faces"),
        (("--dataset", "folder:/nowhere"), "there is no /nowhere"),
        (("--set", "stepz=3"), "which lesson 01 does not know"),
        (("--set", "images=no"), "images is 'no', expected a whole number"),
    ):
        done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"), *arguments)
        assert done.exit_code == 2 and said in " ".join(done.output.split()), done.output
    assert not (tmp_path / "out").exists()


def test_a_busy_directory_is_refused_before_anything_starts(lessons, tmp_path, monkeypatch):
    def busy(folder):
        raise BlockingIOError(f"{folder} is in use by process 1")

    monkeypatch.setattr(headless.rundir, "check_free", busy)
    done = call("run", "--profile", "smoke", "--out", str(tmp_path / "out"))
    assert done.exit_code == 2 and "is in use by process 1" in " ".join(done.output.split())
    assert not (tmp_path / "out").exists()
