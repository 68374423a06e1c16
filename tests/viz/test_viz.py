"""Figures: exact pixels, descriptions that survive every tool, and no widgets without a reader."""

import base64
import html
import os
import re
import subprocess
import sys

import numpy as np
import pytest
import torch

from diffutils import viz
from diffutils.viz import display, plots

Image = pytest.importorskip("PIL.Image")
ALT = 'Noise at "three" levels, <low> to high & back.'


def random_images(n: int, channels: int = 3, size: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 4, (n, channels, size, size), generator=generator).byte() * 85


def drawn(fig, tmp_path) -> np.ndarray:
    viz.show(fig, ALT, tmp_path / "figure.png")
    return np.asarray(Image.open(tmp_path / "figure.png").convert("RGB"))


def test_importing_viz_does_not_import_matplotlib():
    code = (
        "import sys, diffutils.viz; print([m for m in sys.modules if m in {'matplotlib', 'PIL'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def contrast(color: str) -> float:
    """WCAG contrast of a colour with white paper."""
    parts = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2] + 0.05)


def test_the_palette_is_distinct_and_its_first_colours_are_readable_on_white():
    assert len(set(viz.COLORS.values())) == 8
    assert all(contrast(color) > 2 for color in list(viz.COLORS.values())[:7])


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_of_floats_and_bytes_agree(channels):
    images = random_images(3, channels)
    bytes_ = viz.pixels(images)
    assert bytes_.shape == (3, 8, 8, 3) and bytes_.dtype == np.uint8
    np.testing.assert_array_equal(viz.pixels(images.float() / 127.5 - 1), bytes_)
    np.testing.assert_array_equal(viz.pixels(images.numpy()), bytes_)
    np.testing.assert_array_equal(bytes_[..., 0], images[:, 0])


def test_pixels_clips_and_refuses():
    assert viz.pixels(torch.full((1, 1, 2, 2), 7.0)).max() == 255
    with pytest.raises(ValueError, match=r"\(N, C, H, W\).*image\[None\]"):
        viz.pixels(torch.zeros(3, 8, 8))
    with pytest.raises(ValueError, match="NaN"):
        viz.pixels(torch.full((1, 1, 2, 2), float("nan")))


def test_grid_enlarges_every_pixel_to_an_exact_square(tmp_path):
    images = random_images(5)
    picture = drawn(viz.grid(images, columns=3, scale=4), tmp_path)
    assert picture.shape == (2 * 32 + 2, 3 * 32 + 4, 3)
    for i, image in enumerate(images):
        row, column = divmod(i, 3)
        tile = picture[row * 34 : row * 34 + 32, column * 34 : column * 34 + 32]
        expected = image.permute(1, 2, 0).numpy().repeat(4, 0).repeat(4, 1)
        np.testing.assert_array_equal(tile, expected)
    assert (picture[34:, 68:] == 255).all()


def test_strip_and_titled_grid_keep_pixels_exact(tmp_path):
    images = random_images(4)
    expected = images[0].permute(1, 2, 0).numpy().repeat(8, 0).repeat(8, 1)
    for fig in (
        viz.strip({"forward": images, "reverse": images.flip(0)}, titles=["0", "1", "2", "3"]),
        viz.grid(images, titles=["a", "b\nc", "d", "e"]),
    ):
        picture = drawn(fig, tmp_path)
        windows = np.lib.stride_tricks.sliding_window_view(picture, expected.shape)[:, :, 0]
        found = (windows[:40, :120].reshape(-1, *expected.shape) == expected).all((1, 2, 3))
        assert found.any()


def test_grid_and_strip_refuse_uneven_input():
    images = random_images(4)
    with pytest.raises(ValueError, match="3 titles for 4"):
        viz.grid(images, titles=["a", "b", "c"])
    with pytest.raises(ValueError, match="rows of one length"):
        viz.strip({"a": images, "b": images[:3]})
    with pytest.raises(ValueError, match="2 titles for 4"):
        viz.strip({"a": images}, titles=["a", "b"])


def test_curves_differ_by_colour_and_by_dashes():
    x = torch.linspace(0, 1, 5)
    lines = plots.curves({str(i): (x, x + i) for i in range(5)}, log="y").axes[0].lines
    assert len({line.get_color() for line in lines}) == 5
    neighbours = zip(lines, lines[1:], strict=False)
    assert all(a.get_linestyle() != b.get_linestyle() for a, b in neighbours)
    assert lines[0].axes.get_yscale() == "log" and lines[0].axes.get_xscale() == "linear"


def test_loss_curves_show_raw_values_and_their_mean():
    steps, losses = np.arange(100), np.tile([1.0, 3.0], 50)
    ax = plots.loss_curves(
        {"train": (steps, losses), "held-out": (steps[::20], losses[::20])},
        band=(0.5, 1),
        smooth=2,
    ).axes[0]
    raw, mean = ax.lines[:2]
    np.testing.assert_array_equal(raw.get_ydata(), losses)
    np.testing.assert_allclose(mean.get_ydata(), 2.0)
    np.testing.assert_allclose(mean.get_xdata()[:2], [0.5, 1.5])
    names = [text.get_text() for text in ax.get_legend().get_texts()]
    assert names == ["train", "held-out", "expected at the end"]


def test_bars_draw_values_intervals_and_references():
    fig = plots.bars({"ours": (2.0, 1.5, 2.5), "theirs": 3.0}, reference={"floor": 0.4})
    ax = fig.axes[0]
    assert [bar.get_width() for bar in ax.patches] == [2.0, 3.0]
    assert [text.get_text() for text in ax.texts] == ["2", "3"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["ours", "theirs"]
    assert ax.containers[1].has_xerr


def test_charts_draw_into_given_axes():
    fig, axes = viz.figure(columns=3)
    assert plots.curves({"a": ([0, 1], [1, 2])}, ax=axes[0]) is fig
    assert plots.loss_curves({"a": ([0, 1], [1, 2])}, ax=axes[1]) is fig
    assert plots.bars({"a": 1.0}, ax=axes[2]) is fig


@pytest.mark.parametrize("alt", ["", "  ", None])
def test_show_asks_for_a_description(alt, tmp_path):
    fig, _ = viz.figure()
    with pytest.raises(ValueError, match="needs a description"):
        viz.show(fig, alt, tmp_path / "figure.png")
    assert not list(tmp_path.iterdir())


def test_show_prints_the_description_closes_and_saves(tmp_path, capsys):
    plt = pytest.importorskip("matplotlib.pyplot")
    before = plt.get_fignums()
    fig, ax = plt.subplots()
    ax.plot([0, 1])
    assert viz.show(fig, ALT, tmp_path / "new" / "figure.png") is None
    assert plt.get_fignums() == before
    assert capsys.readouterr().out.strip() == ALT
    assert (tmp_path / "new" / "figure.png").read_bytes().startswith(b"\x89PNG")


def test_png_is_small_deterministic_and_keeps_rare_colours_and_white_paper(tmp_path):
    generator = np.random.default_rng(0)
    noise = generator.integers(0, 120, (64, 64, 3), dtype=np.uint8)
    noise[:3, :3] = (0, 255, 0)
    images = noise.transpose(2, 0, 1)[None]
    first = drawn(viz.strip({"label": images}), tmp_path)
    data = (tmp_path / "figure.png").read_bytes()
    np.testing.assert_array_equal(first, drawn(viz.strip({"label": images}), tmp_path))
    assert len(data) < noise.size * 0.6
    green = first[0, -64].astype(int)
    assert green[1] > 200 and green[[0, 2]].max() < 60
    assert (first[0, :20] == 255).all()


def test_gif_holds_all_frames_exactly_and_loops(tmp_path):
    frames = random_images(4).view(4, 1, 3, 8, 8)
    path = viz.gif(tmp_path / "new" / "x.gif", frames, fps=5, scale=3, hold=1)
    image = Image.open(path)
    assert image.n_frames == 4 and image.info["loop"] == 0 and image.size == (24, 24)
    durations = []
    for i, frame in enumerate(frames):
        image.seek(i)
        durations.append(image.info["duration"])
        expected = frame[0].permute(1, 2, 0).numpy().repeat(3, 0).repeat(3, 1)
        np.testing.assert_array_equal(np.asarray(image.convert("RGB")), expected)
    assert durations == [200, 200, 200, 1000]


def test_a_gif_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match=r"x\.gif cannot be written \(disk full\)"):
        viz.gif(tmp_path / "x.gif", list(random_images(3)))
    assert list(tmp_path.iterdir()) == []


def test_gif_takes_single_images_and_refuses_nothing(tmp_path):
    single = viz.gif(tmp_path / "a.gif", list(random_images(3)), scale=2)
    assert Image.open(single).size == (16, 16)
    with pytest.raises(ValueError, match="no frames"):
        viz.gif(tmp_path / "b.gif", [])
    with pytest.raises(FileNotFoundError, match="write it first"):
        viz.show_gif(tmp_path / "b.gif", ALT)


def test_explore_draws_evenly_picked_values(tmp_path):
    seen = []
    viz.explore(
        lambda ax, noise, kind: seen.append((kind, noise)),
        ALT,
        noise=list(range(11)),
        kind=("a", "b"),
        panels=3,
        save=tmp_path / "figure.png",
    )
    assert seen == [(kind, noise) for kind in "ab" for noise in (0, 5, 10)]
    assert (tmp_path / "figure.png").exists()


@pytest.mark.parametrize("options", [{}, {"a": []}, {"a": [1], "b": [1], "c": [1]}])
def test_explore_refuses_other_than_one_or_two_options(options):
    with pytest.raises(ValueError, match="one or two options"):
        viz.explore(lambda ax, **values: None, ALT, **options)


CELLS = (
    "import torch",
    f"from diffutils import viz\nviz.show(viz.grid(torch.rand(4, 3, 8, 8)), {ALT!r})",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nviz.show(fig, 'By pyplot.')",
    "viz.show_gif(viz.gif('x.gif', torch.rand(3, 1, 8, 8)), 'It moves.')",
    "viz.explore(lambda ax, k: ax.plot([0, k]), 'Three lines.', k=[1, 2, 3])",
)
ALTS = [ALT, "By pyplot.", "It moves.", "Three lines."]


@pytest.fixture(scope="module")
def kernel_environment(request):
    """A kernel's environment as outside the tests: it finds the package, nothing says headless."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(request.config.rootpath))
        patch.delenv("DIFFUTILS_HEADLESS", raising=False)
        yield


@pytest.fixture(scope="module")
def executed(kernel_environment, tmp_path_factory):
    """A notebook of figures, run by papermill, that has no idea of being run headlessly."""
    papermill = pytest.importorskip("papermill")
    nbformat = pytest.importorskip("nbformat")
    folder = tmp_path_factory.mktemp("notebook")
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
    nbformat.write(notebook, folder / "in.ipynb")
    out = folder / "out.ipynb"
    papermill.execute_notebook(folder / "in.ipynb", out, cwd=folder, progress_bar=False)
    return out


def test_papermill_keeps_one_described_image_per_figure(executed):
    import nbformat

    notebook = nbformat.read(executed, 4)
    outputs = [output for cell in notebook.cells for output in cell.outputs]
    assert [output.data["text/plain"] for output in outputs] == ALTS
    assert [set(output.data) for output in outputs].count({"text/html", "text/plain"}) == 1
    for output, alt in zip(outputs, ALTS, strict=True):
        kind = "image/gif" if alt == "It moves." else "image/png"
        assert output.metadata[kind]["alt"] == alt
        assert f'alt="{html.escape(alt)}"' in output.data["text/html"]
        if kind == "image/png":
            png = output.data[kind].strip()
            assert png in output.data["text/html"] and base64.b64decode(png)
    assert "widgets" not in notebook.metadata


@pytest.mark.parametrize("template", ["lab", "classic"])
def test_nbconvert_writes_the_descriptions_into_the_page(executed, template):
    nbconvert = pytest.importorskip("nbconvert")
    page, _ = nbconvert.HTMLExporter(template_name=template).from_filename(str(executed))
    images = re.findall(r"<img[^>]*>", page)
    alts = [re.search(r"alt=(\"(.*?)\"|'(.*?)')", image) for image in images]
    assert [html.unescape(alt[2] or alt[3]) for alt in alts] == ALTS
    assert "No description has been provided" not in page


def test_latex_gets_the_png(executed):
    nbconvert = pytest.importorskip("nbconvert")
    _, resources = nbconvert.LatexExporter().from_filename(str(executed))
    assert sum(name.endswith(".png") for name in resources["outputs"]) == 3


@pytest.mark.parametrize("live", [True, False])
def test_sliders_appear_only_when_somebody_can_answer(live, kernel_environment):
    pytest.importorskip("ipywidgets")
    jupyter = pytest.importorskip("jupyter_client.manager")
    kinds = []

    def listen(message):
        if message["msg_type"] == "display_data":
            kinds.extend(message["content"]["data"])
        assert message["msg_type"] != "error", message["content"]

    with jupyter.run_kernel(kernel_name="python3", env=dict(os.environ)) as client:
        code = "\n".join((*CELLS[:2], CELLS[-1]))
        client.execute_interactive(code, allow_stdin=live, output_hook=listen, timeout=60)
    assert kinds.count("image/png") == 2 + live  # the sliders draw once more, below
    assert ("application/vnd.jupyter.widget-view+json" in kinds) is live


def test_the_environment_variable_forbids_sliders(monkeypatch):
    class Shell:
        def get_parent(self):
            return {"content": {"allow_stdin": True}}

    pytest.importorskip("ipywidgets")
    monkeypatch.setattr(display, "_shell", Shell)
    monkeypatch.delenv("DIFFUTILS_HEADLESS", raising=False)
    assert display._somebody_is_there()
    monkeypatch.setenv("DIFFUTILS_HEADLESS", "1")
    assert not display._somebody_is_there()


def test_a_label_of_two_lines_draws_without_a_word(caplog):
    fig = viz.strip({"two\nlines": torch.zeros(1, 1, 4, 4)})
    with caplog.at_level("WARNING"):
        fig.canvas.draw()
    assert not caplog.records
