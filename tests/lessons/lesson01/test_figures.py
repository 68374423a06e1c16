"""The drawings of lesson 01 show the numbers that they are handed, and those alone."""

import numpy as np
import pytest
from matplotlib.colors import to_rgba

from diffutils import viz
from diffutils.lessons.lesson01 import figures

random = np.random.default_rng(0)
Y = np.linspace(-2, 2, 60)
EXACT = np.exp(-(Y**2) / 2) / np.sqrt(2 * np.pi)
PATHS = random.normal(size=(40, 3))


def colors_of(lines):
    return [to_rgba(line.get_color()) for line in lines]


def test_histograms_have_a_panel_each_with_the_exact_density():
    samples = random.normal(size=500).clip(-1.9, 1.9)
    fig = figures.histograms({name: (samples, EXACT) for name in "abc"}, Y, rows=2)
    shown = [ax for ax in fig.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["a", "b", "c"] and len(fig.axes) == 4
    for ax in shown:
        assert sum(bar.get_height() * bar.get_width() for bar in ax.patches) == pytest.approx(1)
        assert np.array_equal(ax.lines[0].get_ydata(), EXACT)


@pytest.mark.parametrize(
    "colors", [(), ["blue", "green", "sky"], np.array(["blue", "green", "sky"])]
)
def test_a_river_carries_every_path_in_its_colour(colors):
    ax = viz.figure()[1]
    figures.river(ax, PATHS, Y, np.tile(EXACT, (40, 1)), colors)
    assert np.array_equal([line.get_ydata() for line in ax.lines], PATHS.T)
    wanted = [to_rgba(viz.COLORS[name]) for name in (colors if len(colors) else ["vermilion"] * 3)]
    assert colors_of(ax.lines) == wanted and ax.get_xlim() == (0, 39)


def test_a_path_without_a_colour_is_refused():
    with pytest.raises(ValueError, match="zip"):
        figures.river(viz.figure()[1], PATHS, Y, np.tile(EXACT, (40, 1)), ["blue"])


def test_the_title_picture_sets_images_above_one_river():
    images = random.uniform(-1, 1, (3, 1, 8, 8))
    fig = figures.title_picture(images, (0, 20, 39), PATHS, Y, np.tile(EXACT, (40, 1)))
    *tops, river = fig.axes
    assert [ax.get_title() for ax in tops] == ["t = 0", "t = 20", "t = 39"]
    assert len(river.lines) == 3 and river.get_xlabel() == "step t"


def test_knowledge_draws_guess_and_score_over_the_density():
    fig = figures.knowledge({"early": (EXACT, Y / 2, -Y), "late": (EXACT, Y, -2 * Y)}, Y)
    guesses, scores = fig.axes[:2], fig.axes[2:]
    for ax, values in zip([*guesses, *scores], (Y / 2, Y, -Y, -2 * Y), strict=True):
        assert any(np.array_equal(line.get_ydata(), values) for line in ax.lines)
    assert [ax.get_title() for ax in guesses] == ["early", "late"]


def test_the_way_back_stands_between_its_start_and_its_end():
    times, start, end = np.arange(39, -1, -1), random.normal(size=400), random.uniform(0, 1, 400)
    runs = {name: (PATHS, np.array([0, 1, 2]), end) for name in ("random", "exact")}
    fig = figures.reversal(runs, times, start.clip(-2, 2), Y, (EXACT, EXACT / 2))
    assert len(fig.axes) == 6
    for row, name in enumerate(runs):
        first, main, last = fig.axes[3 * row : 3 * row + 3]
        assert (first.get_title(), main.get_title(), last.get_title()) == ("start", name, "end")
        assert colors_of(main.lines) == [to_rgba(viz.COLORS[name]) for name in figures.BANDS]
        assert np.array_equal(first.lines[0].get_xdata(), EXACT)
        assert np.array_equal(last.lines[0].get_xdata(), EXACT / 2)
        assert sum(bar.get_width() * bar.get_height() for bar in last.patches) == pytest.approx(1)
        assert first.get_ylabel() == "brightness"
