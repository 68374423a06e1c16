"""Figures that carry their own description: `show`, `show_gif` and `explore`.

Matplotlib, Pillow, IPython and ipywidgets are imported by the functions that need them.
"""

import base64
import html
import io
import itertools
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from diffutils.viz.paper import MOST, PAPER, figure, is_ours, style
from diffutils.weights.files import write_whole


def show(fig: Any, alt: str, save: str | Path | None = None) -> None:
    """Displays a figure with its description `alt`, writes it as PNG to `save`, and closes it.

    Raises: ValueError if `alt` is empty, `fig` is no figure or too large for a notebook; OSError if
    `save` cannot be written (then it is not).
    """
    _require(alt)
    if not hasattr(fig, "savefig"):
        kind = type(fig).__name__
        raise ValueError(f"show got a {kind}, expected a figure, for example of grid(images)")
    width, height = fig.bbox.size
    if not (width >= 1 and height >= 1 and width * height <= 4 * MOST):
        raise ValueError(
            f"the figure has {width:,.0f} x {height:,.0f} dots, expected at least one and at most"
            f" {4 * MOST:,} in all: change its width and height, which are in inches"
        )
    data = _png(fig)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    if save is not None:
        write_whole(save, data)
    _display(data, "image/png", alt)


def show_gif(path: str | Path, alt: str) -> None:
    """Displays a GIF file, stored inside the notebook, with its description `alt`.

    Raises: ValueError if `alt` is empty or the file is no GIF; FileNotFoundError if there is none.
    """
    _require(alt)
    if not Path(path).is_file():
        raise FileNotFoundError(f"no GIF at {path}: write it first with gif(path, frames).")
    data = Path(path).read_bytes()
    if not data.startswith(b"GIF8"):
        raise ValueError(f"{path} is no GIF: write one with gif(path, frames).")
    _display(data, "image/gif", alt)


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

    Raises: ValueError if `alt` is empty, not one or two options with values are given, or `panels`
    is not from 1 to 12.
    """
    _require(alt)
    lengths = [len(values) if hasattr(values, "__len__") else 0 for values in options.values()]
    if len(lengths) not in (1, 2) or not all(lengths):
        cure = "pass for example noise=(0.1, 0.5, 1.0), and fix the others inside draw."
        raise ValueError(f"explore draws one or two options with values, but got {options}: {cure}")
    if not (isinstance(panels, int) and 1 <= panels <= 12):
        raise ValueError(f"panels is {panels!r}, expected 1 to 12")
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
    if not somebody_is_there():
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


def somebody_is_there() -> bool:
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
        cure = "for readers who cannot see it: pass one sentence that says what the figure shows."
        raise ValueError(f"alt is {alt!r}, but every figure needs a description {cure}")


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
    # A figure of pyplot keeps its user's style and its own paper, unless that is transparent.
    opaque = not is_ours(fig) and fig.get_facecolor()[3] == 1
    with style() if is_ours(fig) else nullcontext():
        fig.savefig(raw, format="png", dpi=fig.dpi, facecolor="auto" if opaque else PAPER)
    image = Image.open(raw).convert("RGB")
    image.save(full, format="png", optimize=True)
    # Median cut would lose colours that are rare, such as a cat's green eyes; maximum coverage
    # keeps them, and k-means moves the others to where a photograph shows no bands.
    few = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, kmeans=1)
    few.save(small, format="png", optimize=True)
    return min(full.getvalue(), small.getvalue(), key=len)
