"""A class's rows: judged from what was said, kept on disk, and taken over after a kill."""

import json

import pytest

from diffutils import lessons as contents
from diffutils.course.exercises.call import Outcome
from diffutils.course.exercises.model import Case
from diffutils.course.grading import gradebook
from diffutils.course.grading.answers import Check, Graded, last_counts
from diffutils.course.grading.inside import keeper
from diffutils.course.grading.process import Told, heard
from diffutils.course.grading.submissions import Submission

EXERCISES = contents.exercises()
LIMITS = gradebook.Limits(1.0, 2**29, 1)


def made(file: str, *ids: str, key: str = "") -> Submission:
    return Submission(file, key or file, [f'check("{id}", f)' for id in ids], [*ids])


@pytest.fixture
def said(monkeypatch):
    """What submissions said, by file; `gradebook.grade` runs none."""
    told = {}

    def finished(contents, left, ids, seed, limits):
        for submission in left:
            if isinstance(told[submission.file], BaseException):
                raise told[submission.file]
            yield submission, told.pop(submission.file), 0.5

    monkeypatch.setattr(gradebook, "finished", finished)
    return told


def grade(out, submissions, seed=3, lines=None):
    names = {s.file: s.file.removesuffix(".ipynb") for s in submissions}
    say = [].append if lines is None else lines.append
    return gradebook.grade(contents, submissions, names, out, seed, LIMITS, say)


def own(id: str) -> Told:
    return Told({(0, 0, 1): Check(id, "function", True, [])}, finished=True)


def test_rows_hold_the_exercises_of_their_lessons_alone(tmp_path, said):
    said |= {"a": own("1.1"), "b": own("2.2")}
    a, b = grade(tmp_path, [made("a", "1.1", "9.9"), made("b", "2.2")])
    assert [*a.exercises] == [id for id in EXERCISES if id.startswith("1.")] and a.lessons == ["01"]
    assert a.exercises["1.1"].status == "course's own" and b.lessons == ["02"]
    assert a.exercises["1.2"].words == "The notebook does not check it."


def test_what_cannot_be_graded_is_a_row(tmp_path, said):
    empty = Submission("a", problem="the file is empty")
    rows = grade(tmp_path, [empty, made("b"), made("c", "9.9")])
    assert [row.problem for row in rows] == ["the file is empty"] + 2 * [
        "it checks no exercise of the course"
    ]


def test_a_killed_grading_loses_nothing_that_is_finished(tmp_path, said):
    class_ = [made("a", "1.1"), made("b", "1.1")]
    said |= {"a": own("1.1"), "b": KeyboardInterrupt()}
    with pytest.raises(KeyboardInterrupt):
        grade(tmp_path, class_)
    lines = []
    said["b"] = own("1.1")
    again = grade(tmp_path, class_, lines=lines)
    assert [row.exercises["1.1"].status for row in again] == 2 * ["course's own"]
    assert "1 of 2 need no process" in lines[0] and len(lines) == 2


def test_another_seed_or_a_damaged_row_is_graded_anew(tmp_path, said):
    said["a"] = own("1.1")
    grade(tmp_path, [made("a", "1.1")])
    said["a"] = own("1.2")
    assert grade(tmp_path, [made("a", "1.1")], seed=4)[0].exercises["1.2"].status != "not attempted"
    for path in (tmp_path / "rows").iterdir():
        path.write_text(json.dumps({"exercises": {"1.1": 3}, "remarks": [], "seconds": 1.0}))
    said["a"] = own("1.3")
    assert grade(tmp_path, [made("a", "1.1")])[0].exercises["1.3"].status == "course's own"


def test_the_same_file_and_the_same_name_are_remarked(tmp_path, said):
    said |= {"a": own("1.1"), "b": own("1.1"), "c": own("1.1")}
    class_ = [made("a", "1.1", key="k"), made("b", "1.1", key="k"), made("c", "1.1")]
    rows = grade(tmp_path, class_)
    assert [row.remarks for row in rows] == [["the same file as b"], ["the same file as a"], []]
    rows[2].name = rows[0].name
    rows[0].remarks = rows[2].remarks = []
    gradebook.compare(rows)
    assert "the same name as a" in rows[2].remarks


def test_the_folder_of_results_keeps_its_seed_and_nobody_elses_files(tmp_path):
    with gradebook.held(tmp_path / "out", None, tmp_path) as seed:
        assert 0 <= seed < 2**31
    with gradebook.held(tmp_path / "out", None, tmp_path) as again:
        assert again == seed
    with gradebook.held(tmp_path / "out", 5, tmp_path) as given:
        assert given == 5
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.txt").write_text("mine")
    with pytest.raises(FileExistsError, match="choose a new folder"):
        with gradebook.held(tmp_path / "theirs", None, tmp_path):
            pass
    (tmp_path / "out" / gradebook.SETTINGS).write_text("{")
    with pytest.raises(ValueError, match="is damaged"):
        with gradebook.held(tmp_path / "out", None, tmp_path):
            pass


def test_the_last_check_of_an_own_function_counts():
    first, last = Check("1.1", "function", False, []), Check("1.1", "float", False, [])
    courses, open_ = Check("1.1", "function", True, []), Check("1.1", "open", False, [])
    assert last_counts([first, last, courses, open_]) is last
    assert last_counts([courses, open_]) is courses
    assert last_counts([open_]) is open_ and last_counts([]) is None


@pytest.mark.parametrize(
    "outcomes",
    [
        [Outcome(result=np_value) for np_value in (1.0, (1.0,), None)],
        [Outcome(result=0.5, edited=[99])] * 3,
        [Outcome(error="x" * 1000, name="no such name")],
        [],
    ],
)
def test_outcomes_that_no_function_can_have_are_never_right(outcomes):
    exercise = EXERCISES["1.1"]
    check = Check("1.1", "function", False, outcomes)
    assert check.judged(exercise, exercise.cases(0)).status != "right"


def test_too_few_outcomes_are_never_right():
    exercise = EXERCISES["1.1"]
    cases = exercise.cases(0)
    results = [Outcome(result=case.expected) for case in cases]
    assert Check("1.1", "function", False, results).judged(exercise, cases).status == "right"
    few = Check("1.1", "function", False, results[:1])
    assert few.judged(exercise, cases).status == "crash"


@pytest.mark.parametrize(
    "line",
    [
        b"\xff", b"[]", b"3", b'{"at": ["x"]}', b'{"check": 1, "key": [1], "courses": 1}',
        b'{"outcome": {}, "borrowed": true}', b'{"broken": 99, "words": "x"}', b"[" * 10**5,
        b'{"ready": {}}', b'{"missed": [], "words": 1}', b'{"at": null}', b'{"done": 1}',
    ],
)  # fmt: skip
def test_lines_that_make_no_sense_are_at_most_a_remark(line):
    told = Told()
    heard(told, line, made("a", "1.1"), ["1.1"])
    assert not told.checks and not told.finished and len(told.remarks) <= 1


def test_a_submission_is_given_no_expected_result(monkeypatch):
    class Contents:
        @staticmethod
        def exercises():
            exercise = EXERCISES["1.1"]
            cases = lambda seed: [Case((seed,), "secret", "secret")]  # noqa: E731
            return {"1.1": type(exercise)(*[getattr(exercise, n) for n in FIELDS], cases, ())}

    FIELDS = ("id", "title", "difficulty", "minutes", "reference")
    (case,) = keeper.calls(Contents, 7, ["1.1"])["1.1"]
    assert case.arguments == (7,) and case.expected is None and "secret" not in repr(case)


def test_a_verdict_of_the_course_is_taken_over_as_it_was(tmp_path, said):
    said["a"] = own("1.1")
    (first,) = grade(tmp_path, [made("a", "1.1")])
    (again,) = grade(tmp_path, [made("a", "1.1")])
    assert again.exercises == first.exercises
    assert isinstance(again.exercises["1.1"], Graded)
