"""Pixels: ranges, keys, the split, sizes."""

import io

import numpy as np
import pytest
import torch
from made_images import heard
from PIL import Image

from diffutils.data import load, to_float, to_uint8
from diffutils.data.images import content_key, fit_size, held_out, read_image, resized, to_bytes


def test_float_and_back_is_exact():
    x = torch.arange(256, dtype=torch.uint8)
    y = to_float(x)
    assert y.dtype == torch.float32 and y[0] == -1 and y[-1] == 1
    assert torch.equal(to_uint8(y), x)
    assert to_uint8(torch.tensor([-9.0, 9.0])).tolist() == [0, 255]


def test_keys_are_equal_for_mirrored_images_only():
    image = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    assert content_key(image) == content_key(image[:, ::-1])
    assert content_key(image) != content_key(image[::-1])


def test_one_key_in_ten_is_held_out_and_stays_so():
    images = np.random.default_rng(0).integers(0, 256, (10_000, 2, 2, 1), dtype=np.uint8)
    keys = [content_key(image) for image in images]
    held = held_out("own", keys)
    assert abs(held.mean() - 0.1) < 0.01
    fewer = held_out("own", keys[:500])
    assert np.array_equal(fewer, held[:500])


def test_small_sets_have_both_parts():
    keys = [content_key(np.full((1, 1, 1), i, np.uint8)) for i in range(256)]
    for i in range(0, 246):
        assert 1 <= held_out("own", keys[i : i + 10]).sum() <= 7
    with pytest.raises(ValueError, match="own holds 9 different images .* at least 10 are needed"):
        held_out("own", keys[:9] * 5)


def test_resizing_keeps_the_mean_and_removes_what_would_alias():
    stripes = np.zeros((1, 64, 64, 1), np.uint8)
    stripes[:, :, ::2] = 200
    small = fit_size(stripes, 16)
    assert small.shape == (1, 16, 16, 1) and abs(small.mean() - 100) < 2
    assert np.ptp(small[:, :, 2:-2]) <= 2  # the outermost columns see the border


def test_resized_keeps_labels_and_skips_what_fits():
    data = load("sprites", limit=4, heldout=4)
    assert resized(data, 16) is data
    assert torch.equal(resized(data, 8).train_labels, data.train_labels)


def test_pixel_ranges():
    assert to_bytes(np.array([0, 1], bool)).tolist() == [0, 255]
    assert to_bytes(np.array([0, 1], np.uint8)).tolist() == [0, 255]
    assert to_bytes(np.array([0, 128, 255])).tolist() == [0, 128, 255]
    assert to_bytes(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 128, 255]
    assert to_bytes(np.array([0, 65535], np.uint16)).tolist() == [0, 255]
    with pytest.raises(ValueError, match=r"lie in \[0, 300\]"):
        to_bytes(np.array([300.0]))


def test_wide_images_are_cropped_centrally_then_resized_without_aliasing(tmp_path):
    tmp_path.joinpath("d").mkdir()
    for i in range(12):
        wide = np.full((64, 128, 3), 255, np.uint8)
        wide[:, 32:96] = 100 + i
        wide[::2, 32:96] = 0  # one-pixel stripes alias to solid colour under point sampling
        Image.fromarray(wide).save(tmp_path / "d" / f"{i}.png")
    data = load(f"folder:{tmp_path / 'd'}", size=16)
    inner = data.train[:, :, 2:-2, 2:-2].float()
    assert data.shape == (3, 16, 16)
    assert inner.max() < 62 and inner.min() > 44  # all near the mean of the stripes, 50 to 56


@pytest.mark.parametrize(
    "values, dark, brightest",
    [
        (np.random.default_rng(0).integers(0, 65536, (14, 12, 12)).astype(np.int32), 200, 1),
        (np.random.default_rng(0).random((14, 12, 12), np.float32) * 2 - 1, 0.0, 128),
    ],
    ids=["int32", "float32"],
)
def test_32_bit_files_are_judged_by_the_whole_set(tmp_path, values, dark, brightest):
    for i, pixels in enumerate(values):
        Image.fromarray(pixels).save(tmp_path / f"{i}.tif")
    Image.fromarray(np.full_like(values[0], dark)).save(tmp_path / "dark.tif")
    data, _, _ = heard(f"folder:{tmp_path}")
    tops = [int(x.max()) for x in torch.cat([data.train, data.heldout])]
    assert tops.count(brightest) == 1 and sorted(tops)[1] > 200


def test_16_bit_files_mean_what_their_type_says():
    """However dark they are; Pillow reads a PGM of 16 bits into 32."""
    pixels = np.full((8, 8), 257 * 7, np.uint16)
    for kind in ("PNG", "TIFF", "PPM"):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, kind)
        image = read_image(content.getvalue())
        assert image.mode == "L" and image.getextrema() == (7, 7)


def test_more_pages_are_told():
    content, pages = io.BytesIO(), [Image.new("L", (8, 8), i) for i in range(3)]
    pages[0].save(content, "TIFF", save_all=True, append_images=pages[1:])
    assert read_image(content.getvalue()).info["pages"]
    pages[0].save(content := io.BytesIO(), "TIFF")
    assert not read_image(content.getvalue()).info["pages"]


@pytest.mark.parametrize("odd", [np.inf, np.nan])
def test_32_bit_files_with_numbers_that_are_none_are_skipped(tmp_path, odd):
    random = np.random.default_rng(0)
    for i in range(12):
        Image.fromarray(random.random((8, 8), np.float32)).save(tmp_path / f"{i}.tif")
    Image.fromarray(np.full((8, 8), odd, np.float32)).save(tmp_path / "odd.tif")
    data, _, warned = heard(f"folder:{tmp_path}")
    assert len(data.train) + len(data.heldout) == 12
    assert "odd.tif (pixels hold NaN or infinite values" in warned
