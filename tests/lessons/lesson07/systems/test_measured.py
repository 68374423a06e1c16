"""Networks in decibels: the oracle at the floor of float64, D far above A, R for turns."""

import pytest
import torch

from diffutils.lessons.lesson07.systems import measured
from diffutils.methods.equivariance import c4_averaged, eq_r


def dB(name: str, seed: int = 0, **unet) -> dict[str, float]:
    net = measured.untrained(name, 1, seed, **unet).double().eval()
    return measured.eq_t_row(measured.told(net), 32, 1)


def test_the_oracle_commutes_with_every_shift():
    """X: ideal filters, squares, circular: nothing is lost, whatever the inputs' band."""
    assert min(dB("X").values()) > 250


@pytest.mark.parametrize("seed", [0, 1])
def test_ideal_filters_gain_15_decibels_untrained(seed):
    plain, filtered = dB("A", seed), dB("D-ideal", seed)
    assert all(filtered[key] >= plain[key] + 15 for key in plain), (plain, filtered)


def test_attention_and_zero_borders_take_it_away():
    key = "full: sub-pixel"
    best = dB("D-ideal")[key]
    assert dB("D-ideal", padding="zeros")[key] < best - 10
    oracle = dB("X", attention=True)[key]
    assert 20 < oracle < 60  # of 280 dB without


def test_one_pixel_kernels_and_round_filters_turn():
    rows = {}
    for name in ("A", "R"):
        net = measured.untrained(name, 1).double().eval()
        rows[name] = measured.eq_r_row(measured.told(net), 32, 1)
    assert rows["R"]["turns"] >= rows["A"]["turns"] + 10
    assert rows["R"]["90 degrees"] > 200 and rows["A"]["90 degrees"] < 20
    assert rows["A"]["floor"] > 50


def test_the_average_of_four_is_exact_at_quarter_turns():
    net = measured.untrained("A", 1).double().eval()
    f = measured.told(net)
    average = c4_averaged(lambda x, sigma: f(x))
    x = measured.turned_inputs(16, 1)
    assert eq_r(lambda x: average(x, 1.0), x, (90, 180, 270)) > 200


def test_waking_draws_zero_layers_alone_and_the_same_again():
    torch.manual_seed(3)
    asleep = measured.UNet(1, 1, (8, 8), 1, (False, False))
    before = {k: v.clone() for k, v in asleep.state_dict().items()}
    woken = measured.awake(asleep, 5).state_dict()
    changed = {k for k in before if not torch.equal(before[k], woken[k])}
    assert changed and all(not before[k].any() for k in changed if k.endswith("weight"))
    again = measured.awake(measured.UNet(1, 1, (8, 8), 1, (False, False)), 5).state_dict()
    assert all(torch.equal(woken[k], again[k]) for k in changed if k.endswith("weight"))


def test_without_its_borders_a_network_is_the_circular_one():
    for name in ("A", "D-kaiser"):
        zeros = measured.untrained(name, 1, padding="zeros").eval()
        circular = measured.untrained(name, 1).eval()
        x, level = torch.randn(2, 1, 16, 16), torch.tensor([1.0, 500.0])
        assert not torch.allclose(zeros(x, level), circular(x, level), atol=1e-2)
        inside = measured.without_borders(zeros)
        assert torch.allclose(inside(x, level), circular(x, level), atol=1e-5)
        assert zeros.conv_in.padding_mode == "zeros"
