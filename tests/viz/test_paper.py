"""One white card with dark text for every figure, whatever the theme and the user's settings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import numpy as np
import pytest
import torch

from diffutils import viz
from diffutils.viz.display import _png
from diffutils.viz.paper import style

Image = pytest.importorskip("PIL.Image")
ROOT = Path(__file__).resolve().parents[2]
DRAWN = """
import torch
from diffutils import viz
fig, axes = viz.figure(1, 2)
shown = axes[0].imshow(torch.arange(9.0).view(3, 3))
fig.colorbar(shown)
axes[0].set_title("50 % of a_b")
for y in (1, 2):
    axes[1].plot([0, 1], [0, y], label=str(y))
axes[1].legend()
axes[1].text(0.5, 0.5, "a_b")
axes[1].set_xticks([0, 1], ["none", "all"])
axes[1].scatter([0, 1], [1, 0])
axes[1].twinx().plot([3, 2])
axes[1].inset_axes((0.1, 0.1, 0.3, 0.3)).hist([1, 2, 3])
fig.suptitle("a_b")
images = torch.arange(2 * 64.0).view(2, 1, 8, 8) / 64 - 1
FIGURES = [
    fig,
    viz.curves({"a_b": ([1, 2], [3, 4]), "c": ([1, 2], [2, 2])}, title="50 %"),
    viz.loss_curves({"a": (range(1, 60), range(1, 60))}, band=(1, 2)),
    viz.bars({"a": (2, 1, 3), "b": 1.0}, reference={"floor": 1}),
    viz.grid(images, titles=["a_b"] * 2),
    viz.strip({"label": images}, titles=["0", "1"]),
]
"""
WRITE = "import sys, pathlib\nfrom diffutils.viz.display import _png\n" + DRAWN
WRITE += "\npathlib.Path(sys.argv[1]).write_bytes(b''.join(map(_png, FIGURES)))"
BEFORE = """
import matplotlib.pyplot as plt
plt.style.use("dark_background")
plt.rcParams.update({"image.cmap": "jet", "image.interpolation": "bicubic"})
"""
RC = """text.usetex: True
axes.facecolor: black
figure.facecolor: none
text.color: white
xtick.color: white
font.size: 20
font.family: monospace
lines.linewidth: 7
axes.prop_cycle: cycler("color", ["r"])
image.cmap: jet
image.interpolation: bicubic
image.origin: lower
legend.frameon: True
hist.bins: 2
scatter.marker: x
savefig.bbox: tight
savefig.transparent: True
savefig.format: pdf
toolbar: toolmanager
backend: TkAgg
"""


def test_personal_settings_change_no_figure(tmp_path):
    """A matplotlibrc, and a dark style chosen in a cell before: bit by bit the same pictures."""
    (tmp_path / "matplotlibrc").write_text(RC)
    (tmp_path / "none").mkdir()
    written = []
    for before, settings in (("", tmp_path / "none"), ("", tmp_path), (BEFORE, tmp_path / "none")):
        env = os.environ | {"MPLCONFIGDIR": str(settings), "PYTHONPATH": str(ROOT)}
        out = tmp_path / f"{len(written)}.png"
        command = [sys.executable, "-W", "ignore", "-c", before + WRITE, str(out)]
        subprocess.run(command, check=True, env=env)
        written.append(out.read_bytes())
    assert written[0] == written[1] == written[2]


def test_the_users_settings_are_as_before():
    import matplotlib

    before = dict(matplotlib.rcParams)
    with style(), style():
        viz.curves({"a": ([1, 2], [3, 4])})
        assert matplotlib.rcParams["font.size"] == 9
    assert dict(matplotlib.rcParams) == before


def test_a_figure_of_pyplot_keeps_its_own_style_on_opaque_paper():
    import matplotlib.pyplot as plt

    for look, expected in (("dark_background", 0), ({"figure.facecolor": "none"}, 255)):
        with plt.style.context(look):
            fig, _ = plt.subplots()
            picture = Image.open(_to_file(_png(fig)))
            plt.close(fig)
        assert picture.mode in ("P", "RGB") and "transparency" not in picture.info
        assert picture.convert("RGB").getpixel((0, 0)) == (expected,) * 3


def _to_file(data: bytes):
    import io

    return io.BytesIO(data)


def luminance(color) -> float:
    """Relative luminance (WCAG) of an RGB colour in [0, 1]."""
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in color[:3]]
    return float(np.dot(parts, (0.2126, 0.7152, 0.0722)))


def contrast(one, other) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_text_is_readable_on_jupyterlabs_dark_and_light_theme():
    """On the card, the text of each figure; around it, the theme shows and no figure does."""
    from matplotlib.colors import to_rgb
    from matplotlib.text import Text

    drawn = {}
    exec(DRAWN, drawn)
    for fig in drawn["FIGURES"]:
        picture = Image.open(_to_file(_png(fig))).convert("RGBA")
        on = [
            Image.alpha_composite(Image.new("RGBA", picture.size, theme), picture).tobytes()
            for theme in ("#111111", "#ffffff")
        ]
        assert on[0] == on[1], "the theme shines through"
        for text in fig.findobj(Text):
            if text.get_text():
                assert contrast(to_rgb(text.get_color()), (1, 1, 1)) >= 4.5, text


def test_the_palette_is_distinct_and_its_first_colours_are_readable_on_white():
    from matplotlib.colors import to_rgb

    assert len(set(viz.COLORS.values())) == 8
    first = list(viz.COLORS.values())[:7]
    assert all(contrast(to_rgb(color), (1, 1, 1)) > 2 for color in first)


def test_gifs_are_opaque(tmp_path):
    with Image.open(viz.gif(tmp_path / "x.gif", torch.rand(3, 3, 3, 8, 8))) as image:
        for frame in range(image.n_frames):
            image.seek(frame)
            assert image.convert("RGBA").getextrema()[3] == (255, 255)


@pytest.mark.parametrize("path", sorted((ROOT / "figures").iterdir()), ids=lambda p: p.name)
def test_stored_pictures_are_opaque(path):
    with Image.open(path) as image:
        assert image.convert("RGBA").getextrema()[3] == (255, 255)


@pytest.mark.parametrize("path", sorted((ROOT / "notebooks").glob("*.ipynb")), ids=lambda p: p.stem)
def test_what_is_no_picture_has_the_colours_of_the_theme(path):
    """Tables and text carry no colour of their own: a theme changes both paper and ink."""
    for cell in nbformat.read(path, as_version=4).cells:
        texts = [cell.source] if cell.cell_type == "markdown" else []
        for output in cell.get("outputs", []):
            texts.append(output.get("data", {}).get("text/html", ""))
        for text in texts:
            found = re.search(r"(background|\bcolor)\s*[:=]|<font", re.sub(r"`.*?`", "", text))
            assert not found, text[max(0, found.start() - 40) :][:80]
