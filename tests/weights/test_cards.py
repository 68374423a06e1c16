"""Weights on disk: whole or absent, safetensors or refused, and the network they belong to."""

import json
import math
import os

import pytest
import torch
from torch import nn

from diffutils import denoisers, schedules
from diffutils.unet import UNet
from diffutils.weights import cards as C
from diffutils.weights import files, models

NET = dict(channels=[8, 16], blocks=1, attention=[False, True], classes=3)
CARD = {
    "name": "toy",
    "unet": NET,
    "betas": {"name": "cosine", "arguments": {"T": 100}},
    "coefficients": "v",
}


EDM = {
    "name": "toy",
    "unet": NET,
    "coefficients": "edm",
    "sigma_data": 0.61,
    "density": {"name": "log_normal", "arguments": {"P_mean": -1.0, "P_std": 1.1}},
    "embedding": {"name": "phi_star", "arguments": {"c": 0.3}},
    "grid": {"name": "karras", "arguments": {"rho": 5.0, "sigma_max": 50.0}},
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
    """What is refused, and how it is said: tests/test_bad_input.py."""
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


# ------------------------------------------------------------------- whole files


@pytest.mark.parametrize("broken", ["fsync", "replace", "chmod"])
def test_an_interrupted_write_leaves_the_old_file(tmp_path, monkeypatch, broken):
    """Also when it is the user who interrupts; and no temporary file stays."""
    path = tmp_path / "file"
    path.write_bytes(b"old")
    for error in (OSError("disk full"), KeyboardInterrupt()):

        def fail(*_, error=error):
            raise error

        with monkeypatch.context() as m:
            m.setattr(os, broken, fail)
            with pytest.raises(type(error)):
                files.write_whole(path, b"new" * 1000)
        assert path.read_bytes() == b"old" and os.listdir(tmp_path) == ["file"]
    files.write_whole(path, b"new")
    assert path.read_bytes() == b"new" and os.listdir(tmp_path) == ["file"]


def test_a_reader_sees_the_old_file_until_the_new_one_is_complete(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_bytes(b"old")
    real = os.replace

    def spy(source, target):
        seen.append((path.read_bytes(), open(source, "rb").read()))
        real(source, target)

    monkeypatch.setattr(os, "replace", spy)
    files.write_whole(path, b"new")
    assert seen == [(b"old", b"new")] and path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o644


# ------------------------------------------------------------------- models by name


def test_model_from_its_card(tmp_path):
    """Network, coefficients and schedule as the card says; ready to sample."""
    one = net()
    C.save_weights(tmp_path / "toy.safetensors", one, CARD, torch.float32)
    model = models.load_model(tmp_path / "toy.safetensors")
    same(model.denoiser.net.state_dict(), one.state_dict())
    assert model.denoiser.coefficients is denoisers.v and model.card == CARD
    torch.testing.assert_close(
        model.schedule.sigmas, schedules.Discrete(schedules.cosine_betas(100)).sigmas
    )
    assert not model.denoiser.training
    assert not any(p.requires_grad for p in model.denoiser.parameters())
    x, level = torch.randn(2, 3, 8, 8), model.schedule.sigmas[50]
    F = one(x / (1 + level**2).sqrt().float(), torch.full((2,), 50.0), torch.tensor([0, 3]))
    want = x / (1 + level**2) - level / (1 + level**2).sqrt() * F
    got = model.denoiser(x, level, torch.tensor([0, 3]))
    torch.testing.assert_close(got, want.detach().float(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    "change",
    [
        {"unet": {"channels": [-8, 8]}},
        {"unet": {"channels": [10**9, 8]}},
        {"betas": {"name": "linear", "arguments": {"T": -5}}},
        {"betas": {"name": "linear", "arguments": {"T": "many"}}},
    ],
)
def test_a_card_with_impossible_numbers_is_one_clear_sentence(change):
    card = C.read_card(C.PRETRAINED / "sprites.safetensors") | change
    with pytest.raises(ValueError, match="describes no model") as raised:
        models.build(card)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("entry", ["unet", "betas", "coefficients"])
def test_a_card_that_names_what_does_not_exist(tmp_path, entry):
    card = C.read_card(C.PRETRAINED / "sprites.safetensors")
    card[entry] = {"name": "odd", "arguments": {}} if entry == "betas" else "odd"
    with pytest.raises(ValueError, match="describes no model"):
        models.build(card)


def test_every_kind_of_card_can_be_built():
    for betas in models.BETAS:
        for coefficients in models.COEFFICIENTS:
            if coefficients == "edm":
                continue  # it has no betas: below
            model = models.build(
                {
                    **CARD,
                    "betas": {"name": betas, "arguments": {"T": 100}},
                    "coefficients": coefficients,
                }
            )
            assert len(model.schedule.sigmas) == 100


def test_edm_model_from_its_card(tmp_path):
    """The same function after a round trip; what the card says, element by element."""
    before = models.build(EDM)
    before.denoiser.net.load_state_dict(net().state_dict())
    C.save_weights(tmp_path / "toy.safetensors", before.denoiser.net, EDM, torch.float32)
    model = models.load_model(tmp_path / "toy.safetensors")
    assert model.card == EDM and not model.denoiser.training
    x, sigma = torch.randn(4, 3, 8, 8), torch.tensor([0.002, 0.3, 5.0, 80.0])
    got = model.denoiser(x, sigma, torch.tensor([0, 1, 2, 3]))
    assert torch.equal(got, before.denoiser(x, sigma, torch.tensor([0, 1, 2, 3])))
    level, phi = sigma.view(4, 1, 1, 1), lambda s: s / (s + 0.3)
    norm = (level**2 + 0.61**2).sqrt()
    told = 1000 * (phi(sigma) - phi(0.002)) / (phi(80.0) - phi(0.002))
    F = model.denoiser.net(x / norm, told, torch.tensor([0, 1, 2, 3]))
    want = (0.61 / norm) ** 2 * x + 0.61 * level / norm * F
    torch.testing.assert_close(got, want.detach(), atol=1e-3, rtol=1e-3)
    u = torch.linspace(0, 1, 101, dtype=torch.float64)
    assert torch.equal(model.density(u), schedules.log_normal(-1.0, 1.1)(u))
    assert torch.equal(model.schedule(u), schedules.karras(0.002, 50.0, 5.0)(u))


def test_every_name_of_edm_can_be_built():
    ends = {"log_normal": None}  # it has none
    for name in models.SCHEDULES:
        one = {"name": name, "arguments": {}}
        model = models.build({**EDM, "density": one, "grid": one})
        u = torch.tensor([0.0, 0.5, 1.0])
        assert torch.equal(model.density(u), getattr(schedules, name)()(u))
        assert torch.equal(model.schedule(u), model.density(u))
        if name not in ends:
            assert float(model.schedule(u)[2]) == pytest.approx(80)
    for name, arguments in (("log", {}), ("phi_star", {"c": 0.7})):
        model = models.build({**EDM, "embedding": {"name": name, "arguments": arguments}})
        told = model.denoiser.c_noise(torch.tensor([0.002, 0.7, 80.0]))
        assert told[[0, 2]].tolist() == pytest.approx([0, 1000], abs=1e-3)
        share = {
            "log": math.log(350) / math.log(40_000),
            "phi_star": (0.5 - 2 / 702) / (80 / 80.7 - 2 / 702),
        }[name]
        assert float(told[1]) == pytest.approx(1000 * share, abs=1e-2)
    assert {"log", "phi_star"} == set(models.EMBEDDINGS)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"sigma_data": None}, "sigma_data"),
        ({"sigma_data": 0.0}, "sigma_data is 0.0"),
        ({"sigma_data": -0.5}, "sigma_data is -0.5"),
        ({"sigma_data": "half"}, "'<'"),
        ({"density": None}, "density"),
        ({"grid": None}, "grid"),
        ({"embedding": None}, "embedding"),
        ({"density": {"name": "odd", "arguments": {}}}, "odd"),
        ({"grid": {"name": "linear", "arguments": {"T": 10}}}, "linear"),
        ({"grid": "karras"}, "indices"),
        ({"grid": {"name": "karras"}}, "arguments"),
        ({"grid": {"name": "karras", "arguments": {"rho": 0.0}}}, "division"),
        ({"grid": {"name": "karras", "arguments": {"sigma_min": -1.0}}}, "sigma_min"),
        ({"embedding": {"name": "sine", "arguments": {}}}, "sine"),
        ({"embedding": {"name": "phi_star", "arguments": {}}}, "'c'"),
        ({"embedding": {"name": "phi_star", "arguments": {"c": 0}}}, "must rise"),
        ({"embedding": {"name": "log", "arguments": {"c": 0.3}}}, "'c'"),
    ],
)
def test_an_edm_card_that_describes_nothing_is_one_sentence(change, words):
    """None: the entry is missing."""
    card = {k: v for k, v in (EDM | change).items() if v is not None}
    with pytest.raises(ValueError, match="'toy' describes no model .*log_logistic.*phi_star") as e:
        models.build(card)
    assert words in str(e.value) and "\n" not in str(e.value)


def test_of_ddpm_the_density_is_the_schedule():
    model = models.build(CARD)
    assert model.density is model.schedule and isinstance(model.density, schedules.Discrete)


def test_pretrained_names(tmp_path, monkeypatch):
    """An unknown name lists the models there are, and only those; none is said to be none."""
    monkeypatch.setattr(C, "PRETRAINED", tmp_path)
    with pytest.raises(ValueError, match="no pretrained model 'cats'; there are: none"):
        models.pretrained("cats")
    C.save_weights(tmp_path / "toy.safetensors", net(), CARD)
    C.save_weights(tmp_path / "b.safetensors", net(), {**CARD, "name": "b"})
    (tmp_path / "judge.json").write_text(json.dumps({"name": "judge"}))  # no U-Net, no model
    with pytest.raises(ValueError, match="'cats'; there are: b, toy$"):
        models.pretrained("cats")
    assert models.pretrained("toy").card == CARD


def test_shipped_models_load():
    """Every card in data/pretrained with a U-Net builds, loads and denoises."""
    cards = [json.loads(p.read_text()) for p in sorted(C.PRETRAINED.glob("*.json"))]
    for card in (c for c in cards if "unet" in c):
        model = models.pretrained(card["name"])
        side = 2**model.denoiser.net.halvings
        x = torch.randn(1, model.denoiser.net.in_channels, side, side)
        assert bool(model.denoiser(x, 1.0).isfinite().all())
