"""Curves, losses, bars and logarithmic axes: what is drawn, and how it is told apart."""

import numpy as np
import pytest
import torch

from diffutils import viz
from diffutils.viz import plots


def test_curves_differ_by_colour_and_by_dashes():
    x = torch.linspace(0, 1, 5)
    lines = plots.curves({str(i): (x, x + i) for i in range(5)}, log="y").axes[0].lines
    assert len({line.get_color() for line in lines}) == 5
    neighbours = zip(lines, lines[1:], strict=False)
    assert all(a.get_linestyle() != b.get_linestyle() for a, b in neighbours)
    assert lines[0].axes.get_yscale() == "log" and lines[0].axes.get_xscale() == "linear"


def test_loss_curves_show_raw_values_and_their_mean():
    steps, losses = np.arange(100), np.tile([1.0, 3.0], 50)
    ax = plots.loss_curves(
        {"train": (steps, losses), "held-out": (steps[::20], losses[::20])},
        band=(0.5, 1),
        smooth=2,
    ).axes[0]
    raw, mean = ax.lines[:2]
    np.testing.assert_array_equal(raw.get_ydata(), losses)
    np.testing.assert_allclose(mean.get_ydata(), 2.0)
    np.testing.assert_allclose(mean.get_xdata()[:2], [0.5, 1.5])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["train", "held-out", "expected at the end"]


def test_bars_draw_values_intervals_and_references():
    fig = plots.bars({"ours": (2.0, 1.5, 2.5), "theirs": 3.0}, reference={"floor": 0.4})
    ax = fig.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [2.0, 3.0]
    assert [text.get_text() for text in ax.texts] == ["2", "3"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ours", "theirs"]
    assert ax.containers[1].has_xerr


def test_charts_draw_into_given_axes():
    fig, axes = viz.figure(columns=3)
    assert plots.curves({"a": ([0, 1], [1, 2])}, ax=axes[0]) is fig
    assert plots.loss_curves({"a": ([0, 1], [1, 2])}, ax=axes[1]) is fig
    assert plots.bars({"a": 1.0}, ax=axes[2]) is fig


def numbers(axis):
    axis.figure.canvas.draw()
    low, high = axis.get_view_interval()
    labels = zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    return [text.get_text() for place, text in labels if low <= place <= high]


def test_a_logarithmic_axis_has_numbers_without_exponents():
    _, ax = viz.figure(width=6)
    ax.plot([0.004, 3000], [0.5, 40])
    viz.plain_log_axis(ax.xaxis, subs=(1,))
    viz.plain_log_axis(ax.yaxis)
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert numbers(ax.xaxis) == ["0.01", "0.1", "1", "10", "100", "1,000"]
    assert numbers(ax.yaxis) == ["0.5", "1", "2", "5", "10", "20"]
    assert not len(ax.xaxis.get_minorticklocs())


def test_a_logarithmic_axis_may_have_chosen_numbers_only():
    _, ax = viz.figure()
    ax.plot([5, 1000], [1, 2])
    viz.plain_log_axis(ax.xaxis, ticks=[1000, 5, 35])
    assert numbers(ax.xaxis) == ["5", "35", "1,000"] and ax.get_yscale() == "linear"


def test_an_axis_that_reaches_zero_is_linear_there():
    _, ax = viz.figure()
    ax.plot([0, 1], [-0.5, 200])
    viz.plain_log_axis(ax.yaxis, linear_to=2.0)
    assert ax.get_yscale() == "symlog" and {"0", "10", "100"} <= {*numbers(ax.yaxis)}
    at = ax.yaxis.get_transform().transform(np.array([0.0, 1.0, 2.0]))
    assert at[1] - at[0] == pytest.approx(at[2] - at[1])


NAMES = {f"class {i}": i + 1.0 for i in range(300)}


def test_of_three_hundred_bars_the_first_are_drawn_and_the_title_says_so():
    ax = plots.bars(NAMES, title="Distance", reference=NAMES).axes[0]
    assert len(ax.patches) == plots.BARS
    assert ax.get_title() == "Distance (the first 40 of 300)"
    (legend,) = ax.figure.legends
    assert legend.get_title().get_text() == "the first 20 of 300"
    assert ax.figure.get_figheight() < 30


@pytest.mark.parametrize("draw", [plots.curves, plots.loss_curves])
def test_of_three_hundred_curves_the_legend_names_the_first(draw):
    ax = draw({name: ([1, 2], [i, i]) for name, i in NAMES.items()}).axes[0]
    assert len(ax.lines) == 300
    assert len(ax.get_legend().get_texts()) == plots.NAMED
    assert ax.get_legend().get_title().get_text() == "the first 20 of 300"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: plots.curves({}),
        lambda: plots.curves({"a": ([], []), "b": ([1], [float("nan")])}),
        lambda: plots.curves({r"$\frac": ([1], [1]), "$5 or $6_": ([1], [1])}, x=r"$\frac"),
        lambda: plots.loss_curves({"a": ([], []), "b": ([1], [1.0])}, smooth=50),
        lambda: plots.bars({}),
        lambda: plots.bars({"a": float("nan"), "b": float("inf"), "c": (1, -np.inf, np.inf)}),
        lambda: plots.bars({"a": torch.tensor(1.0), "b": np.array([1, 0.5, 2])}),
    ],
)
def test_little_and_odd_input_gives_a_figure(draw):
    draw().canvas.draw()


@pytest.mark.parametrize(
    ("draw", "said"),
    [
        (lambda: plots.curves({"a": ([1, 2], [1])}), "a needs|a y for each x"),
        (lambda: plots.loss_curves({"a": (1, 2)}), "a y for each x"),
        (lambda: plots.bars({"a": (1, 2)}), "a is .*expected one number"),
        (lambda: plots.bars({"a": (1, 2, 3)}), "a value with low and high"),
        (lambda: plots.bars({"a": "x"}), "expected one number"),
        (lambda: plots.bars({"a": 10**400}), "expected one number"),
    ],
)
def test_what_cannot_be_drawn_is_named(draw, said):
    with pytest.raises(ValueError, match=said):
        draw()
