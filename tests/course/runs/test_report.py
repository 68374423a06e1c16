"""The report of a run: what it shows of finished, failed and damaged lessons."""

import json
import re

import torch

from diffutils.course.experiments import claims
from diffutils.course.runs import report
from diffutils.data import png


def run(folder, number, **changes):
    """A run directory as a lesson leaves it."""
    home = folder / number
    (home / "model").mkdir(parents=True)
    content = {
        "parameters": {"profile": "smoke", "dataset": "a|b <i>"},
        "versions": {"torch": "9.9"},
        "commit": "abc123",
        "device": "cpu: x86_64, 2 threads",
        "threads": 2,
        "environment": {"OMP_NUM_THREADS": "2"},
        "seconds": 754.0,
        "peak_memory_mb": 1234,
        "metrics": {"distance": 1.25},
        "claims": [claims.claim("nearer", "yes", 0.5, ["by N"], 5, 3, "nearer")],
    }
    (home / "run.json").write_text(json.dumps(content | changes))
    for name, low in (("model", 1.0), ("trial/arm-0", 0.5)):
        (home / name).mkdir(parents=True, exist_ok=True)
        lines = [{"step": s, "loss": low / s, "heldout": None} for s in (1, 2, 4)]
        (home / name / "log.jsonl").write_text("".join(json.dumps(x) + "\n" for x in lines))
    for step in (2, 4):
        picture = torch.full((2, 3, 4, 4), 60 * step, dtype=torch.uint8)
        png.write_grid(home / "model" / "samples" / f"step-{step:08}.png", picture)
    return home


def test_a_lesson_with_all_its_parts(tmp_path):
    run(tmp_path, "02")
    page = report.write(tmp_path, [("02_training", "ok", None)], "smoke")
    text, shown = (tmp_path / "report.md").read_text(), page.read_text()
    row = "| 02\\_training | ok | 13 min | 1,234 MB | cpu: x86\\_64, 2 threads |"
    assert row in text
    assert "| nearer | yes | 0.5 | nearer | 5 | 3 |" in text and "| distance | 1.25 |" in text
    for words in ("abc123", "9.9", "Losses of 2 trainings by step", "model, step-00000004"):
        assert words in text and words in shown
    assert "step-00000002" not in text
    # The page stands alone: tables, both pictures inside, and no tag that a name brought along.
    assert len(re.findall(r'<img src="data:image/png;base64,', shown)) == 2
    assert "<td>nearer</td>" in shown and "<i>" not in shown and 'src="0' not in shown


def test_a_lesson_that_failed_does_not_hide_the_others(tmp_path):
    run(tmp_path, "02")
    (run(tmp_path, "03") / "run.json").write_text("{")
    lessons = [
        ("02_training", "ok", None),
        ("03_sampling", "failed", "in cell [3]: ValueError: a < b"),
        ("04_edm", "not run", None),
    ]
    shown = report.write(tmp_path, lessons, "smoke").read_text()
    assert shown.count("<h2>") == 3 and "failed in cell [3]: ValueError: a &lt; b" in shown
    assert "<td>13 min</td>" in shown and "<td>not run</td>" in shown
    assert "Losses of 2 trainings" in shown.split("03_sampling</h2>")[1]  # what there is of it


def test_a_damaged_log_costs_its_own_curve_alone(tmp_path):
    (run(tmp_path, "02") / "model" / "log.jsonl").write_text("{")
    text = (
        report.write(tmp_path, [("02_training", "ok", None)], "smoke")
        .with_suffix(".md")
        .read_text()
    )
    assert "is damaged in line 1" in text and "Losses of 1 training by" in text


def test_an_earlier_run_that_was_set_aside_is_not_shown(tmp_path):
    home = run(tmp_path, "02")
    (home / "model").rename(home / "earlier-1")
    report.write(tmp_path, [("02_training", "ok", None)], "smoke")
    assert "Losses of 1 training by" in (tmp_path / "report.md").read_text()
