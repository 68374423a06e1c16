"""Drawn faces: seeds, splits, attributes, smooth edges, and colours that leave shapes alone."""

import itertools
import time

import numpy as np
import pytest
import torch

from diffutils.data.drawn.faces import ATTRIBUTES, draw, faces, heldout_combination, parameters

THREE = ("hair_style", "hair_colour", "eye_colour")


def rows(images):
    return {image.tobytes() for image in images.numpy()}


def test_an_image_depends_on_seed_split_and_index_only():
    few, codes = faces(5, 32, seed=3)
    many, more = faces(300, 32, seed=3)  # more than one chunk
    assert torch.equal(few, many[:5])
    assert all(torch.equal(codes[name], more[name][:5]) for name in ATTRIBUTES)
    shape, palette, _ = parameters(7, seed=3, start=290)
    assert torch.equal(draw(shape, palette, 32), many[290:297])
    others = faces(5, 32, seed=4)[0], faces(5, 32, seed=3, split="heldout")[0]
    assert not any((few == other).flatten(1).all(1).any() for other in others)


@pytest.mark.parametrize("size", [16, 17, 32, 64, 96, 256])
def test_any_size_shows_the_same_face(size):
    images, _ = faces(3, size)
    assert images.shape == (3, 3, size, size) and images.dtype == torch.uint8
    small, _ = faces(3, 16)
    if size % 16 == 0:
        shrunk = torch.nn.functional.avg_pool2d(images.float(), size // 16)
        assert (shrunk - small.float()).abs().mean() < 12


def test_nothing_to_draw_and_bad_arguments():
    images, codes = faces(0, 16)
    assert images.shape == (0, 3, 16, 16) and len(codes["mouth"]) == 0
    for size in (8, 512):
        with pytest.raises(ValueError, match="16 to 256"):
            faces(1, size)
    with pytest.raises(ValueError, match="train, heldout"):
        faces(1, 16, split="test")
    with pytest.raises(ValueError, match="2 shapes but 1 palettes"):
        draw(parameters(2)[0], parameters(1)[1], 16)


def test_held_out_combinations_are_never_trained_on_but_every_pair_is():
    train, held = (
        {n: a[n] for n in THREE}
        for a in (parameters(30_000)[2], parameters(3_000, split="heldout")[2])
    )
    assert not heldout_combination(*train.values()).any()
    assert heldout_combination(*held.values()).all()
    sizes = [len(ATTRIBUTES[n]) for n in THREE]
    share = heldout_combination(*np.indices(sizes).reshape(3, -1)).mean()
    assert 0.09 <= share <= 0.11
    for a, b in itertools.combinations(THREE, 2):
        pairs = len(set(zip(train[a].tolist(), train[b].tolist(), strict=True)))
        assert pairs == len(ATTRIBUTES[a]) * len(ATTRIBUTES[b])


def test_attributes_are_independent_and_all_values_are_used():
    n = 20_000
    codes = parameters(n)[2]
    assert list(codes) == list(ATTRIBUTES) and len(ATTRIBUTES) >= 10
    for name, values in ATTRIBUTES.items():
        assert codes[name].dtype == np.int64
        share = np.bincount(codes[name], minlength=len(values)) / n
        assert len(share) == len(values) and abs(share * len(values) - 1).max() < 0.2
    for a, b in itertools.combinations(ATTRIBUTES, 2):
        if {a, b} < set(THREE):
            continue  # the held-out combinations are missing from these
        shape = len(ATTRIBUTES[a]), len(ATTRIBUTES[b])
        table = np.zeros(shape)
        np.add.at(table, (codes[a], codes[b]), 1)
        expected = np.outer(table.sum(1), table.sum(0)) / n
        freedom = (shape[0] - 1) * (shape[1] - 1)
        chi_square = ((table - expected) ** 2 / expected).sum()
        assert chi_square < freedom + 5 * (2 * freedom) ** 0.5, (a, b)


def test_one_attribute_changes_the_picture():
    """Every shape attribute can be seen: faces that differ in it alone differ in pixels."""
    shape, palette, _ = parameters(1, seed=5)
    for name in ("hair_style", "mouth", "accessory", "clothes", "background", "blush"):
        pictures = [
            draw({**shape, name: np.float32([code])}, palette, 64)
            for code in range(len(ATTRIBUTES[name]))
        ]
        if name in ("hair_style", "mouth"):
            # Some values are told apart by continuous numbers (lengths, curves) instead.
            assert len(rows(torch.cat(pictures))) >= 4
        else:
            assert len(rows(torch.cat(pictures))) == len(pictures)


def test_edges_are_smooth():
    """A black hair-free face on white: pixels between the two colours appear, at edges only."""
    shape, palette, _ = parameters(20, seed=1)
    white = {name: np.ones_like(colour) for name, colour in palette.items()}
    black = {**white, "cloth": np.zeros_like(white["cloth"])}
    image = draw(shape, black, 64)[:, 0]
    between = ((image > 10) & (image < 245)).float().mean()
    inside = (image <= 10).float().mean()
    assert 0.002 < between < 0.10 and inside > 0.03
    assert len(image.unique()) > 100


def test_colours_never_move_shapes():
    """The picture is affine in the palette: every pixel's weights come from the shape alone."""
    shape, one, _ = parameters(40, seed=7)
    _, two, _ = parameters(40, seed=8)
    mean = {name: (one[name] + two[name]) / 2 for name in one}
    a, b, c = (draw(shape, palette, 64).float() for palette in (one, two, mean))
    assert ((a + b) / 2 - c).abs().max() <= 1  # rounding to uint8
    assert (a - b).abs().mean() > 10


def test_recolouring_hair_leaves_the_rest():
    shape, palette, _ = parameters(40, seed=7)
    _, other, _ = parameters(40, seed=9)
    hair = ("hair", "hair_shade", "hair_shine", "hair_line")
    before, after = (
        draw(shape, palette, 64),
        draw(shape, {**palette, **{name: other[name] for name in hair}}, 64),
    )
    flat = {name: np.zeros_like(colour) for name, colour in palette.items()}
    flat.update({name: np.ones_like(flat[name]) for name in hair})
    coverage = draw(shape, flat, 64)
    assert torch.equal(before[coverage == 0], after[coverage == 0])
    assert (before != after)[coverage == 255].float().mean() > 0.8


@pytest.mark.parametrize("n", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_faces_do_not_repeat_and_splits_do_not_share(n):
    train, held = rows(faces(n, 16)[0]), rows(faces(n // 10, 16, split="heldout")[0])
    assert len(train) >= 0.999 * n
    assert not train & held


def test_drawing_is_fast_on_one_core():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        faces(8, 64)
        start = time.process_time()
        faces(128, 64)
        assert 128 / (time.process_time() - start) > 100  # about 1,000 on a quiet core
    finally:
        torch.set_num_threads(threads)
