"""Weights on disk: whole or absent, safetensors or refused, and the network they belong to."""

import json
import os

import pytest
import torch
from torch import nn

from diffutils.unet import UNet
from diffutils.weights import cards as C
from diffutils.weights import models

NET = dict(channels=[8, 16], blocks=1, attention=[False, True], classes=3)
CARD = {
    "name": "toy",
    "unet": NET,
    "betas": {"name": "cosine", "arguments": {"T": 100}},
    "coefficients": "v",
}


def net(seed=0, **changes):
    torch.manual_seed(seed)
    out = UNet(**{**NET, **changes})
    with torch.no_grad():
        for p in out.parameters():
            p.normal_(std=0.3)
    return out


def same(a, b, atol=0.0):
    assert list(a) == list(b)
    for k in a:
        torch.testing.assert_close(a[k], b[k], atol=atol, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_round_trip(tmp_path, dtype):
    """Exactly the weights rounded to dtype, in the module's own precision; and the same card."""
    path, one, other = tmp_path / "deep" / "er" / "toy.safetensors", net(0), net(1)
    C.save_weights(path, one, CARD, dtype)
    assert C.load_weights(path, other) == CARD
    same(other.state_dict(), {k: v.to(dtype).float() for k, v in one.state_dict().items()})
    assert {p.dtype for p in other.parameters()} == {torch.float32}
    assert sorted(os.listdir(path.parent)) == ["toy.json", "toy.safetensors"]


def test_weights_are_stored_in_float16(tmp_path):
    from safetensors.torch import load_file

    C.save_weights(tmp_path / "toy.safetensors", net(), CARD)
    stored = load_file(tmp_path / "toy.safetensors")
    assert {v.dtype for v in stored.values()} == {torch.float16}
    numbers = sum(p.numel() for p in net().parameters())
    assert (tmp_path / "toy.safetensors").stat().st_size < 2 * numbers + 10_000


def test_float16_keeps_the_function():
    """The output of a U-Net with rounded weights differs by less than 1 % of its size."""
    one, other = net(), net()
    other.load_state_dict({k: v.half().float() for k, v in one.state_dict().items()})
    x, t = torch.randn(4, 3, 8, 8), torch.arange(4) * 100.0
    a, b = one(x, t).detach(), other(x, t).detach()
    assert float((a - b).std()) < 0.01 * float(a.std())


def test_counters_keep_their_type(tmp_path):
    """BatchNorm counts its batches in int64: float16 would lose 4097, and overflow at 65520."""
    one, other = nn.BatchNorm1d(3), nn.BatchNorm1d(3)
    one.num_batches_tracked.fill_(1_000_001)
    C.save_weights(tmp_path / "b.safetensors", one, {})
    C.load_weights(tmp_path / "b.safetensors", other)
    assert int(other.num_batches_tracked) == 1_000_001


@pytest.mark.parametrize(
    "value, dtype",
    [
        (1e5, torch.float16),
        (float("nan"), torch.float32),
        (float("inf"), torch.float32),
    ],
)
def test_weights_that_are_not_finite_are_not_saved(tmp_path, value, dtype):
    broken = net()
    broken.conv_out.bias.data[1] = value
    with pytest.raises(ValueError, match="conv_out.bias holds numbers that are not finite"):
        C.save_weights(tmp_path / "toy.safetensors", broken, CARD, dtype)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_not_read(tmp_path, value):
    """The file and its tensor are named; the network stays as it was."""
    from safetensors.torch import save_file

    path, one = tmp_path / "toy.safetensors", net(1)
    C.save_weights(path, one, CARD)
    one.conv_out.bias.data[1] = value
    save_file(one.state_dict(), path)
    other = net()
    before = {k: v.clone() for k, v in other.state_dict().items()}
    with pytest.raises(ValueError, match="conv_out.bias in .*toy.safetensors .* not finite"):
        C.load_weights(path, other)
    same(other.state_dict(), before)


def test_a_card_holds_no_nan(tmp_path):
    nan, inf = float("nan"), float("inf")
    C.write_card(tmp_path / "a.safetensors", {"a": nan, "b": [1.5, -inf, (inf, "NaN")], "c": 2})
    found = json.loads((tmp_path / "a.json").read_text())
    assert found == {"a": None, "b": [1.5, None, [None, "NaN"]], "c": 2}


def test_saving_changes_nothing_in_the_module(tmp_path):
    one = net().to(memory_format=torch.channels_last)
    before = {k: v.clone() for k, v in one.state_dict().items()}
    C.save_weights(tmp_path / "toy.safetensors", one, CARD)
    same(one.state_dict(), before)
    C.load_weights(tmp_path / "toy.safetensors", one)
    assert one.conv_in.weight.is_contiguous(memory_format=torch.channels_last)


# ------------------------------------------------------------------- files that are not weights


def test_a_refused_file_leaves_the_network_as_it_was(tmp_path):
    """What is refused, and how it is said: tests/product/test_bad_input.py."""
    path, module = tmp_path / "toy.safetensors", net()
    C.save_weights(path, net(1), CARD)
    path.write_bytes(path.read_bytes()[:-100])
    before = {k: v.clone() for k, v in module.state_dict().items()}
    with pytest.raises(ValueError, match="not a valid safetensors file"):
        C.load_weights(path, module)
    same(module.state_dict(), before)


def test_missing_files(tmp_path):
    path = tmp_path / "toy.safetensors"
    with pytest.raises(FileNotFoundError, match="no weights at .*toy.safetensors"):
        C.load_weights(path, net())
    with pytest.raises(FileNotFoundError, match="no weights"):
        C.load_weights(tmp_path, net())  # a folder
    C.save_weights(path, net(), CARD)
    path.with_suffix(".json").unlink()
    with pytest.raises(FileNotFoundError, match="no card at .*toy.json"):
        models.load_model(path)


@pytest.mark.parametrize(
    "changes, first",
    [
        (dict(channels=[8, 24]), "decoder"),
        (dict(blocks=2), "decoder"),
        (dict(classes=0), "class_embedding"),
        (dict(classes=4), "class_embedding.weight"),
        (dict(in_channels=1), "conv_in.weight"),
    ],
)
def test_wrong_architecture(tmp_path, changes, first):
    """Names the first tensor that differs, and leaves the module as it was."""
    C.save_weights(tmp_path / "toy.safetensors", net(), CARD)
    other = net(1, **changes)
    before = {k: v.clone() for k, v in other.state_dict().items()}
    with pytest.raises(ValueError, match=rf"do not fit this network: .* first {first}.*card"):
        C.load_weights(tmp_path / "toy.safetensors", other)
    same(other.state_dict(), before)


def test_a_state_dict_is_saved_as_its_module_is(tmp_path):
    """Averaged weights come from a checkpoint without a module around them."""
    C.save_weights(tmp_path / "a.safetensors", net(), CARD)
    C.save_weights(tmp_path / "b.safetensors", net().state_dict(), CARD)
    a, b = (tmp_path / f"{name}.safetensors" for name in "ab")
    assert a.read_bytes() == b.read_bytes()
