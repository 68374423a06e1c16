"""Rounds are fair: all work in each, in turn, and ratios are made within a round."""

import pytest
import torch

from diffutils.course.speed import measured
from diffutils.metrics.timer import Seconds

CPU = torch.device("cpu")


def test_every_round_does_all_tasks_and_every_other_one_goes_backwards():
    done = []
    tasks = {name: lambda name=name: done.append(name) for name in "abc"}
    seconds = measured.rounds(tasks, 3, CPU, warm_up=0)
    assert "".join(done) == "abccbaabc"
    assert {name: len(found) for name, found in seconds.items()} == {"a": 3, "b": 3, "c": 3}
    done.clear()
    measured.rounds(tasks, 1, CPU, warm_up=1, times=2)
    assert "".join(done) == "abc" + "aabbcc"


def test_times_under_one_clock_are_shared_out(monkeypatch):
    monkeypatch.setattr(measured, "median_time", lambda *_: Seconds(6.0))
    assert measured.rounds({"a": int}, 2, CPU, times=3) == {"a": [2.0, 2.0]}


def test_a_ratio_is_the_median_of_the_rounds_ratios():
    # The second round was slow for both; a ratio of medians would be 2.
    assert measured.ratio([2, 30, 9], [1, 10, 3]) == (3, 2.5, 3)
    assert measured.ratio([3], [2]) == (1.5, 1.5, 1.5)


def test_bfloat16_is_tried_where_a_product_of_matrices_is_quicker(monkeypatch):
    for seconds, found in ((0.5, {"fp32", "bf16"}), (2.0, {"fp32"})):
        times = iter([Seconds(1.0), Seconds(seconds)])
        monkeypatch.setattr(measured, "median_time", lambda *_, times=times, **__: next(times))
        assert measured.precisions(CPU).keys() == found


def test_a_step_trains_any_network():
    torch.manual_seed(0)
    net = measured.our_unet()
    before = [p.clone() for p in net.parameters()]
    measured.training_step(net, 2, 16, CPU)()
    moved = [not torch.equal(a, b) for a, b in zip(before, net.parameters(), strict=True)]
    assert any(moved) and all(p.grad is None for p in net.parameters())


def test_networks_are_tried_in_each_memory_format():
    names, kinds = ["diffutils"], {"fp32": torch.float32}
    tasks = measured.of_networks(names, 16, 2, CPU, kinds)
    assert tasks.keys() == {
        *(f"{work}/16/diffutils/fp32/{layout}" for work in ("train", "sample")
          for layout in ("contiguous", "channels_last")),
        "peak/16/fp32",
    }  # fmt: skip
    assert tasks["sample/16/diffutils/fp32/channels_last"]().shape == (2, 3, 16, 16)


def test_fit_and_the_bare_loop_take_as_many_steps(monkeypatch):
    steps, update = [], measured.ema_update
    monkeypatch.setattr(measured, "ema_update", lambda *a: (steps.append(1), update(*a)))
    tasks = measured.of_fit(16, 2, CPU, times=3)
    assert [tasks["fit"]().step, tasks["fit"]().step] == [3, 6]
    tasks["bare loop"]()
    assert len(steps) == 3


def test_the_rest_is_what_it_is_called():
    tasks = measured.of_the_rest(150, 4, CPU)
    assert tasks["distance"]() > 0
    assert tasks["its network"]().shape == (150, 128)
    for name in ("drawn", "fetched"):
        a, b = tasks[name](), tasks[name]()
        assert a.shape == (4, 3, 16, 16) and a.min() >= -1 and a.max() <= 1
        assert not torch.equal(a, b)


def test_import_adds_little_to_that_of_torch():
    """In the same process, so that what slows the machine slows both."""
    found = measured.imports()
    assert found.keys() == {"import torch", "import diffutils", "import for training"}
    assert 0 < found["import diffutils"] < 0.1 * found["import torch"]


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_bfloat16_is_tried_on_a_gpu():
    assert "bf16" in measured.precisions(torch.device("cuda"))
