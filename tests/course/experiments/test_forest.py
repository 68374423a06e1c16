"""Figures of lesson 04's trial: what is drawn where, nothing cut off."""

import math

import pytest
from edm_rows import named, noisy, row, trial

from diffutils.course.experiments import effects, forest
from diffutils.viz.display import COLORS


def inside(fig):
    """Whether all that is drawn lies on the page."""
    fig.draw_without_rendering()
    box, page = fig.get_tightbbox(), fig.get_size_inches()
    return box.x0 >= 0 and box.y0 >= 0 and box.x1 <= page[0] and box.y1 <= page[1]


def shown(axis):
    return [t.get_text() for t in axis.get_ticklabels()]


@pytest.mark.parametrize("make", [effects.effects, effects.contrasts])
@pytest.mark.parametrize("trainings, std", [((0, 1, 2), 0.05), ((0, 1), 0.4), ((0,), 0.1), ((), 0)])
def test_forest(make, trainings, std):
    findings = make(list(trial(noisy(std=std), trainings)))
    fig = forest.forest(findings)
    assert inside(fig) and fig.get_size_inches()[0] <= 9
    (ax,) = fig.axes
    low, high = ax.get_xlim()
    dots = [
        tuple(xy)
        for line in ax.lines
        if line.get_marker() == "."
        for xy in zip(*line.get_data(), strict=True)
    ]
    assert sorted(x for x, _ in dots) == sorted(v for f in findings for v in f.runs.values())
    bars = [(*c.get_segments()[0][:, 0], c.get_segments()[0][0, 1]) for c in ax.collections]
    assert bars == [(f.low, f.high, y) for y, f in enumerate(findings) if len(f.runs) > 1]
    assert all(low < a and b < high for a, b, _ in bars)
    assert [t.get_text() for t in ax.texts] == [f.verdict for f in findings]
    assert shown(ax.yaxis) == [f"{f.name} ({f.solver})" for f in findings]
    assert all(low < x < high and y // 1 == round(y - 0.28) for x, y in dots)


def test_forest_marks_round_changes_and_the_band_of_a_tenth():
    rows = trial(lambda arm, walk, k: (0.7 + k / 100) * walk.endswith("phi"))
    (ax,) = forest.forest(effects.effects(list(rows))[:6]).axes
    labels = dict(zip(shown(ax.xaxis), ax.get_xticks(), strict=True))
    assert {"0", "+10%", "+50%", "+100%"} <= set(labels)
    assert labels["+100%"] == pytest.approx(math.log(2)) and labels["0"] == 0
    (band,) = ax.patches
    ends = band.get_x(), band.get_x() + band.get_width()
    assert ends == pytest.approx((-math.log(1.1), math.log(1.1)))


@pytest.mark.parametrize("far", [-5.0, -0.5, 0.0, 0.5, 1.77, 9.0])
@pytest.mark.parametrize("make", [effects.effects, effects.contrasts])
def test_ticks_never_collide(make, far):
    """One change from nothing to 8,000-fold, over longer or shorter names."""
    log_distance = lambda arm, walk, k: far * (1 + 0.1 * k) * walk.endswith("phi")  # noqa: E731
    fig = forest.forest(make(list(trial(log_distance))))
    fig.draw_without_rendering()
    (ax,) = fig.axes
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert all(a.x1 < b.x0 for a, b in zip(boxes[:-1], boxes[1:], strict=True))
    assert inside(fig) and "0" in shown(ax.xaxis) and len(boxes) >= 3
    if abs(far) <= 0.5 and make is effects.effects:
        assert {"-10%", "+10%"} <= set(shown(ax.xaxis))


def test_solvers_and_walks_differ_by_colour_and_by_marker():
    for looks in (forest.SOLVER_LOOKS, forest.WALKS):
        colors, markers, *_ = zip(*looks.values(), strict=True)
        assert len(set(colors)) == len(set(markers)) == len(looks) and set(colors) <= set(COLORS)


def test_arms():
    rows = list(trial(noisy()))
    fig = forest.arms(rows)
    assert inside(fig) and fig.get_size_inches()[0] <= 9
    assert [ax.get_title() for ax in fig.axes] == ["Euler", "Heun"]
    names = shown(fig.axes[0].yaxis)
    assert names[0] == "EDM" and names[-1] == "DDPM" and len(names) == 8
    for ax, solver in zip(fig.axes, ("Euler", "Heun"), strict=True):
        dots = [x for line in ax.lines if line.get_marker() == "." for x in line.get_xdata()]
        own = [
            r["frechet"] / 10
            for r in rows
            if r["sampler"] == "respaced" or r["sampler"].startswith(solver)
        ]
        assert sorted(dots) == pytest.approx(sorted(own)) and ax.get_xscale() == "log"
        assert all(ax.get_xlim()[0] < x < ax.get_xlim()[1] for x in dots)
    (legend,) = fig.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "EDM's grid",
        "phi*'s grid",
        "DDPM's levels, η = 0",
        "DDPM's levels, η = 1",
    ]


def test_arms_of_a_small_trial():
    fig = forest.arms(list(trial(trainings=(0,), arms=("EDM", "phi both without lambda"))))
    assert inside(fig) and shown(fig.axes[0].yaxis) == ["EDM", "phi both without lambda"]


def test_nothing_to_draw_is_refused():
    with pytest.raises(ValueError, match="there are no findings"):
        forest.forest([])
    with pytest.raises(ValueError, match="there are no rows"):
        forest.arms([])
    with pytest.raises(ValueError, match="N = 5, 800"):
        forest.arms([row(), row(N=5)])


def test_a_finding_that_is_not_run_has_its_row():
    found = effects.effects([r for r in trial() if not r["sampler"].startswith("Euler")])
    assert named(found, "grid", "Euler").verdict == "not run"
    (ax,) = forest.forest(found).axes
    assert [t.get_text() for t in ax.texts].count("not run") == 6
