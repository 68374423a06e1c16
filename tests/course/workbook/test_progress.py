"""What a student has solved is kept, whatever else happens to the file."""

import json
import subprocess
import sys

import pytest
from doubling import TASK

import diffutils as du
from diffutils import lessons
from diffutils.course.exercises.verdict import OPEN, RIGHT, WRONG
from diffutils.course.workbook import progress


@pytest.fixture
def work(tmp_path, monkeypatch):
    """A work folder, and a process in which nothing was judged yet and a student sits."""
    for name in progress.HEADLESS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(progress.WORK, str(tmp_path / "work"))
    monkeypatch.setattr(progress, "noted", {})
    progress._say_once.cache_clear()
    return tmp_path / "work"


def kept(work) -> dict:
    return json.loads((work / progress.FILE).read_text())["exercises"]


def another_kernel(monkeypatch) -> None:
    monkeypatch.setattr(progress, "noted", {})


def test_an_untouched_stub_leaves_no_trace(work):
    progress.note("1.1", OPEN)
    assert not work.exists()
    assert progress.noted == {"1.1": {"status": OPEN, "mistake": None, "tries": 0}}


def test_tries_are_counted_until_an_exercise_is_solved_and_it_stays_solved(work, monkeypatch):
    progress.note("1.1", WRONG, "a square root forgotten")
    progress.note("1.1", OPEN)
    entry = kept(work)["1.1"]
    assert (entry["status"], entry["tries"]) == ("tried", 1)
    assert entry["mistake"] == "a square root forgotten"
    another_kernel(monkeypatch)
    progress.note("1.1", RIGHT)
    solved = kept(work)["1.1"]
    assert (solved["status"], solved["tries"], solved["mistake"]) == ("solved", 2, None)
    progress.note("1.1", WRONG, "another")
    assert kept(work)["1.1"] == solved
    assert progress.noted["1.1"] == {"status": WRONG, "mistake": "another", "tries": 2}


def test_check_notes_its_verdict(work, monkeypatch):
    monkeypatch.setattr("diffutils.lessons.exercises", lambda: {"9.9": TASK})
    du.check("9.9", lambda x: x**2)
    assert kept(work)["9.9"]["mistake"] == "square"
    du.check("9.9", lambda x: 2 * x)
    assert kept(work)["9.9"]["status"] == "solved"
    du.check("9.8", lambda x: x)
    assert [*kept(work)] == ["9.9"]


@pytest.mark.parametrize("name", progress.HEADLESS)
def test_a_headless_run_keeps_its_verdicts_to_itself(work, monkeypatch, name):
    progress.note("1.1", RIGHT)
    another_kernel(monkeypatch)
    monkeypatch.setenv(name, "1")
    progress.note("1.2", RIGHT)
    assert [*kept(work)] == ["1.1"]
    exercises = [*lessons.exercises().values()][:6]
    told = "exercises: 1 of 6 solved here; du.progress() shows all lessons"
    assert progress.summary(exercises) == told
    table = progress.table(exercises)
    assert table.endswith("\n1 of 6 solved, in this run")
    assert "solved" not in table.splitlines()[3] and "1 try" in table.splitlines()[4]


def test_two_kernels_at_once_lose_nothing(work):
    code = (
        "import sys; from diffutils.course.workbook import progress\n"
        "for n in range(25): progress.note(f'{sys.argv[1]}.{n}', 'wrong', 'slip')"
    )
    commands = [[sys.executable, "-c", code, number] for number in "123"]
    for process in [subprocess.Popen(command) for command in commands]:
        assert process.wait(120) == 0
    assert {*kept(work)} == {f"{number}.{n}" for number in "123" for n in range(25)}
    assert {path.name for path in work.iterdir()} <= {progress.FILE, progress.LOCK}


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"exercises": []}',
        '{"exercises": {"1.1": 3}}',
        '{"exercises": {"1.1": {"status": "solved"}}}',
        '{"exercises": {"1.1": {"status": "solved", "tries": "2", "mistake": null, "date": ""}}}',
    ],
)
def test_a_damaged_file_is_named_and_set_aside(work, capsys, damage):
    work.mkdir()
    (work / progress.FILE).write_text(damage)
    assert "not yet" in progress.table([TASK])
    assert f"{work / progress.FILE} is damaged" in capsys.readouterr().out
    progress.note("9.9", RIGHT)
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "it is now progress.damaged-1.json" in said
    assert (work / "progress.damaged-1.json").read_text() == damage
    assert kept(work)["9.9"]["status"] == "solved"


def test_what_cannot_be_kept_is_said_once_and_still_shown(work, monkeypatch, capsys):
    progress.note("1.1", RIGHT)
    progress.note("1.2", WRONG, "slip")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    for _ in range(3):
        progress.note("1.2", RIGHT)
    said = capsys.readouterr().out
    assert said == (
        f"Your progress is not kept: {work / progress.FILE} cannot be written "
        "(No space left on device); make room, or choose another directory\n"
    )
    assert kept(work)["1.2"]["status"] == "tried"
    exercises = [*lessons.exercises().values()][:6]
    assert "2 of 6 solved, open: 1.3, 1.4, 1.5, 1.6;" in progress.summary(exercises)


def test_a_folder_that_cannot_be_made_stops_no_check(work, monkeypatch, capsys):
    work.write_text("a file where the folder should be")
    monkeypatch.setattr("diffutils.lessons.exercises", lambda: {"9.9": TASK})
    for _ in range(2):
        assert du.check("9.9", lambda x: 2 * x)(3) == 6
    assert capsys.readouterr().out.count("Your progress is not kept: ") == 1


def test_a_held_lock_is_not_waited_for_for_ever(work, monkeypatch, capsys):
    from filelock import FileLock

    monkeypatch.setattr(progress, "PATIENCE", 0.1)
    work.mkdir()
    with FileLock(work / progress.LOCK):
        progress.note("1.1", RIGHT)
    assert "Your progress is not kept: " in capsys.readouterr().out
    assert not (work / progress.FILE).exists()


def test_progress_shows_every_exercise_below_its_lesson(work, capsys):
    progress.note("1.1", RIGHT)
    progress.note("2.3", WRONG, "x0 is\nnot clipped, and a name that goes on and on for ever")
    progress.note("2.3", WRONG, None)
    progress.note("2.4", WRONG, "x" * 300)
    capsys.readouterr()
    du.progress()
    lines = capsys.readouterr().out.splitlines()
    exercises = lessons.exercises()
    numbers = sorted({id.split(".")[0] for id in exercises})
    assert len(lines) == 2 + len(exercises) + len(numbers) + 2
    (one,) = [line for line in lines if " 1.1 " in line]
    assert "noise in one go" in one and "solved 2" in one and one.endswith(", 1 try")
    assert any(" 2.3 " in line and line.endswith("tried, 2 tries") for line in lines)
    assert any(" 2.4 " in line and line.endswith("  " + "x" * 40) for line in lines)
    assert any(line.startswith("lesson 01 ") and line.endswith("1 of 6 solved") for line in lines)
    assert lines[-1] == f"1 of {len(exercises)} solved, kept in {work / progress.FILE}"
    assert max(map(len, lines[:-1])) <= 130


def test_without_lab_the_folder_is_the_one_that_lab_would_open(work, tmp_path, monkeypatch):
    monkeypatch.delenv(progress.WORK)
    monkeypatch.setattr("diffutils.weights.files.CHECKOUT", tmp_path / "checkout")
    assert progress.work_folder() == tmp_path / "checkout" / "work"
    monkeypatch.setattr("diffutils.weights.files.CHECKOUT", None)
    monkeypatch.chdir(tmp_path)
    assert progress.work_folder() == tmp_path / "work"
