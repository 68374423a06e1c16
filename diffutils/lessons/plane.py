"""A world of two numbers: points on two moons, its exact denoiser, and pictures of both.

Between a pixel, of which all is known, and an image, of which little is, stand data that fit on a
sheet of paper.  To a network a point is an image of two channels and one pixel.
"""

import math
from collections.abc import Callable, Mapping
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from diffutils import denoisers, rng
from diffutils.viz import COLORS, figure, style

REACH = 1.2  # of the pictures, to each side
INKS = ("blue", "green", "purple", "orange", "sky", "black")


class World(NamedTuple):
    """A mixture of round bumps in the plane: weights (K,), means (K, 2), stds (K,), float64."""

    weights: Tensor
    means: Tensor
    stds: Tensor


def moons(bumps: int = 30, width: float = 0.04) -> World:
    """Two half circles that reach into one another: equal bumps, equally far apart along them."""
    angle = torch.linspace(0, math.pi, bumps, dtype=torch.float64)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], 1)
    means = 0.6 * torch.cat([upper, -upper])
    even = torch.ones(len(means), dtype=torch.float64)
    return World(even / len(means), means, width * even)


def points(world: World, n: int, seed: int) -> Float[Tensor, "n 2"]:
    """n points of a world, float32; point i depends on (seed, i) alone."""
    index = torch.arange(n)
    u = rng.uniform(seed, 0, index, 1)[:, 0].double()
    bump = torch.searchsorted(world.weights.cumsum(0), u).clamp(max=len(world.weights) - 1)
    noise = rng.normal(seed, 1, index, (2,)).double()
    return (world.means[bump] + world.stds[bump, None] * noise).float()


def exact(world: World) -> Callable[[Tensor, Tensor | float], Tensor]:
    """E[x0 | x] of a world, by `denoisers.mixture`; x: (B, 2)."""
    return denoisers.mixture(*world)


@torch.no_grad()
def least_loss(world: World, sigmas: Tensor, n: int = 4000, seed: int = 0) -> float:
    """The loss |guess - noise|^2 of the exact denoiser, which no network beats: mean over sigmas.

    Per coordinate, as means over pixels are; the noise that D guesses is (x - D)/sigma.
    """
    x0 = points(world, n, seed).double()
    noise = rng.normal(seed, 2, torch.arange(n), (2,)).double()
    D, losses = exact(world), []
    for sigma in sigmas.tolist():
        guess = (x0 + sigma * noise - D(x0 + sigma * noise, sigma)) / sigma
        losses.append((guess - noise).square().mean())
    return float(torch.stack(losses).mean())


def _sheet(ax: Any, world: World, title: str, reach: float) -> None:
    """An empty sheet: the world in grey, equal axes, no ticks."""
    ax.scatter(*world.means.T, s=6, color="0.75", zorder=1)
    ax.set(xlim=(-reach, reach), ylim=(-reach, reach), title=title, aspect="equal")
    ax.set(xticks=[], yticks=[])
    ax.grid(False)


@style()
def field(
    world: World,
    denoisers: Mapping[str, Callable[[Tensor, float], Tensor]],
    levels: Mapping[str, float],
    reach: float = REACH,
) -> Any:
    """Figure of arrows from x towards D(x, sigma): a row for each denoiser, a column for a level.

    levels: sigma by what it is called.  Arrows have the score's direction, and a fifth of the root
    of |D - x| as their length, so that small ones can be seen.
    """
    fig, axes = figure(len(denoisers), len(levels), 2.9, 2.9)
    line = torch.linspace(-0.92 * reach, 0.92 * reach, 13)
    x = torch.cartesian_prod(line, line)
    rows = np.reshape(axes, (len(denoisers), -1))
    for row, (name, D) in zip(rows, denoisers.items(), strict=True):
        for ax, (level, sigma) in zip(row, levels.items(), strict=True):
            _sheet(ax, world, f"{name}, {level}", reach)
            with torch.no_grad():
                away = D(x, sigma) - x
            u, v = (0.2 * away / away.norm(dim=1, keepdim=True).clamp(min=1e-12).sqrt()).T
            look = {"angles": "xy", "scale_units": "xy", "scale": 1, "width": 0.006}
            ax.quiver(*x.T, u, v, color=COLORS["blue"], zorder=2, **look)
    return fig


@style()
def paths(
    world: World, ways: Mapping[str, Float[Tensor, "T n 2"]], lines: int = 3, reach: float = 1.8
) -> Any:
    """Figure of points from noise to where they end, a panel for every way.

    A dot for the end of each of the n points, and a line for the way of the first `lines`.
    """
    fig, axes = figure(1, len(ways), 2.9, 2.9)
    for ax, (name, states) in zip(np.atleast_1d(axes), ways.items(), strict=True):
        _sheet(ax, world, name, reach)
        ax.scatter(*states[-1].T, s=4, color=COLORS["vermilion"], zorder=2)
        for path, color in zip(states[:, :lines].transpose(0, 1), cycle(INKS), strict=False):
            ax.plot(*path.T, color=COLORS[color], lw=0.9, zorder=3)
            ax.scatter(*path[-1], s=22, color=COLORS[color], ec="black", lw=0.5, zorder=4)
    return fig


@style()
def tangents(
    world: World,
    way: Float[Tensor, "T 2"],
    walks: Mapping[str, tuple[Float[Tensor, "n 2"], Float[Tensor, "m 2"]]],
    reach: float = REACH,
) -> Any:
    """Figure of the exact way of one point, and of walks that try to follow it, a panel each.

    walks: name -> their states, and the estimate D where they asked for it; the dashed line from a
    state to its D is the tangent, since d = (x - D)/sigma.
    """
    fig, axes = figure(1, len(walks), 2.9, 2.9)
    for ax, (name, (states, answers)) in zip(np.atleast_1d(axes), walks.items(), strict=True):
        _sheet(ax, world, name, reach)
        ax.plot(*way.T, color="0.55", lw=2.5, zorder=2)
        for x, D in zip(states, answers, strict=False):
            ax.plot(*torch.stack([x, D]).T, color=COLORS["sky"], ls="--", lw=0.9, zorder=3)
        ax.plot(*states.T, color=COLORS["vermilion"], marker="o", ms=4, lw=1.4, zorder=4)
    return fig
