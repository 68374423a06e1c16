"""Drawings of lesson 01: worlds of one-pixel images. The lesson computes, these only draw."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from diffutils import viz

BANDS = ("blue", "green", "vermilion")  # colours of the dark, grey and bright pixels


@viz.style()
def histograms(
    panels: Mapping[str, tuple[np.ndarray, np.ndarray]], x: np.ndarray, rows: int = 1
) -> Any:
    """Figure of bars and a line: title -> (samples, exact density at x)."""
    fig, axes = viz.figure(rows, -(-len(panels) // rows), 3.0, 2.1, sharex=True, squeeze=False)
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for ax, (title, (samples, exact)) in zip(axes.flat, panels.items(), strict=False):
        ax.hist(samples, 90, range=(x[0], x[-1]), density=True, color=viz.COLORS["sky"])
        ax.plot(x, exact, color="black", lw=1.2)
        ax.set(title=title, yticks=[], xlim=(x[0], x[-1]))
    for ax in axes[-1]:
        ax.set_xlabel("brightness")
    return fig


@viz.style()
def river(
    ax: Any, paths: np.ndarray, y: np.ndarray, densities: np.ndarray, colors: Sequence[str] = ()
) -> None:
    """Draws densities (T, len(y)) as shading over the steps, and paths (T, n) in viz.COLORS."""
    t, shade = np.arange(len(densities)), densities.T**0.5
    thin = max(1, len(t) // 250)  # more columns than dots would only cost time
    levels = np.linspace(0, 1.2, 13)
    ax.contourf(t[::thin], y, shade[:, ::thin], levels, cmap="Blues", vmax=1.5, extend="max")
    colors = colors if len(colors) else ["vermilion"] * paths.shape[1]
    for path, color in zip(paths.T, colors, strict=True):
        ax.plot(t, path, color=viz.COLORS[color], lw=0.9)
    ax.set(xlim=(0, t[-1]), ylim=(y[0], y[-1]), xlabel="step t", ylabel="brightness")


@viz.style()
def title_picture(
    images: Any, times: Sequence[int], paths: np.ndarray, y: np.ndarray, densities: np.ndarray
) -> Any:
    """Figure of a row of images above the `river` of a pixel."""
    fig, axes = viz.figure(2, len(images), 1.3, 1.9, height_ratios=[1, 1.6])
    for ax, image, t in zip(axes[0], viz.pixels(images), times, strict=True):
        ax.imshow(image)
        ax.set_axis_off()
        ax.set_title(f"t = {t}")
    for ax in axes[1]:
        ax.remove()
    river(fig.add_subplot(axes[1, 0].get_gridspec()[1, :]), paths, y, densities)
    return fig


@viz.style()
def knowledge(panels: Mapping[str, tuple[np.ndarray, ...]], x: np.ndarray) -> Any:
    """Figure of best guess and score: title -> (density, guess, score), each at x."""
    fig, axes = viz.figure(2, len(panels), 3.0, 2.1, sharex=True, sharey="row")
    columns = zip(axes.T, viz.COLORS.values(), panels.items(), strict=False)
    for column, color, (title, (density, *values)) in columns:
        for ax, y, low in zip(column, values, (-1.3, -9), strict=True):
            top = low * (1 - 1.9 * density / density.max())
            ax.fill_between(x, low, top, color="#DDDDDD", lw=0)
            ax.axhline(0, color="black", lw=0.5)
            ax.plot(x, y, color=color, lw=2)
            ax.set_ylim(low, -low)
        column[0].plot(x, x, "k:", lw=1)
        column[0].set_title(title)
        column[1].set_xlabel("noisy pixel")
    axes[0, 0].set_ylabel("best guess")
    axes[1, 0].set_ylabel("score")
    return fig


@viz.style()
def reversal(
    runs: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]],
    times: np.ndarray,
    start: np.ndarray,
    y: np.ndarray,
    densities: tuple[np.ndarray, np.ndarray],
) -> Any:
    """Figure of the way back: name -> (paths (len(times), n), bands (n,) they end in, all ends).

    densities: exact, at y, of the start and of the end.
    """
    turned = {"orientation": "horizontal", "density": True, "color": viz.COLORS["sky"]}
    fig, axes = viz.figure(len(runs), 3, 2.9, 2.5, width_ratios=[1, 7, 1.4], sharey=True)
    for (first, main, last), (name, (paths, bands, end)) in zip(axes, runs.items(), strict=True):
        for path, band in zip(paths.T, bands, strict=True):
            main.plot(times, path, color=viz.COLORS[BANDS[band]], lw=0.9)
        main.set(xlim=(times[0], 0), ylim=(y[0], y[-1]), xlabel="step t, walked backwards")
        main.set_title(name)
        sides = (first, start, densities[0], "start"), (last, end, densities[1], "end")
        for ax, samples, exact, title in sides:
            ax.hist(samples, 80, range=(y[0], y[-1]), **turned)
            ax.plot(exact, y, "k", lw=1)
            ax.set(xticks=[], title=title)
        first.set_ylabel("brightness")
    return fig
