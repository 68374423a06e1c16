"""Pictures of the course: figures, grids, strips, curves, bars and GIFs, each with its words."""

# ruff: noqa: F401 (imported to be found here)

from diffutils.viz.display import explore, show, show_gif
from diffutils.viz.images import gif, grid, pixels, strip
from diffutils.viz.paper import COLORS, DPI, figure, style
from diffutils.viz.plots import bars, curves, loss_curves, plain_log_axis
