"""References of drawn faces: other poses and heads, and regions that add up."""

import numpy as np
import torch

from diffutils.data.drawn import face_references, faces
from diffutils.data.drawn.face_parameters import heldout_combination


def test_the_shares_of_all_colours_add_up_to_the_picture():
    """So every brush mixes linearly, which `regions` builds on."""
    shape, palette, _ = faces.parameters(24, 5)
    names, total, picture = [*palette], 0, 0
    for name in names:
        part = face_references.share(shape, palette, (name,), 48)[:, 0].double() / 255
        total = total + part
        picture = picture + part[:, None] * torch.from_numpy(palette[name])[..., None, None]
    rounding = len(names) / 2 / 255
    assert (total - 1).abs().max() < rounding
    drawn = faces.draw(shape, palette, 48).double() / 255
    assert (picture - drawn).abs().max() < 2 * rounding
    assert (picture - drawn).abs().mean() < 1 / 255


def test_regions_do_not_overlap_and_are_there():
    shape, palette, _ = faces.parameters(100, 0)
    masks = face_references.regions(shape, palette, 64)
    assert masks.shape == (100, 5, 64, 64) and (masks.sum(1) <= 1).all()
    there = (masks.flatten(2).sum(2) >= 4).double().mean(0)
    assert there[[0, 1, 3, 4]].min() > 0.9, there  # eyes are small


def test_another_pose_of_the_same_head():
    shape, _, _ = faces.parameters(300, 1)
    other, _ = face_references.others(300, 1, "train")
    turned = face_references.turned(shape, other)
    assert np.abs(turned["turn"] - shape["turn"]).min() >= face_references.APART - 1e-6
    assert np.abs(turned["turn"]).max() <= 0.2501
    for name in set(shape) - set(face_references.POSE + face_references.MOOD):
        assert np.array_equal(turned[name], shape[name]), name
    alone = face_references.others(3, 1, "train")[0]
    assert all(np.array_equal(alone[name], other[name][:3]) for name in alone)


def test_another_head_is_another_and_shows_no_held_out_combination():
    shape, _, own = faces.parameters(2000, 0)
    other, _ = face_references.others(2000, 0, "train")
    style = other["hair_style"].astype(np.int64)
    assert not heldout_combination(style, own["hair_colour"], own["eye_colour"]).any()
    assert (
        np.abs(other["chin"] - shape["chin"]).min() >= 0 and (other["chin"] != shape["chin"]).all()
    )
    held, _ = face_references.others(50, 0, "heldout")
    assert len(held["x"]) == 50
