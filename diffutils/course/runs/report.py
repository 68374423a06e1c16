"""The report of a run: every lesson's claims, losses, samples, times, and what ran them."""

import base64
import html
import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from diffutils.course.experiments import rows
from diffutils.course.runs.earlier import LOG
from diffutils.course.runs.pace import duration
from diffutils.course.tables import claim_table, markdown
from diffutils.viz import figure, loss_curves, style
from diffutils.weights import files, records

NAME, PICTURES = "report", "report-pictures"  # files and folder, in the folder of the run
LINES, SAMPLES = 6, 6  # trainings of one panel; trainings whose samples are shown
RUN = {  # of run.json, what the report shows
    "parameters": dict,
    "versions": dict,
    "commit": (str, type(None)),
    "device": str,
    "threads": int,
    "environment": dict,
    "seconds": (int, float),
    "peak_memory_mb": (int, type(None)),
    "metrics": dict,
    "claims": list,
}
PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<style>body{{font:16px/1.5 sans-serif;max-width:64em;margin:2em auto;padding:0 1em}}
table{{border-collapse:collapse;font-size:14px}}td,th{{border:1px solid #ccc;padding:.2em .5em;
text-align:left;vertical-align:top}}img{{max-width:100%}}pre{{overflow-x:auto}}</style>
{body}</html>"""
PICTURE = re.compile(r'(<img src=")([^":]+)(")')


def write(out: Path, lessons: Sequence[tuple], profile: str) -> Path:
    """Write out/report.md, its pictures beside it, and out/report.html, one file with all of it.

    lessons: (name, status, what stopped it or None) of each in order; what they left is read from
    `out`.  Returns the page.
    """
    text = [f"# Report: {len(lessons)} lessons, profile {profile}", _overview(out, lessons)]
    for name, status, error in lessons:
        text += [f"## {name}", *_lesson(out, name, status, error)]
    text = "\n\n".join(text) + "\n"
    files.write_whole(out / f"{NAME}.md", text.encode())
    page = PAGE.format(title=f"Report, profile {html.escape(profile)}", body=_html(text, out))
    files.write_whole(out / f"{NAME}.html", page.encode())
    return out / f"{NAME}.html"


def _overview(out: Path, lessons: Sequence[tuple]) -> str:
    """A table: each lesson's status, time, memory, and the device."""
    lines = []
    for name, status, _ in lessons:
        found = _record(out, name)
        cells = ("-", "-", "-")
        if found:
            memory = found["peak_memory_mb"]
            memory = "-" if memory is None else f"{memory:,} MB"
            cells = (duration(found["seconds"]), memory, found["device"])
        lines.append([name, status, *cells])
    return markdown(["lesson", "status", "time", "peak memory", "device"], lines)


def _lesson(out: Path, name: str, status: str, error: str | None) -> Iterator[str]:
    """The parts of a lesson's section, as Markdown."""
    number, found = name[:2], _record(out, name)
    if error:
        yield f"{status} {html.escape(error, quote=False)}"
    if found:
        yield claim_table(found["claims"]) if found["claims"] else "No claims."
        numbers = [[key, f"{value}"] for key, value in found["metrics"].items()]
        if numbers:
            table = markdown(["measured", "value"], numbers)
            yield f"<details><summary>{len(numbers)} numbers</summary>\n\n{table}\n\n</details>"
    yield from _pictures(out, number)
    if found:
        about = found["parameters"] | found["versions"] | found["environment"]
        about |= {"commit": found["commit"] or "-", "threads": found["threads"]}
        rest = markdown(["what ran it", ""], [[k, f"{v}"] for k, v in about.items()])
        yield f"<details><summary>Versions and settings</summary>\n\n{rest}\n\n</details>"


def _record(out: Path, name: str) -> dict | None:
    """run.json of a lesson; None where there is none that is whole."""
    try:
        return records.read(out / name[:2] / "run.json", RUN, "run the lesson again")
    except (OSError, ValueError):
        return None


def _pictures(out: Path, number: str) -> Iterator[str]:
    """The loss curves of a lesson's trainings, its own figures, and samples, as Markdown."""
    home = out / number
    folders = sorted(path.parent for path in home.rglob(LOG) if "earlier-" not in str(path))
    curves = {}
    for folder in folders:
        try:
            log = rows.read(folder / LOG, "run the lesson again", rows.LOG)
        except ValueError as error:
            yield html.escape(str(error), quote=False)
            continue
        points = [(line["step"], line["loss"]) for line in log if line["loss"] is not None]
        if points:
            curves["/".join(folder.relative_to(home).parts)] = tuple(zip(*points, strict=True))
    if curves:
        path = out / PICTURES / f"{number}-losses.png"
        files.write_whole(path, _losses(curves))
        trainings = f"{len(curves)} training{'s' if len(curves) > 1 else ''}"
        yield f"![Losses of {trainings} by step]({PICTURES}/{path.name})"
    for path in sorted((home / "figures").glob("*.png")):
        yield f"![{path.stem}]({number}/figures/{path.name})"
    drawn = [(folder, sorted((folder / "samples").glob("*.png"))) for folder in folders]
    for folder, samples in [pair for pair in drawn if pair[1]][:SAMPLES]:
        place = samples[-1].relative_to(out)
        yield f"{folder.relative_to(home)}, {samples[-1].stem}:\n\n![Samples]({place.as_posix()})"


def _losses(curves: dict[str, tuple]) -> bytes:
    """A PNG of loss curves, a few to a panel."""
    names, data = [*curves], io.BytesIO()
    panels = [names[i : i + LINES] for i in range(0, len(names), LINES)]
    columns = min(2, len(panels))
    with style():
        lines = -(-len(panels) // columns)
        fig, axes = figure(lines, columns, 9.0 / columns, 3.4, squeeze=False)
        for ax in axes.flat[len(panels) :]:
            ax.axis("off")
        for ax, part in zip(axes.flat, panels, strict=False):
            loss_curves({name: tuple(map(np.asarray, curves[name])) for name in part}, ax=ax)
        fig.savefig(data, format="png")
    return data.getvalue()


def _html(text: str, out: Path) -> str:
    """Markdown as HTML with its pictures inside, so that one file can be handed on."""
    import mistune  # comes with nbconvert; late: it is needed here alone

    body = mistune.create_markdown(escape=False, plugins=["table"])(text)

    def inside(found: re.Match) -> str:
        data = base64.b64encode((out / found[2]).read_bytes()).decode()
        return f"{found[1]}data:image/png;base64,{data}{found[3]}"

    return PICTURE.sub(inside, body)
