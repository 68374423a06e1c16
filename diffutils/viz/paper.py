"""The paper that figures are drawn on: opaque and white under any theme, in the course's style.

A figure is a white card on JupyterLab's dark theme too, and its text is dark: what is read, printed
and compared is one picture.  Matplotlib is imported by the functions that need it.
"""

import functools
import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# Okabe and Ito 2008, "Color universal design". Yellow comes last: it is hard to see on white.
COLORS = {
    "blue": "#0072B2",
    "orange": "#E69F00",
    "green": "#009E73",
    "vermilion": "#D55E00",
    "purple": "#CC79A7",
    "sky": "#56B4E9",
    "black": "#000000",
    "yellow": "#F0E442",
}
DPI = 100
MOST = 2**23  # dots of a figure of images; a notebook holds a few of them
PAPER = "white"
SETTINGS = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "axes.titlesize": 10,
    "grid.color": "#E5E5E5",
    "font.size": 9,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "savefig.dpi": "figure",
    "figure.constrained_layout.use": True,
    "image.interpolation": "nearest",
}
inside: list[None] = []  # an entry for each `style` that is entered: only the first one sets it


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib settings of the course: colour-blind-safe cycle, light grid, 100 dots per inch.

    They start from Matplotlib's own defaults, whatever the user's matplotlibrc says.
    """
    import matplotlib.style
    from cycler import cycler

    inside.append(None)
    try:
        if len(inside) > 1:
            yield
            return
        settings = SETTINGS | {"axes.prop_cycle": cycler(color=COLORS.values())}
        with matplotlib.style.context(["default", settings]):
            yield
    finally:
        inside.pop()


def figure(
    rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 2.6, **subplots: Any
) -> tuple[Any, Any]:
    """New Matplotlib figure and its axes in the course's style; `width`, `height` inches a panel.

    Only `show` displays it: no global list of figures holds it. `subplots`: of `Figure.subplots`.
    """
    fig = empty(width * columns, height * rows)
    return fig, fig.subplots(rows, columns, **subplots)


def empty(width: float, height: float, **settings: Any) -> Any:
    """New Matplotlib figure of that size in inches, without axes.

    What is drawn into it and into its axes has the course's style, in a lesson's cells too.
    """
    with style():
        return _styled_figure()(figsize=(width, height), **settings)


def is_ours(fig: Any) -> bool:
    """Whether a figure was made here, not by pyplot in the style of its user."""
    return isinstance(fig, _styled_figure())


@functools.cache
def _styled_figure() -> type:
    """Figures whose methods, and whose axes' methods, run in the course's style."""
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    axes = _in_style(Axes)

    class OfStyledAxes(Figure):
        def _process_projection_requirements(self, **wanted: Any) -> tuple[type, dict]:
            kind, settings = super()._process_projection_requirements(**wanted)
            return axes if kind is Axes else kind, settings

    return _in_style(OfStyledAxes)


def _in_style(kind: type) -> type:
    """A subclass that draws in the style: what every artist can do beside drawing is as before."""
    from matplotlib.artist import Artist

    methods = inspect.getmembers(kind, inspect.isfunction)
    public = {name: style()(method) for name, method in methods if not name.startswith("_")}
    # Matplotlib asks whether these two are overridden.
    for name in {*dir(Artist), "cla", "get_data_ratio"} - {"draw"}:
        public.pop(name, None)
    return type(f"Styled{kind.__name__}", (kind,), public)
