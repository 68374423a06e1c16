"""Figures that carry their own description: the style, `show`, `show_gif` and `explore`.

Matplotlib, Pillow, IPython and ipywidgets are imported by the functions that need them.
"""

import base64
import html
import io
import itertools
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from diffutils.weights.files import write_whole

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


@contextmanager
def style() -> Iterator[None]:
    """Matplotlib settings of the course: colour-blind-safe cycle, light grid, 100 dots per inch.

    They start from Matplotlib's own defaults, whatever the user's matplotlibrc says.
    """
    import matplotlib.style
    from cycler import cycler

    settings = {
        "axes.prop_cycle": cycler(color=COLORS.values()),
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
    with matplotlib.style.context(["default", settings]):
        yield


def figure(
    rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 2.6, **subplots: Any
) -> tuple[Any, Any]:
    """New Matplotlib figure and its axes in the course's style; `width`, `height` inches a panel.

    Only `show` displays it: no global list of figures holds it. `subplots`: of `Figure.subplots`.
    """
    with style():
        fig = empty(width * columns, height * rows)
        return fig, fig.subplots(rows, columns, **subplots)


def empty(width: float, height: float, **settings: Any) -> Any:
    """New Matplotlib figure of that size in inches, without axes, drawn in the course's style."""
    from matplotlib.figure import Figure

    class Styled(Figure):
        def draw(self, renderer: Any) -> None:  # tick labels are made only now
            with style():
                super().draw(renderer)

    return Styled(figsize=(width, height), **settings)


def show(fig: Any, alt: str, save: str | Path | None = None) -> None:
    """Displays a figure with its description `alt`, writes it as PNG to `save`, and closes it.

    Raises: ValueError if `alt` is empty; OSError if `save` cannot be written (then it is not).
    """
    _require(alt)
    data = _png(fig)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    if save is not None:
        write_whole(save, data)
    _display(data, "image/png", alt)


def show_gif(path: str | Path, alt: str) -> None:
    """Displays a GIF file, stored inside the notebook, with its description `alt`.

    Raises: ValueError if `alt` is empty; FileNotFoundError if there is no such file.
    """
    _require(alt)
    if not Path(path).is_file():
        raise FileNotFoundError(f"no GIF at {path}: write it first with gif(path, frames).")
    _display(Path(path).read_bytes(), "image/gif", alt)


def explore(
    draw: Callable[..., None],
    alt: str,
    *,
    panels: int = 4,
    width: float = 2.4,
    height: float = 2.2,
    save: str | Path | None = None,
    **options: Sequence[Any],
) -> None:
    """Shows small multiples of `draw(ax, **values)`, then sliders where somebody can move them.

    One option gives a row of panels, a second one the rows, each with at most `panels` of its
    values, evenly picked. Sliders offer all values, but only in a live notebook with ipywidgets,
    never under papermill, nbconvert or nbval, nor with DIFFUTILS_HEADLESS=1.

    Raises: ValueError if `alt` is empty, or not one or two options with values are given.
    """
    _require(alt)
    if len(options) not in (1, 2) or not all(map(len, options.values())):
        raise ValueError(
            f"explore draws one or two options, each with its values, but got {options}:"
            " pass for example noise=(0.1, 0.5, 1.0), and fix the others inside draw."
        )
    # Pick values evenly.
    shown = []
    for values in options.values():
        places = np.linspace(0, len(values) - 1, min(panels, len(values))).round().astype(int)
        shown.append([values[place] for place in places])
    across, down = [*shown, [None]][:2]
    # Draw a panel for each.
    shape = {"squeeze": False, "sharex": True, "sharey": True}
    fig, axes = figure(len(down), len(across), width, height, **shape)
    for ax, (row, column) in zip(axes.flat, itertools.product(down, across), strict=True):
        values = dict(zip(options, (column, row), strict=False))
        with style():
            draw(ax, **values)
            ax.set_title(_setting(values))
    show(fig, alt, save)
    # Offer sliders.
    if not _somebody_is_there():
        return
    import ipywidgets

    def redraw(**values: Any) -> None:
        fig, ax = figure(width=4.8, height=3.2)
        with style():
            draw(ax, **values)
        show(fig, f"{alt} Here {_setting(values)}.")

    controls = {
        name: ipywidgets.SelectionSlider(
            options=[(_text(value), value) for value in values],
            value=values[len(values) // 2],
            description=name,
            continuous_update=False,
        )
        for name, values in options.items()
    }
    ipywidgets.interact(redraw, **controls)


def _setting(values: dict[str, Any]) -> str:
    return ", ".join(f"{name} = {_text(value)}" for name, value in values.items())


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _somebody_is_there() -> bool:
    """Whether a person sits before this notebook, whom widgets can serve.

    JupyterLab and VS Code tell the kernel with every cell that they can answer input(); papermill,
    nbconvert and nbval that they cannot.
    """
    if os.environ.get("DIFFUTILS_HEADLESS") == "1" or not find_spec("ipywidgets"):
        return False
    parent = getattr(_shell(), "get_parent", dict)() or {}
    return bool(parent.get("content", {}).get("allow_stdin", False))


def _shell() -> Any:
    # A session that runs in IPython has imported it, so there is no need to import it elsewhere.
    return sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None


def _require(alt: str) -> None:
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(
            f"alt is {alt!r}, but every figure needs a description for readers who cannot see it:"
            " pass one sentence that says what the figure shows."
        )


def _display(data: bytes, kind: str, alt: str) -> None:
    # JupyterLab and nbconvert's lab template drop the alt text in an image's metadata; an <img> in
    # HTML, which they and GitHub take first, keeps it. The PNG stands beside it for what shows no
    # HTML (LaTeX, diffs), with the metadata that MyST and the classic template read; a GIF, which
    # those could not show, is stored once.
    if _shell() is None:
        print(alt)
        return
    from IPython.display import display

    text, words = base64.b64encode(data).decode(), html.escape(alt)
    image = f'<img src="data:{kind};base64,{text}" alt="{words}" style="max-width: 100%">'
    bundle = {"text/html": image, "text/plain": alt}
    if kind == "image/png":
        bundle[kind] = text
    display(bundle, raw=True, metadata={kind: {"alt": alt}})


def _png(fig: Any) -> bytes:
    """PNG of at most 256 colours where that is smaller: the notebook holds it twice."""
    from PIL import Image

    raw, full, small = io.BytesIO(), io.BytesIO(), io.BytesIO()
    with style():
        fig.savefig(raw, format="png", dpi=fig.dpi, facecolor="white")
    image = Image.open(raw).convert("RGB")
    image.save(full, format="png", optimize=True)
    # Median cut would lose colours that are rare, such as a cat's green eyes; maximum coverage
    # keeps them, and k-means moves the others to where a photograph shows no bands.
    few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    few.save(small, format="png", optimize=True)
    return min(full.getvalue(), small.getvalue(), key=len)
