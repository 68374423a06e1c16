"""The page for a class: which mistake how often, where people stopped, who has what."""

import html
from collections import Counter
from collections.abc import Sequence

from diffutils.course.exercises.model import Exercise
from diffutils.course.grading.answers import COURSES, CRASH, OPEN, RIGHT, STATUSES, WRONG
from diffutils.course.grading.gradebook import Row, lesson_of, points
from diffutils.course.grading.table import MARKS, columns, mistakes, verdict
from diffutils.course.tables import plain

MISTAKES = 4  # of an exercise that are listed
CLASSES = {RIGHT: "right", WRONG: "wrong", CRASH: "crash", COURSES: "own", OPEN: "open"}
STYLE = """
:root { color-scheme: light; --ink: #1c1c1c; --soft: #595959; --line: #d9d9d9; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 76rem; background: #fff; color: var(--ink);
       font: 16px/1.45 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.6rem; margin: 0 0 .3rem; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
p { margin: .3rem 0 .8rem; max-width: 46rem; } .soft { color: var(--soft); font-size: .9rem; }
.key { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none; }
.key span { display: inline-block; width: 1.6rem; text-align: center; margin-right: .4rem; }
.right { background: #0072b2; color: #fff; } .wrong { background: #e69f00; color: #000; }
.crash { background: #a23b00; color: #fff; } .own { background: #cc79a7; color: #000; }
.open { background: #e8e8e8; color: #000; }
.exercise { display: grid; grid-template-columns: 15rem 1fr; gap: .1rem 1rem; padding: .6rem 0;
            border-top: 1px solid var(--line); }
.exercise > div { min-width: 0; overflow-wrap: anywhere; }
.bar { display: flex; width: 100%; height: 1.5rem; font-size: .85rem; line-height: 1.5rem; }
.bar span { text-align: center; overflow: hidden; border-right: 1px solid #fff; }
.bar.thin span { text-align: left; padding-left: .4rem; overflow: visible; white-space: nowrap; }
.exercise ul { margin: .3rem 0 0; padding-left: 1.1rem; font-size: .9rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; width: 100%; }
th, td { padding: .25rem .45rem; border-bottom: 1px solid var(--line); text-align: left;
         vertical-align: top; }
td.name { min-width: 9rem; max-width: 16rem; overflow-wrap: anywhere; }
td.cell { border: 2px solid #fff; min-width: 3.6rem; max-width: 9rem; overflow-wrap: anywhere;
          font-size: .8rem; line-height: 1.2; }
td.points { text-align: right; white-space: nowrap; }
td.remarks { color: var(--soft); font-size: .8rem; min-width: 10rem; overflow-wrap: anywhere; }
@media (max-width: 900px) { .exercise { grid-template-columns: 1fr; } body { padding: 1rem; } }
@media print { .wide { overflow: visible; } body { max-width: none; } }
"""


def page(rows: Sequence[Row], exercises: dict[str, Exercise], settings: dict, said: dict) -> bytes:
    """The page as a file that needs no other.  said: lists of sentences under a heading each."""
    ids, graded = columns(rows, exercises), [row for row in rows if not row.problem]
    seed, lessons = settings["seed"], sorted({lesson_of(id) for id in ids})
    bad = f", {len(rows) - len(graded)} of them not graded" if len(graded) < len(rows) else ""
    parts = [
        "<h1>Your class, graded</h1>",
        f"<p>{count(len(rows), 'notebook')}{bad}, of {count(len(lessons), 'lesson')} "
        f"({', '.join(lessons) or 'none'}). Answers were tried on data drawn with seed {seed}. "
        "A right answer counts as many points as its exercise has stars.</p>",
        legend(),
        "<h2>Exercise by exercise</h2>",
        *(section(id, graded, exercises[id]) for id in ids),
        "<h2>Where people stopped</h2>",
        "<p>The last exercise of the lesson that somebody attempted.</p>",
        *(stopped(lesson, graded, ids, exercises) for lesson in lessons),
        "<h2>Notebook by notebook</h2>",
        students(rows, ids, exercises),
        *(listed(heading, sentences) for heading, sentences in said.items() if sentences),
    ]
    head = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Class: {count(len(rows), 'notebook')}</title><style>{STYLE}</style></head><body>"
    )
    text = "\n".join([head, *parts, "</body></html>\n"])
    return text.encode(errors="replace")


def shown(text: str) -> str:
    """A text of anybody's as HTML, in one line."""
    return html.escape(plain(text))


def count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def legend() -> str:
    marks = (f'<li><span class="{CLASSES[s]}">{MARKS[s]}</span>{shown(s)}</li>' for s in STATUSES)
    return f'<ul class="key">{"".join(marks)}</ul>'


def section(id: str, rows: Sequence[Row], exercise: Exercise) -> str:
    """One exercise: a bar of what became of it, and its most frequent mistakes."""
    mine = [row.exercises[id] for row in rows if id in row.exercises]
    counts = Counter(graded.status for graded in mine)
    pieces = []
    for status in STATUSES:
        if number := counts[status]:
            words = f"{status}: {number} of {len(mine)}"
            pieces.append(
                f'<span class="{CLASSES[status]}" style="width:{100 * number / len(mine):.2f}%" '
                f'title="{shown(words)}">{MARKS[status]} {number}</span>'
            )
    # List the mistakes, and how many wrong answers have no name.
    named = [(name, n) for (other, name), n in mistakes(rows).most_common() if other == id]
    items = [f"<li>{n} × {shown(name)}</li>" for name, n in named[:MISTAKES]]
    if more := sum(n for _, n in named[MISTAKES:]):
        items.append(f"<li>{more} × other named mistakes</li>")
    if nameless := sum(g.status == WRONG and not g.mistake for g in mine):
        items.append(f"<li>{nameless} × wrong without a name</li>")
    words = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    return (
        f'<div class="exercise"><div><b>{id}</b> {shown(exercise.title)} '
        f'<span class="soft">{"★" * exercise.difficulty}</span></div><div>'
        f'<div class="bar" role="img" aria-label="{shown(words)}">{"".join(pieces)}</div>'
        f"<ul>{''.join(items)}</ul></div></div>"
    )


def stopped(
    lesson: str, rows: Sequence[Row], ids: Sequence[str], exercises: dict[str, Exercise]
) -> str:
    """Of one lesson: how many people attempted nothing after each exercise."""
    inside = [id for id in ids if lesson_of(id) == lesson]
    last = Counter()
    for row in rows:
        if lesson in row.lessons:
            tried = [id for id in inside if row.exercises[id].status != OPEN]
            last[tried[-1] if tried else ""] += 1
    most, lines = max(last.values(), default=1), []
    for id in ("", *inside):
        name = f"<b>{id}</b> {shown(exercises[id].title)}" if id else "nothing attempted"
        name += " (the last one)" if id == inside[-1] else ""
        lines.append(
            f'<div class="exercise"><div>{name}</div><div class="bar thin"><span class="open" '
            f'style="width:{100 * last[id] / most:.2f}%">{last[id]}</span></div></div>'
        )
    return f"<h3>Lesson {lesson}</h3>{''.join(lines)}"


def students(rows: Sequence[Row], ids: Sequence[str], exercises: dict[str, Exercise]) -> str:
    """The table of all notebooks."""
    heads = "".join(f'<th title="{shown(exercises[id].title)}">{id}</th>' for id in ids)
    lines = [f"<tr><th>Name</th>{heads}<th>Points</th><th>Remarks</th></tr>"]
    for row in rows:
        cells = []
        for id in ids:
            if graded := row.exercises.get(id):
                words = shown(verdict(graded)) if graded.status in (WRONG, CRASH) else ""
                cells.append(
                    f'<td class="cell {CLASSES[graded.status]}" title="{shown(graded.words)}">'
                    f"{MARKS[graded.status]} {words}</td>"
                )
            else:
                cells.append('<td class="cell"></td>')
        mine, most = points(row, exercises)
        remarks = shown("; ".join(filter(None, [row.problem, *row.remarks])))
        file = "" if row.file == f"{row.name}.ipynb" else shown(row.file)
        who = shown(row.name) + ("<br>" if row.name and file else "")
        lines.append(
            f'<tr><td class="name">{who}<span class="soft">{file}</span></td>'
            f'{"".join(cells)}<td class="points">{mine} / {most}</td>'
            f'<td class="remarks">{remarks}</td></tr>'
        )
    return f'<div class="wide"><table>{"".join(lines)}</table></div>'


def listed(heading: str, sentences: Sequence[str]) -> str:
    """Sentences under a heading."""
    items = "".join(f"<li>{shown(sentence)}</li>" for sentence in sentences)
    return f"<h2>{shown(heading)}</h2><ul class='soft'>{items}</ul>"
