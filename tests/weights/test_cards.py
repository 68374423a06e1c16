"""Weights on disk: whole or absent, safetensors or refused, and the network they belong to."""

import hashlib
import json
import os
import warnings

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


def resigned(path):
    """Make the card beside weights say their checksum."""
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    C.write_card(path, C.read_card(path) | {"sha256": found})


def same(a, b, atol=0.0):
    assert list(a) == list(b)
    for k in a:
        torch.testing.assert_close(a[k], b[k], atol=atol, rtol=0.0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_round_trip(tmp_path, dtype):
    """Exactly the weights rounded to dtype, in the module's own precision; and the same card."""
    path, one, other = tmp_path / "deep" / "er" / "toy.safetensors", net(0), net(1)
    C.save_weights(path, one, CARD, dtype)
    card = C.load_weights(path, other)
    assert card == CARD | {k: card[k] for k in ("sha256", "card_sha256")}
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
    resigned(path)
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


# ------------------------------------------------------------------- checksums


def flipped(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def loaded(path):
    """The weights and what their card says, or the refusal."""
    module = net(1)
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            card = C.load_weights(path, module)
    except ValueError as error:
        return str(error)
    card = {k: v for k, v in card.items() if k not in C.CHECKSUMS}
    return card, module.state_dict(), [str(w.message) for w in said]


def test_every_flipped_bit_of_weights_is_noticed(tmp_path):
    """In the header and in the tensors; the file is named."""
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD)
    good = path.read_bytes()
    header = 8 + int.from_bytes(good[:8], "little")
    places = [*range(0, header, header // 30), *range(header, len(good), len(good) // 30)]
    for i, place in enumerate(places):
        path.write_bytes(good)
        flipped(path, place, i % 8)
        assert str(path) in loaded(path)


def test_every_flipped_bit_of_a_card_is_noticed_or_harmless(tmp_path):
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD | {"metrics": {"frechet": 4.25}})
    card = path.with_suffix(".json")
    good, (said, weights, _) = card.read_bytes(), loaded(path)
    refused = 0
    for place in range(0, len(good), 3):
        card.write_bytes(good)
        flipped(card, place, place % 7)
        found = loaded(path)
        if isinstance(found, str):
            refused += str(tmp_path / "toy") in found
            continue
        # Blanks, and the name of a checksum, which is then missed in a warning.
        assert found[0] == said or found[2] and "card_sha256" not in json.loads(card.read_bytes())
        same(found[1], weights)
    assert refused > 0.8 * len(range(0, len(good), 3))


@pytest.mark.parametrize(
    "bad", [lambda c: c[: len(c) // 2], lambda c: b"", lambda c: bytes(len(c))]
)
@pytest.mark.fault("weights cut, empty or zeros")
def test_weights_that_are_cut_empty_or_zeros_are_refused(tmp_path, bad):
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD)
    path.write_bytes(bad(path.read_bytes()))
    assert "toy.safetensors" in loaded(path)


def test_other_weights_beside_a_card_are_refused_with_what_to_do(tmp_path):
    """As a kill between the two renames of save_weights leaves them."""
    for name, seed in (("a", 0), ("b", 1)):
        C.save_weights(tmp_path / f"{name}.safetensors", net(seed), CARD)
    (tmp_path / "b.safetensors").replace(tmp_path / "a.safetensors")
    said = loaded(tmp_path / "a.safetensors")
    assert "does not have the checksum on its card" in said and "training" in said


def test_a_card_of_an_earlier_version_comes_with_a_warning_and_is_refused_where_it_ships(
    tmp_path, monkeypatch
):
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD)
    path.with_suffix(".json").write_text(json.dumps(CARD))
    with pytest.warns(UserWarning, match="toy.safetensors has no card_sha256"):
        assert C.load_weights(path, net(1)) == CARD
    monkeypatch.setattr(C, "PRETRAINED", tmp_path)
    with pytest.raises(ValueError, match="has no card_sha256.*fetch it again"):
        C.load_weights(path, net(1))


def test_a_card_changed_by_hand_says_how_to_keep_the_change(tmp_path):
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD)
    card = path.with_suffix(".json")
    changed = json.loads(card.read_text()) | {"name": "mine"}
    card.write_text(json.dumps(changed))
    assert "delete its line card_sha256" in loaded(path)
    del changed["card_sha256"]
    card.write_text(json.dumps(changed))
    assert loaded(path)[0]["name"] == "mine"


@pytest.mark.parametrize("broken", ["fsync", "chmod"])
def test_a_pair_that_cannot_be_written_leaves_the_old_pair(tmp_path, monkeypatch, broken):
    """Also when the card alone fails: weights take their name when both are on the disk."""
    path = tmp_path / "toy.safetensors"
    C.save_weights(path, net(), CARD)
    real, calls = getattr(os, broken), []

    def second_fails(*given):
        calls.append(given)
        if len(calls) == 2:
            raise OSError(28, "No space left on device")
        return real(*given)

    with monkeypatch.context() as m:
        m.setattr(os, broken, second_fails)
        with pytest.raises(OSError, match="toy.json cannot be written .No space"):
            C.save_weights(path, net(1), CARD | {"name": "new"})
    assert loaded(path)[0] == CARD and len(os.listdir(tmp_path)) == 2


def test_the_shipped_pairs_have_their_checksums():
    for path in sorted(C.PRETRAINED.glob("*.safetensors")):
        card = C.read_card(path)
        assert C.CHECKSUMS.keys() <= card.keys()
        C.check_sum(path, card)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 100_000,
        '{"a": ' * 950 + "1" + "}" * 950,
        '{"n": NaN}',
        '{"n": 1e999}',
        '{"sha256": 5}',
        '{"n": ' + "9" * 5000 + "}",
        "\x00\xff",
    ],
)
def test_a_card_that_is_no_record_is_one_sentence(tmp_path, text):
    (tmp_path / "toy.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError, match="toy.json is damaged .*fetch it again") as error:
        C.read_card(tmp_path / "toy.safetensors")
    assert "\n" not in str(error.value)
