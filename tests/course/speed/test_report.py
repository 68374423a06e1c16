"""Tables of a record: every ratio in them comes from its rounds."""

import statistics

import pytest

from diffutils.course.speed.report import report

COST = {"parameters": 2_000_000, "call": 10**6, "step": 3 * 10**6}


def networks(name, train, sample):
    """Seconds of a network: channels_last is the quicker format in the median."""
    return {
        f"train/16/{name}/fp32/contiguous": [9.0, 9.0, 9.0],
        f"train/16/{name}/fp32/channels_last": train,
        f"sample/16/{name}/fp32/contiguous": sample,
        f"sample/16/{name}/fp32/channels_last": [9.0, 9.0, 9.0],
    }


@pytest.fixture
def record():
    seconds = {
        **networks("diffutils", [1.0, 4.0, 2.0], [1.0, 1.0, 1.0]),
        **networks("diffusers", [1.5, 6.0, 3.2], [3.0, 3.0, 3.0]),
        "peak/16/fp32": [0.002, 0.008, 0.004],
        "fit": [1.02, 2.0, 3.0],
        "bare loop": [1.0, 2.0, 2.0],
        "distance": [2.0, 2.0, 2.0],
        "its network": [1.0, 1.0, 1.0],
        "fetched": [0.1, 0.1, 0.1],
        "drawn": [0.2, 0.2, 0.2],
        "import torch": [2.0, 4.0, 2.0],
        "import diffutils": [0.25, 0.5, 0.125],
        "import for training": [1.0, 1.0, 1.0],
    }
    best = {"calls": 10, "solver": "ours", "error": 0.04}
    return {
        "device": "cpu: x, 1 threads", "processor": "X", "load": 1.5, "against": None,
        "versions": {"torch": "9.9"}, "rounds": 3, "batch": 64, "product": 1000,
        "missing": {"lucidrains": "denoising-diffusion-pytorch"},
        "costs": {"16": {"diffutils": COST, "diffusers": COST}},
        "solvers": {"diffutils": {"0.05": best},
                    "diffusers": {"0.05": {"calls": 20, "solver": "theirs", "error": 0.04}}},
        "seconds": seconds,
        "medians": {name: statistics.median(found) for name, found in seconds.items()},
    }  # fmt: skip


def row(text, *words):
    """The line of a text that begins with these words."""
    return next(line for line in text.splitlines() if line.split()[: len(words)] == [*words])


def test_ratios_of_networks_come_from_the_rounds(record):
    said = row(report(record), "diffusers", "2.00", "M")
    assert "1.50 (1.50-1.55)" in said and "3.00 (3.00-3.00)" in said
    # 64 images in 1.5 s, and 3 calls of them in 3 s.
    assert " 43 " in said and said.split()[-1] == "64"


def test_the_share_of_the_peak_is_the_rounds_too(record):
    """A step of 64 x 3 GFLOPs in 1, 4, 2 s; products of 2 GFLOPs in 2, 8, 4 ms: 0.192 of 1,000."""
    cost = COST | {"step": 3 * 10**9}
    record["costs"]["16"] = {"diffutils": cost, "diffusers": cost}
    assert " 19% " in row(report(record), "diffutils", "2.00", "M")
    assert " 13% " in row(report(record), "diffusers", "2.00", "M")


def test_the_quickest_memory_format_counts(record):
    assert "channels_last" in row(report(record), "diffutils", "2.00", "M")
    record["medians"]["train/16/diffutils/fp32/contiguous"] = 0.5
    assert "contiguous" in row(report(record), "diffutils", "2.00", "M")


def test_the_same_quality_is_calls_times_seconds_of_a_call(record):
    said = row(report(record), "0.05", "diffusers", "theirs")
    assert said.split()[3:] == ["20", "6.00", "(6.00-6.00)"]
    assert "none of its solvers  above 40" in row(report(record), "0.01", "diffusers")
    record["solvers"]["diffutils"] = {}
    text = report(record)
    assert row(text, "0.05", "diffutils").endswith("above 40")
    assert row(text, "0.05", "diffusers").endswith("theirs               20")


def test_bare_operations(record):
    text = report(record)
    assert "1.020 (1.010-1.260)" in row(text, "fit")
    assert "2.000" in row(text, "Fréchet") and row(text, "import").endswith("0.125 s")
    assert "0.125 (0.094-0.125)" in row(text, "import")
    assert "0.050 (0.038-0.075)" in row(text, "fetching")


def test_a_missing_peer_is_said(record):
    words = "lucidrains is not installed: pip install denoising-diffusion-pytorch"
    assert words in report(record)


def test_bfloat16_has_a_table_where_it_was_measured(record):
    assert "slower in bfloat16" in report(record)
    for kind in ("seconds", "medians"):
        for key in [*record[kind]]:
            value = record[kind][key]
            half = [s / 2 for s in value] if kind == "seconds" else value / 2
            record[kind][key.replace("fp32", "bf16")] = half if "fp32" in key else value
    text = report(record)
    assert "slower in bfloat16" not in text and text.count("bf16") == 2


def test_against_a_commit(record):
    seconds = {"then/fit": [2.0, 3.0], "now/fit": [1.0, 2.0]}
    text = report(record | {"against": "0123456789abcdef", "seconds": seconds})
    assert "then: 0123456789ab" in text and "1.75 (1.62-1.88)" in row(text, "fit")
