"""Models by their cards: network, coefficients, noise levels, and which of them ship."""

import dataclasses
import json
import math
import subprocess
import sys

import pytest
import torch

from diffutils import denoisers, resample, schedules
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
EDM = {
    "name": "toy",
    "unet": NET,
    "coefficients": "edm",
    "sigma_data": 0.61,
    "density": {"name": "log_normal", "arguments": {"P_mean": -1.0, "P_std": 1.1}},
    "embedding": {"name": "phi_star", "arguments": {"c": 0.3}},
    "grid": {"name": "karras", "arguments": {"rho": 5.0, "sigma_max": 50.0}},
}


def net():
    torch.manual_seed(0)
    out = UNet(**NET)
    with torch.no_grad():
        for p in out.parameters():
            p.normal_(std=0.3)
    return out


def written(card):
    """What was handed to save_weights: without the checksums."""
    return {k: v for k, v in card.items() if k not in C.CHECKSUMS}


def same(a, b):
    assert list(a) == list(b)
    for k in a:
        torch.testing.assert_close(a[k], b[k], atol=0.0, rtol=0.0)


def test_model_from_its_card(tmp_path):
    """Network, coefficients and schedule as the card says; ready to sample."""
    one = net()
    C.save_weights(tmp_path / "toy.safetensors", one, CARD, torch.float32)
    model = models.load_model(tmp_path / "toy.safetensors")
    same(model.denoiser.net.state_dict(), one.state_dict())
    assert model.denoiser.coefficients is denoisers.v and written(model.card) == CARD
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
        {"unet": {"channels": [10**30, 8]}},
        {"unet": {"channels": [8192] * 3, "attention": [False] * 3}},
        {"unet": {"channels": [8] * 10_000, "attention": [False] * 10_000}},
        {"unet": {"channels": "8,8"}},
        {"unet": {"blocks": 10**8}},
        {"unet": {"blocks": True}},
        {"unet": {"blocks": 2.0}},
        {"unet": {"classes": 10**12}},
        {"unet": {"in_channels": -3}},
        {"unet": [3, 3]},
        {"coefficients": ["eps"]},
        {"size": 10**9},
        {"size": [16, "16"]},
        {"size": [16, 16, 16]},
        {"images": "many"},
        {"classes": ["hero"] * 9},
        {"settings": None},
        {"betas": {"name": ["linear"], "arguments": {}}},
        {"betas": {"name": "linear", "arguments": {"T": 10**10}}},
        {"betas": {"name": "linear", "arguments": [1000]}},
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


def test_every_part_of_a_card_takes_the_place_of_the_networks_own():
    filter = {"shape": "kaiser", "taps": 6}
    kinds = {"filter": filter}
    x = torch.randn(1, 3, 8, 8)
    for slot, known in models.PARTS.items():
        for name in known:
            arguments = kinds.get(name, {})
            model = models.build(CARD | {"parts": {slot: {"name": name, "arguments": arguments}}})
            assert model.denoiser(x, torch.tensor([1.0])).shape == x.shape
    filtered = {"act": {"name": "relu", "arguments": filter}}
    net = models.build(CARD | {"parts": filtered}).denoiser.net
    assert isinstance(net.act_out, resample.Filtered) and net.act_out.filter.taps == 6
    with pytest.raises(ValueError, match="describes no model"):
        models.build(CARD | {"parts": {"act": {"name": "relu", "arguments": {"tops": 3}}}})


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
    assert written(model.card) == EDM and not model.denoiser.training
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
    as_published = {"name": "phi_star_unscaled", "arguments": {"c": 0.7}}
    told = models.build({**EDM, "embedding": as_published}).denoiser.c_noise
    assert told(torch.tensor([0.7, 80.0])).tolist() == pytest.approx([0.5, 80 / 80.7])
    assert {"log", "phi_star", "phi_star_unscaled"} == set(models.EMBEDDINGS)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"sigma_data": None}, "sigma_data"),
        ({"sigma_data": 0.0}, "sigma_data is 0.0"),
        ({"sigma_data": -0.5}, "sigma_data is -0.5"),
        ({"sigma_data": "half"}, "'sigma_data' is 'half'"),
        ({"density": None}, "density"),
        ({"grid": None}, "grid"),
        ({"embedding": None}, "embedding"),
        ({"density": {"name": "odd", "arguments": {}}}, "odd"),
        ({"grid": {"name": "linear", "arguments": {"T": 10}}}, "linear"),
        ({"grid": "karras"}, "'grid' is 'karras'"),
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
    assert written(models.pretrained("toy").card) == CARD


def test_the_slots_of_a_card_decide():
    """Any coefficients walk a table of betas, or a grid; none but edm's needs sigma_data."""
    slots = {k: EDM[k] for k in ("density", "embedding", "grid")}
    for coefficients in ("eps", "x0", "v"):
        card = {"name": "toy", "unet": NET, "coefficients": coefficients} | slots
        model = models.build(card)
        assert model.denoiser.coefficients is getattr(denoisers, coefficients)
        assert float(model.schedule(torch.tensor(1.0))) == pytest.approx(50)
        assert float(model.denoiser.c_noise(torch.tensor(80.0))) == pytest.approx(1000, abs=1e-3)
    model = models.build(CARD | {"coefficients": "edm", "sigma_data": 0.4})
    assert isinstance(model.schedule, schedules.Discrete)
    wanted = denoisers.edm(torch.tensor(2.0), 0.4)
    assert model.denoiser.coefficients(torch.tensor(2.0)) == wanted


@pytest.mark.parametrize("size, shape", [(8, (3, 8, 8)), ([8, 12], (3, 8, 12))])
def test_a_size_is_a_side_or_two(size, shape):
    assert models.build(CARD | {"size": size}).shape == shape


def test_a_card_describes_an_image_condition(tmp_path):
    """cond_channels of its U-Net: the loaded model wants that condition, and its images react."""
    card = CARD | {"unet": NET | {"cond_channels": 4}, "size": [8, 12]}
    before = models.build(card)
    for p in before.denoiser.parameters():
        torch.nn.init.normal_(p, std=0.3)
    C.save_weights(tmp_path / "toy.safetensors", before.denoiser.net, card, torch.float32)
    model = models.load_model(tmp_path / "toy.safetensors")
    x, cond = torch.randn(2, *model.shape), torch.randn(2, 4, 8, 12)
    assert torch.equal(model.denoiser(x, 1.0, cond=cond), before.denoiser(x, 1.0, cond=cond))
    assert not torch.equal(model.denoiser(x, 1.0, cond=cond), model.denoiser(x, 1.0, cond=-cond))
    with pytest.raises(ValueError, match="takes 4 condition channels, got 0"):
        model.denoiser(x, 1.0)


def test_a_model_is_changed_by_replacing():
    model = models.build(CARD)
    assert model.log == ()
    with pytest.raises(dataclasses.FrozenInstanceError):
        model.log = [{"step": 1}]
    assert dataclasses.replace(model, log=[{"step": 1}]).denoiser is model.denoiser


def test_shipped_models_are_found_by_their_cards():
    assert {"sprites", "sprites-edm", "faces64"} <= set(models.shipped())
    assert models.shipped("betas", data="sprites") == ["sprites"]
    assert models.shipped("grid", data="sprites") == ["sprites-edm"]
    assert models.shipped(data="sprites", coefficients="edm") == ["sprites-edm"]
    assert models.shipped("betas", data="faces") == ["faces64"]
    assert models.shipped(data="nothing") == models.shipped("nothing") == []


def test_shipped_models_load():
    """Every card in data/pretrained with a U-Net builds, loads and denoises."""
    cards = [json.loads(p.read_text()) for p in sorted(C.PRETRAINED.glob("*.json"))]
    for card in (c for c in cards if "unet" in c):
        model = models.pretrained(card["name"])
        side = 2**model.denoiser.net.halvings
        x = torch.randn(1, model.denoiser.net.in_channels, side, side)
        channels = model.denoiser.net.cond_channels
        beside = {"cond": torch.zeros(1, channels, side, side)} if channels else {}
        assert bool(model.denoiser(x, 1.0, **beside).isfinite().all())


MEASURED = """
import resource, sys
from pathlib import Path
from diffutils.weights import models
resource.setrlimit(resource.RLIMIT_AS, (12 << 30,) * 2)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    models.load_model(Path(sys.argv[1]))
except ValueError as error:
    print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) >> 10)
"""


def test_a_card_of_a_large_network_beside_small_weights_takes_no_memory(tmp_path, root):
    """900 MB in float32, refused by the shapes of the weights before they are made."""
    if sys.platform != "linux":
        pytest.skip("measures memory as Linux does")
    card = CARD | {"unet": {"channels": [1024] * 3, "attention": [False] * 3}}
    C.save_weights(tmp_path / "toy.safetensors", torch.nn.Linear(1, 1), card)
    command = [sys.executable, "-c", MEASURED, tmp_path / "toy.safetensors"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    said, megabytes = done.stdout.splitlines()
    assert "do not fit this network" in said and int(megabytes) < 100


def test_a_blank_model_has_no_weights_and_loading_draws_no_random_number(tmp_path):
    model = models.build(CARD, blank=True)
    assert all(p.is_meta for p in model.denoiser.parameters())
    C.save_weights(tmp_path / "toy.safetensors", net(), CARD)
    before = torch.get_rng_state()
    model = models.load_model(tmp_path / "toy.safetensors")
    assert torch.equal(torch.get_rng_state(), before)
    assert not any(t.is_meta for t in (*model.denoiser.parameters(), *model.denoiser.buffers()))


def test_building_draws_the_same_weights_as_the_network_alone():
    """Measuring it beforehand takes no random number."""
    torch.manual_seed(3)
    model = models.build(CARD)
    torch.manual_seed(3)
    same(model.denoiser.net.state_dict(), UNet(**NET).state_dict())


def test_a_card_without_a_size_says_so():
    with pytest.raises(ValueError, match="'toy' gives no size"):
        _ = models.build(CARD).shape
