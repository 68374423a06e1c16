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
    """Matplotlib settings of the course: colour-blind-safe cycle, light grid, 100 dots per inch."""
    import matplotlib
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
    with matplotlib.rc_context(settings):
        yield


def figure(
    rows: int = 1, columns: int = 1, width: float = 3.4, height: float = 2.6, **subplots: Any
) -> tuple[Any, Any]:
    """New Matplotlib figure and its axes in the course's style; `width`, `height` inches a panel.

    It enters no global list of figures, so only `show` displays it. Further keywords go to
    `Figure.subplots`.
    """
    from matplotlib.figure import Figure

    with style():
        fig = Figure(figsize=(width * columns, height * rows))
        return fig, fig.subplots(rows, columns, **subplots)


def show(fig: Any, alt: str, save: str | Path | None = None) -> None:
    """Displays a figure with its description `alt`, writes it as PNG to `save`, and closes it.

    Raises: ValueError if `alt` is empty.
    """
    _require(alt)
    data = _png(fig)
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close(fig)
    if save is not None:
        Path(save).parent.mkdir(parents=True, exist_ok=True)
        Path(save).write_bytes(data)
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

    One option gives a row of panels, a second one gives the rows, each with at most `panels` of
    its values, evenly picked. The sliders offer all values. They appear only in a live notebook
    with ipywidgets, never under papermill, nbconvert or nbval, nor with DIFFUTILS_HEADLESS=1.

    Raises: ValueError if `alt` is empty, or not one or two options with values are given.
    """
    _require(alt)
    if not 1 <= len(options) <= 2 or not all(len(values) for values in options.values()):
        raise ValueError(
            f"explore draws one or two options, each with its values, but got {options}:"
            " pass for example noise=(0.1, 0.5, 1.0), and fix the others inside draw."
        )
    shown = [_pick(values, panels) for values in options.values()]
    across, down = shown[0], shown[1] if len(shown) == 2 else [None]
    fig, axes = figure(
        len(down), len(across), width, height, squeeze=False, sharex=True, sharey=True
    )
    for ax, (row, column) in zip(axes.flat, itertools.product(down, across), strict=True):
        values = dict(zip(options, (column, row), strict=False))
        with style():
            draw(ax, **values)
            ax.set_title(", ".join(f"{name} = {_text(value)}" for name, value in values.items()))
    show(fig, alt, save)
    if _somebody_is_there():
        _sliders(draw, alt, options)


def _sliders(draw: Callable[..., None], alt: str, options: dict[str, Sequence[Any]]) -> None:
    import ipywidgets

    def redraw(**values: Any) -> None:
        fig, ax = figure(width=4.8, height=3.2)
        with style():
            draw(ax, **values)
        setting = ", ".join(f"{name} = {_text(value)}" for name, value in values.items())
        show(fig, f"{alt} Here {setting}.")

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


def _somebody_is_there() -> bool:
    """Whether a person sits before this notebook, so that widgets have somebody to serve.

    JupyterLab and VS Code tell the kernel with every cell that they can answer input(). papermill,
    nbconvert and nbval say that they cannot, and would store the widget as a dead output.
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
    # nbconvert's lab template drops the alt text in an image's metadata and writes "No description
    # has been provided" instead; JupyterLab drops it too. An <img> in HTML keeps it there, and
    # HTML is what JupyterLab, nbconvert and GitHub take first; papermill stores all. The PNG is
    # stored beside it for what cannot show HTML (PDF through LaTeX, notebook diffs), with the
    # metadata that MyST and nbconvert's classic template read. A GIF is stored once: those tools
    # could not show it. Plain text is the description itself.
    text = base64.b64encode(data).decode()
    source = f"data:{kind};base64,{text}"
    image = f'<img src="{source}" alt="{html.escape(alt)}" style="max-width: 100%">'
    bundle = {"text/html": image, "text/plain": alt}
    if kind == "image/png":
        bundle[kind] = text
    if _shell() is None:
        print(alt)
        return
    from IPython.display import display

    display(bundle, raw=True, metadata={kind: {"alt": alt}})


def _png(fig: Any) -> bytes:
    """PNG of at most 256 colours where that is smaller: the notebook holds it twice."""
    from PIL import Image

    raw, full, small = io.BytesIO(), io.BytesIO(), io.BytesIO()
    fig.savefig(raw, format="png", dpi=fig.dpi, facecolor="white")
    image = Image.open(raw).convert("RGB")
    image.save(full, format="png", optimize=True)
    # Median cut would lose colours that are rare, such as a cat's green eyes.
    flat = image.quantize(256, method=Image.Quantize.MAXCOVERAGE)
    error = np.abs(np.asarray(image, dtype=int) - np.asarray(flat.convert("RGB"))).mean()
    if error > 1.5:  # photographs and noise: bands would show
        flat = _dithered(image)
    flat.save(small, format="png", optimize=True)
    return min(full.getvalue(), small.getvalue(), key=len)


def _dithered(image: Any) -> Any:
    """256 colours, the error spread over neighbours, except where a common colour fits exactly."""
    from PIL import Image

    pixels = np.asarray(image, dtype=int)
    colours, counts = np.unique(pixels.reshape(-1, 3), axis=0, return_counts=True)
    order = np.argsort(-counts)[:24]
    common = colours[order[counts[order] > pixels.size / 1500]]  # flat areas: they must not speckle
    rest = image.quantize(256 - len(common), method=Image.Quantize.MAXCOVERAGE).getpalette()
    palette = Image.new("P", (1, 1))
    palette.putpalette(common.flatten().tolist() + rest[: 3 * (256 - len(common))])
    plain = image.quantize(palette=palette, dither=Image.Dither.NONE)
    spread = image.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    exact = np.abs(pixels - np.asarray(plain.convert("RGB"))).max(2) <= 2
    index = np.where(exact, np.asarray(plain), np.asarray(spread))
    chosen = Image.fromarray(index.astype(np.uint8))
    chosen.putpalette(plain.getpalette())
    return chosen


def _pick(values: Sequence[Any], count: int) -> list[Any]:
    places = np.linspace(0, len(values) - 1, min(count, len(values))).round().astype(int)
    return [values[place] for place in places]


def _text(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
