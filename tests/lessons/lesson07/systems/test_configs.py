"""The published configurations: equal parameters, the right parts, and names that are none."""

import pytest
import torch

from diffutils import resample
from diffutils.lessons.lesson07.systems import configs, measured
from diffutils.weights import models

EVERY = ["A", *(f"{letter}-{kind}" for letter in "BCD" for kind in configs.KINDS)]


@pytest.mark.parametrize("name", EVERY)
def test_no_configuration_has_a_weight_more(name):
    torch.manual_seed(0)
    net = measured.untrained(name, 1)
    plain = measured.untrained("A", 1).state_dict()
    assert {k: v.shape for k, v in net.state_dict().items()} == {
        k: v.shape for k, v in plain.items()
    }
    x = torch.randn(2, 1, 16, 16)
    assert net(x, torch.tensor([1.0, 2.0])).shape == x.shape


@pytest.mark.parametrize(
    "name, down, up, act",
    [
        ("A", resample.MaxDown, resample.Bilinear, torch.nn.GELU),
        ("B-0", resample.Down, resample.Up, torch.nn.GELU),
        ("C-ideal", resample.MaxDown, resample.Bilinear, resample.Filtered),
        ("D-2N", resample.Down, resample.Up, resample.Filtered),
        ("R", resample.Down, resample.Up, resample.Filtered),
    ],
)
def test_a_letter_says_which_parts_are_filtered(name, down, up, act):
    net = measured.untrained(name, 1)
    assert {type(x) for x in net.downs} == {down} and {type(x) for x in net.ups} == {up}
    assert {type(m.act1) for level in net.encoder for m, _ in level} == {act}
    assert net.conv_in.kernel_size == ((1, 1) if name == "R" else (3, 3))


def test_published_filters_keep_their_faults():
    """No factor after zeros, and taps that are normalised or not, as their names say."""
    for name, beta, normalised in (
        ("0", 0, False),
        ("1", 1, False),
        ("1N", 1, True),
        ("2N", 2, True),
    ):
        found = configs.KINDS[name]
        assert (found.taps, found.beta, found.normalised, found.gain) == (3, beta, normalised, 1.0)
    ones = torch.ones(1, 1, 8, 8)
    assert float(resample.up(ones, configs.KINDS["2N"]).mean()) == pytest.approx(0.25, abs=1e-4)


@pytest.mark.parametrize("name", ["E", "", "B", "D-3N", "A-ideal", "R-ideal"])
def test_other_names_are_refused_in_a_sentence(name):
    with pytest.raises(ValueError, match="choose from|has no filter"):
        configs.config(name)


def test_a_card_builds_what_the_parts_say():
    card = {"name": "x", "coefficients": "eps", "betas": {"name": "linear", "arguments": {}}}
    card["unet"] = {"channels": [8, 16], "blocks": 1, "attention": [False, False]}
    card |= configs.config("D-ideal")
    model = models.build(card)
    assert isinstance(model.denoiser.net.downs[0], resample.Down)
    card["parts"]["down"] = {"name": "middle", "arguments": {}}
    with pytest.raises(ValueError, match="describes no model"):
        models.build(card)
