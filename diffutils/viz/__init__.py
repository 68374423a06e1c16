"""Pictures of the course: figures, grids, strips, curves, bars and GIFs, each with its words."""

from diffutils.viz.display import COLORS, DPI, explore, figure, show, show_gif, style
from diffutils.viz.images import gif, grid, pixels, strip
from diffutils.viz.plots import bars, curves, loss_curves, plain_log_axis

__all__ = [
    "COLORS",
    "DPI",
    "bars",
    "curves",
    "explore",
    "figure",
    "gif",
    "grid",
    "loss_curves",
    "pixels",
    "plain_log_axis",
    "show",
    "show_gif",
    "strip",
    "style",
]
