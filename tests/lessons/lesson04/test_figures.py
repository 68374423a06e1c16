"""The figures of the noise coordinates: what is drawn against numpy, scipy and scikit-image."""

import math
import time

import numpy as np
import pytest
import torch
from scipy import stats

from diffutils import rng, schedules
from diffutils.data import load
from diffutils.lessons.lesson04 import figures as C
from diffutils.lessons.lesson04 import search as S
from diffutils.lessons.lesson04 import stability as T
from diffutils.methods import perceptual as P
from diffutils.viz.paper import figure

KNOWN = P.candidates()
LOG, EDM, DDPM = KNOWN["log(sigma)"], KNOWN["sigma^(1/7), EDM"], KNOWN["t, DDPM"]


@pytest.fixture(scope="module")
def images():
    return load("photos", 48, 4, heldout=1).train


@pytest.fixture(scope="module")
def sigmas():
    return P.dense_sigmas()


@pytest.fixture(scope="module")
def curves(images, sigmas):
    return P.ssim_curve(images, sigmas)


@pytest.fixture
def coordinates(curves, sigmas):
    return [DDPM, LOG, EDM, P.phi_star(), P.tabulated(curves, sigmas)]


def all_axes(fig):
    return [*fig.axes, *(child for ax in fig.axes for child in ax.child_axes)]


def texts_of(fig):
    """Every text that is drawn, with its box."""
    from matplotlib.text import Text

    fig.draw_without_rendering()
    shown = [t for t in fig.findobj(Text) if t.get_text() and t.get_visible()]
    hidden = [
        t
        for ax in all_axes(fig)
        if not ax.axison
        for axis in (ax.xaxis, ax.yaxis)
        for t in axis.findobj(Text)
    ]
    outside = [
        t
        for ax in all_axes(fig)
        for axis in (ax.xaxis, ax.yaxis)
        for tick in axis.get_major_ticks() + axis.get_minor_ticks()
        if not min(v := axis.get_view_interval()) <= tick.get_loc() <= max(v)
        for t in (tick.label1, tick.label2)
    ]
    return [(t, t.get_window_extent()) for t in shown if t not in hidden and t not in outside]


def assert_whole(fig):
    """Nothing written is cut off by the edge of the figure."""
    width, height = fig.bbox.size
    for text, box in texts_of(fig):
        inside = box.x0 > -1 and box.y0 > -1 and box.x1 < width + 1 and box.y1 < height + 1
        assert inside, (text.get_text(), box, width, height)


# ------------------------------------------------------------------- SSIM in coordinates


def test_fall_draws_the_images_their_mean_and_its_line(curves, sigmas):
    ax = figure()[1]
    found = C.fall(ax, curves, sigmas, P.phi_star(0.2))
    phi = np.linspace(0.002 / 0.202, 80 / 80.2, 50)
    logs = np.log(0.2 * phi / (1 - phi))
    ssim = np.stack([np.interp(logs, sigmas.log().numpy(), curve) for curve in curves.numpy()])
    *thin, mean, line = ax.lines
    for drawn, want in zip([*thin, mean], [*ssim, ssim.mean(0)], strict=True):
        np.testing.assert_allclose(drawn.get_xdata(), phi, atol=1e-12)
        np.testing.assert_allclose(drawn.get_ydata(), want, atol=1e-9)
    fit = np.polynomial.Polynomial.fit(phi, ssim.mean(0), 1)
    np.testing.assert_allclose(line.get_ydata(), fit(phi[[0, -1]]), atol=1e-9)
    np.testing.assert_allclose(line.get_xdata(), phi[[0, -1]], atol=1e-12)
    assert found == pytest.approx(np.mean([np.corrcoef(phi, y)[0, 1] ** 2 for y in ssim]))
    assert line.is_dashed() and not mean.is_dashed()
    assert mean.get_linewidth() > 2 * thin[0].get_linewidth()


def test_degradation_has_a_panel_for_each_coordinate(curves, sigmas, coordinates):
    fig = C.degradation(curves, sigmas, coordinates)
    assert len(fig.axes) == 5
    for ax, coordinate in zip(fig.axes, coordinates, strict=True):
        r2 = float(P.r_squared(curves, sigmas, coordinate).mean())
        assert ax.get_title() == f"{coordinate.name}\nmean R² = {r2:.3f}"
        np.testing.assert_allclose(ax.lines[0].get_xdata(), P.equal_steps(coordinate)[0])
    assert_whole(fig)
    (legend,) = fig.legends
    assert [t.get_text() for t in legend.get_texts()] == [
        "one image",
        "mean over images",
        "straight line",
    ]
    lowest = min(ax.xaxis.label.get_window_extent().y0 for ax in fig.axes)
    assert legend.get_window_extent().y1 < lowest
    assert fig.get_size_inches()[0] == 9


def test_straightness_marks_this_c_and_the_best(curves, sigmas):
    r2 = S.r2_of_c(curves, sigmas)
    fig = C.straightness(curves, sigmas, 0.7, r2)
    left, right = fig.axes[0].child_axes
    curve, best, here = right.lines
    assert [*curve.get_xdata()] == S.CS and [*curve.get_ydata()] == r2
    k = int(np.argmax(r2))
    assert (*best.get_xdata(), *best.get_ydata()) == (S.CS[k], r2[k])
    found = float(P.r_squared(curves, sigmas, P.phi_star(0.7)).mean())
    assert (*here.get_xdata(), *here.get_ydata()) == (0.7, found)
    assert best.get_marker() != here.get_marker() and right.get_xscale() == "log"
    legend = right.get_legend()  # its markers are those of the panel, in their colours
    assert [t.get_text() for t in legend.get_texts()] == [
        f"best: c = {S.CS[k]:.3g}, R² = {r2[k]:.3f}",
        f"here: c = 0.7, R² = {found:.3f}",
    ]
    for shown, drawn in zip(legend.legend_handles, (best, here), strict=True):
        assert shown.get_marker() == drawn.get_marker() and shown.get_color() == drawn.get_color()
    np.testing.assert_allclose(left.lines[-2].get_xdata(), P.equal_steps(P.phi_star(0.7))[0])
    assert_whole(fig)
    assert left.get_legend().get_window_extent().y1 < left.get_window_extent().y0
    without = C.straightness(curves, sigmas, 0.7).axes[0].child_axes[1].lines[0]
    assert [*without.get_ydata()] == r2


def test_straightness_is_fast_enough_for_a_slider(curves, sigmas):
    curves, r2 = curves.repeat(5, 1), S.r2_of_c(curves, sigmas)
    times = []
    for _ in range(3):
        start = time.process_time()
        C.straightness(curves, sigmas, 0.3, r2)
        times.append(time.process_time() - start)
    assert min(times) < 0.15


@pytest.mark.parametrize("c", [0.0, -1.0, math.nan])
def test_straightness_refuses_a_c_that_is_no_level(curves, sigmas, c):
    with pytest.raises(ValueError, match="c must be a positive noise level"):
        C.straightness(curves, sigmas, c)


# ------------------------------------------------------------------- images


@pytest.mark.parametrize("channels, scale", [(3, 2), (1, 2)])
def test_noisy_grid_tile_by_tile(images, channels, scale):
    image = images[0, :channels]
    coordinates = [LOG, P.phi_star(0.3)]
    fig = C.noisy_grid(image, coordinates, n=4, seed=5)
    canvas = fig.axes[0].images[0].get_array()
    noise = rng.normal(5, 0, torch.arange(1), image.shape, rng.EVALUATION)[0].numpy()
    phi = np.linspace(0.002 / 0.302, 80 / 80.3, 4)
    rows = [np.geomspace(0.002, 80, 4), 0.3 * phi / (1 - phi)]
    side, pitch = 48 * scale, 48 * scale + 2
    assert canvas.shape == (2 * (pitch + 34), 4 * pitch, 3)
    for i, levels in enumerate(rows):
        for j, sigma in enumerate(levels):
            x = np.clip(image.numpy() / 127.5 - 1 + sigma * noise, -1, 1)
            want = np.rint((x + 1) * 127.5).transpose(1, 2, 0)
            top, left = i * (pitch + 34) + 34, j * pitch
            tile = canvas[top : top + side : scale, left : left + side : scale].astype(float)
            # float32 there and float64 here may round to neighbouring grey levels
            assert np.abs(tile - want).max() <= 1
            assert np.abs(tile - want).mean() < 0.01
    said = [t.get_text() for t in fig.axes[0].texts]
    assert said == [
        "σ = 0.002",
        "σ = 0.0684",
        "σ = 2.34",
        "σ = 80",
        "equal steps of log(sigma)",
        *(f"σ = {s:.3g}" for s in rows[1]),
        "equal steps of sigma/(sigma+0.3)",
    ]


@pytest.mark.parametrize("side", [16, 64, 128])
def test_the_levels_stand_apart_and_inside(side, coordinates):
    fig = C.noisy_grid(load("photos", side, 1, heldout=1).train[0], coordinates)
    assert_whole(fig)
    for size in {t.get_size() for t, _ in texts_of(fig)}:
        assert size * 900 / (fig.bbox.width) >= 7.5  # when shown 900 dots wide
    boxes = [box for _, box in texts_of(fig)]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


@pytest.mark.parametrize("sigma", [0.0, 0.001, 81.0, math.nan])
def test_a_level_outside_the_range_is_refused(images, sigma):
    with pytest.raises(ValueError, match="must lie between 0.002 and 80"):
        C.at_level(images[0], sigma, [LOG])


def test_at_level_shows_the_readings(images, coordinates):
    fig = C.at_level(images[1], 0.4, coordinates, seed=3)
    found = T.readings(images[1], 0.4, coordinates, seed=3)
    clean, noisy, bars = fig.axes[0].child_axes
    assert np.array_equal(clean.images[0].get_array(), images[1].permute(1, 2, 0).numpy())
    noise = rng.normal(3, 0, torch.arange(1), (3, 48, 48), rng.EVALUATION)[0].numpy()
    x = np.clip(images[1].numpy() / 127.5 - 1 + 0.4 * noise, -1, 1).transpose(1, 2, 0)
    assert np.abs(noisy.images[0].get_array() - np.rint((x + 1) * 127.5)).max() <= 1
    assert [bar.get_width() for bar in bars.patches[1::2]] == [*found["phi"].values()]
    assert {bar.get_width() for bar in bars.patches[::2]} == {1}
    said = [t.get_text() for t in bars.texts]
    assert said == [f"{name}: {value:.3f}" for name, value in found["phi"].items()]
    title = bars.get_title("left")
    assert f"SSIM {found['ssim']:.3f}" in title and f"SNR {found['snr']:.3g}" in title
    assert f"({10 * math.log10(found['snr']):.0f} dB),\nmean x₀² / σ²" in title
    assert_whole(fig)


def test_slider_figures_are_whole_inside_given_axes(images, curves, sigmas, coordinates):
    """At the size that `explore` gives them, its title above."""
    for draw in (
        lambda ax: C.straightness(curves, sigmas, 0.01, ax=ax),
        lambda ax: C.at_level(images[0], 80.0, coordinates, ax=ax),
    ):
        fig, ax = figure(width=4.8, height=3.2)
        assert draw(ax) is fig
        ax.set_title("c = 0.3")
        assert_whole(fig)
        boxes = {text.get_text(): box for text, box in texts_of(fig)}
        title = boxes.pop("c = 0.3")
        assert not any(title.overlaps(box) for box in boxes.values())


@pytest.mark.parametrize("panels, width", [(1, 4.8), (2, 4.4)])
def test_the_legends_of_straightness_cover_nothing(curves, sigmas, panels, width):
    """At the sizes of `explore`: a slider's single panel, and two side by side."""
    fig, axes = figure(1, panels, width, 3.2, squeeze=False, sharex=True, sharey=True)
    r2 = S.r2_of_c(curves, sigmas)
    for ax, c in zip(axes.flat, (0.02, 3.0), strict=False):
        C.straightness(curves, sigmas, c, r2, ax=ax)
        ax.set_title(f"c = {c:g}")
    assert_whole(fig)
    legends = [panel.get_legend() for ax in axes.flat for panel in ax.child_axes]
    inside = [text for legend in legends for text in legend.get_texts()]
    boxes = [legend.get_window_extent() for legend in legends]
    boxes += [box for text, box in texts_of(fig) if text not in inside]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i])


# ------------------------------------------------------------------- densities and grids


def test_quantiles_are_the_published_ones():
    """Section 0.3 of the seeds: SSIMBaD .005, .302, 21.7; EDM .0185, .301, 4.91."""
    found = C.quantiles()
    assert [float(f"{q:.3g}") for q in found["phi*"]] == [0.00504, 0.302, 21.7]
    assert [float(f"{q:.3g}") for q in found["EDM"]] == [0.0185, 0.301, 4.91]


@pytest.mark.parametrize("c, mean, std", [(0.3, -1.2, 1.2), (0.1, 0.5, 2.0)])
def test_densities_and_quantiles_are_those_of_scipy(c, mean, std):
    logistic, normal = stats.logistic(math.log(c), 1), stats.norm(mean, std)
    low, high = logistic.cdf([math.log(0.002), math.log(80)])
    at = np.array([0.01, 0.25, 0.5, 0.9])
    found = C.quantiles(c, mean, std, at)
    np.testing.assert_allclose(found["phi*"], np.exp(logistic.ppf(low + at * (high - low))))
    np.testing.assert_allclose(found["EDM"], np.exp(normal.ppf(at)))
    fig = C.densities(c, mean, std)
    (ax,) = fig.axes
    pdfs = (lambda x: logistic.pdf(x) / (high - low)), normal.pdf
    for lines, pdf in zip((ax.lines[:2], ax.lines[2:]), pdfs, strict=True):
        for line in lines:  # the curve, then the marks on it
            sigma, density = line.get_data()
            np.testing.assert_allclose(density, pdf(np.log(sigma)), rtol=1e-6)
    x, y = np.log(ax.lines[0].get_xdata()), ax.lines[0].get_ydata()
    assert np.trapezoid(y, x) == pytest.approx(1, abs=1e-3)
    assert (math.exp(x[0]), math.exp(x[-1])) == pytest.approx((0.002, 80))
    marks = C.quantiles(c, mean, std)
    assert [[*ax.lines[i].get_xdata()] for i in (1, 3)] == [*marks.values()]
    medians = [group.get_segments()[0][0][0] for group in ax.collections]
    assert medians == [quantiles[1] for quantiles in marks.values()]


def test_the_two_densities_differ_by_dash_and_marker_too():
    fig = C.densities()
    (ax,) = fig.axes
    assert [line.is_dashed() for line in ax.lines[::2]] == [False, True]
    assert len({line.get_marker() for line in ax.lines[1::2]}) == 2
    assert_whole(fig)
    (legend,) = fig.legends
    assert [t.get_text().split("\n")[1] for t in legend.get_texts()] == [
        "1 %, 50 %, 99 %: 0.00504, 0.302, 21.7",
        "1 %, 50 %, 99 %: 0.0185, 0.301, 4.91",
    ]


def test_grids_draw_every_level_once():
    named = {
        "EDM": schedules.karras(),
        "phi*": schedules.log_logistic(),
        "DDPM": schedules.Discrete(schedules.linear_betas()),
    }
    fig = C.grids(named, 10)
    (ax,) = fig.axes
    edm = (80 ** (1 / 7) + np.arange(10) / 9 * (0.002 ** (1 / 7) - 80 ** (1 / 7))) ** 7
    phi = np.linspace(80 / 80.3, 0.002 / 0.302, 10)
    abar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))[999::-100]
    want = [edm, 0.3 * phi / (1 - phi), np.sqrt(1 / abar - 1)]
    for row, levels in enumerate(want):
        np.testing.assert_allclose(ax.lines[row].get_xdata(), levels, rtol=1e-9)
        assert set(ax.lines[row].get_ydata()) == {row}
        drawn = [segment[0][0] for segment in ax.collections[row].get_segments()]
        np.testing.assert_allclose(drawn, levels, rtol=1e-9)
    assert [t.get_text() for t in ax.get_yticklabels()] == [*named]
    assert len({line.get_marker() for line in ax.lines}) == 3 and ax.get_xscale() == "log"
    assert_whole(fig)
    with pytest.raises(ValueError, match="sampling steps must be 1 to"):
        C.grids(named, 0)
