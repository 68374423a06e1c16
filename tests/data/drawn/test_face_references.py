"""References of drawn faces: the same head turned, another head; coverage of the drawn colours."""

import numpy as np
import pytest
import torch

from diffutils.data.drawn.face_references import (
    REGIONS,
    coverage,
    other_head,
    region_palette,
    regions,
    turned,
)
from diffutils.data.drawn.faces import ATTRIBUTES, draw, heldout_combination, parameters

POSE = {"x", "y", "scale", "turn", "tilt", "gaze_x", "gaze_y"}
EXPRESSION = {"brow_arch", "brow_slope", "mouth", "mouth_curve", "mouth_width"}


def at(numbers, where):
    return {name: values[where] for name, values in numbers.items()}


def equal(a, b):
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


# ------------------------------------------------------------------- references


def test_references_depend_on_seed_and_index_only():
    shape, _, attributes = parameters(20, seed=3)
    index = np.arange(100, 120)
    some = slice(4, 9)
    for split in ("train", "heldout"):
        heads = other_head(attributes, 5, index, split)
        assert equal(other_head(at(attributes, some), 5, index[some], split), at(heads, some))
        assert not equal(other_head(attributes, 6, index, split), heads)
    poses = turned(shape, 5, index)
    assert equal(turned(at(shape, some), 5, index[some]), at(poses, some))
    for other in (turned(shape, 6, index), turned(shape, 5, index + 20)):
        assert all((other[name] != poses[name]).any() for name in POSE)
    train, held = (other_head(attributes, 5, index, split) for split in ("train", "heldout"))
    for one, two in ((train, held), (train, poses), (held, poses)):
        assert (one["x"] != two["x"]).all()  # they share no random numbers


def test_a_turned_head_has_another_pose_and_is_the_same_head():
    n = 2000
    shape, _, attributes = parameters(n)
    poses = turned(shape, 0, np.arange(n))
    changed = {name for name in shape if not np.array_equal(shape[name], poses[name])}
    assert poses.keys() == shape.keys() and changed == POSE | EXPRESSION
    assert all(poses[name].dtype == shape[name].dtype for name in shape)
    # Turn and tilt go to each of the two other sides equally often.
    for name, spread in {"turn": 0.05, "tilt": 0.025}.items():
        unit = {"turn": 0.20, "tilt": 0.085}[name]
        side = np.rint(poses[name] / unit).astype(int) + 1
        assert abs(poses[name] - (side - 1) * unit).max() <= spread + 1e-6
        step = (side - attributes[name]) % 3
        assert set(step) == {1, 2} and abs((step == 1).mean() - 0.5) < 0.05
        assert abs(poses[name] - shape[name]).min() > 0.03
    # Place and size stay near.
    assert abs(poses["scale"] - shape["scale"]).max() <= 0.06 + 1e-6
    assert abs(poses["x"] - shape["x"]).max() <= 0.10 + 1e-6
    assert abs(poses["y"] - shape["y"]).max() <= 0.06 + 1e-6
    again = turned(poses, 1, np.arange(n))
    assert abs(again["turn"] - poses["turn"]).min() > 0.03


def test_a_turned_head_does_not_lie_on_the_first():
    shape, palette, _ = parameters(100, seed=2)
    one = draw(shape, palette, 64).float()
    two = draw(turned(shape, 0, np.arange(100)), palette, 64).float()
    assert (one - two).abs().mean((1, 2, 3)).min() > 2


@pytest.mark.parametrize("split", ["train", "heldout"])
def test_another_head_is_another_face(split):
    n = 3000
    shape, _, attributes = parameters(n, split=split)
    heads = other_head(attributes, 0, np.arange(n), split)
    assert heads.keys() == shape.keys()
    assert all(heads[name].dtype == shape[name].dtype for name in shape)
    # No head is its own face or any other of the set, and the heads do not repeat.
    keys = [np.round(h["eye_x"].astype(float) * 1e7 + 1e3 * h["chin"], 2) for h in (shape, heads)]
    assert len(np.intersect1d(*keys)) == 0 and len(np.unique(keys[1])) == n
    # They are faces like all others, not like those whose colours they wear.
    for name in ("eye_x", "chin", "turn", "scale"):
        assert abs(np.corrcoef(shape[name], heads[name])[0, 1]) < 0.06
        assert heads[name].mean() == pytest.approx(shape[name].mean(), abs=0.01)
    style = np.bincount(heads["hair_style"].astype(int), minlength=len(ATTRIBUTES["hair_style"]))
    assert abs(style / n * len(style) - 1).max() < 0.25
    same = (heads["hair_style"] == shape["hair_style"]).mean()
    assert same < 0.2


def test_training_heads_never_complete_a_held_out_combination():
    n = 5000
    attributes = parameters(n)[2]
    style = other_head(attributes, 1, np.arange(n))["hair_style"].astype(int)
    colours = attributes["hair_colour"], attributes["eye_colour"]
    assert not heldout_combination(style, *colours).any()
    # Without the rule one in ten would.
    assert heldout_combination(np.random.default_rng(0).permutation(style), *colours).mean() > 0.05


def test_another_split_is_refused():
    with pytest.raises(ValueError, match="split is 'test'; choose one of train, heldout"):
        other_head(parameters(1)[2], 0, np.arange(1), "test")


# ------------------------------------------------------------------- coverage


@pytest.mark.parametrize("size", [16, 33, 64])
def test_coverages_sum_to_one_and_render_the_face(size):
    """Drawing is linear in the palette: coverage times colour, summed, is the picture."""
    shape, palette, _ = parameters(40, seed=7)
    names = tuple(palette)
    cover = coverage(shape, size, names)
    assert cover.shape == (40, len(names), size, size) and cover.dtype == torch.float32
    assert cover.min() == 0 and cover.max() == 1
    rounding = 0.5 / 255  # of each colour in the pixel, of which there are few
    error = (cover.sum(1) - 1).abs()
    assert error.max() <= 5 * rounding and error.mean() < rounding
    colours = torch.from_numpy(np.stack(list(palette.values()), 1))
    mixed = torch.einsum("nkhw,nkc->nchw", cover, colours)
    gap = (mixed - draw(shape, palette, size).float() / 255).abs()
    assert gap.max() <= 5 * rounding and gap.mean() < rounding


def test_coverage_of_a_few_names_is_that_of_all():
    shape, palette, _ = parameters(5, seed=1)
    names = tuple(palette)
    every = coverage(shape, 32, names)
    for some in (names[3:4], names[1:6], names[::-1]):
        assert torch.equal(coverage(shape, 32, some), every[:, [names.index(n) for n in some]])
    with pytest.raises(KeyError, match="nose"):
        coverage(shape, 32, ("nose",))


@pytest.mark.parametrize("size", [32, 64])
def test_regions_show_their_flat_colour(size):
    shape, palette, _ = parameters(50, seed=2)
    image = draw(shape, palette, size).float() / 127.5 - 1
    colours = region_palette(palette)
    masks = regions(shape, size)
    assert list(masks) == ["hair", "skin", "eye", "cloth", "background"] == list(REGIONS)
    assert torch.stack(list(masks.values())).sum(0).max() == 1  # no pixel in two regions
    for r, (name, mask) in enumerate(masks.items()):
        assert mask.shape == (50, size, size) and mask.dtype == torch.bool
        flat = torch.from_numpy(palette[REGIONS[name]]) * 2 - 1
        assert torch.equal(colours[:, r], flat)
        gaps = (image - flat[:, :, None, None]).abs().amax(1)[mask]
        # At most a twentieth of a pixel is of another colour.
        assert len(gaps) == 0 or gaps.max() <= 0.05 * 2 + 2 / 255
        if name != "eye":
            assert mask.any((1, 2)).all()
    assert masks["background"][:, 0].float().mean() > 0.3


def test_a_lower_threshold_takes_more_pixels():
    shape, _, _ = parameters(30, seed=2)
    strict, loose = regions(shape, 64), regions(shape, 64, at_least=0.5)
    for name in REGIONS:
        assert (loose[name] | ~strict[name]).all() and loose[name].sum() > strict[name].sum()
    assert loose["eye"].sum((1, 2)).min() >= 4 and (strict["eye"].sum((1, 2)) < 4).any()
    with pytest.raises(ValueError, match="16 to 256"):
        regions(shape, 8)
