"""What a submission does harms nobody else: each kind costs the exercise at which it happens."""

import json
import os
import signal
import sys
import time
from pathlib import Path

import psutil
import pytest
from class_of_students import BODIES, COURSES, FORGED, IDS, filled, hostile, one

from diffutils import lessons as contents
from diffutils.course.grading import gradebook, process
from diffutils.course.grading.inside import guard
from diffutils.course.workbook import folds

EXERCISES = contents.exercises()
CASES = {id: EXERCISES[id].cases(11) for id in IDS}
KINDS = [*BODIES, "cell: loop", "cell: exit", "cell: recursion"]
GROUPS = [KINDS[n : n + 5] for n in range(0, len(KINDS), 5)]
linux = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere time alone is limited")


def row_of(submission, told) -> gradebook.Row:
    row = gradebook.Row(submission.file, "Ada", submission.key)
    gradebook.judge(row, submission, told, EXERCISES, CASES)
    return row


def statuses(row: gradebook.Row) -> dict[str, str]:
    return {id: graded.status for id, graded in row.exercises.items()}


def marked(slot) -> list[psutil.Process]:
    """The processes that a slot has started."""
    found = []
    for process_ in psutil.process_iter():
        try:
            if process_.environ().get(guard.MARK) == slot.mark:
                found.append(process_)
        except psutil.Error:
            pass
    return found


@linux
@pytest.mark.parametrize("kinds", GROUPS, ids=", ".join)
def test_each_kind_costs_its_own_exercise(slot, submitted, handed_out, kinds):
    bad = {id: hostile(kind, id) for id, kind in zip(IDS[1:], kinds, strict=False)}
    submission = submitted(filled(handed_out, folds.solutions(handed_out) | bad))
    row = row_of(submission, slot.run(submission))
    assert {id: status == "right" for id, status in statuses(row).items()} == {
        id: id not in bad for id in IDS
    }
    assert [p.pid for p in marked(slot)] == [slot.process.pid]  # nothing is left behind


@linux
@pytest.mark.parametrize("kind", COURSES)
def test_the_courses_own_function_is_recognised(slot, submitted, handed_out, kind):
    submission = submitted(one(handed_out, "courses", kind))
    row = row_of(submission, slot.run(submission))
    assert statuses(row) == dict.fromkeys(IDS, "right") | {"1.3": "course's own"}
    assert gradebook.points(row, EXERCISES) == (10, 11)


@linux
@pytest.mark.parametrize("kind", FORGED)
def test_a_verdict_cannot_be_forged(slot, submitted, handed_out, kind):
    submission = submitted(one(handed_out, "forged", kind))
    found = statuses(row_of(submission, slot.run(submission)))
    assert found["1.3"] != "right" and found["1.1"] == found["1.2"] == "right"


@linux
def test_numbers_written_down_for_one_seed_fail_with_another(slot, submitted, handed_out):
    for seed, expected in ((11, "right"), (0, "crash")):
        known = [(c.arguments, c.expected) for c in EXERCISES["1.3"].cases(seed)]
        table = {(x.tobytes(), float(abar)): right.tolist() for (x, _, abar), right in known}
        answer = (
            f"def tweedie(x, clean, abar):\n    table = {table}\n"
            "    return np.array(table[x.tobytes(), float(abar)])"
        )
        submission = submitted(filled(handed_out, {"1.3": answer}))
        row = row_of(submission, slot.run(submission))
        assert row.exercises["1.3"].status == expected, row.exercises["1.3"].words


@linux
def test_the_last_check_of_an_own_function_counts(slot, submitted, handed_out):
    right = folds.solutions(handed_out)["1.1"]
    wrong = right.replace("(1 - abar)", "(2 - abar)")
    for first, last, expected in ((wrong, right, "right"), (right, wrong, "wrong")):
        twice = f'{first}\n\nforward = du.check("1.1", forward)\n{last}'
        again = f'{twice}\n\nforward = du.check("1.1", forward)\ndu.check("1.1", forward)'
        submission = submitted(filled(handed_out, {"1.1": again}))
        assert row_of(submission, slot.run(submission)).exercises["1.1"].status == expected


@linux
def test_a_later_exercise_may_use_an_earlier_one_that_is_wrong_or_gone(slot, submitted, handed_out):
    used = folds.solutions(handed_out) | {
        "1.1": "def forward(x0, abar, noise):\n    return 1 / 0",
        "1.3": "def tweedie(x, clean, abar):\n    forward(x, abar, x)\n"
        "    return (np.sqrt(abar) * clean - x) / (1 - abar)",
    }
    notebook = filled(handed_out, used)
    submission = submitted(notebook)
    found = statuses(row_of(submission, slot.run(submission)))
    assert (found["1.1"], found["1.3"]) == ("crash", "right")
    notebook.cells = [c for c in notebook.cells if folds.exercise_id(c) != "1.1"]
    submission = submitted(notebook)
    row = row_of(submission, slot.run(submission))
    assert row.exercises["1.1"].words == "The notebook does not check it."
    assert statuses(row)["1.3"] == "right"


@linux
def test_unusual_checks_are_understood(slot, submitted, handed_out):
    cells = {
        "1.1": "forward = 3",
        "1.2": "%%time\nbest_guess = lambda *a: ...",
        "1.3": "raise ValueError('no')\ntweedie = lambda x, clean, abar: "
        "(np.sqrt(abar) * clean - x) / (1 - abar)",
        "1.5": "import math as m\nin_sigma = lambda x_t, abar: "
        "(x_t / m.sqrt(abar), m.sqrt(1 / abar - 1))\nvalue = in_sigma(np.ones(2), 0.5)",
    }
    submission = submitted(filled(handed_out, cells))
    row = row_of(submission, slot.run(submission))
    assert row.exercises["1.1"].mistake == "not a function"
    assert [statuses(row)[id] for id in IDS] == [
        "wrong", "not attempted", "right", "not attempted", "right", "not attempted",
    ]  # fmt: skip


def started(tmp_path: Path, monkeypatch, patch: str) -> process.Slot:
    """A slot whose keeper begins by executing `patch`."""
    script = tmp_path / "keeper.py"
    script.write_text(
        "import sys\nfrom diffutils.course.grading.inside import guard, keeper\n"
        f"{patch}\nkeeper.serve(sys.argv[1], sys.argv[3:])\n"
    )
    monkeypatch.setattr(process, "COMMAND", (sys.executable, str(script)))
    return process.Slot(contents, 11, [*IDS], 1.0, 2**29)


OLD_KERNEL = "def confine(folder): raise OSError('no Landlock')\nguard.confine = confine"


@linux
@pytest.mark.slow
def test_without_landlock_a_killed_keeper_costs_one_exercise(
    tmp_path, monkeypatch, submitted, handed_out
):
    slot = started(tmp_path, monkeypatch, OLD_KERNEL)
    try:
        bad = {"1.3": hostile("kill the parent"), "1.5": hostile("daemons", "1.5")}
        bad |= {"1.6": hostile("delete files", "1.6")}
        submission = submitted(filled(handed_out, folds.solutions(handed_out) | bad))
        row = row_of(submission, slot.run(submission))
        assert [id for id, status in statuses(row).items() if status != "right"] == [*bad]
        assert "the process that watches it" in row.exercises["1.3"].words
        assert len(marked(slot)) == 1
    finally:
        slot.close()
    assert not marked(slot)


@pytest.mark.slow
def test_where_nothing_can_be_forked_each_is_a_python_of_its_own(
    tmp_path, monkeypatch, submitted, handed_out
):
    slot = started(tmp_path, monkeypatch, "keeper.FORKS = False")
    try:
        bad = {"1.3": hostile("exit"), "1.5": hostile("loop", "1.5")}
        submission = submitted(filled(handed_out, folds.solutions(handed_out) | bad))
        row = row_of(submission, slot.run(submission))
        assert [id for id, status in statuses(row).items() if status != "right"] == [*bad]
    finally:
        slot.close()


@linux
@pytest.mark.slow
def test_a_submission_does_not_outlive_who_grades(tmp_path, submitted, handed_out):
    slot = process.Slot(contents, 11, [*IDS], 60.0, 2**29)
    script = tmp_path / "grade.py"
    (tmp_path / "ada.json").write_text(
        json.dumps(submitted(one(handed_out, "hostile", "sleep")).cells)
    )
    script.write_text(
        "import json, sys\nfrom diffutils import lessons\n"
        "from diffutils.course.grading import process, submissions\n"
        f"slot = process.Slot(lessons, 1, {[*IDS]!r}, 60.0, 2**29)\nslot.mark = {slot.mark!r}\n"
        "cells = json.load(open(sys.argv[1]))\nprint('begun', flush=True)\n"
        "slot.run(submissions.Submission('a', cells=cells, ids=['1.3']))\n"
    )
    homes = tmp_path / "homes"
    homes.mkdir()
    places = os.environ | {"TMPDIR": str(homes)}
    grader = psutil.Popen([sys.executable, script, tmp_path / "ada.json"], env=places)
    until = time.monotonic() + 60
    while len(marked(slot)) < 2 and time.monotonic() < until:
        time.sleep(0.2)
    assert len(marked(slot)) >= 2
    os.kill(grader.pid, signal.SIGKILL)
    grader.wait()
    until = time.monotonic() + 20
    while marked(slot) and time.monotonic() < until:
        time.sleep(0.2)
    assert not marked(slot)
    assert not [*homes.iterdir()]
