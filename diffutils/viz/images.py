"""Grids, strips and GIFs of images.

Images come in as tensors or arrays (N, C, H, W), uint8 or float in [-1, 1], grey or RGB.
Display a figure with `show(fig, alt)`.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from diffutils.viz.paper import DPI, MOST, empty, style
from diffutils.weights.files import write_whole

LONGEST = 600  # seconds of a GIF, which may hold one frame for 655
SIDE = 2**15  # dots of a side; Matplotlib draws twice as many


def pixels(images: Any) -> np.ndarray:
    """Images as uint8 RGB (N, H, W, 3); floats are clipped to [-1, 1], grey is repeated.

    Raises: ValueError if they are not (N, C, H, W) with one or three channels, of another type than
    uint8 or float, or hold NaN.
    """
    images = array(images)
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        cure = "add the missing axis, for example with image[None]."
        if images.ndim == 4:
            cure = "take images that are not empty, and of four channels the first three."
        asked = "images must be (N, C, H, W) with 1 or 3 channels"
        raise ValueError(f"{asked}, but got {images.shape}: {cure}")
    if images.dtype != np.uint8:
        if images.dtype.kind != "f":
            expected = "expected uint8 (0 to 255) or float (-1 to 1): convert them to one of them."
            raise ValueError(f"images are {images.dtype}, {expected}")
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
    Where there is no room for all of them, the first are shown, and the figure says how many.

    Raises: ValueError if there are not as many titles as images, or one image is too large.
    """
    images, count = pixels(images), len(images)
    scale, gap = _whole("scale", scale) or _scale(images), _above(titles) or 2
    if titles is not None and len(titles) != count:
        raise ValueError(f"got {len(titles)} titles for {count}: give one for each, or none.")
    # Find room for them.
    tile = scale * images.shape[1] + gap, scale * images.shape[2] + 2
    square = math.ceil(math.sqrt(min(count, MOST // math.prod(tile))))
    columns = min(_whole("columns", columns) or square or 1, count)
    rows, columns = _room(-(-count // columns), columns, *tile)
    shown = min(rows * columns, count)
    # Draw as many.
    words = f"the first {shown:,} of {count:,} images" if shown < count else ""
    return _mosaic(images[:shown], columns, scale, titles and titles[:shown], words=words)


def strip(
    rows: Mapping[str, Any], titles: Sequence[str] | None = None, scale: int | None = None
) -> Any:
    """Figure of one row of frames per label, to set forward and reverse processes side by side.

    `rows` maps a label to its frames (T, C, H, W); `titles` stand above the T columns.  Where there
    is no room for all rows and columns, the first are shown, and the figure says how many.
    Raises: ValueError if the rows, or the titles, are not of one length, or one image is too large.
    """
    frames = [pixels(row) for row in rows.values()]
    if len({row.shape for row in frames}) != 1:
        sizes = {name: row.shape[:3] for name, row in zip(rows, frames, strict=True)}
        cure = "pick equal steps in each."
        raise ValueError(f"strip needs rows of one length and size, but got {sizes}: {cure}")
    all_rows, all_columns = len(frames), len(frames[0])
    if titles is not None and len(titles) != all_columns:
        raise ValueError(f"got {len(titles)} titles for {all_columns}: give one for each, or none.")
    # Find room for them.
    scale = _whole("scale", scale) or _scale(frames[0])
    tile = scale * frames[0].shape[1] + 2, scale * frames[0].shape[2] + 2
    down, across = _room(all_rows, all_columns, *tile)
    # Draw as many.
    words = ""
    if (down, across) != (all_rows, all_columns):
        words = f"the first {down:,} of {all_rows:,} rows, {across:,} of {all_columns:,} columns"
    images = np.concatenate([row[:across] for row in frames[:down]])
    return _mosaic(images, across, scale, titles and titles[:across], list(rows)[:down], words)


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
    Raises: ValueError if there are no frames, or too many, or they differ in size.
    """
    import imageio.v3 as imageio

    # Check what there is.
    frames = [array(frame) for frame in frames]
    sets = [pixels(frame if frame.ndim == 4 else frame[None]) for frame in frames]
    if len({images.shape for images in sets}) != 1:
        found = "no frames" if not sets else "frames of several sizes"
        raise ValueError(f"gif got {found} for {path}: pass the states that a sampler yields.")
    if not (0 < fps <= 100 and 0 <= hold and len(sets) / fps + hold <= LONGEST):
        expected = f"an fps up to 100, a hold from 0, and {LONGEST} seconds at most in all"
        raise ValueError(f"{len(sets):,} frames, fps {fps} and hold {hold}: expected {expected}.")
    scale = _whole("scale", scale) or _scale(sets[0])
    columns = _whole("columns", columns) or math.ceil(math.sqrt(len(sets[0])))
    dots = len(sets) * sets[0][..., 0].size * scale**2
    if dots > 16 * MOST:
        raise ValueError(
            f"gif got {len(sets):,} frames, {dots:,} dots in all, of which {16 * MOST:,} have room:"
            " pass fewer frames, for example every tenth, or fewer images."
        )
    # Lay them out, and write.
    stack = np.stack([_tiles(images, columns, scale, 2) for images in sets])
    durations = [1000 / fps] * (len(stack) - 1) + [1000 * hold]
    duration = durations if len(durations) > 1 else durations[0]
    content = imageio.imwrite("<bytes>", stack, extension=".gif", duration=duration, loop=0)
    write_whole(path, content)
    return Path(path)


@style()
def _mosaic(
    images: np.ndarray,
    columns: int,
    scale: int,
    titles: Sequence[str] | None,
    labels: Sequence[str] = (),
    words: str = "",
) -> Any:
    """Figure whose dots are the canvas's dots, one to one, so that nothing is resampled."""
    # Leave room for the text, in dots: up to 7 a letter.
    titles, top, foot = titles or (), _above(titles), 16 if words else 0
    longest = max((len(line) for label in labels for line in label.split("\n")), default=0)
    left = min(10 + 7 * longest, 900) if labels else 0
    gap = top if titles and not labels else 2
    # Draw the images, dot by dot.
    canvas = _tiles(images, columns, scale, gap)
    height, width = canvas.shape[0] + top + foot, canvas.shape[1] + left
    fig = empty(width / DPI, height / DPI, dpi=DPI, layout="none")
    place = left / width, foot / height, canvas.shape[1] / width, canvas.shape[0] / height
    ax = fig.add_axes(place)
    ax.imshow(canvas, interpolation="nearest", aspect="auto")
    ax.set_axis_off()
    fig.text(1 - 2 / width, 3 / height, words, ha="right", va="bottom", size=8)
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


def _above(titles: Sequence[str] | None) -> int:
    """Dots above a row of images with titles: 14 a line."""
    return 3 + 14 * max(title.count("\n") + 1 for title in titles) if titles else 0


def _room(rows: int, columns: int, height: int, width: int) -> tuple[int, int]:
    """How many of the rows and columns of tiles of that size, in dots, have room in a figure."""
    columns = min(columns, SIDE // width)
    rows = min(rows, SIDE // height, MOST // max(1, columns * width * height))
    if not rows * columns:
        raise ValueError(
            f"an image or a row would have {height:,} x {width * max(1, columns):,} dots, of which"
            f" {MOST:,} have room: shrink the images, or choose a smaller scale or fewer columns."
        )
    return rows, columns


def _whole(name: str, value: int | None) -> int | None:
    if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
        raise ValueError(f"{name} is {value!r}, expected a whole number from 1")
    return value


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
    """A tensor on any device, an array or numbers as an array.

    Raises: ValueError for what is ragged.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
        return (values.float() if "bfloat16" in str(values.dtype) else values).numpy()
    try:
        return np.asarray(values)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"these values are no array ({error}): pass one tensor or array, equal in length."
        ) from None
