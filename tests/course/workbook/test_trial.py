"""A file of answers is tried, and the table says where check and author disagree."""

import json

import pytest
from click.testing import CliRunner
from doubling import TASK

from diffutils.__main__ import cli
from diffutils.course.workbook import trial

FILE = """
# %% 9.9 right: as a sum
def double(x):
    return x + x

# %% 9.9 right: in truth it is wrong
def double(x):
    return 3 * x

# %% 9.9 wrong: squared => square
def double(x):
    return x**2

# %% 9.9 wrong: squared, and its author takes it for something else => positive
def double(x):
    return x**2

# %% 9.9 wrong: in truth it is right
double = lambda x: 2 * x

# %% 9.9 wrong: no pattern
def double(x):
    return 2 * x + x**3

# %% 9.9 wrong: another name
def twice(x):
    return 2 * x

# %% 9.9 wrong: no Python
def double(x:

# %% 9.9 wrong: endless
def double(x):
    while True:
        pass
"""
KNOWN = {"9.9": TASK}


@pytest.fixture
def path(tmp_path):
    (tmp_path / "answers.py").write_text(FILE)
    return tmp_path / "answers.py"


def test_every_answer_has_its_column(path):
    said = []
    rows = trial.run(trial.read(path), KNOWN, 0.3, said.append)
    assert [(row["column"], row["name"]) for row in rows] == [
        ("accepted", None),
        ("refused", "factor"),
        ("named", "square"),
        ("false name", "square"),
        ("accepted wrong", None),
        ("only values", None),
        ("named", "no function"),
        ("named", "no function"),
        ("named", "endless"),
    ]
    assert [line.split(":")[0] for line in said] == [
        "line 6, 9.9, in truth it is wrong",
        "line 14, 9.9, squared, and its author takes it for something else",
        "line 18, 9.9, in truth it is right",
    ]
    table = trial.table(rows).splitlines()
    assert table[1].split() == ["9.9", "1", "1", "4", "1", "1", "1"]
    assert table[2].split()[1:] == table[1].split()[1:]
    assert table[3] == "named: 5 of 7 wrong answers, 71%"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds no answer"),
        ("def double(x):\n    return 2 * x\n", "code before the first header"),
        ("x = 1\n# %% 9.9 right: a\n", "code before the first header"),
        ("# %% 9.9 perhaps: a\n", "line 1: expected `# %% 1.1 right: ...`"),
        ("# %% nine right: a\n", "line 1: expected"),
    ],
)
def test_a_file_of_another_form_is_refused(text, said, tmp_path):
    path = tmp_path / "answers.py"
    path.write_text(text)
    with pytest.raises(ValueError, match=said):
        trial.read(path)


def test_a_file_that_is_no_text_or_too_large_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "answers.py"
    path.write_bytes(b"# %% 1.1 right: \xff\n")
    with pytest.raises(ValueError, match="no text in UTF-8"):
        trial.read(path)
    monkeypatch.setattr(trial, "MOST", 10)
    with pytest.raises(ValueError, match="more than 10; split it"):
        trial.read(path)


def test_an_unknown_exercise_is_named():
    answer = trial.Answer("7.7", True, "a", None, "x = 1", 3)
    with pytest.raises(ValueError, match=r"line 3: there is no exercise 7\.7"):
        trial.tried(answer, KNOWN, 1)


def test_the_command_prints_the_table_and_the_names(path, tmp_path, monkeypatch):
    monkeypatch.setattr("diffutils.lessons.exercises", lambda: KNOWN)
    out = tmp_path / "out.json"
    options = [str(path), "--seconds", "0.3", "--names", "--json", str(out)]
    outcome = CliRunner().invoke(cli, ["check-trial", *options])
    assert outcome.exit_code == 0, outcome.output
    assert "9.9 squared: square\n" in outcome.output and "9.9 no pattern: -\n" in outcome.output
    assert "named: 5 of 7 wrong answers, 71%" in outcome.output
    assert len(json.loads(out.read_text())["answers"]) == 9
