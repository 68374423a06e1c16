"""Try the checks themselves: a file of answers, right and wrong ones, and what is said of each.

A file holds cells, each with a header that says what its author knows of the answer:

    # %% 1.1 right: by the angle
    # %% 1.1 wrong: minus between image and noise => sign

Behind "=>" may stand the name that the check should find.
"""

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from diffutils.course.exercises.model import Exercise
from diffutils.course.exercises.verdict import RIGHT, WRONG, Verdict, judge

PRELUDE = "import math, numpy as np, torch, matplotlib.pyplot as plt, diffutils as du"
MOST = 2**24  # bytes of a file
HEADER = re.compile(r"^# %% (\d+\.\d+) (right|wrong): *(.*?)(?: => (.+))?$")
RIGHTS, WRONGS = ("accepted", "refused"), ("named", "only values", "accepted wrong", "false name")
COLUMNS = (*RIGHTS, *WRONGS)


@dataclass(frozen=True)
class Answer:
    """One answer: to which exercise, whether it is right, what its author says of it, its code."""

    id: str
    right: bool
    about: str
    name: str | None
    source: str
    line: int


def read(path: Path) -> list[Answer]:
    """The answers of a file.

    Raises: ValueError, with the line, for a file without headers or with code before the first, and
    for one that is no text or too large; OSError for one that cannot be read.
    """
    # Open what may be opened.
    if (size := path.stat().st_size) > MOST:
        raise ValueError(f"{path} has {size:,} bytes, more than {MOST:,}; split it")
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is no text in UTF-8 ({error.reason})") from None
    # Cut it at the headers; a last one, without words, ends the last answer.
    answers, header, lines = [], None, []
    for number, line in enumerate([*text.splitlines(), "# %%"], 1):
        if line.startswith("# %%"):
            if header:
                found, at = header
                id, label, about, name = found.groups()
                answers.append(Answer(id, label == "right", about, name, "\n".join(lines), at))
            elif any(text.strip() and not text.startswith("#") for text in lines):
                raise ValueError(f"{path}: code before the first header, `# %% 1.1 right: ...`")
            found = HEADER.match(line)
            if not found and line != "# %%":
                raise ValueError(
                    f"{path}, line {number}: expected `# %% 1.1 right: ...` or `# %% 1.1 wrong: "
                    f"...`, got {line[:60]!r}"
                )
            header, lines = (found, number) if found else None, []
        else:
            lines.append(line)
    if not answers:
        raise ValueError(f"{path} holds no answer; each begins with `# %% 1.1 right: ...`")
    return answers


def tried(answer: Answer, known: dict[str, Exercise], seconds: float) -> Verdict:
    """The verdict on an answer, in a namespace as the lesson has it there.

    Raises: ValueError for an exercise that does not exist.
    """
    if answer.id not in known:
        raise ValueError(f"line {answer.line}: there is no exercise {answer.id}")
    exercise = known[answer.id]
    space = namespace(known, answer.id)
    space.pop(name := exercise.reference.__name__, None)
    try:
        exec(compile(answer.source, f"<answer in line {answer.line}>", "exec"), space)
    except Exception as error:
        return Verdict(WRONG, f"{type(error).__name__}: {error}", "no function")
    if name not in space:
        return Verdict(WRONG, f"it defines no {name}", "no function")
    return judge(exercise, space[name], seconds)


def namespace(known: dict[str, Exercise], id: str) -> dict:
    """What a lesson's cells have at an exercise: modules, and the answers to the earlier ones."""
    lesson = [one.reference for key, one in known.items() if key.split(".")[0] == id.split(".")[0]]
    names = {reference.__name__: reference for reference in lesson}
    exec(PRELUDE, names)
    return names


def outcome(answer: Answer, verdict: Verdict) -> str:
    """Which column of the table an answer belongs to."""
    passed = verdict.status == RIGHT
    if answer.right:
        return "accepted" if passed else "refused"
    if passed:
        return "accepted wrong"
    if answer.name and verdict.mistake != answer.name:
        return "false name"
    return "named" if verdict.mistake else "only values"


def run(
    answers: list[Answer], known: dict[str, Exercise], seconds: float, say: Callable
) -> list[dict]:
    """Try every answer: rows with exercise, line, about, column, name and words.

    say: is told every answer on which the check and its author disagree.
    """
    rows = []
    for answer in answers:
        verdict = tried(answer, known, seconds)
        row = {
            "exercise": answer.id, "line": answer.line, "right": answer.right,
            "about": answer.about, "column": outcome(answer, verdict), "name": verdict.mistake,
            "words": verdict.words,
        }  # fmt: skip
        rows.append(row)
        if row["column"] in ("refused", "accepted wrong", "false name"):
            words = verdict.words.replace("\n", " | ")
            found = f" ({verdict.mistake})" if verdict.mistake else ""
            say(f"line {answer.line}, {answer.id}, {answer.about}: {row['column']}{found}. {words}")
    return rows


def table(rows: list[dict]) -> str:
    """A line an exercise, and one for all: how many answers of each kind."""
    ids = list(dict.fromkeys(row["exercise"] for row in rows))
    width = max(map(len, COLUMNS)) + 2
    lines = ["exercise" + "".join(f"{column:>{width}}" for column in COLUMNS)]
    for id in [*ids, "all"]:
        counts = Counter(row["column"] for row in rows if id in ("all", row["exercise"]))
        lines.append(f"{id:8}" + "".join(f"{counts[column]:>{width}}" for column in COLUMNS))
    wrong = [row for row in rows if not row["right"]]
    named = sum(row["name"] is not None for row in wrong)
    if wrong:
        lines.append(f"named: {named} of {len(wrong)} wrong answers, {named / len(wrong):.0%}")
    return "\n".join(lines)
