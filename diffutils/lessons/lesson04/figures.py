"""Figures of the noise coordinates phi(sigma): where they put noise, and how SSIM falls in them."""

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from diffutils import rng, schedules
from diffutils.data import to_float
from diffutils.lessons.lesson04.search import CS, Curves, Sigmas, r2_of_c
from diffutils.lessons.lesson04.stability import readings
from diffutils.methods import perceptual
from diffutils.methods.perceptual import SIGMA_MAX, SIGMA_MIN, Coordinate, equal_steps
from diffutils.viz import COLORS, DPI, figure, pixels, plain_log_axis, style
from diffutils.viz.paper import empty

INKS = ("blue", "vermilion", "green", "purple", "orange", "sky")
MARKERS = ("o", "s", "^", "D", "v", "P")
MARKS = (0.01, 0.5, 0.99)  # shares of the draws whose noise levels are marked
Picture = UInt8[Tensor, "C H W"]
TILE = 88  # dots: the least side of an image in a row, wide enough for its noise level


@style()
def fall(ax: Any, curves: Curves, sigmas: Sigmas, coordinate: Coordinate) -> float:
    """Draw SSIM at 50 equal steps of a coordinate into `ax`, and return the mean R^2 over images.

    Thin lines are the images, the thick one is their mean, the dashed one its least-squares line.
    Raises: ValueError as `perceptual.r_squared`.
    """
    # Measure.
    phi, levels = equal_steps(coordinate)
    ssim = perceptual.interpolate(levels.log(), sigmas.double().log(), curves.double()).numpy()
    x, mean = phi.numpy(), ssim.mean(0)
    slope, offset = np.polyfit(x, mean, 1)
    # Draw.
    thin = ax.plot(x, ssim.T, color=COLORS["sky"], linewidth=0.6, alpha=0.7)
    thin[0].set_label("one image")
    ax.plot(x, mean, color=COLORS["blue"], linewidth=2.2, label="mean over images")
    ends, dashed = x[[0, -1]], {"color": COLORS["vermilion"], "linestyle": "--"}
    ax.plot(ends, offset + slope * ends, linewidth=1.5, label="straight line", **dashed)
    ax.set(ylim=(-0.05, 1.05))
    return float(perceptual.r_squared(curves, sigmas, coordinate).mean())


@style()
def degradation(curves: Curves, sigmas: Sigmas, coordinates: Sequence[Coordinate]) -> Any:
    """Figure with one panel for each coordinate as in `fall`, titled with its name and mean R^2.

    Raises: ValueError as `perceptual.r_squared`.
    """
    columns = min(3, len(coordinates))
    rows = math.ceil(len(coordinates) / columns)
    fig, axes = figure(rows, columns, 9 / columns, 2.5, squeeze=False, sharey=True)
    for ax, coordinate in zip(axes.flat, coordinates, strict=False):
        r2 = fall(ax, curves, sigmas, coordinate)
        ax.set(title=f"{coordinate.name}\nmean R² = {r2:.3f}", xlabel="φ")
        ax.tick_params(labelleft=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("SSIM")
    for ax in axes.flat[len(coordinates) :]:
        ax.remove()
    handles, labels = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, labels, loc="outside lower center", ncols=3, handlelength=3)
    return fig


@style()
def noisy_grid(
    image: Picture, coordinates: Sequence[Coordinate], n: int = 10, seed: int = 0
) -> Any:
    """Figure of clamp(x0 + sigma noise, -1, 1) at n equal steps of each coordinate, a row for each.

    The noise is the same in all tiles.  A pixel becomes a whole number of dots: nothing is blurred.
    """
    # Add the noise.
    levels = torch.stack([equal_steps(coordinate, n)[1] for coordinate in coordinates])
    scale = max(1, math.ceil(TILE / image.shape[2]))
    tiles = _noisy(image, levels, seed).repeat(scale, 1).repeat(scale, 2)
    # Set the tiles side by side, dot by dot, with room for the levels above each row.
    letter = max(1.0, n * (tiles.shape[2] + 2) / 900)  # a wide figure is shown smaller
    above = round(34 * letter)
    cells = np.pad(tiles, ((0, 0), (above, 2), (0, 2), (0, 0)), constant_values=255)
    _, height, width, _ = cells.shape
    canvas = cells.reshape(-1, n, height, width, 3).swapaxes(1, 2).reshape(-1, n * width, 3)
    fig = empty(canvas.shape[1] / DPI, canvas.shape[0] / DPI, layout="none")
    ax = fig.add_axes((0, 0, 1, 1))
    ax.imshow(canvas, aspect="auto")
    ax.set_axis_off()
    # Write the levels.
    for row, (coordinate, sigmas) in enumerate(zip(coordinates, levels.tolist(), strict=True)):
        y = row * height + above - 3 * letter
        for column, sigma in enumerate(sigmas):
            x = (column + 0.5) * width
            ax.text(x, y, f"σ = {sigma:.3g}", ha="center", va="bottom", size=8 * letter)
        bold = {"va": "bottom", "size": 9 * letter, "weight": "bold"}
        ax.text(0, y - 14 * letter, f"equal steps of {coordinate.name}", **bold)
    return fig


def quantiles(
    c: float = 0.3, P_mean: float = -1.2, P_std: float = 1.2, at: Sequence[float] = MARKS
) -> dict[str, list[float]]:
    """The training noise levels below which the shares `at` of the draws lie.

    "phi*" is uniform in sigma / (sigma + c) from 0.002 to 80 (SSIMBaD), "EDM" is
    ln sigma ~ N(P_mean, P_std^2) (Karras et al. 2022, table 1).
    """
    u = torch.tensor(at, dtype=torch.float64)
    drawn = {"phi*": schedules.log_logistic(c), "EDM": schedules.log_normal(P_mean, P_std)}
    return {name: schedule(u).tolist() for name, schedule in drawn.items()}


@style()
def densities(c: float = 0.3, P_mean: float = -1.2, P_std: float = 1.2) -> Any:
    """Figure of the density of ln sigma in training: uniform in phi*, and EDM's.

    Uniform in phi* means ln sigma ~ Logistic(ln c, 1), cut off at 0.002 and 80.  Vertical lines are
    the medians; the markers on each curve are its 1 %, 50 % and 99 % quantiles.
    """
    uniform = partial(schedules.log_logistic_density, c=c)
    normal = partial(schedules.log_normal_density, P_mean=P_mean, P_std=P_std)
    shown = (  # name, density, where it begins, colour, line and marker
        (f"uniform in σ/(σ+{c:.3g})", uniform, SIGMA_MIN, COLORS["blue"], "-", "o"),
        (f"EDM: ln σ ~ N({P_mean:g}, {P_std:g}²)", normal, SIGMA_MIN / math.e,
         COLORS["vermilion"], "--", "s"),
    )  # fmt: skip
    fig, ax = figure(width=7.2, height=3.4)
    marks = quantiles(c, P_mean, P_std).values()
    for (name, density, lowest, color, dashes, marker), at in zip(shown, marks, strict=True):
        x = torch.from_numpy(np.geomspace(lowest, SIGMA_MAX, 400))
        y = density(torch.tensor(at, dtype=torch.float64))
        line = {"color": color, "linestyle": dashes}
        label = f"{name}\n1 %, 50 %, 99 %: " + ", ".join(f"{sigma:.3g}" for sigma in at)
        ax.plot(x, density(x), linewidth=2, label=label, **line)
        ax.vlines(at[1], 0, float(y[1]), linewidth=1.2, **line)
        ax.plot(at, y, marker, color=color, markersize=7)
    ax.set(xlabel="noise level σ", ylabel="density of ln σ", ylim=(0, None))
    plain_log_axis(ax.xaxis, subs=(1,))
    fig.legend(loc="outside lower center", ncols=2, handlelength=3)
    return fig


@style()
def grids(named: Mapping[str, schedules.Schedule], n: int) -> Any:
    """Figure of the n noise levels that each schedule walks through: a row of ticks for each.

    The last step, from the lowest level to 0, is not shown.
    Raises: ValueError as `schedules.levels`.
    """
    fig, ax = figure(width=8.4, height=1.0 + 0.42 * len(named))
    for row, (name, schedule) in enumerate(named.items()):
        color, marker = COLORS[INKS[row % len(INKS)]], MARKERS[row % len(MARKERS)]
        levels = schedules.levels(schedule, n)[:-1].numpy()
        ax.vlines(levels, row - 0.3, row + 0.3, color=color, linewidth=1.2)
        ax.plot(levels, np.full(n, row), marker, color=color, markersize=3.5, label=name)
    ax.set_yticks(range(len(named)), list(named))
    ax.set(xlabel=f"noise level σ of the {n} steps", ylim=(len(named) - 0.5, -0.5))
    ax.grid(axis="y", visible=False)
    plain_log_axis(ax.xaxis, subs=(1,))
    return fig


@style()
def straightness(
    curves: Curves, sigmas: Sigmas, c: float, r2: Sequence[float] | None = None, ax: Any = None
) -> Any:
    """Figure of SSIM against sigma / (sigma + c) with its line, and of R^2 against every c.

    r2: of `search.r2_of_c`, computed here if not given.  With `ax` both panels stand inside it.
    Raises: ValueError as `perceptual.r_squared`, and for c <= 0.
    """
    coordinate = perceptual.phi_star(c)
    r2 = r2_of_c(curves, sigmas) if r2 is None else r2
    ax = figure(width=8.4, height=3.0)[1] if ax is None else ax
    ax.set_axis_off()
    left, right = ax.inset_axes((0, 0, 0.42, 1)), ax.inset_axes((0.6, 0, 0.4, 1))
    # Draw SSIM in this coordinate.
    found = fall(left, curves, sigmas, coordinate)
    left.set(xlabel=f"φ = {coordinate.name}", ylabel="SSIM", xlim=(0, 1))
    _below(left, left.get_legend_handles_labels()[0], ["image", "mean", "line"], 2)
    # Draw R² of all, and mark the best and this one.
    right.plot(CS, r2, color=COLORS["blue"], linewidth=1.8)
    best = max(range(len(CS)), key=r2.__getitem__)
    for x, y, marker, color in (CS[best], r2[best], "*", "green"), (c, found, "o", "vermilion"):
        right.plot(x, y, marker, color=COLORS[color], markersize=10, clip_on=False)
    plain_log_axis(right.xaxis, subs=(1,))
    right.set(xlabel="c", ylabel="mean R²", xlim=(CS[0], CS[-1]), ylim=(0, 1.05))
    named = f"best: c = {CS[best]:.3g}, R² = {r2[best]:.3f}", f"here: c = {c:.3g}, R² = {found:.3f}"
    _below(right, right.lines[1:], named, 1)
    return ax.figure


@style()
def at_level(
    image: Picture, sigma: float, coordinates: Sequence[Coordinate], seed: int = 0, ax: Any = None
) -> Any:
    """Figure of an image, the same with noise, and the `readings` of that level beside them.

    With `ax` all of it stands inside `ax`.  Raises: ValueError as `readings`.
    """
    found = readings(image, sigma, coordinates, seed)
    ax = figure(width=8.4, height=3.0)[1] if ax is None else ax
    ax.set_axis_off()
    # Show the images.
    both = _noisy(image, torch.tensor([0, sigma]), seed)
    for left, shown, title in zip((0, 0.29), both, ("clean", f"σ = {sigma:.3g}"), strict=True):
        panel = ax.inset_axes((left, 0, 0.28, 0.9))
        panel.imshow(shown)
        panel.set_title(title)
        panel.set_axis_off()
    # Show the readings as bars.
    bars = ax.inset_axes((0.6, 0, 0.4, 0.7))
    for row, (name, value) in enumerate(found["phi"].items()):
        bars.barh(row, 1, height=0.36, color="#E5E5E5")
        bars.barh(row, value, height=0.36, color=COLORS[INKS[row % len(INKS)]])
        bars.text(0, row - 0.25, f"{name}: {value:.3f}", va="bottom", size=8)
    bars.set(xlim=(0, 1), ylim=(len(coordinates) - 0.7, -0.8), yticks=[], xticks=[0, 0.5, 1])
    bars.spines["left"].set_visible(False)
    bars.grid(visible=False)
    bars.set_xlabel("φ, 0 at σ = 0.002 and 1 at 80", loc="left")
    snr = f"SNR {found['snr']:.3g} ({10 * math.log10(found['snr']):.0f} dB),\nmean x₀² / σ²"
    bars.set_title(f"SSIM {found['ssim']:.3f}\n{snr}", loc="left", size=9)
    return ax.figure


def _below(ax: Any, handles: Sequence[Any], labels: Sequence[str], columns: int) -> None:
    """A legend under the x label, whatever the height of the axes: inside it would cover lines."""
    from matplotlib.transforms import ScaledTranslation

    place = ax.transAxes + ScaledTranslation(0, -32 / 72, ax.figure.dpi_scale_trans)
    where = {"loc": "upper center", "bbox_to_anchor": (0.5, 0), "bbox_transform": place}
    close = {"borderaxespad": 0, "handlelength": 1.4, "handletextpad": 0.4, "columnspacing": 1}
    ax.legend(handles, labels, ncols=columns, markerscale=0.7, **where, **close)


def _noisy(image: Picture, sigmas: Float[Tensor, "*S"], seed: int) -> np.ndarray:
    """Pixels (S, H, W, 3) with the noise that `ssim_curve` adds to the first of its images."""
    noise = rng.normal(seed, 0, torch.arange(1), image.shape, rng.EVALUATION)
    return pixels(to_float(image) + sigmas.float().view(-1, 1, 1, 1) * noise)
