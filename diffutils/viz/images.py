"""Grids, strips and GIFs of images.

Images come in as tensors or arrays (N, C, H, W), uint8 or float in [-1, 1], grey or RGB.
Display a figure with `show(fig, alt)`.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffutils.viz.display import DPI, empty, style
from diffutils.weights.files import write_whole


def pixels(images: Any) -> np.ndarray:
    """Images as uint8 RGB (N, H, W, 3); floats are clipped to [-1, 1], grey is repeated.

    Raises: ValueError if they are not (N, C, H, W) with one or three channels, or hold NaN.
    """
    images = array(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"images must be (N, C, H, W) with 1 or 3 channels, but got {images.shape}:"
            " add the missing axis, for example with image[None]."
        )
    if images.dtype != np.uint8:
        if np.isnan(images).any():
            raise ValueError("images hold NaN: look for the step where the sampler diverged.")
        images = ((images.clip(-1, 1) + 1) * 127.5).round().astype(np.uint8)
    return images.repeat(3 // images.shape[1], axis=1).transpose(0, 2, 3, 1)


def grid(
    images: Any,
    columns: int | None = None,
    titles: Sequence[str] | None = None,
    scale: int | None = None,
) -> Any:
    """Figure of N images, `columns` to a row, with a title above each if given.

    A pixel becomes `scale` x `scale` dots, never blurred; by default an image has about 64 dots.

    Raises: ValueError if there are not as many titles as images.
    """
    images = pixels(images)
    columns = min(columns or math.ceil(math.sqrt(len(images))), len(images))
    return _mosaic(images, columns, scale, titles)


def strip(
    rows: Mapping[str, Any], titles: Sequence[str] | None = None, scale: int | None = None
) -> Any:
    """Figure of one row of frames per label, to set forward and reverse processes side by side.

    `rows` maps a label to its frames (T, C, H, W); `titles` stand above the T columns.
    Raises: ValueError if the rows, or the titles, are not of one length.
    """
    frames = [pixels(row) for row in rows.values()]
    if len({row.shape for row in frames}) != 1:
        sizes = {name: row.shape[:3] for name, row in zip(rows, frames, strict=True)}
        raise ValueError(
            f"strip needs rows of one length and size, but got {sizes}: pick equal steps in each."
        )
    return _mosaic(np.concatenate(frames), len(frames[0]), scale, titles, list(rows))


def gif(
    path: str | Path,
    frames: Any,
    fps: float = 10,
    columns: int | None = None,
    scale: int | None = None,
    hold: float = 1.5,
) -> Path:
    """Writes an endless GIF and returns its path; the last frame stays for `hold` seconds.

    `frames` are images (C, H, W), or sets (N, C, H, W) laid out as in `grid`.
    Raises: ValueError if there are no frames.
    """
    import imageio.v3 as imageio

    sets = [pixels(frame if frame.ndim == 4 else frame[None]) for frame in frames]
    if not sets:
        raise ValueError(f"gif got no frames for {path}: pass the states that a sampler yields.")
    columns = columns or math.ceil(math.sqrt(len(sets[0])))
    stack = np.stack([_tiles(images, columns, scale or _scale(images), 2) for images in sets])
    durations = [1000 / fps] * (len(stack) - 1) + [1000 * hold]
    content = imageio.imwrite("<bytes>", stack, extension=".gif", duration=durations, loop=0)
    write_whole(path, content)
    return Path(path)


@style()
def _mosaic(
    images: np.ndarray,
    columns: int,
    scale: int | None,
    titles: Sequence[str] | None,
    labels: Sequence[str] = (),
) -> Any:
    """Figure whose dots are the canvas's dots, one to one, so that nothing is resampled."""
    wanted = columns if labels else len(images)
    if titles is not None and len(titles) != wanted:
        raise ValueError(f"got {len(titles)} titles for {wanted}: give one for each, or none.")
    titles, scale = titles or (), scale or _scale(images)
    # Leave room for the text, in dots: 14 a line, up to 7 a letter.
    top = 3 + 14 * max(title.count("\n") + 1 for title in titles) if titles else 0
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    left = 10 + 7 * longest if labels else 0
    gap = top if titles and not labels else 2
    # Draw the images, dot by dot.
    canvas = _tiles(images, columns, scale, gap)
    height, width = canvas.shape[0] + top, canvas.shape[1] + left
    fig = empty(width / DPI, height / DPI, dpi=DPI, layout="none")
    ax = fig.add_axes((left / width, 0, canvas.shape[1] / width, canvas.shape[0] / height))
    ax.imshow(canvas, interpolation="nearest", aspect="auto")
    ax.set_axis_off()
    # Write the text.
    step_x, step_y = scale * images.shape[2] + 2, scale * images.shape[1] + gap
    for i, title in enumerate(titles):
        x, y = (i % columns + 0.5) * step_x - 1, (i // columns) * step_y - 3
        ax.text(x, y, title, ha="center", va="bottom", size=8, parse_math=is_math(title))
    for row, label in enumerate(labels):
        y = (row + 0.5) * step_y - 1
        ax.text(-5, y, label, ha="right", va="center", size=8, parse_math=is_math(label))
    return fig


def _tiles(images: np.ndarray, columns: int, scale: int, gap: int) -> np.ndarray:
    """White canvas with the images on it, `gap` dots between rows and 2 between columns."""
    count, height, width = images.shape[:3]
    rows = -(-count // columns)
    cell = np.full((rows * columns, height * scale + gap, width * scale + 2, 3), 255, np.uint8)
    cell[:count, : height * scale, : width * scale] = images.repeat(scale, 1).repeat(scale, 2)
    cell = cell.reshape(rows, columns, *cell.shape[1:]).swapaxes(1, 2)
    return cell.reshape(rows * cell.shape[1], -1, 3)[:-gap, :-2]


def _scale(images: np.ndarray) -> int:
    return max(1, 64 // images.shape[1])


def is_math(text: str) -> bool:
    """Whether Matplotlib can draw what stands between dollar signs: names from data hold any."""
    from matplotlib.mathtext import MathTextParser

    try:
        for line in text.split("\n"):  # Matplotlib draws a line at a time
            MathTextParser("path").parse(line)
    except ValueError:
        return False
    return True


def array(values: Any) -> np.ndarray:
    """A tensor on any device, an array or numbers as an array."""
    return values.detach().cpu().numpy() if hasattr(values, "detach") else np.asarray(values)
