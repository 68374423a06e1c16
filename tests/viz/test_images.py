"""Grids, strips and GIFs: exact pixels, and what is refused."""

import re

import numpy as np
import pytest
import torch

from diffutils import viz
from diffutils.viz.paper import MOST

Image = pytest.importorskip("PIL.Image")
ALT = "Images."


def random_images(n: int, channels: int = 3, size: int = 8) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 4, (n, channels, size, size), generator=generator).byte() * 85


def drawn(fig, tmp_path) -> np.ndarray:
    viz.show(fig, ALT, tmp_path / "figure.png")
    return np.asarray(Image.open(tmp_path / "figure.png").convert("RGB"))


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


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (torch.zeros(0, 3, 8, 8), "not empty"),
        (torch.zeros(2, 4, 8, 8), "of four channels the first three"),
        (torch.zeros(2, 3, 8, 8).bool(), "images are bool, expected uint8"),
        (torch.zeros(2, 3, 8, 8).long(), "images are int64, expected uint8"),
        (np.zeros((2, 3, 8, 8), complex), "images are complex128, expected uint8"),
        ([[1, 2], [3]], "these values are no array"),
        (None, "must be (N, C, H, W)"),
    ],
)
def test_what_is_no_image_is_named(images, said):
    for draw in (viz.grid, lambda x: viz.strip({"a": x})):
        with pytest.raises(ValueError, match=re.escape(said)):
            draw(images)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_every_float_is_drawn(dtype):
    assert (viz.pixels(torch.ones(1, 1, 2, 2, dtype=dtype)) == 255).all()


@pytest.mark.parametrize("setting", [{"scale": 0}, {"scale": 1.5}, {"columns": -1}])
def test_a_layout_is_of_whole_numbers(setting):
    with pytest.raises(ValueError, match="expected a whole number from 1"):
        viz.grid(random_images(2), **setting)


def foot(fig) -> str:
    return fig.texts[0].get_text()


def test_ten_thousand_images_have_a_bound_that_is_said():
    fig = viz.grid(torch.zeros(10_000, 1, 8, 8), titles=list(map(str, range(10_000))))
    shown = int(re.fullmatch(r"the first ([\d,]+) of 10,000 images", foot(fig))[1].replace(",", ""))
    assert 500 < shown < 10_000 and len(fig.axes[0].texts) == shown
    assert np.prod(fig.bbox.size) < 1.1 * MOST
    assert foot(viz.grid(torch.zeros(300, 1, 16, 16))) == ""
    assert foot(viz.grid(torch.zeros(1000, 1, 8, 8), columns=1)) == "the first 496 of 1,000 images"


def test_three_hundred_rows_have_a_bound_that_is_said():
    rows = {f"class {i}": torch.zeros(10, 1, 16, 16) for i in range(300)}
    fig = viz.strip(rows, titles=list("0123456789"))
    shown = re.fullmatch(r"the first (\d+) of 300 rows, 10 of 10 columns", foot(fig))
    assert 100 < int(shown[1]) < 300
    assert len(fig.axes[0].texts) == 10 + int(shown[1])
    fig = viz.strip({"a": torch.zeros(1000, 1, 8, 8)}, titles=["t"] * 1000)
    assert foot(fig) == "the first 1 of 1 rows, 496 of 1,000 columns"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: viz.grid(np.zeros((1, 1, 8000, 8000), np.uint8)),
        lambda: viz.grid(random_images(1), scale=10_000),
        lambda: viz.strip({"a": np.zeros((1, 1, 1, 5000), np.uint8)}),
    ],
)
def test_an_image_without_room_is_refused(draw):
    with pytest.raises(ValueError, match="have room: shrink the images"):
        draw()


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


@pytest.mark.parametrize(
    ("frames", "settings", "said"),
    [
        (torch.zeros(10_000, 1, 8, 8), {}, "600 seconds at most"),
        (torch.zeros(600, 1, 512, 512), {"fps": 100}, "pass fewer frames"),
        (torch.zeros(2, 1, 8, 8), {"fps": 0}, "expected an fps up to 100"),
        ([torch.zeros(1, 8, 8), torch.zeros(1, 9, 8)], {}, "frames of several sizes"),
    ],
)
def test_a_gif_without_room_or_sense_is_refused(frames, settings, said, tmp_path):
    with pytest.raises(ValueError, match=said):
        viz.gif(tmp_path / "x.gif", frames, **settings)
    assert list(tmp_path.iterdir()) == []


def test_a_gif_of_one_frame_is_shown_and_another_file_is_not(tmp_path, capsys):
    viz.show_gif(viz.gif(tmp_path / "x.gif", random_images(1)), ALT)
    assert capsys.readouterr().out.strip() == ALT
    (tmp_path / "x.gif").write_bytes(b"not a picture")
    with pytest.raises(ValueError, match="is no GIF"):
        viz.show_gif(tmp_path / "x.gif", ALT)


def test_a_label_of_two_lines_draws_without_a_word(caplog):
    fig = viz.strip({"two\nlines": torch.zeros(1, 1, 4, 4)})
    with caplog.at_level("WARNING"):
        fig.canvas.draw()
    assert not caplog.records
