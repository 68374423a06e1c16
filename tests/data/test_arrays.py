"""Own arrays, npz:; layouts, types, labels and a test part."""

import numpy as np
import torch
from made_images import pictures

from diffutils.data import load


def test_npz_layouts_types_and_labels(tmp_path):
    images = pictures(50)
    variants = {
        "hwc": images,
        "chw": images.transpose(0, 3, 1, 2),
        "unit": images / 255.0,
        "signed": (images / 127.5 - 1).astype(np.float32),
        "wide": images.astype(np.uint16) * 257,
    }
    expected = None
    for name, array in variants.items():
        np.savez(tmp_path / f"{name}.npz", images=array, labels=np.arange(50) % 3)
        data = load(f"npz:{tmp_path / name}.npz")
        assert data.classes == ("0", "1", "2") and len(data.heldout_labels) == len(data.heldout)
        expected = data.train if expected is None else expected
        assert torch.equal(data.train, expected), name


def test_npz_test_part_one_hot_and_names(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(
        path,
        images=pictures(30)[..., 0],
        labels=np.eye(4)[np.arange(30) % 4],
        test_images=pictures(7, seed=1)[..., 0],
        test_labels=np.eye(4)[np.arange(7) % 4],
        classes=np.array(["n", "e", "s", "w"]),
    )
    data = load(f"npz:{path}", size=8)
    assert (tuple(data.train.shape), tuple(data.heldout.shape)) == ((30, 1, 8, 8), (7, 1, 8, 8))
    assert data.classes == ("n", "e", "s", "w")
    assert data.heldout_labels.tolist() == [0, 1, 2, 3, 0, 1, 2]
    np.savez(path, images=pictures(30), labels=np.arange(30) % 2, test_images=pictures(7, seed=1))
    assert load(f"npz:{path}").heldout_labels is None
