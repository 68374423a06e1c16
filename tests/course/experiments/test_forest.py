"""Figures of a trial: what is drawn where, nothing cut off."""

import math

import pytest
from edm_rows import named, noisy, trial

from diffutils.course.experiments import effects, forest
from diffutils.lessons.lesson04 import claims
from diffutils.viz.paper import COLORS


def inside(fig):
    """Whether all that is drawn lies on the page."""
    fig.draw_without_rendering()
    box, page = fig.get_tightbbox(), fig.get_size_inches()
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page[0] and box.y1 <= page[1]


def shown(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


@pytest.mark.parametrize("make", [claims.places, claims.single])
@pytest.mark.parametrize("trainings, std", [((0, 1, 2), 0.05), ((0, 1), 0.4), ((0,), 0.1), ((), 0)])
def test_forest(make, trainings, std):
    found = make(list(trial(noisy(std=std), trainings)))
    fig = forest.forest(found)
    assert inside(fig) and fig.get_size_inches()[0] <= 9
    (ax,) = fig.axes
    low, high = ax.get_xlim()
    dots = [
        tuple(xy)
        for line in ax.lines
        if line.get_marker() == "."
        for xy in zip(*line.get_data(), strict=True)
    ]
    assert sorted(x for x, _ in dots) == sorted(v for x in found for v in x.runs.values())
    bars = [(*c.get_segments()[0][:, 0], c.get_segments()[0][0, 1]) for c in ax.collections]
    assert bars == [
        (*x.interval(level)[1:3], y)
        for y, x in enumerate(found)
        for level in (0.95, 0.9)
        if len(x.runs) > 1
    ]
    assert all(low < a and b < high for a, b, _ in bars)
    assert [t.get_text() for t in ax.texts] == effects.held(found)
    assert shown(ax.yaxis) == [f"{x.name} ({x.by})" for x in found]
    assert all(low < x < high and y // 1 == round(y - 0.3) for x, y in dots)


def test_the_judged_interval_and_the_band_agree():
    """The thick 90 % bar lies in the band where they are equivalent, even if the thin one leaves.

    Runs 0.05 -/+ 0.02: 90 % is 0.0337 to each side, 95 % 0.0497; log 1.1 is 0.0953.
    """
    x = effects.Effect("grid", "Heun", {0: 0.03, 1: 0.05, 2: 0.07}, {}, "trainings")
    y = effects.Effect("grid", "Euler", {0: 0.02, 1: 0.04, 2: 0.06}, {}, "trainings")
    fig = forest.forest([x, y])
    (ax,) = fig.axes
    thin, thick, *_ = [(c.get_linewidth()[0], *c.get_segments()[0][:, 0]) for c in ax.collections]
    margin = math.log(1.1)
    assert thin[0] < thick[0] and thick[2] < margin < thin[2]
    assert [x.verdict, y.verdict] == ["farther, by less than a tenth", "equivalent within a tenth"]
    (legend,) = fig.legends
    said = [t.get_text() for t in legend.get_texts()]
    assert "95% interval: leaves out 0?" in said and "90% interval: in the band?" in said
    assert "within a tenth" in said and {"Heun: mean", "Euler: mean"} < set(said)


def test_forest_marks_round_changes_and_the_band_of_a_tenth():
    rows = trial(lambda arm, walk, k: (0.7 + k / 100) * walk.endswith("phi"))
    (ax,) = forest.forest(claims.places(list(rows))[:6]).axes
    labels = dict(zip(shown(ax.xaxis), ax.get_xticks(), strict=True))
    assert {"0", "+10%", "+50%", "+100%"} <= set(labels)
    assert labels["+100%"] == pytest.approx(math.log(2)) and labels["0"] == 0
    (band,) = ax.patches
    ends = band.get_x(), band.get_x() + band.get_width()
    assert ends == pytest.approx((-math.log(1.1), math.log(1.1)))


@pytest.mark.parametrize("far", [-5.0, -0.5, 0.0, 0.5, 1.77, 9.0])
@pytest.mark.parametrize("make", [claims.places, claims.single])
def test_ticks_never_collide(make, far):
    """One change from nothing to 8,000-fold, over longer or shorter names."""
    log_distance = lambda arm, walk, k: far * (1 + 0.1 * k) * walk.endswith("phi")  # noqa: E731
    fig = forest.forest(make(list(trial(log_distance))))
    fig.draw_without_rendering()
    (ax,) = fig.axes
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in zip(boxes[:-1], boxes[1:], strict=True))
    assert inside(fig) and "0" in shown(ax.xaxis) and len(boxes) >= 3
    assert len(set(shown(ax.xaxis))) == len(boxes) and "-100%" not in shown(ax.xaxis)
    if abs(far) <= 0.5 and make is claims.places:
        assert {"-10%", "+10%"} <= set(shown(ax.xaxis))


def test_looks_differ_by_colour_and_by_marker():
    colors, markers = zip(*forest.LOOKS, strict=True)
    assert len(set(colors)) == len(set(markers)) == len(forest.LOOKS) and set(colors) <= set(COLORS)


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="there are no relative effects to draw"):
        forest.forest([])
    with pytest.raises(ValueError, match="there are no relative effects to draw"):
        forest.forest([effects.Effect("", "", {0: 1.0}, {}, "trainings", relative=False)])


def test_an_effect_that_is_not_run_has_its_row():
    found = claims.places([r for r in trial() if not r["sampler"].startswith("Euler")])
    assert named(found, "grid", "Euler").verdict == "not run"
    (ax,) = forest.forest(found).axes
    assert [t.get_text() for t in ax.texts].count("not run") == 6


def test_verdicts_of_the_figure_are_those_after_holm_over_all_that_is_asked():
    rows = list(trial(noisy(std=0.05)))
    places, single = claims.places(rows), claims.single(rows)
    (ax,) = forest.forest(places[:4], places + single).axes
    assert [t.get_text() for t in ax.texts] == effects.held(places[:4], places + single)
