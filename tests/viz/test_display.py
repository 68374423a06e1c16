"""Figures: descriptions that survive every tool, and no widgets without a reader."""

import base64
import html
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from diffutils import viz
from diffutils.data import load
from diffutils.viz import display

Image = pytest.importorskip("PIL.Image")
ALT = 'Noise at "three" levels, <low> to high & back.'


def test_importing_viz_does_not_import_matplotlib():
    code = (
        "import sys, diffutils.viz; print([m for m in sys.modules if m in {'matplotlib', 'PIL'}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def drawn(images, tmp_path) -> np.ndarray:
    viz.show(viz.strip({"label": images}), ALT, tmp_path / "figure.png")
    return np.asarray(Image.open(tmp_path / "figure.png").convert("RGB"))


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
    first = drawn(images, tmp_path)
    data = (tmp_path / "figure.png").read_bytes()
    np.testing.assert_array_equal(first, drawn(images, tmp_path))
    assert len(data) < noise.size * 0.6
    green = first[0, -64].astype(int)
    assert green[1] > 200 and green[[0, 2]].max() < 60
    assert (first[0, :20] == 255).all()


def test_a_figure_is_saved_whole_or_not_at_all(tmp_path, monkeypatch):
    def full(*_):
        raise OSError("disk full")

    (tmp_path / "figure.png").write_bytes(b"before")
    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match=r"figure\.png cannot be written \(disk full\)"):
        viz.show(viz.figure()[0], ALT, tmp_path / "figure.png")
    assert [p.read_bytes() for p in tmp_path.iterdir()] == [b"before"]


def test_a_photograph_shows_no_bands(tmp_path):
    """256 colours stand for those of eight photographs with a mean error of 2 of 255 each."""
    photos = load("photos", 128, 8, heldout=1).train
    viz.show(viz.grid(photos, columns=4, scale=1), ALT, tmp_path / "figure.png")
    picture = np.asarray(Image.open(tmp_path / "figure.png").convert("RGB")).astype(int)
    tiles = [picture[130 * (i // 4) :, 130 * (i % 4) :][:128, :128] for i in range(8)]
    wanted = photos.permute(0, 2, 3, 1).numpy().astype(int)
    assert np.abs(np.stack(tiles) - wanted).mean() < 2.5
    assert (picture[128:130] == 255).all()


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


@pytest.mark.parametrize("panels", [0, 300, 2.5])
def test_explore_draws_up_to_twelve_panels_a_row(panels):
    with pytest.raises(ValueError, match="expected 1 to 12"):
        viz.explore(lambda ax, a: None, ALT, panels=panels, a=range(300))


@pytest.mark.parametrize("fig", [None, [1], np.zeros(3)])
def test_what_is_no_figure_is_named(fig):
    with pytest.raises(ValueError, match="expected a figure"):
        viz.show(fig, ALT)


@pytest.mark.parametrize("width", [0, 1e4])
def test_a_figure_without_room_is_refused(width):
    with pytest.raises(ValueError, match="change its width and height"):
        viz.show(viz.figure(width=width)[0], ALT)


@pytest.mark.parametrize("options", [{}, {"a": 3}, {"a": []}, {"a": [1], "b": [1], "c": [1]}])
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
    assert display.somebody_is_there()
    monkeypatch.setenv("DIFFUTILS_HEADLESS", "1")
    assert not display.somebody_is_there()
