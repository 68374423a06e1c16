"""`bench` from end to end, in its small pass, and what it writes."""

import json
import statistics

import pytest
from command_line import call

from diffutils.course.commands import bench
from diffutils.course.speed import networks


# NumPy's, of the way in which diffusers calls it
@pytest.mark.filterwarnings("ignore:__array:DeprecationWarning")
def test_a_quick_pass_writes_a_record_that_is_whole(tmp_path, monkeypatch):
    peer = networks.PEERS["lucidrains"]._replace(package="no-such-library")
    monkeypatch.setitem(networks.PEERS, "lucidrains", peer)
    done = call("bench", "--quick", "--save", str(tmp_path / "record.json"))
    assert done.exit_code == 0, done.output
    # A peer that is missing is said, the others are compared.
    assert "lucidrains is not installed: pip install no-such-library" in done.output
    for words in ("Same precision, 16x16", "Best of each", "Same quality", "bare loop", "import"):
        assert words in done.output
    record = json.loads((tmp_path / "record.json").read_text())
    about = {"date", "device", "processor", "threads", "load", "versions", "commit", "rounds"}
    assert about <= record.keys() and record["rounds"] == 2
    assert {"torch", "diffusers"} <= record["versions"].keys()
    assert record["missing"] == {"lucidrains": "no-such-library"}
    assert record["solvers"].keys() == record["costs"]["16"].keys() == {"diffutils", "diffusers"}
    seconds = record["seconds"]
    assert {"fit", "bare loop", "distance", "drawn", "import torch"} <= seconds.keys()
    assert all(len(found) == 2 and min(found) > 0 for found in seconds.values())
    assert record["medians"] == {name: statistics.median(found) for name, found in seconds.items()}
    # The text follows from the record alone.
    assert bench.report(record) in done.output


def test_against_measures_nothing_else(tmp_path, monkeypatch):
    asked = []

    def rounds(checkout, commit, n, batch, size):
        asked.append((commit, n, batch, size))
        return {"then/fit": [3.0] * n, "now/fit": [2.0] * n}

    monkeypatch.setattr(bench.commits, "resolved", lambda checkout, commit: commit * 40)
    monkeypatch.setattr(bench.commits, "rounds", rounds)
    done = call("bench", "--against", "a", "--rounds", "5")
    assert done.exit_code == 0, done.output
    assert asked == [("a" * 40, 5, 64, 16)] and "1.50 (1.50-1.50)" in done.output


def test_a_commit_that_is_none_is_refused_before_anything_is_measured(monkeypatch):
    monkeypatch.setattr(bench, "measure", None)
    done = call("bench", "--against", "no-such-commit")
    assert done.exit_code == 2 and "git knows no commit 'no-such-commit'" in done.output
